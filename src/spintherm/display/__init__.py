"""How words and results show themselves in notebooks: a small picture and a table, or a few lines.

The rule of the folder: it imports nothing of the package and nothing but numpy; what it draws it
writes as SVG by hand. Ink is `currentColor` and the other colours stand out on light and on dark
grounds. All words that come from outside are escaped. A file is one noun: `svg` and `card` know no
physics, the others turn an object into a picture and rows.
"""

from spintherm.display.card import card
from spintherm.display.curves import boundary_card, histogram_card, rate_function_card
from spintherm.display.datasets import Summary, summary
from spintherm.display.engines import engine_card, optimum_card
from spintherm.display.estimates import (
    chi_squared_card,
    estimate_card,
    exponential_average_card,
    line_card,
    logistic_card,
    parameters_card,
)
from spintherm.display.magnets import magnet_card, magnet_text
from spintherm.display.materials import (
    nanomagnet_card,
    nanomagnet_text,
    scales_card,
    scales_text,
    well_card,
)
from spintherm.display.protocols import protocol_card, protocol_text
from spintherm.display.states import state_card
from spintherm.display.theorems import (
    balance_card,
    conditional_card,
    free_energy_card,
    integral_card,
    joint_card,
    ratio_card,
)
from spintherm.display.verdicts import cost_card, provenance_card, reproduction_card, verdict_card

__all__ = [
    "Summary",
    "balance_card",
    "boundary_card",
    "card",
    "chi_squared_card",
    "conditional_card",
    "cost_card",
    "engine_card",
    "estimate_card",
    "exponential_average_card",
    "free_energy_card",
    "histogram_card",
    "integral_card",
    "joint_card",
    "line_card",
    "logistic_card",
    "magnet_card",
    "magnet_text",
    "nanomagnet_card",
    "nanomagnet_text",
    "optimum_card",
    "parameters_card",
    "protocol_card",
    "protocol_text",
    "provenance_card",
    "rate_function_card",
    "ratio_card",
    "reproduction_card",
    "scales_card",
    "scales_text",
    "state_card",
    "summary",
    "verdict_card",
    "well_card",
]
