"""How long a user waits: import, --help, first and later calls, each in processes of their own.

Processor time of the child, all threads, and the least of several: what the wait is on a machine
with nothing else to do.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile

from benchmarks.figures import Figure

REPEAT = 5
CALL = """
from spintherm import Magnet, Protocol, simulate
magnet = Magnet(moment=3**0.5, gyromagnetic_ratio=1.0, damping=0.5, temperature=1.0)
protocol = Protocol(1.0, (0, 0, 1.0), (0, 0.3, 0))
simulate(magnet, protocol, trajectories=1000, seed=1, fast={fast}, progress=False)
"""
HELP = "import sys; from spintherm.cli import main; sys.argv = ['spintherm', '--help']; main()"
AGAIN = """
import time
began = time.process_time()
simulate(magnet, protocol, trajectories=1000, seed=2, progress=False)
print(time.process_time() - began)
"""


def seconds(program: str, cache: str) -> float:
    """Processor time of one process that runs a program."""
    environment = {**os.environ, "SPINTHERM_CACHE_DIR": cache}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True, stdout=-3, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def least(name: str, program: str, cache: str, repeat: int = REPEAT) -> Figure:
    """The least time of several processes."""
    times = [seconds(program, cache) for _ in range(repeat)]
    return Figure(name, min(times), min(times), max(times), "s of processor time")


def again(cache: str) -> Figure:
    """A second call in the same process."""
    environment = {**os.environ, "SPINTHERM_CACHE_DIR": cache}
    program = CALL.format(fast=False) + AGAIN
    times = []
    for _ in range(REPEAT):
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
        times.append(float(done.stdout))
    name = "second call of simulate, 1000 trajectories"
    return Figure(name, min(times), min(times), max(times), "s of processor time")


def figures() -> list[Figure]:
    """All latencies."""
    with tempfile.TemporaryDirectory() as cache:
        return [
            least("Python alone", "pass", cache),
            least("import spintherm", "import spintherm", cache),
            least("spintherm --help", HELP, cache),
            least("first simulate, empty cache: compilation", CALL.format(fast=False), cache, 1),
            least("first simulate, kernels cached", CALL.format(fast=False), cache),
            least("first simulate, fast, empty cache", CALL.format(fast=True), cache, 1),
            least("first simulate, fast, kernels cached", CALL.format(fast=True), cache),
            again(cache),
        ]
