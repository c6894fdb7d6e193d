r"""The steady state and its response to counting, in the gauge where both are well conditioned.

With :math:`u = \lambda n_*/2\eta T`, half the pull towards the fixed point of the drift, the
generator :math:`M_u = e^{u\cdot n} M e^{-u\cdot n}` has the null vectors
:math:`a = e^{u\cdot n}` (right, known in closed form) and :math:`\psi = e^{-u\cdot n} p` (left), of
about the same width. In strong fields :math:`M_u` is nearly normal, whereas M itself would lose
all digits of the noise at :math:`\beta m H \sim 10^5`: density and mean values are integrals
of peaks, but a noise is a small difference of such integrals.

The response to counting a functional with derivative :math:`M_a` of the generator solves

.. math:: M_u^T h_a = -(M_{a,u}^T - \lambda_a)\,\psi, \qquad (a, h_a) = 0, \qquad
          \lambda_a = (a, M_{a,u}^T\psi) .

Where the drift is far from a gradient, the root :math:`\psi` of the density is not compact in
this gauge; a smaller u, down to none, is better then. The choice is made by the rounding error of
the noise: an error :math:`\delta A` of :math:`A = M_u^T` changes it, to first order, by

.. math:: \delta\lambda_{aa} = 2\,(g_a, \delta A\,h_a) + 2\,(w_a, \delta A\,\psi), \qquad
   A^T g_a = -(M_{a,u} - \lambda_a)\,a, \qquad A^T w_a = -(M_{a,u} - \lambda_a)\,g_a

(less what lies along a on the right-hand side), estimated for independent errors of every element
by its own rounding, with those of :math:`M_{a,u}^T\psi` and of the last product besides, and times
ten.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from spintherm.fokker_planck.axial import axial_density
from spintherm.fokker_planck.band import BandFactors, factorise
from spintherm.fokker_planck.generator import (
    GRADIENT,
    LAPLACIAN,
    Coefficients,
    ResolutionError,
    adjoint,
    applied_to_one,
    backward,
    conjugated,
)
from spintherm.fokker_planck.harmonics import Basis, Floats, Sparse, multiplication, quadratic
from spintherm.fokker_planck.landscape import Landscape
from spintherm.fokker_planck.resolution import TOLERANCE, Tails, edge_tails, grown
from spintherm.fokker_planck.setting import Setting, rung

GAUGED_SHARE = 0.75  # of the harmonics that a density needs: its root is wider by sqrt 2
GOOD_ERROR = 1e-10
LARGEST_GROWTH = 2.5  # of the basis, beyond which another gauge is tried first


@dataclass(frozen=True)
class Responses:
    """Null vectors of M_u and responses to counting.

    Attributes
    ----------
    basis : Basis
    gauge : ndarray, shape (3,)
        u, along the axis.
    ones : ndarray, shape (size,)
        a = exp(u·n), up to a factor.
    root : ndarray, shape (size,)
        psi, normalised to (a, psi) = 1.
    generator : sparse, shape (size, size)
        M_u transposed.
    factors : BandFactors
        Of it, without l = 0.
    counters : tuple of sparse, shape (size, size) each
        M_{a,u} of each functional.
    counted : ndarray, shape (k, size)
        M_{a,u} a.
    pushed : ndarray, shape (size, k)
        (M_{a,u}^T - lambda_a) psi.
    responses : ndarray, shape (size, k)
        h_a.
    means : ndarray, shape (k,)
        lambda_a, the mean rates.
    tail : float
        Of psi and the h_a.
    landscape : Landscape or None
        What the coefficients of operators refer to.
    error : float
        Largest of `rounding`.
    """

    basis: Basis
    gauge: Floats
    ones: Floats
    root: Floats
    generator: Sparse
    factors: BandFactors
    counters: tuple[Sparse, ...]
    counted: Floats
    pushed: Floats
    responses: Floats
    means: Floats
    tail: float
    landscape: Landscape | None
    error: float = np.nan

    def solve(self, source: Floats) -> Floats:
        """Return x with M_u^T x = source and (a, x) = 0, for sources with (a, source) = 0."""
        x = self.factors.solve(source)
        return np.asarray(x - np.multiply.outer(self.root, self.ones @ x).reshape(x.shape))

    def mean(self, function: Coefficients) -> float:
        """Mean of M_f 1 for the coefficients (17,) of an operator M_f that is a multiplication."""
        if self.landscape is not None:  # without a gauge the root is the density
            return float(applied_to_one(self.basis, function, self.landscape) @ self.root)
        return float((backward(self.basis, function) @ self.ones) @ self.root)

    def moments(self) -> Floats:
        """Mean values of 1, n and the six products of its components, shape (10,)."""
        operators = (*multiplication(self.basis), *quadratic(self.basis))
        parts = [(operator @ self.ones) @ self.root for operator in operators]
        return np.array([1.0, *parts])

    def noise(self) -> Floats:
        """Green-Kubo part of the (co)variances per time, shape (k, k)."""
        half = self.counted @ self.responses
        return np.asarray(half + half.T)

    def rounding(self) -> Floats:
        """Estimated relative rounding errors of the variances in `noise`, shape (k,)."""
        first = self._adjoint_solve(-self.counted.T)
        pushed = [
            matrix @ g - mean * g
            for matrix, mean, g in zip(self.counters, self.means, first.T, strict=True)
        ]
        second = self._adjoint_solve(-np.stack(pushed, axis=-1))
        squares = self.generator.copy()
        squares.data = squares.data**2
        spread = np.sum(first**2 * (squares @ self.responses**2), axis=0)
        spread += np.sum(second**2 * (squares @ self.root**2)[:, None], axis=0)
        spread += np.sum((self.counted.T * self.responses) ** 2, axis=0)
        for k, (matrix, mean) in enumerate(zip(self.counters, self.means, strict=True)):
            size = abs(matrix).T @ np.abs(self.root) + abs(mean) * np.abs(self.root)
            spread[k] += np.sum((first[:, k] * size) ** 2)
        sizes = np.abs(np.diag(self.noise()))
        errors = 20.0 * np.finfo(float).eps * np.sqrt(spread)
        return np.asarray(errors / np.where(sizes > 0.0, sizes, np.inf))

    def _adjoint_solve(self, source: Floats) -> Floats:
        """Return x with M_u x = source, less the part along a that has no solution."""
        source = source - np.multiply.outer(self.ones, self.root @ source)
        x = self.factors.solve(source, transposed=True)
        return np.asarray(x - np.multiply.outer(self.ones, self.root @ x))


def respond(
    setting: Setting,
    tilts: tuple[Coefficients, ...],
    *,
    tolerance: float = TOLERANCE,
    l_max: int | None = None,
    m_max: int | None = None,
) -> Responses:
    """Solve for the steady state and for the responses to counting, to a tail below tolerance.

    Parameters
    ----------
    setting : Setting
    tilts : tuple of ndarray, shape (17,) each
        First derivatives M_a of the tilted generator.
    tolerance, l_max, m_max
        As in `resolve`.

    Raises
    ------
    ResolutionError
        As in `resolve`.
    """
    pull = 0.5 * setting.pull / float(setting.coefs[LAPLACIAN])
    degree = max(6, rung(GAUGED_SHARE * setting.l_max))
    start = Basis(degree, min(setting.m_max, degree))
    best, least, reason = None, np.inf, ""
    for share in _shares(setting):

        def attempt(basis: Basis, share: float = share) -> tuple[Responses, Tails]:
            if share > 0.0 and l_max is None and basis.size > LARGEST_GROWTH * start.size:
                raise ResolutionError("the root of the density is not compact in this gauge")
            return _attempt(setting, basis, tilts, np.array([0.0, 0.0, share * pull]))

        try:
            found = grown(attempt, start, setting.axial, tolerance, l_max=l_max, m_max=m_max)
        except ResolutionError as problem:
            reason = str(problem)
            continue
        error = float(np.max(found.rounding(), initial=0.0))
        if error < least:
            best, least = replace(found, error=error), error
        if least < GOOD_ERROR:
            break
    if best is None:
        raise ResolutionError(reason)
    return best


def _shares(setting: Setting) -> tuple[float, ...]:
    """Shares of the full gauge to try, by how far the pull leans away from the axis."""
    if setting.landscape is not None:
        return (0.0,)
    b = setting.coefs[GRADIENT]
    lean = float(np.hypot(b[0], b[1])) / (float(np.linalg.norm(b)) or 1.0)
    if lean < 0.4:
        return (1.0, 0.5, 0.0) if lean < 0.15 else (0.5, 0.25, 0.0)
    return (0.25, 0.0) if lean < 0.9 else (0.0,)


def _attempt(
    setting: Setting, basis: Basis, tilts: tuple[Coefficients, ...], gauge: Floats
) -> tuple[Responses, Tails]:
    landscape = setting.landscape
    coefs = adjoint(conjugated(setting.coefs, gauge))
    generator = backward(basis, coefs, landscape)
    factors = factorise(basis, coefs, landscape, pinned=True)
    ones = exponential(basis, float(gauge[2]))
    first = np.zeros(basis.size)
    first[0] = 1.0
    root = factors.solve(-(generator @ first)) + first
    if landscape is not None and setting.axial:  # with barriers the solution has no digits left
        root = axial_density(setting, basis)
    root /= ones @ root
    counters = tuple(backward(basis, conjugated(tilt, gauge), landscape) for tilt in tilts)
    counted, pushed, means = [], [], []
    for matrix in counters:
        counted.append(matrix @ ones)
        means.append(counted[-1] @ root)
        pushed.append(matrix.T @ root - means[-1] * root)
    shape = (basis.size, len(tilts))
    sources = np.stack(pushed, axis=-1) if tilts else np.zeros(shape)
    responses = factors.solve(-sources) if tilts else np.zeros(shape)
    responses -= root[:, None] * (ones @ responses)
    tails = [edge_tails(basis, root)]
    for tilt, h in zip(tilts, responses.T, strict=True):
        least = float(np.sum(np.abs(tilt)) / np.sum(np.abs(coefs)) * np.max(np.abs(root)))
        tails.append(edge_tails(basis, h, least))
    edges = max(t[0] for t in tails), max(t[1] for t in tails)
    found = Responses(
        basis=basis,
        gauge=gauge,
        ones=ones,
        root=root,
        generator=generator,
        factors=factors,
        counters=counters,
        counted=np.array(counted).reshape(shape[::-1]),
        pushed=sources,
        responses=responses,
        means=np.array(means),
        tail=max(edges),
        landscape=landscape,
    )
    return found, edges


def exponential(basis: Basis, strength: float) -> Floats:
    """Coefficients of exp(strength (n_z - 1)), strength >= 0, shape (size,).

    By the modified spherical Bessel functions, exp(u c) = sum_l (2l + 1) i_l(u) P_l(c).
    """
    from scipy.special import ive

    out = np.zeros(basis.size)
    ell = np.arange(basis.l_max + 1)
    if strength > 0.0:
        bessel = np.sqrt(0.5 * np.pi / strength) * ive(ell + 0.5, strength)
    else:
        bessel = (ell == 0).astype(float)
    out[basis.index(ell, 0)] = np.sqrt(4.0 * np.pi * (2 * ell + 1)) * bessel
    return out
