"""Seeds: every ensemble gets one of its own, derived from the one seed and the ensemble's name."""

from __future__ import annotations

import zlib

import numpy as np


def derived_seed(seed: int, *words: str | int) -> int:
    """Return a seed for `simulate`.

    Parameters
    ----------
    seed : int
        The one seed.
    words : str or int
        What names the ensemble; numbers are at least zero.

    Returns
    -------
    int
        From 0 to 2**64 - 1; other words give unrelated numbers.
    """
    key = [w if isinstance(w, int) else zlib.crc32(w.encode("utf-8")) for w in words]
    return int(np.random.SeedSequence([seed, *key]).generate_state(1, np.uint64)[0])
