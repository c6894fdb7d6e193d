"""The experiments of the two papers, from trajectories to figures and verdicts.

    [I]   arXiv:2406.02220, Table I, Figs. 1 and 2: fluctuation theorems of nine driven processes
    [II]  arXiv:2502.06054, Fig. 2: rates of the steady state for P parallel to H, against alpha

and the same theorems on three processes that are in neither paper. The rule of the folder: one pair
of ensembles in memory at a time; what is kept of it are verdicts and a dataset of binned numbers.
"""

from spintherm.experiments.driven import seeds_of
from spintherm.experiments.processes import (
    PAPER_MAGNET,
    Process,
    beyond_the_papers,
    table_one,
)
from spintherm.experiments.reproduction import Reproduction, reproduce
from spintherm.experiments.sizes import SIZES, Resolution, Size

__all__ = [
    "PAPER_MAGNET",
    "SIZES",
    "Process",
    "Reproduction",
    "Resolution",
    "Size",
    "beyond_the_papers",
    "reproduce",
    "seeds_of",
    "table_one",
]
