"""Joint densities, conditional averages and correlations with anisotropy and polarisers.

Witnesses are the theorems, which relate two separate computations, the moments, trajectories, and
the matrix exponential of a generator that neither engine has.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import cumulative_trapezoid
from scipy.interpolate import RegularGridInterpolator
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
    return joint_distribution(MAGNET, PROTOCOL, tolerance=1e-3, progress=False)


@pytest.mark.slow
def test_joint_density_of_a_driven_barrier_against_moments_and_paths():
    """Normalisation, <W S_P>, and shares of paths in 16 cells, false alarms 1e-4 in all."""
    w, s = joint()["work"].values, joint()["pumped_entropy"].values
    p = joint()["density"].values
    assert np.trapezoid(np.trapezoid(p, s, axis=1), w) == pytest.approx(1.0, abs=2e-3)
    exact = moments(MAGNET, PROTOCOL, order=2)["raw_moment"].values
    both = np.trapezoid(np.trapezoid(p * s, s, axis=1) * w, w)
    assert both == pytest.approx(exact[1, 1], abs=5e-3)
    below = cumulative_trapezoid(
        cumulative_trapezoid(p, s, axis=1, initial=0), w, axis=0, initial=0
    )
    W, S = paths()["work"].values, paths()["pumped_entropy"].values
    inner = [np.quantile(x, [0.15, 0.5, 0.85]) for x in (W, S)]
    edges = [np.concatenate(([x[0]], e, [x[-1]])) for x, e in zip((w, s), inner, strict=True)]
    corners = np.stack(np.meshgrid(*edges, indexing="ij"), axis=-1)
    at = RegularGridInterpolator((w, s), below)(corners)
    share = np.diff(np.diff(at, axis=0), axis=1)
    cells = [np.searchsorted(e, x) for e, x in zip(inner, (W, S), strict=True)]
    found = np.zeros((4, 4))
    np.add.at(found, tuple(cells), 1.0 / W.size)
    error = np.sqrt(share * (1.0 - share) / W.size)
    assert np.all(np.abs(found - share) < Z * error + 2e-3)  # linear interpolation: 1e-3


@pytest.mark.slow
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
    weight = left / p
    allowed = weight * out["weighted_density_error"].values + backward["error"].values[::-1]
    assert np.all(np.abs(left * out["conditional_average"].values - q) <= allowed + 1e-12)
    # the range of S_P is not symmetric: beyond its end the stated errors exceed the values
    seen = allowed < 3e-4 * q
    assert np.sum(seen) > 20
    ratio = (left * out["conditional_average"].values / q)[seen]
    assert ratio == pytest.approx(np.ones(ratio.size), abs=1e-3)
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
    # the truncation of the oracle leaves 1e-6
    np.testing.assert_allclose(ours, expected, rtol=0.0, atol=3e-6 * expected[0])
    assert state.pumped_entropy_rate == pytest.approx(mean.real, rel=3e-6)
