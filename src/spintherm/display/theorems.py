"""Fluctuation theorems: log ratios against what theory puts them on, and the fitted numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from spintherm.display.card import Row, card
from spintherm.display.svg import BLUE, Curve, panels


def ratio_card(theorem: Any, title: str, abscissa: Any, label: str) -> str:
    """Return a theorem with slope and intercept as a picture and a table.

    Parameters
    ----------
    theorem : DetailedTheorem or CrooksWork
    title : str
        What it is.
    abscissa : ndarray, shape (n,)
        Of the used bins.
    label : str
        Its symbol.

    Returns
    -------
    str
        HTML.
    """
    x = np.asarray(abscissa)
    ends = np.array([x.min(), x.max()])
    curves = [
        Curve(ends, ends, colour="currentColor"),
        Curve(x, np.asarray(theorem.log_ratio), "", BLUE, np.asarray(theorem.error)),
    ]
    rows: list[Row] = [
        ("slope, without bins", str(theorem.slope), "expected 1"),
        ("intercept, without bins", str(theorem.intercept), "expected 0"),
        ("both together", str(theorem.chi_squared), ""),
        (f"line through {x.size} bins, slope", str(theorem.line.slope), ""),
        ("its intercept", str(theorem.line.intercept), ""),
        ("bins against it", str(theorem.balance.chi_squared), ""),
    ]
    note = "points: log ratio forward to backward in bins; line: what is tested"
    return card(title, panels([("ln", curves)], label), rows, note)
