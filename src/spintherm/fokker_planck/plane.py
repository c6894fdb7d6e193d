r"""A plane of two parameters through the space of magnets, fields and spin torques.

The parameters are those of the magnet, the strengths H and P, the angle :math:`\theta` and
:math:`\alpha = mP/H`, of which the last fixes one of the strengths. With the unit vectors h and
:math:`p(\theta)` at an angle :math:`\theta`, H = H h and, extending [II] 10 to tilted torques,

.. math:: P = \frac{\alpha H}{m}\, p(\theta) ,

so that :math:`\alpha < 0` at :math:`\theta` is :math:`|\alpha|` at :math:`\pi - \theta`, as in
[II] Fig. 3. The rates are odd in P: divided by :math:`2\gamma_0 m P` they are smooth at P = 0 too.

A magnet with anisotropy or polarisers has directions of its own, so it matters where h and p point.
One of them lies along a `reference` direction, the other is turned from it by :math:`\theta` in the
half plane that holds `towards`. It is P that turns, but where the magnet has polarisers: they fix
P's direction, and H turns. P is then :math:`P_0`, the amplitude along the first polariser.

Units: angles in radians, fields in energy per moment; the anisotropy is a factor of E_a.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.fokker_planck.batch import steady_rates
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.steady import check_bath
from spintherm.magnet import Magnet

CONSTANTS = ("moment", "gyromagnetic_ratio", "damping", "temperature")
OF_MAGNET = (*CONSTANTS, "anisotropy")
STRENGTHS = ("field", "spin_torque", "alpha")
PARAMETERS = (*OF_MAGNET, *STRENGTHS, "angle")
UNITS = {
    "moment": "moment",
    "gyromagnetic_ratio": "rate per field",
    "damping": "rate per energy",
    "temperature": "energy",
    "anisotropy": "1",
    "field": "energy per moment",
    "spin_torque": "energy per moment squared",
    "alpha": "1",
    "angle": "rad",
}
SMALLEST_TORQUE = 1e-10  # relative; it stands for zero where rates are divided by P
ALONG = 1e-12  # sine of the angle between a reference and a polariser that count as parallel


@dataclass(frozen=True)
class Axis:
    """One parameter and its range.

    Attributes
    ----------
    name : str
        One of `PARAMETERS`.
    low, high : float
        Range, low < high.
    points : int
        Number of grid points, both ends included.
    spacing : {"linear", "log"}
        Of the grid points.
    """

    name: str
    low: float
    high: float
    points: int = 101
    spacing: str = "linear"

    def __post_init__(self) -> None:
        if self.name not in PARAMETERS:
            expected = "one of " + ", ".join(PARAMETERS)
            raise ValueError(validation.complaint("axis", self.name, expected))
        if self.spacing not in ("linear", "log"):
            expected = "'linear' or 'log'"
            raise ValueError(validation.complaint(f"{self.name} spacing", self.spacing, expected))
        positive = self.spacing == "log"
        low = validation.finite_scalar(f"lower end of {self.name}", self.low, positive=positive)
        high = validation.finite_scalar(f"upper end of {self.name}", self.high)
        points = validation.positive_integer(f"points of {self.name}", self.points)
        if not low < high:
            raise ValueError(validation.complaint(self.name, (low, high), "low < high"))
        if points < 2:
            raise ValueError(validation.complaint(f"points of {self.name}", points, "at least 2"))
        for name, value in (("low", low), ("high", high), ("points", points)):
            object.__setattr__(self, name, value)

    @property
    def values(self) -> Floats:
        """Grid points, shape (points,)."""
        grid = self.at(np.linspace(0.0, 1.0, self.points))
        grid[0], grid[-1] = self.low, self.high
        return grid

    def at(self, fraction: ArrayLike) -> Floats:
        """Return values at fractions (...) of the way from low to high."""
        u = np.asarray(fraction, dtype=float)
        if self.spacing == "log":
            return np.asarray(self.low * (self.high / self.low) ** u)
        return np.asarray(self.low + (self.high - self.low) * u)

    def slope(self, fraction: ArrayLike) -> Floats:
        """Return the derivative of the value with respect to the fraction (...)."""
        if self.spacing == "log":
            return np.asarray(self.at(fraction) * np.log(self.high / self.low))
        return np.full(np.shape(fraction), self.high - self.low)


@dataclass(frozen=True)
class Plane:
    """Two parameters that vary, and all the others, which do not.

    Attributes
    ----------
    magnet : Magnet
        Its parameters count where they are not on an axis.
    x, y : Axis
    fixed : tuple of (str, float)
        Those of field, spin_torque, alpha and angle that do not vary. Of the first three, two must
        be known.
    reference, towards : tuple of float, optional
        Directions that the angle is counted from and towards; by default z (with polarisers the
        first of them) and x (z where the reference lies along x).
    """

    magnet: Magnet
    x: Axis
    y: Axis
    fixed: tuple[tuple[str, float], ...]
    reference: tuple[float, float, float] | None = None
    towards: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.magnet, Magnet):
            raise TypeError(validation.complaint("magnet", self.magnet, "a Magnet"))
        names = [self.x.name, self.y.name, *(name for name, _ in self.fixed)]
        for name in names:
            if names.count(name) > 1:
                expected = "every parameter once"
                raise ValueError(validation.complaint("parameters", tuple(names), expected))
        for name, value in self.fixed:
            validation.finite_scalar(name, value)
        given = [name for name in STRENGTHS if name in names]
        if len(given) != 2 or "angle" not in names:
            expected = "the angle and exactly two of field, spin_torque and alpha"
            raise ValueError(validation.complaint("parameters", tuple(names), expected))
        if "anisotropy" in names and self.magnet.anisotropy is None:
            expected = "a parameter of a magnet with anisotropy"
            raise ValueError(validation.complaint("parameters", "anisotropy", expected))
        _ = self.directions
        self._check_ranges()

    @cached_property
    def directions(self) -> tuple[Floats, Floats]:
        """Unit vectors, shape (3,): the reference and, across it, where the angle turns to."""
        polarisers = self.magnet.polarisers
        own = polarisers[0].vector if polarisers else np.array([0.0, 0.0, 1.0])
        start = own if self.reference is None else _unit("reference", self.reference)
        if polarisers and np.linalg.norm(np.cross(start, own)) > ALONG:
            expected = f"the first polariser's direction {own.tolist()}, which P keeps"
            raise ValueError(validation.complaint("reference", self.reference, expected))
        along_x = abs(start[0]) > 1.0 - 1e-9
        other = np.eye(3)[2 if along_x else 0]
        if self.towards is not None:
            other = _unit("towards", self.towards)
        across = other - start * (start @ other)
        length = float(np.linalg.norm(across))
        if length <= 1e-9:
            expected = "a direction other than the reference's"
            raise ValueError(validation.complaint("towards", self.towards, expected))
        return start, across / length

    def strengths(self, x: Floats, y: Floats) -> dict[str, Floats]:
        """Return the field, the signed spin torque and the angle at points (n,)."""
        known = self._known(x, y)
        if "field" not in known:
            torque, alpha = known["spin_torque"], known["alpha"]
            known["field"] = known["moment"] * torque / np.abs(alpha)
            known["spin_torque"] = np.copysign(torque, alpha)
        elif "spin_torque" not in known:
            known["spin_torque"] = known["alpha"] * known["field"] / known["moment"]
        return {name: known[name] for name in ("field", "spin_torque", "angle")}

    def scaled_rates(self, x: ArrayLike, y: ArrayLike, *, tolerance: float) -> Floats:
        """Return the rates of pumped and bath entropy over 2 gamma_0 m P at points of the plane.

        Parameters
        ----------
        x, y : array_like, shape (n,)
        tolerance : float
            As in `steady_rates`.

        Returns
        -------
        ndarray, shape (n, 2)
        """
        x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        at = self.strengths(x, y)
        P = self._not_zero(at["spin_torque"])
        H, torques = self.vectors(at["field"], P, at["angle"])
        out = np.empty((len(x), 2))
        for magnet, place in self._magnets(x, y):
            found = steady_rates(
                magnet, H[place], torques[place], tolerance=tolerance, workers=1, progress=False
            )
            scale = 2.0 * magnet.gyromagnetic_ratio * magnet.moment * P[place]
            out[place] = np.stack(found, axis=-1) / scale[:, None]
        return out

    def vectors(self, field: Floats, spin_torque: Floats, angle: Floats) -> tuple[Floats, Floats]:
        """Return H and P, shapes (n, 3), of strengths and angles (n,)."""
        across = np.where(np.isin(angle, (0.0, np.pi)), 0.0, np.sin(angle))
        start, other = self.directions
        turned = np.cos(angle)[:, None] * start + across[:, None] * other
        if self.magnet.polarisers:
            return field[:, None] * turned, spin_torque[:, None] * self._polariser
        return field[:, None] * start, spin_torque[:, None] * turned

    @property
    def _polariser(self) -> Floats:
        return self.magnet.polarisers[0].vector

    def scale(self, x: Floats, y: Floats) -> Floats:
        """Return 2 gamma_0 m P, the factor between rates and scaled rates, shape (n,)."""
        known = self._known(x, y)
        P = self.strengths(x, y)["spin_torque"]
        return np.asarray(2.0 * known["gyromagnetic_ratio"] * known["moment"] * P)

    def _known(self, x: Floats, y: Floats) -> dict[str, Any]:
        of_magnet = {name: getattr(self.magnet, name) for name in CONSTANTS}
        fixed = of_magnet | {"anisotropy": 1.0} | dict(self.fixed)
        known = {name: np.full(np.shape(x), value) for name, value in fixed.items()}
        return known | {self.x.name: x, self.y.name: y}

    def _magnets(self, x: Floats, y: Floats) -> Iterator[tuple[Magnet, NDArray[np.intp]]]:
        """Group points of one magnet."""
        known = self._known(x, y)
        table = np.stack([known[name] for name in OF_MAGNET], axis=-1)
        rows, places = np.unique(table, axis=0, return_inverse=True)
        for k, row in enumerate(rows):
            *constants, factor = row.tolist()
            energy = self.magnet.anisotropy
            if energy is not None and factor != 1.0:
                energy = energy * factor
            named = dict(zip(CONSTANTS, constants, strict=True))
            magnet = replace(self.magnet, **named, anisotropy=energy)
            yield magnet, np.flatnonzero(places.ravel() == k)

    def _not_zero(self, torque: Floats) -> Floats:
        least = SMALLEST_TORQUE * self._largest_torque
        return np.where(np.abs(torque) < least, np.copysign(least, torque), torque)

    @cached_property
    def _largest_torque(self) -> float:
        return float(np.max(np.abs(self.strengths(*self._corners)["spin_torque"])))

    @property
    def _corners(self) -> tuple[Floats, Floats]:
        x, y = np.meshgrid((self.x.low, self.x.high), (self.y.low, self.y.high))
        return x.ravel(), y.ravel()

    def _check_ranges(self) -> None:
        x, y = self._corners
        known = self._known(x, y)
        ratio = known["gyromagnetic_ratio"]
        if np.min(ratio) < 0.0 < np.max(ratio):
            span = float(np.min(ratio)), float(np.max(ratio))
            raise ValueError(validation.complaint("gyromagnetic_ratio", span, "a range without 0"))
        for magnet, _ in self._magnets(x, y):
            check_bath(magnet)
        if "field" in known and not np.all(known["field"] >= 0.0):
            lowest = float(np.min(known["field"]))
            expected = "a strength >= 0; reverse the torque, or the angle, instead"
            raise ValueError(validation.complaint("field", lowest, expected))
        if "field" not in known:
            self._check_infinite(known)
        if self._largest_torque == 0.0:
            raise ValueError(validation.complaint("spin_torque", 0.0, "a torque other than zero"))

    @staticmethod
    def _check_infinite(known: dict[str, Any]) -> None:
        """Refuse ranges in which the field m|P/alpha| is infinite or the sign of P is alpha's."""
        alpha, torque = known["alpha"], known["spin_torque"]
        if np.min(alpha) <= 0.0 <= np.max(alpha):
            span = float(np.min(alpha)), float(np.max(alpha))
            expected = "a range without 0, where the field is infinite at given spin torque"
            raise ValueError(validation.complaint("alpha", span, expected))
        if not np.all(torque > 0.0):
            expected = "a strength > 0 where alpha, which carries the sign, is given"
            raise ValueError(validation.complaint("spin_torque", float(np.min(torque)), expected))


def _unit(name: str, direction: ArrayLike) -> Floats:
    """Return a direction as a unit vector; one along an axis as it is."""
    return np.asarray(validation.unit_direction(name, direction))
