"""Whatever a file holds, it is a study or refused in one line; nothing is run, written or printed.

SPINTHERM_FUZZ_EXAMPLES multiplies the number of examples: 100 takes a quarter of an hour.
"""

import contextlib
import io
import os
import warnings
from copy import deepcopy
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spintherm.cli import main
from spintherm.configuration import ConfigurationError, document, loads, migrate, template

TIMES = int(os.environ.get("SPINTHERM_FUZZ_EXAMPLES", "1"))
EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


def quick(examples):
    """Set the number of examples; the same ones every time unless more are asked for."""
    return settings(
        max_examples=examples * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        suppress_health_check=SLOW,
    )


MATERIAL = {
    "version": 1,
    "material": {
        "saturation_magnetisation": "1000 kA/m",
        "gilbert_damping": 0.01,
        "temperature": "300 K",
        "cylinder": ["40 nm", "1.3 nm"],
        "anisotropy": {"uniaxial": "0.9 MJ/m^3", "terms": [[2, 2, 0, "1 kJ/m^3"]]},
        "gyromagnetic_ratio": "28 GHz/T",
        "current": {"polarisation": 0.6, "polariser": [0, 0.6, 0.8], "field_like": 0.1},
    },
    "protocol": {
        "duration": "5 ns",
        "field": ["0 mT", "1 Oe", 3.0],
        "current_density": {
            "kind": "sum",
            "parts": [
                {"kind": "pulse", "amplitude": "-4 MA/cm^2", "start": "1 ns", "stop": "3 ns"},
                {"kind": "scaled", "factor": 0.5, "waveform": 1e9},
            ],
        },
    },
    "compute": {"quantity": "trajectories", "save_at": {"count": 5}, "steps": 20},
    "sweep": {
        "method": "random",
        "samples": 3,
        "axes": {"material.temperature": {"start": "200 K", "stop": "400 K"}},
    },
}
MAGNET = {"moment": 1.3, "gyromagnetic_ratio": 1.7, "damping": 0.4, "temperature": 0.8}
SAMPLES = {"kind": "samples", "times": [0, 0.5], "vectors": [[0, 0, 1], [0, 1, 0]]}
PROCESS = {
    "version": 1,
    "title": "a study",
    "magnet": MAGNET
    | {
        "anisotropy": {"uniaxial": 2.0, "axis": [0, 0.6, 0.8], "cubic": 0.3},
        "polarisers": [{"direction": [0, 0.6, 0.8], "asymmetry": 0.3}],
    },
    "protocol": {
        "duration": 0.9,
        "field": {"kind": "reversed", "waveform": SAMPLES, "duration": 0.9, "sign": -1.0},
        "spin_torque": [0, 0.6, 0.8],
    },
    "compute": {"quantity": "statistics", "bins": {"work": 10, "heat": [-1.0, 0.0, 1.0]}},
    "sweep": {
        "method": "zip",
        "axes": {
            "magnet.temperature": {"start": 0.5, "stop": 2.0, "count": 2, "spacing": "log"},
            "protocol.field.waveform.vectors.0.2": {"values": [1, 2]},
        },
    },
    "output": {"variables": ["mean"], "time_stride": 2},
}
POINT = {
    "version": 1,
    "magnet": MAGNET,
    "point": {"field": [0, 0.1, 1.0], "spin_torque": [0, 0, 0.3]},
    "compute": {"quantity": "write-error", "pulse_lengths": {"count": 3, "start": 1, "stop": 9}},
    "sweep": {"method": "list", "points": [{"point.field.2": 1.0}, {"point.field.2": 2.0}]},
}
DOCUMENTS = [MATERIAL, PROCESS, POINT, document.parse(template())]
DOCUMENTS += [document.parse(path.read_bytes()) for path in EXAMPLES.glob("*.toml")]

NUMBERS = st.one_of(
    st.integers(-3, 300),
    st.floats(),
    st.sampled_from([1e308, -1e308, 5e-324, 2**63, -(2**64), 10**30, 0.0, -0.0, 1e9, 1e5]),
)
TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *("5 ns", "300 K", "50 mT", "1e300 K", "-1 K", "1 MA/cm^2", "1/0 K", "K", "nan K"),
            *("equilibrium", "grid", "adaptive", "log", "ramp", "function", "steady-state"),
            *("magnet.temperature", "compute.steps", "point.field.9", "a.b", ".", "__class__"),
            *("__import__('os').mkdir('written')", "{0.__class__}", "$(touch written)", "../x"),
            *("\x1b[31m", "\x00", "\ud7ff", "a\nb", "²", "𝟙"),
        ]
    ),
)
KEYS = st.one_of(
    TEXTS,
    st.sampled_from(
        [
            *("magnet", "material", "protocol", "point", "compute", "sweep", "output", "kind"),
            *("moment", "temperature", "duration", "field", "spin_torque", "start", "stop"),
            *("count", "values", "points", "axes", "method", "steps", "tolerance", "waveform"),
            *("__proto__", "__init__", "model_config", "magnet_table", "build"),
        ]
    ),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


def places(data, here=()):
    """Give the path to everything inside."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*here, key)
        if isinstance(value, dict | list):
            yield from places(value, (*here, key))


@st.composite
def mutated(draw):
    """Draw a right document with a few things wrong or at least unusual."""
    data = deepcopy(draw(st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(sorted(places(data), key=repr)))
        inside = data
        for key in path[:-1]:
            inside = inside[key]
        action = draw(st.sampled_from(["put", "put", "remove", "add", "rename", "move"]))
        if action == "put":
            inside[path[-1]] = draw(VALUES)
        elif action == "remove":
            del inside[path[-1]]
        elif isinstance(inside, list):
            inside.append(draw(VALUES))
        elif action == "add":
            inside[draw(KEYS)] = draw(VALUES)
        elif action == "rename":
            inside[draw(KEYS)] = inside.pop(path[-1])
        else:
            data[draw(KEYS)] = deepcopy(inside[path[-1]])
    return data


def judged(text, overrides=()):
    """Return the study of a text, or None if it is refused as everything should be."""
    problem = None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return loads(text, overrides)
        except ConfigurationError as error:
            problem = error
    line = str(problem)
    assert line
    assert line.isprintable()
    assert len(line) <= 600
    # a key is named, unless the text as a whole is none
    assert problem.key or problem.problem.startswith(("expected ", "override "))
    return None


def examined(study):
    """Check what every study promises."""
    text = study.dumps()
    again = loads(text)
    assert again == study
    assert again.dumps() == text
    assert study.magnet() == again.magnet()
    study.options()
    study.axes()
    if study.sweep is None or study.sweep.method != "adaptive":
        points = study.points()
        assert len(points) == study.point_count()
        assert again.points() == points
        for point in points[:2]:
            # single values are right, but not all combinations need be
            with contextlib.suppress(ConfigurationError):
                assert study.at(point).sweep is None
    with contextlib.suppress(ConfigurationError):
        cost = study.cost()
        assert cost.points >= 1
        assert cost.seconds >= 0


@quick(150)
@given(mutated())
def test_documents_are_studies_or_refused(data):
    study = judged(document.write(data))
    if study is not None:
        examined(study)


def test_the_documents_to_mutate_are_right():
    """So that mutations reach what lies behind the first checks."""
    for data in DOCUMENTS:
        examined(loads(document.write(data)))


@quick(80)
@given(st.dictionaries(st.text(max_size=5) | KEYS, VALUES, max_size=4))
@example({"a": "\x7f\x00\x1f\\\"'\ufeff\U0001f9f2", "\x7f": {"b c": {"d": {"": [1, -0.0, 1e300]}}}})
@example({"a": [{"b": {}}, [], True], "e": {}, "f": 2**63, "g": 5e-324})
def test_what_is_written_is_read_again(data):
    """Whatever no study may hold is refused; the rest comes back, signs of zeros apart."""
    try:
        document.check(data)
    except ConfigurationError:
        return
    again = document.parse(document.write(data))
    assert again == data
    assert document.write(again) == document.write(data)


@quick(100)
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
@example(b"")
@example(b"\xef\xbb\xbfversion = 1")
@example("a = 1e400")
@example("a = 0x" + "f" * 100)
@example("[a]\n[a]")
@example("a = 1979-05-27T07:32:00Z")
@example("\ud800")
@example("=" * 50)
@example("'" * 50)
@example('a."b".' * 50)
def test_raw_bytes_are_refused(data):
    assert judged(data) is None


@quick(80)
@given(
    st.integers(0, len(template())),
    st.integers(0, 40),
    st.one_of(st.binary(max_size=12), st.sampled_from([b"[", b"[[", b"]", b"{", b'"', b"#", b"."])),
)
def test_damaged_files_are_studies_or_refused(place, length, put):
    whole = template().encode()
    study = judged(whole[:place] + put + whole[place + length :])
    if study is not None:
        examined(study)


@quick(60)
@given(
    st.sampled_from(["magnet.damping", "compute.seed", "sweep.axes", "protocol.field.start.1"])
    | KEYS,
    st.one_of(TEXTS, NUMBERS.map(str), VALUES.map(repr)),
)
def test_overrides_are_taken_or_refused(key, value):
    study = judged(template(), [f"{key}={value}"])
    if study is not None:
        examined(study)


@quick(80)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_dictionary_migrates_or_is_refused(data):
    before = deepcopy(data)
    with contextlib.suppress(ConfigurationError):
        assert migrate(data)["version"] == 1
    assert repr(data) == repr(before)


@quick(40)
@given(st.one_of(mutated().map(document.write).map(str.encode), st.binary(max_size=100)))
def test_the_command_says_one_line_and_writes_nothing(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("fuzz")
    path = folder / "study.toml"
    path.write_bytes(text)
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error")
        code = main(["check", str(path)])
    if code == 0:
        assert "correct, digest" in out.getvalue()
        assert err.getvalue() == ""
    else:
        assert code == 2
        assert out.getvalue() == ""
        assert err.getvalue().startswith(f"spintherm: error: {path}: ")
        assert err.getvalue().count("\n") == 1
    assert path.read_bytes() == text
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize(
    "kind", ["function", "Function", "spintherm.waveforms.Function", "os.system"]
)
def test_no_code_comes_from_a_file(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data = deepcopy(PROCESS)
    data["protocol"]["field"] = {"kind": kind, "function": "__import__('os').mkdir('written')"}
    with pytest.raises(ConfigurationError, match=r"protocol\.field\.kind="):
        loads(document.write(data))
    assert list(tmp_path.iterdir()) == []
