"""Switching: how a magnet gets from one state to another, how long it takes and what it costs.

The rule of the folder: it asks the engines and the exact systems, and adds no dynamics of its own.
"""

from spintherm.switching.erasure import write_cost
from spintherm.switching.hysteresis import hysteresis_loop
from spintherm.switching.passage import dwell_times, switching_time_distribution
from spintherm.switching.states import state_diagram
from spintherm.switching.writing import write_error_rate

__all__ = [
    "dwell_times",
    "hysteresis_loop",
    "state_diagram",
    "switching_time_distribution",
    "write_cost",
    "write_error_rate",
]
