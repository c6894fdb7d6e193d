"""Bins: histograms, the densities that they estimate, and sums of weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import display
from spintherm.statistics.samples import increasing_edges, parts, sample
from spintherm.validation import FloatArray


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts in bins and the density they estimate.

    Attributes
    ----------
    edges : ndarray, shape (k + 1,)
        Edges of the bins, in the units of the samples.
    counts : ndarray, shape (k,)
        Samples in each bin.
    density, error : ndarray, shape (k,)
        Probability density and its binomial standard error. An empty bin has the error of one
        count, so that it is not taken for certain.
    """

    edges: FloatArray
    counts: NDArray[np.int64]
    density: FloatArray
    error: FloatArray

    @property
    def centres(self) -> FloatArray:
        """Middles of the bins, shape (k,)."""
        return 0.5 * (self.edges[1:] + self.edges[:-1])

    def _repr_html_(self) -> str:
        return display.histogram_card(self)


def histogram(samples: ArrayLike, edges: ArrayLike) -> Histogram:
    """Count samples in bins.

    Parameters
    ----------
    samples : array_like, shape (n,)
        Samples; those outside the edges count in the norm, so that the density is the true one.
    edges : array_like, shape (k + 1,)
        Strictly increasing edges; bins are closed on the left.

    Returns
    -------
    Histogram
        Counts, density and error.

    Raises
    ------
    ValueError
        If a sample is not finite or the edges do not increase.
    """
    x = sample("samples", samples)
    edges = increasing_edges(edges)
    counts = binned_sums(x, edges)[0].astype(np.int64)
    share = counts / x.size
    spread = np.sqrt(share * (1.0 - share) / x.size)
    spread[counts == 0] = 1.0 / x.size
    width = np.diff(edges)
    return Histogram(edges, counts, counts / (x.size * width), spread / width)


def binned_sums(
    samples: FloatArray,
    edges: FloatArray,
    weigh: Callable[[slice], Sequence[FloatArray]] | None = None,
    *,
    sign: float = 1.0,
) -> FloatArray:
    """Return, bin by bin, the count of samples and sums of their weights.

    Parameters
    ----------
    samples : ndarray, shape (n,)
        What decides the bin: `sign` times this.
    edges : ndarray, shape (k + 1,)
        Increasing edges; bins are closed on the left.
    weigh : callable, optional
        Takes a slice of the samples, returns w arrays with weights of these samples.
    sign : float
        1, or -1 for mirrored samples.

    Returns
    -------
    ndarray, shape (1 + w, k)
        Counts, then sums of the weights.
    """
    sums: FloatArray | float = 0.0
    bins = edges.size + 1
    for part in parts(samples.size):
        where = np.searchsorted(edges, sign * samples[part], side="right")
        rows = [np.bincount(where, weights, bins) for weights in (weigh(part) if weigh else ())]
        sums = sums + np.array([np.bincount(where, None, bins), *rows], dtype=np.float64)
    return np.asarray(sums)[:, 1:-1]
