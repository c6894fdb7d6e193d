"""What a worker does: one task, a pure function of the study of a point, a seed and a chunk.

It lies in a file of its own so that threads, processes and the workers of a cluster import the same
thing. The text of the study is that of one point: it is short, whatever the sweep.
"""

from __future__ import annotations

import time

from spintherm.study.arrays import Record


def perform(text: str, seed: int, chunk: int) -> tuple[Record, float]:
    """Do a task.

    Parameters
    ----------
    text : str
        Canonical TOML of a study of one point.
    seed : int
        Seed of the point.
    chunk : int
        Which part of the ensemble.

    Returns
    -------
    tuple
        The arrays by name, and how many seconds of processor time this thread took.
    """
    from spintherm.study.quantities import QUANTITIES, study_of

    began = time.thread_time()
    record = QUANTITIES[study_of(text).compute.quantity].compute(text, seed, chunk)
    return record, time.thread_time() - began
