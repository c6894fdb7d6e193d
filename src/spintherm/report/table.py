"""The verdicts as a table in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import TYPE_CHECKING

from spintherm.report.verdict import Verdict, summary, tally
from spintherm.statistics import Estimate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_STYLES = {"pass": "green", "fail": "bold red", "open": "yellow"}
_WIDTH = 120


def print_verdicts(verdicts: Iterable[Verdict], console: Console | None = None) -> None:
    """Print quantity, ours ± error, expected, deviation and verdict, experiment by experiment.

    Parameters
    ----------
    verdicts : iterable of Verdict
        Those of one experiment stand together.
    console : rich.console.Console, optional
        Where to print; standard output without it.
    """
    from rich.text import Text

    items = list(verdicts)
    out = console or _standard_output()
    out.print(_table(items))
    out.print(Text(summary(items), style="bold red" if tally(items)["fail"] else "bold green"))


def ours_text(verdict: Verdict) -> str:
    """Return "ours ± error", or a plain number where there is no error."""
    if verdict.error > 0.0:
        return str(Estimate(verdict.ours, verdict.error))
    return f"{verdict.ours:.6g}"


def expected_text(verdict: Verdict) -> str:
    """Return the expected number, with its sign of relation if it is a limit."""
    sign = {"=": "", "<=": "≤ ", ">=": "≥ "}[verdict.relation]
    return f"{sign}{verdict.expected + 0.0:.7g}"


def deviation_text(verdict: Verdict) -> str:
    """Return the deviation in errors, or a dash where there is none."""
    if verdict.deviation is None or verdict.error == 0.0:
        return "–"
    return f"{verdict.deviation:+.2f}"


def _standard_output() -> Console:
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_WIDTH)


def _table(verdicts: Iterable[Verdict]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("quantity")
    for name in ("ours ± error", "expected", "deviation"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict")
    for experiment, group in groupby(verdicts, key=lambda verdict: verdict.experiment):
        table.add_section()
        table.add_row(Text(experiment, style="bold"))
        for verdict in group:
            table.add_row(*_row(verdict))
    return table


def _row(verdict: Verdict) -> tuple[Text, ...]:
    from rich.text import Text

    words = (verdict.quantity, ours_text(verdict), expected_text(verdict), deviation_text(verdict))
    plain = tuple(Text(word) for word in words)
    return (*plain, Text(verdict.outcome, style=_STYLES[verdict.outcome]))
