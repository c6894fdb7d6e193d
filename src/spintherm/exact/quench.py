"""A sudden jump of the field: the work is done at once, and its law is known.

At fixed m a jump from H₀ to H₁ does the work W = -m·(H₁ - H₀) ([I] 3.3a). Before it m is in
equilibrium at H₀, p ~ e^{κ·n} with κ = βmH₀; without torque no work is done afterwards, so that the
law of W does not depend on the duration. Units: k_B = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import theory, validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray
from spintherm.waveforms import Constant, Pulse
from spintherm.waveforms.parameters import keep_vectors


@dataclass(frozen=True)
class FieldQuench:
    """A jump of the field at time 0, from equilibrium, and no spin torque.

    Parameters
    ----------
    magnet : Magnet
        With temperature above zero.
    initial_field, final_field : array_like, shape (3,)
        H₀ and H₁, different; kept as tuples of floats.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """

    magnet: Magnet
    initial_field: ArrayLike
    final_field: ArrayLike

    def __post_init__(self) -> None:
        keep_vectors(self, "initial_field", "final_field")
        if self.initial_field == self.final_field:
            expected = "a vector other than initial_field"
            raise ValueError(validation.complaint("final_field", self.final_field, expected))
        if self.magnet.temperature == 0.0:
            raise ValueError(validation.complaint("temperature", 0.0, "a number > 0"))

    def protocol(self, duration: float) -> Protocol:
        """Return the protocol: H₀ before time 0, H₁ from then on.

        Parameters
        ----------
        duration : float
            τ > 0.

        Returns
        -------
        Protocol
        """
        before = Pulse(-self.jump, -1.0, 0.0)
        return Protocol(duration, Constant(self.final_field) + before)

    @property
    def backward(self) -> FieldQuench:
        """The backward process' work, that of the quench from -H₁ to -H₀.

        The backward process waits at -H₁ and jumps at its end; waiting in equilibrium does no work.
        """
        minus = -np.asarray(self.final_field), -np.asarray(self.initial_field)
        return FieldQuench(self.magnet, *minus)

    @property
    def jump(self) -> FloatArray:
        """H₁ - H₀, shape (3,)."""
        return np.subtract(self.final_field, self.initial_field)

    @property
    def work_range(self) -> tuple[float, float]:
        """Least and greatest work, ∓m|H₁ - H₀|."""
        largest = self.magnet.moment * float(np.linalg.norm(self.jump))
        return -largest, largest

    @property
    def free_energy_change(self) -> float:
        """ΔF = F(H₁) - F(H₀)."""
        change = self._log_partition(self.initial_field) - self._log_partition(self.final_field)
        return self.magnet.temperature * float(change)

    @property
    def mean_work(self) -> float:
        """⟨W⟩ = -⟨m⟩·(H₁ - H₀), with ⟨m⟩ at H₀."""
        return -float(self.magnet.mean_equilibrium_moment(self.initial_field) @ self.jump)

    @property
    def work_variance(self) -> float:
        """Var W = m²[L'(ν) |ΔH along H₀|² + (χ/ν²) |ΔH across|²], ν = βm|H₀|."""
        along, across = self._components
        nu = self._concentration
        parts = theory.langevin_slope(nu) * along**2 + theory.chi_over_xi_squared(nu) * across**2
        return self.magnet.moment**2 * float(parts)

    @property
    def mean_entropy_production(self) -> float:
        """⟨Σ⟩ = β(⟨W⟩ - ΔF), the relative entropy of equilibrium at H₀ to that at H₁."""
        return (self.mean_work - self.free_energy_change) / self.magnet.temperature

    @property
    def mean_heat_after_relaxation(self) -> float:
        """⟨Q⟩ once equilibrium at H₁ is reached, -⟨m⟩₁·H₁ + ⟨m⟩₀·H₁."""
        mean = self.magnet.mean_equilibrium_moment
        change = mean(self.final_field) - mean(self.initial_field)
        return -float(change @ np.asarray(self.final_field))

    def generating_function(self, exponent: ArrayLike) -> FloatArray:
        """Return ⟨e^{kβW}⟩ = Z(κ - kβm ΔH)/Z(κ), Z(κ) = sinh|κ|/|κ|.

        Derivation: kβW = -kβm ΔH·n only shifts the exponent κ·n of the density. At k = -1 the
        shifted field is H₁, which is Jarzynski's equality.

        Parameters
        ----------
        exponent : array_like, shape (...)
            k, real.

        Returns
        -------
        ndarray, shape (...)
        """
        k = validation.real_array("exponent", exponent)[..., None]
        shifted = np.asarray(self.initial_field) - k * self.jump
        return np.exp(self._log_partition(shifted) - self._log_partition(self.initial_field))

    def work_density(self, work: ArrayLike) -> FloatArray:
        """Return the probability density of the work.

        Derivation: W = -m|ΔH| s with s = n·e, e along ΔH. Of κ·n the part across e averages over
        the azimuth to a Bessel function, p(s) = κ/(2 sinh κ) e^{κ·e s} I₀(|κ×e| √(1 - s²)).

        Parameters
        ----------
        work : array_like, shape (...)
            Values of W.

        Returns
        -------
        ndarray, shape (...)
            Zero outside `work_range`.
        """
        from scipy.special import i0e

        W, largest = validation.real_array("work", work), self.work_range[1]
        s = -W / largest
        kappa, unit = self._concentration, self.jump / np.linalg.norm(self.jump)
        vector = np.asarray(self.initial_field) * self.magnet.moment / self.magnet.temperature
        along, across = float(vector @ unit), float(np.linalg.norm(np.cross(vector, unit)))
        bessel = across * np.sqrt(np.clip((1.0 - s) * (1.0 + s), 0.0, None))
        norm = kappa / -np.expm1(-2.0 * kappa) if kappa > 0.0 else 0.5
        inside = np.abs(s) <= 1.0
        exponent = np.where(inside, along * s + bessel - kappa, 0.0)
        return np.where(inside, norm * np.exp(exponent) * i0e(bessel) / largest, 0.0)

    def entropy_production_density(self, entropy_production: ArrayLike) -> FloatArray:
        """Return the probability density of Σ = β(W - ΔF).

        Parameters
        ----------
        entropy_production : array_like, shape (...)

        Returns
        -------
        ndarray, shape (...)
        """
        sigma = validation.real_array("entropy_production", entropy_production)
        T = self.magnet.temperature
        return np.asarray(T * self.work_density(T * sigma + self.free_energy_change))

    @property
    def _concentration(self) -> float:
        size = float(np.linalg.norm(np.asarray(self.initial_field)))
        return self.magnet.moment * size / self.magnet.temperature

    @property
    def _components(self) -> tuple[float, float]:
        """Sizes of ΔH along and across H₀; any axis serves at H₀ = 0, where the weights agree."""
        axis, _, _ = theory.common_axis(self.initial_field, (0.0, 0.0, 0.0))
        along = float(self.jump @ axis)
        return along, float(np.linalg.norm(np.cross(self.jump, axis)))

    def _log_partition(self, field: ArrayLike) -> FloatArray:
        nu = np.linalg.norm(np.asarray(field), axis=-1) * self.magnet.moment
        return theory.log_sinhc(nu / self.magnet.temperature)
