r"""Reading weighted trajectories: averages, tails and densities, with errors, from several tilts.

With n_j paths from tilt j and weights :math:`e^\ell`, any functions :math:`\omega_j` that add up to
one at every path give the unbiased estimate

.. math:: \langle A\rangle \approx \sum_j \frac1{n_j}\sum_{i\in j} \omega_j A_i\,e^{\ell_i},
   \qquad \omega_j = \frac{n_j e^{k_j\cdot(\beta W, S_P)}/G(k_j)}
                          {\sum_l n_l e^{k_l\cdot(\beta W, S_P)}/G(k_l)} .

These :math:`\omega_j` are the balance heuristic (Veach and Guibas, SIGGRAPH 95, 419 (1995)) for
perfectly tilted ensembles; for nearly perfect ones they are nearly as good, and they need only
the functionals of each path. The variance is the sum of the tilts' own, measured from the samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.rare.tilts import COUNTED
from spintherm.statistics import Estimate, increasing_edges, sample

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]
Weighted: TypeAlias = "xarray.Dataset | Iterable[xarray.Dataset]"

_SAME = ("moment", "gyromagnetic_ratio", "damping", "temperature", "protocol", "scheme", "steps")


@dataclass(frozen=True)
class WeightedEstimate(Estimate):
    """An estimate from weighted samples; prints as ``1.0003 ± 0.0012``.

    Attributes
    ----------
    value, error : float
        The number and its standard error.
    effective_samples : float
        (sum y)²/sum y² of the terms y of the sum: as many equal terms would scatter as much.
    """

    effective_samples: float


def exponential_average(
    data: Weighted, *, work: float = 0.0, pumped_entropy: float = 0.0
) -> WeightedEstimate:
    """Return <exp(k_W beta W + k_S S_P)> over the process.

    For exponents that are the tilt all paths count nearly alike. The integral theorem [I] 4.17 is
    ``work=-1, pumped_entropy=-1`` with the value exp(-beta dF).

    Parameters
    ----------
    data : xarray.Dataset or iterable of these
        From `importance_sampling`, of one process and any tilts.
    work, pumped_entropy : float
        Dimensionless exponents k_W and k_S.

    Returns
    -------
    WeightedEstimate
    """
    k = np.array(
        [
            validation.finite_scalar("work", work),
            validation.finite_scalar("pumped_entropy", pumped_entropy),
        ]
    )
    groups = _groups(data)
    logs = [group.log_terms + k @ group.functionals for group in groups]
    shift = max(float(values.max()) for values in logs)
    sums = _Sums.of([np.exp(values - shift)[None] for values in logs])
    scale = np.exp(shift)
    return WeightedEstimate(
        float(scale * sums.value[0]), float(scale * sums.error[0]), float(sums.effective[0])
    )


def tail_probability(
    data: Weighted, at: ArrayLike, *, of: str = "entropy_production", tail: str = "lower"
) -> xarray.Dataset:
    """Return the probability that a quantity lies below (or above) given values.

    Parameters
    ----------
    data : xarray.Dataset or iterable of these
        From `importance_sampling`, of one process and any tilts.
    at : array_like, shape (n,)
        Increasing values, in the units of the quantity.
    of : {"entropy_production", "work", "pumped_entropy"}
        The quantity.
    tail : {"lower", "upper"}
        Below or above.

    Returns
    -------
    xarray.Dataset
        Along a dimension named like the quantity: `probability`, its standard `error` and
        `effective_samples`. Where no path lies, the probability is zero and the error infinite.
    """
    values = increasing_edges(np.append(at, np.inf)[:-1]) if np.size(at) > 1 else np.ravel(at)
    if tail not in ("lower", "upper"):
        raise ValueError(validation.complaint("tail", tail, "'lower' or 'upper'"))
    sign = 1.0 if tail == "lower" else -1.0
    edges = sign * np.asarray(values, dtype=float)[:: int(sign)]
    bins = np.concatenate([[-np.inf], edges])
    sums = _binned(_groups(data), of, bins, sign=sign, cumulative=True)
    return _labelled(of, np.asarray(values), "probability", "1", sums.turned(int(sign)))


def density(data: Weighted, edges: ArrayLike, *, of: str = "entropy_production") -> xarray.Dataset:
    """Return the probability density of a quantity, averaged over bins.

    Parameters
    ----------
    data : xarray.Dataset or iterable of these
        From `importance_sampling`, of one process and any tilts.
    edges : array_like, shape (n + 1,)
        Increasing edges of the bins, in the units of the quantity.
    of : {"entropy_production", "work", "pumped_entropy"}
        The quantity.

    Returns
    -------
    xarray.Dataset
        Along a dimension named like the quantity, at the middles of the bins: `density`, its
        standard `error` and `effective_samples`; in an empty bin the error is infinite.
    """
    cuts = increasing_edges(edges)
    sums = _binned(_groups(data), of, cuts)
    unit = "1/energy" if of == "work" else "1"
    return _labelled(of, 0.5 * (cuts[1:] + cuts[:-1]), "density", unit, sums.over(np.diff(cuts)))


def effective_samples(data: xarray.Dataset) -> float:
    """Return the effective number of samples for the average that the tilt stands for.

    (sum y)²/sum y² of y = exp(log_weight + k_W beta W + k_S S_P): the number of trajectories if the
    noise were tilted perfectly.

    Parameters
    ----------
    data : xarray.Dataset
        From `importance_sampling`.

    Returns
    -------
    float
    """
    k_W, k_S = data.attrs["tilt"]
    return exponential_average(data, work=k_W, pumped_entropy=k_S).effective_samples


@dataclass(frozen=True)
class _Group:
    """Paths of one tilt: functionals (2, n) beta W and S_P, and ln(omega e^l / n)."""

    data: xarray.Dataset
    functionals: FloatArray
    log_terms: FloatArray


def _groups(data: Weighted) -> list[_Group]:
    import xarray

    datasets = [data] if isinstance(data, xarray.Dataset) else list(data)
    if not datasets:
        raise ValueError(validation.complaint("data", datasets, "at least one dataset"))
    for place, one in enumerate(datasets):
        _check(place, one, datasets[0])
    seeds = [one.attrs["seed"] for one in datasets]
    if len(set(seeds)) < len(seeds):
        expected = "different seeds: with the same noise twice the errors would be wrong"
        raise ValueError(validation.complaint("data", seeds, expected))
    tilts = np.array([one.attrs["tilt"] for one in datasets], dtype=np.float64)
    sizes = np.array([one.sizes["trajectory"] for one in datasets])
    logs = np.array([one.attrs["log_generating_function"] for one in datasets], dtype=np.float64)
    offsets = np.log(sizes) - logs
    return [_group(one, tilts, offsets) for one in datasets]


def _group(data: xarray.Dataset, tilts: FloatArray, offsets: FloatArray) -> _Group:
    names = ("work", "pumped_entropy", "log_weight")
    work, pumped, log_weight = (sample(name, data[name].values, least=2) for name in names)
    functionals = np.stack([work / data.attrs["temperature"], pumped])
    mixture = tilts @ functionals + offsets[:, None]
    top = mixture.max(axis=0)
    log_mixture = top + np.log(np.exp(mixture - top).sum(axis=0))
    # n_j cancels: omega_j / n_j = exp(k_j x) / G_j / sum_l n_l exp(k_l x) / G_l
    own = np.asarray(data.attrs["tilt"]) @ functionals - data.attrs["log_generating_function"]
    return _Group(data, functionals, log_weight + own - log_mixture)


def _check(place: int, data: xarray.Dataset, first: xarray.Dataset) -> None:
    if "log_weight" not in data:
        found = sorted(str(key) for key in data.data_vars)
        expected = "a dataset of importance_sampling, with log_weight"
        raise ValueError(validation.complaint(f"data[{place}]", found, expected))
    for key in _SAME:
        if data.attrs[key] != first.attrs[key]:
            expected = f"that of the first dataset, {first.attrs[key]}"
            raise ValueError(
                validation.complaint(f"data[{place}].{key}", data.attrs[key], expected)
            )


@dataclass(frozen=True)
class _Sums:
    """Estimates of several averages: value, error and effective samples, shape (n,) each."""

    value: FloatArray
    error: FloatArray
    effective: FloatArray

    @classmethod
    def of(cls, terms: list[FloatArray]) -> _Sums:
        """From the terms (n, paths) of each tilt."""
        sizes = [term.shape[1] for term in terms]
        firsts = np.stack([term.sum(axis=1) for term in terms])
        seconds = np.stack([(term**2).sum(axis=1) for term in terms])
        return cls.from_moments(np.array(sizes), firsts, seconds)

    @classmethod
    def from_moments(
        cls, sizes: NDArray[np.int64], firsts: FloatArray, seconds: FloatArray
    ) -> _Sums:
        """From sums of the terms and of their squares, shape (tilts, n)."""
        count = np.asarray(sizes, dtype=float)[:, None]
        variance = np.maximum(seconds - firsts**2 / count, 0.0) * count / (count - 1.0)
        total, squares = firsts.sum(axis=0), seconds.sum(axis=0)
        seen = squares > 0.0
        safe = np.where(seen, squares, 1.0)
        return cls(
            total,
            np.where(seen, np.sqrt(variance.sum(axis=0)), np.inf),
            np.where(seen, total**2 / safe, 0.0),
        )

    def over(self, widths: FloatArray) -> _Sums:
        """Densities: values and errors over the widths of bins."""
        return _Sums(self.value / widths, self.error / widths, self.effective)

    def turned(self, step: int) -> _Sums:
        """In the opposite order for step = -1."""
        return _Sums(self.value[::step], self.error[::step], self.effective[::step])


def _binned(
    groups: list[_Group],
    of: str,
    edges: FloatArray,
    *,
    sign: float = 1.0,
    cumulative: bool = False,
) -> _Sums:
    """Weights summed in bins of sign * quantity, or in all bins up to each."""
    if of not in COUNTED:
        expected = "one of " + ", ".join(map(repr, COUNTED))
        raise ValueError(validation.complaint("of", of, expected))
    count = edges.size + 1
    rows = []
    for group in groups:
        where = np.searchsorted(edges, sign * group.data[of].values, side="right")
        terms = np.exp(group.log_terms)
        pair = [np.bincount(where, weights, count)[1:-1] for weights in (terms, terms**2)]
        rows.append([np.cumsum(row) if cumulative else row for row in pair])
    firsts, seconds = np.moveaxis(np.array(rows), 1, 0)
    sizes = np.array([group.log_terms.size for group in groups])
    return _Sums.from_moments(sizes, firsts, seconds)


def _labelled(of: str, at: FloatArray, name: str, unit: str, sums: _Sums) -> xarray.Dataset:
    import xarray

    meaning = {"probability": "probability of the tail", "density": "probability density"}[name]
    return xarray.Dataset(
        {
            name: (of, sums.value, {"units": unit, "long_name": f"{meaning} of {of}"}),
            "error": (of, sums.error, {"units": unit, "long_name": "standard error"}),
            "effective_samples": (of, sums.effective, {"units": "1"}),
        },
        coords={of: (of, at)},
    )
