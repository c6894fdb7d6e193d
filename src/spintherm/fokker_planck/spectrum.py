r"""Relaxation spectrum of the generator: slowest eigenvalues of the Fokker-Planck operator.

The eigenvalues are computed for :math:`e^{-\phi} M^T e^{\phi}` with
:math:`\phi = H_d\cdot m/2T`, which has the same spectrum but is symmetric up to the precession,
so that they are well conditioned in fields of any strength. For P parallel to H the orders m
decouple: every eigenvalue is :math:`-\mu \pm i m \Omega` with :math:`\Omega = \gamma_0 H_p`
and :math:`-\mu` an eigenvalue of the symmetric operator
:math:`\eta T[\Delta + \xi c - \tfrac14\xi^2(1 - c^2)]` at that order. Otherwise they are found by
shift-and-invert around the multiples of the precession frequency.

With a landscape :math:`\phi = U/2\eta T`, U the potential of the drift's gradient part, and the
eigenvalues are found in full in a small basis, which tells where to look in a larger one. The
slowest mode of an axial magnet comes from `axial`, to relative accuracy behind any barrier; others
have the absolute accuracy of a matrix, some 1e-14 of its fastest rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintherm import validation
from spintherm.fokker_planck.axial import axial_problem
from spintherm.fokker_planck.band import factorise
from spintherm.fokker_planck.generator import (
    GRADIENT,
    LAPLACIAN,
    ROTATION,
    Coefficients,
    ResolutionError,
    active_operators,
    adjoint,
    backward,
    conjugated,
    operator_stack,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.harmonics import degree_step as step
from spintherm.fokker_planck.resolution import edge_tails
from spintherm.fokker_planck.responses import GAUGED_SHARE
from spintherm.fokker_planck.slots import GRADIENTS, gradient_weights

if TYPE_CHECKING:
    from spintherm.fokker_planck.setting import Setting

DENSE_SIZE = 500
SEARCH_SIZE = 700  # of a basis in which all eigenvalues of a landscape are found
REFINEMENTS = 2
ATTEMPTS = 6
LARGEST_TAIL = 1e-6  # it enters the eigenvalues squared

Eigenvalues = NDArray[np.complex128]


def spectrum(setting: Setting, basis: Basis, count: int) -> Eigenvalues:
    """Return the `count` eigenvalues of slowest decay, without the steady state's zero.

    Parameters
    ----------
    setting : Setting
    basis : Basis
        That of the steady state.
    count : int

    Returns
    -------
    ndarray of complex, shape (count,)
        Sorted by decay rate; minus the real part is a relaxation rate, the imaginary part an
        angular frequency. Complex pairs are both listed (a pair may be cut at the end).

    Raises
    ------
    ResolutionError
        If the eigenfunctions cannot be resolved.
    """
    validation.positive_integer("count", count)
    if setting.landscape is not None:
        return _with_landscape(setting, basis, count)
    extra = count
    for _ in range(ATTEMPTS):
        if setting.axial:
            values, tail = _axial(setting, basis.l_max + extra, count)
        else:
            degree = int(GAUGED_SHARE * basis.l_max) + extra
            larger = Basis(degree, min(basis.m_max + extra // 2 + 1, degree))
            values, tail = _tilted(setting, larger, count)
        if tail <= LARGEST_TAIL:
            return values[:count]
        extra = int(1.5 * extra) + 4 + basis.l_max // 8
    raise ResolutionError(f"the eigenfunctions keep a relative tail of {tail:.0e}")


def _with_landscape(setting: Setting, basis: Basis, count: int) -> Eigenvalues:
    degree = max(int(GAUGED_SHARE * basis.l_max) + 4, 8)
    order = degree if basis.m_max == basis.l_max else int(0.75 * basis.m_max) + 4
    for _ in range(ATTEMPTS):
        if setting.axial:
            values, tail = _axial_landscape(setting, degree + count, count)
        else:
            values, tail = _searched(setting, Basis(degree, min(order, degree)), count)
        if tail <= LARGEST_TAIL:
            return values[:count]
        degree, order = int(1.25 * degree) + 2, int(1.25 * order) + 2
    raise ResolutionError(f"the eigenfunctions keep a relative tail of {tail:.0e}")


def symmetrised_landscape(coefs: Coefficients) -> Coefficients:
    """Coefficients of the forward generator seen through exp(-phi), phi = U/2 eta T."""
    half = gradient_weights(coefs) / (2.0 * coefs[LAPLACIAN])
    out = conjugated(adjoint(coefs), -half)
    out[GRADIENT] = 0.0
    out[list(GRADIENTS)] = 0.0
    return out


def _axial_landscape(setting: Setting, l_max: int, count: int) -> tuple[Eigenvalues, float]:
    """Slowest eigenvalues of all orders up to `count`, order by order."""
    coefs = symmetrised_landscape(setting.coefs)
    basis = Basis(l_max, min(count, l_max))
    matrix = backward(basis, coefs, setting.landscape).tocsr()
    found, tails = [], []
    for order in range(basis.m_max + 1):
        places = np.flatnonzero(np.abs(basis.orders) == order)
        block = matrix[places][:, places].toarray()
        if order == 0:
            values, vectors = np.linalg.eigh(0.5 * (block + block.T))
            values, vectors = values[::-1][1:], vectors[:, ::-1][:, 1:]
            values = values.astype(complex)
            values[0] = -axial_problem(setting).slowest()
        else:
            values, vectors = np.linalg.eig(block)
        slow = np.argsort(-values.real, kind="stable")[: 2 * count]
        edge = basis.degrees[places] >= l_max - 1
        sizes = np.abs(vectors[:, slow])
        tails.append(float(np.max(sizes[edge][:, :count])))
        found.append(values[slow])
    every = np.concatenate(found)
    return every[_order(every)], max(tails)


def _searched(setting: Setting, basis: Basis, count: int) -> tuple[Eigenvalues, float]:
    """Eigenpairs from those of a basis small enough for all of them."""
    coefs, landscape = symmetrised_landscape(setting.coefs), setting.landscape
    small = basis
    while small.size > SEARCH_SIZE:
        small = Basis(small.l_max - 1, min(small.m_max, small.l_max - 1))
    values, vectors = np.linalg.eig(backward(small, coefs, landscape).toarray())
    order = _order(values)[: count + 1]
    values, vectors = values[order], vectors[:, order]
    if small != basis:
        values, vectors = _refined(setting, basis, coefs, values, small, vectors)
        order = _order(values)
        values, vectors = values[order], vectors[:, order]
    keep = np.arange(len(values)) != np.argmin(np.abs(values))
    tails = [max(edge_tails(basis, v)) for v in vectors[:, keep].T]
    values = values[keep]
    real = np.abs(values.imag) <= 1e-9 * np.abs(values)
    return np.where(real, values.real, values).astype(complex), max(tails)


def _refined(
    setting: Setting,
    basis: Basis,
    coefs: Coefficients,
    values: Any,
    small: Basis,
    vectors: Any,
) -> tuple[Any, Any]:
    """Rayleigh quotient iterations in a larger basis from eigenpairs of a small one."""
    matrix = backward(basis, coefs, setting.landscape)
    better, modes = [], []
    for guess, vector in zip(values, vectors.T, strict=True):
        value, mode = complex(guess), small.embed(vector, basis)
        for _ in range(REFINEMENTS):
            # the zero mode and its neighbours: a shift off the value keeps the factors finite
            factors = factorise(basis, coefs, setting.landscape, shift=value * (1.0 + 1e-10))
            right = factors.solve(mode)
            left = factors.solve(mode.conj(), transposed=True)
            right, left = right / np.linalg.norm(right), left / np.linalg.norm(left)
            value, mode = complex((left @ (matrix @ right)) / (left @ right)), right
        better.append(value)
        modes.append(mode)
    return np.array(better), np.stack(modes, axis=-1)


def _tilted(setting: Setting, basis: Basis, count: int) -> tuple[Eigenvalues, float]:
    """Slowest non-zero eigenvalues and the largest tail of their eigenfunctions."""
    coefs = symmetrised(setting.coefs)
    if basis.size <= DENSE_SIZE:
        stack = operator_stack(basis, active_operators(coefs))
        values, vectors = np.linalg.eig(stack.matrix(coefs).toarray())
    else:
        values, vectors = _shifted(setting, basis, coefs, count)
    order = _order(values)
    order = order[order != np.argmin(np.abs(values))][:count]
    tails = [max(edge_tails(basis, vectors[:, i])) for i in order]
    values = values[order]
    real = np.abs(values.imag) <= 1e-9 * np.abs(values)
    return np.where(real, values.real, values).astype(complex), max(tails)


def symmetrised(coefs: Coefficients) -> Coefficients:
    """Coefficients of the forward generator seen through exp(-phi), phi = H_d·m/2T."""
    half = coefs[GRADIENT] / (2.0 * coefs[LAPLACIAN])
    out = conjugated(adjoint(coefs), -half)
    out[GRADIENT] = 0.0  # cancels up to rounding
    return out


def _axial(setting: Setting, l_max: int, count: int) -> tuple[Eigenvalues, float]:
    from scipy.linalg import eig_banded

    diffusion = float(setting.coefs[LAPLACIAN])
    pull = float(setting.coefs[GRADIENT][2]) / diffusion
    turn = float(setting.coefs[ROTATION][2])
    found, tails = [], []
    for order in range(count + 1):
        skip = 1 if order == 0 else 0
        band = _axial_band(order, max(l_max, order + 2 * count + 8), pull)
        size = band.shape[1]
        last = size - 1 - skip
        first = max(last - count + 1, 0)
        mu, vectors = eig_banded(band, lower=True, select="i", select_range=(first, last))
        tails.append(float(np.max(np.abs(vectors[-2:]))))
        found.append(diffusion * mu + 1j * order * turn)
        if order:
            found.append(diffusion * mu - 1j * order * turn)
    values = np.concatenate(found)
    return values[_order(values)], max(tails)


def _axial_band(order: int, l_max: int, pull: float) -> Floats:
    """Lower bands of Laplacian + pull c - pull²(1 - c²)/4 at one order m, shape (3, size)."""
    ell = np.arange(order, l_max + 1)
    a = step(ell, order)
    below = np.concatenate([[0.0], a[:-1]])
    band = np.zeros((3, len(ell)))
    band[0] = -ell * (ell + 1.0) - 0.25 * pull**2 * (1.0 - a**2 - below**2)
    band[1, :-1] = pull * a[:-1]
    band[2, :-2] = 0.25 * pull**2 * a[:-2] * a[1:-1]
    return band


def _shifted(
    setting: Setting, basis: Basis, coefs: Coefficients, count: int
) -> tuple[Eigenvalues, NDArray[np.complex128]]:
    """Eigenpairs nearest to the multiples of the precession frequency, duplicates removed."""
    from scipy.sparse.linalg import LinearOperator, eigs

    stack = operator_stack(basis, active_operators(coefs))
    matrix = stack.matrix(coefs).astype(complex)
    start = np.random.default_rng(0).normal(size=basis.size).astype(complex)
    turn = _turn(setting.coefs)
    diffusion = float(setting.coefs[LAPLACIAN])
    distance = 1e-9 * (diffusion + float(np.max(np.abs(coefs))))
    values: list[complex] = []
    vectors: list[NDArray[np.complex128]] = []
    # a mode of order m decays faster than the pairs of every order from 1 to m - 1
    for order in range(count // 2 + 2 if turn > 0.0 else 1):
        shift = complex(0.3 * diffusion, order * turn)
        factors = factorise(basis, coefs, shift=shift)
        inverse = LinearOperator(matrix.shape, matvec=factors.solve, dtype=complex)
        near, modes = eigs(matrix, k=count + 2, sigma=shift, OPinv=inverse, v0=start, tol=1e-12)
        for value, mode in zip(
            np.concatenate([near, near.conj()]), (*modes.T, *modes.T.conj()), strict=True
        ):
            if all(abs(value - other) > distance for other in values):
                values.append(complex(value))
                vectors.append(mode)
    return np.array(values), np.stack(vectors, axis=-1)


def _turn(coefs: Coefficients) -> float:
    """Angular frequency of the flow's fixed points: imaginary part of sqrt((b + i r)²)."""
    b, r = coefs[GRADIENT], coefs[ROTATION]
    return float(abs(np.sqrt(complex(b @ b - r @ r, 2.0 * b @ r)).imag))


def _order(values: Any) -> NDArray[np.intp]:
    """Places by rising decay, conjugate pairs with the positive frequency first."""
    digits = 9 - int(np.ceil(np.log10(np.max(np.abs(values)) + 1e-300)))
    return np.lexsort((-values.imag, np.round(-values.real, digits)))
