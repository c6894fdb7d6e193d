r"""Exact moments of work, pumped entropy and entropy production, without any differencing.

The weighted density of `generating` is expanded in the exponents,
:math:`p(k) = \sum_{ij} k_W^i k_S^j\,p_{ij}`. With the tilted generator
:math:`M(k) = M_0 + k_W M_W + k_S M_S + k_W^2 M_{WW}` the coefficients obey the closed hierarchy

.. math:: \dot p_{ij} = M_0^T p_{ij} + M_W^T p_{i-1,j} + M_S^T p_{i,j-1} + M_{WW}^T p_{i-2,j},

which is integrated as one linear system (the columns of a `jet`). At a jump of H by dH it is
:math:`p_{ij} \to \sum_a (-\beta m\cdot dH)^a p_{i-a,j}/a!`. The moments are
:math:`\langle(\beta W)^i S_P^j\rangle = i!\,j!\int p_{ij}\,d\Omega`; central moments and cumulants
follow from the power series of :math:`G e^{-k\cdot\mathrm{mean}}` and of :math:`\ln G`.

Powers of W carry the unit of energy; S_P and Sigma are pure numbers (k_B = 1).
"""

from __future__ import annotations

from math import comb, factorial
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm import validation
from spintherm.fokker_planck.evolution import anisotropy_row
from spintherm.fokker_planck.exponents import jet, plain
from spintherm.fokker_planck.generator import integrals
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.initial import Initial
from spintherm.fokker_planck.labels import attributes
from spintherm.fokker_planck.process import Process, process

if TYPE_CHECKING:
    import xarray

    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol

TOLERANCE = 1e-11


def moments(
    magnet: Magnet,
    protocol: Protocol,
    *,
    order: int = 4,
    initial: Initial = "equilibrium",
    tolerance: float = TOLERANCE,
) -> xarray.Dataset:
    """Compute the moments of W, S_P and Sigma = beta (W - dF) + S_P.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
    order : int
        Largest total order.
    initial
        Initial density, see `initial.initial_density`.
    tolerance : float
        Wanted error of the Taylor coefficients of G relative to the largest of them.

    Returns
    -------
    xarray.Dataset
        `raw_moment`, `central_moment`, `cumulant (work_power, pumped_entropy_power)` of W and S_P,
        nan where the powers exceed `order` together; the same of Sigma along
        `power`: `entropy_production_raw_moment`, `..._central_moment`, `..._cumulant`;
        `error (work_power, pumped_entropy_power)`, estimated, of the raw moments.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If the density cannot be resolved.
    """
    highest = validation.positive_integer("order", order)
    accuracy = validation.finite_scalar("tolerance", tolerance, positive=True)
    here = process(magnet, protocol, initial, 1e-16)
    exponents, powers = jet(np.zeros(4), np.eye(4)[:2], highest)
    values, errors, columns = here.measured(exponents, accuracy)
    series, error = (np.full((highest + 1, highest + 1), np.nan) for _ in range(2))
    for power, value, uncertain in zip(powers, values, errors, strict=True):
        series[power], error[power] = value, uncertain
    return _dataset(here, series, error, columns.basis.l_max)


def functional_means(
    magnet: Magnet, protocol: Protocol, *, initial: Initial = "equilibrium"
) -> dict[str, float]:
    """Compute the mean work, heat, pumped entropy, energy change and entropy production.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
    initial
        Initial density, see `initial.initial_density`.

    Returns
    -------
    dict
        Means of `work`, `heat`, `pumped_entropy`, `energy_change` and `entropy_production`, as
        `simulate` defines them.
    """
    here = process(magnet, protocol, initial, 1e-14)
    exponents, powers = jet(np.zeros(4), np.eye(4)[:2], 1)
    values, _, columns = here.measured(exponents, TOLERANCE)
    mean = dict(zip(powers, values, strict=True))
    before, after = here.columns(plain()), columns
    fields = here.schedule.initial_field, here.schedule.final_field
    energies = [
        -magnet.moment * float(integrals(c.basis)[1:] @ c.values[:, 0] @ H)
        for c, H in zip((before, after), fields, strict=True)
    ]
    reduced_magnet = here.schedule.magnet
    if reduced_magnet.anisotropy is not None:
        rows = (anisotropy_row(reduced_magnet, c.basis) @ c.values[:, 0] for c in (before, after))
        energies = [e + float(row) for e, row in zip(energies, rows, strict=True)]
    work, pumped = float(mean[1, 0]) * magnet.temperature, float(mean[0, 1])
    change = energies[1] - energies[0]
    return {
        "work": work,
        "heat": change - work,
        "pumped_entropy": pumped,
        "energy_change": change,
        "entropy_production": magnet.beta * (work - here.free_energy_change) + pumped,
    }


def product(a: Floats, b: Floats) -> Floats:
    """Product of two power series in two variables, shape (n, n) each, to total order n - 1."""
    out = np.zeros_like(a)
    for i, j in _triangle(len(a)):
        for k, m in _triangle(len(a)):
            if i + k + j + m < len(a):
                out[i + k, j + m] += a[i, j] * b[k, m]
    return out


def logarithm(series: Floats) -> Floats:
    """Logarithm of a power series that begins with 1, by ln(1 + x) = x - x²/2 + ..."""
    rest = series.copy()
    rest[0, 0] = 0.0
    out, power = np.zeros_like(series), np.zeros_like(series)
    power[0, 0] = 1.0
    for n in range(1, len(series)):
        power = product(power, rest)
        out += (-1.0) ** (n + 1) / n * power
    return out


def shifted(series: Floats, a: float, b: float) -> Floats:
    """Power series times exp(a x + b y)."""
    factor = np.zeros_like(series)
    for i, j in _triangle(len(series)):
        factor[i, j] = a**i / factorial(i) * b**j / factorial(j)
    return product(series, factor)


def along(series: Floats, shift: float = 0.0) -> Floats:
    """Moments of x + y + shift from the series of their generating function, shape (n,)."""
    moved = shifted(series, shift, 0.0)
    return np.array(
        [
            sum(comb(n, i) * _moment(moved, i, n - i) for i in range(n + 1))
            for n in range(len(series))
        ]
    )


def _moment(series: Floats, i: int, j: int) -> float:
    return float(series[i, j]) * factorial(i) * factorial(j)


def _triangle(size: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(size) for j in range(size - i)]


def _dataset(here: Process, raw: Floats, error: Floats, degree: int) -> xarray.Dataset:
    import xarray

    series = np.nan_to_num(raw)
    series = series / series[0, 0]
    mean_W, mean_S = series[1, 0], series[0, 1]
    central, logs = shifted(series, -mean_W, -mean_S), logarithm(series)
    shift = -here.magnet.beta * here.free_energy_change
    size = len(series)
    scale = np.full((size, size), np.nan)
    for i, j in _triangle(size):
        scale[i, j] = factorial(i) * factorial(j) * here.magnet.temperature**i
    logs_sum = along_cumulants(logs, shift)
    dims, unit = ("work_power", "pumped_entropy_power"), {"units": "energy^work_power"}

    def of_both(values: Floats, meaning: str) -> Any:
        return (dims, scale * values, unit | {"long_name": f"{meaning} of W and S_P"})

    def of_sum(values: Floats, meaning: str) -> Any:
        return ("power", values, {"units": "1", "long_name": f"{meaning} of Sigma"})

    powers = np.arange(size)
    return xarray.Dataset(
        {
            "raw_moment": of_both(series, "moments"),
            "central_moment": of_both(central, "central moments"),
            "cumulant": of_both(logs, "cumulants"),
            "error": of_both(error, "estimated errors of the moments"),
            "entropy_production_raw_moment": of_sum(along(series, shift), "moments"),
            "entropy_production_central_moment": of_sum(along(central), "central moments"),
            "entropy_production_cumulant": of_sum(logs_sum, "cumulants"),
        },
        coords={"work_power": powers, "pumped_entropy_power": powers, "power": powers},
        attrs=attributes(here.magnet, here.protocol)
        | {"free_energy_change": here.free_energy_change, "l_max": degree},
    )


def along_cumulants(logs: Floats, shift: float) -> Floats:
    """Cumulants of x + y + shift from the series of ln G, shape (n,)."""
    out = np.array(
        [sum(comb(n, i) * _moment(logs, i, n - i) for i in range(n + 1)) for n in range(len(logs))]
    )
    out[1] += shift
    return out
