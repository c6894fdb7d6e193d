"""The parameters of a magnet and a protocol as a report lists them, with units.

Reduced units: k_B = 1, a field is an energy per moment, a spin torque a field per moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spintherm.report.content import Parameter

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol
    from spintherm.torques import Polariser

_MAGNET = {
    "moment": ("length of the moment", "|m|", "moment"),
    "gyromagnetic_ratio": ("gyromagnetic ratio", "γ₀", "rate per field"),
    "damping": ("damping", "η", "rate per energy"),
    "temperature": ("temperature", "T", "energy"),
}


def parameters_of(
    magnet: Magnet,
    protocol: Protocol | None = None,
    *,
    field: ArrayLike | None = None,
    spin_torque: ArrayLike | None = None,
) -> list[Parameter]:
    """Return the parameters of a magnet and of what drives it.

    Parameters
    ----------
    magnet : Magnet
    protocol : Protocol, optional
        What drives it.
    field, spin_torque : array_like, shape (3,), optional
        H and P where they are constant.

    Returns
    -------
    list of Parameter
        In reduced units.
    """
    found = [
        Parameter(name, symbol, f"{getattr(magnet, key):.6g}", unit)
        for key, (name, symbol, unit) in _MAGNET.items()
    ]
    if magnet.anisotropy is not None:
        terms = " + ".join(_term(*term) for term in magnet.anisotropy.terms)
        found.append(Parameter("anisotropy energy", "E_a(n)", terms.replace("+ −", "− "), "energy"))
    for place, polariser in enumerate(magnet.polarisers, 1):
        of = f" {place}" if len(magnet.polarisers) > 1 else ""
        found.append(Parameter(f"polariser{of}", "p̂, g(c)", _polariser(polariser)))
    if protocol is not None:
        ends = (protocol.initial_field, protocol.final_field)
        found += [
            Parameter("duration", "τ", f"{protocol.duration:.6g}", "time"),
            *(
                Parameter(f"field at the {when}", symbol, vector(end), "energy per moment")
                for when, symbol, end in zip(("beginning", "end"), ("H₀", "H_τ"), ends, strict=True)
            ),
            Parameter("field", "H(t)", f"{protocol.field!r}", ""),
            Parameter("spin torque", "P(t)", f"{protocol.spin_torque!r}", ""),
        ]
    if field is not None:
        found.append(Parameter("field", "H", vector(field), "energy per moment"))
    if spin_torque is not None:
        unit = "energy per moment squared"
        found.append(Parameter("spin torque", "P", vector(spin_torque), unit))
    return found


def vector(value: ArrayLike) -> str:
    """Return a vector as it is shown, for example "(0, 0, 1)"."""
    components = np.asarray(value, dtype=float) + 0.0
    return "(" + ", ".join(f"{component:.4g}" for component in components) + ")"


def _polariser(polariser: Polariser) -> str:
    """Return direction and efficiency, for example "(0, 0, 1), g = 1/(1 + 0.5 c)"."""
    efficiency = polariser.efficiency
    above = " + ".join(
        f"{value:.4g}{f' c{_SUPERSCRIPTS[power]}' if power else ''}"
        for power, value in enumerate(efficiency.numerator)
        if value or not power
    )
    if efficiency.asymmetry:
        above = f"({above})/(1 + {efficiency.asymmetry:.4g} c)"
    text = f"{vector(polariser.vector)}, g = {above.replace('+ -', '− ')}"
    if polariser.strength != 1.0:
        text += f", strength {polariser.strength:.4g}"
    return text + (f", field-like {polariser.field_like:.4g}" if polariser.field_like else "")


def _term(exponents: tuple[int, int, int], coefficient: float) -> str:
    powers = "".join(
        f" n_{axis}{_SUPERSCRIPTS[power]}"
        for axis, power in zip("xyz", exponents, strict=True)
        if power
    )
    sign = "−" if coefficient < 0.0 else ""
    return f"{sign}{abs(coefficient):.4g}{powers}"


_SUPERSCRIPTS = ("", "", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸")
