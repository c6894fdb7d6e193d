r"""Real spherical harmonics: the basis of the density engine, and the operators written in it.

With :math:`c = \cos\theta` and :math:`\Theta_{lm}(c) \ge 0` near the pole (no Condon-Shortley
sign), normalised so that :math:`2\pi\int\Theta_{lm}^2\,dc = 1`, the basis functions are

.. math:: S_{l0} = \Theta_{l0}, \quad S_{l,m} = \sqrt2\,\Theta_{lm}\cos m\varphi, \quad
          S_{l,-m} = \sqrt2\,\Theta_{lm}\sin m\varphi \qquad (m > 0),

orthonormal on the unit sphere: :math:`\int S_{lm} S_{l'm'}\,d\Omega = \delta\delta`. In them every
operator that the density engine needs is a real sparse matrix:

* ``n_x, n_y, n_z``: multiplication by the components of the direction n; couples l to l±1;
* ``rotation_x, ...``: the components of :math:`R = n\times\nabla`, antisymmetric, diagonal in l;
* ``laplacian``: :math:`\Delta = -l(l+1)`;
* ``gradient_x, ...``: the surface gradient :math:`\nabla_S = \tfrac12[\Delta, n] + n`.

All matrices are Galerkin projections, exact up to rounding: an element (i, j) is the integral
:math:`\int S_i\,O S_j\,d\Omega` of the operator on the whole sphere, whatever the truncation.
Everything here is dimensionless.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from threading import Lock
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Sparse: TypeAlias = Any  # scipy.sparse has no types


Made = TypeVar("Made")

KEPT_UNKNOWNS = 150_000
"""Sizes of the bases whose operators are kept add up to at most this, for each function."""

KEPT_BYTES = 3 << 28
"""Memory of the matrices that `kept_by_size` keeps."""

_STORES: list[tuple[OrderedDict[Any, Any], list[int], Lock]] = []
_LARGE: OrderedDict[Any, Any] = OrderedDict()
_LARGE_HELD, _LARGE_LOCK = [0], Lock()
_STORES.append((_LARGE, _LARGE_HELD, _LARGE_LOCK))


def forget() -> None:
    """Drop all operators that are kept."""
    for store, held, lock in _STORES:
        with lock:
            store.clear()
            held[0] = 0


def kept_by_size(make: Callable[..., Made]) -> Callable[..., Made]:
    """Cache a function that makes sparse or dense matrices, the longest unused going first.

    All such functions together keep at most `KEPT_BYTES`.
    """
    name = make.__qualname__

    @wraps(make)
    def choose(*options: Any) -> Made:
        key = (name, *options)
        with _LARGE_LOCK:
            if key in _LARGE:
                _LARGE.move_to_end(key)
                found: Made = _LARGE[key]
                return found
        made = make(*options)
        with _LARGE_LOCK:
            _LARGE_HELD[0] += 0 if key in _LARGE else _bytes(made)
            _LARGE[key] = made
            while _LARGE_HELD[0] > KEPT_BYTES and len(_LARGE) > 1:
                _LARGE_HELD[0] -= _bytes(_LARGE.popitem(last=False)[1])
        return made

    return choose


def _bytes(made: Any) -> int:
    """Memory of matrices, one or a tuple of them."""
    if isinstance(made, tuple):
        return sum(map(_bytes, made))
    if isinstance(made, np.ndarray):
        return int(made.nbytes)
    return int(made.data.nbytes + made.indices.nbytes + made.indptr.nbytes)


def kept(make: Callable[..., Made]) -> Callable[..., Made]:
    """Cache a function of a basis (and hashable options), the longest unused going first."""
    store: OrderedDict[tuple[Any, ...], Made] = OrderedDict()
    held, lock = [0], Lock()
    _STORES.append((store, held, lock))

    @wraps(make)
    def choose(basis: Basis, *options: Any) -> Made:
        key = (basis, *options)
        with lock:
            if key in store:
                store.move_to_end(key)
                return store[key]
        made = make(basis, *options)
        with lock:
            held[0] += 0 if key in store else basis.size
            store[key] = made
            while held[0] > KEPT_UNKNOWNS:
                held[0] -= store.popitem(last=False)[0][0].size
        return made

    return choose


@dataclass(frozen=True)
class Basis:
    """The real harmonics with degree l <= l_max and order |m| <= min(l, m_max).

    Unknowns are sorted by l; within one l the orders are 0, 1, -1, 2, -2, ..., so that every
    operator is banded with half-width about ``2 * m_max + 1`` times the change of l. The first
    unknown is l = 0; a density normalised to one has there the coefficient ``1/sqrt(4 pi)``.

    Attributes
    ----------
    l_max : int
        Largest degree, >= 0.
    m_max : int
        Largest order, 0 <= m_max <= l_max.
    """

    l_max: int
    m_max: int

    def __post_init__(self) -> None:
        if not 0 <= self.m_max <= self.l_max:
            raise ValueError(
                f"need 0 <= m_max <= l_max, got l_max = {self.l_max}, m_max = {self.m_max}"
            )

    @property
    def size(self) -> int:
        """Number of basis functions."""
        low = (self.m_max + 1) ** 2
        return low + (self.l_max - self.m_max) * (2 * self.m_max + 1)

    @cached_property
    def degrees(self) -> Ints:
        """Degree l of every unknown, shape (size,)."""
        ell = np.arange(self.l_max + 1)
        return np.repeat(ell, 2 * np.minimum(ell, self.m_max) + 1)

    @cached_property
    def orders(self) -> Ints:
        """Order m of every unknown, negative for sines, shape (size,)."""
        place = np.arange(self.size) - self._first(self.degrees)
        m = (place + 1) // 2
        return np.where(place % 2 == 1, m, -m)

    def index(self, ell: ArrayLike, m: ArrayLike) -> Ints:
        """Place of S_lm among the unknowns; degree and order must lie within the truncation."""
        ell, m = np.broadcast_arrays(np.asarray(ell, dtype=np.intp), np.asarray(m, dtype=np.intp))
        if np.any((ell < 0) | (ell > self.l_max) | (np.abs(m) > np.minimum(ell, self.m_max))):
            raise ValueError(f"(l, m) outside of {self}")
        return self._place(ell, m)

    def _first(self, ell: Ints) -> Ints:
        low = np.minimum(ell, self.m_max)
        return low**2 + (ell - low) * (2 * self.m_max + 1)

    def _place(self, ell: Ints, m: Ints) -> Ints:
        return self._first(ell) + np.where(m > 0, 2 * m - 1, -2 * m)

    def extended(self, ell: int = 1, m: int = 1) -> Basis:
        """Return the basis with `ell` more degrees and `m` more orders."""
        return Basis(self.l_max + ell, min(self.m_max + m, self.l_max + ell))

    def embed(self, coefficients: NDArray[Any], larger: Basis) -> NDArray[Any]:
        """Coefficients (..., size) written in a `larger` basis (zeros where it is finer)."""
        out = np.zeros((*coefficients.shape[:-1], larger.size), dtype=coefficients.dtype)
        out[..., larger.index(self.degrees, self.orders)] = coefficients
        return out

    def embed_columns(self, columns: NDArray[Any], larger: Basis) -> NDArray[Any]:
        """Columns of coefficients, shape (size, n), written in a `larger` basis."""
        out = np.zeros((larger.size, columns.shape[1]), dtype=columns.dtype)
        out[larger.index(self.degrees, self.orders)] = columns
        return out

    def joined(self, other: Basis) -> Basis:
        """Return the smallest basis that holds both."""
        degree = max(self.l_max, other.l_max)
        return Basis(degree, min(max(self.m_max, other.m_max), degree))

    def evaluate(self, directions: ArrayLike) -> Floats:
        """Values of all harmonics at unit vectors.

        Parameters
        ----------
        directions : array_like, shape (..., 3)
            Unit vectors.

        Returns
        -------
        ndarray, shape (..., size)
        """
        n = np.asarray(directions, dtype=float)
        theta = legendre(self, n[..., 2], np.hypot(n[..., 0], n[..., 1]))
        phi = np.arctan2(n[..., 1], n[..., 0])[..., None] * np.arange(self.m_max + 1)
        cosine, sine = np.sqrt(2.0) * np.cos(phi), np.sqrt(2.0) * np.sin(phi)
        cosine[..., 0] = 1.0
        m = np.abs(self.orders)
        values: Floats = theta * np.where(self.orders >= 0, cosine[..., m], sine[..., m])
        return values

    def expand(self, coefficients: NDArray[Any], directions: ArrayLike) -> NDArray[Any]:
        """Return functions given by their coefficients at unit vectors, block by block.

        Parameters
        ----------
        coefficients : ndarray, shape (size,) or (size, k)
            One function or k of them.
        directions : array_like, shape (..., 3)

        Returns
        -------
        ndarray, shape (...) or (..., k)
        """
        n = np.asarray(directions, dtype=float)
        flat = n.reshape(-1, 3)
        tail = coefficients.shape[1:]
        out = np.empty((len(flat), *tail), dtype=np.result_type(coefficients, float))
        step = max(1, 2_000_000 // self.size)
        for start in range(0, len(flat), step):
            block = slice(start, start + step)
            out[block] = self.evaluate(flat[block]) @ coefficients
        return out.reshape((*n.shape[:-1], *tail))


def legendre(basis: Basis, cosine: ArrayLike, sine: ArrayLike) -> Floats:
    r"""Return the normalised :math:`\Theta_{l|m|}` of every unknown, shape (..., size).

    Upward recursion in l at fixed m, started at
    :math:`\Theta_{mm} = \sqrt{(2m+1)!!/(4\pi\,(2m)!!)}\,\sin^m\theta`.
    """
    c, s = np.broadcast_arrays(np.asarray(cosine, dtype=float), np.asarray(sine, dtype=float))
    out = np.empty((basis.size, *c.shape))
    top = np.full(c.shape, np.sqrt(0.25 / np.pi))
    for m in range(basis.m_max + 1):
        if m:
            top = top * s * np.sqrt((2 * m + 1) / (2 * m))
        ell = np.arange(m, basis.l_max + 1)
        cos_place = basis.index(ell, m)
        out[cos_place[0]] = top
        before, now = np.zeros_like(top), top
        a = degree_step(ell, m)
        for k in range(len(ell) - 1):
            before, now = now, (c * now - (a[k - 1] * before if k else 0.0)) / a[k]
            out[cos_place[k + 1]] = now
        if m:
            out[basis.index(ell, -m)] = out[cos_place]
    return np.moveaxis(out, 0, -1)


def degree_step(ell: Any, m: Any) -> Any:
    """Element of multiplication by n_z between S_lm and S_(l+1)m."""
    return np.sqrt(((ell + 1.0) ** 2 - m * m) / ((2.0 * ell + 1) * (2.0 * ell + 3)))


def _matrix(basis: Basis, ell: Ints, m: Ints, to_l: Ints, to_m: Ints, value: Floats) -> Sparse:
    """Sparse matrix of the elements <S_(to_l, to_m)| O |S_(l, m)> that lie in the truncation."""
    from scipy.sparse import csr_array

    inside = (to_l >= 0) & (to_l <= basis.l_max) & (np.abs(to_m) <= np.minimum(to_l, basis.m_max))
    keep = inside & (value != 0.0)
    rows, columns = basis._place(to_l[keep], to_m[keep]), basis._place(ell[keep], m[keep])
    return csr_array((value[keep], (rows, columns)), shape=(basis.size, basis.size))


def _raised(basis: Basis, sine: bool) -> tuple[Ints, Ints, Ints, Floats]:
    """All (l, m) with the order one step further from zero after a turn by cos phi or sin phi.

    Returns l, m, the new order and the azimuthal factor: cos(phi) takes cos m to cos (m+1) and
    sin m to sin (m+1); sin(phi) takes cos m to sin (m+1) and sin m to -cos (m+1).
    """
    ell, m = basis.degrees, basis.orders
    up = np.where(m >= 0, m + 1, m - 1)
    half = np.where(m == 0, np.sqrt(0.5), 0.5)
    if not sine:
        return ell, m, up, half
    return ell, m, -up, np.where(m >= 0, half, -half)


@kept
def multiplication(basis: Basis) -> tuple[Sparse, Sparse, Sparse]:
    """Matrices of multiplication by n_x, n_y, n_z (symmetric, couple l to l±1)."""
    ell, m = basis.degrees, basis.orders
    z = _matrix(basis, ell, m, ell + 1, m, degree_step(ell, m))
    return _transverse(basis, sine=False), _transverse(basis, sine=True), (z + z.T).tocsr()


def _transverse(basis: Basis, *, sine: bool) -> Sparse:
    ell, m, up, half = _raised(basis, sine)
    a = np.abs(m).astype(float)
    grow = np.sqrt((ell + a + 1) * (ell + a + 2) / ((2.0 * ell + 1) * (2.0 * ell + 3)))
    drop = np.sqrt(
        np.maximum((ell - a) * (ell - a - 1), 0.0) / np.abs((2.0 * ell - 1) * (2.0 * ell + 1))
    )
    half_matrix = _matrix(basis, ell, m, ell + 1, up, half * grow)
    half_matrix = half_matrix + _matrix(basis, ell, m, ell - 1, up, -half * drop)
    return (half_matrix + half_matrix.T).tocsr()


@kept
def rotation(basis: Basis) -> tuple[Sparse, Sparse, Sparse]:
    """Matrices of R = n x grad: rotation about x, y, z (antisymmetric, diagonal in l)."""
    ell, m = basis.degrees, basis.orders
    a = np.abs(m).astype(float)
    ladder = np.sqrt(np.maximum((ell - a) * (ell + a + 1), 0.0))
    _, _, up_sine, half_sine = _raised(basis, sine=True)
    _, _, up_cosine, half_cosine = _raised(basis, sine=False)
    x = _matrix(basis, ell, m, ell, up_sine, half_sine * ladder)
    y = _matrix(basis, ell, m, ell, up_cosine, -half_cosine * ladder)
    z = _matrix(basis, ell, m, ell, -m, -m.astype(float))
    return (x - x.T).tocsr(), (y - y.T).tocsr(), z


def laplacian(basis: Basis) -> Floats:
    """Diagonal -l(l+1) of the surface Laplacian, shape (size,)."""
    return -basis.degrees * (basis.degrees + 1.0)


@kept
def gradient(basis: Basis) -> tuple[Sparse, Sparse, Sparse]:
    """Matrices of the components of the surface gradient, [Delta, n]/2 + n."""
    ell = basis.degrees

    def commuted(n: Sparse) -> Sparse:
        coo = n.tocoo()
        rows, columns = coo.coords
        # -(l'(l'+1) - l(l+1))/2 + 1 is -l for l' = l + 1 and l + 1 for l' = l - 1
        rise = ell[rows] > ell[columns]
        factor = np.where(rise, -ell[columns], ell[columns] + 1.0)
        coo.data = coo.data * factor
        return coo.tocsr()

    x, y, z = (commuted(n) for n in multiplication(basis))
    return x, y, z


@kept
def quadratic(basis: Basis) -> tuple[Sparse, Sparse, Sparse, Sparse, Sparse, Sparse]:
    """Matrices of multiplication by n_x², n_y², n_z², n_x n_y, n_x n_z, n_y n_z."""
    larger = basis.extended()
    inside = larger.index(basis.degrees, basis.orders)
    x, y, z = multiplication(larger)

    def product(a: Sparse, b: Sparse) -> Sparse:
        return (a[inside] @ b[:, inside]).tocsr()

    return (
        product(x, x),
        product(y, y),
        product(z, z),
        product(x, y),
        product(x, z),
        product(y, z),
    )
