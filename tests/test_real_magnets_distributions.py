"""Joint densities, conditional averages and correlations with anisotropy and polarisers.

Witnesses are the theorems, which relate two separate computations, the moments, trajectories, and
the matrix exponential of a generator that neither engine has.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.linalg import expm

from real_magnets_oracle import TiltedGenerator
from spintherm import (
    Anisotropy,
    Magnet,
    Polariser,
    Protocol,
    Ramp,
    TorqueEfficiency,
    Triangle,
    simulate,
)
from spintherm.fokker_planck import (
    conditional_average,
    distribution,
    joint_distribution,
    moments,
    steady_state,
)
from spintherm.trajectories.thermodynamics import free_energy_change

LINE = np.array([2.0, -3.0, 6.0]) / 7.0
MAGNET = Magnet(
    moment=1.2,
    gyromagnetic_ratio=0.7,
    damping=1.0,
    temperature=1.4,
    anisotropy=Anisotropy.uniaxial(0.9, LINE),
    polarisers=Polariser(LINE, TorqueEfficiency.slonczewski(1.5), field_like=0.2),
)
PROTOCOL = Protocol(2.0, Ramp(0.7 * LINE, -0.4 * LINE, 2.0), Triangle(1.2 * LINE, 2.0))
Z = 4.5


@cache
def paths():
    """The other engine; at 60 steps its bias is below its error."""
    return simulate(MAGNET, PROTOCOL, trajectories=40_000, seed=2, steps=60, progress=False)


@cache
def joint():
    return joint_distribution(MAGNET, PROTOCOL, tolerance=1e-4, progress=False)


def test_joint_density_of_a_driven_barrier_and_its_theorem():
    forward = joint()
    w, s = forward["work"].values, forward["pumped_entropy"].values
    p = forward["density"].values
    assert np.trapezoid(np.trapezoid(p, s, axis=1), w) == pytest.approx(1.0, abs=2e-4)
    exact = moments(MAGNET, PROTOCOL, order=2)["raw_moment"].values
    both = np.trapezoid(np.trapezoid(p * s, s, axis=1) * w, w)
    assert both == pytest.approx(exact[1, 1], abs=1e-3)
    mirrored = joint_distribution(
        MAGNET.reversed(),
        PROTOCOL.reversed(),
        work=-w[::-1],
        pumped_entropy=-s[::-1],
        tolerance=1e-4,
        progress=False,
    )
    q = mirrored["density"].values[::-1, ::-1]
    change = free_energy_change(MAGNET, PROTOCOL)
    weight = np.exp(-MAGNET.beta * (w[:, None] - change) - s)
    allowed = forward["error"].values * weight + mirrored["error"].values[::-1, ::-1]
    assert np.all(np.abs(p * weight - q) <= allowed)
    body = p > 0.1 * p.max()
    assert np.max(np.abs(weight[body] - 1.0)) > 0.5
    assert np.max(np.abs((p * weight / q)[body] - 1.0)) < 0.01


def test_joint_density_counts_the_paths_of_the_other_engine():
    """Shares of paths in halves and quarters of (W, S_P); 16 bins, false alarms 1e-4 in all."""
    w, s = joint()["work"].values, joint()["pumped_entropy"].values
    p = joint()["density"].values
    W, S = paths()["work"].values, paths()["pumped_entropy"].values
    edges = [np.quantile(x, [0.15, 0.5, 0.85]) for x in (W, S)]
    cells_w, cells_s = (np.searchsorted(e, x) for e, x in zip(edges, (w, s), strict=True))
    found = np.zeros((4, 4))
    np.add.at(found, (np.searchsorted(edges[0], W), np.searchsorted(edges[1], S)), 1.0 / W.size)
    area = np.gradient(w)[:, None] * np.gradient(s)
    exact = np.zeros((4, 4))
    np.add.at(exact, (cells_w[:, None], cells_s), p * area)
    error = np.sqrt(exact * (1.0 - exact) / W.size)
    # an edge may lie half a cell beside a grid line
    spacing = [np.max(np.diff(x)) for x in (w, s)]
    shift = 0.5 * sum(
        d * np.trapezoid(p, x, axis=axis).max()
        for d, x, axis in zip(spacing, (s, w), (1, 0), strict=True)
    )
    assert np.all(np.abs(found - exact) < Z * error + shift)
    assert shift < 0.02


@pytest.mark.parametrize("given", ["work", "pumped_entropy"])
def test_conditional_theorems_and_sampled_averages(given):
    """[I] 4.24, 4.25 against the density of the reversed process; then means of bins of paths."""
    out = conditional_average(
        MAGNET, PROTOCOL, given=given, tolerance=1e-5, floor=1e-5, progress=False
    )
    x, p = out[given].values, out["density"].values
    backward = distribution(
        MAGNET.reversed(),
        PROTOCOL.reversed(),
        of=given,
        points=-x[::-1],
        tolerance=1e-5,
        progress=False,
    )
    q = backward["density"].values[::-1]
    beta, change = MAGNET.beta, free_energy_change(MAGNET, PROTOCOL)
    left = p * np.exp(-beta * (x - change) if given == "work" else -x + beta * change)
    seen = p > 1e-4 * p.max()
    ratio = (left * out["conditional_average"].values / q)[seen]
    assert ratio == pytest.approx(np.ones(ratio.size), abs=1e-4)
    assert np.max(np.abs(left[seen] / q[seen] - 1.0)) > 0.1

    W, S = beta * paths()["work"].values, paths()["pumped_entropy"].values
    at, weight = (W / beta, np.exp(-S)) if given == "work" else (S, np.exp(-W))
    edges = np.quantile(at, [0.1, 0.3, 0.5, 0.7, 0.9])
    weighted = out["weighted_density"].values
    for low, high in pairwise(edges):
        grid = np.linspace(low, high, 201)
        exact = np.trapezoid(np.interp(grid, x, weighted), grid)
        terms = np.where((at >= low) & (at < high), weight, 0.0)
        allowed = Z * terms.std() / np.sqrt(terms.size) + 2e-3 * exact
        assert terms.mean() == pytest.approx(exact, abs=allowed)


TILTED = Magnet(
    1.3,
    1.7,
    0.4,
    0.8,
    anisotropy=Anisotropy.biaxial(0.6, 0.4, (1.0, 2.0, 3.0), (3.0, 0.0, -1.0)),
    polarisers=(
        Polariser((0.3, 0.2, 1.0), TorqueEfficiency.slonczewski(1.4), 1.0, 0.3),
        Polariser((1.0, -0.4, 0.1), TorqueEfficiency.polynomial((0.6, 0.5)), -0.7, 0.1),
    ),
)


@pytest.mark.parametrize(
    ("magnet", "field"), [(TILTED, (0.4, -0.3, 0.5)), (MAGNET, 0.5 * LINE)], ids=["tilted", "axial"]
)
def test_correlation_of_the_pumping_rate_against_the_matrix_exponential(magnet, field):
    oracle, amplitude = TiltedGenerator(magnet, 13), 0.9
    L, _, _, rate = oracle.at(np.array(field), amplitude, np.zeros(3))
    one = oracle.unit
    values, vectors = np.linalg.eig(L.T)
    density = vectors[:, np.argmin(np.abs(values))]
    density = density / (density @ one)
    f = rate @ one
    mean = density @ f
    times = np.array([0.0, 0.05, 0.4, 2.0])
    expected = [
        (density @ ((rate - mean * np.eye(len(L))) @ expm(L * t) @ (f - mean * one))).real
        for t in times
    ]
    state = steady_state(magnet, field, amplitude * magnet.polarisers[0].vector)
    ours = state.pumped_entropy_correlation(times)
    np.testing.assert_allclose(ours, expected, atol=2e-7 * expected[0])
    assert state.pumped_entropy_rate == pytest.approx(mean.real, rel=1e-7)
