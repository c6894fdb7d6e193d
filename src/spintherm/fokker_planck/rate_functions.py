r"""Rate functions: Legendre transforms :math:`I(a) = \max_k[k a - \lambda(k)]`.

The density of a time average a = W/tau, S_P/tau or Sigma/tau falls like exp(-tau I(a)). The maximum
is where :math:`\lambda'(k) = a`; the derivative is exact, from the eigenvectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display, validation
from spintherm.fokker_planck.counting import leading, slope
from spintherm.fokker_planck.generator import LAPLACIAN
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.landscape import pumping_range
from spintherm.fokker_planck.setting import Setting, settings
from spintherm.fokker_planck.steady import check_bath

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

FUNCTIONALS = {"work": (1.0, 0.0), "pumped_entropy": (0.0, 1.0), "entropy_production": (1.0, 1.0)}
"""Directions in the plane of exponents (beta W, S_P)."""


@dataclass(frozen=True)
class RateFunction:
    """Large-deviation rates of a time average.

    Attributes
    ----------
    values : ndarray, shape (...)
        Time averages a.
    rates : ndarray, shape (...)
        I(a) in 1/time: the density of a falls like exp(-tau I(a)). Infinite out of reach.
    exponents : ndarray, shape (...)
        k at which dlambda/dk = a; also I'(a). nan out of reach.
    """

    values: Floats
    rates: Floats
    exponents: Floats

    def _repr_html_(self) -> str:
        return display.rate_function_card(self)


def rate_function(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    functional: str,
    values: ArrayLike,
    *,
    tolerance: float = 1e-10,
) -> RateFunction:
    """Return the rate function of a functional's time average by Legendre transformation.

    Parameters
    ----------
    magnet : Magnet
    field, spin_torque : array_like, shape (3,)
    functional : {"work", "pumped_entropy", "entropy_production"}
    values : array_like, shape (...)
        Rates: W/tau in energy per time, S_P/tau or Sigma/tau in 1/time.
    tolerance : float
        Of the match dlambda/dk = a, relative to the standard deviation per unit time.

    Returns
    -------
    RateFunction

    Raises
    ------
    ValueError
        For an unknown functional or bad arguments, or without spin torque (nothing fluctuates).
    ResolutionError
        For values so far out that the tilted eigenfunctions cannot be resolved.
    """
    check_bath(magnet)
    if functional not in FUNCTIONALS:
        expected = " or ".join(repr(name) for name in FUNCTIONALS)
        raise ValueError(validation.complaint("functional", functional, expected))
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    if not np.any(P):
        raise ValueError(validation.complaint("spin_torque", P, "a vector that is not zero"))
    a = validation.real_array("values", values)
    setting = settings(magnet, H[None], P[None])[0]
    unit = magnet.beta if functional == "work" else 1.0
    low, top = -np.inf, np.inf
    if functional == "pumped_entropy" and setting.landscape is None:
        P = setting.spin_torque
        top = 2.0 * abs(magnet.gyromagnetic_ratio) * magnet.moment * float(np.linalg.norm(P))
        low = -top
    elif functional == "pumped_entropy":
        low, top = pumping_range(setting.magnet, setting.spin_torque)
    legendre = _Legendre(setting, FUNCTIONALS[functional], tolerance)
    pairs = np.array(
        [legendre(unit * x) if low < x < top else (np.inf, np.nan) for x in a.ravel()]
    ).reshape(*a.shape, 2)
    return RateFunction(a, pairs[..., 0], pairs[..., 1])


class _Legendre:
    """Solver of lambda'(k) = a along one direction of exponents."""

    def __init__(self, setting: Setting, way: tuple[float, float], tolerance: float) -> None:
        self.setting, self.way = setting, way
        self.known: dict[float, tuple[float, float]] = {}
        step = 1e-3
        self.mean = self.at(0.0)[1]
        self.spread = (self.at(step)[1] - self.at(-step)[1]) / (2.0 * step)
        self.tolerance = tolerance * np.sqrt(self.spread * abs(setting.coefs[LAPLACIAN]))

    def at(self, k: float) -> tuple[float, float]:
        """Return lambda and its derivative at exponent k."""
        if k not in self.known:
            work, pumped = k * self.way[0], k * self.way[1]
            found = leading(self.setting, work, pumped)
            in_work, in_pumped = slope(self.setting, found, work)
            gradient = self.way[0] * in_work + self.way[1] * in_pumped
            self.known[k] = float(found.value), float(gradient)
        return self.known[k]

    def __call__(self, a: float) -> tuple[float, float]:
        """Return I(a) and the exponent."""
        from scipy.optimize import brentq

        reach = (a - self.mean) / self.spread
        if abs(a - self.mean) <= self.tolerance:
            return 0.0, 0.0
        near, far = 0.0, reach
        while (self.at(far)[1] - a) * np.sign(reach) < 0.0:
            near, far = far, 2.0 * far
        size = max(abs(far), abs(near))
        k = float(brentq(lambda x: self.at(x)[1] - a, near, far, xtol=1e-10 * size, rtol=1e-12))
        # second order in the error of k, since dI/dk = 0 there
        return max(k * a - self.at(k)[0], 0.0), k
