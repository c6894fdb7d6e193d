"""Spin-steps per second of the trajectory kernels, against NumPy in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.figures import Contestant, Figure, against, rates
from spintherm import Magnet, Protocol, Ramp, Triangle, simulate
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, Keys, advance, default_threads, generators, table

MAGNET = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
PROTOCOL = Protocol(1.0, Ramp((0, 0, 1), (0, 0, -1), 1.0), Triangle((0, 1, 1), 1.0))
STEPS = 64
LANES = 16384
UNIT = "spin-steps/s/core"


def numpy_euler_maruyama(count: int, steps: int) -> np.ndarray:
    """The rival: structure of arrays, SFC64, everything in place, in cache, no functionals."""
    rng = np.random.Generator(np.random.SFC64(1))
    tab = tabulate(PROTOCOL, steps)
    x, y, z = np.zeros(count), np.zeros(count), np.ones(count)
    normals = np.empty((3, count))
    wx, wy, wz, radial, t, px, py, pz = (np.empty(count) for _ in range(8))
    for k, h in enumerate(tab.durations):
        H, P = tab.field_start[k], tab.spin_torque_start[k]
        b, r = h * MAGNET.relaxation_vector(H, P), h * MAGNET.rotation_vector(H, P)
        amplitude, ito = np.sqrt(h), h  # 2 eta T = 1
        rng.standard_normal(out=normals)
        for w, g, shift in ((wx, normals[0], r[0]), (wy, normals[1], r[1]), (wz, normals[2], r[2])):
            np.multiply(g, -amplitude, out=w)
            w += shift
        np.multiply(x, b[0], out=radial)
        for n, drift in ((y, b[1]), (z, b[2])):
            np.multiply(n, drift, out=t)
            radial += t
        radial += ito
        np.subtract(1.0, radial, out=radial)
        for p, n, drift, first, second in (
            (px, x, b[0], (wy, z), (wz, y)),
            (py, y, b[1], (wz, x), (wx, z)),
            (pz, z, b[2], (wx, y), (wy, x)),
        ):
            np.multiply(n, radial, out=p)
            p += drift
            np.multiply(*first, out=t)
            p += t
            np.multiply(*second, out=t)
            p -= t
        np.multiply(px, px, out=radial)
        for p in (py, pz):
            np.multiply(p, p, out=t)
            radial += t
        np.sqrt(radial, out=radial)
        for n, p in ((x, px), (y, py), (z, pz)):
            np.divide(p, radial, out=n)
    return z


def rival(count: int) -> Contestant:
    """The rival at one size of its arrays."""
    return Contestant(
        f"NumPy Euler-Maruyama (SFC64), {count} lanes",
        count * STEPS,
        UNIT,
        lambda: numpy_euler_maruyama(count, STEPS),
    )


def kernel(name: str) -> Contestant:
    """One kernel on one core, with work, heat and pumped entropy accumulated."""
    scheme = SCHEMES[name]
    rows = table(MAGNET, tabulate(PROTOCOL, STEPS), scheme)
    state = np.zeros((6, LANES))
    state[2] = 1.0
    streams = generators(Keys.from_seed(1).dynamics, 0, LANES)
    return Contestant(
        f"{name}, all functionals",
        LANES * rows.steps,
        UNIT,
        lambda: advance(scheme, state, streams, rows, 0, rows.steps),
    )


def whole(threads: int) -> Contestant:
    """`simulate` from call to Dataset, step bias included."""
    count = 1_000_000
    return Contestant(
        f"simulate, 10^6 trajectories, {threads} thread{'s' * (threads > 1)}",
        count * STEPS,
        "spin-steps/s",
        lambda: simulate(
            MAGNET, PROTOCOL, trajectories=count, seed=1, steps=STEPS, threads=threads
        ),
        time.perf_counter,
    )


MEMORY_PROBE = """
import resource
from benchmarks.bench_trajectories import MAGNET, PROTOCOL
from spintherm import simulate
run = simulate(MAGNET, PROTOCOL, trajectories=10_000_000, seed=1, steps=8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
"""


def memory() -> Figure:
    """Largest resident memory of a process that simulates ten million trajectories."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    peak = float(done.stdout) / 1e9
    return Figure("peak memory, 10^7 trajectories", peak, peak, peak, "GB")


def figures() -> list[Figure]:
    """All figures of the trajectory engine."""
    rivals = [rival(count) for count in (1024, 4096, 16384)]
    single = rates([*rivals, *map(kernel, SCHEMES)], repeat=15)
    best = max(single[:3], key=lambda figure: figure.value)
    figures = [*single[:3], *(against(figure, best) for figure in single[3:])]
    if default_threads() > 1:
        one, two = rates([whole(1), whole(2)], repeat=7)
        figures += [one, against(two, one)]
    return [*figures, memory()]
