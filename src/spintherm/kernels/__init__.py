"""Compiled kernels: bare numbers and arrays, no physics objects.

The rule of the folder: it imports numpy and numba only, knows neither magnets nor protocols, and
contains no branch on physics inside a loop over trajectories. Whatever depends on the step alone is
computed once for the whole ensemble (`constants`), whatever depends on the trajectory is a lane
(`ensemble`).
"""
