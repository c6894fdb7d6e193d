"""A figure of a result: a curve along one axis, a map over two, a histogram without a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.plot.style import COLOURS, ONE_COLUMN, style
from spintherm.study.summary import columns

if TYPE_CHECKING:
    import xarray
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FAVOURITES = ("mean:entropy_production", "entropy_production_rate", "write_error_rate")
_HISTOGRAM = "entropy_production"


@style()
def result_figure(
    result: xarray.Dataset, dims: tuple[str, ...], variable: str | None = None
) -> Figure:
    """Draw a result.

    Parameters
    ----------
    result : xarray.Dataset
        Of a run.
    dims : tuple of str
        Of the sweep.
    variable : str, optional
        Name as in `summary.columns`; without a sweep that of a histogram.

    Returns
    -------
    matplotlib.figure.Figure
        One journal column wide.

    Raises
    ------
    ValueError
        If there is nothing of this name that could be drawn.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(ONE_COLUMN, 2.7), layout="constrained")
    axes = figure.subplots()
    if not dims:
        _histogram(axes, result, variable or _HISTOGRAM)
        return figure
    known = columns(result, dims)
    name = variable or next((one for one in _FAVOURITES if one in known), next(iter(known), ""))
    if name not in known:
        raise ValueError(f"variable={name!r}: expected one of {', '.join(known)}")
    if len(dims) == 1 and dims[0] != "point":
        _curve(axes, known, name, dims[0])
    elif len(dims) == 2:
        _map(figure, axes, known[name].transpose(dims[1], dims[0]), name)
    else:
        _points(figure, axes, result, known[name], name)
    return figure


def _histogram(axes: Axes, result: xarray.Dataset, name: str) -> None:
    if f"{name}_counts" not in result:
        raise ValueError(f"variable={name!r}: expected the name of a histogram")
    counts, edges = result[f"{name}_counts"].values, result[f"{name}_edges"].values
    density = counts / (float(result["trajectories"]) * np.diff(edges))
    axes.stairs(density, edges, color=COLOURS["blue"])
    axes.set_xlabel(name.replace("_", " "))
    axes.set_ylabel("probability density")


def _curve(axes: Axes, known: dict[str, xarray.DataArray], name: str, dim: str) -> None:
    values = known[name]
    base, colon, label = name.partition(":")
    error = known.get(f"{base}_error{colon}{label}")
    x = values[dim].values if dim in values.coords else np.arange(values.sizes[dim])
    axes.errorbar(
        x,
        values.values,
        None if error is None else error.values,
        color=COLOURS["blue"],
        marker="o",
        markersize=3.0,
    )
    axes.set_xlabel(_label(values, dim))
    axes.set_ylabel(name)


def _map(figure: Figure, axes: Axes, values: xarray.DataArray, name: str) -> None:
    y, x = values.dims
    grid = [values[d].values if d in values.coords else np.arange(values.sizes[d]) for d in (x, y)]
    drawn = axes.pcolormesh(*grid, values.values, shading="nearest", rasterized=True)
    figure.colorbar(drawn, ax=axes, label=name)
    axes.set_xlabel(_label(values, str(x)))
    axes.set_ylabel(_label(values, str(y)))


def _points(
    figure: Figure, axes: Axes, result: xarray.Dataset, values: xarray.DataArray, name: str
) -> None:
    """Draw points of a list or of samples against what labels them."""
    labels = [
        one for one in result.variables.values() if "." in str(one.attrs.get("long_name", ""))
    ]
    flat = [one for one in labels if one.dims == values.dims and one.ndim == 1]
    if len(flat) >= 2:
        drawn = axes.scatter(flat[0], flat[1], c=values.values, s=8.0)
        figure.colorbar(drawn, ax=axes, label=name)
        axes.set_ylabel(str(flat[1].attrs["long_name"]))
        axes.set_xlabel(str(flat[0].attrs["long_name"]))
        return
    x: Any = flat[0] if flat else np.arange(values.size)
    axes.plot(x, values.values.ravel(), "o", color=COLOURS["blue"], markersize=3.0)
    axes.set_xlabel(str(flat[0].attrs["long_name"]) if flat else "point")
    axes.set_ylabel(name)


def _label(values: xarray.DataArray, dim: str) -> str:
    if dim not in values.coords:
        return dim
    attributes = values[dim].attrs
    unit = attributes.get("units")
    words = str(attributes.get("long_name", dim))
    return f"{words} ({unit})" if unit else words
