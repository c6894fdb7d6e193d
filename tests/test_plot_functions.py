"""Every plotting function: axes are a keyword and come back; without them a journal's column."""

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

import invented_results
from invented_results import MAGNET
from spintherm import plot, steady_state

HELPERS = {"axes_or_new", "columns_of_legend", "several", "shade_phases", "mark_special_points"}
NO_DRAWINGS = {"figure", "saved", "svg", "style"}
FUNCTIONS = sorted({name for name in plot.__all__ if callable(getattr(plot, name))} - NO_DRAWINGS)
SMALLEST = 7.0  # points: what journals ask for


@pytest.fixture(scope="module")
def drawings() -> dict[str, tuple[tuple, int]]:
    """Arguments of every plotting function, and how many axes it needs."""
    two, steady = invented_results.processes(), invented_results.steady()
    engine, diagram = invented_results.ideal_engine(), invented_results.phase_diagram()
    one, writes = invented_results.densities(), invented_results.writes()
    both = {"forward": one, "backward": one}
    state = steady_state(MAGNET, (0, 0.5, 1), (0.2, 0, 0.3))
    return {
        "entropy_histograms": ((two,), 1),
        "detailed_ratios": ((two,), 1),
        "work_ratios": ((two,), 1),
        "fitted_slopes": ((two,), 1),
        "crooks_distances": ((two,), 1),
        "entropy_production_figure": ((invented_results.with_panel_c(two),), 4),
        "crooks_figure": ((two,), 2),
        "beyond_figure": ((two,), 3),
        "rates": ((steady,), 1),
        "rate_deviations": ((steady,), 1),
        "steady_state_figure": ((steady,), 9),
        "precession": ((MAGNET, (0, 0, 1), (0, 0, 0.3), "title"), 1),
        "power": ((engine,), 1),
        "dissipation": ((engine,), 1),
        "long_time_noise": ((engine,), 1),
        "short_time_noise": ((engine,), 1),
        "uncertainty_against_field": ((engine,), 1),
        "uncertainty_against_alpha": ((engine,), 1),
        "uncertainty_map": ((engine,), 1),
        "ideal_engine_figure": ((engine,), 4),
        "uncertainty_figure": ((engine,), 3),
        "phases": ((diagram,), 1),
        "boundaries": ((diagram,), 1),
        "simulated_phases": ((diagram,), 1),
        "rates_along_cut": ((diagram, 0.5), 1),
        "phase_diagram_figure": ((diagram,), 1),
        "tilted_phases_figure": ((diagram,), 2),
        "sphere": ((state, (1, 1, 1)), 1),
        "steady_figure": ((state,), 4),
        "densities": ((both, "entropy_production"), 1),
        "distribution_figure": ((both, "entropy_production"), 2),
        "rare_density": ((one, one, one), 1),
        "curves": ((writes["write_error_rate"], "pulse_length"), 1),
        "write_errors": ((writes,), 1),
        "states": ((invented_results.states(),), 1),
        "dwell_times": ((invented_results.dwell_times(),), 1),
        "loops": ((invented_results.loops(),), 1),
        "cost_of_write": ((writes.isel(current=0), 1.0), 1),
    }


@pytest.fixture(scope="module")
def alone(drawings) -> Callable[[str], np.ndarray]:
    """Axes of a plotting function that made its own figure; each is drawn once."""

    @cache
    def drawn(name: str) -> np.ndarray:
        found = getattr(plot, name)(*drawings[name][0])
        assert isinstance(found, Axes if drawings[name][1] == 1 else np.ndarray)
        return np.ravel(np.asarray(found, dtype=object))

    return drawn


def test_every_plotting_function_of_the_package_is_public():
    found = set()
    for path in Path(plot.__file__).parent.glob("*.py"):
        module = importlib.import_module(f"spintherm.plot.{path.stem}")
        found |= {
            name
            for name, one in vars(module).items()
            if inspect.isfunction(one)
            and one.__module__ == module.__name__
            and not name.startswith("_")
            and "axes" in inspect.signature(one).parameters
        }
    assert found - HELPERS == set(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_plotting_function_takes_and_returns_axes(name, drawings, alone):
    draw, (arguments, count) = getattr(plot, name), drawings[name]
    option = inspect.signature(draw).parameters["axes"]
    assert option.kind is inspect.Parameter.KEYWORD_ONLY
    assert option.default is None

    ours = alone(name)
    assert len(ours) == count
    assert all(isinstance(one, Axes) for one in ours)
    whole = ours[0].figure
    assert whole.get_size_inches()[0] in (plot.ONE_COLUMN, plot.TWO_COLUMNS)
    sizes = [text.get_fontsize() for text in whole.findobj(Text) if text.get_text().strip()]
    assert min(sizes, default=SMALLEST) >= SMALLEST

    given = plot.figure(2, 4.0).subplots(1, count, squeeze=False)[0]
    empty = [len(one.get_children()) for one in given]
    theirs = draw(*arguments, axes=given[0] if count == 1 else list(given))
    assert all(a is b for a, b in zip(np.ravel(np.asarray(theirs)), given, strict=True))
    for one, before in zip(given, empty, strict=True):
        assert len(one.get_children()) > before


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_no_axes_is_refused(name, drawings):
    draw, (arguments, count) = getattr(plot, name), drawings[name]
    with pytest.raises((TypeError, ValueError), match=r"axes=.*: expected"):
        draw(*arguments, axes=plot.figure())
    if count > 1:
        with pytest.raises(ValueError, match=f"expected {count} matplotlib axes"):
            draw(*arguments, axes=list(plot.figure().subplots(1, count + 1)))


def test_the_style_is_used_only_without_axes():
    steady = invented_results.steady()
    ours = plot.rates(steady)
    assert ours.yaxis.label.get_fontfamily() == ["STIXGeneral"]
    theirs = plot.rates(steady, axes=Figure().subplots())
    assert theirs.yaxis.label.get_fontfamily() != ["STIXGeneral"]


LEADING = 4.0
"""Pixels, 3 points: boxes of texts hold room above and below the letters."""
BARE = {"sphere", "precession"}
"""Pictures without axes."""


def said(axes: Axes, which: str) -> str:
    """What an axis is: its label, or the names of its ticks."""
    one = getattr(axes, f"{which}axis")
    names = [tick.get_text() for tick in one.get_ticklabels()]
    return one.get_label_text() or "".join(name for name in names if re.search("[a-z]", name))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_panel_alone_says_what_is_drawn(name, alone):
    ours = alone(name)
    whole = ours[0].figure
    texts = [one.get_text() for one in whole.findobj(Text)]
    assert not [text for text in texts if "_" in re.sub(r"\$[^$]*\$", "", text)]
    if len(ours) > 1 or name in BARE:
        return
    assert ours[0].axison
    whole.draw_without_rendering()
    assert all(said(ours[0], which) for which in "xy")
    handles, labels = ours[0].get_legend_handles_labels()
    assert len(labels) == len(set(labels)) == len(handles)
    if len(labels) > 1:
        legend = ours[0].get_legend() or whole.legends[0]
        assert {one.get_text() for one in legend.get_texts()} >= set(labels)


def words(axes: Axes) -> Iterator[Text]:
    """The texts that are seen: labels of ticks within the limits, names, titles, legends."""
    for axis in (axes.xaxis, axes.yaxis) if axes.axison else ():
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        yield from (one.label1 for one in ticks if low <= one.get_loc() <= high)
        yield axis.label
    yield from (one for one in axes.get_children() if isinstance(one, Text))
    if axes.get_legend() is not None:
        yield from axes.get_legend().get_texts()
    for inset in axes.child_axes:
        yield from words(inset)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_words_of_a_drawing_overlap_or_leave_the_page(name, alone):
    whole = alone(name)[0].figure
    whole.draw_without_rendering()
    texts = [text for axes in whole.axes for text in words(axes)]
    texts += [text for legend in whole.legends for text in legend.get_texts()]
    boxes = [
        (one.get_text(), one.get_window_extent())
        for one in texts
        if one.get_text().strip() and one.get_visible()
    ]
    for text, box in boxes:
        assert min(box.x0, box.y0) > -1, text
        assert box.x1 < whole.bbox.x1 + 1, text
        assert box.y1 < whole.bbox.y1 + 1, text
    for (first, a), (second, b) in combinations(boxes, 2):
        wide, tall = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(wide, tall) < LEADING, (first, second)
