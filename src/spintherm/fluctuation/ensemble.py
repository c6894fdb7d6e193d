"""An ensemble: what the fluctuation theorems read of a dataset, and whether two of them match.

The backward process ends where the forward one starts, with reversed field; F(-H) = F(H), so that
its free energy change is minus that of the forward process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spintherm.statistics import sample
from spintherm.validation import FloatArray, complaint, finite_scalar

if TYPE_CHECKING:
    import xarray as xr

_SHARED = ("temperature", "moment", "gyromagnetic_ratio", "damping")


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Functionals of the trajectories of one process, as arrays.

    Attributes
    ----------
    temperature : float
        T > 0, an energy.
    free_energy_change : float
        dF, an energy.
    work : ndarray, shape (n,)
        W, an energy.
    pumped_entropy, entropy_production : ndarray, shape (n,)
        S_P and Sigma.
    """

    temperature: float
    free_energy_change: float
    work: FloatArray
    pumped_entropy: FloatArray
    entropy_production: FloatArray

    @property
    def dissipated_work(self) -> FloatArray:
        """Return beta (W - dF), shape (n,)."""
        return (self.work - self.free_energy_change) / self.temperature

    @property
    def generalised_work(self) -> FloatArray:
        """Return beta W + S_P, shape (n,)."""
        return self.work / self.temperature + self.pumped_entropy


def read(name: str, dataset: xr.Dataset) -> Ensemble:
    """Return the ensemble that a dataset holds.

    Parameters
    ----------
    name : str
        Name of the argument, for errors.
    dataset : xarray.Dataset
        As `spintherm.trajectories` returns it.

    Returns
    -------
    Ensemble
        The functionals; arrays are not copied.

    Raises
    ------
    TypeError
        If `dataset` is not a dataset.
    ValueError
        If something is missing, not finite or of another length, or the temperature is not > 0.
    """
    if not hasattr(dataset, "attrs") or not hasattr(dataset, "data_vars"):
        raise TypeError(complaint(name, dataset, "an xarray.Dataset"))
    functionals = [
        sample(f"{name}.{variable}", _variable(name, dataset, variable), least=2)
        for variable in ("work", "pumped_entropy", "entropy_production")
    ]
    if len({array.size for array in functionals}) > 1:
        sizes = [array.size for array in functionals]
        raise ValueError(complaint(f"{name}.trajectory", sizes, "arrays of the same length"))
    if "temperature" not in dataset.attrs:
        raise ValueError(complaint(f"{name}.attrs", dict(dataset.attrs), "a key 'temperature'"))
    temperature = finite_scalar(f"{name}.temperature", dataset.attrs["temperature"], positive=True)
    change = _variable(name, dataset, "free_energy_change")
    return Ensemble(temperature, finite_scalar(f"{name}.free_energy_change", change), *functionals)


def matched(forward: xr.Dataset, backward: xr.Dataset) -> tuple[Ensemble, Ensemble]:
    """Return a forward and a backward ensemble that belong together.

    Parameters
    ----------
    forward, backward : xarray.Dataset
        As `spintherm.trajectories` returns them for a protocol and its reverse.

    Returns
    -------
    forward, backward : Ensemble
        The two.

    Raises
    ------
    TypeError, ValueError
        As `read`; and if the two have different magnets or temperatures, free energy changes that
        are not opposite, or the same seed, hence the same noise.
    """
    pair = read("forward", forward), read("backward", backward)
    for key in _SHARED:
        ours, theirs = forward.attrs.get(key), backward.attrs.get(key)
        if ours != theirs and not _close(ours, theirs):
            raise ValueError(complaint(f"backward.{key}", theirs, f"that of forward, {ours}"))
    seed = forward.attrs.get("seed")
    if seed is not None and seed == backward.attrs.get("seed"):
        expected = "a seed other than that of forward: with the same noise errors would be wrong"
        raise ValueError(complaint("backward.seed", seed, expected))
    ours, theirs = (ensemble.free_energy_change for ensemble in pair)
    if abs(ours + theirs) > 1e-9 * max(pair[0].temperature, abs(ours)):
        expected = f"minus that of forward, {-ours}: is it the reverse of the same protocol?"
        raise ValueError(complaint("backward.free_energy_change", theirs, expected))
    return pair


def _variable(name: str, dataset: xr.Dataset, variable: str) -> FloatArray:
    if variable not in dataset:
        found = sorted(str(key) for key in dataset.data_vars)
        raise ValueError(complaint(name, found, f"a dataset with the variable {variable!r}"))
    return np.asarray(dataset[variable].values, dtype=np.float64)


def _close(ours: object, theirs: object) -> bool:
    try:
        return bool(np.isclose(ours, theirs, rtol=1e-12, atol=0.0))  # type: ignore[call-overload]
    except TypeError:
        return False
