"""Verdicts can fail, and the page and the table tell."""

import io
import json
import math
from datetime import UTC, datetime

import pytest
from rich.console import Console

from spintherm.report import (
    Grid,
    Picture,
    Section,
    Verdict,
    agrees,
    as_records,
    at_least,
    at_most,
    page,
    print_verdicts,
    provenance,
    summary,
)
from spintherm.statistics import Estimate

PNG = b"\x89PNG\r\n\x1a\n pretended"


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


def written(verdicts: list[Verdict]) -> str:
    section = Section(
        "A <figure>",
        ("words",),
        Picture(PNG, "what is seen", ("a.png",)),
        (Grid(("name", "value"), (("x", "1"),), "a grid"),),
        "print('a < b')",
    )
    origin = provenance("spintherm reproduce", datetime.now(UTC), 61.0, {"seed": 5})
    return page("Title", "Introduction", [section], verdicts, origin)


def test_the_page_holds_everything_and_refers_to_nothing():
    text = written([close(1.0, 0.1)])
    for word in (
        "A &lt;figure&gt;",
        "data:image/png;base64,iVBORw0KGgo",
        "print(&#x27;a &lt; b&#x27;)",
        "1 of 1 verdicts pass",
        "1 min 1 s",
        "numpy",
        "a grid",
    ):
        assert word in text
    assert "http" not in text
    assert 'class="banner pass"' in text


def test_the_page_shows_failures_first():
    text = written([close(1.0, 0.1), agrees("there", "wrong one", Estimate(9.0, 0.1), 1.0)])
    assert 'class="banner fail"' in text
    assert text.index("wrong one") < text.index("A &lt;figure&gt;")


def test_provenance_names_versions_and_machine():
    names = dict(provenance("c", datetime.now(UTC), 1.0, {"seed": 5}).rows())
    assert names["seed"] == "5"
    assert names["processor"]
    assert "spintherm" in names["versions"]
