"""A verdict: one number of ours against what theory expects, and whether they agree.

An estimate agrees if |ours - expected| <= 4 standard errors + |step bias| + error of the step bias.
Of correct estimates with normal errors one in 16 000 fails.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from spintherm import display
from spintherm.statistics import Estimate

Relation = Literal["=", "<=", ">="]
Outcome = Literal["pass", "fail", "open"]

ERRORS = 4.0
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Verdict:
    """One number of ours and what was expected of it.

    Attributes
    ----------
    experiment, quantity : str
        What was measured, where.
    ours, error : float
        The number and its standard error; the error is 0 where the number is not an estimate.
    expected : float
        What theory says, or the limit.
    relation : {"=", "<=", ">="}
        How `ours` must relate to `expected`.
    tolerance : float
        Largest distance that still passes.
    criterion : str
        The same in words.
    note : str
        What a reader should know besides.
    """

    experiment: str
    quantity: str
    ours: float
    error: float
    expected: float
    relation: Relation
    tolerance: float
    criterion: str
    note: str = ""

    @property
    def deviation(self) -> float | None:
        """(ours - expected)/error, or None for a limit."""
        if self.relation != "=":
            return None
        return Estimate(self.ours, self.error).deviation(self.expected)

    @property
    def outcome(self) -> Outcome:
        """Whether it passes; "open" where the error is infinite and nothing can be said."""
        if math.isnan(self.ours):
            return "fail"
        if math.isinf(self.tolerance):
            return "open"
        excess = self.ours - self.expected
        off = {"=": abs(excess), "<=": excess, ">=": -excess}[self.relation]
        return "pass" if off <= self.tolerance else "fail"

    def _repr_html_(self) -> str:
        return display.verdict_card(self)


def agrees(
    experiment: str,
    quantity: str,
    ours: Estimate,
    expected: float,
    *,
    bias: Estimate | None = None,
    note: str = "",
) -> Verdict:
    """Compare an estimate with a number.

    Parameters
    ----------
    experiment, quantity : str
        What was measured, where.
    ours : Estimate
        The estimate; an infinite error leaves the verdict open.
    expected : float
        What theory says.
    bias : Estimate, optional
        Measured bias of the estimate due to the finite step.
    note : str
        Remark.

    Returns
    -------
    Verdict
        Passes within four errors, the step bias and its error.
    """
    criterion = f"within {ERRORS:g} errors"
    tolerance = ERRORS * ours.error + _ROUNDING * max(1.0, abs(expected))
    if bias is not None:
        criterion += f" + step bias {abs(bias.value):.2g} + its error {bias.error:.2g}"
        tolerance += abs(bias.value) + bias.error
    return Verdict(
        experiment, quantity, ours.value, ours.error, expected, "=", tolerance, criterion, note
    )


def at_most(
    experiment: str, quantity: str, ours: float, limit: float, *, note: str = ""
) -> Verdict:
    """Demand that a number is no larger than a limit."""
    return Verdict(experiment, quantity, ours, 0.0, limit, "<=", 0.0, f"at most {limit:g}", note)


def at_least(
    experiment: str, quantity: str, ours: float, limit: float, *, note: str = ""
) -> Verdict:
    """Demand that a number is no smaller than a limit."""
    return Verdict(experiment, quantity, ours, 0.0, limit, ">=", 0.0, f"at least {limit:g}", note)


def tally(verdicts: Iterable[Verdict]) -> dict[Outcome, int]:
    """Return how many verdicts pass, fail and are open."""
    counts: dict[Outcome, int] = {"pass": 0, "fail": 0, "open": 0}
    for verdict in verdicts:
        counts[verdict.outcome] += 1
    return counts


def summary(verdicts: Iterable[Verdict]) -> str:
    """Return one line, such as "137 of 137 verdicts pass"."""
    counts = tally(verdicts)
    text = f"{counts['pass']} of {sum(counts.values())} verdicts pass"
    if counts["fail"]:
        text += f", {counts['fail']} fail"
    if counts["open"]:
        text += f", {counts['open']} open (too few trajectories to decide)"
    return text


def as_records(verdicts: Iterable[Verdict]) -> list[dict[str, object]]:
    """Return the verdicts as plain dictionaries; numbers that are not finite become None."""
    return [
        {
            "experiment": verdict.experiment,
            "quantity": verdict.quantity,
            "ours": _finite(verdict.ours),
            "error": _finite(verdict.error),
            "expected": _finite(verdict.expected),
            "relation": verdict.relation,
            "deviation": _finite(verdict.deviation),
            "tolerance": _finite(verdict.tolerance),
            "criterion": verdict.criterion,
            "verdict": verdict.outcome,
            "note": verdict.note,
        }
        for verdict in verdicts
    ]


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
