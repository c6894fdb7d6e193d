"""Switching without a common axis: axial answers as a limit, trajectories, the density engine."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.sparse import csr_array

from spintherm import (
    Anisotropy,
    Constant,
    Magnet,
    Polariser,
    Protocol,
    Pulse,
    Sine,
    TorqueEfficiency,
    evolve,
    simulate,
)
from spintherm.fokker_planck import ResolutionError
from spintherm.fokker_planck.cap import Cap
from spintherm.fokker_planck.faber import Exponential
from spintherm.fokker_planck.harmonics import Basis
from spintherm.switching import (
    bit,
    dwell_times,
    hysteresis,
    hysteresis_loop,
    passage,
    state_diagram,
    switching_time_distribution,
    write_cost,
    write_error_rate,
)

AXIS = np.array([0.3, -0.5, 0.9]) / np.linalg.norm([0.3, -0.5, 0.9])
TILTED = np.array([0.55, -0.3, 0.8]) / np.linalg.norm([0.55, -0.3, 0.8])
T, ETA, M, GAMMA = 0.7, 0.08, 1.6, 0.8
NUDGE = 1e-9 * np.array([1.0, 0.2, 0.3])
"""A field across everything: the answers it changes by less than 1e-8 come from harmonics."""


def layer(sigma, polariser=AXIS, asymmetry=None):
    """A free layer with m, γ₀, η, T other than one."""
    efficiency = TorqueEfficiency.slonczewski(asymmetry) if asymmetry else TorqueEfficiency()
    anisotropy = Anisotropy.uniaxial(sigma * T, AXIS)
    return Magnet(
        M, GAMMA, ETA, T, anisotropy=anisotropy, polarisers=Polariser(polariser, efficiency)
    )


def flat(sigma, hard):
    """An in-plane layer: easy axis x, hard axis z, polariser along x."""
    shape = Anisotropy.biaxial(sigma * T, hard * T, (1, 0, 0), (0, 0, 1))
    return Magnet(M, GAMMA, ETA, T, anisotropy=shape, polarisers=Polariser((1, 0, 0)))


def critical(sigma):
    """Torque at which the state of `layer` loses its stability, γ₀ m P = η 2K."""
    return 2 * sigma * T * ETA / (GAMMA * M)


def test_exponentials_by_faber_polynomials_are_those_of_scipy():
    rng = np.random.default_rng(0)
    turn = rng.normal(size=(70, 70))
    matrix = np.diag(np.linspace(-40.0, 0.0, 70)) + 5.0 * (turn - turn.T)
    matrix[3, 40] += 8.0  # not normal
    follow = Exponential(csr_array(matrix))
    step = follow.longest_step
    v = rng.normal(size=70)
    both = np.zeros((140, 140))
    both[:70, :70], both[70:, :70] = matrix, np.eye(70)
    exact = expm(step * both)[:, :70] @ v
    found = np.concatenate(follow.with_integral(v, step))
    # rounding of intermediate factors of e^7 ~ 1e3
    np.testing.assert_allclose(found, exact, atol=1e-11 * np.linalg.norm(v))
    np.testing.assert_array_equal(follow(v, step), found[:70])


def test_free_diffusion_on_a_hemisphere_decays_with_the_odd_harmonics():
    """Dirichlet's eigenfunctions are the S_lm with l + m odd: l(l + 1), l times.

    The polynomials hold them up to degree 8, and some that are no eigenfunctions.
    """
    magnet = Magnet(1.3, 0.8, 0.4, 0.6)
    cap = Cap(magnet, np.zeros(3), np.zeros(3), AXIS, 0.0, Basis(7, 7), 24)
    found = np.sort(-np.linalg.eigvals(cap.matrix.toarray()).real) / (0.4 * 0.6)
    for degree in range(1, 9):
        there = np.abs(found - degree * (degree + 1)) < 1e-8
        assert np.count_nonzero(there) == degree
    assert found[0] > 1.99


@pytest.mark.parametrize("initial", ["parallel", "antiparallel"])
def test_write_errors_of_an_axial_magnet_come_out_of_harmonics_too(initial):
    sigma = 8.0
    magnet = layer(sigma, -AXIS)
    sign = 1.0 if initial == "parallel" else -1.0
    torque = -sign * 2.2 * critical(sigma) * -AXIS
    lengths = np.array([1.0, 5.0, 14.0]) / (2 * sigma * ETA * T)
    args = {"spin_torque": torque, "initial": initial, "field": 0.2 * AXIS}
    exact = write_error_rate(magnet, lengths, **args)["write_error_rate"]
    found = write_error_rate(magnet, lengths, **args, resting_field=NUDGE)
    assert float(exact[-1]) < 1e-9
    np.testing.assert_allclose(found["write_error_rate"], exact, rtol=1e-6)
    assert np.all(found["write_error_rate_error"] <= 1.1e-6 * found["write_error_rate"])


@pytest.mark.parametrize("initial", ["parallel", "antiparallel"])
def test_switching_and_dwell_times_of_an_axial_magnet_come_out_of_the_sphere_too(initial):
    sigma = 9.0
    magnet = layer(sigma, -AXIS, 1.5)
    sign = 1.0 if initial == "parallel" else -1.0
    torque, times = sign * 1.4 * critical(sigma) * AXIS, np.linspace(0.0, 8.0, 5)
    args = {"spin_torque": torque, "initial": initial, "target": 0.2}
    exact = switching_time_distribution(magnet, times, **args)
    found = switching_time_distribution(magnet, times, **args, resting_field=NUDGE)
    np.testing.assert_allclose(found["survival"], exact["survival"], atol=1e-6)
    np.testing.assert_allclose(found["density"][1:], exact["density"][1:], atol=1e-5)
    assert found.attrs["mean"] == pytest.approx(exact.attrs["mean"], rel=1e-6)
    weak = 0.1 * torque
    one = dwell_times(magnet, spin_torque=weak)
    other = dwell_times(magnet, spin_torque=weak, field=NUDGE)
    for name in one:
        assert float(other[name]) == pytest.approx(float(one[name]), rel=3e-6)


def test_costs_and_loops_of_an_axial_magnet_come_out_of_harmonics_too():
    magnet, H = replace(layer(3.0, -AXIS), damping=0.3), -0.6 * AXIS
    args = {"spin_torque": 0.8 * AXIS, "field": H, "resting_field": 0.3 * AXIS}
    exact = write_cost(magnet, [0.4, 1.5], **args)
    found = write_cost(magnet, [0.4, 1.5], **(args | {"field": H + NUDGE}))
    for name in exact:
        if name != "error":
            np.testing.assert_allclose(found[name], exact[name], atol=3e-7, err_msg=str(name))
    loop = {"amplitudes": 1.5, "frequencies": 0.3, "direction": AXIS, "points": 8}
    exact = hysteresis_loop(magnet, **loop, spin_torque=0.4 * AXIS, tolerance=1e-6)
    found = hysteresis_loop(
        magnet, **loop, spin_torque=0.4 * AXIS, bias_field=NUDGE, tolerance=1e-6
    )
    for name in ("work", "heat", "pumped_entropy", "loop_area", "mean_moment"):
        np.testing.assert_allclose(found[name], exact[name], atol=1e-5, err_msg=name)


def compared(magnet, axis, length, torque, field, exact, seed):
    """Share of 12 000 paths that keep their sign, with its error; 4.5 of them are allowed."""
    rng = np.random.default_rng(seed)
    start = magnet.sample_equilibrium((0, 0, 0), 30_000, rng)
    start = start[start @ axis > 0][:12_000]
    paths = simulate(
        magnet,
        Protocol(length, Constant(tuple(field)), Constant(tuple(torque))),
        trajectories=len(start),
        steps=1000,
        seed=seed,
        initial=start,
    )
    share = float((paths["final_moment"].values @ axis > 0).mean())
    error = np.sqrt(exact * (1 - exact) / len(start))
    assert 0.02 < exact < 0.6
    # 4.5 binomial errors: one run in 1.5e5 fails by chance
    assert abs(share - exact) < 4.5 * error, (share, exact, error)


def test_tilted_writes_agree_with_trajectories():
    """Polariser 50 degrees off the easy axis, and a field across both, which tells left from right.

    Turned about by precession in the wrong sense 0.87 of the bits would stay, not 0.47.
    """
    steep = AXIS + 1.2 * np.cross(AXIS, [0, 0.6, 0.8])
    steep /= np.linalg.norm(steep)
    magnet = layer(5.0, steep)
    torque, field, length = -1.6 * critical(5.0) * steep, -2.0 * np.cross(AXIS, steep), 1.0
    found = write_error_rate(magnet, [length], spin_torque=torque, field=field, tolerance=1e-3)
    assert bit.axis_of(magnet, None) @ AXIS == pytest.approx(1.0, abs=1e-12)
    compared(magnet, AXIS, length, torque, field, float(found["write_error_rate"][0]), 5)


def test_in_plane_writes_agree_with_trajectories():
    """Easy axis x, hard axis z, current along x: precession through the hard axis."""
    magnet = flat(5.0, 9.0)
    scale = ETA * (2 * 5.0 + 9.0) * T / (GAMMA * M)
    torque, length = np.array([-1.7 * scale, 0.0, 0.0]), 2.5
    found = write_error_rate(magnet, [length], spin_torque=torque, tolerance=1e-3)
    exact = float(found["write_error_rate"][0])
    compared(magnet, np.array([1.0, 0, 0]), length, torque, np.zeros(3), exact, 6)
    # the other well and the other current are the same bit turned about z
    again = write_error_rate(
        magnet, [length], spin_torque=-torque, initial="antiparallel", tolerance=1e-3
    )
    assert float(again["write_error_rate"][0]) == pytest.approx(exact, rel=2e-3)


def test_first_passages_agree_with_trajectories_that_are_looked_at_often():
    """Looks at intervals h miss crossings, a share that falls like √h: Richardson's step in √h."""
    sigma, target, count = 5.0, 0.1, 6000
    magnet = layer(sigma, TILTED)
    torque, field = -1.5 * critical(sigma) * TILTED, np.array([0.7, 0.3, -0.2])
    times = np.array([0.8, 1.6])
    found = switching_time_distribution(
        magnet, times, spin_torque=torque, field=field, target=target, tolerance=1e-5
    )["survival"].values
    rng = np.random.default_rng(8)
    start = magnet.sample_equilibrium((0, 0, 0), 3 * count, rng)
    start = start[start @ AXIS > target * M][:count]
    shares = []
    for looks in (16, 64):
        alive, kept = start, []
        for k in range(looks):
            paths = simulate(
                magnet,
                Protocol(times[-1] / looks, Constant(tuple(field)), Constant(tuple(torque))),
                trajectories=len(alive),
                steps=512 // looks,
                seed=100 * looks + k,
                initial=alive,
            )
            ends = paths["final_moment"].values
            alive = ends[ends @ AXIS > target * M]
            if k + 1 in (looks // 2, looks):
                kept.append(len(alive) / count)
        shares.append(np.array(kept))
    richardson = 2 * shares[1] - shares[0]
    # what is left is of order h: the square of what was taken away; √5 for the two runs' weights
    error = np.sqrt(5 * found * (1 - found) / count)
    allowed = 4.5 * error + (shares[0] - shares[1]) ** 2
    assert np.all((found > 0.05) & (found < 0.9))
    assert np.all(np.abs(richardson - found) < allowed), (richardson, found, allowed)
    assert np.all(shares[0] > found)


def test_mean_passages_are_dwell_times_behind_a_barrier():
    """A passage beyond the barrier takes a dwell time, up to its way down and e^-barrier."""
    magnet = Magnet(
        M, GAMMA, 0.2, T,
        anisotropy=Anisotropy.biaxial(8.0 * T, 5.0 * T, AXIS, np.cross(AXIS, [0, 1, 0])),
    )  # fmt: skip
    field = np.array([0.25, -0.1, 0.05])
    bits = dwell_times(magnet, field=field, axis=AXIS)
    for initial, target in (("parallel", -0.7), ("antiparallel", 0.7)):
        passage = switching_time_distribution(
            magnet,
            [1.0],
            field=field,
            resting_field=field,
            initial=initial,
            target=target,
            axis=AXIS,
            tolerance=1e-5,
        ).attrs["mean"]
        assert float(bits[f"dwell_time_{initial}"]) == pytest.approx(passage, rel=0.03)


def test_the_cost_of_a_tilted_write_against_the_density_engine():
    magnet = Magnet(
        1.3, 1.7, 0.25, 0.8,
        anisotropy=Anisotropy.uniaxial(2.4, AXIS) + Anisotropy.uniaxial(-1.5, (1, 0.6, 0)),
        polarisers=Polariser(TILTED, strength=0.8, field_like=0.3),
    )  # fmt: skip
    P, H, rest, tau = -1.2 * TILTED, np.array([0.4, -0.2, -0.5]), np.array([0.1, 0.2, 0.2]), 1.2
    found = write_cost(magnet, [tau], spin_torque=P, field=H, resting_field=rest, tolerance=1e-5)
    protocol = Protocol(
        1.2 * tau,
        Constant(tuple(rest)) + Pulse(tuple(H - rest), 0.1 * tau, 1.1 * tau),
        Pulse(tuple(P), 0.1 * tau, 1.1 * tau),
    )
    ends = evolve(magnet, protocol, save_at=[0.0, np.nextafter(1.1 * tau, 2 * tau)], tolerance=1e-8)
    for name in ("work", "pumped_entropy"):
        assert float(found[name][0]) == pytest.approx(float(ends[name][1]), abs=3e-5), name
    for name, key in (("energy_change", "energy"), ("entropy_change", "entropy")):
        change = float(ends[key][1] - ends[key][0])
        assert float(found[name][0]) == pytest.approx(change, abs=3e-5), name


def test_a_tilted_loop_against_the_density_engine():
    """What is left of the start, after seven cycles of the slowest mode's decay, is allowed."""
    magnet = Magnet(
        1.3, 0.9, 0.6, 0.8,
        anisotropy=Anisotropy.uniaxial(1.2, AXIS) + Anisotropy.uniaxial(-1.0, (1, 0.6, 0)),
        polarisers=Polariser(TILTED),
    )  # fmt: skip
    h, H0, period, cycles = np.array([0.0, 0.6, 0.8]), 1.5, 3.0, 7
    bias, P = np.array([0.2, 0.1, -0.1]), 0.5 * TILTED
    found = hysteresis_loop(
        magnet, H0, 1 / period, direction=h, bias_field=bias, spin_torque=P, points=4,
        tolerance=1e-5,
    )  # fmt: skip
    slow = float(dwell_times(magnet, spin_torque=P, field=bias)["relaxation_rate"])
    left = 4 * np.exp(-slow * (cycles - 1) * period)
    assert left < 1e-3
    protocol = Protocol(
        cycles * period, Sine(tuple(H0 * h), 1 / period) + Constant(tuple(bias)), Constant(tuple(P))
    )
    times = (cycles - 1 + np.arange(5) / 4) * period
    followed = evolve(magnet, protocol, save_at=times, tolerance=1e-6)
    moments = followed["mean_moment"].values @ h
    np.testing.assert_allclose(found["mean_moment"], moments[:-1], atol=left)
    for name in ("work", "pumped_entropy"):
        done = float(followed[name][-1] - followed[name][0])
        assert abs(done) > 50 * left
        assert float(found[name]) == pytest.approx(done, abs=10 * left), name
    assert float(found["work"] + found["heat"]) == pytest.approx(0, abs=1e-5)


def test_a_half_turn_that_turns_the_field_over_saves_half_of_the_harmonics():
    """A bias of 1e-10 takes the symmetry away and changes nothing else.

    With both a torque and a field across there is no such turn.
    """
    magnet = Magnet(1.3, 0.9, 0.3, 0.8, anisotropy=Anisotropy.uniaxial(2.4, AXIS))
    args = {"amplitudes": 3.0, "frequencies": 0.1, "direction": TILTED, "points": 8}
    found = hysteresis_loop(magnet, **args, tolerance=1e-6)
    whole = hysteresis_loop(magnet, **args, tolerance=1e-6, bias_field=(1e-10, 2e-10, -3e-10))
    for name in ("work", "heat", "loop_area", "mean_moment"):
        np.testing.assert_allclose(found[name], whole[name], atol=1e-8, err_msg=name)
    halves = found["mean_moment"].values.reshape(2, 4)
    np.testing.assert_allclose(halves[1], -halves[0], atol=1e-12)
    basis = Basis(8, 6)
    for bias, torque, share in (((0, 0, 0), (0, 0, 0), 0.5), ((0.1, 0.2, 0), 0.3 * TILTED, 1.0)):
        drive = hysteresis._drive(magnet, np.array(bias), np.array(torque), TILTED, 3.0)
        up, down = (drive.generator(sine, basis) for sine in (1.0, -1.0))
        even, odd = drive.classes(0.5 * (up + down), 0.5 * (up - down))
        assert len(even) + len(odd) == 2 * share * basis.size
        assert 0 in even


def test_the_axis_of_a_bit():
    z, tilted = np.array([0, 0, 1.0]), np.array([0.8, 0.0, 0.6])
    assert bit.axis_of(flat(5.0, 9.0), None) == pytest.approx([1, 0, 0], abs=1e-12)
    across = replace(flat(5.0, 9.0), polarisers=(Polariser((0, 0, 1)),))
    assert bit.axis_of(across, None) == pytest.approx([1, 0, 0], abs=1e-12)
    assert bit.axis_of(layer(5.0, -TILTED), None) == pytest.approx(-AXIS, abs=1e-12)
    cubic = Magnet(1, 1, 0.1, 1, anisotropy=Anisotropy.cubic(1.0), polarisers=Polariser(tilted))
    assert bit.axis_of(cubic, None) == pytest.approx([1, 0, 0], abs=1e-9)
    plane = Magnet(1, 1, 0.1, 1, anisotropy=Anisotropy.uniaxial(-1.0), polarisers=Polariser(tilted))
    assert bit.axis_of(plane, None) == pytest.approx([1, 0, 0], abs=1e-9)
    assert bit.axis_of(cubic, (0, 0, 2)) == pytest.approx(z)


def test_refusals_without_a_common_axis(monkeypatch):
    magnet = layer(5.0, TILTED)
    with pytest.raises(ValueError, match="parallel to the polariser"):
        write_error_rate(magnet, [1.0], spin_torque=(1, 0, 0))
    with pytest.raises(ValueError, match="damping and temperature"):
        write_error_rate(replace(magnet, damping=0.0), [1.0], spin_torque=TILTED)
    monkeypatch.setattr(passage, "_LARGEST_CAP", 400)
    with pytest.raises(ResolutionError, match="400 functions on the sphere"):
        switching_time_distribution(magnet, [1.0], spin_torque=-TILTED)
    monkeypatch.undo()
    with pytest.raises(ValueError, match="strictly increasing finite spin torques"):
        state_diagram(magnet, [0.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="strictly increasing finite fields"):
        state_diagram(magnet, [1.0, 0.0], [1.0])
