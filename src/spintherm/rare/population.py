r"""Population dynamics: the scaled cumulant generating function of a steady state by sampling.

.. math:: \lambda(k_W, k_S) = \lim_{t\to\infty}\tfrac1t\ln\langle e^{k_W\beta W + k_S S_P}\rangle

grows out of paths that are exponentially rare. A population of clones walks under the unchanged
dynamics; each collects the weight :math:`e^{k_W\beta\Delta W + k_S\Delta S_P}`, and when the
weights have become too unequal clones multiply or die in proportion (Giardina, Kurchan and Peliti,
Phys. Rev. Lett. 96, 120603 (2006); systematic resampling as in Douc and Cappe, ISPA 64 (2005)).
The product of the mean weights has the mean :math:`\langle e^{\dots}\rangle` whatever the number
N of clones; its logarithm over the time has a bias of order 1/N, which populations of half the
size measure: :math:`\lambda_N - \lambda \approx \lambda_{N/2} - \lambda_N`.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.rare.sampling import check
from spintherm.schema import magnet_attributes
from spintherm.tabulate import fastest_rate, tabulate, with_field_of_current
from spintherm.trajectories.engine import Generators, Keys, Scheme, Table, generators, table
from spintherm.trajectories.initial import Initial, initial_state
from spintherm.trajectories.local import scheme_for
from spintherm.trajectories.run import thread_count

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]

STEPS = 4  # in one interval, after which the weights are looked at
UNEQUAL = 0.5  # share of effective clones below which the population is resampled
RELAXATION = 0.2  # share of the duration that is left out of the estimate
SMALLEST = 10


def cloning(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: float = 0.0,
    pumped_entropy: float = 0.0,
    clones: int,
    duration: float,
    seed: int,
    repeats: int = 8,
    resolution: float = 0.05,
    threads: int | None = None,
) -> xarray.Dataset:
    """Estimate the scaled cumulant generating function of a steady state by population dynamics.

    `spintherm.scgf` has the exact value; this is the witness that shares no equation with it.
    Same arguments, same bits, on any number of threads.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (3,)
        Constant H and P.
    work, pumped_entropy : float
        Dimensionless exponents k_W of beta W and k_S of S_P.
    clones : int
        Number N of clones of a population, even, at least 20.
    duration : float
        Time that each population walks; its first fifth is left out of the estimate, for the
        population starts from the steady state that is not tilted.
    seed : int
        Seed, 0 <= seed < 2**64.
    repeats : int
        Independent populations of N, and as many of N/2; at least 2.
    resolution : float
        Step times the fastest rate in the problem; the step bias goes as its square.
    threads : int, optional
        Number of threads; as many as there are processors if not given.

    Returns
    -------
    xarray.Dataset
        `scgf`, the mean over populations of N clones, in 1/time, and its standard `error`;
        `population_bias`, the estimated bias of `scgf` due to the finite population, which has
        not been subtracted, and `population_bias_error`; `each (population, repeat)`, the estimate
        of each population, for populations of N/2 and N; and `resamplings (population, repeat)`.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """
    run = _plan(magnet, field, spin_torque, work, pumped_entropy, duration, seed, resolution)
    size = _even(clones)
    count = validation.positive_integer("repeats", repeats)
    if count < 2:
        raise ValueError(validation.complaint("repeats", repeats, "at least 2, for an error"))
    workers = thread_count(threads)
    sizes = np.repeat([size // 2, size], count)
    firsts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    with ThreadPoolExecutor(workers) as pool:
        grown = list(pool.map(lambda a: _grow(run, *a), zip(firsts, sizes, strict=True)))
    each, resamplings = np.array(grown).T.reshape(2, 2, count)
    return _dataset(run, size, each, resamplings)


@dataclass(frozen=True)
class _Run:
    """What a population needs to know; the table is that of one interval.

    Where fields depend on the direction the table has two, the first and another one: the drift
    into a step is one with that out of the last, and the first step of all has but half of it.
    """

    magnet: Magnet
    exponents: FloatArray
    scheme: Scheme
    table: Table
    interval: float
    intervals: int
    initial: Initial
    keys: Keys
    seed: int


def _plan(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    work: float,
    pumped_entropy: float,
    duration: float,
    seed: int,
    resolution: float,
) -> _Run:
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    span = validation.finite_scalar("duration", duration, positive=True)
    check(magnet, Protocol(span, H, P))
    k = [
        validation.finite_scalar("work", work),
        validation.finite_scalar("pumped_entropy", pumped_entropy),
    ]
    step = validation.finite_scalar("resolution", resolution, positive=True)
    longest = STEPS * step / fastest_rate(magnet, Protocol(span, H, P))
    intervals = max(int(np.ceil(span / longest)), int(1.0 / RELAXATION))
    held = Protocol(span / intervals, H, P)
    number = validation.seed("seed", seed)
    scheme = scheme_for(magnet, "splitting")
    kinds = 1 if magnet.is_uniform else 2
    both = Protocol(kinds * held.duration, H, P)
    steps = with_field_of_current(magnet, both, tabulate(both, kinds * STEPS))
    return _Run(
        magnet,
        np.array(k),
        scheme,
        table(magnet, steps, scheme),
        held.duration,
        intervals,
        initial_state(magnet, held, "steady_state", 1),
        Keys.from_seed(number),
        number,
    )


def _even(clones: int) -> int:
    size = validation.positive_integer("clones", clones)
    if size % 2 or size < 2 * SMALLEST:
        raise ValueError(validation.complaint("clones", clones, f"even, at least {2 * SMALLEST}"))
    return size


def _grow(run: _Run, first: int, size: int) -> tuple[float, int]:
    """Let one population walk; return its estimate and how often it was resampled.

    Its clones have the streams of random numbers first ... first + size - 1, whoever sits on them.
    """
    population = _Population.start(run, int(first), int(size))
    skipped = int(np.ceil(RELAXATION * run.intervals))
    at_start = 0.0
    for k in range(run.intervals):
        if k == skipped:
            at_start = population.log_mean
        population.walk(run, slice(0, STEPS) if k == 0 else slice(-STEPS, None))
    span = (run.intervals - skipped) * run.interval
    return (population.log_mean - at_start) / span, population.resamplings


@dataclass
class _Population:
    """State (rows, n), its streams, and the logarithms of the weights since the last resampling."""

    state: FloatArray
    streams: Generators
    log_weights: FloatArray
    chance: np.random.Generator
    log_past: float = 0.0
    resamplings: int = 0

    @classmethod
    def start(cls, run: _Run, first: int, size: int) -> _Population:
        state = np.zeros((run.scheme.rows, size))
        run.initial.prepare(run.keys, slice(first, first + size), state)
        streams = generators(run.keys.dynamics, first, size)
        chance = np.random.default_rng([run.seed, first])
        return cls(state, streams, np.zeros(size), chance)

    @property
    def log_mean(self) -> float:
        """Logarithm of the product of all mean weights so far."""
        top = self.log_weights.max()
        return self.log_past + float(top + np.log(np.mean(np.exp(self.log_weights - top))))

    def walk(self, run: _Run, steps: slice) -> None:
        """Go through one interval, and resample if the weights have become unequal."""
        self.state[3:6] = 0.0
        run.scheme.advance(
            self.state, self.streams, run.table.constants[steps], run.table.jumps[:-1][steps]
        )
        k_W, k_S = run.exponents
        self.log_weights += k_W * run.magnet.beta * self.state[3] + k_S * self.state[5]
        weights = np.exp(self.log_weights - self.log_weights.max())
        if weights.sum() ** 2 < UNEQUAL * weights.size * (weights**2).sum():
            self.log_past = self.log_mean
            self.state[:] = self.state[:, systematic(weights, self.chance.random())]
            self.log_weights[:] = 0.0
            self.resamplings += 1


def systematic(weights: FloatArray, u: float) -> NDArray[np.intp]:
    """Return which clone each place inherits from: systematic resampling with one number u.

    The number of heirs of a clone is its share of the weights times n, rounded up or down, and
    right in the mean.
    """
    cumulative = np.cumsum(weights)
    points = (np.arange(weights.size) + u) * (cumulative[-1] / weights.size)
    heirs = np.searchsorted(cumulative, points, side="right")
    return np.asarray(np.minimum(heirs, weights.size - 1))


def _dataset(run: _Run, clones: int, each: FloatArray, resamplings: FloatArray) -> xarray.Dataset:
    import xarray

    mean = each.mean(axis=1)
    error = each.std(axis=1, ddof=1) / np.sqrt(each.shape[1])
    rate = {"units": "1/time"}
    both = ("population", "repeat")
    return xarray.Dataset(
        {
            "scgf": ((), mean[1], {**rate, "long_name": "scaled cumulant generating function"}),
            "error": ((), error[1], {**rate, "long_name": "standard error of scgf"}),
            "population_bias": (
                (), mean[0] - mean[1], {**rate, "long_name": "bias of scgf by finite population"}
            ),
            "population_bias_error": ((), np.hypot(*error), rate),
            "each": (both, each, {**rate, "long_name": "estimate of each population"}),
            "resamplings": (both, resamplings.astype(np.int64)),
        },
        coords={"population": [clones // 2, clones]},
        attrs={
            **magnet_attributes(run.magnet),
            "work": run.exponents[0],
            "pumped_entropy": run.exponents[1],
            "duration": run.interval * run.intervals,
            "interval": run.interval,
            "seed": str(run.seed),
        },
    )  # fmt: skip
