"""`material`, `write-error`, `state-diagram`, `dwell-times`: from SI flags to SI answers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.cli.densities import check_file, print_table, resolved, save_figure
from spintherm.cli.failure import UsageError, usage

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes

    from spintherm.cli.switching import Material, Spins
    from spintherm.materials import Nanomagnet, SpinTorque

Vector = tuple[float, float, float]

_MEGA_PER_CM2 = 1e10
_LARGEST_TABLE = 60
_SCALES = ("energy", "moment", "time", "field", "induction", "power", "spin_torque")
_DESCRIPTION = (
    "saturation_magnetisation",
    "gilbert_damping",
    "temperature",
    "volume",
    "moment",
    "thermal_stability",
    "energy_barrier",
    "stiffness_fields",
    "resonance_frequency",
    "well_precession_time",
    "well_damping_time",
)


@dataclass(frozen=True)
class Output:
    """Where results go."""

    figure: Path | None
    as_json: bool
    as_csv: bool

    def check(self) -> None:
        """Refuse what cannot be, before anything is computed."""
        if self.as_json and self.as_csv:
            raise UsageError("--json, --csv: expected one of them")
        check_file("figure", self.figure)

    def give(
        self, data: xr.Dataset, title: dict[str, str], draw: Callable[[xr.Dataset], Axes]
    ) -> int:
        """Print a dataset in SI, and draw it if asked to."""
        if self.figure is not None:
            save_figure(draw(_for_eyes(data)), self.figure)
        rows = _rows(data)
        if self.as_json:
            print(json.dumps({name: _plain(column) for name, column in rows.items()}, indent=1))
        elif self.as_csv:
            print(",".join(rows))
            for row in zip(*rows.values(), strict=True):
                print(",".join(f"{value:.12g}" for value in row))
        else:
            print_table(title)
            _print_columns(data, rows)
        return 0


def material(
    of: Material,
    spins: Spins,
    field: str | None,
    current_density: str | None,
    *,
    as_json: bool,
) -> int:
    """Print what a nanomagnet is."""
    with usage():
        body = _body(of)
        torque = None
        if current_density is not None:
            torque = _torque(body, spins, current_density)
        elif spins.polarisation is not None:
            raise UsageError("--current-density: expected with --polarisation")
        text = body.describe(field, torque)
        values = _described(body, field, torque) if as_json else {}
    print(json.dumps(values, indent=1, allow_nan=False) if as_json else text)
    return 0


def write_error(
    magnet: tuple[Material, Spins],
    current_density: list[str],
    pulse_length: tuple[str, str],
    points: int,
    *,
    field: str,
    axis: Vector | None,
    initial: str,
    output: Output,
) -> int:
    """Print write-error rates."""
    from spintherm.plot.switching import write_errors
    from spintherm.switching import write_error_rate

    output.check()
    with usage(), resolved():
        body = _body(magnet[0])
        torques = [_torque(body, magnet[1], one) for one in current_density]
        scales = body.scales
        low, high = (scales.reduced_time(one) for one in pulse_length)
        lengths = _spaced("points", low, high, points)
        data = write_error_rate(
            body.magnet_with(torques[0]),
            lengths,
            spin_torque=np.array([torque.reduced(scales) for torque in torques]),
            field=_field_along(body, field, axis),
            axis=axis,
            initial=initial,
        )
    densities = np.array([torque.current_density for torque in torques])
    data = _with_currents(data, densities).assign_coords(
        pulse_length=(
            "pulse_length",
            lengths * scales.time,
            {"units": "s", "long_name": "length of the pulse"},
        )
    )
    return output.give(data, _title(body, torques[0]), write_errors)


def state_diagram(
    magnet: tuple[Material, Spins],
    current_density: tuple[str, str],
    field: tuple[str, str],
    axis: Vector,
    points: int,
    times_of_damping: float,
    *,
    output: Output,
) -> int:
    """Print which states are stable."""
    from spintherm.plot.switching import states
    from spintherm.switching import state_diagram as diagram

    output.check()
    with usage():
        body = _body(magnet[0])
        ends = [_torque(body, magnet[1], one) for one in current_density]
        J = _spaced("points", ends[0].current_density, ends[1].current_density, points)
        low, high = (float(body.scales.reduced_field(one)) for one in field)
        H = _spaced("points", low, high, points)
        per_current = float(ends[0].at(1.0).reduced(body.scales) @ ends[0].polariser.vector)
        data = diagram(
            body.magnet_with(ends[0]),
            H,
            J * per_current,
            axis=axis,
            times_of_damping=times_of_damping,
        )
    about = {"units": "A/m", "long_name": "field"}
    data = _with_currents(data, J).assign_coords(field=("field", H * body.scales.field, about))
    return output.give(data, _title(body, ends[0]) | _shares(data), states)


def dwell_times(
    magnet: tuple[Material, Spins],
    current_density: tuple[str, str],
    points: int,
    *,
    field: str,
    axis: Vector | None,
    output: Output,
) -> int:
    """Print the mean times in both wells."""
    from spintherm.plot.switching import dwell_times as draw
    from spintherm.switching import dwell_times as times_of

    output.check()
    with usage(), resolved():
        body = _body(magnet[0])
        H = _field_along(body, field, axis)
        ends = [_torque(body, magnet[1], one) for one in current_density]
        J = _spaced("points", ends[0].current_density, ends[1].current_density, points)
        P = np.array([ends[0].at(one).reduced(body.scales) for one in J.tolist()])
        data = times_of(body.magnet_with(ends[0]), spin_torque=P, field=H, axis=axis)
    for name in ("dwell_time_parallel", "dwell_time_antiparallel"):
        about = {**data[name].attrs, "units": "s"}
        data[name] = (data[name] * body.scales.time).assign_attrs(about)
    about = {**data["relaxation_rate"].attrs, "units": "1/s"}
    data["relaxation_rate"] = (data["relaxation_rate"] / body.scales.time).assign_attrs(about)
    return output.give(_with_currents(data, J), _title(body, ends[0]), draw)


def _body(of: Material) -> Nanomagnet:
    from spintherm.demagnetisation import Cylinder, Ellipsoid, Prism
    from spintherm.materials import Nanomagnet

    shapes: dict[str, Any] = {
        "cylinder": None if of.cylinder is None else Cylinder(*of.cylinder),
        "ellipsoid": None if of.ellipsoid is None else Ellipsoid(of.ellipsoid),
        "prism": None if of.prism is None else Prism(of.prism),
    }
    given = [name for name, shape in shapes.items() if shape is not None]
    if len(given) + (of.volume is not None) != 1:
        raise UsageError("--volume, --cylinder, --ellipsoid, --prism: expected one of them")
    more = {} if of.gyromagnetic_ratio is None else {"gyromagnetic_ratio": of.gyromagnetic_ratio}
    return Nanomagnet(
        saturation_magnetisation=of.saturation_magnetisation,
        gilbert_damping=of.gilbert_damping,
        temperature=of.temperature,
        volume=of.volume,
        shape=shapes[given[0]] if given else None,
        anisotropy=of.anisotropy,
        **more,
    )


def _torque(body: Nanomagnet, spins: Spins, current_density: str) -> SpinTorque:
    if spins.polarisation is None:
        raise UsageError("--polarisation: expected, for there is a current")
    return body.spin_torque(
        current_density=current_density,
        polarisation=spins.polarisation,
        thickness=spins.thickness,
        asymmetry=spins.asymmetry,
        polariser=spins.polariser,
        field_like=spins.field_like,
    )


def _field_along(body: Nanomagnet, field: str, axis: Vector | None) -> Any:
    """Reduced field along an axis, or along z, shape (3,)."""
    from spintherm.validation import unit_direction

    strength = float(body.scales.reduced_field(field))
    return strength * unit_direction("axis", (0.0, 0.0, 1.0) if axis is None else axis)


def _spaced(name: str, low: float, high: float, points: int) -> Any:
    if points < 2:
        raise UsageError(f"{name}={points}: expected a whole number from 2 on")
    if not low < high:
        raise UsageError(f"{low:g}, {high:g}: expected the lower end of a range first")
    return np.linspace(low, high, points)


def _with_currents(data: xr.Dataset, densities: Any) -> xr.Dataset:
    about = {"units": "A/m^2", "long_name": "current density"}
    return data.assign_coords(current=("current", densities, about))


def _described(body: Nanomagnet, field: str | None, torque: SpinTorque | None) -> dict[str, Any]:
    values = {name: _plain(getattr(body, name)) for name in _DESCRIPTION}
    values["reduced_unit"] = {name: float(getattr(body.scales, name)) for name in _SCALES}
    if field is not None:
        values["reduced_field"] = body.reduced_field_strength(field)
    if torque is not None:
        values["current_density"] = torque.current_density
        values["reduced_spin_torque"] = _plain(torque.reduced(body.scales))
        for parallel, name in ((True, "parallel"), (False, "antiparallel")):
            critical = body.critical_current_density(torque, parallel=parallel)
            values[f"critical_current_density_{name}"] = _plain(critical)
    return values


def _title(body: Nanomagnet, torque: SpinTorque) -> dict[str, str]:
    rows = {"thermal stability": f"{body.thermal_stability:.5g}"}
    for parallel, name in ((True, "parallel"), (False, "antiparallel")):
        critical = body.critical_current_density(torque, parallel=parallel) / _MEGA_PER_CM2
        if math.isfinite(critical):
            rows[f"critical current density, {name} state"] = f"{critical:.5g} MA/cm²"
    return rows


def _shares(data: xr.Dataset) -> dict[str, str]:
    from spintherm.switching.states import STATE_NAMES

    codes, counts = np.unique(data["states"].values, return_counts=True)
    total = data["states"].size
    return {
        f"{STATE_NAMES[int(code)]}, part of {total} points": f"{count / total:.2%}"
        for code, count in zip(codes, counts, strict=True)
    }


def _rows(data: xr.Dataset) -> dict[str, Any]:
    """Columns of a table: coordinates, then variables, one row for each point of the grid."""
    dims = [str(dim) for dim in next(iter(data.data_vars.values())).dims]
    shape = [data.sizes[dim] for dim in dims]
    grid = np.meshgrid(*(data[dim].values for dim in dims), indexing="ij")
    columns = {dim: values.ravel() for dim, values in zip(dims, grid, strict=True)}
    for name, variable in data.data_vars.items():
        columns[str(name)] = np.broadcast_to(variable.transpose(*dims).values, shape).ravel()
    return columns


def _print_columns(data: xr.Dataset, rows: dict[str, Any]) -> None:
    if len(next(iter(rows.values()))) > _LARGEST_TABLE:
        print("(values: --csv, --json or --figure)")
        return
    heads = []
    for name in rows:
        unit = str(data[name].attrs.get("units", "1"))
        heads.append(name if unit == "1" else f"{name} ({unit})")
    print("  ".join(f"{head:>14}" for head in heads))
    for row in zip(*rows.values(), strict=True):
        line = zip(row, heads, strict=True)
        print("  ".join(f"{value:>{max(14, len(head))}.6g}" for value, head in line))


def _for_eyes(data: xr.Dataset) -> xr.Dataset:
    """Axes in the units that are read most easily."""
    scales = {
        "current": (1.0 / _MEGA_PER_CM2, "MA/cm$^2$"),
        "pulse_length": (1e9, "ns"),
        "field": (1e-3, "kA/m"),
    }
    for name, (factor, unit) in scales.items():
        if name in data.coords:
            about = {**data[name].attrs, "units": unit}
            data = data.assign_coords({name: (name, data[name].values * factor, about)})
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list | np.ndarray):
        return [_plain(one) for one in value]
    number = float(value)
    return number if math.isfinite(number) else None
