r"""An anisotropy as a sum of functions of one axis each, for maps that keep the sphere's area.

.. math:: E_a(n) = \sum_j \sum_{d} w_{jd}\,(n\cdot a_j)^d + \text{const}, \qquad d = 2, \dots, D .

Any even polynomial is such a sum (powers of linear forms span the forms of a degree). A quadratic
form has its principal axes, an energy of one axis that axis; of other energies the sum of the
moduli of the weights is made least over axes of a cubic crystal and axes that are in general
position, which leaves few of them.
"""

from __future__ import annotations

from itertools import product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spintherm.energies import Anisotropy
from spintherm.equilibrium import lebedev

FloatArray = NDArray[np.float64]
Term: TypeAlias = tuple[tuple[float, float, float], tuple[float, ...], tuple[float, ...]]

_NEGLIGIBLE = 1e-12
_SPARE = 2  # axes in general position, over the dimension of the forms


def axial_terms(energy: Anisotropy) -> tuple[Term, ...]:
    """Return axes with dE/dc as polynomials of c = n·a, in the form of a kernel's polarisers.

    Parameters
    ----------
    energy : Anisotropy
        E_a.

    Returns
    -------
    tuple of (direction, numerator, ())
        Their sum differs from E_a by a constant, to rounding.
    """
    if energy.is_constant:
        return ()
    axis = energy.axis
    if axis is not None:
        axes = axis[None]
    elif energy.degree == 2:
        axes = _principal(energy)
    else:
        axes = np.concatenate((_cubic(), _general(energy.degree)))
    powers = np.arange(2, energy.degree + 1, 2)
    weights = _fitted(energy, axes, powers, sparse=len(axes) > 3)
    found = []
    for one, row in zip(axes, weights, strict=True):
        if np.any(row):
            numerator = np.zeros(energy.degree)
            numerator[powers - 1] = powers * row
            x, y, z = one.tolist()
            found.append(((x, y, z), tuple(numerator.tolist()), ()))
    return tuple(found)


def _principal(energy: Anisotropy) -> FloatArray:
    """Principal axes of a quadratic form but that of its middle value, shape (2, 3)."""
    a, b, c, d, e, f = energy.coefficients.tolist()
    matrix = np.array([[a, b / 2, c / 2], [b / 2, d, e / 2], [c / 2, e / 2, f]])
    return np.asarray(np.linalg.eigh(matrix)[1].T[[0, 2]])


def _cubic() -> FloatArray:
    """Axes [100], [110], [111] of a cubic crystal along x, y, z, shape (13, 3)."""
    lines = [np.array(v, dtype=float) for v in product((0, 1, -1), repeat=3) if v > (0, 0, 0)]
    return np.array([v / np.linalg.norm(v) for v in lines])


def _general(degree: int) -> FloatArray:
    """Axes on half a Fibonacci lattice, more than forms of the degree have coefficients."""
    count = (degree + 1) * (degree + 2) // 2 + _SPARE
    k = np.arange(count) + 0.5
    z, phi = 1.0 - k / count, np.pi * (1.0 + np.sqrt(5.0)) * k
    across = np.sqrt(1.0 - z * z)
    return np.stack((across * np.cos(phi), across * np.sin(phi), z), axis=-1)


def _fitted(
    energy: Anisotropy, axes: FloatArray, powers: NDArray[np.int64], *, sparse: bool
) -> FloatArray:
    """Weights (axes, powers) of the sum, few of them if `sparse`."""
    nodes, _ = lebedev(17)  # exact for the squares of forms of degree 8: enough to tell them apart
    columns = ((nodes @ axes.T)[:, :, None] ** powers).reshape(len(nodes), -1)
    columns = columns - columns.mean(axis=0)
    values = energy(nodes)
    values = values - values.mean()
    scale = float(np.abs(values).max())
    kept = np.arange(columns.shape[1])
    if sparse:
        chosen = _fewest(columns, values / scale)
        if np.abs(columns[:, chosen] @ _solved(columns[:, chosen], values) - values).max() <= (
            _NEGLIGIBLE * scale
        ):
            kept = chosen
    weights = np.zeros(columns.shape[1])
    weights[kept] = _solved(columns[:, kept], values)
    weights[np.abs(weights) <= _NEGLIGIBLE * scale] = 0.0
    return weights.reshape(len(axes), len(powers))


def _solved(columns: FloatArray, values: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.lstsq(columns, values, rcond=1e-12)[0])


def _fewest(columns: FloatArray, values: FloatArray) -> NDArray[np.intp]:
    """Columns of the solution with the least sum of moduli."""
    from scipy.optimize import linprog

    basis = np.linalg.svd(columns, full_matrices=False)
    rank = int(np.sum(1e-10 * basis.S[0] < basis.S))
    reduced = basis.U[:, :rank].T
    matrix = reduced @ columns
    size = columns.shape[1]
    found = linprog(
        np.ones(2 * size), A_eq=np.hstack((matrix, -matrix)), b_eq=reduced @ values, method="highs"
    )
    if found.x is None:
        return np.arange(size)
    return np.flatnonzero(np.abs(found.x[:size] - found.x[size:]) > 1e-7)
