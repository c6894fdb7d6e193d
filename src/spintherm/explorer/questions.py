"""What the page can ask: words read from JSON, each field checked, the work of each bounded.

The steady state is asked for by the strengths H >= 0 and P, and the angle θ between them in
degrees; H lies along z and P in the plane of x and z,

    H = H ẑ,    P = P (sin θ x̂ + cos θ ẑ) .

A process is asked for by the knots of its field and its spin torque, between which both are
straight lines; two knots at the same time are a jump.

Units: reduced, k_B = 1; a field is an energy per moment.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray
from spintherm.waveforms import Pulse, Samples, Waveform

MAGNET = ("moment", "gyromagnetic_ratio", "damping", "temperature")
QUANTITIES = ("entropy_production", "work", "heat", "pumped_entropy", "environment_entropy")
SAMPLED = QUANTITIES[:-1]
"""Quantities that the trajectory engine keeps on every path."""

LARGEST_FIELD_RATIO = 5000.0
"""Of βm|H| and βmγ₀|P|/η: the harmonics needed grow with its root."""
LARGEST_PROCESS_RATIO = 60.0
LARGEST_TURNS = 400.0
"""Of the fastest rate of a process times its duration, and of a rate over the diffusion's."""
MOST_KNOTS = 24
MOST_GRID = 81
MOST_PATHS = 64
MOST_FRAMES = 400
MOST_TRAJECTORIES = 1_000_000
MOST_BINS = 400

Word = TypeVar("Word")
_NAME = re.compile(r"[A-Za-z_][\w.\[\]']*(?==)")


class Refused(ValueError):  # noqa: N818 - the word that the page shows
    """A question that is wrong or asks for too much: a text for each field that is to blame."""

    def __init__(self, complaints: Mapping[str, str]) -> None:
        super().__init__("; ".join(complaints.values()))
        self.complaints = dict(complaints)

    @classmethod
    def of(cls, problem: Exception) -> Refused:
        """Return the refusal that an error stands for, under the name it begins with."""
        text = " ".join(str(problem).split())
        found = _NAME.match(text)
        return cls({found.group().removeprefix("magnet.") if found else "": text})


class Checks:
    """Reads fields one by one and collects what is wrong with each."""

    def __init__(self) -> None:
        self.complaints: dict[str, str] = {}

    def read(
        self, name: str, otherwise: Word, make: Callable[..., Word], *given: Any, **options: Any
    ) -> Word:
        """Return what `make` makes of the rest; if that is refused, note why under `name`."""
        try:
            return make(*given, **options)
        except Refused as problem:
            self.complaints.update(problem.complaints)
        except (TypeError, ValueError) as problem:
            self.complaints[name] = " ".join(str(problem).split())
        return otherwise

    def expect(self, holds: bool, name: str, value: object, expected: str) -> None:
        """Note that something else was expected, unless the field has a complaint already."""
        if not holds and name not in self.complaints:
            self.complaints[name] = validation.complaint(name, value, expected)

    def finish(self) -> None:
        """Raise `Refused` if anything was noted."""
        if self.complaints:
            raise Refused(self.complaints)


def magnet_from(data: object) -> Magnet:
    """Return the magnet of four numbers by name, with a bath and without anisotropy.

    Parameters
    ----------
    data : mapping

    Returns
    -------
    Magnet

    Raises
    ------
    Refused
        If a number is missing or out of its range.
    """
    checks = Checks()
    values: dict[str, Any] = {}
    values = checks.read("magnet", values, validation.mapping, "magnet", data, MAGNET)
    checks.finish()
    rules: dict[str, dict[str, bool]] = {name: {"positive": True} for name in MAGNET}
    rules["gyromagnetic_ratio"] = {"nonzero": True}
    for name in MAGNET:
        values[name] = checks.read(
            name, 1.0, validation.finite_scalar, name, values[name], **rules[name]
        )
        within = 1e-6 <= abs(values[name]) <= 1e6
        checks.expect(within, name, values[name], "a size between 1e-6 and 1e6")
    checks.finish()
    return Magnet(**values)


ANY_MAGNET = Magnet(1.0, 1.0, 1.0, 1.0)
"""Stands for a magnet that was refused, until the question is."""


@dataclass(frozen=True)
class Point:
    """A working point of the steady state.

    Attributes
    ----------
    magnet : Magnet
    field, spin_torque : float
        Strengths H >= 0 and P; a negative P is reversed.
    angle : float
        θ in degrees, from 0 to 180.
    """

    magnet: Magnet
    field: float
    spin_torque: float
    angle: float

    @property
    def fields(self) -> FloatArray:
        """H, shape (3,)."""
        return np.array([0.0, 0.0, self.field])

    @property
    def torques(self) -> FloatArray:
        """P, shape (3,); exactly along the field at 0 and 180 degrees."""
        across = 0.0 if self.angle in (0.0, 180.0) else math.sin(math.radians(self.angle))
        return self.spin_torque * np.array([across, 0.0, math.cos(math.radians(self.angle))])

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read {"magnet": {...}, "field", "spin_torque", "angle"}.

        Parameters
        ----------
        data : mapping

        Returns
        -------
        Point

        Raises
        ------
        Refused
            With a text for every field that is wrong, or asks for more than the explorer resolves.
        """
        keys = ("magnet", "field", "spin_torque", "angle")
        values = _mapping(data, keys)
        checks = Checks()
        magnet = checks.read("magnet", ANY_MAGNET, magnet_from, values["magnet"])
        H = _number(checks, "field", values["field"], nonnegative=True)
        P = _number(checks, "spin_torque", values["spin_torque"])
        angle = _number(checks, "angle", values["angle"])
        checks.expect(0.0 <= angle <= 180.0, "angle", angle, "an angle from 0 to 180 degrees")
        if magnet is not ANY_MAGNET:
            _bound(checks, magnet, H, abs(P), LARGEST_FIELD_RATIO)
        checks.finish()
        return cls(magnet, H, P, angle)


def _bound(checks: Checks, magnet: Magnet, H: float, P: float, largest: float) -> None:
    """Refuse fields and torques whose densities would need too many harmonics."""
    scale = magnet.beta * magnet.moment
    ratio = scale * H
    text = f"beta m H at most {largest:g} in the explorer; it is {ratio:.4g}"
    checks.expect(ratio <= largest, "field", H, text)
    pull = scale * abs(magnet.gyromagnetic_ratio) * P / magnet.damping
    text = f"beta m gamma0 P/eta at most {largest:g} in the explorer; it is {pull:.4g}"
    checks.expect(pull <= largest, "spin_torque", P, text)
    turn = abs(magnet.gyromagnetic_ratio) * H / (magnet.damping * magnet.temperature)
    text = f"gamma0 H/(eta T) at most {largest:g} in the explorer; it is {turn:.4g}"
    checks.expect(turn <= largest, "damping", magnet.damping, text)


@dataclass(frozen=True)
class Diagram:
    """A plane of two parameters through the space of working points.

    Attributes
    ----------
    point : Point
        What does not vary.
    plane : str
        One of `PLANES`.
    x, y : tuple of (float, float)
        Ranges; the angle in degrees.
    points : int
        Grid points of each axis.
    """

    point: Point
    plane: str
    x: tuple[float, float]
    y: tuple[float, float]
    points: int

    @property
    def names(self) -> tuple[str, str]:
        """Names of the two parameters."""
        first, second = PLANES[self.plane]
        return first, second

    @property
    def held(self) -> dict[str, float]:
        """What is held besides the magnet: strengths, and the angle in radians."""
        values = {
            "field": self.point.field,
            "spin_torque": abs(self.point.spin_torque),
            "angle": math.radians(self.point.angle),
        }
        return {name: values[name] for name in HELD[self.plane]}

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read {"point": {...}, "plane", "x": [low, high], "y": [low, high], "points"}.

        Parameters
        ----------
        data : mapping

        Returns
        -------
        Diagram

        Raises
        ------
        Refused
            With a text for every field that is wrong or too much.
        """
        values = _mapping(data, ("point", "plane", "x", "y", "points"))
        checks = Checks()
        point = Point.from_dict(values["point"])
        plane = values["plane"]
        names = ", ".join(map(repr, PLANES))
        checks.expect(isinstance(plane, str) and plane in PLANES, "plane", plane, f"one of {names}")
        ranges = [checks.read(name, (0.0, 1.0), _range, name, values[name]) for name in ("x", "y")]
        points = _count(checks, "points", values["points"], MOST_GRID)
        checks.expect(points >= 2, "points", points, "at least 2")
        checks.finish()
        question = cls(point, plane, ranges[0], ranges[1], points)
        question._check_corners()
        return question

    def _check_corners(self) -> None:
        """Refuse what no working point of the corners may be."""
        checks = Checks()
        magnet = self.point.magnet
        known = {"field": self.point.field, "spin_torque": abs(self.point.spin_torque)}
        for name, (low, high) in zip(self.names, (self.x, self.y), strict=True):
            if name == "angle":
                checks.expect(0.0 <= low < high <= 180.0, name, (low, high), "from 0 to 180")
            elif name == "alpha":
                checks.expect(low > 0.0, name, low, "alpha above 0, where the field is infinite")
                known["field"] = magnet.moment * known["spin_torque"] / max(low, 1e-12)
            else:
                checks.expect(low >= 0.0, name, low, "a strength >= 0")
                known[name] = high
        checks.expect(known["spin_torque"] > 0.0, "spin_torque", 0.0, "P above 0 for this diagram")
        _bound(checks, magnet, known["field"], known["spin_torque"], LARGEST_FIELD_RATIO)
        checks.finish()


PLANES = {
    "torque-angle": ("spin_torque", "angle"),
    "field-angle": ("field", "angle"),
    "field-torque": ("field", "spin_torque"),
    "alpha-angle": ("alpha", "angle"),
}
"""Planes of the phase diagram, with their parameters: the last is that of [II] Fig. 3."""
HELD = {
    "torque-angle": ("field",),
    "field-angle": ("spin_torque",),
    "field-torque": ("angle",),
    "alpha-angle": ("spin_torque",),
}


@dataclass(frozen=True)
class Drive:
    """A driven process, H(t) and P(t) straight between knots.

    Attributes
    ----------
    magnet : Magnet
    duration : float
        τ.
    field, spin_torque : tuple of (time, x, y, z)
        Knots with rising times from 0 to τ; two at the same time are a jump.
    """

    magnet: Magnet
    duration: float
    field: tuple[tuple[float, ...], ...]
    spin_torque: tuple[tuple[float, ...], ...]

    @property
    def protocol(self) -> Protocol:
        """The forward process."""
        parts = (waveform(knots, self.duration) for knots in (self.field, self.spin_torque))
        return Protocol(self.duration, *parts)

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read {"magnet": {...}, "duration", "field": [[t, x, y, z], ...], "spin_torque": ...}.

        Parameters
        ----------
        data : mapping

        Returns
        -------
        Drive

        Raises
        ------
        Refused
            With a text for every field that is wrong or too much.
        """
        values = _mapping(data, ("magnet", "duration", "field", "spin_torque"))
        checks = Checks()
        magnet = checks.read("magnet", ANY_MAGNET, magnet_from, values["magnet"])
        tau = _number(checks, "duration", values["duration"], positive=True)
        none: tuple[tuple[float, ...], ...] = ()
        field, torque = (
            checks.read(name, none, _knots, name, values[name], tau or math.inf)
            for name in ("field", "spin_torque")
        )
        checks.finish()
        H, P = _largest(field), _largest(torque)
        _bound(checks, magnet, H, P, LARGEST_PROCESS_RATIO)
        fastest = tau * max(
            abs(magnet.gyromagnetic_ratio) * (H + magnet.moment * P),
            magnet.damping * magnet.temperature,
        )
        text = f"a process of at most {LARGEST_TURNS:g} of its fastest times; it has {fastest:.4g}"
        checks.expect(fastest <= LARGEST_TURNS, "duration", tau, text)
        checks.finish()
        return cls(magnet, tau, field, torque)


NO_DRIVE = Drive(ANY_MAGNET, 1.0, (), ())
"""Stands for a process that was refused, until the question is."""


def waveform(knots: tuple[tuple[float, ...], ...], duration: float) -> Waveform:
    """Return the waveform that is straight between knots and jumps where two share their time.

    It is a continuous one, in which every jump is taken back, and for each jump a pulse that lasts
    beyond the end.

    Parameters
    ----------
    knots : tuple of (time, x, y, z)
        As `Drive` has them.
    duration : float
        τ.

    Returns
    -------
    Waveform
    """
    (times, values), pulses = parts(knots, duration)
    made: Waveform = Samples(times, values)
    for amplitude, start, stop in pulses:
        made = made + Pulse(amplitude, start, stop)
    return made


Parts = tuple[tuple[FloatArray, FloatArray], list[tuple[tuple[float, ...], float, float]]]


def parts(knots: tuple[tuple[float, ...], ...], duration: float) -> Parts:
    """Return samples (times, values) and pulses (amplitude, start, stop) whose sum has the knots.

    Parameters
    ----------
    knots : tuple of (time, x, y, z)
    duration : float

    Returns
    -------
    samples, pulses
    """
    rows = np.array(knots)
    times, values = rows[:, 0], rows[:, 1:]
    jump = np.zeros_like(values)
    same = np.diff(times, prepend=-math.inf) == 0.0
    jump[same] = values[same] - values[np.flatnonzero(same) - 1]
    smooth = values - np.cumsum(jump, axis=0)
    pulses = [
        (tuple(map(float, row)), float(t), 2.0 * duration)
        for t, row in zip(times[same], jump[same], strict=True)
    ]
    return (times[~same], smooth[~same]), pulses


def _largest(knots: tuple[tuple[float, ...], ...]) -> float:
    return max(math.hypot(*row[1:]) for row in knots)


@dataclass(frozen=True)
class Density:
    """The density of a functional of a process, forward and backward."""

    drive: Drive
    of: str

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read {"drive": {...}, "of"}; raise `Refused` as `Drive.from_dict` does."""
        values = _mapping(data, ("drive", "of"))
        return cls(Drive.from_dict(values["drive"]), _one_of("of", values["of"], QUANTITIES))


@dataclass(frozen=True)
class Histogram:
    """A histogram of a functional that grows batch by batch.

    Attributes
    ----------
    drive : Drive
    of : str
        One of `SAMPLED`.
    low, high : float
        Ends of the bins.
    bins, trajectories : int
    seed : int
    """

    drive: Drive
    of: str
    low: float
    high: float
    bins: int
    trajectories: int
    seed: int

    @property
    def edges(self) -> FloatArray:
        """Edges of the bins, shape (bins + 1,)."""
        return np.linspace(self.low, self.high, self.bins + 1)

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read the attributes by name; raise `Refused` with what is wrong or too much."""
        keys = ("drive", "of", "low", "high", "bins", "trajectories", "seed")
        values = _mapping(data, keys)
        checks = Checks()
        drive = checks.read("drive", NO_DRIVE, Drive.from_dict, values["drive"])
        of = checks.read("of", SAMPLED[0], _one_of, "of", values["of"], SAMPLED)
        low, high = (_number(checks, name, values[name]) for name in ("low", "high"))
        checks.expect(low < high, "low", low, f"less than high={high}")
        bins = _count(checks, "bins", values["bins"], MOST_BINS)
        number = _count(checks, "trajectories", values["trajectories"], MOST_TRAJECTORIES)
        seed = checks.read("seed", 0, validation.seed, "seed", values["seed"])
        checks.finish()
        return cls(drive, of, low, high, bins, number, seed)


@dataclass(frozen=True)
class Paths:
    """Sampled trajectories, of a process or of a steady state.

    Attributes
    ----------
    drive : Drive
    initial : str
        "equilibrium" or "steady_state".
    trajectories, frames : int
        How many, and at how many times each is kept.
    seed : int
    """

    drive: Drive
    initial: str
    trajectories: int
    frames: int
    seed: int

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read the attributes by name; raise `Refused` with what is wrong or too much."""
        keys = ("drive", "initial", "trajectories", "frames", "seed")
        values = _mapping(data, keys)
        checks = Checks()
        drive = checks.read("drive", NO_DRIVE, Drive.from_dict, values["drive"])
        allowed = ("equilibrium", "steady_state")
        initial = checks.read("initial", allowed[0], _one_of, "initial", values["initial"], allowed)
        number = _count(checks, "trajectories", values["trajectories"], MOST_PATHS)
        frames = _count(checks, "frames", values["frames"], MOST_FRAMES)
        checks.expect(frames >= 2, "frames", frames, "at least 2")
        seed = checks.read("seed", 0, validation.seed, "seed", values["seed"])
        checks.finish()
        return cls(drive, initial, number, frames, seed)


@dataclass(frozen=True)
class Film:
    """The density of a process at equally spaced times.

    Attributes
    ----------
    drive : Drive
    frames : int
        How many times, the ends included.
    """

    drive: Drive
    frames: int

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read the attributes by name; raise `Refused` with what is wrong or too much."""
        values = _mapping(data, ("drive", "frames"))
        checks = Checks()
        drive = checks.read("drive", NO_DRIVE, Drive.from_dict, values["drive"])
        frames = _count(checks, "frames", values["frames"], MOST_FRAMES)
        checks.expect(frames >= 2, "frames", frames, "at least 2")
        checks.finish()
        return cls(drive, frames)


@dataclass(frozen=True)
class Material:
    """A free layer or particle without anisotropy in SI, in a field and a current.

    Attributes
    ----------
    texts : dict
        "saturation_magnetisation", "gilbert_damping", "temperature", "volume", "induction",
        "current_density", "polarisation", "thickness": numbers in SI or texts with units.
    """

    texts: dict[str, str | float] = field(default_factory=dict)

    KEYS = (
        "saturation_magnetisation",
        "gilbert_damping",
        "temperature",
        "volume",
        "induction",
        "current_density",
        "polarisation",
        "thickness",
    )

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Read the texts by name; raise `Refused` if one is missing or no text or number."""
        values = _mapping(data, cls.KEYS)
        checks = Checks()
        for name, value in values.items():
            plain = isinstance(value, str | int | float) and not isinstance(value, bool)
            checks.expect(
                plain and len(str(value)) <= 60, name, value, "a number or a text with its unit"
            )
        checks.finish()
        return cls(values)


def _mapping(data: object, keys: tuple[str, ...]) -> dict[str, Any]:
    try:
        return validation.mapping("question", data, keys)
    except (TypeError, ValueError) as problem:
        raise Refused({"question": str(problem)}) from problem


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        expected = "one of " + ", ".join(map(repr, allowed))
        raise ValueError(validation.complaint(name, value, expected))
    return value


def _number(checks: Checks, name: str, value: object, **rules: bool) -> float:
    return checks.read(name, 0.0, validation.finite_scalar, name, value, **rules)


def _count(checks: Checks, name: str, value: object, most: int) -> int:
    number = checks.read(name, 1, validation.positive_integer, name, value)
    checks.expect(number <= most, name, number, f"at most {most}")
    return number


def _range(name: str, value: object) -> tuple[float, float]:
    expected = "two rising finite numbers"
    ends = validation.real_array(name, value, expected)  # type: ignore[arg-type]
    if ends.shape != (2,) or not ends[0] < ends[1]:
        raise ValueError(validation.complaint(name, value, expected))
    return float(ends[0]), float(ends[1])


def _knots(name: str, value: object, duration: float) -> tuple[tuple[float, ...], ...]:
    expected = (
        f"2 to {MOST_KNOTS} knots [time, x, y, z] with rising times from 0 to the duration, "
        "two at the same time for a jump"
    )
    if not isinstance(value, list) or not 2 <= len(value) <= MOST_KNOTS:
        raise ValueError(validation.complaint(name, value, expected))
    rows = validation.real_array(name, value, expected)
    if rows.ndim != 2 or rows.shape[1] != 4:
        raise ValueError(validation.complaint(name, value, expected))
    steps = np.diff(rows[:, 0])
    # no three at one time, and not all of them at one
    rising = np.all(steps >= 0.0) and np.all(steps[1:] + steps[:-1] > 0.0) and steps.sum() > 0.0
    if not rising or rows[0, 0] < 0.0 or rows[-1, 0] > duration * (1.0 + 1e-12):
        raise ValueError(validation.complaint(name, value, expected))
    return tuple(tuple(map(float, row)) for row in rows)
