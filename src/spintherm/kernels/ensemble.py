"""Ensembles: lanes of trajectories side by side, step by step.

A block of LANES trajectories is copied into one local buffer, taken through all steps of the call
and copied back, so that the state lives in the first-level cache and each line of a scheme becomes
vector code over lanes. Rows of the buffer lie a constant number of doubles apart: that is what lets
the compiler prove that they do not overlap.

The splitting is that of `schemes`, summed up as in `merged`: its state between two steps of a call
is the one just after the noise. Every 32 steps it is put back on the sphere, which rounding hardly
leaves. How steps are cut into calls is visible in the last bits.
"""

import numpy as np
from numba.np.numpy_support import carray

from spintherm.kernels import merged
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors, stack_address
from spintherm.kernels.noise import advance, normal_pair, polar_draw, symmetric_uniform, uniform
from spintherm.kernels.schemes import (
    dot,
    euler_maruyama,
    load_euler_maruyama,
    renormalised,
    tangent,
)

LANES = 256
X, Y, Z, WORK, HEAT, PUMPED = (LANES * row for row in range(6))
S0, S1, S2, S3 = (LANES * row for row in range(4))
VERSINE, COSINE, SINE = (LANES * row for row in range(3))
GX, GY, GZ = (LANES * row for row in range(3))
STATE_ROWS = 6
GENERATOR_ROWS = 4
NOISE_ROWS = 3
_STATE_BYTES = 8 * STATE_ROWS * LANES
_GENERATOR_BYTES = 8 * GENERATOR_ROWS * LANES
_BYTES = _STATE_BYTES + _GENERATOR_BYTES + 8 * NOISE_ROWS * LANES
RENORMALISE = 31
"""Steps k with these bits set put every lane back on the sphere: one in 32."""


@inline
def load_lanes(state, generators, first, count, lanes, bits):
    """Copy a block of trajectories into the buffers; lanes that are left over stand still.

    Rows of the state that `lanes` has no room for are left alone, and rows it lacks are zero.
    """
    lanes[:] = 0.0
    lanes[Z : Z + LANES] = 1.0
    bits[:] = np.uint64(1)
    for row in range(min(state.shape[0], lanes.size // LANES)):
        here, there = lanes[row * LANES :], state[row, first:]
        for i in range(count):
            here[i] = there[i]
    for row in range(GENERATOR_ROWS):
        stream, streams = bits[row * LANES :], generators[row, first:]
        for i in range(count):
            stream[i] = streams[i]


@inline
def store_lanes(state, generators, first, count, lanes, bits):
    """Copy a block of trajectories back from the buffers."""
    for row in range(min(state.shape[0], lanes.size // LANES)):
        here, there = lanes[row * LANES :], state[row, first:]
        for i in range(count):
            there[i] = here[i]
    for row in range(GENERATOR_ROWS):
        stream, streams = bits[row * LANES :], generators[row, first:]
        for i in range(count):
            streams[i] = stream[i]


@inline
def jump_lanes(lanes, jx, jy, jz):
    """Book the work of a sudden change of the field by j/m on every lane."""
    for i in range(LANES):
        lanes[WORK + i] -= dot(jx, jy, jz, lanes[X + i], lanes[Y + i], lanes[Z + i])


@kernel
def apply_jump(state, jump):
    """Book the work -jump.n of a sudden change of the field, jump = m DH, on state (6, n)."""
    for i in range(state.shape[1]):
        state[3, i] -= dot(jump[0], jump[1], jump[2], state[0, i], state[1, i], state[2, i])


@kernel
def advance_euler_maruyama(state, generators, constants, jumps):
    """Take state (6, n) and generators (4, n) through the steps of constants (steps, 20).

    jumps (steps, 3) holds m DH at the start of each step. Two raw numbers are drawn per step.
    """
    prefer_wide_vectors()
    lanes = np.empty(STATE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise = np.empty(NOISE_ROWS * LANES)
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        for k in range(constants.shape[0]):
            jx, jy, jz = jumps[k, 0], jumps[k, 1], jumps[k, 2]
            if jx != 0.0 or jy != 0.0 or jz != 0.0:
                jump_lanes(lanes, jx, jy, jz)
            c = load_euler_maruyama(constants, k)
            for i in range(LANES):
                s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
                raw_xy, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                raw_z, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
                noise[GX + i], noise[GY + i] = normal_pair(raw_xy)
                noise[GZ + i], _ = normal_pair(raw_z)
            for i in range(LANES):
                nx, ny, nz, work, heat, pumped = euler_maruyama(
                    lanes[X + i],
                    lanes[Y + i],
                    lanes[Z + i],
                    noise[GX + i],
                    noise[GY + i],
                    noise[GZ + i],
                    c,
                )
                lanes[X + i], lanes[Y + i], lanes[Z + i] = nx, ny, nz
                lanes[WORK + i] += work
                lanes[HEAT + i] += heat
                lanes[PUMPED + i] += pumped
        store_lanes(state, generators, first, count, lanes, bits)


@inline
def begin_heat(lanes, rows, jumps):
    """Take from the heat the energy -m H.n before the first jump of a call, and the work so far."""
    c = rows[0]
    hx = c[27] - c[24] - jumps[0, 0]
    hy = c[28] - c[25] - jumps[0, 1]
    hz = c[29] - c[26] - jumps[0, 2]
    for i in range(LANES):
        lanes[HEAT + i] += dot(hx, hy, hz, lanes[X + i], lanes[Y + i], lanes[Z + i])
        lanes[HEAT + i] += lanes[WORK + i]


@inline
def end_heat(lanes, rows):
    """Make the heat of a call the change of energy less the work, see `begin_heat`."""
    c = rows[rows.shape[0] - 1]
    hx, hy, hz = c[27] + c[24], c[28] + c[25], c[29] + c[26]
    for i in range(LANES):
        energy = dot(hx, hy, hz, lanes[X + i], lanes[Y + i], lanes[Z + i])
        lanes[HEAT + i] -= energy + lanes[WORK + i]


@inline
def renormalise_lanes(lanes):
    """Put every lane back on the sphere."""
    for i in range(LANES):
        nx, ny, nz = renormalised(lanes[X + i], lanes[Y + i], lanes[Z + i])
        lanes[X + i], lanes[Y + i], lanes[Z + i] = nx, ny, nz


@inline
def _buffers(room):
    """Cut the bytes into lanes, generators' states and noise."""
    lanes, rest = room[:_STATE_BYTES].view(np.float64), room[_STATE_BYTES:]
    return lanes, rest[:_GENERATOR_BYTES].view(np.uint64), rest[_GENERATOR_BYTES:].view(np.float64)


@inline
def draw_turn(bits, i, floor, span, inverse_kappa):
    """Draw the noise of a step of a lane: 1 - cos(theta) and sin(theta) d.

    The first is never negative: its sign bit carries the sign of the Levy area.
    """
    s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
    raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
    bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
    radial, azimuth, sign = polar_draw(raw)
    cosine, sine = cos_sin_turn(azimuth)
    versine = -log(fma(span, radial, floor)) * inverse_kappa
    sin_theta = np.sqrt(versine * (2.0 - versine))
    return np.copysign(versine, sign), sin_theta * cosine, sin_theta * sine


@kernel
def advance_splitting(state, generators, constants, jumps):
    """Take state (6, n) and generators (4, n) through the steps of constants (steps, 33).

    jumps (steps, 3) holds m DH at the start of each step. One raw number is drawn per step.
    """
    prefer_wide_vectors()
    steps = constants.shape[0]
    nodes = np.empty((steps + 1, merged.CHORD_NODE))
    merged.tabulate_chords(constants, jumps, nodes)
    lanes, bits, noise = _buffers(carray(stack_address(_BYTES), _BYTES, np.uint8))
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin_heat(lanes, constants, jumps)
        for k in range(steps):
            row = nodes[k]
            floor, span, inverse_kappa = row[0], row[1], row[2]
            for i in range(LANES):
                noise[VERSINE + i], noise[COSINE + i], noise[SINE + i] = draw_turn(
                    bits, i, floor, span, inverse_kappa
                )
            node, (middle, entropy, to_n) = merged.load(row), merged.load_chords(row)
            for i in range(LANES):
                px, py, pz = lanes[X + i], lanes[Y + i], lanes[Z + i]
                moved, unit, work, _ = merged.thrown(
                    px, py, pz, noise[VERSINE + i], noise[COSINE + i], noise[SINE + i], node
                )
                at_end = 1.0 / merged.affine(middle, px, py, pz)
                drift_work = fma(
                    unit,
                    merged.quadratic(to_n, px, py, pz),
                    merged.quadratic(node[4], px, py, pz),
                )
                lanes[X + i], lanes[Y + i], lanes[Z + i] = moved
                lanes[WORK + i] += fma(at_end, drift_work, unit * work)
                lanes[PUMPED + i] += at_end * merged.affine(entropy, px, py, pz)
            if k & RENORMALISE == RENORMALISE:
                renormalise_lanes(lanes)
        row = nodes[steps]
        node, (_, entropy, _) = merged.load(row), merged.load_chords(row)
        for i in range(LANES):
            px, py, pz = lanes[X + i], lanes[Y + i], lanes[Z + i]
            moved, at_end = merged.ended(px, py, pz, node)
            lanes[X + i], lanes[Y + i], lanes[Z + i] = moved
            lanes[WORK + i] += at_end * merged.quadratic(node[4], px, py, pz)
            lanes[PUMPED + i] += at_end * merged.affine(entropy, px, py, pz)
        end_heat(lanes, constants)
        store_lanes(state, generators, first, count, lanes, bits)


@kernel
def sample_von_mises_fisher(generators, axis, concentration, state):
    """Fill n in state (6, n) with draws from p(n) ~ exp(concentration axis.n), by exact inversion.

    axis is a unit vector; concentration may be zero (uniform) or infinite (n = axis). Two raw
    numbers are drawn per trajectory.
    """
    small = concentration < 1e-6
    floor = np.exp(-2.0 * concentration)
    span = -np.expm1(-2.0 * concentration)
    inverse = 0.0 if small else 1.0 / concentration
    for i in range(state.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        u0, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        u1, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3
        u = uniform(u0)
        versine = 2.0 * (1.0 - u) if small else -log(fma(span, u, floor)) * inverse
        versine = min(max(versine, 0.0), 2.0)
        cosine, sine = cos_sin_turn(symmetric_uniform(u1))
        frame = -1.0 / (np.copysign(1.0, axis[2]) + axis[2])
        dx, dy, dz = tangent(axis[0], axis[1], axis[2], frame, cosine, sine)
        sin_theta = np.sqrt(versine * (2.0 - versine))
        nx = fma(sin_theta, dx, (1.0 - versine) * axis[0])
        ny = fma(sin_theta, dy, (1.0 - versine) * axis[1])
        nz = fma(sin_theta, dz, (1.0 - versine) * axis[2])
        state[0, i], state[1, i], state[2, i] = renormalised(nx, ny, nz)
