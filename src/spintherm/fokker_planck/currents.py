r"""Probability currents of a steady state on the sphere of directions.

Per unit solid angle and as velocities of n = m/|m|, so that
:math:`\partial_t p = -\nabla_S\cdot(J_R + J_{IR})`. [I] 2.16 divided by the area element reads

.. math:: J_R = -\gamma_0\,p\;n\times(H + m\times P), \qquad
   J_{IR} = -\eta m\,p\;n\times[n\times(H + m\times P)] - \eta T\,\nabla_S p ,

and the entropy production [I] 3.14 is
:math:`\Sigma = \int |J_{IR}|^2/(\eta T p)\,d\Omega`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.harmonics import Basis, Floats, gradient

if TYPE_CHECKING:
    from spintherm.fokker_planck.steady import SteadyState


def currents(state: SteadyState, directions: Floats) -> tuple[Floats, Floats]:
    """Return the reversible and the irreversible probability current.

    Parameters
    ----------
    state : SteadyState
    directions : ndarray, shape (..., 3)
        Unit vectors in the user's frame.

    Returns
    -------
    reversible, irreversible : ndarray, shape (..., 3)
        Tangent vectors in the user's frame, probability per time and length on the unit sphere.
    """
    return flows(state, directions, *density_and_gradient(state, directions))


def flows(
    state: SteadyState, directions: Floats, p: Floats, slope: Floats
) -> tuple[Floats, Floats]:
    """Return the currents where the density (...) and its surface gradient (..., 3) are known."""
    magnet, n = state.magnet, directions
    H, P = state.field, state.spin_torque
    if not magnet.is_uniform:
        moment = magnet.moment * n
        H = magnet.effective_field(moment, H + magnet.field_of_current(P))
        P = magnet.local_spin_torque(moment, P)
    force = H + magnet.moment * np.cross(n, P)
    turn = np.cross(n, force)
    reversible = -magnet.gyromagnetic_ratio * p[..., None] * turn
    damped = -magnet.damping * magnet.moment * p[..., None] * np.cross(n, turn)
    return reversible, damped - magnet.damping * magnet.temperature * slope


def density_and_gradient(
    state: SteadyState, directions: NDArray[np.float64]
) -> tuple[Floats, Floats]:
    """Return the density (...) and its surface gradient (..., 3) at unit vectors (..., 3)."""
    frame = state.setting.frame
    larger, fields = fields_of_density(state)
    values = larger.expand(fields, directions @ frame.T)
    return values[..., 0], values[..., 1:] @ frame


def fields_of_density(state: SteadyState) -> tuple[Basis, Floats]:
    """Return a basis and, in the frame of the harmonics, the coefficients (size, 4) in it.

    They are those of the density and of the three components of its surface gradient.
    """
    basis = state.solution.basis
    larger = basis.extended()
    p = basis.embed(state.solution.density, larger)
    return larger, np.stack([p, *(d @ p for d in gradient(larger))], axis=-1)
