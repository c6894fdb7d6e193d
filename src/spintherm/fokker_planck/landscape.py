r"""The landscape of a magnet: its anisotropy energy and the potential of its torque, as operators.

`Landscape` holds the two functions of the direction that uniform fields do not have, see `slots`.
Multiplication by a function f of degree d has the elements

.. math:: \int S_{lm}\,f\,S_{l'm'}\,d\Omega = \sum_j w_j\,\Theta_{lm}(c_j)\,A_j^{mm'}
   \Theta_{l'm'}(c_j)

with :math:`A_j^{mm'}` the integral over the azimuth; Gauss-Legendre and equally spaced nodes for
the degree 2 l_max + d make them exact up to rounding, whatever the truncation. An efficiency g is
not a polynomial: its Legendre series (`TorqueEfficiency.legendre`) tells the degree, and its error
is that of the elements. With R = n×∇

.. math:: \nabla a\cdot\nabla = \sum_i (\nabla_i a)\,\nabla_i, \qquad
   \{a, \cdot\} = -\sum_i (\nabla_i a)\,R_i ,

products in a basis one degree and order larger, which loses nothing.

`reduced` brings a magnet to the form that the engine solves: a field-like torque is part of the
field, and polarisers of constant efficiency are a uniform torque.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.energies import Anisotropy
from spintherm.fokker_planck.harmonics import (
    Basis,
    Floats,
    Sparse,
    gradient,
    kept_by_size,
    legendre,
    rotation,
)
from spintherm.fokker_planck.nodes import gauss_legendre
from spintherm.fokker_planck.slots import OPERATOR_NAMES, PLACES, UNIFORM
from spintherm.torques import Polariser

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

SERIES = 1e-14
"""Error of the Legendre series of an efficiency, relative to its largest value."""

_DUST = 1e-16  # elements below this, relative to the function's largest value, are rounding


@dataclass(frozen=True)
class Landscape:
    """Anisotropy energy and efficiency of the torque, in the frame of the harmonics.

    Attributes
    ----------
    anisotropy : Anisotropy or None
        E_a(n).
    polarisers : tuple of Polariser
        Those whose efficiencies and strengths make up the potential of the torque.
    """

    anisotropy: Anisotropy | None
    polarisers: tuple[Polariser, ...]

    @cached_property
    def degrees(self) -> tuple[int, int]:
        """Degrees of E_a and of the torque's potential."""
        energy = 0 if self.anisotropy is None else self.anisotropy.degree
        series = [_series_length(p) for p in self.polarisers]
        return energy, max(series, default=0)

    @cached_property
    def error(self) -> float:
        """Largest error of the Legendre series of the efficiencies, absolute."""
        errors = [abs(p.strength) * p.efficiency.legendre(SERIES)[1] for p in self.polarisers]
        return float(sum(errors))

    def degree(self, place: int) -> int:
        """Degree of the function behind the operator at a place of the coefficient vector."""
        name = OPERATOR_NAMES[place]
        energy, torque = self.degrees
        if name in ("square_energy", "square_torque"):
            return 2 * (energy if name == "square_energy" else torque)
        if name in ("dot_both", "bracket_both"):
            return energy + torque
        return (energy if "energy" in name else torque) + int(name.startswith("slope"))

    def energy(self, n: Floats) -> Floats:
        """Return E_a at unit vectors (..., 3)."""
        return np.zeros(n.shape[:-1]) if self.anisotropy is None else self.anisotropy(n)

    def energy_gradient(self, n: Floats) -> Floats:
        """Return ∇E_a at unit vectors (..., 3)."""
        return np.zeros(n.shape) if self.anisotropy is None else self.anisotropy.gradient(n)

    def energy_laplacian(self, n: Floats) -> Floats:
        """Return ΔE_a at unit vectors (..., 3)."""
        return np.zeros(n.shape[:-1]) if self.anisotropy is None else self.anisotropy.laplacian(n)

    def torque(self, n: Floats) -> Floats:
        """Return the potential of the torque of unit amplitude at unit vectors (..., 3)."""
        total = np.zeros(n.shape[:-1])
        for p in self.polarisers:
            total = total + p.strength * p.efficiency.integral(n @ p.vector, SERIES)
        return total

    def function(self, weights: Floats, n: Floats) -> Floats:
        """Return a function of the span of `slots`, weights (5,), at unit vectors (..., 3)."""
        return np.asarray(
            n @ weights[:3] + weights[3] * self.energy(n) + weights[4] * self.torque(n)
        )

    def slope(self, weights: Floats, n: Floats) -> Floats:
        """Return the gradient of a function of the span, weights (..., 5), at (..., 3)."""
        w = weights[..., None]
        across = weights[..., :3] - n * np.sum(n * weights[..., :3], axis=-1, keepdims=True)
        both = w[..., 3, :] * self.energy_gradient(n) + w[..., 4, :] * self.torque_gradient(n)
        return np.asarray(across + both)

    def torque_gradient(self, n: Floats) -> Floats:
        """Return the surface field of the torque of unit amplitude at unit vectors (..., 3)."""
        total = np.zeros(n.shape)
        for p in self.polarisers:
            c = n @ p.vector
            size = p.strength * p.efficiency(c)
            total = total + size[..., None] * (p.vector - n * c[..., None])
        return total

    def torque_laplacian(self, n: Floats) -> Floats:
        """Return the divergence of `torque_gradient`, (1 - c²)g' - 2cg, at (..., 3)."""
        total = np.zeros(n.shape[:-1])
        for p in self.polarisers:
            c, g = n @ p.vector, p.efficiency
            total = total + p.strength * ((1.0 - c * c) * g.derivative(c) - 2.0 * c * g(c))
        return total

    def values(self, name: str, n: Floats) -> Floats:
        """Return one function at unit vectors (..., 3), by the name of its operator."""
        which = "energy" if "energy" in name else "torque"
        if name == "energy":
            return np.asarray(self.energy(n))
        if name.startswith("laplacian"):
            return np.asarray(getattr(self, f"{which}_laplacian")(n))
        if name in ("dot_both", "bracket_both"):
            one, two = self.energy_gradient(n), self.torque_gradient(n)
            first = one if name == "dot_both" else np.cross(n, one)
            return np.asarray(np.sum(first * two, axis=-1))
        slope = getattr(self, f"{which}_gradient")(n)
        if name.startswith("square"):
            return np.asarray(np.sum(slope**2, axis=-1))
        if name.startswith("turn"):
            slope = np.cross(n, slope)
        return np.asarray(slope[..., "xyz".index(name[-1])])


def _series_length(polariser: Polariser) -> int:
    """Degree of the integral of an efficiency's series, terms below rounding left out."""
    series = np.abs(polariser.efficiency.legendre(SERIES)[0])
    return int(np.flatnonzero(series > 1e-16 * series.max(initial=0.0)).max(initial=0)) + 1


@lru_cache(maxsize=64)
def landscape_of(magnet: Magnet) -> Landscape | None:
    """Return the landscape of a magnet that was `reduced`; None if its fields are uniform."""
    if magnet.is_uniform:
        return None
    return Landscape(magnet.anisotropy, magnet.polarisers)


@lru_cache(maxsize=64)
def reduced(magnet: Magnet) -> Magnet:
    """Return the magnet without what `fields_of` expresses by uniform fields.

    Field-like torques and, if all of them are constant, the polarisers.
    """
    if not magnet.polarisers:
        return magnet
    if all(p.efficiency.is_constant for p in magnet.polarisers):
        return replace(magnet, polarisers=())
    plain = tuple(replace(p, field_like=0.0) for p in magnet.polarisers)
    return replace(magnet, polarisers=plain)


def fields_of(magnet: Magnet, field: Floats, spin_torque: Floats) -> tuple[Floats, Floats]:
    """Return H with the field of the current and P for the `reduced` magnet, shapes (..., 3).

    Raises
    ------
    ValueError
        If P is not parallel to the first polariser.
    """
    if not magnet.polarisers:
        return field, spin_torque
    total = field + magnet.field_of_current(spin_torque)
    amplitude = magnet.torque_amplitude(spin_torque)[..., None]
    if reduced(magnet).polarisers:
        return total, amplitude * magnet.polarisers[0].vector
    one = np.zeros(3)
    for p in magnet.polarisers:
        one = one + p.strength * float(p.efficiency(0.0)) * p.vector
    return total, amplitude * one


def pumping_range(magnet: Magnet, spin_torque: Floats) -> tuple[float, float]:
    """Return the least and the largest rate of pumped entropy in any direction.

    Exact for one polariser, to about 1e-6 for several.

    Parameters
    ----------
    magnet : Magnet
        Reduced, in the frame of the torque.
    spin_torque : ndarray, shape (3,)
        P.
    """
    from scipy.optimize import minimize

    landscape = landscape_of(magnet)
    lift = magnet.gyromagnetic_ratio * magnet.moment
    if landscape is None or not magnet.polarisers:
        top = 2.0 * abs(lift) * float(np.linalg.norm(spin_torque))
        return -top, top
    lift *= -float(spin_torque @ magnet.polarisers[0].vector)
    angle, turn = np.meshgrid(np.linspace(0.0, np.pi, 181), np.linspace(0.0, 2.0 * np.pi, 181))

    def rate(x: Floats) -> Floats:
        s, c = np.sin(x[..., 0]), np.cos(x[..., 0])
        n = np.stack([s * np.cos(x[..., 1]), s * np.sin(x[..., 1]), c], axis=-1)
        return np.asarray(lift * landscape.torque_laplacian(n))

    grid = np.stack([angle.ravel(), turn.ravel()], axis=-1)
    values = rate(grid)
    ends = []
    for sign in (1.0, -1.0):
        start = grid[int(np.argmin(sign * values))]
        best = minimize(lambda x, s=sign: float(s * rate(np.asarray(x))), start, tol=1e-12)
        ends.append(sign * min(float(best.fun), float(np.min(sign * values))))
    return ends[0], ends[1]


def axis_of(magnet: Magnet, vectors: Floats, parallel: float) -> Floats | None:
    """Return the axis about which a reduced magnet and vectors (n, 3) are symmetric, or None."""
    found = magnet.common_axis(vectors, parallel=parallel)
    if found is None or magnet.anisotropy is not None:
        return found
    # the way that the field or the torque points, not the polariser
    return next((v / np.linalg.norm(v) for v in vectors if np.any(v)), found)


@kept_by_size
def functions(basis: Basis, landscape: Landscape, names: tuple[str, ...]) -> tuple[Sparse, ...]:
    """Matrices of multiplication by functions of a landscape, by their names."""
    degree = max(landscape.degree(PLACES[name]) for name in names)
    return multiplications(
        basis, lambda n: np.stack([landscape.values(name, n) for name in names]), degree
    )


def multiplications(basis: Basis, values: Any, degree: int) -> tuple[Sparse, ...]:
    """Matrices of multiplication by functions of a known degree, symmetric.

    Parameters
    ----------
    basis : Basis
    values : callable
        Takes unit vectors (J, K, 3) and returns the functions there, shape (count, J, K).
    degree : int
        Largest degree of the functions.
    """
    n, theta, weight = _nodes(basis, degree)
    f = np.asarray(values(n))
    scales = np.max(np.abs(f), axis=(1, 2))
    waves = np.fft.rfft(f, axis=-1) * np.exp(-0.5j * _turn(f.shape[-1])) * (weight / f.shape[-1])
    limit = _DUST * scales * float(np.max(weight))
    tops = np.max(np.abs(waves), axis=1)
    orders = [_order(basis, m) for m in range(basis.m_max + 1)]
    collected: list[list[tuple[Any, Any, Any]]] = [[] for _ in f]
    for k, wave in enumerate(waves):
        seen = tops[k] > limit[k]
        last = int(np.flatnonzero(seen).max(initial=0))
        for a in range(basis.m_max + 1):
            for b in range(a, min(a + last, basis.m_max) + 1):
                if not (seen[b - a] or (a + b <= last and seen[a + b])):
                    continue
                azimuth = _azimuthal(wave, a, b)
                part = _elements(theta, azimuth, orders[a], orders[b], _DUST * scales[k], degree)
                collected[k].append(part)
                if a != b:
                    collected[k].append((part[1], part[0], part[2]))
    return tuple(_assembled(basis, parts) for parts in collected)


def _nodes(basis: Basis, degree: int) -> tuple[Floats, Floats, Floats]:
    """Nodes (J, K, 3) for products with a degree; Legendre functions and weights (J, 1) at them."""
    cosine, weight = gauss_legendre(basis.l_max + degree // 2 + 1)
    phi = _turn(2 * (basis.m_max + degree) + 2, nodes=True)
    sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
    n = np.empty((len(cosine), len(phi), 3))
    n[..., 0], n[..., 1] = sine[:, None] * np.cos(phi), sine[:, None] * np.sin(phi)
    n[..., 2] = cosine[:, None]
    return n, legendre(basis, cosine, sine), 2.0 * np.pi * weight[:, None]


def _turn(count: int, *, nodes: bool = False) -> Floats:
    """Azimuths of nodes half a step from zero, or twice the phases that this shift makes."""
    if nodes:
        return 2.0 * np.pi * (np.arange(count) + 0.5) / count
    return 2.0 * np.pi * np.arange(count // 2 + 1) / count


def _azimuthal(wave: Any, a: int, b: int) -> Floats:
    """Integrals over the azimuth with the waves of orders a <= b, shape (J, signs, signs)."""
    below = wave[:, b - a]
    above = wave[:, a + b] if a + b < wave.shape[1] else np.zeros_like(below)
    if b == 0:
        return np.asarray(below.real[:, None, None])
    if a == 0:
        return np.asarray(np.sqrt(2.0) * np.stack([below.real, -below.imag], axis=-1)[:, None])
    # C + iS of order m is the conjugate of the wave
    c, s, c2, s2 = below.real, -below.imag, above.real, -above.imag
    rows = np.stack([c + c2, s2 + s], axis=-1), np.stack([s2 - s, c - c2], axis=-1)
    return np.stack(rows, axis=1)


def _order(basis: Basis, m: int) -> Any:
    """Places of the unknowns of order m and -m, shape (signs, degrees)."""
    ell = np.arange(m, basis.l_max + 1)
    return np.stack([basis.index(ell, s) for s in ((0,) if m == 0 else (m, -m))])


def _elements(
    theta: Floats, azimuth: Floats, rows: Any, columns: Any, least: float, degree: int
) -> tuple[Any, Any, Any]:
    """Rows, columns and values of the elements between two orders."""
    left, right = theta[:, rows[0]], theta[:, columns[0]]
    a, b = left.shape[1], right.shape[1]
    weighted = (azimuth[..., None] * right[:, None, None, :]).reshape(len(right), -1)
    found = (left.T @ weighted).reshape(a, len(rows), len(columns), b)
    near = np.abs(np.arange(-a, 0)[:, None] - np.arange(-b, 0)) <= degree
    i, s, t, j = np.nonzero((np.abs(found) > least) & near[:, None, None, :])
    return rows[s, i], columns[t, j], found[i, s, t, j]


def _assembled(basis: Basis, parts: list[tuple[Any, Any, Any]]) -> Sparse:
    shape = (basis.size, basis.size)
    if not parts:
        return _sparse(np.zeros(0), np.zeros(0, int), np.zeros(0, int), shape)
    rows, columns, values = (np.concatenate(p) for p in zip(*parts, strict=True))
    matrix = _sparse(values, rows, columns, shape)
    return (0.5 * (matrix + matrix.T)).tocsr()


@kept_by_size
def gradient_along(basis: Basis, landscape: Landscape, which: str) -> Sparse:
    """Matrix of ∇a·∇ for the energy or the potential of the torque."""
    change = functions(basis, landscape, (f"laplacian_{which}",))[0]
    matrix = _along_slopes(basis, landscape, which, gradient)
    # exactly: a constant has no gradient, and the integral of ∇a·∇f is that of -f Δa
    return _first(0.5 * (matrix - matrix.T - change), -change)


@kept_by_size
def bracket_with(basis: Basis, landscape: Landscape, which: str) -> Sparse:
    """Matrix of {a,·}, antisymmetric."""
    matrix = _along_slopes(basis, landscape, which, rotation)
    return _first(0.5 * (matrix.T - matrix), None)


def _along_slopes(basis: Basis, landscape: Landscape, which: str, family: Any) -> Sparse:
    """Sum of the products of ∇_i a with the operators of a family."""
    larger = basis.extended()
    inside = larger.index(basis.degrees, basis.orders)
    slopes = functions(larger, landscape, _names("slope", which))
    pairs = zip(slopes, family(larger), strict=True)
    parts = [slope[inside] @ operator[:, inside] for slope, operator in pairs]
    return parts[0] + parts[1] + parts[2]


def _names(kind: str, which: str) -> tuple[str, ...]:
    return tuple(f"{kind}_{which}_{i}" for i in "xyz")


def _first(matrix: Sparse, row: Sparse | None) -> Sparse:
    """Return the matrix with column l = 0 zero and row l = 0 that of another matrix, or zero."""
    coo = matrix.tocoo()
    rows, columns = coo.coords
    inner = (rows > 0) & (columns > 0)
    coo = _sparse(coo.data[inner], rows[inner], columns[inner], matrix.shape)
    if row is None:
        return coo
    top = row.tocoo()
    rows, columns = top.coords
    keep = (rows == 0) & (columns > 0)
    return coo + _sparse(top.data[keep], rows[keep], columns[keep], matrix.shape)


def _sparse(values: Any, rows: Any, columns: Any, shape: tuple[int, int]) -> Sparse:
    from scipy.sparse import csr_array

    return csr_array((values, (rows, columns)), shape=shape)


def landscape_operator(basis: Basis, landscape: Landscape, place: int) -> Sparse:
    """Matrix of the operator at a place >= `UNIFORM` of the coefficient vector."""
    name = OPERATOR_NAMES[place]
    kind, _, rest = name.partition("_")
    if kind == "gradient":
        return gradient_along(basis, landscape, rest)
    if kind == "bracket" and rest != "both":
        return bracket_with(basis, landscape, rest)
    if kind in ("slope", "turn"):
        return functions(basis, landscape, _names(kind, rest[:-2]))["xyz".index(name[-1])]
    return functions(basis, landscape, (name,))[0]


def combined(basis: Basis, landscape: Landscape, coefs: Any) -> Sparse:
    """Matrix of the landscape's part of one coefficient vector, places >= `UNIFORM`."""
    total = _sparse(np.zeros(0), np.zeros(0, int), np.zeros(0, int), (basis.size, basis.size))
    for place in np.flatnonzero(coefs[UNIFORM:]) + UNIFORM:
        total = total + landscape_operator(basis, landscape, int(place)) * coefs[place]
    return total
