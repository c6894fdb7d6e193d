r"""Exact conditional averages of the fluctuation theorems for work and for pumped entropy.

Of the joint generating function G only one exponent is inverted, the other is held:

.. math:: p(W)\,\langle e^{-S_P}\rangle_W = \frac{\beta}{2\pi}\int G(c + i\omega, -1)\,
          e^{-(c + i\omega)\beta W}\,d\omega,

and likewise :math:`p(S_P)\,\langle e^{-\beta W}\rangle_{S_P}` from G(-1, c + iω).
Divided by the density itself they are the conditional averages [I] 4.22 (over
:math:`p_F(S_P|W)`) and 4.23 (of :math:`e^{-\beta W}`, over :math:`p_F(W|S_P)`). The theorems
[I] 4.24 and 4.25 compare them with the backward process:

.. math:: p_F(W)e^{-\beta W}\langle e^{-S_P}\rangle_W = p_B(-W)e^{-\beta\Delta F}, \qquad
          p_F(S_P)e^{-S_P}\langle e^{\beta(\Delta F - W)}\rangle_{S_P} = p_B(-S_P) .

W carries the unit of energy; S_P is a pure number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.fokker_planck.functional_density import QUANTITIES, line_density
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.initial import Initial
from spintherm.fokker_planck.inversion import Line
from spintherm.fokker_planck.labels import attributes
from spintherm.fokker_planck.process import process
from spintherm.progress import Progress, reporting

if TYPE_CHECKING:
    import xarray

    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol

HELD = {"work": (0.0, -1.0, 0.0, 0.0), "pumped_entropy": (-1.0, 0.0, 0.0, 0.0)}
AVERAGED = {"work": "exp(-S_P)", "pumped_entropy": "exp(-beta W)"}


def conditional_average(
    magnet: Magnet,
    protocol: Protocol,
    *,
    given: str = "work",
    points: ArrayLike | None = None,
    initial: Initial = "equilibrium",
    tolerance: float = 1e-6,
    floor: float = 1e-10,
    progress: Progress = None,
) -> xarray.Dataset:
    """Compute <exp(-S_P)> at given work, [I] 4.22, or <exp(-beta W)> at given S_P, [I] 4.23.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
    given : {"work", "pumped_entropy"}
        What is held fixed.
    points, initial, tolerance, floor, progress
        As in `distribution`, for the density of `given`.

    Returns
    -------
    xarray.Dataset
        Along a dimension named like `given`: its `density`, the `weighted_density`, which is the
        density times the average, the `conditional_average`, and the estimated absolute errors
        `density_error`, `weighted_density_error` and `conditional_average_error`.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or the given quantity does not fluctuate.
    ResolutionError
        If the density is not smooth enough or needs too many harmonics.
    """
    if given not in HELD:
        expected = "one of " + ", ".join(map(repr, HELD))
        raise ValueError(validation.complaint("given", given, expected))
    accuracy = validation.finite_scalar("tolerance", tolerance, positive=True)
    least = validation.finite_scalar("floor", floor, positive=True)
    quantity = QUANTITIES[given]
    unit = magnet.temperature if quantity.energy else 1.0
    here = process(magnet, protocol, initial, 1e-2 * accuracy)
    direction = np.array(quantity.direction)
    x = None if points is None else validation.increasing_times("points", points) / unit
    with reporting(progress, f"averages given {given}", "frequencies") as report:
        bare = line_density(Line(here, np.zeros(4), direction), x, accuracy, least, report)
        held = Line(here, np.array(HELD[given]), direction)
        weighted = line_density(held, bare.x, accuracy, least, report)
    return _dataset(magnet, protocol, given, unit, bare.x, (bare, weighted))


def _dataset(
    magnet: Magnet, protocol: Protocol, given: str, unit: float, x: Floats, pair: Any
) -> xarray.Dataset:
    import xarray

    bare, weighted = pair
    average = weighted.density / bare.density
    error = np.abs(average) * (
        bare.error / np.abs(bare.density) + weighted.error / np.abs(weighted.density)
    )
    quantity = QUANTITIES[given]
    per = "1/energy" if quantity.energy else "1"

    def variable(values: Floats, units: str, meaning: str) -> Any:
        return (given, values, {"units": units, "long_name": meaning})

    mean = f"<{AVERAGED[given]}> at given {given}"
    return xarray.Dataset(
        {
            "density": variable(bare.density / unit, per, f"probability density of {given}"),
            "density_error": variable(bare.error / unit, per, "estimated error of density"),
            "weighted_density": variable(weighted.density / unit, per, f"density times {mean}"),
            "weighted_density_error": variable(
                weighted.error / unit, per, "estimated error of weighted_density"
            ),
            "conditional_average": variable(average, "1", mean),
            "conditional_average_error": variable(error, "1", f"estimated error of {mean}"),
        },
        coords={given: variable(x * unit, quantity.unit, quantity.meaning)},
        attrs=attributes(magnet, protocol),
    )
