"""The scheme `exact-ft` with anisotropy and polarisers: theorems at any step, order, its maps.

Energies of two axes, tilted against fields and two unlike polarisers, one with a field-like
torque; m, gamma0 and T differ from one.
"""

from dataclasses import replace
from functools import cache

import numba
import numpy as np
import numpy.testing as npt
import pytest

from one_step_operators import NAMES, slopes
from random_real_magnets import random_rotation
from real_magnet_operators import (
    exact_ft_observables,
    exact_ft_table,
    exact_observables,
    log_of_the_integral_theorem,
)
from sphere_oracle import sphere_nodes
from spintherm import (
    Anisotropy,
    Magnet,
    Polariser,
    Protocol,
    Pulse,
    Ramp,
    TorqueEfficiency,
    fluctuation,
    simulate,
)
from spintherm.energies import exponents
from spintherm.kernels import constants as tables
from spintherm.kernels import local_reversible
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma
from spintherm.tabulate import tabulate, with_field_of_current
from spintherm.trajectories.axial_terms import axial_terms
from spintherm.trajectories.engine import Keys, generators
from spintherm.trajectories.local import Local, as_array, scheme_for
from spintherm.trajectories.thermodynamics import free_energy_change

MAGNET = Magnet(
    moment=1.3,
    gyromagnetic_ratio=1.7,
    damping=0.4,
    temperature=0.8,
    anisotropy=Anisotropy.biaxial(1.2, 0.7, (1.0, 2.0, 3.0), (3.0, 0.0, -1.0)),
    polarisers=(
        Polariser((0.3, 0.2, 1.0), TorqueEfficiency.slonczewski(1.4), 1.0, 0.3),
        Polariser((1.0, -0.4, 0.1), TorqueEfficiency.polynomial((0.6, 0.5)), -0.7, 0.1),
    ),
)
AXIS = MAGNET.polarisers[0].vector
TAU = 0.8
RAMP = Protocol(
    TAU, Ramp((0.8, -0.6, 1.8), (-1.3, 1.2, -0.8), TAU), Ramp(0.5 * AXIS, 1.2 * AXIS, TAU)
)
JUMPS = Protocol(
    TAU,
    RAMP.field + Pulse((-0.6, 0.7, -0.8), 0.3, TAU) + Pulse((0.2, 0.1, 0.3), 0, 9),
    RAMP.spin_torque + Pulse(0.4 * AXIS, 0.2, 0.5),
)
MANY = Magnet(1.3, 1.7, 0.4, 0.8, Anisotropy.cubic(0.5, 0.4) + Anisotropy.uniaxial(0.3, (1, 2, 3)))
SCHEME = scheme_for(MAGNET, "exact-ft")
GENTLE = Protocol(  # for averages of exp(-Sigma) that samples can take
    TAU, Ramp((0.4, -0.3, 0.9), (-0.2, 0.4, 0.3), TAU), Ramp(0.2 * AXIS, 0.5 * AXIS, TAU)
)
LOCAL = Local.of(MAGNET)
TERMS = axial_terms(MAGNET.anisotropy)
AXES = TERMS, LOCAL.polarisers
MAIN_WEIGHT, JACOBIANS, PUSH, LEVY = 35, 36, 56, slice(39, 42)  # columns of the constants


# --- the theorems, by densities written out -------------------------------------------------------


def turned(n, axis, angle):
    """Rodrigues' formula for directions (k, 3) and angles (k,)."""
    along = (n @ axis)[:, None] * axis
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    return along + c * (n - along) + s * np.cross(axis, n)


def rapid(n, axis, function, strength):
    """The squeeze by its definition: c_m found by bisection in rapidity."""
    c = n @ axis
    rho = np.arctanh(c)

    def half(x):
        return np.arcsinh(0.5 * strength * function(np.tanh(x)))

    low, high = rho - 3.0, rho + 3.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        above = middle - half(middle) > rho
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    grown = np.tanh(rho + 2.0 * half(0.5 * (low + high)))
    across = n - c[:, None] * axis
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    return grown[:, None] * axis + np.sqrt(1.0 - grown**2)[:, None] * across


class Maps:
    """R, D and their parts for one step, from the magnet's own functions."""

    def __init__(self, magnet, H, P0, h):
        m, gamma, eta = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping
        energies = [(np.array(a), np.polynomial.Polynomial(f)) for a, f, _ in TERMS]
        polarisers = [
            (p.vector, lambda c, p=p: p.strength * p.efficiency(c)) for p in magnet.polarisers
        ]
        self.R = [(self.boost, (gamma * H, 0.0 * H, 0.5 * h))]
        self.R += [(self.twist, (*one, -gamma / m * 0.5 * h)) for one in energies]
        self.R += [(rapid, (*one, gamma * m * P0 * 0.5 * h)) for one in polarisers]
        self.D = [(self.boost, (0.0 * H, eta * m * H, 0.5 * h))]
        self.D += [(rapid, (*one, -eta * 0.5 * h)) for one in energies]
        self.D += [(self.twist, (*one, -eta * m**2 * P0 * 0.5 * h)) for one in polarisers]
        s = eta * magnet.temperature * h
        self.concentration = 1.0 / tables.von_mises_fisher_constants(np.array([[s]]))[2].item()
        self.levy, self.magnet, self.P0 = eta * h * m**2, magnet, P0

    @staticmethod
    def twist(n, axis, function, strength):
        return turned(n, axis, 2.0 * np.arctan(0.5 * strength * function(n @ axis)))

    @staticmethod
    def boost(n, r, b, h):
        if np.any(r):
            size = np.linalg.norm(r)
            return turned(n, r / size, np.full(len(n), size * h))
        size = np.linalg.norm(b)
        return rapid(n, b / size, lambda c: np.full_like(c, 1.0), 2.0 * np.sinh(0.5 * size * h))

    @staticmethod
    def inverted(parts):
        """The inverse map: parts in reverse order, with the opposite sense."""
        return [(one, (*rest[:-1], -rest[-1])) for one, rest in reversed(parts)]

    @staticmethod
    def move(parts, n):
        for one, rest in parts:
            n = one(n, *rest)
        return n

    def area(self, parts, n, step=1e-5):
        """Growth of the area under a map, by differences."""
        one = np.cross(n, np.where(np.abs(n[:, :1]) < 0.6, [1.0, 0, 0], [0, 1.0, 0]))
        one /= np.linalg.norm(one, axis=1, keepdims=True)
        sides = []
        for t in (one, np.cross(n, one)):
            ends = [self.move(parts, n * np.cos(d) + t * np.sin(d)) for d in (-step, step)]
            sides.append((ends[1] - ends[0]) / (2.0 * step))
        return np.sum(self.move(parts, n) * np.cross(*sides), axis=1)

    def odds(self, u, v):
        """a of the sign, from the divergence of the torque's drift."""
        magnet, m = self.magnet, self.magnet.moment
        p = magnet.polarisers[0].vector
        rates = sum(magnet.pumped_entropy_rate(m * n, self.P0 * p) for n in (u, v))
        return 0.25 * self.levy * rates / (magnet.gyromagnetic_ratio * m)

    def log_step(self, start, end, sign):
        """ln of the density of (end, sign) given start."""
        back = self.inverted(self.R[::-1])  # R* has the parts of R in reverse order
        u, v = self.move(self.R, start), self.move(back, end)
        undo = self.inverted(self.D[::-1])
        centre, place = self.move(self.D, u), self.move(undo, v)
        k, a = self.concentration, self.odds(u, v)
        norm = np.log(k / (2.0 * np.pi * -np.expm1(-2.0 * k)))
        return (
            norm
            + k * (np.sum(centre * place, axis=1) - 1.0)
            + np.log(self.area(undo, v) * self.area(back, end))
            + np.log(0.5 * (1.0 + sign * a / np.sqrt(1.0 + a * a)))
        )

    def sign(self, start, end, tilt):
        u, v = self.move(self.R, start), self.move(self.inverted(self.R[::-1]), end)
        a = self.odds(u, v)
        return np.where(tilt < a / np.sqrt(1.0 + a * a), 1.0, -1.0)


@numba.njit(error_model="numpy")
def _walk(u, azimuth, tilt, constants, path, functionals, energy, inverse_degree, axes):
    for k in range(u.shape[0]):
        c = local_reversible.load_local_exact_ft(constants, k)
        floor, span, inverse = c[0][2]
        for i in range(u.shape[1]):
            n = path[k, i, 0], path[k, i, 1], path[k, i, 2]
            versine = -log(fma(span, u[k, i], floor)) * inverse
            cosine, sine = cos_sin_turn(azimuth[k, i])
            n, w, q, s, excess = local_reversible.local_exact_ft(
                n, versine, cosine, sine, tilt[k, i], c, energy, inverse_degree, axes
            )
            path[k + 1, i, 0], path[k + 1, i, 1], path[k + 1, i, 2] = n
            functionals[0, i] += w
            functionals[1, i] += q
            functionals[2, i] += s
            functionals[3, i] += excess


def walked(tab, cut, count):
    """Random paths through the compiled step: path, tilts and (W, Q, S_P, shadow work)."""
    random = np.random.default_rng(tab.steps)
    path = np.empty((tab.steps + 1, count, 3))
    path[0] = MAGNET.sample_equilibrium(tab.initial_field, count, random) / MAGNET.moment
    u, azimuth, tilt = random.uniform(0, 1, (3, tab.steps, count))
    tilt = 2.0 * tilt - 1.0
    functionals = np.zeros((4, count))
    _walk(
        *(u, 2.0 * azimuth - 1.0, tilt, cut.constants, path, functionals),
        *(LOCAL.energy, LOCAL.inverse_degree, AXES),
    )
    functionals[0] -= np.einsum("kij,kj->i", path, cut.jumps)
    return path, tilt, functionals


def laws_of(magnet, tab):
    p = magnet.polarisers[0].vector
    rows = zip(tab.field_middle, tab.spin_torque_middle @ p, tab.durations, strict=True)
    return [Maps(magnet, *row) for row in rows]


def detailed_mismatch(protocol, steps, column=0, factor=1.0, count=40):
    """Largest |Sigma - ln p_F(path)/p_B(reversed path)|, all densities written out."""
    tab, cut = exact_ft_table(MAGNET, protocol, steps)
    cut.constants[:, column] *= factor
    path, tilt, (W, Q, S, _) = walked(tab, cut, count)
    m = MAGNET.moment
    gain = MAGNET.energy(m * path[-1], tab.final_field) - MAGNET.energy(
        m * path[0], tab.initial_field
    )
    assert np.max(np.abs(W + Q - gain)) < 1e-12 * steps
    laws = laws_of(MAGNET, tab)
    other, back = MAGNET.reversed(), protocol.reversed()
    mirrored = laws_of(other, with_field_of_current(other, back, tabulate(back, steps)))
    signs = np.array([law.sign(path[k], path[k + 1], tilt[k]) for k, law in enumerate(laws)])
    assert 0.1 < np.mean(signs > 0.0) < 0.9
    total = np.log(MAGNET.equilibrium_density(path[0], tab.initial_field))
    total -= np.log(MAGNET.equilibrium_density(path[-1], tab.final_field))
    for k in range(steps):
        total += laws[k].log_step(path[k], path[k + 1], signs[k])
        total -= mirrored[-1 - k].log_step(-path[k + 1], -path[k], signs[k])
    sigma = MAGNET.beta * (W - free_energy_change(MAGNET, protocol)) + S
    return np.max(np.abs(total - sigma))


@pytest.mark.parametrize(("protocol", "steps"), [(RAMP, 2), (RAMP, 9), (JUMPS, 5)])
def test_detailed_theorem_path_by_path(protocol, steps):
    """The tolerance is that of the areas by differences."""
    assert detailed_mismatch(protocol, steps) < 1e-7


@pytest.mark.parametrize(
    ("column", "factor"), [(MAIN_WEIGHT, -1.0), (JACOBIANS, 0.0), (PUSH, -1.0)]
)
def test_the_detailed_theorem_notices(column, factor):
    """Sign of the heat's main part; no Jacobians; squeezes of R against the pumped entropy's."""
    assert detailed_mismatch(RAMP, 3, column, factor) > 1e-2


def test_integral_theorem_at_ten_steps_by_quadrature():
    assert abs(log_of_the_integral_theorem(MAGNET, RAMP, 10)) < 1e-6


@cache
def right():
    return exact_observables(MAGNET, RAMP)


def in_steps(steps, **options):
    return exact_ft_observables(MAGNET, RAMP, steps, **options)


def test_declared_order_is_that_of_the_bias():
    steps = (8, 16)
    biases = [in_steps(n) - right() for n in steps]
    found = dict(zip(NAMES, slopes(steps, np.array(biases)), strict=True))
    assert all(abs(slope - SCHEME.order) < 0.1 for slope in found.values()), found


def test_without_the_sign_an_order_is_lost():
    biases = [in_steps(n, leave=slice(59, 60)) - right() for n in (8, 16)]
    found = dict(zip(NAMES, slopes((8, 16), np.array(biases)), strict=True))
    assert found["Var W"] < 1.5
    assert found["<Sigma>"] < 1.5


def test_the_theorems_hold_for_sampled_paths_in_a_few_coarse_steps():
    """Z = 4.5: one false alarm in 150 000."""
    options = {"steps": 6, "progress": False, "scheme": "exact-ft"}
    forward, backward = (
        simulate(one, p, trajectories=60_000, seed=seed, **options)
        for seed, (one, p) in enumerate(((MAGNET, GENTLE), (MAGNET.reversed(), GENTLE.reversed())))
    )
    weights = np.exp(-forward.entropy_production.values)
    assert abs(weights.mean() - 1.0) < 4.5 * weights.std() / np.sqrt(weights.size)
    theorem = fluctuation.detailed_theorem(forward, backward)
    assert abs(theorem.slope.deviation(1.0)) < 4.5
    npt.assert_allclose(forward.work + forward.heat, forward.energy_change, atol=1e-12)
    assert np.std(forward.shadow_work.values) > 0.0


# --- the scheme in `simulate` ---------------------------------------------------------------------


def test_means_are_exact_but_for_the_step_bias_that_is_measured():
    run = simulate(
        MAGNET, RAMP, trajectories=40_000, seed=3, steps=12, scheme="exact-ft", progress=False
    )
    work, sigma = right()[:2]
    for name, exact in (("work", work), ("entropy_production", sigma)):
        bias = run.step_bias.sel(estimate=name).item()
        spread = run.step_bias_error.sel(estimate=name).item()
        error = 4.5 * np.hypot(run[name].std().item() / 200.0, spread)
        assert abs(run[name].mean().item() - bias - exact) < error + 0.3 * abs(bias)


def test_without_anisotropy_it_is_the_uniform_scheme():
    """Negligible energies and efficiencies, and a constant one, in the kernels of real magnets."""
    none = (replace(item, strength=0.0, field_like=0.0) for item in MAGNET.polarisers)
    energy = Anisotropy.biaxial(2e-13, 1e-13, (1.0, 2.0, 3.0), (3.0, 0.0, -1.0))
    tiny = Magnet(1.3, 1.7, 0.4, 0.8, energy, (*none, Polariser(AXIS)))
    plain = Magnet(1.3, 1.7, 0.4, 0.8)
    options = {"trajectories": 300, "seed": 1, "steps": 9, "scheme": "exact-ft", "initial": AXIS}
    one, other = (simulate(m, RAMP, progress=False, **options) for m in (tiny, plain))
    for name in ("work", "heat", "pumped_entropy", "shadow_work", "final_moment"):
        npt.assert_allclose(one[name], other[name], atol=1e-10)


def test_chunks_and_threads_change_no_bit():
    options = {"seed": 5, "steps": 5, "scheme": "exact-ft", "progress": False}
    many = simulate(MAGNET, JUMPS, trajectories=17_000, threads=2, **options)
    few = simulate(MAGNET, JUMPS, trajectories=300, threads=1, **options)
    for name in ("work", "heat", "pumped_entropy", "shadow_work"):
        npt.assert_array_equal(many[name][:300], few[name])


def test_many_axes_take_loops_to_the_same_paths():
    """An energy of many axes is looped over; here both ways for one of two axes."""
    tab, cut = exact_ft_table(MAGNET, JUMPS, 6)
    start = MAGNET.sample_equilibrium(tab.initial_field, 100, np.random.default_rng(2))
    found = []
    for axes in (TERMS, as_array(TERMS)):
        state = np.zeros((SCHEME.rows, 100))
        state[:3] = start.T / MAGNET.moment
        streams = generators(Keys.from_seed(4).dynamics, 0, 100)
        local_reversible.advance_exact_ft(
            *(state, streams, cut.constants, cut.jumps[:-1]),
            *(LOCAL.energy, LOCAL.inverse_degree, (axes, LOCAL.polarisers)),
        )
        found.append(state)
    npt.assert_allclose(*found, atol=1e-12)
    assert isinstance(scheme_for(MANY, "exact-ft").magnet, Magnet)
    assert len(axial_terms(MANY.anisotropy)) > 4


def test_steps_that_are_too_long_are_refused():
    hard = Magnet(1.0, 1.0, 0.5, 1.0, anisotropy=Anisotropy.uniaxial(40.0))
    with pytest.raises(ValueError, match="expected at least"):
        simulate(hard, Protocol(1.0, (0, 0, 1)), trajectories=2, seed=1, steps=2, scheme="exact-ft")


def test_the_loop_over_lanes_is_vector_code():
    import re

    fresh = numba.njit(nogil=True, error_model="numpy")(local_reversible.advance_exact_ft.py_func)
    state, streams = np.zeros((SCHEME.rows, 8)), np.ones((4, 8), np.uint64)
    state[2] = 1.0
    _, cut = exact_ft_table(MAGNET, RAMP, 1)
    fresh(
        *(state, streams, cut.constants, cut.jumps),
        *(LOCAL.energy, LOCAL.inverse_degree, AXES),
    )
    (code,) = fresh.inspect_llvm().values()
    vector = len(re.findall(r"call <\d+ x double> @llvm\.fma", code))
    scalar = len(re.findall(r"call double @llvm\.fma", code))
    assert vector > 400
    assert vector > scalar


# --- energies as sums of functions of one axis ----------------------------------------------------


def energies():
    random = np.random.default_rng(3)
    turn = random_rotation(random)
    yield Anisotropy.uniaxial(1.3, (1, 2, 3), 0.4), 1
    yield Anisotropy.quadratic_form(random.normal(size=(3, 3))), 2
    yield Anisotropy.cubic(-0.7), 3
    yield Anisotropy.cubic(0.5, 0.8), 7
    yield Anisotropy.cubic(1.0, axes=turn) + Anisotropy.uniaxial(0.4), 15
    for degree, most in ((4, 15), (6, 28), (8, 45)):
        terms = {key: random.normal() for key in exponents(degree)}
        yield Anisotropy.polynomial(terms), most


@pytest.mark.parametrize(("energy", "most"), list(energies()))
def test_an_energy_is_the_sum_of_its_axial_terms(energy, most):
    n, _ = sphere_nodes(12, 16)
    terms = axial_terms(energy)
    assert len(terms) <= most
    slope = sum(np.polynomial.Polynomial(f)(n @ np.array(a))[:, None] * a for a, f, _ in terms)
    along = slope - n * np.sum(n * slope, axis=1, keepdims=True)
    npt.assert_allclose(along, energy.gradient(n), atol=1e-12 * energy.bound)


def test_no_energy_has_no_terms():
    assert axial_terms(Anisotropy()) == ()
