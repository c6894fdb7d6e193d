"""Cost of the phase diagram of [II] Fig. 3 and of its boundaries, against reading them off grids.

The rival knows the boundaries as well as its grid is fine: bisection of every sign change between
neighbours in angle, to the same 1e-8.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.figures import Contestant, Figure, against, rates
from spintherm import Magnet
from spintherm.fokker_planck.diagram import BOUNDARIES, boundaries_of, phase_diagram
from spintherm.fokker_planck.plane import Axis, Plane
from spintherm.workers import cores

MAGNET = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
ALPHA, ANGLE = (0.02, 3.0), (0.0, np.pi)
SIZE = 200
COLUMNS = 60


def diagram(points: int, workers: int, *, boundaries: bool) -> object:
    """Fig. 3 on points × points."""
    axes = Axis("alpha", *ALPHA, points), Axis("angle", *ANGLE, points)
    return phase_diagram(
        MAGNET, *axes, spin_torque=1.0, boundaries=boundaries, workers=workers, progress=False
    )


def bisected(columns: int) -> int:
    """The rival: angles of both boundaries at given alphas, all columns bisected at once."""
    plane = Plane(MAGNET, Axis("alpha", *ALPHA), Axis("angle", *ANGLE), (("spin_torque", 1.0),))
    found = 0
    for place, _ in enumerate(BOUNDARIES):
        top = (0.866, 1.1547)[place]
        alpha = np.linspace(ALPHA[0], top, columns)
        low, high = np.zeros(columns), np.full(columns, np.pi)
        for _ in range(29):  # pi / 2^29 < 1e-8
            middle = 0.5 * (low + high)
            positive = plane.scaled_rates(alpha, middle, tolerance=1e-12)[:, place] > 0.0
            low = np.where(positive == (place == 0), middle, low)
            high = np.where(positive == (place == 0), high, middle)
        found += columns
    return found


def figures() -> list[Figure]:
    """All figures of the phase diagrams."""
    grid = Contestant(
        "grid, one process", 40 * 40, "points/s/core", lambda: diagram(40, 1, boundaries=False)
    )
    traced = diagram(15, 1, boundaries=True)
    count = sum(len(one.x) for one in boundaries_of(traced))
    rival = Contestant("bisection to 1e-8", 2 * COLUMNS, "points/s/core", lambda: bisected(COLUMNS))
    followed = Contestant(
        "boundaries followed, with a 15 x 15 grid for seeds",
        count,
        "points/s/core",
        lambda: diagram(15, 1, boundaries=True),
    )
    one, slow, fast = rates([grid, rival, followed], repeat=3)
    return [one, slow, against(fast, slow), whole()]


def whole() -> Figure:
    """Seconds of the whole diagram, boundaries included, on all cores."""
    began = time.perf_counter()
    diagram(SIZE, cores(), boundaries=True)
    seconds = time.perf_counter() - began
    return Figure(f"{SIZE} x {SIZE} with boundaries, all cores", seconds, seconds, seconds, "s")
