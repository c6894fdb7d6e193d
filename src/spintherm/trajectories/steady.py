r"""What the steady state of constant fields is known to be, and how fast it is reached.

Where the field, the torque, the anisotropy and the polarisers share an axis a, the steady density
of the direction is that of its potential, with c = n·a and G_k' = g_k,

.. math:: p(n) \propto \exp\Bigl[\frac{m\,n\cdot(H + H_{FL}) - E_a(n)}{T}
          + \frac{\gamma_0 m}{\eta T} P_0\sum_k s_k G_k(n\cdot\hat p_k)\Bigr],

for the drift turns about a but for the gradient of it (derived here; for P parallel to H it is
[II] 14). Elsewhere what is left of another start decays with the smallest rate of the generator

.. math:: L = v\cdot\nabla + \eta T\Delta = (n\times v)\cdot(n\times\nabla) + \eta T\Delta,

v the drift of n. It is found in spherical harmonics Y_lm up to some degree, in which n×∇ is the
ladder of angular momentum and the products with n×v are quadratures; the degree grows until the
rate stands. This is a matter of a few per cent: the rate only says how long to wait.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintherm import validation
from spintherm.equilibrium import product_rule
from spintherm.magnet import Magnet

FloatArray = NDArray[np.float64]

PIECES = 1 << 13
DEGREES = (8, 12, 17, 23, 30)
"""Largest degrees of the harmonics that are tried."""

_AGREEMENT = 0.02
_POINTS = 8  # more than the harmonics ask for, for the drift's own harmonics


@dataclass(frozen=True)
class AxialLaw:
    """The density of c = n·a, exponential on each of many pieces.

    Attributes
    ----------
    axis : ndarray, shape (3,)
        a.
    edges : ndarray, shape (N + 1,)
        Cosines.
    cumulative, growths : ndarray, shape (N,)
        Cumulative probabilities of the pieces and the change of ln p(c) over each.
    """

    axis: FloatArray
    edges: FloatArray
    cumulative: FloatArray
    growths: FloatArray


def uniform_part(
    magnet: Magnet, field: FloatArray, spin_torque: FloatArray
) -> tuple[Magnet, FloatArray, FloatArray]:
    """Return the magnet with constant polarisers put into its fields, H + H_FL and P.

    Parameters
    ----------
    magnet : Magnet
    field, spin_torque : ndarray, shape (3,)
        H and P.

    Returns
    -------
    tuple
        The magnet without polarisers, H and P; P of efficiencies that are not constant is that
        across the polariser.
    """
    if not magnet.polarisers:
        return magnet, field, spin_torque
    amplitude = float(magnet.torque_amplitude(spin_torque))
    torque = np.zeros(3)
    for item in magnet.polarisers:
        torque += item.strength * amplitude * float(item.efficiency(0.0)) * item.vector
    numbers = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping, magnet.temperature
    plain = Magnet(*numbers, anisotropy=magnet.anisotropy)
    return plain, field + magnet.field_of_current(spin_torque), torque


def axial_law(magnet: Magnet, field: FloatArray, spin_torque: FloatArray) -> AxialLaw | None:
    """Return the steady law of a magnet with one axis, None if there is no common axis.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : ndarray, shape (3,)
        H and P.

    Returns
    -------
    AxialLaw or None
        Its density is interpolated: right to a few 1e-6 behind barriers of a hundred T.
    """
    axis = magnet.common_axis(field, spin_torque)
    if axis is None:
        return None
    edges = -np.cos(np.pi * np.arange(PIECES + 1) / PIECES)
    psi = _potential(magnet, field, spin_torque, axis, edges)
    growths, top = np.diff(psi), float(psi.max())
    # the mean of an exponential between two ends, from the higher of them
    fall = np.abs(growths)
    mean = np.where(fall > 1e-8, -np.expm1(-fall) / np.maximum(fall, 1e-8), 1.0 - 0.5 * fall)
    shares = np.diff(edges) * np.exp(np.maximum(psi[1:], psi[:-1]) - top) * mean
    cumulative = np.cumsum(shares)
    return AxialLaw(axis, edges, cumulative / cumulative[-1], growths)


def _potential(
    magnet: Magnet, field: FloatArray, torque: FloatArray, axis: FloatArray, cosine: FloatArray
) -> FloatArray:
    """Return ln p(c) up to a constant at cosines (N,)."""
    across = np.cross(axis, np.eye(3)[np.argmin(np.abs(axis))])
    across /= np.linalg.norm(across)
    sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
    n = cosine[:, None] * axis + sine[:, None] * across
    value = -magnet.energy(magnet.moment * n, field + magnet.field_of_current(torque))
    push = magnet.gyromagnetic_ratio * magnet.moment / magnet.damping
    if not magnet.polarisers:
        return np.asarray((value + push * (n @ torque)) / magnet.temperature)
    amplitude = float(magnet.torque_amplitude(torque))
    for item in magnet.polarisers:
        whole = item.efficiency.integral(n @ item.vector)
        value = value + push * amplitude * item.strength * whole
    return np.asarray(value / magnet.temperature)


def slowest_rate(magnet: Magnet, field: FloatArray, spin_torque: FloatArray) -> float:
    """Return the smallest relaxation rate at constant H and P, to a few per cent.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : ndarray, shape (3,)
        H and P.

    Returns
    -------
    float
        λ > 0, in 1/time.

    Raises
    ------
    ValueError
        If the harmonics do not resolve it: the barriers are too high for this.
    """
    before = np.inf
    for degree in DEGREES:
        values = np.linalg.eigvals(_generator(magnet, field, spin_torque, degree))
        rate = -float(values.real.max())
        if rate > 0.0 and abs(rate - before) <= _AGREEMENT * rate:
            return rate
        before = rate
    raise ValueError(
        validation.complaint(
            "magnet", magnet, f"a relaxation that harmonics up to degree {DEGREES[-1]} resolve"
        )
    )


def _generator(
    magnet: Magnet, field: FloatArray, spin_torque: FloatArray, degree: int
) -> NDArray[np.complex128]:
    """Matrix of L without its zero, on the harmonics from l = 1 to a degree."""
    n, weights = product_rule(2 * degree + 2 * _POINTS)
    lm = [(ell, m) for ell in range(degree + 1) for m in range(-ell, ell + 1)]
    ell, order = np.array(lm).T
    values = _harmonics(n, degree)
    project = values.conj().T * weights
    arm = np.cross(n, magnet.drift(magnet.moment * n, field, spin_torque) / magnet.moment)
    raised = np.sqrt(ell * (ell + 1.0) - order * (order + 1.0))  # to order + 1
    up = np.zeros((len(lm), len(lm)))
    inner = np.flatnonzero(order < ell)
    up[inner + 1, inner] = raised[inner]
    # n×∇ = i L: L_x = (L+ + L-)/2, L_y = (L+ - L-)/2i
    turns = (0.5j * (up + up.T), 0.5 * (up - up.T), 1j * np.diag(order))
    total = -magnet.damping * magnet.temperature * np.diag(ell * (ell + 1.0)).astype(complex)
    for component, turn in zip(arm.T, turns, strict=True):
        total += (project @ (component[:, None] * values)) @ turn
    return np.asarray(total[1:, 1:])


def _harmonics(n: FloatArray, degree: int) -> NDArray[np.complex128]:
    """Y_lm at unit vectors (N, 3), with Condon and Shortley's phase, shape (N, (degree + 1)²)."""
    c, s = n[:, 2], np.hypot(n[:, 0], n[:, 1])
    turn = (n[:, 0] + 1j * n[:, 1]) / np.where(s > 0.0, s, 1.0)
    out = np.empty((len(n), (degree + 1) ** 2), dtype=complex)
    diagonal = np.full(len(n), np.sqrt(0.25 / np.pi))
    for m in range(degree + 1):
        if m:
            diagonal = -np.sqrt((2.0 * m + 1.0) / (2.0 * m)) * s * diagonal
        before, here = np.zeros(len(n)), diagonal
        for ell in range(m, degree + 1):
            if ell > m:
                scale = np.sqrt((4.0 * ell**2 - 1.0) / (ell**2 - m**2))
                fall = np.sqrt(((ell - 1.0) ** 2 - m**2) / (4.0 * (ell - 1.0) ** 2 - 1.0))
                before, here = here, scale * (c * here - fall * before)
            value = here * turn**m
            out[:, ell * (ell + 1) + m] = value
            out[:, ell * (ell + 1) - m] = (-1.0) ** m * value.conj()
    return out
