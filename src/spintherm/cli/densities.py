"""`spintherm steady`, `phase-diagram`, `distribution`: exact answers of the density engine."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.cli.failure import Failed, UsageError, usage

if TYPE_CHECKING:
    import xarray as xr

    from spintherm.cli.configuration import Configuration
    from spintherm.fokker_planck import SteadyState
    from spintherm.fokker_planck.diagram import Boundary
    from spintherm.fokker_planck.plane import Axis

Vector = tuple[float, float, float]

_STEADY = {
    "phase": "phase",
    "mean_moment": "mean moment ⟨m⟩",
    "pumped_entropy_rate": "pumped entropy rate Ṡ_P",
    "bath_entropy_rate": "bath entropy rate Ṡ_B",
    "entropy_production_rate": "entropy production rate Σ",
    "work_rate": "work rate ⟨dW⟩/dt",
    "heat_rate": "heat rate ⟨dQ⟩/dt",
    "pumped_entropy_noise": "noise of the pumped entropy Δ_P",
    "work_noise": "noise of the work",
    "heat_noise": "noise of the heat",
    "entropy_production_noise": "noise of the entropy production",
    "work_pumped_entropy_covariance": "covariance of work and pumped entropy",
    "uncertainty_ratio": "uncertainty ratio Δ_P Σ/(2 Ṡ_P²)",
    "coefficient_of_performance": "coefficient of performance",
    "relaxation_rates": "slowest relaxation rates",
    "precession_frequencies": "their frequencies",
    "l_max": "largest degree of the harmonics",
    "m_max": "largest order of the harmonics",
    "tail": "relative tail beyond them",
}
_MODES = 4


def steady(
    parameters: dict[str, float],
    field: Vector,
    spin_torque: Vector,
    *,
    figure: Path | None,
    as_json: bool,
) -> int:
    """Print the steady state as a table or as JSON, and draw it if asked to."""
    from spintherm.fokker_planck import steady_state
    from spintherm.magnet import Magnet

    check_file("figure", figure)
    with usage(), resolved():
        state = steady_state(Magnet.from_dict(parameters), field, spin_torque)
        values = steady_values(state)
    if figure is not None:
        from spintherm.plot.sphere import steady_figure

        save_figure(steady_figure(state), figure)
    if as_json:
        print(json.dumps(values, indent=1, allow_nan=False))
    else:
        print_table({_STEADY[name]: _text(value) for name, value in values.items()})
    return 0


def steady_values(state: SteadyState) -> dict[str, Any]:
    """Return all quantities of a steady state as plain numbers, lists and strings.

    Parameters
    ----------
    state : SteadyState

    Returns
    -------
    dict
        What is infinite or undefined is None. Modes of relaxation are sorted by their rates;
        a pair of complex conjugate ones counts twice.
    """
    from spintherm.engine import figures_of_merit

    modes = np.asarray(state.spectrum(_MODES))
    rows = {
        "coefficient_of_performance": figures_of_merit(state).coefficient_of_performance,
        "work_pumped_entropy_covariance": state.covariance[0, 2],
        "relaxation_rates": -np.real(modes),
        "precession_frequencies": np.abs(np.imag(modes)),
    }
    return {name: _plain(rows.get(name, getattr(state, name, None))) for name in _STEADY}


def phase_diagram(
    given: dict[str, float | None],
    axes: tuple[tuple[str, float, float, bool], tuple[str, float, float, bool]],
    points: int,
    workers: int | None,
    *,
    out: Path | None,
    as_json: bool,
) -> int:
    """Print phases and boundaries as a table or as JSON, and draw them if asked to.

    Parameters
    ----------
    given : dict
        Parameters by name, None where they are not given; the angle in degrees.
    axes : tuple of two tuples
        Of x and y: name, low, high (angles in degrees), and whether spaced by equal ratios.
    points : int
        Along each axis.
    workers : int or None
        Number of processes.
    out : Path or None
        Name for figure and data.
    as_json : bool
        Print JSON.

    Returns
    -------
    int
        Exit code.
    """
    from spintherm.fokker_planck.diagram import phase_diagram as compute
    from spintherm.fokker_planck.plane import CONSTANTS
    from spintherm.magnet import Magnet

    check_file("out", out)
    with usage(), resolved():
        x, y = (_axis(*axis, points) for axis in axes)
        known = {name: value for name, value in given.items() if value is not None}
        for name in (x.name, y.name):
            if name in known:
                raise UsageError(f"{_flag(name)}: expected on an axis or given, not both")
        at = known | {x.name: x.low, y.name: y.low}
        for name in CONSTANTS:
            if name not in at:
                raise UsageError(f"{_flag(name)}: expected, for it is on no axis")
        diagram = compute(
            Magnet.from_dict({name: at[name] for name in CONSTANTS}),
            x,
            y,
            field=known.get("field"),
            spin_torque=known.get("spin_torque"),
            alpha=known.get("alpha"),
            angle=math.radians(known["angle"]) if "angle" in known else None,
            workers=workers,
        )
    if out is not None:
        from spintherm.plot.phase_diagram import phase_diagram_figure

        save_figure(phase_diagram_figure(diagram), out)
        save_data(diagram, out)
    values = diagram_values(diagram)
    if as_json:
        print(json.dumps(values, indent=1, allow_nan=False))
    else:
        _print_diagram(values)
    return 0


def diagram_values(diagram: xr.Dataset) -> dict[str, Any]:
    """Return axes, the part of the grid in each phase, and the boundaries, as plain numbers."""
    from spintherm.fokker_planck.diagram import boundaries_of

    names = [str(diagram.attrs[k]) for k in "xy"]
    phases, counts = np.unique(diagram["phase"].values, return_counts=True)
    parts = counts / diagram["phase"].size
    return {
        **{k: _axis_values(diagram, name) for k, name in zip("xy", names, strict=True)},
        "phases": {str(p): float(part) for p, part in zip(phases, parts, strict=True)},
        "boundaries": [_boundary_values(one, names) for one in boundaries_of(diagram)],
    }


def distribution(path: Path, of: str, *, out: Path | None, as_json: bool) -> int:
    """Print the exact densities of the forward and the backward process, and draw them.

    Parameters
    ----------
    path : Path
        The TOML file.
    of : str
        Which functional.
    out : Path or None
        Name for figure and data.
    as_json : bool
        Print JSON.

    Returns
    -------
    int
        Exit code.
    """
    from spintherm.cli.configuration import read
    from spintherm.fokker_planck import distribution as densities_of

    check_file("out", out)
    process = read(path)
    back, theorem = process.protocol.reversed(), None
    with usage(), resolved():
        if of == "entropy_production":
            forward, theorem = _with_theorem(process)
        else:
            forward = densities_of(process.magnet, process.protocol, of=of)
        both = {"forward": forward, "backward": densities_of(process.magnet, back, of=of)}
    if out is not None:
        from spintherm.plot.distribution import distribution_figure

        save_figure(distribution_figure(both, of), out)
        for name, one in both.items():
            save_data(one, out.with_name(f"{out.stem}-{name}"))
    values = {name: density_values(one, of) for name, one in both.items()}
    if as_json:
        found = {"of": of, "fluctuation_theorem_deviation": theorem, **values}
        print(json.dumps(found, indent=1, allow_nan=False))
    else:
        _print_densities(of, values, theorem)
    return 0


def density_values(one: xr.Dataset, of: str) -> dict[str, Any]:
    """Return points, density, its error, and what follows from them, as plain numbers."""
    x, p = one[of].values, one["density"].values
    total = float(np.trapezoid(p, x))
    average = float(np.trapezoid(x * p, x)) / total
    spread = math.sqrt(max(float(np.trapezoid((x - average) ** 2 * p, x)) / total, 0.0))
    found = {"total": total, "mean": average, "standard_deviation": spread}
    return {
        **{name: _plain(value) for name, value in found.items()},
        "points": _plain(x),
        "density": _plain(p),
        "error": _plain(one["error"].values),
    }


def _with_theorem(process: Configuration) -> tuple[xr.Dataset, float]:
    """Return the density of the entropy production and the largest deviation from [I] 4.19."""
    from spintherm.fokker_planck import detailed_symmetry

    sides = detailed_symmetry(process.magnet, process.protocol)
    names = {"forward": "density", "forward_error": "error"}
    return sides[list(names)].rename(names), float(sides.attrs["largest_deviation"])


@contextmanager
def resolved() -> Iterator[None]:
    """Turn what cannot be resolved into a failure that says so."""
    from spintherm.fokker_planck import ResolutionError

    try:
        yield
    except ResolutionError as error:
        raise Failed(str(error)) from error


def check_file(name: str, path: Path | None) -> None:
    """Refuse the name of a file that cannot be written, before anything is computed."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise UsageError(f"{name}={path}: expected a file in a folder that exists")


def save_figure(drawn: Any, path: Path) -> None:
    """Write the figure of axes as PNG, PDF and SVG."""
    from spintherm.plot import saved

    _write(path, lambda: saved(drawn, path))


def save_data(data: xr.Dataset, path: Path) -> None:
    """Write a dataset as netCDF."""
    target = path.with_suffix(".nc")
    _write(target, lambda: data.to_netcdf(target, engine="h5netcdf"))


def print_table(rows: dict[str, str]) -> None:
    """Print names and values in two columns."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows.items():
        table.add_row(name, value)
    Console(highlight=False, markup=False).print(table)


def _write(path: Path, task: Callable[[], object]) -> None:
    try:
        task()
    except OSError as error:
        raise Failed(f"{path}: cannot be written ({error})") from error


def _axis(name: str, low: float, high: float, log: bool, points: int) -> Axis:
    from spintherm.fokker_planck.plane import Axis

    word = name.replace("-", "_")
    if word == "angle":
        low, high = math.radians(low), math.radians(high)
    return Axis(word, low, high, points, "log" if log else "linear")


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _axis_values(diagram: xr.Dataset, name: str) -> dict[str, Any]:
    values = _degrees(name, diagram[name].values)
    units = "degrees" if name == "angle" else str(diagram[name].attrs["units"])
    ends = {"low": float(values[0]), "high": float(values[-1])}
    return {"name": name, "units": units, **ends, "points": len(values)}


def _boundary_values(one: Boundary, names: list[str]) -> dict[str, Any]:
    x, y = (_degrees(n, v) for n, v in zip(names, (one.x, one.y), strict=True))
    about = {"rate": one.rate, "closed": one.closed, "complete": one.complete}
    return {**about, "x": x.tolist(), "y": y.tolist()}


def _degrees(name: str, values: Any) -> Any:
    return np.degrees(values) if name == "angle" else np.asarray(values)


def _print_diagram(values: dict[str, Any]) -> None:
    size = f"{values['x']['points']} × {values['y']['points']} points"
    rows = {f"{name}, part of {size}": f"{part:.2%}" for name, part in values["phases"].items()}
    symbols = {"pumped_entropy_rate": "Ṡ_P = 0", "bath_entropy_rate": "Ṡ_B = 0"}
    for place, one in enumerate(values["boundaries"], 1):
        x, y = one["x"], one["y"]
        path = f"({x[0]:.9g}, {y[0]:.9g})"
        path += " and around" if one["closed"] else f" to ({x[-1]:.9g}, {y[-1]:.9g})"
        rows[f"boundary {place}, {symbols[one['rate']]}, from"] = path
    axes = (f"{values[k]['name']} ({values[k]['units']})" for k in "xy")
    rows["coordinates"] = ", ".join(axes)
    print_table(rows)


def _print_densities(of: str, values: dict[str, Any], theorem: float | None) -> None:
    rows = {}
    for name, one in values.items():
        for key in ("mean", "standard_deviation", "total"):
            rows[f"{of}, {name}: {key.replace('_', ' ')}"] = _text(one[key])
    if theorem is not None:
        rows["largest relative deviation from p_F(Σ) exp(-Σ) = p_B(-Σ)"] = f"{theorem:.1e}"
    print_table(rows)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, np.ndarray) and value.ndim:
        return [_plain(one) for one in value.tolist()]
    number = float(value) + 0.0
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, list):
        return "(" + ", ".join(map(_text, value)) + ")"
    return "infinite or undefined" if value is None else f"{value:.10g}"
