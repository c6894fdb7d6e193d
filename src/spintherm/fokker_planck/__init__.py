"""The density engine: the Fokker-Planck equation solved in real spherical harmonics.

Rule of the folder: exact up to a truncation that is measured and reported; a problem that the
truncation cannot resolve is refused. Nothing here imports the trajectory engine or numba, so that
the two engines are independent witnesses.

Names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spintherm.fokker_planck.batch import steady_rates, steady_states
    from spintherm.fokker_planck.conditional import conditional_average
    from spintherm.fokker_planck.counting import scgf
    from spintherm.fokker_planck.cumulant_series import cumulants
    from spintherm.fokker_planck.diagram import Boundary, boundaries_of, phase_diagram
    from spintherm.fokker_planck.evolution import density, evolve
    from spintherm.fokker_planck.functional_density import distribution
    from spintherm.fokker_planck.generating import generating_function
    from spintherm.fokker_planck.generator import ResolutionError
    from spintherm.fokker_planck.joint import joint_distribution
    from spintherm.fokker_planck.moment_hierarchy import functional_means, moments
    from spintherm.fokker_planck.plane import Axis
    from spintherm.fokker_planck.rate_functions import RateFunction, rate_function
    from spintherm.fokker_planck.steady import SteadyState, steady_state
    from spintherm.fokker_planck.symmetry import detailed_balance_residual, symmetry_residual
    from spintherm.fokker_planck.theorems import detailed_symmetry, joint_symmetry_residual

_HOMES = {
    "ResolutionError": "generator",
    "SteadyState": "steady",
    "steady_state": "steady",
    "steady_states": "batch",
    "steady_rates": "batch",
    "scgf": "counting",
    "cumulants": "cumulant_series",
    "rate_function": "rate_functions",
    "RateFunction": "rate_functions",
    "symmetry_residual": "symmetry",
    "detailed_balance_residual": "symmetry",
    "evolve": "evolution",
    "density": "evolution",
    "generating_function": "generating",
    "moments": "moment_hierarchy",
    "functional_means": "moment_hierarchy",
    "distribution": "functional_density",
    "joint_distribution": "joint",
    "conditional_average": "conditional",
    "detailed_symmetry": "theorems",
    "joint_symmetry_residual": "theorems",
    "phase_diagram": "diagram",
    "boundaries_of": "diagram",
    "Boundary": "diagram",
    "Axis": "plane",
}

__all__ = [
    "Axis",
    "Boundary",
    "RateFunction",
    "ResolutionError",
    "SteadyState",
    "boundaries_of",
    "conditional_average",
    "cumulants",
    "density",
    "detailed_balance_residual",
    "detailed_symmetry",
    "distribution",
    "evolve",
    "functional_means",
    "generating_function",
    "joint_distribution",
    "joint_symmetry_residual",
    "moments",
    "phase_diagram",
    "rate_function",
    "scgf",
    "steady_rates",
    "steady_state",
    "steady_states",
    "symmetry_residual",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"spintherm.fokker_planck.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'spintherm.fokker_planck' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
