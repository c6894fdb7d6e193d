"""Ensembles whose fields depend on the direction: the lanes of `ensemble` once more.

The layout is the same as there. `splitting` keeps six more rows for itself: where the last noise
ended and y there; zero at the beginning, when lanes start where they are. Heat is booked with the
change of E_a between the ends of each step; E_a comes from the polynomials of dE_a/dn by Euler's
theorem on homogeneous functions.
"""

import numpy as np

from spintherm.kernels.coupled import two_draws
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.ensemble import (
    COSINE,
    GENERATOR_ROWS,
    GX,
    GY,
    GZ,
    HEAT,
    LANES,
    NOISE_ROWS,
    PUMPED,
    S0,
    S1,
    S2,
    S3,
    SINE,
    STATE_ROWS,
    VERSINE,
    WORK,
    X,
    Y,
    Z,
    jump_lanes,
    load_lanes,
    store_lanes,
)
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors
from spintherm.kernels.local_fields import dot3, pull
from spintherm.kernels.local_schemes import (
    drift_in,
    euler_maruyama,
    finish_splitting,
    load_euler_maruyama,
    load_splitting,
    thrown,
    turned_with_shrink,
)
from spintherm.kernels.noise import advance, polar_draw

MEMORY_ROWS = 6
SPLITTING_ROWS = STATE_ROWS + MEMORY_ROWS
BEFORE, TORQUE = LANES * STATE_ROWS, LANES * (STATE_ROWS + 3)
ENERGY = LANES * SPLITTING_ROWS
LANE_ROWS = SPLITTING_ROWS + 1
SPLITTING_COLUMNS, EULER_MARUYAMA_COLUMNS = 29, 22


@inline
def book_jump(lanes, jumps, k):
    """Book the work of a jump of the field before step k, if there is one."""
    jx, jy, jz = jumps[k, 0], jumps[k, 1], jumps[k, 2]
    if jx != 0.0 or jy != 0.0 or jz != 0.0:
        jump_lanes(lanes, jx, jy, jz)


@inline
def book(lanes, i, n, work, heat, pumped):
    """Put a lane at n and add to its functionals."""
    lanes[X + i], lanes[Y + i], lanes[Z + i] = n
    lanes[WORK + i] += work
    lanes[HEAT + i] += heat
    lanes[PUMPED + i] += pumped


@inline
def gain_energy(lanes, i, now):
    """Add the change of E_a since the last time to the heat."""
    lanes[HEAT + i] += now - lanes[ENERGY + i]
    lanes[ENERGY + i] = now


@inline
def note_energy(lanes, energy, inverse_degree):
    """Note E_a on every lane."""
    for i in range(LANES):
        lanes[ENERGY + i] = anisotropy_energy(vector(lanes, X + i), energy, inverse_degree)


@inline
def book_energy(lanes, energy, inverse_degree):
    """Add the change of E_a since the last time to the heat of every lane."""
    for i in range(LANES):
        gain_energy(lanes, i, anisotropy_energy(vector(lanes, X + i), energy, inverse_degree))


@inline
def anisotropy_energy(n, energy, inverse_degree):
    """E_a at n."""
    return inverse_degree * dot3(n, pull((0.0, 0.0, 0.0), n, energy, 1.0))


@inline
def vector(rows, place):
    """Three rows at one lane."""
    return rows[place], rows[place + LANES], rows[place + 2 * LANES]


@inline
def begin(lanes):
    """Let lanes that have not moved yet start where they are."""
    for i in range(LANES):
        x, y, z = vector(lanes, BEFORE + i)
        fresh = fma(x, x, fma(y, y, z * z)) == 0.0
        lanes[BEFORE + i] = lanes[X + i] if fresh else x
        lanes[BEFORE + LANES + i] = lanes[Y + i] if fresh else y
        lanes[BEFORE + 2 * LANES + i] = lanes[Z + i] if fresh else z


@inline
def carry(lanes, i, p, y):
    """Remember where the noise ended, and y there, for the next drift."""
    lanes[BEFORE + i], lanes[BEFORE + LANES + i], lanes[BEFORE + 2 * LANES + i] = p
    lanes[TORQUE + i], lanes[TORQUE + LANES + i], lanes[TORQUE + 2 * LANES + i] = y


@kernel
def advance_splitting(state, generators, constants, jumps, energy, inverse_degree, polarisers):
    """Take state (6, n) and generators (4, n) through the steps of constants (steps, 21).

    jumps (steps, 3) holds m DH at the start of each step. One raw number is drawn per step.
    """
    prefer_wide_vectors()
    lanes = np.empty(LANE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise = np.empty(NOISE_ROWS * LANES)
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin(lanes)
        note_energy(lanes, energy, inverse_degree)
        for k in range(constants.shape[0]):
            book_jump(lanes, jumps, k)
            c = load_splitting(constants, k, energy, polarisers)
            floor, span, inverse_kappa = c[2]
            for i in range(LANES):
                s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
                raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
                radial, azimuth, sign = polar_draw(raw)
                cosine, sine = cos_sin_turn(azimuth)
                versine = -log(fma(span, radial, floor)) * inverse_kappa
                # a versine is never negative: its sign bit carries the sign of the Levy area
                noise[VERSINE + i] = np.copysign(versine, sign)
                noise[COSINE + i], noise[SINE + i] = cosine, sine
            for i in range(LANES):
                o, before = vector(lanes, X + i), vector(lanes, BEFORE + i)
                u, there, before_step = drift_in(o, vector(lanes, TORQUE + i), c)
                gain_energy(lanes, i, inverse_degree * before_step)
                n, shrink = turned_with_shrink(before, u)
                versine = abs(noise[VERSINE + i])
                p = thrown(n, shrink, versine, noise[COSINE + i], noise[SINE + i])
                sign = np.copysign(1.0, noise[VERSINE + i])
                f, y, work, heat, entropy = finish_splitting(o, n, there, p, versine, sign, c)
                carry(lanes, i, p, y)
                book(lanes, i, f, work, heat, entropy)
        book_energy(lanes, energy, inverse_degree)
        store_lanes(state, generators, first, count, lanes, bits)


@kernel
def advance_euler_maruyama(state, generators, constants, jumps, energy, inverse_degree, polarisers):
    """Take state (6, n) and generators (4, n) through the steps of constants (steps, 22).

    jumps (steps, 3) holds m DH at the start of each step. Two raw numbers are drawn per step.
    """
    prefer_wide_vectors()
    lanes = np.empty(LANE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise = np.empty(NOISE_ROWS * LANES)
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        note_energy(lanes, energy, inverse_degree)
        for k in range(constants.shape[0]):
            book_jump(lanes, jumps, k)
            c = load_euler_maruyama(constants, k, energy, polarisers)
            two_draws(bits, noise)
            for i in range(LANES):
                g = noise[GX + i], noise[GY + i], noise[GZ + i]
                n, work, heat, pumped, before_step = euler_maruyama(vector(lanes, X + i), g, c)
                gain_energy(lanes, i, inverse_degree * before_step)
                book(lanes, i, n, work, heat, pumped)
        book_energy(lanes, energy, inverse_degree)
        store_lanes(state, generators, first, count, lanes, bits)
