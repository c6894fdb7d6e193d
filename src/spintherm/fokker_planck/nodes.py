r"""Gauss-Legendre nodes on (-1, 1) with weights that are good to rounding close to the ends too.

The weights

.. math:: w_j = \frac{2}{(1 - x_j^2)\,P_n'(x_j)^2}

(Abramowitz and Stegun 25.4.29) are asked for at the roots, but known at the nearest numbers of
the machine, :math:`x_j + \delta_j` with :math:`\delta_j = P_n/P_n'`. Legendre's equation at a root,
:math:`(1 - x^2)P_n'' = 2xP_n'`, gives :math:`d\ln[(1 - x^2)P_n'^2] = 2x\,\delta/(1 - x^2)`, with
which they are corrected. NumPy's `leggauss` uses a form without this that is wrong by up to
:math:`n\epsilon/(1 - x^2)`, 1e-10 at 200 nodes: integrals with axial harmonics of high degree,
which are large at the poles, then lose three digits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from spintherm.fokker_planck.harmonics import Floats


@lru_cache(maxsize=256)
def gauss_legendre(count: int) -> tuple[Floats, Floats]:
    """Return nodes and weights on (-1, 1), shape (count,) each, not to be changed.

    Parameters
    ----------
    count : int
        Number of nodes, at least 1.
    """
    x, _ = np.polynomial.legendre.leggauss(count)
    before, value = np.ones_like(x), x
    for n in range(2, count + 1):
        before, value = value, ((2 * n - 1) * x * value - (n - 1) * before) / n
    across = (1.0 - x) * (1.0 + x)
    slope = count * (before - x * value) / across
    off = value / slope
    weights = 2.0 * (1.0 + 2.0 * x * off / across) / (across * slope**2)
    x.setflags(write=False)
    weights.setflags(write=False)
    return x, weights
