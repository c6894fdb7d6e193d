"""Rare events: exact weights, tails down to 1e-12, cloning; all against the density engine.

Tolerances are Z standard errors, false alarms 7e-6 each, plus the measured step bias.
"""

from functools import cache

import numba
import numpy as np
import numpy.testing as npt
import pytest

from spintherm import (
    Magnet,
    Protocol,
    Pulse,
    Ramp,
    Triangle,
    plot,
    rare,
    scgf,
    simulate,
    statistics,
)
from spintherm.fokker_planck import distribution
from spintherm.fokker_planck.generating import generating_function
from spintherm.kernels import ensemble, weighted
from spintherm.rare.population import systematic
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, Keys, generators, table

Z = 4.5
MAGNET = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)
DRIVEN = Protocol(0.9, Ramp((0, 0, 1.5), (0, 0, -1.5), 0.9), Triangle((0, 1.8, 1.4), 0.9))
AXIS = np.array([2.0, -3.0, 6.0]) / 7.0
COLLINEAR = Protocol(
    0.8, Ramp(1.5 * AXIS, -1.7 * AXIS, 0.8) + Pulse(0.3 * AXIS, 0.3, 0.5), Triangle(2 * AXIS, 0.8)
)
TAILS = {DRIVEN.duration: (-13.56, -8.82), COLLINEAR.duration: (-12.44, -8.64)}
"""Values of Σ below which the probability is near 1e-12 and 1e-5: computed below, not assumed."""
STEPS = 96
PATHS = 20_000


@cache
def exact_density(protocol):
    """Exact density of Σ, from 4 below the rarer of TAILS up to the other."""
    low, high = TAILS[protocol.duration]
    x = np.linspace(low - 4.0, high, 401)
    return distribution(MAGNET, protocol, points=x, floor=1e-18, tolerance=1e-4)


@cache
def exact_tails(protocol):
    """TAILS and the exact probabilities below them."""
    x, p = (exact_density(protocol)[name].values for name in ("entropy_production", "density"))
    below = np.cumsum(0.5 * (p[1:] + p[:-1]) * np.diff(x))
    at = np.array(TAILS[protocol.duration])
    return at, np.exp(np.interp(at, x[1:], np.log(below)))


@cache
def ensembles(protocol, steps=STEPS):
    """One ensemble for each of TAILS."""
    tilts = rare.tilt_for(MAGNET, protocol, exact_tails(protocol)[0])
    return [
        rare.importance_sampling(
            MAGNET, protocol, tilt=tilt, trajectories=PATHS, seed=place, steps=steps
        )
        for place, tilt in enumerate(tilts)
    ]


@pytest.mark.parametrize("protocol", [DRIVEN, COLLINEAR], ids=["driven", "collinear"])
def test_tails_down_to_1e_12(protocol):
    at, exact = exact_tails(protocol)
    fine = rare.tail_probability(ensembles(protocol), at)
    coarse = rare.tail_probability(ensembles(protocol, STEPS // 2), at)
    found, error = fine["probability"].values, fine["error"].values
    bias = np.abs(coarse["probability"].values - found) / 3.0
    assert np.all(np.abs(found - exact) < Z * error + bias)
    assert np.all(error < 0.03 * exact)
    assert exact[0] < 1.5e-12
    assert np.all(fine["effective_samples"].values > 1000)


def test_plain_sampling_sees_nothing_there():
    """Of as many paths, 0.4 are expected below the 1e-5 tail; 6 appear once in 10^7 times."""
    at, _ = exact_tails(DRIVEN)
    plain = simulate(MAGNET, DRIVEN, trajectories=2 * PATHS, seed=3, steps=STEPS)
    sigma = plain["entropy_production"].values
    assert np.count_nonzero(sigma < at[-1]) < 6
    assert not np.any(sigma < at[0] + 2.0)


def test_upper_tail_and_one_ensemble_alone():
    at = exact_tails(COLLINEAR)[0][-1]
    one = ensembles(COLLINEAR)[-1]
    lower, upper = (rare.tail_probability(one, [at], tail=name) for name in ("lower", "upper"))
    total = lower["probability"].item() + upper["probability"].item()
    assert total == pytest.approx(np.exp(one["log_weight"]).mean().item(), rel=1e-12)
    far = rare.importance_sampling(
        MAGNET,
        COLLINEAR,
        tilt=rare.tilt_for(MAGNET, COLLINEAR, 16.0),
        trajectories=PATHS,
        seed=8,
        steps=STEPS,
    )
    found = rare.tail_probability(far, [16.0], tail="upper")
    x = np.linspace(16.0, 20.0, 201)
    p = distribution(MAGNET, COLLINEAR, points=x, floor=1e-15, tolerance=1e-4)["density"]
    exact = np.sum(0.5 * (p.values[1:] + p.values[:-1]) * np.diff(x))
    error = Z * found["error"].item() + 0.02 * exact  # step bias of the lower tail at 1e-12
    assert found["probability"].item() == pytest.approx(exact, abs=error)
    assert exact < 1e-9


@pytest.mark.parametrize("tilt", [(1.5, 0.0), (0.0, -2.0), (-2.5, 1.0), (-1.0, -1.0)])
def test_exponential_averages_of_a_tilted_process_with_jumps(magnet, protocol, tilt):
    work, pumped = tilt
    data = rare.importance_sampling(
        magnet, protocol, tilt=tilt, trajectories=8000, seed=5, steps=STEPS
    )
    assert rare.effective_samples(data) > 0.8 * 8000
    exact = generating_function(magnet, protocol, work=work, pumped_entropy=pumped, tolerance=1e-6)[
        "generating_function"
    ].item()
    found = rare.exponential_average(data, work=work, pumped_entropy=pumped)
    assert found.value == pytest.approx(exact, abs=Z * found.error + 0.004 * exact)
    assert found.error < 0.01 * exact
    assert data.attrs["log_generating_function"] == pytest.approx(np.log(exact), abs=1e-6)


def test_first_law_and_lengths_on_weighted_paths():
    data = ensembles(DRIVEN)[0]
    npt.assert_allclose(data["work"] + data["heat"], data["energy_change"], atol=1e-12)
    npt.assert_allclose(np.linalg.norm(data["final_moment"], axis=1), MAGNET.moment, rtol=1e-13)


def test_integral_theorem_of_a_process_that_plain_sampling_cannot_average():
    """Strongly driven: the average of e^-Σ is carried by paths that plain sampling never draws."""
    strong = Protocol(1.2, Ramp((0, 0, 4), (0, 0, -4), 1.2), (1.0, 0.0, 0.5))
    plain = simulate(MAGNET, strong, trajectories=PATHS, seed=1)
    assert statistics.exponential_average(plain["entropy_production"].values).dominated
    data = rare.importance_sampling(MAGNET, strong, tilt=-1.0, trajectories=PATHS, seed=1)
    shift = np.exp(MAGNET.beta * data["free_energy_change"].item())
    found = rare.exponential_average(data, work=-1.0, pumped_entropy=-1.0)
    assert shift * found.value == pytest.approx(1.0, abs=Z * shift * found.error + 0.005)
    assert shift * found.error < 0.01


def test_strong_driving_needs_the_gauge_and_has_it():
    """Without the gauge few of the paths count, for h is not resolved where they go."""
    strong = Protocol(1.2, Ramp((1, 0.5, 6), (-3, 2, -5), 1.2), Triangle((0.5, 2, -1), 1.2))
    data = rare.importance_sampling(MAGNET, strong, tilt=-2.5, trajectories=4000, seed=3, steps=160)
    assert rare.effective_samples(data) > 0.7 * 4000
    exact = generating_function(MAGNET, strong, work=-2.5, pumped_entropy=-2.5, tolerance=1e-4)[
        "generating_function"
    ].item()
    found = rare.exponential_average(data, work=-2.5, pumped_entropy=-2.5)
    assert found.value == pytest.approx(exact, abs=Z * found.error + 0.02 * exact)
    assert data["entropy_production"].mean() < -15.0


# the kernel and its weights


def wild_control(steps, degree, size):
    """A control that has nothing to do with any tilt: the weights must be exact all the same."""
    return size * np.random.default_rng(4).normal(size=(steps, (degree + 1) ** 2, 3))


def kernel_states(count, rows):
    state = np.zeros((rows, count))
    streams = generators(Keys.from_seed(7).initial, 0, count)
    axis = np.array([0.6, 0.0, 0.8])
    ensemble.sample_von_mises_fisher(streams, axis, 2.0, state)
    return state


def test_without_a_control_paths_are_those_of_the_plain_scheme(magnet):
    field = Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), 0.7)
    protocol = Protocol(0.7, field, Ramp((0.0, 0.0, 0.2), (0.0, 0.0, 0.9), 0.7))
    plan = table(magnet, tabulate(protocol, 40), SCHEMES["splitting"])
    plain, tilted = kernel_states(300, 6), kernel_states(300, 7)
    key = Keys.from_seed(2).dynamics
    ensemble.advance_splitting(plain, generators(key, 0, 300), plan.constants, plan.jumps[:-1])
    zero = np.zeros((plan.steps, 4, 3))
    weighted.advance_tilted(
        tilted, generators(key, 0, 300), plan.constants, plan.jumps[:-1], zero, 1
    )
    npt.assert_allclose(tilted[:6], plain, atol=1e-11)
    npt.assert_allclose(tilted[6], 0.0, atol=1e-12)


@pytest.mark.parametrize(("duration", "steps", "size"), [(0.9, 8, 0.8), (6.0, 3, 0.4)])
def test_weights_are_exact_for_coarse_steps_and_any_control(magnet, duration, steps, size):
    """Concentrations near 15 and near 1: no limit of short steps helps here."""
    field = Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), duration)
    protocol = Protocol(duration, field, Pulse((0.4, 0.3, -0.2), 0.2, 0.7))
    plan = table(magnet, tabulate(protocol, steps), SCHEMES["splitting"])
    count = 150_000
    plain, tilted = kernel_states(count, 6), kernel_states(count, 7)
    one, two = (generators(Keys.from_seed(seed).dynamics, 0, count) for seed in (1, 2))
    ensemble.advance_splitting(plain, one, plan.constants, plan.jumps[:-1])
    control = wild_control(plan.steps, 2, size)
    weighted.advance_tilted(tilted, two, plan.constants, plan.jumps[:-1], control, 2)
    weight = np.exp(tilted[6])
    assert np.std(tilted[6]) > 0.5

    def quantities(s):
        return np.stack([np.ones(count), s[0], s[1], s[2] ** 2, s[3], s[5], s[3] * s[5], s[4] ** 2])

    reference, terms = quantities(plain), weight * quantities(tilted[:6])
    error = np.hypot(reference.std(axis=1), terms.std(axis=1)) / np.sqrt(count)
    assert np.all(np.abs(terms.mean(axis=1) - reference.mean(axis=1)) < Z * error)
    assert error.max() < 0.1


def test_initial_cells_have_the_density_that_they_say():
    side, count = 8, 200_000
    probability = np.random.default_rng(1).uniform(0.5, 1.5, side**2)
    probability /= probability.sum()
    frame = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    state = np.zeros((7, count))
    streams = generators(Keys.from_seed(1).initial, 0, count)
    logs = np.log(side**2 * probability)
    weighted.sample_cells(streams, frame, 1.5, np.cumsum(probability), logs, side, state)
    npt.assert_allclose(np.linalg.norm(state[:3], axis=0), 1.0, rtol=1e-14)
    terms = np.exp(state[6]) * np.stack([np.ones(count), state[0], state[1] ** 2, state[2] ** 4])
    whole = 4.0 * np.pi * np.array([1.0, 0.0, 1.0 / 3.0, 1.0 / 5.0])
    error = terms.std(axis=1) / np.sqrt(count)
    assert np.all(np.abs(terms.mean(axis=1) - whole) < Z * error)


@numba.njit
def _exponentials(x, out):
    for i in range(x.size):
        out[i] = weighted.falling_exp(x[i])


def test_exponential_of_the_kernel():
    x = -np.concatenate([np.linspace(0.0, 100.0, 20_001), np.logspace(-300, 0, 301), [1e5]])
    found = np.empty_like(x)
    _exponentials(x, found)
    npt.assert_allclose(found, np.exp(np.maximum(x, -100.0)), rtol=1e-15)


def test_polynomials_span_the_harmonics():
    powers = weighted.polynomial_powers(3)
    assert len(powers) == 16
    assert {tuple(p) for p in powers if p.sum() <= 1} == {
        (0, 0, 0),
        (1, 0, 0),
        (0, 1, 0),
        (0, 0, 1),
    }
    assert powers[:, 2].max() == 1
    n = np.random.default_rng(1).normal(size=(100, 3))
    n /= np.linalg.norm(n, axis=1, keepdims=True)
    assert np.linalg.matrix_rank(np.prod(n[:, None] ** powers, axis=-1)) == 16


def mean_density(protocol, edges):
    """Exact density averaged over bins, by Gauss's rule on its interpolated logarithm."""
    exact = exact_density(protocol)
    nodes, gauss = np.polynomial.legendre.leggauss(3)
    x = 0.5 * (edges[1:] + edges[:-1])[:, None] + 0.5 * np.diff(edges)[:, None] * nodes
    p = np.exp(np.interp(x, exact["entropy_production"], np.log(exact["density"])))
    return p @ gauss / 2.0


# combination, bits, refusals


def test_several_tilts_combine_without_bias_whatever_is_assumed_of_them():
    """The partition is right for any ln G; wrong ones only cost precision."""
    at, exact = exact_tails(DRIVEN)
    wrong = [one.copy() for one in ensembles(DRIVEN)]
    for place, one in enumerate(wrong):
        one.attrs["log_generating_function"] += (-1.0) ** place
    found = rare.tail_probability(wrong, at)
    error = Z * found["error"].values + 0.02 * exact
    assert np.all(np.abs(found["probability"].values - exact) < error)
    edges = np.linspace(at[0], at[-1], 13)
    histogram = rare.density(ensembles(DRIVEN), edges)
    between = np.sum(histogram["density"].values) * (edges[1] - edges[0])
    tails = rare.tail_probability(ensembles(DRIVEN), at)["probability"].values
    assert between == pytest.approx(tails[-1] - tails[0], rel=1e-10)


def test_densities_where_a_plain_histogram_is_empty():
    at = exact_tails(DRIVEN)[0]
    edges = np.linspace(at[0], at[-1], 13)
    found = rare.density(ensembles(DRIVEN), edges)
    exact = mean_density(DRIVEN, edges)
    coarse = rare.density(ensembles(DRIVEN, STEPS // 2), edges)["density"].values
    bias = np.abs(coarse - found["density"].values) / 3.0
    assert np.all(np.abs(found["density"] - exact) < Z * found["error"] + bias)
    assert np.all(found["error"] < 0.1 * exact)


def test_same_bits_on_any_number_of_threads_and_in_any_ensemble():
    settings = {"tilt": (-1.0, 0.5), "seed": 9, "steps": 20}
    many = rare.importance_sampling(MAGNET, DRIVEN, trajectories=20_000, threads=3, **settings)
    few = rare.importance_sampling(MAGNET, DRIVEN, trajectories=20_000, threads=1, **settings)
    part = rare.importance_sampling(MAGNET, DRIVEN, trajectories=777, threads=2, **settings)
    for name in ("work", "pumped_entropy", "log_weight", "final_moment"):
        assert np.array_equal(many[name], few[name])
        assert np.array_equal(many[name][:777], part[name])


def test_refusals():
    good = {"tilt": -1.0, "trajectories": 10, "seed": 1, "steps": 10}
    for wrong, match in (
        ({"tilt": (1.0, 2.0, 3.0)}, "tilt"),
        ({"tilt": np.nan}, "tilt"),
        ({"degree": 9}, "degree"),
        ({"trajectories": 0}, "trajectories"),
    ):
        with pytest.raises(ValueError, match=match):
            rare.importance_sampling(MAGNET, DRIVEN, **(good | wrong))
    cold = Magnet(moment=1.0, gyromagnetic_ratio=1.0, damping=0.5, temperature=0.0)
    with pytest.raises(ValueError, match="above zero"):
        rare.importance_sampling(cold, DRIVEN, **good)
    with pytest.raises(TypeError, match="protocol"):
        rare.importance_sampling(MAGNET, None, **good)
    one = ensembles(DRIVEN)[0]
    with pytest.raises(ValueError, match="same noise twice"):
        rare.tail_probability([one, one], [0.0])
    with pytest.raises(ValueError, match="steps"):
        rare.tail_probability([one, ensembles(DRIVEN, STEPS // 2)[1]], [0.0])
    with pytest.raises(ValueError, match="one of 'entropy_production'"):
        rare.density(one, [0.0, 1.0], of="heat")
    with pytest.raises(ValueError, match="tail"):
        rare.tail_probability(one, [0.0], tail="left")
    with pytest.raises(ValueError, match="log_weight"):
        rare.tail_probability(one.drop_vars("log_weight"), [0.0])
    with pytest.raises(ValueError, match="values that a tilt reaches"):
        rare.tilt_for(MAGNET, DRIVEN, -1e4)
    with pytest.raises(ValueError, match="clones"):
        rare.cloning(MAGNET, (0, 0, 1), (0, 0, 1), clones=21, duration=1.0, seed=1)


def test_where_no_path_lies_the_error_is_infinite():
    empty = rare.tail_probability(ensembles(DRIVEN)[-1], [-1e3])
    assert empty["probability"].item() == 0.0
    assert empty["error"].item() == np.inf
    assert empty["effective_samples"].item() == 0.0


# cloning

FIELD, TORQUE = (0.3, -0.4, 1.2), (0.9, 0.2, 0.5)


@pytest.mark.parametrize("k", [(-0.5, -0.5), (0.6, 0.0), (0.0, -0.7), (0.8, 0.8)])
def test_cloning_finds_the_generating_function(k):
    exact = scgf(MAGNET, FIELD, TORQUE, work=k[0], pumped_entropy=k[1]).item()
    found = rare.cloning(
        MAGNET,
        FIELD,
        TORQUE,
        work=k[0],
        pumped_entropy=k[1],
        clones=1000,
        duration=16.0,
        seed=6,
        repeats=16,
    )
    # Student's t of 15 degrees has the false-alarm rate of Z at 6.6
    error = 6.6 * found["error"].item() + abs(found["population_bias"].item())
    assert found["scgf"].item() == pytest.approx(exact, abs=error)
    assert found["error"].item() < 0.01 * abs(exact) + 0.005
    assert found["resamplings"].min() > 0


def test_population_bias_is_measured_by_doubling():
    """Few clones and a strong exponent: the bias is seen, and doubling tells its size."""
    k = {"work": -0.9, "pumped_entropy": -0.9}
    exact = scgf(MAGNET, FIELD, TORQUE, **k).item()
    found = rare.cloning(MAGNET, FIELD, TORQUE, **k, clones=100, duration=20.0, seed=2, repeats=48)
    half, whole = found["each"].values.mean(axis=1) - exact
    assert abs(half) > Z * found["each"].values[0].std() / np.sqrt(48)
    assert abs(whole) < abs(half)
    assert found["population_bias"].item() == pytest.approx(half - whole, rel=1e-9)
    assert np.sign(found["population_bias"].item()) == np.sign(whole)


def test_cloning_gives_the_same_bits_on_any_number_of_threads():
    settings = {"work": -0.5, "clones": 40, "duration": 1.0, "seed": 3, "repeats": 4}
    one, three = (
        rare.cloning(MAGNET, FIELD, TORQUE, **settings, threads=threads) for threads in (1, 3)
    )
    assert np.array_equal(one["each"], three["each"])
    assert len(np.unique(one["each"])) == 8


def test_systematic_resampling_is_fair():
    weights = np.random.default_rng(1).exponential(size=50)
    share = 50 * weights / weights.sum()
    counts = np.array(
        [np.bincount(systematic(weights, u), minlength=50) for u in (np.arange(2000) + 0.5) / 2000]
    )
    assert np.all((counts == np.floor(share)) | (counts == np.ceil(share)))
    npt.assert_allclose(counts.mean(axis=0), share, atol=2e-3)


# the figure


def test_figure_draws_what_it_is_given():
    edges = np.linspace(-12.0, 6.0, 37)
    found = rare.density(ensembles(DRIVEN), edges)
    exact = exact_density(DRIVEN)
    counts = np.where(found["entropy_production"] > -4.0, found["density"], 0.0)
    plain = found.assign(density=("entropy_production", counts))
    axes = plot.rare_density(exact, found, plain)
    assert axes.get_yscale() == "log"
    line = axes.lines[0]
    npt.assert_array_equal(line.get_xdata(), exact["entropy_production"])
    npt.assert_array_equal(line.get_ydata(), exact["density"])
    drawn = np.ma.compressed(axes.lines[-1].get_ydata())
    seen = found["density"].values[found["effective_samples"].values >= 10.0]
    npt.assert_allclose(np.sort(drawn), np.sort(seen))
