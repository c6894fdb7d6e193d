"""What a task computes for each quantity of a study, and how the tasks of a point become a result.

A task is a pure function of (study of one point, seed, chunk). Where a quantity is an average over
trajectories, a chunk is a part of the ensemble; where it is exact, there is one for each point.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from spintherm.schema import VARIABLES
from spintherm.study import packing
from spintherm.study.arrays import Array, Record, Values, Values_of, read_texts, texts
from spintherm.tabulate import tabulate
from spintherm.trajectories import bias as step_bias
from spintherm.trajectories.engine import chunks as engine_chunks
from spintherm.trajectories.run import (
    Run,
    Wanted,
    default_steps,
    measured_bias,
    plan,
    simulated,
)
from spintherm.trajectories.streaming import (
    BINNED,
    Reduction,
    Tree,
    coordinates,
    histogram_edges,
    variables,
)
from spintherm.trajectories.thermodynamics import free_energy_change

if TYPE_CHECKING:
    from spintherm.configuration import Study

_CHUNK = 65_536
_BINS = 128
_REMEMBERED = 16

Piece = tuple[int, Record]
"""Where along `trajectory` it begins, and arrays."""


class Quantity(Protocol):
    """How a quantity is computed in tasks."""

    def tasks(self, study: Study) -> int:
        """Return the number of tasks of a study of one point."""

    def compute(self, text: str, seed: int, chunk: int) -> Record:
        """Return what one task gives: the same names and shapes for every chunk."""

    def merged(self, chunks: Iterator[Values_of], attributes: Mapping[str, Any]) -> Iterator[Piece]:
        """Return the result of a point from what its tasks gave, in the order of the chunks."""


@lru_cache(maxsize=_REMEMBERED)
def study_of(text: str) -> Study:
    """Return the study of a text; the last few are remembered, for the tasks of a point."""
    from spintherm.configuration import loads

    return loads(text)


# --- trajectories ---------------------------------------------------------------------------------


@lru_cache(maxsize=_REMEMBERED)
def _planned(text: str, seed: int) -> Run:
    study = study_of(text)
    options = study.options()
    wanted = Wanted(options.get("steps"), options.get("tolerance"), 1)
    return plan(
        study.magnet(),
        study.protocol(),
        options["trajectories"],
        seed,
        wanted,
        options.get("scheme", "splitting"),
        options.get("initial", "equilibrium"),
        _saved(study, options),
        options.get("fast", False),
    )


def _saved(study: Study, options: Mapping[str, Any]) -> Any:
    times = options.get("save_at")
    return None if times is None else times[:: study.output.time_stride]


def _steps_known(study: Study) -> int:
    """Return the number of steps of a study whose steps follow from the problem alone."""
    options, protocol = study.options(), study.protocol()
    asked = options.get("steps")
    if asked is None:
        asked = default_steps(study.magnet(), protocol, options.get("scheme", "splitting"))
    return tabulate(protocol, int(asked)).steps  # which is more where there are many jumps


def _about(run: Run, chunk: int) -> dict[str, Array]:
    """Return what holds for the whole point: measured by its first task, not a number in others."""
    size = len(step_bias.ESTIMATES)
    nothing = np.full(size, np.nan)
    bias = measured_bias(run) if chunk == 0 else step_bias.Bias(nothing, nothing)
    values = [float(run.table.steps), float(free_energy_change(run.magnet, run.protocol))]
    held = np.concatenate((values, bias.value, bias.error))
    names = ["steps", "free_energy_change", *("step_bias " + n for n in step_bias.ESTIMATES)]
    names += ["step_bias_error " + n for n in step_bias.ESTIMATES]
    return {"about": Array(("property",), held, {"names": names})}


def _of_point(about: Values) -> dict[str, Array]:
    size = len(step_bias.ESTIMATES)
    named = packing.record_of(
        {
            "free_energy_change": about[1],
            "step_bias": about[2 : 2 + size],
            "step_bias_error": about[2 + size : 2 + 2 * size],
        }
    )
    steps = Array((), np.asarray(int(about[0])), {"long_name": "time steps", "units": "1"})
    return {**named, "steps": steps}


@dataclass(frozen=True)
class Statistics:
    """Statistics of an ensemble, merged along the tree of `simulate_statistics`: the same bits.

    A task takes 2^k of the engine's chunks, so that its tree is a branch of the whole one.
    """

    def tasks(self, study: Study) -> int:
        """Return the number of tasks."""
        parts = _engine_parts(int(study.options()["trajectories"]), _steps_known(study))
        return -(-len(parts) // _group(parts, _chunk_of(study)))

    def compute(self, text: str, seed: int, chunk: int) -> Record:
        """Simulate 2^k chunks and merge their statistics."""
        study = study_of(text)
        run = _planned(text, seed)
        edges, bins = _edges(text, seed) if study.output.histograms else ({}, {})
        parts = _engine_parts(run.trajectories, run.table.steps)
        group = _group(parts, _chunk_of(study))
        reduction, tree = Reduction(run, dict(edges)), Tree()
        for index, part in enumerate(parts[chunk * group : (chunk + 1) * group]):
            tree.add(index, reduction(part))
        packed = packing.pack(tree.total(), bins)
        return {**packed, **_about(run, chunk)}

    def merged(self, chunks: Iterator[Values_of], attributes: Mapping[str, Any]) -> Iterator[Piece]:
        """Merge the tasks of a point."""
        bins = attributes["edges"]["bins"] if "edges" in attributes else {}
        tree, about = Tree(), None
        for index, arrays in enumerate(chunks):
            tree.add(index, packing.unpack(arrays, bins))
            about = arrays["about"] if about is None else about
        assert about is not None
        found = tree.total()
        values = _complete(variables(found), bins)
        count = Array((), np.asarray(found.moments.count), {"long_name": "number of trajectories"})
        yield 0, {**packing.record_of(values), **_of_point(about), "trajectories": count}


@lru_cache(maxsize=_REMEMBERED)
def _edges(text: str, seed: int) -> tuple[Mapping[str, Values], Mapping[str, int]]:
    bins = study_of(text).options().get("bins", _BINS)
    edges = histogram_edges(_planned(text, seed), bins)
    return edges, {name: _number(bins, name) for name in BINNED}


def _number(bins: Any, name: str) -> int:
    wanted = bins.get(name, _BINS) if isinstance(bins, Mapping) else bins
    return len(wanted) - 1 if np.ndim(wanted) > 0 else int(wanted)


def _complete(values: dict[str, Any], bins: Mapping[str, int]) -> dict[str, Any]:
    """Give histograms that do not exist (at temperature zero) edges that are not a number."""
    if not bins:
        return values
    for name in BINNED:
        if f"{name}_edges" not in values:
            values[f"{name}_edges"] = np.full(bins[name] + 1, np.nan)
            values[f"{name}_counts"] = np.zeros(bins[name], np.int64)
            values[f"{name}_outside"] = np.zeros(2, np.int64)
    if "joint_counts" not in values:
        values["joint_counts"] = np.zeros((bins["work"], bins["pumped_entropy"]), np.int64)
        values["joint_outside"] = np.asarray(0)
    return values


@lru_cache(maxsize=_REMEMBERED)
def _engine_parts(trajectories: int, steps: int) -> list[slice]:
    return list(engine_chunks(trajectories, steps))


def _group(parts: list[slice], wanted: int) -> int:
    """Return the largest power of two whose chunks have no more trajectories than wanted."""
    size: int = parts[0].stop
    return 1 << max((wanted // size).bit_length() - 1, 0)


def _chunk_of(study: Study) -> int:
    return int(getattr(study.compute, "chunk", None) or _CHUNK)


class Trajectories:
    """Every trajectory of an ensemble; the last chunk is filled up with what is not a number."""

    def tasks(self, study: Study) -> int:
        """Return the number of tasks."""
        return -(-int(study.options()["trajectories"]) // _chunk_of(study))

    def compute(self, text: str, seed: int, chunk: int) -> Record:
        """Simulate some trajectories of an ensemble."""
        run, study = _planned(text, seed), study_of(text)
        size = min(_chunk_of(study), run.trajectories)
        part = slice(chunk * size, min((chunk + 1) * size, run.trajectories))
        stride = study.output.trajectory_stride
        kept = np.arange(-part.start % stride, part.stop - part.start, stride)
        room = -(-size // stride)
        found = {}
        for name, values in simulated(run, part).items():
            variable = VARIABLES[name]
            found[name] = Array(variable.dims, _filled(values[kept], room), variable.attributes)
        times = run.tabulation.times[run.stops]
        if times.size:
            found["time"] = Array(("time",), times, {"long_name": "time"})
        return {**found, **_about(run, chunk), "kept": Array((), np.asarray(kept.size), {})}

    def merged(self, chunks: Iterator[Values_of], attributes: Mapping[str, Any]) -> Iterator[Piece]:
        """Return the trajectories, chunk by chunk."""
        first = 0
        for index, arrays in enumerate(chunks):
            count = int(arrays["kept"])
            record = {
                name: Array(VARIABLES[name].dims, values[:count], VARIABLES[name].attributes)
                for name, values in arrays.items()
                if name in VARIABLES
            }
            if index == 0:
                record |= _of_point(arrays["about"])
                if "time" in arrays:
                    record["time"] = Array(("time",), arrays["time"], {"long_name": "time"})
            yield first, record
            first += count


def _filled(values: Values, rows: int) -> Values:
    missing = np.full((rows - len(values), *values.shape[1:]), np.nan)
    return np.concatenate((values, missing)) if len(missing) else values


# --- exact quantities -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Exact:
    """What one call of a solver gives: one task for each point.

    Attributes
    ----------
    name : str
        Of the quantity.
    """

    name: str

    def tasks(self, study: Study) -> int:
        """Return 1."""
        del study
        return 1

    def compute(self, text: str, seed: int, chunk: int) -> Record:
        """Solve; seed and chunk say nothing."""
        del seed, chunk
        return _arrays_of(_SOLVERS[self.name](study_of(text)))

    def merged(self, chunks: Iterator[Values_of], attributes: Mapping[str, Any]) -> Iterator[Piece]:
        """Return what the only task gave."""
        (arrays,) = chunks
        record = {}
        for name, values in arrays.items():
            said = dict(attributes[name])
            dims = tuple(said.pop("dims"))
            is_text = said.get("encoding") == "utf-8"
            record[name] = Array(dims, read_texts(values) if is_text else values, said)
        yield 0, record


def _arrays_of(dataset: Any) -> Record:
    """Return the numbers and texts of a dataset; coordinates of dimensions are variables too."""
    record: dict[str, Array] = {}
    for name, variable in dataset.variables.items():
        dims = tuple(str(dim) for dim in variable.dims)
        plain = {k: v for k, v in variable.attrs.items() if isinstance(v, str | int | float)}
        attributes = {**plain, "dims": list(dims), "role": _role(dataset, str(name))}
        values = np.asarray(variable.values)
        if values.dtype.kind in "fiu":
            record[str(name)] = Array(dims, values, attributes)
        elif values.dtype.kind in "UO":
            record[str(name)] = texts(dims, values, attributes)
        elif values.dtype.kind == "b":
            record[str(name)] = Array(dims, values.astype(np.int8), attributes)
    return record


def _role(dataset: Any, name: str) -> str:
    return "coordinate" if name in dataset.dims else "variable"


def _without_none(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _evolution(study: Study) -> Any:
    from spintherm.fokker_planck import evolve

    options = _without_none(study.options())
    found = evolve(study.magnet(), study.protocol(), progress=False, **options)
    shapeless = [name for name, one in found.variables.items() if "harmonic" in one.dims]
    return found.drop_vars(shapeless)


def _moments(study: Study) -> Any:
    from spintherm.fokker_planck import moments

    return moments(study.magnet(), study.protocol(), **_without_none(study.options()))


def _distribution(study: Study) -> Any:
    from spintherm.fokker_planck import distribution

    options = _without_none(study.options())
    of = options.get("of", "entropy_production")
    found = distribution(study.magnet(), study.protocol(), progress=False, **options)
    return found.reset_index(of).reset_coords(of).rename_dims({of: "sample"})


def _steady(study: Study) -> Any:
    from spintherm.fokker_planck import steady_state

    field, torque = study.fields()
    options = _without_none(study.options())
    return steady_state(study.magnet(), field, torque, **options).to_dataset()


def _dwell(study: Study) -> Any:
    from spintherm.switching import dwell_times

    field, torque = study.fields()
    return dwell_times(study.magnet(), field=field, spin_torque=torque)


def _write_error(study: Study) -> Any:
    from spintherm.switching import write_error_rate

    field, torque = study.fields()
    options = _without_none(study.options())
    lengths = options.pop("pulse_lengths")
    return write_error_rate(study.magnet(), lengths, spin_torque=torque, field=field, **options)


_SOLVERS = {
    "evolution": _evolution,
    "moments": _moments,
    "distribution": _distribution,
    "steady-state": _steady,
    "dwell-times": _dwell,
    "write-error": _write_error,
}

QUANTITIES: dict[str, Quantity] = {
    "statistics": Statistics(),
    "trajectories": Trajectories(),
    **{name: Exact(name) for name in _SOLVERS},
}

COORDINATES = {
    **coordinates(),
    "component": ["x", "y", "z"],
}
"""Coordinates of the averages over trajectories."""
