r"""What the engines answer: plain numbers, lists and texts, ready to be written as JSON.

Answers that take long are generators: they report (done, total) and parts of what is known so far
through `tell` and return the whole. Everything is reduced units, k_B = 1, unless a name says SI.

A density goes out as coefficients of the real harmonics of `fokker_planck.harmonics`, in the frame
in which it is compact; the page sums them, and makes the currents of [I] 2.16 from them
(explorer/src/currents.ts).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from operator import itemgetter
from threading import Event
from typing import Any

import numpy as np

from spintherm.explorer.questions import (
    Density,
    Diagram,
    Drive,
    Film,
    Histogram,
    Material,
    Paths,
    Point,
    Refused,
)
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray

Tell = Callable[[str, Any], None]

COARSE = 21
DENSITY_TOLERANCE = 1e-4
DENSITY_FLOOR = 1e-6
MEANS, FILM_TOLERANCE = 41, 1e-6
"""Times of the exact means beside sampled paths; tail of a density in time."""
AHEAD, AHEAD_RATIO = 41, 20.0
"""Places along a slider that are looked at ahead, up to this ratio of beta m H."""
MOST_MET = 120
FUNCTIONALS = ("work", "heat", "pumped_entropy")
FILM_RATES = ("entropy_production_rate", "bath_entropy_rate", "pumped_entropy_rate")
FIRST_BATCH = 250
LARGEST_BATCH = 20_000
NUMBERS = (
    "pumped_entropy_rate",
    "bath_entropy_rate",
    "entropy_production_rate",
    "work_rate",
    "heat_rate",
    "pumped_entropy_noise",
    "work_noise",
    "entropy_production_noise",
    "uncertainty_ratio",
)
"""Numbers of a steady state, by their names in the API."""


def steady(question: Point, tell: Tell) -> dict[str, Any]:
    """Return the steady state: numbers, density, currents.

    Parameters
    ----------
    question : Point
    tell : callable
        Not used: the answer takes milliseconds.

    Returns
    -------
    dict
        "numbers" by the names of the API, "mean_moment", "phase", the dimensionless "nu", "alpha"
        and "delta" of [II], "density" and "currents".

    Raises
    ------
    ResolutionError
        If the density cannot be resolved.
    """
    from spintherm.fokker_planck import steady_state

    magnet = question.magnet
    state = steady_state(magnet, question.fields, question.torques)
    basis = state.solution.basis
    H = question.field
    return {
        "numbers": {name: plain(getattr(state, name)) for name in NUMBERS},
        "mean_moment": plain(state.mean_moment),
        "phase": state.phase,
        "nu": plain(magnet.beta * magnet.moment * H),
        "alpha": plain(magnet.moment * question.spin_torque / H) if H > 0.0 else None,
        "delta": plain(magnet.damping * magnet.moment / magnet.gyromagnetic_ratio),
        "field": plain(question.fields),
        "spin_torque": plain(question.torques),
        "density": {
            "l_max": basis.l_max,
            "m_max": basis.m_max,
            "frame": plain(state.setting.frame),
            "coefficients": short(state.solution.density, 9),
        },
        "tail": plain(state.tail),
    }


def ahead(point: Point) -> Iterator[None]:
    """Solve steady states along each slider, near ones first, one at each step.

    Only those with truncations that were not met before: their operators are kept by the density
    engine, so that a slider that comes there is answered as quickly as everywhere.

    Parameters
    ----------
    point : Point
        Where the sliders are.
    """
    from spintherm.fokker_planck import ResolutionError, steady_state
    from spintherm.fokker_planck.setting import settings

    for _, one in sorted(_around(point), key=itemgetter(0)):
        (setting,) = settings(one.magnet, one.fields[None], one.torques[None])
        truncation = (setting.l_max, setting.m_max)
        if truncation in _MET:
            continue
        _MET.add(truncation)
        with suppress(ResolutionError):
            plain(steady_state(one.magnet, one.fields, one.torques).uncertainty_ratio)
        yield
        if len(_MET) > MOST_MET:  # the engine has let go of the first ones
            _MET.clear()


_MET: set[tuple[int, int]] = set()


def _around(point: Point) -> Iterator[tuple[float, Point]]:
    """Yield working points along the sliders, with their distance in shares of a slider."""
    strongest = AHEAD_RATIO * point.magnet.temperature / point.magnet.moment
    for name, largest in (("field", strongest), ("spin_torque", strongest / 2), ("angle", 180.0)):
        for value in np.linspace(0.0, largest, AHEAD).tolist():
            distance = abs(value - getattr(point, name)) / largest
            yield distance, replace(point, **{name: value})


def diagram(question: Diagram, tell: Tell) -> dict[str, Any]:
    """Return a phase diagram: first told on a coarse grid, then with the exact boundaries.

    Parameters
    ----------
    question : Diagram
    tell : callable

    Returns
    -------
    dict
        "x", "y" (angles in degrees), the rates "pumped" and "bath" by rows of y, and "boundaries".

    Raises
    ------
    ResolutionError
        If a density cannot be resolved.
    """
    if question.points > COARSE:
        tell("part", _diagram(question, COARSE, tell, boundaries=False))
    return _diagram(question, question.points, tell, boundaries=True)


def _diagram(question: Diagram, points: int, tell: Tell, *, boundaries: bool) -> dict[str, Any]:
    from spintherm.fokker_planck import Axis, boundaries_of, phase_diagram

    ends = {name: math.radians if name == "angle" else float for name in question.names}
    axes = [
        Axis(name, ends[name](low), ends[name](high), points)
        for name, (low, high) in zip(question.names, (question.x, question.y), strict=True)
    ]
    held: dict[str, Any] = question.held
    data = phase_diagram(
        question.point.magnet,
        *axes,
        **held,
        boundaries=boundaries,
        workers=1,
        progress=lambda done, total: tell("progress", [done, total]),
    )
    shown = {name: np.degrees if name == "angle" else np.asarray for name in question.names}
    x, y = (shown[name](data[name].values) for name in question.names)
    curves = boundaries_of(data) if boundaries else []
    first, second = (shown[name] for name in question.names)
    return {
        "plane": question.plane,
        "x": short(x, 8),
        "y": short(y, 8),
        "pumped": short(data["pumped_entropy_rate"].values.T, 6),
        "bath": short(data["bath_entropy_rate"].values.T, 6),
        "boundaries": [
            {"rate": one.rate, "x": short(first(one.x), 6), "y": short(second(one.y), 6)}
            for one in curves
        ],
        "exact": boundaries,
    }


def distribution(question: Density, tell: Tell) -> dict[str, Any]:
    """Return the density of a functional forward, and backward mirrored: p_F(x) and p_B(-x).

    Parameters
    ----------
    question : Density
    tell : callable
        Is told the forward density as soon as it is known.

    Returns
    -------
    dict
        "x", "forward", "backward", their estimated errors, the mean of the forward process, ΔF,
        and for Σ the largest deviation from p_B(-Σ) e^Σ = p_F(Σ), [I] 4.19.

    Raises
    ------
    ResolutionError
        If a density cannot be resolved.
    """
    from spintherm.fokker_planck import distribution, functional_means

    drive, of = question.drive, question.of
    options: dict[str, Any] = {"of": of, "tolerance": DENSITY_TOLERANCE, "floor": DENSITY_FLOOR}
    progress = [0, 0]

    def watch(half: int) -> Callable[[int, int], None]:
        def report(done: int, total: int) -> None:
            # the total may grow on the way; what was told does not shrink
            progress[half] = max(progress[half], round(500 * done / max(total, 1)))
            tell("progress", [sum(progress), 1000])

        return report

    one = distribution(drive.magnet, drive.protocol, **options, progress=watch(0))
    one = one.isel({of: one["density"].values > DENSITY_FLOOR * float(one["density"].max())})
    x, p = one[of].values, one["density"].values
    means = functional_means(drive.magnet, drive.protocol)
    means["environment_entropy"] = means["pumped_entropy"] - drive.magnet.beta * means["heat"]
    known = {
        "of": of,
        "x": significant(x, 10),
        "forward": significant(p, 10),
        "forward_error": significant(one["error"].values, 3),
        "mean": plain(means[of]),
    }
    tell("part", {**known, "backward": None})
    other = distribution(
        drive.magnet.reversed(),
        drive.protocol.reversed(),
        **options,
        points=-x[::-1],
        progress=watch(1),
    )
    q = other["density"].values[::-1]
    answer = {
        **known,
        "backward": significant(q, 10),
        "backward_error": significant(other["error"].values[::-1], 3),
    }
    if of == "entropy_production":
        answer["largest_deviation"] = plain(np.max(np.abs(q * np.exp(x) / p - 1.0)))
    return answer


def histogram(question: Histogram, tell: Tell) -> dict[str, Any]:
    """Return a sampled histogram, told batch by batch while it grows.

    Batch k has the seed ``seed + k``; the first has `FIRST_BATCH` trajectories, each further one
    twice as many as the one before, up to `LARGEST_BATCH`.

    Parameters
    ----------
    question : Histogram
    tell : callable

    Returns
    -------
    dict
        "counts" in the bins, "trajectories", the "mean" with its "error", and
        "exponential_average" ⟨e^-Σ⟩ with its error.
    """
    from spintherm.trajectories import simulate_statistics

    _compile(tell)
    drive, edges = question.drive, question.edges
    counts = np.zeros(question.bins, dtype=np.int64)
    merged = Merged()
    answer: dict[str, Any] = {}
    for place, size in enumerate(batches(question.trajectories)):
        found = simulate_statistics(
            drive.magnet,
            drive.protocol,
            trajectories=size,
            seed=(question.seed + place) % 2**64,
            bins={question.of: edges},
            threads=1,
            progress=False,
        )
        counts += found[f"{question.of}_counts"].values
        merged.add(size, found, question.of)
        answer = {
            "counts": counts.tolist(),
            "trajectories": merged.number,
            "steps": int(found.attrs["steps"]),
            **merged.numbers(),
        }
        tell("progress", [merged.number, question.trajectories])
        tell("part", answer)
    return answer


_COMPILED = Event()


def _compile(tell: Tell) -> None:
    """Load the kernels, or compile them once after an installation, and say so meanwhile."""
    from spintherm.trajectories import simulate_statistics

    if _COMPILED.is_set():
        return
    tell("compiling", None)
    magnet, protocol = Magnet(1.0, 1.0, 1.0, 1.0), Protocol(1.0, (0.0, 0.0, 1.0))
    simulate_statistics(magnet, protocol, trajectories=2, seed=0, steps=1, bins=2, threads=1)
    _COMPILED.set()
    tell("compiled", None)


def batches(total: int) -> list[int]:
    """Return the sizes of the batches of so many trajectories."""
    sizes, size = [], FIRST_BATCH
    while total > 0:
        sizes.append(min(size, total))
        total -= sizes[-1]
        size = min(2 * size, LARGEST_BATCH)
    return sizes


class Merged:
    """Means of independent batches, merged with the weights of their sizes."""

    def __init__(self) -> None:
        self.number = 0
        self.sums = np.zeros((2, 2))

    def add(self, size: int, found: Any, of: str) -> None:
        """Add a batch of `simulate_statistics`: the mean of `of`, and that of e^-Σ."""
        row, average = found.sel(functional=of), found.isel(exponential=0)
        for k, (value, error) in enumerate(
            (
                (row["mean"], row["mean_error"]),
                (average["exponential_average"], average["exponential_average_error"]),
            )
        ):
            self.sums[k] += size * float(value), (size * float(error)) ** 2
        self.number += size

    def numbers(self) -> dict[str, Any]:
        """Return means and their standard errors by name."""
        mean, square = self.sums.T
        value, error = mean / self.number, np.sqrt(square) / self.number
        return {
            "mean": plain(value[0]),
            "mean_error": plain(error[0]),
            "exponential_average": plain(value[1]),
            "exponential_average_error": plain(error[1]),
        }


def paths(question: Paths, tell: Tell) -> dict[str, Any]:
    """Return sampled trajectories on the sphere, with work, heat and pumped entropy so far.

    Parameters
    ----------
    question : Paths
    tell : callable
        Not used.

    Returns
    -------
    dict
        "times" (frames,), "directions" (trajectories, frames, 3), and "work", "heat" and
        "pumped_entropy" (trajectories, frames); "exact": the same means from the density engine
        at times of its own.
    """
    from spintherm.trajectories import simulate

    _compile(tell)
    drive = question.drive
    times = np.linspace(0.0, drive.duration, question.frames)
    found = simulate(
        drive.magnet,
        drive.protocol,
        trajectories=question.trajectories,
        seed=question.seed,
        initial=question.initial,
        save_at=times,
        threads=1,
        progress=False,
    )
    functionals = {name: short(found[f"running_{name}"].values, 6) for name in FUNCTIONALS}
    return {
        "times": short(times, 8),
        "directions": short(found["moment"].values / drive.magnet.moment, 5),
        **functionals,
        "exact": _steady_means(drive) if question.initial == "steady_state" else _means(drive),
    }


def _steady_means(drive: Drive) -> dict[str, Any]:
    """Return exact means of a steady state, which grow in proportion to the time."""
    from spintherm.fokker_planck import steady_state

    protocol = drive.protocol
    state = steady_state(drive.magnet, protocol.initial_field, protocol.initial_spin_torque)
    ends = np.array([0.0, drive.duration])
    return {
        "times": plain(ends),
        "work": plain(state.work_rate * ends),
        "heat": plain(state.heat_rate * ends),
        "pumped_entropy": plain(state.pumped_entropy_rate * ends),
    }


def _means(drive: Drive) -> dict[str, Any]:
    """Return exact means of a process that starts in equilibrium, so far at each time."""
    found = _evolved(drive, MEANS)
    return {
        "times": short(found["time"].values, 8),
        **{name: short(found[name].values, 6) for name in FUNCTIONALS},
    }


def film(question: Film, tell: Tell) -> dict[str, Any]:
    """Return the density of a process that starts in equilibrium, at equally spaced times.

    Parameters
    ----------
    question : Film
    tell : callable
        Is told how many of the times are done.

    Returns
    -------
    dict
        "times" (frames,); so far at each of them the means "work", "heat" and "pumped_entropy";
        there the rates of `FILM_RATES` and "mean_direction" (frames, 3); "density" as for a steady
        state, its "coefficients" (frames, harmonics). A jump counts as done after its time, at the
        end at it.

    Raises
    ------
    ResolutionError
        If the density cannot be resolved.
    """
    drive = question.drive
    found = _evolved(drive, question.frames, lambda done, total: tell("progress", [done, total]))
    return {
        "times": short(found["time"].values, 8),
        **{name: short(found[name].values, 6) for name in (*FUNCTIONALS, *FILM_RATES)},
        "mean_direction": short(found["mean_moment"].values / drive.magnet.moment, 5),
        "density": {
            "l_max": int(found["degree"].max()),
            "m_max": int(found["order"].max()),
            "frame": plain(found["frame"].values),
            "coefficients": short(found["coefficient"].values, 7),
        },
    }


def _evolved(drive: Drive, frames: int, progress: Any = False) -> Any:
    from spintherm.fokker_planck import evolve

    times = np.linspace(0.0, drive.duration, frames)
    return evolve(
        drive.magnet, drive.protocol, save_at=times, tolerance=FILM_TOLERANCE, progress=progress
    )


def material(question: Material, tell: Tell) -> dict[str, Any]:
    """Return the reduced parameters of a material in SI, and what reduced units are worth.

    Parameters
    ----------
    question : Material
    tell : callable
        Not used.

    Returns
    -------
    dict
        "magnet", "field" and "spin_torque" (strengths), and the scales "energy" (J), "moment"
        (A m²), "time" (s), "induction" (T).

    Raises
    ------
    Refused
        If a text is no quantity of its kind.
    """
    from spintherm.materials import Nanomagnet

    texts = question.texts
    try:
        magnet = Nanomagnet(
            saturation_magnetisation=numeral(texts["saturation_magnetisation"]),
            gilbert_damping=numeral(texts["gilbert_damping"]),
            temperature=numeral(texts["temperature"]),
            volume=numeral(texts["volume"]),
        )
    except (TypeError, ValueError) as problem:
        raise Refused.of(problem) from problem
    try:
        field = magnet.reduced_field_strength(numeral(texts["induction"]))
    except (TypeError, ValueError) as problem:
        raise Refused({"induction": str(problem)}) from problem
    try:
        current = magnet.spin_torque(
            **{
                name: numeral(texts[name])
                for name in ("current_density", "polarisation", "thickness")
            }
        )
    except (TypeError, ValueError) as problem:
        raise Refused.of(problem) from problem
    torque = float(current.reduced(magnet.scales)[2])
    scales = magnet.scales
    return {
        "magnet": {name: plain(value) for name, value in magnet.magnet.to_dict().items()},
        "field": plain(abs(field)),
        "spin_torque": plain(torque),
        "scales": {
            name: plain(getattr(scales, name)) for name in ("energy", "moment", "time", "induction")
        },
    }


def numeral(value: str | float) -> str | float:
    """Return a text that is a plain number as that number, in SI; any other as it is."""
    try:
        return float(value)
    except ValueError:
        return value


def plain(value: Any) -> Any:
    """Return numbers and arrays as plain floats and lists; what is not finite as None."""
    array = np.asarray(value, dtype=float)
    if array.ndim:
        return [plain(item) for item in array]
    number = float(array) + 0.0
    return number if math.isfinite(number) else None


def short(value: Any, digits: int) -> Any:
    """Return an array as lists with so many significant digits of its largest element."""
    array = np.asarray(value, dtype=float)
    largest = float(np.max(np.abs(array), initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return np.nan_to_num(array).tolist()
    places = digits - 1 - math.floor(math.log10(largest))
    return np.round(array, places).tolist()


def significant(values: FloatArray, digits: int) -> list[float]:
    """Return numbers (n,) with so many significant digits each."""
    return [float(f"{value:.{digits}g}") for value in values]
