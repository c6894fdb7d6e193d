"""Ensembles whose fields depend on the direction: the lanes of `ensemble` once more.

The layout is the same as there. `splitting` keeps six more rows for itself: where the last noise
ended and y there; zero at the beginning, when lanes start where they are. Heat is booked with the
change of E_a between the ends of each step; E_a comes from the polynomials of dE_a/dn by Euler's
theorem on homogeneous functions. In `splitting` heat is the change of energy less the work.

A step of `splitting` is taken in several loops over the lanes, short enough for a processor to work
on a few sets of lanes at a time: turn, throw and finish.
"""

import numpy as np
from numba.np.numpy_support import carray

from spintherm.kernels.coupled import two_draws
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
    RENORMALISE,
    SINE,
    STATE_ROWS,
    VERSINE,
    WORK,
    X,
    Y,
    Z,
    draw_turn,
    jump_lanes,
    load_lanes,
    store_lanes,
)
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors, stack_address
from spintherm.kernels.local_fields import anisotropy_energy, dot3, pumping, uniform_pumping
from spintherm.kernels.local_schemes import (
    drift_past,
    drifting,
    euler_maruyama,
    load_euler_maruyama,
    load_splitting,
    pumped,
    thrown_by,
    torque_area,
    turned,
    turned_with_shrink,
)
from spintherm.kernels.schemes import dot, renormalised

MEMORY_ROWS = 6
SPLITTING_ROWS = STATE_ROWS + MEMORY_ROWS
BEFORE, TORQUE = LANES * STATE_ROWS, LANES * (STATE_ROWS + 3)
ENERGY = LANES * SPLITTING_ROWS
LANE_ROWS = SPLITTING_ROWS + 1
# noise: versine and sin(theta) d, 1/(1 + |nz|), in whose places p is written
SHRINK = LANES * NOISE_ROWS
STATE_BYTES = 8 * SPLITTING_ROWS * LANES
GENERATOR_BYTES = 8 * GENERATOR_ROWS * LANES
SCRATCH_BYTES = 8 * (NOISE_ROWS + 1) * LANES
_BYTES = STATE_BYTES + GENERATOR_BYTES + SCRATCH_BYTES
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


@inline
def _energy(lanes, i, hx, hy, hz, energy, inverse_degree):
    """Energy of a lane, m H = (hx, hy, hz)."""
    n = vector(lanes, X + i)
    return anisotropy_energy(n, energy, inverse_degree) - dot(hx, hy, hz, n[0], n[1], n[2])


@inline
def begin_lanes(lanes, c, jumps, energy, inverse_degree):
    """Prepare a call: lanes that have not moved yet start where they are.

    The energy before the first jump and the work so far are taken from the heat.
    """
    begin(lanes)
    hx, hy, hz = (
        c[26] - c[23] - jumps[0, 0],
        c[27] - c[24] - jumps[0, 1],
        c[28] - c[25] - jumps[0, 2],
    )
    for i in range(LANES):
        lanes[HEAT + i] += lanes[WORK + i] - _energy(lanes, i, hx, hy, hz, energy, inverse_degree)


@inline
def _end_heat(lanes, c, energy, inverse_degree):
    """Make the heat of a call the change of energy less the work, see `begin_lanes`."""
    hx, hy, hz = c[26] + c[23], c[27] + c[24], c[28] + c[25]
    for i in range(LANES):
        lanes[HEAT + i] += _energy(lanes, i, hx, hy, hz, energy, inverse_degree) - lanes[WORK + i]


@inline
def turn_lane(lanes, i, noise, rates, field, c, polarisers):
    """Turn a lane from where the last noise ended, past o, to where the next one begins.

    What is booked at o: the work of the field, whose m DH of both halves is `field`, pumped
    entropy at `rates`, and the Levy area with the sign of its versine in `noise`.
    """
    own, _, _, weights, _ = c
    o, before = vector(lanes, X + i), vector(lanes, BEFORE + i)
    u, there = drift_past(o, vector(lanes, TORQUE + i), c)
    n, shrink = turned_with_shrink(before, u)
    carry(lanes, i, n, there)
    noise[SHRINK + i] = shrink
    strength = pumping(0.0, o, 1.0, polarisers)
    sigma = fma(own[3], strength, uniform_pumping(o, own[2]))
    area = np.copysign(2.0 * weights[2], noise[VERSINE + i])
    lanes[WORK + i] += fma(area, sigma, -dot3(field, o))
    lanes[PUMPED + i] += 2.0 * fma(rates[3], strength, uniform_pumping(o, rates[2]))


@inline
def throw_lane(lanes, i, noise):
    """Let the noise turn a lane from n to p: versine and sin(theta) d in `noise`.

    p is there within rounding, or that of the noise (`settle`).
    """
    n = vector(lanes, BEFORE + i)
    versine = abs(noise[VERSINE + i])
    ux, uy = noise[COSINE + i], noise[SINE + i]
    p = thrown_by(n, noise[SHRINK + i], versine, ux, uy)
    noise[SHRINK + i], noise[COSINE + i], noise[SINE + i] = p


@inline
def settle(noise, k, steps):
    """Put p of every lane back on the sphere, every 32 steps and in the last of a call."""
    if k & RENORMALISE == RENORMALISE or k + 1 == steps:
        for i in range(LANES):
            p = renormalised(noise[SHRINK + i], noise[COSINE + i], noise[SINE + i])
            noise[SHRINK + i], noise[COSINE + i], noise[SINE + i] = p


@inline
def finish_lane(lanes, i, noise, c):
    """Drift from p to the end of the step, and book the torque's work along the whole of it."""
    own, _, _, weights, _ = c
    o, n, there = vector(lanes, X + i), vector(lanes, BEFORE + i), vector(lanes, TORQUE + i)
    p = noise[SHRINK + i], noise[COSINE + i], noise[SINE + i]
    u, y = drifting(p, own)
    f = turned(p, u)
    carry(lanes, i, p, y)
    lanes[X + i], lanes[Y + i], lanes[Z + i] = f
    versine = abs(noise[VERSINE + i])
    area = torque_area(o, n, there, p, y, f, versine, weights[0])
    lanes[WORK + i] = fma(-weights[1], area, lanes[WORK + i])


@inline
def end_lanes(lanes, row, c, energy, inverse_degree):
    """Book at the end of a call what `turn_lane` would book of the step before, and the heat."""
    own, books = c[0], c[4]
    for i in range(LANES):
        f = vector(lanes, X + i)
        lanes[WORK + i] -= dot(books[0], books[1], books[2], f[0], f[1], f[2])
        lanes[PUMPED + i] += 2.0 * pumped(f, own)
    _end_heat(lanes, row, energy, inverse_degree)


@inline
def field_across(constants, jumps, k):
    """m DH/2 of the steps that meet where step k begins, and m DH of the jump there."""
    c, jump = constants[k], jumps[k]
    field = c[23] + jump[0], c[24] + jump[1], c[25] + jump[2]
    before = constants[max(k - 1, 0)]
    share = 1.0 if k > 0 else 0.0
    return (
        fma(share, before[23], field[0]),
        fma(share, before[24], field[1]),
        fma(share, before[25], field[2]),
    )


@inline
def _buffers(room):
    """Cut the bytes into lanes, generators' states and noise."""
    lanes, rest = room[:STATE_BYTES].view(np.float64), room[STATE_BYTES:]
    return lanes, rest[:GENERATOR_BYTES].view(np.uint64), rest[GENERATOR_BYTES:].view(np.float64)


@kernel
def advance_splitting(state, generators, constants, jumps, energy, inverse_degree, polarisers):
    """Take state (12, n) and generators (4, n) through the steps of constants (steps, 29).

    jumps (steps, 3) holds m DH at the start of each step. One raw number is drawn per step.
    """
    prefer_wide_vectors()
    steps = constants.shape[0]
    lanes, bits, noise = _buffers(carray(stack_address(_BYTES), _BYTES, np.uint8))
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin_lanes(lanes, constants[0], jumps, energy, inverse_degree)
        for k in range(steps):
            c = load_splitting(constants, k, energy, polarisers)
            floor, span, inverse_kappa = c[2]
            for i in range(LANES):
                noise[VERSINE + i], noise[COSINE + i], noise[SINE + i] = draw_turn(
                    bits, i, floor, span, inverse_kappa
                )
            field, rates = field_across(constants, jumps, k), c[1] if k > 0 else c[0]
            for i in range(LANES):
                turn_lane(lanes, i, noise, rates, field, c, polarisers)
            for i in range(LANES):
                throw_lane(lanes, i, noise)
            settle(noise, k, steps)
            for i in range(LANES):
                finish_lane(lanes, i, noise, c)
        c = load_splitting(constants, steps - 1, energy, polarisers)
        end_lanes(lanes, constants[steps - 1], c, energy, inverse_degree)
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
