"""How words and results show themselves in notebooks: a small picture and a table, or a few lines.

The rule of the folder: it imports nothing of the package and nothing but numpy; what it draws it
writes as SVG by hand. Ink is `currentColor` and the other colours stand out on light and on dark
grounds. All words that come from outside are escaped. A file is one noun: `svg` and `card` know no
physics, the others turn an object into a picture and rows.
"""

from spintherm.display.card import card
from spintherm.display.datasets import Summary, summary
from spintherm.display.magnets import magnet_card, magnet_text
from spintherm.display.materials import nanomagnet_card, nanomagnet_text, scales_card, scales_text
from spintherm.display.protocols import protocol_card, protocol_text
from spintherm.display.states import state_card
from spintherm.display.theorems import ratio_card

__all__ = [
    "Summary",
    "card",
    "magnet_card",
    "magnet_text",
    "nanomagnet_card",
    "nanomagnet_text",
    "protocol_card",
    "protocol_text",
    "ratio_card",
    "scales_card",
    "scales_text",
    "state_card",
    "summary",
]
