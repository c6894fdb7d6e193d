r"""Functions of c = n·a as Legendre series, so that their means are sums over means of P_k.

Of a magnet with a common axis: the energy E(c), the power of the torque v·(m×P) of `PHYSICS`,

.. math:: \langle d\bar W_P\rangle = \langle v\cdot(m\times P)\rangle\,dt ,

which has no further term because m×P(n) is free of divergence (each polariser's term is a rotation
about p̂ by an angle that depends on n·p̂ alone), and the rate of pumped entropy, [I] 3.9 with the
efficiency of `torques`. All are evaluated by `Magnet` on the sphere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import legendre

from spintherm.exact import AxialMagnet
from spintherm.validation import FloatArray


@dataclass(frozen=True)
class CosineAverages:
    """Legendre series of what a magnet does at the cosine c, in constant fields.

    Parameters
    ----------
    state : AxialMagnet
        Magnet, field and torque.
    size : int
        Number of polynomials.
    """

    state: AxialMagnet
    size: int

    @property
    def energy(self) -> FloatArray:
        """Of E = -m·(H + H_FL) + E_a, shape (size,)."""
        magnet = self.state.magnet
        return self._series(magnet.energy(self._moments, self.state.whole_field))

    @property
    def torque_power(self) -> FloatArray:
        """Of the rate of the torque's mean work, shape (size,)."""
        return self._series(self._torque_powers)

    @property
    def largest_torque_power(self) -> float:
        """Largest size of the torque's power among the quadrature's cosines."""
        return float(np.abs(self._torque_powers).max())

    @property
    def pumped_entropy_rate(self) -> FloatArray:
        """Of the rate of pumped entropy, shape (size,)."""
        P = np.array(self.state.spin_torque)
        return self._series(self.state.magnet.pumped_entropy_rate(self._moments, P))

    @property
    def _torque_powers(self) -> FloatArray:
        magnet, P = self.state.magnet, np.array(self.state.spin_torque)
        m = self._moments
        velocity = magnet.drift(m, np.array(self.state.field), P)
        turning = np.cross(m, magnet.local_spin_torque(m, P))
        return np.asarray(np.einsum("ij,ij->i", velocity, turning))

    @cached_property
    def _rule(self) -> tuple[FloatArray, FloatArray]:
        """Cosines and weights of a quadrature."""
        c, weights = legendre.leggauss(2 * self.size)
        return np.asarray(c), np.asarray(weights)

    @property
    def _moments(self) -> FloatArray:
        """Moments at the quadrature's cosines, all at one azimuth."""
        return self.state.magnet.moment * self.state.directions(self._rule[0])

    def _series(self, values: FloatArray) -> FloatArray:
        c, weights = self._rule
        degrees = np.arange(self.size) + 0.5
        return np.asarray(degrees * ((weights * values) @ legendre.legvander(c, self.size - 1)))
