"""The magnet as an engine: who gains entropy, at what cost; the best working point."""

from __future__ import annotations

from typing import Any

import numpy as np

from spintherm.display.card import Row, card, number
from spintherm.display.charts import bars
from spintherm.display.states import state_picture

_RATE = "k_B per time"


def engine_card(figures: Any) -> str:
    """Return figures of merit: bars of the entropy that current and bath gain, and a table.

    Parameters
    ----------
    figures : FiguresOfMerit

    Returns
    -------
    str
        HTML.
    """
    drawn = [
        ("current Ṡ_P", figures.power),
        ("bath Ṡ_B", figures.dissipation - figures.power),
        ("together Σ", figures.dissipation),
    ]
    note = "bars: rates of entropy; what current and bath gain together is the dissipation"
    return card("FiguresOfMerit", bars(drawn, _RATE), _rows(figures), note)


def optimum_card(optimum: Any) -> str:
    """Return the best working point: density on the sphere, torque and what the engine delivers.

    Parameters
    ----------
    optimum : Optimum

    Returns
    -------
    str
        HTML.
    """
    state = optimum.state
    rows: list[Row] = [
        ("phase", str(state.phase), ""),
        ("objective", number(optimum.value), "largest"),
        ("spin torque |P|", number(optimum.torque), "energy per moment squared"),
        ("its angle to the field", number(float(np.degrees(optimum.angle))), "degrees"),
        ("pumped entropy Ṡ_P", number(state.pumped_entropy_rate), _RATE),
        ("entropy of the bath Ṡ_B", number(state.bath_entropy_rate), _RATE),
        ("entropy production Σ", number(state.entropy_production_rate), _RATE),
        ("uncertainty ratio", number(state.uncertainty_ratio), ""),
    ]
    return card("Optimum", state_picture(state), rows)


def _rows(figures: Any) -> list[Row]:
    return [
        ("phase", str(figures.phase), ""),
        ("power Ṡ_P", number(figures.power), _RATE),
        ("cooling power Q̇", number(figures.cooling_power), "energy per time"),
        ("dissipation Σ", number(figures.dissipation), _RATE),
        ("noise Δ_P", number(figures.noise), "k_B² per time"),
        ("coefficient of performance", number(figures.coefficient_of_performance), "at most 1"),
        ("uncertainty ratio", number(figures.uncertainty_ratio), "overdamped: at least 1"),
    ]
