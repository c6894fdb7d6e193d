"""The words of a bit: its axis, its wells, and the pulses that act on it.

A bit rests in one of two wells, n·a > 0 ("parallel") and n·a < 0 ("antiparallel"). What the
functions of this folder take in common is checked and labelled here, and here it is decided
(`has_common_axis`) whether the cosine n·a has an equation of its own, or the whole direction must
be followed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.energies import Anisotropy
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck.setting import sphere_points
from spintherm.magnet import Magnet
from spintherm.torques import Polariser
from spintherm.validation import FloatArray

UPPER, LOWER = (0.0, 1.0), (-1.0, 0.0)
"""The wells as ranges of c along the axis of an `AxialMagnet`."""

_ALONG = 1e-12
_DUST = 1e-9
_SHALLOW, _APART, _NEWTON = 0.1, 0.9, 30

_MAGNET = "a Magnet; a Nanomagnet has it as its `magnet`, with currents as `magnet_with`"


def well(side: float) -> tuple[float, float]:
    """Return the range of c with the sign of `side`."""
    return UPPER if side > 0.0 else LOWER


def sign_of_well(name: str, value: str) -> float:
    """Return 1 for "parallel" and -1 for "antiparallel".

    Raises
    ------
    ValueError
        If it is another word.
    """
    if value not in ("parallel", "antiparallel"):
        raise ValueError(validation.complaint(name, value, "'parallel' or 'antiparallel'"))
    return 1.0 if value == "parallel" else -1.0


def pulse_lengths(value: ArrayLike) -> FloatArray:
    """Return lengths of pulses, increasing and above zero, shape (L,)."""
    lengths = validation.increasing_times("pulse_lengths", value)
    if lengths[0] <= 0.0:
        raise ValueError(validation.complaint("pulse_lengths", lengths, "times above zero"))
    return lengths


def spin_torques(value: ArrayLike) -> FloatArray:
    """Return one spin torque, shape (3,), or a list of them, shape (C, 3)."""
    torques = validation.vectors("spin_torque", value)
    if torques.ndim > 2:
        raise ValueError(validation.complaint("spin_torque", torques, "shape (3,) or (C, 3)"))
    return torques


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


def axis_of(
    magnet: Magnet, direction: ArrayLike | None, *vectors: ArrayLike, name: str = "axis"
) -> FloatArray:
    """Return the unit vector along which fields and signs are counted.

    Parameters
    ----------
    magnet : Magnet
    direction : array_like, shape (3,), or None
        As the caller wants it.
    *vectors : array_like, shape (3,)
        Fields and torques, the first of which that is not zero is the last resort.
    name : str
        What the caller calls the direction, for the error.

    Returns
    -------
    ndarray, shape (3,)
        Along the direction if given; else the first polariser where the anisotropy has none or
        the same axis, else the easy axis on the polariser's side, else the axis of `AxialMagnet`.
    """
    if not isinstance(magnet, Magnet):
        raise TypeError(validation.complaint("magnet", magnet, _MAGNET))
    if direction is not None:
        return validation.unit_direction(name, direction)
    polariser = magnet.polarisers[0].vector if magnet.polarisers else None
    if magnet.anisotropy is not None:
        line = magnet.anisotropy.axis
        if line is None or (polariser is not None and not parallel(line, polariser)):
            return easy_axis(magnet.anisotropy, polariser)
    if polariser is not None:
        return polariser
    if magnet.anisotropy is None:
        for line in (np.asarray(one, dtype=np.float64) for one in vectors):
            length = float(np.linalg.norm(line))
            if length > 0.0:
                return np.asarray(line / length)
    return AxialMagnet(magnet, np.zeros(3)).axis


def parallel(line: FloatArray, vector: ArrayLike) -> bool:
    """Whether a vector lies along a unit vector, or is zero."""
    v = np.asarray(vector, dtype=np.float64)
    return bool(np.linalg.norm(np.cross(line, v)) <= _ALONG * np.linalg.norm(v))


def has_common_axis(magnet: Magnet, axis: FloatArray, *vectors: ArrayLike) -> bool:
    """Whether everything lies along an axis, so that n·a has an equation of its own.

    This is where the functions of the folder choose between the equation of the cosine (`cosine`)
    and that of the direction (`sphere`).

    Parameters
    ----------
    magnet : Magnet
    axis : ndarray, shape (3,)
        Unit vector.
    *vectors : array_like, shape (..., 3)
        All fields and torques.
    """
    return magnet.common_axis(axis, *vectors) is not None


def easy_axis(anisotropy: Anisotropy, side: FloatArray | None = None) -> FloatArray:
    """Return the direction of least anisotropy energy.

    Parameters
    ----------
    anisotropy : Anisotropy
    side : ndarray, shape (3,), optional
        Among directions of the same energy that nearest to this one is taken; without it, or
        across it, the one whose largest component is positive.

    Returns
    -------
    ndarray, shape (3,)
        Unit vector.
    """
    pull = np.zeros(3) if side is None else side
    n = sphere_points() if side is None else np.vstack((side, sphere_points()))
    heights = anisotropy(n)
    allowed = heights.min() + _SHALLOW * np.ptp(heights)
    starts: list[FloatArray] = []
    for place in np.argsort(heights):
        here = n[place]
        if heights[place] <= allowed and all(abs(v @ here) < _APART for v in starts):
            starts.append(here)
    found = [_polished(anisotropy, start) for start in starts]
    if side is not None:  # of an easy plane, the direction below the side
        found.append(_polished(anisotropy, side))
    energies = np.array([float(anisotropy(v)) for v in found])
    least = energies.min() + 1e-9 * np.ptp(heights)
    lowest = [v for v, e in zip(found, energies, strict=True) if e <= least]
    best = max((s * v for v in lowest for s in (1.0, -1.0)), key=lambda v: _preference(v, pull))
    return np.asarray(best / np.linalg.norm(best))


def _polished(anisotropy: Anisotropy, n: FloatArray) -> FloatArray:
    """The point without slope that Newton's steps along what is not flat lead to, downhill."""
    for _ in range(_NEWTON):
        x = np.linalg.svd(n[None])[2][1:]
        slope = x @ anisotropy.gradient(n)
        ahead, behind = ((n + s * 1e-5 * x) / np.hypot(1.0, 1e-5) for s in (1.0, -1.0))
        hessian = (anisotropy.gradient(ahead) - anisotropy.gradient(behind)) @ x.T / 2e-5
        values, modes = np.linalg.eigh(0.5 * (hessian + hessian.T))
        bent = np.abs(values) > 1e-7 * max(anisotropy.stiffness, 1e-300)
        move = np.where(bent, modes.T @ slope / np.where(bent, np.abs(values), 1.0), 0.0)
        length = float(np.linalg.norm(move))
        n = n - (modes @ move) @ x * min(1.0, 0.3 / max(length, 1e-300))
        n = n / np.linalg.norm(n)
        if length < 1e-13:
            break
    n = np.where(np.abs(n) < _DUST, 0.0, n)
    return np.asarray(n / np.linalg.norm(n))


def _preference(v: FloatArray, side: FloatArray) -> tuple[float, float]:
    """Nearness to a direction, then the sign of the largest component."""
    return round(float(v @ side), 6), float(v[np.argmax(np.abs(v))])


def currents(
    magnet: Magnet, torques: FloatArray, axis: FloatArray
) -> tuple[str, FloatArray, dict[str, str]]:
    """Return the coordinate of several torques: P·a, or P·p along the first polariser.

    The latter where the polariser is not along the axis; without polarisers p is the direction of
    the largest torque.
    """
    line, name = axis, "a"
    if not all(parallel(axis, one) for one in torques):
        sizes = np.linalg.norm(torques, axis=1)
        largest = torques[int(np.argmax(sizes))] / sizes.max()
        line, name = (magnet.polarisers[0].vector if magnet.polarisers else largest), "p"
    return "current", torques @ line, {"long_name": f"spin torque P·{name}"}
