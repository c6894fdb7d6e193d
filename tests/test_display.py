"""What notebooks show: pictures that are true, tables that agree, words that cannot break out."""

import math
import re
import struct
import subprocess
import sys
import zlib
from base64 import b64decode
from xml.etree import ElementTree

import numpy as np
import pytest
import xarray as xr

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
    fluctuation,
    simulate,
    simulate_statistics,
    steady_state,
    summary,
)
from spintherm.display import svg
from spintherm.display.magnets import extremum, polynomial
from spintherm.statistics import mean

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
