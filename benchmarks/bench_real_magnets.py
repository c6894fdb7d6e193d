"""Spin-steps per second with anisotropy and polarisers, against `splitting` with uniform fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.bench_trajectories import LANES, MAGNET, STEPS, UNIT
from benchmarks.figures import Contestant, Figure, against, rates
from spintherm import Anisotropy, Magnet, Polariser, Protocol, TorqueEfficiency
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import Keys, advance, generators, table
from spintherm.trajectories.local import scheme_for

PROTOCOL = Protocol(1.0, (0.1, 0.2, 0.3), (0.0, 0.0, 0.2))
SLONCZEWSKI = Polariser((0.0, 0.0, 1.0), TorqueEfficiency.slonczewski(1.5))
ACROSS = Polariser((1.0, 0.0, 0.0), TorqueEfficiency.slonczewski(1.5))


def magnets() -> Iterator[tuple[str, Magnet]]:
    """Magnets from the cheapest to the dearest."""
    easy = Anisotropy.uniaxial(2.0)
    yield "uniform fields", MAGNET
    yield "uniaxial, uniform torque", replace(MAGNET, anisotropy=easy)
    one = replace(MAGNET, polarisers=(SLONCZEWSKI,))
    yield "uniaxial, Slonczewski's torque", replace(one, anisotropy=easy)
    both = replace(MAGNET, polarisers=(SLONCZEWSKI, ACROSS))
    yield "uniaxial, two polarisers", replace(both, anisotropy=easy)
    yield "cubic K1, uniform torque", replace(MAGNET, anisotropy=Anisotropy.cubic(2.0))
    yield "cubic K1 and K2, uniform torque", replace(MAGNET, anisotropy=Anisotropy.cubic(2.0, 1.0))
    yield "cubic K1, Slonczewski's torque", replace(one, anisotropy=Anisotropy.cubic(2.0))
    yield (
        "cubic K1 and K2, Slonczewski's torque",
        replace(one, anisotropy=Anisotropy.cubic(2.0, 1.0)),
    )


def kernel(name: str, magnet: Magnet, scheme: str = "splitting", fast: bool = False) -> Contestant:
    """One kernel on one core, with work, heat and pumped entropy accumulated."""
    chosen = scheme_for(magnet, scheme, fast)
    rows = table(magnet, tabulate(PROTOCOL, STEPS), chosen)
    state = np.zeros((chosen.rows, LANES))
    state[2] = 1.0
    streams = generators(Keys.from_seed(1).dynamics, 0, LANES)
    return Contestant(
        f"{scheme}{', fast' * fast}, {name}",
        LANES * rows.steps,
        UNIT,
        lambda: advance(chosen, state, streams, rows, 0, rows.steps),
    )


def figures() -> list[Figure]:
    """Each kind of magnet against uniform fields, in one run."""
    found = []
    for kind in (("splitting", False), ("splitting", True), ("euler-maruyama", False)):
        first, *others = rates([kernel(*one, *kind) for one in magnets()], repeat=15)
        found += [first, *(against(figure, first) for figure in others)]
    return found
