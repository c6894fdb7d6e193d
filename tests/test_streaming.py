"""Statistics that merge, and `simulate_statistics` against the trajectories themselves."""

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from spintherm import Magnet, Protocol, simulate, simulate_statistics
from spintherm.fokker_planck import functional_means
from spintherm.fokker_planck import moments as exact_moments
from spintherm.kernels.binning import find_bins
from spintherm.schema import FUNCTIONALS
from spintherm.statistics import Counts, ExponentialMoments, MomentSet, exponential_average
from spintherm.trajectories import streaming

# With Z = 4.5 a comparison raises a false alarm once in 150 000 seeds; the seeds are fixed.
Z = 4.5


# --- what merges ----------------------------------------------------------------------------------


def skewed(count, seed=1):
    """Two correlated, skewed variables far from zero, on very different scales."""
    rng = np.random.default_rng(seed)
    x = rng.gamma(2.0, 1.5, count) + 1000.0
    y = 1e-3 * (0.7 * (x - 1000.0) ** 1.5 + rng.normal(size=count)) - 5.0
    return np.stack((x, y))


def written_out(samples, p):
    """The central moment of powers p in extended precision."""
    x = samples.astype(np.longdouble)
    deviation = x - x.mean(axis=1, keepdims=True)
    return float(np.mean(np.prod(deviation ** np.array(p)[:, None], axis=0)))


KEPT = MomentSet([(4, 0), (3, 1), (2, 2), (1, 3), (0, 4)])


def test_moments_of_a_sample_are_those_written_out():
    samples = skewed(5000)
    ours = KEPT.of(samples)
    for p in KEPT.powers:
        if sum(p) > 1:
            assert ours.central(*p) == pytest.approx(written_out(samples, p), rel=1e-11)
    assert np.allclose(ours.covariance, np.cov(samples), rtol=1e-11)
    assert np.allclose(ours.variance, samples.var(axis=1, ddof=1), rtol=1e-11)


@pytest.mark.parametrize("cuts", [(1,), (17, 18, 4000), tuple(range(100, 5000, 100))])
def test_moments_merge_to_those_of_the_whole(cuts):
    """The parts have means that differ by several deviations, so that every term matters."""
    samples = np.sort(skewed(5000), axis=1)
    bounds = (0, *cuts, 5000)
    parts = [KEPT.of(samples[:, a:b]) for a, b in pairwise(bounds)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged.merged(part)
    assert merged.count == 5000
    assert np.allclose(merged.mean, samples.mean(axis=1), rtol=1e-14)
    for p in KEPT.powers:
        if sum(p) > 1:
            assert merged.central(*p) == pytest.approx(written_out(samples, p), rel=1e-10), p


def test_errors_of_mean_and_variance_have_their_formulas():
    samples = skewed(3000)
    ours = KEPT.of(samples)
    n, second = 3000, samples.var(axis=1)
    fourth = np.array([written_out(samples, p) for p in ((4, 0), (0, 4))])
    assert np.allclose(ours.mean_error, np.sqrt(second / (n - 1)), rtol=1e-11)
    s2 = second * n / (n - 1)
    expected = np.sqrt((fourth - s2**2 * (n - 3) / (n - 1)) / n)
    assert np.allclose(ours.variance_error, expected, rtol=1e-10)


def test_few_samples_bound_nothing():
    one = KEPT.of(skewed(1))
    assert np.all(np.isinf(one.mean_error))
    assert np.all(np.isnan(one.variance))
    assert np.all(np.isinf(KEPT.of(skewed(3)).variance_error))
    assert np.isinf(ExponentialMoments.of(np.array([0.3])).estimate.error)


@pytest.mark.parametrize("offset", [0.0, 2000.0, -500.0])
def test_exponential_averages_merge_without_overflow(offset):
    x = np.sort(np.random.default_rng(3).normal(0.0, 2.0, 4000)) + offset
    whole = exponential_average(x - offset)
    parts = [ExponentialMoments.of(part) for part in np.split(x, [5, 1000, 3990])]
    merged = parts[3].merged(parts[1]).merged(parts[0].merged(parts[2]))
    if offset == 0.0:
        assert merged.estimate.value == pytest.approx(whole.value, rel=1e-13)
        assert merged.estimate.error == pytest.approx(whole.standard_error, rel=1e-12)
    assert merged.shift == -x[0]
    assert merged.effective_samples == pytest.approx(whole.effective_samples, rel=1e-12)
    assert merged.largest_share == pytest.approx(whole.largest_share, rel=1e-13)


@pytest.mark.parametrize(
    "edges",
    [np.linspace(-2.0, 3.0, 41), np.array([-2.0, -1.999, 0.0, 2.9, 3.0]), np.array([0.0, 1.0])],
)
def test_bins_are_those_of_numpy(edges):
    rng = np.random.default_rng(5)
    x = np.concatenate((rng.uniform(-4, 5, 5000), edges, np.nextafter(edges, -9)))
    ours = np.empty(x.size, np.int64)
    find_bins(x, edges, ours)
    assert np.array_equal(ours, np.searchsorted(edges, x, side="right"))
    counts = Counts.of((edges,), (ours,))
    assert np.array_equal(counts.inside[:-1], np.histogram(x, edges)[0][:-1])
    assert counts.counts.sum() == x.size


def test_counts_with_other_edges_do_not_merge():
    nothing = np.zeros(1, np.int64)
    one, two = (Counts.of((np.array([0.0, top]),), (nothing,)) for top in (1.0, 2.0))
    assert one.merged(one).counts[0] == 2
    with pytest.raises(ValueError, match="the same edges"):
        one.merged(two)


# --- against the trajectories ---------------------------------------------------------------------

RUN = {"trajectories": 40_001, "seed": 7, "steps": 12, "progress": False}


@pytest.mark.parametrize("options", [{}, {"fast": True}, {"scheme": "euler-maruyama"}])
def test_statistics_are_those_of_the_trajectories(options, magnet, protocol):
    ours = simulate_statistics(magnet, protocol, **RUN, **options)
    run = simulate(magnet, protocol, **RUN, **options)
    values = np.stack([run[name].values for name in FUNCTIONALS])
    assert np.allclose(ours["mean"], values.mean(axis=1), rtol=1e-12)
    assert np.allclose(ours.covariance, np.cov(values), rtol=1e-11)
    deviation = values - values.mean(axis=1, keepdims=True)
    for order in (2, 3, 4):
        expected = np.mean(deviation**order, axis=1)
        assert np.allclose(ours.central_moment.sel(order=order), expected, rtol=1e-9, atol=1e-12)
    work, pumped = deviation[0], deviation[2]
    joint = ours.joint_central_moment
    for i, j in ((2, 0), (1, 1), (2, 1), (1, 2), (3, 1), (2, 2), (1, 3)):
        found = float(joint.sel(work_power=i, pumped_entropy_power=j))
        assert found == pytest.approx(np.mean(work**i * pumped**j), rel=1e-9, abs=1e-12)
    dissipated = (run.work - run.free_energy_change) / magnet.temperature
    for place, x in enumerate((run.entropy_production, dissipated, run.pumped_entropy)):
        expected = exponential_average(x.values)
        assert ours.exponential_average[place] == pytest.approx(expected.value, rel=1e-11)
        assert ours.exponential_average_error[place] == pytest.approx(
            expected.standard_error, rel=1e-10
        )
    assert np.array_equal(ours.step_bias, run.step_bias)
    assert ours.attrs["arithmetic"] == run.attrs["arithmetic"]
    assert ours.attrs["trajectories"] == RUN["trajectories"]


def test_histograms_are_those_of_the_trajectories(magnet, protocol):
    given = np.linspace(-1.0, 1.0, 21)
    ours = simulate_statistics(magnet, protocol, **RUN, bins={"work": given, "heat": 50})
    run = simulate(magnet, protocol, **RUN)
    assert np.array_equal(ours.work_edges, given)
    assert ours.heat_counts.size == 50
    for name in streaming.BINNED:
        edges, x = ours[f"{name}_edges"].values, run[name].values
        below, above = ours[f"{name}_outside"].values
        assert np.array_equal(ours[f"{name}_counts"], np.histogram(x, edges)[0]), name
        assert (below, above) == (np.sum(x < edges[0]), np.sum(x >= edges[-1]))
    assert np.all(ours.work_outside > 100)  # user edges that cut the distribution
    joint = np.histogram2d(run.work, run.pumped_entropy, (given, ours.pumped_entropy_edges))[0]
    assert np.array_equal(ours.joint_counts, joint)
    assert int(ours.joint_outside) == RUN["trajectories"] - joint.sum()


def test_default_bins_leave_hardly_anything_out(magnet, protocol):
    ours = simulate_statistics(magnet, protocol, **RUN)
    for name in streaming.BINNED:
        assert ours[f"{name}_outside"].sum() < 1e-4 * RUN["trajectories"]
        assert np.count_nonzero(ours[f"{name}_counts"]) > 50


def identical(one, two):
    return all(np.array_equal(one[name], two[name], equal_nan=True) for name in one.data_vars)


def test_bits_do_not_depend_on_threads_or_on_who_comes_first(magnet, protocol, monkeypatch):
    import random
    import time

    arguments = {"trajectories": 100_003, "seed": 2, "steps": 300, "initial": (0.0, 0.6, 0.8)}
    monkeypatch.setattr("spintherm.trajectories.engine.CHUNK_WORK", 300 * 2048)  # 49 chunks
    alone = simulate_statistics(magnet, protocol, threads=1, **arguments)
    reduce = streaming.Reduction.__call__
    seen = []

    def late(self, part):
        found = reduce(self, part)
        time.sleep(0.02 * random.random())
        seen.append(part.start)
        return found

    monkeypatch.setattr(streaming.Reduction, "__call__", late)
    crowd = simulate_statistics(magnet, protocol, threads=5, **arguments)
    assert seen != sorted(seen), "chunks must have come in out of order"
    assert identical(alone, crowd)


def test_means_and_covariance_agree_with_the_density_engine(magnet, protocol):
    """Neither trajectories nor exact means share anything with the accumulators."""
    ours = simulate_statistics(magnet, protocol, trajectories=400_000, seed=5, steps=60, fast=True)
    exact = functional_means(magnet, protocol)
    bias = np.abs(ours.step_bias.values[:5]) + Z * ours.step_bias_error.values[:5]
    for place, name in enumerate(FUNCTIONALS):
        off = abs(float(ours["mean"][place]) - exact[name])
        assert off < Z * float(ours.mean_error[place]) + bias[place], name
    weight = float(ours.exponential_average[0]) - 1.0
    assert abs(weight) < Z * float(ours.exponential_average_error[0]) + 1e-3


def test_temperature_zero_has_no_entropy_production():
    cold = Magnet(1.4, 1.3, 0.3, 0.0)
    ours = simulate_statistics(
        cold, Protocol(1.0, (0, 0, 1.0), (0, 0.2, 0)), trajectories=5, seed=1, steps=20,
        initial=[0.6, 0.0, 0.8],
    )  # fmt: skip
    assert np.isnan(ours["mean"].sel(functional="entropy_production"))
    assert "entropy_production_counts" not in ours
    assert ours.variance.sel(functional="work") < 1e-25
    assert int(ours.work_counts.sum()) == 5


def test_one_trajectory_is_an_ensemble(magnet, protocol):
    ours = simulate_statistics(magnet, protocol, trajectories=1, seed=1, steps=5)
    assert np.all(np.isinf(ours.mean_error))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trajectories": 0}, "trajectories=0"),
        ({"bins": 0}, "bins=0"),
        ({"bins": {"work": [1.0, 1.0]}}, "strictly increasing"),
        ({"bins": {"energy": 4}}, "bins=['energy']"),
        ({"bins": {"heat": 2.5}}, "bins['heat']=2.5"),
        ({"fast": True, "scheme": "euler-maruyama"}, "fast=True"),
    ],
)
def test_bad_input_is_named(change, message, magnet, protocol):
    arguments = {"trajectories": 4, "seed": 1, "steps": 3, **change}
    with pytest.raises((ValueError, TypeError)) as error:
        simulate_statistics(magnet, protocol, **arguments)
    assert message in str(error.value)


def test_interruption_is_passed_on(magnet, protocol):
    def interrupt(_done, _total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_statistics(
            magnet, protocol, trajectories=500_000, seed=1, steps=20, progress=interrupt
        )


# Not ru_maxrss where it can be helped: a process inherits that of the one that started it.
MEMORY_PROBE = """
import resource
from pathlib import Path
from spintherm import Magnet, Protocol, simulate_statistics

def peak():
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

magnet, protocol = Magnet(1.3, 1.7, 0.4, 0.8), Protocol(0.1, (0, 0, 1.0), (0.3, 0, 0))
options = dict(seed=1, steps=1, fast=True, threads=2)
simulate_statistics(magnet, protocol, trajectories=200_000, **options)
before = peak()
simulate_statistics(magnet, protocol, trajectories=4_000_000, **options)
print(peak() - before)
"""


def test_memory_does_not_grow_with_the_ensemble():
    """Twenty times as many trajectories; their five functionals alone would take 160 MB more."""
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE],
        env=os.environ, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) * 1024 < 64e6  # the pilot of the step bias may come beside


def test_result_survives_a_file(magnet, protocol, tmp_path):
    import xarray as xr

    ours = simulate_statistics(magnet, protocol, trajectories=500, seed=7, steps=4)
    path = tmp_path / "statistics.nc"
    ours.to_netcdf(path, engine="h5netcdf")
    with xr.open_dataset(path, engine="h5netcdf") as back:
        assert identical(back.load(), ours)
    assert ours.work_edges.attrs["units"] == "energy"


def test_moments_have_the_names_of_the_exact_ones(magnet):
    """`fokker_planck`'s moments of W and S_P lie along the same dimensions."""
    protocol = Protocol(0.4, (0.2, 0.0, 0.9), (0.3, 0.5, 0.1))
    exact = exact_moments(magnet, protocol, order=2)
    ours = simulate_statistics(magnet, protocol, trajectories=200_000, seed=3, steps=40)
    pair = {"work_power": 1, "pumped_entropy_power": 1}
    spread = np.sqrt(np.prod(ours.variance.values[[0, 2]]) * 3.0 / 200_000)
    off = float(ours.joint_central_moment.sel(pair) - exact.central_moment.sel(pair))
    assert abs(off) < Z * spread
