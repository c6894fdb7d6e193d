r"""Local detailed balance [I] 2.17-2.18, and the symmetry that it gives to counting statistics.

A step weighted with :math:`e^{k_W\beta W + k_S S_P}` is the reversed step (n -> -n, H -> -H, ends
exchanged) weighted with -1 - k, up to the Boltzmann factors of its ends. For generators, with the
parity :math:`\Theta` and :math:`u = \beta m H`, this is the operator identity

.. math:: e^{u\cdot n} M_H(k)\,e^{-u\cdot n} = \Theta\,M_{-H}(-1 - k)^T\,\Theta ,

so that :math:`\lambda_H(k_W, k_S) = \lambda_{-H}(-1 - k_W, -1 - k_S)`. With anisotropy the
exponent is :math:`-\beta E`; the polarisers on the right are those of `Magnet.reversed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.fokker_planck.counting import TOLERANCE, exponents, scgf
from spintherm.fokker_planck.generator import backward, coefficients, conjugated, span_weights
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.landscape import fields_of, landscape_of, reduced
from spintherm.fokker_planck.steady import check_bath

if TYPE_CHECKING:
    from spintherm.magnet import Magnet


def symmetry_residual(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: ArrayLike = 0.0,
    pumped_entropy: ArrayLike = 0.0,
    tolerance: float = TOLERANCE,
) -> NDArray[Any]:
    """Return lambda_H(k_W, k_S) - lambda_{-H}(-1 - k_W, -1 - k_S), zero by [I] 2.18.

    The two sides are computed independently. Arguments and shape as in `scgf`.
    """
    k_W, k_S = exponents("work", work), exponents("pumped_entropy", pumped_entropy)
    H = validation.vectors("field", field)
    here = scgf(magnet, H, spin_torque, work=k_W, pumped_entropy=k_S, tolerance=tolerance)
    there = scgf(
        magnet.reversed(),
        -H,
        spin_torque,
        work=-1.0 - k_W,
        pumped_entropy=-1.0 - k_S,
        tolerance=tolerance,
    )
    return np.asarray(here - there)


def detailed_balance_residual(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: complex = 0.0,
    pumped_entropy: complex = 0.0,
    l_max: int = 12,
) -> float:
    """Return how far the generator is from local detailed balance, [I] 2.17 and 2.18.

    Both sides are made as matrices of harmonics up to `l_max`.

    Returns
    -------
    float
        Largest difference of elements relative to the largest element: rounding, about 1e-16.
    """
    check_bath(magnet)
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    basis = Basis(l_max, l_max)
    mirror = magnet.reversed()
    (H, P), (H_mirror, P_mirror) = fields_of(magnet, H, P), fields_of(mirror, -H, P)
    magnet, mirror = reduced(magnet), reduced(mirror)
    here = coefficients(magnet, H, P, work=work, pumped_entropy=pumped_entropy)
    there = coefficients(
        mirror, H_mirror, P_mirror, work=-1.0 - work, pumped_entropy=-1.0 - pumped_entropy
    )
    exponent = magnet.beta * magnet.moment * H
    if not magnet.is_uniform:
        exponent = -magnet.beta * span_weights(magnet, H, P)[0]
    one = backward(basis, conjugated(here, exponent), landscape_of(magnet)).toarray()
    sign = (-1.0) ** basis.degrees
    other = sign[:, None] * backward(basis, there, landscape_of(mirror)).toarray().T * sign
    return float(np.max(np.abs(one - other)) / np.max(np.abs(other)))
