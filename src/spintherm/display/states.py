"""A steady state: its density on both sides of the sphere, ⟨m⟩, H and P, and its rates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spintherm.display.card import Row, card, number, vector
from spintherm.display.svg import GREEN, VERMILLION, Arrow, globe, unit_vector

_TOGETHER = 0.97
"""Cosine of the angle from which names of two dots would overlap."""


def state_picture(state: Any) -> str:
    """Return the density of a steady state on both sides of the sphere, with ⟨m⟩, H and P.

    Parameters
    ----------
    state : SteadyState

    Returns
    -------
    str
        An svg element.
    """
    dots: list[Arrow] = []
    arrows = [Arrow(state.mean_moment / state.magnet.moment, "⟨m⟩")]
    for name, value, colour in (
        ("H", state.field, VERMILLION),
        ("P", state.spin_torque, GREEN),
    ):
        direction = unit_vector(value)
        if direction is not None:
            dots.append(Arrow(direction, name, colour))
    if len(dots) == 2 and float(dots[0].direction @ dots[1].direction) > _TOGETHER:
        dots = [replace(dots[0], label=""), replace(dots[1], label="H, P")]
    return globe(
        arrows,
        dots,
        state.density,
        label="probability density on the sphere, with the mean moment",
        both_sides=True,
    )


def state_card(state: Any) -> str:
    """Return a steady state as a picture and a table.

    Parameters
    ----------
    state : SteadyState

    Returns
    -------
    str
        HTML.
    """
    per_time = "k_B per time"
    rows: list[Row] = [
        ("phase", str(state.phase), ""),
        ("field H", vector(state.field.tolist()), "energy per moment"),
        ("spin torque P", vector(state.spin_torque.tolist()), "energy per moment squared"),
        ("mean moment ⟨m⟩", vector(state.mean_moment.tolist()), "moment"),
        ("pumped entropy Ṡ_P", number(state.pumped_entropy_rate), per_time),
        ("entropy of the bath Ṡ_B", number(state.bath_entropy_rate), per_time),
        ("entropy production Σ", number(state.entropy_production_rate), per_time),
        ("noise of pumped entropy Δ_P", number(state.pumped_entropy_noise), "k_B² per time"),
        ("uncertainty ratio", number(state.uncertainty_ratio), ""),
    ]
    note = f"harmonics to l = {state.l_max}, |m| = {state.m_max}, relative tail {state.tail:.0e}"
    return card("SteadyState", state_picture(state), rows, note)
