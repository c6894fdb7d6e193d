"""Formulas as MathML, which browsers draw themselves: no script, no fonts, no address."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(convert(node.astext(), display="inline"))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    ids = "".join(f' id="{name}"' for name in node.get("ids", [])[:1])
    text = node.astext()
    if "&" in text or "\\\\" in text:
        text = rf"\begin{{aligned}}{text}\end{{aligned}}" if r"\begin" not in text else text
    writer.body.append(f'<div class="formula"{ids}>{convert(text, display="block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
