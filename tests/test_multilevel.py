"""Multilevel Monte Carlo: exact means, the telescoping sum, optimal allocation, what it costs.

Estimates pass within Z = 4.5 standard errors plus the reported bias (a false alarm once in 150 000
seeds and comparisons; the seeds are fixed).
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from spintherm import Magnet, Protocol, Pulse, Ramp, Triangle, multilevel_means, simulate
from spintherm.fokker_planck import functional_means
from spintherm.trajectories.bias import ESTIMATES
from spintherm.trajectories.engine import SCHEMES
from spintherm.trajectories.initial import initial_state
from spintherm.trajectories.ladder import COARSE, DIFFERENCE, FINE, Ladder
from spintherm.trajectories.multilevel import optimal_samples

Z = 4.5
SCHEME_NAMES = tuple(SCHEMES)
SIGMA = {"estimate": "entropy_production"}


@pytest.fixture
def driven():
    """Tilted, unequal directions, a jump, and a torque strong enough for a bias."""
    return Protocol(
        1.2,
        Ramp((0.3, -0.2, 1.5), (0.9, 1.7, -1.4), 1.2) + Pulse((0.2, 0.4, -0.3), 0.4, 0.9),
        Triangle((0.8, 1.6, -1.1), 1.2),
    )


def ladder(magnet, protocol, scheme, seed=5):
    start = initial_state(magnet, protocol, "equilibrium", 1)
    return Ladder(magnet, protocol, SCHEMES[scheme], start, seed)


def coupled(rungs, rung, count):
    return rungs.coupled(rung, 0, count, 2, lambda _done: None)


def exact_means(magnet, protocol):
    """The density engine's means, and 1 for exp(-Sigma): [I] 4.17."""
    means = functional_means(magnet, protocol)
    return np.array([*(means[name] for name in ESTIMATES[:5]), 1.0])


@pytest.mark.parametrize(("scheme", "error"), [("splitting", 3e-3), ("euler-maruyama", 8e-3)])
def test_means_are_exact_within_the_error(scheme, error, magnet, driven):
    result = multilevel_means(magnet, driven, error=error, seed=1, scheme=scheme)
    off = np.abs(result["mean"].values - exact_means(magnet, driven))
    doubt = np.hypot(result.standard_error, result.bias_error).values
    assert np.all(off < Z * doubt + np.abs(result.bias.values)), off / doubt
    # the wish was for the entropy production
    sigma = result.sel(SIGMA)
    assert np.hypot(abs(sigma.bias) + sigma.bias_error, sigma.standard_error) <= 1.01 * error
    assert result.sizes["level"] >= 2
    assert np.all(np.diff(result.level_steps) > 0)
    telescoped = result.level_mean.sum("level").values
    assert np.allclose(telescoped, result["mean"].values, rtol=1e-14)
    squares = (result.level_variance / result.level_samples).sum("level")
    assert np.allclose(np.sqrt(squares), result.standard_error, rtol=1e-12)


def test_several_estimates_reach_errors_of_their_own(magnet, driven):
    wanted = {"work": 0.02, "pumped_entropy": 0.002, "exp(-entropy_production)": 0.05}
    result = multilevel_means(magnet, driven, error=wanted, seed=2)
    for name, error in wanted.items():
        one = result.sel(estimate=name)
        assert np.hypot(abs(one.bias) + one.bias_error, one.standard_error) <= 1.01 * error
    off = np.abs(result["mean"].values - exact_means(magnet, driven))
    doubt = np.hypot(result.standard_error, result.bias_error).values
    assert np.all(off < Z * doubt + np.abs(result.bias.values))


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_a_rung_has_one_law_as_the_finer_and_as_the_coarser_of_a_pair(scheme, magnet, driven):
    """Otherwise the sum would not telescope: means and variances agree, samples are independent."""
    rungs, count = ladder(magnet, driven, scheme), 100_000
    lower, upper = coupled(rungs, 1, count), coupled(rungs, 2, count)
    alone = rungs.alone(1, 0, count, 2, lambda _done: None)
    for one, other in (
        ((lower, FINE), (upper, COARSE)),
        ((alone, 0), (lower, FINE)),
        ((alone, 0), (upper, COARSE)),
    ):
        a, b = (sums.mean[row] for sums, row in (one, other))
        errors = np.hypot(*(sums.error[row] for sums, row in (one, other)))
        assert np.all(np.abs(a - b) < Z * errors)
        spread = [sums.variance[row][:5] for sums, row in (one, other)]
        # the quantities are not far from normal: Var of a variance is near 2 V^2/n, below 6 V^2/n
        assert np.all(np.abs(spread[0] / spread[1] - 1.0) < Z * np.sqrt(2.0 * 6.0 / count))


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_samples_do_not_depend_on_the_block_they_are_drawn_in(scheme, magnet, driven):
    """Numbers 0 ... 299 at once, and in two parts that cut the lanes elsewhere."""
    rungs = ladder(magnet, driven, scheme)
    whole = coupled(rungs, 2, 300)
    parts = [rungs.coupled(2, *part, 1, lambda _done: None) for part in ((0, 101), (101, 199))]
    assert np.allclose(whole.total, (parts[0] + parts[1]).total, rtol=1e-12, atol=1e-12)
    assert np.allclose(whole.squares, (parts[0] + parts[1]).squares, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("scheme", "torque", "exponents"),
    [
        # the Levy sign decouples the torque's work, first order; without a torque there is none
        ("splitting", True, {"work": 1, "pumped_entropy": 2, "energy_change": 2}),
        ("splitting", False, {"work": 2, "heat": 2, "energy_change": 2}),
        ("euler-maruyama", True, {"work": 1, "pumped_entropy": 1, "energy_change": 1}),
    ],
)
def test_variances_of_differences_fall_as_powers_of_the_step(
    scheme, torque, exponents, magnet, driven
):
    protocol = driven if torque else Protocol(driven.duration, driven.field, None)
    rungs = ladder(magnet, protocol, scheme)
    first, last = (coupled(rungs, rung, 10_000).variance[DIFFERENCE] for rung in (2, 5))
    for name, expected in exponents.items():
        place = ESTIMATES.index(name)
        measured = np.log2(first[place] / last[place]) / 3.0
        assert abs(measured - expected) < 0.2, (name, measured)


def test_allocation_is_the_cheapest():
    """Against a minimiser that knows nothing of the formula."""
    variances, costs = np.array([2.0, 0.3, 0.05, 0.007]), np.array([10.0, 30.0, 60.0, 120.0])
    wanted = 1e-6
    samples = optimal_samples(variances, costs, wanted)
    found = minimize(
        lambda x: np.sum(costs * np.exp(x)) * wanted / 100.0,
        np.log(variances) - np.log(wanted / 4.0),
        constraints={
            "type": "eq", "fun": lambda x: np.log(np.sum(variances * np.exp(-x)) / wanted),
        },
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 500},
    )  # fmt: skip
    assert found.success
    assert np.allclose(samples, np.exp(found.x), rtol=1e-3)
    assert np.sum(variances / samples) <= wanted
    assert np.sum(variances / np.maximum(samples - 1, 1)) > wanted
    assert optimal_samples([1.0, 0.0], [1.0, 5.0], 10.0).tolist() == [1, 1]


def test_samples_of_a_run_are_allocated_optimally(magnet, driven):
    """Levels beyond the pilot have what the final variances ask for; the bias may ask for more."""
    error = 4e-3
    result = multilevel_means(
        magnet, driven, error={"work": error}, seed=3, scheme="euler-maruyama"
    )
    assert result.sizes["level"] >= 5
    variances = result.level_variance.sel(estimate="work").values
    optimal = optimal_samples(variances, result.level_cost, 0.75 * error**2)
    taken = result.level_samples.values
    assert np.all(taken >= 0.9 * optimal)
    assert np.all(np.abs(taken[:5] / optimal[:5] - 1.0) < 0.1)
    cost = float(np.sum(taken * result.level_cost.values))
    assert cost <= result.cost.item()
    assert cost < 1.2 * float(np.sum(optimal * result.level_cost.values))


def test_multilevel_beats_plain_sampling_where_the_scheme_is_of_first_order(magnet, driven):
    """Half the error costs plain Monte Carlo eight times as much, the levels little over four."""
    coarse, fine = (
        multilevel_means(magnet, driven, error={"work": error}, seed=4, scheme="euler-maruyama")
        for error in (6e-3, 3e-3)
    )
    assert fine.cost.item() < 5.5 * coarse.cost.item()
    assert fine.plain_cost.item() > 6.0 * coarse.plain_cost.item()
    assert fine.gain.item() > 6.0
    assert fine.gain.item() == pytest.approx(fine.plain_cost.item() / fine.cost.item())


def test_the_cost_of_plain_sampling_is_what_simulate_would_need(magnet, driven):
    """With the best split of the error: checked by a grid of numbers of steps, bias from runs."""
    error = 6e-3
    result = multilevel_means(
        magnet, driven, error={"work": error}, seed=4, scheme="euler-maruyama"
    )
    exact = functional_means(magnet, driven)["work"]
    run = simulate(
        magnet, driven, trajectories=400_000, seed=1, steps=64, scheme="euler-maruyama"
    ).work.values
    steps = np.arange(100, 3000)
    bias = (run.mean() - exact) * 64 / steps
    paths = run.var() / np.maximum(error**2 - bias**2, 1e-12)
    best = np.min(np.where(np.abs(bias) < error, paths * steps, np.inf))
    # the measured bias is known to a fourth, and higher orders count at 64 steps
    work = result.sel(estimate="work")
    assert work.bias.item() == pytest.approx(
        (run.mean() - exact) * 64 / result.level_steps.values[-1], rel=0.35
    )
    assert result.plain_cost.item() == pytest.approx(best, rel=0.35)


def test_plain_sampling_is_chosen_where_it_is_cheaper(magnet):
    """A long process, whose coupled paths differ much: one level, and no gain is claimed."""
    protocol = Protocol(8.0, Ramp((0, 0.2, 1), (0, 1, -1), 8.0), Triangle((0.3, 1, 1), 8.0))
    result = multilevel_means(magnet, protocol, error=3e-2, seed=5)
    assert result.sizes["level"] == 1
    assert result.gain.item() < 1.0


def test_the_result_is_that_of_the_seed_alone(magnet, driven):
    def run(seed, threads):
        return multilevel_means(magnet, driven, error=2e-2, seed=seed, threads=threads)

    assert run(6, 1).identical(run(6, 3))
    assert not np.any(run(6, 2)["mean"] == run(7, 2)["mean"])


def assert_means(result, expected, errors):
    for name, value in expected.items():
        one = result.sel(estimate=name)
        doubt = np.sqrt(one.standard_error**2 + one.bias_error**2 + errors.get(name, 0.0) ** 2)
        assert abs(one["mean"] - value) < Z * doubt + abs(one.bias), name


def test_from_the_steady_state(magnet, driven):
    result = multilevel_means(magnet, driven, error=2e-2, seed=8, initial="steady_state")
    exact = functional_means(magnet, driven, initial="steady_state")
    assert_means(result, {name: exact[name] for name in ESTIMATES[:4]}, {})


def test_from_one_direction(magnet, driven):
    """Against plain paths: the density engine has no densities that are points."""
    start = (0.6, 0.0, -0.8)
    result = multilevel_means(magnet, driven, error=2e-2, seed=8, initial=start)
    run = simulate(magnet, driven, trajectories=100_000, seed=1, steps=64, initial=start)
    means = {name: run[name].mean().item() for name in ESTIMATES[:5]}
    errors = {name: run[name].std().item() / np.sqrt(100_000) for name in ESTIMATES[:5]}
    assert_means(result, means, errors)


def test_progress_counts_steps(magnet, driven):
    seen = []
    result = multilevel_means(
        magnet, driven, error=2e-2, seed=1, progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1][0] == pytest.approx(result.cost.item())
    assert all(done <= total for done, total in seen)
    assert all(a[0] <= b[0] for a, b in pairwise(seen))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"error": 0.0}, "error=0.0: expected a finite number > 0"),
        ({"error": {"work": -1.0}}, "error['work']=-1.0"),
        ({"error": {"power": 1.0}}, "error="),
        ({"error": {}}, "at least one estimate"),
        ({"scheme": "heun"}, "scheme='heun': expected one of 'splitting', 'euler-maruyama'"),
        ({"seed": -1}, "seed=-1"),
        ({"threads": 0}, "threads=0"),
        ({"initial": np.eye(3)}, "initial="),
        ({"magnet": Magnet(1, 1, 1, 0)}, "temperature=0.0"),
        ({"magnet": "iron"}, "magnet='iron'"),
        ({"protocol": None}, "protocol=None"),
    ],
)
def test_bad_input_is_named(change, message, magnet, driven):
    arguments = {"magnet": magnet, "protocol": driven, "error": 0.1, "seed": 1, **change}
    with pytest.raises((ValueError, TypeError)) as error:
        multilevel_means(arguments.pop("magnet"), arguments.pop("protocol"), **arguments)
    assert message in str(error.value)
