"""The steady state with the spin torque parallel to the field, to the last cumulant.

dm obeys the equation of a magnet without torque in the effective field H' ([II] 12), so that the
density is ~ e^{βm·H'} ([II] 14) and the rates are closed forms ([II] 16). Correlations and cumulant
generating functions follow from the self-adjoint band problem of `spintherm.exact.spectrum`.
Units: k_B = 1; rates per time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import theory, validation
from spintherm.exact.spectrum import (
    cosine_modes,
    integrated_correlation,
    lowest_eigenvalues,
    relaxation_rates,
)
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray
from spintherm.waveforms.parameters import keep_vectors


@dataclass(frozen=True)
class CollinearSteadyState:
    """A magnet in constant collinear field and spin torque, in its steady state.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (3,)
        H and P, each along the other or zero; kept as tuples of floats.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or H and P are not collinear.
    """

    magnet: Magnet
    field: ArrayLike
    spin_torque: ArrayLike

    def __post_init__(self) -> None:
        keep_vectors(self, "field", "spin_torque")
        _ = self.parameters

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
        return Protocol(duration, self.field, self.spin_torque)

    @property
    def parameters(self) -> theory.ReducedParameters:
        """α, δ, ν, ξ and the common axis."""
        return theory.reduced_parameters(self.magnet, self.field, self.spin_torque)

    @property
    def xi(self) -> float:
        """ξ = βmH' along the axis."""
        return float(self.parameters.xi)

    @property
    def axis(self) -> FloatArray:
        """Common unit vector, shape (3,)."""
        return self.parameters.axis

    @property
    def effective_field(self) -> FloatArray:
        """H' = H + (γ₀/η) P, shape (3,), [II] 13."""
        return theory.effective_field(self.magnet, self.field, self.spin_torque)

    def density(self, direction: ArrayLike) -> FloatArray:
        """Return the stationary density of the direction per solid angle, [II] 14.

        Parameters
        ----------
        direction : array_like, shape (..., 3)

        Returns
        -------
        ndarray, shape (...)
        """
        return self.magnet.equilibrium_density(direction, self.effective_field)

    @property
    def mean_moment(self) -> FloatArray:
        """⟨m⟩ = m L(ξ) along the axis, shape (3,), [II] SI 25."""
        return np.asarray(self.magnet.moment * theory.langevin(self.xi) * self.axis)

    @property
    def second_moment(self) -> FloatArray:
        """⟨m m⟩, shape (3, 3): m² χ/ξ² for each transverse component, the rest of m² along."""
        return _second_moment(self.magnet.moment, self.xi, self.axis)

    @property
    def pumped_entropy_rate(self) -> float:
        """Ṡ_P, [II] 16a."""
        return float(theory.pumped_entropy_rate(*self._physics))

    @property
    def bath_entropy_rate(self) -> float:
        """Ṡ_B, [II] 16c."""
        return float(theory.bath_entropy_rate(*self._physics))

    @property
    def entropy_production_rate(self) -> float:
        """Σ, [II] 16b."""
        return float(theory.entropy_production_rate(*self._physics))

    @property
    def heat_rate(self) -> float:
        """⟨d̄Q⟩/dt = -T Ṡ_B, [II] 6: heat absorbed from the bath."""
        return -self.magnet.temperature * self.bath_entropy_rate

    @property
    def work_rate(self) -> float:
        """⟨d̄W⟩/dt = T Ṡ_B: in the steady state it balances the heat."""
        return self.magnet.temperature * self.bath_entropy_rate

    @property
    def pumped_entropy_noise(self) -> float:
        """Δ_P = lim Var S_P/τ, [II] 9, exact."""
        return float(theory.pumped_entropy_noise(*self._physics))

    @property
    def uncertainty_ratio(self) -> float:
        """Δ_P Σ/(2 Ṡ_P²)."""
        return float(theory.uncertainty_ratio(*self._physics))

    @property
    def phase(self) -> str:
        """One of "refrigerator", "heat pump", "dud", "equilibrium".

        Rates within rounding of zero count as zero, so that α = -δ and α = 1/δ are duds.
        """
        rounding = 1e-14 * self.entropy_production_rate
        rates = self.pumped_entropy_rate, self.bath_entropy_rate
        return str(theory.phase_of_rates(*rates, tolerance=rounding))

    def relaxation_rates(self, *, order: int = 0, count: int = 1) -> FloatArray:
        """Return real parts of the relaxation spectrum; see `spectrum.relaxation_rates`.

        Parameters
        ----------
        order : int
            Azimuthal number k; the imaginary part is k times the rate of precession.
        count : int
            How many.

        Returns
        -------
        ndarray, shape (count,)
            Per time.
        """
        rates = relaxation_rates(self.xi, order=order, count=count)
        return np.asarray(self.parameters.diffusion * rates)

    def correlation(self, lag: ArrayLike) -> FloatArray:
        """Return ⟨c(t) c(0)⟩ - ⟨c⟩² of c = n·axis.

        Parameters
        ----------
        lag : array_like, shape (...)
            Times, of either sign.

        Returns
        -------
        ndarray, shape (...)
        """
        rates, weights = cosine_modes(self.xi)
        t = np.abs(validation.real_array("lag", lag))[..., None]
        return np.asarray(np.sum(weights * np.exp(-self.parameters.diffusion * rates * t), axis=-1))

    def pumped_entropy_variance(self, duration: ArrayLike) -> FloatArray:
        """Return Var S_P of a finite time in the steady state, 2∫₀^τ (τ - s) C(s) ds.

        C is the correlation of dS_P/dt = 2γ₀mP c. [II] SI 41 replaces this by 2τ∫₀^τ C(s) ds,
        which is right for long times only.

        Parameters
        ----------
        duration : array_like, shape (...)
            τ >= 0.

        Returns
        -------
        ndarray, shape (...)
            Per τ it grows to `pumped_entropy_noise`.
        """
        p = self.parameters
        rates, weights = cosine_modes(self.xi)
        tau = validation.real_array("duration", duration)[..., None]
        modes = weights * integrated_correlation(p.diffusion * rates, tau)
        return np.asarray((2.0 * p.diffusion * p.drive) ** 2 * np.sum(modes, axis=-1))

    def scgf(self, *, work: float = 0.0, pumped_entropy: float = 0.0) -> float:
        """Return λ = lim (1/τ) ln⟨exp(k_W βW + k_S S_P)⟩.

        Derivation. dS_P = 2γ₀mP c dt. d̄W = (m×P)∘dm has drift -γ₀H_p m²P (1 - c²), with γ₀H_p
        the rate of precession, and a noise of variance 2ηT m⁴P² (1 - c²) dt; the noise is
        azimuthal, hence independent of that of c. Over ηT, with u = γ₀mP/(ηT), this adds to the
        band problem

            -2 k_S u c + k_W u (ν - δ²u) (1 - c²) - k_W² δ²u² (1 - c²) ,

        and λ is minus ηT times its lowest eigenvalue. The eigenfunction is axially symmetric,
        because the leading eigenfunction of a tilted generator is positive. From -H and
        (-1 - k_W, -1 - k_S) one gets c → -c and the same (1 - c²): the fluctuation theorem
        [I] 4.16 for long times.

        Parameters
        ----------
        work, pumped_entropy : float
            k_W, which multiplies βW, and k_S, which multiplies S_P.

        Returns
        -------
        float
            Per time, with an absolute error of about 1e-16 ηT (ξ² + l²), l ~ 40.
        """
        p, w = self.parameters, validation.finite_scalar("work", work)
        s = validation.finite_scalar("pumped_entropy", pumped_entropy)
        u, xi, nu = float(p.drive), float(p.xi), float(p.nu)
        cosine = xi + 2.0 * s * u
        sine_squared = 0.25 * xi**2 + w * u * (nu - p.delta**2 * u) - (w * p.delta * u) ** 2
        return -p.diffusion * float(lowest_eigenvalues(cosine, sine_squared)[0])

    @property
    def _physics(self) -> tuple[Magnet, ArrayLike, ArrayLike]:
        return self.magnet, self.field, self.spin_torque


def _second_moment(moment: float, xi: float, axis: FloatArray) -> FloatArray:
    across = theory.chi_over_xi_squared(xi)
    along = np.outer(axis, axis)
    return np.asarray(moment**2 * (across * np.eye(3) + (1.0 - 3.0 * across) * along))
