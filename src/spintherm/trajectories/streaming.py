"""`simulate_statistics`: what an ensemble of any size tells, without keeping its trajectories.

Each chunk of trajectories is reduced to moments, averages of exponentials and counts in bins, and
these are merged. Chunks are cut by the number of steps alone and merged in the order of their
index along a fixed tree: the result has the same bits on any number of threads, and rounding grows
with the logarithm of the number of chunks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.kernels.binning import find_bins
from spintherm.magnet import Magnet
from spintherm.progress import Progress, reporting
from spintherm.protocol import Protocol
from spintherm.schema import FUNCTIONALS, label
from spintherm.statistics.accumulators import CentralMoments, Counts, ExponentialMoments, MomentSet
from spintherm.statistics.samples import increasing_edges
from spintherm.trajectories import bias as step_bias
from spintherm.trajectories.engine import advance, chunks, for_each_chunk, generators
from spintherm.trajectories.run import Run, Wanted, attributes, measured_bias, plan, thread_count
from spintherm.trajectories.thermodynamics import (
    energy_change,
    entropy_production,
    free_energy_change,
)

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]
Bins = int | Mapping[str, int | ArrayLike]

WORK, PUMPED, SIGMA = (
    FUNCTIONALS.index(n) for n in ("work", "pumped_entropy", "entropy_production")
)
BINNED = ("work", "heat", "pumped_entropy", "entropy_production")
EXPONENTS = (
    "exp(-entropy_production)",
    "exp(-beta (work - free_energy_change))",
    "exp(-pumped_entropy)",
)
HIGHEST = 4
_PILOT = 4096
_BINS = 128
_MARGIN = 0.25


def simulate_statistics(
    magnet: Magnet,
    protocol: Protocol,
    *,
    trajectories: int,
    seed: int,
    steps: int | None = None,
    scheme: str = "splitting",
    initial: str | ArrayLike = "equilibrium",
    bins: Bins = _BINS,
    fast: bool = False,
    progress: Progress = None,
    threads: int | None = None,
) -> xarray.Dataset:
    """Simulate an ensemble and keep its statistics only: memory does not grow with its size.

    The trajectories are those of `simulate` with the same arguments.

    Parameters
    ----------
    magnet, protocol, trajectories, seed, steps, scheme, initial, fast, progress, threads
        As in `simulate`. Interrupted, it keeps nothing and passes the interruption on.
    bins : int or mapping
        Number of equal bins of each histogram, or by name, for any of `work`, `heat`,
        `pumped_entropy`, `entropy_production`, the number or the edges, shape (bins + 1,). Without
        edges the bins cover the range of the first 4096 trajectories and a quarter more on each
        side; what lies outside is counted apart.

    Returns
    -------
    xarray.Dataset
        Along `functional` (work, heat, pumped_entropy, energy_change, entropy_production): `mean`,
        `mean_error`, `variance`, `variance_error`, `central_moment` (`order` 2 to 4), and their
        `covariance`. `joint_central_moment (work_power, pumped_entropy_power)` up to total order 4.
        Along `exponential`: `exponential_average` of e^-Σ, e^(-β(W-ΔF)) and e^-S_P, with
        `exponential_average_error`, `effective_samples` and `largest_share`. For each histogram
        `*_edges`, `*_counts` and `*_outside` (below, above); `joint_counts` of work and pumped
        entropy on the edges of both, and `joint_outside`. `free_energy_change`, `step_bias` and
        `step_bias_error` as in `simulate`. At temperature zero what needs β is not a number, and
        has no histogram.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused: the message names it, its value and what is expected.
    """
    workers = thread_count(threads)
    wanted = Wanted(steps, None, workers)
    run = plan(magnet, protocol, trajectories, seed, wanted, scheme, initial, None, fast)
    reduction = Reduction(run, histogram_edges(run, bins))
    parts = list(chunks(run.trajectories, run.table.steps))
    tree = Tree()
    size = parts[0].stop

    def work(part: slice) -> None:
        tree.add(part.start // size, reduction(part))

    with reporting(progress, "trajectories", "trajectories") as report:
        bias = for_each_chunk(work, parts, lambda: measured_bias(run), workers, report)
    return _dataset(run, tree.total(), bias)


@dataclass(frozen=True, eq=False)
class Statistics:
    """What is kept of some trajectories."""

    moments: CentralMoments
    exponentials: tuple[ExponentialMoments, ...]
    counts: dict[str, Counts]

    def merged(self, other: Statistics) -> Statistics:
        """Return the statistics of both sets of trajectories together."""
        pairs = zip(self.exponentials, other.exponentials, strict=True)
        return Statistics(
            self.moments.merged(other.moments),
            tuple(one.merged(two) for one, two in pairs),
            {name: one.merged(other.counts[name]) for name, one in self.counts.items()},
        )


def _powers() -> list[tuple[int, ...]]:
    unit = np.eye(len(FUNCTIONALS), dtype=int)
    each = [tuple(map(int, HIGHEST * row)) for row in unit]
    pairs = [tuple(map(int, a + b)) for place, a in enumerate(unit) for b in unit[:place]]
    joint = [
        tuple(map(int, i * unit[WORK] + (HIGHEST - i) * unit[PUMPED])) for i in range(HIGHEST + 1)
    ]
    return each + pairs + joint


MOMENTS = MomentSet(_powers())


@dataclass(frozen=True)
class Reduction:
    """Simulates a chunk and reduces it to statistics."""

    run: Run
    edges: dict[str, FloatArray]

    def __call__(self, part: slice) -> Statistics:
        """Return the statistics of the trajectories of `part`."""
        values = functionals(self.run, part)
        sigma, pumped = values[SIGMA], values[PUMPED]
        weights = (sigma, sigma - pumped, pumped)
        return Statistics(
            MOMENTS.of(values), tuple(map(ExponentialMoments.of, weights)), self._counts(values)
        )

    def _counts(self, values: FloatArray) -> dict[str, Counts]:
        if not self.edges:
            return {}
        where = {}
        for name, edges in self.edges.items():
            where[name] = np.empty(values.shape[1], np.int64)
            find_bins(values[FUNCTIONALS.index(name)], edges, where[name])
        counts = {name: Counts.of((self.edges[name],), (bins,)) for name, bins in where.items()}
        names = ("work", "pumped_entropy")
        grid = tuple(self.edges[name] for name in names)
        counts["joint"] = Counts.of(grid, tuple(where[name] for name in names))
        return counts


def functionals(run: Run, part: slice) -> FloatArray:
    """Simulate the trajectories of `part`: their `schema.FUNCTIONALS`, shape (5, n)."""
    count = part.stop - part.start
    state = np.zeros((run.scheme.rows, count))
    run.initial.prepare(run.keys, part, state)
    start = state[:3].copy()
    streams = generators(run.keys.dynamics, part.start, count)
    advance(run.scheme, state, streams, run.table, 0, run.table.steps)
    work, heat, pumped = state[3:6]
    change = energy_change(run.magnet, run.protocol, start, state)
    sigma = entropy_production(run.magnet, run.protocol, work, pumped)
    return np.stack((work, heat, pumped, change, sigma))


@dataclass
class Tree:
    """Merges the statistics of chunks in the order of their index, whenever they come in.

    Neighbours of equal height are merged first, as in a binary counter. The statistics of 2^k
    neighbouring chunks (the last few may be fewer) that start at a multiple of 2^k are thus merged
    among themselves before others: whoever merges such groups apart, and then their totals by
    another tree, gets the same bits.
    """

    early: dict[int, Statistics] = field(default_factory=dict)
    branches: list[tuple[int, Statistics]] = field(default_factory=list)
    next: int = 0
    lock: Lock = field(default_factory=Lock)

    def add(self, index: int, statistics: Statistics) -> None:
        """Take in the statistics of one chunk; indices run from 0 without gaps, in any order."""
        with self.lock:
            self.early[index] = statistics
            while self.next in self.early:
                self._append(self.early.pop(self.next))
                self.next += 1

    def _append(self, statistics: Statistics) -> None:
        height = 0
        while self.branches and self.branches[-1][0] == height:
            statistics = self.branches.pop()[1].merged(statistics)
            height += 1
        self.branches.append((height, statistics))

    def total(self) -> Statistics:
        """Return the statistics of all chunks together; the tree is empty afterwards."""
        _, total = self.branches.pop()
        while self.branches:
            total = self.branches.pop()[1].merged(total)
        return total


def histogram_edges(run: Run, bins: Bins) -> dict[str, FloatArray]:
    """Return the edges of the histograms by name, where `bins` gives none from a pilot.

    Raises
    ------
    TypeError, ValueError
        If `bins` is refused.
    """
    wanted: Mapping[str, int | ArrayLike]
    wanted = bins if isinstance(bins, Mapping) else dict.fromkeys(BINNED, bins)
    unknown = set(wanted) - set(BINNED)
    if unknown:
        raise ValueError(validation.complaint("bins", sorted(unknown), f"names among {BINNED}"))
    pilot = functionals(run, slice(0, min(_PILOT, run.trajectories)))
    edges = {}
    for name in BINNED:
        values = pilot[FUNCTIONALS.index(name)]
        if np.isfinite(values).all():
            said = f"bins[{name!r}]" if isinstance(bins, Mapping) else "bins"
            edges[name] = _edges_of(said, wanted.get(name, _BINS), values)
    return edges


def _edges_of(name: str, wanted: int | ArrayLike, values: FloatArray) -> FloatArray:
    if np.ndim(wanted) > 0:
        return increasing_edges(wanted)
    number = validation.positive_integer(name, wanted)
    low, high = float(values.min()), float(values.max())
    width = high - low
    if not width > 1e-12 * max(abs(low), abs(high)):  # the same number on every path
        margin = max(abs(low), 1.0) * 0.5
    else:
        margin = _MARGIN * width
    return np.linspace(low - margin, high + margin, number + 1)


def _dataset(run: Run, found: Statistics, bias: step_bias.Bias) -> xarray.Dataset:
    import xarray

    values = {
        **variables(found),
        "free_energy_change": free_energy_change(run.magnet, run.protocol),
        "step_bias": bias.value,
        "step_bias_error": bias.error,
    }
    labelled = {name: label(name, value) for name, value in values.items()}
    record = attributes(run) | {"trajectories": run.trajectories}
    return xarray.Dataset(labelled, coords=coordinates(), attrs=record)


def variables(found: Statistics) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    """Return what `simulate_statistics` tells of statistics, by the names in `schema`."""
    return {
        **_moments(found.moments),
        **_exponentials(found.exponentials),
        **_histograms(found.counts),
    }


def coordinates() -> dict[str, object]:
    """Return the coordinates of what `simulate_statistics` returns."""
    powers = np.arange(HIGHEST + 1)
    return {
        "functional": list(FUNCTIONALS),
        "other_functional": list(FUNCTIONALS),
        "order": np.arange(2, HIGHEST + 1),
        "work_power": powers,
        "pumped_entropy_power": powers,
        "exponential": list(EXPONENTS),
        "side": ["below", "above"],
        "estimate": list(step_bias.ESTIMATES),
    }


def _moments(moments: CentralMoments) -> dict[str, FloatArray]:
    unit = np.eye(len(FUNCTIONALS), dtype=int)
    each = [[moments.central(*map(int, k * row)) for k in range(2, HIGHEST + 1)] for row in unit]
    joint = np.full((HIGHEST + 1, HIGHEST + 1), np.nan)
    for i in range(HIGHEST + 1):
        for j in range(HIGHEST + 1 - i):
            joint[i, j] = moments.central(*map(int, i * unit[WORK] + j * unit[PUMPED]))
    return {
        "mean": moments.mean,
        "mean_error": moments.mean_error,
        "variance": moments.variance,
        "variance_error": moments.variance_error,
        "covariance": moments.covariance,
        "central_moment": np.array(each),
        "joint_central_moment": joint,
    }


def _exponentials(averages: tuple[ExponentialMoments, ...]) -> dict[str, FloatArray]:
    return {
        "exponential_average": np.array([one.estimate.value for one in averages]),
        "exponential_average_error": np.array([one.estimate.error for one in averages]),
        "effective_samples": np.array([one.effective_samples for one in averages]),
        "largest_share": np.array([one.largest_share for one in averages]),
    }


def _histograms(counts: dict[str, Counts]) -> dict[str, NDArray[np.float64] | NDArray[np.int64]]:
    values: dict[str, NDArray[np.float64] | NDArray[np.int64]] = {}
    for name, one in counts.items():
        values[f"{name}_counts"] = one.inside
        if name == "joint":
            values["joint_outside"] = np.asarray(one.counts.sum() - one.inside.sum())
        else:
            values[f"{name}_edges"] = one.edges[0]
            values[f"{name}_outside"] = one.counts[[0, -1]]
    return values
