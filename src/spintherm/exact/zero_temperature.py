"""The noiseless magnet with P ∥ H: its path and everything along it in closed form.

With c = n·axis, k = ηmH' and γ₀H_p = γ₀H - ηm²P: dc/dt = k(1 - c²), dφ/dt = γ₀H_p, so that

    c(t) = tanh(kt + artanh c₀)
    I = ∫ c dt       = ln[cosh kt + c₀ sinh kt]/k
    J = ∫ (1 - c²) dt = (1 - c₀²) sinh kt/[k (cosh kt + c₀ sinh kt)]
    S_P = 2γ₀mP I,    W = -γ₀H_p m²P J,    Q = -ηm²(H² + m²P²) J .

W is ∫(m×P)·dm, to which only precession contributes; Q = -∫(H + m×P)·dm = -η∫|m×(H + m×P)|² dt;
their sum is the change of -m·H. Units: those of the magnet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import theory, validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.theory.motion import POLE
from spintherm.validation import FloatArray
from spintherm.waveforms.parameters import keep_vectors


@dataclass(frozen=True)
class ZeroTemperature:
    """A magnet at T = 0 in constant collinear field and spin torque.

    Parameters
    ----------
    magnet : Magnet
        At temperature zero; the damping may be zero.
    field, spin_torque : array_like, shape (3,)
        H and P, each along the other or zero; kept as tuples of floats.
    initial_direction : array_like, shape (3,)
        n(0), of any length other than zero; normalised.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """

    magnet: Magnet
    field: ArrayLike
    spin_torque: ArrayLike
    initial_direction: ArrayLike

    def __post_init__(self) -> None:
        if self.magnet.temperature != 0.0:
            raise ValueError(validation.complaint("temperature", self.magnet.temperature, "0"))
        n = theory.unit_direction("initial_direction", self.initial_direction)
        object.__setattr__(self, "initial_direction", n)
        keep_vectors(self, "field", "spin_torque", "initial_direction")
        _ = theory.common_axis(self.field, self.spin_torque)

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

    def direction(self, times: ArrayLike) -> FloatArray:
        """Return n(t).

        Parameters
        ----------
        times : array_like, shape (...)

        Returns
        -------
        ndarray, shape (..., 3)
        """
        physics = self.magnet, self.field, self.spin_torque
        return theory.zero_temperature_direction(*physics, self.initial_direction, times)

    def pumped_entropy(self, times: ArrayLike) -> FloatArray:
        """Return S_P from 0 to t, 2γ₀mP ln[cosh kt + c₀ sinh kt]/k.

        Parameters
        ----------
        times : array_like, shape (...)

        Returns
        -------
        ndarray, shape (...)
        """
        _, P, _, _ = self._scalars
        scale = 2.0 * self.magnet.gyromagnetic_ratio * self.magnet.moment * P
        return np.asarray(scale * self._integrals(times)[0])

    def work(self, times: ArrayLike) -> FloatArray:
        """Return W from 0 to t, -γ₀H_p m²P ∫sin²θ dt.

        Parameters
        ----------
        times : array_like, shape (...)

        Returns
        -------
        ndarray, shape (...)
        """
        _, P, _, turn = self._scalars
        return np.asarray(-turn * self.magnet.moment**2 * P * self._integrals(times)[1])

    def heat(self, times: ArrayLike) -> FloatArray:
        """Return Q from 0 to t, -ηm²(H² + m²P²) ∫sin²θ dt; never positive.

        Parameters
        ----------
        times : array_like, shape (...)

        Returns
        -------
        ndarray, shape (...)
        """
        H, P, _, _ = self._scalars
        m = self.magnet.moment
        rate = self.magnet.damping * m**2 * (H**2 + (m * P) ** 2)
        return np.asarray(-rate * self._integrals(times)[1])

    def energy_change(self, times: ArrayLike) -> FloatArray:
        """Return the change of -m·H from 0 to t, -mH k ∫sin²θ dt.

        Parameters
        ----------
        times : array_like, shape (...)

        Returns
        -------
        ndarray, shape (...)
        """
        H, _, relax, _ = self._scalars
        return np.asarray(-self.magnet.moment * H * relax * self._integrals(times)[1])

    @property
    def _scalars(self) -> tuple[float, float, float, float]:
        """Return H, P, k = ηmH' and γ₀H_p along the axis."""
        axis, H, P = theory.common_axis(self.field, self.spin_torque)
        relax = self.magnet.relaxation_vector(self.field, self.spin_torque) @ axis
        turn = self.magnet.rotation_vector(self.field, self.spin_torque) @ axis
        return float(H), float(P), float(relax), float(turn)

    def _integrals(self, times: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return ∫cos θ dt and ∫sin²θ dt."""
        axis, _, _ = theory.common_axis(self.field, self.spin_torque)
        n = np.asarray(self.initial_direction)
        c, sine_squared = float(n @ axis), float(np.sum(np.cross(n, axis) ** 2))
        t, k = validation.real_array("times", times), self._scalars[2]
        if sine_squared < POLE**2:
            return c * t, np.zeros_like(t)
        x = k * t
        a, sign = np.abs(x), np.where(x < 0.0, -1.0, 1.0)
        # 1 ± c₀, each without cancellation
        near = sine_squared / (1.0 + abs(c))
        plus = np.where(sign * c < 0.0, near, 1.0 + abs(c))
        minus = np.where(sign * c < 0.0, 1.0 + abs(c), near)
        mean = 0.5 * (plus + minus * np.exp(-2.0 * a))
        log = np.where(
            a > 1.0, np.log(mean), np.log1p(0.5 * minus * np.expm1(-2.0 * np.minimum(a, 1.0)))
        )
        series = t * (c + sine_squared * x * (0.5 - c * x / 3.0))
        safe = np.where(a > 1e-5, x, 1.0)
        cosine = np.where(a > 1e-5, t * (a + log) / safe, series)
        fraction = np.where(a > 0.0, -np.expm1(-2.0 * a) / np.where(a > 0.0, 2.0 * a, 1.0), 1.0)
        return np.asarray(cosine), np.asarray(t * sine_squared * fraction / mean)
