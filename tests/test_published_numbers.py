"""Numbers that others have published, each with its source, against whatever of ours gives them.

Numbers from the two papers are in the experiments and their verdicts (test_experiments.py).
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from spintherm import Anisotropy, Magnet, Nanomagnet, Polariser, Protocol, exact, simulate, theory
from spintherm.switching import dwell_times, state_diagram, write_error_rate


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


@pytest.mark.parametrize("h", [0.1, 0.3])
def test_brown_and_aharoni_in_a_field_along_the_axis(h):
    """λ₁/(ηT) → 2σ^{3/2}(1 - h²)[(1 + h)e^{-σ(1+h)²} + (1 - h)e^{-σ(1-h)²}]/√π, h = mH/2K.

    Brown, Phys. Rev. 130, 1677 (1963); Aharoni, Phys. Rev. 177, 793 (1969). Found are
    -6.0% and -9.9% at σ = 20, -1.4% and -2.3% at σ = 80: the terms left out of Brown's integrals
    at well and saddle are of order 1/σ, and what is left over of them after that of order 1/σ².
    """
    errors = []
    for sigma in (20.0, 40.0, 80.0):
        magnet = Magnet(1.3, 0.8, 0.4, 0.6, anisotropy=Anisotropy.uniaxial(0.6 * sigma))
        state = exact.AxialMagnet(magnet, (0, 0, h * 2 * sigma * 0.6 / 1.3))
        sides = [(1 + s * h) * np.exp(-sigma * (1 + s * h) ** 2) for s in (1, -1)]
        printed = 2 / np.sqrt(np.pi) * sigma**1.5 * (1 - h**2) * sum(sides)
        errors.append(state.relaxation_rate() / 0.24 / printed - 1)
    assert np.all(np.abs(errors) < 2.1 / np.array([20.0, 40.0, 80.0]))
    for one, half in pairwise(errors):
        assert half / one == pytest.approx(0.5, abs=0.04)


def langer(field, sigma, magnet):
    """Langer's rate over n = x of K sin² about z in a field across, for both wells together.

    With curvatures over T of the well, 2σ(1 - h²) and 2σ, and of the saddle, 2σh and -2σ(1 - h).
    """
    h = field * magnet.moment / (2 * sigma * magnet.temperature)
    turn = magnet.gyromagnetic_ratio * magnet.temperature / magnet.moment
    damp = magnet.damping * magnet.temperature
    trace, product = 2 * sigma * (2 * h - 1), -4 * sigma**2 * h * (1 - h)
    root = np.sqrt((damp * trace) ** 2 - 4 * (damp**2 + turn**2) * product)
    shapes = np.sqrt(4 * sigma**2 * (1 - h**2) / -product)
    return (root - damp * trace) / (2 * np.pi) * shapes * np.exp(-sigma * (1 - h) ** 2)


def depopulation(loss):
    """Mel'nikov's A(Δ), Δ the loss of energy on the way from saddle to saddle over T."""
    whole, _ = quad(lambda x: np.log(-np.expm1(-loss * (x * x + 0.25))) / (x * x + 0.25), 0, np.inf)
    return np.exp(whole / np.pi)


@pytest.mark.parametrize(("alpha", "far", "near"), [(0.02, -0.55, 0.03), (0.1, -0.10, 0.05)])
def test_the_turnover_of_kramers_in_a_transverse_field(alpha, far, near):
    """Langer's rate times A(αS)²/A(2αS), S = 16σ√h(1 - 13h/6 + 11h²/8 - 3h³/16), h = mH/2K.

    Mel'nikov, Physica A 130, 606 (1985); Dejardin, Crothers, Coffey and Kalmykov, Phys. Rev. E 63,
    021102 (2001); Kalmykov, J. Appl. Phys. 96, 1138 (2004). An integration of the precession that
    leaves the saddle and comes back gives 87.411 for the 87.412 of S. Here σ = 20, h = 0.15,
    14.5 T of barrier. Langer's rate alone is 2.2 times too high at α = 0.02, where paths that have
    come over the saddle go back; the whole formula is 1.4% and 3.1% high, of the order of
    1/barrier, which it leaves out.
    """
    m, gamma, T, sigma, h = 1.3, 0.8, 0.6, 20.0, 0.15
    field = h * 2 * sigma * T / m
    magnet = Magnet(m, gamma, alpha * gamma / m, T, anisotropy=Anisotropy.uniaxial(sigma * T))
    rate = float(dwell_times(magnet, field=(field, 0, 0), axis=(0, 0, 1))["relaxation_rate"])
    loss = alpha * 16 * sigma * np.sqrt(h) * (1 - 13 * h / 6 + 11 * h**2 / 8 - 3 * h**3 / 16)
    high = langer(field, sigma, magnet)
    assert rate / high - 1 == pytest.approx(far, abs=0.01)
    whole = high * depopulation(loss) ** 2 / depopulation(2 * loss)
    assert abs(rate / whole - 1) < near


@pytest.mark.parametrize("overdrive", [2.0, 4.0])
def test_write_errors_of_butler_and_others(overdrive):
    """1 - exp[-(π²/4)Δ(i - 1)/(i e^{2(i-1)t} - 1)], t in units of (1 + α²)/(αγH_K), i = I/I_c.

    Butler et al., IEEE Trans. Magn. 48, 4684 (2012), which is the law of an angle that grows
    by itself up to π/2. The flow dc/dt = -(1 - c²)(i - c) puts another angle there,
    2^{1+(i-1)/(i+1)} (1 - 1/i)^{2/(i+1)} in place of (π/2)², derived here by its partial
    fractions: for i = 2 the rates are 0.643 times theirs, for
    i = 4 1.095 times. What is left is -3.0% and 0.2% at Δ = 160, and falls off as 1/Δ.
    """
    i, errors = overdrive, []
    for barrier in (80.0, 160.0):
        K, eta = 0.6 * barrier, 0.05
        magnet = Magnet(
            1.3, 0.8, eta, 0.6, anisotropy=Anisotropy.uniaxial(K), polarisers=Polariser((0, 0, 1))
        )
        t = (8.0 + np.log(barrier)) / (2 * (i - 1))
        torque = (0.0, 0.0, -i * 2 * K * eta / (0.8 * 1.3))
        found = write_error_rate(magnet, [t / (2 * K * eta)], spin_torque=torque)
        exponent = barrier * (i - 1) / (i * np.exp(2 * (i - 1) * t) - 1)
        angle = 2 ** (1 + (i - 1) / (i + 1)) * (1 - 1 / i) ** (2 / (i + 1))
        rate = float(found["write_error_rate"][0])
        errors.append(rate / -np.expm1(-angle * exponent) - 1)
        butler = rate / -np.expm1(-(np.pi**2) / 4 * exponent)
        assert butler == pytest.approx(4 * angle / np.pi**2, rel=6.0 / barrier)
    assert abs(errors[1]) < 0.035
    assert errors[1] / errors[0] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("hard", [0.0, 6.0])
def test_suns_critical_current(hard):
    """The state against the torque is lost at I_c ∝ α(H_K + M_eff/2): γ₀ m P = η(2K + K_h).

    Sun, Phys. Rev. B 62, 570 (2000), with 2πM of a film there. Beyond it a bit without hard axis
    turns over; a flat one may be caught by its precession.
    """
    m, gamma, eta, K = 1.3, 0.8, 0.02, 0.7
    flat = Anisotropy.biaxial(K, hard, (1, 0, 0), (0, 0, 1)) if hard else None
    easy = flat or Anisotropy.uniaxial(K, (1, 0, 0))
    magnet = Magnet(m, gamma, eta, 0.5, anisotropy=easy)
    critical = eta * (2 * K + hard) / (gamma * m)
    found = state_diagram(
        magnet, [0.0], critical * np.array([-1.005, -0.995]), axis=(1, 0, 0), times_of_damping=0.0
    )
    assert (found["states"].values[0] & 1).tolist() == [0, 1]
    assert (found["states"].values[0] & 2).tolist() == [2, 2]
