r"""The forward generator of a landscape by transforms to the sphere and back.

With a landscape the matrices of a generator are many and may be full, and along a protocol they
are needed once only. Applied to columns of coefficients p the generator
:math:`M = \eta T\Delta + X\cdot\nabla + W`, X a tangent field and W a function, is

.. math:: (M^T p)_i = \eta T\lambda_i p_i + \int p\,(X\cdot\nabla S_i + W S_i)\,d\Omega,

one synthesis of p at the nodes of a product quadrature, products there, and one analysis with
:math:`S_i` and the two components of its gradient,

.. math:: \partial_\theta\Theta_{lm} = \tfrac12\bigl[\sqrt{(l+m)(l-m+1)}\,\Theta_{l,m-1}
   - \sqrt{(l-m)(l+m+1)}\,\Theta_{l,m+1}\bigr], \qquad m\,\Theta_{lm}/\sin\theta .

Orders are taken apart by the azimuth's sums, so that the work is of order l_max³ instead of the
l_max⁴ of a full matrix. The nodes make products of degree 2 l_max + d exact: the result is that of
the Galerkin matrix, and the norm is kept to the last digit because :math:`\nabla S_0 = 0`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.generator import backward, multiplied_at
from spintherm.fokker_planck.harmonics import (
    Basis,
    Floats,
    Ints,
    Sparse,
    kept_by_size,
    laplacian,
    legendre,
)
from spintherm.fokker_planck.landscape import Landscape
from spintherm.fokker_planck.nodes import gauss_legendre
from spintherm.fokker_planck.slots import (
    BRACKETS,
    LAPLACIAN,
    LENGTH,
    UNIFORM,
    Coefficients,
    bracket_weights,
    gradient_weights,
)

COLUMNS = 96  # of a full matrix that are made together
DUST = 1e-17  # elements below this, relative to the largest, are rounding


@dataclass(frozen=True)
class Transform:
    """Synthesis and analysis in one basis.

    Attributes
    ----------
    basis : Basis
    n : ndarray, shape (K, J, 3)
        Nodes: meridians, parallels.
    weight : ndarray, shape (J,)
        Solid angle of a node.
    waves : ndarray, shape (K, 2 (m_max + 1))
        Azimuthal factors, cosines first.
    theta, slopes : ndarray, shapes (m_max + 1, J, l_max + 1) and (m_max + 1, 3 J, l_max + 1)
        Θ, and Θ, ∂Θ/∂θ and mΘ/sin θ below each other.
    """

    basis: Basis
    n: Floats
    weight: Floats
    waves: Floats
    theta: Floats
    slopes: Floats

    @cached_property
    def spread(self) -> Ints:
        """Unknown behind (order, degree, cosine or sine), or `size` where there is none."""
        M, L = self.basis.m_max + 1, self.basis.l_max + 1
        out = np.full((M, L, 2), self.basis.size)
        m = np.abs(self.basis.orders)
        out[m, self.basis.degrees, (self.basis.orders < 0).astype(int)] = np.arange(self.basis.size)
        return out

    @cached_property
    def gathered(self) -> Ints:
        """Place of each unknown in the flattened (cosine or sine, order, degree)."""
        M, L = self.basis.m_max + 1, self.basis.l_max + 1
        m, sine = np.abs(self.basis.orders), (self.basis.orders < 0).astype(int)
        return (sine * M + m) * L + self.basis.degrees

    @cached_property
    def turned(self) -> Floats:
        """`waves` under the azimuth's derivative over the order: cosines become minus sines."""
        cosines, sines = np.split(self.waves, 2, axis=1)
        return np.concatenate([-sines, cosines], axis=1)

    def room(self, columns: int, kind: type = float) -> NDArray[Any]:
        """Return memory, shape (3, K, J, columns), that `analysis` reads without copying it."""
        K, J = self.n.shape[:2]
        return np.empty((K, 3, J, columns), dtype=kind).transpose(1, 0, 2, 3)

    @cached_property
    def decay(self) -> Floats:
        """Eigenvalues of the Laplacian, shape (size,)."""
        return laplacian(self.basis)

    def synthesis(self, columns: Floats) -> Floats:
        """Return real columns (size, c) as functions at the nodes, shape (K, J, c)."""
        M, L, c = self.basis.m_max + 1, self.basis.l_max + 1, columns.shape[1]
        padded = np.concatenate([columns, np.zeros((1, c))])
        parts = padded[self.spread].reshape(M, L, 2 * c)
        orders = (self.theta @ parts).reshape(M, -1, 2, c).transpose(2, 0, 1, 3)
        values = self.waves @ orders.reshape(2 * M, -1)
        return np.asarray(values.reshape(len(self.waves), -1, c))

    def analysis(self, products: Floats) -> Floats:
        """Return the integrals with S_i and the two components of ∇S_i.

        Parameters
        ----------
        products : ndarray, shape (3, K, J, c)
            p W, p X_θ and p X_φ, times the weights.

        Returns
        -------
        ndarray, shape (size, c)
        """
        M, L, c = self.basis.m_max + 1, self.basis.l_max + 1, products.shape[-1]
        J = products.shape[2]
        flat = products.transpose(1, 0, 2, 3).reshape(len(self.waves), -1)
        orders = np.empty((2 * M, 3 * J * c))
        cut = 2 * J * c
        np.matmul(self.waves.T, flat[:, :cut], out=orders[:, :cut])
        np.matmul(self.turned.T, flat[:, cut:], out=orders[:, cut:])
        found = self.slopes.transpose(0, 2, 1) @ orders.reshape(2, M, 3 * J, c)
        return np.asarray(found.reshape(2 * M * L, c)[self.gathered])


@kept_by_size
def _tables(basis: Basis, degree: int) -> tuple[Floats, ...]:
    cosine, weight = gauss_legendre(basis.l_max + degree // 2 + 1)
    sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
    count = 1 if basis.m_max == 0 else 2 * basis.m_max + degree + 1
    phi = 2.0 * np.pi * (np.arange(count) + 0.5) / count
    n = np.empty((count, len(cosine), 3))
    n[..., 0] = np.cos(phi)[:, None] * sine
    n[..., 1] = np.sin(phi)[:, None] * sine
    n[..., 2] = cosine
    m = np.arange(basis.m_max + 1)
    scale = np.where(m == 0, 1.0, np.sqrt(2.0))
    turns = np.outer(phi, m)
    waves = np.concatenate([scale * np.cos(turns), scale * np.sin(turns)], axis=1)
    theta = _padded_legendre(Basis(basis.l_max, min(basis.m_max + 1, basis.l_max)), cosine, sine)
    ell = np.arange(basis.l_max + 1.0)
    slopes = np.zeros((3, basis.m_max + 1, len(cosine), basis.l_max + 1))
    slopes[0] = theta[: basis.m_max + 1]
    for order in m:
        up = np.sqrt(np.maximum((ell - order) * (ell + order + 1.0), 0.0))
        above = theta[order + 1] if order + 1 < len(theta) else np.zeros_like(theta[0])
        if order == 0:
            slopes[1, 0] = -up * above
            continue
        down = np.sqrt(np.maximum((ell + order) * (ell - order + 1.0), 0.0))
        slopes[1, order] = 0.5 * (down * theta[order - 1] - up * above)
        slopes[2, order] = order * theta[order] / sine[:, None]
    # below the order there is no function, though the formula has one
    slopes[1] *= ell >= m[:, None, None]
    stacked = slopes.transpose(1, 0, 2, 3).reshape(basis.m_max + 1, -1, basis.l_max + 1)
    share = weight * 2.0 * np.pi / count
    return n, share, waves, np.ascontiguousarray(slopes[0]), np.ascontiguousarray(stacked)


def _padded_legendre(basis: Basis, cosine: Floats, sine: Floats) -> Floats:
    """Θ_lm at nodes (J,), shape (m_max + 1, J, l_max + 1)."""
    values = legendre(basis, cosine, sine)
    out = np.zeros((basis.m_max + 1, len(cosine), basis.l_max + 1))
    for m in range(basis.m_max + 1):
        ell = np.arange(m, basis.l_max + 1)
        out[m][:, ell] = values[:, basis.index(ell, m)]
    return out


def transform(basis: Basis, degree: int) -> Transform:
    """Return the transform whose nodes are exact for 2 l_max + degree."""
    return Transform(basis, *_tables(basis, degree))


@dataclass(frozen=True)
class Field:
    """Generators at the nodes of a transform, for any coefficients of a landscape.

    Attributes
    ----------
    transform : Transform
    multiplied : ndarray, shape (len(active), K J)
        Functions that W is made of.
    along, across : ndarray, shape (5, K J)
        Components of the gradients of the span's functions along θ and φ.
    active : ndarray of int
        Places in the coefficient vector of the multiplications among them.
    """

    transform: Transform
    multiplied: Floats
    along: Floats
    across: Floats
    active: NDArray[np.intp]

    def at(self, coefs: Coefficients) -> Floats:
        """Return W, X_θ and X_φ times the weights, shape (..., 3, K, J), of backward generators."""
        u, v = gradient_weights(coefs), bracket_weights(coefs)
        values = (
            coefs[..., self.active] @ self.multiplied,
            u @ self.along - v @ self.across,
            u @ self.across + v @ self.along,
        )
        shape = self.transform.n.shape[:2]
        stacked = np.stack(values, axis=-2).reshape(*coefs.shape[:-1], 3, *shape)
        return np.asarray(stacked * self.transform.weight)


@kept_by_size
def _field_tables(
    basis: Basis, landscape: Landscape, active: tuple[int, ...], degree: int
) -> tuple[Floats, ...]:
    n = transform(basis, degree).n
    unit = np.eye(LENGTH)
    multiplied = [multiplied_at(unit[place], landscape, n).ravel() for place in active]
    sine = np.hypot(n[..., 0], n[..., 1])[..., None]
    e_phi = np.cross([0.0, 0.0, 1.0], n) / sine
    e_theta = np.cross(e_phi, n)
    slopes = [landscape.slope(w, n) for w in np.eye(5)]
    along = np.stack([np.sum(s * e_theta, axis=-1).ravel() for s in slopes])
    across = np.stack([np.sum(s * e_phi, axis=-1).ravel() for s in slopes])
    table = np.array(multiplied) if multiplied else np.zeros((0, along.shape[1]))
    return table, along, across


def field_of(basis: Basis, landscape: Landscape, coefs: Coefficients) -> Field:
    """Return the tables for all coefficient vectors (..., `slots.LENGTH`) like the given ones."""
    flat = np.asarray(coefs).reshape(-1, LENGTH)
    used = np.flatnonzero(np.any(flat != 0.0, axis=0))
    degree = max((landscape.degree(int(k)) for k in used if k >= UNIFORM), default=0)
    degree = max(degree, 2)
    active = tuple(int(k) for k in used if 7 <= k < UNIFORM or k > BRACKETS[-1])
    multiplied, along, across = _field_tables(basis, landscape, active, degree)
    places = np.array(active, dtype=np.intp)
    return Field(transform(basis, degree), multiplied, along, across, places)


def function_coefficients(basis: Basis, landscape: Landscape, coefs: Coefficients) -> Floats:
    """Harmonic coefficients of M 1, shape (size,)."""
    here = field_of(basis, landscape, coefs)
    products = here.at(coefs)[..., None].copy()
    products[1:] = 0.0
    return here.transform.analysis(products)[:, 0]


@kept_by_size
def full_matrix(basis: Basis, landscape: Landscape, coefs: bytes) -> Sparse:
    """Backward generator of a coefficient vector, given as its bytes, column by column."""
    from scipy.sparse import csr_array

    row = np.frombuffer(coefs)
    here = field_of(basis, landscape, row)
    fields, size = here.at(row)[..., None], basis.size
    out = np.empty((size, size))
    for start in range(0, size, COLUMNS):
        part = np.eye(size, min(COLUMNS, size - start), -start)
        found = here.transform.analysis(fields * here.transform.synthesis(part))
        out[start : start + COLUMNS] = found.T  # columns of the forward generator
    diagonal = np.arange(size)
    out[diagonal, diagonal] += row[LAPLACIAN] * here.transform.decay
    out[np.abs(out) <= DUST * np.max(np.abs(out))] = 0.0
    return csr_array(out)


@kept_by_size
def full_operators(basis: Basis, landscape: Landscape, places: tuple[int, ...]) -> Floats:
    """Matrices of the operators at places of the coefficient vector, shape (n, size²)."""
    unit = np.eye(LENGTH)
    found = [backward(basis, unit[place], landscape).toarray().ravel() for place in places]
    return np.array(found).reshape(len(places), basis.size**2)


def changes(basis: Basis, landscape: Landscape, coefs: Coefficients, columns: Floats) -> Floats:
    """Return M_i^T times column i, shape (size, n), for backward coefficients (n, LENGTH)."""
    here = field_of(basis, landscape, coefs)
    out = np.empty_like(columns)
    for i, row in enumerate(coefs):
        values = here.transform.synthesis(columns[:, [i]])
        out[:, [i]] = here.transform.analysis(here.at(row)[..., None] * values)
        out[:, i] += row[LAPLACIAN] * here.transform.decay * columns[:, i]
    return out


def means(basis: Basis, landscape: Landscape, coefs: Coefficients, columns: Floats) -> Floats:
    """Return the means of M_i 1 with the densities in the columns, shape (n,)."""
    here = field_of(basis, landscape, coefs)
    out = np.empty(columns.shape[1])
    for i, row in enumerate(coefs):
        values = here.transform.synthesis(columns[:, [i]])[..., 0]
        out[i] = float(np.sum(here.at(row)[0] * values))
    return out
