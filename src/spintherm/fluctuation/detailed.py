"""The detailed fluctuation theorem, p_F(Sigma) exp(-Sigma) = p_B(-Sigma), [I] 4.19.

With bins, ln p_F/p_B against Sigma is a straight line. A bin compares probabilities, not densities:
their log ratio is -ln <exp(-Sigma)> over the forward trajectories in the bin, not the middle of the
bin, so the line is fitted against the former and no width biases it. Without bins, the log-odds of
forward against backward given Sigma are Sigma + ln(N_F/N_B): logistic regression must give slope 1
and intercept 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display
from spintherm.fluctuation.balance import Balance, balance, ratio_line
from spintherm.fluctuation.ensemble import matched
from spintherm.fluctuation.log_odds import log_odds
from spintherm.statistics import ChiSquared, Estimate, LineFit, LogisticFit
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class DetailedTheorem:
    """Log ratio of the densities of Sigma, with and without bins.

    Attributes
    ----------
    balance : Balance
        Bins of Sigma.
    line : LineFit
        Weighted straight line through the used bins.
    likelihood : LogisticFit
        Log-odds a + b Sigma, without bins.
    """

    balance: Balance
    line: LineFit
    likelihood: LogisticFit

    @property
    def slope(self) -> Estimate:
        """Slope without bins, expected 1."""
        return self.likelihood.estimate(1)

    @property
    def intercept(self) -> Estimate:
        """Intercept without bins, expected 0."""
        return self.likelihood.estimate(0)

    @property
    def chi_squared(self) -> ChiSquared:
        """Slope and intercept without bins against (1, 0)."""
        return self.likelihood.wald([0.0, 1.0])

    @property
    def entropy_production(self) -> FloatArray:
        """Sigma of the used bins, -ln <exp(-Sigma)> in each."""
        return self.balance.abscissa[self.balance.used]

    @property
    def log_ratio(self) -> FloatArray:
        """Logarithm of p_F(Sigma)/p_B(-Sigma) of the used bins."""
        return self.balance.log_ratio[self.balance.used]

    @property
    def error(self) -> FloatArray:
        """Standard errors of `log_ratio`."""
        return self.balance.ratio_error[self.balance.used]

    @property
    def width_bias(self) -> float:
        """Largest distance between the middle of a used bin and its `entropy_production`."""
        bias = np.abs(self.balance.abscissa - self.balance.centres)
        return float(np.max(bias[self.balance.used]))

    def summary(self) -> str:
        """Return a few lines for people."""
        bins = self.balance
        return "\n".join(
            (
                f"detailed theorem [I] 4.19, without bins: slope {self.slope}, "
                f"intercept {self.intercept}, {self.chi_squared}",
                f"  line through {bins.used.sum()} of {bins.used.size} bins with at least "
                f"{bins.minimum_count} trajectories: slope {self.line.slope}, "
                f"intercept {self.line.intercept}",
                f"  bins against the theorem: {bins.chi_squared}",
            )
        )

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return display.ratio_card(self, "detailed theorem [I] 4.19", self.entropy_production, "Σ")


def detailed_theorem(
    forward: xr.Dataset,
    backward: xr.Dataset,
    *,
    bins: int | ArrayLike | None = None,
    minimum_count: int = 25,
) -> DetailedTheorem:
    """Test the detailed fluctuation theorem [I] 4.19.

    Parameters
    ----------
    forward, backward : xarray.Dataset
        Ensembles of a protocol and its reverse, with different seeds.
    bins : int, array_like of shape (k + 1,), optional
        Number of bins of Sigma, or their edges. Without it 3 to 80, by the size of the ensembles.
    minimum_count : int
        Bins with fewer trajectories on either side are not used.

    Returns
    -------
    DetailedTheorem
        Slopes, intercepts, and the bins.

    Raises
    ------
    TypeError, ValueError
        If the ensembles do not match, do not overlap in at least three bins, or Sigma is constant.
    """
    ours, theirs = matched(forward, backward)
    sigma, mirrored = ours.entropy_production, theirs.entropy_production
    likelihood = log_odds([sigma], [mirrored])
    binned = balance((sigma, sigma), (mirrored, mirrored), bins, minimum_count)
    return DetailedTheorem(binned, ratio_line(binned), likelihood)
