"""Copy as Python: a script that computes what the page shows, with the public API alone.

It makes the same calls with the same arguments as `answers` and prints the numbers, one
``name = value`` a line, so that they agree to the last digit that the page was sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from spintherm.explorer import answers
from spintherm.explorer.bench import KINDS
from spintherm.explorer.questions import (
    Density,
    Diagram,
    Drive,
    Film,
    Histogram,
    Paths,
    Point,
    Refused,
    parts,
)
from spintherm.magnet import Magnet
from spintherm.validation import complaint


def script(question: object) -> str:
    """Return a script for {"kind": ..., "question": ...}.

    Parameters
    ----------
    question : mapping
        Kind and question as for the addresses of the same names; "material" has no script.

    Returns
    -------
    str
        Python.

    Raises
    ------
    Refused
        If the kind is unknown, or the question is refused.
    """
    if not isinstance(question, dict) or set(question) != {"kind", "question"}:
        raise Refused({"question": "expected the keys 'kind' and 'question'"})
    kind = question["kind"]
    if not isinstance(kind, str) or kind not in _WRITERS:
        expected = "one of " + ", ".join(map(repr, _WRITERS))
        raise Refused({"kind": complaint("kind", kind, expected)})
    return _WRITERS[kind](KINDS[kind].from_dict(question["question"]))


def _steady(point: Point) -> str:
    return f'''"""Steady state at constant field and spin torque; reduced units, k_B = 1."""

from spintherm import Magnet, steady_state

{_magnet(point.magnet)}
field = {_vector(point.fields)}
spin_torque = {_vector(point.torques)}  # {point.angle!r} degrees from the field

state = steady_state(magnet, field, spin_torque)

print("phase =", state.phase)
print("mean_moment =", state.mean_moment.tolist())
for name in (
{_lines(answers.NUMBERS)}
):
    print(name, "=", float(getattr(state, name)))
'''


def _diagram(diagram: Diagram) -> str:
    axes = ", ".join(
        _axis(name, ends, diagram.points)
        for name, ends in zip(diagram.names, (diagram.x, diagram.y), strict=True)
    )
    held = ", ".join(f"{name}={value!r}" for name, value in diagram.held.items())
    return f'''"""Phase diagram with its exact boundaries; angles in radians, reduced units."""

import math

from spintherm import Magnet, phase_diagram
from spintherm.fokker_planck import Axis, boundaries_of

{_magnet(diagram.point.magnet)}
x, y = {axes}
diagram = phase_diagram(magnet, x, y, {held})

print(diagram)
for boundary in boundaries_of(diagram):
    print(boundary.rate, "= 0 from", (float(boundary.x[0]), float(boundary.y[0])),
          "to", (float(boundary.x[-1]), float(boundary.y[-1])))
'''


def _axis(name: str, ends: tuple[float, float], points: int) -> str:
    low, high = (f"math.radians({end!r})" if name == "angle" else repr(end) for end in ends)
    return f'Axis("{name}", {low}, {high}, {points})'


def _density(density: Density) -> str:
    options = (
        f'of="{density.of}", tolerance={answers.DENSITY_TOLERANCE!r}, '
        f"floor={answers.DENSITY_FLOOR!r}"
    )
    theorem = ""
    if density.of == "entropy_production":
        theorem = """
# the fluctuation theorem p_B(-x) exp(x) = p_F(x), [I] 4.19
print("largest_deviation =", float(np.max(np.abs(q * np.exp(x) / p - 1.0))))
"""
    return f'''"""Exact density of a functional, forward p_F(x) and backward p_B(-x)."""

import numpy as np

{_imports(density.drive, "distribution")}

{_drive(density.drive)}
options = dict({options})
forward = distribution(magnet, protocol, **options)
x, p = forward["{density.of}"].values, forward["density"].values
known = p > options["floor"] * p.max()
x, p = x[known], p[known]
backward = distribution(magnet.reversed(), protocol.reversed(), points=-x[::-1], **options)
q = backward["density"].values[::-1]

print("mean =", float(np.trapezoid(x * p, x)))
for k in range(0, len(x), 25):
    print(f"x = {{x[k]:.6f}}  p_F(x) = {{p[k]:.9g}}  p_B(-x) = {{q[k]:.9g}}")
{theorem}'''


def _histogram(histogram: Histogram) -> str:
    sizes = answers.batches(histogram.trajectories)
    return f'''"""Histogram of a functional, sampled in batches with seeds of their own."""

import numpy as np

{_imports(histogram.drive, "simulate_statistics")}

{_drive(histogram.drive)}
edges = np.linspace({histogram.low!r}, {histogram.high!r}, {histogram.bins + 1})
sizes = {sizes}

counts, total = np.zeros({histogram.bins}, dtype=int), 0.0
for place, size in enumerate(sizes):
    found = simulate_statistics(
        magnet,
        protocol,
        trajectories=size,
        seed=({histogram.seed} + place) % 2**64,
        bins={{"{histogram.of}": edges}},
    )
    counts += found["{histogram.of}_counts"].values
    total += size * float(found["mean"].sel(functional="{histogram.of}"))

print("mean =", total / sum(sizes))
print("counts =", counts.tolist())
'''


def _paths(paths: Paths) -> str:
    return f'''"""Trajectories on the sphere with their work, heat and pumped entropy."""

import numpy as np

{_imports(paths.drive, "simulate")}

{_drive(paths.drive)}
ensemble = simulate(
    magnet,
    protocol,
    trajectories={paths.trajectories},
    seed={paths.seed},
    initial="{paths.initial}",
    save_at=np.linspace(0.0, {paths.drive.duration!r}, {paths.frames}),
)

for name in ("work", "heat", "pumped_entropy"):
    print(name, "=", ensemble[f"running_{{name}}"].values[:, -1].tolist())
print("final_direction =", (ensemble["moment"].values[:, -1] / magnet.moment).tolist())
'''


def _film(film: Film) -> str:
    return f'''"""Density of a driven process in time, its means and its rates; from equilibrium."""

import numpy as np

{_imports(film.drive, "evolve")}

{_drive(film.drive)}
times = np.linspace(0.0, {film.drive.duration!r}, {film.frames})
film = evolve(magnet, protocol, save_at=times, tolerance={answers.FILM_TOLERANCE!r})

for name in (
{_lines((*answers.FUNCTIONALS, *answers.FILM_RATES))}
):
    print(name, "=", film[name].values.tolist())
print("mean_direction =", (film["mean_moment"].values / magnet.moment).tolist())
'''


_WRITERS: dict[str, Callable[[Any], str]] = {
    "steady": _steady,
    "diagram": _diagram,
    "distribution": _density,
    "histogram": _histogram,
    "paths": _paths,
    "film": _film,
}


def _magnet(magnet: Magnet) -> str:
    values = ", ".join(f"{name}={value!r}" for name, value in magnet.to_dict().items())
    return f"magnet = Magnet({values})"


def _drive(drive: Drive) -> str:
    return f"""{_magnet(drive.magnet)}
protocol = Protocol(
    {drive.duration!r},
    {_waveform(drive.field, drive.duration)},
    {_waveform(drive.spin_torque, drive.duration)},
)
"""


def _imports(drive: Drive, verb: str) -> str:
    jumps = any(parts(knots, drive.duration)[1] for knots in (drive.field, drive.spin_torque))
    names = ["Magnet", "Protocol", *(["Pulse"] if jumps else []), "Samples", verb]
    return f"from spintherm import {', '.join(names)}"


def _waveform(knots: tuple[tuple[float, ...], ...], duration: float) -> str:
    (times, values), pulses = parts(knots, duration)
    samples = f"Samples({times.tolist()}, {values.tolist()})"
    return " + ".join([samples, *(f"Pulse({a}, {start!r}, {stop!r})" for a, start, stop in pulses)])


def _vector(values: Any) -> str:
    return repr(tuple(values.tolist()))


def _lines(names: tuple[str, ...]) -> str:
    return "\n".join(f'    "{name}",' for name in names)
