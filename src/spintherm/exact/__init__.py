"""Exactly solvable systems: each carries its magnet and its fields, and knows the answers.

They are for tests, of this package and of others, and for whoever wants to see a number that does
not come from a simulation. Each system is a frozen dataclass, with `protocol(duration)` for the
engines and the derivation of what it claims in its docstrings.

The rule of the folder: nothing here is sampled or integrated in time, and nothing is shared with
the engines but the words of the physics. Units: k_B = 1.
"""

from spintherm.exact.axial import AxialMagnet
from spintherm.exact.collinear import CollinearSteadyState
from spintherm.exact.diffusion import FreeDiffusion, IsotropicWalk
from spintherm.exact.equilibrium import EquilibriumMagnet
from spintherm.exact.quench import FieldQuench
from spintherm.exact.spectrum import integrated_correlation, relaxation_rate, relaxation_rates
from spintherm.exact.undamped import UndampedTorque
from spintherm.exact.zero_temperature import ZeroTemperature

__all__ = [
    "AxialMagnet",
    "CollinearSteadyState",
    "EquilibriumMagnet",
    "FieldQuench",
    "FreeDiffusion",
    "IsotropicWalk",
    "UndampedTorque",
    "ZeroTemperature",
    "integrated_correlation",
    "relaxation_rate",
    "relaxation_rates",
]
