"""The free energy difference by Bennett's acceptance ratio, from both ensembles.

With the generalised work w = beta W + S_P, [I] 4.16 gives p_F(w) exp(-w + beta dF) = p_B(-w), which
is Crooks' form for w. The most likely dF (Shirts et al., Phys. Rev. Lett. 91, 140601 (2003)) solves
Bennett's equation: it is logistic regression with slope 1, whose intercept is -beta dF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spintherm import display
from spintherm.fluctuation.ensemble import matched
from spintherm.statistics import Estimate, logistic_regression

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class FreeEnergyDifference:
    """Measured and exact free energy difference.

    Attributes
    ----------
    estimate : Estimate
        dF from the trajectories, an energy.
    exact : float
        dF of the datasets.
    overlap : float
        Information of the ensembles relative to equal ones; do not believe the error when
        `overlap` times the smaller number of trajectories is below about 50.
    """

    estimate: Estimate
    exact: float
    overlap: float

    @property
    def deviation(self) -> float:
        """Standard errors between estimate and exact value."""
        return self.estimate.deviation(self.exact)

    def summary(self) -> str:
        """Return a line for people."""
        return (
            f"free energy difference by Bennett's ratio: {self.estimate}, exact {self.exact:.6g}, "
            f"{self.deviation:+.2f} errors off, overlap {self.overlap:.3g}"
        )

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return display.free_energy_card(self)


def free_energy_difference(forward: xr.Dataset, backward: xr.Dataset) -> FreeEnergyDifference:
    """Estimate the free energy difference of the forward process by Bennett's acceptance ratio.

    Parameters
    ----------
    forward, backward : xarray.Dataset
        Ensembles of a protocol and its reverse, with different seeds.

    Returns
    -------
    FreeEnergyDifference
        dF = F(H at the end) - F(H at the start), beside the exact one.

    Raises
    ------
    TypeError, ValueError
        If the ensembles do not match.
    """
    ours, theirs = matched(forward, backward)
    mirrored = theirs.generalised_work
    mirrored *= -1.0
    fit = logistic_regression([], [], offset=(ours.generalised_work, mirrored))
    intercept = fit.estimate(0)
    scale = ours.temperature
    return FreeEnergyDifference(
        Estimate(-scale * intercept.value, scale * intercept.error),
        ours.free_energy_change,
        fit.overlap,
    )
