"""Numbers with their errors, from samples: averages, fits, histograms, significance.

The rule of this folder: arrays in, numbers with errors out; nothing here knows physics or units. A
file is one noun.
"""

from spintherm.statistics.accumulators import (
    CentralMoments,
    Counts,
    ExponentialMoments,
    MomentSet,
)
from spintherm.statistics.bins import Histogram, binned_sums, histogram
from spintherm.statistics.estimate import Estimate, combine, mean, variance
from spintherm.statistics.exponential import ExponentialAverage, exponential_average
from spintherm.statistics.line import LineFit, straight_line
from spintherm.statistics.logistic import LogisticFit, logistic_regression
from spintherm.statistics.samples import increasing_edges, parts, sample
from spintherm.statistics.significance import ChiSquared, normal_z, wald

__all__ = [
    "CentralMoments",
    "ChiSquared",
    "Counts",
    "Estimate",
    "ExponentialAverage",
    "ExponentialMoments",
    "Histogram",
    "LineFit",
    "LogisticFit",
    "MomentSet",
    "binned_sums",
    "combine",
    "exponential_average",
    "histogram",
    "increasing_edges",
    "logistic_regression",
    "mean",
    "normal_z",
    "parts",
    "sample",
    "straight_line",
    "variance",
    "wald",
]
