"""`simulate`: an ensemble of trajectories of a driven magnet.

    dm = -gamma0 m x (H + m x P) dt - eta m x (m x (H + m x P)) dt + sqrt(2 eta T) m x o dW

([I] 2.6), with work dW = -m.dH + (m x P) o dm, heat dQ = -(H + m x P) o dm ([I] 3.3) and entropy
pumped dS_P = 2 gamma0 m.P dt ([I] 3.9) kept for every path. k_B = 1. Where the magnet has an
anisotropy or polarisers, H is H_eff but in -m.dH, P the local torque, and dS_P that of `torques`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.progress import Progress, reporting
from spintherm.protocol import Protocol
from spintherm.schema import label, magnet_attributes, protocol_text
from spintherm.tabulate import Tabulation, fastest_rate, tabulate, with_field_of_current
from spintherm.trajectories import bias as step_bias
from spintherm.trajectories.engine import (
    SCHEMES,
    Keys,
    Scheme,
    Table,
    advance,
    chunks,
    for_each_chunk,
    generators,
    table,
)
from spintherm.trajectories.initial import Initial, initial_state
from spintherm.trajectories.local import scheme_for
from spintherm.trajectories.thermodynamics import (
    anisotropy_change,
    energy_change,
    entropy_production,
    free_energy_change,
    projection,
)
from spintherm.trajectories.tolerance import Choice, choose_steps
from spintherm.workers import cores

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]

_FEWEST_STEPS = 16
_MOST_STEPS = 10_000_000


def simulate(
    magnet: Magnet,
    protocol: Protocol,
    *,
    trajectories: int,
    seed: int,
    steps: int | None = None,
    tolerance: float | None = None,
    scheme: str = "splitting",
    initial: str | ArrayLike = "equilibrium",
    save_at: ArrayLike | None = None,
    fast: bool = False,
    progress: Progress = None,
    threads: int | None = None,
) -> xarray.Dataset:
    """Simulate an ensemble of trajectories and keep the thermodynamics of each.

    The random numbers of a trajectory depend on the seed, its index and the step alone: the same
    arguments give the same bits on any number of threads, and trajectory k is the same in an
    ensemble of ten and of a million. Give forward and backward processes different seeds.

    Parameters
    ----------
    magnet : Magnet
        The magnet.
    protocol : Protocol
        Field H(t), spin torque P(t) and duration. Steps are placed on its jumps; a jump of H
        does work -m.ΔH.
    trajectories : int
        Number of trajectories.
    seed : int
        Seed, 0 <= seed < 2**64.
    steps : int, optional
        Number of time steps (raised, if need be, to the number of segments between jumps and
        save times). Chosen from the fastest rate in the problem if neither this nor a tolerance is
        given.
    tolerance : float, optional
        Choose the smallest number of steps whose bias is within this fraction of the statistical
        error: for the mean of each estimate along `estimate`, |bias| + its standard error is at
        most `tolerance` times the standard error of the mean of this many trajectories. All of
        these are estimated by pilot ensembles with halved steps under the same noise. Not together
        with `steps`. The attributes record `tolerance`, the `steps` chosen, the estimate that asked
        for them and its expected ratio (`tolerance_estimate`, `tolerance_ratio`).
    scheme : {"splitting", "euler-maruyama", "exact-ft"}
        "splitting": drift, noise, drift with exact flows, weak order 2. "euler-maruyama": as in
        [II] SI III, renormalised after each step, weak order 1. "exact-ft": the fluctuation
        theorems hold to rounding at any step (see docs/exact-ft.md), weak order 2.
    initial : {"equilibrium", "steady_state"} or array_like, shape (3,) or (trajectories, 3)
        Initial state: equilibrium at the starting field H(0), with the field-like torque's, drawn
        exactly; the steady state of the starting H and P held constant (if barriers off a common
        axis are so high that it takes more than a million steps to reach, this is refused); one
        direction for all; or one vector for each trajectory (lengths are ignored).
    save_at : array_like, shape (times,), optional
        Increasing times within the protocol at which the moment and the functionals so far are
        kept too. A jump at such a time counts as not yet done, but at the very end as done.
    fast : bool
        Faster arithmetic for "splitting": the noise in single precision, the two half drifts
        between noises in one map, the torque's work along the drift from its rate instead of chords
        (equal within the order of the scheme), heat as energy change less work. The same random
        numbers; the path differs by 1e-7 (means by some 1e-8), its work by the third power of the
        step. Once in some 10^7 steps a path passes the seam of the frame in which noise is drawn on
        the other side, and parts from the strict one: another path of the same law.
        Chords stay bounded on steps that do not resolve the motion, the rate does not: then use
        the strict arithmetic, or look at `step_bias`. Recorded as `arithmetic`. For magnets with
        anisotropy or polarisers only the noise is another.
    progress : bool or callable, optional
        Progress on long work: a bar on standard error where that is a terminal (None, True),
        nothing (False), or a function called with (trajectories done, all trajectories).
    threads : int, optional
        Number of threads; as many as there are processors if not given.

    Returns
    -------
    xarray.Dataset
        Along `trajectory`: `work`, `heat`, `energy_change` in units of energy, `pumped_entropy`,
        `entropy_production` in k_B, and `final_moment (trajectory, component)`; the scalar
        `free_energy_change`; `step_bias (estimate)` and `step_bias_error`: the bias of the means
        of these, and of exp(-Σ), that is due to the finite step, measured on a pilot ensemble. With
        `save_at` also `moment (trajectory, time, component)` and `running_work`, `running_heat`,
        `running_pumped_entropy`, `running_energy_change (trajectory, time)`. With scheme="exact-ft"
        also `shadow_work`: the work in excess of the integral along the path, the step's error on
        each trajectory. The attributes record magnet, protocol, scheme, steps, seed and versions.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused: the message names it, its value and what is expected; or if the
        tolerance would need more than a million steps.
    """
    workers = thread_count(threads)
    wanted = Wanted(steps, tolerance, workers)
    run = plan(magnet, protocol, trajectories, seed, wanted, scheme, initial, save_at, fast)
    results = _Results.empty(run, run.trajectories)
    parts = list(chunks(run.trajectories, run.table.steps))
    with reporting(progress, "trajectories", "trajectories") as report:
        bias = for_each_chunk(
            lambda part: _run_chunk(run, results, part, part),
            parts,
            lambda: measured_bias(run),
            workers,
            report,
        )
    return _dataset(run, results, bias)


@dataclass(frozen=True)
class Wanted:
    """What was asked about the steps: their number, or a tolerance (and threads to find it)."""

    steps: int | None
    tolerance: float | None
    threads: int


@dataclass(frozen=True)
class Run:
    """Everything that a chunk needs to know."""

    magnet: Magnet
    protocol: Protocol
    tabulation: Tabulation
    table: Table
    scheme: Scheme
    initial: Initial
    keys: Keys
    trajectories: int
    seed: int
    stops: NDArray[np.intp]
    fast: bool = False
    choice: Choice | None = None


@dataclass(frozen=True)
class _Results:
    """Arrays that the chunks fill: each its own rows."""

    work: FloatArray
    heat: FloatArray
    pumped_entropy: FloatArray
    energy_change: FloatArray
    entropy_production: FloatArray
    final_moment: FloatArray
    moment: FloatArray
    running: FloatArray
    diagnostics: FloatArray

    @classmethod
    def empty(cls, run: Run, count: int) -> _Results:
        saved = run.stops.size
        return cls(
            work=np.empty(count),
            heat=np.empty(count),
            pumped_entropy=np.empty(count),
            energy_change=np.empty(count),
            entropy_production=np.empty(count),
            final_moment=np.empty((count, 3)),
            moment=np.empty((count, saved, 3)),
            running=np.empty((4, count, saved)),
            diagnostics=np.empty((len(run.scheme.diagnostics), count)),
        )


def thread_count(threads: int | None) -> int:
    """Return the number of threads that the argument `threads` asks for."""
    return cores() if threads is None else validation.positive_integer("threads", threads)


def plan(
    magnet: Magnet,
    protocol: Protocol,
    trajectories: int,
    seed: int,
    wanted: Wanted,
    scheme: str,
    initial: str | ArrayLike,
    save_at: ArrayLike | None,
    fast: bool,
) -> Run:
    """Check the arguments of `simulate` and prepare everything that a chunk needs."""
    if not isinstance(magnet, Magnet):
        raise TypeError(validation.complaint("magnet", magnet, "a Magnet"))
    if not isinstance(protocol, Protocol):
        raise TypeError(validation.complaint("protocol", protocol, "a Protocol"))
    count = validation.positive_integer("trajectories", trajectories)
    checked_seed = validation.seed("seed", seed)
    chosen = _scheme(magnet, scheme, fast)
    start = initial_state(magnet, protocol, initial, count)
    choice = _chosen(magnet, protocol, chosen, start, wanted, count, checked_seed)
    saved = None if save_at is None else _save_times(save_at, protocol.duration)
    number = choice if isinstance(choice, int) else choice.steps
    tabulation = with_field_of_current(magnet, protocol, tabulate(protocol, number, at=saved))
    return Run(
        magnet,
        protocol,
        tabulation,
        table(magnet, tabulation, chosen),
        chosen,
        start,
        Keys.from_seed(checked_seed),
        count,
        checked_seed,
        np.empty(0, np.intp) if saved is None else tabulation.boundaries(saved),
        fast,
        None if isinstance(choice, int) else choice,
    )


def _chosen(
    magnet: Magnet,
    protocol: Protocol,
    scheme: Scheme,
    start: Initial,
    wanted: Wanted,
    count: int,
    seed: int,
) -> int | Choice:
    """Return the number of steps, with the reason if a tolerance was given."""
    if wanted.tolerance is None:
        if wanted.steps is None:
            return default_steps(magnet, protocol, scheme.name)
        return validation.positive_integer("steps", wanted.steps)
    if wanted.steps is not None:
        raise ValueError(
            f"steps={wanted.steps!r} and tolerance={wanted.tolerance!r}: expected one of them"
        )
    return choose_steps(
        magnet,
        protocol,
        scheme,
        start,
        tolerance=wanted.tolerance,
        trajectories=count,
        seed=seed,
        threads=wanted.threads,
    )


def _scheme(magnet: Magnet, name: str, fast: bool) -> Scheme:
    if name not in SCHEMES:
        names = ", ".join(repr(known) for known in SCHEMES)
        raise ValueError(f"scheme={name!r}: expected one of {names}")
    if not isinstance(fast, bool):
        raise TypeError(validation.complaint("fast", fast, "True or False"))
    return scheme_for(magnet, name, fast)


def default_steps(magnet: Magnet, protocol: Protocol, scheme: str = "splitting") -> int:
    """Return the number of steps that `simulate` takes when none is named.

    The step times the fastest rate in the problem is 0.05 for "splitting" and "exact-ft", 0.002 for
    "euler-maruyama"; there are at least 16 steps.

    Raises
    ------
    ValueError
        If more than ten million steps would be needed.
    """
    rate = fastest_rate(magnet, protocol)
    steps = np.ceil(protocol.duration * rate / SCHEMES[scheme].resolution)
    if steps > _MOST_STEPS:
        raise ValueError(
            f"steps=None would mean {steps:.3g} steps, for the fastest rate is {rate:.3g} and the "
            f"duration {protocol.duration:.3g}: expected at most {_MOST_STEPS}; name steps yourself"
        )
    return max(int(steps), _FEWEST_STEPS)


def _save_times(save_at: ArrayLike, duration: float) -> FloatArray:
    times = validation.increasing_times("save_at", save_at)
    if times[0] < 0.0 or times[-1] > duration:
        raise ValueError(validation.complaint("save_at", save_at, f"times from 0 to {duration}"))
    return times


def simulated(run: Run, part: slice) -> dict[str, FloatArray]:
    """Simulate the trajectories of `part` alone, by the names in `schema`; as `simulate` has them.

    Parameters
    ----------
    run : Run
        As `plan` makes it.
    part : slice
        Which trajectories, from start to stop.
    """
    results = _Results.empty(run, part.stop - part.start)
    for piece in chunks(part.stop - part.start, run.table.steps):
        here = slice(part.start + piece.start, part.start + piece.stop)
        _run_chunk(run, results, here, piece)
    return _along_trajectories(run, results)


def _run_chunk(run: Run, results: _Results, part: slice, rows: slice) -> None:
    count = part.stop - part.start
    state = np.zeros((run.scheme.rows, count))
    run.initial.prepare(run.keys, part, state)
    start = state[:3].copy()
    streams = generators(run.keys.dynamics, part.start, count)
    at = 0
    for place, stop in enumerate(run.stops):
        if stop > at:
            advance(run.scheme, state, streams, run.table, at, int(stop))
        at = int(stop)
        _save(run, results, rows, place, start, state)
    if at < run.table.steps:
        advance(run.scheme, state, streams, run.table, at, run.table.steps)
    _finish(run, results, rows, start, state)


def _save(
    run: Run, results: _Results, part: slice, place: int, start: FloatArray, state: FloatArray
) -> None:
    results.moment[part, place] = run.magnet.moment * state[:3].T
    results.running[:3, part, place] = state[3:6]
    stop = int(run.stops[place])
    first = run.tabulation.initial_field
    field = first if stop == 0 else run.tabulation.field_end[stop - 1]
    if stop == run.table.steps:
        field = run.tabulation.final_field
    gain = run.magnet.moment * (projection(first, start) - projection(field, state))
    if run.magnet.anisotropy is not None:
        gain += anisotropy_change(run.magnet, start, state)
    results.running[3, part, place] = gain


def _finish(run: Run, results: _Results, part: slice, start: FloatArray, state: FloatArray) -> None:
    work, heat, pumped = state[3:6]
    results.diagnostics[:, part] = state[6 : 6 + len(run.scheme.diagnostics)]
    results.work[part] = work
    results.heat[part] = heat
    results.pumped_entropy[part] = pumped
    results.energy_change[part] = energy_change(run.magnet, run.protocol, start, state)
    results.entropy_production[part] = entropy_production(run.magnet, run.protocol, work, pumped)
    results.final_moment[part] = run.magnet.moment * state[:3].T


def measured_bias(run: Run) -> step_bias.Bias:
    """Measure the step bias of a run."""
    return step_bias.measure_bias(
        run.magnet,
        run.protocol,
        run.tabulation,
        run.scheme,
        run.initial,
        run.keys,
        run.trajectories,
    )


def _dataset(run: Run, results: _Results, bias: step_bias.Bias) -> xarray.Dataset:
    import xarray

    values = {
        **_along_trajectories(run, results),
        "free_energy_change": free_energy_change(run.magnet, run.protocol),
        "step_bias": bias.value,
        "step_bias_error": bias.error,
    }
    coordinates: dict[str, object] = {
        "component": ["x", "y", "z"],
        "estimate": list(step_bias.ESTIMATES),
    }
    if run.stops.size:
        coordinates["time"] = run.tabulation.times[run.stops]
    labelled = {name: label(name, value) for name, value in values.items()}
    return xarray.Dataset(labelled, coords=coordinates, attrs=attributes(run))


def _along_trajectories(run: Run, results: _Results) -> dict[str, FloatArray]:
    values = {
        "work": results.work,
        "heat": results.heat,
        "pumped_entropy": results.pumped_entropy,
        "energy_change": results.energy_change,
        "entropy_production": results.entropy_production,
        "final_moment": results.final_moment,
        **dict(zip(run.scheme.diagnostics, results.diagnostics, strict=True)),
    }
    if run.stops.size:
        values["moment"] = results.moment
        for row, name in enumerate(("work", "heat", "pumped_entropy", "energy_change")):
            values[f"running_{name}"] = results.running[row]
    return values


def attributes(run: Run) -> dict[str, object]:
    """Record magnet, protocol, scheme, steps, seed and versions."""
    from spintherm.version import __version__

    why: dict[str, object] = {}
    if run.choice is not None:
        why = {
            "tolerance": run.choice.tolerance,
            "tolerance_estimate": run.choice.estimate,
            "tolerance_ratio": run.choice.ratio,
        }
    return {
        **magnet_attributes(run.magnet),
        "protocol": protocol_text(run.protocol),
        "duration": run.protocol.duration,
        "initial_field": run.protocol.initial_field,
        "final_field": run.protocol.final_field,
        "initial": run.initial.name,
        "scheme": run.scheme.name,
        "arithmetic": "fast" if run.fast else "strict",
        "steps": run.table.steps,
        **why,
        "seed": str(run.seed),
        "spintherm_version": __version__,
        "numpy_version": np.__version__,
    }
