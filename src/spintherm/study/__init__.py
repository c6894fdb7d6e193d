"""Studies: many points, many trajectories, in pieces that can be done anywhere and in any order.

A study (`spintherm.configuration`) becomes a plan of tasks, pure functions of (study of a point,
seed, chunk); executors run them; their arrays are committed to a run directory one by one; the
result is merged in the order of their index. Whatever happens in between, the bits are the same.

The rule of the folder: what a task computes (`quantities`) knows nothing of where it runs, and who
runs it (`runner`, `executors`) nothing of what it means.
"""

from spintherm.study.running import run, sweep

__all__ = ["run", "sweep"]
