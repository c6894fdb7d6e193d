"""Figures: datasets in, axes out, from the data that are saved beside each figure.

The rule of the folder: a plotting function takes what it draws and, as a keyword, matplotlib axes
to draw on, and returns them. Without axes it makes a figure in the style, as wide as one or two
columns of a journal; a composed figure takes and returns an array of axes. Nothing touches pyplot
or the global settings. `saved` and `svg` turn what was drawn into files and text.
"""

from spintherm.plot.canvas import (
    saved,
    svg,
)
from spintherm.plot.distribution import (
    densities,
    distribution_figure,
)
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
from spintherm.plot.ideal_engine import (
    dissipation,
    ideal_engine_figure,
    long_time_noise,
    power,
    short_time_noise,
    uncertainty_against_alpha,
    uncertainty_against_field,
    uncertainty_figure,
    uncertainty_map,
)
from spintherm.plot.phase_diagram import (
    boundaries,
    phase_diagram_figure,
    phases,
    rates_along_cut,
    simulated_phases,
    tilted_phases_figure,
)
from spintherm.plot.precession import (
    precession,
)
from spintherm.plot.rare_events import (
    rare_density,
)
from spintherm.plot.rates import (
    rate_deviations,
    rates,
)
from spintherm.plot.sphere import (
    sphere,
    steady_figure,
)
from spintherm.plot.style import (
    COLOURS,
    ONE_COLUMN,
    TWO_COLUMNS,
    figure,
    style,
)
from spintherm.plot.switching import (
    cost_of_write,
    curves,
    dwell_times,
    loops,
    states,
    write_errors,
)

__all__ = [
    "COLOURS",
    "ONE_COLUMN",
    "TWO_COLUMNS",
    "beyond_figure",
    "boundaries",
    "cost_of_write",
    "crooks_distances",
    "crooks_figure",
    "curves",
    "densities",
    "detailed_ratios",
    "dissipation",
    "distribution_figure",
    "dwell_times",
    "entropy_histograms",
    "entropy_production_figure",
    "figure",
    "fitted_slopes",
    "ideal_engine_figure",
    "long_time_noise",
    "loops",
    "phase_diagram_figure",
    "phases",
    "power",
    "precession",
    "rare_density",
    "rate_deviations",
    "rates",
    "rates_along_cut",
    "saved",
    "short_time_noise",
    "simulated_phases",
    "sphere",
    "states",
    "steady_figure",
    "steady_state_figure",
    "style",
    "svg",
    "tilted_phases_figure",
    "uncertainty_against_alpha",
    "uncertainty_against_field",
    "uncertainty_figure",
    "uncertainty_map",
    "work_ratios",
    "write_errors",
]
