"""`spintherm init`, `spintherm check`, `spintherm schema`: files of studies, nothing is run."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintherm.cli.configuration import configuring, study_of
from spintherm.cli.failure import Failed, UsageError, usage

if TYPE_CHECKING:
    from spintherm.configuration import Cost, Study

_MEASURED_STEPS = 3e7


def init(path: Path) -> int:
    """Write the template, unless something is there."""
    from spintherm.configuration import template

    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(template())
    except FileExistsError:
        raise UsageError(f"{path}: exists, and is not touched") from None
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise UsageError(f"{path}: expected a file in a folder that exists") from error
    except OSError as error:
        raise Failed(f"{path}: cannot be written ({error.strerror})") from error
    print(f"{path} written; next: spintherm check {path}")
    return 0


def schema() -> int:
    """Print the schema."""
    from spintherm import configuration

    print(json.dumps(configuration.schema(), indent=1, ensure_ascii=False))
    return 0


def check(
    path: Path,
    overrides: Sequence[str],
    speed: float | None,
    *,
    measure: bool,
    as_json: bool,
) -> int:
    """Check a study and print its cost."""
    study = study_of(path, overrides)
    if measure and speed is not None:
        raise UsageError("--speed and --measure: expected one of them")
    with configuring(), usage():
        if measure and study.compute.sampled:
            speed = measured_speed(study)
        cost = study.cost(speed)
    if as_json:
        found = {
            "quantity": study.compute.quantity,
            "digest": study.digest(),
            "axes": {axis.key: len(axis.values) for axis in study.axes()},
            **asdict(cost),
        }
        print(json.dumps(found, indent=1, allow_nan=False))
    else:
        known = "measured" if measure else "given" if speed is not None else "assumed"
        _print(path, study, cost, known)
    return 0


def measured_speed(study: Study) -> float:
    """Return the spin-steps per second of the first point of a study on one core.

    Parameters
    ----------
    study : Study
        Of trajectories or statistics.
    """
    from spintherm.configuration.cost import steps_of
    from spintherm.trajectories import simulate_statistics

    one = study.at(study.some_points(1)[0])
    options = {
        name: value
        for name, value in one.options().items()
        if name in ("seed", "scheme", "initial", "fast")
    }
    if isinstance(options["initial"], tuple) and isinstance(options["initial"][0], tuple):
        options["initial"] = options["initial"][0]
    steps = steps_of(one)

    def seconds(trajectories: int) -> float:
        began = time.perf_counter()
        simulate_statistics(
            one.magnet(),
            one.protocol(),
            trajectories=trajectories,
            steps=steps,
            threads=1,
            progress=False,
            **options,
        )
        return time.perf_counter() - began

    few = 256
    many = few + max(1024, round(_MEASURED_STEPS / steps))
    seconds(few)  # compiles
    # the difference leaves out what is done once: the table, the pilot for bins and step bias
    return (many - few) * steps / max(seconds(many) - seconds(few), 1e-9)


def _print(path: Path, study: Study, cost: Cost, known: str) -> None:
    axes = " × ".join(f"{len(axis.values)} {axis.key}" for axis in study.axes())
    method = study.sweep.method if study.sweep is not None else ""
    rows = {
        "quantity": study.compute.quantity,
        "points": f"{cost.points}" + (f" ({method}: {axes})" if axes else ""),
        "tasks": f"{cost.tasks}",
    }
    if cost.spin_steps:
        low, high = cost.steps
        rows["steps"] = f"{low}" if low == high else f"{low} to {high}"
        rows["spin-steps"] = f"{cost.spin_steps:.4g}"
        how = f" at {cost.speed:.3g} spin-steps/s ({known})"
    else:
        how = " (a rough constant for each point)"
    rows["disk"] = f"{_with_unit(cost.bytes, _BYTES)} before compression"
    rows["time"] = f"{_with_unit(cost.seconds, _SECONDS)} on one core{how}"
    print(f"{path}: correct, digest {study.digest()[:16]}")
    for name, value in rows.items():
        print(f"  {name:<10}  {value}")


_BYTES: dict[str, float] = {"TB": 1e12, "GB": 1e9, "MB": 1e6, "kB": 1e3, "bytes": 1.0}
_SECONDS: dict[str, float] = {"days": 86400.0, "h": 3600.0, "min": 60.0, "s": 1.0, "ms": 1e-3}


def _with_unit(value: float, units: dict[str, float]) -> str:
    last: Any = list(units)[-1]
    unit = next((name for name, size in units.items() if value >= size), last)
    return f"{value / units[unit]:.3g} {unit}"
