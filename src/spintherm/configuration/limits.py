"""Limits: how large a study may be before it is a slip of the pen, or hostile.

A file is read in full before anything of it is believed, so that its size and depth are bounded
before it is parsed, and all counts before anything is allocated.
"""

from __future__ import annotations

LARGEST_FILE = 1 << 20
"""Bytes of a file."""
DEEPEST = 16
"""Tables and lists inside each other."""
LONGEST_KEY = 200
"""Letters of a dotted key."""
LONGEST_TEXT = 1000
"""Letters of a text."""
MOST_OVERRIDES = 1000
"""Overrides of single keys."""
MOST_POINTS = 100_000
"""Points of a sweep."""
MOST_AXES = 8
"""Swept keys."""
MOST_TRAJECTORIES = 10**11
"""Trajectories of a point."""
LARGEST_CHUNK = 1 << 24
"""Trajectories of a task."""
MOST_TASKS = 10**8
"""Tasks of a study."""
MOST_STEPS = 10_000_000
"""Time steps, as many as `simulate` takes of itself."""
MOST_BINS = 4096
"""Bins of a histogram: the joint one has its square."""
MOST_TIMES = 1_000_000
"""Times, lengths of pulses or points of a density."""
