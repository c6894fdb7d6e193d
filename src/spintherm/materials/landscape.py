r"""The landscape of an anisotropy: its deepest well, the stiffness there, and the way out.

For small angles about a minimum the energy grows as (k₁u² + k₂v²)/2 with the stiffnesses k₁, k₂;
over the moment they are the two stiffness fields of the well, both 2K/M for a uniaxial magnet. An
even energy has every minimum twice, at n and -n. The barrier is the least height that has to be
climbed on a way from the deepest minimum to its opposite, be it by way of others.

Units: those of the energy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spintherm import display
from spintherm.energies import Anisotropy
from spintherm.validation import FloatArray

_GRID = 4000
_NEAR = 9
_ITERATIONS = 60
_STEP = 2e-3
_LONGEST = 0.05
"""Longest step of Newton's method in radians, about the spacing of the grid."""


@dataclass(frozen=True)
class Well:
    """The deepest well of an energy landscape.

    Attributes
    ----------
    direction : ndarray, shape (3,)
        A minimum n; -n is another.
    energy : float
        At the minimum.
    stiffness : ndarray, shape (2,)
        Curvatures k₁ <= k₂ along the sphere, energy per radian squared.
    barrier : float
        Height of the lowest way from n to -n; 0 in an easy plane.
    """

    direction: FloatArray
    energy: float
    stiffness: FloatArray
    barrier: float

    def _repr_html_(self) -> str:
        return display.well_card(self)


def deepest_well(anisotropy: Anisotropy) -> Well:
    """Find the deepest minimum of an anisotropy, its stiffnesses and its barrier.

    Quadratic energies from the eigenvalues of their matrix: the barrier is the middle one less the
    smallest. Others by a flood of a grid on the sphere that is refined with Newton's method.

    Parameters
    ----------
    anisotropy : Anisotropy
        Not constant.

    Returns
    -------
    Well
        The well.

    Raises
    ------
    ValueError
        If the energy is constant.
    """
    if anisotropy.is_constant:
        raise ValueError("anisotropy: expected an energy that depends on the direction")
    if anisotropy.degree == 2:
        return _quadratic(anisotropy)
    n = _directions(_GRID)
    start, top = _flood(n, anisotropy(n))
    bottom, saddle = _critical(anisotropy, n[start]), _critical(anisotropy, n[top])
    energy = float(anisotropy(bottom))
    height = max(float(anisotropy(saddle)) - energy, 0.0)
    stiffness = np.asarray(np.linalg.eigvalsh(_hessian(anisotropy, bottom)), dtype=np.float64)
    return Well(bottom, energy, stiffness, height)


def _quadratic(anisotropy: Anisotropy) -> Well:
    terms = dict(anisotropy.terms)
    matrix = np.zeros((3, 3))
    for exponents, value in terms.items():
        i, j = (axis for axis, power in enumerate(exponents) for _ in range(power))
        matrix[i, j] += 0.5 * value
        matrix[j, i] += 0.5 * value
    values, vectors = np.linalg.eigh(matrix)
    axis = vectors[:, 0] * np.sign(vectors[np.argmax(np.abs(vectors[:, 0])), 0])
    stiffness = 2.0 * (values[1:] - values[0])
    return Well(axis + 0.0, float(values[0]), stiffness, float(values[1] - values[0]))


def _directions(count: int) -> FloatArray:
    """Return directions spread evenly over the sphere, the second half opposite to the first."""
    k = np.arange(count // 2)
    z = (k + 0.5) / (count // 2)
    phi = np.pi * (3.0 - np.sqrt(5.0)) * k
    radius = np.sqrt(1.0 - z**2)
    upper = np.column_stack((radius * np.cos(phi), radius * np.sin(phi), z))
    return np.concatenate((upper, -upper))


def _flood(n: FloatArray, energy: FloatArray) -> tuple[int, int]:
    """Return the indices of the deepest point and of the pass between it and its opposite.

    Points are flooded in the order of their energy; the pass is the one that joins the two.
    """
    from scipy.spatial import KDTree

    near = KDTree(n).query(n, _NEAR)[1][:, 1:].tolist()
    order = np.argsort(energy, kind="stable").tolist()
    first, half = order[0], len(order) // 2
    opposite = (first + half) % len(order)
    parent = list(range(len(order)))
    wet = [False] * len(order)

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for point in order:
        wet[point] = True
        for other in near[point]:
            if wet[other]:
                parent[root(other)] = root(point)
        if wet[opposite] and root(first) == root(opposite):
            return first, point
    raise AssertionError("the whole sphere is under water and not connected")


def _critical(anisotropy: Anisotropy, start: FloatArray) -> FloatArray:
    """Return the point near `start` where the gradient vanishes, by Newton's method.

    Along directions in which the energy does not change the step is zero (least squares).
    """
    n = start
    for _ in range(_ITERATIONS):
        slope = np.linalg.norm(anisotropy.gradient(n))
        if slope <= 1e-14 * anisotropy.half_range:
            break
        frame = _frame(n)
        step = np.linalg.lstsq(
            _hessian(anisotropy, n), -frame @ anisotropy.gradient(n), rcond=1e-6
        )[0]
        length = float(np.linalg.norm(step))
        moved = n + (step @ frame) * min(1.0, _LONGEST / max(length, 1e-300))
        n = moved / np.linalg.norm(moved)
        if length < 1e-12:
            break
    return np.asarray(n)


def _hessian(anisotropy: Anisotropy, n: FloatArray) -> FloatArray:
    """Return the second derivatives along the sphere at n, (2, 2), by fourth-order differences."""
    frame = _frame(n)
    columns = []
    angles = _STEP * np.array([[-2.0], [-1.0], [1.0], [2.0]])
    weights = np.array([1.0, -8.0, 8.0, -1.0]) / (12.0 * _STEP)
    for tangent in frame:
        along = anisotropy.gradient(np.cos(angles) * n + np.sin(angles) * tangent)
        columns.append(frame @ (weights @ along))
    H = np.array(columns)
    return np.asarray(0.5 * (H + H.T))


def _frame(n: FloatArray) -> FloatArray:
    """Return two tangents at n, shape (2, 3)."""
    helper = np.zeros(3)
    helper[np.argmin(np.abs(n))] = 1.0
    first = np.cross(helper, n)
    first /= np.linalg.norm(first)
    return np.stack((first, np.cross(n, first)))
