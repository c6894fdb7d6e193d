r"""Anisotropy energies: even polynomials in the direction n = m/|m|.

A single-domain magnet's energy besides -m·H, invariant under m -> -m: crystal anisotropy, the
self-energy of its stray field (shape), and anything else that is even. All of them are brought to
one canonical form, a homogeneous polynomial of the lowest even degree D,

.. math:: E_a(n) = \sum_{i+j+k=D} c_{ijk}\, n_x^i n_y^j n_z^k ,

which is unique because n² = 1 lets any even polynomial be raised to one degree. Both engines read
these coefficients and nothing else. The effective field is H_eff = H - ∂E_a/∂m.

Units: energy; directions are dimensionless.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray

HIGHEST_DEGREE = 8
"""Largest degree accepted; the cubic crystal's second constant needs 6."""

_NEGLIGIBLE = 1e-15
_SYMMETRIC = 1e-12

Exponents: TypeAlias = tuple[int, int, int]
Terms: TypeAlias = dict[Exponents, float]


@dataclass(frozen=True)
class Anisotropy:
    """An even polynomial energy of the direction, in canonical form.

    Use the constructors `uniaxial`, `biaxial`, `quadratic_form`, `shape`, `cubic`, `polynomial`;
    add energies with ``+`` and scale them with ``*``.

    Parameters
    ----------
    terms : tuple of (exponents, coefficient)
        Monomials n_x^i n_y^j n_z^k by their exponents (i, j, k), with coefficients in units of
        energy. Any even degrees may be mixed; they are made homogeneous.

    Raises
    ------
    TypeError, ValueError
        If an exponent or a coefficient is refused, or a degree is odd or above 8.
    """

    terms: tuple[tuple[Exponents, float], ...] = ()

    def __post_init__(self) -> None:
        collected: Terms = {}
        for exponents, coefficient in self.terms:
            key = _exponents(exponents)
            value = validation.finite_scalar(f"coefficient of n^{key}", coefficient)
            collected[key] = collected.get(key, 0.0) + value
        canonical = _canonical(collected)
        object.__setattr__(self, "terms", tuple(sorted(canonical.items(), reverse=True)))

    @classmethod
    def uniaxial(
        cls, constant: float, axis: ArrayLike = (0.0, 0.0, 1.0), fourth_order: float = 0.0
    ) -> Anisotropy:
        """Return K sin²θ + K₂ sin⁴θ, with θ the angle from the axis.

        Parameters
        ----------
        constant : float
            K in units of energy; K > 0 makes the axis easy, K < 0 the plane across it.
        axis : array_like, shape (3,)
            Any length but zero.
        fourth_order : float
            K₂.

        Returns
        -------
        Anisotropy
            The energy.
        """
        u = validation.unit_direction("axis", axis)
        K = validation.finite_scalar("constant", constant)
        K2 = validation.finite_scalar("fourth_order", fourth_order)
        across = _plus({(0, 0, 0): 1.0}, _times(_linear(u), _linear(u)), -1.0)
        return cls._of(_plus(_plus({}, across, K), _times(across, across), K2))

    @classmethod
    def biaxial(
        cls,
        easy_constant: float,
        hard_constant: float,
        easy_axis: ArrayLike = (0.0, 0.0, 1.0),
        hard_axis: ArrayLike = (1.0, 0.0, 0.0),
    ) -> Anisotropy:
        """Return K (1 - (n·e)²) + K_h (n·h)², an easy axis e in an easy plane across h.

        Parameters
        ----------
        easy_constant, hard_constant : float
            K and K_h in units of energy.
        easy_axis, hard_axis : array_like, shape (3,)
            e and h, perpendicular to each other.

        Returns
        -------
        Anisotropy
            The energy.

        Raises
        ------
        ValueError
            If the axes are not perpendicular.
        """
        e, h = (
            validation.unit_direction("easy_axis", easy_axis),
            validation.unit_direction("hard_axis", hard_axis),
        )
        if abs(float(e @ h)) > _SYMMETRIC:
            raise ValueError(
                validation.complaint("hard_axis", hard_axis, "a vector across easy_axis")
            )
        hard = validation.finite_scalar("hard_constant", hard_constant)
        return cls.uniaxial(easy_constant, e) + cls.quadratic_form(hard * np.outer(h, h))

    @classmethod
    def quadratic_form(cls, matrix: ArrayLike) -> Anisotropy:
        """Return n·A n.

        Parameters
        ----------
        matrix : array_like, shape (3, 3)
            A in units of energy; only its symmetric part counts.

        Returns
        -------
        Anisotropy
            The energy.
        """
        A = validation.vectors("matrix", matrix, count=3)
        terms: Terms = {}
        for i in range(3):
            for j in range(3):
                terms = _plus(terms, _times(_axis(i), _axis(j)), float(A[i, j]))
        return cls._of(terms)

    @classmethod
    def shape(cls, demagnetising_tensor: ArrayLike, strength: float) -> Anisotropy:
        """Return the magnetostatic self-energy, strength n·N n.

        Parameters
        ----------
        demagnetising_tensor : array_like, shape (3, 3) or (3,)
            N, symmetric with trace one; three numbers are its diagonal.
        strength : float
            μ₀ M_s² V/2 in units of energy.

        Returns
        -------
        Anisotropy
            The energy.

        Raises
        ------
        ValueError
            If N is not symmetric, not of trace one or not positive.
        """
        N = validation.real_array("demagnetising_tensor", demagnetising_tensor)
        N = np.diag(N) if N.shape == (3,) else N
        expected = "a symmetric tensor (3, 3) of trace one without negative eigenvalues"
        if N.shape != (3, 3) or not np.allclose(N, N.T, rtol=0.0, atol=1e-12):
            raise ValueError(
                validation.complaint("demagnetising_tensor", demagnetising_tensor, expected)
            )
        if abs(np.trace(N) - 1.0) > 1e-9 or np.linalg.eigvalsh(N)[0] < -1e-12:
            raise ValueError(
                validation.complaint("demagnetising_tensor", demagnetising_tensor, expected)
            )
        return cls.quadratic_form(
            validation.finite_scalar("strength", strength, nonnegative=True) * N
        )

    @classmethod
    def cubic(cls, first: float, second: float = 0.0, axes: ArrayLike | None = None) -> Anisotropy:
        """Return K₁(a²b² + b²c² + c²a²) + K₂ a²b²c², the lowest orders of a cubic crystal.

        Parameters
        ----------
        first, second : float
            K₁ and K₂ in units of energy.
        axes : array_like, shape (3, 3), optional
            Rows are the orthonormal crystal axes, along which a, b, c are the components of n; x,
            y, z by default.

        Returns
        -------
        Anisotropy
            The energy.

        Raises
        ------
        ValueError
            If the axes are not orthonormal.
        """
        K1 = validation.finite_scalar("first", first)
        K2 = validation.finite_scalar("second", second)
        plane = {(2, 2, 0): K1, (0, 2, 2): K1, (2, 0, 2): K1, (2, 2, 2): K2}
        crystal = cls(tuple(plane.items()))
        if axes is None:
            return crystal
        return crystal.rotated(_orthonormal("axes", axes).T)

    @classmethod
    def polynomial(cls, coefficients: Mapping[Exponents, float]) -> Anisotropy:
        """Return a polynomial in the components of n.

        Parameters
        ----------
        coefficients : mapping of (i, j, k) to float
            Coefficients of n_x^i n_y^j n_z^k, i + j + k even, in units of energy.

        Returns
        -------
        Anisotropy
            The energy.
        """
        if not isinstance(coefficients, Mapping):
            raise TypeError(
                validation.complaint("coefficients", coefficients, "a mapping {(i, j, k): number}")
            )
        return cls(tuple(coefficients.items()))

    @property
    def degree(self) -> int:
        """Degree D of the canonical polynomial; 0 for a constant."""
        return sum(self.terms[0][0]) if self.terms else 0

    @cached_property
    def coefficients(self) -> FloatArray:
        """Coefficients c_ijk in the order of `exponents(degree)`."""
        known = dict(self.terms)
        return np.array([known.get(key, 0.0) for key in exponents(self.degree)])

    @property
    def is_constant(self) -> bool:
        """Whether the energy does not depend on the direction."""
        return self.degree == 0

    @cached_property
    def half_range(self) -> float:
        """A bound of half the difference between the largest and the smallest energy.

        The sum of the moduli of the coefficients of E_a less the part that is constant.
        """
        constant = float(self(np.eye(3)).mean())
        moving = _canonical(_plus(dict(self.terms), {(0, 0, 0): 1.0}, -constant))
        return float(sum(abs(value) for value in moving.values()))

    @cached_property
    def stiffness(self) -> float:
        """The largest |∇_S E_a|, or modulus of a second derivative along a great circle.

        Over a Fibonacci grid of 2000 points: low, by some 1e-3 at most.
        """
        k = np.arange(2000) + 0.5
        z, phi = 1.0 - k / 1000.0, np.pi * (1.0 + np.sqrt(5.0)) * k
        radius = np.sqrt(1.0 - z * z)
        n = np.stack((radius * np.cos(phi), radius * np.sin(phi), z), axis=-1)
        terms = dict(self.terms)
        first = [_derivative(terms, axis) for axis in range(3)]
        slope = np.stack([_values(one, n) for one in first], axis=-1)
        curved = np.empty((n.shape[0], 3, 3))
        for i in range(3):
            for j in range(3):
                curved[:, i, j] = _values(_derivative(first[i], j), n)
        # along a great circle the second derivative is t·∂∂E_a·t - n·∂E_a
        across = np.eye(3) - n[:, :, None] * n[:, None, :]
        along = np.sum(n * slope, axis=-1)
        curved = across @ (curved - along[:, None, None] * np.eye(3)) @ across
        tangent = np.linalg.norm(slope - n * along[:, None], axis=-1)
        return float(max(np.abs(np.linalg.eigvalsh(curved)).max(), tangent.max()))

    @property
    def bound(self) -> float:
        """A bound of |E_a|: the sum of the moduli of the coefficients."""
        return float(sum(abs(value) for _, value in self.terms))

    def __call__(self, direction: ArrayLike) -> FloatArray:
        """Return E_a(n).

        Parameters
        ----------
        direction : array_like, shape (..., 3)
            Unit vectors n.

        Returns
        -------
        ndarray, shape (...)
            Energies.
        """
        n = validation.vectors("direction", direction)
        return _values(dict(self.terms), n)

    def gradient(self, direction: ArrayLike) -> FloatArray:
        """Return the gradient of E_a along the sphere, ∇_S E_a = (1 - nn)·∂E_a/∂n.

        Parameters
        ----------
        direction : array_like, shape (..., 3)
            Unit vectors n.

        Returns
        -------
        ndarray, shape (..., 3)
            Tangent vectors, energy per radian.
        """
        n = validation.vectors("direction", direction)
        terms = dict(self.terms)
        full = np.stack([_values(_derivative(terms, axis), n) for axis in range(3)], axis=-1)
        return np.asarray(full - n * np.sum(n * full, axis=-1, keepdims=True))

    def laplacian(self, direction: ArrayLike) -> FloatArray:
        """Return Δ_S E_a on the unit sphere, ∂²E_a/∂n² - D(D + 1) E_a for degree D.

        Parameters
        ----------
        direction : array_like, shape (..., 3)
            Unit vectors n.

        Returns
        -------
        ndarray, shape (...)
            Energies.
        """
        n = validation.vectors("direction", direction)
        terms = dict(self.terms)
        total = _values(terms, n) * (-self.degree * (self.degree + 1.0))
        for axis in range(3):
            total = total + _values(_derivative(_derivative(terms, axis), axis), n)
        return np.asarray(total)

    def rotated(self, rotation: ArrayLike) -> Anisotropy:
        """Return the energy of the body turned by a rotation: E'(n) = E(R⁻¹ n).

        Parameters
        ----------
        rotation : array_like, shape (3, 3)
            R, orthogonal.

        Returns
        -------
        Anisotropy
            The turned energy.
        """
        R = _orthonormal("rotation", rotation)
        old = [_linear(R[:, i]) for i in range(3)]
        total: Terms = {}
        for key, value in self.terms:
            product: Terms = {(0, 0, 0): 1.0}
            for component, power in zip(old, key, strict=True):
                for _ in range(power):
                    product = _times(product, component)
            total = _plus(total, product, value)
        return self._of(total)

    @cached_property
    def axis(self) -> FloatArray | None:
        """Axis about which the energy is symmetric, shape (3,); None if there is none.

        The generator of rotations about u annihilates E_a exactly if u is such an axis. A constant
        is symmetric about every axis and gives z.
        """
        terms = dict(self.terms)
        if self.is_constant:
            return np.array([0.0, 0.0, 1.0])
        turns = np.array([_dense(_turned(terms, i), self.degree) for i in range(3)])
        _, _, rows = np.linalg.svd(turns.T)
        u = rows[-1]
        u = u * np.sign(u[np.argmax(np.abs(u))])
        residual = float(np.abs(u @ turns).max())
        return u if residual <= _SYMMETRIC * float(np.abs(turns).max()) else None

    def __add__(self, other: Anisotropy) -> Anisotropy:
        if not isinstance(other, Anisotropy):
            return NotImplemented
        return self._of(_plus(dict(self.terms), dict(other.terms), 1.0))

    def __mul__(self, factor: float) -> Anisotropy:
        value = validation.finite_scalar("factor", factor)
        return self._of({key: value * c for key, c in self.terms})

    __rmul__ = __mul__

    def to_dict(self) -> dict[str, list[list[float]]]:
        """Return the terms as a plain dictionary, {"terms": [[i, j, k, coefficient], ...]}."""
        return {"terms": [[*key, value] for key, value in self.terms]}

    @classmethod
    def from_dict(cls, data: object) -> Anisotropy:
        """Build an energy from `to_dict`'s dictionary.

        Raises
        ------
        TypeError, ValueError
            If a key is unknown or missing, or a term is refused.
        """
        rows = validation.mapping("anisotropy", data, ("terms",))["terms"]
        if not isinstance(rows, list | tuple):
            raise TypeError(validation.complaint("terms", rows, "rows [i, j, k, coefficient]"))
        terms = []
        for row in rows:
            if not isinstance(row, list | tuple) or len(row) != 4:
                raise ValueError(validation.complaint("terms", row, "[i, j, k, coefficient]"))
            terms.append(((row[0], row[1], row[2]), row[3]))
        return cls(tuple(terms))

    @classmethod
    def _of(cls, terms: Terms) -> Anisotropy:
        return cls(tuple(terms.items()))


def exponents(degree: int) -> list[Exponents]:
    """Return the exponents (i, j, k) of all monomials of one degree, in the canonical order."""
    return [
        (i, j, degree - i - j) for i in range(degree, -1, -1) for j in range(degree - i, -1, -1)
    ]


def _exponents(value: object) -> Exponents:
    expected = f"three whole numbers >= 0 with an even sum of at most {HIGHEST_DEGREE}"
    parts = tuple(value) if isinstance(value, tuple | list) else ()
    whole = len(parts) == 3 and all(
        isinstance(p, int | float | np.integer) and not isinstance(p, bool) and p == int(p) >= 0
        for p in parts
    )
    if not whole:
        raise ValueError(validation.complaint("exponents", value, expected))
    i, j, k = (int(p) for p in parts)
    if (i + j + k) % 2 or i + j + k > HIGHEST_DEGREE:
        raise ValueError(validation.complaint("exponents", value, expected))
    return i, j, k


def _canonical(terms: Terms) -> Terms:
    """Make the terms homogeneous and of the lowest degree."""
    degree = max((sum(key) for key in terms), default=0)
    raised: Terms = {}
    for key, value in terms.items():
        raised = _plus(raised, _times({key: value}, _square_power((degree - sum(key)) // 2)), 1.0)
    while degree > 0:
        lower = _divided(raised, degree)
        if lower is None:
            break
        raised, degree = lower, degree - 2
    largest = max((abs(value) for value in raised.values()), default=0.0)
    return {key: value for key, value in raised.items() if abs(value) > _NEGLIGIBLE * largest}


def _divided(terms: Terms, degree: int) -> Terms | None:
    """Return terms/n² if n² divides them, that is if all are left by lower powers of n_x.

    Division by n_x² + n_y² + n_z² with respect to n_x; None if a remainder is left.
    """
    rest = dict(terms)
    largest = max((abs(value) for value in terms.values()), default=0.0)
    quotient: Terms = {}
    for i, j, k in exponents(degree):
        value = rest.get((i, j, k), 0.0)
        if i < 2 or value == 0.0:
            continue
        quotient[(i - 2, j, k)] = value
        rest = _plus(rest, _times({(i - 2, j, k): value}, _square_power(1)), -1.0)
    left = max((abs(value) for value in rest.values()), default=0.0)
    return quotient if left <= 4.0 * _NEGLIGIBLE * largest else None


def _square_power(power: int) -> Terms:
    """Return (n_x² + n_y² + n_z²)^power."""
    return {
        (2 * i, 2 * j, 2 * (power - i - j)): float(comb(power, i) * comb(power - i, j))
        for i in range(power + 1)
        for j in range(power + 1 - i)
    }


def _plus(one: Terms, other: Terms, factor: float) -> Terms:
    """Return one + factor * other."""
    total = dict(one)
    for key, value in other.items():
        total[key] = total.get(key, 0.0) + factor * value
    return total


def _times(one: Terms, other: Terms) -> Terms:
    product: Terms = {}
    for (i, j, k), a in one.items():
        for (p, q, r), b in other.items():
            key = (i + p, j + q, k + r)
            product[key] = product.get(key, 0.0) + a * b
    return product


def _derivative(terms: Terms, axis: int) -> Terms:
    """Return the partial derivative along one axis."""
    lowered: Terms = {}
    for key, value in terms.items():
        if key[axis]:
            new = list(key)
            new[axis] -= 1
            lowered[(new[0], new[1], new[2])] = value * key[axis]
    return lowered


def _turned(terms: Terms, axis: int) -> Terms:
    """Return (n×∂/∂n) of the terms along one axis."""
    one, two = (axis + 1) % 3, (axis + 2) % 3
    first = _times(_axis(one), _derivative(terms, two))
    return _plus(first, _times(_axis(two), _derivative(terms, one)), -1.0)


def _values(terms: Terms, n: FloatArray) -> FloatArray:
    x, y, z = np.moveaxis(n, -1, 0)
    total = np.zeros(n.shape[:-1])
    for (i, j, k), value in terms.items():
        total = total + value * x**i * y**j * z**k
    return np.asarray(total)


def _dense(terms: Terms, degree: int) -> FloatArray:
    return np.array([terms.get(key, 0.0) for key in exponents(degree)])


def _axis(i: int) -> Terms:
    return {((1, 0, 0), (0, 1, 0), (0, 0, 1))[i]: 1.0}


def _linear(vector: FloatArray) -> Terms:
    x, y, z = (float(v) for v in vector)
    return {(1, 0, 0): x, (0, 1, 0): y, (0, 0, 1): z}


def _orthonormal(name: str, value: ArrayLike) -> FloatArray:
    matrix = validation.vectors(name, value, count=3)
    if not np.allclose(matrix @ matrix.T, np.eye(3), rtol=0.0, atol=1e-9):
        raise ValueError(validation.complaint(name, value, "an orthogonal matrix (3, 3)"))
    return matrix
