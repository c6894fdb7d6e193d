r"""Which tilt makes a value usual: the one under which it is the mean, K'(c) = x.

K is the logarithm of the generating function along the quantity's direction of exponents. The tail
beyond x is then estimated from paths of which half lie beyond x and the nearest to x weigh most.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.fokker_planck.functional_density import QUANTITIES
from spintherm.fokker_planck.process import process
from spintherm.fokker_planck.tilts import survey
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.rare.sampling import check

FloatArray = NDArray[np.float64]

COUNTED = ("entropy_production", "work", "pumped_entropy")
"""Quantities that can be tilted: the combinations of W and S_P."""


def tilt_for(
    magnet: Magnet, protocol: Protocol, at: ArrayLike, *, of: str = "entropy_production"
) -> FloatArray:
    """Return the exponents under which the mean of a quantity has the given values.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    protocol : Protocol
    at : array_like, shape (...)
        Wanted means, in the units of the quantity.
    of : {"entropy_production", "work", "pumped_entropy"}
        The quantity.

    Returns
    -------
    ndarray, shape (..., 2)
        (k_W, k_S), each pair a `tilt` for `importance_sampling`.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, the quantity does not fluctuate, or no tilt reaches a value.
    """
    check(magnet, protocol)
    if of not in COUNTED:
        expected = "one of " + ", ".join(map(repr, COUNTED))
        raise ValueError(validation.complaint("of", of, expected))
    wanted = validation.real_array("at", at)
    here = process(magnet, protocol, "equilibrium", 1e-8)
    quantity = QUANTITIES[of]
    shift = magnet.beta * here.free_energy_change if of == "entropy_production" else 0.0
    x = wanted / (magnet.temperature if quantity.energy else 1.0) + shift
    direction = np.array(quantity.direction)
    seen = survey(here, np.zeros(4), direction, 1.0, np.array([np.min(x), np.max(x)]))
    if np.min(x) < seen.place[0] or np.max(x) > seen.place[-1]:
        reach = (seen.place[[0, -1]] - shift) * (magnet.temperature if quantity.energy else 1.0)
        expected = f"values that a tilt reaches, from {reach[0]:.4g} to {reach[1]:.4g}"
        raise ValueError(validation.complaint("at", at, expected))
    tilts = np.interp(x, seen.place, seen.tilt)
    return np.asarray(tilts[..., None] * direction[:2])
