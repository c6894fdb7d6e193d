"""What a page is made of: parameters, tables of words, pictures, sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Parameter:
    """A given number, or a given word.

    Attributes
    ----------
    name, symbol : str
        For example "damping" and "η"; the symbol may be empty.
    value : str
        As it is shown.
    unit : str
        "1" for pure numbers, empty for words.
    """

    name: str
    symbol: str
    value: str
    unit: str = "1"


@dataclass(frozen=True)
class Picture:
    """A figure.

    Attributes
    ----------
    svg : str
        The drawing, an SVG document such as `spintherm.plot.svg` returns.
    caption : str
        What is seen.
    files : sequence of str
        Names of the files that hold the figure and its data.
    """

    svg: str
    caption: str
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Grid:
    """A table of words: a head, and rows of the same length."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the page, shown in the order of the fields.

    Attributes
    ----------
    title : str
    paragraphs : sequence of str
    parameters : sequence of Parameter
        What holds in this section only.
    pictures : sequence of Picture
    grids : sequence of Grid
    code : str
        The lines of Python that reproduce it.
    """

    title: str
    paragraphs: Sequence[str] = ()
    parameters: Sequence[Parameter] = ()
    pictures: Sequence[Picture] = ()
    grids: Sequence[Grid] = ()
    code: str = ""
