"""The commands for files of studies: what they print, what they refuse, what they leave alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from spintherm.cli import main
from spintherm.configuration import load, loads, schema, template

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
STUDIES = sorted(EXAMPLES.glob("*.toml"))


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(template(), "utf-8")
    return path


def test_init_writes_the_template_once(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    written = tmp_path / "study.toml"
    assert written.read_text("utf-8") == template()
    assert "spintherm check study.toml" in capsys.readouterr().out
    written.write_text("mine", "utf-8")
    assert main(["init", "study.toml"]) == 2
    assert "study.toml: exists" in capsys.readouterr().err
    assert written.read_text("utf-8") == "mine"
    assert main(["init", str(tmp_path / "nowhere" / "study.toml")]) == 2
    assert "expected a file in a folder that exists" in capsys.readouterr().err


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_every_example_is_right(path, capsys):
    assert main(["check", str(path)]) == 0
    out = capsys.readouterr().out
    assert load(path).digest()[:16] in out
    assert "on one core" in out


def test_check_prints_the_cost(study, capsys):
    overrides = ["compute.trajectories=30000", "compute.steps=50"]
    words = ["check", str(study), overrides[0], "--set", overrides[1]]
    assert main([*words, "--speed", "1e6", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["axes"] == {"magnet.temperature": 4, "protocol.spin_torque.peak": 2}
    assert found["points"] == 8
    assert found["steps"] == [50, 50]
    assert found["spin_steps"] == 8 * 30_000 * 50
    assert found["seconds"] == pytest.approx(8 * 30_000 * 50 / 1e6)
    assert found["digest"] == loads(template(), overrides).digest()
    assert main(words) == 0
    assert "8 (grid: 4 magnet.temperature × 2 protocol.spin_torque.peak)" in capsys.readouterr().out


def test_check_can_measure(study, capsys):
    """Any machine makes between a million and ten billion spin-steps a second."""
    assert main(["check", str(study), "--measure", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 1e6 < found["speed"] < 1e10
    assert found["seconds"] == pytest.approx(found["spin_steps"] / found["speed"])
    assert main(["check", str(study), "--measure", "--speed", "1e6"]) == 2


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["check"], "FILE"),
        (["check", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["check", "STUDY", "--set", "magnet.dampin=2"], "did you mean 'damping'?"),
        (["check", "STUDY", "magnet.damping"], "expected KEY=VALUE"),
        (["check", "STUDY", "--speed", "0"], "speed=0.0: expected a finite number > 0"),
        (["check", "STUDY", "--set", "protocol.duration=1e7"], "name steps"),
        (["simulate", "STUDY"], "study.toml: sweep: expected one process"),
        (["simulate", str(EXAMPLES / "phases-of-the-engine.toml")], "sweep: expected one process"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(words, expected, study, capsys):
    assert main([str(study) if word == "STUDY" else word for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert expected in captured.err


def test_schema_is_printed(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()


def test_studies_of_the_present_version_can_be_simulated(tmp_path, capsys):
    """The same numbers as from the file of version 0 that says the same."""
    old = EXAMPLES / "table-one-b-blue.toml"
    new = tmp_path / "new.toml"
    new.write_text(load(old).dumps().replace("trajectories =", "#").replace("fast", "#"), "utf-8")
    results = []
    for path in (old, new):
        words = ["simulate", str(path), "--trajectories", "500", "--steps", "20", "--json"]
        assert main(words) == 0
        results.append(json.loads(capsys.readouterr().out))
    assert results[0] == results[1]
    assert results[0]["seed"] == 1


def test_help_imports_neither_pydantic_nor_the_configuration():
    code = (
        "import sys; from spintherm.cli import main; main(['--help']); main(['check', '--help'])\n"
        "slow = {'pydantic', 'numpy', 'spintherm.configuration'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
