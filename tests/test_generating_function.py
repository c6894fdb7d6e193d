"""Generating functions and exact moments: the theorems to rounding, and trajectories as witness."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from random_processes import random_process
from spintherm import Constant, Magnet, Protocol, Pulse, generating_function, moments, simulate
from spintherm.experiments.processes import beyond_the_papers, table_one
from spintherm.fokker_planck import (
    ResolutionError,
    functional_means,
    joint_symmetry_residual,
    scgf,
)

PROCESSES = {p.name: p for p in (*table_one(), *beyond_the_papers())}


@pytest.mark.parametrize("name", PROCESSES)
def test_integral_and_joint_theorem_to_rounding(name):
    process = PROCESSES[name]
    k = np.random.default_rng(5).uniform(-2.0, 1.0, (2, 4))
    k_W, k_S = np.hstack([[[-1.0, 0.0], [-1.0, 0.0]], k])
    residual = joint_symmetry_residual(
        process.magnet, process.protocol, work=k_W, pumped_entropy=k_S
    )
    assert residual.max() < 1e-10
    wrong = generating_function(
        process.magnet, process.protocol, work=-1.0, pumped_entropy=1.0, progress=False
    )
    F = process.magnet.free_energy([process.protocol.initial_field, process.protocol.final_field])
    off = float(wrong["generating_function"]) * np.exp(process.magnet.beta * (F[1] - F[0]))
    assert abs(off - 1.0) > 1e-2  # the wrong sign of the pumped entropy


def mean_entropy_production_of_axial_fields(magnet, protocol, degree=40):
    """<Sigma> for H and P along z and dF = 0, from the equations of motion of <P_l(cos theta)>."""
    m, gamma, eta, T = (
        magnet.moment, magnet.gyromagnetic_ratio, magnet.damping, magnet.temperature,
    )  # fmt: skip
    c, w = np.polynomial.legendre.leggauss(200)
    p = w * np.exp(m * protocol.initial_field[2] / T * c)
    start = np.polynomial.legendre.legvander(c, degree).T @ (p / p.sum())
    ell = np.arange(degree + 1)
    tau = protocol.duration

    def motion(t, y, rate):
        u = y[:-2]
        H, P = (float(w(t)[2]) for w in (protocol.field, protocol.spin_torque))
        above, below = np.append(u[1:], 0.0), np.append(0.0, u[:-1])
        pull = (eta * m * H + gamma * m * P) * ell * (ell + 1) / (2 * ell + 1)
        across = 2.0 / 3.0 * (1.0 - u[2])  # <sin^2 theta>
        work = -m * u[1] * rate + (eta * m**4 * P**2 - gamma * m**2 * H * P) * across
        change = pull * (below - above) - eta * T * ell * (ell + 1) * u
        return np.concatenate([change, [work, 2.0 * gamma * m * P * u[1]]])

    y = np.concatenate([start, [0.0, 0.0]])
    rate = (protocol.final_field[2] - protocol.initial_field[2]) / tau
    for a, b in ((0.0, 0.5 * tau), (0.5 * tau, tau)):
        y = solve_ivp(motion, (a, b), y, "Radau", rtol=1e-10, atol=1e-12, args=(rate,)).y[:, -1]
    return y[-2] / T + y[-1]


@pytest.mark.parametrize("name", ["(a) blue", "(a) orange"])
def test_means_of_axial_processes_against_equations_of_motion(name):
    process = PROCESSES[name]
    expected = mean_entropy_production_of_axial_fields(process.magnet, process.protocol)
    means = functional_means(process.magnet, process.protocol)
    assert means["entropy_production"] == pytest.approx(expected, abs=1e-8)


def test_work_of_a_jump_alone_is_that_of_the_equilibrium_average():
    magnet = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.35, temperature=0.8)
    H, jump = np.array([0.2, 0.3, 1.0]), np.array([0.4, -1.1, 0.7])
    protocol = Protocol(1e-12, Constant(H) + Pulse(jump, 0.5e-12, 2.0))
    k = np.array([-2.0, -1.0, 0.7, 0.4 + 1.1j])
    G = generating_function(magnet, protocol, work=k, progress=False)["generating_function"].values

    def log_z(h):  # of exp(beta m h.n), h possibly complex
        nu = magnet.beta * magnet.moment * np.sqrt(np.sum(h * h + 0j))
        return np.log(np.sinh(nu) / nu)

    expected = np.exp([log_z(H - a * jump) - log_z(H + 0j) for a in k])
    assert pytest.approx(expected, rel=1e-9) == G


def test_long_constant_driving_grows_at_the_scaled_cumulant_generating_function():
    magnet = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.35, temperature=0.8)
    H, P = (0.4, -0.7, 1.1), (0.9, 0.3, -0.5)
    logs = [
        np.log(
            generating_function(
                magnet,
                Protocol(tau, H, P),
                work=0.3,
                pumped_entropy=-0.6,
                progress=False,
            )["generating_function"].values
        )
        for tau in (20.0, 22.0)
    ]
    rate = scgf(magnet, H, P, work=0.3, pumped_entropy=-0.6)
    assert (logs[1] - logs[0]) / 2.0 == pytest.approx(rate, abs=1e-9)


def test_complex_exponents_are_characteristic_functions_of_trajectories():
    magnet, protocol = random_process(11)
    k_W, k_S = np.array([0.6, -1.0, 0.4, 2.0]), np.array([0.0, 0.8, 1.5, -1.1])
    G = generating_function(
        magnet, protocol, work=1j * k_W, pumped_entropy=1j * k_S, progress=False
    )["generating_function"].values
    run = simulate(magnet, protocol, trajectories=60_000, seed=3, steps=300, progress=False)
    x = (
        magnet.beta * run["work"].values[:, None] * k_W
        + run["pumped_entropy"].values[:, None] * k_S
    )
    sampled = np.exp(1j * x)
    error = np.sqrt((1.0 - np.abs(G) ** 2) / len(x))
    assert np.max(np.abs(sampled.mean(axis=0) - G) / error) < 4.5


@pytest.mark.parametrize("seed", range(20))
def test_moments_up_to_fourth_order_agree_with_trajectories(seed):
    """Within 4 standard errors: a false alarm in 46 of all 20 x 18 comparisons at other seeds."""
    magnet, protocol = random_process(seed)
    exact = moments(magnet, protocol)
    run = simulate(
        magnet, protocol, trajectories=40_000, seed=1000 + seed, steps=160, progress=False
    )
    W, S = run["work"].values, run["pumped_entropy"].values
    a, b = (float(exact["raw_moment"][i, j]) for i, j in ((1, 0), (0, 1)))
    for i in range(5):
        for j in range(5 - i):
            if i + j < 1:
                continue
            samples = (W - a) ** i * (S - b) ** j if i + j > 1 else W**i * S**j
            key = "central_moment" if i + j > 1 else "raw_moment"
            _agrees(samples, float(exact[key][i, j]), f"W^{i} S^{j}")
    sigma = run["entropy_production"].values
    centre = float(exact["entropy_production_raw_moment"][1])
    _agrees(sigma, centre, "mean of Sigma")
    for n in (2, 3, 4):
        expected = float(exact["entropy_production_central_moment"][n])
        _agrees((sigma - centre) ** n, expected, f"Sigma^{n}")


def _agrees(samples, expected, label):
    error = samples.std(ddof=1) / np.sqrt(len(samples))
    assert abs(samples.mean() - expected) < 4.0 * error, label


def test_cumulants_follow_from_moments():
    magnet, protocol = random_process(6)
    out = moments(magnet, protocol)
    c, k = (out[f"entropy_production_{n}"].values for n in ("central_moment", "cumulant"))
    assert k[1] == pytest.approx(float(out["entropy_production_raw_moment"][1]), rel=1e-10)
    assert k[2:4] == pytest.approx(c[2:4], rel=1e-9)
    assert k[4] == pytest.approx(c[4] - 3.0 * c[2] ** 2, rel=1e-8)
    joint = out["cumulant"].values
    total = sum(w * joint[i, 2 - i] * magnet.beta**i for i, w in ((0, 1.0), (1, 2.0), (2, 1.0)))
    assert total == pytest.approx(k[2], rel=1e-9)
    h = 1e-3
    at = [-h, 0.0, h]
    G = generating_function(magnet, protocol, work=at, pumped_entropy=at, progress=False)
    logs = np.log(G["generating_function"].values)
    assert (logs[0] + logs[2] - 2.0 * logs[1]) / h**2 == pytest.approx(k[2], rel=1e-4)


def test_the_stated_error_covers_a_coarse_tolerance():
    magnet, protocol = random_process(8)
    k = np.array([-1.7, 0.4, 1.3])
    fine = generating_function(magnet, protocol, work=k, pumped_entropy=-k, progress=False)
    coarse = generating_function(
        magnet, protocol, work=k, pumped_entropy=-k, tolerance=1e-4, progress=False
    )
    off = np.abs(coarse["generating_function"].values - fine["generating_function"].values)
    assert np.all(off <= coarse["error"].values + 1e-12)
    assert np.all(coarse["error"].values <= 1e-2 * coarse["generating_function"].values)


def test_what_cannot_be_resolved_is_refused():
    process = PROCESSES["(b) blue"]
    with pytest.raises(ResolutionError, match="l_max"):
        generating_function(
            process.magnet, process.protocol, work=3.0, pumped_entropy=1.0, l_max=6, progress=False
        )
    with pytest.raises(ValueError, match="work"):
        generating_function(process.magnet, process.protocol, work=np.nan)
    with pytest.raises(TypeError, match="pumped_entropy"):
        generating_function(process.magnet, process.protocol, pumped_entropy="all")
    with pytest.raises(ValueError, match="order"):
        moments(process.magnet, process.protocol, order=0)
