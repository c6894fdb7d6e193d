"""Magnets whose direction diffuses freely on the sphere.

Where the damping field H' vanishes, 𝓛†Y_l = -ηT l(l + 1) Y_l apart from a rigid rotation: without
any field (`FreeDiffusion`), and with the torque that cancels the damping, α = -δ ([II], the special
point of Fig. 2; `IsotropicWalk`). Units: k_B = 1; rates per time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import theory, validation
from spintherm.exact.spectrum import integrated_correlation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.theory.parameters import require_bath, require_field
from spintherm.validation import FloatArray
from spintherm.waveforms.parameters import keep_vectors


@dataclass(frozen=True)
class FreeDiffusion:
    """A magnet without field and torque: Brownian motion on the sphere, D = ηT.

    W = Q = S_P = 0 on every path.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    """

    magnet: Magnet

    def __post_init__(self) -> None:
        require_bath(self.magnet)

    def protocol(self, duration: float) -> Protocol:
        """Return the protocol of zero field.

        Parameters
        ----------
        duration : float
            τ > 0.

        Returns
        -------
        Protocol
        """
        return Protocol(duration, (0.0, 0.0, 0.0))

    @property
    def diffusion(self) -> float:
        """ηT, the rotational diffusion constant."""
        return self.magnet.damping * self.magnet.temperature

    def legendre_mean(self, degree: int, times: ArrayLike) -> FloatArray:
        """Return ⟨P_l(n(t)·n(0))⟩ = e^{-l(l+1) ηT t}: e^{-2ηTt} for l = 1, e^{-6ηTt} for l = 2.

        Derivation: P_l(n·n(0)) is a harmonic of degree l, an eigenfunction of the generator ηTΔ.

        Parameters
        ----------
        degree : int
            l >= 0.
        times : array_like, shape (...)
            Times >= 0.

        Returns
        -------
        ndarray, shape (...)
        """
        t = validation.real_array("times", times)
        return np.exp(-degree * (degree + 1) * self.diffusion * t)

    def cosine_density(self, cosine: ArrayLike, time: float) -> FloatArray:
        """Return the density of c = n(t)·n(0), Σ (l + 1/2) P_l(c) e^{-l(l+1) ηT t}.

        Parameters
        ----------
        cosine : array_like, shape (...)
            Between -1 and 1.
        time : float
            t > 0.

        Returns
        -------
        ndarray, shape (...)
            Density of c; absolute error about 1e-15 of its largest value.
        """
        t = validation.finite_scalar("time", time, positive=True)
        degree = np.arange(int(np.sqrt(40.0 / (self.diffusion * t))) + 3)
        weights = (degree + 0.5) * np.exp(-degree * (degree + 1.0) * self.diffusion * t)
        c = validation.real_array("cosine", cosine)
        return np.asarray(np.polynomial.legendre.legval(c, weights))

    def integrated_moment_variance(self, duration: ArrayLike) -> FloatArray:
        """Return ⟨|∫₀^τ m dt|²⟩ from an isotropic start, m² · 2[τ/κ - (1 - e^{-κτ})/κ²], κ = 2ηT.

        Parameters
        ----------
        duration : array_like, shape (...)
            τ >= 0.

        Returns
        -------
        ndarray, shape (...)
        """
        shape = integrated_correlation(2.0 * self.diffusion, duration)
        return np.asarray(self.magnet.moment**2 * shape)


@dataclass(frozen=True)
class IsotropicWalk:
    """A magnet with the torque P = -(η/γ₀)H that cancels the damping, α = -δ.

    H' = 0: the direction diffuses freely and precesses at γ₀(1 + δ²)H. The steady state is
    isotropic, ⟨S_P⟩ = 0 and yet Σ > 0.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field : array_like, shape (3,)
        H, not zero; kept as a tuple of floats.
    """

    magnet: Magnet
    field: ArrayLike

    def __post_init__(self) -> None:
        keep_vectors(self, "field")
        require_bath(self.magnet)
        require_field(np.asarray(self._strength), self.field)

    def protocol(self, duration: float) -> Protocol:
        """Return the constant protocol; it starts in equilibrium at H, not in the steady state.

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
    def spin_torque(self) -> FloatArray:
        """P = -(η/γ₀)H, shape (3,)."""
        return -(self.magnet.damping / self.magnet.gyromagnetic_ratio) * np.asarray(self.field)

    @property
    def diffusion(self) -> float:
        """ηT, the rotational diffusion constant."""
        return self.magnet.damping * self.magnet.temperature

    @property
    def entropy_production_rate(self) -> float:
        """Σ = Ṡ_B = (2/3) ηT ν²(1 + δ²), the limit of [II] 16b."""
        nu = self._strength * self.magnet.moment / self.magnet.temperature
        delta = self.magnet.damping * self.magnet.moment / self.magnet.gyromagnetic_ratio
        return 2.0 / 3.0 * self.diffusion * nu**2 * (1.0 + delta**2)

    @property
    def pumped_entropy_noise(self) -> float:
        """Δ_P = lim Var S_P/τ = 4(γ₀mP)²/(3ηT)."""
        return self._amplitude**2 / (3.0 * self.diffusion)

    def mean_direction(self, initial_direction: ArrayLike, times: ArrayLike) -> FloatArray:
        """Return ⟨n(t)⟩ = e^{-2ηTt} R(t) n(0), R the rotation with γ₀H - ηm²P.

        Derivation: without relaxation vector the generator on n is -2ηT n + r×n.

        Parameters
        ----------
        initial_direction : array_like, shape (3,)
            n(0), of any length other than zero.
        times : array_like, shape (...)
            Times >= 0.

        Returns
        -------
        ndarray, shape (..., 3)
        """
        n = theory.unit_direction("initial_direction", initial_direction)
        t = validation.real_array("times", times)[..., None]
        r = self.magnet.rotation_vector(self.field, self.spin_torque)
        rate, axis = np.linalg.norm(r), r / np.linalg.norm(r)
        along = np.sum(n * axis) * axis
        turned = along + np.cos(rate * t) * (n - along) + np.sin(rate * t) * np.cross(axis, n)
        return np.asarray(np.exp(-2.0 * self.diffusion * t) * turned)

    def mean_pumped_entropy(self, initial_direction: ArrayLike, duration: ArrayLike) -> FloatArray:
        """Return ⟨S_P⟩ from a fixed direction, 2γ₀m P·n(0) (1 - e^{-2ηTτ})/(2ηT).

        Parameters
        ----------
        initial_direction : array_like, shape (3,)
            n(0), of any length other than zero.
        duration : array_like, shape (...)
            τ >= 0.

        Returns
        -------
        ndarray, shape (...)
        """
        n = theory.unit_direction("initial_direction", initial_direction)
        tau, kappa = validation.real_array("duration", duration), 2.0 * self.diffusion
        rate = 2.0 * self.magnet.gyromagnetic_ratio * self.magnet.moment * (self.spin_torque @ n)
        return np.asarray(-rate * np.expm1(-kappa * tau) / kappa)

    def pumped_entropy_variance(self, duration: ArrayLike) -> FloatArray:
        """Return Var S_P in the steady state, (2γ₀mP)²/3 · 2[τ/κ - (1 - e^{-κτ})/κ²], κ = 2ηT.

        Derivation: the component of n along P has variance 1/3 and the correlation e^{-2ηTt};
        precession about P does not change it.

        Parameters
        ----------
        duration : array_like, shape (...)
            τ >= 0.

        Returns
        -------
        ndarray, shape (...)
        """
        shape = integrated_correlation(2.0 * self.diffusion, duration)
        return np.asarray(self._amplitude**2 / 3.0 * shape)

    def pumped_entropy_generating_function(self, exponent: float, duration: float) -> float:
        """Return ⟨e^{kS_P}⟩ of a finite time, from the isotropic steady state.

        Derivation: on functions of c = n·h the tilted generator is -ηT l(l + 1) + 2kγ₀mP c, a
        symmetric tridiagonal matrix in normalised Legendre polynomials; the average is the
        element (0, 0) of its exponential.

        Parameters
        ----------
        exponent : float
            k.
        duration : float
            τ >= 0.

        Returns
        -------
        float
        """
        values, vectors = self._tilted_modes(exponent)
        tau = validation.finite_scalar("duration", duration, nonnegative=True)
        return float(np.sum(vectors[0] ** 2 * np.exp(values * tau)))

    def pumped_entropy_scgf(self, exponent: float) -> float:
        """Return lim (1/τ) ln⟨e^{kS_P}⟩, the leading eigenvalue of the same matrix.

        Parameters
        ----------
        exponent : float
            k.

        Returns
        -------
        float
            Per time, even in k.
        """
        return float(self._tilted_modes(exponent)[0][-1])

    def _tilted_modes(self, exponent: float) -> tuple[FloatArray, FloatArray]:
        from scipy.linalg import eigh_tridiagonal

        tilt = validation.finite_scalar("exponent", exponent) * self._amplitude
        size = 40 + int(8.0 * np.sqrt(abs(tilt) / self.diffusion))
        degree = np.arange(size, dtype=np.float64)
        coupling = (degree + 1.0) / np.sqrt((2.0 * degree + 1.0) * (2.0 * degree + 3.0))
        diagonal = -self.diffusion * degree * (degree + 1.0)
        values, vectors = eigh_tridiagonal(diagonal, tilt * coupling[:-1])
        return values, vectors

    @property
    def _strength(self) -> float:
        return float(np.linalg.norm(np.asarray(self.field)))

    @property
    def _amplitude(self) -> float:
        """2γ₀m|P|, the largest |dS_P/dt|."""
        return 2.0 * self.magnet.moment * self.magnet.damping * self._strength
