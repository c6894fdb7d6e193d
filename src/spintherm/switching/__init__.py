"""Switching: how a magnet gets from one state to another, how long it takes and what it costs.

States without noise (`state_diagram`), lifetimes and dwell times over a barrier (`lifetimes`),
write-error rates of pulses (`write_error_rates`), heat and entropy of a write, hysteresis loops
(`hysteresis_loop`).

The rule of the folder: it asks the engines and the exact systems, and adds no dynamics of its own.
"""

from spintherm.switching.states import state_diagram

__all__ = ["state_diagram"]
