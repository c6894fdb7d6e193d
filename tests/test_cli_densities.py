"""The density engine on the command line: numbers, files, refusals."""

import json

import numpy as np
import pytest
import xarray as xr

import spintherm.cli.density_commands  # noqa: F401 - registers the commands
from spintherm import Magnet, Protocol, Ramp, Triangle, simulate, theory
from spintherm.cli import main
from spintherm.fokker_planck import steady_state
from spintherm.statistics import mean

MAGNET = ["--moment", "1.6", "--gyromagnetic-ratio", "1.2", "--damping", "0.4"]
MAGNET += ["--temperature", "0.7"]
STEADY = ["steady", *MAGNET, "--field", "0", "0.6", "0.8", "--spin-torque", "0.5", "-0.3", "0.2"]
DIAGRAM = ["phase-diagram", *MAGNET, "--points", "11"]
DELTA = 1.6 * 0.4 / 1.2
PROCESS = """
[magnet]
moment = 1.5
gyromagnetic_ratio = 1.0
damping = 0.5
temperature = 1.0
[protocol]
duration = 1.6
field = { kind = "ramp", start = [0, 0, 1], stop = [0, 0, -1], duration = 1.6 }
spin_torque = { kind = "triangle", peak = [0, 0, 0.9], duration = 1.6 }
"""


def told(words, capsys):
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def refused(words, capsys):
    assert main([str(word) for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("spintherm: error: ")
    return captured.err


@pytest.mark.parametrize("command", ["steady", "phase-diagram", "distribution"])
def test_help(command, capsys):
    assert f"Usage: spintherm {command}" in told([command, "--help"], capsys)


def test_steady_tells_all_quantities(capsys):
    values = json.loads(told([*STEADY, "--json"], capsys))
    magnet = Magnet(1.6, 1.2, 0.4, 0.7)
    state = steady_state(magnet, (0, 0.6, 0.8), (0.5, -0.3, 0.2))
    for name in ("pumped_entropy_rate", "bath_entropy_rate", "entropy_production_rate"):
        assert values[name] == pytest.approx(getattr(state, name))
    assert values["pumped_entropy_noise"] == pytest.approx(state.pumped_entropy_noise)
    assert values["work_rate"] == pytest.approx(-values["heat_rate"])
    assert values["mean_moment"] == pytest.approx(state.mean_moment.tolist())
    assert values["phase"] == state.phase
    assert len(values["relaxation_rates"]) == len(values["precession_frequencies"]) == 4
    assert min(values["relaxation_rates"]) > 0.0


def test_steady_equals_the_closed_forms_where_there_are_any(capsys):
    words = ["steady", *MAGNET, "--field", "0", "0.6", "0.8", "--spin-torque", "0", "-0.3", "-0.4"]
    values = json.loads(told([*words, "--json"], capsys))
    given = Magnet(1.6, 1.2, 0.4, 0.7), (0, 0.6, 0.8), (0, -0.3, -0.4)
    for name in ("pumped_entropy_rate", "bath_entropy_rate", "pumped_entropy_noise"):
        assert values[name] == pytest.approx(float(getattr(theory, name)(*given)), rel=1e-9)


def test_steady_prints_a_table_and_draws(tmp_path, capsys):
    out = told([*STEADY, "--figure", tmp_path / "state"], capsys)
    assert "uncertainty ratio" in out
    for suffix in ("png", "pdf"):
        assert (tmp_path / f"state.{suffix}").stat().st_size > 10_000


def test_equilibrium_has_no_uncertainty_ratio(capsys):
    words = ["steady", *MAGNET, "--field", "0", "0", "1", "--spin-torque", "0", "0", "0"]
    values = json.loads(told([*words, "--json"], capsys))
    assert values["phase"] == "equilibrium"
    assert values["uncertainty_ratio"] is None
    assert "infinite or undefined" in told(words, capsys)


def test_phase_diagram_tells_boundaries_and_writes_files(tmp_path, capsys):
    words = [*DIAGRAM, "--x", "alpha", "-3", "3", "--y", "angle", "0", "90", "--field", "1.1"]
    values = json.loads(told([*words, "--json", "--out", tmp_path / "phases"], capsys))
    ends = {
        one["rate"]: x
        for one in values["boundaries"]
        for x, y in ((one["x"][0], one["y"][0]), (one["x"][-1], one["y"][-1]))
        if y == 0.0
    }
    assert ends["pumped_entropy_rate"] == pytest.approx(-DELTA, abs=1e-8)
    assert ends["bath_entropy_rate"] == pytest.approx(1.0 / DELTA, abs=1e-8)
    assert values["y"] == {
        "name": "angle", "units": "degrees", "low": 0.0, "high": 90.0, "points": 11
    }  # fmt: skip
    assert sum(values["phases"].values()) == pytest.approx(1.0)
    for suffix in ("png", "pdf", "nc"):
        assert (tmp_path / f"phases.{suffix}").is_file()
    with xr.open_dataset(tmp_path / "phases.nc") as data:
        assert dict(data.sizes)["angle"] == 11
        assert float(data.angle[-1]) == pytest.approx(np.pi / 2)


def test_phase_diagram_over_a_parameter_of_the_magnet(capsys):
    words = ["phase-diagram", *MAGNET[:4], "--temperature", "0.7", "--points", "9", "--log-y"]
    words += ["--x", "spin-torque", "-2", "2", "--y", "damping", "0.2", "1", "--field", "0.9"]
    out = told(words, capsys)
    assert "refrigerator, part of 9 × 9 points" in out
    assert "boundary 1, Ṡ_P = 0, from" in out
    assert "damping (rate per energy)" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--x", "alpha", "-1", "1", "--y", "angle", "0", "9", "--spin-torque", "1"], "without 0"),
        (["--x", "alpha", "1", "2", "--y", "angle", "0", "9"], "exactly two of"),
        (["--x", "mass", "1", "2", "--y", "angle", "0", "9"], "mass"),
        (["--x", "damping", "1", "2", "--y", "angle", "0", "9"], "--damping"),
    ],
)
def test_phase_diagrams_that_cannot_be(words, complaint, capsys):
    assert complaint in refused([*DIAGRAM, *words], capsys)


def test_what_is_missing_is_named(capsys):
    words = ["phase-diagram", "--x", "alpha", "1", "2", "--y", "field", "1", "2"]
    assert "--moment" in refused(words, capsys)


def test_files_that_cannot_be_written_are_refused_first(tmp_path, capsys):
    assert "figure=" in refused([*STEADY, "--figure", tmp_path / "no" / "where"], capsys)
    words = [*DIAGRAM, "--x", "alpha", "1", "2", "--y", "field", "1", "2", "--out", tmp_path]
    assert "out=" in refused(words, capsys)


def test_bad_physics_is_refused(capsys):
    words = [word if word != "0.4" else "0" for word in STEADY]
    assert "damping" in refused(words, capsys)


def test_what_cannot_be_resolved_fails_and_says_why(capsys):
    words = ["steady", *MAGNET, "--field", "0", "0", "1e12", "--spin-torque", "1", "0", "0"]
    code = main(words)
    captured = capsys.readouterr()
    assert code == 1
    assert captured.out == ""
    assert captured.err.startswith("spintherm: error: ")


@pytest.fixture
def process(tmp_path):
    path = tmp_path / "process.toml"
    path.write_text(PROCESS, "utf-8")
    return path


def test_distribution_of_the_entropy_production_obeys_the_theorem(process, tmp_path, capsys):
    values = json.loads(told(["distribution", process, "--json", "--out", tmp_path / "d"], capsys))
    assert values["of"] == "entropy_production"
    assert values["fluctuation_theorem_deviation"] < 1e-6
    ensemble = simulate(
        Magnet(1.5, 1.0, 0.5, 1.0),
        Protocol(1.6, Ramp((0, 0, 1), (0, 0, -1), 1.6), Triangle((0, 0, 0.9), 1.6)),
        trajectories=20_000,
        seed=11,
    )
    ours = mean(ensemble["entropy_production"].values)
    assert abs(ours.deviation(values["forward"]["mean"])) < 4.5
    for name in ("forward", "backward"):
        assert values[name]["total"] == pytest.approx(1.0, abs=1e-6)
    for name in ("d.png", "d.pdf", "d-forward.nc", "d-backward.nc"):
        assert (tmp_path / name).is_file()


def test_distribution_of_another_quantity_as_a_table(process, capsys):
    out = told(["distribution", process, "--of", "work"], capsys)
    assert "work, backward: mean" in out
    assert "p_B(-Σ)" not in out


def test_a_quantity_that_does_not_fluctuate_is_refused(process, capsys):
    text = PROCESS.replace("peak = [0, 0, 0.9]", "peak = [0, 0, 0]")
    process.write_text(text, "utf-8")
    assert main(["distribution", str(process), "--of", "pumped-entropy"]) in (1, 2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no fluctuations" in captured.err
