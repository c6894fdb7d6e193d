"""The words of a bit: its axis, its wells, and the pulses that act on it.

A bit rests in one of two wells, n·a > 0 ("parallel") and n·a < 0 ("antiparallel"). What the
functions of this folder take in common is checked and labelled here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.exact import AxialMagnet
from spintherm.magnet import Magnet
from spintherm.torques import Polariser
from spintherm.validation import FloatArray

UPPER, LOWER = (0.0, 1.0), (-1.0, 0.0)
"""The wells as ranges of c along the axis of an `AxialMagnet`."""


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
        return validation.unit_direction("direction", direction)
    if magnet.polarisers:
        return magnet.polarisers[0].vector
    if magnet.anisotropy is None:
        for line in (np.asarray(one, dtype=np.float64) for one in vectors):
            length = float(np.linalg.norm(line))
            if length > 0.0:
                return np.asarray(line / length)
    return AxialMagnet(magnet, np.zeros(3)).axis
