"""What notebooks show: pictures that are true, tables that agree, words that cannot break out."""

import inspect
import math
import re
import struct
import subprocess
import sys
import zlib
from base64 import b64decode
from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr

import spintherm
from spintherm import (
    Anisotropy,
    Magnet,
    Nanomagnet,
    Polariser,
    Protocol,
    Pulse,
    Ramp,
    Scales,
    TorqueEfficiency,
    Triangle,
    engine,
    fluctuation,
    phase_diagram,
    simulate,
    simulate_statistics,
    steady_state,
    summary,
    theory,
)
from spintherm.configuration import loads, template
from spintherm.configuration.cost import cost_of
from spintherm.display import svg
from spintherm.display.magnets import extremum, polynomial
from spintherm.experiments import Reproduction
from spintherm.fokker_planck import Axis, boundaries_of, rate_function
from spintherm.materials import deepest_well
from spintherm.rare import WeightedEstimate
from spintherm.report import agrees, at_most, provenance
from spintherm.statistics import Estimate, exponential_average, histogram, mean
from test_docs import PUBLIC_ROOMS, public_names

MAGNET = Magnet(moment=1.6, gyromagnetic_ratio=-0.6, damping=0.3, temperature=0.45)
REAL = Magnet(
    moment=1.5,
    gyromagnetic_ratio=2.0,
    damping=0.1,
    temperature=0.7,
    anisotropy=Anisotropy.uniaxial(3.5, (1, 2, 2)),
    polarisers=(Polariser((1, 0, 1), TorqueEfficiency((1.0,), 0.4), field_like=0.2),),
)
PROTOCOL = Protocol(
    2.0, Pulse((0, 0.3, -1), start=0.4, stop=1.1), Ramp((0, 0, 0), (0.5, 0, 0), duration=2.0)
)
LAYER = Nanomagnet(
    saturation_magnetisation="1 MA/m",
    gilbert_damping=0.02,
    temperature="300 K",
    volume="900 nm^3",
    anisotropy="0.2 MJ/m^3",
)
EYE = np.array([math.cos(0.35) * math.cos(0.9), math.cos(0.35) * math.sin(0.9), math.sin(0.35)])


@pytest.fixture(scope="module")
def ensembles():
    protocol = Protocol(
        0.8, Ramp((0, 0, 1), (0, 1, -1), duration=0.8), Triangle((0.3, 0, 0.6), 0.8)
    )
    forward = simulate(MAGNET, protocol, trajectories=4000, steps=20, seed=1)
    backward = simulate(MAGNET, protocol.reversed(), trajectories=4000, steps=20, seed=2)
    return protocol, forward, backward


@pytest.fixture(scope="module")
def state():
    """In equilibrium, where the density is exp(βm·H)."""
    return steady_state(MAGNET, field=(0.3, -0.4, 0.5), spin_torque=(0, 0, 0))


def parsed(html: str) -> ElementTree.Element:
    """Return the elements; well-formed, and nothing in them acts or is fetched."""
    root = ElementTree.fromstring(f"<div>{html}</div>")
    for element in root.iter():
        name = element.tag.rpartition("}")[2]
        assert name not in {"script", "style", "link", "iframe", "foreignObject", "a"}
        for key, value in element.attrib.items():
            assert not key.startswith("on")
            assert "url(" not in value
            if key.endswith(("href", "src")):
                assert value.startswith("data:image/png;base64,")
    return root


def cells(html: str) -> dict[str, str]:
    rows = parsed(html).iter("tr")
    return {"".join(row[0].itertext()): "".join(row[1].itertext()) for row in rows}


def drawn(html: str, name: str) -> list[ElementTree.Element]:
    return [
        one for one in parsed(html).iter() if one.tag == f"{{http://www.w3.org/2000/svg}}{name}"
    ]


def pixels(element: ElementTree.Element) -> np.ndarray:
    """Decode a PNG of our own by hand: one IDAT, filter 0 in every line."""
    data = b64decode(element.get("href").partition(",")[2])
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, place = {}, 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        (check,) = struct.unpack_from(">I", data, place + 8 + length)
        assert check == zlib.crc32(kind + body)
        chunks[kind] = body
        place += 12 + length
    columns, rows = struct.unpack_from(">II", chunks[b"IHDR"])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, -1)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(rows, columns, 4)


def directions(size: int, side: float) -> tuple[np.ndarray, np.ndarray]:
    """Directions of the pixels of a sphere seen from the front or the back, and which are on it.

    The eye is in the first octant: x comes to the lower left, y goes to the right, z upwards.
    """
    eye = side * EYE
    right = np.cross([0, 0, 1], eye) / np.linalg.norm(np.cross([0, 0, 1], eye))
    grid = (np.arange(size) + 0.5) * 2 / size - 1
    x, y = np.meshgrid(grid, -grid)
    inside = x**2 + y**2 < 0.98
    z = np.sqrt(np.where(inside, 1 - x**2 - y**2, 0))
    places = np.stack([x, y, z], axis=-1)
    return places @ np.stack([right, np.cross(eye, right), eye]), inside


def everything(ensembles, state):
    _, forward, backward = ensembles
    yield from (MAGNET, REAL, PROTOCOL, state, LAYER, LAYER.scales)
    yield fluctuation.detailed_theorem(forward, backward)
    yield fluctuation.crooks_work(forward, backward)
    yield fluctuation.joint_theorem(forward, backward)
    yield fluctuation.integral_theorem(forward)
    yield fluctuation.free_energy_difference(forward, backward)
    yield fluctuation.conditional_theorem_work(forward, backward)
    yield summary(forward)
    yield summary(state.to_dataset())


def test_every_card_is_closed_and_alone_and_takes_the_ink_of_the_page(ensembles, state):
    for thing in everything(ensembles, state):
        html = thing._repr_html_()
        parsed(html)
        assert len(html) < 60_000
        assert not re.search(r"black|white|#000|#fff", html)
        assert "object at 0x" not in str(thing)


def test_a_few_lines_for_terminals(ensembles, state):
    for thing in (MAGNET, REAL, PROTOCOL, LAYER, LAYER.scales):
        assert len(str(thing).splitlines()) == 4
        assert max(map(len, str(thing).splitlines())) < 140
    assert len(repr(state).splitlines()) == 3
    assert len(repr(summary(ensembles[1])).splitlines()) == 6
    assert "δ" not in str(MAGNET)
    assert "|m| = 1.6, γ₀ = −0.6, η = 0.3, T = 0.45" in str(MAGNET)
    assert "easiest along ±(0.33333, 0.66667, 0.66667)" in str(REAL)
    assert "3.5 = 5 T" in str(REAL)
    assert "jumps at: 0.4, 1.1" in str(PROTOCOL)


def test_representations_of_words_can_still_be_evaluated():
    names = {
        "Magnet": Magnet,
        "Anisotropy": Anisotropy,
        "Polariser": Polariser,
        "TorqueEfficiency": TorqueEfficiency,
        "Scales": Scales,
    }
    for word in (MAGNET, REAL, LAYER.scales):
        assert eval(repr(word), names) == word


@pytest.mark.parametrize(
    ("energy", "easiest"),
    [
        (Anisotropy.uniaxial(2.0, (1, 2, 2)), [(1, 2, 2)]),
        (Anisotropy.uniaxial(2.0, (3, -1, 1)), [(3, -1, 1)]),
        (Anisotropy.biaxial(1.0, 3.0, (0, 1, 0), (1, 0, 0)), [(0, 1, 0)]),
        (Anisotropy.cubic(1.0), np.eye(3)),
        (Anisotropy.cubic(-1.0), [(1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1)]),
    ],
)
def test_the_easiest_direction_is_found(energy, easiest):
    found = extremum(energy, 1.0)
    axes = np.array(easiest) / np.linalg.norm(easiest, axis=1)[:, None]
    assert np.max(axes @ found) > 1 - 1e-11
    highest = extremum(energy, -1.0)
    n = np.random.default_rng(3).standard_normal((2000, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    assert np.all(energy(n) <= energy(highest) + 1e-9)


def test_the_picture_of_a_magnet_is_darkest_on_its_easy_axis():
    (image,) = drawn(REAL._repr_html_(), "image")
    shades = pixels(image)[..., 3].astype(float)
    n, inside = directions(len(shades), 1.0)
    across = 1 - (n @ np.array([1, 2, 2]) / 3) ** 2
    expected = 235 * (1 - across) ** 4  # the wells, to the fourth power
    assert np.max(np.abs(shades - expected)[inside]) < 1.0
    dots = drawn(REAL._repr_html_(), "circle")[1:]
    places = [(float(dot.get("cx")), float(dot.get("cy"))) for dot in dots]
    axis = np.array([1, 2, 2]) / 3
    right = np.cross([0, 0, 1], EYE) / math.cos(0.35)
    front = 75 + 52 * axis @ right, 75 - 52 * axis @ np.cross(EYE, right)
    assert any(np.allclose(place, front, atol=0.06) for place in places)


def test_the_picture_of_a_state_is_its_density(state):
    """Boltzmann's, exp(βm·H), on both sides; shades are whole numbers up to 235."""
    front, back = (pixels(one)[..., 3].astype(float) for one in drawn(state._repr_html_(), "image"))
    exponent = MAGNET.moment * np.array([0.3, -0.4, 0.5]) / MAGNET.temperature
    n, inside = directions(len(front), 1.0)
    here = np.exp(n @ exponent)
    there = np.exp(directions(len(front), -1.0)[0] @ exponent)
    top = max(np.max(here[inside]), np.max(there[inside]))
    for shades, density in ((front, here), (back, there)):
        # the outermost pixels, which may hold the top, are left out here: hence 3 of 235
        assert np.max(np.abs(shades - 235 * density / top)[inside]) < 3.0


def test_the_picture_of_a_protocol_is_what_it_drives():
    html = PROTOCOL._repr_html_()
    boxes = [
        {k: float(v) for k, v in one.attrib.items() if k in "x y width height"}
        for one in drawn(html, "rect")
    ]
    assert len(boxes) == 2
    lines = [one.get("d") for one in drawn(html, "path") if one.get("stroke-width") == "1.4"]
    assert len(lines) == 6
    for place, waveform in enumerate((PROTOCOL.field, PROTOCOL.spin_torque)):
        box = boxes[place]
        values = [(-1.0, 0.3), (0.0, 0.5)][place]
        for component in range(3):
            points = re.findall(r"[ML]([\d.]+) ([\d.]+)", lines[3 * place + component])
            u, v = np.array(points, dtype=float).T
            t = (u - box["x"]) / box["width"] * PROTOCOL.duration
            y = values[1] - (v - box["y"]) / box["height"] * (values[1] - values[0])
            smooth = np.min(np.abs(t[:, None] - [0.4, 1.1, 0.0, 2.0]), axis=1) > 0.02
            expected = waveform(np.clip(t, 0, 2))[:, component]
            assert np.max(np.abs(y - expected)[smooth]) < 0.015  # half a pixel
    upright = re.findall(r"L([\d.]+) ([\d.]+)L\1 ([\d.]+)", lines[2])
    assert sum(abs(float(a) - float(b)) > 50 for _, a, b in upright) == 2  # both jumps


def test_tables_agree_with_what_they_show(state):
    shown = cells(state._repr_html_())
    assert shown["phase"] == "equilibrium"
    assert shown["field H"] == "(0.3, −0.4, 0.5)"
    shown = cells(MAGNET._repr_html_())
    assert float(shown["Gilbert damping η|m|/|γ₀|"]) == pytest.approx(0.3 * 1.6 / 0.6, rel=1e-4)
    shown = cells(LAYER._repr_html_())
    barrier = 0.2e6 * 900e-27 / (1.380649e-23 * 300)
    assert float(shown["thermal stability Δ = barrier/k_B T"]) == pytest.approx(barrier, rel=1e-4)
    shown = cells(LAYER.scales._repr_html_())
    assert float(shown["energy, work, heat"].split()[0]) == pytest.approx(
        1.380649e-23 * 300, rel=1e-4
    )


def test_polynomials_are_written_as_they_are_read():
    assert polynomial([((2, 0, 0), 0.5), ((0, 1, 1), -2.0)]) == "0.5 n_x² − 2 n_y n_z"
    assert polynomial([]) == "0"


def test_summaries_of_trajectories_are_means_with_errors(ensembles):
    _, forward, _ = ensembles
    shown = {name: value for name, value, _ in summary(forward).rows}
    for name in ("work", "heat", "pumped_entropy", "entropy_production"):
        expected = str(mean(forward[name].values)).replace("-", "−")
        assert shown[f"⟨{name}⟩"] == expected
    assert summary(forward).title == "Results: 4,000 trajectories, 20 steps, splitting, seed 1"
    bias = forward["step_bias"].sel(estimate="work")
    assert shown["step_bias, work"].startswith(f"{float(bias):.5f}"[:6].replace("-", "−"))


def test_the_histogram_of_a_summary_has_area_one(ensembles):
    protocol, forward, _ = ensembles
    for data in (forward, simulate_statistics(MAGNET, protocol, trajectories=3000, seed=1)):
        html = summary(data)._repr_html_()
        (box,) = drawn(html, "rect")
        (line,) = (one.get("d") for one in drawn(html, "path") if one.get("stroke-width") == "1.4")
        u, v = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", line), dtype=float).T
        low, high = (float(one.text.replace("−", "-")) for one in drawn(html, "text")[-3::2])
        top = max(float(one.text) for one in drawn(html, "text")[:2])
        x = low + (u - float(box.get("x"))) / float(box.get("width")) * (high - low)
        y = top * (1 - (v - float(box.get("y"))) / float(box.get("height")))
        assert np.sum(np.diff(x) * 0.5 * (y[1:] + y[:-1])) == pytest.approx(1.0, abs=0.03)


def test_other_datasets_have_summaries_too(state):
    one = summary(state.to_dataset())
    shown = {name: value for name, value, _ in one.rows}
    assert shown["phase"] == "equilibrium"
    assert "⟨" not in "".join(shown)
    data = xr.Dataset(
        {
            "rate": ("time", np.geomspace(1e-9, 1.0, 30), {"units": "1/s"}),
            "table": (("a", "b"), np.arange(12.0).reshape(3, 4)),
            "empty": ("time", np.full(30, np.nan)),
            "level": ("step", [1.0, 2.0]),
            "level_error": ("step", [0.1, 0.0]),
        },
        coords={"time": np.linspace(0, 1, 30), "step": [0.5, 1.5]},
    )
    shown = dict(cells(summary(data)._repr_html_()))
    assert shown["rate"] == "1e−09 … 1 along time"
    assert shown["table"] == "0 … 11 along a, b"
    assert shown["empty"] == "not finite, along time"
    assert shown["level, 0.5"] == "1.00 ± 0.10"
    assert shown["level, 1.5"] == "2"
    assert "level_error, 0.5" not in shown
    with pytest.raises(TypeError, match="expected an xarray"):
        summary([1.0])


def test_words_from_outside_are_escaped():
    data = xr.Dataset({"<script>alert(1)</script>": ((), 1.0, {"units": '"><b>'})})
    data.attrs["scheme"] = "<img src=x onerror=alert(1)>"
    html = summary(data)._repr_html_()
    assert "<script" not in html
    assert "<img" not in html
    assert "<b>" not in html
    parsed(html)


@pytest.mark.parametrize("ground", [(255, 255, 255), (17, 17, 17)])
def test_colours_stand_out_by_day_and_by_night(ground):
    """Contrast of at least 3 to 1 for drawings, WCAG 2.1, 1.4.11."""

    def luminance(colour):
        x = np.array(colour) / 255
        linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for colour in (svg.BLUE, svg.VERMILLION, svg.GREEN, svg.PURPLE):
        pair = sorted(
            (luminance(ground), luminance([int(colour[k : k + 2], 16) for k in (1, 3, 5)]))
        )
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 3.0, colour


def test_showing_a_word_loads_no_engine_and_no_plotting():
    code = (
        "import sys; from spintherm import Magnet, Protocol;"
        "Magnet(1, 1, 0.5, 1)._repr_html_(); Protocol(1, (0, 0, 1))._repr_html_();"
        "assert not {'matplotlib', 'numba', 'xarray', 'scipy.sparse'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


ASKED = {  # words that a question is made of, and parts of a page
    *("spintherm.demagnetisation.Cylinder", "spintherm.demagnetisation.Ellipsoid"),
    *("spintherm.demagnetisation.Prism", "spintherm.energies.Anisotropy"),
    *("spintherm.torques.Polariser", "spintherm.torques.TorqueEfficiency"),
    "spintherm.materials.spin_torque.SpinTorque",
    *("spintherm.waveforms.waveform.Waveform", "spintherm.waveforms.waveform.Constant"),
    *("spintherm.waveforms.waveform.Reversed", "spintherm.waveforms.waveform.Scaled"),
    *("spintherm.waveforms.waveform.Sum", "spintherm.waveforms.shapes.Ramp"),
    *("spintherm.waveforms.shapes.Pulse", "spintherm.waveforms.shapes.Sine"),
    *("spintherm.waveforms.shapes.Triangle", "spintherm.waveforms.given.Samples"),
    *("spintherm.waveforms.given.Function", "spintherm.fokker_planck.plane.Axis"),
    *("spintherm.configuration.axis.Axis", "spintherm.configuration.study.Study"),
    *("spintherm.experiments.processes.Process", "spintherm.experiments.sizes.Size"),
    "spintherm.experiments.sizes.Resolution",
    *("spintherm.report.content.Grid", "spintherm.report.content.Parameter"),
    *("spintherm.report.content.Picture", "spintherm.report.content.Section"),
}
PARTIAL = {  # sums of a part of the samples, which are merged; paths on their way
    *("spintherm.statistics.accumulators.CentralMoments", "spintherm.reference.Paths"),
    *("spintherm.statistics.accumulators.Counts", "spintherm.statistics.accumulators.MomentSet"),
    "spintherm.statistics.accumulators.ExponentialMoments",
}
TABLES = {"Estimate", "WeightedEstimate", "ChiSquared", "Provenance", "Cost", "ReducedParameters"}
"""Results of which a picture would say nothing."""


def public_classes() -> set[type]:
    """Classes of the public rooms, exceptions and solvable systems (problems) left out."""
    rooms = [spintherm, *(import_module(f"spintherm.{room}") for room in PUBLIC_ROOMS)]
    found = {
        value
        for room in rooms
        for name in public_names(room)
        if inspect.isclass(value := getattr(room, name))
    }
    return {
        one
        for one in found
        if one.__module__.startswith("spintherm.")
        and not one.__module__.startswith("spintherm.exact.")
        and not issubclass(one, Exception)
    }


def full_name(one: type) -> str:
    return f"{one.__module__}.{one.__name__}"


@pytest.fixture(scope="module")
def results(ensembles, state):
    """One of every result."""
    _, forward, backward = ensembles
    theorem = fluctuation.detailed_theorem(forward, backward)
    rng = np.random.default_rng(5)
    verdicts = (
        *(agrees("I", "slope", Estimate(1 + 0.1 * z, 0.1), 1.0) for z in rng.standard_normal(40)),
        agrees("I", "a wrong one", Estimate(3.0, 0.1), 1.0),
        at_most("II", "error", 0.01, 0.02),
    )
    driven = steady_state(MAGNET, field=(0.3, -0.4, 1.5), spin_torque=(0.1, 0.0, 0.4))
    diagram = phase_diagram(
        MAGNET, Axis("field", 0.5, 2, 6), Axis("spin_torque", -1, 1, 6), angle=0.0, workers=1
    )
    found = [
        *(MAGNET, REAL, PROTOCOL, state, LAYER, LAYER.scales, theorem, theorem.balance),
        *(theorem.line, theorem.likelihood, theorem.chi_squared, theorem.slope),
        fluctuation.crooks_work(forward, backward),
        fluctuation.joint_theorem(forward, backward),
        fluctuation.integral_theorem(forward),
        fluctuation.free_energy_difference(forward, backward),
        fluctuation.conditional_theorem_work(forward, backward),
        *(engine.figures_of_merit(driven), engine.Optimum(0.1, 0.4, 1.2, driven)),
        rate_function(MAGNET, (0, 0, 1), (0.1, 0, 0.3), "pumped_entropy", np.linspace(-1, 1, 9)),
        *(boundaries_of(diagram)[0], deepest_well(REAL.anisotropy)),
        histogram(rng.standard_normal(500), np.linspace(-2, 3, 21)),
        exponential_average(rng.standard_normal(500)),
        WeightedEstimate(1.0, 0.1, 300.0),
        *(verdicts[-1], Reproduction(Path("results"), verdicts, 61.0)),
        provenance("spintherm reproduce", datetime(2026, 1, 2, tzinfo=UTC), 61.0, {"seed": 5}),
        cost_of(loads(template())),
        theory.reduced_parameters(MAGNET, (0, 0, 1.0), (0, 0, 0.5)),
        summary(forward),
    ]
    return {type(one): one for one in found}


def test_every_public_class_is_a_result_with_a_card_or_known_to_be_none():
    names = {full_name(one): one for one in public_classes()}
    assert names.keys() >= ASKED | PARTIAL, sorted((ASKED | PARTIAL) - names.keys())
    without = {name for name, one in names.items() if not hasattr(one, "_repr_html_")}
    assert without == ASKED | PARTIAL, sorted(without ^ (ASKED | PARTIAL))


def test_every_result_shows_a_picture_and_a_table(results):
    expected = {one for one in public_classes() if hasattr(one, "_repr_html_")}
    assert not {full_name(one) for one in expected - results.keys()}
    for kind, one in results.items():
        html = one._repr_html_()
        parsed(html)
        assert len(html) < 60_000
        assert not re.search(r"black|white|#000|#fff", html)
        assert not re.search(r"\bnan\b|object at 0x", html), kind
        assert bool(drawn(html, "svg")) == (kind.__name__ not in TABLES), kind
        assert len(list(parsed(html).iter("tr"))) >= 1


def ends(html: str) -> list[float]:
    """Numbers at the ends of the axes."""
    words = [one.text.replace("−", "-") for one in drawn(html, "text")]
    return [float(one) for one in words if re.fullmatch(r"-?[\d.]+(e-?\d+)?", one)]


def box_of(html: str, place: int = 0) -> dict[str, float]:
    box = drawn(html, "rect")[place]
    return {key: float(box.get(key)) for key in ("x", "y", "width", "height")}


def dots(html: str) -> np.ndarray:
    return np.array([(float(one.get("cx")), float(one.get("cy"))) for one in drawn(html, "circle")])


def of_kind(results, name):
    return next(one for kind, one in results.items() if kind.__name__ == name)


def test_the_ellipses_of_the_joint_theorem_hold_its_covariance(results):
    """(x - x0)ᵀ C⁻¹ (x - x0) is 1 on the inner and 4 on the outer one."""
    theorem = of_kind(results, "JointTheorem")
    html = theorem._repr_html_()
    high, low, left, right = ends(html)
    box = box_of(html)
    lines = [one.get("d") for one in drawn(html, "path") if one.get("stroke-width") == "1.4"]
    centre = np.array([theorem.work.value, theorem.pumped_entropy.value])
    inverse = np.linalg.inv(theorem.covariance[1:, 1:])
    for line, squared in zip(lines, (1.0, 4.0), strict=True):
        u, v = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", line), dtype=float).T
        x = left + (u - box["x"]) / box["width"] * (right - left)
        y = high - (v - box["y"]) / box["height"] * (high - low)
        off = np.stack([x, y], axis=-1) - centre
        found = np.einsum("ni,ij,nj->n", off, inverse, off)
        assert found == pytest.approx(squared, rel=0.06)  # labels have three digits


def test_one_slope_alone_has_a_bar():
    protocol = Protocol(0.8, Ramp((0, 0, 1), (0, 1, -1), duration=0.8))
    forward, backward = (
        simulate(MAGNET, one, trajectories=2000, steps=10, seed=seed)
        for one, seed in ((protocol, 3), (protocol.reversed(), 4))
    )
    theorem = fluctuation.joint_theorem(forward, backward)
    assert theorem.pumped_entropy is None
    html = theorem._repr_html_()
    assert cells(html)["slope in S_P"] == "none, constant"
    assert_bars(html, [theorem.work.value], [theorem.work.error] * 2, 1.0)


def assert_bars(html, values, errors, expected):
    """Dots, bars and the upright line lie where the numbers are, to the digits of the labels."""
    left, right = ends(html)
    box = box_of(html)

    def value(u):
        return left + (u - box["x"]) / box["width"] * (right - left)

    near = 0.006 * (right - left) + 0.005 * max(abs(left), abs(right))
    assert value(dots(html)[:, 0]) == pytest.approx(values, abs=near)
    paths = [one.get("d") for one in drawn(html, "path")]
    (upright,) = (float(one[1:].split()[0]) for one in paths if "V" in one)
    assert value(upright) == pytest.approx(expected, abs=near)
    bars = [re.findall(r"[MH]([\d.]+)", one) for one in paths if "H" in one]
    for bar, middle in zip(bars, values, strict=True):
        low, high = (value(float(u)) for u in bar)
        assert low == pytest.approx(max(middle - errors[0], left), abs=near)
        assert high == pytest.approx(min(middle + errors[1], right), abs=near)


def test_bars_of_averages_and_differences_are_their_errors(results):
    found = of_kind(results, "FreeEnergyDifference")
    both = [found.estimate.error] * 2
    assert_bars(found._repr_html_(), [found.estimate.value], both, found.exact)
    average = of_kind(results, "ExponentialAverage")
    above = max(average.standard_error, average.upper_error)
    errors = [average.standard_error, above]
    assert_bars(average._repr_html_(), [average.value], errors, 1.0)
    endless = replace(average, upper_error=math.inf)
    assert_bars(endless._repr_html_(), [average.value], [average.standard_error, math.inf], 1.0)
    limit = of_kind(results, "Verdict")
    assert_bars(limit._repr_html_(), [0.01], [0.0, 0.0], 0.02)


def test_a_conditional_theorem_shows_both_sides_and_their_difference(results):
    theorem = of_kind(results, "ConditionalTheorem")
    html = theorem._repr_html_()
    bins = theorem.balance
    used = bins.used
    count = int(used.sum())
    u, v = dots(html).T
    boxes = [box_of(html, place) for place in range(2)]
    x = bins.centres[used]
    for part in range(3):
        place = u[part * count : (part + 1) * count]
        expected = boxes[0]["x"] + boxes[0]["width"] * (x - x[0]) / (x[-1] - x[0])
        assert place == pytest.approx(expected, abs=0.1)
    sides = [(bins.log_left, bins.left_error), (bins.log_right, bins.right_error)]
    reach = np.concatenate([s[used] + sign * e[used] for s, e in sides for sign in (-1, 1)])
    top, height = boxes[0]["y"], boxes[0]["height"]
    for part, (side, _) in enumerate(sides):
        expected = top + height * (reach.max() - side[used]) / np.ptp(reach)
        assert v[part * count : (part + 1) * count] == pytest.approx(expected, abs=0.1)
    off, error = bins.difference[used], bins.error[used]
    reach = np.concatenate([off - error, off + error])
    expected = boxes[1]["y"] + boxes[1]["height"] * (reach.max() - off) / np.ptp(reach)
    assert v[2 * count :] == pytest.approx(expected, abs=0.1)


def test_bars_of_an_engine_are_its_entropy_rates(results):
    figures = of_kind(results, "FiguresOfMerit")
    html = figures._repr_html_()
    rates = np.array([figures.power, figures.dissipation - figures.power, figures.dissipation])
    assert rates[:2].sum() == pytest.approx(rates[2])
    boxes = [box_of(html, place) for place in range(1, 4)]
    widths = np.array([box["width"] for box in boxes])
    assert widths / widths.max() == pytest.approx(np.abs(rates) / np.abs(rates).max(), abs=2e-3)
    (origin,) = (
        float(one.get("d")[1:].split()[0]) for one in drawn(html, "path") if "V" in one.get("d")
    )
    for box, rate in zip(boxes, rates, strict=True):
        start = box["x"] if rate > 0 else box["x"] + box["width"]
        assert start == pytest.approx(origin, abs=0.11)


def test_powers_of_ten_are_where_they_belong():
    html = LAYER.scales._repr_html_()
    scales = LAYER.scales
    values = [scales.field, scales.induction, scales.time, scales.power, scales.energy]
    ticks = [float(one.text.replace("−", "-")) for one in drawn(html, "text") if "1e" in one.text]
    lines = [
        float(one.get("d")[1:].split()[0]) for one in drawn(html, "path") if "V" in one.get("d")
    ]
    assert len(ticks) == len(lines) >= 2
    assert min(np.diff(lines)) > 40.0  # so that the words do not touch
    slope = (lines[1] - lines[0]) / np.log10(ticks[1] / ticks[0])
    expected = lines[0] + slope * np.log10(np.array(values) / ticks[0])
    assert dots(html)[:, 0] == pytest.approx(expected, abs=0.15)


def test_a_rate_function_is_drawn_where_it_is_finite(results):
    found = of_kind(results, "RateFunction")
    html = found._repr_html_()
    assert np.isinf(found.rates).any()
    lines = [one.get("d") for one in drawn(html, "path") if one.get("stroke-width") == "1.4"]
    box = box_of(html)
    reached = np.isfinite(found.rates)
    u, v = np.array(re.findall(r"[ML]([\d.]+) ([\d.]+)", lines[0]), dtype=float).T
    a = found.values
    expected = box["x"] + box["width"] * (a[reached] - a.min()) / np.ptp(a)
    assert u == pytest.approx(expected, abs=0.1)
    top = found.rates[reached].max()
    assert v == pytest.approx(box["y"] + box["height"] * (1 - found.rates[reached] / top), abs=0.1)
    assert cells(html)["out of reach"] == str(int((~reached).sum()))


def test_the_deviations_of_a_reproduction_are_sorted(results):
    found = of_kind(results, "Reproduction")
    html = found._repr_html_()
    expected = sorted(one.deviation for one in found.verdicts if one.deviation is not None)
    u, v = dots(html).T
    box = box_of(html)
    scaled = (np.array(expected) - expected[0]) / (expected[-1] - expected[0])
    assert u == pytest.approx(box["x"] + box["width"] * scaled, abs=0.1)
    assert np.all(np.diff(v) < 0)
    shown = cells(html)
    assert (shown["pass"], shown["fail"], shown["failed"]) == ("41", "1", "I: a wrong one")


def test_a_joint_density_is_a_map():
    work, pumped = np.linspace(-3, 3, 31), np.linspace(-2, 4, 41)
    density = np.exp(-((work[:, None] - 0.5) ** 2) - (pumped - 1) ** 2 / 2)
    density *= np.exp(-0.6 * (work[:, None] - 0.5) * (pumped - 1))
    dims = ("work", "pumped_entropy")
    data = xr.Dataset({"density": (dims, density)}, {"work": work, "pumped_entropy": pumped})
    html = summary(data)._repr_html_()
    (image,) = drawn(html, "image")
    shades = pixels(image)[..., 3].astype(float)
    rows, columns = shades.shape
    x, y = np.linspace(-3, 3, columns), np.linspace(4, -2, rows)  # rows from the top
    i = np.argmin(np.abs(x[:, None] - work), axis=1)
    j = np.argmin(np.abs(y[:, None] - pumped), axis=1)
    assert shades == pytest.approx(235 * (density / density.max())[np.ix_(i, j)].T, abs=1.0)
    assert ends(html) == [4.0, -2.0, -3.0, 3.0]


def test_a_map_tells_signs_by_colour_and_leaves_out_what_is_not_finite():
    values = np.array([[1.0, -2.0, np.nan], [0.5, 2.0, -1.0], [0.0, 0.0, 1.0]])
    data = xr.Dataset({"rate": (("a", "b"), values)}, {"a": [0.0, 1.0, 2.0], "b": [1.0, 2.0, 4.0]})
    (image,) = drawn(summary(data)._repr_html_(), "image")
    shades = pixels(image)
    blue, vermillion = (
        tuple(int(one[k : k + 2], 16) for k in (1, 3, 5)) for one in (svg.BLUE, svg.VERMILLION)
    )
    corners = shades[-1, 0], shades[0, 0], shades[0, -1]  # (0, 1), (0, 4), (2, 4)
    assert (tuple(corners[0][:3]), corners[0][3]) == (blue, 118)
    assert corners[1][3] == 0
    assert (tuple(corners[2][:3]), corners[2][3]) == (blue, 118)
    middle = shades[len(shades) // 2 + 8, 0]  # (0, 2)
    assert (tuple(middle[:3]), middle[3]) == (vermillion, 235)


@pytest.mark.parametrize(("torque", "names"), [((0, 0, 0.3), ["H, P"]), ((0, 0.3, 0), ["H", "P"])])
def test_names_of_directions_that_coincide_stand_together(torque, names):
    html = steady_state(MAGNET, field=(0, 0, 1), spin_torque=torque)._repr_html_()
    drawn_names = [one.text for one in drawn(html, "text")]
    assert [name for name in drawn_names if "H" in name or "P" in name] == names
