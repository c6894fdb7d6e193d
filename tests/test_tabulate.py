"""The table: steps on the jumps, shares of steps, and work of jumps and ramps by hand."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import fastest_rate, tabulate
from spintherm.waveforms import Constant, Function, Pulse, Ramp, Samples, Sine, Triangle
from test_waveforms import anything

H0, H1, P = np.array([0.1, 0.2, 1.0]), np.array([0.0, -1.0, -0.7]), np.array([0.3, 1.0, 1.0])
SMOOTH = Protocol(0.7, Ramp(H0, H1, 0.7), Sine(P, 1.3))
DURATIONS = st.sampled_from([0.1, 0.3, 0.7, 1.0, 1.1])


@pytest.mark.parametrize("steps", [1, 2, 7, 100])
def test_without_breaks_the_steps_are_equal(steps):
    table = tabulate(SMOOTH, steps)
    assert table.steps == steps
    assert np.array_equal(table.times, np.linspace(0, 0.7, steps + 1))
    assert table.durations == pytest.approx(0.7 / steps)
    middle = (np.arange(steps) + 0.5) * 0.7 / steps
    assert table.field_middle == pytest.approx(SMOOTH.field(middle), abs=1e-14)
    assert table.spin_torque_middle == pytest.approx(SMOOTH.spin_torque(middle), abs=1e-14)
    assert np.array_equal(table.field_start[1:], table.field_end[:-1])
    assert np.array_equal(table.spin_torque_start[1:], table.spin_torque_end[:-1])
    assert np.array_equal(table.field_start[0], table.initial_field)
    assert np.array_equal(table.field_end[-1], H1)
    assert not table.field_jumps.any()
    assert table.field_jumps.shape == (steps + 1, 3)


def test_jumps_are_boundaries_with_both_limits():
    field = Constant(H0) + Pulse(H1, 0.0, 0.3) + Pulse(P, 0.1 + 0.2, 0.7)
    table = tabulate(Protocol(0.7, field, Pulse(P, 0.45, 9.0)), 14)
    assert table.steps == 14
    jump, torque_jump, last = table.boundaries([0.3, 0.45, 0.7])
    assert table.times[[jump, torque_jump, last]] == pytest.approx([0.3, 0.45, 0.7], abs=1e-15)
    assert table.field_jumps[0] == pytest.approx(H1)
    assert table.field_jumps[jump] == pytest.approx(P - H1)
    assert table.field_jumps[last] == pytest.approx(-P)
    others = np.delete(np.arange(15), [0, jump, last])
    assert not table.field_jumps[others].any()
    inside = table.times[:-1] + 0.5 * table.durations
    expected = np.where((inside < 0.3)[:, None], H0 + H1, H0 + P)
    for rows in (table.field_start, table.field_middle, table.field_end):
        assert rows == pytest.approx(expected)  # constant inside every step
    on = np.outer(inside > 0.45, P)
    for rows in (table.spin_torque_start, table.spin_torque_middle, table.spin_torque_end):
        assert rows == pytest.approx(on)
    assert table.initial_field == pytest.approx(H0)
    assert table.final_field == pytest.approx(H0)


def test_shares_are_proportional_by_largest_remainder():
    # lengths 0.2, 0.1, 0.7 of 12 steps: 2.4, 1.2, 8.4; the floors leave one, for 2.4 or 8.4
    protocol = Protocol(1.0, Pulse(H0, 0.2, 0.3))
    table = tabulate(protocol, 12)
    segments = np.searchsorted([0.2, 0.3], table.times[:-1] + 1e-9)
    counts = np.bincount(segments)
    assert counts.sum() == 12
    assert counts[1] == 1
    assert counts.tolist() == [2, 1, 9]  # the longer segment gets it, here as in the mirror image
    for k in range(3):
        assert np.ptp(table.durations[segments == k]) < 1e-15


@pytest.mark.parametrize(("steps", "jump"), [(20, 0.375), (5, 0.3), (7, 0.7857142857142857)])
def test_ties_fall_alike_in_the_mirror_image(steps, jump):
    protocol = Protocol(1.0, Pulse(H0, jump, 2.0))
    forward, backward = tabulate(protocol, steps), tabulate(protocol.reversed(), steps)
    assert backward.times == pytest.approx(1.0 - forward.times[::-1], abs=1e-12)


def test_every_segment_gets_a_step():
    protocol = Protocol(1.0, Pulse(H0, 0.5, 0.5001) + Pulse(H1, 0.6, 0.6001))
    table = tabulate(protocol, 9)
    assert table.steps == 9
    assert {0.5, 0.5001, 0.6, 0.6001} <= set(table.times)
    crowded = tabulate(protocol, 2)  # five segments
    assert crowded.steps == 5
    assert crowded.times.tolist() == [0.0, 0.5, 0.5001, 0.6, 0.6001, 1.0]


def test_kinks_are_boundaries_unless_they_are_many():
    triangle = Protocol(1.0, H0, Triangle(P, 1.0))
    assert 0.5 in tabulate(triangle, 3).times
    assert 0.5 not in tabulate(triangle, 1).times
    assert tabulate(triangle, 1).steps == 1
    samples = Protocol(1.0, Samples(np.linspace(0, 1, 12), np.ones((12, 3))))  # ten inside
    assert set(samples.kinks) <= set(tabulate(samples, 20).times)
    assert np.array_equal(tabulate(samples, 19).times, np.linspace(0, 1, 20))


def test_times_asked_for_are_boundaries():
    protocol = Protocol(1.0, Pulse(H0, 0.3, 0.5))
    wanted = [0.0, 0.77, 0.1 + 0.2, 1.0, 0.123]
    table = tabulate(protocol, 10, at=wanted)
    places = table.boundaries(wanted)
    assert table.times[places] == pytest.approx(wanted, abs=1e-16)
    assert table.steps == 10
    assert np.all(table.durations > 1e-3)  # 0.1 + 0.2 is the jump at 0.3
    assert table.field_jumps[places[2]] == pytest.approx(H0)
    assert tabulate(protocol, 1, at=wanted).steps == 5
    assert tabulate(SMOOTH, 4, at=[]).steps == 4
    for bad in ([1.1], [-0.1], [np.nan]):
        with pytest.raises(ValueError, match=r"^at=.*expected times from 0 to 1.0"):
            tabulate(protocol, 10, at=bad)
        with pytest.raises(ValueError, match=r"^at=.*expected times from 0 to 1.0"):
            table.boundaries(bad)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((SMOOTH, 0), ValueError, "^steps=0: expected an integer >= 1"),
        ((SMOOTH, 2.5), TypeError, "^steps=2.5: expected an integer >= 1"),
        ((SMOOTH, True), TypeError, "^steps=True"),
        ((H0, 3), TypeError, "^protocol=.*expected a Protocol"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        tabulate(*arguments)


def test_the_table_cannot_be_changed():
    table = tabulate(SMOOTH, 3)
    with pytest.raises(ValueError, match="read-only"):
        table.field_start[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        table.times[0] = 1.0


@given(anything, anything, DURATIONS, st.integers(1, 40))
def test_every_table_is_sound(field, torque, tau, steps):
    protocol = Protocol(tau, field, torque)
    table = tabulate(protocol, steps)
    segments = 1 + sum(0.0 < t < tau for t in protocol.jumps)
    assert steps <= table.steps <= max(steps, segments + steps // 2)
    assert table.times[0] == 0.0
    assert table.times[-1] == tau
    assert np.all(table.durations > 0.0)
    for jump in protocol.jumps:
        assert jump in table.times
    # the field changes inside steps and at boundaries, and nowhere else
    inside = (table.field_end - table.field_start).sum(axis=0)
    total = inside + table.field_jumps.sum(axis=0)
    assert total == pytest.approx(table.final_field - table.initial_field, abs=1e-9)
    # where there is no jump there is none in the table either
    quiet = ~np.isin(table.times, protocol.jumps)
    assert not table.field_jumps[quiet].any()


@given(anything, anything, DURATIONS, st.integers(1, 40))
def test_the_backward_table_is_the_mirror_image(field, torque, tau, steps):
    protocol = Protocol(tau, field, torque)
    forward, backward = tabulate(protocol, steps), tabulate(protocol.reversed(), steps)
    assume(backward.steps == forward.steps)  # ties of the remainders may fall differently
    assume(np.allclose(backward.times, tau - forward.times[::-1], rtol=0, atol=1e-12))
    close = {"rel": 1e-8, "abs": 1e-8}
    assert backward.field_start == pytest.approx(-forward.field_end[::-1], **close)
    assert backward.field_end == pytest.approx(-forward.field_start[::-1], **close)
    assert backward.field_jumps == pytest.approx(forward.field_jumps[::-1], **close)
    assert backward.spin_torque_start == pytest.approx(forward.spin_torque_end[::-1], **close)
    assert backward.spin_torque_middle == pytest.approx(forward.spin_torque_middle[::-1], **close)


def test_fastest_rate_is_the_largest_of_its_candidates():
    tau, still = 2.0, (0.0, 0.0, 0.0)
    # |r| = |gamma0 H|, with H(t) largest at the end of the ramp
    magnet = Magnet(2.0, -3.0, 0.1, 0.01)
    ramp = Protocol(tau, Ramp((0, 0, 1), (0, 0, 5), tau))
    assert fastest_rate(magnet, ramp) == pytest.approx(15.0)
    # |b| = gamma0 m P
    assert fastest_rate(magnet, Protocol(tau, still, (0, 4, 0))) == pytest.approx(24.0)
    # |b| = eta m H
    assert fastest_rate(Magnet(2.0, 0.1, 7.0, 0.01), ramp) == pytest.approx(70.0)
    # |r| = eta m² P
    assert fastest_rate(Magnet(2.0, 0.1, 7.0, 0.01), Protocol(tau, still, (0, 4, 0))) == 112.0
    # 2 eta T
    assert fastest_rate(Magnet(2.0, 0.1, 7.0, 5.0), Protocol(tau, still)) == 70.0
    # the driving: a sine however small, and a ramp
    slow = Magnet(1.0, 1e-3, 1e-3, 1.0)
    assert fastest_rate(slow, Protocol(tau, Sine((0, 0, 1e-9), 50.0))) == pytest.approx(100 * np.pi)
    assert fastest_rate(slow, ramp) == pytest.approx(2 / tau)
    assert fastest_rate(slow, Protocol(tau, still, Triangle(P, tau))) == pytest.approx(4 / tau)


def test_fastest_rate_sees_both_sides_of_jumps_and_the_tips_of_kinks():
    magnet = Magnet(1.0, 1.0, 0.1, 0.01)
    spike = Protocol(1.0, (0, 0, 1), Triangle((0, 0, 1e3), 1e-5, delay=0.1234))
    assert fastest_rate(magnet, spike) == pytest.approx(4e5)
    tip = Protocol(1.0, Pulse((0, 0, 1e3), 0.12345, 0.12346))
    assert fastest_rate(magnet, tip) == pytest.approx(1e3)
    falling = Function(lambda t: np.outer(np.where(t < 0.3, t, 0), (0, 0, 1e3)), jumps=(0.3,))
    assert fastest_rate(magnet, Protocol(1.0, falling)) == pytest.approx(300.0)


def test_fastest_rate_of_the_backward_process_is_the_same():
    magnet = Magnet(1.7, 0.6, 0.3, 0.45)
    protocol = Protocol(0.7, Ramp(H0, H1, 0.7) + Pulse(P, 0.1, 0.3), Sine(P, 1.3))
    # r and b change their relative sign: compare without torque
    still = Protocol(0.7, protocol.field)
    assert fastest_rate(magnet, still.reversed()) == pytest.approx(fastest_rate(magnet, still))
