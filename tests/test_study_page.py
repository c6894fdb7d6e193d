"""The report of a study: parameters, figure, table, verdicts, and lines that give it again."""

import html
import re

import numpy as np
import pytest
import xarray as xr

from page_reader import assert_closed_and_alone
from spintherm.cli import main
from spintherm.configuration import loads
from spintherm.study.executors import Workers
from spintherm.study.page import write_report
from spintherm.study.running import execute, opened_run

STUDY = """
version = 1
title = "Two <temperatures>"
[magnet]
moment = 1.5
gyromagnetic_ratio = 2.0
damping = 0.3
temperature = 0.7
[protocol]
duration = 0.4
field = { kind = "ramp", start = [0, 0, 1], stop = [0, 0.2, 0.8], duration = 0.4 }
spin_torque = [0.1, 0.0, 0.1]
[compute]
quantity = "statistics"
trajectories = 6000
steps = 16
seed = 3
"""
SWEEP = """
[sweep.axes]
"magnet.temperature" = { values = [0.7, 1.4] }
"magnet.damping" = { values = [0.3, 0.6] }
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    opened = opened_run(loads(STUDY + SWEEP), tmp_path_factory.mktemp("study") / "run")
    execute(opened, Workers(1, None, None, None))
    path = write_report(opened.directory, opened.study)
    return path, path.read_text("utf-8")


def cells(text: str, name: str) -> list[str]:
    """Return the cells of the row that begins with a name."""
    row = re.search(rf"<tr><th[^>]*>{re.escape(html.escape(name))}</th>(.*?)</tr>", text)[1]
    return [html.unescape(re.sub("<[^>]*>", "", one)) for one in re.findall(r"<td.*?</td>", row)]


def test_the_page_is_whole_and_alone(swept):
    path, text = swept
    assert path.name == "report.html"
    reader = assert_closed_and_alone(text)
    assert len(reader.all("svg")) == 1
    assert "Two &lt;temperatures&gt;" in text


def test_parameters_sweep_and_result_are_those_of_the_study(swept):
    path, text = swept
    assert cells(text, "damping") == ["η", "0.3", "rate per energy"]
    assert cells(text, "steps") == ["", "16", ""]
    assert cells(text, "magnet.temperature") == ["0.7", "1.4", "2", ""]
    assert cells(text, "tasks")[0] == "4"
    with xr.open_dataset(path.parent / "result.nc", engine="h5netcdf") as result:
        work = result["mean"].sel(functional="work").values.ravel()
    for value in work:
        assert f"<td>{value:.6g}</td>" in text


def test_the_theorem_is_judged_where_trajectories_suffice(swept):
    """Var Σ is about 0.1: of 6000 trajectories more than 2000 lie in the tail that counts."""
    path, text = swept
    with xr.open_dataset(path.parent / "result.nc", engine="h5netcdf") as result:
        average = result["exponential_average"].sel(exponential="exp(-entropy_production)")
        error = result["exponential_average_error"].sel(exponential="exp(-entropy_production)")
    for place in np.ndindex(2, 2):
        name = f"⟨exp(-Σ)⟩, magnet_temperature {place[0]}, magnet_damping {place[1]}"
        ours, expected, deviation, outcome, *_ = cells(text, name)
        assert outcome == "pass"
        value, _, shown_error = ours.split()
        assert float(value) == pytest.approx(average.values[place], abs=6e-5)
        assert float(shown_error) == pytest.approx(error.values[place], rel=0.02)
        assert expected == "1"
        off = (average.values[place] - 1) / error.values[place]
        assert float(deviation) == pytest.approx(off, abs=0.006)


def test_the_lines_of_the_page_give_the_result_again(swept, tmp_path, monkeypatch):
    path, text = swept
    code = next(
        one for one in re.findall(r"<pre><code>(.*?)</code></pre>", text, re.S) if "loads" in one
    )
    monkeypatch.chdir(tmp_path)
    exec(compile(html.unescape(code), "report", "exec"), {})
    assert (tmp_path / "again" / "result.nc").read_bytes() == (
        path.parent / "result.nc"
    ).read_bytes()


def test_a_result_without_histogram_and_sweep_has_its_small_picture(tmp_path):
    moments = STUDY.partition("[compute]")[0] + '[compute]\nquantity = "evolution"\n'
    opened = opened_run(loads(moments), tmp_path / "run")
    execute(opened, Workers(1, None, None, None))
    text = write_report(opened.directory, opened.study).read_text("utf-8")
    reader = assert_closed_and_alone(text)
    (drawing,) = reader.all("svg")
    assert drawing["style"] == "max-width:325px"
    assert "spintherm.summary" in text


def test_run_and_show_write_the_page(tmp_path, capsys):
    study = tmp_path / "study.toml"
    study.write_text(STUDY, "utf-8")
    out = tmp_path / "run"
    words = ["run", str(study), "--out", str(out), "--threads", "1", "--quiet"]
    assert main([*words, "compute.trajectories=1000"]) == 0
    report = out / "report.html"
    assert str(report) in capsys.readouterr().out
    text = report.read_text("utf-8")
    assert_closed_and_alone(text)
    assert "One point" in text
    assert cells(text, "trajectories")[1] == "1000"
    assert cells(text, "⟨exp(-Σ)⟩, the point")[3] == "open"  # too few to judge
    report.unlink()
    assert main(["show", str(out)]) == 0
    assert report.read_text("utf-8") == text
