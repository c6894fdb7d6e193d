r"""Exact sampling of directions from a density in real spherical harmonics.

The polar cosine c is drawn from its marginal, a Legendre series in the m = 0 coefficients, and
the azimuth from its distribution at that c, a Fourier series. Both cumulative distributions are
known in closed form and inverted by bisection and Newton steps to rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from spintherm.fokker_planck.harmonics import Basis, Floats, degree_step

Curve: TypeAlias = Callable[[Any], tuple[Any, Any]]  # x -> value and slope

BLOCK = 20_000
BISECTIONS, NEWTON_STEPS = 10, 6


def sample(basis: Basis, density: Floats, size: int, rng: np.random.Generator) -> Floats:
    """Draw `size` unit vectors, shape (size, 3), in the frame of the basis."""
    uniform = rng.random((size, 2))
    out = np.empty((size, 3))
    for start in range(0, size, BLOCK):
        block = slice(start, start + BLOCK)
        out[block] = _draw(basis, density, uniform[block])
    return out


def _draw(basis: Basis, density: Floats, uniform: Floats) -> Floats:
    cosine = _polar(basis, density, uniform[:, 0])
    sine = np.sqrt(np.maximum((1.0 - cosine) * (1.0 + cosine), 0.0))
    even, odd = azimuthal_series(basis, density, cosine, sine)
    phi = _azimuth(even, odd, uniform[:, 1])
    return np.stack([sine * np.cos(phi), sine * np.sin(phi), cosine], axis=-1)


def _polar(basis: Basis, density: Floats, level: Floats) -> Floats:
    """Invert the cumulative distribution of c."""
    from numpy.polynomial import legendre

    ell = np.arange(basis.l_max + 1)
    series = 2.0 * np.pi * density[basis.index(ell, 0)] * np.sqrt((2 * ell + 1) / (4.0 * np.pi))
    total = legendre.legint(series, lbnd=-1.0)
    grid = -np.cos(np.pi * np.arange(8 * (basis.l_max + 2) + 1) / (8 * (basis.l_max + 2)))
    climb = np.maximum.accumulate(legendre.legval(grid, total))
    place = np.clip(np.searchsorted(climb, level * climb[-1]), 1, len(grid) - 1)
    return _invert(
        lambda c: (legendre.legval(c, total), legendre.legval(c, series)),
        grid[place - 1],
        grid[place],
        level * climb[-1],
    )


def azimuthal_series(
    basis: Basis, density: Floats, cosine: Floats, sine: Floats
) -> tuple[Floats, Floats]:
    """Fourier coefficients of the density on circles of latitude.

    Returns a and b of p = sum_m a_m cos(m phi) + b_m sin(m phi), shape (m_max + 1, n) each.
    """
    orders = basis.m_max + 1
    even, odd = np.zeros((orders, len(cosine))), np.zeros((orders, len(cosine)))
    top = np.full(len(cosine), np.sqrt(0.25 / np.pi))
    for m in range(orders):
        if m:
            top = top * sine * np.sqrt((2 * m + 1) / (2 * m))
        ell = np.arange(m, basis.l_max + 1)
        a = degree_step(ell, m)
        weights = np.sqrt(2.0 if m else 1.0) * density[basis.index(ell, np.array([[m], [-m]]))]
        before, now = np.zeros_like(top), top
        for k in range(len(ell)):
            even[m] += weights[0, k] * now
            odd[m] += weights[1, k] * now if m else 0.0
            before, now = now, (cosine * now - (a[k - 1] * before if k else 0.0)) / a[k]
    return even, odd


def _azimuth(even: Floats, odd: Floats, level: Floats) -> Floats:
    """Invert the cumulative distribution of phi on [0, 2 pi] for every column."""
    series = even - 1j * odd  # p = Re sum_m series_m z^m, z = exp(i phi)
    primitive = series.copy()
    primitive[1:] /= 1j * np.arange(1, len(even))[:, None]
    start = np.sum(primitive[1:], axis=0)

    def cumulative(phi: Floats) -> tuple[Any, Any]:
        z = np.exp(1j * phi)
        rise, slope = np.zeros_like(z), np.zeros_like(z)
        for m in range(len(even) - 1, 0, -1):
            rise, slope = (rise + primitive[m]) * z, (slope + series[m]) * z
        return even[0] * phi + (rise - start).real, even[0] + slope.real

    low = np.zeros_like(level)
    return _invert(cumulative, low, low + 2.0 * np.pi, level * 2.0 * np.pi * even[0])


def _invert(function: Curve, low: Floats, high: Floats, level: Floats) -> Floats:
    """Solve a rising function = level between brackets: bisection, then guarded Newton steps."""
    x = 0.5 * (low + high)
    for step in range(BISECTIONS + NEWTON_STEPS):
        value, slope = function(x)
        low, high = np.where(value < level, x, low), np.where(value < level, high, x)
        middle = 0.5 * (low + high)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = x - (value - level) / slope
        good = (newton >= low) & (newton <= high) & (step >= BISECTIONS)
        x = np.where(good, newton, middle)
    return x
