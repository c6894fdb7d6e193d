"""The step's error, measured on every result: a coupled pilot at the step h and at h/2.

If the bias of a mean is C h^p, then <A>_h - <A>_(h/2) = C h^p (1 - 2^-p). The pilot walks each
path at both resolutions under the same noise (`kernels.coupled`), so that a small ensemble measures
the difference well. Where steps are fine, the pilot takes up to four times longer ones and the
result is scaled by h^p: the difference is then larger and its relative error smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintherm.kernels import ensemble
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import Tabulation, fastest_rate, tabulate, with_field_of_current
from spintherm.trajectories.engine import Generators, Keys, Scheme, Table, generators, table
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
_COARSENING = 4
_ASYMPTOTIC = 0.25  # step times fastest rate up to which the bias follows its leading power
_SHARE = 0.015
_LEAST_WORK, _MOST_WORK = 500_000, 30_000_000
_FEWEST, _MOST = 256, 65_536


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

    The pilot takes 1.5 % of the run's steps (within bounds), so that its error shrinks along with
    the statistical error; its random numbers are its own. Where the initial moments are given one
    by one it has no more trajectories than the run.
    """
    coarse = tabulation
    if (steps := _pilot_steps(magnet, protocol, tabulation.steps)) < tabulation.steps:
        coarse = with_field_of_current(magnet, protocol, tabulate(protocol, steps))
    fine = halved(magnet, protocol, coarse)
    work = np.clip(_SHARE * trajectories * tabulation.steps, _LEAST_WORK, _MOST_WORK)
    count = min(max(int(work) // (3 * coarse.steps), _FEWEST), _MOST)
    if initial.name == "array":
        count = min(count, trajectories)
    state = np.zeros((ensemble.STATE_ROWS, count))
    initial.prepare(
        Keys(keys.pilot, keys.burn_in, keys.dynamics, keys.pilot), slice(0, count), state
    )
    streams = generators(keys.pilot ^ keys.dynamics, 0, count)
    ends = coupled_ends(
        scheme, state, table(magnet, coarse, scheme), table(magnet, fine, scheme), streams
    )
    difference = estimates(magnet, protocol, state, ends[0]) - estimates(
        magnet, protocol, state, ends[1]
    )
    scale = (coarse.steps / tabulation.steps) ** scheme.order / (1.0 - 2.0**-scheme.order)
    value = np.asarray(scale * difference.mean(axis=1))
    error = scale * difference.std(axis=1, ddof=1) / np.sqrt(count) if count > 1 else value * np.inf
    return Bias(value, np.asarray(error))


def _pilot_steps(magnet: Magnet, protocol: Protocol, steps: int) -> int:
    resolving = int(np.ceil(protocol.duration * fastest_rate(magnet, protocol) / _ASYMPTOTIC))
    return min(steps, max(steps // _COARSENING, resolving), _LARGEST_STEPS)


def halved(magnet: Magnet, protocol: Protocol, coarse: Tabulation) -> Tabulation:
    """Return the tabulation whose steps are the halves of the coarse one's."""
    middles = coarse.times[:-1] + 0.5 * coarse.durations
    at = np.sort(np.append(coarse.times, middles))
    return with_field_of_current(magnet, protocol, tabulate(protocol, 2 * coarse.steps, at=at))


def coupled_ends(
    scheme: Scheme, state: FloatArray, coarse: Table, fine: Table, streams: Generators
) -> tuple[FloatArray, FloatArray]:
    """Walk from state (6, n) at both resolutions under the same noise: both final states."""
    ends = state.copy(), state.copy()
    scheme.couple(*ends, streams, coarse.constants, fine.constants, coarse.jumps, fine.jumps)
    for end, steps in zip(ends, (coarse, fine), strict=True):
        ensemble.apply_jump(end, steps.jumps[-1])
    return ends


def estimates(magnet: Magnet, protocol: Protocol, start: FloatArray, end: FloatArray) -> FloatArray:
    """The quantities of `ESTIMATES` on each path, shape (6, n)."""
    work, heat, pumped = end[3:6]
    change = energy_change(magnet, protocol, start, end)
    sigma = entropy_production(magnet, protocol, work, pumped)
    return np.stack((work, heat, pumped, change, sigma, np.exp(-sigma)))
