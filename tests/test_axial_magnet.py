"""Escape along one axis: published numbers, closed forms, and the equations written out."""

import numpy as np
import pytest

from spintherm import Anisotropy, Magnet, Polariser, TorqueEfficiency
from spintherm.exact import AxialMagnet, relaxation_rate

AXIS = np.array([0.3, -0.5, 0.9]) / np.linalg.norm([0.3, -0.5, 0.9])
TILTED = (1.6, -0.8, 0.3, 0.7, AXIS)
UPRIGHT = (1.0, 1.0, 1.0, 1.0, np.array([0.0, 0.0, 1.0]))

# Brown's uniaxial particle, λ₁/(ηT) at σ = K V/T
BROWN = {
    1.0: 1.30627966874,
    2.0: 0.807681877708,
    5.0: 0.135406329662,
    10.0: 2.88216666939e-3,
    20.0: 3.94331274e-7,
}


def uniaxial(sigma, case):
    moment, gamma, eta, T, axis = case
    magnet = Magnet(moment, gamma, eta, T, anisotropy=Anisotropy.uniaxial(sigma * T, axis))
    return AxialMagnet(magnet, (0, 0, 0))


def general():
    """Everything at once: two orders of anisotropy, field, two polarisers, one of them reversed."""
    polarisers = (
        Polariser(AXIS, TorqueEfficiency.slonczewski(1.7), 0.8, field_like=0.4),
        Polariser(-AXIS, TorqueEfficiency.polynomial([0.5, 0.3, -0.2]), -0.6),
    )
    magnet = Magnet(
        1.6,
        -0.8,
        0.3,
        0.7,
        anisotropy=Anisotropy.uniaxial(2.5, AXIS, fourth_order=0.8),
        polarisers=polarisers,
    )
    return AxialMagnet(magnet, 0.4 * AXIS, -0.5 * AXIS)


@pytest.mark.parametrize("case", [UPRIGHT, TILTED])
@pytest.mark.parametrize("sigma", sorted(BROWN))
def test_rates_of_browns_particle(sigma, case):
    moment, gamma, eta, T, _ = case
    printed = {20.0: 2e-9}.get(sigma, 6e-12)  # half a unit of the last printed digit
    rate = uniaxial(sigma, case).relaxation_rate() / (eta * T)
    assert rate == pytest.approx(BROWN[sigma], rel=printed)
    assert moment * gamma != 0.0


@pytest.mark.parametrize("sigma", [40.0, 60.0, 300.0])
def test_high_barriers_follow_browns_asymptote(sigma):
    """4σ^{3/2} e^-σ/√π (1 - 1/σ), whose next term is of order 1/σ²."""
    rate = uniaxial(sigma, UPRIGHT).relaxation_rate()
    asymptote = 4 * sigma**1.5 * np.exp(-sigma) / np.sqrt(np.pi) * (1 - 1 / sigma)
    assert abs(rate / asymptote - 1) < 1.5 / sigma**2


@pytest.mark.parametrize("sigma", [0.01, 0.05])
def test_low_barriers(sigma):
    series = 2 * (1 - 2 * sigma / 5 + 48 * sigma**2 / 875)
    assert uniaxial(sigma, UPRIGHT).relaxation_rate() == pytest.approx(series, rel=sigma**3)


@pytest.mark.parametrize("xi", [1.0, 5.0, 30.0])
def test_a_uniform_field_gives_the_band_problem(xi):
    moment, gamma, eta, T, axis = TILTED
    state = AxialMagnet(Magnet(moment, gamma, eta, T), xi * T / moment * axis)
    assert state.relaxation_rate() == pytest.approx(eta * T * relaxation_rate(xi), rel=1e-12)


def test_the_drift_of_the_cosine_is_that_of_the_magnet():
    """D (1 - c²) d ln p/dc = a·dm/dt/m, with dm/dt from the equation of motion."""
    state, c, eps = general(), np.linspace(-0.95, 0.95, 21), 1e-6
    slope = (state.log_density(c + eps) - state.log_density(c - eps)) / (2 * eps)
    across = np.cross(AXIS, [1.0, 0.0, 0.0])
    across /= np.linalg.norm(across)
    n = c[:, None] * AXIS + np.sqrt(1 - c**2)[:, None] * across
    m = state.magnet.moment
    drift = state.magnet.drift(m * n, state.field, state.spin_torque) @ AXIS / m
    np.testing.assert_allclose(state.diffusion * (1 - c**2) * slope, drift, atol=1e-8)


def test_passage_without_fields_is_a_logarithm():
    state = AxialMagnet(Magnet(1.6, 0.8, 0.3, 0.7), (0, 0, 0))
    start = np.array([1.0, 0.5, 0.2, -0.3, -0.999])
    target = -0.3
    sense = np.where(start > target, 1.0, -1.0)
    exact = np.log((1 + sense * start) / (1 + sense * target))
    times = state.mean_first_passage_time(start, target)
    np.testing.assert_allclose(times * state.diffusion, exact, rtol=1e-12, atol=1e-15)


def test_passage_solves_the_backward_equation():
    """D/p d/dc[(1 - c²) p dτ/dc] = -1 on either side of the target, zero at it."""
    state, target, h = general(), 0.1, 2e-4

    def flux(c):
        tau = state.mean_first_passage_time(np.array([c - h, c + h]), target)
        return (1 - c**2) * np.exp(state.log_density(c)) * np.diff(tau)[0] / (2 * h)

    for c in (-0.7, -0.2, 0.4, 0.8):
        left = state.diffusion * (flux(c + h) - flux(c - h)) / (2 * h)
        # central differences are good to h² times fourth derivatives of order 10 to 100
        assert left / np.exp(state.log_density(c)) == pytest.approx(-1.0, abs=1e-4)
    assert float(state.mean_first_passage_time(target, target)) == 0.0


def test_time_to_the_barrier_is_half_the_time_of_escape():
    """At the top a path falls to either side alike, so that rate · time -> 1 for two wells."""
    state = uniaxial(25.0, UPRIGHT)
    product = state.relaxation_rate() * float(state.mean_first_passage_time(1.0, 0.0))
    assert product == pytest.approx(1.0, abs=1e-8)


def test_density_is_normalised():
    state = general()
    c, w = np.polynomial.legendre.leggauss(80)
    assert w @ state.density(c) == pytest.approx(1.0, rel=1e-13)


def test_the_common_axis():
    """Anisotropy before polarisers before vectors; zero lies along everything, signs are free."""
    easy = Anisotropy.uniaxial(1.5, AXIS)
    largest = AXIS * np.sign(AXIS[np.argmax(np.abs(AXIS))])
    whole = Magnet(1.6, 0.8, 0.3, 0.7, anisotropy=easy, polarisers=Polariser(-AXIS))
    found = whole.common_axis(-2.0 * AXIS, [AXIS, [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(found, largest, atol=1e-15)
    assert whole.common_axis([AXIS, [0.0, 1e-6, 0.0]]) is None
    off = AXIS + 1e-6 * np.array([0.5, 0.3, 0.0])
    assert whole.common_axis(off) is None
    assert whole.common_axis(off, parallel=1e-5) is not None
    plain = Magnet(1.6, 0.8, 0.3, 0.7)
    assert plain.common_axis().tolist() == [0.0, 0.0, 1.0]
    np.testing.assert_array_equal(plain.common_axis((0, 0, 0), (0, -2, 0), (0, 1, 0)), [0, -1, 0])
    polar = Magnet(1.6, 0.8, 0.3, 0.7, polarisers=Polariser((-1, 0, 0)))
    np.testing.assert_array_equal(polar.common_axis((3, 0, 0)), [-1, 0, 0])
    assert polar.common_axis((3, 0, 1)) is None
    assert Magnet(1, 1, 1, 1, anisotropy=Anisotropy.cubic(1.0)).common_axis() is None


def test_refusals():
    with pytest.raises(ValueError, match="axis of symmetry"):
        AxialMagnet(Magnet(1, 1, 1, 1, anisotropy=Anisotropy.cubic(1.0)), (0, 0, 0))
    with pytest.raises(
        ValueError, match=r"field=\(1.0, 0.0, 0.0\): expected a vector along \[0.0, 0.0, 1.0\]"
    ):
        AxialMagnet(Magnet(1, 1, 1, 1, anisotropy=Anisotropy.uniaxial(1.0)), (1, 0, 0))
    with pytest.raises(ValueError, match=r"spin_torque=\(1.0, 0.0, 0.0\): expected a vector along"):
        AxialMagnet(Magnet(1, 1, 1, 1), (0, 2, 0), (1, 0, 0))
    crossed = (Polariser((0, 0, 1)), Polariser((0, 1, 1)))
    with pytest.raises(ValueError, match="directions along one axis"):
        AxialMagnet(Magnet(1, 1, 1, 1, polarisers=crossed), (0, 0, 0))
    with pytest.raises(ValueError, match="nothing relaxes"):
        AxialMagnet(Magnet(1, 1, 0, 1), (0, 0, 1))
    for ask in ("relaxation_rate", "mean_first_passage_time"):
        with pytest.raises(ValueError, match="varies by 700"):
            getattr(uniaxial(700.0, UPRIGHT), ask)(*((0.5, 0.0) if ask.startswith("mean") else ()))
    with pytest.raises(ValueError, match="cosine between"):
        uniaxial(1.0, UPRIGHT).mean_first_passage_time(0.0, 1.0)
    with pytest.raises(ValueError, match="from -1 to 1"):
        uniaxial(1.0, UPRIGHT).mean_first_passage_time(1.5, 0.0)
