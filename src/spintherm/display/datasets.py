"""A summary of any dataset of results: every quantity in a line, and the one picture that fits.

Names, units and meanings are those that the variables bear. Quantities of trajectories become a
mean with its standard error, s/√n; what has a partner `..._error` is shown with it; tables become
ranges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.display.card import Row, card, number, text, vector
from spintherm.display.charts import colour_map
from spintherm.display.svg import COMPONENTS, Curve, panels

Floats = NDArray[np.float64]

_DIMENSION = "trajectory"
_LISTED = 6
_LINES = 4
_LONGEST = 2000
_FIRST = ("entropy_production", "work", "heat", "pumped_entropy", "density", "mean_moment")
_BINS = 40
_FEWEST = 3


@dataclass(frozen=True)
class Summary:
    """What is in a dataset, for people: prints as four lines, shows itself as a card in notebooks.

    Attributes
    ----------
    title : str
        What was asked.
    rows : tuple of (name, value, unit)
        The quantities.
    picture : str
        An svg element, empty where no picture fits.
    """

    title: str
    rows: tuple[Row, ...]
    picture: str = ""

    def __repr__(self) -> str:
        lines = [f"{name} = {value} {unit}".rstrip() for name, value, unit in self.rows]
        rest = len(lines) - _LINES
        more = [f"and {rest} more: see .rows"] if rest > 0 else []
        return text(self.title, lines[:_LINES] + more)

    def __str__(self) -> str:
        return text(self.title, [f"{a} = {b} {c}".rstrip() for a, b, c in self.rows])

    def _repr_html_(self) -> str:
        return card(self.title, self.picture, self.rows)


def summary(dataset: Any) -> Summary:
    """Summarise a dataset of results.

    Parameters
    ----------
    dataset : xarray.Dataset
        As any engine returns it.

    Returns
    -------
    Summary
        With a representation for terminals and one for notebooks.

    Raises
    ------
    TypeError
        If it is no dataset.
    """
    for name in ("data_vars", "sizes", "attrs"):
        if not hasattr(dataset, name):
            raise TypeError(f"dataset={dataset!r}: expected an xarray.Dataset")
    names = [str(name) for name in dataset.data_vars]
    order = sorted(names, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
    shown = [name for name in order if not _accompanies(name, names)]
    rows = tuple(row for name in shown for row in _rows(dataset, name))
    return Summary(_title(dataset), rows, _picture(dataset))


def _accompanies(name: str, names: list[str]) -> bool:
    """Whether a variable is the error of another, or a part of a histogram."""
    return (name.endswith("_error") and name[:-6] in names) or name.endswith(("_counts", "_edges"))


def _title(dataset: Any) -> str:
    about = dataset.attrs
    parts = [f"{dataset.sizes[_DIMENSION]:,} trajectories"] if _DIMENSION in dataset.sizes else []
    if not parts and "trajectories" in about:
        parts = [f"{int(about['trajectories']):,} trajectories"]
    parts += [f"{int(about['steps'])} steps"] if "steps" in about else []
    parts += [str(about["scheme"])] if "scheme" in about else []
    parts += [f"seed {about['seed']}"] if "seed" in about else []
    if not parts:
        parts = [f"{size} along {name}" for name, size in list(dataset.sizes.items())[:3]]
    return "Results" + (f": {', '.join(parts)}" if parts else "")


def _rows(dataset: Any, name: str) -> list[Row]:
    variable = dataset[name]
    values = np.asarray(variable.values)
    unit = _unit(variable)
    if values.dtype.kind not in "fiub":
        return [(name, str(values.item()), "")] if values.ndim == 0 else []
    if variable.dims == (_DIMENSION,):
        return [(f"⟨{name}⟩", _mean(values), unit)]
    if variable.dims == (_DIMENSION, "component"):
        return [(f"⟨{name}⟩", vector(values.mean(axis=0).tolist()), unit)]
    if variable.dims == ("component",):
        return [(name, vector(values.tolist()), unit)]
    error = dataset[f"{name}_error"].values if f"{name}_error" in dataset else None
    if error is None or np.shape(error) != values.shape:
        error = np.full(values.shape, np.nan)
    if values.ndim == 0:
        return [(name, _with_error(float(values), float(error)), unit)]
    if values.ndim == 1 and values.size <= _LISTED:
        shown = zip(_labels(variable), values.tolist(), error.tolist(), strict=True)
        return [(f"{name}, {at}", _with_error(one, off), unit) for at, one, off in shown]
    return [(name, _range(values, variable.dims), unit)]


def _labels(variable: Any) -> list[str]:
    """Return what the coordinate calls the values, or their places."""
    dim = variable.dims[0]
    if dim not in variable.coords:
        return [str(place) for place in range(variable.size)]
    given = variable.coords[dim].values.tolist()
    return [number(one) if isinstance(one, float) else str(one) for one in given]


def _mean(values: Floats) -> str:
    if values.size < 2:
        return number(float(values.mean()))
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    return _with_error(float(values.mean()), error)


def _range(values: Floats, dims: tuple[str, ...]) -> str:
    finite = values[np.isfinite(values)]
    over = ", ".join(map(str, dims))
    if finite.size == 0:
        return f"not finite, along {over}"
    return f"{number(float(finite.min()))} … {number(float(finite.max()))} along {over}"


def _with_error(value: float, error: float) -> str:
    """Return a value with two digits of its error, alone if there is none."""
    if not (math.isfinite(error) and error > 0.0 and math.isfinite(value)):
        return number(value)
    digits = 1 - math.floor(math.log10(error))
    if not 0 <= digits <= 9:
        return f"{number(value)} ± {error:.2g}"
    return f"{value:.{digits}f} ± {error:.{digits}f}".replace("-", "−")


def _unit(variable: Any) -> str:
    unit = str(variable.attrs.get("units", ""))
    return "" if unit in ("1", "") or unit.startswith("as the") else unit


def _picture(dataset: Any) -> str:
    for draw in (_history, _histogram, _curve, _map):
        picture = draw(dataset)
        if picture:
            return picture
    return ""


def _history(dataset: Any) -> str:
    """Return the mean moment against time."""
    if "mean_moment" not in dataset or dataset["mean_moment"].dims != ("time", "component"):
        return ""
    t = _thinned(np.asarray(dataset["time"].values, dtype=float))
    moment = _thinned(dataset["mean_moment"].values)
    looks = zip(moment.T, "xyz", COMPONENTS, strict=True)
    curves = [Curve(t, values, label, colour) for values, label, colour in looks]
    return panels([("⟨m⟩", curves)], "time")


def _histogram(dataset: Any) -> str:
    """Return a histogram of trajectories, binned here or before."""
    for name in ("entropy_production", "work", "pumped_entropy", "heat"):
        if name in dataset and dataset[name].dims == (_DIMENSION,):
            counts, edges = np.histogram(dataset[name].values, bins=_BINS)
        elif f"{name}_counts" in dataset:
            counts, edges = (dataset[f"{name}_{part}"].values for part in ("counts", "edges"))
        else:
            continue
        if counts.sum() == 0:
            continue
        used = np.flatnonzero(counts)
        counts = counts[used[0] : used[-1] + 1]
        edges = edges[used[0] : used[-1] + 2]
        density = counts / (counts.sum() * np.diff(edges))
        x, y = np.repeat(edges, 2), np.concatenate([[0.0], np.repeat(density, 2), [0.0]])
        return panels([("density", [Curve(x, y)])], name)
    return ""


def _curve(dataset: Any) -> str:
    """Return the first quantity along a coordinate of numbers."""
    for name in sorted(map(str, dataset.data_vars), key=lambda one: one not in _FIRST):
        variable = dataset[name]
        if variable.ndim != 1 or variable.dtype.kind != "f" or variable.size < _FEWEST:
            continue
        along = _abscissa(variable, variable.dims[0])
        if along is None:
            continue
        dim, x = along[0], _thinned(along[1])
        y = _thinned(variable.values)
        finite = y[np.isfinite(y)]
        if finite.size == 0:
            continue
        log = bool(finite.min() > 0.0 and finite.max() > 1e3 * finite.min() and name != "density")
        return panels([("", [Curve(x, y, name)])], dim, log=log)
    return ""


def _map(dataset: Any) -> str:
    """Return the first quantity over two coordinates of numbers."""
    for name in sorted(map(str, dataset.data_vars), key=lambda one: one not in _FIRST):
        variable = dataset[name]
        if variable.ndim != 2 or variable.dtype.kind != "f" or min(variable.shape) < _FEWEST:
            continue
        rows, columns = (_abscissa(variable, dim) for dim in variable.dims)
        if rows is None or columns is None or not np.isfinite(variable.values).any():
            continue
        labels = rows[0], columns[0]
        return colour_map(rows[1], columns[1], variable.values, labels, name)
    return ""


def _abscissa(variable: Any, dim: Any) -> tuple[str, Floats] | None:
    """Return name and values of the coordinate of numbers along a dimension, None if none is."""
    for name, values in sorted(variable.coords.items(), key=lambda one: one[0] != dim):
        if values.dims == (dim,) and values.dtype.kind in "fi" and len(set(values.values)) > 1:
            return str(name), np.asarray(values.values, dtype=float)
    return None


def _thinned(values: Any) -> Any:
    """Return as many points as a small picture can show."""
    return values[:: max(1, len(values) // _LONGEST + 1)]
