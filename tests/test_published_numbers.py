"""Numbers that others have published, each with its source, against whatever of ours gives them.

Numbers from the two papers are in the experiments and their verdicts (test_experiments.py).
"""

import numpy as np
import pytest

from spintherm import Anisotropy, Magnet, Nanomagnet, Protocol, exact, simulate, theory
from spintherm.switching import dwell_times, state_diagram


@pytest.mark.parametrize(
    ("sigma", "value", "tolerance"),
    [
        (1.0, 1.30627966874, 6e-12),
        (2.0, 0.807681877708, 6e-12),
        (5.0, 0.135406329662, 6e-12),
        (10.0, 2.88216666939e-3, 6e-12),
        (20.0, 3.94331274e-7, 2e-9),
    ],
)
def test_uniaxial_particles(sigma, value, tolerance):
    """λ₁/(ηT) of the equation of Brown, Phys. Rev. 130, 1677 (1963); half a unit of the last digit.

    The digits were computed apart from this package.
    """
    magnet = Magnet(1.4, 0.7, 0.3, 0.6, anisotropy=Anisotropy.uniaxial(0.6 * sigma))
    rate = float(dwell_times(magnet)["relaxation_rate"]) / (0.3 * 0.6)
    assert rate == pytest.approx(value, rel=tolerance)


@pytest.mark.parametrize(
    ("xi", "value"), [(1, 2.199712373), (2, 2.795304587), (5, 6.788896191), (10, 17.506611716)]
)
def test_relaxation_in_a_uniform_field(xi, value):
    """λ₁/(ηT) of the mean along the field; the digits were computed apart from this package."""
    assert exact.relaxation_rate(float(xi)) == pytest.approx(value, abs=6e-10)
    magnet = Magnet(1.4, 0.7, 0.3, 0.6)
    state = exact.AxialMagnet(magnet, (0, 0, xi * 0.6 / 1.4))
    assert state.relaxation_rate() / 0.18 == pytest.approx(value, abs=6e-10)


@pytest.mark.parametrize(("nu", "value"), [(1.0, 0.3130352855), (3.0, 0.6716364900)])
def test_langevin_magnetisation(nu, value):
    """coth ν - 1/ν, Langevin, J. Phys. Theor. Appl. 4, 678 (1905)."""
    assert float(theory.langevin(nu)) == pytest.approx(value, abs=2e-10)


def test_mumax3s_thermal_test():
    """⟨m_z⟩ = 0.8366 ± 1e-3, mumax3, test/rk4temperature.mx3, with as many magnets as there.

    65 536 independent cells of (10 nm)³ after 5 ns from m = z; σ = 1.81, α = 0.1. Exactly the mean
    is 0.83701 (test_materials.py); 4.5 standard errors and the step bias are allowed for it.
    """
    cell = Nanomagnet(
        saturation_magnetisation="1 MA/m",
        gilbert_damping=0.1,
        temperature="100 K",
        volume="1000 nm^3",
        anisotropy="2500 J/m^3",
        gyromagnetic_ratio="1.7595e11 rad/(s T)",
    )
    duration = cell.scales.reduced_time("5 ns")
    paths = simulate(
        cell.magnet,
        Protocol(duration, None),
        trajectories=65_536,
        steps=400,
        seed=8,
        initial=(0, 0, 1),
    )
    z = paths["final_moment"].sel(component="z").values
    assert float(z.mean()) == pytest.approx(0.8366, abs=1e-3 + 4.5 * z.std() / 256)
    assert float(z.mean()) == pytest.approx(0.83701, abs=4.5 * z.std() / 256 + 3e-4)


@pytest.mark.parametrize("alpha", [0.05, 0.1])
def test_damped_precession(alpha):
    """The drift test of vampire and others: m from x in 10 T along z.

    Evans et al., J. Phys. Condens. Matter 26, 103202 (2014): m_z = tanh(αγHt/(1+α²)),
    m_x = sech(αγHt/(1+α²)) cos(γHt/(1+α²)).
    """
    spin = Nanomagnet(
        saturation_magnetisation="1.72 MA/m",
        gilbert_damping=alpha,
        temperature="1e-9 K",
        volume="0.0118 nm^3",
        gyromagnetic_ratio="1.760859e11 rad/(s T)",
    )
    time = 50e-12
    field = (0.0, 0.0, float(spin.scales.reduced_field("10 T")))
    cold = Magnet(1.0, 1.0, alpha, 0.0)
    duration = float(spin.scales.reduced_time(time))
    paths = simulate(
        cold, Protocol(duration, field), trajectories=1, steps=2000, seed=1, initial=(1, 0, 0)
    )
    turn = 1.760859e11 * 10.0 * time / (1 + alpha**2)
    expected = [
        np.cos(turn) / np.cosh(alpha * turn),
        np.sin(turn) / np.cosh(alpha * turn),
        np.tanh(alpha * turn),
    ]
    np.testing.assert_allclose(paths["final_moment"].values[0], expected, atol=1e-9)


@pytest.mark.parametrize("angle", [20.0, 45.0, 70.0])
def test_stoner_wohlfarth_astroid(angle):
    """Two states below H_K (cos^{2/3} + sin^{2/3})^{-3/2}, one above.

    Stoner and Wohlfarth, Phil. Trans. R. Soc. A 240, 599 (1948); half H_K at 45°.
    """
    magnet = Magnet(1.3, 0.8, 0.3, 0.5, anisotropy=Anisotropy.uniaxial(0.65))
    HK = 2 * 0.65 / 1.3
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    critical = HK * (c ** (2 / 3) + s ** (2 / 3)) ** -1.5
    fields = critical * np.array([0.995, 1.005])
    found = state_diagram(magnet, fields, [0.0], field_direction=(s, 0, c), times_of_damping=0.0)
    assert found["states"].values[:, 0].tolist() == [3, 1]
