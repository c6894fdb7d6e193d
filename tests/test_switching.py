"""Switching against finite volumes, quadratures, closed forms and limits."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.sparse import diags_array

from spintherm import (
    Anisotropy,
    Magnet,
    Nanomagnet,
    Polariser,
    Protocol,
    TorqueEfficiency,
    simulate,
)
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck import ResolutionError
from spintherm.switching import (
    dwell_times,
    hysteresis_loop,
    state_diagram,
    switching_time_distribution,
    write_cost,
    write_error_rate,
)

AXIS = np.array([0.3, -0.5, 0.9]) / np.linalg.norm([0.3, -0.5, 0.9])


def bit(sigma=30.0, axis=AXIS, asymmetry=1.5):
    """A free layer with m, γ₀, η, T other than one; its polariser points against the axis."""
    T, eta, m = 0.7, 0.03, 1.6
    polariser = Polariser(-axis, TorqueEfficiency.slonczewski(asymmetry))
    return Magnet(
        m, 0.8, eta, T, anisotropy=Anisotropy.uniaxial(sigma * T, axis), polarisers=polariser
    )


def critical(magnet, sigma):
    """The torque |P| at which a pole loses its stability if g = 1: γ₀ m P = η · 2K."""
    T, eta = magnet.temperature, magnet.damping
    return 2 * sigma * T * eta / (magnet.gyromagnetic_ratio * magnet.moment)


def finite_volumes(state, rest, upper, lengths, cells):
    """Probability of c > 0 (or < 0) after each length, by a scheme of positive coefficients.

    No polynomials and no exponential of a matrix: two-point fluxes between cells, in time SciPy's
    implicit Radau method with an absolute tolerance far below every answer.
    """
    faces = np.linspace(-1, 1, cells + 1)
    c = 0.5 * (faces[1:] + faces[:-1])
    h = faces[1] - faces[0]
    p, at = state.log_density(c), state.log_density(faces[1:-1])
    flux = state.diffusion * (1 - faces[1:-1] ** 2) / h**2
    right = np.append(flux * np.exp(at - p[:-1]), 0.0)
    left = np.insert(flux * np.exp(at - p[1:]), 0, 0.0)
    matrix = diags_array([left[1:], -(left + right), right[:-1]], offsets=[-1, 0, 1]).tocsc()
    kept = (c > 0) if upper else (c < 0)
    solution = solve_ivp(
        lambda _, u: matrix @ u,
        (0, lengths[-1]),
        kept.astype(float),
        method="Radau",
        jac=matrix,
        t_eval=lengths,
        rtol=1e-7,
        atol=1e-24,
    )
    start = np.where(kept, np.exp(rest.log_density(c) - rest.log_density(c).max()), 0.0)
    return start @ solution.y / start.sum()


@pytest.mark.parametrize(("initial", "sign"), [("parallel", 1.0), ("antiparallel", -1.0)])
def test_write_error_rates_down_to_1e_15_agree_with_finite_volumes(initial, sign):
    sigma = 30.0
    magnet = bit(sigma)
    p = magnet.polarisers[0].vector
    # P₀ < 0 drives away from the polariser, P₀ > 0 towards it
    torque = -sign * 2.0 * critical(magnet, sigma) * p
    unit = 1 / (2 * sigma * magnet.damping * magnet.temperature)
    # Slonczewski's g is 1 at c = 1 and Λ² = 2.25 at c = -1: there the pole is left 3.5 times faster
    lengths = np.array([2.0, 8.0, 17.0]) * unit / (1.0 if sign > 0 else 3.5)
    found = write_error_rate(magnet, lengths, spin_torque=torque, initial=initial)
    rates = found["write_error_rate"].values
    assert rates[0] > 1e-3
    assert rates[-1] < 1e-12
    state, rest = AxialMagnet(magnet, (0, 0, 0), torque), AxialMagnet(magnet, (0, 0, 0))
    upper = float(p @ state.axis) * sign > 0
    coarse, fine = (finite_volumes(state, rest, upper, lengths, cells) for cells in (1000, 2000))
    richardson = fine + (fine - coarse) / 3
    # what Richardson's extrapolation leaves is of the fourth power of the cell, far below a fifth
    # of what it takes away; Radau's own error is set to 1e-7 a step
    error = 0.2 * np.abs(fine - coarse) + 1e-5 * rates
    assert np.all(error < 0.05 * rates)
    assert np.all(np.abs(rates - richardson) < error), (rates, richardson)
    assert np.all(found["write_error_rate_error"].values <= 1e-6 * rates)


def test_write_error_rates_agree_with_trajectories():
    """20 000 paths from equilibrium in the well; 4.5 binomial standard errors.

    The bias of the steps is looked for by halving them.
    """
    sigma = 12.0
    magnet = bit(sigma)
    p = magnet.polarisers[0].vector
    torque = -1.5 * critical(magnet, sigma) * p
    length = 3.0 / (2 * sigma * magnet.damping * magnet.temperature)
    rng = np.random.default_rng(3)
    start = magnet.sample_equilibrium((0, 0, 0), 60_000, rng)
    start = start[start @ p > 0][:20_000]
    exact = float(write_error_rate(magnet, [length], spin_torque=torque)["write_error_rate"][0])
    assert 0.02 < exact < 0.5
    shares = []
    for steps in (1000, 2000):
        paths = simulate(
            magnet,
            Protocol(length, None, torque),
            trajectories=20_000,
            steps=steps,
            seed=4,
            initial=start,
        )
        shares.append(float((paths["final_moment"].values @ p > 0).mean()))
    error = np.sqrt(exact * (1 - exact) / 20_000)
    assert abs(shares[1] - exact) < 4.5 * error
    # the two runs share no noise: their difference has the error of both
    assert abs(shares[1] - shares[0]) < 4.5 * np.sqrt(2) * error


def test_write_error_rate_of_many_currents():
    magnet = bit(20.0)
    p, P = magnet.polarisers[0].vector, critical(magnet, 20.0)
    torques = np.array([-3.0, -2.0])[:, None] * P * p
    unit = 1 / (40 * magnet.damping * magnet.temperature)
    many = write_error_rate(magnet, [5 * unit, 8 * unit], spin_torque=torques)
    assert many["write_error_rate"].dims == ("current", "pulse_length")
    one = write_error_rate(magnet, [5 * unit, 8 * unit], spin_torque=torques[1])
    assert np.array_equal(many["write_error_rate"][1], one["write_error_rate"])
    np.testing.assert_allclose(many["current"], [-3 * P, -2 * P], rtol=1e-12)
    # a long pulse leaves only what the heat bath brings back
    state = AxialMagnet(bit(3.0), (0, 0, 0), torques[1])
    weak = write_error_rate(bit(3.0), [1e4 * unit], spin_torque=torques[1])
    a = state.axis
    c, w = state.nodes(*((0, 1) if p @ a > 0 else (-1, 0)))
    assert float(weak["write_error_rate"][0]) == pytest.approx(
        float(w @ state.density(c)), rel=1e-6
    )


def test_a_magnet_without_an_axis_takes_that_of_the_pulse_before_it_too():
    """A resting field against the pulse's is on the same axis, with a sign of its own."""
    plain = Magnet(1.3, 0.8, 0.3, 0.7)
    polar = Magnet(1.3, 0.8, 0.3, 0.7, polarisers=Polariser((0, 0, -1)))
    fields = {"field": (0, 0, -0.5), "resting_field": (0, 0, 0.8)}
    for initial in ("parallel", "antiparallel"):
        one, other = (
            write_error_rate(m, [0.7], spin_torque=(0, 0, 0), initial=initial, **fields)
            for m in (plain, polar)
        )
        np.testing.assert_allclose(one["write_error_rate"], other["write_error_rate"], rtol=1e-12)
        one, other = (
            switching_time_distribution(m, [0.7], initial=initial, **fields) for m in (plain, polar)
        )
        np.testing.assert_allclose(one["survival"], other["survival"], rtol=1e-9)


@pytest.mark.parametrize("initial", ["parallel", "antiparallel"])
def test_mean_switching_time_is_the_quadrature(initial):
    sigma = 12.0
    magnet = bit(sigma)
    p = magnet.polarisers[0].vector
    sign = 1.0 if initial == "parallel" else -1.0
    torque, target = -sign * 1.5 * critical(magnet, sigma) * p, 0.2
    times = np.linspace(0.0, 40.0, 401)
    found = switching_time_distribution(
        magnet, times, spin_torque=torque, initial=initial, target=target
    )
    state, rest = AxialMagnet(magnet, (0, 0, 0), torque), AxialMagnet(magnet, (0, 0, 0))
    turn = float(np.sign(p @ state.axis))
    ends = (turn * target, turn * sign)
    x, w = np.polynomial.legendre.leggauss(60)
    c = 0.5 * (ends[0] + ends[1]) + 0.5 * abs(ends[1] - ends[0]) * x
    share = w * rest.density(c)
    mean = share @ state.mean_first_passage_time(c, turn * target) / share.sum()
    assert found.attrs["mean"] == pytest.approx(mean, rel=1e-9)
    # the mean is the area under the survival probability; Simpson's rule, tail negligible
    S = found["survival"].values
    area = (times[1] / 3) * (S[0] + S[-1] + 4 * S[1:-1:2].sum() + 2 * S[2:-1:2].sum())
    assert S[-1] < 1e-8
    assert area == pytest.approx(mean, rel=2e-4)
    density = found["density"].values[20:]
    fallen = (times[1] / 3) * (
        density[0] + density[-1] + 4 * density[1:-1:2].sum() + 2 * density[2:-1:2].sum()
    )
    assert fallen == pytest.approx(S[20] - S[-1], rel=1e-4)


def test_survival_and_write_errors_agree_where_nobody_returns():
    sigma = 25.0
    magnet = bit(sigma)
    torque = -2.5 * critical(magnet, sigma) * magnet.polarisers[0].vector
    unit = 1 / (2 * sigma * magnet.damping * magnet.temperature)
    lengths = np.array([6.0, 9.0]) * unit
    wrong = write_error_rate(magnet, lengths, spin_torque=torque)["write_error_rate"].values
    there = switching_time_distribution(magnet, lengths, spin_torque=torque)["survival"].values
    # paths that have crossed and come back count for the former only: a share of about 1/σ
    assert np.all(wrong > there)
    assert np.all(wrong < there * (1 + 2 / sigma))


def test_dwell_times_of_a_stochastic_bit():
    magnet = bit(8.0)
    p = magnet.polarisers[0].vector
    torques = np.array([-0.2, 0.0, 0.1])[:, None] * critical(magnet, 8.0) * p
    bits = dwell_times(magnet, spin_torque=torques)
    up, down = bits["dwell_time_parallel"].values, bits["dwell_time_antiparallel"].values
    share = bits["probability_parallel"].values
    np.testing.assert_allclose(up / (up + down), share, rtol=1e-12)
    np.testing.assert_allclose(1 / up + 1 / down, bits["relaxation_rate"].values, rtol=1e-12)
    assert share[1] == pytest.approx(0.5, abs=1e-12)
    # the torque favours the well on the polariser's side
    assert share[0] < 0.5 < share[2]
    state = AxialMagnet(magnet, (0, 0, 0), torques[2])
    side = float(np.sign(p @ state.axis))
    passage = float(state.mean_first_passage_time(side, -0.8 * side))
    # a passage also takes the way down, and some paths turn back before its end: e^-barrier
    assert up[2] == pytest.approx(passage, rel=3e-2)


def test_states_without_noise_have_the_closed_boundaries():
    """n = ±a is stable while ±[ηm(H ± H_K) + γ₀mP] > 0, H_K = 2K/m."""
    m, gamma, eta, K = 1.6, 0.8, 0.1, 0.9
    magnet = Magnet(m, gamma, eta, 1.0, anisotropy=Anisotropy.uniaxial(K, AXIS))
    HK = 2 * K / m
    fields = np.linspace(-2.1, 2.2, 5) * HK
    currents = np.linspace(-2.9, 3.0, 6) * eta * HK / gamma
    found = state_diagram(magnet, fields, currents, axis=AXIS)
    H, P = fields[:, None], currents
    up = eta * (H + HK) + gamma * P > 0
    down = -eta * (H - HK) - gamma * P > 0
    np.testing.assert_array_equal(found["states"].values, up * 1 + down * 2)


def test_a_free_layer_precesses_where_nothing_is_stable():
    """An easy plane with the torque out of it has no point of rest that is stable.

    For E = K_h n_z² and P along z the plane's states are lost when the torque exceeds every
    restoring one; n then turns about z at the cosine where the damping balances the torque,
    -η(2K_h/m) c + γ₀ P = 0.
    """
    m, gamma, eta, K = 1.3, 0.9, 0.2, 0.7
    magnet = Magnet(m, gamma, eta, 0.5, anisotropy=Anisotropy.uniaxial(-K))
    P = 0.4 * eta * 2 * K / m / gamma
    found = state_diagram(magnet, [0.0], [P], axis=(0, 0, 1))
    assert np.all(found["states"].values == 4)
    strong = state_diagram(magnet, [0.0], [4 * P], axis=(0, 0, 1))
    assert int(strong["states"][0, 0]) == 1


def test_refusals():
    magnet = bit()
    torque = -magnet.polarisers[0].vector
    with pytest.raises(ValueError, match="above zero"):
        write_error_rate(magnet, [0.0, 1.0], spin_torque=torque)
    with pytest.raises(ValueError, match="'parallel'"):
        write_error_rate(magnet, [1.0], spin_torque=torque, initial="up")
    with pytest.raises(ValueError, match="between -1 and 1"):
        switching_time_distribution(magnet, [1.0], target=1.0)
    with pytest.raises(ValueError, match="from zero on"):
        switching_time_distribution(magnet, [-1.0])
    with pytest.raises(ValueError, match="nothing comes to rest"):
        state_diagram(Magnet(1, 1, 0, 1), [0.0], [1.0])
    with pytest.raises(TypeError, match="a Magnet"):
        state_diagram(3.0, [0.0], [1.0])


def test_a_nanomagnet_is_told_from_its_magnet():
    body = Nanomagnet(
        saturation_magnetisation=8e5,
        gilbert_damping=0.02,
        temperature=300.0,
        volume=1e-25,
        anisotropy=5e5,
    )
    for ask in (
        lambda: write_error_rate(body, [1.0], spin_torque=(0.0, 0.0, -1.0)),
        lambda: dwell_times(body),
        lambda: switching_time_distribution(body, [1.0]),
        lambda: write_cost(body, [1.0]),
        lambda: hysteresis_loop(body, 1.0, 1.0),
    ):
        with pytest.raises(TypeError, match=r"^magnet=Nanomagnet.*: expected a Magnet; a Nanomag"):
            ask()


def test_a_field_in_si_is_beyond_reach_with_words():
    """50 mT in A/m where reduced units are wanted."""
    with pytest.raises(ResolutionError, match=r"varies by 1.83e\+05.*in reduced units"):
        write_error_rate(
            bit(20.0),
            [1.0],
            spin_torque=(0.0, 0.0, 0.0),
            field=4e4 * bit(20.0).polarisers[0].vector,
        )
