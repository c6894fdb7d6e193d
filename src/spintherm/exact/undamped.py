"""The magnet without damping: reversible motion, no heat, and yet entropy is pumped.

For η = 0 the noise vanishes with the damping and dn/dt = b - n (n·b) + r×n with b = γ₀mP, r = γ₀H,
in any directions. The motion is a Möbius map of the sphere: (λ, λn) obeys a linear equation,

    d/dt (λ, λn) = A (λ, λn),   A = [[0, b], [b, r×]],   λ(0) = 1 ,

so that d ln λ/dt = b·n and S_P = ∫2γ₀m·P dt = 2 ln λ ([I] 3.9). A generates Lorentz
transformations; λ⁻² is the factor by which areas grow, hence ⟨e^{-S_P}⟩ = 1 over uniform initial
directions. Q = 0, and W is the change of -m·H ([I] 3.6). Units: those of the magnet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import theory, validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray
from spintherm.waveforms.parameters import keep_vectors

_LARGEST_RAPIDITY = 300.0


@dataclass(frozen=True)
class UndampedTorque:
    """A magnet without damping in constant field and spin torque of any directions.

    Parameters
    ----------
    magnet : Magnet
        With damping zero.
    field, spin_torque : array_like, shape (3,)
        H and P; kept as tuples of floats.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """

    magnet: Magnet
    field: ArrayLike
    spin_torque: ArrayLike

    def __post_init__(self) -> None:
        keep_vectors(self, "field", "spin_torque")
        if self.magnet.damping != 0.0:
            raise ValueError(validation.complaint("damping", self.magnet.damping, "0"))

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

    def flow(self, time: float) -> FloatArray:
        """Return the Lorentz matrix exp(tA).

        Parameters
        ----------
        time : float
            t, of either sign.

        Returns
        -------
        ndarray, shape (4, 4)

        Raises
        ------
        ValueError
            If γ₀m|P||t| exceeds 300, where λ² would leave the range of floats.
        """
        from scipy.linalg import expm

        t = validation.finite_scalar("time", time)
        b = self.magnet.relaxation_vector(self.field, self.spin_torque)
        r = self.magnet.rotation_vector(self.field, self.spin_torque)
        if np.linalg.norm(b) * abs(t) > _LARGEST_RAPIDITY:
            expected = f"γ₀m|P| |time| <= {_LARGEST_RAPIDITY}"
            raise ValueError(validation.complaint("time", time, expected))
        A = np.zeros((4, 4))
        A[0, 1:] = A[1:, 0] = b
        A[1:, 1:] = np.cross(r, np.eye(3)).T
        return np.asarray(expm(t * A))

    def direction(self, initial_direction: ArrayLike, time: float) -> FloatArray:
        """Return n(t).

        Parameters
        ----------
        initial_direction : array_like, shape (..., 3)
            n(0), normalised.
        time : float
            t.

        Returns
        -------
        ndarray, shape (..., 3)
            Unit vectors.
        """
        image = self._image(initial_direction, time)[..., 1:]
        return np.asarray(image / np.linalg.norm(image, axis=-1, keepdims=True))

    def pumped_entropy(self, initial_direction: ArrayLike, time: float) -> FloatArray:
        """Return S_P = 2 ln λ.

        Parameters
        ----------
        initial_direction : array_like, shape (..., 3)
            n(0), normalised.
        time : float
            t.

        Returns
        -------
        ndarray, shape (...)
        """
        image = self._image(initial_direction, time)[..., 1:]
        return np.asarray(2.0 * np.log(np.linalg.norm(image, axis=-1)))

    def work(self, initial_direction: ArrayLike, time: float) -> FloatArray:
        """Return W = -m H·(n(t) - n(0)), all of the change of energy: the heat is zero.

        Parameters
        ----------
        initial_direction : array_like, shape (..., 3)
            n(0), normalised.
        time : float
            t.

        Returns
        -------
        ndarray, shape (...)
        """
        change = self.direction(initial_direction, time) - _units(initial_direction)
        return np.asarray(-self.magnet.moment * (change @ np.asarray(self.field)))

    def rapidity(self, time: float) -> float:
        """Return ζ, with λ = cosh ζ + sinh ζ n(0)·e for some unit vector e.

        Parameters
        ----------
        time : float
            t.

        Returns
        -------
        float
            ζ >= 0; S_P lies between -2ζ and 2ζ.
        """
        return float(np.arcsinh(np.linalg.norm(self.flow(time)[0, 1:])))

    def mean_pumped_entropy(self, time: float) -> float:
        """Return ⟨S_P⟩ = 2(ζ coth ζ - 1) over uniform initial directions.

        Derivation: n(0)·e is uniform between -1 and 1 (Archimedes), hence λ uniform between
        e^{-ζ} and e^{ζ}, and S_P = 2 ln λ.

        Parameters
        ----------
        time : float
            t.

        Returns
        -------
        float
        """
        return 2.0 * float(theory.chi(self.rapidity(time)))

    def pumped_entropy_density(self, pumped_entropy: ArrayLike, time: float) -> FloatArray:
        """Return the density of S_P over uniform initial directions, e^{S/2}/(4 sinh ζ).

        p(S) e^{-S} = p(-S) can be read off.

        Parameters
        ----------
        pumped_entropy : array_like, shape (...)
            Values S.
        time : float
            t, not zero.

        Returns
        -------
        ndarray, shape (...)
            Zero for |S| > 2ζ.
        """
        S, zeta = validation.real_array("pumped_entropy", pumped_entropy), self.rapidity(time)
        if zeta == 0.0:
            raise ValueError(validation.complaint("time", time, "a time at which S_P is not 0"))
        inside = np.abs(S) <= 2.0 * zeta
        exponent = np.where(inside, 0.5 * S - zeta, 0.0)
        return np.asarray(np.where(inside, np.exp(exponent) / (-2.0 * np.expm1(-2.0 * zeta)), 0.0))

    def _image(self, initial_direction: ArrayLike, time: float) -> FloatArray:
        n = _units(initial_direction)
        start = np.concatenate([np.ones((*n.shape[:-1], 1)), n], axis=-1)
        return np.asarray(start @ self.flow(time).T)


def _units(directions: ArrayLike) -> FloatArray:
    n = validation.vectors("initial_direction", directions)
    length = np.linalg.norm(n, axis=-1, keepdims=True)
    if np.any(length == 0.0):
        raise ValueError(
            validation.complaint("initial_direction", directions, "vectors other than 0")
        )
    return np.asarray(n / length)
