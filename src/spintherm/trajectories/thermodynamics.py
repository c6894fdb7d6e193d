"""Thermodynamics of whole paths: energy, free energy and entropy production from their ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spintherm.magnet import Magnet
from spintherm.protocol import Protocol

FloatArray = NDArray[np.float64]


def energy_change(
    magnet: Magnet, protocol: Protocol, start: FloatArray, end: FloatArray
) -> FloatArray:
    """E(m_tau, H_tau) - E(m_0, H_0) of states (6, n), [I] 4.7."""
    before = projection(protocol.initial_field, start)
    return magnet.moment * (before - projection(protocol.final_field, end))


def projection(field: FloatArray, state: FloatArray) -> FloatArray:
    """n.H of states (6, n): written out, for a matrix product's bits depend on the chunk's size."""
    return np.asarray(field[0] * state[0] + field[1] * state[1] + field[2] * state[2])


def free_energy_change(magnet: Magnet, protocol: Protocol) -> float:
    """F(H_tau) - F(H_0), [I] 4.14."""
    ends = magnet.free_energy(np.stack((protocol.initial_field, protocol.final_field)))
    return float(ends[1] - ends[0])


def entropy_production(
    magnet: Magnet, protocol: Protocol, work: FloatArray, pumped: FloatArray
) -> FloatArray:
    """beta (W - dF) + S_P, [I] 4.18; not a number at temperature zero."""
    if magnet.temperature == 0.0:
        return np.full_like(work, np.nan)
    return np.asarray(magnet.beta * (work - free_energy_change(magnet, protocol)) + pumped)
