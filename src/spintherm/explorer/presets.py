"""Presets: a state of the page for every figure of both papers, and some that are in neither.

A preset sets the magnet, the working point, the plane of the phase diagram and the process; what
it does not name stays as it is.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np

from spintherm.experiments.processes import PAPER_MAGNET, Process, beyond_the_papers, table_one
from spintherm.protocol import Protocol
from spintherm.waveforms import Waveform

MEMBERS = 13
"""Knots in place of a waveform that is not made of straight lines."""


def presets() -> list[dict[str, Any]]:
    """Return the presets in their order.

    Returns
    -------
    list of dict
        Each with "name", "title", "group", "note" and "state", of which the page knows the keys
        "magnet", "field", "spin_torque", "angle", "plane", "tab" and "process".
    """
    return [*_first_paper(), *_second_paper(), *_beyond()]


def _first_paper() -> list[dict[str, Any]]:
    note = "the detailed fluctuation theorem [I] 4.19; work alone does not obey it (Fig. 2)"
    return [
        {
            "name": f"I-{one.panel[1]}-{one.colour}",
            "title": f"Fig. 1 and 2, {one.name}",
            "group": "[I] Stochastic thermodynamics with spin torque",
            "note": note,
            "state": _state_of(one),
        }
        for one in table_one()
    ]


def _second_paper() -> list[dict[str, Any]]:
    delta = PAPER_MAGNET.damping * PAPER_MAGNET.moment / PAPER_MAGNET.gyromagnetic_ratio
    moment = PAPER_MAGNET.moment
    group = "[II] An ideal entropy transporter"
    along = (
        ("heat-pump", "heat pump", -0.5 * delta, "−δ < α < 0: entropy is drawn from the current"),
        ("refrigerator", "refrigerator", 0.5, "0 < α < 1/δ: heat is drawn from the bath"),
        ("still", "α = 1/δ", 1.0 / delta, "precession stops and the bath gains nothing"),
        ("dud", "dud", 1.6, "α > 1/δ: both sides gain entropy"),
    )
    rows = [
        {
            "name": "II-1",
            "title": "Fig. 1, the micromagnet between bath and current",
            "group": group,
            "note": "heat from the bath becomes entropy of the current",
            "state": _point(1.0, 0.5 / moment, 0.0, "field-torque"),
        }
    ]
    rows += [
        {
            "name": f"II-2-{name}",
            "title": f"Fig. 2, {text}",
            "group": group,
            "note": note,
            "state": _point(
                1.0, abs(alpha) / moment, 0.0 if alpha > 0.0 else 180.0, "torque-angle"
            ),
        }
        for name, text, alpha, note in along
    ]
    rows.append(
        {
            "name": "II-3",
            "title": "Fig. 3, phases of tilted torques",
            "group": group,
            "note": "P = 1; over α = mP/H and the angle, drag the point",
            "state": _point(moment / 0.8, 1.0, 60.0, "alpha-angle"),
        }
    )
    rows += [
        {
            "name": f"II-4-{angle}",
            "title": f"Fig. 4, θ = {angle}°",
            "group": group,
            "note": "P = 1; raise the field: finite power, vanishing noise",
            "state": _point(12.0, 1.0, float(angle), "field-angle"),
        }
        for angle in (0, 30, 60, 120, 180)
    ]
    return rows


def _beyond() -> list[dict[str, Any]]:
    return [
        {
            "name": one.name.replace(" ", "-"),
            "title": one.name,
            "group": "Beyond the papers",
            "note": "tilted fields and torques, no parameter equal to 1",
            "state": _state_of(one),
        }
        for one in beyond_the_papers()
    ]


def _point(field: float, torque: float, angle: float, plane: str) -> dict[str, Any]:
    return {
        "magnet": PAPER_MAGNET.to_dict(),
        "field": field,
        "spin_torque": torque,
        "angle": angle,
        "plane": plane,
        "tab": "phases",
    }


def _state_of(process: Process) -> dict[str, Any]:
    protocol = process.protocol
    return {
        "magnet": process.magnet.to_dict(),
        "tab": "process",
        "process": {
            "duration": protocol.duration,
            "field": knots(protocol, protocol.field),
            "spin_torque": knots(protocol, protocol.spin_torque),
        },
    }


def knots(protocol: Protocol, waveform: Waveform) -> list[list[float]]:
    """Return a waveform as knots [time, x, y, z] between which it is straight.

    Parameters
    ----------
    protocol : Protocol
        Its duration counts.
    waveform : Waveform
        What is curved is cut into `MEMBERS` - 1 chords; a jump becomes two knots at one time.

    Returns
    -------
    list of [time, x, y, z]
    """
    tau = protocol.duration
    ends = np.unique([0.0, tau, *(t for t in waveform.jumps if 0.0 < t < tau)])
    times = np.unique([*ends, *(t for t in waveform.kinks if 0.0 < t < tau)])
    chords = 0.5 * (waveform(times[:-1]) + waveform.before(times[1:]))
    if not np.allclose(chords, waveform(0.5 * (times[1:] + times[:-1])), atol=1e-12):
        times = np.unique([*times, *np.linspace(0.0, tau, MEMBERS)])
    rows = [(0.0, waveform.before(0.0))]
    for start, end in pairwise(ends):
        here = times[(times >= start) & (times <= end)]
        values = np.concatenate([waveform(here[:-1]), waveform.before(here[-1:])])
        rows += zip(here[_bends(here, values)], values[_bends(here, values)], strict=True)
    rows.append((tau, waveform(tau)))
    # where nothing jumps two neighbours are the same
    kept = [rows[0], *(b for a, b in pairwise(rows) if a[0] < b[0] or np.any(a[1] != b[1]))]
    return [[float(t), *map(float, value + 0.0)] for t, value in kept]


def _bends(times: Any, values: Any) -> Any:
    """Mark the ends and the knots at which the slope changes."""
    slopes = np.diff(values, axis=0) / np.diff(times)[:, None]
    size = math.fsum(np.abs(slopes).ravel()) + 1e-300
    bend = np.abs(np.diff(slopes, axis=0)).max(axis=1, initial=0.0) > 1e-9 * size
    return np.concatenate([[True], bend, [True]])
