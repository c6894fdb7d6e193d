"""The conditional fluctuation theorems for work and for pumped entropy, [I] 4.24 and 4.25.

    p_F(W) exp(-beta W) <exp(-S_P)>_W = p_B(-W) exp(-beta dF)             [I] 4.24
    p_F(S_P) exp(-S_P) <exp(-beta (W - dF))>_{S_P} = p_B(-S_P)            [I] 4.25

<.>_W averages with p_F(S_P|W) and <.>_{S_P} with p_F(W|S_P). The left side, times exp(beta dF) in
the first, is p_F(X) <exp(-Sigma)>_X. Its integral over a bin of X is the sum of exp(-Sigma) over
the forward trajectories in the bin, over the number of all. It is compared with the share of
backward trajectories in the mirrored bin; nothing is approximated for bins of finite width. Few
trajectories may carry the sum; chi² therefore uses the same balance with bounded terms, see
`Balance`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from numpy.typing import ArrayLike

from spintherm import display
from spintherm.fluctuation.balance import Balance, balance
from spintherm.fluctuation.ensemble import matched
from spintherm.statistics import ChiSquared

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class ConditionalTheorem:
    """Both sides of a conditional theorem in bins.

    Attributes
    ----------
    variable : {"work", "pumped_entropy"}
        What the bins are of, X.
    balance : Balance
        ln p_F(X) <exp(-Sigma)>_X on the left, ln p_B(-X) on the right, with errors.
    """

    variable: Literal["work", "pumped_entropy"]
    balance: Balance

    @property
    def chi_squared(self) -> ChiSquared:
        """Left side against right side over the used bins."""
        return self.balance.chi_squared

    def summary(self) -> str:
        """Return a line for people."""
        bins = self.balance
        number = "4.24" if self.variable == "work" else "4.25"
        return (
            f"conditional theorem [I] {number} for {self.variable.replace('_', ' ')}: "
            f"{bins.used.sum()} of {bins.used.size} bins, {self.chi_squared}"
        )

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return display.conditional_card(self)


def conditional_theorem_work(
    forward: xr.Dataset,
    backward: xr.Dataset,
    *,
    bins: int | ArrayLike | None = None,
    minimum_count: int = 25,
) -> ConditionalTheorem:
    """Test the conditional fluctuation theorem for work, [I] 4.24.

    Parameters
    ----------
    forward, backward : xarray.Dataset
        Ensembles of a protocol and its reverse, with different seeds.
    bins : int, array_like of shape (k + 1,), optional
        Number of bins of W, or their edges (energies).
    minimum_count : int
        Bins with fewer effective trajectories on either side are not used.

    Returns
    -------
    ConditionalTheorem
        Both sides times exp(beta dF), and chi².

    Raises
    ------
    TypeError, ValueError
        If the ensembles do not match or do not overlap.
    """
    ours, theirs = matched(forward, backward)
    binned = balance(
        (ours.work, ours.entropy_production),
        (theirs.work, theirs.entropy_production),
        bins,
        minimum_count,
    )
    return ConditionalTheorem("work", binned)


def conditional_theorem_pumped_entropy(
    forward: xr.Dataset,
    backward: xr.Dataset,
    *,
    bins: int | ArrayLike | None = None,
    minimum_count: int = 25,
) -> ConditionalTheorem:
    """Test the conditional fluctuation theorem for pumped entropy, [I] 4.25.

    Without spin torque S_P = 0 for all: one bin, and the integral theorem.

    Parameters
    ----------
    forward, backward : xarray.Dataset
        Ensembles of a protocol and its reverse, with different seeds.
    bins : int, array_like of shape (k + 1,), optional
        Number of bins of S_P, or their edges.
    minimum_count : int
        Bins with fewer effective trajectories on either side are not used.

    Returns
    -------
    ConditionalTheorem
        Both sides, and chi².

    Raises
    ------
    TypeError, ValueError
        If the ensembles do not match or do not overlap.
    """
    ours, theirs = matched(forward, backward)
    binned = balance(
        (ours.pumped_entropy, ours.entropy_production),
        (theirs.pumped_entropy, theirs.entropy_production),
        bins,
        minimum_count,
    )
    return ConditionalTheorem("pumped_entropy", binned)
