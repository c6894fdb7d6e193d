r"""The frame and the first truncation in which a steady density is compact.

The axis of the harmonics is the attracting fixed point of the drift,
:math:`n_* = (\lambda b + r\times b + \omega r)/(\lambda^2 + r^2)` with
:math:`(\lambda + i\omega)^2 = (b + i r)^2`, :math:`b = \eta m H_d` and :math:`r = \gamma_0 H_p`.
The drift is a conformal vector field, hence near :math:`n_*` the density is a round Gaussian
of variance :math:`\eta T/\lambda`: it needs degrees up to a multiple of
:math:`\sqrt{\lambda/\eta T}`, but the fewer orders m the stronger the field. For P parallel to H
only m = 0 is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.fokker_planck.generator import (
    GRADIENT,
    LAPLACIAN,
    ROTATION,
    Coefficients,
    coefficients,
    rotated,
    span_weights,
)
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.landscape import (
    Landscape,
    axis_of,
    fields_of,
    landscape_of,
    reduced,
)
from spintherm.fokker_planck.slots import gradient_weights

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

PARALLEL = 1e-14
"""Sine of the angle between H and P below which they count as parallel."""

ALIGNED = 1e-13
"""The same for the axes of a landscape, which come out of a decomposition."""


@dataclass(frozen=True)
class Setting:
    """Fields seen from the frame in which the density is compact.

    Attributes
    ----------
    frame : ndarray, shape (3, 3)
        Rows are the axes of the harmonics in the user's frame.
    field, spin_torque : ndarray, shape (3,)
        H and P in that frame.
        With a landscape those of the reduced magnet: H holds the field of the current.
    coefs : ndarray, shape (17,), or (`slots.LENGTH`,) with a landscape
        The backward generator.
    axial : bool
        H, P and the landscape share an axis: only m = 0 is needed.
    pull : float
        Rate of attraction lambda to the fixed point on the axis (1/time); 0 with a landscape.
    l_max, m_max : int
        First guess of the truncation.
    magnet : Magnet
        The reduced magnet in that frame.
    """

    frame: Floats
    field: Floats
    spin_torque: Floats
    coefs: Coefficients
    axial: bool
    pull: float
    l_max: int
    m_max: int
    magnet: Magnet

    @property
    def landscape(self) -> Landscape | None:
        """Anisotropy and angular dependence of the torque, None for uniform fields."""
        return landscape_of(self.magnet)


def fixed_point(b: Floats, r: Floats) -> tuple[Floats, Floats]:
    """Attracting fixed point of the flow n' = b - n (n·b) + r×n and the rate of attraction.

    Parameters
    ----------
    b, r : ndarray, shape (..., 3)
        Damping and precession vectors.

    Returns
    -------
    point : ndarray, shape (..., 3)
        Unit vectors; without attraction a centre of the flow.
    rate : ndarray, shape (...)
        lambda >= 0.
    """
    square = np.sum(b * b, -1) - np.sum(r * r, -1) + 2j * np.sum(b * r, -1)
    root = np.sqrt(square)
    rate, turn = np.abs(root.real), np.where(root.real < 0.0, -root.imag, root.imag)
    point = rate[..., None] * b + np.cross(r, b) + turn[..., None] * r
    length = np.linalg.norm(point, axis=-1, keepdims=True)
    up = np.array([0.0, 0.0, 1.0])
    return np.where(length > 0.0, point / np.where(length > 0.0, length, 1.0), up), rate


def frames(axis: Floats, other: Floats) -> Floats:
    """Rotations with the third row along `axis` and `other` in the plane of rows 1 and 3."""
    across = other - axis * np.sum(axis * other, -1, keepdims=True)
    small = np.linalg.norm(across, axis=-1) <= 1e-8 * np.linalg.norm(other, axis=-1)
    any_way = np.eye(3)[np.argmin(np.abs(axis), axis=-1)]
    any_way = any_way - axis * np.sum(axis * any_way, -1, keepdims=True)
    x = np.where(small[..., None], any_way, across)
    x = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return np.stack([x, np.cross(axis, x), axis], axis=-2)


def settings(
    magnet: Magnet, fields: Floats, spin_torques: Floats, scale: float = 1.0
) -> list[Setting]:
    """Frames, generators and first guesses for many fields (N, 3) and torques (N, 3).

    The guess is for a tail of 1e-12; `scale` multiplies it.
    """
    if not magnet.is_uniform:
        fields, spin_torques = fields_of(magnet, fields, spin_torques)
        magnet = reduced(magnet)
        if not magnet.is_uniform:
            pairs = zip(fields, spin_torques, strict=True)
            return [_setting(magnet, H, P, scale) for H, P in pairs]
    H, P = fields, spin_torques
    sizes = np.linalg.norm(H, axis=-1) * np.linalg.norm(P, axis=-1)
    axial = np.linalg.norm(np.cross(H, P), axis=-1) <= PARALLEL * sizes
    raw = coefficients(magnet, H, P)
    b, r = raw[..., GRADIENT], raw[..., ROTATION]
    axis, rate = fixed_point(b, r)
    turned = frames(_axial_axis(axis, b, r, axial), P)
    H_in = np.einsum("nij,nj->ni", turned, H)
    P_in = np.einsum("nij,nj->ni", turned, P)
    H_in[axial, :2] = 0.0
    P_in[axial, :2] = 0.0
    coefs = coefficients(magnet, H_in, P_in)
    l_max, m_max = _guess(coefs, rate, axial, scale)
    pull = np.where(axial, coefs[..., GRADIENT.stop - 1], rate).tolist()
    rows = zip(turned, H_in, P_in, coefs, axial.tolist(), pull, l_max, m_max, strict=True)
    return [Setting(*(*row, magnet)) for row in rows]


def _setting(magnet: Magnet, field: Floats, spin_torque: Floats, scale: float) -> Setting:
    """Return the frame of a magnet with a landscape.

    The axis is that of symmetry if all have one, else that of the anisotropy or, without one, of
    least energy.
    """
    axis = axis_of(magnet, np.stack([field, spin_torque]), ALIGNED)
    axial = axis is not None
    if axis is None:
        axis = _easy_axis(magnet, field, spin_torque)
    strongest = max((field, spin_torque), key=lambda v: float(np.linalg.norm(v)))
    axis = axis * np.where(strongest @ axis < 0.0, -1.0, 1.0)
    others = [field, *(p.vector for p in magnet.polarisers), spin_torque]
    across = [float(np.linalg.norm(np.cross(axis, v))) for v in others]
    frame = frames(axis, others[int(np.argmax(across))] if max(across) > 0.0 else axis)
    H, P = frame @ field, frame @ spin_torque
    if axial:
        H[:2] = 0.0
        P[:2] = 0.0
    turned = magnet.rotated(frame)
    coefs = coefficients(turned, H, P)
    l_max = rung(6.0 + 7.8 * scale * np.sqrt(1.5 * steepness(turned, H, P)))
    m_max = 0 if axial else rung(max(4.0, 0.6 * l_max))
    return Setting(frame, H, P, coefs, axial, 0.0, l_max, min(m_max, l_max), turned)


def _easy_axis(magnet: Magnet, field: Floats, spin_torque: Floats) -> Floats:
    """Axis for harmonics that are not axial: the anisotropy's, else where the drift leads."""
    energy = magnet.anisotropy
    if energy is not None and energy.axis is not None:
        return energy.axis
    n = sphere_points()
    landscape, weights = _pull(magnet, field, spin_torque)
    return np.asarray(n[int(np.argmax(landscape.function(weights, n)))])


def steepness(magnet: Magnet, field: Floats, spin_torque: Floats) -> float:
    """Largest slope of the potential of the drift on the sphere, over the diffusion rate.

    For a reduced magnet in the frame of the fields.
    """
    landscape, weights = _pull(magnet, field, spin_torque)
    slope = landscape.slope(weights, sphere_points())
    diffusion = magnet.damping * magnet.temperature
    return float(np.max(np.linalg.norm(slope, axis=-1)) / diffusion)


def _pull(magnet: Magnet, field: Floats, spin_torque: Floats) -> tuple[Landscape, Floats]:
    """Return the landscape and the potential of the drift's gradient part, weights (5,)."""
    landscape = landscape_of(magnet)
    if landscape is None:
        raise ValueError("a magnet with uniform fields has no landscape")
    energy, torque = span_weights(magnet, field, spin_torque)
    lift = magnet.gyromagnetic_ratio * magnet.moment
    return landscape, lift * torque - magnet.damping * energy


@lru_cache(maxsize=1)
def sphere_points(latitudes: int = 24, meridians: int = 36) -> Floats:
    """Directions on a grid that includes the poles, shape (N, 3)."""
    polar = np.pi * (np.arange(latitudes) + 0.5) / latitudes
    phi = 2.0 * np.pi * np.arange(meridians) / meridians
    s, c = np.sin(polar), np.cos(polar)
    parts = [np.outer(s, np.cos(phi)), np.outer(s, np.sin(phi)), np.outer(c, np.ones(meridians))]
    n = np.stack(parts, axis=-1).reshape(-1, 3)
    return np.concatenate([n, [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])


def compact_frame(
    coefs: Coefficients, axial: bool, landscape: Landscape | None = None
) -> tuple[Floats, int, int]:
    """Frame, l_max and m_max for any generator: its drift's fixed point becomes the axis.

    An axial generator keeps its axis z, and one with a landscape its frame.
    """
    if landscape is not None:
        slope = landscape.slope(gradient_weights(coefs).real, sphere_points())
        steep = np.max(np.linalg.norm(slope, axis=-1)) / float(coefs[LAPLACIAN].real)
        degree = rung(8.0 + 5.0 * float(np.sqrt(steep)))
        return np.eye(3), degree, 0 if axial else degree
    axis, rate = fixed_point(coefs[GRADIENT].real, coefs[ROTATION].real)
    frame = np.eye(3) if axial else frames(axis, coefs[GRADIENT].real)
    turned = rotated(coefs, frame).real
    l_max, m_max = _guess(turned[None], rate[None], np.array([axial]), 1.0)
    return frame, l_max[0], min(m_max[0], l_max[0])


def _axial_axis(axis: Floats, b: Floats, r: Floats, axial: Any) -> Floats:
    """For parallel fields: their common line, towards b (from the larger of b and r)."""
    sizes = np.linalg.norm(b, axis=-1), np.linalg.norm(r, axis=-1)
    line = np.where((sizes[0] > sizes[1])[..., None], b, r)
    line = line * np.where(np.sum(line * b, -1) < 0.0, -1.0, 1.0)[..., None]
    length = np.linalg.norm(line, axis=-1, keepdims=True)
    line = np.where(length > 0.0, line / np.where(length > 0.0, length, 1.0), axis)
    return np.where(axial[..., None], line, axis)


def _guess(
    coefs: Coefficients, rate: Floats, axial: Any, scale: float
) -> tuple[list[int], list[int]]:
    """Truncation that is usually just enough for a tail of 1e-12."""
    diffusion = coefs[..., LAPLACIAN]
    b = np.linalg.norm(coefs[..., GRADIENT], axis=-1) / diffusion
    r = np.linalg.norm(coefs[..., ROTATION], axis=-1) / diffusion
    pull = rate / diffusion
    with np.errstate(divide="ignore", invalid="ignore"):
        slow = np.where(b > 0.0, b**2 / np.hypot(b, r), 0.0)
        lean = np.linalg.norm(coefs[..., 1:3], axis=-1) / diffusion / b
        sharp = np.where(lean > 0.0, np.sqrt(pull) / lean, 1e30)
    width = np.where(axial, b, np.maximum(np.sqrt(pull * b), slow))
    l_max = 6.0 + 7.8 * scale * np.sqrt(width)
    m_max = np.where(axial, 0.0, np.minimum(l_max, 2.0 + 26.0 * scale**2 / np.log(2.0 + sharp)))
    return [rung(x) for x in l_max], [rung(x) for x in m_max]


def rung(x: float) -> int:
    """Round a truncation up to one of few values, so that neighbours share their matrices."""
    step = max(1, 2 ** int(np.log2(max(x, 1.0)) - 3.0))
    return int(np.ceil(x / step) * step)
