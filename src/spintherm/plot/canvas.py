"""Figures as text and as files: SVG for pages and notebooks, PNG and PDF beside it."""

from __future__ import annotations

import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from spintherm import validation
from spintherm.plot.style import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

_LONG = re.compile(r"(\.\d{2})\d+")
_PATH = re.compile(r'(?<= d=")[^"]*')
"""Outlines of markers, glyphs and curves: a hundredth of a point is enough."""


class JournalFigure(Figure):
    """A figure that notebooks show as SVG."""

    def _repr_svg_(self) -> str:
        return svg(self)


def figure_of(drawn: Figure | Axes | NDArray[Any]) -> Figure:
    """Return the figure of axes, of an array of axes, or the figure given.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure, matplotlib.axes.Axes or array of Axes
        What a plotting function returns.

    Returns
    -------
    matplotlib.figure.Figure
        The figure at the top.

    Raises
    ------
    TypeError
        If it is neither.
    """
    from matplotlib.axes import Axes

    flat = np.ravel(np.asarray(drawn, dtype=object))
    one: Any = flat[0] if flat.size else None
    found = one.figure.figure if isinstance(one, Axes) else one
    if not isinstance(found, Figure):
        raise TypeError(validation.complaint("drawn", drawn, "a figure, axes, or an array of axes"))
    return found


@style()
def svg(drawn: Figure | Axes | NDArray[Any]) -> str:
    """Return a figure as SVG: vectors, type as outlines, the same text every time.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure, matplotlib.axes.Axes or array of Axes
        What a plotting function returns.

    Returns
    -------
    str
        An SVG document with a transparent background. What was rasterised stands inside it.
    """
    buffer = StringIO()
    figure_of(drawn).savefig(
        buffer, format="svg", transparent=False, facecolor="none", metadata={"Date": None}
    )
    return _PATH.sub(lambda match: _LONG.sub(r"\1", match[0]), buffer.getvalue())


@style()
def saved(drawn: Figure | Axes | NDArray[Any], path: str | Path) -> str:
    """Write a figure as PNG, PDF and SVG.

    Parameters
    ----------
    drawn : matplotlib.figure.Figure, matplotlib.axes.Axes or array of Axes
        What a plotting function returns.
    path : str or Path
        The file's name; its suffix is replaced by .png, .pdf and .svg.

    Returns
    -------
    str
        The SVG, as a report takes it.
    """
    target, figure = Path(path), figure_of(drawn)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    target.with_suffix(".png").write_bytes(buffer.getvalue())
    figure.savefig(target.with_suffix(".pdf"), metadata={"CreationDate": None})
    text = svg(figure)
    target.with_suffix(".svg").write_text(text, "utf-8")
    return text
