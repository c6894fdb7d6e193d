"""Plain text as HTML: escaped, and the symbols of the physics with their subscripts set low.

Only symbols that the package writes are touched, S_P or p_F or H_τ, never names with more letters.
"""

from __future__ import annotations

import re
from html import escape

_SYMBOL = r"k|p|n|m|P|H|S|Ṡ|Δ|N|M|E|J|K|λ|σ"
_SUBSCRIPT = r"B|P|F|x|y|z|s|c|a|u|env|max|τ/2|τ"
_INDEXED = re.compile(rf"(?<!\w)({_SYMBOL})_({_SUBSCRIPT})(?![^\W²³⁴]|\.\w|/\w\w)")


def typeset(text: str) -> str:
    """Return HTML for a plain text.

    Parameters
    ----------
    text : str
        For example "entropy S_P in k_B".

    Returns
    -------
    str
        For example "entropy S<sub>P</sub> in k<sub>B</sub>"; all else is escaped.
    """
    return _INDEXED.sub(r"\1<sub>\2</sub>", escape(text))


def breakable(text: str) -> str:
    """Return HTML for a plain text that may be broken where long names are joined.

    Parameters
    ----------
    text : str
        For example "mean:pumped_entropy", the head of a narrow column.

    Returns
    -------
    str
        As `typeset` gives it, with a place to break after each underscore and colon.
    """
    return re.sub(r"(?<=\w)([_:])(?=\w)", r"\1<wbr>", typeset(text))
