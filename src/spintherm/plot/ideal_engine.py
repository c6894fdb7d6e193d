"""Power, dissipation and noise of the engine against the field, [II] Fig. 4, and what they break.

Curves are exact, at several angles θ between H and P; beside them the limits for strong fields and
the points of trajectories. The uncertainty ratio Δ_P Σ/(2 Ṡ_P²) is below one where the
thermodynamic uncertainty relation is broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintherm.plot.style import COLOURS, axes_or_new, figure, in_style, several

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

_COLOURS = ("black", "blue", "green", "orange", "vermillion", "purple", "sky")
_MARKERS = ("o", "s", "^", "v", "D", "P", "X")
_LIMIT: dict[str, Any] = {"color": "0.35", "linewidth": 1.0}
_POWER = r"$|\dot S_P|$ ($k_B$ per time)"
_RATIO = r"$\Delta_P\,\Sigma\,/\,2\dot S_P^2$"
_DASHED = (0, (4, 2))
_DOTTED = (0, (1, 1.4))


@in_style
def power(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw |Ṡ_P| against H, with the limit 18a at every angle.

    Parameters
    ----------
    data : xarray.Dataset
        `curve`, `simulated`, `error` over (quantity, angle, curve_field or field),
        `limit_power (curve_field)`, and `closed_<quantity> (curve_field)` where it exists; for
        magnets without closed forms `limit_power_at_angle (angle)`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _curves(axes, data, "pumped_entropy_rate")
    if "limit_power_at_angle" in data:
        return _finish(_limits_at_angles(axes, data), data, _POWER)
    limit = float(data["limit_power"][-1])
    cosines = np.unique(np.round(np.abs(np.cos(np.deg2rad(data["angle"].values))), 12))
    for place, cosine in enumerate(cosines[::-1]):
        label = "18a, times $|\\cos\\theta|$" if place == 0 else None
        axes.axhline(limit * cosine, **_LIMIT, linestyle=_DASHED, label=label, zorder=1.0)
    axes.set_ylim(0.0, 1.12 * limit)
    return _finish(axes, data, _POWER)


@in_style
def dissipation(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw Σ against H, with the limit 18b as printed and with the factor 1 + δ².

    Parameters
    ----------
    data : xarray.Dataset
        As for `power`, with `limit_dissipation` and `limit_dissipation_as_printed`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _curves(axes, data, "entropy_production_rate")
    for name, dashes, label in (
        ("limit_dissipation_as_printed", _DASHED, "18b as printed"),
        ("limit_dissipation", _DOTTED, r"18b times $1+\delta^2$"),
    ):
        if name not in data:
            continue
        axes.plot(data["curve_field"], data[name], **_LIMIT, linestyle=dashes, label=label)
    axes.set_yscale("log")
    return _finish(axes, data, r"$\Sigma$ ($k_B$ per time)")


@in_style
def long_time_noise(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw Δ_P against H, with 18c at θ = 0 and the law H⁻² at the other angles.

    Parameters
    ----------
    data : xarray.Dataset
        As for `power`, with `limit_noise (angle, curve_field)`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _curves(axes, data, "pumped_entropy_noise")
    label: str | None = r"law $H^{-2}$, $\theta\neq0$"
    for place, angle in enumerate(data["angle"].values if "limit_noise" in data else ()):
        law = data["limit_noise"].isel(angle=place)
        if angle == 0.0:
            axes.plot(data["curve_field"], law, **_LIMIT, linestyle=_DASHED, label="18c")
        elif angle < 180.0:
            axes.plot(data["curve_field"], law, **_LIMIT, linestyle=_DOTTED, label=label)
            label = None
    _log_limits(axes, data, "pumped_entropy_noise")
    return _finish(axes, data, r"$\Delta_P$ ($k_B^2$ per time)")


@in_style
def short_time_noise(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw Var S_P/τ at the paper's τ against H, with 18c, which is meant for long times.

    Parameters
    ----------
    data : xarray.Dataset
        As for `long_time_noise`, with the attribute `short_duration`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _curves(axes, data, "finite_time_noise")
    if "limit_noise" in data:
        law = data["limit_noise"].sel(angle=0)
        axes.plot(data["curve_field"], law, **_LIMIT, linestyle=_DASHED, label="18c")
    _log_limits(axes, data, "finite_time_noise")
    tau = float(data.attrs["short_duration"])
    return _finish(
        axes, data, rf"$\langle\delta S_P^2\rangle/\tau$ at $\tau={tau:g}$ ($k_B^2$ per time)"
    )


@in_style
def uncertainty_against_field(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw Δ_P Σ/(2 Ṡ_P²) against H, with the bound of overdamped systems.

    Parameters
    ----------
    data : xarray.Dataset
        As for `power`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _bound(axes)
    _curves(axes, data, "uncertainty_ratio")
    axes.set_yscale("log")
    axes.set_ylim(1e-7, 1e3)
    return _finish(axes, data, _RATIO)


@in_style
def uncertainty_against_alpha(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw Δ_P Σ/(2 Ṡ_P²) against α at fixed ν for P parallel to H.

    Parameters
    ----------
    data : xarray.Dataset
        `ratio_against_alpha (nu, alpha)`.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    _bound(axes)
    for nu, colour in zip(data["nu"].values, _COLOURS, strict=False):
        ratio = data["ratio_against_alpha"].sel(nu=nu)
        ratio = ratio.where(np.isfinite(ratio) & (ratio > 0.0))
        axes.plot(data["alpha"], ratio, color=COLOURS[colour], label=rf"$\nu={nu:g}$")
    axes.set_yscale("log")
    axes.set_xlim(float(data["alpha"][0]), float(data["alpha"][-1]))
    axes.set_ylim(1e-5, 1e3)
    axes.set_xlabel(r"$\alpha=mP/H$,  $\theta=0$")
    axes.set_ylabel(_RATIO)
    return axes


@in_style
def uncertainty_map(data: xr.Dataset, *, axes: Axes | None = None) -> Axes:
    """Draw Δ_P Σ/(2 Ṡ_P²) over the plane of [II] Fig. 3 as colours, with the line where it is one.

    Parameters
    ----------
    data : xarray.Dataset
        `ratio_map (map_alpha, map_angle)`; attributes moment, temperature and spin_torque.
    axes : matplotlib.axes.Axes, optional
        Where to draw; those of a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.
    """
    axes = axes_or_new(axes)
    from matplotlib.colors import TwoSlopeNorm

    depth = np.log10(np.maximum(data["ratio_map"].values, 1e-30)).T
    norm = TwoSlopeNorm(0.0, -6.0, 3.0)
    picture = axes.pcolormesh(
        data["map_alpha"],
        data["map_angle"],
        np.clip(depth, -6.0, 3.0),
        norm=norm,
        cmap="RdBu_r",
        shading="gouraud",
        rasterized=True,
    )
    axes.contour(data["map_alpha"], data["map_angle"], depth, [0.0], colors="black", linewidths=1.1)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(_locator())
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    reach = float(data.attrs["moment"]) ** 2 / float(data.attrs["temperature"])
    reach *= float(data.attrs["spin_torque"])
    axes.set_xlabel(rf"$\alpha=mP/H$,  $\nu\alpha={reach:.3g}$")
    axes.set_ylabel(r"$\theta$ (degrees)")
    axes.set_yticks(range(0, 181, 45))
    bar = axes.figure.colorbar(picture, ax=axes, ticks=range(-6, 4), pad=0.02)
    bar.set_label(rf"$\log_{{10}}$ of {_RATIO}")
    bar.ax.tick_params(labelsize=7.5)
    return axes


@in_style
def ideal_engine_figure(
    data: xr.Dataset, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw [II] Fig. 4: |Ṡ_P|, Σ, Δ_P and Var S_P/τ against H.

    Parameters
    ----------
    data : xarray.Dataset
        As `experiments` saves it.
    axes : sequence of 4 matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (4,)
        The axes.
    """
    axes = several(axes, 4, lambda: figure(2, 5.6).subplots(2, 2))
    parts = (power, dissipation, long_time_noise, short_time_noise)
    for one, draw, letter in zip(axes, parts, "abcd", strict=True):
        draw(data, axes=one)
        _letter(one, f"({letter})")
        handles, labels = _special(one)
        where: Any = {"loc": "lower right"} if letter == "a" else {"loc": "lower left"}
        if handles:
            one.legend(handles, labels, **where)
    handles, labels = _angles(axes[0])
    axes[0].figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return axes


@in_style
def uncertainty_figure(
    data: xr.Dataset, *, axes: Sequence[Axes] | NDArray[Any] | None = None
) -> NDArray[Any]:
    """Draw where, and by how much, the thermodynamic uncertainty relation is broken.

    Parameters
    ----------
    data : xarray.Dataset
        As `experiments` saves it.
    axes : sequence of 3 matplotlib.axes.Axes, optional
        Where to draw, panel by panel; those of a new figure, two journal columns wide, if not
        given.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape (3,)
        The axes.
    """
    ratios = (1.0, 1.0, 1.15)
    axes = several(axes, 3, lambda: figure(2, 2.9).subplots(1, 3, width_ratios=ratios))
    uncertainty_against_field(data, axes=axes[0])
    uncertainty_against_alpha(data, axes=axes[1])
    uncertainty_map(data, axes=axes[2])
    axes[1].set_ylabel("")
    axes[0].legend(*_angles(axes[0]), loc="lower left", fontsize=7.5)
    axes[1].legend(loc="upper right", fontsize=7.5)
    for one, letter in zip(axes, "abc", strict=True):
        one.set_title(f"({letter})", loc="left", fontsize=10.0)
    return axes


def _curves(axes: Axes, data: xr.Dataset, quantity: str) -> None:
    """Draw the exact curves and the simulated points of all angles, by their size."""
    one = data.sel(quantity=quantity)
    closed = f"closed_{quantity}"
    if closed in data:
        look: dict[str, Any] = {"color": "0.8", "linewidth": 4.0, "zorder": 1.5}
        axes.plot(data["curve_field"], data[closed], **look, label=r"closed form, $\theta=0$")
    for place, angle in enumerate(data["angle"].values):
        colour, marker = COLOURS[_COLOURS[place]], _MARKERS[place]
        curve, points = one["curve"].isel(angle=place), one.isel(angle=place)
        axes.plot(data["curve_field"], abs(curve), color=colour, zorder=2.0)
        axes.errorbar(
            data["field"],
            abs(points["simulated"]),
            points["error"],
            color=colour,
            marker=marker,
            markersize=3.6,
            markerfacecolor="white",
            linestyle="none",
            elinewidth=0.9,
            zorder=3.0,
            label=rf"$\theta={angle:g}°$",
        )


def _limits_at_angles(axes: Axes, data: xr.Dataset) -> Axes:
    """Draw the power of a moment along H at every angle; room for the curves from zero on."""
    limits = abs(data["limit_power_at_angle"].values)
    for place, limit in enumerate(limits):
        label = "limit for strong fields" if place == 0 else None
        axes.axhline(limit, **_LIMIT, linestyle=_DASHED, label=label, zorder=1.0)
    curves = abs(data["curve"].sel(quantity="pumped_entropy_rate"))
    axes.set_ylim(0.0, 1.12 * max(float(limits.max()), float(curves.max())))
    return axes


def _finish(axes: Axes, data: xr.Dataset, label: str) -> Axes:
    axes.set_xscale("log")
    axes.set_xlim(float(data["curve_field"][0]), float(data["curve_field"][-1]))
    axes.set_xlabel("$H$ (energy per moment)")
    axes.set_ylabel(label)
    axes.xaxis.set_major_locator(_locator())
    axes.xaxis.set_major_formatter("{x:g}")
    return axes


def _locator() -> Any:
    from matplotlib.ticker import LogLocator

    return LogLocator(subs=(1.0, 2.0, 5.0))


def _log_limits(axes: Axes, data: xr.Dataset, quantity: str) -> None:
    """Leave room for the curves and not for the limits, which may be far off at weak fields."""
    values = abs(data["curve"].sel(quantity=quantity))
    axes.set_yscale("log")
    axes.set_ylim(0.4 * float(values.min()), 4.0 * float(values.max()))


def _bound(axes: Axes) -> None:
    axes.axhline(1.0, color="black", linewidth=0.8)
    axes.axhspan(1e-12, 1.0, color="#EAF3EA", linewidth=0.0, zorder=0.0)


def _letter(axes: Axes, letter: str) -> None:
    axes.text(0.97, 0.96, letter, transform=axes.transAxes, va="top", ha="right", fontsize=10.0)


def _angles(axes: Axes) -> tuple[list[Any], list[str]]:
    pairs = [pair for pair in zip(*axes.get_legend_handles_labels(), strict=True) if "°" in pair[1]]
    return [handle for handle, _ in pairs], [label for _, label in pairs]


def _special(axes: Axes) -> tuple[list[Any], list[str]]:
    every = zip(*axes.get_legend_handles_labels(), strict=True)
    pairs = [pair for pair in every if "°" not in pair[1]]
    return [handle for handle, _ in pairs], [label for _, label in pairs]
