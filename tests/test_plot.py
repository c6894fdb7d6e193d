"""Figures: what is drawn is what the dataset says, and nothing global is touched."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr

import invented_results
from invented_results import DELTA, MAGNET
from spintherm import Magnet, plot
from spintherm.plot.rates import phase_intervals


@pytest.fixture
def processes() -> xr.Dataset:
    return invented_results.processes()


@pytest.fixture
def steady() -> xr.Dataset:
    return invented_results.steady()


def test_histograms_are_those_of_the_dataset(processes):
    drawn = plot.entropy_histograms(processes)
    data = [patch.get_data().values for patch in drawn.patches]
    for place in range(2):
        for direction in ("forward", "backward"):
            density = processes["density"].isel(process=place).sel(direction=direction)
            assert any(np.array_equal(values, density) for values in data)


@pytest.mark.parametrize(
    ("draw", "kind"), [(plot.detailed_ratios, "detailed"), (plot.work_ratios, "crooks")]
)
def test_ratios_are_drawn_with_their_errors_beside_the_identity(processes, draw, kind):
    drawn = draw(processes)
    assert drawn.lines[0].get_slope() == 1.0
    assert drawn.lines[0].get_xy1() == (0.0, 0.0)
    assert len(drawn.containers) == 2
    for place, container in enumerate(drawn.containers):
        x, y = container.lines[0].get_data()
        one = processes.isel(process=place)
        np.testing.assert_array_equal(x, one[f"{kind}_abscissa"])
        np.testing.assert_array_equal(y, one[f"{kind}_log_ratio"])
        assert container.has_yerr
    markers = [container.lines[0].get_marker() for container in drawn.containers]
    assert markers == ["o", "^"]


def test_slopes_have_error_bars(processes):
    drawn = plot.fitted_slopes(processes, "crooks")
    (bar,) = drawn.containers[1].lines[2]
    np.testing.assert_allclose(bar.get_segments()[0][:, 1], [1.28, 1.32])


def test_distances_are_bars_with_the_threshold(processes):
    drawn = plot.crooks_distances(processes, threshold=10.0)
    assert [bar.get_width() for bar in drawn.patches] == [12.0, 5.0]
    assert any(list(line.get_xdata()) == [10.0, 10.0] for line in drawn.lines)


def test_rates_show_curves_and_points(steady):
    drawn = plot.rates(steady)
    curves = [line.get_ydata() for line in drawn.lines]
    points = [container.lines[0].get_ydata() for container in drawn.containers]
    for place in range(3):
        assert any(np.array_equal(curve, steady["curve"][place]) for curve in curves)
        assert any(np.array_equal(values, steady["simulated"][place]) for values in points)


def test_deviations_are_in_errors(steady):
    drawn = plot.rate_deviations(steady)
    values = [line.get_ydata() for line in drawn.lines if len(line.get_ydata()) == 3]
    np.testing.assert_allclose(values, 2.0)


def test_phases_are_cut_at_the_special_points(steady):
    intervals = phase_intervals(steady)
    assert [phase for *_, phase in intervals] == ["dud", "heat pump", "refrigerator", "dud"]
    inner = [low for low, *_ in intervals[1:]]
    np.testing.assert_allclose(inner, [-DELTA, 0.0, 1.0 / DELTA])


def arrow_directions(drawn):
    """Return x components of the arrows that lie on the front of the orbit."""
    moves = []
    for note in drawn.texts:
        if getattr(note, "arrow_patch", None) is None or note.xyann == (0.0, 0.0):
            continue
        (x, y), (x0, y0) = note.xy, note.xyann
        if abs(x - x0) > 1e-6 and abs(x) < 1.0:
            moves.append((x - x0, y, y0))
    return moves


@pytest.mark.parametrize(
    ("alpha", "turn", "hemisphere"),
    [(-1.2, 1, -1), (-0.4, 1, 1), (0.0, 1, 1), (0.6, 1, 1), (1.9, -1, 1)],
)
def test_precession_turns_about_the_field_and_relaxes_to_the_effective_one(alpha, turn, hemisphere):
    """dφ/dt = γ₀(1 - αδ)H, counterclockwise from above: in front the moment moves to the right."""
    torque = (0.0, 0.0, alpha / MAGNET.moment)
    drawn = plot.precession(MAGNET, (0.0, 0.0, 1.0), torque)
    moves = arrow_directions(drawn)
    assert len(moves) == 2
    assert all(np.sign(dx) == turn for dx, *_ in moves)
    assert all(np.sign(y) == hemisphere for _, y, _ in moves)


@pytest.mark.parametrize("alpha", [1.0 / DELTA, -DELTA])
def test_no_sense_where_nothing_turns_or_relaxes(alpha):
    magnet = Magnet(1.6, 1.0, 0.5, 1.0)
    torque = (0.0, 0.0, alpha / magnet.moment)
    drawn = plot.precession(magnet, (0.0, 0.0, 1.0), torque)
    assert arrow_directions(drawn) == []


def test_figures_become_files(processes, steady, tmp_path):
    for name, axes in (
        ("crooks", plot.crooks_figure(processes)),
        ("steady", plot.steady_state_figure(steady)),
    ):
        svg = plot.saved(axes, tmp_path / name)
        assert svg == (tmp_path / f"{name}.svg").read_text("utf-8")
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / f"{name}.pdf").read_bytes().startswith(b"%PDF")
        assert axes[0].figure.get_size_inches()[0] == plot.TWO_COLUMNS


def test_the_style_leaves_the_settings_as_they_were():
    before = mpl.rcParams["font.family"], mpl.rcParams["axes.linewidth"]
    with plot.style():
        assert mpl.rcParams["font.family"] == ["STIXGeneral"]
    assert (mpl.rcParams["font.family"], mpl.rcParams["axes.linewidth"]) == before


def test_pyplot_is_never_imported():
    code = (
        "import sys, spintherm.plot, spintherm.experiments, spintherm.report;"
        "from spintherm import plot, Magnet;"
        "plot.precession(Magnet(1, 1, 0.5, 1), (0, 0, 1), (0, 0, 0.1));"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
