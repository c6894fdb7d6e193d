r"""Functions of c = n·a as Legendre series, so that their means are sums over means of P_k.

Of a magnet with a common axis: the energy E(c), the power of the torque v·(m×P) of `PHYSICS`,

.. math:: \langle d\bar W_P\rangle = \langle v\cdot(m\times P)\rangle\,dt ,

which has no further term because m×P(n) is free of divergence (each polariser's term is a rotation
about p̂ by an angle that depends on n·p̂ alone), and the rate of pumped entropy, [I] 3.9 with the
efficiency of `torques`. All are evaluated by `Magnet` on the sphere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.exact import AxialMagnet
from spintherm.magnet import Magnet
from spintherm.torques import Polariser
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
        return self._series(magnet.energy(self._moments, self._whole_field))

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

    @property
    def _whole_field(self) -> FloatArray:
        P = np.array(self.state.spin_torque)
        return np.asarray(np.array(self.state.field) + self.state.magnet.field_of_current(P))

    @property
    def _moments(self) -> FloatArray:
        """Moments at the quadrature's cosines, all at one azimuth."""
        a = self.state.axis
        across = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        c = legendre.leggauss(2 * self.size)[0]
        sine = np.sqrt((1.0 - c) * (1.0 + c))
        n = c[:, None] * a + sine[:, None] * across / np.linalg.norm(across)
        return np.asarray(self.state.magnet.moment * n)

    def _series(self, values: FloatArray) -> FloatArray:
        c, weights = legendre.leggauss(2 * self.size)
        degrees = np.arange(self.size) + 0.5
        return np.asarray(degrees * ((weights * values) @ legendre.legvander(c, self.size - 1)))


def along(magnet: Magnet, direction: FloatArray) -> Magnet:
    """Return the same magnet with an axis of its own, if it has none.

    Parameters
    ----------
    magnet : Magnet
    direction : ndarray, shape (3,)
        Axis for a magnet without anisotropy and polarisers. A polariser of constant efficiency
        changes nothing about a spin torque along it.

    Returns
    -------
    Magnet
    """
    return (
        replace(magnet, polarisers=(Polariser(tuple(direction.tolist())),))
        if magnet.is_uniform
        else magnet
    )


def axis_of(magnet: Magnet, direction: ArrayLike | None, *vectors: ArrayLike) -> FloatArray:
    """Return the unit vector along which fields and signs are counted.

    Parameters
    ----------
    magnet : Magnet
    direction : array_like, shape (3,), or None
        As the caller wants it.
    *vectors : array_like, shape (3,)
        Fields and torques, the first of which that is not zero is the last resort.

    Returns
    -------
    ndarray, shape (3,)
        Along the direction if given, else that of the first polariser or of `AxialMagnet`.
    """
    if direction is not None:
        vector = validation.vector("direction", direction)
        length = float(np.linalg.norm(vector))
        if length == 0.0:
            raise ValueError(validation.complaint("direction", direction, "a vector other than 0"))
        return np.asarray(vector / length)
    if magnet.polarisers:
        return magnet.polarisers[0].vector
    if magnet.anisotropy is None:
        for line in (np.asarray(one, dtype=np.float64) for one in vectors):
            length = float(np.linalg.norm(line))
            if length > 0.0:
                return np.asarray(line / length)
    return AxialMagnet(magnet, np.zeros(3)).axis
