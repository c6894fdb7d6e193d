"""Tables for the pages: rows computed in a cell, shown as a table of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from IPython.display import Markdown


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Markdown:
    """Return a table; bars in the cells are escaped."""
    lines = [head, ["---"] * len(head), *rows]
    text = [" | ".join(str(cell).replace("|", r"\|") for cell in line) for line in lines]
    return Markdown("\n".join(f"| {line} |" for line in text))
