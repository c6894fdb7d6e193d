r"""Exact probability densities of work, heat, pumped entropy and entropy production.

With :math:`G(k) = \langle e^{kx}\rangle` from the tilted Fokker-Planck equation,

.. math:: p(x) = \frac1{2\pi}\int G(c + i\omega)\,e^{-(c + i\omega)x}\,d\omega

for every real c, because G is entire. Errors of G are relative to G(c), hence errors of p are
relative to the tilted density :math:`p(x)e^{cx}`, which is largest near x = d ln G/dc. So the tails
keep their relative accuracy if c follows x (exponential tilting, the saddle point of the
integrand): a few tilts are glued, at each x the one with the smallest error (`tilts`, `inversion`).

The counted quantities: x = beta W is counted by k_W, S_P by k_S, Sigma + beta dF of [I] 4.18 by
both together. Heat needs the energies at both ends, for by the first law
:math:`-\beta Q = \beta W + \beta E_0 - \beta E_\tau`: the initial density is multiplied by
:math:`e^{k\beta E_0}` and the final one by :math:`e^{-k\beta E_\tau}`.

Energies are in units of temperature times k_B; entropies are in units of k_B = 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.initial import Initial
from spintherm.fokker_planck.inversion import Contour, Line, contours
from spintherm.fokker_planck.labels import attributes
from spintherm.fokker_planck.process import Process, process
from spintherm.fokker_planck.tilts import DEPTH, Survey, survey
from spintherm.progress import Progress, reporting

if TYPE_CHECKING:
    import xarray

    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol


@dataclass(frozen=True)
class Quantity:
    """What a density can be of: its direction in the exponents' space, unit and meaning."""

    direction: tuple[float, float, float, float]
    energy: bool
    meaning: str

    @property
    def unit(self) -> str:
        """Unit of the quantity."""
        return "energy" if self.energy else "1"


QUANTITIES = {
    "entropy_production": Quantity(
        (1.0, 1.0, 0.0, 0.0), False, "stochastic entropy production beta (W - dF) + S_P, [I] 4.18"
    ),
    "work": Quantity((1.0, 0.0, 0.0, 0.0), True, "work W done on the magnet, [I] 3.3a"),
    "pumped_entropy": Quantity((0.0, 1.0, 0.0, 0.0), False, "pumped entropy S_P, [I] 3.9"),
    "environment_entropy": Quantity(
        (1.0, 1.0, 1.0, -1.0), False, "entropy change of the environment -beta Q + S_P, [I] 3.10"
    ),
    "heat": Quantity((-1.0, 0.0, -1.0, 1.0), True, "heat Q absorbed from the bath, [I] 3.3b"),
}
"""Quantities that `distribution` knows."""

DEFAULT_POINTS = 401
IMAGES = 2.0  # safety of the estimate of images, which is good to some ten per cent


def distribution(
    magnet: Magnet,
    protocol: Protocol,
    *,
    of: str = "entropy_production",
    points: ArrayLike | None = None,
    initial: Initial = "equilibrium",
    tolerance: float = 1e-6,
    floor: float = 1e-10,
    progress: Progress = None,
) -> xarray.Dataset:
    """Compute the exact probability density of a functional of the process.

    The density of the backward process is that of ``protocol.reversed()``.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
    of : {"entropy_production", "work", "pumped_entropy", "environment_entropy", "heat"}
        The quantity: Sigma = beta (W - dF) + S_P, W, S_P, -beta Q + S_P or Q.
    points : array_like, shape (n,), optional
        Where to evaluate the density, rising; by default 401 points over the range in which it
        exceeds `floor` times its maximum.
    initial
        Initial density, see `initial.initial_density`.
    tolerance : float
        Wanted relative error of the density, down to `floor`.
    floor : float
        Density, relative to the maximum, below which nothing is promised.
    progress : bool or callable, optional
        See `spintherm.progress`; counts frequencies.

    Returns
    -------
    xarray.Dataset
        Along a dimension named like the quantity: `density`, its estimated `error` (absolute) and
        the `tilt` c that was used. Attributes record the process, the truncation, the number of
        values of G, and `overlap`: the largest deviation between neighbouring tilts where one
        takes over from the other, in units of the estimated error.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or the quantity does not fluctuate.
    ResolutionError
        If the density is not smooth enough or needs too many harmonics.
    """
    if of not in QUANTITIES:
        expected = "one of " + ", ".join(map(repr, QUANTITIES))
        raise ValueError(validation.complaint("of", of, expected))
    accuracy = validation.finite_scalar("tolerance", tolerance, positive=True)
    least = validation.finite_scalar("floor", floor, positive=True)
    quantity = QUANTITIES[of]
    here = process(magnet, protocol, initial, 1e-2 * accuracy)
    unit = magnet.temperature if quantity.energy else 1.0
    shift = magnet.beta * here.free_energy_change if of == "entropy_production" else 0.0
    x = None if points is None else validation.increasing_times("points", points) / unit + shift
    line = Line(here, np.zeros(4), np.array(quantity.direction))
    with reporting(progress, f"density of {of}", "frequencies") as report:
        found = line_density(line, x, accuracy, least, report)
    return _dataset(here, of, found, unit, shift, accuracy)


@dataclass(frozen=True)
class LineDensity:
    """Density along a line of exponents, in the units of the exponents.

    Attributes
    ----------
    x, density, error, tilt : ndarray, shape (n,)
    overlap : float
        Largest deviation between neighbouring tilts at the point where they are equally good,
        over the sum of their estimated errors.
    contours : tuple of Contour
    """

    x: Floats
    density: Floats
    error: Floats
    tilt: Floats
    overlap: float
    contours: tuple[Contour, ...]


def line_density(
    line: Line, x: Floats | None, tolerance: float, floor: float, report: Any = None
) -> LineDensity:
    """Invert G along a line; x (n,) rising, or None for the range above the floor."""
    seen = survey(line.process, line.base, line.direction, floor, x)
    low, high = seen.range_above(floor)
    if x is None:
        x = np.linspace(low, high, DEFAULT_POINTS)
    else:
        low, high = float(x[0]), float(x[-1])
    glued = tuple(_contours(line, seen, low, high, tolerance, report))
    each = np.array([_density(c, seen, x) for c in glued])
    best = np.argmin(each[:, 1], axis=0)
    place = np.arange(len(x))
    tilts = np.array([c.tilt for c in glued])
    overlap = max((_overlap(seen, *pair) for pair in pairwise(glued)), default=0.0)
    return LineDensity(x, each[best, 0, place], each[best, 1, place], tilts[best], overlap, glued)


def _density(contour: Contour, seen: Survey, x: Floats) -> tuple[Floats, Floats]:
    """Density at x (n,) and its error, that due to images included."""
    density, error = contour.density(x)
    return density, error + IMAGES * seen.images(contour.tilt, x, 2.0 * np.pi / contour.spacing)


def _contours(
    line: Line, seen: Survey, low: float, high: float, tolerance: float, report: Any
) -> list[Contour]:
    tilts = seen.cover(max(low, seen.place[0]), min(high, seen.place[-1]))
    depth = DEPTH + 2.0 - np.log(tolerance)
    period = max(seen.period(float(c), depth) for c in tilts)
    if line.process.schedule.landscape is not None:
        # a little more puts the images at one end of the support beyond the other
        clear = 1.001 * max(high - seen.support[0], seen.support[1] - low)
        period = clear if period < clear < 1.1 * period else period
    goals = np.array([tolerance * np.exp(-DEPTH) * seen.peak(float(c)) for c in tilts])
    return contours(line, tilts, 2.0 * np.pi / period, goals, report)


def _overlap(seen: Survey, one: Contour, other: Contour) -> float:
    """Deviation of two tilts where their errors are equal, over the sum of these errors."""
    gap = one.log_first + np.log(one.error) - other.log_first - np.log(other.error)
    x = np.array([gap / (one.tilt - other.tilt)])
    (p, error), (q, other_error) = _density(one, seen, x), _density(other, seen, x)
    return float(np.abs(p - q)[0] / (error + other_error)[0])


def _dataset(
    here: Process, of: str, found: LineDensity, unit: float, shift: float, tolerance: float
) -> xarray.Dataset:
    import xarray

    quantity = QUANTITIES[of]
    per = f"1/({quantity.unit})" if quantity.energy else "1"

    def variable(values: Floats, unit_name: str, meaning: str) -> Any:
        return (of, values, {"units": unit_name, "long_name": meaning})

    x = (found.x - shift) * unit
    return xarray.Dataset(
        {
            "density": variable(found.density / unit, per, f"probability density of {of}"),
            "error": variable(found.error / unit, per, "estimated error of the density"),
            "tilt": variable(found.tilt / unit, per, "tilt of the contour that was used"),
        },
        coords={of: variable(x, quantity.unit, quantity.meaning)},
        attrs=attributes(here.magnet, here.protocol)
        | {
            "free_energy_change": here.free_energy_change,
            "tolerance": tolerance,
            "overlap": found.overlap,
            "evaluations": sum(len(c.values) for c in found.contours),
            "l_max": max(c.l_max for c in found.contours),
            "m_max": max(c.m_max for c in found.contours),
        },
    )
