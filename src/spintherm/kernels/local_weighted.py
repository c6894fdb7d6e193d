"""Tilted noise where H_eff and P depend on the direction: `weighted` for `local_schemes`.

The noise of `local_schemes.splitting` takes n to p by the von Mises-Fisher law about k n; here it
is drawn about k n + w(n), with the weight of `weighted`, which depends on n, p and k alone. Where
n and p come from, and what is booked between them, is as there. Of the control w the polynomial
part comes from a table; the part of the torque's work, k_W beta m^2 n x P(n), is made of the local
torque at n.
"""

import numpy as np

from spintherm.kernels.elementary import cos_sin_turn
from spintherm.kernels.ensemble import (
    GENERATOR_ROWS,
    LANES,
    S0,
    S1,
    S2,
    S3,
    X,
    load_lanes,
    store_lanes,
)
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors
from spintherm.kernels.local_ensemble import (
    BEFORE,
    LANE_ROWS,
    TORQUE,
    begin,
    book,
    book_energy,
    book_jump,
    carry,
    note_energy,
    vector,
)
from spintherm.kernels.local_fields import cross3
from spintherm.kernels.local_schemes import drift_past, finish_splitting, load_splitting, turned
from spintherm.kernels.noise import advance, polar_draw
from spintherm.kernels.schemes import renormalised
from spintherm.kernels.weighted import (
    AX,
    COSINE,
    RADIAL,
    SCRATCH_ROWS,
    SIGN,
    SINE,
    WX,
    polynomial_control,
    tilted_direction,
)

LOG_WEIGHT = LANES * LANE_ROWS
LOCAL_WEIGHTED_ROWS = LANE_ROWS + 1
"""Rows of `local_ensemble`, its energy among them, and the logarithm of the weight."""

THERE, NX = (LANES * (SCRATCH_ROWS + 3 * row) for row in range(2))


@inline
def put(rows, place, a):
    """Put three components at one lane."""
    rows[place], rows[place + LANES], rows[place + 2 * LANES] = a


@kernel
def advance_tilted(
    state,
    generators,
    constants,
    jumps,
    coefficients,
    degree,
    work_exponent,
    energy,
    inverse_degree,
    polarisers,
):
    """Take state (14, n) and generators (4, n) through the steps of constants (steps, 29).

    As `weighted.advance_tilted`; work_exponent is k_W beta.
    """
    prefer_wide_vectors()
    lanes = np.empty(LOCAL_WEIGHTED_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    work = np.empty((SCRATCH_ROWS + 6) * LANES)
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin(lanes)
        note_energy(lanes, energy, inverse_degree)
        for k in range(constants.shape[0]):
            book_jump(lanes, jumps, k)
            c = load_splitting(constants, k, energy, polarisers)
            kappa, span = 1.0 / c[2][2], c[2][1]
            turning = work_exponent * c[3][1]
            for i in range(LANES):
                s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
                raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
                radial, azimuth, sign = polar_draw(raw)
                work[COSINE + i], work[SINE + i] = cos_sin_turn(azimuth)
                work[RADIAL + i], work[SIGN + i] = radial, sign
            for i in range(LANES):
                o = vector(lanes, X + i)
                u, there = drift_past(o, vector(lanes, TORQUE + i), c)
                n = turned(vector(lanes, BEFORE + i), u)
                put(work, AX + i, n)
                put(work, NX + i, n)
                put(work, THERE + i, there)
            polynomial_control(work, coefficients, k, degree)
            for i in range(LANES):
                n, w = vector(work, NX + i), vector(work, WX + i)
                side = cross3(n, vector(work, THERE + i))
                px, py, pz, log_weight = tilted_direction(
                    *(n[0], n[1], n[2]),
                    fma(turning, side[0], w[0]),
                    fma(turning, side[1], w[1]),
                    fma(turning, side[2], w[2]),
                    *(work[RADIAL + i], work[COSINE + i], work[SINE + i], kappa, span),
                )
                put(work, AX + i, renormalised(px, py, pz))
                lanes[LOG_WEIGHT + i] += log_weight
            for i in range(LANES):
                o, n, p = vector(lanes, X + i), vector(work, NX + i), vector(work, AX + i)
                dx, dy, dz = p[0] - n[0], p[1] - n[1], p[2] - n[2]
                versine = 0.5 * fma(dx, dx, fma(dy, dy, dz * dz))
                f, y, done, heat, pumped = finish_splitting(
                    o, n, vector(work, THERE + i), p, versine, work[SIGN + i], c
                )
                carry(lanes, i, p, y)
                book(lanes, i, f, done, heat, pumped)
        book_energy(lanes, energy, inverse_degree)
        store_lanes(state, generators, first, count, lanes, bits)
