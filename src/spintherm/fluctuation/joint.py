"""The joint fluctuation theorem, p_F(W, S_P) exp(-Sigma) = p_B(-W, -S_P), [I] 4.16.

The log-odds of forward against backward given W and S_P are beta (W - dF) + S_P + ln(N_F/N_B).
Logistic regression on the two variables tests this without bins: both slopes must be 1 and the
intercept 0. A variable that is constant has no slope; without spin torque this is S_P = 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spintherm import display
from spintherm.fluctuation.ensemble import matched
from spintherm.fluctuation.log_odds import constant_value, log_odds
from spintherm.statistics import ChiSquared, Estimate
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class JointTheorem:
    """Slopes of the log-odds in beta (W - dF) and S_P.

    Attributes
    ----------
    intercept : Estimate
        Expected 0; a constant variable is taken out of it.
    work, pumped_entropy : Estimate or None
        Slopes, expected 1; None if the variable is constant.
    covariance : ndarray, shape (1 + d, 1 + d)
        Of intercept and the d slopes that are there, in this order.
    chi_squared : ChiSquared
        Intercept and slopes against 0 and 1.
    overlap : float
        Information on the intercept relative to ensembles that are equal.
    """

    intercept: Estimate
    work: Estimate | None
    pumped_entropy: Estimate | None
    covariance: FloatArray
    chi_squared: ChiSquared
    overlap: float

    def summary(self) -> str:
        """Return a few lines for people."""
        slopes = {"β(W-ΔF)": self.work, "S_P": self.pumped_entropy}
        text = [f"{name}: {'none, constant' if s is None else s}" for name, s in slopes.items()]
        return "\n".join(
            (
                f"joint theorem [I] 4.16: slope in {', in '.join(text)}",
                f"  intercept {self.intercept}, {self.chi_squared}, overlap {self.overlap:.3g}",
            )
        )

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return display.joint_card(self)


def joint_theorem(forward: xr.Dataset, backward: xr.Dataset) -> JointTheorem:
    """Test the joint fluctuation theorem [I] 4.16 without bins.

    Parameters
    ----------
    forward, backward : xarray.Dataset
        Ensembles of a protocol and its reverse, with different seeds.

    Returns
    -------
    JointTheorem
        Slopes and intercept with their covariance.

    Raises
    ------
    TypeError, ValueError
        If the ensembles do not match, or do not overlap, or if both variables are constant or one
        is a linear function of the other.
    """
    ours, theirs = matched(forward, backward)
    pairs = [
        (ours.dissipated_work, theirs.dissipated_work),
        (ours.pumped_entropy, theirs.pumped_entropy),
    ]
    constants = [constant_value(*pair) for pair in pairs]
    varying = [pair for pair, value in zip(pairs, constants, strict=True) if math.isnan(value)]
    if not varying:
        raise ValueError("forward, backward: expected W or S_P to vary, but both are constant")
    fit = log_odds([pair[0] for pair in varying], [pair[1] for pair in varying])
    known = math.fsum(value for value in constants if not math.isnan(value))
    slopes = iter(range(1, 1 + len(varying)))
    work, pumped = (
        fit.estimate(next(slopes)) if math.isnan(value) else None for value in constants
    )
    intercept = fit.estimate(0)
    return JointTheorem(
        Estimate(intercept.value - known, intercept.error),
        work,
        pumped,
        fit.covariance,
        fit.wald(np.r_[known, np.ones(len(varying))]),
        fit.overlap,
    )
