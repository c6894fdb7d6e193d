"""Phase diagrams of magnets with anisotropy and polarisers, against quadrature and the oracle."""

import json
from functools import cache

import numpy as np
import pytest

from real_magnets_oracle import TiltedGenerator
from spintherm import Anisotropy, Magnet, Polariser, TorqueEfficiency
from spintherm.fokker_planck import zero_set
from spintherm.fokker_planck.diagram import boundaries_of, phase_diagram
from spintherm.fokker_planck.plane import Axis, Plane

T, MOMENT, GAMMA, ETA = 1.7, 1.4, 0.7, 0.6
LINE = np.array([2.0, -3.0, 6.0]) / 7.0
K, ZETA, LAMBDA = 1.1 * T, 0.25, 1.6
AXIAL = Magnet(
    MOMENT,
    GAMMA,
    ETA,
    T,
    anisotropy=Anisotropy.uniaxial(K, LINE),
    polarisers=Polariser(LINE, TorqueEfficiency.slonczewski(LAMBDA), field_like=ZETA),
)
EASY = np.array([0.0, 0.6, 0.8])
TILTED = Magnet(
    MOMENT,
    GAMMA,
    ETA,
    T,
    anisotropy=Anisotropy.uniaxial(0.8 * T, EASY),
    polarisers=Polariser((0.3, -0.2, 1.0), strength=0.9, field_like=-0.2),
)
TOWARDS = (1.0, 1.0, 0.0)


def axial_rates(field, torque, factor=1.0):
    """Pumped and bath entropy along LINE, every function of c written out: p = e^psi.

    dn/dt along the meridian is (1 - c²)[eta m H_eff + gamma0 m P], around the axis gamma0 H_eff -
    eta m² P: the torque's power is m² (1 - c²) P (eta m² P - gamma0 H_eff).
    """
    c, w = np.polynomial.legendre.leggauss(160)
    q, a = (LAMBDA**2 - 1) / (LAMBDA**2 + 1), 2 * LAMBDA**2 / (LAMBDA**2 + 1)
    g, slope, whole = a / (1 + q * c), -a * q / (1 + q * c) ** 2, a * np.log1p(q * c) / q
    H = field + ZETA * MOMENT * torque
    psi = (MOMENT * H * c + factor * K * c**2) / T + GAMMA * MOMENT * torque * whole / (ETA * T)
    p = w * np.exp(psi - psi.max())
    p /= p.sum()
    effective, P = H + 2.0 * factor * K * c / MOMENT, torque * g
    pumped = GAMMA * MOMENT * torque * (2 * c * g - (1 - c**2) * slope)
    power = MOMENT**2 * (1 - c**2) * P * (ETA * MOMENT**2 * P - GAMMA * effective)
    return {"pumped_entropy_rate": p @ pumped, "bath_entropy_rate": p @ power / T}


@pytest.fixture
def long_steps(monkeypatch):
    """Curves of fewer points, each as exact as ever."""
    monkeypatch.setattr(zero_set, "LARGEST_STEP", 0.15)


@cache
def oracle():
    return TiltedGenerator(TILTED, 16)


def oracle_rates(field, torque):
    """Rates of TILTED from the null vector of the oracle's generator."""
    L, work, _, pumped = oracle().at(field, torque, np.zeros(3))  # H_FL is in its flow
    one = np.zeros(len(L), complex)
    one[0] = 1.0 / np.sqrt(4 * np.pi)  # the constant harmonic of a density is known
    density = np.concatenate((one[:1], np.linalg.solve(L.T[1:, 1:], -L.T[1:, 0] * one[0])))
    density /= density @ oracle().unit
    found = [density @ one @ oracle().unit for one in (pumped, work / T)]
    return dict(zip(("pumped_entropy_rate", "bath_entropy_rate"), np.real(found), strict=True))


@pytest.mark.parametrize("factor", [1.0, 0.4, -0.7, 0.0])
@pytest.mark.parametrize(("field", "torque"), [(1.1, 0.8), (0.6, -0.9), (2.0, -0.3)])
def test_rates_along_one_axis_are_those_of_a_quadrature(factor, field, torque):
    fixed = (("angle", 0.0 if torque > 0 else np.pi), ("anisotropy", factor))
    plane = Plane(AXIAL, Axis("field", 0.1, 3.0), Axis("spin_torque", -2.0, 2.0), fixed)
    x, y = np.array([field]), np.array([torque])
    found = plane.scaled_rates(x, y, tolerance=1e-12)[0] * plane.scale(x, y)
    along = field if torque > 0 else -field  # P keeps to the polariser, H turns
    np.testing.assert_allclose(
        found, list(axial_rates(along, torque, factor).values()), rtol=1e-9, atol=1e-11
    )


def test_boundaries_along_one_axis_are_the_roots_of_a_quadrature(long_steps):
    axes = Axis("spin_torque", -1.3, 1.7, 13), Axis("field", 0.2, 2.0, 4)
    diagram = phase_diagram(AXIAL, *axes, workers=1, progress=False)
    found = boundaries_of(diagram)
    assert {b.rate for b in found} == {"pumped_entropy_rate", "bath_entropy_rate"}
    for boundary in found:
        assert boundary.complete
        for x, field in zip(boundary.x[::3], boundary.y[::3], strict=True):
            here = [axial_rates(field, x + d)[boundary.rate] for d in (-1e-8, 1e-8)]
            assert here[0] * here[1] < 0.0
    assert json.loads(diagram.attrs["anisotropy"]) == AXIAL.anisotropy.to_dict()
    np.testing.assert_array_equal(diagram.attrs["reference"], LINE)


def test_a_tilted_magnet_against_a_generator_of_its_own(long_steps):
    """H turned from the polariser: rates on the grid, signs on both sides of boundaries."""
    axes = Axis("spin_torque", -1.5, 1.5, 7), Axis("angle", 0.2, 2.2, 5)
    diagram = phase_diagram(TILTED, *axes, field=1.3, towards=TOWARDS, workers=1, progress=False)
    p = TILTED.polarisers[0].vector
    across = np.array(TOWARDS) - p * (p @ TOWARDS)
    across /= np.linalg.norm(across)

    def rates(torque, angle):
        return oracle_rates(1.3 * (np.cos(angle) * p + np.sin(angle) * across), torque)

    for i, j in ((0, 0), (2, 3), (4, 1), (6, 4)):
        point = diagram.isel(spin_torque=i, angle=j)
        for name, value in rates(float(point.spin_torque), float(point.angle)).items():
            assert float(point[name]) == pytest.approx(value, rel=1e-8, abs=1e-9)
    found = boundaries_of(diagram)
    assert found
    for boundary in found:
        assert boundary.complete
        for k in (1, len(boundary.x) // 2, len(boundary.x) - 2):
            x, angle = float(boundary.x[k]), float(boundary.y[k])
            here = [rates(x + d, angle)[boundary.rate] for d in (-1e-7, 1e-7)]
            assert here[0] * here[1] < 0.0


def test_the_plane_turns_with_the_magnet():
    """A turned magnet in a turned plane has the same diagram; in another plane it has not."""
    angle = 0.7
    R = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1.0]]
    ) @ np.array([[1.0, 0, 0], [0, 0.28, -0.96], [0, 0.96, 0.28]])
    magnet = Magnet(MOMENT, GAMMA, ETA, T, anisotropy=Anisotropy.biaxial(1.2 * T, 0.7 * T))
    axes, fixed = (Axis("field", 0.1, 3.0), Axis("alpha", 0.1, 2.0)), (("angle", 0.9),)
    start, other = np.array([1.0, 2.0, 2.0]) / 3, np.array([2.0, 1.0, -2.0]) / 3
    at = np.array([1.2]), np.array([0.8])

    def rates(one, *directions):
        return Plane(one, *axes, fixed, *map(tuple, directions)).scaled_rates(*at, tolerance=1e-10)

    one = rates(magnet, start, other)
    np.testing.assert_allclose(rates(magnet.rotated(R), R @ start, R @ other), one, rtol=1e-8)
    assert np.max(np.abs(rates(magnet, other, start) / one - 1.0)) > 1e-2


@pytest.mark.parametrize(
    ("magnet", "options", "words"),
    [
        (AXIAL, {"reference": (0, 0, 1)}, "the first polariser"),
        (AXIAL, {"towards": LINE}, "other than the reference"),
        (AXIAL, {"towards": (0, 0, 0)}, "towards"),
        (Magnet(1.0, 1.0, 0.5, 1.0), {"reference": (0, 0)}, "reference"),
    ],
)
def test_impossible_directions_are_refused(magnet, options, words):
    axes = Axis("field", 0.5, 1.0), Axis("alpha", 0.5, 1.0)
    with pytest.raises(ValueError, match=words):
        phase_diagram(magnet, *axes, **options)


def test_a_factor_needs_an_anisotropy():
    axes = Axis("anisotropy", 0.5, 1.0), Axis("alpha", 0.5, 1.0)
    with pytest.raises(ValueError, match="of a magnet with anisotropy"):
        phase_diagram(Magnet(1.0, 1.0, 0.5, 1.0), *axes, field=1.0)
