"""Real magnets on the command line: numbers against the package, files, refusals."""

import json
import subprocess
import sys

import numpy as np
import pytest

from spintherm import Cylinder, Nanomagnet, Prism
from spintherm.cli import main
from spintherm.switching import dwell_times, write_error_rate

LAYER = ["--saturation-magnetisation", "1 MA/m", "--gilbert-damping", "0.02"]
LAYER += ["--temperature", "320 K", "--cylinder", "30 nm", "1.4 nm"]
LAYER += ["--anisotropy", "0.68 MJ/m^3"]
SPINS = ["--polarisation", "0.5", "--asymmetry", "1.2", "--field-like", "-0.2"]
BODY = Nanomagnet(
    saturation_magnetisation=1e6,
    gilbert_damping=0.02,
    temperature=320.0,
    shape=Cylinder(30e-9, 1.4e-9),
    anisotropy=6.8e5,
)


def torque(density):
    return BODY.spin_torque(
        current_density=density, polarisation=0.5, asymmetry=1.2, field_like=-0.2
    )


def told(words, capsys):
    assert main([str(word) for word in words]) == 0
    return capsys.readouterr().out


def refused(words, capsys):
    assert main([str(word) for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("spintherm: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


def table(text):
    head, *rows = text.strip().splitlines()
    values = np.array([[float(value) for value in row.split(",")] for row in rows])
    return dict(zip(head.split(","), values.T, strict=True))


@pytest.mark.parametrize("command", ["material", "write-error", "state-diagram", "dwell-times"])
def test_help(command, capsys):
    assert f"Usage: spintherm {command}" in told([command, "--help"], capsys)


def test_help_loads_nothing_slow():
    probe = "import sys; from spintherm.cli import main\ntry: main(['--help'])\n"
    probe += "except SystemExit: pass\nprint('LOADED', *sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split("LOADED")[1].split()}
    assert not {"scipy", "xarray", "matplotlib", "numba", "pint"} & loaded


def test_material_describes(capsys):
    words = ["material", *LAYER, *SPINS, "--current-density", "-2 MA/cm^2", "--field", "-10 mT"]
    assert told(words, capsys).strip() == BODY.describe("-10 mT", torque("-2 MA/cm^2")).strip()
    values = json.loads(told([*words, "--json"], capsys))
    assert values["thermal_stability"] == pytest.approx(BODY.thermal_stability)
    assert values["reduced_unit"]["time"] == pytest.approx(BODY.scales.time)
    critical = BODY.critical_current_density(torque(1.0), parallel=True)
    assert values["critical_current_density_parallel"] == pytest.approx(critical)
    assert values["current_density"] == pytest.approx(-2e10)


def test_write_error_is_that_of_the_package(tmp_path, capsys):
    words = ["write-error", *LAYER, *SPINS, "--pulse-length", "1 ns", "9 ns", "--points", "3"]
    words += ["--current-density", "-6 MA/cm^2", "--current-density", "-8 MA/cm^2"]
    words += ["--field", "-5 mT"]
    found = table(told([*words, "--csv", "--figure", tmp_path / "errors"], capsys))
    H = BODY.reduced_field_strength("-5 mT")
    P = [torque(J).reduced(BODY.scales) for J in (-6e10, -8e10)]
    t = np.array([1e-9, 5e-9, 9e-9]) / BODY.scales.time
    magnet = BODY.magnet_with(torque(1.0))
    expected = write_error_rate(magnet, t, spin_torque=P, field=(0, 0, H))["write_error_rate"]
    np.testing.assert_allclose(found["write_error_rate"], expected.values.ravel(), rtol=1e-9)
    np.testing.assert_allclose(found["current"], [-6e10] * 3 + [-8e10] * 3)
    np.testing.assert_allclose(found["pulse_length"], [1e-9, 5e-9, 9e-9] * 2)
    assert (tmp_path / "errors.png").exists()
    values = json.loads(told([*words, "--json"], capsys))
    np.testing.assert_allclose(values["write_error_rate"], found["write_error_rate"], rtol=1e-9)
    text = told(words, capsys)
    assert "pulse_length (s)" in text
    assert f"{BODY.thermal_stability:.5g}" in text


def test_dwell_times_are_those_of_the_package(tmp_path, capsys):
    words = ["dwell-times", *LAYER, *SPINS, "--current-density", "-0.4 MA/cm^2", "0.4 MA/cm^2"]
    words += ["--points", "3", "--csv", "--figure", tmp_path / "dwell"]
    found = table(told(words, capsys))
    P = [torque(J).reduced(BODY.scales) for J in (-0.4e10, 0.0, 0.4e10)]
    expected = dwell_times(BODY.magnet_with(torque(1.0)), spin_torque=P)
    for side in ("parallel", "antiparallel"):
        times = expected[f"dwell_time_{side}"] * BODY.scales.time
        np.testing.assert_allclose(found[f"dwell_time_{side}"], times, rtol=1e-9)
    rates = expected["relaxation_rate"] / BODY.scales.time
    np.testing.assert_allclose(found["relaxation_rate"], rates, rtol=1e-9)
    assert (tmp_path / "dwell.pdf").exists()


def test_against_the_axis_the_states_change_their_names(capsys):
    """With --axis 0 0 -1 parallel is what was antiparallel, and the field is counted downwards."""
    words = ["dwell-times", *LAYER, *SPINS, "--current-density", "-0.4 MA/cm^2", "0.4 MA/cm^2"]
    words += ["--points", "3", "--csv"]
    up = table(told([*words, "--field", "5 mT"], capsys))
    down = table(told([*words, "--field", "-5 mT", "--axis", "0", "0", "-1"], capsys))
    for one, other in (("parallel", "antiparallel"), ("antiparallel", "parallel")):
        times = up[f"dwell_time_{other}"]
        np.testing.assert_allclose(down[f"dwell_time_{one}"], times, rtol=1e-9)
    assert not np.allclose(up["dwell_time_parallel"], up["dwell_time_antiparallel"], rtol=0.1)
    words = ["write-error", *LAYER, *SPINS, "--pulse-length", "1 ns", "9 ns", "--points", "2"]
    words += ["--current-density", "-6 MA/cm^2", "--csv"]
    up = table(told([*words, "--field", "-5 mT"], capsys))
    back = ["--field", "5 mT", "--axis", "0", "0", "-1", "--initial", "antiparallel"]
    down = table(told([*words, *back], capsys))
    np.testing.assert_allclose(down["write_error_rate"], up["write_error_rate"], rtol=1e-9)


def test_an_axis_in_the_plane(capsys):
    """A flat bar, its wells along x, with a field and a current there: --axis 1 0 0."""
    bar = ["--saturation-magnetisation", "300 kA/m", "--gilbert-damping", "0.2"]
    bar += ["--temperature", "300 K", "--prism", "14 nm", "10 nm", "8 nm"]
    spins = ["--polarisation", "0.5", "--polariser", "1", "0", "0"]
    body = Nanomagnet(
        saturation_magnetisation=3e5,
        gilbert_damping=0.2,
        temperature=300.0,
        shape=Prism((14e-9, 10e-9, 8e-9)),
    )
    words = ["--field", "2 mT", "--axis", "1", "0", "0", "--points", "2", "--csv"]
    current = ["--current-density", "-0.5 MA/cm^2", "0.5 MA/cm^2"]
    found = table(told(["dwell-times", *bar, *spins, *words, *current], capsys))
    torques = [
        body.spin_torque(current_density=J, polarisation=0.5, polariser=(1, 0, 0))
        for J in (-5e9, 5e9)
    ]
    P = [one.reduced(body.scales) for one in torques]
    H = (body.reduced_field_strength("2 mT"), 0, 0)
    magnet = body.magnet_with(torques[0])
    expected = dwell_times(magnet, spin_torque=P, field=H, axis=(1, 0, 0))
    for side in ("parallel", "antiparallel"):
        times = expected[f"dwell_time_{side}"] * body.scales.time
        np.testing.assert_allclose(found[f"dwell_time_{side}"], times, rtol=1e-9)
    # the field and the current that leads there favour the well of +x
    assert found["dwell_time_parallel"][1] > 1.05 * found["dwell_time_antiparallel"][1]
    pulse = ["--current-density", "-30 MA/cm^2", "--pulse-length", "0.5 ns", "1 ns"]
    errors = table(told(["write-error", *bar, *spins, *words, *pulse], capsys))
    P = body.spin_torque(current_density=-3e11, polarisation=0.5, polariser=(1, 0, 0))
    t = np.array([0.5e-9, 1e-9]) / body.scales.time
    expected = write_error_rate(
        magnet, t, spin_torque=P.reduced(body.scales), field=H, axis=(1, 0, 0)
    )
    np.testing.assert_allclose(errors["write_error_rate"], expected["write_error_rate"], rtol=1e-9)


def test_state_diagram_is_that_of_the_poles_stability(tmp_path, capsys):
    """n = s z is stable if s(H + H_FL) + H_k + s g(s) a_J/α > 0, from the flow linearised there."""
    words = ["state-diagram", *LAYER, *SPINS, "--current-density", "-6 MA/cm^2", "6 MA/cm^2"]
    words += ["--field", "-500 mT", "500 mT", "--points", "6"]
    found = table(told([*words, "--csv", "--figure", tmp_path / "states"], capsys))
    a = torque(1.0).damping_like_field * found["current"]
    H, (H_k, _) = found["field"] - 0.2 * a, BODY.stiffness_fields
    square = 1.2**2
    codes = np.zeros(36, dtype=int)
    for s, code in ((1, 1), (-1, 2)):
        g = 2 * square / ((square + 1) + (square - 1) * s)
        codes += code * (s * H + H_k + s * g * a / 0.02 > 0)
    assert found["states"].tolist() == np.where(codes == 0, 4, codes).tolist()
    assert len(set(codes)) >= 3
    np.testing.assert_allclose(found["field"][::6] * 4e-7 * np.pi, np.linspace(-0.5, 0.5, 6))
    assert (tmp_path / "states.png").exists()


WRITE = ["write-error", *LAYER, *SPINS, "--current-density", "1 A/m^2"]
WRITE += ["--pulse-length", "1 ns", "2 ns"]
STATES = ["state-diagram", *LAYER, *SPINS, "--current-density", "0 A/m^2", "1 A/m^2"]
STATES += ["--field", "0 mT", "2 mT"]
DWELL = ["dwell-times", *LAYER, *SPINS, "--current-density", "0 A/m^2", "1 A/m^2"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["material", *LAYER[:6]], "expected one of them"),
        (["material", *LAYER, "--volume", "5 nm^3"], "expected one of them"),
        (["material", *LAYER, "--field", "3 s"], "field="),
        (["material", *LAYER, "--current-density", "1 MA/cm^2"], "--polarisation"),
        (["material", *LAYER, *SPINS], "--current-density"),
        (["material", "--temperature", "300 K"], "saturation-magnetisation"),
        (
            ["dwell-times", *LAYER, *SPINS, "--current-density", "1 A/m^2", "0 A/m^2"],
            "lower end",
        ),
        (
            ["dwell-times", *LAYER, *SPINS, "--current-density", "0 A", "1 A/m^2"],
            "current_density=",
        ),
        (
            [*DWELL, "--axis", "0", "0", "0"],
            "axis=(0.0, 0.0, 0.0): expected a vector other than 0",
        ),
        (
            [*DWELL, "--axis", "0", "nan", "1"],
            "axis=",
        ),
        (
            [*DWELL, "--axis", "0", "1"],
            "axis",
        ),
        (
            [*WRITE, "--axis", "0", "0", "0"],
            "axis=(0.0, 0.0, 0.0): expected a vector other than 0",
        ),
        (
            [*STATES, "--axis", "0", "0", "0"],
            "axis=(0.0, 0.0, 0.0): expected a vector other than 0",
        ),
        (
            [*DWELL, "--json", "--csv"],
            "--json, --csv",
        ),
        (
            [*DWELL, "--points", "1"],
            "points=1",
        ),
        (
            [*DWELL, "--figure", "/nowhere/at/all"],
            "figure=",
        ),
    ],
)
def test_slips_are_told_in_a_line(words, message, capsys):
    assert message in refused(words, capsys)
