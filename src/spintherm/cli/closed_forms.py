"""`spintherm theory`: the closed forms of the steady state for P parallel to H."""

from __future__ import annotations

import json
import math
from typing import Any

from spintherm.cli.failure import usage

_NAMES = {
    "phase": "phase",
    "alpha": "α = mP/H",
    "delta": "δ = ηm/γ₀",
    "nu": "ν = βmH",
    "xi": "ξ = ν (1 + α/δ)",
    "pumped_entropy_rate": "pumped entropy rate Ṡ_P",
    "bath_entropy_rate": "bath entropy rate Ṡ_B",
    "entropy_production_rate": "entropy production rate Σ",
    "pumped_entropy_noise": "noise of the pumped entropy Δ_P",
    "effective_field": "effective field H'",
    "effective_gyromagnetic_ratio": "effective gyromagnetic ratio γ₀'",
    "precession_time": "precession time t_p'",
    "damping_time": "damping time t_d'",
}


def run(
    parameters: dict[str, float],
    field: tuple[float, float, float],
    spin_torque: tuple[float, float, float],
    *,
    as_json: bool,
) -> int:
    """Print the closed forms as a table or as JSON."""
    with usage():
        values = closed_forms(parameters, field, spin_torque)
    if as_json:
        print(json.dumps(values, indent=1, allow_nan=False))
    else:
        _print(values)
    return 0


def closed_forms(
    parameters: dict[str, float],
    field: tuple[float, float, float],
    spin_torque: tuple[float, float, float],
) -> dict[str, Any]:
    """Return the closed forms by name, [II] 10-16; what is infinite or undefined is None.

    Parameters
    ----------
    parameters : dict
        Those of the magnet.
    field, spin_torque : tuple of three floats
        H and P.

    Returns
    -------
    dict
        Plain numbers, lists and strings.

    Raises
    ------
    ValueError
        If H and P are not collinear, or a parameter is refused.
    """
    from spintherm import theory
    from spintherm.magnet import Magnet

    magnet = Magnet.from_dict(parameters)
    state = magnet, field, spin_torque
    reduced = theory.reduced_parameters(*state)
    rates = ("pumped_entropy_rate", "bath_entropy_rate", "entropy_production_rate")
    others = ("effective_gyromagnetic_ratio", "precession_time", "damping_time")
    rows: dict[str, Any] = {
        name: _plain(getattr(theory, name)(*state)) for name in (*rates, *others)
    }
    rows |= {name: _plain(getattr(reduced, name)) for name in ("alpha", "delta", "nu", "xi")}
    rows |= {
        "phase": str(theory.phase(reduced.alpha, reduced.delta)),
        "pumped_entropy_noise": _plain(theory.pumped_entropy_noise(*state)),
        "effective_field": [_plain(x) for x in theory.effective_field(*state)],
    }
    return {name: rows[name] for name in _NAMES}


def _plain(value: Any) -> float | None:
    number = float(value) + 0.0
    return number if math.isfinite(number) else None


def _print(values: dict[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, value in values.items():
        table.add_row(_NAMES[name], _text(value))
    Console(highlight=False, markup=False).print(table)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "(" + ", ".join(map(_text, value)) + ")"
    return "infinite or undefined" if value is None else f"{value:.10g}"
