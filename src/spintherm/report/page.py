"""The page: one HTML file that holds everything, figures too, and refers to nothing outside."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from spintherm.report.provenance import Provenance
from spintherm.report.table import deviation_text, expected_text, ours_text
from spintherm.report.verdict import Verdict, summary, tally

_STYLE = """
body { font: 16px/1.5 Georgia, "Times New Roman", serif; color: #1a1a1a; background: #fff;
       max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.3rem; margin-top: 3rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
figure { margin: 1rem 0; } figure img { width: 100%; height: auto; }
figcaption { font-size: .92rem; color: #333; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums;
        margin: .5rem 0 1rem; }
th, td { padding: .15rem .8rem .15rem 0; text-align: right; vertical-align: top; }
th { border-bottom: 1px solid #888; font-weight: normal; color: #555; }
th:first-child, td:first-child, td.words { text-align: left; }
pre { font: .82rem/1.45 ui-monospace, Menlo, Consolas, monospace; background: #f6f6f4;
      padding: .8rem; overflow-x: auto; }
summary { cursor: pointer; } .note { color: #666; font-size: .82rem; }
.pass { color: #00704f; } .fail { color: #b3261e; font-weight: bold; } .open { color: #8a6100; }
.banner { border-left: .3rem solid; padding: .4rem .8rem; font-size: 1.1rem; }
.wide { overflow-x: auto; }
"""


@dataclass(frozen=True)
class Picture:
    """A figure: the bytes of a PNG file, a caption, and the names of the files that hold it."""

    png: bytes
    caption: str
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Grid:
    """A table of words: a head, and rows of the same length."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page, shown in the order of the fields."""

    title: str
    paragraphs: Sequence[str] = ()
    picture: Picture | None = None
    grids: Sequence[Grid] = ()
    code: str = ""


def page(
    title: str,
    introduction: str,
    sections: Iterable[Section],
    verdicts: Sequence[Verdict],
    origin: Provenance,
) -> str:
    """Write the page.

    Parameters
    ----------
    title, introduction : str
        What it is.
    sections : iterable of Section
        Figures and tables.
    verdicts : sequence of Verdict
        All of them; those that do not pass are repeated at the top.
    origin : Provenance
        Where the numbers come from.

    Returns
    -------
    str
        HTML.
    """
    counts = tally(verdicts)
    tone = "fail" if counts["fail"] else "pass"
    doubtful = [verdict for verdict in verdicts if verdict.outcome != "pass"]
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(introduction)}</p>",
        f'<p class="banner {tone}">{escape(summary(verdicts))}</p>',
        *((_verdict_table(doubtful, named=True),) if doubtful else ()),
        *map(_section, sections),
        "<h2>Verdicts</h2>",
        "<p>An estimate passes within 4 standard errors, plus the measured bias due to the finite "
        "step and its error where there is one. The deviation is in standard errors.</p>",
        *_verdicts(verdicts),
        "<h2>Where this comes from</h2>",
        _grid(Grid(("", ""), origin.rows()), words=True),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _section(section: Section) -> str:
    parts = [f"<h2>{escape(section.title)}</h2>"]
    parts += [f"<p>{escape(text)}</p>" for text in section.paragraphs]
    if section.picture is not None:
        parts.append(_picture(section.picture))
    parts += map(_grid, section.grids)
    if section.code:
        parts.append(
            "<details><summary>The lines of Python that reproduce it</summary>"
            f"<pre>{escape(section.code)}</pre></details>"
        )
    return "\n".join(parts)


def _picture(picture: Picture) -> str:
    data = b64encode(picture.png).decode("ascii")
    files = f' <span class="note">[{escape(", ".join(picture.files))}]</span>'
    return (
        f'<figure><img alt="{escape(picture.caption)}" src="data:image/png;base64,{data}">'
        f"<figcaption>{escape(picture.caption)}{files if picture.files else ''}</figcaption>"
        "</figure>"
    )


def _grid(grid: Grid, *, words: bool = False) -> str:
    style = ' class="words"' if words else ""
    head = "".join(f"<th>{escape(word)}</th>" for word in grid.head)
    rows = "".join(
        "<tr>" + "".join(f"<td{style}>{escape(word)}</td>" for word in row) + "</tr>"
        for row in grid.rows
    )
    title = f"<h3>{escape(grid.title)}</h3>" if grid.title else ""
    heading = f"<tr>{head}</tr>" if any(grid.head) else ""
    return f'{title}<div class="wide"><table>{heading}{rows}</table></div>'


def _verdicts(verdicts: Sequence[Verdict]) -> list[str]:
    parts = []
    for experiment, group in groupby(verdicts, key=lambda verdict: verdict.experiment):
        items = list(group)
        line = f"{escape(experiment)}: {escape(summary(items))}"
        parts.append(
            f"<details open><summary>{line}</summary>{_verdict_table(items, named=False)}</details>"
        )
    return parts


def _verdict_table(verdicts: Sequence[Verdict], *, named: bool) -> str:
    names = ["experiment"] if named else []
    names += ["quantity", "ours ± error", "expected", "deviation", "verdict", "criterion"]
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    rows = "".join(_verdict_row(verdict, named=named) for verdict in verdicts)
    return f'<div class="wide"><table><tr>{head}</tr>{rows}</table></div>'


def _verdict_row(verdict: Verdict, *, named: bool) -> str:
    cells = [verdict.experiment] if named else []
    cells += [
        verdict.quantity,
        ours_text(verdict),
        expected_text(verdict),
        deviation_text(verdict),
    ]
    row = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    note = f' <span class="note">{escape(verdict.note)}</span>' if verdict.note else ""
    return (
        f'<tr>{row}<td class="{verdict.outcome}">{verdict.outcome}</td>'
        f'<td class="words"><span class="note">{escape(verdict.criterion)}</span>{note}</td></tr>'
    )
