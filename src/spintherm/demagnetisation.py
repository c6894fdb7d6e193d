r"""Demagnetising factors of uniformly magnetised bodies: ellipsoid, rectangular prism, cylinder.

The stray field of a body with uniform magnetisation M has the mean -N M, and the magnetostatic
energy is μ₀ V M·N M/2, with N symmetric, positive and of trace one. For the ellipsoid with
semi-axes a, b, c (Osborn, Phys. Rev. 67, 351 (1945); the integral is Carlson's R_D, DLMF 19.16.5)

.. math::
    N_a = \frac{abc}{2} \int_0^\infty \frac{ds}{(s + a^2)\sqrt{(s + a^2)(s + b^2)(s + c^2)}}
        = \frac{abc}{3} R_D(b^2, c^2, a^2) .

For a prism or cylinder of height c along z the magnetic charges sit on the two ends. With
:math:`1/r = (2/\sqrt\pi) \int_0^\infty e^{-r^2 t^2} dt` their energy becomes (derived here)

.. math::
    N_z = \frac{1}{\pi^{3/2} V} \int_0^\infty (1 - e^{-c^2 t^2})\, F(t)\, dt ,\qquad
    F(t) = \iint e^{-t^2 |\rho - \rho'|^2} d^2\!\rho\, d^2\!\rho' ,

with both :math:`\rho` over the end. F is the product of two one-dimensional integrals f for a
rectangle and a Bessel function for a disk. The integrand is positive and analytic in ln t, so that
the trapezoidal rule gives every factor to rounding for plates and needles alike, where the closed
forms (Aharoni, J. Appl. Phys. 83, 3432 (1998); Chen, Brug and Goldfarb, IEEE Trans. Magn. 27, 3601
(1991), after Nagaoka) lose their digits. The tests compare with these.

Units: lengths in m or as text; factors are dimensionless.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from spintherm import units, validation
from spintherm.validation import FloatArray

_STEP = 0.125
_BELOW, _ABOVE = 14.0, 38.0
"""Range of ln t beyond the inverse lengths: the integrand falls as t³ below and as 1/t above."""


@dataclass(frozen=True, init=False)
class Ellipsoid:
    """An ellipsoid with its principal axes along x, y and z.

    Parameters
    ----------
    diameters : sequence of three
        Full lengths of the axes along x, y, z: numbers in m or text such as "50 nm".

    Raises
    ------
    TypeError, ValueError
        If a length is refused.
    """

    diameters: tuple[float, float, float]

    def __init__(self, diameters: Sequence[float | str]) -> None:
        object.__setattr__(self, "diameters", _lengths("diameters", diameters))

    @classmethod
    def sphere(cls, diameter: float | str) -> Ellipsoid:
        """Return a sphere.

        Parameters
        ----------
        diameter : float or str
            In m, or text.

        Returns
        -------
        Ellipsoid
            With three equal diameters.
        """
        d = units.quantity("diameter", diameter, units.LENGTH, positive=True)
        return cls((d, d, d))

    @property
    def extent(self) -> tuple[float, float, float]:
        """Lengths along x, y, z in m."""
        return self.diameters

    @property
    def volume(self) -> float:
        """Volume in m³."""
        a, b, c = self.diameters
        return float(np.pi / 6.0 * a * b * c)

    @cached_property
    def demagnetising_factors(self) -> FloatArray:
        """Factors along x, y, z, shape (3,)."""
        return ellipsoid_factors(self.diameters)


@dataclass(frozen=True, init=False)
class Prism:
    """A rectangular prism with its edges along x, y and z.

    Parameters
    ----------
    edges : sequence of three
        Full lengths along x, y, z: numbers in m or text.

    Raises
    ------
    TypeError, ValueError
        If a length is refused.
    """

    edges: tuple[float, float, float]

    def __init__(self, edges: Sequence[float | str]) -> None:
        object.__setattr__(self, "edges", _lengths("edges", edges))

    @property
    def extent(self) -> tuple[float, float, float]:
        """Lengths along x, y, z in m."""
        return self.edges

    @property
    def volume(self) -> float:
        """Volume in m³."""
        a, b, c = self.edges
        return a * b * c

    @cached_property
    def demagnetising_factors(self) -> FloatArray:
        """Factors along x, y, z, shape (3,): means over the body (magnetometric)."""
        return prism_factors(self.edges)


@dataclass(frozen=True, init=False)
class Cylinder:
    """A circular cylinder with its axis along z.

    Parameters
    ----------
    diameter, height : float or str
        In m, or text.

    Raises
    ------
    TypeError, ValueError
        If a length is refused.
    """

    diameter: float
    height: float

    def __init__(self, diameter: float | str, height: float | str) -> None:
        for name, value in (("diameter", diameter), ("height", height)):
            length = units.quantity(name, value, units.LENGTH, positive=True)
            object.__setattr__(self, name, length)

    @property
    def extent(self) -> tuple[float, float, float]:
        """Lengths along x, y, z in m."""
        return self.diameter, self.diameter, self.height

    @property
    def volume(self) -> float:
        """Volume in m³."""
        return float(np.pi / 4.0 * self.diameter**2 * self.height)

    @cached_property
    def demagnetising_factors(self) -> FloatArray:
        """Factors along x, y, z, shape (3,): means over the body (magnetometric)."""
        return cylinder_factors(self.height / self.diameter)


Shape: TypeAlias = Ellipsoid | Prism | Cylinder


def ellipsoid_factors(axes: ArrayLike) -> FloatArray:
    """Return the demagnetising factors of an ellipsoid, Osborn (1945).

    Parameters
    ----------
    axes : array_like, shape (3,)
        Lengths of the axes, or of the semi-axes; only their ratios count.

    Returns
    -------
    ndarray, shape (3,)
        Along the three axes; their sum is one.
    """
    from scipy.special import elliprd

    a, b, c = _ratios("axes", axes)
    squares = np.array([a, b, c]) ** 2
    integrals = [elliprd(*np.delete(squares, i), squares[i]) for i in range(3)]
    return np.asarray(a * b * c / 3.0 * np.array(integrals))


def prism_factors(edges: ArrayLike) -> FloatArray:
    """Return the demagnetising factors of a rectangular prism, averaged over its volume.

    Parameters
    ----------
    edges : array_like, shape (3,)
        Lengths of the edges; only their ratios count.

    Returns
    -------
    ndarray, shape (3,)
        Along the three edges; their sum is one.
    """
    a, b, c = _ratios("edges", edges)

    def along(height: float, first: float, second: float) -> float:
        t = _nodes(height, first, second)
        return _factor(t, height, _segment(first * t) * _segment(second * t), first * second)

    return np.array([along(a, b, c), along(b, c, a), along(c, a, b)])


def cylinder_factors(aspect_ratio: float) -> FloatArray:
    """Return the demagnetising factors of a circular cylinder, averaged over its volume.

    Across the axis the charges M cos φ sit on the mantle, and the same steps give (derived here)

    N_x = (c/√π) ∫ s(ct) e^{-x} I₁(x) dt,  x = 2R²t²,

    with s(y) the mean of exp(-y²(u - u')²) over u, u' from 0 to 1.

    Parameters
    ----------
    aspect_ratio : float
        Height over diameter.

    Returns
    -------
    ndarray, shape (3,)
        Across (twice) and along the axis; their sum is one.
    """
    ratio = validation.finite_scalar("aspect_ratio", aspect_ratio, positive=True)
    height, radius = (ratio, 0.5) if ratio < 1.0 else (1.0, 0.5 / ratio)
    t = _nodes(height, 2.0 * radius)
    axial = _factor(t, height, _disk(radius * t), np.pi * radius**2)
    mantle = _segment(height * t) * _bessel(1, 2.0 * (radius * t) ** 2) * t
    across = float(_STEP * height / np.sqrt(np.pi) * np.sum(mantle))
    return np.array([across, across, axial])


def _factor(t: FloatArray, height: float, overlap: FloatArray, area: float) -> float:
    """Return N_z from F(t)/area² at the nodes t, which are equally spaced in ln t."""
    values = -np.expm1(-((height * t) ** 2)) * overlap * t
    return float(_STEP * np.sum(values) * area / (np.pi**1.5 * height))


def _nodes(*lengths: float) -> FloatArray:
    low, high = -np.log(max(lengths)) - _BELOW, -np.log(min(lengths)) + _ABOVE
    return np.asarray(np.exp(low + _STEP * np.arange(np.ceil((high - low) / _STEP))))


def _segment(x: FloatArray) -> FloatArray:
    """Return the mean of exp(-x²(u - v)²) over u and v from 0 to 1."""
    from scipy.special import erf

    return np.asarray(np.sqrt(np.pi) * erf(x) / x + np.expm1(-(x**2)) / x**2)


def _disk(x: FloatArray) -> FloatArray:
    """Return the mean of exp(-x²|ρ - ρ'|²) over two points of the unit disk.

    With y = 2x² it is 2[1 - e^{-y}(I₀(y) + I₁(y))]/y (derived here); below y = 1 from the series of
    1 - e^{-y}(I₀ + I₁) = 1 - M(1/2, 2, -2y), DLMF 13.6.11.
    """
    y = 2.0 * x**2
    small = np.minimum(y, 1.0)
    term, series = np.ones_like(y), np.zeros_like(y)
    for k in range(30):
        term = term * (0.5 + k) / ((2.0 + k) * (1.0 + k)) * (-2.0 * small if k else -2.0)
        series -= term
    large = np.maximum(y, 1.0)
    direct = (1.0 - _bessel(0, large) - _bessel(1, large)) / large
    return np.asarray(2.0 * np.where(y < 1.0, series, direct))


def _bessel(order: int, y: FloatArray) -> FloatArray:
    """Return e^{-y} I_order(y), also where SciPy's gives up: DLMF 10.40.1 beyond y = 1e4."""
    from scipy.special import ive

    square, far = 4.0 * order**2, np.maximum(y, 1e4)
    term, series = np.ones_like(far), np.ones_like(far)
    for k in range(1, 5):
        term = -term * (square - (2 * k - 1) ** 2) / (8.0 * k * far)
        series += term
    return np.asarray(
        np.where(y < 1e4, ive(order, np.minimum(y, 1e4)), series / np.sqrt(2.0 * np.pi * far))
    )


def _lengths(name: str, value: object) -> tuple[float, float, float]:
    lengths = units.vector(name, value, units.LENGTH)
    if np.any(lengths <= 0.0):
        raise ValueError(validation.complaint(name, value, "three lengths > 0"))
    x, y, z = lengths.tolist()
    return x, y, z


def _ratios(name: str, value: ArrayLike) -> tuple[float, float, float]:
    """Return three lengths over the longest one."""
    lengths = validation.vector(name, value)
    if np.any(lengths <= 0.0):
        raise ValueError(validation.complaint(name, value, "three lengths > 0"))
    x, y, z = (lengths / lengths.max()).tolist()
    return x, y, z
