"""A nanomagnet and its scales, in SI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spintherm.display.card import Row, card, text
from spintherm.display.magnets import magnet_picture

WithPrefix = Callable[[float, str], str]


def nanomagnet_card(body: Any, rows: Mapping[str, str]) -> str:
    """Return a nanomagnet as a picture and a table.

    Parameters
    ----------
    body : Nanomagnet
    rows : mapping
        Names and values in SI, as `describe` lists them.

    Returns
    -------
    str
        HTML.
    """
    energy = None if body.well is None else body.anisotropy_energy
    return card("Nanomagnet", magnet_picture(energy), [(k, v, "") for k, v in rows.items()])


def nanomagnet_text(body: Any, prefixed: WithPrefix) -> str:
    """Return a nanomagnet in a few lines.

    Parameters
    ----------
    body : Nanomagnet
    prefixed : callable
        Takes a number and a unit and returns text with a metric prefix.

    Returns
    -------
    str
    """
    Ms = prefixed(body.saturation_magnetisation, "A/m")
    shape = "given volume" if body.shape is None else repr(body.shape)
    damping = prefixed(body.well_damping_time, "s")
    well = (
        "no easy direction"
        if body.well is None
        else f"thermal stability {body.thermal_stability:.5g}, "
        f"resonance {prefixed(body.resonance_frequency, 'Hz')}, damping time {damping}"
    )
    return text(
        f"Nanomagnet: M_s = {Ms}, α = {body.gilbert_damping:.5g}, T = {body.temperature:.6g} K",
        [
            f"volume {body.volume * 1e27:.5g} nm³ ({shape}), moment {body.moment:.4g} A m²",
            well,
            f"one reduced unit: {_units(body.scales, prefixed)}",
        ],
    )


def scales_card(scales: Any, rows: Mapping[str, str]) -> str:
    """Return scales as a table of what one reduced unit is worth.

    Parameters
    ----------
    scales : Scales
    rows : mapping
        Names and values in SI.

    Returns
    -------
    str
        HTML.
    """
    table: list[Row] = [(name, value, "") for name, value in rows.items()]
    return card(f"{type(scales).__name__}: one reduced unit of", "", table)


def scales_text(scales: Any, prefixed: WithPrefix) -> str:
    """Return scales in a few lines.

    Parameters
    ----------
    scales : Scales
    prefixed : callable
        As for `nanomagnet_text`.

    Returns
    -------
    str
    """
    return text(
        f"Scales: one reduced unit is {_units(scales, prefixed)}",
        [
            f"energy {scales.energy:.5g} J, moment {scales.moment:.5g} A m²",
            f"temperature {scales.temperature:.6g} K, power {prefixed(scales.power, 'W')}",
            f"spin torque {scales.spin_torque:.5g} A/m per A m²",
        ],
    )


def _units(scales: Any, prefixed: WithPrefix) -> str:
    field, time = prefixed(scales.field, "A/m"), prefixed(scales.time, "s")
    return f"field {field} ({prefixed(scales.induction, 'T')}), time {time}"
