"""The time-dependent density: closed forms, the balance of entropy, jumps, refusals."""

import numpy as np
import pytest

from random_processes import random_process
from spintherm import Constant, Magnet, Protocol, Pulse, Ramp, Sine, evolve, simulate
from spintherm.fokker_planck import ResolutionError, density, functional_means, steady_state
from spintherm.fokker_planck.initial import sphere
from spintherm.statistics import mean

SOFT = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.35, temperature=0.8)
Z = 4.5  # standard errors: a false alarm in 1.5e5 comparisons


def quiet(duration, field=(0, 0, 0), torque=(0, 0, 0)):
    return Protocol(duration, Constant(field), Constant(torque))


def first_harmonic(axis, size):
    """Density (1 + 3 size axis.n)/4 pi, whose mean direction is size * axis."""
    return lambda n: (1.0 + 3.0 * size * (n @ np.array(axis))) / (4.0 * np.pi)


def test_without_fields_the_mean_moment_decays_at_twice_eta_t():
    axis = np.array([0.6, 0.0, 0.8])
    out = evolve(SOFT, quiet(2.0), initial=first_harmonic(axis, 0.3), progress=False)
    rate = 2.0 * SOFT.damping * SOFT.temperature
    expected = SOFT.moment * 0.3 * axis * np.exp(-rate * out["time"].values)[:, None]
    assert out["mean_moment"].values == pytest.approx(expected, abs=1e-10)


def test_a_torque_alone_turns_and_drives_like_its_linear_response():
    # d<n>/dt at t = 0 for p = 1/4pi: the drift gamma0 m P has divergence -2 gamma0 m P.n
    P = np.array([0.3, -0.8, 0.5])
    out = evolve(
        SOFT, quiet(1e-3, torque=P), initial=first_harmonic((0, 0, 1), 0.0), progress=False
    )
    slope = out["mean_moment"].values[-1] / 1e-3 / SOFT.moment
    b = SOFT.gyromagnetic_ratio * SOFT.moment * P
    assert slope == pytest.approx(2.0 / 3.0 * b, abs=2e-3)


@pytest.mark.parametrize("seed", range(8))
def test_balance_of_entropy_first_law_and_second_law(seed):
    magnet, protocol = random_process(seed)
    times = np.linspace(0.0, protocol.duration, 9)
    out = evolve(magnet, protocol, save_at=times, progress=False)
    scale = float(np.max(np.abs(out["entropy_production_rate"])))
    assert float(np.max(np.abs(out["balance_residual"]))) < 1e-8 * scale
    assert float(out["entropy_production_rate"].min()) > 0.0
    gain = out["energy"].values[-1] - out["energy"].values[0]
    assert out["work"].values[-1] + out["heat"].values[-1] == pytest.approx(gain, abs=1e-9)
    means = functional_means(magnet, protocol)
    for name in ("work", "heat", "pumped_entropy"):
        assert float(out[name][-1]) == pytest.approx(means[name], abs=1e-9)


def test_the_rates_integrate_to_what_was_accumulated():
    magnet, protocol = random_process(2)  # without jumps
    nodes, weights = np.polynomial.legendre.leggauss(24)
    half, quarter = 0.5 * protocol.duration, 0.25 * protocol.duration  # P has a kink half way
    early, weights = quarter * (1.0 + nodes), quarter * np.tile(weights, 2)
    times = np.concatenate([early, half + early])
    out = evolve(magnet, protocol, save_at=times, progress=False)
    last = evolve(magnet, protocol, save_at=[protocol.duration], progress=False)
    for name in ("work", "heat", "pumped_entropy"):
        total = float(weights @ out[f"{name}_rate"].values)
        assert total == pytest.approx(float(last[name][0]), abs=1e-7), name
    entropy = evolve(magnet, protocol, save_at=[0.0, protocol.duration], progress=False)["entropy"]
    change = float(weights @ out["entropy_rate"].values)
    assert change == pytest.approx(float(entropy[1] - entropy[0]), abs=1e-7)


@pytest.mark.parametrize("seed", [0, 1, 3])
def test_moment_and_functionals_of_trajectories_at_several_times(seed):
    magnet, protocol = random_process(seed)
    times = protocol.duration * np.array([0.3, 0.7, 1.0])
    ensemble = simulate(
        magnet, protocol, trajectories=40_000, seed=seed, steps=400, save_at=times, progress=False
    )
    out = evolve(magnet, protocol, save_at=times, progress=False)
    for place in range(3):
        for name in ("work", "heat", "pumped_entropy"):
            ours = mean(ensemble[f"running_{name}"].values[:, place])
            assert abs(ours.deviation(float(out[name][place]))) < Z, name
        for axis in range(3):
            ours = mean(ensemble["moment"].values[:, place, axis])
            assert abs(ours.deviation(float(out["mean_moment"][place, axis]))) < Z


def test_a_jump_does_its_work_on_the_mean_moment_at_that_time():
    jump = np.array([0.4, -1.1, 0.7])
    H = np.array([0.2, 0.3, 1.0])
    field = Constant(H - jump) + Pulse(jump, 0.0, 1.0)  # jumps at the beginning and at the end
    protocol = Protocol(1.0, field, Constant((0.5, 0.0, -0.4)))
    out = evolve(SOFT, protocol, save_at=[0.0, 1e-9, 0.999999, 1.0], progress=False)
    start, _, _, end = out["mean_moment"].values
    work = out["work"].values
    assert work[0] == 0.0
    assert work[1] == pytest.approx(-start @ jump, abs=1e-7)
    assert work[3] - work[2] == pytest.approx(end @ jump, abs=1e-5)
    energy = out["energy"].values
    assert energy[0] == pytest.approx(-start @ (H - jump), abs=1e-10)
    assert energy[3] == pytest.approx(-end @ (H - jump), abs=1e-10)


def test_constant_fields_lead_to_the_steady_state():
    H, P = (0.4, -0.7, 1.1), (0.9, 0.3, -0.5)
    out = evolve(SOFT, quiet(25.0, H, P), save_at=[25.0], progress=False)
    steady = steady_state(SOFT, H, P)
    assert out["mean_moment"].values[0] == pytest.approx(steady.mean_moment, abs=1e-9)
    rate = float(out["entropy_production_rate"][0])
    assert rate == pytest.approx(steady.entropy_production_rate, rel=1e-7)
    stays = evolve(SOFT, quiet(1.0, H, P), initial="steady_state", progress=False)
    assert float(np.ptp(stays["entropy"].values)) < 1e-9


def test_the_density_is_positive_normalised_and_has_the_mean_that_is_reported():
    magnet, protocol = random_process(4)
    out = evolve(magnet, protocol, save_at=np.linspace(0.0, protocol.duration, 4), progress=False)
    nodes, weights = sphere(40, 80)
    values = density(out, nodes).values
    assert values.min() > 0.0
    assert values @ weights == pytest.approx(np.ones(4), abs=1e-12)
    mean_direction = (values * weights) @ nodes
    assert magnet.moment * mean_direction == pytest.approx(out["mean_moment"].values, abs=1e-9)
    one = density(out, nodes[:5], time=out["time"].values[2])
    assert one.values == pytest.approx(values[2, :5])


def test_strong_fields_grow_the_basis_and_a_fixed_small_one_is_refused():
    magnet = Magnet(moment=2.0, gyromagnetic_ratio=1.0, damping=0.3, temperature=0.5)
    protocol = Protocol(0.2, Ramp((0, 0, 1), (0, 8.0, 3.0), 0.2), Constant((0.3, 0.0, 0.2)))
    out = evolve(magnet, protocol, save_at=[0.0, 0.2], progress=False)
    assert int(out["l_max"][1]) > int(out["l_max"][0])
    means = evolve(magnet, protocol, save_at=[0.2], tolerance=1e-12, progress=False)
    assert out["mean_moment"].values[1] == pytest.approx(means["mean_moment"].values[0], abs=1e-8)
    with pytest.raises(ResolutionError, match="l_max"):
        evolve(magnet, protocol, l_max=12, progress=False)


def test_bad_arguments_are_refused_by_name():
    protocol = Protocol(1.0, Sine((0, 0, 1.0), 1.0), Constant((0, 0, 0.1)))
    frozen = Magnet(moment=1.0, gyromagnetic_ratio=1.0, damping=0.5, temperature=0.0)
    with pytest.raises(ValueError, match="temperature"):
        evolve(frozen, protocol)
    with pytest.raises(ValueError, match="save_at"):
        evolve(SOFT, protocol, save_at=[0.5, 1.5])
    with pytest.raises(ValueError, match="tolerance"):
        evolve(SOFT, protocol, tolerance=-1.0)
    with pytest.raises(TypeError, match="protocol"):
        evolve(SOFT, "protocol")
    with pytest.raises(ValueError, match="initial"):
        evolve(SOFT, protocol, initial="boltzmann")
    with pytest.raises(ValueError, match="integral"):
        evolve(SOFT, protocol, initial=lambda n: np.ones(len(n)))
    out = evolve(SOFT, protocol, save_at=[0.0, 1.0], progress=False)
    with pytest.raises(ValueError, match="save_at"):
        density(out, (0.0, 0.0, 1.0), time=0.4)
    with pytest.raises(ValueError, match="unit vectors"):
        density(out, (0.0, 0.0, 2.0))
