"""Figures: axes in, axes out, from the datasets that are saved beside each figure.

The rule of the folder: a plotting function takes matplotlib axes and a dataset and returns the
axes; only `figures` makes figures, and nothing touches pyplot or the global settings.
"""

from spintherm.plot.figures import (
    beyond_figure,
    crooks_figure,
    entropy_production_figure,
    saved,
    steady_state_figure,
)
from spintherm.plot.fluctuation import (
    crooks_distances,
    detailed_ratios,
    entropy_histograms,
    fitted_slopes,
    work_ratios,
)
from spintherm.plot.precession import precession
from spintherm.plot.rare_events import rare_density
from spintherm.plot.rates import rate_deviations, rates
from spintherm.plot.style import COLOURS, ONE_COLUMN, TWO_COLUMNS, style

__all__ = [
    "COLOURS",
    "ONE_COLUMN",
    "TWO_COLUMNS",
    "beyond_figure",
    "crooks_distances",
    "crooks_figure",
    "detailed_ratios",
    "entropy_histograms",
    "entropy_production_figure",
    "fitted_slopes",
    "precession",
    "rare_density",
    "rate_deviations",
    "rates",
    "saved",
    "steady_state_figure",
    "style",
    "work_ratios",
]
