"""Small charts by hand: intervals about an expected value, bars, maps, ellipses, powers of ten.

Ellipses are those of normal errors: (x - x0)ᵀ C⁻¹ (x - x0) = k² holds a share 1 - exp(-k²/2) of the
plane, 39 % for k = 1 and 86 % for k = 2 (derived here: the square is exponential with mean 2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm.display.svg import BLUE, VERMILLION, Curve, drawing, embedded, span, words_at

Floats = NDArray[np.float64]

_WIDTH, _LEFT, _RIGHT, _ROW = 250.0, 78.0, 8.0, 22.0
_CELLS = 72
_ENGINEERING, _LABEL = 3.0, 42.0
"""Decades between prefixes of SI; pixels that a power of ten needs."""
_INK = 'stroke="currentColor"'


@dataclass(frozen=True)
class Interval:
    """A value with its errors on both sides, which may be infinite.

    Attributes
    ----------
    name : str
    value : float
    below, above : float
        How far the truth may lie below and above, as one standard error each.
    """

    name: str
    value: float
    below: float
    above: float


def intervals(drawn: Sequence[Interval], expected: float, label: str) -> str:
    """Return values with error bars in rows, about an upright line at what is expected.

    Parameters
    ----------
    drawn : sequence of Interval
    expected : float
    label : str
        Name of the abscissa.

    Returns
    -------
    str
        An svg element. What is infinite ends at the frame.
    """
    reached = [one.value - one.below for one in drawn] + [one.value + one.above for one in drawn]
    known = [x for x in (expected, *(one.value for one in drawn), *reached) if np.isfinite(x)]
    low, high = span(np.array(known), zero=False)
    margin = 0.12 * (high - low)
    low, high = low - margin, high + margin
    wide = _WIDTH - _LEFT - _RIGHT

    def across(x: float) -> float:
        return float(_LEFT + wide * (np.clip(x, low, high) - low) / (high - low))

    bottom = 8.0 + _ROW * len(drawn)
    body = [
        _frame(bottom),
        f'<path d="M{across(expected):.1f} 8V{bottom:g}" {_INK} stroke-dasharray="4 2"/>',
    ]
    for place, one in enumerate(drawn):
        y = 8.0 + _ROW * (place + 0.5)
        body.append(words_at(_LEFT - 4.0, y + 4.0, one.name, "end"))
        if not np.isfinite(one.value):
            continue
        ends = across(one.value - one.below), across(one.value + one.above)
        body.append(
            f'<path d="M{ends[0]:.1f} {y:g}H{ends[1]:.1f}" stroke="{BLUE}" stroke-width="2"/>'
            f'<circle cx="{across(one.value):.1f}" cy="{y:g}" r="3" fill="{BLUE}"/>'
        )
    body += _ends(low, high, label, bottom)
    return drawing(_WIDTH, bottom + 18.0, f"{label} with errors, expected {expected:g}", body)


def bars(drawn: Sequence[tuple[str, float]], label: str) -> str:
    """Return bars from zero, to the right where positive and to the left where negative.

    Parameters
    ----------
    drawn : sequence of (name, value)
    label : str
        Name of the abscissa.

    Returns
    -------
    str
        An svg element.
    """
    low, high = span(np.array([value for _, value in drawn]), zero=True)
    wide = _WIDTH - _LEFT - _RIGHT

    def across(x: float) -> float:
        return _LEFT + wide * (x - low) / (high - low)

    bottom, origin = 8.0 + _ROW * len(drawn), across(0.0)
    body = [_frame(bottom), f'<path d="M{origin:.1f} 8V{bottom:g}" {_INK}/>']
    for place, (name, value) in enumerate(drawn):
        y, end = 8.0 + _ROW * (place + 0.5), across(value)
        colour = BLUE if value >= 0.0 else VERMILLION
        body.append(words_at(_LEFT - 4.0, y + 4.0, name, "end"))
        body.append(
            f'<rect x="{min(origin, end):.1f}" y="{y - 6.0:g}" width="{abs(end - origin):.1f}"'
            f' height="12" fill="{colour}"/>'
        )
    body += _ends(low, high, label, bottom)
    return drawing(_WIDTH, bottom + 18.0, f"{label}: {', '.join(name for name, _ in drawn)}", body)


def powers_of_ten(drawn: Sequence[tuple[str, float, str]]) -> str:
    """Return where values > 0 lie on one logarithmic ruler of SI units.

    Parameters
    ----------
    drawn : sequence of (name, value, text)
        The text stands beside the mark.

    Returns
    -------
    str
        An svg element.
    """
    logs = np.log10([value for _, value, _ in drawn])
    low = _ENGINEERING * np.floor(logs.min() / _ENGINEERING)
    high = max(_ENGINEERING * np.ceil(logs.max() / _ENGINEERING), low + _ENGINEERING)
    wide, bottom = _WIDTH - _LEFT - _RIGHT, 8.0 + _ROW * len(drawn)
    body = [_frame(bottom)]
    step = _ENGINEERING * np.ceil(_LABEL * (high - low) / (wide * _ENGINEERING))
    for power in np.arange(low, high + 0.5, step):
        x = _LEFT + wide * (power - low) / (high - low)
        body.append(f'<path d="M{x:.1f} 8V{bottom:g}" {_INK} stroke-opacity=".2"/>')
        anchor = "end" if x > _WIDTH - 16.0 else "middle"
        body.append(words_at(x, bottom + 13.0, f"1e{power:.0f}".replace("-", "−"), anchor))
    for place, (log, (name, _, text)) in enumerate(zip(logs, drawn, strict=True)):
        y, x = 8.0 + _ROW * (place + 0.5), _LEFT + wide * (log - low) / (high - low)
        side, anchor = (-7.0, "end") if x > _LEFT + 0.5 * wide else (7.0, "start")
        body.append(words_at(_LEFT - 4.0, y + 4.0, name, "end"))
        body.append(f'<circle cx="{x:.1f}" cy="{y:g}" r="3" fill="{BLUE}"/>')
        body.append(words_at(x + side, y + 4.0, text, anchor))
    names = ", ".join(name for name, _, _ in drawn)
    return drawing(_WIDTH, bottom + 18.0, f"{names} in SI units, as powers of ten", body)


def colour_map(
    x: ArrayLike, y: ArrayLike, values: ArrayLike, labels: tuple[str, str], name: str
) -> str:
    """Return a function of two variables as shades, blue above zero and vermillion below.

    Parameters
    ----------
    x, y : array_like, shapes (n,), (k,)
        Different numbers, at least two each.
    values : array_like, shape (n, k)
        The largest magnitude is darkest; what is not finite is left out.
    labels : (str, str)
        Names of x and y.
    name : str
        Of the function.

    Returns
    -------
    str
        An svg element; each of its 72 × 72 cells shows the value that is nearest.
    """
    v = np.asarray(values, dtype=float)
    for axis, along in ((0, x), (1, y)):
        v = np.take(v, _nearest(np.asarray(along, dtype=float)), axis=axis)
    size = float(np.abs(v[np.isfinite(v)]).max(initial=0.0))
    shade = np.where(np.isfinite(v), v, 0.0) / (size or 1.0)
    box = (46.0, 8.0, _WIDTH - 46.0 - _RIGHT, 150.0)
    body = [
        embedded(shade.T[::-1], box, smooth=False),
        f'<rect x="{box[0]:g}" y="{box[1]:g}" width="{box[2]:g}" height="{box[3]:g}" fill="none"'
        f' {_INK} stroke-opacity=".4"/>',
    ]
    (left, right), (low, high) = ((float(np.min(along)), float(np.max(along))) for along in (x, y))
    bottom = box[1] + box[3]
    for value, place in ((high, box[1] + 9.0), (low, bottom)):
        body.append(words_at(box[0] - 4.0, place, _short(value), "end"))
    body.append(
        f'<g transform="rotate(-90 12 {box[1] + 0.5 * box[3]:g})">'
        f"{words_at(12.0, box[1] + 0.5 * box[3], labels[1], 'middle')}</g>"
    )
    body += _ends(left, right, labels[0], bottom, box[0])
    body.append(words_at(box[0] + 5.0, box[1] + 13.0, name, "start"))
    return drawing(_WIDTH, bottom + 18.0, f"{name} against {labels[0]} and {labels[1]}", body)


def ellipses(centre: ArrayLike, covariance: ArrayLike) -> list[Curve]:
    """Return the ellipses of one and two standard errors about an estimate of two numbers.

    Parameters
    ----------
    centre : array_like, shape (2,)
    covariance : array_like, shape (2, 2)

    Returns
    -------
    list of Curve
        The two ellipses, and the centre as a point.
    """
    x0 = np.asarray(centre, dtype=float)
    variances, axes = np.linalg.eigh(np.asarray(covariance, dtype=float))
    angle = np.linspace(0.0, 2.0 * np.pi, 73)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    rim = (circle * np.sqrt(np.maximum(variances, 0.0))) @ axes.T
    around = [x0 + size * rim for size in (1.0, 2.0)]
    curves = [Curve(at[:, 0], at[:, 1], colour=BLUE) for at in around]
    return [*curves, Curve(x0[:1], x0[1:], "", BLUE, np.zeros(1))]


def _nearest(along: Floats) -> NDArray[np.intp]:
    """Return which of the numbers is nearest to each of evenly spaced ones over their range."""
    even = np.linspace(along.min(), along.max(), _CELLS)
    return np.asarray(np.argmin(np.abs(even[:, None] - along), axis=1))


def _frame(bottom: float) -> str:
    return (
        f'<rect x="{_LEFT:g}" y="8" width="{_WIDTH - _LEFT - _RIGHT:g}" height="{bottom - 8.0:g}"'
        f' fill="none" {_INK} stroke-opacity=".4"/>'
    )


def _ends(low: float, high: float, label: str, bottom: float, left: float = _LEFT) -> list[str]:
    right, line = _WIDTH - _RIGHT, bottom + 13.0
    return [
        words_at(left, line, _short(low), "start"),
        words_at(0.5 * (left + right), line, label, "middle"),
        words_at(right, line, _short(high), "end"),
    ]


def _short(value: float) -> str:
    return f"{value + 0.0:.3g}".replace("-", "−")
