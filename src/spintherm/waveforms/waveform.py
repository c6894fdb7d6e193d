"""The waveform, and what is made of waveforms: sums, multiples, reversals; and the constant.

At a jump a waveform gives the value after it, `waveform.before` the value before it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray
from spintherm.waveforms.instants import Times, distinct, mirrored, snapped
from spintherm.waveforms.parameters import keep_number, keep_vectors


class Waveform(ABC):
    """A vector as a function of time; the concrete kinds are below."""

    kind: ClassVar[str] = ""
    _kinds: ClassVar[dict[str, type[Waveform]]] = {}
    __array_ufunc__ = None  # so that np.float64(2) * waveform comes here

    def __init_subclass__(cls, *, kind: str = "") -> None:
        """Enter the class under its name in dictionaries; without one it has no plain form."""
        super().__init_subclass__()
        cls.kind = kind
        if kind:
            Waveform._kinds[kind] = cls

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
        kind = data.get("kind")
        known = {name: one for name, one in cls._kinds.items() if issubclass(one, cls)}
        if not isinstance(kind, str) or kind not in known:
            allowed = ", ".join(map(repr, known)) or "nothing: it has no plain form"
            raise ValueError(validation.complaint("kind", kind, f"one of {allowed}"))
        items = fields(known[kind])  # type: ignore[arg-type]
        needed = ["kind", *(item.name for item in items if item.default is MISSING)]
        optional = [item.name for item in items if item.default is not MISSING]
        values = validation.mapping(f"waveform of kind {kind!r}", data, needed, optional)
        del values["kind"]
        return known[kind](**{name: _built(value) for name, value in values.items()})


@dataclass(frozen=True)
class Constant(Waveform, kind="constant"):
    """The same vector at all times.

    Parameters
    ----------
    vector : array_like, shape (3,)
        The value; kept as a tuple of floats.
    """

    vector: ArrayLike

    def __post_init__(self) -> None:
        keep_vectors(self, "vector")

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
class Sum(Waveform, kind="sum"):
    """The sum of waveforms; sums inside are taken apart.

    Parameters
    ----------
    parts : sequence of Waveform
        At least one.
    """

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
        return distinct(t for part in self.parts for t in part.jumps)

    @property
    def kinks(self) -> Times:
        """The kinks of all parts."""
        return distinct(t for part in self.parts for t in part.kinks)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        return np.asarray(sum(part._evaluate(t, left=left) for part in self.parts))

    def rate(self, duration: float) -> float:
        """Return the largest of the parts' rates; see `Waveform.rate`."""
        return max(part.rate(duration) for part in self.parts)


@dataclass(frozen=True)
class Scaled(Waveform, kind="scaled"):
    """A waveform times a number; nested factors are merged.

    Parameters
    ----------
    waveform : Waveform
        What is scaled.
    factor : float
        The number.
    """

    waveform: Waveform
    factor: float

    def __post_init__(self) -> None:
        _require_waveform(self.waveform)
        keep_number(self, "factor")
        if isinstance(self.waveform, Scaled):
            object.__setattr__(self, "factor", self.factor * self.waveform.factor)
            object.__setattr__(self, "waveform", self.waveform.waveform)
            keep_number(self, "factor")  # the product may overflow

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
class Reversed(Waveform, kind="reversed"):
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

    waveform: Waveform
    duration: float
    sign: float

    def __post_init__(self) -> None:
        _require_waveform(self.waveform)
        keep_number(self, "duration", positive=True)
        object.__setattr__(self, "sign", _sign(self.sign))

    @property
    def jumps(self) -> Times:
        """The mirror images of the waveform's jumps."""
        return tuple(image for image, *_ in mirrored(self.waveform.jumps, self.duration))

    @property
    def kinks(self) -> Times:
        """The mirror images of the waveform's kinks."""
        return tuple(image for image, *_ in mirrored(self.waveform.kinks, self.duration))

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
        inner = self.duration - t
        marks = mirrored(self.waveform.jumps, self.duration)
        if marks:  # duration - (duration - t) may miss t by rounding: jumps are looked up
            images, latest, earliest = np.array(marks).T
            time = snapped(t, tuple(images))
            place = np.minimum(np.searchsorted(images, time), images.size - 1)
            original = (latest if left else earliest)[place]
            inner = np.where(images[place] == time, original, inner)
        return self.sign * self.waveform._evaluate(inner, left=not left)


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
        return tuple(map(_built, value))
    return value
