"""Statistics of trajectories as three arrays, and back, without a bit lost.

`moments` holds the number of trajectories, means, sums of products of deviations and averages of
exponentials; `edges` the edges of all histograms one after the other; `cells` the counts of all
histograms, each with a bin below and one above, and those of work and pumped entropy together. A
histogram that does not exist (at temperature zero) has edges that are not a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spintherm.schema import FUNCTIONALS
from spintherm.statistics.accumulators import CentralMoments, Counts, ExponentialMoments
from spintherm.study.arrays import Array, Record, Values_of
from spintherm.trajectories.streaming import BINNED, EXPONENTS, MOMENTS, Statistics

_JOINT = ("work", "pumped_entropy")
_FIELDS = ("shift", "mean", "second")


def names() -> list[str]:
    """Return what each place of `moments` holds."""
    powers = (
        " ".join(f"{name}^{i}" for name, i in zip(FUNCTIONALS, p, strict=True) if i) or "1"
        for p in MOMENTS.powers
    )
    return [
        "count",
        *(f"mean {name}" for name in FUNCTIONALS),
        *(f"sum of deviations {power}" for power in powers),
        *(f"{name} {part}" for name in EXPONENTS for part in ("count", *_FIELDS)),
    ]


def pack(found: Statistics, bins: Mapping[str, int]) -> dict[str, Array]:
    """Return statistics as arrays.

    Parameters
    ----------
    found : Statistics
        Of some trajectories.
    bins : mapping of str to int
        Number of bins of each histogram, also of those that do not exist; empty if none is kept.

    Returns
    -------
    dict of str to Array
        `moments`, and with histograms `edges` and `cells`.
    """
    moments = [found.moments.count, *found.moments.mean, *found.moments.sums]
    for one in found.exponentials:
        moments += [one.count, *(getattr(one, part) for part in _FIELDS)]
    packed = {"moments": Array(("moment",), np.array(moments, np.float64), {"names": names()})}
    return packed | (_pack_counts(found, bins) if bins else {})


def _pack_counts(found: Statistics, bins: Mapping[str, int]) -> dict[str, Array]:
    edges, cells = [], []
    for name in BINNED:
        counts = found.counts.get(name)
        edges.append(np.full(bins[name] + 1, np.nan) if counts is None else counts.edges[0])
        cells.append(np.zeros(bins[name] + 2, np.int64) if counts is None else counts.counts)
    joint = found.counts.get("joint")
    grid = tuple(bins[name] + 2 for name in _JOINT)
    cells.append(np.zeros(grid, np.int64).ravel() if joint is None else joint.counts.ravel())
    sizes = {"bins": dict(bins)}
    return {
        "edges": Array(("edge",), np.concatenate(edges), sizes),
        "cells": Array(("cell",), np.concatenate(cells), sizes),
    }


def unpack(arrays: Values_of, bins: Mapping[str, int]) -> Statistics:
    """Return the statistics that `pack` made arrays of; the same bits."""
    size, powers = len(FUNCTIONALS), len(MOMENTS.powers)
    moments = np.asarray(arrays["moments"])
    bounds = np.cumsum([1, size, powers])
    central = CentralMoments(
        MOMENTS, int(moments[0]), moments[bounds[0] : bounds[1]], moments[bounds[1] : bounds[2]]
    )
    rest = moments[bounds[2] : bounds[2] + 4 * len(EXPONENTS)].reshape(-1, 4)
    exponentials = tuple(ExponentialMoments(int(n), *map(float, row)) for n, *row in rest)
    return Statistics(central, exponentials, _counts(arrays, bins))


def _counts(arrays: Values_of, bins: Mapping[str, int]) -> dict[str, Counts]:
    counts: dict[str, Counts] = {}
    if not bins:
        return counts
    all_edges, cells = np.asarray(arrays["edges"]), np.asarray(arrays["cells"])
    edge, cell = 0, 0
    for name in BINNED:
        edges = all_edges[edge : edge + bins[name] + 1]
        if not np.isnan(edges).any():
            counts[name] = Counts((edges,), cells[cell : cell + bins[name] + 2])
        edge += bins[name] + 1
        cell += bins[name] + 2
    if all(name in counts for name in _JOINT):
        grid = tuple(counts[name].edges[0] for name in _JOINT)
        shape = tuple(bins[name] + 2 for name in _JOINT)
        counts["joint"] = Counts(grid, cells[cell:].reshape(shape))
    return counts


def record_of(values: Mapping[str, Any]) -> Record:
    """Return the variables of `schema` by name as arrays."""
    from spintherm.schema import VARIABLES

    return {
        name: Array(VARIABLES[name].dims, np.asarray(value), VARIABLES[name].attributes)
        for name, value in values.items()
    }
