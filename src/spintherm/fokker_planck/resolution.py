r"""Truncations: growing a basis until the coefficients at its edge are below a tolerance.

A density solves :math:`M^T p = 0` with its l = 0 coefficient fixed by the norm. What does not come
below the tolerance is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from spintherm.fokker_planck.axial import axial_density
from spintherm.fokker_planck.band import factorise
from spintherm.fokker_planck.generator import ResolutionError, adjoint, applied_to_one
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.setting import Setting, rung

TOLERANCE = 1e-12
LARGEST_DEGREE = 50_000
ATTEMPTS = 12

Found = TypeVar("Found")
Tails = tuple[float, float]  # at the edge in l and at the edge in m


@dataclass(frozen=True)
class Solution:
    """A resolved density.

    Attributes
    ----------
    basis : Basis
    density : ndarray, shape (size,)
        Coefficients of p per unit solid angle.
    tail : float
        Largest coefficient at the edges l = l_max (and l_max - 1) or |m| = m_max, relative to the
        largest of all.
    """

    basis: Basis
    density: Floats
    tail: float


def resolve(
    setting: Setting,
    *,
    tolerance: float = TOLERANCE,
    l_max: int | None = None,
    m_max: int | None = None,
) -> Solution:
    """Solve for the density to a tail below the tolerance.

    Parameters
    ----------
    setting : Setting
    tolerance : float
        Of `Solution.tail`.
    l_max, m_max : int, optional
        Fixed truncation instead of the automatic one.

    Raises
    ------
    ResolutionError
        If the tail exceeds the tolerance at the largest (or the given) truncation.
    """

    def attempt(basis: Basis) -> tuple[Solution, Tails]:
        density = steady_density(setting, basis)
        tails = edge_tails(basis, density)
        return Solution(basis, density, max(tails)), tails

    start = Basis(setting.l_max, setting.m_max)
    return grown(attempt, start, setting.axial, tolerance, l_max=l_max, m_max=m_max)


def steady_density(setting: Setting, basis: Basis) -> Floats:
    """Coefficients of the normalised steady density in a given basis, shape (size,)."""
    coefs, landscape = adjoint(setting.coefs), setting.landscape
    if landscape is not None and setting.axial:
        return axial_density(setting, basis)
    inflow = applied_to_one(basis, coefs, landscape) / np.sqrt(4.0 * np.pi)  # the column of l = 0
    density: Floats = factorise(basis, coefs, landscape, pinned=True).solve(-inflow)
    density[0] = 1.0
    density /= np.sqrt(4.0 * np.pi)
    return density


def grown(
    attempt: Callable[[Basis], tuple[Found, Tails]],
    start: Basis,
    axial: bool,
    tolerance: float,
    *,
    l_max: int | None = None,
    m_max: int | None = None,
) -> Found:
    """Return the first attempt whose tails are below the tolerance, from ever larger bases.

    Raises
    ------
    ResolutionError
        If none is, or `l_max` and `m_max` forbid to grow.
    """
    degree = start.l_max if l_max is None else l_max
    order = min(start.m_max if m_max is None else m_max, degree)
    order = 0 if axial and m_max is None else order
    if degree > LARGEST_DEGREE:
        raise ResolutionError(
            f"the density is so narrow that it needs l = {degree}, above the limit of"
            f" {LARGEST_DEGREE}"
        )
    for _ in range(ATTEMPTS):
        basis = Basis(degree, order)
        found, tails = attempt(basis)
        if max(tails) <= tolerance:
            return found
        short = tails[0] > tolerance and l_max is None, tails[1] > tolerance and m_max is None
        if short[0]:
            degree = rung(degree * growth(tails[0], tolerance, 0.5))
        if short[1]:
            order = rung(order * growth(tails[1], tolerance, 1.0) + 1.0)
        order = min(order, degree)
        if not any(short) or degree > LARGEST_DEGREE:
            break
    raise ResolutionError(
        f"the density has a relative tail of {max(tails):.1e} beyond l = {basis.l_max},"
        f" m = {basis.m_max}, above the tolerance of {tolerance:.1e}"
    )


def edge_tails(basis: Basis, vector: Any, least: float = 0.0) -> Tails:
    """Largest coefficient at the edge in l and at the edge in m, relative to the largest of all.

    Orders are cut only where m_max < l_max; a basis with m_max = 0 is meant for axial functions.
    A vector that is all smaller than `least` counts as rounding of that size.
    """
    size = np.abs(vector)
    top = max(float(np.max(size)), least)
    if top == 0.0:
        return 0.0, 0.0
    if not np.isfinite(top):
        return np.inf, np.inf
    shell = 2 * basis.m_max + 1
    edge_l = float(np.max(size[-2 * shell :])) if basis.l_max > 1 else np.inf
    if not 0 < basis.m_max < basis.l_max:
        return edge_l / top, 0.0
    return edge_l / top, float(np.max(size[np.abs(basis.orders) == basis.m_max])) / top


def growth(tail: float, tolerance: float, power: float) -> float:
    """Factor by which a truncation must grow if the tail falls like exp(-x^(1/power))."""
    if not 0.0 < tail < 0.1:
        return 2.0
    return float(np.clip(1.05 * (np.log(tolerance) / np.log(tail)) ** power, 1.1, 2.0))
