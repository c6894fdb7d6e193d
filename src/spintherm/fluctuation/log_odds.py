"""The log-odds of forward against mirrored backward trajectories, without bins.

Given W and S_P they are Sigma + ln(N_F/N_B), by [I] 4.16; given a function of W and S_P, the same
with -ln <exp(-Sigma)> of the forward trajectories that have its value in place of Sigma.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from spintherm.statistics import LogisticFit, logistic_regression
from spintherm.validation import FloatArray


def log_odds(
    forward: Sequence[FloatArray], backward: Sequence[FloatArray], *, robust: bool = False
) -> LogisticFit:
    """Return the log-odds of forward against mirrored backward trajectories as a + b.X.

    Parameters
    ----------
    forward, backward : sequence of d ndarrays, shapes (n,) and (m,)
        The X of each trajectory, neither mirrored. Newton's method starts from a = 0, b = 1.
    robust : bool
        Covariance for log-odds that need not be linear in X.

    Returns
    -------
    LogisticFit
        The fit; ln(N_F/N_B) is taken out of a.

    Raises
    ------
    ValueError
        If the ensembles do not overlap, or an X is constant or a function of the others.
    """
    start = np.r_[0.0, np.ones(len(forward))]
    mirrored = [-column for column in backward]
    try:
        return logistic_regression(forward, mirrored, start=start, robust=robust)
    except ValueError as error:
        raise ValueError(f"forward, backward: no slope can be fitted ({error})") from error


def constant_value(forward: FloatArray, backward: FloatArray) -> float:
    """Return the one value that X of the forward and -X of the backward ensemble have, or NaN."""
    low = min(float(forward.min()), -float(backward.max()))
    high = max(float(forward.max()), -float(backward.min()))
    constant = high - low <= 1e-12 * max(1.0, abs(low), abs(high))
    return low if constant else math.nan
