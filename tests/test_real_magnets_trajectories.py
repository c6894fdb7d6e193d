"""Trajectories of magnets with anisotropy, asymmetric torques, two polarisers, field-like torque.

Statistical tests allow Z = 4.5 standard errors, a false alarm in 150 000 comparisons; seeds are
fixed. m, gamma0 and T differ from one; fields, axes and polarisers are tilted.
"""

import json
import re
from dataclasses import replace
from functools import cache

import numba
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from real_magnets_oracle import TiltedGenerator, equilibrium_weights
from sphere_oracle import sphere_nodes
from spintherm import (
    Anisotropy,
    Constant,
    Magnet,
    Polariser,
    Protocol,
    Pulse,
    Ramp,
    TorqueEfficiency,
    multilevel_means,
    reference,
    simulate,
    simulate_statistics,
)
from spintherm.kernels import ensemble, local_ensemble
from spintherm.kernels.local_fields import pull
from spintherm.tabulate import fastest_rate, fields_at_ends, tabulate, with_field_of_current
from spintherm.trajectories.bias import halved
from spintherm.trajectories.engine import Keys, generators, table
from spintherm.trajectories.initial import initial_state
from spintherm.trajectories.local import Local, centred, gradient_coefficients, scheme_for
from spintherm.trajectories.thermodynamics import free_energy_change
from test_simulate import recorded_noise

Z = 4.5
TWO = (
    Polariser((0.3, 0.2, 1.0), TorqueEfficiency.slonczewski(1.6), 1.0, 0.3),
    Polariser((1.0, -0.4, 0.1), TorqueEfficiency.polynomial((1.0, 0.5, -0.7)), -0.7, 0.1),
)
AXIS = TWO[0].vector
MAGNET = Magnet(1.3, 1.7, 0.4, 0.8, Anisotropy.uniaxial(0.9, (1.0, 2.0, 3.0)), TWO)
CUBIC = replace(MAGNET, anisotropy=MAGNET.anisotropy + Anisotropy.cubic(-0.8))
TAU = 0.7
PROTOCOL = Protocol(
    TAU, Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), TAU), Ramp(0.9 * AXIS, -0.5 * AXIS, TAU)
)
JUMPS = Protocol(
    TAU,
    Constant((0.3, -0.2, 0.9)) + Pulse((-0.6, 0.7, -0.8), 0.3 * TAU, 0.8 * TAU),
    Ramp(0.4 * AXIS, -0.5 * AXIS, TAU) + Pulse(0.6 * AXIS, 0.5 * TAU, 9.0),
)
QUIET = {"progress": False, "threads": 1}


@cache
def exact():
    """<W>, <S_P>, <W^2>, <W S_P>, <exp(-beta W)> of MAGNET and PROTOCOL."""
    return TiltedGenerator(MAGNET, 11).moments_of(PROTOCOL)


# --- path by path against the twin --------------------------------------------------------------


@pytest.mark.parametrize("magnet", [MAGNET, CUBIC], ids=["uniaxial", "quartic"])
def test_every_euler_maruyama_path_is_that_of_the_plain_twin(magnet):
    count, seed = 200, 8
    tab = with_field_of_current(magnet, JUMPS, tabulate(JUMPS, 40))
    start = magnet.sample_equilibrium(tab.initial_field, count, np.random.default_rng(1))
    noise = recorded_noise("euler-maruyama", seed, count, tab.steps)
    twin = reference.local_euler_maruyama(magnet, tab, start, noise)
    ours = simulate(
        magnet, JUMPS, trajectories=count, seed=seed, steps=40, scheme="euler-maruyama",
        initial=start, **QUIET,
    )  # fmt: skip
    for name in ("work", "heat", "pumped_entropy"):
        assert np.max(np.abs(ours[name].values - getattr(twin, name))) < 1e-11, name
    assert np.max(np.abs(ours.final_moment.values - twin.moment)) < 1e-11


def test_splitting_paths_approach_those_of_the_twin():
    """Another second-order drift under the same noise: moments differ as h^2.

    Work differs less regularly, about as h^1.5, because the Levy term takes sigma from other points
    of the step. The median, for the frame of the noise jumps where n_z passes through zero.
    """
    count, seed, gaps = 400, 5, []
    for steps in (20, 40, 80):
        tab = with_field_of_current(MAGNET, JUMPS, tabulate(JUMPS, steps))
        start = MAGNET.sample_equilibrium(tab.initial_field, count, np.random.default_rng(1))
        noise = recorded_noise("splitting", seed, count, tab.steps)
        twin = reference.local_splitting(MAGNET, tab, start, noise)
        ours = simulate(
            MAGNET, JUMPS, trajectories=count, seed=seed, steps=steps, initial=start, **QUIET
        )
        apart = np.linalg.norm(ours.final_moment.values - twin.moment, axis=1)
        work = np.abs(ours.work.values - twin.work)
        pumped = np.abs(ours.pumped_entropy.values - twin.pumped_entropy)
        gaps.append([np.median(apart), np.median(work), np.median(pumped)])
    orders = np.log2(np.array(gaps[0]) / gaps[-1]) / 2.0
    assert gaps[-1][0] < 2e-3
    assert np.all(orders > (1.7, 1.0, 1.7)), (orders, gaps)


# --- without noise ------------------------------------------------------------------------------


def cold(magnet, **changes):
    return replace(magnet, temperature=0.0, **changes)


def solution(magnet, protocol, start):
    """Moment, work and pumped entropy by SciPy from `Magnet.drift`, at T = 0."""

    def rates(t, y):
        m = y[:3]
        H, P = protocol.field(t), protocol.spin_torque(t)
        v = magnet.drift(m, H, P)
        e = 1e-6
        before, after = max(t - e, 0.0), min(t + e, protocol.duration)
        fields = [protocol.field(x) + magnet.field_of_current(protocol.spin_torque(x))
                  for x in (before, after)]  # fmt: skip
        slope = (fields[1] - fields[0]) / (after - before)
        work = -m @ slope + np.cross(m, magnet.local_spin_torque(m, P)) @ v
        return np.array([*v, work, float(magnet.pumped_entropy_rate(m, P))])

    begin = np.array([*start, 0.0, 0.0])
    return solve_ivp(
        rates, (0.0, protocol.duration), begin, method="DOP853", rtol=1e-11, atol=1e-12
    ).y[:, -1]


@pytest.mark.parametrize("magnet", [MAGNET, CUBIC], ids=["uniaxial", "quartic"])
@pytest.mark.parametrize(("scheme", "order"), [("splitting", 2), ("euler-maruyama", 1)])
def test_order_at_temperature_zero(magnet, scheme, order):
    """Moment, work and pumped entropy against `solve_ivp`: errors fall by 2^order."""
    frozen = cold(magnet)
    start = frozen.moment * np.array([0.6, 0.0, 0.8])
    right = solution(frozen, PROTOCOL, start)
    errors = []
    for steps in (64, 128, 256):
        run = simulate(
            frozen, PROTOCOL, trajectories=1, seed=1, steps=steps, scheme=scheme, initial=start,
            **QUIET,
        )  # fmt: skip
        found = [*run.final_moment.values[0], run.work.item(), run.pumped_entropy.item()]
        errors.append(np.abs(np.array(found) - right))
        assert abs(run.work.item() + run.heat.item() - run.energy_change.item()) < 1e-13
    total = np.linalg.norm(np.array(errors)[:, :3], axis=1), *np.array(errors)[:, 3:].T
    for row in total:
        assert abs(np.log2(row[1] / row[2]) - order) < 0.2, (row, order)
    if order == 2:
        assert total[0][-1] < 1e-4


@pytest.mark.parametrize(
    "anisotropy",
    [
        Anisotropy.uniaxial(1.5, (1.0, 0.5, 2.0)),
        Anisotropy.biaxial(1.0, 0.6, (2.0, 1.0, 2.0), (1.0, -2.0, 0.0)),
        Anisotropy.cubic(1.0, 0.7),
    ],
    ids=["uniaxial", "biaxial", "cubic"],
)
def test_precession_without_damping_keeps_the_energy(anisotropy):
    """E is conserved by the equation; the scheme loses it no faster than h^2."""
    magnet = replace(MAGNET, damping=0.0, anisotropy=anisotropy)
    protocol = Protocol(6.0, (0.2, -0.3, 0.4))
    lost = []
    for steps in (100, 200):
        run = simulate(magnet, protocol, trajectories=64, seed=2, steps=steps, **QUIET)
        assert np.array_equal(run.work.values, np.zeros(64))
        lost.append(np.abs(run.energy_change.values).max())
    assert lost[1] < 2e-3
    assert np.log2(lost[0] / lost[1]) > 1.8


def test_precession_about_an_easy_axis_keeps_the_component_along_it():
    """Without damping and with H along the axis n.u is constant, in the scheme to rounding."""
    u = np.array([1.0, 2.0, 2.0]) / 3.0
    magnet = replace(MAGNET, damping=0.0, anisotropy=Anisotropy.uniaxial(2.0, u))
    start = np.array([0.6, 0.0, 0.8])
    run = simulate(
        magnet, Protocol(5.0, 0.7 * u), trajectories=1, seed=1, steps=200, initial=start, **QUIET
    )
    assert abs(run.final_moment.values[0] @ u / 1.3 - start @ u) < 1e-13


# --- theorems and exact values ------------------------------------------------------------------


@pytest.mark.parametrize(("scheme", "steps"), [("splitting", 24), ("euler-maruyama", 200)])
def test_means_and_variances_are_those_of_the_tilted_generator(scheme, steps):
    W, S, WW, WS, J = exact()
    change = free_energy_change(MAGNET, PROTOCOL)
    run = simulate(
        MAGNET, PROTOCOL, trajectories=400_000, seed=3, steps=steps, scheme=scheme, progress=False
    )
    bias = dict(zip(run.estimate.values, run.step_bias.values, strict=True))
    doubt = dict(zip(run.estimate.values, run.step_bias_error.values, strict=True))
    w, s = run.work.values, run.pumped_entropy.values
    sigma = (W - change) / MAGNET.temperature + S
    for name, right in (("work", W), ("pumped_entropy", S), ("entropy_production", sigma)):
        error = np.hypot(run[name].values.std() / np.sqrt(w.size), doubt[name])
        off = run[name].values.mean() - right - bias[name]
        assert abs(off) < Z * error + 0.25 * abs(bias[name]), name
    assert run.free_energy_change.item() == pytest.approx(change, rel=1e-12)
    if scheme == "splitting":
        dw, ds = w - w.mean(), s - s.mean()
        for values, right in ((dw * dw, WW - W * W), (dw * ds, WS - W * S)):
            # 3e-3: the step's bias of these at 24 steps is a tenth of it or less
            assert abs(values.mean() - right) < Z * values.std() / np.sqrt(w.size) + 3e-4
        weights = np.exp(-MAGNET.beta * w)
        assert abs(weights.mean() - J) < Z * weights.std() / np.sqrt(w.size) + 3e-4


@pytest.mark.parametrize("magnet", [MAGNET, CUBIC], ids=["uniaxial", "quartic"])
@pytest.mark.parametrize("protocol", [PROTOCOL, JUMPS], ids=["ramps", "jumps"])
def test_integral_fluctuation_theorem(magnet, protocol):
    """<exp(-beta W - S_P + beta dF)> = 1 for every energy and every g."""
    run = simulate(magnet, protocol, trajectories=200_000, seed=11, steps=64, progress=False)
    weights = np.exp(-run.entropy_production.values)
    error = weights.std() / np.sqrt(weights.size)
    assert error < 0.02
    assert abs(weights.mean() - 1.0) < Z * error
    # the theorem has teeth here: the pumped entropy is no small part
    without = np.exp(-run.entropy_production.values + run.pumped_entropy.values)
    assert abs(without.mean() - 1.0) > 5.0 * without.std() / np.sqrt(weights.size)


def test_the_backward_process_is_that_of_the_reversed_magnet():
    """The detailed theorem by Crooks' average: <f e^-Sigma>_F = <f(-W, -S_P)>_B."""
    forward = simulate(MAGNET, PROTOCOL, trajectories=400_000, seed=21, steps=48, progress=False)
    backward = simulate(
        MAGNET.reversed(), PROTOCOL.reversed(), trajectories=400_000, seed=22, steps=48,
        progress=False,
    )  # fmt: skip
    weight = np.exp(-forward.entropy_production.values)
    for name in ("work", "pumped_entropy"):
        one, two = weight * forward[name].values, -backward[name].values
        error = np.hypot(one.std(), two.std()) / np.sqrt(one.size)
        assert abs(one.mean() - two.mean()) < Z * error + 1e-3, name
    change = free_energy_change(MAGNET, PROTOCOL)
    assert backward.free_energy_change.item() == pytest.approx(-change, rel=1e-10)


@pytest.mark.parametrize(
    "anisotropy",
    [Anisotropy.uniaxial(2.5, (1.0, 2.0, 3.0)),
     Anisotropy.biaxial(1.5, 1.0) + Anisotropy.cubic(1.0, -2.0)],
    ids=["uniaxial", "sextic"],
)  # fmt: skip
def test_equilibrium_is_drawn_exactly_and_stays(anisotropy):
    """Means of n_i and n_i n_j against quadrature, at the start and after two relaxation times."""
    magnet = replace(MAGNET, anisotropy=anisotropy)
    H = np.array([0.1, -0.2, 0.15])
    nodes, weights = sphere_nodes()
    law = equilibrium_weights(magnet, H, nodes, weights)
    run = simulate(
        magnet, Protocol(3.0, H), trajectories=200_000, seed=4, steps=120, save_at=[0.0, 3.0],
        progress=False,
    )  # fmt: skip
    for place in range(2):
        n = run.moment.values[:, place] / magnet.moment
        assert np.abs(np.linalg.norm(n, axis=1) - 1.0).max() < 1e-12
        for functions in (lambda x: x, lambda x: (x[:, :, None] * x[:, None, :]).reshape(-1, 9)):
            found, right = functions(n), law @ functions(nodes)
            error = found.std(axis=0) / np.sqrt(len(n))
            assert np.all(np.abs(found.mean(axis=0) - right) < Z * error + 2e-4), (place, right)


# --- bookkeeping and bits -----------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["splitting", "euler-maruyama"])
def test_first_law_on_every_path(scheme):
    """Also at saved times; heat and work are booked apart, the energies are the magnet's own."""
    run = simulate(
        CUBIC, JUMPS, trajectories=500, seed=6, steps=300, scheme=scheme,
        save_at=[0.0, 0.1, 0.5 * TAU, TAU], **QUIET,
    )  # fmt: skip
    assert np.abs(run.work + run.heat - run.energy_change).max() < 1e-12
    gap = run.running_work + run.running_heat - run.running_energy_change
    assert np.abs(gap).max() < 1e-12
    first, last = fields_at_ends(CUBIC, JUMPS)
    change = CUBIC.energy(run.final_moment.values, last) - CUBIC.energy(
        run.moment.values[:, 0], first
    )
    assert np.abs(change - run.energy_change.values).max() < 1e-12
    assert np.abs(run.running_work[:, -1] - run.work).max() == 0.0


@pytest.mark.parametrize("scheme", ["splitting", "euler-maruyama"])
def test_bits_do_not_depend_on_threads_or_on_the_size_of_the_ensemble(scheme):
    kwargs = {"seed": 12, "steps": 9, "scheme": scheme, "progress": False}
    small = simulate(CUBIC, PROTOCOL, trajectories=17_123, threads=1, **kwargs)
    large = simulate(CUBIC, PROTOCOL, trajectories=20_000, threads=3, **kwargs)
    for name in ("work", "heat", "pumped_entropy", "energy_change", "final_moment"):
        assert np.array_equal(small[name].values, large[name].values[:17_123]), name


def test_saving_changes_no_bit():
    """Where a call of the kernel ends is not seen: what `splitting` remembers is kept."""
    kwargs = {"trajectories": 300, "seed": 12, **QUIET}
    times = tabulate(PROTOCOL, 40).times[[3, 11, 12, 40]]
    plain = simulate(CUBIC, PROTOCOL, steps=40, **kwargs)
    saved = simulate(CUBIC, PROTOCOL, steps=40, save_at=times, **kwargs)
    assert saved.attrs["steps"] == plain.attrs["steps"]
    for name in ("work", "heat", "pumped_entropy", "energy_change", "final_moment"):
        assert np.allclose(plain[name].values, saved[name].values, rtol=0, atol=1e-12), name


def test_the_coarse_paths_of_the_pilot_have_the_law_of_a_plain_run():
    steps, count = 8, 100_000
    scheme = scheme_for(MAGNET, "splitting")
    coarse = with_field_of_current(MAGNET, JUMPS, tabulate(JUMPS, steps))
    fine = halved(MAGNET, JUMPS, coarse)
    state = np.zeros((6, count))
    state[:3] = np.array([[0.6], [0.0], [0.8]])
    ends = state.copy(), state.copy()
    tables = [table(MAGNET, one, scheme) for one in (coarse, fine)]
    streams = generators(Keys.from_seed(1).pilot, 0, count)
    scheme.couple(
        *ends, streams, tables[0].constants, tables[1].constants, tables[0].jumps, tables[1].jumps
    )
    ensemble.apply_jump(ends[0], tables[0].jumps[-1])
    plain = simulate(
        MAGNET, JUMPS, trajectories=count, seed=2, steps=steps, initial=(0.6, 0.0, 0.8),
        progress=False,
    )  # fmt: skip
    for row, functional in ((3, "work"), (4, "heat"), (5, "pumped_entropy")):
        a, b = ends[0][row], plain[functional].values
        for power in (1, 2, 3):
            x, y = (a - b.mean()) ** power, (b - b.mean()) ** power
            error = np.hypot(x.std(), y.std()) / np.sqrt(count)
            assert abs(x.mean() - y.mean()) < Z * error, (functional, power)
    assert np.corrcoef(ends[0][3], ends[1][3])[0, 1] > 0.95


# --- the other doors ----------------------------------------------------------------------------


def test_streaming_tolerance_and_multilevel_take_real_magnets():
    run = simulate(MAGNET, PROTOCOL, trajectories=5000, seed=1, steps=16, **QUIET)
    streamed = simulate_statistics(MAGNET, PROTOCOL, trajectories=5000, seed=1, steps=16, **QUIET)
    assert streamed["mean"].sel(functional="work").item() == pytest.approx(run.work.mean().item())
    chosen = simulate(MAGNET, PROTOCOL, trajectories=20_000, seed=1, tolerance=0.5, **QUIET)
    assert chosen.attrs["tolerance_ratio"] <= 0.5
    sums = multilevel_means(MAGNET, PROTOCOL, error=0.02, seed=1, progress=False, threads=2)
    W, S, *_ = exact()
    right = (W - free_energy_change(MAGNET, PROTOCOL)) / MAGNET.temperature + S
    found = sums["mean"].sel(estimate="entropy_production").item()
    assert abs(found - right) < Z * 0.02


def test_the_record_holds_the_magnet(tmp_path):
    run = simulate(CUBIC, PROTOCOL, trajectories=10, seed=1, steps=4, **QUIET)
    numbers = {name: run.attrs[name] for name in
               ("moment", "gyromagnetic_ratio", "damping", "temperature")}  # fmt: skip
    words = {name: json.loads(run.attrs[name]) for name in ("anisotropy", "polarisers")}
    assert Magnet.from_dict(numbers | words) == CUBIC


def test_equilibrium_at_temperature_zero_is_refused():
    with pytest.raises(ValueError, match="several ground states"):
        simulate(cold(MAGNET), PROTOCOL, trajectories=2, seed=1, steps=4, **QUIET)


def test_kernels_of_uniform_magnets_refuse_others():
    with pytest.raises(ValueError, match="expected a magnet without anisotropy"):
        table(MAGNET, tabulate(PROTOCOL, 4), scheme_for(Magnet(1.0, 1.0, 0.5, 1.0), "splitting"))


def test_constant_efficiency_is_the_uniform_torque():
    """One polariser with g = 1 and P itself: nearly the same paths; no strength, no torque.

    P is along z, where the azimuths of both kernels count from the same direction.
    """
    torque = Ramp((0.0, 0.0, 0.3), (0.0, 0.0, 0.7), PROTOCOL.duration)
    protocol = replace(PROTOCOL, spin_torque=torque)
    bare = Magnet(1.3, 1.7, 0.4, 0.8)
    none = tuple(replace(item, strength=0.0) for item in TWO)
    worded = replace(
        bare, anisotropy=Anisotropy.uniaxial(1e-9), polarisers=(Polariser((0.0, 0.0, 1.0)), *none)
    )
    start = bare.moment * np.array([0.6, 0.0, 0.8])
    runs = [
        simulate(magnet, protocol, trajectories=2000, seed=3, steps=200, initial=start, **QUIET)
        for magnet in (bare, worded)
    ]
    for name in ("work", "heat", "pumped_entropy"):
        assert np.median(np.abs(runs[0][name].values - runs[1][name].values)) < 2e-3, name


# --- what the kernels are told ------------------------------------------------------------------


@numba.njit(error_model="numpy")
def _gradient(n, energy):
    return pull((0.1, 0.2, 0.3), n, energy, 2.0)


@pytest.mark.parametrize("degree", [2, 4, 6, 8])
def test_polynomials_of_every_degree(degree):
    """What the kernels compute is the gradient of E_a along the sphere."""
    rng = np.random.default_rng(degree)
    energy = Anisotropy.polynomial(
        {(i, j, degree - i - j): rng.normal() for i in range(degree + 1)
         for j in range(degree + 1 - i)}
    )  # fmt: skip
    for n in rng.normal(size=(5, 3)):
        n /= np.linalg.norm(n)
        found = np.array(_gradient(tuple(n.tolist()), gradient_coefficients(energy)))
        found = 0.5 * (found - (0.1, 0.2, 0.3))
        assert found @ n == pytest.approx(degree * float(energy(n)), rel=1e-12)
        assert np.allclose(found - n * (found @ n), energy.gradient(n), atol=1e-12)
        shifted = centred(energy)
        assert np.allclose(shifted.gradient(n), energy.gradient(n), atol=1e-12)


def test_fastest_rate_knows_anisotropy_and_torque():
    """Ferromagnetic resonance gamma0 2K/m, and twice the field-like field, are resolved."""
    still = Protocol(1.0, (0.0, 0.0, 0.0), 0.2 * AXIS)
    easy = Magnet(1.3, 1.7, 0.01, 0.1, Anisotropy.uniaxial(50.0))
    assert fastest_rate(easy, still) == pytest.approx(1.7 * (100.0 / 1.3), rel=2e-3)
    strong = Polariser(AXIS, TorqueEfficiency.slonczewski(1.0), 80.0, 2.0)
    driven = Magnet(1.3, 1.7, 0.01, 0.1, None, (strong,))
    assert fastest_rate(driven, still) == pytest.approx(
        1.7 * 1.3 * 2.0 * 80.0 * 0.2 + 0.01 * 1.3**2 * 80.0 * 0.2, rel=1e-6
    )


def test_initial_states_are_a_function_of_seed_and_index():
    start = initial_state(CUBIC, PROTOCOL, "equilibrium", 1)
    keys = Keys.from_seed(7)
    whole, part = np.zeros((6, 500)), np.zeros((6, 123))
    start.prepare(keys, slice(0, 500), whole)
    start.prepare(keys, slice(200, 323), part)
    assert np.array_equal(whole[:, 200:323], part)


@pytest.mark.parametrize(
    ("name", "columns"),
    [("advance_splitting", local_ensemble.SPLITTING_COLUMNS),
     ("advance_euler_maruyama", local_ensemble.EULER_MARUYAMA_COLUMNS)],
)  # fmt: skip
def test_the_loop_over_lanes_is_vector_code(name, columns):
    """As in `test_kernels`: vector roots, divisions and products, and few scalar ones."""
    fresh = numba.njit(nogil=True, error_model="numpy")(getattr(local_ensemble, name).py_func)
    state = np.zeros((12, 8))
    state[2] = 1.0
    local = Local.of(MAGNET)
    row = np.zeros((1, columns))
    fresh(state, generators(np.zeros(2, np.uint64), 0, 8), row, np.zeros((1, 3)), *local.arguments)
    (code,) = fresh.inspect_llvm().values()
    roots = re.findall(r"call <(\d+) x double> @llvm\.sqrt", code)
    assert roots
    assert all(int(width) >= 2 for width in roots)
    for operation in ("fdiv", "fmul"):
        assert re.search(rf"{operation} <\d+ x double>", code), operation
    vector = len(re.findall(r"call <\d+ x double> @llvm\.fma", code))
    scalar = len(re.findall(r"call double @llvm\.fma", code))
    assert vector >= scalar, (vector, scalar)
