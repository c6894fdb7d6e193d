r"""Solving for a steady density to a measured truncation.

With the forward generator :math:`A = M^T`, the density solves :math:`A p = 0` with the l = 0
coefficient fixed, and the response of the density to counting a functional a solves
:math:`A h_a = -(M_a^T - \lambda_a)\,p` with no l = 0 part: one factorisation serves all. The
truncation grows until the coefficients at its edge, of densities and responses, are below a
tolerance; what cannot get there is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spintherm.fokker_planck.band import BandFactors, factorise
from spintherm.fokker_planck.generator import (
    Coefficients,
    ResolutionError,
    adjoint,
    applied_to_one,
    backward,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.setting import Setting, rung

TOLERANCE = 1e-12
LARGEST_DEGREE = 20_000
ATTEMPTS = 12


@dataclass(frozen=True)
class Solution:
    """A resolved density: coefficients, factors and the size of what was cut off.

    Attributes
    ----------
    basis : Basis
    density : ndarray, shape (size,)
        Coefficients of p per unit solid angle.
    responses : ndarray, shape (size, k)
        h_a for the requested functionals.
    factors : BandFactors
        Of the forward generator without l = 0.
    tail : float
        Largest coefficient at the edges l = l_max (and l_max - 1) or |m| = m_max, relative to the
        largest of all, over density and responses.
    """

    basis: Basis
    density: Floats
    responses: Floats
    factors: BandFactors
    tail: float


def resolve(
    setting: Setting,
    tilts: tuple[Coefficients, ...] = (),
    *,
    tolerance: float = TOLERANCE,
    l_max: int | None = None,
    m_max: int | None = None,
) -> Solution:
    """Solve for the density and the responses h_a of some functionals, to a tail below tolerance.

    Parameters
    ----------
    setting : Setting
    tilts : tuple of ndarray, shape (17,) each
        First derivatives M_a of the tilted generator.
    tolerance : float
        Of `Solution.tail`.
    l_max, m_max : int, optional
        Fixed truncation instead of the automatic one.

    Raises
    ------
    ResolutionError
        If the tail exceeds the tolerance at the largest (or the given) truncation.
    """
    degree = setting.l_max if l_max is None else l_max
    order = min(setting.m_max if m_max is None else m_max, degree)
    order = 0 if setting.axial and m_max is None else order
    for _ in range(ATTEMPTS):
        basis = Basis(degree, order)
        solution, tails = _attempt(setting, basis, tilts)
        short = tails[0] > tolerance and l_max is None, tails[1] > tolerance and m_max is None
        if not any(short):
            break
        if short[0]:
            degree = rung(degree * growth(tails[0], tolerance, 0.5))
        if short[1]:
            order = rung(order * growth(tails[1], tolerance, 1.0) + 1.0)
        order = min(order, degree)
        if degree > LARGEST_DEGREE:
            break
    if not solution.tail <= tolerance:
        raise ResolutionError(
            f"the density has a relative tail of {solution.tail:.1e} beyond l = {basis.l_max},"
            f" m = {basis.m_max}, above the tolerance of {tolerance:.1e}"
        )
    return solution


def _attempt(
    setting: Setting, basis: Basis, tilts: tuple[Coefficients, ...]
) -> tuple[Solution, tuple[float, float]]:
    coefs = adjoint(setting.coefs)
    factors = factorise(basis, coefs, pinned=True)
    inflow = applied_to_one(basis, coefs) / np.sqrt(4.0 * np.pi)  # the column of l = 0
    density = factors.solve(-inflow)
    density[0] = 1.0
    density /= np.sqrt(4.0 * np.pi)
    sources = np.zeros((basis.size, len(tilts)))
    for column, tilt in zip(sources.T, tilts, strict=True):
        column[:] = -(backward(basis, adjoint(tilt)) @ density)
        mean = applied_to_one(basis, tilt) @ density
        column += mean * density
    responses = factors.solve(sources) if tilts else sources
    sizes = [float(np.sum(np.abs(t)) / np.sum(np.abs(coefs))) for t in tilts]
    tails = [edge_tails(basis, density)]
    tails += [edge_tails(basis, h, least) for h, least in zip(responses.T, sizes, strict=True)]
    tail_l, tail_m = (max(t) for t in zip(*tails, strict=True))
    solution = Solution(basis, density, responses, factors, max(tail_l, tail_m))
    return solution, (tail_l, tail_m)


def edge_tails(basis: Basis, vector: Any, least: float = 0.0) -> tuple[float, float]:
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
