"""Thermodynamics of whole paths: energy, free energy and entropy production from their ends."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spintherm.energies import Anisotropy
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import fields_at_ends

FloatArray = NDArray[np.float64]


def energy_change(
    magnet: Magnet, protocol: Protocol, start: FloatArray, end: FloatArray
) -> FloatArray:
    """E(m_tau, H_tau) - E(m_0, H_0) of states (6, n), [I] 4.7; H holds H_FL."""
    first, last = fields_at_ends(magnet, protocol)
    change = magnet.moment * (projection(first, start) - projection(last, end))
    if magnet.anisotropy is not None:
        change = change + anisotropy_change(magnet, start, end)
    return np.asarray(change)


def projection(field: FloatArray, state: FloatArray) -> FloatArray:
    """n.H of states (6, n): written out, for a matrix product's bits depend on the chunk's size."""
    return np.asarray(field[0] * state[0] + field[1] * state[1] + field[2] * state[2])


def anisotropy_change(magnet: Magnet, start: FloatArray, end: FloatArray) -> FloatArray:
    """E_a(n_tau) - E_a(n_0) of states (6, n), in products and sums alone for the sake of bits."""
    if magnet.anisotropy is None:
        return np.zeros_like(start[0])
    return np.asarray(_energy(magnet.anisotropy, end) - _energy(magnet.anisotropy, start))


def _energy(anisotropy: Anisotropy, state: FloatArray) -> FloatArray:
    powers = [[np.ones_like(row)] for row in state[:3]]
    for row, found in zip(state[:3], powers, strict=True):
        for _ in range(anisotropy.degree):
            found.append(found[-1] * row)
    total: FloatArray = np.zeros_like(state[0])
    for (i, j, k), value in anisotropy.terms:
        total += value * (powers[0][i] * powers[1][j] * powers[2][k])
    return total


def free_energy_change(magnet: Magnet, protocol: Protocol) -> float:
    """F(H_tau) - F(H_0), [I] 4.14; H holds H_FL. Not a number at T = 0 with anisotropy."""
    if magnet.temperature == 0.0 and magnet.anisotropy is not None:
        return float("nan")
    first, last = (tuple(field.tolist()) for field in fields_at_ends(magnet, protocol))
    return _free_energy_change(magnet, first, last)


@lru_cache(maxsize=64)
def _free_energy_change(magnet: Magnet, first: tuple[float, ...], last: tuple[float, ...]) -> float:
    ends = magnet.free_energy(np.array((first, last)))
    return float(ends[1] - ends[0])


def entropy_production(
    magnet: Magnet, protocol: Protocol, work: FloatArray, pumped: FloatArray
) -> FloatArray:
    """beta (W - dF) + S_P, [I] 4.18; not a number at temperature zero."""
    if magnet.temperature == 0.0:
        return np.full_like(work, np.nan)
    return np.asarray(magnet.beta * (work - free_energy_change(magnet, protocol)) + pumped)
