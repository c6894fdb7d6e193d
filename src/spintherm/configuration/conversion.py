"""Conversion: times, fields and currents of a study in the reduced units of its magnet.

Beside [magnet] everything is a number in reduced units already, and text with a unit is refused;
beside [material] a number is in SI, text is read by `units`, and the material's `Scales` reduce
both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from spintherm import units
from spintherm.configuration.problem import ConfigurationError, complaint_of
from spintherm.magnet import Magnet
from spintherm.materials import Nanomagnet, Scales, SpinTorque
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
    nanomagnet : Nanomagnet, optional
        The body of a material.
    torque : SpinTorque, optional
        Of a current of one A/m² through it.
    """

    magnet: Magnet
    nanomagnet: Nanomagnet | None = None
    torque: SpinTorque | None = None

    @property
    def scales(self) -> Scales | None:
        """What one reduced unit is worth; None where there is no SI."""
        return None if self.nanomagnet is None else self.nanomagnet.scales

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
        P = self.torque.at(J).reduced(self.scales)
        return [float(component) for component in P]

    def _three(self, key: str, value: object) -> tuple[float | str, ...]:
        if not isinstance(value, tuple | list):
            raise ConfigurationError(key, f"={value!r}: expected three components")
        return tuple(value)

    def _reduced(self, key: str, value: object, kind: Kind, scale: str | None) -> float:
        number = self._read(key, value, kind)
        return (
            number if self.scales is None or scale is None else number / getattr(self.scales, scale)
        )

    def _read(self, key: str, value: object, kind: Kind) -> float:
        if self.scales is None and isinstance(value, str):
            problem = complaint(key, value, "a number in reduced units; units need a [material]")
            raise complaint_of("", problem)
        try:
            number = units.quantity(key, value, kind)
        except (TypeError, ValueError) as error:
            raise complaint_of("", str(error)) from error
        if not math.isfinite(number):
            raise ConfigurationError(key, f"={value!r}: expected a finite number")
        return number
