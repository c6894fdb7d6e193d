"""The driven processes: the nine of Table I of [I], and three that are in neither paper.

[I] 4.27: H goes in a straight line from H₀ to H_τ, P up to P_{τ/2} and down again; its second half
reads P = 2(τ - t)/τ · P_{τ/2}, for as printed it would jump. Table I: H₀ = (0, 0, 1), η = 0.5,
γ₀ = 1, T = 1; (a) varies τ at H_τ = (0, 0, -1), P_{τ/2} = (0, 0, 1); (b) varies H_τ at τ = 1,
P_{τ/2} = (0, 1, 1); (c) varies P_{τ/2} at τ = 1, H_τ = (0, 0, -1). |m| is not given there; √3, the
value of [II], has the widths of its Fig. 1. k_B = 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.waveforms import Constant, Pulse, Ramp, Sine, Triangle


@dataclass(frozen=True)
class Process:
    """A forward process with a name, and what is known about it.

    Attributes
    ----------
    name : str
        For people and for the derivation of seeds.
    panel, colour : str
        Where and how it is drawn.
    magnet : Magnet
        The magnet.
    protocol : Protocol
        The forward process; the backward one is its reverse.
    shift : float
        By how much bins of log ratios are moved, so that symbols do not cover each other.
    """

    name: str
    panel: str
    colour: str
    magnet: Magnet
    protocol: Protocol
    shift: float = 0.0


PAPER_MAGNET = Magnet(moment=math.sqrt(3.0), gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
"""|m| = √3, γ₀ = 1, η = 0.5, T = 1: [I] Table I with the moment of [II]."""

_START = (0.0, 0.0, 1.0)
_DOWN = (0.0, 0.0, -1.0)


def table_one(magnet: Magnet = PAPER_MAGNET) -> tuple[Process, ...]:
    """Return the nine processes of Table I of [I], (a), (b), (c) in blue, orange and green.

    Parameters
    ----------
    magnet : Magnet
        The magnet, by default that of the papers. The torques of the table point along z, y and
        z + y, so that it may have an anisotropy but no polarisers.

    Returns
    -------
    tuple of Process
        Nine.
    """
    along, tilted = (0.0, 0.0, 1.0), (0.0, 1.0, 1.0)
    rows = {
        "(a)": ((0.1, _DOWN, along), (1.0, _DOWN, along), (2.0, _DOWN, along)),
        "(b)": (
            (1.0, _DOWN, tilted),
            (1.0, (0.0, -1.0, -1.0), tilted),
            (1.0, (0.0, 1.0, 1.0), tilted),
        ),
        "(c)": (
            (1.0, _DOWN, (0.0, 0.0, 0.2)),
            (1.0, _DOWN, (0.0, 1.0, 0.0)),
            (1.0, _DOWN, (0.0, 2.0, 0.0)),
        ),
    }
    named = [
        (panel, colour, *values)
        for panel, row in rows.items()
        for colour, values in zip(("blue", "orange", "green"), row, strict=True)
    ]
    places = enumerate(named)
    return tuple(_table_one_process(magnet, *row, (place - 4) / 9) for place, row in places)


def beyond_the_papers() -> tuple[Process, ...]:
    """Return three processes with tilted, unequal H₀, H_τ and P, and no parameter equal to 1."""
    return (_tilted_ramp(), _pulses(), _turning_field())


def _table_one_process(
    magnet: Magnet,
    panel: str,
    colour: str,
    duration: float,
    final_field: tuple[float, float, float],
    peak: tuple[float, float, float],
    shift: float,
) -> Process:
    name = f"{panel} {colour}"
    protocol = Protocol(duration, Ramp(_START, final_field, duration), Triangle(peak, duration))
    return Process(name, panel, colour, magnet, protocol, shift)


def _tilted_ramp() -> Process:
    """A ramp of a tilted field and a triangle of a tilted torque."""
    return Process(
        "tilted ramp",
        "beyond",
        "sky",
        Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.35, temperature=0.8),
        Protocol(
            0.9,
            Ramp((0.5, -0.3, 0.8), (-0.4, 0.9, 0.2), 0.9),
            Triangle((0.6, 0.5, -1.0), 0.9),
        ),
        shift=-1.0 / 3.0,
    )


def _pulses() -> Process:
    """Field and torque that jump, while another part of the field ramps."""
    ramp = Ramp((1.5, 0.4, -0.6), (-0.3, -1.2, 1.0), 0.7, delay=0.3)
    return Process(
        "pulses with jumps",
        "beyond",
        "vermillion",
        Magnet(moment=0.8, gyromagnetic_ratio=0.6, damping=0.7, temperature=1.6),
        Protocol(1.2, ramp + Pulse((0.0, 0.9, 0.8), 0.4, 0.8), Pulse((1.2, -2.0, 0.9), 0.2, 0.9)),
    )


def _turning_field() -> Process:
    """A field that turns and breathes, and a torque that does not vanish at the ends."""
    turn = Sine((1.1, 0.0, 0.2), 2.0 / 3.0) + Sine((0.0, 0.8, 0.0), 1.0 / 3.0, np.pi / 3.0)
    return Process(
        "turning field",
        "beyond",
        "purple",
        Magnet(moment=1.9, gyromagnetic_ratio=1.2, damping=0.25, temperature=2.5),
        Protocol(
            1.5,
            turn + Constant((0.2, -0.1, 0.9)),
            Triangle((-0.6, 0.5, 1.1), 1.5) + Sine((0.5, 0.0, -0.4), 0.4, 0.5),
        ),
        shift=1.0 / 3.0,
    )
