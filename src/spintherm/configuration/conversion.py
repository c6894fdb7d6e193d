"""Conversion: times, fields and currents of a study in the reduced units of its magnet.

Beside [magnet] everything is a number in reduced units already, and text with a unit is refused;
beside [material] a number is in SI, text is read by `units`, and the material's `Scales` reduce
both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spintherm import units
from spintherm.configuration.problem import ConfigurationError, at, complaint_of
from spintherm.magnet import Magnet
from spintherm.materials import Scales, SpinTorque
from spintherm.units import Kind
from spintherm.validation import complaint

_FREQUENCY = Kind("a frequency", "Hz", "1 GHz")


@dataclass(frozen=True)
class Body:
    """The magnet of a study, and what converts to its units.

    Parameters
    ----------
    magnet : Magnet
        In reduced units.
    scales : Scales, optional
        What one reduced unit is worth; none where there is no SI.
    torque : SpinTorque, optional
        Of a current of one A/m² through it.
    """

    magnet: Magnet
    scales: Scales | None = None
    torque: SpinTorque | None = None

    def time(self, key: str, value: float | str) -> float:
        """Return a time in reduced units."""
        return self._reduced(key, value, units.TIME, "time")

    def frequency(self, key: str, value: float | str) -> float:
        """Return a frequency, turns per time, in reduced units."""
        return self._reduced(key, value, _FREQUENCY, "rate")

    def number(self, key: str, value: float | str) -> float:
        """Return a pure number."""
        return self._reduced(key, value, units.NUMBER, None)

    def field(self, key: str, value: object) -> list[float]:
        """Return a field, three components in reduced units."""
        return [
            self._reduced(f"{key}.{i}", component, units.FIELD, "field")
            for i, component in enumerate(self._three(key, value))
        ]

    def spin_torque(self, key: str, value: object) -> list[float]:
        """Return a spin torque P, three components in reduced units."""
        if self.scales is not None:
            raise ConfigurationError(
                key, ": expected current_density in its place, for the magnet is a material"
            )
        return [self.number(f"{key}.{i}", part) for i, part in enumerate(self._three(key, value))]

    def current_density(self, key: str, value: object) -> list[float]:
        """Return the spin torque P of a current density along the polariser."""
        if self.scales is None or self.torque is None:
            raise ConfigurationError(key, ": expected [material.current], how the current acts")
        if isinstance(value, tuple | list):
            raise ConfigurationError(
                key, f"={list(value)!r}: expected one current density, along the polariser"
            )
        J = self._read(key, value, units.CURRENT_DENSITY)
        P = [float(component) for component in self.torque.at(J).reduced(self.scales)]
        if not all(map(math.isfinite, P)):
            raise ConfigurationError(key, f"={value!r}: expected a torque that is finite")
        return P

    def _three(self, key: str, value: object) -> tuple[float | str, ...]:
        if not isinstance(value, tuple | list):
            raise ConfigurationError(key, f"={value!r}: expected three components")
        return tuple(value)

    def _reduced(self, key: str, value: object, kind: Kind, scale: str | None) -> float:
        number = self._read(key, value, kind)
        if self.scales is None or scale is None:
            return number
        reduced = float(np.float64(number) / getattr(self.scales, scale))
        if not math.isfinite(reduced):
            raise ConfigurationError(key, f"={value!r}: expected a finite number in reduced units")
        return reduced

    def _read(self, key: str, value: object, kind: Kind) -> float:
        if self.scales is None and type(value) is float:
            return value
        if self.scales is None and isinstance(value, str):
            problem = complaint(key, value, "a number in reduced units; units need a [material]")
            raise complaint_of("", problem)
        with at(""):
            return units.quantity(key, value, kind)
