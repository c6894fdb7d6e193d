"""Time to a given accuracy: bias and standard error of <Sigma> both 5e-4, [I] Table I (b), blue.

With n steps the bias is C / n^p and a path costs n / speed, so that bias and error e need

    n = (|C| / e)^(1/p) steps,   N = Var Sigma / e^2 paths,   N n / speed seconds on one core.

C, the variance and the speed are measured in the same run; the exact mean comes from the density
engine, which shares nothing with the trajectories. Where the error of C hides C, the leading power
tells nothing of fewer steps than those with which C was measured. The paper's method is
Euler-Maruyama with 1e5 steps, whatever the accuracy.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.bench_trajectories import arithmetics, kernel
from benchmarks.figures import Figure, exactly, rates
from spintherm import simulate_statistics
from spintherm.experiments.processes import table_one
from spintherm.fokker_planck import functional_means
from spintherm.plot.style import COLOURS, ONE_COLUMN, style

PROCESS = next(process for process in table_one() if process.name == "(b) blue")
ACCURACY = 5e-4
PAPER_STEPS = 100_000
PROBE = {1: (128, 4_000_000), 2: (16, 40_000_000)}  # steps and paths by the order of the scheme


@dataclass(frozen=True)
class Method:
    """A way to take steps, with everything that its cost depends on."""

    name: str
    order: int
    constant: float
    constant_error: float
    variance: float
    speed: float
    fixed_steps: int = 0

    def steps(self, accuracy: float) -> float:
        """Steps that the bias needs."""
        hidden = abs(self.constant) < 3.0 * self.constant_error
        largest = abs(self.constant) + self.constant_error * hidden
        least = PROBE[self.order][0] if hidden else 1.0
        needed = (largest / accuracy) ** (1.0 / self.order)
        return float(self.fixed_steps or max(least, np.ceil(needed)))

    def seconds(self, accuracy: float) -> float:
        """Seconds on one core until bias and standard error are down to `accuracy`."""
        paths = self.variance / accuracy**2
        return paths * self.steps(accuracy) / self.speed


@cache
def methods() -> tuple[Method, ...]:
    """Every scheme and arithmetic, then the paper's method."""
    exact = functional_means(PROCESS.magnet, PROCESS.protocol)["entropy_production"]
    ways = list(arithmetics())
    speeds = rates([kernel(*way) for way in ways], repeat=9)
    found = []
    for (name, scheme), speed in zip(ways, speeds, strict=True):
        steps, paths = PROBE[scheme.order]
        run = simulate_statistics(
            PROCESS.magnet,
            PROCESS.protocol,
            trajectories=paths,
            seed=101,
            steps=steps,
            scheme=scheme.name,
            fast=name.endswith("fast"),
        ).sel(functional="entropy_production")
        scale = float(steps) ** scheme.order
        constant = scale * (float(run["mean"]) - exact)
        error = scale * float(run.mean_error)
        found.append(Method(name, scheme.order, constant, error, float(run.variance), speed.value))
    euler = next(method for method in found if method.name == "euler-maruyama")
    paper = Method(
        f"paper: euler-maruyama, {PAPER_STEPS} steps",
        *(1, euler.constant, euler.constant_error, euler.variance, euler.speed, PAPER_STEPS),
    )
    return (*found, paper)


def figures() -> list[Figure]:
    """Bias constants and times to the accuracy, with their ratios to both Euler-Maruyama runs."""
    every = methods()
    euler = next(method for method in every if method.name == "euler-maruyama")
    paper = every[-1]
    listed = []
    for method in every:
        if method is not paper:
            low, high = (method.constant + sign * method.constant_error for sign in (-1, 1))
            name = f"{method.name}: bias times n^{method.order}"
            listed.append(Figure(name, method.constant, low, high, ""))
        listed.append(exactly(f"{method.name}: steps", method.steps(ACCURACY), "steps"))
        needed = method.seconds(ACCURACY)
        for other in (euler, paper):
            gain = other.seconds(ACCURACY) / needed
            name = f"{method.name}: time, gain on {other.name.split(':')[0]}"
            listed.append(exactly(name, needed, "s on one core", other.name, gain))
    return [*listed, done()]


def done() -> Figure:
    """The best method's run as computed above, really made: its deviation from the exact mean."""
    exact = functional_means(PROCESS.magnet, PROCESS.protocol)["entropy_production"]
    best = min(methods()[:-1], key=lambda method: method.seconds(ACCURACY))
    began = time.process_time()
    run = simulate_statistics(
        PROCESS.magnet,
        PROCESS.protocol,
        trajectories=int(np.ceil(best.variance / ACCURACY**2)),
        seed=102,
        steps=int(best.steps(ACCURACY)),
        scheme=best.name.split(",")[0],
        fast=best.name.endswith("fast"),
    ).sel(functional="entropy_production")
    taken = time.process_time() - began
    off = float(run["mean"]) - exact
    print(f"  {best.name}, really run: {taken:.1f} s of processor time, off by {off:+.2e}")
    return exactly("really run, off the exact mean by", off / ACCURACY, "accuracies asked for")


@style()
def draw(path: str | Path) -> None:
    """Plot the time on one core against the accuracy of <Sigma>."""
    from matplotlib.figure import Figure as Canvas

    accuracy = np.logspace(-4, -1.5, 60)
    figure = Canvas(figsize=(1.4 * ONE_COLUMN, 3.2), layout="constrained")
    axes = figure.subplots()
    for method, colour in zip(methods(), COLOURS.values(), strict=False):
        seconds = [method.seconds(one) for one in accuracy]
        axes.loglog(accuracy, seconds, label=method.name, color=colour)
    axes.axvline(ACCURACY, color="0.7", linewidth=0.8)
    axes.set_xlabel(r"bias and standard error of $\langle\Sigma\rangle$, [I] Table I (b) blue")
    axes.set_ylabel("seconds on one core")
    axes.legend()
    figure.savefig(path, dpi=220)
