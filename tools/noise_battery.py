"""Send the raw random numbers of the kernels through dieharder and write the report.

    python tools/noise_battery.py [--dieharder PATH] [--streams NAME ...] [--write docs/noise.md]

Needs Debian's package `dieharder`; takes most of an hour of one core, so it is run when the
generator changes, not with the tests. Each stream is one long sequence: every test goes on where
the one before stopped. A p-value that dieharder calls weak (outside 0.005 ... 0.995) is followed by
the same test with four times as many samples on fresh numbers.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy import stats

from spintherm.kernels import noise
from spintherm.trajectories.engine import Keys, generators

SEED = 2024
BLOCK = 1 << 19  # 64-bit numbers at a time
LANES = 64
TRAJECTORIES = 1 << 16
SEEDS = 256
WEAK, FAILED = 0.005, 1e-6

# Diehard's OPSO, OQSO, DNA (5, 6, 7) and sums (14) are left out: dieharder itself lists them as
# "Suspect" and "Do Not Use".
TESTS = {
    0: (), 1: (), 2: (), 3: (), 4: (), 8: (), 9: (), 10: (), 11: (), 12: (), 13: (), 15: (),
    16: (), 17: ("-p", "10"), 100: (), 101: (), 102: (), 200: ("-n", "4"), 201: ("-n", "4"),
    202: ("-n", "5"), 203: ("-n", "1"), 204: (), 205: (), 206: (), 207: (), 208: (), 209: (),
}  # fmt: skip
FIELDS = ("-D", "8", "-D", "16", "-D", "32", "-D", "64", "-D", "128")


def raw(states: np.ndarray, steps: int) -> np.ndarray:
    """Raw numbers (steps, n) of n generators, which move on."""
    out = np.empty((steps, states.shape[1]), np.uint64)
    noise.draw(states, out)
    return out


def one_trajectory() -> Iterator[np.ndarray]:
    """The steps of trajectory 0, one after the other."""
    states = generators(Keys.from_seed(SEED).dynamics, 0, 1)
    while True:
        yield raw(states, BLOCK)


def neighbouring_trajectories() -> Iterator[np.ndarray]:
    """Step 0 of 65 536 trajectories, then step 1 of all of them, and so on."""
    states = generators(Keys.from_seed(SEED).dynamics, 0, TRAJECTORIES)
    while True:
        yield raw(states, BLOCK // TRAJECTORIES)


def first_steps() -> Iterator[np.ndarray]:
    """The first number of trajectory 0, 1, 2, ...: nothing but the hash that seeds them."""
    key, first = Keys.from_seed(SEED).dynamics, 0
    while True:
        yield raw(generators(key, first, BLOCK), 1)
        first += BLOCK


def neighbouring_seeds() -> Iterator[np.ndarray]:
    """Step 0 of trajectory 0 for the seeds 0 ... 255, then step 1, and so on."""
    columns = [generators(Keys.from_seed(seed).dynamics, 0, 1) for seed in range(SEEDS)]
    states = np.ascontiguousarray(np.hstack(columns))
    while True:
        yield raw(states, BLOCK // SEEDS)


def sign_bits() -> Iterator[np.ndarray]:
    """The lowest bit of each number, the sign of the Levy area, of 64 lanes step by step."""
    states = generators(Keys.from_seed(SEED).dynamics, 0, LANES)
    while True:
        bits = (raw(states, BLOCK // LANES) & np.uint64(1)).astype(np.uint8)
        yield np.packbits(bits, bitorder="little")


def low_halves() -> Iterator[np.ndarray]:
    """The lower 32 bits, azimuth and sign and the last of the radial part, of 64 lanes."""
    states = generators(Keys.from_seed(SEED).dynamics, 0, LANES)
    while True:
        yield raw(states, BLOCK // LANES).astype(np.uint32)


def control() -> Iterator[np.ndarray]:
    """Philox of NumPy: what it fails, the battery fails."""
    philox = np.random.Philox(SEED)
    while True:
        yield philox.random_raw(BLOCK)


STREAMS = {
    "control": control,
    "one trajectory": one_trajectory,
    "neighbouring trajectories": neighbouring_trajectories,
    "first steps": first_steps,
    "neighbouring seeds": neighbouring_seeds,
    "sign bits": sign_bits,
    "low halves": low_halves,
}


@dataclass(frozen=True)
class Result:
    """One p-value: the stream, the test with its tuple, and how much was asked and consumed."""

    stream: str
    test: str
    samples: str
    p: float
    repeated: bool = False

    @property
    def weak(self) -> bool:
        """Whether dieharder would call it weak."""
        return not WEAK < self.p < 1.0 - WEAK


@dataclass
class Stream:
    """A sequence on its way into the battery."""

    name: str
    blocks: Iterator[np.ndarray]
    sent: int = 0

    def feed(self, process: subprocess.Popen[bytes]) -> None:
        """Write to the process until it has had enough."""
        try:
            for block in self.blocks:
                data = np.ascontiguousarray(block).tobytes()
                process.stdin.write(data)
                self.sent += len(data)
        except BrokenPipeError:
            return


def ask(program: str, stream: Stream, number: int, *arguments: str) -> list[Result]:
    """Run one test of dieharder on the next numbers of the stream."""
    command = [program, "-g", "200", "-d", str(number), *arguments, "-c", "|", *FIELDS]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, bufsize=0, **pipes)
    stream.feed(process)
    process.stdin = None
    output, complaint = process.communicate()
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed: {(complaint or output).decode()}")
    rows = [line.split("|") for line in output.decode().splitlines() if "|" in line]
    return [
        Result(
            stream.name,
            f"{name.strip()} {ntuple.strip()}",
            f"{psamples.strip()} x {tsamples.strip()}",
            float(p),
        )
        for name, ntuple, tsamples, psamples, p in rows
    ]


def battery(program: str, names: list[str], numbers: list[int]) -> Iterator[Result]:
    """Run the tests on each stream, weak ones again; say on standard error how it goes."""
    for name in names:
        stream = Stream(name, STREAMS[name]())
        for number in numbers:
            began, before = time.monotonic(), stream.sent
            results = ask(program, stream, number, *TESTS[number])
            if any(result.weak for result in results):
                count = 4 * int(results[0].samples.split(" x ")[0])
                arguments = (*without_count(TESTS[number]), "-p", str(count))
                again = ask(program, stream, number, *arguments)
                results += [replace(result, repeated=True) for result in again]
            took, sent = time.monotonic() - began, (stream.sent - before) / 1e9
            worst = min(min(r.p, 1.0 - r.p) for r in results)
            print(
                f"{name:26s} -d {number:3d} {took:6.1f} s {sent:5.2f} GB, worst {worst:.4f}",
                file=sys.stderr,
                flush=True,
            )
            yield from results
        print(f"{name}: {stream.sent / 1e9:.1f} GB", file=sys.stderr, flush=True)


def without_count(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """The arguments less their number of samples."""
    return () if arguments[:1] == ("-p",) else arguments


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dieharder", default=shutil.which("dieharder"), help="the program")
    parser.add_argument("--streams", nargs="+", default=list(STREAMS), choices=list(STREAMS))
    parser.add_argument("--tests", nargs="+", type=int, default=list(TESTS), choices=list(TESTS))
    parser.add_argument("--write", type=Path, help="where to add the results as a table")
    options = parser.parse_args()
    if options.dieharder is None:
        parser.error("dieharder is not installed: apt-get install dieharder")
    results = list(battery(options.dieharder, options.streams, options.tests))
    text = "\n".join((*summary(results), "", *table(results), ""))
    if options.write is None:
        print(text)
    else:
        options.write.write_text(text)


def summary(results: list[Result]) -> list[str]:
    """One line for each stream: how many p-values, how many weak, their distribution."""
    lines = [
        "| stream | p-values | weak | expected by chance | failed | smallest and largest p "
        "| Kolmogorov-Smirnov p of all |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in dict.fromkeys(result.stream for result in results):
        p = np.array([r.p for r in results if r.stream == name and not r.repeated])
        weak = sum(r.weak for r in results if r.stream == name and not r.repeated)
        failed = int(np.sum((p < FAILED) | (p > 1.0 - FAILED)))
        lines.append(
            f"| {name} | {p.size} | {weak} | {2.0 * WEAK * p.size:.1f} | {failed} "
            f"| {p.min():.5f}, {p.max():.5f} | {stats.kstest(p, 'uniform').pvalue:.3f} |"
        )
    return lines


def table(results: list[Result]) -> list[str]:
    """Every p-value, one line for each test and a column for each stream; weak ones in bold."""
    names = list(dict.fromkeys(result.stream for result in results))
    rows: dict[tuple[str, str, bool], dict[str, list[str]]] = {}
    for r in results:
        cell = f"**{r.p:.6f}**" if r.weak else f"{r.p:.3f}"
        row = rows.setdefault((r.test, r.samples, r.repeated), {})
        row.setdefault(r.stream, []).append(cell)
    lines = ["| test | samples | " + " | ".join(names) + " |", "|---" * (len(names) + 2) + "|"]
    for (test, samples, repeated), row in rows.items():
        cells = " | ".join(", ".join(row.get(name, [])) for name in names)
        lines.append(f"| {test}{' again' if repeated else ''} | {samples} | {cells} |")
    return lines


if __name__ == "__main__":
    main()
