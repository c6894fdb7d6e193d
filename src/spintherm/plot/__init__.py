"""Figures: axes in, axes out, from the datasets that are saved beside each figure.

The rule of the folder: a plotting function takes matplotlib axes and a dataset and returns the
axes; only `figures` makes figures, and nothing touches pyplot or the global settings.
"""

from spintherm.plot.canvas import saved, svg
from spintherm.plot.figures import (
    beyond_figure,
    crooks_figure,
    entropy_production_figure,
    steady_state_figure,
)
from spintherm.plot.fluctuation import (
    crooks_distances,
    detailed_ratios,
    entropy_histograms,
    fitted_slopes,
    work_ratios,
)
from spintherm.plot.ideal_engine import ideal_engine_figure, uncertainty_figure
from spintherm.plot.phase_diagram import tilted_phases_figure
from spintherm.plot.precession import precession
from spintherm.plot.rare_events import rare_density
from spintherm.plot.rates import rate_deviations, rates
from spintherm.plot.style import COLOURS, ONE_COLUMN, TWO_COLUMNS, figure, style

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
    "figure",
    "fitted_slopes",
    "ideal_engine_figure",
    "precession",
    "rare_density",
    "rate_deviations",
    "rates",
    "saved",
    "steady_state_figure",
    "style",
    "svg",
    "tilted_phases_figure",
    "uncertainty_figure",
    "work_ratios",
]
