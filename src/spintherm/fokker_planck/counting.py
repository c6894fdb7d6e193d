r"""Full counting statistics of a steady state: the scaled cumulant generating function.

.. math:: \lambda(k_W, k_S) = \lim_{\tau\to\infty}\tfrac1\tau
          \ln\langle e^{k_W\beta W + k_S S_P}\rangle

is the eigenvalue of largest real part of the tilted generator M(k). For real exponents M(k)
generates a positive semigroup, so that this eigenvalue is real, simple and the only one with a
positive eigenfunction (Perron-Frobenius), and it is the one nearest to any real number above it.
The gauge of `gauge` supplies such a number. Inverse iteration from there (Arnoldi) cannot miss the
eigenvalue; one step of it at the value found, for both eigenfunctions, brings rounding accuracy.
With the right and left eigenvectors x and y, the derivatives are
:math:`\partial\lambda = (y, \partial M\,x)/(y, x)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.fokker_planck.band import BandFactors, factorise
from spintherm.fokker_planck.gauge import gauge_of, largest_growth
from spintherm.fokker_planck.generator import (
    LAPLACIAN,
    Coefficients,
    ResolutionError,
    backward,
    coefficients,
    conjugated,
    counting_derivatives,
    rotated,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.landscape import Landscape
from spintherm.fokker_planck.resolution import (
    ATTEMPTS,
    LARGEST_DEGREE,
    edge_tails,
    growth,
)
from spintherm.fokker_planck.setting import Setting, compact_frame, rung, settings
from spintherm.fokker_planck.slots import OPERATOR_NAMES, UNIFORM
from spintherm.fokker_planck.steady import check_bath

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

TOLERANCE = 1e-10
KRYLOV = 24
RESTARTS = 25
LARGEST_GROWTH = 12.0  # of the basis, beyond which the eigenfunctions count as unresolvable
SMALL = 40  # bases so small that all eigenvalues are computed
LAST_STEPS = 4


@dataclass(frozen=True)
class Leading:
    """Leading eigenvalue of a tilted generator, with its eigenvectors.

    Attributes
    ----------
    value : complex
        lambda(k).
    left, right : ndarray, shape (size,)
        Eigenvectors of M_u = exp(u·n) M exp(-u·n) in the axes `frame`, left M_u = value left and
        M_u right = value right.
    gauge : ndarray, shape (3,), or (5,) with a landscape
        u, in the axes of the setting.
    frame : ndarray, shape (3, 3)
        Axes of the harmonics in those of the setting.
    basis : Basis
    error : float
        Estimated error of the value, by truncation (a product of both eigenvectors' tails) and by
        rounding (the condition of the eigenvalue).
    """

    value: Any
    left: NDArray[Any]
    right: NDArray[Any]
    gauge: Floats
    frame: Floats
    basis: Basis
    error: float


def scgf(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: ArrayLike = 0.0,
    pumped_entropy: ArrayLike = 0.0,
    tolerance: float = TOLERANCE,
) -> NDArray[Any]:
    """Return the joint scaled cumulant generating function of work and pumped entropy.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        Constant H and P.
    work, pumped_entropy : array_like, shape (...), real or complex
        Dimensionless exponents of beta W and S_P. All leading shapes broadcast.
    tolerance : float
        Of the estimated truncation error, relative to the size of the value or of the rotational
        diffusion rate eta T.

    Returns
    -------
    ndarray, shape (...)
        lambda in 1/time; complex if an exponent is. For complex exponents: the eigenvalue of
        largest real part among those nearest to the real bound.

    Raises
    ------
    ValueError
        For bad arguments, zero damping or zero temperature.
    ResolutionError
        If the tolerance cannot be met.
    """
    check_bath(magnet)
    H, P = validation.vectors("field", field), validation.vectors("spin_torque", spin_torque)
    k_W, k_S = exponents("work", work), exponents("pumped_entropy", pumped_entropy)
    shape = np.broadcast_shapes(H.shape[:-1], P.shape[:-1], k_W.shape, k_S.shape)
    out = np.empty(shape, dtype=np.result_type(k_W, k_S))
    H, P = np.broadcast_to(H, (*shape, 3)), np.broadcast_to(P, (*shape, 3))
    k_W, k_S = np.broadcast_to(k_W, shape), np.broadcast_to(k_S, shape)
    for place in np.ndindex(shape):
        setting = settings(magnet, H[place][None], P[place][None])[0]
        found = leading(setting, k_W[place].item(), k_S[place].item(), tolerance=tolerance)
        out[place] = found.value
    return out


def exponents(name: str, value: ArrayLike) -> NDArray[Any]:
    """Return finite real or complex exponents as an array, or raise ValueError."""
    array = np.asarray(value)
    if array.dtype.kind not in "biufc" or not np.all(np.isfinite(array)):
        raise ValueError(validation.complaint(name, value, "finite real or complex numbers"))
    return array.astype(complex if array.dtype.kind == "c" else float)


def leading(
    setting: Setting,
    work: complex,
    pumped_entropy: complex,
    *,
    tolerance: float = TOLERANCE,
) -> Leading:
    """Return the leading eigenvalue at one pair of exponents, resolved to a tolerance."""
    landscape = setting.landscape
    coefs = coefficients(
        setting.magnet, setting.field, setting.spin_torque, work=work, pumped_entropy=pumped_entropy
    )
    gauge = gauge_of(coefs, setting.axial, landscape)
    tilted = conjugated(coefs, gauge)
    frame, degree, order = compact_frame(tilted, setting.axial, landscape)
    tilted = tilted if landscape is not None else rotated(tilted, frame)
    bound, first = largest_growth(tilted, landscape), Basis(degree, order).size
    for _ in range(ATTEMPTS):
        basis = Basis(degree, order)
        value, left, right, rounding = _eigenpair(basis, tilted, landscape, bound)
        tails = [edge_tails(basis, left), edge_tails(basis, right)]
        truncation = _truncation_error(basis, tilted, landscape, left, right, tails)
        limit = tolerance * (abs(value) + abs(coefs[LAPLACIAN]))
        if truncation + rounding <= limit and value.real <= bound + limit:
            return Leading(value, left, right, gauge, frame, basis, truncation + rounding)
        if rounding > limit and max(max(t) for t in tails) < 1e-3:
            break
        goal = 0.1 * np.sqrt(tolerance)
        tail_l, tail_m = (max(t) for t in zip(*tails, strict=True))
        if tail_l > goal or tail_m <= goal:
            degree = rung(degree * growth(tail_l, goal, 0.5))
        if not setting.axial and (tail_m > goal or tail_l <= goal):
            order = rung(order * growth(tail_m, goal, 1.0) + 1.0)
        order = min(order, degree)
        if degree > LARGEST_DEGREE or Basis(degree, order).size > LARGEST_GROWTH * first:
            break
    raise ResolutionError(
        f"the tilted generator at work = {work}, pumped_entropy = {pumped_entropy} leaves relative"
        f" errors of {truncation / limit * tolerance:.1e} by truncation ({basis}) and"
        f" {rounding / limit * tolerance:.1e} by rounding, above the tolerance {tolerance:.1e}"
    )


def _truncation_error(
    basis: Basis,
    coefs: Coefficients,
    landscape: Landscape | None,
    left: NDArray[Any],
    right: NDArray[Any],
    tails: list[tuple[float, float]],
) -> float:
    overlap = abs(left @ right)
    edge = float(np.sum(np.abs(coefs[1:7]))) * basis.l_max + abs(coefs[0]) * basis.l_max**2
    edge += float(np.sum(np.abs(coefs[7:17])))
    if landscape is not None:
        edge += _coupling(coefs, landscape, basis.l_max)
    # the error of a Galerkin eigenvalue is bilinear in the errors of its two eigenvectors
    product = max(tails[0]) * max(tails[1])
    # an eigenvector that is a polynomial has no tail: its derivative in k has one all the same
    product = max(product, 1e-4 * max(max(t) for t in tails) ** 2)
    product *= float(np.max(np.abs(left)) * np.max(np.abs(right))) * (2 * basis.m_max + 1)
    return float(edge * product / overlap)


def _coupling(coefs: Coefficients, landscape: Landscape, degree: int) -> float:
    """Size of the elements that a landscape's operators have at a degree."""
    from spintherm.fokker_planck.setting import sphere_points

    n = sphere_points()
    total = 0.0
    for place in np.flatnonzero(coefs[UNIFORM:]) + UNIFORM:
        name = OPERATOR_NAMES[place]
        first = name in ("gradient_energy", "gradient_torque", "bracket_energy", "bracket_torque")
        which = "energy" if "energy" in name else "torque"
        values = np.sqrt(landscape.values(f"square_{which}", n)) * degree if first else (
            landscape.values(name, n)
        )  # fmt: skip
        total += float(abs(coefs[place]) * np.max(np.abs(values)))
    return total


def _eigenpair(
    basis: Basis, coefs: Coefficients, landscape: Landscape | None, bound: float
) -> tuple[Any, NDArray[Any], NDArray[Any], float]:
    """Eigenvalue, left and right eigenvectors and rounding error of the eigenvalue.

    Arnoldi from the bound, then a last step of inverse iteration on both sides.
    """
    diffusion = float(coefs[LAPLACIAN].real)
    shift = bound + 1e-3 * (abs(bound) + diffusion)
    matrix = backward(basis, coefs, landscape)
    value, right = _nearest(matrix, factorise(basis, coefs, landscape, shift=shift), shift)
    left = np.zeros(basis.size)
    left[0] = 1.0
    for _ in range(LAST_STEPS):
        factors = factorise(basis, coefs, landscape, shift=value)
        right = _normed(factors.solve(right))
        left = _normed(factors.solve(left, transposed=True))
        left = _normed(factors.solve(left, transposed=True))
        overlap = left @ right
        before, value = value, (left @ (matrix @ right)) / overlap
        if abs(value - before) <= 1e-7 * (abs(value) + diffusion):
            break
    rounding = np.finfo(float).eps * (np.abs(left) @ (abs(matrix) @ np.abs(right))) / abs(overlap)
    rests = matrix @ right - value * right, matrix.T @ left - value * left
    # a two-sided Rayleigh quotient is off by the product of both residuals over the gap
    rounding += np.linalg.norm(rests[0]) * np.linalg.norm(rests[1]) / (abs(overlap) * diffusion)
    return value, left, right, 2.0 * float(rounding)


def _nearest(matrix: Any, factors: BandFactors, shift: float) -> tuple[Any, NDArray[Any]]:
    """Eigenvalue nearest to the shift (if complex, of largest real part among the nearest)."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    size = matrix.shape[0]
    if size <= SMALL:
        values, vectors = np.linalg.eig(matrix.toarray())
    else:
        kind = factors.factors.dtype
        inverse = LinearOperator(matrix.shape, matvec=factors.solve, dtype=kind)
        start = np.zeros(size, dtype=kind)
        start[0] = 1.0
        count = 4 if kind.kind == "c" else 1
        try:
            values, vectors = eigs(
                matrix,
                k=count,
                sigma=shift,
                OPinv=inverse,
                v0=start,
                ncv=KRYLOV,
                maxiter=RESTARTS,
                tol=1e-6,
            )
        except ArpackNoConvergence as problem:
            raise ResolutionError(
                "the leading eigenvalue of the tilted generator is not isolated enough to be found"
            ) from problem
    best = int(np.argmax(values.real))
    if matrix.dtype.kind == "c":
        return complex(values[best]), vectors[:, best]
    return float(values[best].real), np.asarray(vectors[:, best].real)


def _normed(vector: NDArray[Any]) -> NDArray[Any]:
    # two steps, since a solve at an eigenvalue may come near to overflow
    vector = vector / np.max(np.abs(vector))
    return np.asarray(vector / np.linalg.norm(vector))


def slope(setting: Setting, found: Leading, work: complex) -> tuple[Any, Any]:
    """Return the derivatives of lambda in k_W and k_S at the exponents of `found`."""
    first_W, first_S, second_W = counting_derivatives(
        setting.magnet, setting.field, setting.spin_torque
    )
    landscape = setting.landscape
    overlap = found.left @ found.right
    out = []
    for part in (first_W + work * second_W, first_S):
        here = conjugated(part, found.gauge)
        here = here if landscape is not None else rotated(here, found.frame)
        out.append(found.left @ (backward(found.basis, here, landscape) @ found.right) / overlap)
    return out[0], out[1]
