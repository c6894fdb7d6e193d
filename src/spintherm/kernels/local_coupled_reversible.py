"""The local `exact-ft` at two resolutions of the same paths: `coupled_reversible` once more."""

import numpy as np

from spintherm.kernels.coupled import transported
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma, inline, kernel
from spintherm.kernels.local_fields import cross3, dot3
from spintherm.kernels.local_reversible import (
    damped_in,
    load_local_exact_ft,
    local_exact_ft,
    reversible_in,
)
from spintherm.kernels.noise import advance, polar_draw, symmetric_uniform
from spintherm.kernels.schemes import tangent


@inline
def _place(state, i):
    return state[0, i], state[1, i], state[2, i]


@inline
def _jump(state, i, jumps, k):
    state[3, i] -= dot3((jumps[k, 0], jumps[k, 1], jumps[k, 2]), _place(state, i))


@inline
def _irreversible_start(n, c, axes):
    """Where the noise of a step begins, with the frame's constant there."""
    u, _ = reversible_in(n, c, axes[0], axes[1])
    b = damped_in(u, c, axes[0], axes[1])
    return b, -1.0 / (np.copysign(1.0, b[2]) + b[2])


@inline
def _step(state, i, exponential, cosine, sine, tilt, c, energy, inverse_degree, axes):
    floor, span, inverse_kappa = c[0][2]
    versine = -log(fma(span, np.exp(-exponential), floor)) * inverse_kappa
    n, work, heat, pumped, _ = local_exact_ft(
        _place(state, i), versine, cosine, sine, tilt, c, energy, inverse_degree, axes
    )
    state[0, i], state[1, i], state[2, i] = n
    state[3, i] += work
    state[4, i] += heat
    state[5, i] += pumped


@kernel
def couple_exact_ft(
    coarse,
    fine,
    generators,
    coarse_constants,
    fine_constants,
    coarse_jumps,
    fine_jumps,
    energy,
    inverse_degree,
    axes,
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    half = np.sqrt(0.5)
    for i in range(coarse.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        for k in range(coarse_constants.shape[0]):
            _jump(coarse, i, coarse_jumps, k)
            c = load_local_exact_ft(coarse_constants, k)
            b, frame = _irreversible_start(_place(coarse, i), c, axes)
            gathered, signs, tilt = (0.0, 0.0, 0.0), 0.0, 0.0
            for j in range(2):
                raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                other, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                radial, azimuth, _ = polar_draw(raw)
                tilt = symmetric_uniform(other)
                exponential = -log(radial)
                radius = half * np.sqrt(2.0 * exponential)
                cosine, sine = cos_sin_turn(azimuth)
                f = load_local_exact_ft(fine_constants, 2 * k + j)
                _jump(fine, i, fine_jumps, 2 * k + j)
                a, fine_frame = _irreversible_start(_place(fine, i), f, axes)
                d = tangent(a[0], a[1], a[2], fine_frame, cosine, sine)
                v = transported(
                    *(radius * d[0], radius * d[1], radius * d[2]),
                    *(a[0], a[1], a[2], b[0], b[1], b[2]),
                )
                _step(fine, i, exponential, cosine, sine, tilt, f, energy, inverse_degree, axes)
                area = dot3(b, cross3(gathered, v))
                signs += np.copysign(1.0, -tilt) - 2.0 * area
                gathered = gathered[0] + v[0], gathered[1] + v[1], gathered[2] + v[2]
            exponential = 0.5 * dot3(gathered, gathered)
            cosine, sine = 1.0, 0.0
            if exponential > 0.0:
                scale = 1.0 / np.sqrt(2.0 * exponential)
                cosine = scale * dot3(gathered, tangent(b[0], b[1], b[2], frame, 1.0, 0.0))
                sine = scale * dot3(gathered, tangent(b[0], b[1], b[2], frame, 0.0, 1.0))
            tilt = -np.copysign(tilt, signs)
            _step(coarse, i, exponential, cosine, sine, tilt, c, energy, inverse_degree, axes)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3
