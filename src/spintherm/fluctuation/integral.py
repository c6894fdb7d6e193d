"""The integral fluctuation theorem, <exp(-Sigma)> = 1 and <exp(-beta W - S_P)> = exp(-beta dF).

[I] 4.17 and 4.18. One ensemble is enough. The average is carried by trajectories that consume
entropy, those that are typical for the mirrored backward process; the stronger the drive the rarer
they are, and below some number of trajectories the estimate means nothing. See `ExponentialAverage`
for what its errors mean and when not to believe them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spintherm import display
from spintherm.fluctuation.ensemble import read
from spintherm.statistics import ExponentialAverage, exponential_average

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class IntegralTheorem:
    """The two averages that must be 1.

    Attributes
    ----------
    entropy_production : ExponentialAverage
        <exp(-Sigma)>, from the variable `entropy_production`.
    functionals : ExponentialAverage
        <exp(-beta W - S_P + beta dF)>, from `work`, `pumped_entropy` and `free_energy_change`.
    """

    entropy_production: ExponentialAverage
    functionals: ExponentialAverage

    @property
    def dominated(self) -> bool:
        """Whether few trajectories carry an average."""
        return self.entropy_production.dominated or self.functionals.dominated

    @property
    def deviation(self) -> float:
        """Errors between <exp(-Sigma)> and 1."""
        return self.entropy_production.deviation(1.0)

    def summary(self) -> str:
        """Return a few lines for people."""
        first, second = self.entropy_production, self.functionals
        return "\n".join(
            (
                f"integral theorem [I] 4.17: <exp(-Σ)> = {first}, {self.deviation:+.2f} errors off",
                f"  <exp(-βW - S_P + βΔF)> = {second}",
                f"  effective trajectories {first.effective_samples:.4g} of {first.samples}, "
                f"largest share {first.largest_share:.2g}, tail index {first.tail_index:.2g}",
            )
        )

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return display.integral_card(self)


def integral_theorem(ensemble: xr.Dataset) -> IntegralTheorem:
    """Test the integral fluctuation theorem [I] 4.17.

    Parameters
    ----------
    ensemble : xarray.Dataset
        Forward or backward.

    Returns
    -------
    IntegralTheorem
        The averages, their errors, and whether few trajectories dominate them.

    Raises
    ------
    TypeError, ValueError
        If `ensemble` is not a dataset of trajectories at a temperature > 0.
    """
    data = read("ensemble", ensemble)
    exponent = data.dissipated_work
    exponent += data.pumped_entropy
    return IntegralTheorem(
        exponential_average(data.entropy_production), exponential_average(exponent)
    )
