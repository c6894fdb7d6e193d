r"""Equilibrium of a magnet with anisotropy: quadrature on the sphere and exact sampling.

The density of the direction at temperature T and field H is

.. math:: p(n) = e^{-\beta E(n)}/Z, \quad E(n) = -m\,n\cdot H + E_a(n), \quad
   Z = \int e^{-\beta E(n)} d\Omega, \quad F = -T\ln Z .

Integrals are sums over a Lebedev rule where its degree suffices and over a product of
Gauss-Legendre and equally spaced points where it does not. The exponent is a polynomial of degree
D and half range A on the sphere, so that its exponential is resolved by degrees of a few times the
square root of D² A/T; two rules are compared.

Sampling is by rejection from a piecewise constant envelope. Along a great circle the exponent is a
trigonometric polynomial of degree D; by Bernstein's inequality its second derivative is at most
B = β(D²A + m|H|), so that within the geodesic distance r of a point c it is at most
f(c) + |∇f(c)| r + B r²/2. The envelope is therefore a true bound and the draws are exact.

Units: those of the magnet; densities per solid angle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spintherm import validation
from spintherm.energies import Anisotropy
from spintherm.validation import FloatArray

LARGEST_EXPONENT = 1e5
"""Largest D² (A + m|H|)/T that the quadrature takes."""

_LEBEDEV_DEGREES = (17, 29, 41, 59, 83, 107, 131)
_AGREEMENT = 1e-11
_WASTE = 0.5
_MOST_CELLS = 1 << 16


@dataclass(frozen=True)
class Exponent:
    """f(n) = -βE(n), the logarithm of the density up to a constant.

    Parameters
    ----------
    pull : ndarray, shape (3,)
        βmH.
    anisotropy : Anisotropy
        βE_a.
    """

    pull: FloatArray
    anisotropy: Anisotropy

    def __call__(self, n: FloatArray) -> FloatArray:
        """Return f at unit vectors (..., 3)."""
        return np.asarray(n @ self.pull - self.anisotropy(n))

    def slope(self, n: FloatArray) -> FloatArray:
        """Return |∇_S f| at unit vectors (..., 3)."""
        along = self.pull - n * (n @ self.pull)[..., None]
        return np.asarray(np.linalg.norm(along - self.anisotropy.gradient(n), axis=-1))

    @property
    def curvature(self) -> float:
        """Bound of the second derivative along any great circle."""
        energy = self.anisotropy.degree**2 * self.anisotropy.half_range
        return float(energy + np.linalg.norm(self.pull))


def exponent(
    moment: float, temperature: float, anisotropy: Anisotropy | None, field: FloatArray
) -> Exponent:
    """Return f(n) = βm n·H - βE_a(n).

    Parameters
    ----------
    moment : float
        |m|.
    temperature : float
        T > 0.
    anisotropy : Anisotropy or None
        E_a.
    field : ndarray, shape (3,)
        H.

    Returns
    -------
    Exponent
        The logarithm of the density.

    Raises
    ------
    ValueError
        If the temperature is zero, or so low that the density is not resolved.
    """
    if temperature == 0.0:
        raise ValueError(
            validation.complaint("temperature", 0.0, "T > 0: at T = 0 there is no density")
        )
    beta = 1.0 / temperature
    f = Exponent(beta * moment * np.asarray(field), (anisotropy or Anisotropy()) * beta)
    if f.curvature > LARGEST_EXPONENT:
        expected = (
            f"energies of at most about {LARGEST_EXPONENT:g} T "
            f"(here their curvature is {f.curvature:.3g} T)"
        )
        raise ValueError(validation.complaint("temperature", temperature, expected))
    return f


@dataclass(frozen=True)
class Integrals:
    """ln Z and means at one field.

    Attributes
    ----------
    log_partition : float
        ln ∫ exp f dΩ.
    mean : ndarray, shape (k,)
        Means of the functions asked for.
    """

    log_partition: float
    mean: FloatArray


def integrals(
    f: Exponent, functions: Callable[[FloatArray], FloatArray] | None = None
) -> Integrals:
    """Return ln Z and the means of functions of the direction.

    Parameters
    ----------
    f : Exponent
        Logarithm of the density.
    functions : callable, optional
        Takes unit vectors (N, 3) and returns values (N, k); the direction itself by default.

    Returns
    -------
    Integrals
        Good to about 1e-12.

    Raises
    ------
    ValueError
        If two rules disagree.
    """
    wanted = 12.0 + 6.0 * float(np.sqrt(f.curvature))
    results = [_sum(f, functions, _rule(degree)) for degree in (wanted, 1.5 * wanted)]
    coarse, fine = results
    if abs(coarse.log_partition - fine.log_partition) > _AGREEMENT * max(
        1.0, abs(fine.log_partition)
    ):
        raise ValueError(
            validation.complaint("temperature", f.curvature, "a density that the rules resolve")
        )
    return fine


def _sum(
    f: Exponent,
    functions: Callable[[FloatArray], FloatArray] | None,
    rule: tuple[FloatArray, FloatArray],
) -> Integrals:
    nodes, weights = rule
    exponents = f(nodes)
    top = float(exponents.max())
    share = weights * np.exp(exponents - top)
    total = float(share.sum())
    values = nodes if functions is None else functions(nodes)
    return Integrals(top + float(np.log(total)), np.asarray(share @ values / total))


def _rule(degree: float) -> tuple[FloatArray, FloatArray]:
    for available in _LEBEDEV_DEGREES:
        if degree <= available:
            return lebedev(available)
    return product_rule(int(np.ceil(degree / 64.0)) * 64)


@lru_cache(maxsize=16)
def lebedev(degree: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes (N, 3) and weights (N,) of SciPy's Lebedev rule, weights with sum 4π."""
    from scipy.integrate import lebedev_rule

    nodes, weights = lebedev_rule(degree)
    return np.ascontiguousarray(nodes.T), np.asarray(weights)


@lru_cache(maxsize=4)
def product_rule(degree: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes (N, 3) and weights (N,) that integrate all harmonics up to a degree."""
    z, w = np.polynomial.legendre.leggauss(degree // 2 + 1)
    count = degree + 1
    phi = 2.0 * np.pi * (np.arange(count) + 0.5) / count
    radius = np.sqrt((1.0 - z) * (1.0 + z))
    nodes = np.empty((z.size, count, 3))
    nodes[..., 0] = radius[:, None] * np.cos(phi)
    nodes[..., 1] = radius[:, None] * np.sin(phi)
    nodes[..., 2] = z[:, None]
    weights = np.repeat(w * (2.0 * np.pi / count), count)
    return nodes.reshape(-1, 3), weights


@dataclass(frozen=True)
class Envelope:
    """A piecewise constant bound of exp f, on cells of the sphere in z and azimuth.

    Attributes
    ----------
    exponent : Exponent
        f.
    cells : ndarray, shape (N, 4)
        Lower z, height in z, lower azimuth, width in azimuth.
    bounds : ndarray, shape (N,)
        Upper bounds of f.
    cumulative : ndarray, shape (N,)
        Cumulative shares of the cells in the envelope; the last is one.
    acceptance : float
        Estimate of the share of accepted candidates.
    """

    exponent: Exponent
    cells: FloatArray
    bounds: FloatArray
    cumulative: FloatArray
    acceptance: float

    def propose(self, u: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return candidates (N, 3) and whether each is accepted, from uniforms u (N, 4)."""
        cell = np.minimum(
            np.searchsorted(self.cumulative, u[:, 0], side="right"), self.bounds.size - 1
        )
        z0, height, phi0, width = self.cells[cell].T
        n = _direction(z0 + height * u[:, 1], phi0 + width * u[:, 2])
        return n, np.asarray(np.log(1.0 - u[:, 3]) <= self.exponent(n) - self.bounds[cell])

    def sample(self, size: int, rng: np.random.Generator) -> FloatArray:
        """Draw directions, shape (size, 3); the first k do not depend on `size`."""
        found = [np.empty((0, 3))]
        missing = size
        while missing > 0:
            n, accepted = self.propose(rng.random((int(1.2 * missing / self.acceptance) + 64, 4)))
            found.append(n[accepted][:missing])
            missing -= found[-1].shape[0]
        return np.concatenate(found)


def envelope(f: Exponent) -> Envelope:
    """Return an envelope of exp f whose draws are accepted in at least about half of the cases.

    Parameters
    ----------
    f : Exponent
        Logarithm of the density.

    Returns
    -------
    Envelope
        Cells, refined where the bound is loose and the density counts.
    """
    z, phi = np.linspace(-1.0, 1.0, 9), np.linspace(-np.pi, np.pi, 17)
    corner = np.stack(np.meshgrid(z[:-1], phi[:-1], indexing="ij"), -1).reshape(-1, 2)
    cells = np.column_stack(
        (corner[:, 0], np.full(128, 0.25), corner[:, 1], np.full(128, np.pi / 8.0))
    )
    low, high = _bounds(f, cells)
    while True:
        area = cells[:, 1] * cells[:, 3]
        top = high.max()
        most, least = area * np.exp(high - top), area * np.exp(low - top)
        waste = most - least
        if least.sum() >= _WASTE * most.sum() or cells.shape[0] > _MOST_CELLS:
            break
        # the cells that make up the greater part of the waste
        order = np.argsort(waste)[::-1]
        count = 1 + int(np.searchsorted(np.cumsum(waste[order]), 0.8 * waste.sum()))
        split = np.zeros(cells.shape[0], dtype=bool)
        split[order[:count]] = True
        new = _halves(cells[split])
        new_low, new_high = _bounds(f, new)
        cells = np.concatenate((cells[~split], new))
        low = np.concatenate((low[~split], new_low))
        high = np.concatenate((high[~split], new_high))
    cumulative = np.cumsum(most)
    return Envelope(f, cells, high, cumulative / cumulative[-1], float(least.sum() / most.sum()))


def _direction(z: FloatArray, phi: FloatArray) -> FloatArray:
    radius = np.sqrt((1.0 - z) * (1.0 + z))
    return np.stack((radius * np.cos(phi), radius * np.sin(phi), z), axis=-1)


def _bounds(f: Exponent, cells: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return f at the centres of cells and upper bounds of f on them."""
    z0, height, phi0, width = cells.T
    z1 = np.minimum(z0 + height, 1.0)
    middle = 0.5 * (np.arccos(z0) + np.arccos(z1))
    centre = _direction(np.cos(middle), phi0 + 0.5 * width)
    # from the centre along its meridian, then along the widest parallel of the cell
    widest = np.where((z0 <= 0.0) & (z1 >= 0.0), 1.0, np.sqrt(1.0 - np.minimum(z0**2, z1**2)))
    reach = 0.5 * (np.arccos(z0) - np.arccos(z1)) + 0.5 * width * widest
    reach = np.minimum(reach, np.pi)
    value = f(centre)
    bound = value + f.slope(centre) * reach + 0.5 * f.curvature * reach**2
    return value, np.asarray(bound)


def _halves(cells: FloatArray) -> FloatArray:
    """Cut each cell across its longer side."""
    z0, height, _, width = cells.T
    z1 = np.minimum(z0 + height, 1.0)
    tall = np.arccos(z0) - np.arccos(z1)
    wide = width * np.sqrt(1.0 - np.minimum(1.0, np.abs(z0 + 0.5 * height)) ** 2)
    first, second = cells.copy(), cells.copy()
    side = np.where(tall > wide, 1, 3)
    rows = np.arange(cells.shape[0])
    half = 0.5 * cells[rows, side]
    first[rows, side] = second[rows, side] = half
    second[rows, side - 1] += half
    return np.concatenate((first, second))
