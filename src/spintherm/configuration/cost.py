r"""Cost: how many points, tasks and steps a study has, how long it will take, how much it writes.

The number of steps is what the engine takes: that of [compute], or

.. math:: N = \max(16, \lceil \tau\, r / \rho \rceil), \qquad \rho = 0.05,\ 0.002\
   (\text{euler-maruyama}),

with r the fastest rate of the problem (`tabulate.fastest_rate`); with a tolerance N is the
engine's own, which starts from a ladder of pilots, and this number stands in for it. Seconds are
spin-steps over a speed, which is a measured constant unless given.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm import display, validation
from spintherm.configuration import limits
from spintherm.configuration.problem import ConfigurationError, at
from spintherm.tabulate import fastest_rate

if TYPE_CHECKING:
    from spintherm.configuration.study import Study
    from spintherm.magnet import Magnet

SPEEDS = {"splitting": 1.97e8, "euler-maruyama": 1.67e8, "exact-ft": 7.2e7}
"""Spin-steps per second and core in uniform fields (`python -m benchmarks`, AMD Zen 4, shared)."""
FAST_SPEED = 2.87e8
"""Of "splitting" with fast = true."""
ENERGY_SHARES = {2: 0.65, 4: 0.5, 6: 0.35, 8: 0.3}
"""Speed of "splitting" with an anisotropy of this degree over that in uniform fields.

Measured: uniaxial 0.65, cubic K₁ 0.50, uniaxial K₁ and K₂ 0.49, cubic K₁ and K₂ off the axes 0.34;
of degree 8 a guess.
"""
TORQUE_SHARES = (0.51, 0.46)
"""The same with one polariser whose efficiency depends on the angle, and with more of them.

With an anisotropy too the slower of both shows, measured: uniaxial and one polariser 0.53, cubic
and two 0.44.
"""
SECONDS = {
    "evolution": 0.6,
    "moments": 0.3,
    "distribution": 3.0,
    "steady-state": 0.005,
    "dwell-times": 0.005,
    "write-error": 0.1,
}
"""Seconds of a point of what is computed without sampling, within a factor of ten.

Measured on one core: the process (b) blue of [I] Table I, the states and the layer of the examples.
"""
RESOLUTION = {"splitting": 0.05, "euler-maruyama": 0.002, "exact-ft": 0.05}
"""ρ, the step times the fastest rate, of each scheme; the engine's."""
FEWEST_STEPS = 16
PORTION_WORK, LARGEST_PORTION, LANES = 1 << 24, 1 << 14, 256
"""Of the engine: steps and trajectories that it takes at once."""
_LOOKED_AT = 32
_WORD = 8
_EVERY_TRAJECTORY = 8
_EVERY_TIME = 7
_MOMENTS = 68
_SMALL = 4096


@dataclass(frozen=True)
class Cost:
    """What a study will take.

    Attributes
    ----------
    points : int
        Of the sweep; of an adaptive one the largest number.
    tasks : int
        Portions that are computed, written and, if need be, repeated as one.
    steps : tuple of int
        Smallest and largest number of time steps of a trajectory; (0, 0) without sampling.
    spin_steps : int
        Trajectories times steps, over all points; 0 without sampling.
    bytes : int
        On disk, before compression: every task's arrays and the result.
    seconds : float
        Of one core.
    speed : float
        Spin-steps per second and core that were assumed; 0 without sampling.
    """

    points: int
    tasks: int
    steps: tuple[int, int]
    spin_steps: int
    bytes: int
    seconds: float
    speed: float

    def _repr_html_(self) -> str:
        return display.cost_card(self)


def cost_of(study: Study, speed: float | None = None) -> Cost:
    """Return what a study will take.

    Parameters
    ----------
    study : Study
    speed : float, optional
        Spin-steps per second and core; a measured constant if not given.

    Raises
    ------
    TypeError, ValueError
        If the speed is not a number > 0.
    """
    number = study.point_count()
    compute = study.compute
    if not compute.sampled:
        bytes_ = number * _size_of_densities(study)
        return Cost(number, number, (0, 0), 0, bytes_, number * SECONDS[compute.quantity], 0.0)
    given = None if speed is None else validation.finite_scalar("speed", speed, positive=True)
    some = study.some_points(_LOOKED_AT)
    counts = [steps_of(study.at(point) if point else study) for point in some]
    trajectories = int(study.compute.trajectories)  # type: ignore[union-attr]
    spin_steps = round(number * trajectories * (sum(counts) / len(counts)))
    rate = assumed_speed(study) if given is None else given
    tasks = max(tasks_of(study, steps) for steps in counts)
    size = number * _size_of_a_point(study, tasks)
    steps = min(counts), max(counts)
    return Cost(number, number * tasks, steps, spin_steps, size, spin_steps / rate, rate)


def tasks_of(study: Study, steps: int) -> int:
    """Return the number of tasks of a point with this number of steps.

    Tasks of statistics are made of the engine's own portions, two, four, eight of them ..., so that
    they are merged along the branches of one tree whatever their size.

    Parameters
    ----------
    study : Study
        Of trajectories or statistics.
    steps : int
        Of a trajectory.
    """
    options: Any = study.compute
    if options.quantity == "trajectories":
        return study.tasks_of_a_point()
    portion = min(LARGEST_PORTION, PORTION_WORK // steps)
    portion = max(LANES, portion // LANES * LANES)
    together = 1 << max((options.chunk // portion).bit_length() - 1, 0)
    portions = -(-options.trajectories // portion)
    return int(-(-portions // together))


def assumed_speed(study: Study) -> float:
    """Return the measured spin-steps per second and core of this kind of study."""
    options: Any = study.compute
    speed = FAST_SPEED if options.fast else SPEEDS[options.scheme]
    return speed * share_of(study.magnet())


def share_of(magnet: Magnet) -> float:
    """Return the speed of a magnet over that of one in uniform fields, within a fifth.

    Parameters
    ----------
    magnet : Magnet
        With anisotropy, polarisers, both or neither.
    """
    if magnet.is_uniform:
        return 1.0
    shares = [ENERGY_SHARES[2]]  # what any of the kernels for such magnets takes
    if magnet.anisotropy is not None:
        shares.append(ENERGY_SHARES[magnet.anisotropy.degree])
    angular = [item for item in magnet.polarisers if not item.efficiency.is_constant]
    if angular:
        shares.append(TORQUE_SHARES[min(len(angular), len(TORQUE_SHARES)) - 1])
    return min(shares)


def steps_of(study: Study) -> int:
    """Return the number of time steps of a study of one point.

    Parameters
    ----------
    study : Study
        Of trajectories or statistics.

    Raises
    ------
    ConfigurationError
        If the engine would refuse to take so many unless they are named.
    """
    options: Any = study.compute
    if options.steps is not None:
        return int(options.steps)
    protocol = study.protocol()
    with np.errstate(all="ignore"), at("protocol"):
        rate = fastest_rate(study.magnet(), protocol)
        steps = protocol.duration * rate / RESOLUTION[options.scheme]
    if not steps <= limits.MOST_STEPS:
        raise ConfigurationError(
            "compute.steps",
            f": missing, and would be {steps:.3g}, for the fastest rate is {rate:.3g} and the "
            f"duration {protocol.duration:.3g}; expected at most {limits.MOST_STEPS}: name steps",
        )
    return max(FEWEST_STEPS, math.ceil(steps))


def _size_of_a_point(study: Study, tasks: int) -> int:
    """Return the bytes that the tasks of a point write, and once more for the result."""
    options: Any = study.compute
    if options.quantity == "trajectories":
        kept = -(-options.trajectories // study.output.trajectory_stride)
        times = len(study.options().get("save_at", ())[:: study.output.time_stride])
        each = _EVERY_TRAJECTORY + _EVERY_TIME * times + (options.scheme == "exact-ft")
        return int(2 * kept * _WORD * each)
    words = _MOMENTS
    if study.output.histograms:
        inside = dict.fromkeys(("work", "heat", "pumped_entropy", "entropy_production"), 128)
        if isinstance(options.bins, int):
            inside = dict.fromkeys(inside, options.bins)
        else:
            given = options.bins.items()
            inside |= {name: n if isinstance(n, int) else len(n) - 1 for name, n in given}
        words += 2 * sum(n + 2 for n in inside.values())
        words += (inside["work"] + 2) * (inside["pumped_entropy"] + 2)
    return _WORD * words * (tasks + 1)


def _size_of_densities(study: Study) -> int:
    options = study.options()
    if study.compute.quantity == "evolution":
        times = len(options.get("save_at", range(101)))
        return 2 * _WORD * times * 200
    if study.compute.quantity == "write-error":
        return 4 * _WORD * len(options["pulse_lengths"]) + _SMALL
    if study.compute.quantity == "distribution":
        return 8 * _WORD * len(options.get("points", range(401))) + _SMALL
    return 2 * _SMALL
