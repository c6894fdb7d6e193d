"""A nanomagnet and its scales, in SI."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spintherm.display.card import Row, card, number, text, vector
from spintherm.display.charts import powers_of_ten
from spintherm.display.magnets import magnet_picture
from spintherm.display.svg import BLUE, Arrow, globe

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


def scales_card(scales: Any, rows: Mapping[str, str], prefixed: WithPrefix) -> str:
    """Return scales as what one reduced unit is worth: powers of ten in SI, and a table.

    Parameters
    ----------
    scales : Scales
    rows : mapping
        Names and values in SI.
    prefixed : callable
        As for `nanomagnet_text`.

    Returns
    -------
    str
        HTML.
    """
    table: list[Row] = [(name, value, "") for name, value in rows.items()]
    drawn = [
        (name, value, prefixed(value, unit))
        for name, value, unit in (
            ("field", scales.field, "A/m"),
            ("induction", scales.induction, "T"),
            ("time", scales.time, "s"),
            ("power", scales.power, "W"),
            ("energy", scales.energy, "J"),
        )
    ]
    return card(f"{type(scales).__name__}: one reduced unit of", powers_of_ten(drawn), table)


def well_card(well: Any) -> str:
    """Return the deepest well of an energy as its two directions and a table.

    Parameters
    ----------
    well : Well

    Returns
    -------
    str
        HTML.
    """
    low, high = (number(float(one)) for one in well.stiffness)
    rows: list[Row] = [
        ("directions", f"±{vector(well.direction.tolist())}", ""),
        ("energy there", number(well.energy), "energy"),
        ("curvatures", f"{low}, {high}", "energy per radian squared"),
        ("barrier from one to the other", number(well.barrier), "energy"),
    ]
    arrows = [Arrow(well.direction, "n", BLUE), Arrow(-well.direction, "−n", BLUE)]
    return card("Well", globe(arrows, label="two directions of lowest energy"), rows)


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
