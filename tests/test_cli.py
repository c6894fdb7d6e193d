"""The command line: exit codes, messages, files, and what is imported when."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from spintherm import Anisotropy, Magnet, Polariser, Protocol, simulate
from spintherm.cli import main
from spintherm.experiments import (
    Reproduction,
    table_one,
)
from spintherm.fokker_planck import ResolutionError
from spintherm.report import at_most
from spintherm.version import __version__

EXAMPLES = Path(__file__).parents[1] / "examples"
TABLE_ONE = EXAMPLES / "table-one-b-blue.toml"
PROCESSES = [p for p in sorted(EXAMPLES.glob("*.toml")) if "[sweep" not in p.read_text("utf-8")]
COLLINEAR = [
    "theory",
    *("--moment", "1.6", "--gyromagnetic-ratio", "1.2", "--damping", "0.4"),
    *("--temperature", "0.7", "--field", "0", "0.6", "0.8"),
]


def refused(words, capsys):
    """Run words that must be refused, and return the one line of complaint."""
    assert main([str(word) for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("spintherm: error: ")
    return captured.err


def written(tmp_path, text):
    path = tmp_path / "protocol.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("words", [["--help"], ["reproduce", "--help"], ["simulate", "--help"], []])
def test_help(words, capsys):
    assert main(words) == 0
    assert "Usage: spintherm" in capsys.readouterr().out


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"spintherm {__version__}\n"


def test_nothing_slow_is_imported_for_help():
    code = (
        "import sys; from spintherm.cli import main; main(['--help']); main(['--version'])\n"
        "slow = {'numba', 'xarray', 'matplotlib', 'scipy', 'pandas'} & set(sys.modules)\n"
        "assert not slow, slow"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bogus"], "bogus"),
        (["reproduce", "--size", "huge"], "huge"),
        (["reproduce", "--bogus"], "bogus"),
        (["reproduce", "--seed", "-3"], "seed=-3: expected an integer from 0"),
        (["reproduce", "--seed", "1.5"], "1.5"),
        (["simulate", TABLE_ONE, "--trajectories", "1.5"], "1.5"),
        (["simulate", TABLE_ONE, "--trajectories", "many"], "many"),
        (["reproduce", "--threads", "0"], "threads=0: expected an integer >= 1"),
        (["reproduce", "--scheme", "magic"], "magic"),
        (["reproduce", "--out", __file__], "expected a folder"),
        (["simulate"], "PROTOCOL"),
        (["simulate", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["simulate", EXAMPLES], "cannot be read"),
        (["simulate", TABLE_ONE, "--trajectories", "0"], "trajectories=0"),
        (["simulate", TABLE_ONE, "--steps", "0"], "steps=0"),
        (["simulate", TABLE_ONE, "--scheme", "magic"], "magic"),
        (["simulate", TABLE_ONE, "--out", "/nowhere/x.nc"], "out=/nowhere/x.nc"),
        (["theory", "--moment", "1"], "--gyromagnetic-ratio requires"),
        ([*COLLINEAR, "--spin-torque", "1", "0", "0"], "parallel or antiparallel"),
        ([*COLLINEAR, "--spin-torque", "0", "0"], "spin-torque"),
        ([*COLLINEAR, "--spin-torque", "0", "0", "x"], "x"),
    ],
)
def test_misuse_is_one_line_and_exit_code_2(words, expected, capsys):
    assert expected in refused(words, capsys)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("[magnet]", "[magent]"), "magent: unknown key, did you mean 'magnet'?"),
        (("damping = 0.5", "dumping = 0.5"), "magnet.dumping: unknown key, did you mean 'damping'"),
        (("damping = 0.5", "damping = -0.5"), "magnet.damping=-0.5: expected a number >= 0"),
        (("damping = 0.5", "damping = 'much'"), "damping='much'"),
        (('kind = "ramp"', 'kind = "rump"'), "kind='rump': expected one of 'constant'"),
        (("peak =", "top ="), "protocol.spin_torque.top: unknown key"),
        (("peak = [0, 1, 1]", "peak = [0, 1]"), "peak=[0, 1]: expected three components"),
        (("duration = 1.0\nfield", "field"), "protocol.duration: missing"),
        (("seed = 1", "sed = 1"), "simulate.sed: unknown key, did you mean 'seed'?"),
        (("seed = 1", "seed = 'a'"), "simulate.seed='a': expected a whole number"),
        (("seed = 1", "initial = 'nowhere'"), "initial='nowhere'"),
        (("moment = 1.7", "moment = = 1.7"), "expected TOML"),
    ],
)
def test_a_bad_file_is_one_line_and_exit_code_2(change, expected, capsys, tmp_path):
    text = TABLE_ONE.read_text("utf-8")
    assert change[0] in text
    path = written(tmp_path, text.replace(*change))
    assert expected in refused(["simulate", path, "--trajectories", "10"], capsys)


def test_a_file_that_is_no_text_is_refused(capsys, tmp_path):
    path = tmp_path / "protocol.toml"
    path.write_bytes(b"\xff\xfe\x00")
    assert "UTF-8" in refused(["simulate", path], capsys)


@pytest.mark.parametrize("path", PROCESSES, ids=lambda path: path.stem)
def test_examples_run_and_have_the_form_of_to_dict(path, capsys):
    assert main(["simulate", str(path), "--trajectories", "500"]) == 0
    out = capsys.readouterr().out
    assert "500 trajectories" in out
    assert "entropy production" in out
    data = tomllib.loads(path.read_text("utf-8"))
    protocol = Protocol.from_dict(data["protocol"])
    assert Protocol.from_dict(protocol.to_dict()) == protocol


def test_the_first_example_is_the_process_of_the_paper():
    data = tomllib.loads(TABLE_ONE.read_text("utf-8"))
    process = table_one()[3]
    assert process.name == "(b) blue"
    assert Protocol.from_dict(data["protocol"]) == process.protocol
    assert Magnet.from_dict(data["magnet"]) == process.magnet


def test_simulate_gives_json_and_a_file(capsys, tmp_path):
    path = tmp_path / "x.nc"
    words = ["simulate", str(EXAMPLES / "tilted-pulses.toml"), "--json", "--out", str(path)]
    assert main([*words, "--trajectories", "700", "--seed", "4", "--steps", "40"]) == 0
    captured = capsys.readouterr()
    numbers = json.loads(captured.out)
    assert captured.err == ""
    data = tomllib.loads((EXAMPLES / "tilted-pulses.toml").read_text("utf-8"))
    magnet, protocol = Magnet.from_dict(data["magnet"]), Protocol.from_dict(data["protocol"])
    expected = simulate(magnet, protocol, trajectories=700, seed=4, steps=40)
    for name in ("work", "heat", "pumped_entropy", "energy_change", "entropy_production"):
        samples = expected[name].values
        assert numbers[name]["mean"] == pytest.approx(samples.mean(), rel=1e-12)
        assert numbers[name]["error"] == pytest.approx(np.std(samples, ddof=1) / np.sqrt(700))
    weights = np.exp(-expected["entropy_production"].values)
    assert numbers["exp(-entropy_production)"]["mean"] == pytest.approx(weights.mean())
    with xr.open_dataset(path, engine="h5netcdf") as saved:
        np.testing.assert_array_equal(saved["work"], expected["work"])


def test_flags_override_the_file(capsys, tmp_path):
    path = written(
        tmp_path, TABLE_ONE.read_text("utf-8") + "scheme = 'euler-maruyama'\nsteps = 9\n"
    )
    common = ["simulate", str(path), "--json", "--trajectories", "5e1"]
    assert main(common) == 0
    of_file = json.loads(capsys.readouterr().out)
    assert main([*common, "--scheme", "splitting", "--steps", "20", "--seed", "8"]) == 0
    of_flags = json.loads(capsys.readouterr().out)
    assert (of_file["scheme"], of_file["steps"], of_file["seed"]) == ("euler-maruyama", 9, 1)
    assert (of_flags["scheme"], of_flags["steps"], of_flags["seed"]) == ("splitting", 20, 8)


def test_tolerance_and_fast_arithmetic(tmp_path, capsys):
    path = tmp_path / "process.toml"
    path.write_text(TABLE_ONE.read_text("utf-8") + "steps = 9\n", "utf-8")
    words = ["simulate", str(path), "--trajectories", "2000", "--json"]
    assert main([*words, "--tolerance", "0.5", "--fast"]) == 0
    chosen = json.loads(capsys.readouterr().out)
    assert chosen["steps"] != 9
    assert main([*words, "--steps", str(chosen["steps"])]) == 0
    strict = json.loads(capsys.readouterr().out)
    assert strict["steps"] == chosen["steps"]
    assert main([*words, "--tolerance", "0.5", "--steps", "9"]) == 2
    assert "expected one of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    "change", [("temperature = 1.0", "temperature = 0.0"), ("trajectories = 200000", "")]
)
def test_where_there_is_no_integral_theorem_json_is_still_valid(change, capsys, tmp_path):
    path = written(tmp_path, TABLE_ONE.read_text("utf-8").replace(*change))
    assert main(["simulate", str(path), "--json", "--trajectories", "1"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["exp(-entropy_production)"] is None
    assert numbers["work"]["error"] is None


def test_too_much_memory_is_a_failure_in_one_line(capsys, monkeypatch):
    import spintherm.trajectories

    def greedy(*_arguments, **_options):
        raise MemoryError

    monkeypatch.setattr(spintherm.trajectories, "simulate", greedy)
    assert main(["simulate", str(TABLE_ONE)]) == 1
    assert capsys.readouterr().err.startswith("spintherm: error: not enough memory")


def test_theory_gives_the_closed_forms(capsys):
    """[II] 16 written out; P = -0.3 ĥ."""
    words = [*COLLINEAR, "--spin-torque", "0", "-0.18", "-0.24"]
    assert main([*words, "--json"]) == 0
    ours = json.loads(capsys.readouterr().out)
    m, gamma, eta, T, P = 1.6, 1.2, 0.4, 0.7, -0.3
    alpha, delta, nu = m * P, eta * m / gamma, m / T
    xi = nu * (1 + alpha / delta)
    chi = xi / np.tanh(xi) - 1
    expected = {
        "alpha": alpha,
        "delta": delta,
        "nu": nu,
        "xi": xi,
        "pumped_entropy_rate": 2 * eta * T * chi * alpha / (alpha + delta),
        "entropy_production_rate": 2
        * eta
        * T
        * chi
        * alpha**2
        * (1 + delta**2)
        / (alpha + delta) ** 2,
        "bath_entropy_rate": -2
        * eta
        * T
        * chi
        * alpha
        * delta
        * (1 - alpha * delta)
        / (alpha + delta) ** 2,
        "effective_gyromagnetic_ratio": gamma * (1 - alpha * delta) / (1 + alpha / delta),
    }
    for name, value in expected.items():
        assert ours[name] == pytest.approx(value, rel=1e-12), name
    assert ours["phase"] == "heat pump"
    assert ours["effective_field"] == pytest.approx(
        [0, 0.6 * (1 + alpha / delta), 0.8 * (1 + alpha / delta)]
    )
    assert main(words) == 0
    assert "heat pump" in capsys.readouterr().out


def test_theory_at_the_special_point(capsys):
    """α = -δ: H' = 0, nothing is pumped, γ₀' is infinite."""
    words = [
        *("theory", "--moment", "1.5", "--gyromagnetic-ratio", "1", "--damping", "0.5"),
        *("--temperature", "1", "--field", "0", "0", "1", "--spin-torque", "0", "0", "-0.5"),
        "--json",
    ]
    assert main(words) == 0
    ours = json.loads(capsys.readouterr().out)
    assert ours["pumped_entropy_rate"] == 0.0
    assert ours["effective_gyromagnetic_ratio"] is None
    assert ours["phase"] == "dud"


def reproduced(monkeypatch, *verdicts):
    """Let `reproduce` find these verdicts at once, and return the list of what it was told."""
    told = []

    def found(size, out, **options):
        told.append((size, options))
        return Reproduction(Path(out), verdicts, 1.0)

    monkeypatch.setattr("spintherm.experiments.reproduce", found)
    return told


def test_a_failing_verdict_is_exit_code_1(capsys, tmp_path, monkeypatch):
    """That verdicts of a run can fail is tested in test_experiments."""
    good, bad = at_most("one", "large", 1.0, 2.0), at_most("two", "too large", 3.0, 2.0)
    words = ["reproduce", "--out", str(tmp_path)]
    reproduced(monkeypatch, good, bad, good)
    assert main(words) == 1
    out = capsys.readouterr().out
    assert re.search(r"2 of 3 verdicts pass, 1 fail", out)
    assert "too large" in out
    reproduced(monkeypatch, good)
    assert main(words) == 0


def test_a_magnet_that_cannot_be_resolved_is_a_failure_with_words(tmp_path, monkeypatch, capsys):
    def refused(*_, **__):
        raise ResolutionError("more harmonics than there are")

    monkeypatch.setattr("spintherm.experiments.reproduce", refused)
    assert main(["reproduce", "--out", str(tmp_path)]) == 1
    assert capsys.readouterr().err.strip() == "spintherm: error: more harmonics than there are"


def test_reproduce_takes_the_magnet_of_a_study(tmp_path, monkeypatch, capsys):
    text = TABLE_ONE.read_text("utf-8")
    lines = "anisotropy = { uniaxial = 1.2 }\npolarisers = [{ direction = [0, 1, 1] }]\n[protocol]"
    assert "[protocol]" in text
    told = reproduced(monkeypatch)
    path = written(tmp_path, text.replace("[protocol]", lines, 1))
    assert main(["reproduce", "--magnet", str(path), "--out", str(tmp_path)]) == 0
    ((size, options),) = told
    assert size == "default"
    assert options["magnet"].anisotropy == Anisotropy.uniaxial(1.2)
    assert options["magnet"].polarisers == (Polariser((0, 1, 1)),)
    assert f"--magnet {path}" in options["command"]
    capsys.readouterr()
    assert "nowhere.toml: cannot be read" in refused(
        ["reproduce", "--magnet", "nowhere.toml"], capsys
    )


def test_an_interruption_is_exit_code_130_and_one_line(capsys, monkeypatch):
    import spintherm.trajectories

    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(spintherm.trajectories, "simulate", interrupted)
    assert main(["simulate", str(TABLE_ONE)]) == 130
    assert capsys.readouterr().err == "\nspintherm: interrupted\n"


# A shell that starts a job in the background may have it ignore interruptions.
UNTIL_INTERRUPTED = """
import signal, sys
from spintherm.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main([*sys.argv[1:3], "--trajectories", "100", "--json"])
print("ready", flush=True)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_running_process_cleanly():
    words = ["simulate", str(TABLE_ONE), "--trajectories", "4000000", "--steps", "20000"]
    with subprocess.Popen(
        [sys.executable, "-c", UNTIL_INTERRUPTED, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        while process.stdout.readline() not in ("ready\n", ""):
            pass
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=300.0)  # the chunks in hand are finished first
    assert (process.returncode, out, err) == (130, "", "\nspintherm: interrupted\n")


def test_a_reader_that_goes_away_is_no_traceback():
    words = [*COLLINEAR, "--spin-torque", "0", "0.3", "0.4"]
    code = "import sys; from spintherm.cli import main; sys.exit(main())"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert "Traceback" not in done.stderr
