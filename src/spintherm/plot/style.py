"""The style of all figures: colours that the colour-blind can tell apart, journal columns, type.

Colours of Okabe and Ito (2008). Columns of a two-column journal page: 8.6 and 17.8 cm. Nothing is
set smaller than 7 points, the least that journals print.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from spintherm import validation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
T = TypeVar("T")

COLOURS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "sky": "#56B4E9",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "black": "#000000",
}
MARKERS = {"(a)": "o", "(b)": "^", "(c)": "s", "beyond": "D"}
"""Circles, triangles and squares of [I] Fig. 1."""

ONE_COLUMN = 3.375
TWO_COLUMNS = 7.0
"""Widths in inches."""

PHASES = {"dud": "#EFEFEF", "heat pump": "#FBE3D6", "refrigerator": "#DCEAF5"}
"""Shades behind the phases."""

_LETTER, _HANDLE, _LINE = 0.062, 0.45, 0.17
"""Inches of a letter of a legend, of what stands beside a name, and of a line."""

_SETTINGS: Any = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9.0,
    "axes.labelsize": 9.5,
    "axes.titlesize": 9.0,
    "axes.linewidth": 0.7,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "legend.handlelength": 1.6,
    "legend.handletextpad": 0.5,
    "lines.linewidth": 1.1,
    "lines.markersize": 4.0,
    "errorbar.capsize": 1.5,
    "figure.dpi": 100.0,
    "savefig.dpi": 300.0,
    "pdf.fonttype": 42,
    "svg.hashsalt": "spintherm",
}


@contextmanager
def style() -> Iterator[None]:
    """Apply the style inside a with block, and leave the global settings as they were."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield


def figure(columns: int = 1, height: float | None = None) -> Figure:
    """Return an empty figure as wide as columns of a journal.

    Parameters
    ----------
    columns : {1, 2}
        3.375 or 7 inches.
    height : float, optional
        In inches; 0.75 of the width of one column if not given.

    Returns
    -------
    matplotlib.figure.Figure
        With constrained layout, and unknown to pyplot. Notebooks show it as SVG.

    Raises
    ------
    ValueError
        If `columns` is neither 1 nor 2, or the height is not above zero.
    """
    from spintherm.plot.canvas import JournalFigure

    if columns not in (1, 2):
        raise ValueError(validation.complaint("columns", columns, "1 or 2"))
    width = ONE_COLUMN if columns == 1 else TWO_COLUMNS
    if height is None:
        height = 0.75 * ONE_COLUMN
    tall = validation.finite_scalar("height", height, positive=True)
    return JournalFigure(figsize=(width, tall), layout="constrained")


def in_style(draw: Callable[P, T]) -> Callable[P, T]:
    """Apply the style to a plotting function, unless it is given axes, which have their own.

    A panel that makes its own figure gets a legend above it if it has names and no legend yet.
    """

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> T:
        if kwargs.get("axes") is not None:
            return draw(*args, **kwargs)
        with style():
            found = draw(*args, **kwargs)
            legend_above(found)
            return found

    return drawn


def legend_above(drawn: object) -> None:
    """Put a legend above axes that have at least two names and no legend, in lines that fit.

    The figure grows by what is more than one line, so that the axes keep their height.
    """
    from matplotlib.axes import Axes

    if not isinstance(drawn, Axes) or drawn.get_legend() is not None:
        return
    whole: Any = drawn.figure
    handles, labels = drawn.get_legend_handles_labels()
    if len(labels) < 2 or whole.legends:
        return
    columns = columns_of_legend(drawn, labels)
    lines = -(-len(labels) // columns)
    whole.set_figheight(whole.get_figheight() + _LINE * (lines - 1))
    whole.legend(handles, labels, loc="outside upper center", ncols=columns)


def columns_of_legend(axes: Axes, labels: Sequence[str]) -> int:
    """Return how many columns of a legend fit beside each other in the figure of the axes."""
    whole: Any = axes.figure
    widest = max(len(re.sub(r"\\[a-z]+|[${}^_,\\]", "", label)) for label in labels)
    fit = int(whole.get_size_inches()[0] / (_LETTER * widest + _HANDLE))
    return min(max(fit, 1), len(labels))


def axes_or_new(axes: Axes | None, columns: int = 1, height: float | None = None) -> Axes:
    """Return the axes given, or those of a new figure."""
    from matplotlib.axes import Axes as Expected

    if axes is None:
        return figure(columns, height).subplots()
    if not isinstance(axes, Expected):
        raise TypeError(validation.complaint("axes", axes, "matplotlib axes or None"))
    return axes


def several(
    axes: Sequence[Axes] | NDArray[Any] | None, count: int, layout: Callable[[], Sequence[Axes]]
) -> NDArray[Any]:
    """Return the axes of a composed figure: those given, or those that `layout` makes.

    Parameters
    ----------
    axes : sequence or array of Axes, or None
        In any shape.
    count : int
        How many are needed.
    layout : callable
        Makes them in a new figure.

    Returns
    -------
    ndarray of Axes, shape (count,)

    Raises
    ------
    TypeError, ValueError
        If they are no axes, or not so many.
    """
    given = np.ravel(np.asarray(layout() if axes is None else axes, dtype=object))
    if len(given) != count:
        raise ValueError(validation.complaint("axes", axes, f"{count} matplotlib axes"))
    for one in given:
        axes_or_new(one)
    return given
