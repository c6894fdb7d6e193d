"""Waveforms against values worked out by hand; algebra, reversal and one-sided limits."""

import itertools
import json
import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from spintherm import waveforms
from spintherm.waveforms import (
    Constant,
    Function,
    Pulse,
    Ramp,
    Reversed,
    Samples,
    Scaled,
    Sine,
    Sum,
    Triangle,
    Waveform,
    as_waveform,
)

# the same examples every time, and no stop-watch on a shared machine
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

A = (1.0, -2.0, 0.5)
B = (0.3, 0.7, -1.1)
SAMPLES = Samples([0.0, 0.1, 0.4], [A, B, A])
PLAIN = [
    Constant(A),
    Ramp(A, B, 0.7),
    Ramp(A, B, 0.7, delay=0.1),
    Triangle(A, 0.6, delay=0.2),
    Pulse(A, 0.1, 0.3),
    Sine(A, 2.5, 0.3),
    SAMPLES,
]

numbers = st.floats(-5, 5, allow_subnormal=False).map(lambda x: round(x, 3))
awkward = st.integers(0, 20).map(lambda k: 0.1 * k) | st.floats(0.01, 2.0)
triples = st.tuples(numbers, numbers, numbers)
leaves = st.one_of(
    triples.map(Constant),
    st.builds(Ramp, triples, triples, st.floats(0.1, 2.0), numbers),
    st.builds(Triangle, triples, st.floats(0.1, 2.0), numbers),
    st.builds(lambda a, t, d: Pulse(a, t, t + d), triples, awkward, st.floats(0.1, 1.0)),
    st.builds(Sine, triples, st.floats(0.1, 3.0), numbers),
    st.builds(lambda a, b: Samples([0.1, 0.3], [a, b]), triples, triples),
)
anything = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(lambda a, b: a + b, inner, inner),
        st.builds(lambda a, b: a - b, inner, inner),
        st.builds(lambda a, k: k * a, inner, numbers),
        st.builds(Reversed, inner, st.sampled_from([0.3, 0.7, 1.0]), st.sampled_from([-1, 1])),
    ),
    max_leaves=5,
)


def test_values_by_hand():
    assert Constant(A)(3.0).tolist() == list(A)
    ramp = Ramp((0, 0, 1), (0, 4, -1), duration=2.0, delay=1.0)
    assert ramp([0.0, 1.0, 1.5, 3.0, 9.0]).tolist() == [
        [0, 0, 1],
        [0, 0, 1],
        [0, 1, 0.5],
        [0, 4, -1],
        [0, 4, -1],
    ]
    triangle = Triangle((0, 4, 0), duration=2.0, delay=1.0)
    assert triangle([0, 1, 1.5, 2, 2.75, 3, 4])[:, 1].tolist() == [0, 0, 2, 4, 1, 0, 0]
    sine = Sine((0, 0, 2), frequency=0.25, phase=np.pi / 2)
    assert sine([0, 1, 2, 3])[:, 2] == pytest.approx([2, 0, -2, 0], abs=1e-15)
    assert Sine((1, 0, 0), frequency=0.25)(1.0)[0] == pytest.approx(1.0)
    samples = Samples([1, 2, 4], [(0, 0, 0), (1, 0, 2), (0, 0, 0)])
    assert samples([0, 1.5, 2, 3, 5])[:, 2].tolist() == [0, 1, 2, 1, 0]


def test_triangle_is_the_corrected_shape_of_the_paper():
    # [I] 4.27b: 2t/tau P up to the middle; then 2(tau - t)/tau P, continuous in the middle
    tau, t = 0.8, np.linspace(0, 0.8, 81)
    by_hand = np.where(t < 0.4, 2 * t / tau, 2 * (tau - t) / tau)
    assert Triangle((0, 0, 3), tau)(t)[:, 2] == pytest.approx(3 * by_hand, abs=1e-14)


@pytest.mark.parametrize("duration", [0.1, 0.3, 0.7, 1.1, 1e-3, 1e6])
def test_ramps_and_triangles_end_exactly(duration):
    assert Ramp(A, B, duration)(duration).tolist() == list(B)
    assert Ramp(A, B, duration)(0.0).tolist() == list(A)
    assert Triangle(A, duration)(duration).tolist() == [0, 0, 0]
    assert Triangle(A, duration)(duration / 2).tolist() == list(A)


@pytest.mark.parametrize("waveform", PLAIN, ids=repr)
def test_any_shape_of_times(waveform):
    t = np.linspace(-1, 2, 24).reshape(2, 3, 4)
    for side in (waveform, waveform.before):
        assert side(t).shape == (2, 3, 4, 3)
        assert side(0.1).shape == (3,)
        assert side([]).shape == (0, 3)
        assert np.array_equal(side(t)[1, 2, 3], side(t[1, 2, 3]))


@pytest.mark.parametrize("bad", [np.nan, "1", 1j, None])
def test_bad_times_are_refused(bad):
    for side in (Constant(A), Constant(A).before):
        with pytest.raises((TypeError, ValueError), match=r"^t=.*expected finite times"):
            side(bad)


def test_a_pulse_jumps_with_both_limits():
    pulse = Pulse(A, 0.1, 0.3)
    assert pulse.jumps == (0.1, 0.3)
    assert pulse([0.05, 0.1, 0.2, 0.3, 0.4])[:, 0].tolist() == [0, 1, 1, 0, 0]
    assert pulse.before([0.05, 0.1, 0.2, 0.3, 0.4])[:, 0].tolist() == [0, 0, 1, 1, 0]
    # 0.1 + 0.2 is not 0.3, and the same instant nevertheless
    assert pulse(0.1 + 0.2)[0] == 0
    assert pulse.before(0.1 + 0.2)[0] == 1
    assert pulse(0.3 - 1e-12)[0] == 1


def test_jumps_and_kinks():
    assert [w.jumps for w in PLAIN if not isinstance(w, Pulse)] == [()] * 6
    assert Constant(A).kinks == Pulse(A, 0, 1).kinks == Sine(A, 1).kinks == ()
    assert Ramp(A, B, 2.0, 1.0).kinks == (1.0, 3.0)
    assert Triangle(A, 2.0, 1.0).kinks == (1.0, 2.0, 3.0)
    assert SAMPLES.kinks == (0.0, 0.1, 0.4)
    both = Pulse(A, 0.0, 0.3) + 2 * Pulse(B, 0.1 + 0.2, 1.0) - Ramp(A, B, 1.0)
    assert both.jumps == (0.0, 0.3, 1.0)
    assert both.kinks == (0.0, 1.0)
    assert both(0.3) == pytest.approx(2 * np.array(B) - Ramp(A, B, 1.0)(0.3))
    assert both.before(0.3) == pytest.approx(A - Ramp(A, B, 1.0)(0.3))


@given(a=anything, b=anything, k=numbers, t=st.floats(-1, 3))
def test_composition_is_that_of_vectors(a, b, k, t):
    for x, y, sum_, difference, multiple in (
        (a(t), b(t), (a + b)(t), (a - b)(t), (k * a)(t)),
        (a.before(t), b.before(t), (a + b).before(t), (a - b).before(t), (a * k).before(t)),
    ):
        close = {"rel": 1e-12, "abs": 1e-12 * (1 + np.abs(x).max() + np.abs(y).max())}
        assert sum_ == pytest.approx(x + y, **close)
        assert difference == pytest.approx(x - y, **close)
        assert multiple == pytest.approx(k * x, **close)
    twice = -a
    assert -twice == a
    assert 1.0 * a == a
    assert (a / 2)(t) == pytest.approx(a(t) / 2)


def test_sums_flatten_and_factors_merge():
    a, b, c = PLAIN[1], PLAIN[3], PLAIN[4]
    assert (a + b) + c == a + (b + c) == Sum((a, b, c))
    assert Sum((Sum((a, b)), c)).parts == (a, b, c)
    assert 2.0 * (3.0 * a) == Scaled(a, 6.0) == Scaled(Scaled(a, 3), 2)
    assert np.float64(2.0) * a == a * 2 == Scaled(a, 2.0)
    assert a / 4 == Scaled(a, 0.25)
    assert -Constant(A) == Constant((-1, 2, -0.5))
    assert a - b == Sum((a, Scaled(b, -1.0)))
    assert a + b != b + a  # equal in value, but written differently


def test_what_cannot_be_composed():
    ramp = PLAIN[1]
    for bad in (lambda: ramp + 1.0, lambda: ramp - A, lambda: ramp * ramp):
        with pytest.raises(TypeError):
            bad()
    for factor in ("2", None, True, 1j):
        with pytest.raises(TypeError, match=r"^factor="):
            factor * ramp
    with pytest.raises(ValueError, match=r"^factor=nan"):
        np.nan * ramp
    with pytest.raises(ValueError, match=r"^factor=inf"):
        1e200 * (1e200 * ramp)
    with pytest.raises(ValueError, match=r"^divisor=0.0"):
        ramp / 0.0
    with pytest.raises(TypeError, match=r"^parts="):
        Sum(())
    with pytest.raises(TypeError, match=r"^parts="):
        Sum((ramp, 3.0))
    for cls, rest in ((Scaled, (2.0,)), (Reversed, (1.0, 1.0))):
        with pytest.raises(TypeError, match=r"^waveform="):
            cls(A, *rest)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Constant((1, 2)), "vector="),
        (lambda: Constant((1, np.inf, 0)), "vector="),
        (lambda: Constant("x"), "vector="),
        (lambda: Ramp(A, 3.0, 1.0), "stop="),
        (lambda: Ramp(None, B, 1.0), "start="),
        (lambda: Ramp(A, B, 0.0), "duration=0.0: expected a finite number > 0"),
        (lambda: Ramp(A, B, 1.0, np.nan), "delay=nan: expected a finite number"),
        (lambda: Triangle(A, -1.0), "duration=-1.0"),
        (lambda: Triangle((A, B), 1.0), "peak="),
        (lambda: Pulse(A, 1.0, 1.0), "stop=1.0: expected a time after start=1.0"),
        (lambda: Pulse(A, "0", 1.0), "start="),
        (lambda: Pulse((1j, 0, 0), 0, 1), "amplitude="),
        (lambda: Sine(A, np.inf), "frequency=inf"),
        (lambda: Sine(A, 1.0, None), "phase=None"),
        (lambda: Samples([0, 0], [A, B]), "times=[0, 0]: expected strictly increasing"),
        (lambda: Samples([1, 0], [A, B]), "times="),
        (lambda: Samples([], []), "times="),
        (lambda: Samples([0, np.nan], [A, B]), "times="),
        (lambda: Samples([0, 1], [A]), "vectors="),
        (lambda: Samples([0, 1], [A, (0, 0, np.nan)]), "vectors="),
        (lambda: Reversed(PLAIN[0], 0.0, 1), "duration=0.0"),
        (lambda: Reversed(PLAIN[0], 1.0, 2), "sign=2.0: expected +1 or -1"),
        (lambda: Function(3), "function=3: expected a callable"),
        (lambda: Function(np.sin, jumps=(1, 0)), "jumps=[1, 0]: expected strictly increasing"),
        (lambda: Function(np.sin, kinks=("a",)), "kinks="),
    ],
)
def test_bad_parameters_are_refused_by_name(build, message):
    with pytest.raises((TypeError, ValueError), match="^" + re.escape(message)):
        build()


@pytest.mark.parametrize("waveform", [*PLAIN, PLAIN[1] - 2 * PLAIN[4], PLAIN[4].reversed(0.7, -1)])
def test_frozen_hashable_and_printed_as_it_is_built(waveform):
    with pytest.raises(FrozenInstanceError):
        waveform.duration = 3.0
    again = eval(repr(waveform), vars(waveforms))
    assert again == waveform
    assert hash(again) == hash(waveform)
    assert waveform != "something else"


def test_different_waveforms_differ():
    everything = [*PLAIN, PLAIN[1] + PLAIN[2], 2 * PLAIN[1], PLAIN[1].reversed(1.0, 1.0)]
    assert len(set(everything)) == len(everything)
    assert Samples([0, 1], [A, B]) != Samples([0, 2], [A, B])
    assert Samples([0, 1], [A, B]) != Samples([0, 1], [A, A])
    assert Samples([0, 1], [A, B]) == Samples((0.0, 1.0), np.array([A, B]))


def test_samples_cannot_be_changed_and_print_shortly():
    times, vectors = np.arange(50.0), np.zeros((50, 3))
    samples = Samples(times, vectors)
    vectors[:] = 1.0  # a copy was taken
    assert not samples.vectors.any()
    for array in (samples.times, samples.vectors):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 2.0
    assert repr(samples) == "Samples(<50 samples from 0.0 to 49.0>)"


@given(anything)
def test_dictionaries_go_there_and_back(waveform):
    assert Waveform.from_dict(waveform.to_dict()) == waveform
    assert type(waveform).from_dict(waveform.to_dict()) == waveform


def test_dictionaries_are_plain():
    d = (Ramp(A, B, 1) - SAMPLES).reversed(2.0, -1.0).to_dict()
    assert d == {
        "kind": "reversed",
        "duration": 2.0,
        "sign": -1.0,
        "waveform": {
            "kind": "sum",
            "parts": [
                {"kind": "ramp", "start": list(A), "stop": list(B), "duration": 1.0, "delay": 0.0},
                {
                    "kind": "scaled",
                    "factor": -1.0,
                    "waveform": {
                        "kind": "samples",
                        "times": [0.0, 0.1, 0.4],
                        "vectors": [list(A), list(B), list(A)],
                    },
                },
            ],
        },
    }
    assert Waveform.from_dict(json.loads(json.dumps(d))).to_dict() == d


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (3, TypeError, "waveform=3: expected a mapping with the key 'kind'"),
        ({}, ValueError, "kind=None: expected one of 'constant'"),
        ({"kind": "step"}, ValueError, "kind='step': expected one of"),
        ({"kind": ["ramp"]}, ValueError, "kind=['ramp']: expected one of"),
        ({"kind": "function"}, ValueError, "kind='function': expected one of"),
        (
            {"kind": "ramp", "start": A, "stop": B, "duration": 1, "speed": 2},
            ValueError,
            "no key other than 'kind', 'start', 'stop', 'duration', 'delay'; unknown: ['speed']",
        ),
        ({"kind": "constant"}, ValueError, "the keys 'kind', 'vector'; missing: ['vector']"),
        ({"kind": "scaled", "factor": 2, "waveform": {"kind": "x"}}, ValueError, "kind='x'"),
        ({"kind": "sum", "parts": [{"kind": "constant", "vector": A}, 3]}, TypeError, "parts="),
        ({"kind": "constant", "vector": [1, 2]}, ValueError, "vector="),
    ],
)
def test_bad_dictionaries_are_refused_and_told_what_is_allowed(data, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Waveform.from_dict(data)


def test_a_class_takes_only_its_own_kind():
    assert Ramp.from_dict(PLAIN[1].to_dict()) == PLAIN[1]
    with pytest.raises(ValueError, match=r"^kind='ramp': expected one of 'pulse'$"):
        Pulse.from_dict(PLAIN[1].to_dict())
    with pytest.raises(ValueError, match=r"^kind='ramp': expected one of nothing"):
        Function.from_dict(PLAIN[1].to_dict())


def test_functions_are_checked_when_called():
    turn = Function(lambda t: np.stack((np.cos(t), np.sin(t), 0 * t), axis=-1), kinks=[1.0])
    assert turn(np.pi / 2) == pytest.approx([0, 1, 0])
    assert turn(np.zeros((2, 2))).shape == (2, 2, 3)
    assert turn.kinks == (1.0,)
    assert (2 * turn + turn)(0.0) == pytest.approx([3, 0, 0])
    wrong = Function(lambda t: np.zeros((3, t.size)))
    with pytest.raises(ValueError, match=r"t of shape \(4,\).*expected finite vectors, shape \(4"):
        wrong(np.zeros(4))
    with pytest.raises(ValueError, match=r"function\(t of shape .*expected finite vectors"):
        Function(lambda t: np.full((t.size, 3), np.nan))(1.0)
    for waveform in (turn, 2 * turn, turn + turn, turn.reversed(1.0, 1.0)):
        with pytest.raises(TypeError, match=r"^function=.*that can be written down"):
            waveform.to_dict()


def test_functions_compare_by_their_callable():
    f, g = (lambda t: np.zeros((t.size, 3)) for _ in range(2))
    assert Function(f) == Function(f)
    assert Function(f) != Function(g)
    assert Function(f) != Function(f, jumps=(1.0,))
    assert hash(Function(f)) == hash(Function(f))


@pytest.mark.parametrize("step", [lambda t: t >= 0.3, lambda t: t > 0.3], ids=["right", "left"])
def test_a_jump_of_a_function_has_both_limits_whatever_side_it_counts_to(step):
    waveform = Function(lambda t: np.outer(step(t), A), jumps=(0.3,))
    assert waveform([0.2, 0.3, 0.4])[:, 0].tolist() == [0, 1, 1]
    assert waveform.before([0.2, 0.3, 0.4])[:, 0].tolist() == [0, 0, 1]
    at_zero = Function(lambda t: np.outer(t >= 0.0, A), jumps=(0.0,))
    assert [at_zero.before(0.0)[0], at_zero(0.0)[0]] == [0, 1]


def test_as_waveform_takes_what_stands_for_one():
    assert as_waveform(None) == Constant((0, 0, 0))
    assert as_waveform(A) == as_waveform(np.array(A)) == Constant(A)
    assert as_waveform(PLAIN[1]) is PLAIN[1]
    assert isinstance(as_waveform(lambda t: np.zeros((t.size, 3))), Function)
    for bad, error in ((3.0, ValueError), ("up", TypeError), ((1, 2), ValueError)):
        with pytest.raises(error, match=r"^field=.*expected a waveform, a vector of three"):
            as_waveform(bad, "field")


@given(anything, awkward.filter(lambda x: x > 0), st.sampled_from([-1, 1]), st.floats(0, 1))
def test_reversal_mirrors_and_undoes_itself(waveform, tau, sign, place):
    backward = waveform.reversed(tau, sign)
    assert backward.reversed(tau, sign) == waveform
    t = place * tau
    every_jump = np.array([*waveform.jumps, *[tau - x for x in backward.jumps]])
    if every_jump.size == 0 or np.abs(tau - t - every_jump).min() > 1e-9:
        assert backward(t) == pytest.approx(sign * waveform(tau - t), rel=1e-9, abs=1e-9)


@given(anything, st.sampled_from([0.1, 0.3, 0.7, 1.1]), st.sampled_from([-1, 1]))
def test_reversal_swaps_the_limits_at_every_jump(waveform, tau, sign):
    backward = waveform.reversed(tau, sign)
    jumps = waveform.jumps
    # several within rounding of tau have a test of their own
    assume(not any(b - a < 1e-9 for a, b in itertools.pairwise(jumps)))
    images = [tau - jump for jump in jumps]
    for jump, image in zip(jumps, images, strict=True):
        close = {"rel": 1e-9, "abs": 1e-9}
        assert backward(image) == pytest.approx(sign * waveform.before(jump), **close)
        assert backward.before(image) == pytest.approx(sign * waveform(jump), **close)
    if not isinstance(backward, Constant | Pulse):
        assert backward.jumps == pytest.approx(sorted(images), abs=1e-15)


@pytest.mark.parametrize("tau", [0.1, 0.3, 0.7, 1.0, 1.1, 3.3, 1e3])
def test_limits_at_awkward_jumps_of_a_reversed_pulse(tau):
    missed = 0
    for start in np.arange(1, 40) * 0.1 * tau / 4.1:
        pulse = Pulse(A, start, 1.03 * tau)
        backward = pulse.reversed(tau, -1)
        image = tau - start
        missed += tau - image != start
        assert backward.jumps[-1] == image
        assert backward.before(image).tolist() == [-1, 2, -0.5]
        assert backward(image).tolist() == [0, 0, 0]
        for side in (-1, 1):  # and clear of rounding the plain values
            t = image + side * 1e-13 * tau
            assert (backward(t)[0] == -1) == (side < 0)
    assert missed > 0  # computing the mirrored time without looking it up would have failed here


def test_jumps_at_the_ends_stay_at_the_ends():
    late = Pulse(A, 0.1, 0.1 + 0.2)  # meant to end at 0.3
    backward = late.reversed(0.3, 1.0)
    assert backward.jumps[0] == 0.0
    assert [backward.before(0.0)[0], backward(0.0)[0]] == [0, 1]
    early = Pulse(A, 0.0, 0.1).reversed(0.7, 1.0)
    assert early.jumps[-1] == 0.7
    assert [early.before(0.7)[0], early(0.7)[0]] == [1, 0]


def test_jumps_that_fall_together_when_mirrored_keep_their_total():
    two = Pulse(A, 1e-18, 5.0) + Pulse(B, 2e-18, 5.0)
    backward = two.reversed(1.0, 1.0)
    assert backward.jumps == (-4.0, 1.0)
    assert backward.before(1.0) == pytest.approx(np.add(A, B))
    assert backward(1.0).tolist() == [0, 0, 0]


def test_reversing_again_differently_is_not_undoing():
    ramp = PLAIN[1]
    assert ramp.reversed(1.0, -1).reversed(1.0, -1) == ramp
    other = ramp.reversed(1.0, -1).reversed(2.0, -1)
    assert other(1.5) == pytest.approx(ramp(0.5))
    assert ramp.reversed(1.0, -1).reversed(1.0, 1)(0.2) == pytest.approx(-ramp(0.2))
    assert Constant(A).reversed(1.0, -1) == Constant((-1.0, 2.0, -0.5))
    wrapped = Reversed(Constant(A), 1.0, -1)
    assert wrapped.reversed(1.0, -1).reversed(1.0, -1) == wrapped


def test_rates():
    assert Constant(A).rate(2.0) == 0.0
    assert Ramp(A, B, 2.0).rate(2.0) == pytest.approx(1.0)
    assert Ramp(A, B, 1e-5, delay=0.3).rate(1.0) == pytest.approx(2e5)
    assert Triangle(A, 2.0).rate(2.0) == pytest.approx(2.0)  # slope A, half range A/2
    assert Pulse(A, 0.1, 0.3).rate(1.0) == 0.0
    assert Sine(A, -30.0).rate(1.0) == pytest.approx(60 * np.pi)
    assert Sine((0, 0, 0), 3.0).rate(1.0) == 0.0
    numerical = Function(lambda t: np.outer(np.sin(6 * np.pi * t), A)).rate(1.0)
    assert numerical == pytest.approx(6 * np.pi, rel=1e-3)
    assert (1e6 * Ramp(A, B, 1.0) + 1e-3 * Sine(A, 50.0)).rate(1.0) == pytest.approx(100 * np.pi)
    assert (Ramp(A, B, 1.0) + Pulse(A, 0.1, 0.2)).rate(1.0) == pytest.approx(2.0)
    assert Ramp(A, B, 1.0, delay=0.5).reversed(2.0, -1).rate(2.0) == pytest.approx(2.0)
    assert (0.0 * Ramp(A, B, 1.0)).rate(1.0) == 0.0
    stairs = Function(lambda t: np.outer(np.floor(3 * t) + t, A), jumps=(1 / 3, 2 / 3))
    assert stairs.rate(0.9) == pytest.approx(2 / 0.9, rel=1e-6)
