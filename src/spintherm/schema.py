"""The outputs: name, dimensions, unit and meaning of every variable, in one registry.

Units are reduced: k_B = 1, so that entropies are pure numbers and energies have the unit of the
temperature given to `Magnet`; moments have the unit of `Magnet.moment`.
"""

from __future__ import annotations

import json
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
_OF = ("functional",)
_WEIGHT = ("exponential",)
_BINNED = {"work": "energy", "heat": "energy", "pumped_entropy": "k_B", "entropy_production": "k_B"}
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
    "shadow_work": Variable(
        _EACH, "energy", "work in excess of the integral of (m x P) o dm - m.dH along the path"
    ),
    "final_moment": Variable((*_EACH, "component"), "moment", "magnetic moment m at the end"),
    "log_weight": Variable(
        _EACH, "1", "logarithm of the weight of a path sampled under tilted noise"
    ),
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
    "mean": Variable(_OF, "as the functional", "mean"),
    "mean_error": Variable(_OF, "as the functional", "standard error of the mean"),
    "variance": Variable(_OF, "the functional's squared", "variance"),
    "variance_error": Variable(_OF, "the functional's squared", "standard error of the variance"),
    "covariance": Variable(
        (*_OF, "other_functional"), "product of the functionals'", "covariances"
    ),
    "central_moment": Variable((*_OF, "order"), "the functional's to the order", "central moments"),
    "joint_central_moment": Variable(
        ("work_power", "pumped_entropy_power"), "energy^work_power", "central moments of W and S_P"
    ),
    "exponential_average": Variable(_WEIGHT, "1", "average of the exponential"),
    "exponential_average_error": Variable(_WEIGHT, "1", "standard error of that average"),
    "effective_samples": Variable(_WEIGHT, "1", "(sum w)^2 / sum w^2 of the exponentials w"),
    "largest_share": Variable(_WEIGHT, "1", "share of the sum that the largest exponential has"),
    **{
        f"{name}_{part}": Variable((f"{name}_{dim}",), unit, f"histogram of {name}: {meaning}")
        for name, energy in _BINNED.items()
        for part, dim, unit, meaning in (
            ("edges", "edge", energy, "edges of the bins"),
            ("counts", "bin", "1", "trajectories in each bin"),
        )
    },
    **{
        f"{name}_outside": Variable(("side",), "1", f"trajectories outside the bins of {name}")
        for name in _BINNED
    },
    "joint_counts": Variable(
        ("work_bin", "pumped_entropy_bin"), "1", "trajectories in each bin of W and S_P"
    ),
    "joint_outside": Variable((), "1", "trajectories outside the joint bins"),
    "multilevel_mean": Variable(_MEANS, "as the estimate", "mean over the process"),
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


def protocol_text(protocol: Any) -> str:
    """Return the protocol as attributes hold it: JSON, or its repr where a callable has no JSON."""
    try:
        return json.dumps(protocol.to_dict())
    except TypeError:
        return repr(protocol)


def magnet_attributes(magnet: Any) -> dict[str, object]:
    """Return the magnet as attributes hold it: numbers, and JSON for anisotropy and polarisers."""
    return {
        name: value if isinstance(value, float) else json.dumps(value)
        for name, value in magnet.to_dict().items()
    }


def label(name: str, values: Any) -> xarray.Variable:
    """Return values as a labelled variable with the dimensions and attributes of the registry."""
    import xarray

    variable = VARIABLES[name]
    return xarray.Variable(variable.dims, values, attrs=variable.attributes)
