"""An SVG document made fit to stand inside an HTML page, beside others.

Names inside a page are common to all drawings in it: those that are referred to get the prefix of
their drawing, all others go. What could reach beyond the drawing (style sheets, scripts, addresses)
is refused, so that the page can promise to fetch nothing.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

from spintherm import validation

_FORBIDDEN = frozenset({"script", "foreignObject", "iframe", "a", "animate", "set", "handler"})
_DROPPED = frozenset({"metadata", "title", "desc"})
_STYLE_OF_ALL = re.compile(r"\s*\*\s*\{([^{}@]*)\}\s*")
_URL = re.compile(r"url\(\s*['\"]?([^)'\"]*)['\"]?\s*\)")
_EMBEDDED = ("data:image/png;base64,", "data:image/jpeg;base64,")
_ENLARGED = 1.3
"""Figures are drawn for paper; on a screen they may be this much larger."""


def inlined(svg: str, prefix: str, label: str) -> str:
    """Return a drawing as an element of an HTML page.

    Parameters
    ----------
    svg : str
        SVG document.
    prefix : str
        Different for each drawing on the page: letters, digits and hyphens.
    label : str
        What readers hear who do not see it.

    Returns
    -------
    str
        One svg element without namespaces, whose names begin with the prefix.

    Raises
    ------
    ValueError
        If it is no SVG, or holds a script, a style sheet or an address.
    """
    root = _parsed(svg)
    _strip(root)
    names = _referred(root)
    new = {name: f"{prefix}-{place}" for place, name in enumerate(names)}
    for element in root.iter():
        _rename(element, new)
    _frame(root, label)
    root.tail = None
    return ElementTree.tostring(root, encoding="unicode")


def _parsed(svg: str) -> ElementTree.Element:
    if "<!ENTITY" in svg:
        raise ValueError(_complaint(svg, "an SVG document without entities"))
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(_complaint(svg, f"an SVG document ({error})")) from None
    if _local(root.tag) != "svg":
        raise ValueError(_complaint(svg, "an SVG document"))
    return root


def _strip(root: ElementTree.Element) -> None:
    """Drop namespaces, metadata and the style sheet of matplotlib, whose one rule is for all."""
    for element in list(root.iter()):
        for child in list(element):
            name = _local(child.tag)
            if name in _FORBIDDEN:
                raise ValueError(_complaint(name, "a drawing without this element"))
            if name == "style":
                _adopt(root, child.text or "")
            if name in _DROPPED or name == "style":
                element.remove(child)
        element.tag = _local(element.tag)
        for key in list(element.attrib):
            value = element.attrib.pop(key)
            name = _local(key)
            if name.lower().startswith("on"):
                raise ValueError(_complaint(name, "a drawing without this attribute"))
            _check_address(name, value)
            element.set(name, value)


def _adopt(root: ElementTree.Element, sheet: str) -> None:
    match = _STYLE_OF_ALL.fullmatch(sheet)
    if match is None:
        raise ValueError(_complaint(sheet, "a drawing without a style sheet"))
    own = root.get("style", "")
    root.set("style", f"{match[1].strip().rstrip(';')};{own}".strip(";"))


def _check_address(name: str, value: str) -> None:
    if name in ("href", "src") and not value.startswith(("#", *_EMBEDDED)):
        raise ValueError(_complaint(value, "a drawing that refers to nothing outside"))
    if any(not inside.startswith("#") for inside in _URL.findall(value)):
        raise ValueError(_complaint(value, "a drawing that refers to nothing outside"))


def _referred(root: ElementTree.Element) -> list[str]:
    """Return the names that something refers to, in the order of their definition."""
    used = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            if key == "href" and value.startswith("#"):
                used.add(value[1:])
            used |= {inside[1:] for inside in _URL.findall(value)}
    defined = (element.get("id") for element in root.iter())
    return [name for name in dict.fromkeys(defined) if name is not None and name in used]


def _rename(element: ElementTree.Element, new: dict[str, str]) -> None:
    old = element.attrib.pop("id", None)
    if old in new:
        element.set("id", new[old])
    for key, value in element.attrib.items():
        if key == "href" and value[1:] in new:
            element.set(key, f"#{new[value[1:]]}")
        elif "url(" in value:
            element.set(key, _URL.sub(lambda match: f"url(#{new.get(match[1][1:], '')})", value))


def _frame(root: ElementTree.Element, label: str) -> None:
    """As wide as the page allows, but not much wider than on paper."""
    width, height = (root.attrib.pop(name, "") for name in ("width", "height"))
    if "viewBox" not in root.attrib:
        numbers = [re.match(r"[\d.]+", text) for text in (width, height)]
        if None in numbers:
            raise ValueError(_complaint(width, "a drawing with a viewBox, or width and height"))
        root.set("viewBox", "0 0 " + " ".join(match[0] for match in numbers if match))
    size = re.fullmatch(r"([\d.]+)(pt|px)?", width)
    if size:
        own = root.get("style", "")
        widest = f"{_ENLARGED * float(size[1]):.0f}{size[2] or 'px'}"
        root.set("style", f"max-width:{widest};{own}".strip(";"))
    for name in ("version", "xmlns"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", label)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _complaint(value: str, expected: str) -> str:
    shown = value if len(value) <= 60 else value[:57] + "..."
    return validation.complaint("svg", shown, expected)
