"""The magnet in equilibrium in a constant field: p ~ e^{βm·H}, [I] 2.4.

Units: k_B = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import theory
from spintherm.exact.collinear import CollinearSteadyState
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray
from spintherm.waveforms.parameters import keep_vectors


@dataclass(frozen=True)
class EquilibriumMagnet:
    """A magnet in a constant field and no spin torque.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field : array_like, shape (3,)
        H, also zero; kept as a tuple of floats.
    """

    magnet: Magnet
    field: ArrayLike

    def __post_init__(self) -> None:
        keep_vectors(self, "field")
        _ = self.steady_state

    def protocol(self, duration: float) -> Protocol:
        """Return the constant protocol.

        Parameters
        ----------
        duration : float
            τ > 0.

        Returns
        -------
        Protocol
        """
        return Protocol(duration, self.field)

    @property
    def steady_state(self) -> CollinearSteadyState:
        """The same state as a steady state without torque: densities, correlations."""
        return CollinearSteadyState(self.magnet, self.field, (0.0, 0.0, 0.0))

    @property
    def nu(self) -> float:
        """ν = βm|H|."""
        return self.steady_state.xi

    def density(self, direction: ArrayLike) -> FloatArray:
        """Return the density of the direction per solid angle, [I] 2.4.

        Parameters
        ----------
        direction : array_like, shape (..., 3)

        Returns
        -------
        ndarray, shape (...)
        """
        return self.magnet.equilibrium_density(direction, self.field)

    @property
    def mean_moment(self) -> FloatArray:
        """⟨m⟩ = m L(ν) along the field, shape (3,)."""
        return self.steady_state.mean_moment

    @property
    def second_moment(self) -> FloatArray:
        """⟨m m⟩, shape (3, 3)."""
        return self.steady_state.second_moment

    @property
    def susceptibility(self) -> FloatArray:
        """∂⟨m⟩/∂H = β(⟨m m⟩ - ⟨m⟩⟨m⟩), shape (3, 3): βm² χ/ν² across and βm² L'(ν) along."""
        axis, scale = self.steady_state.axis, self.magnet.beta * self.magnet.moment**2
        across, along = theory.chi_over_xi_squared(self.nu), theory.langevin_slope(self.nu)
        return np.asarray(scale * (across * np.eye(3) + (along - across) * np.outer(axis, axis)))

    @property
    def mean_energy(self) -> float:
        """⟨-m·H⟩ = -T χ(ν)."""
        return -self.magnet.temperature * float(theory.chi(self.nu))

    @property
    def energy_variance(self) -> float:
        """Variance of -m·H, T² ν² L'(ν); the heat capacity is this over T²."""
        return self.magnet.temperature**2 * float(theory.projected_variance(self.nu))

    @property
    def free_energy(self) -> float:
        """F = -T ln[4π sinh(ν)/ν], [I] 2.3b up to its factor m²."""
        return -self.magnet.temperature * float(np.log(4.0 * np.pi) + theory.log_sinhc(self.nu))

    @property
    def entropy(self) -> float:
        """-⟨ln p⟩ per solid angle, ln(4π) at zero field."""
        return (self.mean_energy - self.free_energy) / self.magnet.temperature

    def relaxation_rates(self, *, order: int = 0, count: int = 1) -> FloatArray:
        """Return real parts of the relaxation spectrum; the imaginary ones are order·γ₀|H|.

        Parameters
        ----------
        order : int
            Azimuthal number; 0 relaxes the component along the field, 1 the transverse ones.
        count : int
            How many.

        Returns
        -------
        ndarray, shape (count,)
            Per time.
        """
        return self.steady_state.relaxation_rates(order=order, count=count)
