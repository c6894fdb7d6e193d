"""Exact draws from a density exp f, f = pull.n - E(n), under a piecewise constant bound.

Each trajectory draws candidates from its own stream until one is accepted: the result depends on
the stream alone.
"""

import numpy as np

from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma, inline, kernel
from spintherm.kernels.noise import advance, uniform
from spintherm.kernels.schemes import dot, renormalised


@inline
def polynomial(x, y, z, exponents, coefficients):
    """Sum of coefficients times x^i y^j z^k, exponents (terms, 3)."""
    total = 0.0
    for term in range(coefficients.size):
        product = coefficients[term]
        for _ in range(exponents[term, 0]):
            product *= x
        for _ in range(exponents[term, 1]):
            product *= y
        for _ in range(exponents[term, 2]):
            product *= z
        total += product
    return total


@kernel
def sample(generators, cumulative, cells, bounds, pull, exponents, coefficients, state):
    """Fill n in state (6, n) with draws from exp(pull.n - E).

    cells (N, 4) hold lower z, height, lower azimuth and width; bounds (N,) are upper bounds of f on
    them, cumulative (N,) their cumulative shares of the envelope. Four raw numbers a candidate.
    """
    for i in range(state.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        x, y, z = 0.0, 0.0, 1.0
        accepted = False
        while not accepted:
            u0, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            u1, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            u2, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            u3, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            cell = min(np.searchsorted(cumulative, uniform(u0)), bounds.size - 1)
            z = fma(cells[cell, 1], uniform(u1), cells[cell, 0])
            azimuth = fma(cells[cell, 3], uniform(u2), cells[cell, 2]) / np.pi
            azimuth = azimuth - 2.0 * np.rint(0.5 * azimuth)
            cosine, sine = cos_sin_turn(azimuth)
            radius = np.sqrt(max((1.0 - z) * (1.0 + z), 0.0))
            x, y = radius * cosine, radius * sine
            f = dot(pull[0], pull[1], pull[2], x, y, z)
            f -= polynomial(x, y, z, exponents, coefficients)
            accepted = log(uniform(u3)) <= f - bounds[cell]
        state[0, i], state[1, i], state[2, i] = renormalised(x, y, z)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3
