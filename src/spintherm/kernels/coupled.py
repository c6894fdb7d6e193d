"""Two resolutions of the same paths: a coarse step and the two half steps under the same noise.

The means of the differences between the two measure the step bias with little noise, because each
coarse path stays close to its fine one. The coarse noise is the sum of the two fine displacements,
parallel-transported to the coarse path along the great circle, over sqrt(2): exactly the law that
the scheme demands, whatever the paths, since transport is a rotation. The coarse Levy sign is that
of the area between the fine displacements, which is fair given their sum; where the odds of the
sign depend on the path, the area gives the sign of the uniform number that decides.
"""

import numpy as np

from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma, inline, kernel
from spintherm.kernels.noise import advance, normal_pair, polar_draw, symmetric_uniform
from spintherm.kernels.reversible import exact_ft, load_exact_ft
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


@inline
def _jump(state, i, jumps, k):
    jx, jy, jz = jumps[k, 0], jumps[k, 1], jumps[k, 2]
    state[3, i] -= dot(jx, jy, jz, state[0, i], state[1, i], state[2, i])


@inline
def _book(state, i, nx, ny, nz, work, heat, pumped):
    state[0, i], state[1, i], state[2, i] = nx, ny, nz
    state[3, i] += work
    state[4, i] += heat
    state[5, i] += pumped


@inline
def _euler_maruyama_step(state, i, gx, gy, gz, constants, k):
    nx, ny, nz, work, heat, pumped = euler_maruyama(
        state[0, i], state[1, i], state[2, i], gx, gy, gz, load_euler_maruyama(constants, k)
    )
    _book(state, i, nx, ny, nz, work, heat, pumped)


@kernel
def couple_euler_maruyama(
    coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    half = np.sqrt(0.5)
    for i in range(coarse.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        for k in range(coarse_constants.shape[0]):
            _jump(coarse, i, coarse_jumps, k)
            cx, cy, cz = 0.0, 0.0, 0.0
            for j in range(2):
                raw_xy, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                raw_z, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                gx, gy = normal_pair(raw_xy)
                gz, _ = normal_pair(raw_z)
                _jump(fine, i, fine_jumps, 2 * k + j)
                _euler_maruyama_step(fine, i, gx, gy, gz, fine_constants, 2 * k + j)
                cx, cy, cz = cx + half * gx, cy + half * gy, cz + half * gz
            _euler_maruyama_step(coarse, i, cx, cy, cz, coarse_constants, k)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3


@inline
def _transport(vx, vy, vz, ax, ay, az, bx, by, bz):
    """Tangent v at a carried to b along the great circle."""
    near = max(1.0 + dot(ax, ay, az, bx, by, bz), 1e-12)
    along = dot(vx, vy, vz, bx, by, bz) / near
    return vx - along * (ax + bx), vy - along * (ay + by), vz - along * (az + bz)


@inline
def _splitting_step(state, i, nx, ny, nz, dx, dy, dz, exponential, sign, c):
    """Finish a step whose first drift led to n, with noise along d and an exponential variate."""
    _, floor, span, inverse_kappa, _, _, _, _ = c
    versine = -log(fma(span, np.exp(-exponential), floor)) * inverse_kappa
    ox, oy, oz = state[0, i], state[1, i], state[2, i]
    fx, fy, fz, work, heat, pumped = splitting(ox, oy, oz, nx, ny, nz, dx, dy, dz, versine, sign, c)
    _book(state, i, fx, fy, fz, work, heat, pumped)


@kernel
def couple_splitting(
    coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    half = np.sqrt(0.5)
    for i in range(coarse.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        for k in range(coarse_constants.shape[0]):
            _jump(coarse, i, coarse_jumps, k)
            c = load_splitting(coarse_constants, k)
            bx, by, bz = moebius(coarse[0, i], coarse[1, i], coarse[2, i], c[0])
            cx, cy, cz, signs = 0.0, 0.0, 0.0, 0.0
            lx, ly, lz = 0.0, 0.0, 0.0
            for j in range(2):
                raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                radial, azimuth, sign = polar_draw(raw)
                exponential = -log(radial)
                radius = half * np.sqrt(2.0 * exponential)
                cosine, sine = cos_sin_turn(azimuth)
                f = load_splitting(fine_constants, 2 * k + j)
                _jump(fine, i, fine_jumps, 2 * k + j)
                ax, ay, az, frame = moebius_with_frame(fine[0, i], fine[1, i], fine[2, i], f[0])
                dx, dy, dz = tangent(ax, ay, az, frame, cosine, sine)
                vx, vy, vz = _transport(
                    radius * dx, radius * dy, radius * dz, ax, ay, az, bx, by, bz
                )
                _splitting_step(fine, i, ax, ay, az, dx, dy, dz, exponential, sign, f)
                area = dot(bx, by, bz, cy * vz - cz * vy, cz * vx - cx * vz, cx * vy - cy * vx)
                signs += sign - 2.0 * area
                cx, cy, cz = cx + vx, cy + vy, cz + vz
                lx, ly, lz = dx, dy, dz
            exponential = 0.5 * dot(cx, cy, cz, cx, cy, cz)
            if exponential > 0.0:
                scale = 1.0 / np.sqrt(2.0 * exponential)
                lx, ly, lz = cx * scale, cy * scale, cz * scale
            sign = np.copysign(1.0, signs)
            _splitting_step(coarse, i, bx, by, bz, lx, ly, lz, exponential, sign, c)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3


@inline
def _irreversible_start(state, i, c):
    """Where the noise of a step begins, with the frame's constant there."""
    ux, uy, uz = moebius(state[0, i], state[1, i], state[2, i], c[0])
    return moebius_with_frame(ux, uy, uz, c[1])


@inline
def _exact_ft_step(state, i, exponential, cosine, sine, tilt, c):
    floor, span, inverse_kappa = c[2]
    versine = -log(fma(span, np.exp(-exponential), floor)) * inverse_kappa
    nx, ny, nz, work, heat, pumped, _ = exact_ft(
        state[0, i], state[1, i], state[2, i], versine, cosine, sine, tilt, c
    )
    _book(state, i, nx, ny, nz, work, heat, pumped)


@kernel
def couple_exact_ft(
    coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    half = np.sqrt(0.5)
    for i in range(coarse.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        for k in range(coarse_constants.shape[0]):
            _jump(coarse, i, coarse_jumps, k)
            c = load_exact_ft(coarse_constants, k)
            bx, by, bz, frame = _irreversible_start(coarse, i, c)
            cx, cy, cz, signs, tilt = 0.0, 0.0, 0.0, 0.0, 0.0
            for j in range(2):
                raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                other, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                radial, azimuth, _ = polar_draw(raw)
                tilt = symmetric_uniform(other)
                exponential = -log(radial)
                radius = half * np.sqrt(2.0 * exponential)
                cosine, sine = cos_sin_turn(azimuth)
                f = load_exact_ft(fine_constants, 2 * k + j)
                _jump(fine, i, fine_jumps, 2 * k + j)
                ax, ay, az, fine_frame = _irreversible_start(fine, i, f)
                dx, dy, dz = tangent(ax, ay, az, fine_frame, cosine, sine)
                vx, vy, vz = _transport(
                    radius * dx, radius * dy, radius * dz, ax, ay, az, bx, by, bz
                )
                _exact_ft_step(fine, i, exponential, cosine, sine, tilt, f)
                area = dot(bx, by, bz, cy * vz - cz * vy, cz * vx - cx * vz, cx * vy - cy * vx)
                signs += np.copysign(1.0, -tilt) - 2.0 * area
                cx, cy, cz = cx + vx, cy + vy, cz + vz
            exponential = 0.5 * dot(cx, cy, cz, cx, cy, cz)
            cosine, sine = 1.0, 0.0
            if exponential > 0.0:
                scale = 1.0 / np.sqrt(2.0 * exponential)
                ex, ey, ez = tangent(bx, by, bz, frame, 1.0, 0.0)
                gx, gy, gz = tangent(bx, by, bz, frame, 0.0, 1.0)
                cosine = scale * dot(cx, cy, cz, ex, ey, ez)
                sine = scale * dot(cx, cy, cz, gx, gy, gz)
            _exact_ft_step(coarse, i, exponential, cosine, sine, -np.copysign(tilt, signs), c)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3
