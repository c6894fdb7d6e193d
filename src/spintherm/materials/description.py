"""Description: a nanomagnet in numbers that a reader can judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spintherm import units, validation
from spintherm.materials.spin_torque import SpinTorque
from spintherm.units import VACUUM_PERMEABILITY

if TYPE_CHECKING:
    from spintherm.materials.nanomagnet import Nanomagnet
    from spintherm.materials.scales import Scales

_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G"}
_PREFIXES |= {-21: "z", -24: "y", 12: "T"}


def describe(body: Nanomagnet, field: float | str | None, spin_torque: SpinTorque | None) -> str:
    """Return the lines of `Nanomagnet.describe`."""
    parts = {"nanomagnet": _body(body), "in the well": _well(body)}
    if field is not None:
        parts["in the field"] = _field(body, units.quantity("field", field, units.FIELD))
    if spin_torque is not None:
        parts["spin torque"] = _torque(body, spin_torque)
    parts["one reduced unit"] = rows_of_scales(body.scales)
    width = max(len(name) for rows in parts.values() for name in rows)
    lines = []
    for title, rows in parts.items():
        lines.append(title)
        lines += [f"  {name:<{width}}  {value}" for name, value in rows.items()]
    return "\n".join(lines)


def rows_of(body: Nanomagnet) -> dict[str, str]:
    """Return the rows of `describe` that need neither field nor current."""
    return _body(body) | _well(body)


def rows_of_scales(scales: Scales) -> dict[str, str]:
    """Return what one reduced unit is worth, quantity by quantity."""
    return {
        "energy, work, heat": f"{scales.energy:.5g} J",
        "moment": f"{scales.moment:.5g} A m^2",
        "field": f"{with_prefix(scales.field, 'A/m')} (μ₀H = {_tesla(scales.field)})",
        "spin torque P": f"{scales.spin_torque:.5g} A/m per A m^2",
        "time": with_prefix(scales.time, "s"),
        "power": with_prefix(scales.power, "W"),
        "entropy": "1 k_B",
        "entropy rate": f"{scales.rate:.5g} k_B/s",
        "temperature": f"{scales.temperature:.6g} K",
    }


def with_prefix(value: float, unit: str) -> str:
    """Return a number with a metric prefix and five digits.

    Parameters
    ----------
    value : float
    unit : str
        Without prefix.

    Returns
    -------
    str
        For example "39.789 kA/m".
    """
    if value == 0.0 or not np.isfinite(value):
        return f"{value:g} {unit}"
    power = 3 * int(np.floor(np.log10(abs(value) * (1.0 + 1e-12)) / 3.0))
    if power not in _PREFIXES:
        return f"{value:.5g} {unit}"
    return f"{value / 10.0**power:.5g} {_PREFIXES[power]}{unit}"


def _body(body: Nanomagnet) -> dict[str, str]:
    bohr_magnetons = body.moment / 9.2740100657e-24
    rows = {
        "saturation magnetisation M_s": with_prefix(body.saturation_magnetisation, "A/m")
        + f" (μ₀M_s = {_tesla(body.saturation_magnetisation)})",
        "volume V": f"{body.volume * 1e27:.6g} nm^3",
        "moment M_s V": f"{body.moment:.5g} A m^2 = {bohr_magnetons:.5g} Bohr magnetons",
        "temperature T": f"{body.temperature:.6g} K (k_B T = {body.thermal_energy:.5g} J)",
        "Gilbert damping α = δ": f"{body.gilbert_damping:.6g}",
        "gyromagnetic ratio γ": f"{body.gyromagnetic_ratio:.6g} rad/(s T)",
    }
    if body.shape is not None:
        factors = ", ".join(f"{n:.5f}" for n in body.shape.demagnetising_factors)
        rows["demagnetising factors"] = factors
    return rows


def _well(body: Nanomagnet) -> dict[str, str]:
    first, second = body.stiffness_fields
    if body.well is None:
        return {"anisotropy": "none: every direction has the same energy"}
    direction = ", ".join(f"{x:.4f}" for x in body.well.direction)
    return {
        "easy direction": f"({direction})",
        "thermal stability Δ = barrier/k_B T": f"{body.thermal_stability:.5g}",
        "energy barrier": f"{body.energy_barrier:.5g} J",
        "anisotropy field (stiffness)": _field_pair(first, second),
        "resonance frequency": with_prefix(body.resonance_frequency, "Hz"),
        "precession time": with_prefix(body.well_precession_time, "s"),
        "damping time": with_prefix(body.well_damping_time, "s"),
    }


def _field(body: Nanomagnet, H: float) -> dict[str, str]:
    nu = H / body.scales.field
    precession = body.scales.time / abs(nu) if nu != 0.0 else np.inf
    damping = precession / body.gilbert_damping if body.gilbert_damping > 0.0 else np.inf
    return {
        "field H": f"{with_prefix(H, 'A/m')} (μ₀H = {_tesla(H)})",
        "ν = βmH" if body.temperature > 0.0 else "H in units of M_s": f"{nu:.6g}",
        "precession time 1/(γ₀H)": with_prefix(precession, "s"),
        "damping time 1/(η|m|H)": with_prefix(damping, "s"),
    }


def _torque(body: Nanomagnet, torque: SpinTorque) -> dict[str, str]:
    if not isinstance(torque, SpinTorque):
        raise TypeError(validation.complaint("spin_torque", torque, "a SpinTorque, or None"))
    P = torque.damping_like_field / body.scales.field
    a = torque.damping_like_field
    rows = {
        "current density J": with_prefix(torque.current_density * 1e-4, "A/cm^2"),
        "damping-like field a_J": f"{with_prefix(a, 'A/m')} (μ₀a_J = {_tesla(a)})",
        "P in reduced units": f"{P:.6g}",
    }
    for parallel, name in ((True, "parallel"), (False, "antiparallel")):
        critical = body.critical_current_density(torque, parallel=parallel)
        text = with_prefix(critical * 1e-4, "A/cm^2")
        if body.shape is not None:
            area = body.volume / body.shape.extent[2]
            text += f" ({with_prefix(critical * area, 'A')})"
        if np.isnan(critical):
            text = "none: the polariser is not along the easy direction"
        rows[f"critical current, {name} state"] = text
    return rows


def _field_pair(first: float, second: float) -> str:
    if abs(second - first) <= 1e-9 * abs(second):
        return f"{with_prefix(first, 'A/m')} (μ₀H = {_tesla(first)})"
    both = f"{with_prefix(first, 'A/m')} and {with_prefix(second, 'A/m')}"
    return f"{both} (μ₀H = {_tesla(first)} and {_tesla(second)})"


def _tesla(H: float) -> str:
    return with_prefix(VACUUM_PERMEABILITY * H, "T")
