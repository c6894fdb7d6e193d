"""Waveforms: a vector as a function of time, which knows where it jumps and where it bends.

A waveform is called with times and gives vectors, `waveform(t)`. At a jump it gives the value
after the jump; `waveform.before(t)` gives the value before it. Waveforms are added, subtracted
and scaled with the usual signs; they are frozen, compare by value, and go to and from plain
dictionaries. Times and values are in the units of whoever uses the waveform.

The rule of the folder: a waveform is a frozen dataclass that evaluates itself from the left and
from the right and names its jumps; it knows nothing of magnets.
"""

from spintherm.waveforms.given import Function, Samples, VectorFunction, as_waveform
from spintherm.waveforms.instants import Times, distinct, same_instant
from spintherm.waveforms.shapes import Pulse, Ramp, Sine, Triangle
from spintherm.waveforms.waveform import Constant, Reversed, Scaled, Sum, Waveform

__all__ = [
    "Constant",
    "Function",
    "Pulse",
    "Ramp",
    "Reversed",
    "Samples",
    "Scaled",
    "Sine",
    "Sum",
    "Times",
    "Triangle",
    "VectorFunction",
    "Waveform",
    "as_waveform",
    "distinct",
    "same_instant",
]
