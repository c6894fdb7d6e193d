"""The protocol: how the field H(t) and the spin torque P(t) are driven from time 0 to τ.

The process starts in equilibrium at the initial field H(0⁻); what happens at 0 and at τ, such as
a jump of H, belongs to it. The backward process ([I] section IV) is

    H_B(t) = -H(τ - t),    P_B(t) = +P(τ - t) .

Units: those of the magnet; field H an energy per moment, P a field per moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from numpy.typing import ArrayLike

from spintherm import display, validation
from spintherm.validation import FloatArray
from spintherm.waveforms import (
    Times,
    VectorFunction,
    Waveform,
    as_waveform,
    distinct,
    same_instant,
)


@dataclass(frozen=True, init=False)
class Protocol:
    """A field and a spin torque driven for a time.

    Parameters
    ----------
    duration : float
        τ > 0.
    field : Waveform, array_like of shape (3,), callable or None
        H(t); anything that `as_waveform` takes.
    spin_torque : Waveform, array_like of shape (3,), callable or None
        P(t), likewise; none by default.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """

    duration: float
    field: Waveform
    spin_torque: Waveform

    def __init__(
        self,
        duration: float,
        field: Waveform | ArrayLike | VectorFunction | None,
        spin_torque: Waveform | ArrayLike | VectorFunction | None = None,
    ) -> None:
        tau = validation.finite_scalar("duration", duration, positive=True)
        object.__setattr__(self, "duration", tau)
        object.__setattr__(self, "field", as_waveform(field, "field"))
        object.__setattr__(self, "spin_torque", as_waveform(spin_torque, "spin_torque"))

    def __str__(self) -> str:
        return display.protocol_text(self)

    def _repr_html_(self) -> str:
        return display.protocol_card(self)

    def reversed(self) -> Protocol:
        """Return the backward process, H_B(t) = -H(τ-t) and P_B(t) = +P(τ-t).

        Returns
        -------
        Protocol
            Reversed again it equals this one exactly.
        """
        return Protocol(
            self.duration,
            self.field.reversed(self.duration, -1.0),
            self.spin_torque.reversed(self.duration, 1.0),
        )

    @property
    def initial_field(self) -> FloatArray:
        """H(0⁻), shape (3,): the field at which the process starts in equilibrium."""
        return self.field.before(0.0)

    @property
    def final_field(self) -> FloatArray:
        """H(τ⁺), shape (3,): the field after everything, also after a jump at τ."""
        return self.field(self.duration)

    @property
    def initial_spin_torque(self) -> FloatArray:
        """P(0⁻), shape (3,)."""
        return self.spin_torque.before(0.0)

    @property
    def final_spin_torque(self) -> FloatArray:
        """P(τ⁺), shape (3,)."""
        return self.spin_torque(self.duration)

    @property
    def jumps(self) -> Times:
        """Times from 0 to τ, both included, at which H or P jumps; sorted, without repetition."""
        tau = self.duration
        times = (*self.field.jumps, *self.spin_torque.jumps)
        return distinct(tau if same_instant(t, tau) else t for t in times if _inside(t, tau))

    @property
    def kinks(self) -> Times:
        """Times strictly between 0 and τ at which a slope jumps and nothing itself does."""
        tau, jumps = self.duration, self.jumps
        times = distinct((*self.field.kinks, *self.spin_torque.kinks))
        return tuple(
            t
            for t in times
            if 0.0 < t < tau and not any(same_instant(t, other) for other in (0.0, tau, *jumps))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the protocol as a plain dictionary.

        Returns
        -------
        dict
            Of floats, strings, lists and dictionaries.

        Raises
        ------
        TypeError
            If a waveform holds a callable.
        """
        return {
            "duration": self.duration,
            "field": self.field.to_dict(),
            "spin_torque": self.spin_torque.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Build a protocol from `to_dict`'s dictionary.

        Parameters
        ----------
        data : mapping
            "duration", "field" and, if there is one, "spin_torque". Instead of a waveform's
            dictionary a list of three numbers stands for a constant.

        Returns
        -------
        Protocol
            The protocol.

        Raises
        ------
        TypeError, ValueError
            If a key is unknown or missing, or a value is refused.
        """
        values: dict[str, Any] = validation.mapping(
            "protocol", data, ("duration", "field"), ("spin_torque",)
        )
        for name in ("field", "spin_torque"):
            if isinstance(values.get(name), Mapping):
                values[name] = Waveform.from_dict(values[name])
        return cls(**values)


def _inside(t: float, tau: float) -> bool:
    return 0.0 <= t <= tau or same_instant(t, tau)
