r"""Entropy of a density and its production, by quadrature on the sphere.

.. math:: S[p] = -\int p\ln p\,d\Omega, \qquad \dot S = -\int \dot p\,\ln p\,d\Omega, \qquad
          \Sigma = \int \frac{|j_{irr}|^2}{\eta T\,p}\,d\Omega \ge 0,

with densities per unit solid angle of n = m/|m| ([I] 3.12; the constant that a density per area of
the sphere |m| would add drops out of every difference). The irreversible probability current,
[I] 2.16, is in terms of n

.. math:: j_{irr} = p\,[\eta m H_\perp + \eta m^2\,n\times P] - \eta T\,\nabla p :

the rest of the drift, :math:`-\gamma_0 m\times(H + m\times P)`, is reversible. The second law
[I] 3.11 reads :math:`\dot S + \dot S_B + \dot S_P = \Sigma`.

Entropies have the unit k_B = 1, rates are per unit time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spintherm.fokker_planck.harmonics import Basis, Floats, gradient
from spintherm.fokker_planck.initial import sphere
from spintherm.fokker_planck.landscape import landscape_of

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

LEAST = 1e-14  # of the largest density: rounding may make smaller ones negative
BLOCK = 4_000_000  # numbers in a block of harmonics at nodes


def entropies(
    magnet: Magnet,
    basis: Basis,
    densities: Floats,
    changes: Floats,
    fields: Floats,
    spin_torques: Floats,
) -> tuple[Floats, Floats, Floats]:
    """Entropy, its rate of change and the entropy production of many densities.

    Parameters
    ----------
    magnet : Magnet
        Reduced, in the frame of the basis.
    basis : Basis
    densities, changes : ndarray, shape (size, times)
        Coefficients of p and of dp/dt.
    fields, spin_torques : ndarray, shape (times, 3)
        H and P in the frame of the basis.

    Returns
    -------
    entropy, rate, production : ndarray, shape (times,)
    """
    finer = basis.extended()
    p, dp = (basis.embed_columns(a, finer) for a in (densities, changes))
    stacked = np.concatenate([p, dp, *(g @ p for g in gradient(finer))], axis=1)
    nodes, weights = _nodes(basis)
    out = np.zeros((3, densities.shape[1]))
    step = max(1, BLOCK // finer.size)
    scale = None
    for start in range(0, len(nodes), step):
        n, w = nodes[start : start + step], weights[start : start + step]
        values = (finer.evaluate(n) @ stacked).reshape(len(n), 5, -1)
        if scale is None:
            scale = LEAST * np.max(np.abs(values[:, 0]), axis=0)
        out += _integrated(magnet, n, w, values, scale, fields, spin_torques)
    return out[0], out[1], out[2]


def _integrated(
    magnet: Magnet,
    n: Floats,
    w: Floats,
    values: Floats,
    least: Floats,
    fields: Floats,
    spin_torques: Floats,
) -> Floats:
    """Contribution of some nodes to the three integrals, shape (3, times)."""
    density, change, slope = values[:, 0], values[:, 1], np.moveaxis(values[:, 2:], 1, -1)
    positive = np.maximum(density, least)
    log = np.log(positive)
    eta, T = magnet.damping, magnet.temperature
    production = np.zeros(len(least))
    if eta > 0.0:
        pull = _irreversible_drift(magnet, n, fields, spin_torques)
        current = density[..., None] * pull - eta * T * slope
        production = w @ (np.sum(current**2, axis=-1) / (eta * T * positive))
    return np.stack([-w @ (density * log), -w @ (change * log), production])


def _irreversible_drift(magnet: Magnet, n: Floats, fields: Floats, spin_torques: Floats) -> Floats:
    """Return -η∇E + ηm² n×∇Φ at nodes n (N, 3) for fields (times, 3), shape (N, times, 3)."""
    eta, m, landscape = magnet.damping, magnet.moment, landscape_of(magnet)
    H_across = fields - (n @ fields.T)[..., None] * n[:, None]
    if landscape is None:
        return np.asarray(eta * m * H_across + eta * m**2 * np.cross(n[:, None], spin_torques))
    pull = eta * m * H_across - eta * landscape.energy_gradient(n)[:, None]
    torque = spin_torques
    if magnet.polarisers:
        slope = landscape.torque_gradient(n)[:, None]
        torque = slope * (spin_torques @ magnet.polarisers[0].vector)[:, None]
    return np.asarray(pull + eta * m**2 * np.cross(n[:, None], torque))


def _nodes(basis: Basis) -> tuple[Floats, Floats]:
    """Nodes for functions like p ln p, which are smoother than their products' degree suggests."""
    meridians = 1 if basis.m_max == 0 else 3 * basis.m_max + 16
    return sphere(3 * basis.l_max // 2 + 24, meridians)
