"""The engine room: chunks of trajectories through the compiled kernels, on all cores.

A chunk is a pure function of (table, keys, indices of its trajectories); which thread takes it, and
in what order, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from spintherm.kernels import constants as tables
from spintherm.kernels import coupled, coupled_reversible, ensemble, fast, noise, reversible
from spintherm.magnet import Magnet
from spintherm.progress import Report
from spintherm.tabulate import Tabulation

FloatArray = NDArray[np.float64]
Generators = NDArray[np.uint64]

Beside = TypeVar("Beside")

CHUNK_WORK = 1 << 24
LARGEST_CHUNK = 1 << 14
STRIDE = 1 << 10


@dataclass(frozen=True)
class Scheme:
    """A way to take a step: its constants, its kernels, its weak order and its usual step.

    `resolution` is the step times the fastest rate of the problem that is taken when the caller
    names no number of steps. `magnet` is the magnet that the kernels are made for where its fields
    depend on the direction, and `memory` the number of rows that they keep between calls for
    themselves. `diagnostics` names the rows that its kernel keeps for each trajectory
    beside those of every scheme. `fast` is the same scheme in faster arithmetic, if there is one.
    """

    name: str
    constants: Callable[[tables.Steps], FloatArray]
    advance: Any
    couple: Any
    order: int
    resolution: float
    diagnostics: tuple[str, ...] = ()
    fast: Scheme | None = None
    magnet: Magnet | None = None
    memory: int = 0

    @property
    def rows(self) -> int:
        """Rows of the state: direction, work, heat, pumped entropy, diagnostics."""
        return ensemble.STATE_ROWS + len(self.diagnostics) + self.memory


SCHEMES = {
    scheme.name: scheme
    for scheme in (
        Scheme(
            "splitting",
            tables.splitting,
            ensemble.advance_splitting,
            coupled.couple_splitting,
            2,
            0.05,
            fast=Scheme("splitting", fast.constants, fast.advance_fast, fast.couple_fast, 2, 0.05),
        ),
        Scheme(
            "euler-maruyama",
            tables.euler_maruyama,
            ensemble.advance_euler_maruyama,
            coupled.couple_euler_maruyama,
            1,
            0.002,
        ),
        Scheme(
            "exact-ft",
            tables.exact_ft,
            reversible.advance_exact_ft,
            coupled_reversible.couple_exact_ft,
            2,
            0.05,
            ("shadow_work",),
        ),
    )
}


@dataclass(frozen=True)
class Table:
    """A protocol cut into steps, as the kernels read it.

    constants (steps, row), jumps (steps + 1, 3): m ΔH before each step and at the end.
    """

    constants: FloatArray
    jumps: FloatArray

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(self.constants)


def table(magnet: Magnet, tabulation: Tabulation, scheme: Scheme) -> Table:
    """Return the constants of every step and the jumps between steps.

    Raises
    ------
    ValueError
        If the magnet's fields depend on the direction and the scheme is not made for it.
    """
    if scheme.magnet != magnet:
        magnet.require_uniform(f"scheme={scheme.name!r}")
    steps = tables.Steps(
        magnet.moment,
        magnet.gyromagnetic_ratio,
        magnet.damping,
        magnet.temperature,
        tabulation.durations,
        (tabulation.field_start, tabulation.field_middle, tabulation.field_end),
        (
            tabulation.spin_torque_start,
            tabulation.spin_torque_middle,
            tabulation.spin_torque_end,
        ),
    )
    jumps = magnet.moment * tabulation.field_jumps
    return Table(np.ascontiguousarray(scheme.constants(steps)), np.ascontiguousarray(jumps))


@dataclass(frozen=True)
class Keys:
    """Keys of the streams of random numbers that a seed opens; none shares numbers with another."""

    initial: Generators
    burn_in: Generators
    dynamics: Generators
    pilot: Generators

    @classmethod
    def from_seed(cls, seed: int) -> Keys:
        """Derive the keys from a seed by NumPy's SeedSequence."""
        words = np.random.SeedSequence(seed).generate_state(8, np.uint64).astype(np.uint64)
        return cls(words[0:2], words[2:4], words[4:6], words[6:8])


def generators(key: Generators, first: int, count: int) -> Generators:
    """Return the generators of the trajectories first ... first + count - 1, shape (4, count)."""
    states = np.empty((ensemble.GENERATOR_ROWS, count), np.uint64)
    noise.seed_generators(key[0], key[1], first, states)
    return states


def advance(
    scheme: Scheme, state: FloatArray, streams: Generators, table: Table, start: int, stop: int
) -> None:
    """Take state (rows, n) in place through the steps start ... stop - 1, in bounded strides.

    The jump after the last step of the table belongs to that step. Strides end at fixed steps,
    whatever the size of the ensemble: where a call ends is visible in the last bits of `splitting`.
    """
    first = start
    while first < stop:
        last = min((first // STRIDE + 1) * STRIDE, stop)
        scheme.advance(state, streams, table.constants[first:last], table.jumps[first:last])
        first = last
    if stop == table.steps:
        ensemble.apply_jump(state, table.jumps[-1])


def chunks(trajectories: int, steps: int) -> Iterator[slice]:
    """Cut an ensemble into chunks of bounded work (a tenth of a second or so)."""
    size = min(LARGEST_CHUNK, CHUNK_WORK // max(steps, 1))
    size = max(ensemble.LANES, size // ensemble.LANES * ensemble.LANES)
    for first in range(0, trajectories, size):
        yield slice(first, min(first + size, trajectories))


def for_each_chunk(
    work: Callable[[slice], None],
    parts: list[slice],
    beside: Callable[[], Beside],
    threads: int,
    report: Report,
) -> Beside:
    """Call work on every chunk, and `beside` once, on several threads; return the latter's result.

    It stops soon after an error or an interruption: no more than two chunks a thread are in flight,
    so that nothing is left to cancel.
    """
    total = parts[-1].stop
    done = 0
    waiting = iter(parts)
    pending: dict[Future[None], int] = {}
    with ThreadPoolExecutor(threads) as pool:
        aside = pool.submit(beside)
        while True:
            while len(pending) < 2 * threads and (part := next(waiting, None)) is not None:
                pending[pool.submit(work, part)] = part.stop - part.start
            if not pending:
                return aside.result()
            finished, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                done += pending.pop(future)
                future.result()
            report(done, total)
