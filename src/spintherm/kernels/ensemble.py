"""Ensembles: lanes of trajectories side by side, step by step.

A block of LANES trajectories is copied into one local buffer, taken through all steps of the call
and copied back, so that the state lives in the first-level cache and each line of a scheme becomes
vector code over lanes. Rows of the buffer lie a constant number of doubles apart: that is what lets
the compiler prove that they do not overlap.
"""

import numpy as np

from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors
from spintherm.kernels.noise import advance, normal_pair, polar_draw, symmetric_uniform, uniform
from spintherm.kernels.schemes import (
    dot,
    euler_maruyama,
    load_euler_maruyama,
    load_splitting,
    moebius_with_shrink,
    reflected,
    renormalised,
    second_drift,
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


@kernel
def advance_splitting(state, generators, constants, jumps):
    """Take state (6, n) and generators (4, n) through the steps of constants (steps, 33).

    jumps (steps, 3) holds m DH at the start of each step. One raw number is drawn per step.
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
            c = load_splitting(constants, k)
            matrix, floor, span, inverse_kappa, _, levy, _, _ = c
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
                ox, oy, oz = lanes[X + i], lanes[Y + i], lanes[Z + i]
                nx, ny, nz, shrink = moebius_with_shrink(ox, oy, oz, matrix)
                versine = abs(noise[VERSINE + i])
                sin_theta = np.sqrt(versine * (2.0 - versine))
                ux, uy = sin_theta * noise[COSINE + i], sin_theta * noise[SINE + i]
                px, py, pz = reflected(nx, ny, nz, shrink, ux, uy, versine)
                area = np.copysign(levy, noise[VERSINE + i])
                nx, ny, nz, work, heat, pumped = second_drift(
                    ox, oy, oz, nx, ny, nz, px, py, pz, versine, area, c
                )
                lanes[X + i], lanes[Y + i], lanes[Z + i] = nx, ny, nz
                lanes[WORK + i] += work
                lanes[HEAT + i] += heat
                lanes[PUMPED + i] += pumped
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
