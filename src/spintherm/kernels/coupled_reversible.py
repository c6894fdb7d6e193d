"""`exact-ft` at two resolutions of the same paths, under the same noise.

As `coupled` does for the other schemes. Where the odds of the sign of the Levy area depend on the
path, the area between the fine displacements gives the sign of the uniform number that decides.
"""

import numpy as np

from spintherm.kernels.coupled import transported
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma, inline, kernel
from spintherm.kernels.noise import advance, polar_draw, symmetric_uniform
from spintherm.kernels.reversible import exact_ft, load_exact_ft
from spintherm.kernels.schemes import dot, moebius, moebius_with_frame, tangent


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
                vx, vy, vz = transported(
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
