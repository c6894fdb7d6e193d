"""Switching: lifetimes, write errors, states, dwell times, hysteresis, the cost of a write.

Labels are what the datasets call their variables, with their units: convert to nanoseconds or
MA/cm² before drawing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.plot.style import COLOURS, axes_or_new, columns_of_legend, in_style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_CYCLE = ("blue", "vermillion", "green", "purple", "orange", "sky", "black")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (2, 1.5)), (0, (5, 1.5, 1, 1.5)))
_STATES = {
    1: ("P", "#C9E2F5"),
    2: ("AP", "#FFD9B8"),
    3: ("P/AP", "#FFFFFF"),
    4: ("precession", "#7CC9A9"),
    5: ("P or precession", "#5E9CCB"),
    6: ("AP or precession", "#D98B63"),
    7: ("P, AP or precession", "#9A9A9A"),
}


def label(variable: xr.DataArray) -> str:
    """Return the long name of a variable with its unit.

    Parameters
    ----------
    variable : xarray.DataArray

    Returns
    -------
    str
        For example "length of the pulse (ns)".
    """
    name = str(variable.attrs.get("long_name", variable.name)).replace("_", " ")
    unit = str(variable.attrs.get("units", "1"))
    return name if unit == "1" else f"{name} ({unit})"


@in_style
def curves(data: xr.DataArray, along: str, *, scale: str = "log", axes: Axes | None = None) -> Axes:
    """Draw one curve for each value of the other dimension, if there is one.

    Parameters
    ----------
    data : xarray.DataArray
        One or two dimensions; values that are not above zero are left out of a logarithmic scale.
    along : str
        The dimension of the abscissa.
    scale : str
        Of the ordinate.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    others = [str(dim) for dim in data.dims if dim != along]
    rows = data.transpose(*others, along).values.reshape(-1, data.sizes[along])
    for place, row in enumerate(rows):
        values = np.where(row > 0.0, row, np.nan) if scale == "log" else row
        look = {"color": COLOURS[_CYCLE[place % 7]], "linestyle": _DASHES[place % 4]}
        if others:
            value = data[others[0]]
            unit = str(value.attrs.get("units", "1"))
            text = f"{float(value[place]):.3g}" + ("" if unit == "1" else f" {unit}")
            look["label"] = text.replace("-", "−")
        axes.plot(data[along].values, values, **look)
    axes.set_yscale(scale)
    axes.set_xlabel(label(data[along]))
    axes.set_ylabel(label(data))
    if others:
        axes.legend()
    return axes


@in_style
def write_errors(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw write-error rates against the length of the pulse.

    Parameters
    ----------
    data : xarray.Dataset
        From `switching.write_error_rate`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    return curves(data["write_error_rate"], "pulse_length", axes=axes)


@in_style
def states(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw which states are stable, with a legend of those that occur.

    Parameters
    ----------
    data : xarray.Dataset
        From `switching.state_diagram`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    from matplotlib.colors import BoundaryNorm, ListedColormap
    from matplotlib.patches import Patch

    found = sorted(set(data["states"].values.ravel().tolist()))
    colours = ListedColormap([_STATES[code][1] for code in range(1, 8)])
    axes.pcolormesh(
        data["field"].values,
        data["current"].values,
        data["states"].transpose("current", "field").values,
        cmap=colours,
        norm=BoundaryNorm(np.arange(0.5, 8.0), 7),
        shading="nearest",
        rasterized=True,
    )
    patches = [
        Patch(facecolor=_STATES[code][1], edgecolor="black", linewidth=0.5, label=_STATES[code][0])
        for code in found
    ]
    axes.legend(
        handles=patches,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=columns_of_legend(axes, [_STATES[code][0] for code in found]),
        columnspacing=1.0,
    )
    axes.set_xlabel(label(data["field"]))
    axes.set_ylabel(label(data["current"]))
    return axes


@in_style
def dwell_times(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw the mean times in both wells against the current.

    Parameters
    ----------
    data : xarray.Dataset
        From `switching.dwell_times`, with a dimension `current`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    for side, colour, dash in (("parallel", "blue", 0), ("antiparallel", "vermillion", 1)):
        values = data[f"dwell_time_{side}"]
        look = {"color": COLOURS[colour], "linestyle": _DASHES[dash]}
        axes.plot(data["current"].values, values.values, label=side, **look)
    axes.set_yscale("log")
    axes.set_xlabel(label(data["current"]))
    unit = str(data["dwell_time_parallel"].attrs.get("units", ""))
    axes.set_ylabel("mean dwell time" + (f" ({unit})" if unit else ""))
    axes.legend()
    return axes


@in_style
def loops(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw loops of the mean moment, one for each frequency.

    Parameters
    ----------
    data : xarray.Dataset
        From `switching.hysteresis_loop` at one amplitude.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    H, unit = data["field"].values, str(data["frequency"].attrs.get("units", ""))
    closed = np.append(H, H[:1])
    for place, frequency in enumerate(data["frequency"].values.tolist()):
        m = data["mean_moment"].values[place]
        look = {"color": COLOURS[_CYCLE[place % 7]], "linestyle": _DASHES[place % 4]}
        axes.plot(closed, np.append(m, m[:1]), label=f"{frequency:.6g} {unit}", **look)
    axes.set_xlabel(label(data["field"]))
    axes.set_ylabel(label(data["mean_moment"]))
    axes.legend()
    return axes


@in_style
def cost_of_write(data: xr.Dataset, beta: float, *, axes: Axes | None = None) -> Axes:
    """Draw heat, pumped entropy, their sum and Landauer's bound against the length of the pulse.

    Parameters
    ----------
    data : xarray.Dataset
        From `switching.write_cost` for one current.
    beta : float
        1/T, in units of the heat.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    x = data["pulse_length"].values
    heat, pumped = -beta * data["settled_heat"], data["pumped_entropy"]
    for values, name, colour, dash in (
        (heat + pumped, r"$-\beta\langle Q\rangle+\langle S_P\rangle$", "black", 0),
        (pumped, r"pumped entropy $\langle S_P\rangle$", "blue", 1),
        (heat, r"heat given off $-\beta\langle Q\rangle$", "vermillion", 2),
        (data["landauer_bound"], "Landauer's bound", "green", 3),
    ):
        axes.plot(x, values.values, color=COLOURS[colour], linestyle=_DASHES[dash], label=name)
    axes.axhline(0.0, color="black", linewidth=0.5)
    axes.set_xlabel(label(data["pulse_length"]))
    axes.set_ylabel("entropy ($k_B$)")
    axes.legend()
    return axes
