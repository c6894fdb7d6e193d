"""Escape behind barriers that a matrix cannot see: quadrature, passages, Langer's formula."""

import numpy as np
import pytest

from spintherm import Anisotropy, Magnet, Polariser, TorqueEfficiency
from spintherm.fokker_planck import ResolutionError
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.wells import BitState
from spintherm.switching import dwell_times
from spintherm.switching.escape import two_wells
from spintherm.switching.sphere import slowest

AXIS = np.array([0.3, -0.5, 0.9]) / np.linalg.norm([0.3, -0.5, 0.9])
T, ETA, M, GAMMA = 0.7, 0.08, 1.6, 0.8
NUDGE = 1e-11 * np.array([1.0, 0.2, 0.3])
"""A field across everything: it changes rates by 1e-10 and has them computed on the sphere."""


def layer(sigma, polariser=-AXIS, asymmetry=1.5):
    efficiency = TorqueEfficiency.slonczewski(asymmetry)
    anisotropy = Anisotropy.uniaxial(sigma * T, AXIS)
    return Magnet(
        M, GAMMA, ETA, T, anisotropy=anisotropy, polarisers=Polariser(polariser, efficiency)
    )


def critical(sigma):
    return 2 * sigma * T * ETA / (GAMMA * M)


@pytest.mark.parametrize(
    ("sigma", "field", "torque"),
    [
        (25.0, 0.0, 0.0),
        (50.0, 0.0, 0.0),
        (40.0, 0.8, 0.0),
        (22.0, 0.0, 0.15),
        (30.0, -0.5, 0.1),
    ],
)
def test_high_barriers_along_an_axis_come_out_of_harmonics_too(sigma, field, torque):
    """Quadratures of positive terms against two eigenfunctions; 1e-6 is what is promised."""
    magnet = layer(sigma)
    H, P = field * AXIS, torque * critical(sigma) * AXIS
    exact = dwell_times(magnet, spin_torque=P, field=H)
    found = dwell_times(magnet, spin_torque=P, field=H + NUDGE)
    for name in exact:
        assert float(found[name]) == pytest.approx(float(exact[name]), rel=2e-6), name


def hessian(field, sigma, moment, gamma, eta, temperature):
    """Rate over the saddle n = x of K sin² about z in a field across, intermediate damping.

    Langer's formula for two equal ways out of two wells, per well ω₀ e^-ΔV/(2π) Ω₀/ω_s; see
    Coffey and Kalmykov, J. Appl. Phys. 112, 121301 (2012), section IV. With energies per T,
    h = mH/2K and the curvatures of wells 2σ(1 - h²), 2σ and of the saddle 2σh, -2σ(1 - h),
    """
    h = field * moment / (2 * sigma * temperature)
    well = 2 * sigma * (1 - h**2), 2 * sigma
    saddle = 2 * sigma * h, -2 * sigma * (1 - h)
    g, d = gamma * temperature / moment, eta * temperature  # precession, damping
    trace, product = sum(saddle), saddle[0] * saddle[1]
    unstable = 0.5 * (-d * trace + np.sqrt((d * trace) ** 2 - 4 * (d**2 + g**2) * product))
    way = unstable / (2 * np.pi) * np.sqrt(well[0] * well[1] / -product)
    return 2 * way * np.exp(-sigma * (1 - h) ** 2)  # both wells empty into the other one


@pytest.mark.parametrize("eta", [0.5, 2.0])
def test_rates_over_a_saddle_are_langers(eta):
    """The next terms of the formula are of order 1/barrier: they fall off as the barrier grows."""
    errors = []
    for sigma in (30.0, 60.0):
        field = 0.3 * 2 * sigma * T / M
        magnet = Magnet(M, GAMMA, eta, T, anisotropy=Anisotropy.uniaxial(sigma * T, AXIS))
        across = np.cross(AXIS, [0.6, 0.0, 0.8])
        across /= np.linalg.norm(across)
        found = dwell_times(magnet, field=field * across, axis=AXIS)
        assert float(found["probability_parallel"]) == pytest.approx(0.5, abs=1e-9)
        expected = hessian(field, sigma, M, GAMMA, eta, T)
        errors.append(float(found["relaxation_rate"]) / expected - 1)
    barriers = 0.49 * np.array([30.0, 60.0])
    assert np.all(np.abs(errors) < 1.5 / barriers)
    assert abs(2 * errors[1] - errors[0]) < 3.0 / barriers[0] ** 2


@pytest.mark.parametrize("asymmetry", [1.0, 1.3])
def test_flows_of_tilted_torques_are_the_eigenvalue_of_the_matrix(asymmetry):
    """A barrier of which rounding leaves 1e-9 in the eigenvalue; nothing lies along an axis.

    The flow knows the drift from the magnet's fields, not from the matrix.
    """
    tilted = AXIS + 0.8 * np.cross(AXIS, [0.0, 0.6, 0.8])
    magnet = layer(12.0, tilted, asymmetry)
    P = 0.1 * critical(12.0) * magnet.polarisers[0].vector
    state = BitState(magnet, AXIS, (0.3, 0.9, -0.2), P)
    basis = Basis(40, 16)
    expected, _, _ = slowest(state, basis)
    found, high, wide = two_wells(state, basis)
    assert expected.rounding < 1e-7
    assert max(high, wide) < 1e-12
    assert found.rate == pytest.approx(expected.rate, rel=1e-6)
    assert found.upper == pytest.approx(expected.upper, rel=1e-6)
    assert found.lower == pytest.approx(expected.lower, rel=1e-6)


def test_several_deep_wells_are_refused():
    """Of the six wells of a cubic magnet four lie on the equator."""
    magnet = Magnet(M, GAMMA, 0.3, T, anisotropy=Anisotropy.cubic(100.0 * T))
    with pytest.raises(ResolutionError, match="expected two wells"):
        dwell_times(magnet, field=(0.3, 0.2, 0.5), axis=(0, 0, 1))
    with pytest.raises(ResolutionError, match="lower barrier"):
        dwell_times(layer(64.0), field=NUDGE)
