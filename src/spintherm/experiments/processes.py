"""The driven processes: the nine of Table I of [I], and three that are in neither paper.

[I] 4.27: H goes in a straight line from H₀ to H_τ, P up to P_{τ/2} and down again; its second half
reads P = 2(τ - t)/τ · P_{τ/2}, for as printed it would jump. Table I: H₀ = (0, 0, 1), η = 0.5,
γ₀ = 1, T = 1; (a) varies τ at H_τ = (0, 0, -1), P_{τ/2} = (0, 0, 1); (b) varies H_τ at τ = 1,
P_{τ/2} = (0, 1, 1); (c) varies P_{τ/2} at τ = 1, H_τ = (0, 0, -1). |m| is not given there; √3, the
value of [II], has the widths of its Fig. 1. k_B = 1.

The polarisers of a magnet fix the direction of P. A process is then turned as a whole, so that its
torque lies along the first of them: H and P keep their strengths and the angles between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray
from spintherm.waveforms import Constant, Pulse, Ramp, Sine, Triangle

Vector = tuple[float, float, float]


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
        z + y; with polarisers each process is turned until its torque lies along the first of them.

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


def beyond_the_papers(magnet: Magnet | None = None) -> tuple[Process, ...]:
    """Return three processes with tilted, unequal H₀, H_τ and P, and no parameter equal to 1.

    Parameters
    ----------
    magnet : Magnet, optional
        One for all three in place of their own. With polarisers each process is turned until its
        torque lies along the first of them, and parts of P in other directions keep their strength.

    Returns
    -------
    tuple of Process
        Three.
    """
    return (_tilted_ramp(magnet), _pulses(magnet), _turning_field(magnet))


@dataclass(frozen=True)
class _Turn:
    """How a process is turned for a magnet whose polarisers fix the direction of P.

    Attributes
    ----------
    magnet : Magnet
    torque : tuple of float
        Direction of P as the process is written down.
    """

    magnet: Magnet
    torque: Vector

    def field(self, vector: Vector) -> Vector:
        """Return a vector of H, turned."""
        return vector if self._rotation is None else _triple(self._rotation @ np.array(vector))

    def spin_torque(self, vector: Vector) -> Vector:
        """Return a vector of P, along the first polariser, with the sign of its part along P."""
        if self._rotation is None:
            return vector
        strength = math.copysign(math.hypot(*vector), float(np.dot(vector, self.torque)))
        return _triple(strength * self.magnet.polarisers[0].vector)

    @cached_property
    def _rotation(self) -> FloatArray | None:
        if not self.magnet.polarisers:
            return None
        return _rotation_onto(np.array(self.torque), self.magnet.polarisers[0].vector)


def _rotation_onto(start: FloatArray, end: FloatArray) -> FloatArray:
    """Return the smallest rotation, shape (3, 3), that turns one direction into another.

    With a = start, b = end as unit vectors and v = a×b it is 1 + [v] + [v]²/(1 + a·b), Rodrigues'
    formula; half a turn about any axis across a where b = -a.
    """
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    cosine = float(a @ b)
    if cosine < -1.0 + 1e-12:
        across = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        across /= np.linalg.norm(across)
        return np.asarray(2.0 * np.outer(across, across) - np.eye(3))
    x, y, z = np.cross(a, b)
    turn = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + turn + turn @ turn / (1.0 + cosine))


def _triple(vector: FloatArray) -> Vector:
    x, y, z = vector.tolist()
    return x, y, z


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
    turn = _Turn(magnet, peak)
    protocol = Protocol(
        duration,
        Ramp(turn.field(_START), turn.field(final_field), duration),
        Triangle(turn.spin_torque(peak), duration),
    )
    return Process(name, panel, colour, magnet, protocol, shift)


def _tilted_ramp(magnet: Magnet | None) -> Process:
    """A ramp of a tilted field and a triangle of a tilted torque."""
    own = Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.35, temperature=0.8)
    peak = (0.6, 0.5, -1.0)
    turn = _Turn(magnet or own, peak)
    ramp = Ramp(turn.field((0.5, -0.3, 0.8)), turn.field((-0.4, 0.9, 0.2)), 0.9)
    protocol = Protocol(0.9, ramp, Triangle(turn.spin_torque(peak), 0.9))
    return Process("tilted ramp", "beyond", "sky", turn.magnet, protocol, shift=-1.0 / 3.0)


def _pulses(magnet: Magnet | None) -> Process:
    """Field and torque that jump, while another part of the field ramps."""
    own = Magnet(moment=0.8, gyromagnetic_ratio=0.6, damping=0.7, temperature=1.6)
    height = (1.2, -2.0, 0.9)
    turn = _Turn(magnet or own, height)
    ramp = Ramp(turn.field((1.5, 0.4, -0.6)), turn.field((-0.3, -1.2, 1.0)), 0.7, delay=0.3)
    protocol = Protocol(
        1.2,
        ramp + Pulse(turn.field((0.0, 0.9, 0.8)), 0.4, 0.8),
        Pulse(turn.spin_torque(height), 0.2, 0.9),
    )
    return Process("pulses with jumps", "beyond", "vermillion", turn.magnet, protocol)


def _turning_field(magnet: Magnet | None) -> Process:
    """A field that turns and breathes, and a torque that does not vanish at the ends."""
    own = Magnet(moment=1.9, gyromagnetic_ratio=1.2, damping=0.25, temperature=2.5)
    peak = (-0.6, 0.5, 1.1)
    turn = _Turn(magnet or own, peak)
    first = Sine(turn.field((1.1, 0.0, 0.2)), 2.0 / 3.0)
    second = Sine(turn.field((0.0, 0.8, 0.0)), 1.0 / 3.0, np.pi / 3.0)
    protocol = Protocol(
        1.5,
        first + second + Constant(turn.field((0.2, -0.1, 0.9))),
        Triangle(turn.spin_torque(peak), 1.5) + Sine(turn.spin_torque((0.5, 0.0, -0.4)), 0.4, 0.5),
    )
    return Process("turning field", "beyond", "purple", turn.magnet, protocol, shift=1.0 / 3.0)
