"""Draws from a law of one axis: its cosine by inversion of a piecewise exponential density.

On each piece between neighbouring edges ln p(c) is linear, with a known share of the whole: a
uniform number picks the piece and the place in it, another one the azimuth.
"""

import numpy as np

from spintherm.kernels.elementary import cos_sin_turn
from spintherm.kernels.jit import fma, kernel
from spintherm.kernels.noise import advance, symmetric_uniform, uniform
from spintherm.kernels.schemes import renormalised, tangent


@kernel
def sample_axial(generators, axis, edges, cumulative, growths, state):
    """Fill n in state (rows, n) with draws about the unit vector axis.

    edges (N + 1,) are cosines, cumulative (N,) the cumulative shares of the pieces, growths (N,)
    the change of ln p over each. Two raw numbers are drawn per trajectory.
    """
    frame = -1.0 / (np.copysign(1.0, axis[2]) + axis[2])
    for i in range(state.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        u0, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        u1, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3
        u = uniform(u0)
        piece = min(np.searchsorted(cumulative, u), cumulative.size - 1)
        below = cumulative[piece - 1] if piece > 0 else 0.0
        share = min(max((u - below) / (cumulative[piece] - below), 0.0), 1.0)
        growth = growths[piece]
        if abs(growth) > 1e-8:
            share = np.log1p(share * np.expm1(growth)) / growth
        c = fma(share, edges[piece + 1] - edges[piece], edges[piece])
        cosine, sine = cos_sin_turn(symmetric_uniform(u1))
        dx, dy, dz = tangent(axis[0], axis[1], axis[2], frame, cosine, sine)
        across = np.sqrt(max((1.0 - c) * (1.0 + c), 0.0))
        state[0, i], state[1, i], state[2, i] = renormalised(
            fma(across, dx, c * axis[0]), fma(across, dy, c * axis[1]), fma(across, dz, c * axis[2])
        )
