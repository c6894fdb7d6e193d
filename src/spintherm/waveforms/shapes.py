"""Shapes: waveforms given by a few numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray
from spintherm.waveforms.instants import Times, snapped
from spintherm.waveforms.parameters import keep_number, keep_vectors, outer
from spintherm.waveforms.waveform import Waveform


@dataclass(frozen=True)
class Ramp(Waveform, kind="ramp"):
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

    start: ArrayLike
    stop: ArrayLike
    duration: float
    delay: float = 0.0

    def __post_init__(self) -> None:
        keep_vectors(self, "start", "stop")
        keep_number(self, "duration", positive=True)
        keep_number(self, "delay")

    @property
    def kinks(self) -> Times:
        """The two ends of the change."""
        return (self.delay, self.delay + self.duration)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        fraction = np.clip((t - self.delay) / self.duration, 0.0, 1.0)
        # this form is exact at both ends
        return outer(1.0 - fraction, self.start) + outer(fraction, self.stop)


@dataclass(frozen=True)
class Triangle(Waveform, kind="triangle"):
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

    peak: ArrayLike
    duration: float
    delay: float = 0.0

    def __post_init__(self) -> None:
        keep_vectors(self, "peak")
        keep_number(self, "duration", positive=True)
        keep_number(self, "delay")

    @property
    def kinks(self) -> Times:
        """The beginning, the peak and the end."""
        return (self.delay, self.delay + 0.5 * self.duration, self.delay + self.duration)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        fraction = np.clip((t - self.delay) / self.duration, 0.0, 1.0)
        return outer(1.0 - np.abs(2.0 * fraction - 1.0), self.peak)


@dataclass(frozen=True)
class Pulse(Waveform, kind="pulse"):
    """A constant vector from `start` to `stop`, zero before and after.

    Parameters
    ----------
    amplitude : array_like, shape (3,)
        Value during the pulse; kept as a tuple of floats.
    start, stop : float
        Times of the two jumps, start < stop.
    """

    amplitude: ArrayLike
    start: float
    stop: float

    def __post_init__(self) -> None:
        keep_vectors(self, "amplitude")
        keep_number(self, "start")
        keep_number(self, "stop")
        if self.stop <= self.start:
            raise ValueError(
                validation.complaint("stop", self.stop, f"a time after start={self.start}")
            )

    @property
    def jumps(self) -> Times:
        """Start and stop."""
        return (self.start, self.stop)

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        time = snapped(t, self.jumps)
        if left:
            on = (time > self.start) & (time <= self.stop)
        else:
            on = (time >= self.start) & (time < self.stop)
        return outer(on, self.amplitude)


@dataclass(frozen=True)
class Sine(Waveform, kind="sine"):
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

    amplitude: ArrayLike
    frequency: float
    phase: float = 0.0

    def __post_init__(self) -> None:
        keep_vectors(self, "amplitude")
        keep_number(self, "frequency")
        keep_number(self, "phase")

    def _evaluate(self, t: FloatArray, *, left: bool) -> FloatArray:
        return outer(np.sin(2.0 * np.pi * self.frequency * t + self.phase), self.amplitude)

    def rate(self, duration: float) -> float:
        """Return 2π|f|; see `Waveform.rate`."""
        return 2.0 * np.pi * abs(self.frequency) if np.any(self.amplitude) else 0.0
