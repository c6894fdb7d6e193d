"""A card: title, picture and table side by side, as HTML that needs no style sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

Row: TypeAlias = tuple[str, str, str]
"""Name, value, unit."""

_FRAME = "display:flex;flex-wrap:wrap;gap:1em;align-items:flex-start;max-width:60em"
_REST = "flex:1 1 20em;min-width:0;overflow-x:auto"
_TABLE = "border-collapse:collapse;font-variant-numeric:tabular-nums;background:transparent"
_CELL = "text-align:left;vertical-align:top;padding:.1em .9em .1em 0;background:transparent"
_QUIET = "opacity:.7"


def card(title: str, picture: str, rows: Sequence[Row], note: str = "") -> str:
    """Return a card.

    Parameters
    ----------
    title : str
        What it is.
    picture : str
        An svg element, or nothing.
    rows : sequence of (name, value, unit)
        Plain texts; the unit may be empty.
    note : str
        What stands below.

    Returns
    -------
    str
        HTML.
    """
    lines = "".join(_row(row) for row in rows)
    below = f'<div style="{_QUIET};font-size:90%">{escape(note)}</div>' if note else ""
    return (
        f'<div style="{_FRAME}">{f"<div>{picture}</div>" if picture else ""}'
        f'<div style="{_REST}"><div style="font-weight:bold">{escape(title)}</div>'
        f'<table style="{_TABLE}"><tbody>{lines}</tbody></table>{below}</div></div>'
    )


def text(title: str, lines: Sequence[str]) -> str:
    """Return a title and indented lines below it."""
    return "\n".join((title, *(f"  {line}" for line in lines)))


def number(value: float) -> str:
    """Return a number with at most five digits and a true minus sign."""
    if math.isnan(value):
        return "not defined"
    if math.isinf(value):
        return "∞" if value > 0.0 else "−∞"
    return f"{value + 0.0:.5g}".replace("-", "−")


def shown(estimate: object) -> str:
    """Return how an estimate prints itself, with a true minus sign."""
    return str(estimate).replace("-", "−")


def vector(values: Sequence[float], size: float = 0.0) -> str:
    """Return a vector, for example "(0, 0, −1)"; what is far below its size, or `size`, is zero."""
    largest = max((size, *map(abs, values)))
    shown = (0.0 if abs(value) < 1e-12 * largest else float(value) for value in values)
    return f"({', '.join(map(number, shown))})"


def spread(values: ArrayLike) -> str:
    """Return the least and the largest finite value, for example "−1 … 2"; one number alone."""
    known = np.ravel(np.asarray(values, dtype=float))
    if known.size == 1:
        return number(float(known[0]))
    known = known[np.isfinite(known)]
    if known.size == 0:
        return "none finite"
    return f"{number(float(known.min()))} … {number(float(known.max()))}"


def _row(row: Row) -> str:
    name, value, unit = map(escape, row)
    return (
        f'<tr style="background:transparent"><th scope="row" style="{_CELL};font-weight:normal;'
        f'{_QUIET}">{name}</th>'
        f'<td style="{_CELL}">{value}</td><td style="{_CELL};{_QUIET}">{unit}</td></tr>'
    )
