"""Measured figures: medians over repetitions, ratios to rivals of the same run, table and JSON."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One figure: what was measured, its median, spread and unit, and its ratio to a rival."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    rival: str = ""
    ratio: float | None = None


@dataclass(frozen=True)
class Contestant:
    """One thing to measure: work done by one call, in what unit, by which clock.

    What runs on one core is timed by the processor time of its thread, which a busy machine does
    not distort; what runs on several by the wall clock.
    """

    name: str
    work: float
    unit: str
    call: Callable[[], object]
    clock: Callable[[], float] = time.thread_time


def rates(contestants: list[Contestant], repeat: int) -> list[Figure]:
    """Median work per second of each, in rounds that all take turns in, after one warm-up each."""
    measured: list[list[float]] = [[] for _ in contestants]
    for contestant in contestants:
        contestant.call()
    for _ in range(repeat):
        for contestant, values in zip(contestants, measured, strict=True):
            began = contestant.clock()
            contestant.call()
            values.append(contestant.work / (contestant.clock() - began))
    return [
        Figure(c.name, statistics.median(values), min(values), max(values), c.unit)
        for c, values in zip(contestants, measured, strict=True)
    ]


def against(figure: Figure, rival: Figure) -> Figure:
    """The same figure with its ratio to the rival's median."""
    return Figure(**{**asdict(figure), "rival": rival.name, "ratio": figure.value / rival.value})


def exactly(
    name: str, value: float, unit: str, rival: str = "", ratio: float | None = None
) -> Figure:
    """A figure without a spread."""
    return Figure(name, value, value, value, unit, rival, ratio)


def show(title: str, figures: list[Figure], before: dict[str, float] | None = None) -> None:
    """Print a table; `before` holds the values of the last recorded run by name."""
    print(f"\n{title}")
    for f in figures:
        spread = "" if f.low == f.high else f"({f.low:.3g} ... {f.high:.3g})"
        ratio = "" if f.ratio is None else f"{f.ratio:.2f} x {f.rival}"
        old = (before or {}).get(f.name)
        change = "" if not old else f"[{f.value / old:.2f} x recorded]"
        print(f"  {f.name:<52} {f.value:>10.4g} {f.unit:<26} {spread:<22} {change:<18} {ratio}")


def recorded(path: str | Path) -> dict[str, dict[str, float]]:
    """Values of the last recorded run by section and name; nothing if there is none."""
    if not Path(path).exists():
        return {}
    data = json.loads(Path(path).read_text(encoding="utf-8"))
    machine = data.pop("machine", {})
    print(f"recorded before on {machine.get('processor')}, numba {machine.get('numba')}")
    return {
        section: {one["name"]: one["value"] for one in figures} for section, figures in data.items()
    }


def write(path: str | Path, sections: dict[str, list[Figure]]) -> None:
    """Write all figures as JSON, with the machine they were measured on."""
    import platform

    import numba
    import numpy as np
    from llvmlite.binding import get_host_cpu_name

    machine = {
        "processor": get_host_cpu_name(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }
    data = {name: [asdict(f) for f in figures] for name, figures in sections.items()}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"machine": machine, **data}, file, indent=1)
        file.write("\n")
