"""Spin-steps per second of the trajectory kernels, against NumPy and others in the same run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np

from benchmarks.bench_peers import peers
from benchmarks.figures import Contestant, Figure, against, exactly, rates
from benchmarks.operations import operations, peak_fused
from spintherm import Magnet, Protocol, Ramp, Triangle, simulate, simulate_statistics
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import (
    SCHEMES,
    Keys,
    Scheme,
    advance,
    generators,
    table,
)
from spintherm.workers import cores

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


def arithmetics() -> Iterator[tuple[str, Scheme]]:
    """Every scheme, and its fast arithmetic where it has one."""
    for name, scheme in SCHEMES.items():
        yield name, scheme
        if scheme.fast is not None:
            yield f"{name}, fast", scheme.fast


def kernel(name: str, scheme: Scheme) -> Contestant:
    """One kernel on one core, with work, heat and pumped entropy accumulated."""
    rows = table(MAGNET, tabulate(PROTOCOL, STEPS), scheme)
    state = np.zeros((scheme.rows, LANES))
    state[2] = 1.0
    streams = generators(Keys.from_seed(1).dynamics, 0, LANES)
    return Contestant(
        f"{name}: W, Q, S_P, dE",
        LANES * rows.steps,
        UNIT,
        lambda: advance(scheme, state, streams, rows, 0, rows.steps),
    )


def arithmetic(name: str, scheme: Scheme, rate: float, peak: float) -> list[Figure]:
    """Operations of a step, and what part of the processor's peak the rate makes use of."""
    count = operations(scheme)
    print(f"  one step of {name}: {count}")
    busy = count.least_slots * rate / peak
    return [
        exactly(f"{name}: operations", count.flops, "flop/step"),
        exactly(f"{name}: part of peak", 0.5 * count.double_flops * rate / peak, "of peak flop/s"),
        exactly(f"{name}: multipliers busy", busy, "of their slots"),
    ]


def whole(threads: int, fast: bool = False) -> Contestant:
    """`simulate_statistics` from call to Dataset, step bias included."""
    count = 1_000_000
    name = f"simulate_statistics{', fast' * fast}, 10^6 trajectories, {threads} thread"
    return Contestant(
        name + "s" * (threads > 1),
        count * STEPS,
        "spin-steps/s",
        lambda: simulate_statistics(
            MAGNET, PROTOCOL, trajectories=count, seed=1, steps=STEPS, threads=threads, fast=fast
        ),
        time.perf_counter,
    )


def kept(threads: int) -> Contestant:
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


# Not ru_maxrss where it can be helped: a process inherits that of the one that started it.
MEMORY_PROBE = """
import resource
from pathlib import Path
from benchmarks.bench_trajectories import MAGNET, PROTOCOL
from spintherm import {function} as call
run = call(MAGNET, PROTOCOL, trajectories=10_000_000, seed=1, steps=8)
status = Path("/proc/self/status")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if status.exists():
    lines = status.read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
print(peak * 1024)
"""


def memory(function: str) -> Figure:
    """Largest resident memory of a process that simulates ten million trajectories."""
    environment = {**os.environ}
    environment["PYTHONPATH"] = os.pathsep.join([os.getcwd(), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE.format(function=function)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return exactly(f"peak memory, {function}, 10^7 paths", float(done.stdout) / 1e9, "GB")


def speeds() -> list[Figure]:
    """Kernels and rivals on one core, in one run."""
    rivals = [rival(count) for count in (1024, 4096, 16384)]
    others, kernels = list(peers()), list(arithmetics())
    peak = peak_fused()
    measured = rates([*rivals, *others, *(kernel(*one) for one in kernels)], repeat=15)
    numpy_, others_ = measured[:3], measured[3 : 3 + len(others)]
    ours = measured[3 + len(others) :]
    best = max(numpy_, key=lambda figure: figure.value)
    figures = [*numpy_, *(against(figure, best) for figure in [*others_, *ours])]
    for other in others_:
        for figure in ours:
            name = f"{figure.name} against {other.name}"
            ratio = figure.value / other.value
            figures.append(exactly(name, ratio, "", other.name, ratio))
    figures.append(exactly("peak of one core", 2.0 * peak, "flop/s"))
    for (name, scheme), figure in zip(kernels, ours, strict=True):
        figures += arithmetic(name, scheme, figure.value, peak)
    return figures


def threads() -> list[Figure]:
    """Whole calls on one thread and on all processors."""
    most = cores()
    contestants = [whole(1), whole(1, fast=True), kept(1)]
    if most > 1:
        contestants += [whole(most), whole(most, fast=True), kept(most)]
    measured = rates(contestants, repeat=5)
    return [*measured[:3], *map(against, measured[3:], measured[:3])]


def figures() -> list[Figure]:
    """All figures of the trajectory engine."""
    return [*speeds(), *threads(), memory("simulate"), memory("simulate_statistics")]
