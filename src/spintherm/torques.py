r"""Spin torques whose efficiency depends on the angle to a polariser.

A current polarised along the unit vector p̂ acts on the magnet through the spin torque

.. math:: P(n, t) = P_0(t)\, g(n\cdot\hat p)\, \hat p ,

with g the torque's efficiency: constant in [I] and [II], 1/(1 + qc) up to a factor in
Slonczewski's model (J. Magn. Magn. Mater. 159, L1 (1996)). What a path pumps into the current
follows from the general rule that the pumped entropy is minus the divergence of the reversible
drift that no energy generates,

.. math:: dS_P = \gamma_0 m P_0 [2 c\,g(c) - (1 - c^2) g'(c)]\,dt, \qquad c = n\cdot\hat p,

which for constant g is [I] 3.9. A field-like torque is a field H_FL = ζ m P_0 p̂ of the current,
with ζ the ratio of the two torques; being a field it pumps nothing.

Time reversal turns the polariser's magnet, p̂ -> -p̂, and the current, P_0 -> -P_0, so that P is
even; c is even, for n turns as well; H_FL must be odd like any field, hence ζ -> -ζ.

Units: P a field per moment; p̂, g, ζ are dimensionless.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray

HIGHEST_POWER = 8
"""Largest power of c accepted in the numerator of an efficiency."""

_MOST_TERMS = 400


@dataclass(frozen=True)
class TorqueEfficiency:
    """g(c) = (a₀ + a₁c + ... )/(1 + qc), c the cosine of the angle to the polariser.

    Parameters
    ----------
    numerator : tuple of float
        a₀, a₁, ...; at most nine.
    asymmetry : float
        q between -1 and 1, both excluded.

    Raises
    ------
    TypeError, ValueError
        If a parameter is refused.
    """

    numerator: tuple[float, ...] = (1.0,)
    asymmetry: float = 0.0

    def __post_init__(self) -> None:
        expected = f"1 to {HIGHEST_POWER + 1} finite numbers"
        powers = validation.real_array("numerator", self.numerator, expected)
        if powers.ndim != 1 or not 1 <= powers.size <= HIGHEST_POWER + 1:
            raise ValueError(validation.complaint("numerator", self.numerator, expected))
        q = validation.finite_scalar("asymmetry", self.asymmetry)
        if not -1.0 < q < 1.0:
            raise ValueError(validation.complaint("asymmetry", q, "a number between -1 and 1"))
        kept = np.trim_zeros(powers, "b") if np.any(powers) else powers[:1]
        object.__setattr__(self, "numerator", tuple(kept.tolist()))
        object.__setattr__(self, "asymmetry", q)

    @classmethod
    def constant(cls) -> TorqueEfficiency:
        """Return g = 1, the torque of [I] and [II]."""
        return cls()

    @classmethod
    def slonczewski(cls, asymmetry: float) -> TorqueEfficiency:
        """Return g = 2Λ²/[(Λ² + 1) + (Λ² - 1)c], normalised to 1 at Λ = 1.

        Slonczewski, J. Magn. Magn. Mater. 247, 324 (2002), in the form of Xiao, Zangwill and
        Stiles, Phys. Rev. B 70, 172405 (2004).

        Parameters
        ----------
        asymmetry : float
            Λ >= 1.

        Returns
        -------
        TorqueEfficiency
            The efficiency; g(1) = 1 for every Λ.
        """
        square = validation.finite_scalar("asymmetry", asymmetry, positive=True) ** 2
        if square < 1.0:
            raise ValueError(validation.complaint("asymmetry", asymmetry, "a number >= 1"))
        return cls((2.0 * square / (square + 1.0),), (square - 1.0) / (square + 1.0))

    @classmethod
    def slonczewski_1996(cls, polarisation: float) -> TorqueEfficiency:
        """Return g = 1/[-4 + (1 + p)³(3 + c)/(4 p^{3/2})], Slonczewski's of 1996.

        Parameters
        ----------
        polarisation : float
            p between 0 and 1.

        Returns
        -------
        TorqueEfficiency
            The efficiency, as printed there: it holds the polarisation and is not normalised.
        """
        p = validation.finite_scalar("polarisation", polarisation, positive=True)
        if p >= 1.0:
            raise ValueError(validation.complaint("polarisation", p, "a number between 0 and 1"))
        slope = (1.0 + p) ** 3 / (4.0 * p**1.5)
        constant = 3.0 * slope - 4.0
        return cls((1.0 / constant,), slope / constant)

    @classmethod
    def polynomial(cls, coefficients: ArrayLike) -> TorqueEfficiency:
        """Return g = a₀ + a₁c + a₂c² + ...

        Parameters
        ----------
        coefficients : array_like, shape (n,)
            a₀, a₁, ..., at most nine.

        Returns
        -------
        TorqueEfficiency
            The efficiency.
        """
        return cls(tuple(np.asarray(coefficients, dtype=object).tolist()))

    @property
    def is_constant(self) -> bool:
        """Whether g does not depend on the angle."""
        return len(self.numerator) == 1 and self.asymmetry == 0.0

    @property
    def largest(self) -> float:
        """The largest |g| + |sin θ g'| over a grid of 513 angles: how strongly P(n) can act."""
        theta = np.linspace(0.0, np.pi, 513)
        c = np.cos(theta)
        return float((np.abs(self(c)) + np.abs(np.sin(theta) * self.derivative(c))).max())

    def __call__(self, cosine: ArrayLike) -> FloatArray:
        """Return g(c).

        Parameters
        ----------
        cosine : array_like, shape (...)
            c = n·p̂.

        Returns
        -------
        ndarray, shape (...)
            Efficiencies.
        """
        c = np.asarray(cosine, dtype=np.float64)
        return np.asarray(np.polynomial.polynomial.polyval(c, self.numerator) / self._below(c))

    def derivative(self, cosine: ArrayLike) -> FloatArray:
        """Return g'(c).

        Parameters
        ----------
        cosine : array_like, shape (...)
            c = n·p̂.

        Returns
        -------
        ndarray, shape (...)
            Derivatives.
        """
        c = np.asarray(cosine, dtype=np.float64)
        slope = np.polynomial.polynomial.polyval(
            c, np.polynomial.polynomial.polyder(np.array(self.numerator))
        )
        return np.asarray((slope - self.asymmetry * self(c)) / self._below(c))

    def integral(self, cosine: ArrayLike, tolerance: float = 1e-14) -> FloatArray:
        """Return G(c) with G' = g, from the Legendre series; the constant is arbitrary.

        The torque's field along the sphere is P₀ ∇_S G(n·p̂).

        Parameters
        ----------
        cosine : array_like, shape (...)
            c = n·p̂.
        tolerance : float
            As in `legendre`.

        Returns
        -------
        ndarray, shape (...)
            Integrals.
        """
        series, _ = self.legendre(tolerance)
        leg = np.polynomial.legendre
        return np.asarray(leg.legval(np.asarray(cosine, dtype=np.float64), leg.legint(series)))

    def legendre(self, tolerance: float = 1e-13) -> tuple[FloatArray, float]:
        """Return g as a Legendre series.

        Parameters
        ----------
        tolerance : float
            Error of the series anywhere, as a fraction of the largest |g|.

        Returns
        -------
        coefficients : ndarray, shape (n,)
            g(c) = Σ coefficients[l] P_l(c).
        error : float
            Largest difference from g on a fine grid, absolute.

        Raises
        ------
        ValueError
            If more than 400 terms are needed (asymmetry close to one).
        """
        from scipy.linalg import solve_banded

        leg = np.polynomial.legendre
        grid = np.cos(np.linspace(0.0, np.pi, 2001))
        exact = self(grid)
        scale = max(float(np.abs(exact).max()), np.finfo(float).tiny)
        above = leg.poly2leg(np.array(self.numerator))
        if self.asymmetry == 0.0:
            return above, float(np.abs(leg.legval(grid, above) - exact).max())
        count, error = above.size, np.inf
        while error > tolerance * scale and count <= _MOST_TERMS:
            # (1 + qc) g = numerator, with c P_l = [(l + 1) P_{l+1} + l P_{l-1}]/(2l + 1)
            count, degrees = count + 16, np.arange(count + 16)
            bands = np.ones((3, count))
            bands[0] = self.asymmetry * degrees / (2 * degrees + 1)
            bands[2] = self.asymmetry * (degrees + 1) / (2 * degrees + 1)
            series = solve_banded((1, 1), bands, np.pad(above, (0, count - above.size)))
            error = float(np.abs(leg.legval(grid, series) - exact).max())
        if error > tolerance * scale:
            expected = f"a number so far from 1 that {_MOST_TERMS} Legendre polynomials suffice"
            raise ValueError(validation.complaint("asymmetry", self.asymmetry, expected))
        return np.asarray(series), error

    def _below(self, c: FloatArray) -> FloatArray:
        return 1.0 + self.asymmetry * c


@dataclass(frozen=True)
class Polariser:
    """A direction of spin polarisation and how its torque depends on the angle to it.

    Parameters
    ----------
    direction : array_like, shape (3,)
        p̂; any length but zero, normalised.
    efficiency : TorqueEfficiency
        g(c).
    strength : float
        Share of the current's torque, for magnets with more than one polariser; may be negative.
    field_like : float
        ζ, the field-like torque over the damping-like one.

    Raises
    ------
    TypeError, ValueError
        If a parameter is refused.
    """

    direction: tuple[float, float, float]
    efficiency: TorqueEfficiency = field(default_factory=TorqueEfficiency)
    strength: float = 1.0
    field_like: float = 0.0

    def __post_init__(self) -> None:
        p = validation.vector("direction", self.direction)
        length = float(np.linalg.norm(p))
        if length == 0.0:
            raise ValueError(validation.complaint("direction", p, "a vector other than 0"))
        if abs(length - 1.0) > 4e-16:
            p = p / length
        if not isinstance(self.efficiency, TorqueEfficiency):
            raise TypeError(
                validation.complaint("efficiency", self.efficiency, "a TorqueEfficiency")
            )
        object.__setattr__(self, "direction", tuple(p.tolist()))
        for name in ("strength", "field_like"):
            value = validation.finite_scalar(name, getattr(self, name))
            object.__setattr__(self, name, value)

    @property
    def vector(self) -> FloatArray:
        """Direction p̂, shape (3,)."""
        return np.array(self.direction)

    def reversed(self) -> Polariser:
        """Return the polariser of the backward process: p̂ -> -p̂ and ζ -> -ζ."""
        x, y, z = self.direction
        return Polariser((-x, -y, -z), self.efficiency, self.strength, -self.field_like)

    def rotated(self, rotation: FloatArray) -> Polariser:
        """Return the polariser turned by a rotation R, shape (3, 3)."""
        x, y, z = (rotation @ self.vector).tolist()
        return Polariser((x, y, z), self.efficiency, self.strength, self.field_like)

    def to_dict(self) -> dict[str, object]:
        """Return the parameters as a plain dictionary."""
        return {
            "direction": list(self.direction),
            "numerator": list(self.efficiency.numerator),
            "asymmetry": self.efficiency.asymmetry,
            "strength": self.strength,
            "field_like": self.field_like,
        }

    @classmethod
    def from_dict(cls, data: object) -> Polariser:
        """Build a polariser from `to_dict`'s dictionary.

        Raises
        ------
        TypeError, ValueError
            If a key is unknown or missing, or a value is refused.
        """
        values: dict[str, object] = validation.mapping(
            "polariser", data, ("direction",), ("numerator", "asymmetry", "strength", "field_like")
        )
        efficiency = TorqueEfficiency(
            values.pop("numerator", (1.0,)),  # type: ignore[arg-type]
            values.pop("asymmetry", 0.0),  # type: ignore[arg-type]
        )
        return cls(efficiency=efficiency, **values)  # type: ignore[arg-type]


def as_polarisers(value: object) -> tuple[Polariser, ...]:
    """Return polarisers as a tuple; one alone is taken as one.

    Parameters
    ----------
    value : Polariser or iterable of Polariser
        Polarisers.

    Returns
    -------
    tuple of Polariser
        The same.

    Raises
    ------
    TypeError
        If something else is among them.
    """
    found = (value,) if isinstance(value, Polariser) else value
    if not isinstance(found, Iterable) or isinstance(found, str | bytes):
        raise TypeError(validation.complaint("polarisers", value, "Polarisers"))
    polarisers = tuple(found)
    for item in polarisers:
        if not isinstance(item, Polariser):
            raise TypeError(validation.complaint("polarisers", item, "a Polariser"))
    return polarisers
