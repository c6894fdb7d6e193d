"""Small drawings by hand: panels of curves, and a sphere seen from far away.

Lengths are pixels. The eye looks at the sphere along a fixed direction, so that x, y and z lie
where they always lie: x to the lower left, y to the right, z upwards.
"""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

BLUE, VERMILLION, GREEN, PURPLE = "#2f8fd0", "#e0661a", "#0aa377", "#c774a4"
"""Near the colours of Okabe and Ito; at least 3 to 1 against white and against black."""

COMPONENTS = (BLUE, VERMILLION, GREEN)
_DASHES = ("", "5 2", "2 2")
_EYE = np.array([np.cos(0.35) * np.cos(0.9), np.cos(0.35) * np.sin(0.9), np.sin(0.35)])
_PIXELS = 48
_TYPE = 'font-family="sans-serif" font-size="11" fill="currentColor"'


@dataclass(frozen=True)
class Curve:
    """A line through points; drawn apart from its left and its right at jumps.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
    label : str
    colour : str
    error : ndarray, shape (n,), optional
        Then points with error bars are drawn instead of a line.
    """

    x: Floats
    y: Floats
    label: str = ""
    colour: str = BLUE
    error: Floats | None = None


@dataclass(frozen=True)
class Arrow:
    """A direction on the sphere with a name, which is left out where it points away."""

    direction: Floats
    label: str
    colour: str = "currentColor"


def panels(
    drawn: Sequence[tuple[str, Sequence[Curve]]],
    label: str,
    *,
    zero: bool = True,
    log: bool = False,
    height: float = 70.0,
) -> str:
    """Return panels of curves above each other, with the abscissa's range below the last.

    Parameters
    ----------
    drawn : sequence of (name, curves)
        One panel each; all share the range of the abscissa.
    label : str
        Name of the abscissa.
    zero : bool
        Whether the ordinate's range includes zero.
    log : bool
        Whether the ordinate is logarithmic; what is not above zero is left out.
    height : float
        Of a panel.

    Returns
    -------
    str
        An svg element.
    """
    width, left, gap = 250.0, 46.0, 8.0
    every = [curve for _, curves in drawn for curve in curves]
    low, high = span(np.concatenate([curve.x for curve in every]), zero=False)
    body = []
    for place, (name, curves) in enumerate(drawn):
        top = place * (height + gap) + gap
        box = (left, top, width - left - 4.0, height)
        body.append(_panel(name, curves, (low, high), box, zero=zero, log=log))
    total = len(drawn) * (height + gap) + gap + 16.0
    line = total - 6.0
    for x, anchor, words in (
        (left, "start", f"{low:.4g}"),
        (0.5 * (left + width), "middle", label),
        (width - 4.0, "end", f"{high:.4g}"),
    ):
        body.append(words_at(x, line, words.replace("-", "−"), anchor))
    names = ", ".join(name for name, _ in drawn)
    return drawing(width, total, f"{names} against {label}", body)


def globe(
    arrows: Iterable[Arrow] = (),
    dots: Iterable[Arrow] = (),
    shade: Callable[[Floats], Floats] | None = None,
    *,
    label: str,
    both_sides: bool = False,
) -> str:
    """Return a sphere with arrows from its centre, dots on it, and a function as shades.

    Parameters
    ----------
    arrows, dots : iterable of Arrow
        Dots are named points on the surface.
    shade : callable, optional
        Takes directions (n, 3) and returns values >= 0, shape (n,); the largest is darkest.
    label : str
        What readers hear who do not see it.
    both_sides : bool
        Whether to draw the sphere from behind, too.

    Returns
    -------
    str
        An svg element.
    """
    size, radius = 150.0, 52.0
    arrows, dots = tuple(arrows), tuple(dots)
    sides = (1.0, -1.0) if both_sides else (1.0,)
    frames = [_frame(side * _EYE) for side in sides]
    images = [_shades(shade, frame) for frame in frames] if shade is not None else []
    top = max((float(image.max()) for image in images), default=0.0)
    body = []
    for place, frame in enumerate(frames):
        centre = (place * size + 0.5 * size, 0.5 * size)
        if images and top > 0.0:
            box = (centre[0] - radius, centre[1] - radius, 2.0 * radius, 2.0 * radius)
            body.append(embedded(images[place] / top, box))
        body.append(_grid_lines(frame, centre, radius))
        body += [_dot(dot, frame, centre, radius) for dot in dots]
        body += [_arrow(arrow, frame, centre, radius) for arrow in arrows]
        if both_sides:
            words = "front" if place == 0 else "back"
            body.append(words_at(centre[0], size - 3.0, words, "middle"))
    return drawing(size * len(sides), size, label, body)


def _panel(
    name: str,
    curves: Sequence[Curve],
    reach: tuple[float, float],
    box: tuple[float, float, float, float],
    *,
    zero: bool,
    log: bool,
) -> str:
    left, top, width, height = box
    ys = np.concatenate([_with_errors(curve) for curve in curves])
    ys = np.log10(ys[ys > 0.0]) if log else ys
    low, high = span(ys, zero=zero and not log)

    def across(x: Floats) -> Floats:
        return left + width * (x - reach[0]) / (reach[1] - reach[0])

    def down(y: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            y = np.where(y > 0.0, np.log10(y), np.nan) if log else y
        return top + height * (high - y) / (high - low)

    parts = [
        f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" fill="none"'
        ' stroke="currentColor" stroke-opacity=".4"/>'
    ]
    if not log and low < 0.0 < high:
        y = float(down(np.zeros(1))[0])
        parts.append(
            f'<path d="M{left:g} {y:.1f}h{width:g}" stroke="currentColor" stroke-opacity=".25"/>'
        )
    for place, curve in enumerate(curves):
        parts.append(_curve(curve, across(curve.x), down, _DASHES[place % 3]))
    for value, y in ((high, top + 9.0), (low, top + height)):
        words = f"1e{value:.0f}" if log else f"{value:.3g}"
        parts.append(words_at(left - 4.0, y, words.replace("-", "−"), "end"))
    parts.append(words_at(left - 4.0, top + 0.5 * height + 4.0, name, "end"))
    named = [curve for curve in curves if curve.label]
    for place, curve in enumerate(named):
        x = left + width - 5.0 - 14.0 * (len(named) - 1 - place)
        parts.append(words_at(x, top + 12.0, curve.label, "end", curve.colour))
    return "".join(parts)


def _curve(curve: Curve, x: Floats, down: Callable[[Floats], Floats], dashes: str) -> str:
    y = down(curve.y)
    if curve.error is not None:
        ends = down(curve.y - curve.error), down(curve.y + curve.error)
        bars = "".join(
            f"M{a:.1f} {b:.1f}V{c:.1f}"
            for a, b, c in zip(x, *ends, strict=True)
            if np.isfinite([a, b, c]).all()
        )
        marks = "".join(
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="1.8"/>'
            for a, b in zip(x, y, strict=True)
            if np.isfinite([a, b]).all()
        )
        return f'<path d="{bars}" stroke="{curve.colour}"/><g fill="{curve.colour}">{marks}</g>'
    broken = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<path d="{_path(x, y)}" fill="none" stroke="{curve.colour}" stroke-width="1.4"{broken}/>'
    )


def _path(x: Floats, y: Floats) -> str:
    """Return a line through the points, with gaps where one is not finite."""
    parts, drawing = [], False
    for a, b in zip(x, y, strict=True):
        if not (np.isfinite(a) and np.isfinite(b)):
            drawing = False
            continue
        parts.append(f"{'L' if drawing else 'M'}{a:.1f} {b:.1f}")
        drawing = True
    return "".join(parts)


def _with_errors(curve: Curve) -> Floats:
    values = curve.y[np.isfinite(curve.y)]
    if curve.error is None:
        return values
    ends = np.concatenate([curve.y - curve.error, curve.y + curve.error])
    return np.asarray(ends[np.isfinite(ends)])


def span(values: Floats, *, zero: bool) -> tuple[float, float]:
    """Return the ends of an axis: the range of the values, never empty."""
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 1.0)
    if zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    return low, high


def _frame(eye: Floats) -> Floats:
    """Rows: to the right, upwards, towards the eye."""
    up = np.array([0.0, 0.0, 1.0]) - eye * eye[2]
    up = up / np.linalg.norm(up)
    return np.stack([np.cross(up, eye), up, eye])


def _shades(shade: Callable[[Floats], Floats], frame: Floats) -> Floats:
    """Return the values at the pixels of a disc, zero outside."""
    grid = (np.arange(_PIXELS) + 0.5) * 2.0 / _PIXELS - 1.0
    x, y = np.meshgrid(grid, -grid)
    inside = x**2 + y**2 < 1.0
    height = np.sqrt(1.0 - x[inside] ** 2 - y[inside] ** 2)
    values = np.zeros(x.shape)
    values[inside] = shade(np.stack([x[inside], y[inside], height], axis=-1) @ frame)
    return np.maximum(values, 0.0)


def embedded(values: Floats, box: tuple[float, float, float, float], *, smooth: bool = True) -> str:
    """Return values from -1 to 1 as an image: opacity of blue above zero, of vermillion below.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        Rows from the top.
    box : tuple of float
        Left, top, width, height.
    smooth : bool
        Whether browsers may blur the edges of the pixels.
    """
    pixels = np.empty((*values.shape, 4), dtype=np.uint8)
    for chosen, colour in ((values >= 0.0, BLUE), (values < 0.0, VERMILLION)):
        pixels[chosen, :3] = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    pixels[..., 3] = np.round(235.0 * np.clip(np.abs(values), 0.0, 1.0))
    data = b64encode(png(pixels)).decode("ascii")
    x, y, width, height = box
    sharp = "" if smooth else ' style="image-rendering:pixelated"'
    return (
        f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
        f' preserveAspectRatio="none"{sharp} href="data:image/png;base64,{data}"/>'
    )


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Return RGBA pixels, shape (rows, columns, 4), as a PNG file (ISO/IEC 15948)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    rows, columns = pixels.shape[:2]
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 6, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _grid_lines(frame: Floats, centre: tuple[float, float], radius: float) -> str:
    """Return the outline, the equator and the axes; what lies behind is dotted."""
    x, y = centre
    parts = [
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="none" stroke="currentColor"'
        ' stroke-opacity=".6"/>'
    ]
    angle = np.linspace(0.0, 2.0 * np.pi, 73)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1) @ frame.T
    for visible, dashes in ((ring[:, 2] >= 0.0, ""), (ring[:, 2] < 0.0, "1 3")):
        line = _path(np.where(visible, x + radius * ring[:, 0], np.nan), y - radius * ring[:, 1])
        parts.append(
            f'<path d="{line}" fill="none" stroke="currentColor" stroke-opacity=".4"'
            f' stroke-dasharray="{dashes or "none"}"/>'
        )
    for name, axis in zip("xyz", frame.T, strict=True):
        u, v, towards = axis
        ends = [(x + r * radius * u, y - r * radius * v) for r in (1.0, 1.14, 1.28)]
        (x0, y0), (x1, y1), (x2, y2) = ends
        opacity = ".5" if towards >= 0.0 else ".25"
        parts.append(
            f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="currentColor"'
            f' stroke-opacity="{opacity}"/>'
        )
        parts.append(words_at(x2, y2 + 4.0, name, "middle", opacity=".7"))
    return "".join(parts)


def _arrow(arrow: Arrow, frame: Floats, centre: tuple[float, float], radius: float) -> str:
    u, v, towards = frame @ arrow.direction
    label = arrow.label if towards >= 0.0 else ""
    x, y = centre
    tip = np.array([x + radius * u, y - radius * v])
    shaft = tip - np.array(centre)
    length = float(np.hypot(*shaft))
    faint = ' opacity=".55"' if towards < 0.0 else ""
    if length < 3.0:
        body = f'<circle cx="{tip[0]:.1f}" cy="{tip[1]:.1f}" r="3" fill="{arrow.colour}"/>'
        return f"<g{faint}>{body}{words_at(x + 6.0, y - 6.0, label, 'start', arrow.colour)}</g>"
    along = shaft / length
    aside = np.array([-along[1], along[0]])
    back = tip - min(8.0, length) * along
    corners = " ".join(f"{a:.1f},{b:.1f}" for a, b in (tip, back + 3.2 * aside, back - 3.2 * aside))
    name = tip + 3.0 * along - 13.0 * aside  # dots have theirs on the other side
    return (
        f'<g{faint}><path d="M{x:g} {y:g}L{back[0]:.1f} {back[1]:.1f}" stroke="{arrow.colour}"'
        f' stroke-width="2"/><polygon points="{corners}" fill="{arrow.colour}"/>'
        f"{words_at(name[0], name[1] + 4.0, label, 'middle', arrow.colour)}</g>"
    )


def _dot(dot: Arrow, frame: Floats, centre: tuple[float, float], radius: float) -> str:
    u, v, towards = frame @ dot.direction
    x, y = centre[0] + radius * u, centre[1] - radius * v
    fill = dot.colour if towards >= 0.0 else "none"
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{fill}" stroke="{dot.colour}"/>'
    label = dot.label if towards >= 0.0 else ""
    return circle + words_at(x + 6.0, y - 5.0, label, "start", dot.colour)


def words_at(
    x: float, y: float, words: str, anchor: str, colour: str = "", opacity: str = ""
) -> str:
    """Return a text at a point, nothing for an empty one."""
    look = f' style="fill:{colour}"' if colour else ""
    faint = f' fill-opacity="{opacity}"' if opacity else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{look}{faint}>{escape(words)}</text>'
        if words
        else ""
    )


def drawing(width: float, height: float, label: str, body: Sequence[str]) -> str:
    """Return an svg element of a size in pixels, with the words for readers who do not see it."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}"'
        f' viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}" {_TYPE}>'
        f"{''.join(body)}</svg>"
    )


def unit_vector(vector: ArrayLike) -> Any:
    """Return the direction of a vector, None where it has none."""
    v = np.asarray(vector, dtype=float)
    length = float(np.linalg.norm(v))
    return v / length if length > 0.0 and np.isfinite(length) else None
