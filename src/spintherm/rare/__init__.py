"""Rare events: tails of work, pumped entropy and entropy production that plain sampling misses.

The rule of the folder: the density engine may tell where to look, never what is found there. A
wrong hint costs precision and shows in the errors; the estimates stay unbiased for the scheme.
Names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spintherm.rare.population import cloning
    from spintherm.rare.reweighting import (
        WeightedEstimate,
        density,
        effective_samples,
        exponential_average,
        tail_probability,
    )
    from spintherm.rare.sampling import importance_sampling
    from spintherm.rare.tilts import tilt_for

_HOMES = {
    "cloning": "population",
    "importance_sampling": "sampling",
    "tilt_for": "tilts",
    "tail_probability": "reweighting",
    "density": "reweighting",
    "exponential_average": "reweighting",
    "effective_samples": "reweighting",
    "WeightedEstimate": "reweighting",
}

__all__ = [
    "WeightedEstimate",
    "cloning",
    "density",
    "effective_samples",
    "exponential_average",
    "importance_sampling",
    "tail_probability",
    "tilt_for",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"spintherm.rare.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'spintherm.rare' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
