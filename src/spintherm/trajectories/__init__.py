"""Trajectories: magnet + protocol -> a Dataset with the thermodynamics of every path.

The rule of the folder: `run`, `streaming` and `multilevel` are the doors and know words and labels,
`initial` prepares the first state, `engine` moves bare arrays through the compiled kernels, `local`
tells those of magnets with anisotropy or polarisers what they are, `bias` measures the step's
error, `ladder` walks paths at several resolutions, from which `tolerance` chooses the steps of a
run and `multilevel` computes means.
"""

from spintherm.trajectories.multilevel import multilevel_means
from spintherm.trajectories.run import simulate
from spintherm.trajectories.streaming import simulate_statistics

__all__ = ["multilevel_means", "simulate", "simulate_statistics"]
