"""Trajectories: magnet + protocol -> a Dataset with the thermodynamics of every path.

The rule of the folder: `run` and `streaming` are the doors and know words and labels, `initial`
prepares the first state, `engine` moves bare arrays through the compiled kernels, `bias` measures
the step's error.
"""

from spintherm.trajectories.run import simulate
from spintherm.trajectories.streaming import simulate_statistics

__all__ = ["simulate", "simulate_statistics"]
