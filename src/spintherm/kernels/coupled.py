"""Two resolutions of the same paths: a coarse step and the two half steps under the same noise.

The means of the differences between the two measure the step bias with little noise, because each
coarse path stays close to its fine one. The coarse noise is the sum of the two fine displacements,
parallel-transported to the coarse path along the great circle, over sqrt(2): exactly the law that
the scheme demands, whatever the paths, since transport is a rotation. The coarse Levy sign is that
of the area between the fine displacements, which is fair given their sum.

Blocks of LANES trajectories go through all steps together, as in `ensemble`; only the exponential
function, a call of the C library, is taken lane by lane.
"""

import numpy as np

from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.ensemble import (
    GENERATOR_ROWS,
    HEAT,
    LANES,
    PUMPED,
    S0,
    S1,
    S2,
    S3,
    STATE_ROWS,
    WORK,
    X,
    Y,
    Z,
    jump_lanes,
    load_lanes,
    store_lanes,
)
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors
from spintherm.kernels.noise import advance, normal_pair, polar_draw
from spintherm.kernels.schemes import (
    dot,
    euler_maruyama,
    load_euler_maruyama,
    load_splitting,
    moebius,
    moebius_with_frame,
    splitting,
    tangent,
)

# rows of the noise: of a fine step, then what is gathered for the coarse one
GX, GY, GZ, CX, CY, CZ = (LANES * row for row in range(6))
EXPONENTIAL, COSINE, SINE, SIGN, DX, DY, DZ, BX, BY, BZ, SIGNS, VX, VY, VZ = (
    LANES * row for row in range(14)
)
EULER_ROWS, SPLITTING_ROWS = 6, 14


@inline
def _jump(lanes, jumps, k):
    jx, jy, jz = jumps[k, 0], jumps[k, 1], jumps[k, 2]
    if jx != 0.0 or jy != 0.0 or jz != 0.0:
        jump_lanes(lanes, jx, jy, jz)


@inline
def _book(lanes, i, nx, ny, nz, work, heat, pumped):
    lanes[X + i], lanes[Y + i], lanes[Z + i] = nx, ny, nz
    lanes[WORK + i] += work
    lanes[HEAT + i] += heat
    lanes[PUMPED + i] += pumped


@inline
def _euler_maruyama_step(lanes, i, gx, gy, gz, c):
    nx, ny, nz, work, heat, pumped = euler_maruyama(
        lanes[X + i], lanes[Y + i], lanes[Z + i], gx, gy, gz, c
    )
    _book(lanes, i, nx, ny, nz, work, heat, pumped)


@inline
def two_draws(bits, noise):
    """Three normals for every lane."""
    for i in range(LANES):
        s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
        raw_xy, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        raw_z, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
        noise[GX + i], noise[GY + i] = normal_pair(raw_xy)
        noise[GZ + i], _ = normal_pair(raw_z)


@kernel
def couple_euler_maruyama(
    coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    prefer_wide_vectors()
    half = np.sqrt(0.5)
    wide, narrow = np.empty(STATE_ROWS * LANES), np.empty(STATE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise = np.empty(EULER_ROWS * LANES)
    for first in range(0, coarse.shape[1], LANES):
        count = min(LANES, coarse.shape[1] - first)
        load_lanes(coarse, generators, first, count, wide, bits)
        load_lanes(fine, generators, first, count, narrow, bits)
        for k in range(coarse_constants.shape[0]):
            _jump(wide, coarse_jumps, k)
            noise[CX:] = 0.0
            for j in range(2):
                two_draws(bits, noise)
                _jump(narrow, fine_jumps, 2 * k + j)
                c = load_euler_maruyama(fine_constants, 2 * k + j)
                for i in range(LANES):
                    gx, gy, gz = noise[GX + i], noise[GY + i], noise[GZ + i]
                    _euler_maruyama_step(narrow, i, gx, gy, gz, c)
                    noise[CX + i] += half * gx
                    noise[CY + i] += half * gy
                    noise[CZ + i] += half * gz
            c = load_euler_maruyama(coarse_constants, k)
            for i in range(LANES):
                _euler_maruyama_step(wide, i, noise[CX + i], noise[CY + i], noise[CZ + i], c)
        store_lanes(coarse, generators, first, count, wide, bits)
        store_lanes(fine, generators, first, count, narrow, bits)


@inline
def transported(vx, vy, vz, ax, ay, az, bx, by, bz):
    """Tangent v at a carried to b along the great circle."""
    near = max(1.0 + dot(ax, ay, az, bx, by, bz), 1e-12)
    along = dot(vx, vy, vz, bx, by, bz) / near
    return vx - along * (ax + bx), vy - along * (ay + by), vz - along * (az + bz)


@inline
def _splitting_step(lanes, i, nx, ny, nz, dx, dy, dz, radial, sign, c):
    """Finish a step whose first drift led to n, with noise along d and a uniform variate."""
    _, floor, span, inverse_kappa, _, _, _, _ = c
    versine = -log(fma(span, radial, floor)) * inverse_kappa
    ox, oy, oz = lanes[X + i], lanes[Y + i], lanes[Z + i]
    fx, fy, fz, work, heat, pumped = splitting(ox, oy, oz, nx, ny, nz, dx, dy, dz, versine, sign, c)
    _book(lanes, i, fx, fy, fz, work, heat, pumped)


@inline
def one_draw(bits, noise):
    """Exponential variate, azimuth and sign for every lane."""
    for i in range(LANES):
        s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
        raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
        radial, azimuth, sign = polar_draw(raw)
        noise[EXPONENTIAL + i] = -log(radial)
        noise[COSINE + i], noise[SINE + i] = cos_sin_turn(azimuth)
        noise[SIGN + i] = sign


@inline
def exponentials(noise, radial):
    """Turn exponential variates into uniform ones, by the C library."""
    for i in range(LANES):
        radial[i] = np.exp(-noise[EXPONENTIAL + i])


@inline
def _fine_lanes(narrow, noise, radial, f):
    """Take every lane through a half step, and gather its displacement for the coarse step."""
    half = np.sqrt(0.5)
    for i in range(LANES):
        ax, ay, az, frame = moebius_with_frame(narrow[X + i], narrow[Y + i], narrow[Z + i], f[0])
        dx, dy, dz = tangent(ax, ay, az, frame, noise[COSINE + i], noise[SINE + i])
        radius = half * np.sqrt(2.0 * noise[EXPONENTIAL + i])
        bx, by, bz = noise[BX + i], noise[BY + i], noise[BZ + i]
        vx, vy, vz = transported(radius * dx, radius * dy, radius * dz, ax, ay, az, bx, by, bz)
        sign = noise[SIGN + i]
        _splitting_step(narrow, i, ax, ay, az, dx, dy, dz, radial[i], sign, f)
        cx, cy, cz = noise[VX + i], noise[VY + i], noise[VZ + i]
        area = dot(bx, by, bz, cy * vz - cz * vy, cz * vx - cx * vz, cx * vy - cy * vx)
        noise[SIGNS + i] += sign - 2.0 * area
        noise[VX + i], noise[VY + i], noise[VZ + i] = cx + vx, cy + vy, cz + vz
        noise[DX + i], noise[DY + i], noise[DZ + i] = dx, dy, dz


@inline
def coarse_draw(noise):
    """Turn the gathered displacements into the coarse step's exponential, direction and sign."""
    for i in range(LANES):
        cx, cy, cz = noise[VX + i], noise[VY + i], noise[VZ + i]
        exponential = 0.5 * dot(cx, cy, cz, cx, cy, cz)
        moved = exponential > 0.0
        scale = 1.0 / np.sqrt(2.0 * exponential)
        noise[DX + i] = cx * scale if moved else noise[DX + i]
        noise[DY + i] = cy * scale if moved else noise[DY + i]
        noise[DZ + i] = cz * scale if moved else noise[DZ + i]
        noise[EXPONENTIAL + i] = exponential
        noise[SIGN + i] = np.copysign(1.0, noise[SIGNS + i])


@kernel
def couple_splitting(
    coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    prefer_wide_vectors()
    wide, narrow = np.empty(STATE_ROWS * LANES), np.empty(STATE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise, radial = np.empty(SPLITTING_ROWS * LANES), np.empty(LANES)
    for first in range(0, coarse.shape[1], LANES):
        count = min(LANES, coarse.shape[1] - first)
        load_lanes(coarse, generators, first, count, wide, bits)
        load_lanes(fine, generators, first, count, narrow, bits)
        for k in range(coarse_constants.shape[0]):
            _jump(wide, coarse_jumps, k)
            c = load_splitting(coarse_constants, k)
            for i in range(LANES):
                noise[BX + i], noise[BY + i], noise[BZ + i] = moebius(
                    wide[X + i], wide[Y + i], wide[Z + i], c[0]
                )
            noise[SIGNS:] = 0.0
            for j in range(2):
                one_draw(bits, noise)
                exponentials(noise, radial)
                _jump(narrow, fine_jumps, 2 * k + j)
                _fine_lanes(narrow, noise, radial, load_splitting(fine_constants, 2 * k + j))
            coarse_draw(noise)
            exponentials(noise, radial)
            for i in range(LANES):
                _splitting_step(
                    wide,
                    i,
                    noise[BX + i],
                    noise[BY + i],
                    noise[BZ + i],
                    noise[DX + i],
                    noise[DY + i],
                    noise[DZ + i],
                    radial[i],
                    noise[SIGN + i],
                    c,
                )
        store_lanes(coarse, generators, first, count, wide, bits)
        store_lanes(fine, generators, first, count, narrow, bits)
