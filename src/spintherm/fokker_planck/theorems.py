r"""The fluctuation theorems of a driven process as exact statements, nothing being sampled.

The joint theorem [I] 4.16 for densities is, for generating functions,

.. math:: G_F(k_W, k_S) = e^{-\beta\Delta F}\,G_B(-1 - k_W, -1 - k_S) ;

the integral theorem [I] 4.17 is its case k = -1, and the detailed theorem [I] 4.19,
:math:`p_F(\Sigma)\,e^{-\Sigma} = p_B(-\Sigma)`, its Fourier transform along k_W = k_S. Polarisers
turn in the backward process (`Magnet.reversed`), and H holds the field of a field-like torque.
Forward and backward process are solved independently of each other, and nothing in the solver knows
of the theorems: what is left of them measures the solver.

Exponents and entropies are dimensionless (k_B = 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm.fokker_planck import distribution
from spintherm.fokker_planck.generating import generating_function
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.labels import attributes
from spintherm.tabulate import fields_at_ends

if TYPE_CHECKING:
    import xarray

    from spintherm.magnet import Magnet
    from spintherm.progress import Progress
    from spintherm.protocol import Protocol

FLOOR = 1e-8


def joint_symmetry_residual(
    magnet: Magnet,
    protocol: Protocol,
    *,
    work: ArrayLike = 0.0,
    pumped_entropy: ArrayLike = 0.0,
    tolerance: float = 1e-11,
) -> Floats:
    """Return how far a process that starts in equilibrium is from the joint theorem, [I] 4.16.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
        The forward process.
    work, pumped_entropy : array_like, shape (...), real
        Exponents k_W of beta W and k_S of S_P; they broadcast. With 0 and 0, or -1 and -1, it is
        the integral theorem [I] 4.17 of the backward or of the forward process.
    tolerance : float
        As in `generating_function`.

    Returns
    -------
    ndarray, shape (...)
        |G_F(k) e^(beta dF) / G_B(-1 - k) - 1|.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If a weighted density cannot be resolved.
    """
    k_W, k_S = np.asarray(work, dtype=float), np.asarray(pumped_entropy, dtype=float)
    there = protocol.reversed()
    F = magnet.free_energy(fields_at_ends(magnet, protocol))
    one = generating_function(
        magnet, protocol, work=k_W, pumped_entropy=k_S, tolerance=tolerance, progress=False
    )
    other = generating_function(
        magnet.reversed(),
        there,
        work=-1.0 - k_W,
        pumped_entropy=-1.0 - k_S,
        tolerance=tolerance,
        progress=False,
    )
    logs = (np.log(g["generating_function"].values) for g in (one, other))
    forward, backward = logs
    return np.asarray(np.abs(np.expm1(forward - backward + magnet.beta * (F[1] - F[0]))))


def detailed_symmetry(
    magnet: Magnet,
    protocol: Protocol,
    *,
    tolerance: float = 1e-6,
    floor: float = FLOOR,
    progress: Progress = None,
) -> xarray.Dataset:
    """Compute both sides of the detailed theorem [I] 4.19 for a process that starts in equilibrium.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
        The forward process.
    tolerance, floor, progress
        As in `distribution`.

    Returns
    -------
    xarray.Dataset
        Along `entropy_production`, where p_F exceeds `floor` times its maximum: `forward`, which is
        p_F(Sigma), `backward`, which is p_B(-Sigma), the estimated absolute errors
        `forward_error` and `backward_error`, and `deviation`, p_B(-Sigma) e^Sigma / p_F(Sigma) - 1.
        The attribute `largest_deviation` is its largest absolute value.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or Sigma does not fluctuate.
    ResolutionError
        If a density is not smooth enough or needs too many harmonics.
    """
    import xarray

    one = distribution(magnet, protocol, tolerance=tolerance, floor=floor, progress=progress)
    one = one.isel(entropy_production=one["density"].values >= floor * float(one["density"].max()))
    x = one["entropy_production"].values
    other = distribution(
        magnet.reversed(),
        protocol.reversed(),
        points=-x[::-1],
        tolerance=tolerance,
        floor=floor,
        progress=progress,
    )
    p, q = one["density"].values, other["density"].values[::-1]
    deviation = q * np.exp(x) / p - 1.0

    def variable(values: Floats, meaning: str) -> Any:
        return ("entropy_production", values, {"units": "1", "long_name": meaning})

    return xarray.Dataset(
        {
            "forward": variable(p, "density of Sigma in the forward process"),
            "backward": variable(q, "density of -Sigma in the backward process"),
            "forward_error": variable(one["error"].values, "estimated error of forward"),
            "backward_error": variable(other["error"].values[::-1], "estimated error of backward"),
            "deviation": variable(deviation, "p_B(-Sigma) exp(Sigma) / p_F(Sigma) - 1"),
        },
        coords={"entropy_production": one["entropy_production"]},
        attrs=attributes(magnet, protocol)
        | {"largest_deviation": float(np.max(np.abs(deviation))), "floor": floor},
    )
