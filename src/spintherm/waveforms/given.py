"""Given waveforms: samples, callables, and whatever else stands for a waveform."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray
from spintherm.waveforms.instants import Times, snapped
from spintherm.waveforms.waveform import Constant, Waveform

VectorFunction = Callable[[FloatArray], ArrayLike]


@dataclass(frozen=True, eq=False, repr=False)
class Samples(Waveform, kind="samples"):
    """Straight lines between given vectors, constant before the first and after the last.

    Parameters
    ----------
    times : array_like, shape (n,)
        Strictly increasing, n >= 1; kept as a read-only array.
    vectors : array_like, shape (n, 3)
        The values at these times; kept as a read-only array.
    """

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
        time = snapped(t, self.jumps)
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
