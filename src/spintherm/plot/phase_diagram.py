"""Phase diagrams over two parameters: phases as areas, boundaries as exact curves; [II] Fig. 3.

The areas are the signs of the rates on the grid, interpolated; the curves are the boundaries that
were followed, and do not come from the grid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintherm.plot.style import COLOURS, PHASES, axes_or_new, figure, in_style, several

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

LABELS = {
    "moment": "$m$",
    "gyromagnetic_ratio": r"$\gamma_0$",
    "damping": r"$\eta$",
    "temperature": "$T$",
    "anisotropy": r"factor of $E_\mathrm{a}$",
    "field": "$H$",
    "spin_torque": "$P$",
    "alpha": r"$\alpha = mP/H$",
    "angle": r"$\theta$ (degrees)",
}
LINES = {
    "pumped_entropy_rate": (COLOURS["blue"], r"$\dot S_P=0$"),
    "bath_entropy_rate": (COLOURS["vermillion"], r"$\dot S_B=0$"),
}
MARKS = {"refrigerator": "v", "heat pump": "^", "dud": "o"}
_SMALLEST_LABELLED = 0.012
_SHOWN = 2.0
_NAMES = ((-1.6, "dud"), (-0.43, "heat pump"), (0.53, "refrigerator"), (1.6, "dud"))


@dataclass(frozen=True)
class _Sheet:
    """A part of a diagram as it is drawn: coordinates, the two rates and phases, shape (y, x)."""

    x: Floats
    y: Floats
    pumped: Floats
    bath: Floats
    phase: NDArray[np.str_]


@in_style
def phases(
    diagram: xr.Dataset, *, folded: bool = False, names: bool = True, axes: Axes | None = None
) -> Axes:
    """Draw the phases, named, and the boundaries between them.

    Parameters
    ----------
    diagram : xarray.Dataset
        As `phase_diagram` returns it.
    folded : bool
        For a diagram over alpha > 0 and angles from 0 to pi: draw what lies beyond pi/2 at -alpha
        and pi - angle, as [II] Fig. 3 does.
    names : bool
        Whether to write the names where there is most room.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    sheets = list(_folded(diagram)) if folded else [_sheet(diagram)]
    axes.set_facecolor(PHASES["dud"])
    for sheet in sheets:
        for values, phase in ((sheet.pumped, "heat pump"), (sheet.bath, "refrigerator")):
            if np.any(values < 0.0):
                levels = [-np.inf, 0.0]
                axes.contourf(sheet.x, sheet.y, values, levels, colors=[PHASES[phase]])
    boundaries(diagram, folded=folded, axes=axes)
    _scales(axes, diagram, folded=folded)
    for sheet in sheets if names else []:
        _name_phases(axes, _seen(axes, sheet), 1.0 / len(sheets))
    return axes


@in_style
def boundaries(diagram: xr.Dataset, *, folded: bool = False, axes: Axes | None = None) -> Axes:
    """Draw the boundaries where a rate vanishes.

    Parameters
    ----------
    diagram, folded
        As for `phases`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    named: set[str] = set()
    for place in range(diagram.sizes.get("branch", 0)):
        here = diagram["boundary_branch"].values == place
        rate = str(diagram["branch_rate"].values[place])
        colour, label = LINES[rate]
        x, y = diagram["boundary_x"].values[here], diagram["boundary_y"].values[here]
        for u, v in _folded_curve(x, y) if folded else [(x, y)]:
            axes.plot(
                u if folded else _drawn(diagram.attrs["x"], u),
                np.degrees(v) if folded else _drawn(diagram.attrs["y"], v),
                color=colour,
                linewidth=1.4,
                label=None if rate in named else label,
                zorder=2.5,
            )
            named.add(rate)
    for k in "xy":
        getattr(axes, f"set_{k}label")(_label(diagram, k))
    return axes


@in_style
def simulated_phases(data: xr.Dataset, *, folded: bool = False, axes: Axes | None = None) -> Axes:
    """Mark the simulated points by their phase; hollow where an error could change it.

    Parameters
    ----------
    data : xarray.Dataset
        `point_alpha`, `point_angle`, `simulated_phase`, `certain` along `point`.
    folded : bool
        As for `phases`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    alpha, angle = data["point_alpha"].values, data["point_angle"].values
    if folded:
        beyond = angle > 0.5 * np.pi
        alpha, angle = np.where(beyond, -alpha, alpha), np.where(beyond, np.pi - angle, angle)
    for phase, marker in MARKS.items():
        for certain in (True, False):
            here = (data["simulated_phase"].values == phase) & (data["certain"].values == certain)
            axes.plot(
                alpha[here],
                np.degrees(angle[here]),
                marker=marker,
                markersize=3.4,
                linestyle="none",
                color="0.15",
                markerfacecolor="0.15" if certain else "white",
                markeredgewidth=0.7,
                label=f"simulated {phase}" if certain else None,
                zorder=3.0,
            )
    axes.set_xlabel(LABELS["alpha"])
    axes.set_ylabel(LABELS["angle"])
    return axes


@in_style
def rates_along_cut(data: xr.Dataset, alpha: float, *, axes: Axes | None = None) -> Axes:
    """Draw Ṡ_P and Ṡ_B against the angle at one alpha, with the simulated points.

    Parameters
    ----------
    data : xarray.Dataset
        `cut (rate, cut_alpha, cut_angle)`; `simulated` and `error` (rate, point), `point_alpha`,
        `point_angle`.
    alpha : float
        One of `cut_alpha`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    curve = data["cut"].sel(cut_alpha=alpha)
    degrees = np.degrees(data["cut_angle"].values)
    _shade(axes, degrees, curve)
    axes.axhline(0.0, color="black", linewidth=0.6)
    here = np.isclose(data["point_alpha"].values, alpha)
    symbols = {"pumped_entropy_rate": r"$\dot S_P$", "bath_entropy_rate": r"$\dot S_B$"}
    for (rate, symbol), marker in zip(symbols.items(), "s^", strict=True):
        colour = LINES[rate][0]
        axes.plot(degrees, curve.sel(rate=rate), color=colour, label=symbol)
        axes.errorbar(
            np.degrees(data["point_angle"].values[here]),
            data["simulated"].sel(rate=rate).values[here],
            data["error"].sel(rate=rate).values[here],
            color=colour,
            marker=marker,
            markersize=3.0,
            markerfacecolor="white",
            linestyle="none",
            elinewidth=0.9,
        )
    axes.set_xlim(0.0, 180.0)
    axes.set_xticks(range(0, 181, 45))
    axes.text(0.03, 0.93, rf"$|\alpha|={alpha:g}$", transform=axes.transAxes, va="top")
    axes.set_xlabel(r"angle between $P$ and $H$ (degrees)")
    axes.set_ylabel("rate ($k_B$ per time)")
    return axes


@in_style
def phase_diagram_figure(diagram: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw a phase diagram over any two parameters, with a legend above.

    Parameters
    ----------
    diagram : xarray.Dataset
        As `phase_diagram` returns it.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure, one journal column wide, if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes, height=2.9)
    phases(diagram, axes=axes)
    _equilibrium(axes, diagram)
    _legend_above(axes)
    return axes


@in_style
def tilted_phases_figure(
    data: xr.Dataset, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw [II] Fig. 3, and cuts through it with simulated rates.

    As the paper does, -alpha at pi - angle is drawn for alpha; for magnets with anisotropy or
    polarisers, where that is no symmetry, alpha itself.

    Parameters
    ----------
    data : xarray.Dataset
        As `experiments` saves it: a phase diagram over alpha and angle, n cuts, and points.
    axes : sequence of 1 + n matplotlib.axes.Axes, optional
        Where to draw the diagram and the cuts; those of a new figure, two journal columns wide, if
        not given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (1 + n,)
        The axes.
    """
    alphas = data["cut_alpha"].values.tolist()
    axes = several(axes, 1 + len(alphas), lambda: _tilted_phases_axes(len(alphas)))
    main, *cuts = axes
    folded = not {"anisotropy", "polarisers"} & set(data.attrs)
    phases(data, folded=folded, names=not _as_printed(data), axes=main)
    simulated_phases(data, folded=folded, axes=main)
    if folded:
        main.set_xlim(-_SHOWN, _SHOWN)
        main.axvline(0.0, color="black", linewidth=1.2)
        main.annotate(r"$H=\infty$", (0.0, 4.0), (5, 0), textcoords="offset points", fontsize=8.0)
    for x, name in _NAMES if _as_printed(data) else ():
        main.text(x, 22.5, name, ha="center", va="center", fontsize=10.0)
    _legend_above(main)
    for one, alpha in zip(cuts, alphas, strict=True):
        rates_along_cut(data, alpha, axes=one)
        if not folded:
            one.margins(y=0.25)  # for the text, wherever the curves are
    for one in cuts[:-1]:
        one.tick_params(labelbottom=False)
        one.set_xlabel("")
    cuts[0].legend(loc="upper center", ncols=2)
    return axes


def _as_printed(data: xr.Dataset) -> bool:
    """Whether the phases lie where those of the paper's magnet do."""
    if {"anisotropy", "polarisers"} & set(data.attrs):
        return False
    angle = np.radians(22.5)
    found = (
        data["phase"].sel(alpha=abs(x), angle=angle if x > 0.0 else np.pi - angle, method="nearest")
        for x, _ in _NAMES
    )
    return [str(one.item()) for one in found] == [name for _, name in _NAMES]


def _tilted_phases_axes(cuts: int) -> list[Axes]:
    whole = figure(2, 4.0)
    grid = whole.add_gridspec(cuts, 2, width_ratios=(1.75, 1.0))
    places = [grid[:, 0], *(grid[place, 1] for place in range(cuts))]
    return [whole.add_subplot(place) for place in places]


def _sheet(diagram: xr.Dataset) -> _Sheet:
    x, y = (_drawn(diagram.attrs[k], diagram[diagram.attrs[k]].values) for k in "xy")
    pumped, bath = (diagram[f"{k}_entropy_rate"].values.T for k in ("pumped", "bath"))
    return _Sheet(x, y, pumped, bath, diagram["phase"].values.T)


def _folded(diagram: xr.Dataset) -> Iterator[_Sheet]:
    """The halves of a diagram over (alpha, angle), the second at (-alpha, pi - angle).

    The strip between alpha = 0 and the smallest alpha, thinner than a line, is drawn like its edge.
    """
    alpha, angle = diagram["alpha"].values, diagram["angle"].values
    middle = 0.5 * np.pi + 1.01 * (angle[1] - angle[0])  # a row beyond, so that none is missing
    for sign, here in ((1.0, angle <= middle), (-1.0, angle >= np.pi - middle)):
        part = diagram.isel(angle=np.flatnonzero(here))
        theta = part["angle"].values if sign > 0.0 else np.pi - part["angle"].values
        pumped, bath = (part[f"{k}_entropy_rate"].values.T for k in ("pumped", "bath"))
        x = sign * np.concatenate([[0.0], alpha])
        columns = [0, *range(len(alpha))]
        phase = part["phase"].values.T[:, columns]
        yield _Sheet(x, np.degrees(theta), pumped[:, columns], bath[:, columns], phase)


def _folded_curve(x: Floats, y: Floats) -> Iterator[tuple[Floats, Floats]]:
    """Pieces of a curve (alpha, angle) on the two halves of a folded diagram."""
    beyond = y > 0.5 * np.pi
    for piece in np.split(np.arange(len(x)), np.flatnonzero(np.diff(beyond)) + 1):
        if beyond[piece[0]]:
            yield -x[piece], np.pi - y[piece]
        else:
            yield x[piece], y[piece]


def _label(diagram: xr.Dataset, k: str) -> str:
    """Return the symbol of a parameter with the unit that the diagram has it in."""
    name = str(diagram.attrs[k])
    unit = str(diagram[name].attrs.get("units", "1"))
    return LABELS[name] if name == "angle" or unit == "1" else f"{LABELS[name]} ({unit})"


def _drawn(name: str, values: Floats) -> Floats:
    return np.asarray(np.degrees(values) if name == "angle" else values)


def _scales(axes: Axes, diagram: xr.Dataset, *, folded: bool) -> None:
    from matplotlib.ticker import LogLocator

    for k in "xy":
        name = str(diagram.attrs[k])
        drawn = _drawn(name, diagram[name].values)
        low, high = float(drawn[0]), float(drawn[-1])
        if folded:
            low, high = (-high, high) if name == "alpha" else (0.0, 90.0)
        getattr(axes, f"set_{k}lim")(low, high)
        if diagram.attrs[f"{k}_spacing"] == "log" and not folded:
            getattr(axes, f"set_{k}scale")("log")
            if high < 100.0 * low:  # too short for powers of ten alone
                axis = getattr(axes, f"{k}axis")
                axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
                axis.set_major_formatter("{x:g}")
                axis.set_minor_formatter("")
        if name == "angle" and high in (90.0, 180.0):
            getattr(axes, f"set_{k}ticks")(np.arange(0.0, high + 1.0, high / 6.0))


def _seen(axes: Axes, sheet: _Sheet) -> _Sheet:
    """Return the rows of a sheet that lie within the axes: halves of a diagram have one more."""
    low, high = axes.get_ylim()
    rows = (sheet.y >= low) & (sheet.y <= high)
    pumped, bath = sheet.pumped[rows], sheet.bath[rows]
    return _Sheet(sheet.x, sheet.y[rows], pumped, bath, sheet.phase[rows])


def _name_phases(axes: Axes, sheet: _Sheet, share: float) -> None:
    """Write the name of every phase where it has most room, upright where that helps.

    The sheet has this share of the width of the axes.
    """
    from scipy.ndimage import label

    for name in PHASES:
        pieces, count = label(sheet.phase == name)
        for k in range(1, count + 1):
            piece = pieces == k
            if np.mean(piece) < _SMALLEST_LABELLED:
                continue
            flat, upright = (_roomiest(piece, wide, share) for wide in (True, False))
            turned = flat[0] < 0.6 and upright[0] > flat[0]
            j, i = (upright if turned else flat)[1]
            axes.text(
                sheet.x[i],
                sheet.y[j],
                name,
                ha="center",
                va="center",
                rotation=90.0 if turned else 0.0,
                fontsize=10.0,
                zorder=4.0,
            )


def _roomiest(piece: NDArray[np.bool_], wide: bool, share: float) -> tuple[float, tuple[int, int]]:
    """Distance from the border, in sizes of a word, at the point where that is largest."""
    from scipy.ndimage import distance_transform_edt

    words = (20.0, 6.0) if wide else (4.3, 28.0)  # lines and columns of words in the axes
    spacing = [words[0] / piece.shape[0], share * words[1] / piece.shape[1]]
    room = distance_transform_edt(np.pad(piece, 1), sampling=spacing)[1:-1, 1:-1]
    best = np.argwhere(room >= 0.999 * room.max())  # on a coarse grid many, some at the edge
    j, i = best[len(best) // 2]
    return float(room[j, i]), (int(j), int(i))


def _equilibrium(axes: Axes, diagram: xr.Dataset) -> None:
    """Draw the line P = 0, where both rates vanish."""
    for k, draw in (("x", axes.axvline), ("y", axes.axhline)):
        name = str(diagram.attrs[k])
        values = diagram[name].values if name in ("alpha", "spin_torque") else np.ones(1)
        if values[0] < 0.0 < values[-1]:
            draw(0.0, color="black", linewidth=1.2, label="$P=0$")


def _shade(axes: Axes, degrees: Floats, curve: xr.DataArray) -> None:
    pumped = curve.sel(rate="pumped_entropy_rate").values
    bath = curve.sel(rate="bath_entropy_rate").values
    axes.set_facecolor(PHASES["dud"])
    for values, phase in ((pumped, "heat pump"), (bath, "refrigerator")):
        inside = values < 0.0
        axes.fill_between(
            degrees,
            0.0,
            1.0,
            where=inside,
            transform=axes.get_xaxis_transform(),
            color=PHASES[phase],
            linewidth=0.0,
            zorder=0.0,
        )


def _legend_above(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        options: Any = {"loc": "outside upper left", "ncols": len(labels)}
        axes.figure.legend(handles, labels, **options)
