"""Trajectories that start in the steady state of magnets with anisotropy and polarisers.

Statistical tolerances are Z standard errors, false alarms 7e-6 each; the burn-in's step bias is
below 1e-3 of a direction's mean, from runs at half the resolution.
"""

from itertools import pairwise

import numpy as np
import numpy.testing as npt
import pytest
from scipy.integrate import quad

from random_real_magnets import random_magnet
from sphere_oracle import sphere_nodes
from spintherm import Anisotropy, Magnet, Polariser, Protocol, TorqueEfficiency, simulate
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck import steady_state
from spintherm.trajectories.steady import axial_law, slowest_rate

Z = 4.5
STEP_BIAS = 1e-3
LINE = np.array([-2.0, 3.0, 6.0]) / 7.0
BISTABLE = Magnet(
    1.4,
    0.7,
    0.6,
    1.7,
    anisotropy=Anisotropy.uniaxial(12.0 * 1.7, LINE) + Anisotropy.uniaxial(0.0, LINE, 2.0),
    polarisers=(
        Polariser(LINE, TorqueEfficiency.slonczewski(1.5), field_like=0.2),
        Polariser(-LINE, TorqueEfficiency.polynomial([0.3, -0.5, 0.4]), strength=-0.6),
    ),
)


def moments(magnet, field, torque, count, **options):
    """Directions at the start of a process with constant fields."""
    protocol = Protocol(1e-6, field, torque)
    data = simulate(
        magnet,
        protocol,
        trajectories=count,
        seed=11,
        steps=1,
        initial="steady_state",
        save_at=[0.0],
        **options,
    )
    return data["moment"].values[:, 0] / magnet.moment


def test_a_bistable_magnet_along_one_axis_in_its_wells():
    """The barrier is 14 T: no burn-in would fill both wells as a quadrature says."""
    field, torque = 0.04 * LINE, -0.03 * LINE
    c = moments(BISTABLE, field, torque, 100_000) @ LINE
    g, other = (item.efficiency for item in BISTABLE.polarisers)
    H, P = 0.04 - 0.03 * 0.2 * 1.4, -0.03

    def slope(x):
        energy = 1.4 * H + 2 * 12.0 * 1.7 * x + 4 * 2.0 * (1 - x * x) * x
        return (energy + 0.7 * 1.4 / 0.6 * P * (float(g(x)) + 0.6 * float(other(-x)))) / 1.7

    grid = np.linspace(-1.0, 1.0, 401)
    steps = [quad(slope, a, b)[0] for a, b in pairwise(grid)]
    psi = np.concatenate(([0.0], np.cumsum(steps)))
    fine = np.linspace(-1.0, 1.0, 200_001)
    p = np.exp(np.interp(fine, grid, psi - psi.max()))  # 1e-3 of it, between points of the grid
    whole = np.concatenate(([0.0], np.cumsum(0.5 * (p[1:] + p[:-1]))))
    edges = np.array([-1.0, -0.99, -0.97, -0.93, 0.0, 0.93, 0.97, 0.99, 1.0])
    share = np.diff(np.interp(edges, fine, whole / whole[-1]))
    found = np.histogram(c, edges)[0] / c.size
    error = np.sqrt(share * (1 - share) / c.size)
    assert np.all(np.abs(found - share) < Z * error + 2e-3 * share)
    assert 0.1 < share[-4:].sum() < 0.9


def test_the_law_of_one_axis_is_normalised_as_a_quadrature():
    field, torque = 0.3 * LINE, 0.2 * LINE
    law = axial_law(BISTABLE, field, torque)
    exact = AxialMagnet(BISTABLE, tuple(field), tuple(torque))
    for piece in (900, 4096, 7000, 8100):
        c = law.edges[piece + 1]
        assert law.cumulative[piece] == pytest.approx(exact.probability(-1.0, c), rel=1e-5)


def test_azimuths_about_the_axis_are_even():
    n = moments(BISTABLE, 0.1 * LINE, 0.1 * LINE, 50_000)
    across = n - (n @ LINE)[:, None] * LINE
    across /= np.linalg.norm(across, axis=1)[:, None]
    axes = np.linalg.svd(LINE[None])[2][1:]
    turn = (across @ axes[0] + 1j * (across @ axes[1])) ** np.arange(1, 5)[:, None]
    assert np.all(np.abs(turn.mean(axis=1)) < Z / np.sqrt(len(n)))


@pytest.mark.parametrize("seed", [3, 8])
def test_tilted_magnets_against_the_density_engine(seed):
    magnet = random_magnet(seed)
    field = np.random.default_rng(seed).normal(size=3)
    torque = 0.6 * magnet.polarisers[0].vector
    n = moments(magnet, field, torque, 20_000)
    nodes, weights = sphere_nodes(40, 80)
    density = weights * steady_state(magnet, field, torque).density(nodes)
    for power in (1, 2, 3, 4):
        exact = density @ nodes**power
        error = (n**power).std(axis=0) / np.sqrt(len(n))
        assert np.all(np.abs((n**power).mean(axis=0) - exact) < Z * error + STEP_BIAS)


def test_it_stays_steady_in_every_scheme():
    """Mean work, heat and pumped entropy of a tilted magnet grow as the density engine says."""
    magnet = random_magnet(5)
    torque = 0.7 * magnet.polarisers[0].vector
    state = steady_state(magnet, (0.4, -0.7, 0.2), torque)
    protocol = Protocol(0.4, (0.4, -0.7, 0.2), torque)
    for scheme, steps in (("splitting", 40), ("euler-maruyama", 400)):
        data = simulate(
            magnet,
            protocol,
            trajectories=10_000,
            seed=2,
            steps=steps,
            scheme=scheme,
            initial="steady_state",
        )
        for name in ("work", "heat", "pumped_entropy"):
            rate = getattr(state, f"{name}_rate")
            values = data[name].values / 0.4
            bias = data["step_bias"].sel(estimate=name).item() / 0.4
            error = data["step_bias_error"].sel(estimate=name).item() / 0.4
            allowed = Z * np.hypot(values.std() / 100.0, error) + 0.01 * abs(rate)
            assert abs(values.mean() - bias - rate) < allowed


def test_constant_polarisers_start_like_the_uniform_magnet_they_are():
    first, second = (0.0, 0.6, 0.8), (1.0, 0.0, 0.0)
    real = Magnet(
        1.3, 0.8, 0.5, 1.2, polarisers=(Polariser(first), Polariser(second, strength=-0.5))
    )
    plain = Magnet(1.3, 0.8, 0.5, 1.2)
    P = 0.9 * np.array(first)
    one = moments(real, (0.3, 0.2, 1.0), P, 300)
    other = moments(plain, (0.3, 0.2, 1.0), P - 0.45 * np.array(second), 300)
    npt.assert_allclose(one, other, atol=1e-11)


def test_the_slowest_rate_is_that_of_brown_and_of_the_density_engine():
    for barrier, exact in ((1, 1.30627966874), (2, 0.807681877708), (5, 0.135406329662)):
        brown = Magnet(1.3, 0.7, 0.5, 1.7, anisotropy=Anisotropy.uniaxial(1.7 * barrier, LINE))
        rate = slowest_rate(brown, np.zeros(3), np.zeros(3))
        assert rate / (0.5 * 1.7) == pytest.approx(exact, rel=2e-2)
    magnet = random_magnet(1)
    field, torque = np.array([0.5, 0.1, -0.3]), 0.5 * magnet.polarisers[0].vector
    exact = steady_state(magnet, field, torque).spectrum(1)
    assert slowest_rate(magnet, field, torque) == pytest.approx(-exact[0].real, rel=2e-2)


def test_a_chunk_has_the_same_moments_alone():
    magnet = random_magnet(2)
    torque = 0.5 * magnet.polarisers[0].vector
    whole = moments(magnet, (0.1, 0.2, 0.9), torque, 600, threads=2)
    npt.assert_array_equal(whole[:40], moments(magnet, (0.1, 0.2, 0.9), torque, 40, threads=1))


@pytest.mark.parametrize(("barrier", "words"), [(9.0, "slowest relaxation"), (40.0, "resolve")])
def test_barriers_off_the_axis_that_take_too_long_are_refused(barrier, words):
    magnet = Magnet(1.0, 1.0, 0.2, 1.0, anisotropy=Anisotropy.uniaxial(barrier))
    with pytest.raises(ValueError, match=words):
        simulate(
            magnet,
            Protocol(1.0, (0.1, 0.0, 0.0), (0.0, 0.0, 0.1)),
            trajectories=10,
            seed=1,
            initial="steady_state",
        )
