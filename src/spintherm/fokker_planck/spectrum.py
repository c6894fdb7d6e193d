r"""Relaxation spectrum of the generator: slowest eigenvalues of the Fokker-Planck operator.

The eigenvalues are computed for :math:`e^{-\phi} M^T e^{\phi}` with
:math:`\phi = H_d\cdot m/2T`, which has the same spectrum but is symmetric up to the precession,
so that they are well conditioned in fields of any strength. For P parallel to H the orders m
decouple: every eigenvalue is :math:`-\mu \pm i m \Omega` with :math:`\Omega = \gamma_0 H_p`
and :math:`-\mu` an eigenvalue of the symmetric operator
:math:`\eta T[\Delta + \xi c - \tfrac14\xi^2(1 - c^2)]` at that order. Otherwise they are found by
shift-and-invert around the multiples of the precession frequency.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintherm import validation
from spintherm.fokker_planck.band import factorise
from spintherm.fokker_planck.generator import (
    GRADIENT,
    LAPLACIAN,
    ROTATION,
    Coefficients,
    ResolutionError,
    active_operators,
    adjoint,
    conjugated,
    operator_stack,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.harmonics import degree_step as step
from spintherm.fokker_planck.resolution import edge_tails
from spintherm.fokker_planck.responses import GAUGED_SHARE

if TYPE_CHECKING:
    from spintherm.fokker_planck.setting import Setting

DENSE_SIZE = 500
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
