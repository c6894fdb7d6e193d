"""The gallery: every script runs, draws, and its numbers agree with something outside it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from spintherm.fokker_planck.diagram import boundaries_of

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SCRIPTS = sorted(path.stem for path in EXAMPLES.glob("*.py"))
BOLTZMANN, FREE_ELECTRON = 1.380649e-23, 1.76085962784e11


def run(name, folder, *words):
    """Run a script's `main` and return its module and its data; the figure must be there."""
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    out = folder / f"{name}.png"
    data = module.main(["--out", str(out), *words])
    assert out.read_bytes().startswith(b"\x89PNG")
    return module, data


def test_every_script_is_short_and_tested_here():
    tested = {name.removeprefix("test_") for name in globals() if name.startswith("test_")}
    assert set(SCRIPTS) <= tested
    for name in SCRIPTS:
        assert len((EXAMPLES / f"{name}.py").read_text("utf-8").splitlines()) < 80, name


def test_nanoparticle_relaxation(tmp_path):
    """Brown's asymptote in SI, written out: τ = (M_s/2γαK)(1+α²) √π/2 σ^-1/2 e^σ (1 + 1/σ)."""
    _, data = run("nanoparticle_relaxation", tmp_path)
    found = float(data["relaxation_time"].sel(temperature=300, diameter=20))
    K, Ms, alpha = 25e3, 446e3, 0.1
    sigma = K * np.pi / 6 * 20e-9**3 / (BOLTZMANN * 300)
    unit = Ms * (1 + alpha**2) / (2 * FREE_ELECTRON * alpha * K)
    brown = unit * np.pi**0.5 / 2 * sigma**-0.5 * np.exp(sigma) * (1 + 1 / sigma)
    assert sigma > 25
    # the next term of the asymptote is of the order (1/σ)²
    assert found == pytest.approx(brown, rel=5 / sigma**2)


def test_thermal_stability(tmp_path):
    """λ₁ of Brown's particle at σ = 10 and 20 from the table of published numbers."""
    _, data = run("thermal_stability", tmp_path)
    alpha, V, Ms, T = 0.01, 1.6e-24, 1e6, 300.0
    unit = (1 + alpha**2) / (FREE_ELECTRON * BOLTZMANN * T / (Ms * V))
    for barrier, rate in ((10.0, 2.88216666939e-3), (20.0, 3.94331274e-7)):
        found = float(data["lifetime"].sel(barrier=barrier))
        assert found == pytest.approx(2 * unit / (alpha * rate), rel=1e-8)
    assert float(data["low_barrier"][2]) == pytest.approx(float(data["lifetime"][2]), rel=1e-3)


def test_write_error_rate(tmp_path):
    """Late in the pulse a rate falls as e^(-2λt), λ the growth rate of small angles at the pole."""
    module, data = run("write_error_rate", tmp_path)
    assert float(data["write_error_rate"].min()) < 1e-15
    x, layer = 3.0, module.LAYER
    late = data["write_error_rate"].isel(current=2, pulse_length=slice(15, 30))
    slope = np.polyfit(late["pulse_length"] * 1e-9, np.log(late), 1)[0]
    # growth of small angles: (x - 1) times the rate of damping in the well
    growth = (x - 1) / layer.well_damping_time
    assert slope == pytest.approx(-2 * growth, rel=0.02)
    assert float(data["current"][2]) == pytest.approx(x * data.critical_current_density / 1e10)


def test_state_diagram(tmp_path):
    """At zero field the states are lost at Sun's critical current; at zero current at H_k."""
    _, data = run("state_diagram", tmp_path, "--points", "25")
    at_rest = data["states"].sel(field=0.0)
    bistable = at_rest["current"].where(at_rest == 3).max()
    step = float(data["current"][1] - data["current"][0])
    assert abs(float(bistable) - data.critical_current_density) <= 1.001 * step
    without = data["states"].sel(current=0.0)
    edge = without["field"].where(without == 3).max()
    assert abs(float(edge) - data.easy_field) <= float(data["field"][1] - data["field"][0])
    assert np.any(data["states"] == 4)


def test_stochastic_bit(tmp_path):
    """Both dwell times are equal without a current; their ratio is that of the probabilities."""
    module, data = run("stochastic_bit", tmp_path)
    none = data.sel(current=0.0, method="nearest")
    assert float(none["probability_parallel"]) == pytest.approx(0.5, abs=1e-9)
    ratio = data["dwell_time_parallel"] / data["dwell_time_antiparallel"]
    odds = data["probability_parallel"] / (1 - data["probability_parallel"])
    np.testing.assert_allclose(ratio, odds, rtol=1e-9)
    # paths: changes from beyond 0.6 to beyond -0.6 and back, one for every dwell time
    states = [np.sign(path[np.abs(path) > 0.6]) for path in data["path"].values]
    changes = sum(int(np.sum(np.diff(path) != 0)) for path in states)
    expected = data["path"].sizes["trajectory"] * float(data["time"][-1])
    expected /= float(none["dwell_time_parallel"])
    assert expected > 400
    # 4.5 standard errors of a Poisson count, and as much again for what is no jump at Δ = 5
    assert abs(changes / expected - 1) < 2 * 4.5 / expected**0.5
    # a torque acts like the potential 2mP γ₀/η between the wells, less what is lost within them
    disk, J = module.DISK, data["current"].values * 1e10
    torque = disk.spin_torque(current_density=1.0, polarisation=0.6)
    P = torque.reduced(disk.scales)[2]
    slope = np.polyfit(J, np.log(odds), 1)[0]
    sigma = disk.thermal_stability
    assert slope == pytest.approx(2 * P / disk.gilbert_damping, rel=1 / sigma)


def test_hysteresis_heat(tmp_path):
    """At small fields the heat is Debye's, πμ₀χ''H₀² with the exact relaxation time."""
    module, data = run("hysteresis_heat", tmp_path)
    from spintherm.exact import AxialMagnet

    body = module.PARTICLE
    state = AxialMagnet(body.magnet, (0, 0, 0))
    tau = body.scales.time / state.relaxation_rate()
    c, weights = state.nodes(-1, 1)
    square = float((weights * state.density(c)) @ c**2)
    mu0, H0, T = 4e-7 * np.pi, 5e3, 310.0
    f = float(data["frequency"][6]) * 1e3
    chi = (mu0 * body.moment) ** 2 * square / (BOLTZMANN * T)
    omega_tau = 2 * np.pi * f * tau
    power = f * np.pi * H0**2 * chi * omega_tau / (1 + omega_tau**2)
    # the next order in the field is a fraction of ν² = (μ₀mH₀/k_BT)²
    nu = mu0 * body.moment * H0 / (BOLTZMANN * T)
    found = float(data["specific_absorption_rate"][0, 6]) * 1e3 * 5180 * body.volume
    assert found == pytest.approx(power, rel=nu**2)
    assert nu < 1
    np.testing.assert_allclose(data["heat"], -data["work"], rtol=1e-6)


def test_cost_of_a_write(tmp_path):
    _, data = run("cost_of_a_write", tmp_path)
    total = data["pumped_entropy"] - data["settled_heat"]  # k_B T is the unit
    assert np.all(total > data["landauer_bound"])
    last = data.isel(current=-1, pulse_length=-1)
    assert float(last["landauer_bound"]) == pytest.approx(np.log(2), rel=1e-6)
    # the heat alone is below the bound, for the bit has been cooled
    assert float(data["settled_heat"].isel(current=0, pulse_length=-1)) > 0


@pytest.mark.usefixtures("few_points_of_boundaries")
def test_papers_figures(tmp_path):
    """The theorem's slope is 1, Crooks' is not; boundaries are zeros of rates by quadrature."""
    module, data = run("papers_figures", tmp_path, "--trajectories", "20000")
    slope, error = data["detailed_slope"].values
    assert abs(slope - 1.0) < 4.5 * error < 0.2
    slope, error = data["crooks_slope"].values
    assert abs(slope - 1.0) > 4.5 * error
    layer = module.LAYER
    c, w = np.polynomial.legendre.leggauss(120)
    n = np.stack([np.sqrt(1 - c**2), 0 * c, c], axis=-1)
    m, (polariser,) = layer.moment, layer.polarisers
    for boundary in boundaries_of(data):
        alpha, factor = boundary.x[2], boundary.y[2]
        assert boundary.complete
        P = alpha / m * np.array([0.0, 0.0, 1.0])
        push = layer.gyromagnetic_ratio * m / layer.damping * P[2]
        field = np.array([0.0, 0.0, 1.0]) + layer.field_of_current(P)
        psi = m * n @ field - factor * layer.anisotropy(n) + push * polariser.efficiency.integral(c)
        p = w * np.exp(psi - psi.max())
        if boundary.rate == "pumped_entropy_rate":
            rate = layer.pumped_entropy_rate(m * n, P)
        else:
            torque = P[2] * polariser.efficiency(c)
            turn = layer.damping * m**2 * torque - field[2] - 2 * factor * 1.2 * c / m
            rate = m**2 * (1 - c**2) * torque * turn
        assert abs(p @ rate) < 1e-6 * (p @ np.abs(rate))
