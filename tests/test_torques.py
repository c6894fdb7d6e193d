"""Polarisers and the efficiencies of their torque."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spintherm.magnet import Magnet
from spintherm.torques import Polariser, TorqueEfficiency


def directions(count, seed=0):
    n = np.random.default_rng(seed).normal(size=(count, 3))
    return n / np.linalg.norm(n, axis=1, keepdims=True)


def some_magnet():
    return Magnet(
        1.7,
        -0.6,
        0.3,
        0.45,
        polarisers=(
            Polariser((1.0, 2.0, -0.5), TorqueEfficiency.slonczewski(1.8), 0.8, 0.3),
            Polariser((0.0, 1.0, 0.4), TorqueEfficiency.polynomial([0.4, 1.0, -0.3]), -0.5),
        ),
    )


def test_forms_of_slonczewski():
    c = np.linspace(-1, 1, 11)
    g = TorqueEfficiency.slonczewski(1.5)
    np.testing.assert_allclose(g(c), 2 * 2.25 / (3.25 + 1.25 * c), rtol=1e-14)
    assert TorqueEfficiency.slonczewski(1.0) == TorqueEfficiency.constant()
    p = 0.4
    old = TorqueEfficiency.slonczewski_1996(p)
    expected = 1 / (-4 + (1 + p) ** 3 * (3 + c) / (4 * p**1.5))
    np.testing.assert_allclose(old(c), expected, rtol=1e-13)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(-2, 2), min_size=1, max_size=6),
    st.floats(-0.95, 0.95),
)
def test_derivative_and_series(numerator, asymmetry):
    g = TorqueEfficiency(tuple(numerator), asymmetry)
    c = np.linspace(-0.99, 0.99, 21)
    eps = 1e-6
    scale = 1.0 + np.abs(g(np.linspace(-1, 1, 99))).max()
    slope = (g(c + eps) - g(c - eps)) / (2 * eps)
    np.testing.assert_allclose(
        g.derivative(c), slope, atol=1e-6 * scale / (1 - abs(asymmetry)) ** 3
    )
    series, error = g.legendre()
    value = np.polynomial.legendre.legval(c, series)
    np.testing.assert_allclose(value, g(c), atol=1e-13 * scale)
    assert error <= 1e-13 * scale


def test_pumped_entropy_is_minus_the_divergence_of_the_reversible_drift():
    """By differences on the sphere of the drift -γ₀ m×(m×P(m)), no formula of the package."""
    magnet, P0 = some_magnet(), 0.9
    first = magnet.polarisers[0].vector
    P = P0 * first
    m, gamma = magnet.moment, magnet.gyromagnetic_ratio
    eps = 1e-5

    def flow(point):
        n = point / np.linalg.norm(point)
        torque = np.zeros(3)
        for item in magnet.polarisers:
            torque += P0 * item.strength * float(item.efficiency(n @ item.vector)) * item.vector
        return -gamma * m * np.cross(n, np.cross(n, torque))

    for n in directions(6, 4):
        # the divergence in space of the field continued along radii is that on the sphere
        divergence = sum(
            (flow(n + eps * e)[i] - flow(n - eps * e)[i]) / (2 * eps)
            for i, e in enumerate(np.eye(3))
        )
        rate = float(magnet.pumped_entropy_rate(m * n, P))
        assert rate == pytest.approx(-divergence, abs=1e-8)


def test_uniform_torque_is_that_of_the_papers():
    n, P = directions(5), np.array([0.3, -0.2, 0.7])
    uniform = Magnet(1.7, -0.6, 0.3, 0.45)
    polar = Magnet(1.7, -0.6, 0.3, 0.45, polarisers=Polariser(tuple(P)))
    H = np.array([0.1, 0.5, -0.4])
    m = 1.7 * n
    np.testing.assert_allclose(polar.drift(m, H, P), uniform.drift(m, H, P), atol=1e-14)
    expected = 2 * -0.6 * m @ P
    np.testing.assert_allclose(polar.pumped_entropy_rate(m, P), expected, atol=1e-14)
    np.testing.assert_allclose(uniform.pumped_entropy_rate(m, P), expected, atol=1e-14)


def test_time_reversal():
    """The reversed magnet at -H and P has the drift of the backward process at -m.

    Reversible part: v(-m)_B = +v(m) (m and t both turn); irreversible: v(-m)_B = -v(m).
    """
    magnet, n = some_magnet(), directions(8, 3)
    P = 0.9 * magnet.polarisers[0].vector
    H, m = np.array([0.1, 0.5, -0.4]), 1.7 * directions(8, 3)
    back = magnet.reversed()
    assert back.reversed() == magnet
    np.testing.assert_allclose(back.field_of_current(P), -magnet.field_of_current(P), atol=1e-15)
    np.testing.assert_allclose(
        back.local_spin_torque(-m, P), magnet.local_spin_torque(m, P), atol=1e-14
    )
    np.testing.assert_allclose(
        back.pumped_entropy_rate(-m, P), -magnet.pumped_entropy_rate(m, P), atol=1e-14
    )
    lossless = Magnet(1.7, -0.6, 0.0, 0.45, polarisers=magnet.polarisers)
    reversible = lossless.drift(m, H, P)
    np.testing.assert_allclose(lossless.reversed().drift(-m, -H, P), reversible, atol=1e-14)
    irreversible = magnet.drift(m, H, P) - reversible
    backward = back.drift(-m, -H, P) - lossless.reversed().drift(-m, -H, P)
    np.testing.assert_allclose(backward, -irreversible, atol=1e-14)
    assert np.linalg.norm(n) > 0


def test_refusals():
    with pytest.raises(ValueError, match="between -1 and 1"):
        TorqueEfficiency((1.0,), 1.0)
    with pytest.raises(ValueError, match=">= 1"):
        TorqueEfficiency.slonczewski(0.5)
    with pytest.raises(ValueError, match="between 0 and 1"):
        TorqueEfficiency.slonczewski_1996(1.0)
    with pytest.raises(ValueError, match="other than 0"):
        Polariser((0, 0, 0))
    with pytest.raises(TypeError, match="TorqueEfficiency"):
        Polariser((0, 0, 1), 1.0)
    with pytest.raises(TypeError, match="Polariser"):
        Magnet(1, 1, 1, 1, polarisers=(3,))
    magnet = some_magnet()
    with pytest.raises(ValueError, match="parallel to the polariser"):
        magnet.torque_amplitude((0, 0, 1))
    with pytest.raises(ValueError, match="at least one Polariser"):
        Magnet(1, 1, 1, 1).torque_amplitude((0, 0, 1))


def test_round_trip():
    magnet = some_magnet()
    assert Magnet.from_dict(magnet.to_dict()) == magnet
