"""The page: one HTML file that holds everything, figures too, and refers to nothing outside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from spintherm.report.content import Grid, Parameter, Picture, Section
from spintherm.report.inline import inlined
from spintherm.report.provenance import Provenance
from spintherm.report.sheet import STYLE
from spintherm.report.table import deviation_text, expected_text, ours_text
from spintherm.report.typeset import breakable, typeset
from spintherm.report.verdict import Verdict, summary, tally

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""Browsers enforce what the page promises: nothing is fetched, nothing runs."""
_MANY = 7
"""Columns from which a table is set smaller, so that it fits on paper."""


def page(
    title: str,
    introduction: str = "",
    *,
    parameters: Sequence[Parameter] = (),
    sections: Iterable[Section] = (),
    verdicts: Sequence[Verdict] = (),
    provenance: Provenance | None = None,
    code: str = "",
) -> str:
    """Write a report: one HTML file, readable on screens by day and by night and on paper.

    It fetches nothing and runs nothing, and the same arguments give the same text. What is not
    given is left out, with its heading.

    Parameters
    ----------
    title, introduction : str
        What it is. All texts are plain; they are escaped.
    parameters : sequence of Parameter
        What holds everywhere, with units; see `parameters_of`.
    sections : iterable of Section
        Figures, tables and the lines of Python that reproduce them.
    verdicts : sequence of Verdict
        All of them, those of one experiment together; those that do not pass are repeated at the
        top.
    provenance : Provenance, optional
        Where the numbers come from.
    code : str
        The lines of Python that reproduce everything.

    Returns
    -------
    str
        HTML, to be written as UTF-8.

    Raises
    ------
    ValueError
        If a picture is no SVG, or holds a script, a style sheet or an address.
    """
    parts = [
        *([("Parameters", _parameters(parameters))] if parameters else []),
        *((part.title, _section(part, place)) for place, part in enumerate(sections, 1)),
        *([("The lines of Python that reproduce it", _code(code))] if code else []),
        *([("Verdicts", _all_verdicts(verdicts))] if verdicts else []),
        *([("Where this comes from", _origin(provenance))] if provenance is not None else []),
    ]
    named = [(f"part-{place}", *part) for place, part in enumerate(parts, 1)]
    body = [
        f"<header><h1>{escape(title)}</h1>",
        f"<p>{typeset(introduction)}</p>" if introduction else "",
        _banner(verdicts) if verdicts else "",
        "</header>",
        _contents([(name, head) for name, head, _ in named]),
        "<main>",
        *(
            f'<section id="{name}"><h2>{typeset(head)}</h2>\n{text}\n</section>'
            for name, head, text in named
        ),
        "</main>",
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>\n"
        + "\n".join(filter(None, body))
        + "\n</body></html>\n"
    )


def _banner(verdicts: Sequence[Verdict]) -> str:
    tone = "fail" if tally(verdicts)["fail"] else "pass"
    doubtful = [verdict for verdict in verdicts if verdict.outcome != "pass"]
    table = _verdict_table(doubtful, named=True) if doubtful else ""
    return f'<p class="banner {tone}">{escape(summary(verdicts))}</p>{table}'


def _contents(heads: Sequence[tuple[str, str]]) -> str:
    if len(heads) < 3:
        return ""
    items = "".join(f'<li><a href="#{name}">{typeset(head)}</a></li>' for name, head in heads)
    return f'<nav aria-label="Contents"><ol>{items}</ol></nav>'


def _section(section: Section, place: int) -> str:
    parts = [f"<p>{typeset(text)}</p>" for text in section.paragraphs]
    if section.parameters:
        parts.append(_parameters(section.parameters))
    parts += [
        _picture(picture, f"figure-{place}-{number}")
        for number, picture in enumerate(section.pictures, 1)
    ]
    parts += map(_grid, section.grids)
    if section.code:
        summary_line = "<summary>The lines of Python that reproduce it</summary>"
        parts.append(f"<details open>{summary_line}{_code(section.code)}</details>")
    return "\n".join(parts)


def _picture(picture: Picture, name: str) -> str:
    files = f' <span class="note">[{escape(", ".join(picture.files))}]</span>'
    drawing = inlined(picture.svg, name, picture.caption)
    return (
        f'<figure id="{name}"><div class="plate">{drawing}</div>'
        f"<figcaption>{typeset(picture.caption)}{files if picture.files else ''}</figcaption>"
        "</figure>"
    )


def _code(text: str) -> str:
    return f"<pre><code>{escape(text.strip())}</code></pre>"


def _parameters(parameters: Sequence[Parameter]) -> str:
    rows = [(one.name, one.symbol, one.value, one.unit) for one in parameters]
    return _table(("parameter", "symbol", "value", "unit"), rows, words={1, 2, 3})


def _origin(provenance: Provenance) -> str:
    lines = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td class="words">{escape(value)}</td></tr>'
        for name, value in provenance.rows()
    )
    return _scrolled(f"<table><tbody>{lines}</tbody></table>", "provenance")


def _grid(grid: Grid) -> str:
    return _table(grid.head, grid.rows, grid.title)


def _table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    title: str = "",
    words: Iterable[int] = (),
) -> str:
    """Return a table; columns of `words` begin at the left, and a row's first cell names it."""
    left = dict.fromkeys(words, ' class="words"')
    caption = f"<caption>{typeset(title)}</caption>" if title else ""
    heads = "".join(
        f'<th scope="col"{left.get(place, "")}>{breakable(word)}</th>'
        for place, word in enumerate(head)
    )
    lines = "".join(
        f'<tr><th scope="row">{typeset(row[0])}</th>'
        + "".join(
            f"<td{left.get(place, '')}>{typeset(word)}</td>"
            for place, word in enumerate(row[1:], 1)
        )
        + "</tr>"
        for row in rows
    )
    top = f"<thead><tr>{heads}</tr></thead>" if any(head) else ""
    return _scrolled(f"<table{_many(head)}>{caption}{top}<tbody>{lines}</tbody></table>", title)


def _many(head: Sequence[str]) -> str:
    return ' class="many"' if len(head) >= _MANY else ""


def _scrolled(table: str, name: str) -> str:
    """Return a table that is scrolled where it is wider than the page, also by the keyboard."""
    label = escape(name or "table")
    return f'<div class="wide" role="group" tabindex="0" aria-label="{label}">{table}</div>'


def _all_verdicts(verdicts: Sequence[Verdict]) -> str:
    parts = [
        "<p>An estimate passes within 4 standard errors, plus the measured bias due to the finite "
        "step and its error where there is one. The deviation is in standard errors.</p>"
    ]
    for experiment, group in groupby(verdicts, key=lambda verdict: verdict.experiment):
        items = list(group)
        line = f"{escape(experiment)}: {escape(summary(items))}"
        parts.append(
            f"<details open><summary>{line}</summary>{_verdict_table(items, named=False)}</details>"
        )
    return "\n".join(parts)


def _verdict_table(verdicts: Sequence[Verdict], *, named: bool) -> str:
    names = ["experiment"] if named else []
    names += ["quantity", "ours ± error", "expected", "deviation", "verdict", "criterion"]
    head = "".join(f'<th scope="col"{_of_words(name)}>{escape(name)}</th>' for name in names)
    rows = "".join(_verdict_row(verdict, named=named) for verdict in verdicts)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _scrolled(table, "verdicts")


def _of_words(name: str) -> str:
    return ' class="words"' if name in ("experiment", "quantity", "criterion") else ""


def _verdict_row(verdict: Verdict, *, named: bool) -> str:
    cells = [f'<td class="words">{typeset(verdict.experiment)}</td>'] if named else []
    cells.append(f'<th scope="row" class="words">{typeset(verdict.quantity)}</th>')
    numbers = ours_text(verdict), expected_text(verdict), deviation_text(verdict)
    cells += [f"<td>{escape(number)}</td>" for number in numbers]
    note = f' <span class="note">{typeset(verdict.note)}</span>' if verdict.note else ""
    cells.append(f'<td class="{verdict.outcome}">{verdict.outcome}</td>')
    cells.append(
        f'<td class="words"><span class="note">{escape(verdict.criterion)}</span>{note}</td>'
    )
    return f"<tr>{''.join(cells)}</tr>"
