"""The magnet against equations written out by hand, quadrature on the sphere, and limits."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from spintherm.magnet import Magnet, langevin, log_sinhc

# nothing is one, and nothing is along an axis
MAGNET = Magnet(moment=1.7, gyromagnetic_ratio=-0.6, damping=0.3, temperature=0.45)
FIELD = np.array([0.4, -0.9, 0.7])
TORQUE = np.array([-0.5, 0.2, 1.1])


def sphere_rule(order=60):
    """Directions and weights of Gauss times trapezoid quadrature on the unit sphere."""
    z, w = np.polynomial.legendre.leggauss(order)
    phi = 2 * np.pi * np.arange(2 * order) / (2 * order)
    z, phi = np.meshgrid(z, phi, indexing="ij")
    s = np.sqrt(1 - z**2)
    n = np.stack((s * np.cos(phi), s * np.sin(phi), z), axis=-1).reshape(-1, 3)
    return n, np.repeat(w, 2 * order) * np.pi / order


def cross(a, b):
    """The vector product, component by component."""
    return np.array(
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    )


def some_moments(count, seed=0):
    n = np.random.default_rng(seed).normal(size=(count, 3))
    return MAGNET.moment * n / np.linalg.norm(n, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("name", "value", "error", "expected"),
    [
        ("moment", 0.0, ValueError, "a finite number > 0"),
        ("moment", -1.0, ValueError, "a finite number > 0"),
        ("moment", np.inf, ValueError, "a finite number > 0"),
        ("gyromagnetic_ratio", 0.0, ValueError, "a finite number other than 0"),
        ("gyromagnetic_ratio", np.nan, ValueError, "a finite number other than 0"),
        ("damping", -0.1, ValueError, "a finite number >= 0"),
        ("temperature", -1.0, ValueError, "a finite number >= 0"),
        ("temperature", "1", TypeError, "a finite number >= 0"),
        ("damping", True, TypeError, "a finite number >= 0"),
        ("moment", (1.0, 0.0, 0.0), TypeError, "a finite number > 0"),
    ],
)
def test_bad_parameters_are_refused_by_name(name, value, error, expected):
    good = MAGNET.to_dict()
    with pytest.raises(error, match=rf"^{name}=.*: expected {expected}$"):
        Magnet(**(good | {name: value}))


def test_limits_that_are_allowed():
    assert Magnet(1, -2, 0, 0).beta == np.inf
    assert Magnet(np.float32(1), np.array(2), 0, 4) == Magnet(1.0, 2.0, 0.0, 4.0)
    assert Magnet(1, 1, 1, 4).beta == 0.25


def test_it_is_frozen_compares_prints_and_goes_to_a_dictionary_and_back():
    with pytest.raises(FrozenInstanceError):
        MAGNET.moment = 2.0
    assert eval(repr(MAGNET)) == MAGNET
    assert Magnet.from_dict(MAGNET.to_dict()) == MAGNET
    assert hash(Magnet.from_dict(MAGNET.to_dict())) == hash(MAGNET)
    assert Magnet(1.7, -0.6, 0.3, 0.5) != MAGNET
    assert all(type(value) is float for value in Magnet(1, 1, 1, 1).to_dict().values())
    with pytest.raises(ValueError, match=r"unknown: \['alpha'\]"):
        Magnet.from_dict(MAGNET.to_dict() | {"alpha": 1.0})
    with pytest.raises(ValueError, match=r"missing: \['temperature'\]"):
        Magnet.from_dict({"moment": 1, "gyromagnetic_ratio": 1, "damping": 1})


def test_energy_by_hand_and_broadcasting():
    assert MAGNET.energy((1.0, 2.0, -1.0), FIELD) == pytest.approx(-(0.4 - 1.8 - 0.7))
    assert MAGNET.energy(np.zeros((4, 1, 3)), np.zeros((5, 3))).shape == (4, 5)
    with pytest.raises(ValueError, match=r"^moment=.*expected finite vectors"):
        MAGNET.energy(np.zeros((3, 2)), FIELD)
    with pytest.raises(ValueError, match=r"^field=.*expected finite vectors"):
        MAGNET.energy(FIELD, (0, 0, np.nan))


@pytest.mark.parametrize("scale", [0.0, 1e-3, 0.3, 1.0, 8.0])
def test_free_energy_is_the_logarithm_of_the_integral_over_the_sphere(scale):
    n, w = sphere_rule()
    H = scale * FIELD
    partition = np.sum(w * np.exp(MAGNET.moment * n @ H / MAGNET.temperature))
    # quadrature of 60 x 120 points is exact to rounding for nu <= 40
    assert MAGNET.free_energy(H) == pytest.approx(
        -MAGNET.temperature * np.log(partition), rel=1e-12
    )


def test_free_energy_takes_arrays_and_is_safe_in_every_limit():
    m, T = MAGNET.moment, MAGNET.temperature
    nu = np.array([0.0, 1e-300, 1e-12, 1.0, 700.0, 1e4, 1e8, 1e300])
    H = (nu * T / m)[:, None] * np.array([0.6, 0.0, 0.8])
    F = MAGNET.free_energy(H)
    assert F.shape == (8,)
    assert np.all(np.isfinite(F))
    assert F[:3] == pytest.approx(-T * np.log(4 * np.pi), rel=1e-15)
    strong = -T * (nu[4:] - np.log(nu[4:] / (2 * np.pi)))  # sinh -> e^nu/2
    assert F[4:] == pytest.approx(strong, rel=1e-15)


def test_free_energy_at_and_near_zero_temperature():
    cold = Magnet(1.7, 1.0, 0.3, 0.0)
    H = np.array([FIELD, 0 * FIELD])
    ground = -1.7 * np.linalg.norm(H, axis=1)
    assert cold.free_energy(H) == pytest.approx(ground, rel=1e-15)
    for T in (1e-300, 5e-324):
        assert Magnet(1.7, 1.0, 0.3, T).free_energy(H) == pytest.approx(
            ground, rel=1e-15, abs=1e-290
        )


def test_free_energy_change_at_weak_field_keeps_its_digits():
    # F(H) - F(0) = -m²H²/6T to leading order; ln 4π costs the digits below 1e-16 T
    h = 1e-3
    expected = -((1.7 * h) ** 2) / (6 * 0.45)
    change = MAGNET.free_energy((0, 0, h)) - MAGNET.free_energy((0, 0, 0))
    assert change == pytest.approx(expected, rel=2e-6, abs=4e-16)


def test_helpers_join_smoothly_and_match_direct_formulas():
    x = np.array([0.5, 0.999999999, 1.0, 1.000000001, 3.0, 20.0])
    assert log_sinhc(x) == pytest.approx(np.log(np.sinh(x) / x), rel=3e-15)
    assert langevin(x) == pytest.approx(1 / np.tanh(x) - 1 / x, rel=3e-15)
    small = np.array([1e-300, 1e-8, 1e-3])
    assert log_sinhc(small) == pytest.approx(small**2 / 6 - small**4 / 180, rel=1e-14, abs=0)
    series = small / 3 - small**3 / 45 + 2 * small**5 / 945
    assert langevin(small) == pytest.approx(series, rel=1e-14, abs=0)
    assert langevin(-x) == pytest.approx(-langevin(x), rel=0, abs=0)
    assert log_sinhc(-x) == pytest.approx(log_sinhc(x), rel=0, abs=0)
    assert langevin(1e9) == pytest.approx(1 - 1e-9, rel=1e-15)


@pytest.mark.parametrize("scale", [0.01, 1.0, 6.0])
def test_density_is_normalised_and_its_mean_is_the_mean_moment(scale):
    n, w = sphere_rule()
    H = scale * FIELD
    p = MAGNET.equilibrium_density(n, H)
    assert np.sum(w * p) == pytest.approx(1.0, rel=1e-12)
    mean = MAGNET.moment * (w * p) @ n
    assert MAGNET.mean_equilibrium_moment(H) == pytest.approx(mean, rel=1e-11, abs=1e-12)
    # detailed form, [I] 2.3a and 2.4: p = exp(-beta(E - F)) per solid angle
    weight = np.exp(-(MAGNET.energy(MAGNET.moment * n, H) - MAGNET.free_energy(H)) / 0.45)
    assert p == pytest.approx(weight, rel=1e-12)


def test_mean_moment_is_minus_the_slope_of_the_free_energy():
    h = 1e-5 * np.eye(3)
    slope = (MAGNET.free_energy(FIELD + h) - MAGNET.free_energy(FIELD - h)) / 2e-5
    assert MAGNET.mean_equilibrium_moment(FIELD) == pytest.approx(-slope, rel=1e-8)


def test_density_and_mean_in_the_limits():
    down = np.array([0.0, 0.0, -1.0])
    assert MAGNET.equilibrium_density(down, (0, 0, 0)) == pytest.approx(1 / (4 * np.pi))
    assert MAGNET.equilibrium_density(down, (0, 0, 1e-9)) == pytest.approx(1 / (4 * np.pi))
    H = np.array([0, 0, -1e8 * 0.45 / 1.7])  # nu = 1e8
    assert MAGNET.equilibrium_density(5 * down, H) == pytest.approx(1e8 / (2 * np.pi), rel=1e-13)
    assert MAGNET.equilibrium_density(-down, H) == 0.0
    assert MAGNET.mean_equilibrium_moment(H) == pytest.approx(1.7 * (1 - 1e-8) * down, rel=1e-15)
    assert MAGNET.mean_equilibrium_moment((0, 0, 0)).tolist() == [0, 0, 0]
    cold = Magnet(1.7, 1.0, 0.3, 0.0)
    assert cold.mean_equilibrium_moment([(0, 0, -2), (0, 0, 0)]).tolist() == [[0, 0, -1.7], [0] * 3]
    with pytest.raises(ValueError, match=r"^temperature=0\.0: expected T > 0"):
        cold.equilibrium_density(down, FIELD)
    with pytest.raises(ValueError, match=r"^direction="):
        MAGNET.equilibrium_density((0, 0, 0), FIELD)


@pytest.mark.parametrize("nu", [0.0, 0.05, 1.0, 7.0, 300.0])
def test_sampling_has_the_exact_law(nu):
    unit = FIELD / np.linalg.norm(FIELD)
    H = nu * MAGNET.temperature / MAGNET.moment * unit
    count = 40_000
    m = MAGNET.sample_equilibrium(H, count, np.random.default_rng(7))
    assert m.shape == (count, 3)
    assert np.linalg.norm(m, axis=1) == pytest.approx(MAGNET.moment, rel=1e-15)
    # the whole law of the polar angle: false alarms 1e-4 for each of five fields
    c = m @ unit / MAGNET.moment
    x = nu * (1 - c)
    uniform = 0.5 * (1 + c) if nu == 0.0 else np.expm1(-x) / np.expm1(-2 * nu)
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4
    # the azimuth, about an axis found here by another route
    e1 = np.cross(unit, [1.0, 0.0, 0.0])
    e1 /= np.linalg.norm(e1)
    e2 = np.cross(unit, e1)
    azimuth = np.arctan2(m @ e2, m @ e1) / (2 * np.pi) + 0.5
    assert stats.kstest(azimuth, "uniform").pvalue > 1e-4


def test_sampled_moments_have_the_exact_mean_and_covariance():
    count = 200_000
    m = MAGNET.sample_equilibrium(FIELD, count, np.random.default_rng(3))
    n, w = sphere_rule()
    p = w * MAGNET.equilibrium_density(n, FIELD)
    mean = MAGNET.mean_equilibrium_moment(FIELD)
    second = MAGNET.moment**2 * np.einsum("k,ki,kj->ij", p, n, n)
    error = m.std(axis=0) / np.sqrt(count)
    assert np.all(np.abs(m.mean(axis=0) - mean) < 4.5 * error)  # 2e-5 false alarms
    products = np.einsum("ki,kj->kij", m, m)
    error = products.std(axis=0) / np.sqrt(count)
    assert np.all(np.abs(products.mean(axis=0) - second) < 4.5 * error)  # 4e-5


def test_samples_do_not_depend_on_how_many_follow():
    few = MAGNET.sample_equilibrium(FIELD, 5, np.random.default_rng(1))
    many = MAGNET.sample_equilibrium(FIELD, 500, np.random.default_rng(1))
    assert np.array_equal(few, many[:5])


def test_sampling_without_temperature_and_bad_arguments():
    cold = Magnet(1.7, 1.0, 0.3, 0.0)
    m = cold.sample_equilibrium((0, -3, 0), 4, np.random.default_rng(0))
    assert m == pytest.approx(np.tile([0, -1.7, 0], (4, 1)))
    free = cold.sample_equilibrium((0, 0, 0), 1000, np.random.default_rng(0))
    assert np.abs(free.mean(axis=0)).max() < 5 * 1.7 / np.sqrt(3 * 1000)
    with pytest.raises(ValueError, match=r"^size=0: expected an integer >= 1"):
        MAGNET.sample_equilibrium(FIELD, 0, np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"^rng=7: expected a numpy.random.Generator"):
        MAGNET.sample_equilibrium(FIELD, 3, 7)
    with pytest.raises(ValueError, match=r"^field="):
        MAGNET.sample_equilibrium(np.zeros((2, 3)), 3, np.random.default_rng(0))


def test_drift_is_the_equation_written_out_by_hand():
    for m in some_moments(20):
        H, P, g, eta, T = FIELD, TORQUE, -0.6, 0.3, 0.45
        # [I] 2.6, term by term, with a vector product of our own
        precession = -g * cross(m, H) - g * cross(m, cross(m, P))
        damping = -eta * cross(m, cross(m, H)) - eta * cross(m, cross(m, cross(m, P)))
        by_hand = precession + damping
        assert MAGNET.drift(m, H, P) == pytest.approx(by_hand, rel=1e-13, abs=1e-14)
        assert MAGNET.drift(m, H, P, ito=True) == pytest.approx(
            by_hand - 2 * T * eta * m, rel=1e-13, abs=1e-14
        )


def test_drift_at_a_place_where_it_is_known():
    # m along x, H along z, P along y: m×H = -y, m×P = z, so H + m×P = (0, 0, 1 + p m)
    magnet = Magnet(2.0, 3.0, 0.5, 0.25)
    drift = magnet.drift((2, 0, 0), (0, 0, 1), (0, 0.1, 0))
    field = 1.2
    # -g m×z h = +g m h y;  -eta m×(m×z h) = +eta m² h z
    assert drift == pytest.approx([0.0, 3 * 2 * field, 0.5 * 4 * field])
    ito = magnet.drift((2, 0, 0), (0, 0, 1), (0, 0.1, 0), ito=True)
    assert ito - drift == pytest.approx([-2 * 0.25 * 0.5 * 2, 0, 0])


def test_drift_keeps_the_length_and_the_ito_term_balances_the_noise():
    m = some_moments(50)
    assert np.sum(m * MAGNET.drift(m, FIELD, TORQUE), axis=1) == pytest.approx(0, abs=1e-13)
    # [I] 2.10: 2 m·dm + dm·dm = 0 with dm·dm = 2 eta T * 2 m² dt
    ito = 2 * np.sum(m * MAGNET.drift(m, FIELD, TORQUE, ito=True), axis=1)
    assert ito == pytest.approx(-2 * 0.3 * 0.45 * 2 * 1.7**2, rel=1e-12)


def test_drift_regroups_into_relaxation_and_rotation():
    m = some_moments(50)
    n = m / MAGNET.moment
    b = MAGNET.relaxation_vector(FIELD, TORQUE)
    r = MAGNET.rotation_vector(FIELD, TORQUE)
    regrouped = b - n * (n @ b)[:, None] + np.cross(r, n)
    assert MAGNET.drift(m, FIELD, TORQUE) / MAGNET.moment == pytest.approx(
        regrouped, rel=1e-12, abs=1e-13
    )
    assert MAGNET.precession_field(FIELD, TORQUE) * -0.6 == pytest.approx(r)
    # b = eta m H_d, with H_d = H + (gamma0/eta) P
    assert b == pytest.approx(0.3 * 1.7 * (FIELD + (-0.6 / 0.3) * TORQUE))
    undamped = Magnet(1.7, -0.6, 0.0, 0.45)
    assert undamped.relaxation_vector(FIELD, TORQUE) == pytest.approx(-0.6 * 1.7 * TORQUE)


def test_drift_leads_to_equilibrium():
    # without torque the dissipative current vanishes in equilibrium: the damping part of dn/dt is
    # eta T times the surface gradient of ln p
    n = some_moments(10) / MAGNET.moment
    step = 1e-6
    damping = MAGNET.drift(MAGNET.moment * n, FIELD, 0 * FIELD) / MAGNET.moment
    damping = damping - 0.6 * np.cross(n, FIELD)  # take out the precession -g n×H, g = -0.6
    for k, axis in enumerate(np.eye(3)):
        up, down = n + step * axis, n - step * axis
        log = [np.log(MAGNET.equilibrium_density(x, FIELD)) for x in (up, down)]
        slope = (log[0] - log[1]) / (2 * step)
        assert damping[:, k] == pytest.approx(0.3 * 0.45 * slope, rel=1e-6, abs=1e-8)


@settings(deadline=None, derandomize=True)
@given(
    nu=st.floats(1e-6, 30.0),
    moment=st.floats(0.1, 10.0),
    temperature=st.floats(0.1, 10.0),
)
def test_free_energy_along_any_field(nu, moment, temperature):
    magnet = Magnet(moment, 1.0, 1.0, temperature)
    field = (0.0, nu * temperature / moment, 0.0)
    # the integral over the sphere done in one dimension
    integrand = lambda x: 2 * np.pi * np.exp(-nu * x)  # noqa: E731
    partition, error = integrate.quad(integrand, 0, 2, epsabs=0, epsrel=1e-11)
    assert error < 1e-10 * partition
    expected = -temperature * (nu + np.log(partition))
    # the relative error of Z is the absolute error of F/T
    assert magnet.free_energy(field) == pytest.approx(expected, rel=1e-14, abs=1e-10 * temperature)


def test_shapes_broadcast():
    many = np.zeros((4, 1, 3)) + FIELD
    assert MAGNET.drift(many, np.tile(FIELD, (5, 1)), TORQUE).shape == (4, 5, 3)
    assert MAGNET.mean_equilibrium_moment(many).shape == (4, 1, 3)
    assert MAGNET.equilibrium_density(many, np.tile(FIELD, (5, 1))).shape == (4, 5)
    for method in (MAGNET.precession_field, MAGNET.rotation_vector, MAGNET.relaxation_vector):
        assert method(many, np.tile(TORQUE, (5, 1))).shape == (4, 5, 3)
