"""The style: widths of columns, SVG that never changes, colours that everybody can tell apart."""

import re
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import invented_results
from spintherm import plot
from spintherm.plot import switching
from spintherm.plot.style import COLOURS, PHASES

EYES = {
    # Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 1291 (2009), severity 1:
    # what a colour looks like to somebody without one kind of cone, in linear RGB.
    "everybody": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(  # IEC 61966-2-1
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(colour: str, eyes: str) -> np.ndarray:
    """CIE L*a*b* of a colour of sRGB as it is seen, white of daylight D65."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = XYZ @ np.clip(np.array(EYES[eyes]) @ linear, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def closest(colours, eyes: str) -> float:
    """Smallest distance ΔE*ab between two of the colours; about 2.3 is just noticeable."""
    pairs = combinations([lab(one, eyes) for one in colours], 2)
    return min(float(np.linalg.norm(one - other)) for one, other in pairs)


@pytest.mark.parametrize("eyes", EYES)
def test_lines_are_told_apart_by_everybody(eyes):
    assert closest(COLOURS.values(), eyes) > 15.0


@pytest.mark.parametrize("eyes", EYES)
def test_shades_of_phases_and_states_are_told_apart_by_everybody(eyes):
    assert closest(PHASES.values(), eyes) > 5.0
    assert closest([shade for _, shade in switching._STATES.values()], eyes) > 10.0


def test_the_test_of_colours_can_fail():
    """Red and green of equal lightness are far apart for most, and near for deuteranopes."""
    pair = ("#c0504d", "#7f8c2b")
    assert closest(pair, "everybody") > 60
    assert closest(pair, "deuteranopia") < 20
    assert lab("white", "everybody") == pytest.approx([100, 0, 0], abs=0.02)
    assert lab("red", "everybody") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


def test_figures_are_as_wide_as_columns():
    assert tuple(plot.figure().get_size_inches()) == (3.375, 0.75 * 3.375)
    assert tuple(plot.figure(2, 1.5).get_size_inches()) == (7.0, 1.5)
    assert plot.figure()._repr_svg_().count("<svg") == 1
    for words, problem in (((3,), "columns=3"), ((1, -1.0), "height=-1")):
        with pytest.raises(ValueError, match=problem):
            plot.figure(*words)


def test_svg_is_transparent_short_and_always_the_same():
    steady = invented_results.steady()
    axes = plot.rates(steady)
    text = plot.svg(axes)
    for same in (np.array([axes]), axes.figure, plot.rates(steady)):
        assert plot.svg(same) == text
    assert "dc:date" not in text
    paths = re.findall(r' d="([^"]*)"', text)
    assert paths
    assert not any(re.search(r"\.\d{3}", path) for path in paths)
    background = re.search(r'id="patch_1">\s*<path[^>]*style="([^"]*)"', text)
    assert background is None or "fill: none" in background[1]
    assert "#ffffff" not in text.partition("axes_1")[0]


def test_what_is_no_drawing_is_refused():
    for wrong in ("x", None, []):
        with pytest.raises(TypeError, match="drawn="):
            plot.svg(wrong)
