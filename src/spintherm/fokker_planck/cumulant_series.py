"""Long-time cumulants of work and pumped entropy, to any order without differences.

They are the Taylor coefficients of the leading eigenvalue of the tilted generator at zero, and come
from its perturbation series; one factorisation serves all orders.
"""

from __future__ import annotations

from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.fokker_planck.generator import (
    Coefficients,
    ResolutionError,
    backward,
    conjugated,
    counting_derivatives,
)
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.resolution import TOLERANCE, edge_tails
from spintherm.fokker_planck.responses import Responses, respond
from spintherm.fokker_planck.setting import settings
from spintherm.fokker_planck.steady import check_bath

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

SERIES_TAIL = 1e-6  # it enters the values squared


def cumulants(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: float = 0.0,
    pumped_entropy: float = 0.0,
    order: int = 4,
    tolerance: float = TOLERANCE,
) -> Floats:
    r"""Return the long-time cumulants per time of a combination of work and pumped entropy.

    Perturbation series of the eigenvalue along k(work, pumped_entropy): with
    :math:`A = \sum_j k^j A_j` the forward generator and a the left null vector of :math:`A_0`,
    :math:`(a, x_0) = 1`, :math:`(a, x_j) = 0`,

    .. math:: \lambda_n = (a, A_1 x_{n-1} + A_2 x_{n-2}), \qquad
       A_0 x_n = \sum_{j=1}^n \lambda_j x_{n-j} - A_1 x_{n-1} - A_2 x_{n-2} .

    Parameters
    ----------
    magnet, field, spin_torque, tolerance
        As in `steady_state`.
    work, pumped_entropy : float
        The combination work·beta W + pumped_entropy·S_P; for Sigma both are 1.
    order : int
        Highest cumulant.

    Returns
    -------
    ndarray, shape (order,)
        Mean, variance, third, ... cumulant per time.
    """
    check_bath(magnet)
    validation.positive_integer("order", order)
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    setting = settings(magnet, H[None], P[None])[0]
    first_W, first_S, second_W = counting_derivatives(
        setting.magnet, setting.field, setting.spin_torque
    )
    first = work * first_W + pumped_entropy * first_S
    found = respond(setting, (first,), tolerance=tolerance)
    return _series(found, first, 0.5 * work**2 * second_W, order)


def _series(found: Responses, first: Coefficients, second: Coefficients, order: int) -> Floats:
    one, two = (
        backward(found.basis, conjugated(c, found.gauge), found.landscape).T
        for c in (first, second)
    )
    x, values = [found.root], [0.0]
    for n in range(1, order + 1):
        push = one @ x[n - 1]
        if n > 1:
            push = push + two @ x[n - 2]
        values.append(float(found.ones @ push))
        x.append(found.solve(sum(values[j] * x[n - j] for j in range(1, n + 1)) - push))
    # the last vector found does not enter a value any more
    tail = max(max(edge_tails(found.basis, v, np.finfo(float).tiny)) for v in x[:-1])
    if tail > SERIES_TAIL:
        raise ResolutionError(f"the series of cumulants has a tail of {tail:.1e} ({found.basis})")
    return np.array([factorial(n) * values[n] for n in range(1, order + 1)])
