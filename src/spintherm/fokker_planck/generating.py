r"""The generating function of work and pumped entropy of a whole process.

.. math:: G(k_W, k_S) = \langle e^{k_W\beta W + k_S S_P}\rangle
          = \int d\Omega\; \mathcal T e^{\int M(k, t)^T dt}\,p_0

is the integral of the density weighted by the exponential (Feynman-Kac), with the tilted generator
M(k) of `generator` along the protocol. A jump of H by dH multiplies the weighted density by
:math:`e^{-k_W\beta m\cdot dH}`, for its work is done at fixed m ([I] 3.3a). For a process that
starts in equilibrium the joint fluctuation theorem [I] 4.16 reads

.. math:: G_F(k_W, k_S) = e^{-\beta\Delta F}\,G_B(-1 - k_W, -1 - k_S),

and the integral theorem [I] 4.17 is :math:`G_F(-1, -1) = e^{-\beta\Delta F}`. Neither is built
in: the backward process is integrated on its own, and neither truncation nor time steps respect
the theorems.

Exponents and G are dimensionless.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.fokker_planck.exponents import points
from spintherm.fokker_planck.initial import Initial
from spintherm.fokker_planck.labels import attributes
from spintherm.fokker_planck.process import process
from spintherm.progress import Progress, reporting

if TYPE_CHECKING:
    import xarray

    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol

BATCH = 48  # exponents that go through the process together


def generating_function(
    magnet: Magnet,
    protocol: Protocol,
    *,
    work: ArrayLike = 0.0,
    pumped_entropy: ArrayLike = 0.0,
    initial: Initial = "equilibrium",
    tolerance: float = 1e-11,
    l_max: int | None = None,
    progress: Progress = None,
) -> xarray.Dataset:
    """Compute G = <exp(k_W beta W + k_S S_P)>.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
    work, pumped_entropy : array_like, shape (...), real or complex
        Dimensionless exponents k_W of beta W and k_S of S_P; they broadcast.
    initial
        Initial density, see `initial.initial_density`.
    tolerance : float
        Wanted error, relative to |G| for real exponents and to the norm of the weighted density
        for complex ones.
    l_max : int, optional
        Fixed truncation instead of an automatic one.
    progress : bool or callable, optional
        See `spintherm.progress`; counts exponents.

    Returns
    -------
    xarray.Dataset
        `generating_function` over the dimensions ``exponent_0, exponent_1, ...`` of the broadcast
        shape, its absolute `error`, and the coordinates `work` and `pumped_entropy`. The error is
        measured, as the difference from a run with a hundred times larger tolerance.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If the weighted density cannot be resolved.
    OverflowError
        If G exceeds the range of floating-point numbers.
    """
    accuracy = validation.finite_scalar("tolerance", tolerance, positive=True)
    k_W, k_S = np.broadcast_arrays(
        _exponents("work", work), _exponents("pumped_entropy", pumped_entropy)
    )
    shape = k_W.shape
    k = np.stack([k_W.ravel(), k_S.ravel()])
    here = process(magnet, protocol, initial, 1e-16)
    # strong exponents need more harmonics: let those of similar strength go together
    order = np.argsort(np.sum(np.abs(k + 0.5) ** 2, axis=0), kind="stable")
    values, errors = np.empty(k.shape[1], dtype=k.dtype), np.empty(k.shape[1])
    degree = 0
    with reporting(progress, "generating function", "exponents") as report:
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            values[part], errors[part], columns = here.measured(
                points(*k[:, part]), accuracy, l_max
            )
            degree = max(degree, columns.basis.l_max)
            report(start + len(part), len(order))
    return _dataset(magnet, protocol, k.reshape(2, *shape), values, errors, degree)


def _exponents(name: str, value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    expected = "finite real or complex numbers"
    if array.dtype.kind not in "iufc":
        raise TypeError(validation.complaint(name, value, expected))
    if not np.all(np.isfinite(array)):
        raise ValueError(validation.complaint(name, value, expected))
    return array.astype(complex if array.dtype.kind == "c" else float)


def _dataset(
    magnet: Magnet,
    protocol: Protocol,
    k: NDArray[Any],
    values: NDArray[Any],
    errors: NDArray[Any],
    degree: int,
) -> xarray.Dataset:
    import xarray

    shape = k.shape[1:]
    dims = tuple(f"exponent_{i}" for i in range(len(shape)))

    def variable(numbers: NDArray[Any], meaning: str) -> Any:
        return (dims, numbers.reshape(shape), {"units": "1", "long_name": meaning})

    return xarray.Dataset(
        {
            "generating_function": variable(values, "<exp(k_W beta W + k_S S_P)>"),
            "error": variable(errors, "estimated absolute error of the generating function"),
        },
        coords={
            "work": variable(k[0], "exponent k_W of beta W"),
            "pumped_entropy": variable(k[1], "exponent k_S of S_P"),
        },
        attrs=attributes(magnet, protocol) | {"l_max": degree},
    )
