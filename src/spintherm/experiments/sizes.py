"""Sizes of the whole: how many trajectories, and which step.

The slope of the joint theorem in S_P is the hard number. Its error is 1/√(N p(1-p) Var(S_P|W)),
and where the torque is weak or short, (c) blue and (a) blue, S_P hardly varies at given W: these
two get further pairs of ensembles, used for the joint theorem alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from spintherm.protocol import Protocol


@dataclass(frozen=True)
class MorePairs:
    """Further pairs of ensembles for the joint theorem: how many, and their number of steps."""

    pairs: int
    steps: int


@dataclass(frozen=True)
class Resolution:
    """How finely exact results are drawn in Figs. 3 and 4 of [II].

    Attributes
    ----------
    curve : int
        Fields of each curve.
    map : int
        Points along each axis of the map of the uncertainty ratio.
    diagram : int
        Points along each axis of the phase diagram; its boundaries do not depend on it.
    """

    curve: int = 49
    map: int = 51
    diagram: int = 200


@dataclass(frozen=True)
class ExactDensities:
    """How accurate the exact densities of driven processes are.

    Attributes
    ----------
    tolerance : float
        Wanted relative error, which is also what the deviation from the detailed theorem must not
        exceed.
    floor : float
        Density, relative to its maximum, down to which they go.
    """

    tolerance: float = 1e-6
    floor: float = 1e-8


@dataclass(frozen=True)
class Size:
    """How much to compute.

    Attributes
    ----------
    name, cost : str
        Name, and what it costs.
    trajectories : int
        Trajectories of each of the two ensembles of a process.
    more_pairs : mapping
        Further pairs of ensembles by the name of the process.
    alphas : int
        Points of [II] Fig. 2 besides the two special ones.
    steady_trajectories : int
        Trajectories of each of these points.
    scheme : str
        Scheme of `simulate`.
    time_step : float or None
        Step; chosen from the fastest rate if None.
    resolution : Resolution
        How finely exact results are drawn.
    densities : ExactDensities
        How accurate exact densities are.
    largest_slope_error : float or None
        What the errors of all slopes must not exceed.
    """

    name: str
    cost: str
    trajectories: int
    alphas: int
    steady_trajectories: int
    scheme: str = "splitting"
    time_step: float | None = None
    largest_slope_error: float | None = None
    more_pairs: Mapping[str, MorePairs] = field(default_factory=dict)
    resolution: Resolution = Resolution()
    densities: ExactDensities = ExactDensities()

    def steps(self, protocol: Protocol) -> int | None:
        """Return the number of steps for a protocol, None for the usual choice."""
        return None if self.time_step is None else round(protocol.duration / self.time_step)


QUICK = Size(
    "quick",
    "about a minute on two cores",
    trajectories=500_000,
    alphas=8,
    steady_trajectories=25_000,
    resolution=Resolution(curve=9, map=7, diagram=30),
    densities=ExactDensities(tolerance=1e-3, floor=1e-4),
)
DEFAULT = Size(
    "default",
    "about four minutes on two cores",
    trajectories=2_000_000,
    alphas=15,
    steady_trajectories=200_000,
    largest_slope_error=0.01,
    more_pairs={"(a) blue": MorePairs(48, 16), "(c) blue": MorePairs(16, 32)},
)
PAPER = Size(
    "paper",
    "Euler-Maruyama with the step 1e-5 of [II] SI III: an estimated twenty minutes on two cores",
    trajectories=100_000,
    alphas=15,
    steady_trajectories=20_000,
    scheme="euler-maruyama",
    time_step=1e-5,
)
SIZES = {size.name: size for size in (QUICK, DEFAULT, PAPER)}
