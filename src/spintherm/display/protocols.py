"""A protocol: the components of H and P against time, where they begin and where they end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.display.card import Row, card, number, text, vector
from spintherm.display.svg import COMPONENTS, Curve, panels

Floats = NDArray[np.float64]

_POINTS = 161
_SHOWN = 6


def protocol_card(protocol: Any) -> str:
    """Return a protocol as a picture and a table.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    str
        HTML.
    """
    drives = (("H", protocol.field), ("P", protocol.spin_torque))
    drawn = [(name, _components(waveform, protocol)) for name, waveform in drives]
    rows: list[Row] = [("duration τ", number(protocol.duration), "time")]
    units = ("energy per moment", "energy per moment squared")
    for (name, waveform), unit in zip(drives, units, strict=True):
        start, end, largest = _reach(waveform, protocol)
        rows += [
            (f"{name}(t)", type(waveform).__name__, ""),
            (f"{name} at 0 and τ", f"{vector(start, largest)} → {vector(end, largest)}", unit),
            (f"largest |{name}|", number(largest), unit),
        ]
    rows.append(("jumps at", _jumps(protocol), "time"))
    return card("Protocol", panels(drawn, "t"), rows)


def protocol_text(protocol: Any) -> str:
    """Return a protocol in a few lines.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    str
    """
    lines = []
    drives = (("field H", protocol.field), ("spin torque P", protocol.spin_torque))
    for name, waveform in drives:
        start, end, largest = _reach(waveform, protocol)
        ends = f"{vector(start, largest)} → {vector(end, largest)}"
        size = f"largest |{name[-1]}| {number(largest)}"
        lines.append(f"{name}: {type(waveform).__name__}, {ends}, {size}")
    lines.append(f"jumps at: {_jumps(protocol)}")
    return text(f"Protocol: duration τ = {number(protocol.duration)}", lines)


def _components(waveform: Any, protocol: Any) -> list[Curve]:
    """Return the three components; at a jump both limits, so that it is drawn upright."""
    t, values = _sampled(waveform, protocol)
    looks = zip(values.T, "xyz", COMPONENTS, strict=True)
    return [Curve(t, component, label, colour) for component, label, colour in looks]


def _sampled(waveform: Any, protocol: Any) -> tuple[Floats, Floats]:
    tau = protocol.duration
    marks = np.array([*protocol.jumps, *protocol.kinks, 0.0, tau])
    t = np.unique(np.concatenate([np.linspace(0.0, tau, _POINTS), marks]))
    left, right = (np.array([one(time) for time in t]) for one in (waveform.before, waveform))
    return np.repeat(t, 2), np.stack([left, right], axis=1).reshape(-1, 3)


def _reach(waveform: Any, protocol: Any) -> tuple[list[float], list[float], float]:
    _, values = _sampled(waveform, protocol)
    largest = float(np.linalg.norm(values, axis=1).max())
    return values[0].tolist(), values[-1].tolist(), largest


def _jumps(protocol: Any) -> str:
    jumps = [number(time) for time in protocol.jumps]
    more = f" and {len(jumps) - _SHOWN} more" if len(jumps) > _SHOWN else ""
    return ", ".join(jumps[:_SHOWN]) + more if jumps else "none"
