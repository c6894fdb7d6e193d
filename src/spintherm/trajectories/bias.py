"""The step's error, measured on every result: a coupled pilot at the step h and at h/2.

If the bias of a mean is C h^p, then <A>_h - <A>_(h/2) = C h^p (1 - 2^-p). The pilot walks each
path at both resolutions under the same noise (`kernels.coupled`), so that a small ensemble measures
the difference well. Runs of many steps are piloted at fewer, and the result scaled by h^p.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintherm.kernels import ensemble
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import Tabulation, tabulate
from spintherm.trajectories.engine import Keys, Scheme, Table, generators, table
from spintherm.trajectories.initial import Initial
from spintherm.trajectories.thermodynamics import energy_change, entropy_production

FloatArray = NDArray[np.float64]

ESTIMATES = (
    "work",
    "heat",
    "pumped_entropy",
    "energy_change",
    "entropy_production",
    "exp(-entropy_production)",
)
_LARGEST_STEPS = 1024
_WORK = 3_000_000
_FEWEST, _MOST = 256, 16384


@dataclass(frozen=True)
class Bias:
    """Bias of each mean in `ESTIMATES`, and its standard error; shape (6,)."""

    value: FloatArray
    error: FloatArray


def measure_bias(
    magnet: Magnet,
    protocol: Protocol,
    tabulation: Tabulation,
    scheme: Scheme,
    initial: Initial,
    keys: Keys,
    trajectories: int,
) -> Bias:
    """Estimate the step bias of the means of one run.

    The pilot has up to 16384 trajectories of its own random numbers (no more than the run has when
    the initial moments are given one by one).
    """
    coarse = tabulation
    if tabulation.steps > _LARGEST_STEPS:
        coarse = tabulate(protocol, _LARGEST_STEPS)
    fine = _halved(protocol, coarse)
    count = min(max(_WORK // (3 * coarse.steps), _FEWEST), _MOST)
    if initial.name == "array":
        count = min(count, trajectories)
    state = np.zeros((ensemble.STATE_ROWS, count))
    initial.prepare(
        Keys(keys.pilot, keys.burn_in, keys.dynamics, keys.pilot), slice(0, count), state
    )
    ends = _coupled_ends(
        scheme, state, table(magnet, coarse, scheme), table(magnet, fine, scheme), keys
    )
    difference = _estimates(magnet, protocol, state, ends[0]) - _estimates(
        magnet, protocol, state, ends[1]
    )
    scale = (coarse.steps / tabulation.steps) ** scheme.order / (1.0 - 2.0**-scheme.order)
    value = np.asarray(scale * difference.mean(axis=1))
    error = scale * difference.std(axis=1, ddof=1) / np.sqrt(count) if count > 1 else value * np.inf
    return Bias(value, np.asarray(error))


def _halved(protocol: Protocol, coarse: Tabulation) -> Tabulation:
    middles = coarse.times[:-1] + 0.5 * coarse.durations
    return tabulate(protocol, 2 * coarse.steps, at=np.sort(np.append(coarse.times, middles)))


def _coupled_ends(
    scheme: Scheme, state: FloatArray, coarse: Table, fine: Table, keys: Keys
) -> tuple[FloatArray, FloatArray]:
    ends = state.copy(), state.copy()
    streams = generators(keys.pilot ^ keys.dynamics, 0, state.shape[1])
    scheme.couple(*ends, streams, coarse.constants, fine.constants, coarse.jumps, fine.jumps)
    for end, steps in zip(ends, (coarse, fine), strict=True):
        ensemble.apply_jump(end, steps.jumps[-1])
    return ends


def _estimates(
    magnet: Magnet, protocol: Protocol, start: FloatArray, end: FloatArray
) -> FloatArray:
    """The quantities of `ESTIMATES` on each path, shape (6, n)."""
    work, heat, pumped = end[3:]
    change = energy_change(magnet, protocol, start, end)
    sigma = entropy_production(magnet, protocol, work, pumped)
    return np.stack((work, heat, pumped, change, sigma, np.exp(-sigma)))
