"""Trajectories against the plain twin, exact results, and themselves."""

from itertools import pairwise

import numpy as np
import pytest

from spintherm import (
    Constant,
    Magnet,
    Protocol,
    Pulse,
    Ramp,
    Samples,
    Triangle,
    reference,
    simulate,
)
from spintherm.kernels import ensemble, noise
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, Keys, generators, table
from spintherm.trajectories.run import default_steps

# Statistical tests pass within Z standard errors plus the measured step bias and Z of its errors.
# With Z = 4.5 a comparison raises a false alarm once in 150 000 seeds; the seeds are fixed.
Z = 4.5
SCHEME_NAMES = tuple(SCHEMES)
PAPER = Magnet(moment=np.sqrt(3.0), gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)


def table_one(tau, final_field, peak):
    return Protocol(tau, Ramp((0, 0, 1), final_field, tau), Triangle(peak, tau))


def assert_mean(samples, expected, bias=0.0, bias_error=0.0):
    samples = np.asarray(samples)
    error = samples.std(ddof=1) / np.sqrt(samples.size)
    allowed = Z * np.hypot(error, bias_error) + abs(bias)
    assert abs(samples.mean() - expected) < allowed, (samples.mean(), expected, error, bias)


# --- path by path against the twin -------------------------------------------------------------


def recorded_noise(scheme, seed, trajectories, steps):
    """The kernel's own random numbers, as the twin wants them."""
    per_step = {"splitting": 1, "euler-maruyama": 2, "exact-ft": 2}[scheme]
    raw = np.empty((per_step * steps, trajectories), np.uint64)
    noise.draw(generators(Keys.from_seed(seed).dynamics, 0, trajectories), raw)
    u = 1.0 - ((raw >> np.uint64(24)).astype(float) + 0.5) / 2.0**40
    azimuth = ((raw >> np.uint64(1)) & np.uint64(2**23 - 1)).astype(float) + 0.5
    azimuth = np.pi * (azimuth / 2.0**22 - 1.0)
    sign = 1.0 - 2.0 * (raw & np.uint64(1)).astype(float)
    if scheme == "splitting":
        return lambda k: (u[k], azimuth[k], sign[k])
    if scheme == "exact-ft":
        tilt = (raw >> np.uint64(12)).astype(float) / 2.0**51 - 1.0
        return lambda k: (u[2 * k], azimuth[2 * k], tilt[2 * k + 1])
    x = np.sqrt(-2.0 * np.log(u)) * np.cos(azimuth)
    y = np.sqrt(-2.0 * np.log(u)) * np.sin(azimuth)
    return lambda k: (np.column_stack((x[2 * k], y[2 * k], x[2 * k + 1])),)


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_every_path_is_that_of_the_plain_twin(scheme, magnet, protocol):
    steps, count, seed = 57, 300, 8
    tab = tabulate(protocol, steps)
    start = magnet.sample_equilibrium(protocol.initial_field, count, np.random.default_rng(1))
    twin = {
        "splitting": reference.splitting,
        "euler-maruyama": reference.euler_maruyama,
        "exact-ft": reference.exact_ft,
    }[scheme]
    expected = twin(magnet, tab, start, recorded_noise(scheme, seed, count, tab.steps))
    ours = simulate(
        magnet, protocol, trajectories=count, seed=seed, steps=steps, scheme=scheme, initial=start
    )
    # the kernel's great-circle factor is a series, exact to 1e-7 at the angles that occur here
    tolerance = 2e-7 if scheme == "splitting" else 1e-11
    for name in ("work", "heat", "pumped_entropy"):
        assert np.max(np.abs(ours[name].values - getattr(expected, name))) < tolerance, name
    assert np.max(np.abs(ours.final_moment.values - expected.moment)) < 1e-11


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_twin_and_engine_have_the_same_law(scheme, magnet, protocol):
    """MT19937 and equilibrium sampling of the twin's own: nothing shared but the equations."""
    ours = simulate(magnet, protocol, trajectories=60_000, seed=3, steps=40, scheme=scheme)
    twin = reference.simulate(
        magnet, protocol, trajectories=60_000, seed=4, steps=40, scheme=scheme
    )
    for name in ("work", "heat", "pumped_entropy", "energy_change", "entropy_production"):
        a, b = ours[name].values, twin[name].values
        for power in (1, 2):
            x, y = (a - b.mean()) ** power, (b - b.mean()) ** power
            error = np.hypot(x.std(), y.std()) / np.sqrt(x.size)
            assert abs(x.mean() - y.mean()) < Z * error, (name, power)
    assert float(ours.free_energy_change) == pytest.approx(
        float(twin.free_energy_change), rel=1e-13
    )


# --- the same seed, the same bits ---------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_bits_do_not_depend_on_threads_or_on_the_size_of_the_ensemble(scheme, magnet, protocol):
    kwargs = {"seed": 12, "steps": 9, "scheme": scheme, "progress": False}
    small = simulate(magnet, protocol, trajectories=37_123, threads=1, **kwargs)
    large = simulate(magnet, protocol, trajectories=40_000, threads=3, **kwargs)
    tiny = simulate(magnet, protocol, trajectories=10, **kwargs)
    for name in ("work", "heat", "pumped_entropy", "energy_change", "entropy_production"):
        assert np.array_equal(small[name].values, large[name].values[:37_123])
        assert np.array_equal(tiny[name].values, large[name].values[:10])
    assert np.array_equal(small.final_moment.values, large.final_moment.values[:37_123])


def test_bits_do_not_depend_on_the_cut_into_chunks(magnet, protocol, monkeypatch):
    whole = simulate(magnet, protocol, trajectories=3000, seed=5, steps=30, initial="steady_state")
    monkeypatch.setattr("spintherm.trajectories.engine.CHUNK_WORK", 30 * 128)
    cut = simulate(magnet, protocol, trajectories=3000, seed=5, steps=30, initial="steady_state")
    assert np.array_equal(whole.work.values, cut.work.values)
    assert np.array_equal(whole.final_moment.values, cut.final_moment.values)


def test_seeds_differ_and_repeat(magnet, protocol):
    runs = [
        simulate(magnet, protocol, trajectories=50, seed=seed, steps=10).work.values
        for seed in (1, 1, 2, 2**64 - 1)
    ]
    assert np.array_equal(runs[0], runs[1])
    assert not np.any(runs[0] == runs[2])
    assert not np.any(runs[0] == runs[3])


# --- thermodynamics of every path ----------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
@pytest.mark.parametrize("steps", [3, 200])
def test_first_law_on_every_path(scheme, steps, magnet, protocol):
    """Work and heat are accumulated apart, energy is read off the ends: they balance."""
    run = simulate(magnet, protocol, trajectories=2000, seed=1, steps=steps, scheme=scheme)
    balance = run.work + run.heat - run.energy_change
    assert np.max(np.abs(balance)) < 1e-13 * np.sqrt(steps) * 10
    energies = -np.sum(run.final_moment.values * protocol.final_field, axis=1)
    lengths = np.linalg.norm(run.final_moment.values, axis=1)
    assert np.allclose(lengths, magnet.moment, rtol=1e-14)
    start = energies - run.energy_change.values  # -m0.H0, bounded by m|H0|
    assert np.max(np.abs(start)) <= magnet.moment * np.linalg.norm(protocol.initial_field) + 1e-12


def test_entropy_production_puts_work_and_pumped_entropy_together(magnet, protocol):
    run = simulate(magnet, protocol, trajectories=100, seed=1, steps=20)
    change = magnet.free_energy(protocol.final_field) - magnet.free_energy(protocol.initial_field)
    sigma = (run.work - change) / 0.8 + run.pumped_entropy
    assert np.allclose(sigma, run.entropy_production, rtol=1e-13)
    assert float(run.free_energy_change) == pytest.approx(float(change), rel=1e-13)


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_a_jump_of_the_field_does_work_at_fixed_moment(scheme, magnet):
    """Two opposite jumps with nothing else moving: W = -m(t1).DH + m(t2).DH, read off save_at."""
    step = np.array([0.7, -0.4, 1.1])
    protocol = Protocol(1.0, Constant((0.2, 0.5, 0.1)) + Pulse(step, 0.25, 0.75), None)
    run = simulate(
        magnet, protocol, trajectories=500, seed=2, steps=40, scheme=scheme, save_at=[0.25, 0.75]
    )
    first, second = run.moment.values[:, 0], run.moment.values[:, 1]
    work = run.work - run.get("shadow_work", 0.0)  # what exact-ft adds is no work of the jump
    assert np.allclose(work, (second - first) @ step, atol=1e-13)


def test_jumps_at_the_ends_belong_to_the_process(magnet):
    step = np.array([0.0, 0.8, -0.5])
    protocol = Protocol(0.5, Constant((0.1, 0.2, 0.9)) + Pulse(step, 0.0, 0.5), None)
    run = simulate(magnet, protocol, trajectories=400, seed=2, steps=20, save_at=[0.0, 0.5])
    expected = -(run.moment.values[:, 0] - run.final_moment.values) @ step
    assert np.allclose(run.work, expected, atol=1e-13)
    assert np.all(run.running_work.values[:, 0] == 0.0)
    assert float(run.free_energy_change) == 0.0


def test_a_jump_of_the_torque_does_no_work(magnet):
    protocol = Protocol(0.5, (0.1, 0.2, 0.9), Pulse((0.5, 0, 0.3), 0.2, 0.3))
    calm = Protocol(0.5, (0.1, 0.2, 0.9), None)
    run = simulate(magnet, protocol, trajectories=100, seed=1, steps=50, save_at=[0.2])
    rest = simulate(magnet, calm, trajectories=100, seed=1, steps=50, save_at=[0.2])
    assert np.allclose(run.running_work, 0.0, atol=1e-15)
    assert np.allclose(rest.work, 0.0, atol=1e-15)
    assert np.all(np.abs(run.work.values) > 1e-6)


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_saved_functionals_end_in_the_totals(scheme, magnet, protocol):
    times = [0.0, 0.1, 0.31, 0.44, 0.9]
    run = simulate(
        magnet, protocol, trajectories=200, seed=6, steps=30, scheme=scheme, save_at=times
    )
    assert run.time.values.tolist() == times
    for name in ("work", "heat", "pumped_entropy", "energy_change"):
        saved = run[f"running_{name}"].values
        assert np.all(saved[:, 0] == 0.0)
        assert np.allclose(saved[:, -1], run[name], atol=1e-13)
    assert np.array_equal(run.moment.values[:, -1], run.final_moment.values)
    balance = run.running_work + run.running_heat - run.running_energy_change
    assert np.max(np.abs(balance)) < 1e-12


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_saving_on_step_boundaries_changes_nothing_but_rounding(scheme, magnet):
    """`splitting` carries the state just after a noise, and makes an end where one is asked for.

    Each of the 32 steps rounds a handful of numbers of order one: 1e-14 together, at most.
    """
    protocol = Protocol(1.0, Ramp((0, 0, 1), (1, 0, 0), 1.0), (0.2, 0.1, 0))
    options = {"trajectories": 300, "seed": 6, "steps": 32, "scheme": scheme}
    plain = simulate(magnet, protocol, **options)
    saved = simulate(magnet, protocol, save_at=[0.25, 0.5, 0.75], **options)
    for name in ("work", "heat", "pumped_entropy", "final_moment"):
        off = np.max(np.abs(plain[name].values - saved[name].values))
        assert off <= (5e-14 if scheme == "splitting" else 0.0), name


# --- exact results --------------------------------------------------------------------------------

# From a spectral solution of the Fokker-Planck equation that shares nothing with this package:
# <Sigma> and <exp(-beta (W - dF))> of paper [I]'s processes at |m| = sqrt(3).
EXACT = {
    "a blue": ((0.1, (0, 0, -1), (0, 0, 1)), 1.883584, 0.92022),
    "a orange": ((1.0, (0, 0, -1), (0, 0, 1)), 3.567954, 0.49345),
    "c orange": ((1.0, (0, 0, -1), (0, 1, 0)), 2.481388, 0.94794),
}


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
@pytest.mark.parametrize("process", EXACT)
def test_means_of_paper_one(process, scheme):
    arguments, sigma, jarzynski = EXACT[process]
    count = 400_000 if scheme == "splitting" else 100_000
    run = simulate(PAPER, table_one(*arguments), trajectories=count, seed=21, scheme=scheme)
    bias = run.step_bias.sel(estimate="entropy_production").item()
    error = run.step_bias_error.sel(estimate="entropy_production").item()
    assert_mean(run.entropy_production, sigma, bias, error)
    weights = np.exp(-(run.work - run.free_energy_change))
    assert_mean(weights, jarzynski)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_integral_theorem_far_from_the_papers(seed):
    """Random magnets with m, gamma0, eta, T unlike one, tilted unequal fields and torques."""
    rng = np.random.default_rng(seed)
    magnet = Magnet(*rng.uniform(0.5, 1.5, 2), rng.uniform(0.2, 0.8), rng.uniform(0.6, 1.8))
    fields = rng.normal(size=(2, 3)) * 0.8
    protocol = Protocol(
        0.7, Ramp(fields[0], fields[1], 0.7), Triangle(0.6 * rng.normal(size=3), 0.7)
    )
    run = simulate(magnet, protocol, trajectories=300_000, seed=seed)
    index = {"estimate": "exp(-entropy_production)"}
    assert_mean(
        np.exp(-run.entropy_production),
        1.0,
        run.step_bias.sel(index).item(),
        run.step_bias_error.sel(index).item(),
    )


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_free_diffusion_forgets_its_direction_as_it_should(scheme):
    """H = P = 0: <n(t).n(0)> = e^(-2 eta T t), the second harmonic e^(-6 eta T t)."""
    magnet = Magnet(2.0, 1.0, 0.7, 0.6)
    start = np.array([0.6, 0.0, 0.8])
    times = np.array([0.2, 0.5, 1.0])
    run = simulate(
        magnet,
        Protocol(1.0, None, None),
        trajectories=200_000,
        seed=4,
        steps=20 if scheme == "splitting" else 1000,
        scheme=scheme,
        initial=start,
        save_at=times,
    )
    c = run.moment.values @ start / magnet.moment
    for place, t in enumerate(times):
        decay = np.exp(-2.0 * 0.42 * t)
        assert_mean(c[:, place], decay, bias=0.0 if scheme == "splitting" else 1e-3 * decay)
        second = 1.5 * c[:, place] ** 2 - 0.5
        assert_mean(second, decay**3, bias=1e-3 * decay)


def test_zero_temperature_follows_the_exact_orbit():
    """P || H: cos theta = tanh(eta m H' t + artanh c0), phi = gamma0 (1 - alpha delta) H t."""
    m, gamma, eta, H, P = 1.4, 1.3, 0.3, 0.9, 0.25
    magnet = Magnet(m, gamma, eta, 0.0)
    theta, phi = 2.3, 0.4
    start = [np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)]
    times = np.array([0.5, 1.5, 4.0])
    run = simulate(
        magnet, Protocol(4.0, (0, 0, H), (0, 0, P)), trajectories=3, seed=1, steps=64,
        initial=start, save_at=times,
    )  # fmt: skip
    alpha, delta = m * P / H, m * eta / gamma
    polar = np.tanh(eta * m * H * (1.0 + alpha / delta) * times + np.arctanh(np.cos(theta)))
    azimuth = phi + gamma * (1.0 - alpha * delta) * H * times
    n = run.moment.values[0] / m
    assert np.allclose(n[:, 2], polar, atol=1e-13)
    planar = np.sqrt(1.0 - polar**2)
    assert np.allclose(n[:, 0], planar * np.cos(azimuth), atol=1e-13)
    assert np.allclose(n[:, 1], planar * np.sin(azimuth), atol=1e-13)
    assert np.all(np.isnan(run.entropy_production))


def test_undamped_motion_exchanges_no_heat():
    """eta = 0: W = dE on every path, to second order in the step."""
    magnet = Magnet(1.2, 0.9, 0.0, 0.7)
    protocol = Protocol(1.0, Ramp((0, 0, 1), (0.5, -0.4, 0.2), 1.0), Triangle((0.3, 0.6, 0.1), 1.0))
    heats = [
        np.abs(simulate(magnet, protocol, trajectories=200, seed=1, steps=n).heat.values).max()
        for n in (50, 100)
    ]
    assert heats[1] < 1e-3
    assert heats[0] / heats[1] == pytest.approx(4.0, rel=0.15)


# --- initial states -------------------------------------------------------------------------------


@pytest.mark.parametrize("strength", [0.0, 1e-9, 0.3, 4.0, 300.0])
def test_equilibrium_start_is_sampled_exactly(strength):
    magnet = Magnet(1.5, 1.0, 0.5, 0.5)
    axis = np.array([0.48, -0.6, 0.64])
    protocol = Protocol(1e-9, strength * axis, None)
    run = simulate(magnet, protocol, trajectories=200_000, seed=9, steps=1, save_at=[0.0])
    n = run.moment.values[:, 0] / magnet.moment
    nu = strength * 3.0
    c = n @ axis
    langevin = nu / 3.0 if nu < 1e-3 else 1.0 / np.tanh(nu) - 1.0 / nu
    assert_mean(c, langevin)
    second = 1.0 / 3.0 if nu < 1e-3 else 1.0 - 2.0 * langevin / nu
    assert_mean(c**2, second)
    across = n - c[:, None] * axis
    for component in across.T:
        assert_mean(component, 0.0)


@pytest.mark.parametrize(
    ("field", "torque"),
    [((0, 0, 0.8), (0, 0, -0.3)), ((0.6, 0.0, 0.7), (0.2, -0.5, 0.3)), ((0, 0, 0), (0.5, 0, 0))],
)
def test_steady_state_start_is_stationary(field, torque):
    """The mean moment neither moves afterwards nor depends on how long one waits."""
    magnet = Magnet(1.5, 1.2, 0.5, 0.7)
    protocol = Protocol(2.0, field, torque)
    run = simulate(
        magnet,
        protocol,
        trajectories=200_000,
        seed=3,
        initial="steady_state",
        save_at=[0.0, 0.5, 2.0],
    )
    moments = run.moment.values
    for later in (1, 2):
        for component in range(3):
            assert_mean(moments[:, later, component] - moments[:, 0, component], 0.0, bias=3e-4)


def test_collinear_steady_state_has_its_closed_form():
    magnet = Magnet(1.5, 1.2, 0.5, 0.7)
    run = simulate(
        magnet, Protocol(1.0, (0, 0, 0.8), (0, 0, 0.3)), trajectories=100_000, seed=3,
        initial="steady_state",
    )  # fmt: skip
    xi = 1.5 * (0.8 + 1.2 / 0.5 * 0.3) / 0.7
    mean = 1.5 * (1.0 / np.tanh(xi) - 1.0 / xi)
    assert_mean(run.final_moment[:, 2], mean, bias=3e-4)
    assert_mean(run.pumped_entropy, 2 * 1.2 * mean * 0.3, bias=3e-4)


def test_initial_directions_and_arrays(magnet):
    still = Protocol(1e-12, (0, 0, 1), None)
    one = simulate(magnet, still, trajectories=4, seed=1, steps=1, initial=[0, 3.0, 4.0])
    assert np.allclose(one.final_moment, 1.3 * np.array([0, 0.6, 0.8]), atol=1e-5)
    given = np.random.default_rng(0).normal(size=(4, 3))
    each = simulate(magnet, still, trajectories=4, seed=1, steps=1, initial=given)
    unit = given / np.linalg.norm(given, axis=1, keepdims=True)
    assert np.allclose(each.final_moment, 1.3 * unit, atol=1e-5)


# --- steps and their bias ------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEME_NAMES)
def test_the_step_bias_is_measured_right(scheme):
    """A run with few steps is off the exact mean by what it says, within its errors."""
    arguments, exact, _ = EXACT["a orange"]
    steps = 30 if scheme == "euler-maruyama" else 6
    run = simulate(
        PAPER, table_one(*arguments), trajectories=1_000_000, seed=2, steps=steps, scheme=scheme
    )
    sigma = run.entropy_production.values
    bias = run.step_bias.sel(estimate="entropy_production").item()
    error = run.step_bias_error.sel(estimate="entropy_production").item()
    statistical = sigma.std() / 1000.0
    assert abs(bias) > 5.0 * error, "the case must have a visible bias"
    # a quarter of the bias is allowed for the next order in h, which the estimate neglects
    assert abs(sigma.mean() - exact - bias) < Z * np.hypot(statistical, error) + 0.25 * abs(bias)
    assert abs(sigma.mean() - exact) > 5.0 * statistical


@pytest.mark.parametrize(
    ("scheme", "order"), [("splitting", 2), ("euler-maruyama", 1), ("exact-ft", 2)]
)
def test_bias_falls_with_the_order_of_the_scheme(scheme, order):
    steps = {"splitting": (5, 20), "euler-maruyama": (30, 120), "exact-ft": (5, 20)}[scheme]
    protocol = table_one(*EXACT["a orange"][0])
    runs = [
        simulate(PAPER, protocol, trajectories=10, seed=7, steps=n, scheme=scheme) for n in steps
    ]
    coarse, fine = (run.step_bias.sel(estimate="entropy_production").item() for run in runs)
    errors = [run.step_bias_error.sel(estimate="entropy_production").item() for run in runs]
    assert abs(coarse) > 5.0 * errors[0]
    assert abs(fine - coarse / 4.0**order) < Z * np.hypot(*errors) + 0.3 * abs(coarse) / 4.0**order


@pytest.mark.parametrize("name", ["splitting", "exact-ft"])
def test_weak_order_two_by_sampling_with_the_twin_of_halved_steps(name, magnet, protocol):
    """The coarse paths of the pilot obey the law of a plain coarse run, in mean and variance."""
    steps, count = 8, 200_000
    scheme = SCHEMES[name]
    coarse = tabulate(protocol, steps)
    middles = 0.5 * (coarse.times[:-1] + coarse.times[1:])
    fine = tabulate(protocol, 2 * coarse.steps, at=np.sort(np.append(coarse.times, middles)))
    assert fine.steps == 2 * coarse.steps
    keys = Keys.from_seed(1)
    state = np.zeros((6, count))
    state[:3] = np.array([[0.6], [0.0], [0.8]])
    ends = state.copy(), state.copy()
    tables = table(magnet, coarse, scheme), table(magnet, fine, scheme)
    streams = generators(keys.pilot, 0, count)
    scheme.couple(
        *ends, streams, tables[0].constants, tables[1].constants, tables[0].jumps, tables[1].jumps
    )
    plain = simulate(
        magnet, protocol, trajectories=count, seed=2, steps=steps, initial=(0.6, 0.0, 0.8),
        scheme=name,
    )  # fmt: skip
    ensemble.apply_jump(ends[0], tables[0].jumps[-1])
    for row, functional in ((3, "work"), (4, "heat"), (5, "pumped_entropy")):
        a, b = ends[0][row], plain[functional].values
        centre = b.mean()
        for power in (1, 2, 3):
            x, y = (a - centre) ** power, (b - centre) ** power
            error = np.hypot(x.std(), y.std()) / np.sqrt(count)
            assert abs(x.mean() - y.mean()) < Z * error, (functional, power)
    assert np.corrcoef(ends[0][3], ends[1][3])[0, 1] > 0.95


def test_steps_are_chosen_from_the_fastest_rate(magnet):
    slow = Protocol(1.0, (0, 0, 1.0), None)
    fast = Protocol(1.0, (0, 0, 100.0), None)
    assert default_steps(magnet, fast) == np.ceil(1.7 * 100 / 0.05)
    assert default_steps(magnet, fast, "euler-maruyama") == np.ceil(1.7 * 100 / 0.002)
    run = simulate(magnet, slow, trajectories=3, seed=1)
    assert run.attrs["steps"] == default_steps(magnet, slow)
    with pytest.raises(ValueError, match="steps=None would mean"):
        simulate(magnet, Protocol(1e6, (0, 0, 100.0), None), trajectories=3, seed=1)


def test_the_papers_own_step_is_possible():
    """[II] SI III: dt = 1e-5, 50 000 steps."""
    protocol = Protocol(0.5, (0, 0, 1.0), (0, 0, 0.5))
    run = simulate(
        PAPER, protocol, trajectories=128, seed=1, steps=50_000, scheme="euler-maruyama",
        initial="steady_state",
    )  # fmt: skip
    assert run.attrs["steps"] == 50_000
    assert np.max(np.abs(run.work + run.heat - run.energy_change)) < 1e-11
    assert np.abs(run.step_bias.sel(estimate="entropy_production").item()) < 1e-4


# --- bad input, progress, interruption -----------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trajectories": 0}, "trajectories=0"),
        ({"trajectories": 2.5}, "trajectories=2.5"),
        ({"seed": -1}, "seed=-1"),
        ({"seed": None}, "seed=None"),
        ({"steps": 0}, "steps=0"),
        ({"scheme": "heun"}, "scheme='heun': expected one of 'splitting', 'euler-maruyama'"),
        ({"initial": "cold"}, "initial='cold'"),
        ({"initial": [1.0, 2.0]}, "initial"),
        ({"initial": [0.0, 0.0, 0.0]}, "length zero"),
        ({"initial": [np.nan, 0, 1]}, "initial"),
        ({"save_at": [0.5, 0.2]}, "save_at"),
        ({"save_at": [0.5, 7.0]}, "save_at"),
        ({"threads": 0}, "threads=0"),
        ({"progress": 3}, "progress=3"),
        ({"magnet": "iron"}, "magnet='iron'"),
        ({"protocol": None}, "protocol=None"),
    ],
)
def test_bad_input_is_named(change, message, magnet, protocol):
    arguments = {"magnet": magnet, "protocol": protocol, "trajectories": 4, "seed": 1, **change}
    with pytest.raises((ValueError, TypeError)) as error:
        simulate(arguments.pop("magnet"), arguments.pop("protocol"), **arguments)
    assert message in str(error.value)


def test_states_without_meaning_are_refused():
    with pytest.raises(ValueError, match="no unique steady state"):
        simulate(Magnet(1, 1, 0, 1), Protocol(1, (0, 0, 1), None), trajectories=1, seed=1,
                 initial="steady_state")  # fmt: skip
    with pytest.raises(ValueError, match="ground state"):
        simulate(Magnet(1, 1, 1, 0), Protocol(1, None, None), trajectories=1, seed=1)


def test_progress_counts_to_the_end(magnet, protocol):
    seen = []
    simulate(
        magnet, protocol, trajectories=50_000, seed=1, steps=5,
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert seen[-1] == (50_000, 50_000)
    assert all(a[0] < b[0] for a, b in pairwise(seen))


def test_interruption_stops_and_is_passed_on(magnet, protocol):
    def interrupt(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(magnet, protocol, trajectories=500_000, seed=1, steps=20, progress=interrupt)


def test_result_is_labelled_and_survives_a_file(magnet, protocol, tmp_path):
    import xarray as xr

    run = simulate(magnet, protocol, trajectories=20, seed=7, save_at=[0.3])
    path = tmp_path / "run.nc"
    run.to_netcdf(path, engine="h5netcdf")
    with xr.open_dataset(path, engine="h5netcdf") as back:
        xr.testing.assert_identical(back.load().drop_attrs(), run.drop_attrs())
        assert back.attrs["seed"] == "7"
        assert Magnet(**{k: back.attrs[k] for k in magnet.to_dict()}) == magnet
    assert run.work.attrs["units"] == "energy"
    assert "[I] 3.3a" in run.work.attrs["long_name"]


def test_samples_drive_like_the_ramp_they_follow(magnet):
    ramp = Protocol(1.0, Ramp((0, 0, 1), (1, 0, 0), 1.0), None)
    sampled = Protocol(1.0, Samples([0.0, 0.5, 1.0], [(0, 0, 1), (0.5, 0, 0.5), (1, 0, 0)]), None)
    a = simulate(magnet, ramp, trajectories=100, seed=1, steps=20)
    b = simulate(magnet, sampled, trajectories=100, seed=1, steps=20)
    assert np.allclose(a.work, b.work, atol=1e-12)
