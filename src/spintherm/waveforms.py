"""Waveforms: a vector as a function of time, which knows where it jumps and where it bends.

A waveform is called with times and gives vectors, `waveform(t)`. At a jump it gives the value
after the jump; `waveform.before(t)` gives the value before it. A time within four units in the
last place of a jump counts as the jump. Waveforms are added, subtracted and scaled with the usual
signs; they are frozen, compare by value, and go to and from plain dictionaries.

Times and values are in the units of whoever uses the waveform.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray

Times = tuple[float, ...]
VectorFunction = Callable[[FloatArray], ArrayLike]


class Waveform(ABC):
    """A vector as a function of time; the concrete kinds are below."""

    kind: ClassVar[str]
    __array_ufunc__ = None  # so that np.float64(2) * waveform comes here

    @property
    def jumps(self) -> Times:
        """Times at which the value jumps, sorted."""
        return ()

    @property
    def kinks(self) -> Times:
        """Times at which the slope jumps and the value does not, sorted."""
        return ()

    @abstractmethod
    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        """Return the values, shape (n, 3), at times of shape (n,), from the left or the right."""

    def __call__(self, t: ArrayLike) -> FloatArray:
        """Return the value at `t`, at a jump the value after it.

        Parameters
        ----------
        t : array_like, shape (...)
            Times.

        Returns
        -------
        ndarray, shape (..., 3)
            Vectors.
        """
        times = validation.real_array("t", t, "finite times")
        return self._evaluate(times.ravel(), left=False).reshape(*times.shape, 3)

    def before(self, t: ArrayLike) -> FloatArray:
        """Return the limit from the left at `t`.

        Parameters
        ----------
        t : array_like, shape (...)
            Times.

        Returns
        -------
        ndarray, shape (..., 3)
            Vectors; they differ from ``self(t)`` only at jumps.
        """
        times = validation.real_array("t", t, "finite times")
        return self._evaluate(times.ravel(), left=True).reshape(*times.shape, 3)

    def rate(self, duration: float) -> float:
        """Return how fast the waveform varies between its jumps.

        The largest slope from 0 to `duration`, divided by half the diagonal of the box that the
        values fill: 2/duration for a ramp, 2πf for a sine. Estimated on a grid, except where the
        answer is known.

        Parameters
        ----------
        duration : float
            End of the interval.

        Returns
        -------
        float
            A rate, zero for a constant.
        """
        marks = [t for t in (*self.jumps, *self.kinks) if 0.0 < t < duration]
        grid = np.union1d(np.linspace(0.0, duration, 1025), marks)
        grid = grid[np.insert(np.diff(grid) > 1e-12 * duration, 0, True)]
        start, end = self(grid[:-1]), self.before(grid[1:])
        slope = np.linalg.norm(end - start, axis=1) / np.diff(grid)
        # each piece between jumps moves on its own: the parts of the box that jumps make are left
        # out by adding up only what happens inside the pieces
        steps = np.concatenate((np.zeros((1, 3)), np.cumsum(end - start, axis=0)))
        half = 0.5 * float(np.linalg.norm(np.ptp(steps, axis=0)))
        return float(slope.max()) / half if half > 0.0 else 0.0

    def reversed(self, duration: float, sign: float) -> Waveform:
        """Return sign · w(duration - t).

        Parameters
        ----------
        duration : float
            The time that becomes zero.
        sign : float
            +1 or -1.

        Returns
        -------
        Waveform
            Reversing it again with the same arguments gives back this waveform.
        """
        return Reversed(self, duration, sign)

    def __add__(self, other: object) -> Waveform:
        return Sum((self, other)) if isinstance(other, Waveform) else NotImplemented

    def __sub__(self, other: object) -> Waveform:
        return Sum((self, -other)) if isinstance(other, Waveform) else NotImplemented

    def __neg__(self) -> Waveform:
        return -1.0 * self

    def __mul__(self, factor: object) -> Waveform:
        if isinstance(factor, Waveform):
            return NotImplemented
        merged = Scaled(self, validation.finite_scalar("factor", factor))
        return merged.waveform if merged.factor == 1.0 else merged

    def __rmul__(self, factor: object) -> Waveform:
        return self * factor

    def __truediv__(self, divisor: object) -> Waveform:
        return self * (1.0 / validation.finite_scalar("divisor", divisor, nonzero=True))

    def to_dict(self) -> dict[str, Any]:
        """Return the waveform as a plain dictionary.

        Returns
        -------
        dict
            ``{"kind": "ramp", ...}``, of floats, strings, lists and dictionaries.

        Raises
        ------
        TypeError
            If a `Function` is part of it: a callable has no plain form.
        """
        return {"kind": self.kind} | {
            item.name: _plain(getattr(self, item.name))
            for item in fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Build a waveform from `to_dict`'s dictionary.

        Parameters
        ----------
        data : mapping
            With the key "kind" and that kind's parameters.

        Returns
        -------
        Waveform
            Of the class on which the method was called; ``Waveform.from_dict`` takes every kind.

        Raises
        ------
        TypeError
            If `data` is not a mapping, or a parameter has the wrong type.
        ValueError
            If the kind or a key is unknown or missing; the error lists what is allowed.
        """
        if not isinstance(data, Mapping):
            raise TypeError(validation.complaint("waveform", data, "a mapping with the key 'kind'"))
        chosen = KINDS.get(data.get("kind"))  # type: ignore[arg-type]
        if chosen is None or not issubclass(chosen, cls):
            allowed = ", ".join(repr(k) for k, known in KINDS.items() if issubclass(known, cls))
            raise ValueError(
                validation.complaint("kind", data.get("kind"), f"one of {allowed or 'none'}")
            )
        items = fields(chosen)  # type: ignore[arg-type]
        needed = ["kind", *(item.name for item in items if item.default is MISSING)]
        optional = [item.name for item in items if item.default is not MISSING]
        values = validation.mapping(f"waveform of kind {chosen.kind!r}", data, needed, optional)
        del values["kind"]
        return chosen(**{name: _built(value) for name, value in values.items()})


@dataclass(frozen=True)
class Constant(Waveform):
    """The same vector at all times.

    Parameters
    ----------
    vector : array_like, shape (3,)
        The value; kept as a tuple of floats.
    """

    kind = "constant"
    vector: ArrayLike

    def __post_init__(self) -> None:
        _keep_vectors(self, "vector")

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        return np.tile(np.asarray(self.vector, dtype=np.float64), (t.size, 1))

    def __mul__(self, factor: object) -> Waveform:
        if isinstance(factor, Waveform):
            return NotImplemented
        number = validation.finite_scalar("factor", factor)
        return Constant(number * np.asarray(self.vector, dtype=np.float64))

    def rate(self, duration: float) -> float:
        """Return zero."""
        return 0.0

    def reversed(self, duration: float, sign: float) -> Waveform:
        """Return the constant times `sign`; see `Waveform.reversed`."""
        return _sign(sign) * self


@dataclass(frozen=True)
class Ramp(Waveform):
    """A straight line from one vector to another, constant before and after.

    Parameters
    ----------
    start, stop : array_like, shape (3,)
        Values before and after; kept as tuples of floats.
    duration : float
        Time that the change takes, > 0.
    delay : float
        Time at which it begins.
    """

    kind = "ramp"
    start: ArrayLike
    stop: ArrayLike
    duration: float
    delay: float = 0.0

    def __post_init__(self) -> None:
        _keep_vectors(self, "start", "stop")
        _keep_number(self, "duration", positive=True)
        _keep_number(self, "delay")

    @property
    def kinks(self) -> Times:
        """The two ends of the change."""
        return (self.delay, self.delay + self.duration)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        fraction = np.clip((t - self.delay) / self.duration, 0.0, 1.0)
        # this form is exact at both ends
        return _outer(1.0 - fraction, self.start) + _outer(fraction, self.stop)


@dataclass(frozen=True)
class Triangle(Waveform):
    """Up from zero to a peak and down again, in equal times; zero before and after.

    Parameters
    ----------
    peak : array_like, shape (3,)
        Value in the middle; kept as a tuple of floats.
    duration : float
        Time of up and down together, > 0.
    delay : float
        Time at which it begins.

    Notes
    -----
    [I] 4.27b with the second half read as P = 2(τ - t)/τ · P_{τ/2}; as printed it would jump.
    """

    kind = "triangle"
    peak: ArrayLike
    duration: float
    delay: float = 0.0

    def __post_init__(self) -> None:
        _keep_vectors(self, "peak")
        _keep_number(self, "duration", positive=True)
        _keep_number(self, "delay")

    @property
    def kinks(self) -> Times:
        """The beginning, the peak and the end."""
        return (self.delay, self.delay + 0.5 * self.duration, self.delay + self.duration)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        fraction = np.clip((t - self.delay) / self.duration, 0.0, 1.0)
        return _outer(1.0 - np.abs(2.0 * fraction - 1.0), self.peak)


@dataclass(frozen=True)
class Pulse(Waveform):
    """A constant vector from `start` to `stop`, zero before and after.

    Parameters
    ----------
    amplitude : array_like, shape (3,)
        Value during the pulse; kept as a tuple of floats.
    start, stop : float
        Times of the two jumps, start < stop.
    """

    kind = "pulse"
    amplitude: ArrayLike
    start: float
    stop: float

    def __post_init__(self) -> None:
        _keep_vectors(self, "amplitude")
        _keep_number(self, "start")
        _keep_number(self, "stop")
        if self.stop <= self.start:
            raise ValueError(
                validation.complaint("stop", self.stop, f"a time after start={self.start}")
            )

    @property
    def jumps(self) -> Times:
        """Start and stop."""
        return (self.start, self.stop)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        time = _snapped(t, self.jumps)
        if left:
            on = (time > self.start) & (time <= self.stop)
        else:
            on = (time >= self.start) & (time < self.stop)
        return _outer(on, self.amplitude)


@dataclass(frozen=True)
class Sine(Waveform):
    """amplitude · sin(2π · frequency · t + phase).

    Parameters
    ----------
    amplitude : array_like, shape (3,)
        Largest value; kept as a tuple of floats. Two sines in quadrature turn a vector.
    frequency : float
        Periods per time.
    phase : float
        In radians; π/2 makes a cosine.
    """

    kind = "sine"
    amplitude: ArrayLike
    frequency: float
    phase: float = 0.0

    def __post_init__(self) -> None:
        _keep_vectors(self, "amplitude")
        _keep_number(self, "frequency")
        _keep_number(self, "phase")

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        return _outer(np.sin(2.0 * np.pi * self.frequency * t + self.phase), self.amplitude)

    def rate(self, duration: float) -> float:
        """Return 2π|f|; see `Waveform.rate`."""
        return 2.0 * np.pi * abs(self.frequency) if np.any(self.amplitude) else 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Samples(Waveform):
    """Straight lines between given vectors, constant before the first and after the last.

    Parameters
    ----------
    times : array_like, shape (n,)
        Strictly increasing, n >= 1; kept as a read-only array.
    vectors : array_like, shape (n, 3)
        The values at these times; kept as a read-only array.
    """

    kind = "samples"
    times: FloatArray
    vectors: FloatArray

    def __post_init__(self) -> None:
        times = validation.increasing_times("times", self.times) + 0.0
        vectors = validation.vectors("vectors", self.vectors, count=times.size) + 0.0
        for name, array in (("times", times), ("vectors", vectors)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def kinks(self) -> Times:
        """All the times."""
        return tuple(self.times.tolist())

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        return np.column_stack([np.interp(t, self.times, column) for column in self.vectors.T])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Samples):
            return NotImplemented
        return np.array_equal(self.times, other.times) and np.array_equal(
            self.vectors, other.vectors
        )

    def __hash__(self) -> int:
        return hash((self.times.tobytes(), self.vectors.tobytes()))

    def __repr__(self) -> str:
        if self.times.size > 10:
            return f"Samples(<{self.times.size} samples from {self.kinks[0]} to {self.kinks[-1]}>)"
        return f"Samples(times={self.times.tolist()}, vectors={self.vectors.tolist()})"


@dataclass(frozen=True)
class Function(Waveform):
    """Any callable that takes times of shape (n,) and gives vectors of shape (n, 3).

    Parameters
    ----------
    function : callable
        Vectorised. Two of these waveforms are equal if they hold the same callable.
    jumps, kinks : sequence of float
        Where the value and where the slope jump. At a jump the callable is asked just beside it,
        so that it does not matter which side it counts the jump to.
    """

    kind = "function"
    function: VectorFunction
    jumps: Times = ()
    kinks: Times = ()

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(
                validation.complaint("function", self.function, "a callable t (n,) -> (n, 3)")
            )
        for name in ("jumps", "kinks"):
            times = np.asarray(getattr(self, name))
            checked = validation.increasing_times(name, times) if times.size else np.empty(0)
            object.__setattr__(self, name, tuple((checked + 0.0).tolist()))

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        aside = 8.0 * np.spacing(max(map(abs, self.jumps), default=0.0))
        time = _snapped(t, self.jumps)
        at_jump = np.isin(time, self.jumps)
        time = np.where(at_jump, time - aside if left else time + aside, time)
        # the name tells what was asked, in case the answer has the wrong shape
        return validation.vectors(
            f"function(t of shape {t.shape})", self.function(time), count=t.size
        )

    def to_dict(self) -> dict[str, Any]:
        """Refuse: a callable has no plain form."""
        raise TypeError(
            validation.complaint(
                "function",
                self.function,
                "a waveform that can be written down; sample the callable into Samples first",
            )
        )


@dataclass(frozen=True)
class Sum(Waveform):
    """The sum of waveforms; sums inside are taken apart.

    Parameters
    ----------
    parts : sequence of Waveform
        At least one.
    """

    kind = "sum"
    parts: tuple[Waveform, ...]

    def __post_init__(self) -> None:
        parts = tuple(self.parts)
        if not parts or not all(isinstance(part, Waveform) for part in parts):
            raise TypeError(validation.complaint("parts", self.parts, "at least one waveform"))
        flat = [inner for p in parts for inner in (p.parts if isinstance(p, Sum) else (p,))]
        object.__setattr__(self, "parts", tuple(flat))

    @property
    def jumps(self) -> Times:
        """The jumps of all parts."""
        return tuple(sorted({t for part in self.parts for t in part.jumps}))

    @property
    def kinks(self) -> Times:
        """The kinks of all parts."""
        return tuple(sorted({t for part in self.parts for t in part.kinks}))

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        return np.asarray(sum(part._evaluate(t, left=left) for part in self.parts))

    def rate(self, duration: float) -> float:
        """Return the largest of the parts' rates; see `Waveform.rate`."""
        return max(part.rate(duration) for part in self.parts)


@dataclass(frozen=True)
class Scaled(Waveform):
    """A waveform times a number; nested factors are merged.

    Parameters
    ----------
    waveform : Waveform
        What is scaled.
    factor : float
        The number.
    """

    kind = "scaled"
    waveform: Waveform
    factor: float

    def __post_init__(self) -> None:
        _keep_number(self, "factor")
        _require_waveform(self.waveform)
        if isinstance(self.waveform, Scaled):
            object.__setattr__(self, "factor", self.factor * self.waveform.factor)
            object.__setattr__(self, "waveform", self.waveform.waveform)

    @property
    def jumps(self) -> Times:
        """The jumps of the waveform."""
        return self.waveform.jumps

    @property
    def kinks(self) -> Times:
        """The kinks of the waveform."""
        return self.waveform.kinks

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        return self.factor * self.waveform._evaluate(t, left=left)

    def rate(self, duration: float) -> float:
        """Return the rate of what is scaled; see `Waveform.rate`."""
        return self.waveform.rate(duration) if self.factor != 0.0 else 0.0


@dataclass(frozen=True)
class Reversed(Waveform):
    """A waveform backwards in time, sign · w(duration - t).

    Parameters
    ----------
    waveform : Waveform
        What is reversed.
    duration : float
        The time that becomes zero, > 0.
    sign : float
        +1 or -1.
    """

    kind = "reversed"
    waveform: Waveform
    duration: float
    sign: float

    def __post_init__(self) -> None:
        _require_waveform(self.waveform)
        _keep_number(self, "duration", positive=True)
        object.__setattr__(self, "sign", _sign(self.sign))

    @property
    def jumps(self) -> Times:
        """The mirror images of the waveform's jumps."""
        return tuple(sorted(self._images(self.waveform.jumps)))

    @property
    def kinks(self) -> Times:
        """The mirror images of the waveform's kinks."""
        return tuple(sorted(self._images(self.waveform.kinks)))

    def reversed(self, duration: float, sign: float) -> Waveform:
        """Return the waveform inside if this undoes the reversal; see `Waveform.reversed`."""
        undone = duration == self.duration and _sign(sign) == self.sign
        # a constant inside was put there by hand: only wrapping again can be undone exactly
        if undone and not isinstance(self.waveform, Constant):
            return self.waveform
        return Reversed(self, duration, sign)

    def rate(self, duration: float) -> float:
        """Return the waveform's rate over the same interval if the durations agree."""
        return self.waveform.rate(duration) if duration == self.duration else super().rate(duration)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        # duration - (duration - t) may miss t by rounding, so jumps are looked up, not computed
        inner = self.duration - t
        images = self._images(self.waveform.jumps)
        if images:
            marks = np.array(sorted(images))
            originals = np.array([images[mark] for mark in sorted(images)])
            time = _snapped(t, tuple(marks))
            place = np.clip(np.searchsorted(marks, time), 0, marks.size - 1)
            inner = np.where(marks[place] == time, originals[place], inner)
        return self.sign * self.waveform._evaluate(inner, left=not left)

    def _images(self, times: Times) -> dict[float, float]:
        """Return the mirrored times with their originals; what rounds off zero is zero."""
        least = 4.0 * np.spacing(self.duration)
        mirrored = ((self.duration - t, t) for t in times)
        return {0.0 if abs(image) <= least else image: t for image, t in mirrored}


KINDS: dict[str, type[Waveform]] = {
    known.kind: known
    for known in (Constant, Ramp, Triangle, Pulse, Sine, Samples, Sum, Scaled, Reversed)
}


def as_waveform(value: object, name: str = "waveform") -> Waveform:
    """Return `value` as a waveform.

    Parameters
    ----------
    value : Waveform, array_like of shape (3,), callable or None
        A vector becomes a `Constant`, a callable a `Function`, None the zero vector.
    name : str
        Name of the argument, for errors.

    Returns
    -------
    Waveform
        The waveform.

    Raises
    ------
    TypeError, ValueError
        If `value` is none of these.
    """
    if isinstance(value, Waveform):
        return value
    if value is None:
        return Constant((0.0, 0.0, 0.0))
    if callable(value):
        return Function(value)
    try:
        return Constant(validation.vector(name, value))  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        expected = "a waveform, a vector of three finite numbers, a callable or None"
        raise type(error)(validation.complaint(name, value, expected)) from error


def _snapped(t: FloatArray, jumps: Times) -> FloatArray:
    """Return `t` with times within four units in the last place of a jump moved onto it."""
    if not jumps:
        return t
    marks = np.asarray(jumps)
    after = np.searchsorted(marks, t)
    low, high = marks[np.maximum(after - 1, 0)], marks[np.minimum(after, marks.size - 1)]
    nearest = np.where(np.abs(t - low) <= np.abs(high - t), low, high)
    return np.where(np.abs(t - nearest) <= 4.0 * np.spacing(np.abs(nearest)), nearest, t)


def _outer(weights: ArrayLike, vector: ArrayLike) -> FloatArray:
    """Return each weight times the vector, shape (n, 3)."""
    return np.multiply.outer(
        np.asarray(weights, dtype=np.float64), np.asarray(vector, dtype=np.float64)
    )


def _keep_vectors(owner: Waveform, *names: str) -> None:
    """Replace vectors by tuples of floats (without negative zeros), which compare and hash."""
    for name in names:
        array = validation.vector(name, getattr(owner, name)) + 0.0
        object.__setattr__(owner, name, tuple(array.tolist()))


def _keep_number(owner: Waveform, name: str, *, positive: bool = False) -> None:
    value = validation.finite_scalar(name, getattr(owner, name), positive=positive)
    object.__setattr__(owner, name, value + 0.0)


def _require_waveform(value: object) -> None:
    if not isinstance(value, Waveform):
        raise TypeError(validation.complaint("waveform", value, "a waveform"))


def _sign(sign: float) -> float:
    value = validation.finite_scalar("sign", sign)
    if abs(value) != 1.0:
        raise ValueError(validation.complaint("sign", value, "+1 or -1"))
    return value


def _plain(value: object) -> object:
    """Return a parameter as floats, lists and dictionaries."""
    if isinstance(value, Waveform):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _built(value: Any) -> Any:
    """Return a parameter with the waveforms in it built from their dictionaries."""
    if isinstance(value, Mapping):
        return Waveform.from_dict(value)
    if isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        return tuple(as_waveform(_built(item), "parts") for item in value)
    return value
