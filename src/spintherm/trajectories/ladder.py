"""A ladder of resolutions: each rung halves the steps of the one below it.

On two neighbouring rungs the same paths are walked at both resolutions under the same noise
(`kernels.coupled`), so that the difference of a functional between them has a small variance. If
the bias of a mean is C h^p, that difference is (2^p - 1) times the bias of the finer rung, with the
opposite sign.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import Tabulation, fastest_rate, tabulate, with_field_of_current
from spintherm.trajectories.bias import coupled_ends, estimates, halved
from spintherm.trajectories.engine import (
    Keys,
    Scheme,
    Table,
    advance,
    chunks,
    for_each_chunk,
    generators,
    table,
)
from spintherm.trajectories.initial import Initial

FloatArray = NDArray[np.float64]

_COARSEST = 0.5  # step times fastest rate of the lowest rung
_FEWEST_STEPS = 4


@dataclass(frozen=True)
class Sums:
    """Sums over samples of several quantities of each path: rows of estimates, shape (rows, 6)."""

    count: int
    total: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, values: FloatArray) -> Sums:
        """Sum over the last axis of values (rows, 6, n)."""
        return cls(values.shape[-1], values.sum(axis=-1), np.square(values).sum(axis=-1))

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.count + other.count, self.total + other.total, self.squares + other.squares
        )

    @property
    def mean(self) -> FloatArray:
        """Means, shape (rows, 6)."""
        return self.total / self.count

    @property
    def variance(self) -> FloatArray:
        """Variances of one sample, shape (rows, 6)."""
        spread = np.maximum(self.squares / self.count - self.mean**2, 0.0)
        return np.asarray(spread * (self.count / (self.count - 1.0)))

    @property
    def error(self) -> FloatArray:
        """Standard errors of the means, shape (rows, 6)."""
        return np.asarray(np.sqrt(self.variance / self.count))


DIFFERENCE, FINE, COARSE = range(3)  # rows of the sums over coupled samples


class Ladder:
    """The rungs of one problem; tables are made when a rung is first used.

    Samples are numbered: those of one rung, kind and seed are the same bits however they are asked
    for.
    """

    def __init__(
        self, magnet: Magnet, protocol: Protocol, scheme: Scheme, initial: Initial, seed: int
    ) -> None:
        self.magnet, self.protocol, self.scheme = magnet, protocol, scheme
        self.initial, self.seed = initial, seed
        steps = np.ceil(protocol.duration * fastest_rate(magnet, protocol) / _COARSEST)
        coarsest = tabulate(protocol, max(int(steps), _FEWEST_STEPS))
        self._tabulations = [with_field_of_current(magnet, protocol, coarsest)]
        self._tables: dict[int, Table] = {}

    def steps(self, rung: int) -> int:
        """Return the number of steps of a rung."""
        return self._tabulations[0].steps << rung

    def _table(self, rung: int) -> Table:
        if rung not in self._tables:
            self._tables[rung] = table(self.magnet, self._tabulation(rung), self.scheme)
        return self._tables[rung]

    def _tabulation(self, rung: int) -> Tabulation:
        while len(self._tabulations) <= rung:
            last = self._tabulations[-1]
            self._tabulations.append(halved(self.magnet, self.protocol, last))
        return self._tabulations[rung]

    def coupled(
        self, rung: int, first: int, count: int, threads: int, report: Callable[[int], object]
    ) -> Sums:
        """Sample rung - 1 and rung together.

        Parameters
        ----------
        rung : int
            The finer rung, at least 1.
        first, count : int
            Numbers of the samples.
        threads : int
            Number of threads.
        report : callable
            Called with the number of samples done.

        Returns
        -------
        Sums
            Of shape (3, 6): rows DIFFERENCE (finer - coarser), FINE and COARSE.
        """
        coarse, fine = self._table(rung - 1), self._table(rung)

        def sample(keys: Keys, part: slice) -> FloatArray:
            start = self._start(keys, part)
            streams = generators(keys.dynamics, part.start, part.stop - part.start)
            ends = coupled_ends(self.scheme, start, coarse, fine, streams)
            low, high = (estimates(self.magnet, self.protocol, start, end) for end in ends)
            return np.stack((high - low, high, low))

        return self._sums(sample, (1, rung), first, count, 3 * coarse.steps, threads, report)

    def alone(
        self, rung: int, first: int, count: int, threads: int, report: Callable[[int], object]
    ) -> Sums:
        """Sample one rung alone, with random numbers of its own: sums of shape (1, 6)."""
        steps = self._table(rung)

        def sample(keys: Keys, part: slice) -> FloatArray:
            start = self._start(keys, part)
            end = start.copy()
            streams = generators(keys.dynamics, part.start, part.stop - part.start)
            advance(self.scheme, end, streams, steps, 0, steps.steps)
            return estimates(self.magnet, self.protocol, start, end)[None]

        return self._sums(sample, (2, rung), first, count, steps.steps, threads, report)

    def _start(self, keys: Keys, part: slice) -> FloatArray:
        state = np.zeros((self.scheme.rows, part.stop - part.start))
        self.initial.prepare(keys, part, state)
        return state

    def _sums(
        self,
        sample: Callable[[Keys, slice], FloatArray],
        spawn: tuple[int, int],
        first: int,
        count: int,
        work: int,
        threads: int,
        report: Callable[[int], object],
    ) -> Sums:
        """Add up samples, chunk by chunk in a fixed order: no bit depends on the threads."""
        keys = _keys(self.seed, spawn)
        parts = [slice(first + p.start, first + p.stop) for p in chunks(count, work)]
        sums: dict[int, Sums] = {}

        def one(part: slice) -> None:
            sums[part.start] = Sums.of(sample(keys, part))

        for_each_chunk(one, parts, lambda: None, threads, lambda done, _total: report(done))
        total = sums[parts[0].start]
        for part in parts[1:]:
            total += sums[part.start]
        return total


def _keys(seed: int, spawn: tuple[int, int]) -> Keys:
    """Keys that share no numbers with those of `Keys.from_seed`, nor with each other."""
    sequence = np.random.SeedSequence(seed, spawn_key=spawn)
    words = sequence.generate_state(8, np.uint64).astype(np.uint64)
    return Keys(words[0:2], words[2:4], words[4:6], words[6:8])
