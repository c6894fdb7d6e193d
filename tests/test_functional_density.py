"""Exact densities of functionals: theorems, moments, trajectories and sharper runs as witnesses."""

import itertools

import numpy as np
import pytest

from spintherm import Magnet, Protocol, Ramp, Triangle, distribution, moments, simulate
from spintherm.experiments.processes import beyond_the_papers, table_one
from spintherm.fokker_planck import (
    conditional_average,
    detailed_symmetry,
    functional_means,
    joint_distribution,
)
from spintherm.fokker_planck.tilts import survey

PROCESSES = {p.name: p for p in (*table_one(), *beyond_the_papers())}
AXIAL = (
    Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.6, temperature=0.8),
    Protocol(1.1, Ramp((0, 0, 0.7), (0, 0, -0.4), 1.1), Triangle((0, 0, 0.9), 1.1)),
)


@pytest.mark.parametrize("name", ["(b) blue", "pulses with jumps"])  # all in `make reproduce`
def test_detailed_theorem_down_to_a_hundred_millionth(name):
    process = PROCESSES[name]
    sides = detailed_symmetry(process.magnet, process.protocol, progress=False)
    assert sides.attrs["largest_deviation"] < 1e-6
    relative = (
        sides["forward_error"] / sides["forward"] + sides["backward_error"] / sides["backward"]
    )
    # the deviation is never larger than what the two estimated errors allow
    assert np.all(np.abs(sides["deviation"].values) <= relative.values + 1e-12)
    x, p = sides["entropy_production"].values, sides["forward"].values
    assert np.trapezoid(p, x) == pytest.approx(1.0, abs=1e-7)
    means = functional_means(process.magnet, process.protocol)
    assert np.trapezoid(x * p, x) == pytest.approx(means["entropy_production"], abs=1e-6)
    assert np.max(np.abs(np.log(sides["backward"] / sides["forward"]))) > 1.0  # not symmetric


@pytest.mark.parametrize(
    "of", ["work", "heat", "environment_entropy", "entropy_production", "pumped_entropy"]
)
def test_density_against_moments_and_trajectories(of):
    magnet, protocol = AXIAL
    out = distribution(magnet, protocol, of=of, tolerance=1e-5, floor=1e-8, progress=False)
    x, p = out[of].values, out["density"].values
    assert np.trapezoid(p, x) == pytest.approx(1.0, abs=1e-5)
    means = functional_means(magnet, protocol)
    means["environment_entropy"] = means["pumped_entropy"] - magnet.beta * means["heat"]
    assert np.trapezoid(x * p, x) == pytest.approx(means[of], abs=3e-5)
    run = simulate(magnet, protocol, trajectories=200_000, seed=8, steps=400, progress=False)
    samples = {
        name: run[name].values for name in ("work", "heat", "pumped_entropy", "entropy_production")
    }
    samples["environment_entropy"] = samples["pumped_entropy"] - magnet.beta * samples["heat"]
    _is_histogram_of(samples[of], x, p)


def _is_histogram_of(samples, x, p, bins=40):
    """Chi squared of counts; 4.5 standard deviations above its mean is a false alarm in 1e5."""
    cumulative = np.concatenate([[0.0], np.cumsum(0.5 * (p[1:] + p[:-1]) * np.diff(x))])
    edges = np.interp(np.linspace(0.002, 0.998, bins + 1), cumulative / cumulative[-1], x)
    expected = np.diff(np.interp(edges, x, cumulative)) * len(samples)
    counts, _ = np.histogram(samples, edges)
    chi_squared = np.sum((counts - expected) ** 2 / expected)
    assert chi_squared < bins + 4.5 * np.sqrt(2.0 * bins)


def test_second_and_third_moment_of_the_work():
    process = PROCESSES["pulses with jumps"]
    magnet, protocol = process.magnet, process.protocol
    out = distribution(magnet, protocol, of="work", tolerance=1e-6, progress=False)
    x, p = out["work"].values, out["density"].values
    exact = moments(magnet, protocol, order=3)
    centre = float(exact["raw_moment"][1, 0])
    for n in (2, 3):
        found = np.trapezoid((x - centre) ** n * p, x)
        assert found == pytest.approx(float(exact["central_moment"][n, 0]), rel=1e-5)


def test_stated_error_covers_the_difference_from_a_sharper_run():
    process = PROCESSES["(c) blue"]  # a nearly bounded Sigma: steep flanks
    coarse = distribution(
        process.magnet, process.protocol, tolerance=1e-4, floor=1e-6, progress=False
    )
    x = coarse["entropy_production"].values
    fine = distribution(process.magnet, process.protocol, points=x, tolerance=1e-7, progress=False)
    off = np.abs(coarse["density"].values - fine["density"].values)
    assert np.all(off <= coarse["error"].values + fine["error"].values)
    assert np.max(coarse["error"].values / fine["density"].values) < 1e-3


def test_pumped_entropy_fills_its_bounded_support():
    magnet, protocol = AXIAL
    out = distribution(magnet, protocol, of="pumped_entropy", tolerance=1e-4, progress=False)
    bound = magnet.gyromagnetic_ratio * magnet.moment * 0.9 * protocol.duration
    s, p = out["pumped_entropy"].values, out["density"].values
    assert s[[0, -1]] == pytest.approx([-bound, bound], rel=1e-2)
    assert np.all(np.abs(p[[0, -1]]) <= out["error"].values[[0, -1]])


def test_work_without_a_torque_is_bounded_by_the_path_of_the_field():
    magnet = AXIAL[0]
    protocol = Protocol(1.0, Ramp((0, 0, 1), (0, 0, -1), 1.0))
    out = distribution(magnet, protocol, of="work", tolerance=1e-4, progress=False)
    assert float(out["work"][-1]) <= 2.002 * magnet.moment
    assert np.trapezoid(out["density"], out["work"]) == pytest.approx(1.0, abs=1e-3)


def test_tilts_of_a_survey_reach_every_part_of_the_range():
    from spintherm.fokker_planck.process import process as prepared

    process = PROCESSES["(c) blue"]
    here = prepared(process.magnet, process.protocol, "equilibrium", 1e-8)
    seen = survey(here, np.zeros(4), np.array([1.0, 1.0, 0.0, 0.0]), 1e-8)
    low, high = seen.range_above(1e-8)
    reaches = [seen.reach(c, 4.5) for c in seen.cover(low, high)]
    assert reaches[0][0] <= low
    assert reaches[-1][1] >= high
    assert all(one[1] >= other[0] for one, other in itertools.pairwise(reaches))


def test_joint_density_and_its_theorem():
    magnet = Magnet(moment=1.2, gyromagnetic_ratio=0.7, damping=1.0, temperature=1.4)
    protocol = Protocol(2.0, Ramp((0, 0, 0.7), (0, 0, -0.4), 2.0), Triangle((0, 0, 1.2), 2.0))
    forward = joint_distribution(magnet, protocol, tolerance=1e-4, progress=False)
    w, s = forward["work"].values, forward["pumped_entropy"].values
    p = forward["density"].values
    assert np.trapezoid(np.trapezoid(p, s, axis=1), w) == pytest.approx(1.0, abs=2e-4)
    exact = moments(magnet, protocol, order=2)["raw_moment"].values
    both = np.trapezoid(np.trapezoid(p * s, s, axis=1) * w, w)
    assert both == pytest.approx(exact[1, 1], abs=1e-3)
    F = magnet.free_energy([protocol.initial_field, protocol.final_field])
    mirrored = joint_distribution(
        magnet,
        protocol.reversed(),
        work=-w[::-1],
        pumped_entropy=-s[::-1],
        tolerance=1e-4,
        progress=False,
    )
    q = mirrored["density"].values[::-1, ::-1]
    weight = np.exp(-magnet.beta * (w[:, None] - (F[1] - F[0])) - s)
    allowed = forward["error"].values * weight + mirrored["error"].values[::-1, ::-1]
    assert np.all(np.abs(p * weight - q) <= allowed)
    body = p > 0.1 * p.max()
    assert np.max(np.abs(weight[body] - 1.0)) > 0.5  # the theorem is no identity there
    assert np.max(np.abs((p * weight / q)[body] - 1.0)) < 0.01


@pytest.mark.parametrize("given", ["work", "pumped_entropy"])
def test_conditional_theorems(given):
    magnet, protocol = AXIAL
    out = conditional_average(
        magnet, protocol, given=given, tolerance=1e-5, floor=1e-5, progress=False
    )
    x = out[given].values
    there = distribution(
        magnet, protocol.reversed(), of=given, points=-x[::-1], tolerance=1e-5, progress=False
    )
    F = magnet.free_energy([protocol.initial_field, protocol.final_field])
    q = there["density"].values[::-1]
    if given == "work":  # [I] 4.24
        left = out["density"] * np.exp(-magnet.beta * (x - (F[1] - F[0])))
    else:  # [I] 4.25
        left = out["density"] * np.exp(-x) * np.exp(magnet.beta * (F[1] - F[0]))
    ratio = (left * out["conditional_average"]).values / q
    seen = out["density"].values > 1e-4 * out["density"].values.max()
    assert ratio[seen] == pytest.approx(np.ones(np.sum(seen)), abs=1e-4)
    # without the average, Crooks' form [I] 4.26 fails
    assert np.max(np.abs(left.values[seen] / q[seen] - 1.0)) > 0.1


def test_refusals():
    magnet, protocol = AXIAL
    with pytest.raises(ValueError, match="of="):
        distribution(magnet, protocol, of="power")
    with pytest.raises(ValueError, match="no fluctuations"):
        distribution(magnet, Protocol(1.0, (0, 0, 1)), of="pumped_entropy")
    with pytest.raises(ValueError, match="points"):
        distribution(magnet, protocol, points=[1.0, 0.0])
    with pytest.raises(ValueError, match="given"):
        conditional_average(magnet, protocol, given="heat")
    # W and S_P are tied to each other when nothing works
    with pytest.raises(ValueError, match="fluctuat"):
        joint_distribution(magnet, Protocol(1.0, (0, 0, 1)))
