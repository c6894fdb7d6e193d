"""`spintherm run` and `spintherm show`: exit codes, one line of complaint, what they write."""

import csv
import json

import numpy as np
import pytest
import xarray as xr

from spintherm import progress
from spintherm.cli import main

STUDY = """
version = 1
title = "two temperatures"
[magnet]
moment = 1.3
gyromagnetic_ratio = 1.7
damping = 0.4
temperature = 0.8
[protocol]
duration = 0.5
field = [0.3, -0.2, 0.9]
spin_torque = { kind = "triangle", peak = [0.4, 0.8, -0.7], duration = 0.5 }
[compute]
quantity = "statistics"
trajectories = 500
steps = 4
seed = 7
bins = 4
"""
SWEEP = """
[sweep]
axes."magnet.temperature" = { values = [0.5, 0.8] }
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY + SWEEP, "utf-8")
    return path


def spintherm(*words):
    return main([str(word) for word in words])


def refused(capsys, *words, code=2):
    assert spintherm(*words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("spintherm: error: ")
    return captured.err


def test_run_resume_show(file, tmp_path, capsys):
    out = tmp_path / "run"
    assert spintherm("run", file, "--out", out, "--threads", 1, "--seed", 3) == 0
    assert "complete; 2 tasks" in capsys.readouterr().out
    assert "seed = 3\n" in (out / "study.toml").read_text()
    assert spintherm("run", "--resume", out) == 0
    assert capsys.readouterr().out == f"{out}: complete already\n"
    words = ["--csv", tmp_path / "table.csv", "--netcdf", tmp_path / "copy.nc"]
    assert spintherm("show", out, "--figure", tmp_path / "figure", *words) == 0
    said = capsys.readouterr().out
    assert said.startswith("two temperatures: statistics, 2 points, complete\n")
    assert "magnet.temperature: 0.5 ... 0.8, 2" in said
    assert (tmp_path / "figure.png").stat().st_size > 1000
    assert (tmp_path / "copy.nc").read_bytes() == (out / "result.nc").read_bytes()
    with (tmp_path / "table.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    with xr.open_dataset(out / "result.nc") as result:
        means = result["mean"].sel(functional="work").values
    assert [float(row["magnet_temperature"]) for row in rows] == [0.5, 0.8]
    assert [float(row["mean:work"]) for row in rows] == means.tolist()
    assert spintherm("show", out, "--json") == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["complete"]
    assert numbers["provenance"]["settings"] == {"seed": 3}
    column = numbers["result"]["columns"].index("mean:work")
    assert [row[column] for row in numbers["result"]["rows"]] == means.tolist()


def test_overrides_and_a_single_point(tmp_path, capsys):
    file = tmp_path / "study.toml"
    file.write_text(STUDY, "utf-8")
    out = tmp_path / "run"
    words = ["compute.steps=5", "--set", "magnet.damping=0.3", "--quiet"]
    assert spintherm("run", file, *words, "--out", out) == 0
    with xr.open_dataset(out / "result.nc") as result:
        assert int(result.steps) == 5
        assert "damping = 0.3" in result.attrs["study"]
    capsys.readouterr()
    assert spintherm("show", out, "--figure", tmp_path / "figure.png") == 0
    assert "mean:entropy_production" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(file, tmp_path, capsys):
    assert spintherm("run", file, "--out", tmp_path / "run", "--dry-run") == 0
    assert "2 points" in capsys.readouterr().out
    assert {one.name for one in tmp_path.iterdir()} == {"study.toml"}


def test_what_is_refused(file, tmp_path, capsys):
    out = tmp_path / "run"
    assert "out: missing" in refused(capsys, "run", file)
    assert "magnet.dampin" in refused(capsys, "run", file, "magnet.dampin=3", "--out", out)
    assert "compute.steps" in refused(capsys, "run", file, "compute.steps=-1", "--out", out)
    assert "holds no run" in refused(capsys, "run", "--resume", out)
    assert "shard" in refused(capsys, "run", file, "--out", out, "--shard", "5/4")
    assert "threads=0" in refused(capsys, "run", file, "--out", out, "--threads", 0)
    both = ["--threads", 1, "--processes", 1]
    assert "expected one of them" in refused(capsys, "run", file, "--out", out, *both)
    assert "max_time" in refused(capsys, "run", file, "--out", out, "--max-time", "5 kg")
    assert not out.exists()
    assert "holds no run" in refused(capsys, "show", tmp_path)


def test_interrupted_damaged_and_unfinished_runs(file, tmp_path, capsys):
    out = tmp_path / "run"
    words = ["run", file, "--out", out, "--max-time", "1 ns", "--quiet"]
    said = refused(capsys, *words, code=75)
    assert f"go on with: spintherm run --resume {out}" in said
    assert spintherm("show", out) == 0
    assert "0 of 2 tasks done" in capsys.readouterr().out
    assert "not complete" in refused(capsys, "show", out, "--csv", tmp_path / "a.csv", code=1)
    assert "resume it" in refused(capsys, "run", file, "--out", out)
    study = out / "study.toml"
    study.write_bytes(study.read_bytes() + b"\n")
    assert "damaged or changed" in refused(capsys, "run", "--resume", out)
    assert "damaged or changed" in refused(capsys, "show", out)


def test_a_full_disk_exits_with_74(file, tmp_path, capsys, monkeypatch):
    import errno

    from zarr.storage import _local

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(_local, "_put", full)
        said = refused(capsys, "run", file, "--out", out, "--quiet", code=74)
    assert f"spintherm run --resume {out}" in said
    assert spintherm("run", "--resume", out, "--quiet") == 0


# --- progress -------------------------------------------------------------------------------------


def test_lines_of_a_log(capsys, monkeypatch):
    """A line each interval, with the rate since the first report and the time left."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.reporting(True, "tasks", "tasks") as report:
        report(40, 400)  # known before
        for done in (50, 60, 80):
            now[0] += 20.0
            report(done, 400)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["tasks: 60 of 400 (15 %), 0.5 tasks/s, 11 min left"]


def test_nothing_is_written_where_nobody_asked(capsys, monkeypatch):
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    for asked in (None, False):
        with progress.reporting(asked, "tasks", "tasks") as report:
            report(1, 2)
    assert capsys.readouterr().err == ""
    with progress.reporting(True, "tasks", "tasks") as report:
        report(1, 2)
    assert "1 of 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(3.2, "3 s"), (119.0, "119 s"), (150.0, "2.5 min"), (5400.0, "90 min"), (2e5, "2.3 days")],
)
def test_durations(seconds, words):
    assert progress.duration(seconds) == words
    assert np.isfinite(seconds)
