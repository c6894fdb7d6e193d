"""Python between plain fences is executed too: a page with such blocks is read as a notebook.

So the pages can be read as ordinary Markdown where they are stored, and still show what their code
prints today. A page runs from top to bottom in one kernel. Pages that are notebooks already are
left alone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

HEADER = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n"
FENCE = re.compile(r"^```python[ \t]*$", flags=re.MULTILINE)


def as_notebook(text: str) -> str:
    """Return the text of a page with its plain Python blocks as cells."""
    if text.startswith("---") or not FENCE.search(text):
        return text
    return HEADER + FENCE.sub("```{code-cell}", text)


def _read(app: Sphinx, docname: str, source: list[str]) -> None:
    if app.env.doc2path(docname).suffix == ".md":
        source[0] = as_notebook(source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transformation."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
