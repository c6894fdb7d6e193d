"""Rare events of magnets with anisotropy and polarisers, against the density engine.

Tolerances are Z standard errors, false alarms 7e-6 each, plus the step bias measured by halving.
"""

from functools import cache
from types import SimpleNamespace

import numpy as np
import numpy.testing as npt
import pytest

from random_real_magnets import random_magnet, random_real_process
from spintherm import (
    Anisotropy,
    Magnet,
    Polariser,
    Protocol,
    Ramp,
    TorqueEfficiency,
    Triangle,
    rare,
    scgf,
)
from spintherm.fokker_planck import distribution
from spintherm.fokker_planck.generating import generating_function
from spintherm.kernels import local_weighted
from spintherm.rare import sampling
from spintherm.tabulate import tabulate, with_field_of_current
from spintherm.trajectories.engine import Keys, advance, generators, table
from spintherm.trajectories.local import Local, scheme_for

Z = 4.5
LINE = np.array([2.0, -3.0, 6.0]) / 7.0
BIT = Magnet(
    1.3,
    1.7,
    0.4,
    0.8,
    anisotropy=Anisotropy.uniaxial(1.2, LINE),
    polarisers=Polariser(LINE, TorqueEfficiency.slonczewski(1.5), field_like=0.3),
)
FLIP = Protocol(0.8, Ramp(1.4 * LINE, -1.6 * LINE, 0.8), Triangle(1.6 * LINE, 0.8))
AT = np.array([-16.0, -11.0])
STEPS, PATHS = 96, 10_000


@cache
def exact_tails():
    x = np.linspace(AT[0] - 4.0, AT[-1], 201)
    found = distribution(BIT, FLIP, points=x, floor=1e-18, tolerance=1e-4)
    p = found["density"].values
    below = np.cumsum(0.5 * (p[1:] + p[:-1]) * np.diff(x))
    return np.exp(np.interp(AT, x[1:], np.log(below)))


@cache
def ensembles(steps):
    tilts = rare.tilt_for(BIT, FLIP, AT)
    return [
        rare.importance_sampling(BIT, FLIP, tilt=tilt, trajectories=PATHS, seed=place, steps=steps)
        for place, tilt in enumerate(tilts)
    ]


def test_tails_of_a_bit_that_is_written():
    exact = exact_tails()
    fine, coarse = (rare.tail_probability(ensembles(n), AT) for n in (STEPS, STEPS // 2))
    found, error = fine["probability"].values, fine["error"].values
    bias = np.abs(coarse["probability"].values - found) / 3.0
    assert np.all(np.abs(found - exact) < Z * error + bias)
    assert np.all(error < 0.07 * exact)
    assert exact[0] < 1e-9


def test_first_law_and_lengths_on_weighted_paths():
    data = ensembles(STEPS)[0]
    npt.assert_allclose(data["work"] + data["heat"], data["energy_change"], atol=1e-12)
    npt.assert_allclose(np.linalg.norm(data["final_moment"], axis=1), BIT.moment, rtol=1e-13)


@pytest.mark.parametrize(("seed", "tilt"), [(3, (1.5, 0.0)), (3, (-2.5, -2.5)), (6, (0.0, -2.0))])
def test_exponential_averages_of_tilted_magnets(seed, tilt):
    """Quartic energies, two unlike polarisers, a field-like torque; jumps for the odd one."""
    magnet, protocol = random_real_process(seed)
    work, pumped = tilt
    data = rare.importance_sampling(
        magnet, protocol, tilt=tilt, trajectories=6000, seed=5, steps=STEPS
    )
    assert rare.effective_samples(data) > 0.8 * 6000
    exact = generating_function(magnet, protocol, work=work, pumped_entropy=pumped, tolerance=1e-6)
    exact = exact["generating_function"].item()
    found = rare.exponential_average(data, work=work, pumped_entropy=pumped)
    assert found.value == pytest.approx(exact, abs=Z * found.error + 0.004 * exact)
    assert found.error < 0.01 * exact
    assert data.attrs["log_generating_function"] == pytest.approx(np.log(exact), abs=1e-6)


def test_a_second_well_at_the_start_is_not_missed():
    """Two wells at the start, of which the far one has a hundredth of the tilted paths.

    With the cells of a law as narrow as the near well alone the far one is one wide row of cells;
    weights then differ by e^5, and this ensemble ends six standard errors off.
    """
    magnet = Magnet(
        1.3,
        1.7,
        0.4,
        0.8,
        anisotropy=Anisotropy.uniaxial(1.1, LINE, fourth_order=0.4),
        polarisers=Polariser(LINE, TorqueEfficiency.slonczewski(1.5), field_like=0.3),
    )
    data = rare.importance_sampling(
        magnet, FLIP, tilt=(1.5, 0.0), trajectories=6000, seed=5, steps=STEPS
    )
    assert rare.effective_samples(data) > 0.9 * 6000
    exact = generating_function(magnet, FLIP, work=1.5, tolerance=1e-6)
    exact = exact["generating_function"].item()
    found = rare.exponential_average(data, work=1.5)
    assert found.value == pytest.approx(exact, abs=Z * found.error + 0.004 * exact)
    assert found.error < 0.005 * exact


def test_weights_are_exact_for_coarse_steps_and_any_control():
    """Eight steps under a control that has nothing to do with any tilt."""
    magnet, protocol = random_real_process(5)
    scheme = scheme_for(magnet, "splitting")
    plan = table(magnet, with_field_of_current(magnet, protocol, tabulate(protocol, 8)), scheme)
    count = 60_000
    start = np.random.default_rng(1).normal(size=(3, count))
    start /= np.linalg.norm(start, axis=0)
    plain = np.zeros((scheme.rows, count))
    tilted = np.zeros((local_weighted.LOCAL_WEIGHTED_ROWS, count))
    plain[:3] = tilted[:3] = start
    one, two = (generators(Keys.from_seed(seed).dynamics, 0, count) for seed in (1, 2))
    advance(scheme, plain, one, plan, 0, plan.steps - 1)
    control = 0.6 * np.random.default_rng(4).normal(size=(plan.steps, 9, 3))
    local_weighted.advance_tilted(
        *(tilted, two, plan.constants[:-1], plan.jumps[: plan.steps - 1], control, 2, 0.7),
        *Local.for_splitting(magnet).arguments,
    )
    weight = np.exp(tilted[-1])
    assert np.std(tilted[-1]) > 0.4

    def quantities(s):
        return np.stack([np.ones(count), s[0], s[1], s[2] ** 2, s[3], s[5], s[3] * s[5], s[4] ** 2])

    reference, terms = quantities(plain), weight * quantities(tilted[:6])
    error = np.hypot(reference.std(axis=1), terms.std(axis=1)) / np.sqrt(count)
    assert np.all(np.abs(terms.mean(axis=1) - reference.mean(axis=1)) < Z * error)
    assert error.max() < 0.1


@pytest.mark.parametrize(
    "energy",
    [Anisotropy.uniaxial(1.1, fourth_order=0.4), Anisotropy.cubic(1.4, 0.9)],
    ids=["uniaxial K1 and K2", "cubic K1 and K2"],
)
def test_without_control_the_paths_are_those_of_simulate(energy, monkeypatch):
    """As `importance_sampling` takes its steps, in several calls, for a sum over the components.

    To rounding, of which a step makes about 1e-15 and 24 steps at most a few hundred times that.
    With another form of the energy these paths are off by 5e-3 and more, the order of the scheme.
    """
    magnet = Magnet(1.3, 1.7, 0.4, 0.8, anisotropy=energy)
    count, steps = 400, 24
    monkeypatch.setattr(sampling, "CHUNK_WORK", 7 * count)
    scheme = scheme_for(magnet, "splitting")
    plan = table(magnet, tabulate(FLIP, steps), scheme)
    control = SimpleNamespace(exponents=np.zeros(2), coefficients=np.zeros((steps, 9, 3)))
    run = SimpleNamespace(magnet=magnet, table=plan, control=control, degree=1)
    start = np.random.default_rng(2).normal(size=(3, count))
    start /= np.linalg.norm(start, axis=0)
    plain = np.zeros((scheme.rows, count))
    unweighted = np.zeros((local_weighted.LOCAL_WEIGHTED_ROWS, count))
    plain[:3] = unweighted[:3] = start
    one, two = (generators(Keys.from_seed(3).dynamics, 0, count) for _ in range(2))
    advance(scheme, plain, one, plan, 0, plan.steps)
    sampling._advance(run, unweighted, two)
    npt.assert_array_equal(one, two)
    npt.assert_allclose(unweighted[:6], plain[:6], rtol=0.0, atol=1e-12)
    npt.assert_allclose(unweighted[-1], 0.0, atol=1e-12)


def test_same_bits_on_any_number_of_threads_and_in_any_ensemble():
    magnet, protocol = random_real_process(3)
    settings = {"tilt": (-1.0, 0.5), "seed": 9, "steps": 12}
    many = rare.importance_sampling(magnet, protocol, trajectories=17_000, threads=2, **settings)
    part = rare.importance_sampling(magnet, protocol, trajectories=333, threads=1, **settings)
    for name in ("work", "pumped_entropy", "log_weight", "final_moment"):
        npt.assert_array_equal(many[name][:333], part[name])


def test_a_result_survives_a_file(tmp_path):
    data = ensembles(STEPS)[0]
    data.to_netcdf(tmp_path / "tilted.nc")
    assert isinstance(data.attrs["anisotropy"], str)


@pytest.mark.parametrize("k", [(-0.6, -0.4), (0.5, 0.9)])
def test_cloning_finds_the_generating_function_of_a_tilted_magnet(k):
    magnet = random_magnet(4)
    field, torque = (0.3, -0.4, 0.8), 0.8 * magnet.polarisers[0].vector
    exact = scgf(magnet, field, torque, work=k[0], pumped_entropy=k[1]).item()
    found = rare.cloning(
        magnet,
        field,
        torque,
        work=k[0],
        pumped_entropy=k[1],
        clones=400,
        duration=8.0,
        seed=6,
        repeats=12,
    )
    # Student's t of 11 degrees has the false-alarm rate of Z at 7.7
    error = 7.7 * found["error"].item() + abs(found["population_bias"].item())
    assert found["scgf"].item() == pytest.approx(exact, abs=error)
    assert found["error"].item() < 0.02 * abs(exact)
    assert found["resamplings"].min() > 0


def test_intervals_of_cloning_join_into_one_walk():
    """Without weights a population takes the paths of one long run, whatever the intervals."""
    from spintherm.rare import population

    magnet = random_magnet(4)
    field, torque = (0.3, -0.4, 0.8), 0.8 * magnet.polarisers[0].vector
    run = population._plan(magnet, field, torque, 0.0, 0.0, 2.0, 7, 0.05)
    cloud = population._Population.start(run, 0, 50)
    whole = cloud.state.copy()
    streams = cloud.streams.copy()
    for k in range(run.intervals):
        cloud.walk(run, slice(0, 4) if k == 0 else slice(-4, None))
    held = Protocol(run.interval * run.intervals, field, torque)
    steps = with_field_of_current(magnet, held, tabulate(held, 4 * run.intervals))
    advance(run.scheme, whole, streams, table(magnet, steps, run.scheme), 0, 4 * run.intervals)
    npt.assert_allclose(cloud.state[:3], whole[:3], atol=1e-9)
