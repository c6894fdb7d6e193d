r"""Importance sampling: trajectories that lean towards rare values, each with its exact weight.

Averages over the process are averages over these paths with weights :math:`e^{\ell}`,

.. math:: \langle A\rangle = \Big\langle A\,e^{\ell}\Big\rangle_\text{tilted},

exactly so for the process in discrete steps that `simulate` samples: a weight is the ratio of the
laws of the initial state and of each step's noise, not of their limits for short steps. What is
left is the step bias of the scheme itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.kernels import ensemble, local_weighted, weighted
from spintherm.magnet import Magnet
from spintherm.progress import Progress, reporting
from spintherm.protocol import Protocol
from spintherm.rare.control import SIDE, Control, control
from spintherm.schema import label, magnet_attributes, protocol_text
from spintherm.tabulate import fields_at_ends, tabulate, with_field_of_current
from spintherm.trajectories.engine import (
    CHUNK_WORK,
    Generators,
    Keys,
    Table,
    chunks,
    for_each_chunk,
    generators,
    table,
)
from spintherm.trajectories.local import Local, scheme_for
from spintherm.trajectories.run import default_steps, thread_count
from spintherm.trajectories.thermodynamics import (
    energy_change,
    entropy_production,
    free_energy_change,
)

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]

DEGREE = 4
LARGEST_DEGREE = 8


def importance_sampling(
    magnet: Magnet,
    protocol: Protocol,
    *,
    tilt: ArrayLike,
    trajectories: int,
    seed: int,
    steps: int | None = None,
    degree: int = DEGREE,
    progress: Progress = None,
    threads: int | None = None,
) -> xarray.Dataset:
    """Sample trajectories from equilibrium under noise that makes rare values usual.

    The paths are nearly distributed as those of the process weighted by exp(k_W beta W + k_S S_P);
    how nearly shows in the scatter of log_weight + k_W beta W + k_S S_P, which costs precision but
    never biases. `rare.tilt_for` chooses the tilt that centres the paths on a wanted value,
    `rare.tail_probability`, `rare.density` and `rare.exponential_average` read the result.
    Same arguments, same bits, on any number of threads.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    protocol : Protocol
        As `simulate` takes it.
    tilt : float or array_like, shape (2,)
        Dimensionless exponents (k_W, k_S) of beta W and S_P; one number stands for both, that is
        for the exponent of the entropy production.
    trajectories : int
        Number of trajectories.
    seed : int
        Seed, 0 <= seed < 2**64.
    steps : int, optional
        Number of time steps; by default as many as `simulate` takes. The step bias in the tails
        grows with the tilt.
    degree : int
        Degree, 1 to 8, of the polynomial that stands for the logarithm of Doob's function.
    progress, threads
        As in `simulate`.

    Returns
    -------
    xarray.Dataset
        Along `trajectory`: `work`, `heat`, `pumped_entropy`, `energy_change`,
        `entropy_production`, `final_moment` and `log_weight`; the scalar `free_energy_change`.
        The attributes are those of `simulate` with `tilt` and `log_generating_function`, ln G(k)
        from the density engine, which no weight depends on.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError, OverflowError
        If the density engine cannot follow the tilt.
    """
    run = _plan(magnet, protocol, tilt, trajectories, seed, steps, degree)
    workers = thread_count(threads)
    ends = np.empty((weighted.WEIGHTED_ROWS + 1, run.trajectories))
    parts = list(chunks(run.trajectories, run.table.steps))
    with reporting(progress, "trajectories", "trajectories") as report:
        for_each_chunk(
            lambda part: _run_chunk(run, ends, part), parts, lambda: None, workers, report
        )
    return _dataset(run, ends)


@dataclass(frozen=True)
class _Run:
    """Everything that a chunk needs to know."""

    magnet: Magnet
    protocol: Protocol
    table: Table
    control: Control
    degree: int
    keys: Keys
    trajectories: int
    seed: int


def _plan(
    magnet: Magnet,
    protocol: Protocol,
    tilt: ArrayLike,
    trajectories: int,
    seed: int,
    steps: int | None,
    degree: int,
) -> _Run:
    check(magnet, protocol)
    exponents = tilt_pair(tilt)
    count = validation.positive_integer("trajectories", trajectories)
    checked_seed = validation.seed("seed", seed)
    if validation.positive_integer("degree", degree) > LARGEST_DEGREE:
        raise ValueError(validation.complaint("degree", degree, f"1 to {LARGEST_DEGREE}"))
    wanted = (
        default_steps(magnet, protocol)
        if steps is None
        else validation.positive_integer("steps", steps)
    )
    tabulation = with_field_of_current(magnet, protocol, tabulate(protocol, wanted))
    return _Run(
        magnet,
        protocol,
        table(magnet, tabulation, scheme_for(magnet, "splitting")),
        control(magnet, protocol, tabulation, exponents, degree),
        degree,
        Keys.from_seed(checked_seed),
        count,
        checked_seed,
    )


def check(magnet: Magnet, protocol: Protocol) -> None:
    """Raise unless the two are what they should be and the magnet has noise."""
    if not isinstance(magnet, Magnet):
        raise TypeError(validation.complaint("magnet", magnet, "a Magnet"))
    if not isinstance(protocol, Protocol):
        raise TypeError(validation.complaint("protocol", protocol, "a Protocol"))
    if not magnet.damping * magnet.temperature > 0.0:
        expected = "damping and temperature above zero: without noise nothing is rare"
        raise ValueError(validation.complaint("magnet", magnet, expected))


def tilt_pair(tilt: ArrayLike) -> FloatArray:
    """Return (k_W, k_S) from one number or two, shape (2,)."""
    expected = "one finite number or two, (k_W, k_S)"
    values = validation.real_array("tilt", tilt, expected)
    if values.shape not in ((), (2,)):
        raise ValueError(validation.complaint("tilt", tilt, expected))
    return np.array(np.broadcast_to(values, (2,)))


def _run_chunk(run: _Run, ends: FloatArray, part: slice) -> None:
    count = part.stop - part.start
    rows = weighted.WEIGHTED_ROWS if run.magnet.is_uniform else local_weighted.LOCAL_WEIGHTED_ROWS
    state = np.zeros((rows, count))
    _start(run, generators(run.keys.initial, part.start, count), state)
    start = state[:3].copy()
    _advance(run, state, generators(run.keys.dynamics, part.start, count))
    ends[:-2, part] = state[: weighted.WEIGHTED_ROWS - 1]
    ends[-2, part] = state[-1]
    ends[-1, part] = energy_change(run.magnet, run.protocol, start, state)


def _start(run: _Run, streams: Generators, state: FloatArray) -> None:
    """Draw from the tilted initial density; the first factor of the weight."""
    cells = run.control.initial
    drawn = np.zeros((weighted.WEIGHTED_ROWS, state.shape[1]))
    weighted.sample_cells(
        streams, cells.frame, cells.concentration, cells.cumulative, cells.log_ratio, SIDE, drawn
    )
    first = fields_at_ends(run.magnet, run.protocol)[0]
    drawn[-1] += np.log(run.magnet.equilibrium_density(drawn[:3].T, first))
    state[:3], state[-1] = drawn[:3], drawn[-1]


def _advance(run: _Run, state: FloatArray, streams: Generators) -> None:
    kernel: Any = weighted.advance_tilted
    more: tuple[object, ...] = ()
    if not run.magnet.is_uniform:
        exponent = float(run.control.exponents[0]) * run.magnet.beta
        # the plain kernel's form of the energy: paths of another one, whose dE_a/dn has another
        # radial part, differ by the order of the scheme
        local = Local.for_splitting(run.magnet)
        kernel, more = local_weighted.advance_tilted, (exponent, *local.arguments)
    stride = max(1, CHUNK_WORK // max(state.shape[1], ensemble.LANES))
    for first in range(0, run.table.steps, stride):
        part = slice(first, min(first + stride, run.table.steps))
        constants, jumps = run.table.constants[part], run.table.jumps[part]
        coefficients = run.control.coefficients[part]
        kernel(state, streams, constants, jumps, coefficients, run.degree + 1, *more)
    ensemble.apply_jump(state, run.table.jumps[-1])


def _dataset(run: _Run, ends: FloatArray) -> xarray.Dataset:
    import xarray

    *n, work, heat, pumped, log_weight, change = ends
    values = {
        "work": work,
        "heat": heat,
        "pumped_entropy": pumped,
        "energy_change": change,
        "entropy_production": entropy_production(run.magnet, run.protocol, work, pumped),
        "final_moment": run.magnet.moment * np.stack(n, axis=-1),
        "log_weight": log_weight,
        "free_energy_change": free_energy_change(run.magnet, run.protocol),
    }
    labelled = {name: label(name, value) for name, value in values.items()}
    return xarray.Dataset(labelled, {"component": ["x", "y", "z"]}, attrs=_attributes(run))


def _attributes(run: _Run) -> dict[str, object]:
    from spintherm.version import __version__

    return {
        **magnet_attributes(run.magnet),
        "protocol": protocol_text(run.protocol),
        "duration": run.protocol.duration,
        "initial_field": run.protocol.initial_field,
        "final_field": run.protocol.final_field,
        "initial": "equilibrium",
        "scheme": "splitting",
        "steps": run.table.steps,
        "seed": str(run.seed),
        "tilt": run.control.exponents,
        "log_generating_function": run.control.log_generating_function,
        "degree": run.degree,
        "spintherm_version": __version__,
        "numpy_version": np.__version__,
    }
