"""Closed forms: the steady state of a magnet whose spin torque is parallel to its field.

For P ∥ H the sLLS equation is that of a magnet without torque, with an effective field H' and an
effective gyromagnetic ratio γ₀' ([II] 12, 13). With H = |H| and P the projection of P on H,

    α = mP/H,    δ = ηm/γ₀,    ν = βmH,    ξ = ν (1 + α/δ),    χ = ξ coth ξ - 1

decide everything ([II] 10-18). Rates exist in two forms: of (magnet, field, spin_torque), with
vectors (..., 3), and, with the prefix `reduced_`, of (α, ν, δ, ηT). Both take arrays.

The rule of the folder: a formula with its source, or a quadrature of one, and no approximation that
its name does not tell. Tilted torques have no closed form; only their strong-field noise is here.
The density engine has the rest. Units: k_B = 1; rates are entropies per time.
"""

from spintherm.magnet import langevin, log_sinhc
from spintherm.theory.chi_function import (
    chi,
    chi_over_xi_squared,
    chi_strong,
    chi_weak,
    langevin_slope,
    one_minus_langevin,
    projected_variance,
)
from spintherm.theory.motion import (
    damping_time,
    effective_field,
    effective_gyromagnetic_ratio,
    precession_time,
    zero_temperature_direction,
)
from spintherm.theory.noise import (
    pumped_entropy_noise,
    pumped_entropy_noise_bound,
    pumped_entropy_noise_closure,
    reduced_pumped_entropy_noise,
    reduced_uncertainty_ratio,
    uncertainty_ratio,
)
from spintherm.theory.parameters import ReducedParameters, common_axis, reduced_parameters
from spintherm.theory.phases import phase, phase_of_rates
from spintherm.theory.psi_function import psi, psi_closure, psi_closure_weak, psi_strong, psi_weak
from spintherm.theory.rates import (
    bath_entropy_rate,
    entropy_production_rate,
    pumped_entropy_rate,
    reduced_bath_entropy_rate,
    reduced_entropy_production_rate,
    reduced_pumped_entropy_rate,
)
from spintherm.theory.strong_field import (
    strong_field_entropy_production_rate,
    strong_field_entropy_production_rate_as_printed,
    strong_field_pumped_entropy_noise,
    strong_field_pumped_entropy_rate,
)
from spintherm.validation import unit_direction

__all__ = [
    "ReducedParameters",
    "bath_entropy_rate",
    "chi",
    "chi_over_xi_squared",
    "chi_strong",
    "chi_weak",
    "common_axis",
    "damping_time",
    "effective_field",
    "effective_gyromagnetic_ratio",
    "entropy_production_rate",
    "langevin",
    "langevin_slope",
    "log_sinhc",
    "one_minus_langevin",
    "phase",
    "phase_of_rates",
    "precession_time",
    "projected_variance",
    "psi",
    "psi_closure",
    "psi_closure_weak",
    "psi_strong",
    "psi_weak",
    "pumped_entropy_noise",
    "pumped_entropy_noise_bound",
    "pumped_entropy_noise_closure",
    "pumped_entropy_rate",
    "reduced_bath_entropy_rate",
    "reduced_entropy_production_rate",
    "reduced_parameters",
    "reduced_pumped_entropy_noise",
    "reduced_pumped_entropy_rate",
    "reduced_uncertainty_ratio",
    "strong_field_entropy_production_rate",
    "strong_field_entropy_production_rate_as_printed",
    "strong_field_pumped_entropy_noise",
    "strong_field_pumped_entropy_rate",
    "uncertainty_ratio",
    "unit_direction",
    "zero_temperature_direction",
]
