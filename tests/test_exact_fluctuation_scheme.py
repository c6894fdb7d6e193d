"""The scheme `exact-ft`: theorems to rounding at any step, by quadrature and path by path.

Fields and torques are tilted, unequal and driven; m, gamma0 and T differ from one.
"""

import re
from dataclasses import replace

import numba
import numpy as np
import pytest

from one_step_operators import (
    NAMES,
    Sphere,
    exact_observables,
    observables,
    raw_moments,
    slopes,
    steady_means,
)
from path_densities import Densities, detailed_mismatch, walked
from scheme_operators import exact_ft_step, log_of_the_integral_theorem
from sphere_oracle import sphere_nodes
from spintherm import Constant, Magnet, Protocol, Pulse, Ramp, fluctuation, reference, simulate
from spintherm.fokker_planck import steady_state
from spintherm.kernels import noise, reversible
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, table

SCHEME = SCHEMES["exact-ft"]
MAGNET = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)
TAU = 0.8
TORQUE = Ramp((0.2, -0.6, -0.5), (0.6, 0.4, -0.3), TAU)
RAMP = Protocol(TAU, Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), TAU), TORQUE)
JUMPS = Protocol(  # at 0, inside and at the end
    TAU,
    Constant((0.3, -0.2, 0.9)) + Pulse((-0.6, 0.7, -0.8), 0.3, TAU) + Pulse((0.2, 0.1, 0.3), 0, 9),
    TORQUE,
)
STRONG = Protocol(TAU, Ramp((3.0, -8.0, 9.0), (-6.0, 11.0, 4.0), TAU), (-2.0, 7.0, 5.0))
PROTOCOLS = {"ramp": RAMP, "jumps": JUMPS}
FIRST_WEIGHT, FIRST_LEVY = 35, 39  # columns of the constants, see `load_exact_ft`


# --- the theorems ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PROTOCOLS)
def test_integral_theorem_at_five_steps_by_quadrature(name):
    cut = table(MAGNET, tabulate(PROTOCOLS[name], 5), SCHEME)
    assert cut.steps == 5
    assert abs(log_of_the_integral_theorem(MAGNET, PROTOCOLS[name], cut)) < 1e-9


BROKEN = {
    "sign of the main part of the heat": (FIRST_WEIGHT, -1.0),
    "heat without Jacobians and the sign's odds": (FIRST_WEIGHT + 1, 0.0),
    "heat without the factor dropped from D": (FIRST_WEIGHT + 2, 0.0),
    "pumped entropy without the factor dropped from R": (FIRST_WEIGHT + 3, 0.0),
}


@pytest.mark.parametrize("what", list(BROKEN)[:2])
def test_the_integral_theorem_notices(what):
    cut = table(MAGNET, tabulate(RAMP, 2), SCHEME)
    column, factor = BROKEN[what]
    cut.constants[:, column] *= factor
    assert abs(log_of_the_integral_theorem(MAGNET, RAMP, cut)) > 1e-4


@pytest.mark.parametrize("steps", [2, 5, 21])
@pytest.mark.parametrize("name", PROTOCOLS)
def test_detailed_theorem_path_by_path(name, steps):
    assert detailed_mismatch(MAGNET, PROTOCOLS[name], steps) < 1e-12


def test_detailed_theorem_in_strong_fields():
    """Entropies of the order of a hundred, steps of several inverse rates: digits are lost."""
    assert detailed_mismatch(MAGNET, STRONG, 4) < 1e-10


@pytest.mark.parametrize("what", BROKEN)
def test_the_detailed_theorem_notices(what):
    assert detailed_mismatch(MAGNET, STRONG, 4, *BROKEN[what]) > 1e-2


def test_transition_density_is_normalised():
    law = Densities(MAGNET, np.array([0.5, -0.3, 0.9]), np.array([0.2, 0.8, -0.5]), 0.4)
    nodes, weights = sphere_nodes()
    for start in np.array([[0.6, 0.0, 0.8], [-0.48, 0.64, -0.6]]):
        density = sum(
            np.exp(law.log_step(np.broadcast_to(start, nodes.shape), nodes, sign))
            for sign in (1.0, -1.0)
        )
        assert weights @ density == pytest.approx(1.0, abs=1e-12)


def test_the_theorems_hold_for_sampled_paths_in_three_coarse_steps():
    """... where `splitting` fails the integral theorem. Z = 4.5: one false alarm in 150 000."""
    tau, options = 1.5, {"steps": 3, "progress": False}
    torque = Ramp((0.2, -0.6, -0.5), (0.6, 0.4, -0.3), tau)
    protocol = Protocol(tau, Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), tau), torque)
    deviations = {}
    for scheme in ("exact-ft", "splitting"):
        run = simulate(MAGNET, protocol, trajectories=2_000_000, seed=3, scheme=scheme, **options)
        weights = np.exp(-run.entropy_production.values)
        deviations[scheme] = (weights.mean() - 1.0) / (weights.std() / np.sqrt(weights.size))
    assert abs(deviations["exact-ft"]) < 4.5
    assert abs(deviations["splitting"]) > 4.5
    forward, backward = (
        simulate(MAGNET, p, trajectories=300_000, seed=seed, scheme="exact-ft", **options)
        for seed, p in enumerate((protocol, protocol.reversed()))
    )
    theorem = fluctuation.detailed_theorem(forward, backward)
    assert abs(theorem.slope.deviation(1.0)) < 4.5
    assert theorem.slope.error < 0.01


# --- accuracy -------------------------------------------------------------------------------------

STEPS = (6, 12, 24)
SPHERE = Sphere.of(7)
ORDER, MARGIN = SCHEME.order, 0.1


def measured_slopes(steps, step):
    exact = exact_observables(MAGNET, RAMP)
    biases = [observables(MAGNET, RAMP, "exact-ft", step, n, SPHERE) - exact for n in steps]
    return dict(zip(NAMES, slopes(steps, np.array(biases)), strict=True))


def test_paths_are_those_of_the_splitting():
    """The two parts of the drift commute: n goes where `splitting` takes it, to rounding.

    P is along z, where the azimuths of both schemes count from the same direction.
    """
    protocol = replace(JUMPS, spin_torque=Ramp((0.0, 0.0, 0.3), (0.0, 0.0, 0.7), TAU))
    tab, rng, count = tabulate(protocol, 9), np.random.default_rng(3), 200
    start = MAGNET.sample_equilibrium(JUMPS.initial_field, count, rng)
    u, azimuth, last = rng.uniform(0, 1, (3, tab.steps, count))
    ours = reference.exact_ft(MAGNET, tab, start, lambda k: (u[k], azimuth[k], last[k]))
    theirs = reference.splitting(MAGNET, tab, start, lambda k: (u[k], azimuth[k], last[k]))
    assert np.max(np.abs(ours.moment - theirs.moment)) < 1e-12
    maps = np.hsplit(table(MAGNET, tab, SCHEME).constants[:, :32], 2)
    R, D = (part.reshape(-1, 4, 4) for part in maps)
    full = table(MAGNET, tab, SCHEMES["splitting"]).constants[:, :16].reshape(-1, 4, 4)
    for product in (R @ D, D @ R):
        ratio = product / product[:, :1, :1]
        assert np.allclose(ratio, full / full[:, :1, :1], rtol=0.0, atol=1e-14)


def test_heat_expands_as_the_docs_say():
    """docs/exact-ft.md, section 4: what is left is of the order h^(5/2), and delta is h^(3/2)."""
    H, P, m = np.array([0.7, 0.2, -0.6]), np.array([0.1, -0.6, -0.5]), MAGNET.moment
    halvings, left, delta, missed = (1, 2, 4, 8), [], [], []
    for n in halvings:
        h = 0.1 / n
        s = MAGNET.damping * MAGNET.temperature * h
        tab = tabulate(Protocol(h, H, P), 1)
        cut = table(MAGNET, tab, SCHEME)
        path, tilt, (_, Q, _, shadow) = walked(
            MAGNET, Protocol(h, H, P), tab, cut.constants, cut.jumps, 2000
        )
        law = Densities(MAGNET, H, P, h)
        (u, _), (v, _) = law.move(law.R, path[0]), law.move(np.linalg.inv(law.R), path[1])
        x, area = 1.0 - np.sum(u * v, axis=1), m**2 * np.cross(u, v) @ P
        heating = m * (v - u) @ H
        sign = law.sign(path[0], path[1], tilt[0])
        levy = 2.0 * MAGNET.temperature * sign * (0.5 * (u + v) @ law.levy)
        expansion = heating * (1.0 + 0.5 * (4.0 * s - x)) - area * (1.0 + s) + levy
        integral = heating - area * (1.0 + x / 3.0) * (1.0 - s / 3.0) + levy
        left.append(np.linalg.norm(-Q - expansion))
        delta.append(np.linalg.norm(-Q - integral))
        missed.append(np.linalg.norm(shadow + Q + integral))
    assert slopes(halvings, np.array(left)) == pytest.approx(2.5, abs=0.05)
    assert slopes(halvings, np.array(delta)) == pytest.approx(1.5, abs=0.05)
    assert slopes(halvings, np.array(missed)) > 2.4


def test_declared_order_is_that_of_the_bias():
    found = measured_slopes(STEPS, exact_ft_step())
    assert all(abs(slope - ORDER) < MARGIN for slope in found.values()), found


def test_without_the_sign_the_theorem_holds_but_an_order_is_lost():
    """The odds of the sign are there for the accuracy alone."""

    def step(nodes, constants, k):
        constants = constants.copy()
        constants[:, FIRST_LEVY : FIRST_LEVY + 3] = 0.0
        return exact_ft_step()(nodes, constants, k)

    found = measured_slopes(STEPS[:2], step)
    assert found["<Sigma>"] < 1.5
    assert found["Var W"] < 1.5
    cut = table(MAGNET, tabulate(RAMP, 5), SCHEME)
    cut.constants[:, FIRST_LEVY : FIRST_LEVY + 3] = 0.0
    assert abs(log_of_the_integral_theorem(MAGNET, RAMP, cut)) < 1e-9


def test_second_order_in_the_steady_state():
    field, torque = np.array([0.7, 0.2, -0.6]), np.array([0.1, -0.6, -0.5])
    state = steady_state(MAGNET, field, torque)
    power = MAGNET.temperature * state.bath_entropy_rate
    right = np.append(state.mean_moment / MAGNET.moment, [power, state.pumped_entropy_rate])
    counts = (4, 8, 16)
    errors = [
        steady_means(MAGNET, field, torque, 1.0 / n, "exact-ft", exact_ft_step(), SPHERE) - right
        for n in counts
    ]
    assert np.all(np.abs(slopes(counts, np.array(errors)) - ORDER) < MARGIN)


def test_shadow_work_vanishes_with_the_step():
    """Its mean like h^2, as the bias of <W>; its spread from path to path like h."""
    means, spreads = [], []
    for steps in STEPS:
        cut = table(MAGNET, tabulate(RAMP, steps), SCHEME)
        mean, _, square, _, _ = raw_moments(
            MAGNET, RAMP, cut, exact_ft_step(count_shadow=True), SPHERE
        )
        means.append(mean)
        spreads.append(np.sqrt(square - mean**2))
    assert slopes(STEPS, np.array(means)) == pytest.approx(2.0, abs=MARGIN)
    assert slopes(STEPS, np.array(spreads)) == pytest.approx(1.0, abs=MARGIN)


def test_shadow_work_is_what_the_sum_of_a_path_does_not_explain():
    """Work minus shadow work is the integral along the path, which fine saving reproduces."""
    times = np.linspace(0.0, TAU, 101)
    run = simulate(
        MAGNET, RAMP, trajectories=500, seed=4, steps=100, scheme="exact-ft", save_at=times
    )
    m, P = run.moment.values, RAMP.spin_torque(0.5 * (times[1:] + times[:-1]))
    H = RAMP.field(times)
    middle, change = 0.5 * (m[:, 1:] + m[:, :-1]), np.diff(m, axis=1)
    sums = np.einsum("ikj,ikj->i", np.cross(middle, P), change)
    sums -= np.einsum("ikj,kj->i", middle, np.diff(H, axis=0))
    left = run.work.values - run.shadow_work.values - sums
    # what is left is the Levy area, of variance 4 T^2 sum (eta h m^2 P.n)^2
    levy = MAGNET.damping * TAU / 100 * MAGNET.moment * np.einsum("ikj,kj->ik", middle, P)
    expected = 2.0 * MAGNET.temperature * np.sqrt(np.mean(np.sum(levy**2, axis=1)))
    assert np.std(left) == pytest.approx(expected, rel=4.5 / np.sqrt(2 * 500))
    assert np.std(run.shadow_work.values) < 0.5 * expected


def test_only_this_scheme_keeps_shadow_work():
    other, run = (
        simulate(MAGNET, RAMP, trajectories=10, seed=1, steps=4, scheme=scheme)
        for scheme in ("splitting", "exact-ft")
    )
    assert "shadow_work" not in other
    assert run.shadow_work.dims == ("trajectory",)
    assert run.shadow_work.attrs["units"] == "energy"


# --- limits ---------------------------------------------------------------------------------------


def test_without_damping_there_is_no_heat():
    magnet = Magnet(1.2, 0.9, 0.0, 0.7)
    run = simulate(magnet, JUMPS, trajectories=300, seed=1, steps=7, scheme="exact-ft")
    assert np.all(run.heat.values == 0.0)
    assert np.allclose(run.work, run.energy_change, atol=1e-13)


def test_at_zero_temperature_the_heat_is_that_of_the_orbit():
    """No noise, so the shadow work is the error of a second-order integrator on each path."""
    magnet = Magnet(1.3, 1.7, 0.4, 0.0)
    start = np.random.default_rng(1).normal(size=(50, 3))
    shadows = [
        simulate(
            magnet, RAMP, trajectories=50, seed=1, steps=n, scheme="exact-ft", initial=start
        ).shadow_work.values
        for n in (40, 80)
    ]
    assert np.linalg.norm(shadows[0]) / np.linalg.norm(shadows[1]) == pytest.approx(4.0, rel=0.05)
    assert np.max(np.abs(shadows[1])) < 1e-3


def test_the_loop_over_lanes_is_vector_code():
    fresh = numba.njit(nogil=True, error_model="numpy")(reversible.advance_exact_ft.py_func)
    state, streams = np.zeros((SCHEME.rows, 8)), np.empty((4, 8), np.uint64)
    state[2] = 1.0
    noise.seed_generators(np.uint64(1), np.uint64(2), 0, streams)
    cut = table(MAGNET, tabulate(RAMP, 1), SCHEME)
    fresh(state, streams, cut.constants, cut.jumps)
    (code,) = fresh.inspect_llvm().values()
    widths = [int(w) for w in re.findall(r"call <(\d+) x double> @llvm\.sqrt", code)]
    assert widths
    assert min(widths) >= 2
    assert re.search(r"(xor|add) <\d+ x i64>", code), "the generators are not vectorised"
    vector = len(re.findall(r"call <\d+ x double> @llvm\.fma", code))
    scalar = len(re.findall(r"call double @llvm\.fma", code))
    assert vector >= scalar, (vector, scalar)
