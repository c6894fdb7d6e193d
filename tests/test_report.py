"""Verdicts can fail, and the page and the table tell."""

import io
import json
import math
from datetime import UTC, datetime

import pytest
from rich.console import Console

from page_reader import assert_closed_and_alone
from spintherm import Anisotropy, Magnet, Polariser, Protocol, Ramp, plot
from spintherm.report import (
    Grid,
    Parameter,
    Picture,
    Section,
    Verdict,
    agrees,
    as_records,
    at_least,
    at_most,
    inlined,
    page,
    parameters_of,
    print_verdicts,
    provenance,
    summary,
)
from spintherm.report.typeset import breakable, typeset
from spintherm.statistics import Estimate

SVG = """<?xml version="1.0" encoding="utf-8" standalone="no"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns:xlink="http://www.w3.org/1999/xlink" width="252pt" height="144pt"
 viewBox="0 0 252 144" xmlns="http://www.w3.org/2000/svg" version="1.1">
 <metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></metadata>
 <defs><style type="text/css">*{stroke-linejoin: round}</style></defs>
 <g id="figure_1"><path id="mark" d="M 0 0 L 1 1"/><use xlink:href="#mark" x="3"/>
 <clipPath id="clip"><rect width="9" height="9"/></clipPath><g clip-path="url(#clip)"/></g>
</svg>"""


MAGNET = Magnet(moment=1.6, gyromagnetic_ratio=2.0, damping=0.5, temperature=0.7)
PROTOCOL = Protocol(1.5, Ramp((0, 0, 1), (0, 0, -1), duration=1.5))


def close(value, error, expected=1.0, **options):
    return agrees("somewhere", "something", Estimate(value, error), expected, **options)


@pytest.mark.parametrize(
    ("value", "error", "bias", "outcome"),
    [
        (1.39, 0.1, None, "pass"),
        (1.41, 0.1, None, "fail"),
        (0.59, 0.1, None, "fail"),
        (1.41, 0.1, Estimate(-0.02, 0.0), "pass"),
        (1.41, 0.1, Estimate(0.0, 0.02), "pass"),
        (1.45, 0.1, Estimate(0.02, 0.02), "fail"),
        (1.0, 0.0, None, "pass"),
        (1.0 + 1e-9, 0.0, None, "fail"),
        (math.nan, 0.1, None, "fail"),
        (math.nan, math.inf, None, "fail"),
        (0.3, math.inf, None, "open"),
    ],
)
def test_an_estimate_passes_within_four_errors_and_the_step_bias(value, error, bias, outcome):
    assert close(value, error, bias=bias).outcome == outcome


def test_limits():
    assert at_most("x", "y", 0.01, 0.01).outcome == "pass"
    assert at_most("x", "y", 0.0101, 0.01).outcome == "fail"
    assert at_least("x", "y", 7, 7).outcome == "pass"
    assert at_least("x", "y", 6, 7).outcome == "fail"
    assert at_least("x", "y", math.nan, 7).outcome == "fail"


def test_deviation_counts_errors():
    assert close(1.3, 0.1).deviation == pytest.approx(3.0)
    assert at_most("x", "y", 5, 1).deviation is None


def test_summary_counts():
    assert summary([close(1, 0.1)] * 3) == "3 of 3 verdicts pass"
    mixed = [close(1, 0.1), close(2, 0.1), close(1, math.inf)]
    assert summary(mixed).startswith("1 of 3 verdicts pass, 1 fail, 1 open")


def test_records_are_valid_json():
    records = as_records([close(1.1, 0.1), close(0.3, math.inf), at_most("x", "y", math.nan, 1)])
    text = json.dumps(records, allow_nan=False)
    assert [record["verdict"] for record in json.loads(text)] == ["pass", "open", "fail"]
    assert records[0]["deviation"] == pytest.approx(1.0)
    assert records[1]["error"] is None


def test_the_table_shows_every_number():
    stream = io.StringIO()
    verdicts = [close(1.25, 0.1), at_least("elsewhere", "count", 3, 7)]
    print_verdicts(verdicts, Console(file=stream, width=100))
    text = stream.getvalue()
    for word in ("somewhere", "1.25 ± 0.10", "+2.50", "pass", "elsewhere", "≥ 7", "fail"):
        assert word in text
    assert text.rstrip().endswith("1 of 2 verdicts pass, 1 fail")


def written(verdicts: list[Verdict], **more) -> str:
    section = Section(
        "A <figure>",
        ("words & more",),
        (Parameter("torque <amplitude>", "P₀", "0.5", "field per moment"),),
        (Picture(SVG, 'what is "seen"', ("a.svg",)), Picture(SVG, "and again")),
        (Grid(("name", "value"), (("x", "1"),), "a grid"),),
        "print('a < b')",
    )
    origin = provenance("spintherm reproduce", datetime(2026, 1, 2, tzinfo=UTC), 61.0, {"seed": 5})
    return page(
        "Title",
        "Introduction",
        parameters=parameters_of(MAGNET, PROTOCOL),
        sections=[section],
        verdicts=verdicts,
        provenance=origin,
        **more,
    )


def test_the_page_holds_everything_and_refers_to_nothing():
    text = written([close(1.0, 0.1)], code="reproduce()")
    for word in (
        "A &lt;figure&gt;",
        "words &amp; more",
        "torque &lt;amplitude&gt;",
        "print(&#x27;a &lt; b&#x27;)",
        "reproduce()",
        "1 of 1 verdicts pass",
        "1 min 1 s",
        "numpy",
        "a grid",
        "[a.svg]",
        "rate per energy",
        "Ramp(",
    ):
        assert word in text
    assert 'class="banner pass"' in text
    reader = assert_closed_and_alone(text)
    drawings = reader.all("svg")
    assert [one["aria-label"] for one in drawings] == ['what is "seen"', "and again"]
    assert len(reader.all("figure")) == len(reader.all("figcaption")) == 2
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


def test_symbols_get_their_subscripts_and_names_keep_their_underscores():
    assert typeset("S_P < k_B") == "S<sub>P</sub> &lt; k<sub>B</sub>"
    assert typeset("p_F(Σ), P_τ/2 and H_τ") == (
        "p<sub>F</sub>(Σ), P<sub>τ/2</sub> and H<sub>τ</sub>"
    )
    assert typeset("Var S_P/τ, Ṡ_P²") == "Var S<sub>P</sub>/τ, Ṡ<sub>P</sub>²"
    for name in (
        "work_P",
        "S_Pumped",
        "H_x.nc",
        "step_bias",
        "magnet_temperature",
        "a/p_F/bc",
        "k_B.toml",
    ):
        assert "<sub>" not in typeset(name)


def test_long_names_over_columns_can_be_broken():
    assert breakable("mean:pumped_entropy") == "mean:<wbr>pumped_<wbr>entropy"
    assert breakable("joint slope in S_P") == "joint slope in S<sub>P</sub>"
    assert breakable("a: b") == "a: b"


def test_tables_of_many_columns_are_set_smaller_and_all_can_be_scrolled_by_key():
    wide, small = (
        Section("s", grids=(Grid([str(k) for k in range(size)], [["1"] * size], "<t>"),))
        for size in (7, 6)
    )
    for section, expected in ((wide, 1), (small, 0)):
        text = page("t", sections=[section])
        assert_closed_and_alone(text)
        assert text.count('<table class="many">') == expected
        assert 'class="wide" role="group" tabindex="0" aria-label="&lt;t&gt;"' in text


def test_the_page_leaves_out_what_is_not_given():
    text = page("Only a title")
    assert_closed_and_alone(text)
    for word in ("Parameters", "Verdicts", "Where this comes from", "<nav", "Python"):
        assert word not in text


def test_the_same_arguments_give_the_same_page():
    assert written([close(1.0, 0.1)]) == written([close(1.0, 0.1)])


def test_the_page_shows_failures_first():
    text = written([close(1.0, 0.1), agrees("there", "wrong one", Estimate(9.0, 0.1), 1.0)])
    assert 'class="banner fail"' in text
    assert text.index("wrong one") < text.index("A &lt;figure&gt;")


def test_names_in_drawings_get_the_prefix_of_their_drawing():
    text = inlined(SVG, "one", "label")
    assert 'id="one-0"' in text
    assert 'href="#one-0"' in text
    assert 'id="one-1"' in text
    assert "url(#one-1)" in text
    assert text.count("id=") == 2  # figure_1 is not referred to
    assert "stroke-linejoin: round" in text
    assert "<style" not in text
    assert "xmlns" not in text
    assert "max-width:328pt" in text


@pytest.mark.parametrize(
    ("inside", "problem"),
    [
        ("<script>alert(1)</script>", "script"),
        ("<foreignObject/>", "foreignObject"),
        ('<path onclick="alert(1)"/>', "onclick"),
        ('<image href="https://example.org/a.png"/>', "example.org"),
        ('<image href="data:image/svg+xml,abc"/>', "nothing outside"),
        ('<rect fill="url(https://example.org/a.svg#b)"/>', "example.org"),
        ("<style>@import 'a.css';</style>", "style sheet"),
        ("<style>*{fill: url(https://example.org/a)}</style>", "example.org"),
        ("<g>", "mismatched tag"),
    ],
)
def test_drawings_that_reach_outside_are_refused(inside, problem):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">{inside}</svg>'
    with pytest.raises(ValueError, match=problem):
        inlined(svg, "x", "y")


def test_what_is_no_drawing_is_refused():
    for text in ("", "<html/>", '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>', "<svg/>"):
        with pytest.raises(ValueError, match="svg="):
            inlined(text, "x", "y")


def test_figures_of_matplotlib_stand_beside_each_other_on_a_page():
    sections = []
    for place in range(2):
        axes = plot.precession(MAGNET, (0, 0, 1), (0, 0, 0.2 * place))
        axes.imshow([[0, 1], [1, 0]], rasterized=True)
        drawing = plot.svg(axes)
        assert drawing == plot.svg(axes)
        sections.append(Section(f"{place}", pictures=(Picture(drawing, f"sphere {place}"),)))
    reader = assert_closed_and_alone(page("Two", sections=sections))
    assert len(reader.all("svg")) == len(reader.all("image")) == 2
    assert len(reader.all("use")) > 5  # glyphs


def test_parameters_have_units_and_name_what_is_not_uniform():
    magnet = Magnet(
        1.5, 2.0, 0.25, 3.0, Anisotropy.uniaxial(0.7), (Polariser((0, 0, 1), field_like=0.1),)
    )
    shown = {one.name: one for one in parameters_of(magnet, field=(0, 0, 2), spin_torque=(0, 1, 0))}
    assert shown["damping"].symbol == "η"
    assert (shown["temperature"].value, shown["temperature"].unit) == ("3", "energy")
    assert shown["field"].value == "(0, 0, 2)"
    assert shown["anisotropy energy"].value == "0.7 n_x² + 0.7 n_y²"
    assert "0.1" in shown["polariser"].value


def test_provenance_names_versions_and_machine():
    names = dict(provenance("c", datetime.now(UTC), 1.0, {"seed": 5}).rows())
    assert names["seed"] == "5"
    assert names["processor"]
    assert "spintherm" in names["versions"]
