"""Crooks' usual form, p_F(W) exp(-beta W) = p_B(-W) exp(-beta dF), [I] 4.26, and its failure.

It leaves the pumped entropy out, and holds only without spin torque. The log-odds of forward
against backward given W alone, fitted by a + b beta (W - dF), would have b = 1 and a = 0. Where it
fails the log-odds need not even be linear in W, so that the covariance is taken from the scatter of
the trajectories and not from the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
class CrooksWork:
    """Log ratio of the densities of work, with and without bins.

    Attributes
    ----------
    balance : Balance
        Bins of beta (W - dF).
    line : LineFit
        Weighted straight line through the used bins; where the form fails its residual tells
        whether a line describes them at all.
    likelihood : LogisticFit
        Log-odds a + b beta (W - dF), without bins.
    """

    balance: Balance
    line: LineFit
    likelihood: LogisticFit

    @property
    def slope(self) -> Estimate:
        """Slope without bins; 1 if Crooks' form held."""
        return self.likelihood.estimate(1)

    @property
    def intercept(self) -> Estimate:
        """Intercept without bins; 0 if Crooks' form held."""
        return self.likelihood.estimate(0)

    @property
    def chi_squared(self) -> ChiSquared:
        """Slope and intercept without bins against (1, 0)."""
        return self.likelihood.wald([0.0, 1.0])

    @property
    def z(self) -> float:
        """By how many standard errors the form is off: `chi_squared` as a normal deviation."""
        return self.chi_squared.z

    @property
    def slope_deviation(self) -> float:
        """(slope - 1)/error."""
        return self.slope.deviation(1.0)

    @property
    def dissipated_work(self) -> FloatArray:
        """Used bins as -ln <exp(-beta (W - dF))> in each."""
        return self.balance.abscissa[self.balance.used]

    @property
    def log_ratio(self) -> FloatArray:
        """Logarithm of p_F(W)/p_B(-W) of the used bins."""
        return self.balance.log_ratio[self.balance.used]

    @property
    def error(self) -> FloatArray:
        """Standard errors of `log_ratio`."""
        return self.balance.ratio_error[self.balance.used]

    def summary(self) -> str:
        """Return a few lines for people."""
        return "\n".join(
            (
                f"Crooks' form [I] 4.26 is {self.z:.3g} standard errors off: slope {self.slope} "
                f"({self.slope_deviation:+.3g} errors from 1), intercept {self.intercept}",
                f"  line through {self.balance.used.sum()} bins: slope {self.line.slope}, "
                f"intercept {self.line.intercept}; bins: {self.balance.chi_squared}",
            )
        )

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        title = f"Crooks' usual form [I] 4.26, {self.z:.3g} standard errors off"
        return display.ratio_card(self, title, self.dissipated_work, "β(W − ΔF)")


def crooks_work(
    forward: xr.Dataset,
    backward: xr.Dataset,
    *,
    bins: int | ArrayLike | None = None,
    minimum_count: int = 25,
) -> CrooksWork:
    """Measure by how much Crooks' usual form [I] 4.26 fails.

    Parameters
    ----------
    forward, backward : xarray.Dataset
        Ensembles of a protocol and its reverse, with different seeds.
    bins : int, array_like of shape (k + 1,), optional
        Number of bins of beta (W - dF), or their edges.
    minimum_count : int
        Bins with fewer trajectories on either side are not used.

    Returns
    -------
    CrooksWork
        Slope, intercept and how many standard errors they are off.

    Raises
    ------
    TypeError, ValueError
        If the ensembles do not match, do not overlap in at least three bins, or W is constant.
    """
    ours, theirs = matched(forward, backward)
    work, mirrored = ours.dissipated_work, theirs.dissipated_work
    likelihood = log_odds([work], [mirrored], robust=True)
    binned = balance((work, work), (mirrored, mirrored), bins, minimum_count)
    return CrooksWork(binned, ratio_line(binned), likelihood)
