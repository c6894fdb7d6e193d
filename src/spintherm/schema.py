"""The outputs: name, dimensions, unit and meaning of every variable, in one registry.

Units are reduced: k_B = 1, so that entropies are pure numbers and energies have the unit of the
temperature given to `Magnet`; moments have the unit of `Magnet.moment`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray

FUNCTIONALS = ("work", "heat", "pumped_entropy", "energy_change", "entropy_production")


@dataclass(frozen=True)
class Variable:
    """One output: its dimensions, unit and meaning."""

    dims: tuple[str, ...]
    unit: str
    meaning: str

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of the labelled array."""
        return {"units": self.unit, "long_name": self.meaning}


_EACH = ("trajectory",)
_SAVED = ("trajectory", "time")
_MEANS = ("estimate",)
_LEVELS = ("level",)
VARIABLES = {
    "work": Variable(_EACH, "energy", "work W done on the magnet, [I] 3.3a"),
    "heat": Variable(_EACH, "energy", "heat Q absorbed from the bath, [I] 3.3b"),
    "pumped_entropy": Variable(_EACH, "k_B", "entropy S_P pumped into the spin current, [I] 3.9"),
    "energy_change": Variable(_EACH, "energy", "change of the energy -m.H, [I] 4.7"),
    "entropy_production": Variable(
        _EACH, "k_B", "stochastic entropy production beta (W - dF) + S_P, [I] 4.18"
    ),
    "final_moment": Variable((*_EACH, "component"), "moment", "magnetic moment m at the end"),
    "free_energy_change": Variable((), "energy", "F(H_tau) - F(H_0), [I] 4.14"),
    "step_bias": Variable(
        ("estimate",), "as the estimate", "bias of the mean due to the finite time step"
    ),
    "step_bias_error": Variable(
        ("estimate",), "as the estimate", "standard error of the step bias"
    ),
    "moment": Variable((*_SAVED, "component"), "moment", "magnetic moment m at the saved times"),
    "running_work": Variable(_SAVED, "energy", "work done up to the saved time"),
    "running_heat": Variable(_SAVED, "energy", "heat absorbed up to the saved time"),
    "running_pumped_entropy": Variable(_SAVED, "k_B", "entropy pumped up to the saved time"),
    "running_energy_change": Variable(_SAVED, "energy", "energy change up to the saved time"),
    "mean": Variable(_MEANS, "as the estimate", "mean over the process"),
    "standard_error": Variable(_MEANS, "as the estimate", "standard error of the mean"),
    "bias": Variable(_MEANS, "as the estimate", "bias of the mean due to the finite time step"),
    "bias_error": Variable(_MEANS, "as the estimate", "standard error of the bias"),
    "level_steps": Variable(_LEVELS, "1", "time steps of the level"),
    "level_samples": Variable(_LEVELS, "1", "samples of the level"),
    "level_cost": Variable(_LEVELS, "steps", "cost of one sample in steps of one trajectory"),
    "level_mean": Variable((*_LEVELS, *_MEANS), "as the estimate", "mean of the level's term"),
    "level_variance": Variable(
        (*_LEVELS, *_MEANS), "square of the estimate's", "variance of one sample of the level"
    ),
    "cost": Variable((), "steps", "cost of all samples in steps of one trajectory"),
    "plain_cost": Variable((), "steps", "cost of plain Monte Carlo to the same error"),
    "gain": Variable((), "1", "cost of plain Monte Carlo over the cost"),
}


def label(name: str, values: Any) -> xarray.Variable:
    """Return values as a labelled variable with the dimensions and attributes of the registry."""
    import xarray

    variable = VARIABLES[name]
    return xarray.Variable(variable.dims, values, attrs=variable.attributes)
