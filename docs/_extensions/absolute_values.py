"""Bars in docstrings are absolute values, |m|, not the substitutions of reStructuredText."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LITERAL = re.compile(r"(``.*?``|`[^`]*`)")


def escaped(lines: list[str]) -> list[str]:
    """Return lines of reStructuredText with their bars escaped, but for code and formulas."""
    result: list[str] = []
    verbatim: int | None = None  # indentation of the line that opened a block taken as it is
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if verbatim is not None and line.strip() and indent <= verbatim:
            verbatim = None
        if verbatim is None:
            if line.rstrip().endswith("::") or line.lstrip().startswith(".. math::"):
                verbatim = indent
            if not line.lstrip().startswith(".. math::"):
                parts = LITERAL.split(line)
                parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
                line = "".join(parts)
        result.append(line)
    return result


def _process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]):
    lines[:] = escaped(lines)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the change, after numpydoc's."""
    app.connect("autodoc-process-docstring", _process, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
