"""Steady states against closed forms, other discretisations, trajectories and their own balance."""

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial.transform import Rotation

from sphere_oracle import Harmonics, drift, sphere_nodes
from spintherm import Magnet, Protocol, simulate, theory
from spintherm.exact import CollinearSteadyState
from spintherm.fokker_planck import ResolutionError, SteadyState, steady_state
from spintherm.fokker_planck import steady as steady_module
from spintherm.fokker_planck.currents import density_and_gradient

PAPER = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
OTHER = Magnet(moment=0.7, gyromagnetic_ratio=1.4, damping=0.3, temperature=2.3)
BACKWARD = Magnet(moment=2.0, gyromagnetic_ratio=-1.7, damping=0.05, temperature=0.4)
AXIS = np.array([1.0, 2.0, -2.0]) / 3.0
FIELD, TORQUE = np.array([0.8, -1.1, 2.4]), np.array([-1.3, 0.9, 0.4])


def delta_of(magnet):
    return magnet.moment * magnet.damping / magnet.gyromagnetic_ratio


def collinear(magnet, nu, alpha):
    H = nu * magnet.temperature / magnet.moment
    return H * AXIS, alpha * H / magnet.moment * AXIS


# closed forms for P parallel to H


@pytest.mark.parametrize("magnet", [PAPER, OTHER, BACKWARD])
@pytest.mark.parametrize("nu", [0.01, 1.0, 12.0, 170.0, 3e3, 3e4])
def test_rates_of_collinear_fields(magnet, nu):
    delta = delta_of(magnet)
    alphas = [-5.0, -1 / delta, -2 * delta, -1.001 * delta, -delta, -0.999 * delta, -0.3 * delta]
    alphas += [1e-6, 0.1, 0.9 / delta, 1.1 / delta, 4.0]
    for alpha in alphas:
        H, P = collinear(magnet, nu, alpha)
        state = steady_state(magnet, H, P)
        D = magnet.damping * magnet.temperature
        expected = [
            formula(alpha, nu, delta, D)
            for formula in (
                theory.reduced_pumped_entropy_rate,
                theory.reduced_bath_entropy_rate,
                theory.reduced_entropy_production_rate,
            )
        ]
        rates = [
            state.pumped_entropy_rate,
            state.bath_entropy_rate,
            state.entropy_production_rate,
        ]
        # where a rate crosses zero, a rounded alpha moves it by 1e-16 of the other rates
        near = 1e-15 * max(abs(np.asarray(expected)))
        np.testing.assert_allclose(rates, expected, rtol=1e-10, atol=near, err_msg=f"{alpha=}")
        assert state.m_max == 0


@pytest.mark.parametrize("magnet", [PAPER, OTHER, BACKWARD])
@pytest.mark.parametrize("nu", [0.3, 4.0, 60.0, 2e3, 1e5])
@pytest.mark.parametrize("alpha", [-0.4, 0.05, 1.3])
def test_noise_and_moment_of_collinear_fields(magnet, nu, alpha):
    H, P = collinear(magnet, nu, alpha)
    state, exact = steady_state(magnet, H, P), CollinearSteadyState(magnet, H, P)
    loss = 2e-14 * abs(exact.xi)  # digits that a peak of width xi^-1/2 costs
    np.testing.assert_allclose(
        state.pumped_entropy_noise, exact.pumped_entropy_noise, rtol=1e-12 + loss
    )
    np.testing.assert_allclose(state.mean_moment, exact.mean_moment, rtol=1e-11)
    np.testing.assert_allclose(state.uncertainty_ratio, exact.uncertainty_ratio, rtol=1e-9 + loss)
    n, _ = sphere_nodes(12, 16)
    peak = exact.density(np.sign(exact.xi) * exact.axis)
    np.testing.assert_allclose(state.density(n), exact.density(n), atol=1e-10 * peak)
    assert state.phase == exact.phase


def test_phases_on_the_border_belong_to_the_dud():
    delta = delta_of(PAPER)
    alphas = (-1.0, -delta, -0.5, 0.0, 0.5, 1 / delta, 2.0)
    names = [steady_state(PAPER, *collinear(PAPER, 3.0, alpha)).phase for alpha in alphas]
    dud = "dud"
    assert names == [dud, dud, "heat pump", "equilibrium", "refrigerator", dud, dud]


def test_nothing_applied():
    state = steady_state(OTHER, (0, 0, 0), (0, 0, 0))
    np.testing.assert_allclose(state.density([0.6, 0.0, 0.8]), 1 / (4 * np.pi), rtol=1e-14)
    assert state.phase == "equilibrium"
    assert np.isnan(state.uncertainty_ratio)
    assert np.all(state.covariance == 0.0)


def test_torque_without_field():
    state = steady_state(OTHER, (0, 0, 0), (0.0, 3.0, 0.0))
    exact = CollinearSteadyState(OTHER, (0, 0, 0), (0.0, 3.0, 0.0))
    np.testing.assert_allclose(state.mean_moment, exact.mean_moment, atol=1e-12)
    np.testing.assert_allclose(state.bath_entropy_rate, exact.bath_entropy_rate, rtol=1e-11)
    assert state.phase == "dud"


def test_nearly_collinear_joins_collinear():
    H = np.array([0.0, 0.0, 3.0])
    base = steady_state(PAPER, H, (0.0, 0.0, 0.7))
    for angle in (1e-4, 1e-7, 1e-10, 1e-13):
        P = 0.7 * np.array([np.sin(angle), 0.0, np.cos(angle)])
        state = steady_state(PAPER, H, P)
        for name in ("pumped_entropy_rate", "bath_entropy_rate", "pumped_entropy_noise"):
            np.testing.assert_allclose(
                getattr(state, name), getattr(base, name), rtol=10 * angle**2 + 1e-12
            )


# tilted torques


def test_against_complex_harmonics():
    # an independent code: complex harmonics in the user's frame, no truncation in m, sparse LU
    magnet, H, P = OTHER, np.array([3.0, -2.0, 5.0]), np.array([4.0, 3.0, 1.0])
    mean, noise = Harmonics(26).steady_noise(magnet, H, P)
    state = steady_state(magnet, H, P)
    np.testing.assert_allclose(state.pumped_entropy_rate, mean, rtol=1e-10)
    np.testing.assert_allclose(state.pumped_entropy_noise, noise, rtol=1e-10)


def finite_volumes(magnet, H, P, polar, azimuthal):
    """Steady density on cells of cosine and azimuth, by central fluxes."""
    D = magnet.damping * magnet.temperature
    dc, dphi = 2.0 / polar, 2.0 * np.pi / azimuthal
    faces = -1.0 + dc * np.arange(1, polar)
    centres = -1.0 + dc * (np.arange(polar) + 0.5)
    phis = dphi * np.arange(azimuthal)

    def velocity(c, phi, along):
        c, phi = np.meshgrid(c, phi, indexing="ij")
        s = np.sqrt(1.0 - c**2)
        n = np.stack([s * np.cos(phi), s * np.sin(phi), c], axis=-1)
        v = drift(magnet.moment * n, magnet, H, P) / magnet.moment
        up = np.stack([-c * np.cos(phi), -c * np.sin(phi), s], axis=-1)
        round_ = np.stack([-np.sin(phi), np.cos(phi), 0.0 * phi], axis=-1)
        return np.sum(v * (up if along == "c" else round_), axis=-1)

    cell = np.arange(polar * azimuthal).reshape(polar, azimuthal)
    sine = np.sqrt(1.0 - faces**2)[:, None]
    flow = sine * dphi * velocity(faces, phis, "c")
    spread = D * sine**2 * dphi / dc + 0.0 * flow
    links = [(cell[:-1], cell[1:], flow, spread)]
    width = dc / np.sqrt(1.0 - centres**2)[:, None]
    flow = width * velocity(centres, phis + 0.5 * dphi, "phi")
    spread = D * width / (np.sqrt(1.0 - centres**2)[:, None] * dphi) + 0.0 * flow
    links.append((cell, np.roll(cell, -1, axis=1), flow, spread))
    rows, columns, values = [], [], []
    for low, high, flow, spread in links:  # current from low to high
        for source, weight in ((low, 0.5 * flow + spread), (high, 0.5 * flow - spread)):
            for target, sign in ((low, -1.0), (high, 1.0)):
                rows.append(target.ravel())
                columns.append(source.ravel())
                values.append(sign * weight.ravel())
    size = polar * azimuthal
    matrix = sparse.csc_array(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(size, size),
    ).tolil()
    matrix[0, :] = dc * dphi
    right = np.zeros(size)
    right[0] = 1.0
    p = spsolve(matrix.tocsc(), right).reshape(polar, azimuthal) * dc * dphi
    s = np.sqrt(1.0 - centres**2)
    parts = [
        np.sum(p * s[:, None] * np.cos(phis)),
        np.sum(p * s[:, None] * np.sin(phis)),
        np.sum(p * centres[:, None]),
    ]
    return magnet.moment * np.array(parts)


def test_against_finite_volumes():
    magnet, H, P = OTHER, FIELD, TORQUE
    coarse = finite_volumes(magnet, H, P, 32, 48)
    fine = finite_volumes(magnet, H, P, 64, 96)
    extrapolated = 2.0 * fine - coarse  # the cells at the poles leave an error of first order
    state = steady_state(magnet, H, P)
    error = np.abs(fine - coarse).max()
    assert error < 2e-3
    np.testing.assert_allclose(state.mean_moment, extrapolated, atol=0.15 * error)


def test_against_trajectories():
    # stationary start; false alarm below 1e-4 for each line
    state = steady_state(OTHER, FIELD, TORQUE)
    count, tau = 60_000, 1.5
    start = state.sample(count, np.random.default_rng(11))
    run = simulate(
        OTHER, Protocol(tau, FIELD, TORQUE), trajectories=count, seed=12, initial=start, steps=80
    )
    for name, rate in (
        ("work", state.work_rate),
        ("heat", state.heat_rate),
        ("pumped_entropy", state.pumped_entropy_rate),
    ):
        values = run[name].values
        assert abs(values.mean() - rate * tau) < 4.0 * values.std() / count**0.5, name
    pumped = run["pumped_entropy"].values
    variance = state.pumped_entropy_variance(tau)
    scatter = np.var((pumped - pumped.mean()) ** 2) ** 0.5 / count**0.5
    assert abs(pumped.var() - variance) < 4.0 * scatter
    moment = run["final_moment"].values
    assert np.all(
        abs(moment.mean(axis=0) - state.mean_moment) < 4.0 * moment.std(axis=0) / count**0.5
    )


def test_covariances_against_trajectories():
    # lim Cov/tau, from the difference of two durations so that the start and the end drop out
    state = steady_state(PAPER, FIELD, TORQUE)
    count, tau = 40_000, 6.0
    run = simulate(
        PAPER,
        Protocol(2.0 * tau, FIELD, TORQUE),
        trajectories=count,
        seed=21,
        initial=state.sample(count, np.random.default_rng(20)),
        steps=800,
        save_at=[tau],
    )
    names = ("work", "heat", "pumped_entropy")
    first = np.stack([run[f"running_{name}"].values[:, 0] for name in names], axis=-1)
    last = np.stack([run[name].values for name in names], axis=-1)
    grown = np.zeros((3, 3))
    scatter = np.zeros((3, 3))
    for values, sign in ((last, 1.0), (first, -1.0)):
        centred = values - values.mean(axis=0)
        products = centred[:, :, None] * centred[:, None, :]
        grown += sign * products.mean(axis=0) / tau
        scatter += products.var(axis=0) / count / tau**2
    assert np.all(np.abs(grown - state.covariance) < 4.5 * scatter**0.5)


@pytest.mark.parametrize(("magnet", "strength"), [(OTHER, 1.0), (PAPER, 3.0), (BACKWARD, 2.0)])
def test_rotations(magnet, strength):
    H, P = strength * FIELD, strength * TORQUE
    base = steady_state(magnet, H, P)
    turn = Rotation.from_rotvec([0.4, -1.7, 0.9]).as_matrix()
    turned = steady_state(magnet, turn @ H, turn @ P)
    np.testing.assert_allclose(turned.mean_moment, turn @ base.mean_moment, atol=1e-11)
    np.testing.assert_allclose(turned.covariance, base.covariance, rtol=1e-9)
    np.testing.assert_allclose(turned.bath_entropy_rate, base.bath_entropy_rate, rtol=1e-10)
    n, _ = sphere_nodes(6, 8)
    np.testing.assert_allclose(turned.density(n @ turn.T), base.density(n), atol=1e-11)


def test_density_solves_the_fokker_planck_equation():
    # [I] 2.13 written out; p extends to space as a function of the direction alone
    state = steady_state(OTHER, FIELD, TORQUE)
    m, h = OTHER.moment, 2e-3
    r = m * sphere_nodes(5, 7)[0]

    def p(q):
        return state.density(q / np.linalg.norm(q, axis=-1, keepdims=True))

    e = h * np.eye(3)
    first = np.stack(
        [(8 * (p(r + a) - p(r - a)) - (p(r + 2 * a) - p(r - 2 * a))) / (12 * h) for a in e], -1
    )
    second = np.empty((len(r), 3, 3))
    for i in range(3):
        for j in range(3):
            terms = (
                p(r + e[i] + e[j]) - p(r + e[i] - e[j]) - p(r - e[i] + e[j]) + p(r - e[i] - e[j])
            )
            second[:, i, j] = terms / (4 * h * h)
    eta, g, T = OTHER.damping, OTHER.gyromagnetic_ratio, OTHER.temperature
    radial = np.sum(r * first, -1)
    thermal = m**2 * np.trace(second, axis1=-2, axis2=-1)
    thermal = thermal - np.einsum("ki,kij,kj->k", r, second, r) - 2.0 * radial

    def lean(V):
        return -(m**2) * first @ V + (r @ V) * (radial + 2.0 * p(r))

    terms = [
        T * eta * thermal,
        eta * lean(FIELD) + g * lean(TORQUE),
        g * np.sum(np.cross(r, FIELD) * first, -1),
        -eta * m**2 * np.sum(np.cross(r, TORQUE) * first, -1),
    ]
    size = np.max(np.abs(terms))
    np.testing.assert_allclose(sum(terms), 0.0, atol=2e-4 * size)


@pytest.mark.parametrize("magnet", [OTHER, PAPER])
def test_currents(magnet):
    state = steady_state(magnet, FIELD, TORQUE)
    n, weight = sphere_nodes(40, 48)
    p, slope = density_and_gradient(state, n)
    reversible, irreversible = state.currents(n)
    # tangent, and together the whole drift minus diffusion
    np.testing.assert_allclose(np.sum(n * reversible, -1), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.sum(n * irreversible, -1), 0.0, atol=1e-12)
    v = drift(magnet.moment * n, magnet, FIELD, TORQUE) / magnet.moment
    D = magnet.damping * magnet.temperature
    np.testing.assert_allclose(
        reversible + irreversible, v * p[:, None] - D * slope, atol=1e-12 * np.abs(v).max()
    )
    # the reversible part is what gamma0 multiplies
    undamped = Magnet(magnet.moment, magnet.gyromagnetic_ratio, 1e-300, magnet.temperature)
    turning = drift(magnet.moment * n, undamped, FIELD, TORQUE) / magnet.moment
    np.testing.assert_allclose(reversible, turning * p[:, None], atol=1e-12 * np.abs(v).max())
    # no flux out of any cap: int J·grad f = 0 for f = n and its squares
    J = reversible + irreversible
    for f in np.eye(3):
        for power in (1, 2):
            along = n @ f
            gradient = power * (along ** (power - 1))[:, None] * (f - n * along[:, None])
            assert abs(np.sum(weight * np.sum(J * gradient, -1))) < 1e-11
    # [I] 3.14
    produced = np.sum(weight * np.sum(irreversible**2, -1) / p) / D
    np.testing.assert_allclose(produced, state.entropy_production_rate, rtol=1e-9)


def test_divergence_of_the_current_vanishes():
    state = steady_state(OTHER, FIELD, TORQUE)
    n, h = sphere_nodes(6, 8)[0], 1e-3
    total = np.zeros(len(n))
    for e in np.eye(3):

        def flow(s, e=e):
            q = n + s * h * e
            return sum(state.currents(q / np.linalg.norm(q, axis=-1, keepdims=True))) @ e

        total += (8 * (flow(1) - flow(-1)) - (flow(2) - flow(-2))) / (12 * h)
    size = np.abs(sum(state.currents(n))).max() / 0.1
    np.testing.assert_allclose(total, 0.0, atol=1e-8 * size)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 20.0])
def test_second_law_and_first_law(scale):
    rng = np.random.default_rng(4)
    for magnet in (PAPER, OTHER, BACKWARD):
        H, P = 3.0 * rng.normal(size=3), scale * rng.normal(size=3)
        state = steady_state(magnet, H, P)
        total = state.pumped_entropy_rate + state.bath_entropy_rate
        size = abs(state.pumped_entropy_rate) + abs(state.bath_entropy_rate)
        assert state.entropy_production_rate > 0.0
        # two expressions that agree only in the steady state, up to the truncation (1e-12) and the
        # rounding of up to 830 degrees, which differs between linear algebra libraries (2e-12 seen)
        assert abs(total - state.entropy_production_rate) < 1e-11 * size
        assert state.work_rate + state.heat_rate == 0.0
        np.testing.assert_allclose(
            state.work_rate, magnet.temperature * state.bath_entropy_rate, rtol=1e-14
        )
        values = np.linalg.eigvalsh(state.covariance)
        assert values[0] > -1e-12 * values[-1]
        # W + Q is the change of a bounded energy
        np.testing.assert_allclose(state.covariance[1], -state.covariance[0], rtol=1e-14)
        np.testing.assert_allclose(state.covariance, state.covariance.T, rtol=1e-14)


def test_uncertainty_relation_is_broken():
    # the point of [II]: an overdamped system keeps the ratio above 1
    state = steady_state(PAPER, (0, 0, 10.0), (0.5, 0, 0.8))
    assert state.phase == "refrigerator"
    assert state.uncertainty_ratio < 0.05


# strong fields


@pytest.mark.parametrize("theta", [0.3, 1.0, 2.5])
def test_strong_tilted_fields_follow_the_square_law(theta):
    # Delta_P falls like H^-2, with a relative correction of order 1/H
    P = np.array([np.sin(theta), 0.0, np.cos(theta)])
    deviations = []
    for strength in (3200.0, 6400.0):
        H = np.array([0.0, 0.0, strength])
        noise = steady_state(OTHER, H, P).pumped_entropy_noise
        law = float(theory.strong_field_pumped_entropy_noise(OTHER, H, P))
        deviations.append(noise / law - 1.0)
    assert abs(deviations[1]) < 1e-3
    assert abs(deviations[1] / deviations[0] - 0.5) < 0.1


def test_paper_noise_approximation_is_high():
    # [II] 18c at nu alpha = 3, P = 1: right order, but 2.5 times at H = 5 and 1.3 times at H = 20
    for strength, factor in ((5.0, 2.506), (20.0, 1.2956)):
        state = steady_state(PAPER, (0, 0, strength), (0, 0, 1.0))
        printed = 4.0 / (3**0.5 * 0.5 * strength**3)
        np.testing.assert_allclose(printed / state.pumped_entropy_noise, factor, rtol=3e-4)


@pytest.mark.parametrize("strength", [17.0, 170.0, 1700.0])
def test_truncation_in_both_directions(strength):
    nu, P = strength, np.array([0.5, 0.0, 0.5]) ** 0.5 / 3**0.5
    state = steady_state(PAPER, (0, 0, nu / 3**0.5), P)
    assert state.tail < 1e-12
    assert state.m_max < 16
    assert state.l_max < 30 + 9.0 * nu**0.5
    finer = steady_state(
        PAPER, (0, 0, nu / 3**0.5), P, l_max=state.l_max + 30, m_max=state.m_max + 8
    )
    np.testing.assert_allclose(state.covariance, finer.covariance, rtol=1e-9)
    np.testing.assert_allclose(state.mean_moment, finer.mean_moment, atol=1e-12)


# refusals


def test_what_cannot_be_resolved_is_refused():
    with pytest.raises(ResolutionError, match="tail"):
        steady_state(PAPER, (0, 0, 40.0), (1.0, 0, 0), l_max=20)
    with pytest.raises(ResolutionError, match="tail"):
        steady_state(PAPER, (0, 0, 10.0), (5.0, 0, 0), m_max=2)
    with pytest.raises(ResolutionError, match="limit"):
        steady_state(PAPER, (0, 0, 1e9), (1e8, 0, 0))


def test_lost_digits_are_refused(monkeypatch):
    monkeypatch.setattr(steady_module, "LARGEST_NOISE_ERROR", 1e-18)
    with pytest.raises(ResolutionError, match="rounding"):
        steady_state(PAPER, (0, 0, 4.0), (1.0, 0, 0))


def test_extreme_driving_keeps_its_digits():
    # nearly elliptic flow in strong fields: the plain harmonics lose half of the digits here
    H, P = np.array([0, 0, 2000 / 3**0.5]), np.array([577.35, 0, -333.33])
    base = steady_state(PAPER, H, P)
    finer = steady_state(PAPER, H, P, l_max=base.l_max + 40, m_max=base.m_max + 10)
    np.testing.assert_allclose(finer.covariance, base.covariance, rtol=1e-8)
    assert base.noise_error < 1e-8


@pytest.mark.parametrize("name", ["damping", "temperature"])
def test_no_bath_no_steady_state(name):
    values = {"moment": 1.0, "gyromagnetic_ratio": 1.0, "damping": 0.5, "temperature": 1.0}
    with pytest.raises(ValueError, match=name):
        steady_state(Magnet(**(values | {name: 0.0})), (0, 0, 1), (0, 0, 1))


def test_bad_arguments():
    with pytest.raises(ValueError, match="field"):
        steady_state(PAPER, (0, np.nan, 1), (0, 0, 1))
    with pytest.raises(ValueError, match="spin_torque"):
        steady_state(PAPER, (0, 0, 1), (0, 1))
    with pytest.raises(ValueError, match="tolerance"):
        steady_state(PAPER, (0, 0, 1), (0, 0, 1), tolerance=0.0)
    with pytest.raises(ValueError, match="directions"):
        steady_state(PAPER, (0, 0, 1), (0, 0, 1)).density([0, 0, 2.0])


def test_summary_and_dataset():
    state = steady_state(OTHER, FIELD, TORQUE)
    assert isinstance(state, SteadyState)
    assert state.phase in repr(state)
    data = state.to_dataset()
    assert data.pumped_entropy_rate == state.pumped_entropy_rate
    assert data.phase == state.phase
    assert data.attrs["moment"] == OTHER.moment
    assert (
        data.covariance.sel(functional="work", functional_2="pumped_entropy")
        == (state.covariance[0, 2])
    )
