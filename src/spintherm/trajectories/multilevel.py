r"""Multilevel Monte Carlo: means of a process from many coarse paths and few fine ones.

With rungs of halved steps (`ladder`) the mean on the finest of them is a telescoping sum,

.. math:: \langle A\rangle_L = \langle A\rangle_b + \sum_{l=b+1}^{L}\langle A_l - A_{l-1}\rangle,

whose terms are sampled apart, the differences on coupled paths (Giles, Oper. Res. 56, 607 (2008)).
If one sample of term l has variance V_l and cost C_l, the cheapest way to the variance v is
:math:`N_l = v^{-1}\sqrt{V_l/C_l}\,\sum_k\sqrt{V_k C_k}`. The coarsest rung b that is summed from is
chosen by the same formula: b = L is plain Monte Carlo.

k_B = 1: energies have the unit of the temperature, entropies are numbers. Cost is counted in steps
of one path in the ordinary kernel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.progress import Progress, Report, reporting
from spintherm.protocol import Protocol
from spintherm.schema import label, magnet_attributes
from spintherm.trajectories.bias import ESTIMATES
from spintherm.trajectories.engine import SCHEMES
from spintherm.trajectories.initial import initial_state
from spintherm.trajectories.ladder import COARSE, DIFFERENCE, FINE, Ladder, Sums
from spintherm.trajectories.local import scheme_for
from spintherm.trajectories.run import thread_count

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]

# time of one step of two coupled paths in steps of one path alone, measured
_COUPLED = {"splitting": 2.5, "euler-maruyama": 0.9}
_PILOT = 512
_GROWTH = 4
_MOST_STEPS = 1 << 18
_BIAS_SHARE = 0.5  # of the wanted error, for the bias and its error
_BIAS_ERROR_SHARE = 1.0 / 6.0
_RUNGS_FOR_BIAS = 3
_DISTRUST = 0.25  # of the power law of the bias, for each rung that it is extrapolated
_TINY = 1e-300
_VARIANCE_SHARE = 1.0 - _BIAS_SHARE**2


def multilevel_means(
    magnet: Magnet,
    protocol: Protocol,
    *,
    error: float | Mapping[str, float],
    seed: int,
    scheme: str = "splitting",
    initial: str | ArrayLike = "equilibrium",
    progress: Progress = None,
    threads: int | None = None,
) -> xarray.Dataset:
    """Estimate the means of a process to a given error by multilevel Monte Carlo.

    The bias of the finest rung is measured by the means of the differences between the last rungs;
    rungs are added until |bias| + its standard error is at most half the wanted error, and as many
    samples are taken as make the standard error at most sqrt(3)/2 of it.

    Where it pays: with "euler-maruyama", whose plain cost grows as e^-3 with the error e, against
    e^-2 (ln e)^2 here. The `gain` in <Sigma> of process (b) of [I] Table I was 1.8, 7.6, 14 and 29
    at e = 1e-2, 2e-3, 1e-3 and 5e-4 (in time 4.8 instead of 7.6 at 2e-3, on a busy machine); in
    thirty times the field it was 10 at 1e-2, over ten times the duration 2.3. With "splitting" the
    plain cost grows as e^-2.5 only and a few steps already have a small bias: the gain was 0.5,
    0.9, 0.9 and 1.4 in the same four cases, 1.9 in strong fields and 0.35 over the long time (where
    it chose a single rung). There `simulate` with a `tolerance` is as good, and plain "splitting"
    takes a third of what "euler-maruyama" takes here.

    The reason is the variance of a difference: with "euler-maruyama" it falls as the step. With
    "splitting" it falls as the square of the step for the pumped entropy, the energy and, without
    torque, all; but only as the step for the work of a torque, because the sign that stands for the
    Levy area of a step is not the area that the finer path went round.

    Parameters
    ----------
    magnet : Magnet
        The magnet, at temperature > 0.
    protocol : Protocol
        Field H(t), spin torque P(t) and duration.
    error : float or mapping of estimate to float
        Wanted error, standard error and bias together: of the mean entropy production, or of each
        of the estimates named ("work", "heat", "pumped_entropy", "energy_change",
        "entropy_production", "exp(-entropy_production)").
    seed : int
        Seed, 0 <= seed < 2**64. The random numbers are not those of `simulate` with that seed.
    scheme : {"splitting", "euler-maruyama"}
        As in `simulate`.
    initial : {"equilibrium", "steady_state"} or array_like, shape (3,)
        As in `simulate`, but for an array of moments. The cost of the burn-in towards a steady
        state is not counted.
    progress : bool or callable, optional
        As in `simulate`, in units of steps.
    threads : int, optional
        Number of threads; the result does not depend on it.

    Returns
    -------
    xarray.Dataset
        Along `estimate`: `mean`, its `standard_error`, `bias` of the finest steps and `bias_error`.
        Along `level`, the terms of the sum from coarse to fine: `level_steps`, `level_samples`,
        `level_cost` of one sample, `level_mean (level, estimate)`, `level_variance`. Scalars:
        `cost`, everything counted, in steps of the ordinary kernel; `plain_cost`, of plain Monte
        Carlo with the same scheme to the same error, with the steps and samples that are best for
        it (computed from the measured bias and variance; nothing is added for finding them, so
        that a gain below 1 is possible); `gain`, their ratio. The attributes record the problem.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or the bias is not small enough with 262 144 steps.
    """
    problem = _problem(magnet, protocol, error, seed, scheme, initial, threads)
    with reporting(progress, "multilevel", "steps") as report:
        return _dataset(problem, _converge(problem, report))


def optimal_samples(variances: ArrayLike, costs: ArrayLike, variance: float) -> NDArray[np.int64]:
    """Return the numbers of samples that reach a variance of the sum at the least cost.

    N_l = sqrt(V_l/C_l) sum_k sqrt(V_k C_k) / v, rounded up (Giles, Oper. Res. 56, 607 (2008)).

    Parameters
    ----------
    variances, costs : array_like, shape (levels,)
        Variance and cost of one sample of each level.
    variance : float
        Wanted variance of the sum of the levels' means.

    Returns
    -------
    ndarray of int, shape (levels,)
        Numbers of samples, at least one each.
    """
    V, C = np.asarray(variances, dtype=float), np.asarray(costs, dtype=float)
    samples = np.ceil(np.sqrt(V / C) * np.sum(np.sqrt(V * C)) / variance)
    return np.asarray(np.maximum(samples, 1.0), dtype=np.int64)


@dataclass(frozen=True)
class _Problem:
    """The ladder, the wanted errors (infinite where none is wanted) and how to sample."""

    ladder: Ladder
    errors: FloatArray
    threads: int

    @property
    def order(self) -> int:
        return self.ladder.scheme.order

    def cost(self, rung: int, base: int) -> float:
        """Cost of one sample of the term of a rung, in steps of the ordinary kernel."""
        steps = self.ladder.steps(rung)
        return float(steps) if rung == base else 1.5 * steps * _COUPLED[self.ladder.scheme.name]


@dataclass
class _Samples:
    """What has been sampled so far: pairs of rungs (l - 1, l), and single rungs."""

    problem: _Problem
    report: Report
    pairs: dict[int, Sums] = field(default_factory=dict)
    single: dict[int, Sums] = field(default_factory=dict)
    spent: float = 0.0
    planned: float = 0.0

    def grow(self, rung: int, count: int, *, alone: bool = False) -> None:
        """Sample until there are `count` of the pair that ends at a rung, or of the rung alone."""
        book = self.single if alone else self.pairs
        have = book[rung].count if rung in book else 0
        if count <= have:
            return
        cost = self.problem.cost(rung, rung if alone else -1)
        self.planned = max(self.planned, self.spent + cost * (count - have))
        ladder = self.problem.ladder
        sample = ladder.alone if alone else ladder.coupled
        more = sample(
            rung, have, count - have, self.problem.threads, lambda n: self._tell(n * cost)
        )
        book[rung] = book[rung] + more if have else more
        self.spent += cost * (count - have)

    def _tell(self, work: float) -> None:
        self.report(int(self.spent + work), int(self.planned))


@dataclass(frozen=True)
class _Outcome:
    """The converged samples, from the base rung to the last."""

    samples: _Samples
    base: int
    last: int


def _problem(
    magnet: Magnet,
    protocol: Protocol,
    error: float | Mapping[str, float],
    seed: int,
    scheme: str,
    initial: str | ArrayLike,
    threads: int | None,
) -> _Problem:
    if not isinstance(magnet, Magnet):
        raise TypeError(validation.complaint("magnet", magnet, "a Magnet"))
    if not isinstance(protocol, Protocol):
        raise TypeError(validation.complaint("protocol", protocol, "a Protocol"))
    if magnet.temperature == 0.0:
        raise ValueError(validation.complaint("temperature", 0.0, "a temperature > 0"))
    if scheme not in SCHEMES:
        names = ", ".join(repr(name) for name in SCHEMES)
        raise ValueError(f"scheme={scheme!r}: expected one of {names}")
    if not isinstance(initial, str) and np.ndim(initial) != 1:
        expected = "'equilibrium', 'steady_state' or a direction (3,)"
        raise ValueError(validation.complaint("initial", initial, expected))
    start = initial_state(magnet, protocol, initial, 1)
    checked = validation.seed("seed", seed)
    workers = thread_count(threads)
    ladder = Ladder(magnet, protocol, scheme_for(magnet, scheme), start, checked)
    return _Problem(ladder, _wanted(error), workers)


def _wanted(error: float | Mapping[str, float]) -> FloatArray:
    named = error if isinstance(error, Mapping) else {"entropy_production": error}
    names = validation.mapping("error", named, (), ESTIMATES)
    if not names:
        raise ValueError(validation.complaint("error", error, "at least one estimate"))
    errors = np.full(len(ESTIMATES), np.inf)
    for name, value in names.items():
        at = "error" if named is not error else f"error[{name!r}]"
        errors[ESTIMATES.index(name)] = validation.finite_scalar(at, value, positive=True)
    return errors


def _converge(problem: _Problem, report: Report) -> _Outcome:
    samples = _Samples(problem, report)
    last = 1
    while True:
        if _fine_enough(samples, last):
            base = _fill(samples, last)
            if _fine_enough(samples, last):
                return _Outcome(samples, base, last)
        last += 1
        if problem.ladder.steps(last) > _MOST_STEPS:
            bias, _ = _bias(samples, last - 1)
            raise ValueError(
                f"error={_shown(problem.errors)}: not reached with "
                f"{problem.ladder.steps(last - 1)} steps, whose bias is {_shown(bias)}; expected "
                "a larger error or a scheme of higher order"
            )


def _bias(samples: _Samples, rung: int) -> tuple[FloatArray, FloatArray]:
    """Bias of the means on a rung, and its standard error; shape (6,).

    The last three pairs of rungs each give an estimate, the coarser ones by the power law, which is
    trusted to a quarter of the bias a rung; their mean is weighted by the errors.
    """
    order = samples.problem.order
    weights, total = np.zeros(len(ESTIMATES)), np.zeros(len(ESTIMATES))
    for below in range(min(_RUNGS_FOR_BIAS, rung)):
        pair = samples.pairs[rung - below]
        scale = 2.0 ** (-order * below) / (2.0**order - 1.0)
        bias, error = -scale * pair.mean[DIFFERENCE], scale * pair.error[DIFFERENCE]
        weight = 1.0 / np.maximum(error**2 + (_DISTRUST * below * bias) ** 2, _TINY)
        weights, total = weights + weight, total + weight * bias
    return total / weights, 1.0 / np.sqrt(weights)


def _fine_enough(samples: _Samples, rung: int) -> bool:
    """Sample a pair of rungs until it is known whether the finer one's bias is small enough."""
    errors = samples.problem.errors
    count = _PILOT
    while True:
        samples.grow(rung, count)
        bias, uncertain = _bias(samples, rung)
        size = np.abs(bias)
        if np.any(size - 2.0 * uncertain > _BIAS_SHARE * errors):
            return False
        need = np.max(uncertain / (_BIAS_ERROR_SHARE * errors))
        if need <= 1.0:
            return bool(np.all(size + uncertain <= _BIAS_SHARE * errors))
        have = samples.pairs[rung].count
        count = min(int(np.ceil(1.05 * have * need**2)), _GROWTH * have)


def _fill(samples: _Samples, last: int) -> int:
    """Sample all terms up to the last until the statistical error is reached; return the base."""
    base = _cheapest_base(samples, last)
    samples.grow(base, _PILOT, alone=True)
    while True:
        variances, costs, counts = _terms(samples, base, last)
        if np.sum(variances / counts) <= 1.0:
            return base
        wanted = optimal_samples(variances, costs, 1.0)
        more = np.maximum(wanted - counts, 0)
        samples.planned = samples.spent + float(np.sum(more * costs))
        for rung, count in zip(range(base, last + 1), wanted, strict=True):
            samples.grow(rung, int(count), alone=rung == base)


def _terms(
    samples: _Samples, base: int, last: int
) -> tuple[FloatArray, FloatArray, NDArray[np.int64]]:
    """Variance in units of the wanted one, cost and count of each term of the sum."""
    sums = [samples.single[base], *(samples.pairs[rung] for rung in range(base + 1, last + 1))]
    variances = np.array([_scaled(samples.problem, each.variance[DIFFERENCE]) for each in sums])
    costs = np.array([samples.problem.cost(rung, base) for rung in range(base, last + 1)])
    return variances, costs, np.array([each.count for each in sums])


def _scaled(problem: _Problem, variance: FloatArray) -> float:
    """Largest of the variances in units of those wanted."""
    return float(np.max(variance / (_VARIANCE_SHARE * problem.errors**2)))


def _cheapest_base(samples: _Samples, last: int) -> int:
    """Return the rung from which the sum is cheapest."""
    problem = samples.problem

    def price(base: int) -> float:
        row = samples.pairs[1].variance[COARSE] if base == 0 else samples.pairs[base].variance[FINE]
        roots = np.sqrt(_scaled(problem, row) * problem.cost(base, base))
        for rung in range(base + 1, last + 1):
            term = _scaled(problem, samples.pairs[rung].variance[DIFFERENCE])
            roots += np.sqrt(term * problem.cost(rung, base))
        return float(roots)

    return min(range(last + 1), key=price)


def _plain_cost(samples: _Samples, last: int) -> float:
    """Cost of plain Monte Carlo: V/(e^2 - b^2) paths of n steps with the best bias b = C/n^p.

    The best is b^2 = e^2/(2p + 1). No fewer steps are allowed than on the lowest rung.
    """
    problem = samples.problem
    order, ladder = problem.order, problem.ladder
    bias, _ = _bias(samples, last)
    allowed = problem.errors / np.sqrt(2.0 * order + 1.0)
    steps = ladder.steps(last) * np.max(np.abs(bias) / allowed) ** (1.0 / order)
    steps = max(float(steps), float(ladder.steps(0)))
    left = problem.errors**2 * (1.0 - 1.0 / (2.0 * order + 1.0))
    return float(steps * np.max(samples.pairs[last].variance[FINE] / left))


def _shown(values: FloatArray) -> str:
    shown = (f"{name} {v:.3g}" for name, v in zip(ESTIMATES, values, strict=True) if v < np.inf)
    return "(" + ", ".join(shown) + ")"


def _dataset(problem: _Problem, outcome: _Outcome) -> xarray.Dataset:
    import xarray

    from spintherm.version import __version__

    samples, base, last = outcome.samples, outcome.base, outcome.last
    sums = [samples.single[base], *(samples.pairs[rung] for rung in range(base + 1, last + 1))]
    means = np.array([each.mean[DIFFERENCE] for each in sums])
    errors = np.array([each.error[DIFFERENCE] for each in sums])
    bias, bias_error = _bias(samples, last)
    plain = _plain_cost(samples, last)
    rungs = range(base, last + 1)
    values = {
        "mean": means.sum(axis=0),
        "standard_error": np.sqrt(np.sum(errors**2, axis=0)),
        "bias": bias,
        "bias_error": bias_error,
        "level_steps": [problem.ladder.steps(rung) for rung in rungs],
        "level_samples": [each.count for each in sums],
        "level_mean": means,
        "level_variance": np.array([each.variance[DIFFERENCE] for each in sums]),
        "level_cost": [problem.cost(rung, base) for rung in rungs],
        "cost": samples.spent,
        "plain_cost": plain,
        "gain": plain / samples.spent,
    }
    ladder = problem.ladder
    attributes = {
        **magnet_attributes(ladder.magnet),
        "protocol": repr(ladder.protocol),
        "duration": ladder.protocol.duration,
        "initial": ladder.initial.name,
        "scheme": ladder.scheme.name,
        "seed": str(ladder.seed),
        "spintherm_version": __version__,
    }
    labelled = {
        name: label("multilevel_mean" if name == "mean" else name, value)
        for name, value in values.items()
    }
    coordinates = {"estimate": list(ESTIMATES), "level": list(rungs)}
    return xarray.Dataset(labelled, coords=coordinates, attrs=attributes)
