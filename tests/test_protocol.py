"""The protocol: its ends, its jumps, its reversal, its dictionary."""

import json
import re
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spintherm.protocol import Protocol
from spintherm.waveforms import Constant, Function, Pulse, Ramp, Samples, Sine, Triangle, Waveform
from test_waveforms import anything

H0, H1, P = (0.1, 0.2, 1.0), (0.0, -1.0, -0.7), (0.3, 1.0, 1.0)
RAMPED = Protocol(1.5, Ramp(H0, H1, 1.5), Triangle(P, 1.5))
DURATIONS = st.sampled_from([0.1, 0.3, 0.7, 1.0, 1.1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, H0, P), "duration=0.0: expected a finite number > 0"),
        ((-1, H0, P), "duration=-1.0: expected a finite number > 0"),
        ((np.inf, H0, P), "duration=inf: expected a finite number > 0"),
        ((None, H0, P), "duration=None: expected a finite number > 0"),
        ((1.0, (1, 2), P), "field=(1, 2): expected a waveform, a vector"),
        ((1.0, H0, "up"), "spin_torque='up': expected a waveform, a vector"),
        ((1.0, H0, (0, 0, np.nan)), "spin_torque=(0, 0, nan): expected a waveform, a vector"),
    ],
)
def test_bad_arguments_are_refused_by_name(arguments, message):
    with pytest.raises((TypeError, ValueError), match="^" + re.escape(message)):
        Protocol(*arguments)


def test_it_takes_whatever_stands_for_a_waveform():
    protocol = Protocol(2, H0)
    assert protocol == Protocol(2.0, Constant(H0), (0, 0, 0)) == Protocol(2, np.array(H0), None)
    called = Protocol(1.0, lambda t: np.outer(t, H0), P)
    assert isinstance(called.field, Function)
    assert called.final_field == pytest.approx(H0)


def test_frozen_hashable_printed_as_built():
    with pytest.raises(FrozenInstanceError):
        RAMPED.duration = 2.0
    names = {"Protocol": Protocol, "Ramp": Ramp, "Triangle": Triangle}
    again = eval(repr(RAMPED), names)
    assert again == RAMPED
    assert hash(again) == hash(RAMPED)
    assert Protocol(1.5, Ramp(H0, H1, 1.5), Triangle(P, 1.4)) != RAMPED


def test_ends():
    assert RAMPED.initial_field.tolist() == list(H0)
    assert RAMPED.final_field.tolist() == list(H1)
    assert RAMPED.initial_spin_torque.tolist() == [0, 0, 0]
    assert RAMPED.final_spin_torque.tolist() == [0, 0, 0]


def test_jumps_at_the_ends_belong_to_the_process():
    quench = Protocol(0.3, Constant(H0) + Pulse(H1, 0.0, 0.1 + 0.2), Pulse(P, 0.0, 5.0))
    assert quench.initial_field.tolist() == list(H0)
    assert quench.final_field.tolist() == list(H0)
    assert quench.field(0.0) == pytest.approx(np.add(H0, H1))
    assert quench.initial_spin_torque.tolist() == [0, 0, 0]
    assert quench.final_spin_torque.tolist() == list(P)
    assert quench.jumps == (0.0, 0.3)


def test_jumps_and_kinks_are_those_inside_each_once():
    protocol = Protocol(
        1.0,
        Pulse(H0, -1.0, 0.3) + Pulse(H1, 0.1 + 0.2, 1.0) + Triangle(P, 1.0),
        Samples([0.0, 0.3, 0.6, 1.0, 2.0], np.eye(5)[:, :3]) + Pulse(P, 0.3, 1.5),
    )
    assert protocol.jumps == (0.3, 1.0)
    assert protocol.kinks == (0.5, 0.6)
    assert RAMPED.jumps == ()
    assert RAMPED.kinks == (0.75,)


def test_backward_process_by_hand():
    backward = RAMPED.reversed()
    t = np.linspace(0, 1.5, 7)
    fraction = ((1.5 - t) / 1.5)[:, None]
    by_hand = -((1 - fraction) * np.array(H0) + fraction * np.array(H1))
    assert backward.field(t) == pytest.approx(by_hand, abs=1e-14)
    assert backward.spin_torque(t) == pytest.approx(RAMPED.spin_torque(1.5 - t), abs=1e-14)
    assert backward.initial_field == pytest.approx([-x for x in H1])
    assert backward.final_field == pytest.approx([-x for x in H0])
    assert Protocol(1.0, H0, P).reversed() == Protocol(1.0, [-x for x in H0], P)


@given(anything, anything, DURATIONS)
def test_reversing_twice_is_exactly_nothing(field, torque, tau):
    protocol = Protocol(tau, field, torque)
    backward = protocol.reversed()
    assert backward.reversed() == protocol
    close = {"rel": 1e-9, "abs": 1e-9}
    assert backward.initial_field == pytest.approx(-protocol.final_field, **close)
    assert backward.final_field == pytest.approx(-protocol.initial_field, **close)
    assert backward.initial_spin_torque == pytest.approx(protocol.final_spin_torque, **close)
    assert backward.final_spin_torque == pytest.approx(protocol.initial_spin_torque, **close)
    assert backward.jumps == pytest.approx([tau - t for t in protocol.jumps[::-1]], abs=1e-15)


@given(anything, anything, DURATIONS)
def test_dictionaries_go_there_and_back_through_json(field, torque, tau):
    for protocol in (Protocol(tau, field, torque), Protocol(tau, field, torque).reversed()):
        assert Protocol.from_dict(json.loads(json.dumps(protocol.to_dict()))) == protocol


def test_dictionaries_may_be_short():
    assert Protocol.from_dict({"duration": 2, "field": [0, 0, 1]}) == Protocol(2.0, (0, 0, 1))
    d = {"duration": 2, "field": {"kind": "sine", "amplitude": H0, "frequency": 1}}
    assert Protocol.from_dict(d | {"spin_torque": P}) == Protocol(2, Sine(H0, 1), P)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        ([1.0], TypeError, "protocol=[1.0]: expected a mapping"),
        ({"duration": 1}, ValueError, "missing: ['field']"),
        ({"duration": 1, "field": H0, "torque": P}, ValueError, "unknown: ['torque']"),
        ({"duration": 1, "field": {"kind": "step"}}, ValueError, "kind='step': expected one of"),
        ({"duration": "1", "field": H0}, TypeError, "duration='1'"),
        ({"duration": 1, "field": "ramp"}, TypeError, "field='ramp'"),
    ],
)
def test_bad_dictionaries_are_refused(data, error, message):
    with pytest.raises(error, match=re.escape(message)):
        Protocol.from_dict(data)


def test_callables_cannot_be_written_down():
    with pytest.raises(TypeError, match=r"^function=.*sample the callable into Samples"):
        Protocol(1.0, lambda t: np.outer(t, H0)).to_dict()


def test_waveforms_keep_their_type():
    assert isinstance(RAMPED.reversed().field, Waveform)
