"""Two resolutions of the same paths where the fields depend on the direction: `coupled` once more.

Coarse and fine noise are coupled as there; only the steps are those of `local_schemes`.
"""

import numpy as np

from spintherm.kernels.coupled import (
    BX,
    BY,
    BZ,
    COSINE,
    CX,
    CY,
    CZ,
    DX,
    DY,
    DZ,
    EULER_ROWS,
    EXPONENTIAL,
    SIGN,
    SIGNS,
    SINE,
    SPLITTING_ROWS,
    VX,
    VY,
    VZ,
    coarse_draw,
    exponentials,
    one_draw,
    transported,
    two_draws,
)
from spintherm.kernels.elementary import log
from spintherm.kernels.ensemble import (
    GENERATOR_ROWS,
    GX,
    GY,
    GZ,
    LANES,
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
from spintherm.kernels.local_fields import cross3, dot3
from spintherm.kernels.local_schemes import (
    drift_past,
    euler_maruyama,
    finish_splitting,
    load_euler_maruyama,
    load_splitting,
    thrown_along,
    turned,
)
from spintherm.kernels.schemes import tangent


@kernel
def couple_euler_maruyama(
    coarse,
    fine,
    generators,
    coarse_constants,
    fine_constants,
    coarse_jumps,
    fine_jumps,
    energy,
    inverse_degree,
    polarisers,
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    prefer_wide_vectors()
    half = np.sqrt(0.5)
    wide, narrow = np.empty(LANE_ROWS * LANES), np.empty(LANE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise = np.empty(EULER_ROWS * LANES)
    for first in range(0, coarse.shape[1], LANES):
        count = min(LANES, coarse.shape[1] - first)
        load_lanes(coarse, generators, first, count, wide, bits)
        load_lanes(fine, generators, first, count, narrow, bits)
        note_energy(wide, energy, inverse_degree)
        note_energy(narrow, energy, inverse_degree)
        for k in range(coarse_constants.shape[0]):
            book_jump(wide, coarse_jumps, k)
            noise[CX:] = 0.0
            for j in range(2):
                two_draws(bits, noise)
                book_jump(narrow, fine_jumps, 2 * k + j)
                c = load_euler_maruyama(fine_constants, 2 * k + j, energy, polarisers)
                for i in range(LANES):
                    g = noise[GX + i], noise[GY + i], noise[GZ + i]
                    n, work, heat, entropy, _ = euler_maruyama(vector(narrow, X + i), g, c)
                    book(narrow, i, n, work, heat, entropy)
                    noise[CX + i] += half * g[0]
                    noise[CY + i] += half * g[1]
                    noise[CZ + i] += half * g[2]
            c = load_euler_maruyama(coarse_constants, k, energy, polarisers)
            for i in range(LANES):
                g = noise[CX + i], noise[CY + i], noise[CZ + i]
                n, work, heat, entropy, _ = euler_maruyama(vector(wide, X + i), g, c)
                book(wide, i, n, work, heat, entropy)
        book_energy(wide, energy, inverse_degree)
        book_energy(narrow, energy, inverse_degree)
        store_lanes(coarse, generators, first, count, wide, bits)
        store_lanes(fine, generators, first, count, narrow, bits)


@inline
def _arrived(lanes, i, c):
    """Where the drift into a step ends, and y there."""
    before = vector(lanes, BEFORE + i)
    u, there = drift_past(vector(lanes, X + i), vector(lanes, TORQUE + i), c)
    return turned(before, u), there


@inline
def _take_step(lanes, i, n, there, d, radial, sign, c):
    """Finish a step whose drift led to n, with noise along d and a uniform variate."""
    floor, span, inverse_kappa = c[2]
    versine = -log(fma(span, radial, floor)) * inverse_kappa
    p = thrown_along(n, d, versine)
    o = vector(lanes, X + i)
    f, y, work, heat, entropy = finish_splitting(o, n, there, p, versine, sign, c)
    carry(lanes, i, p, y)
    book(lanes, i, f, work, heat, entropy)


@inline
def _fine_lanes(narrow, noise, radial, c):
    """Take every lane through a half step, and gather its displacement for the coarse step."""
    half = np.sqrt(0.5)
    for i in range(LANES):
        a, there = _arrived(narrow, i, c)
        frame = -1.0 / (np.copysign(1.0, a[2]) + a[2])
        d = tangent(a[0], a[1], a[2], frame, noise[COSINE + i], noise[SINE + i])
        radius = half * np.sqrt(2.0 * noise[EXPONENTIAL + i])
        b = noise[BX + i], noise[BY + i], noise[BZ + i]
        v = transported(
            *(radius * d[0], radius * d[1], radius * d[2]), *(a[0], a[1], a[2]), *(b[0], b[1], b[2])
        )
        sign = noise[SIGN + i]
        _take_step(narrow, i, a, there, d, radial[i], sign, c)
        gathered = noise[VX + i], noise[VY + i], noise[VZ + i]
        noise[SIGNS + i] += sign - 2.0 * dot3(b, cross3(gathered, v))
        noise[VX + i], noise[VY + i], noise[VZ + i] = (
            gathered[0] + v[0],
            gathered[1] + v[1],
            gathered[2] + v[2],
        )
        noise[DX + i], noise[DY + i], noise[DZ + i] = d


@kernel
def couple_splitting(
    coarse,
    fine,
    generators,
    coarse_constants,
    fine_constants,
    coarse_jumps,
    fine_jumps,
    energy,
    inverse_degree,
    polarisers,
):
    """Advance coarse and fine states (6, n) through steps and half steps under the same noise."""
    prefer_wide_vectors()
    wide, narrow = np.empty(LANE_ROWS * LANES), np.empty(LANE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise, radial = np.empty(SPLITTING_ROWS * LANES), np.empty(LANES)
    for first in range(0, coarse.shape[1], LANES):
        count = min(LANES, coarse.shape[1] - first)
        load_lanes(coarse, generators, first, count, wide, bits)
        load_lanes(fine, generators, first, count, narrow, bits)
        begin(wide)
        begin(narrow)
        note_energy(wide, energy, inverse_degree)
        note_energy(narrow, energy, inverse_degree)
        for k in range(coarse_constants.shape[0]):
            book_jump(wide, coarse_jumps, k)
            c = load_splitting(coarse_constants, k, energy, polarisers)
            for i in range(LANES):
                n, _ = _arrived(wide, i, c)
                noise[BX + i], noise[BY + i], noise[BZ + i] = n
            noise[SIGNS:] = 0.0
            for j in range(2):
                one_draw(bits, noise)
                exponentials(noise, radial)
                book_jump(narrow, fine_jumps, 2 * k + j)
                f = load_splitting(fine_constants, 2 * k + j, energy, polarisers)
                _fine_lanes(narrow, noise, radial, f)
            coarse_draw(noise)
            exponentials(noise, radial)
            for i in range(LANES):
                n, there = _arrived(wide, i, c)
                d = noise[DX + i], noise[DY + i], noise[DZ + i]
                _take_step(wide, i, n, there, d, radial[i], noise[SIGN + i], c)
        book_energy(wide, energy, inverse_degree)
        book_energy(narrow, energy, inverse_degree)
        store_lanes(coarse, generators, first, count, wide, bits)
        store_lanes(fine, generators, first, count, narrow, bits)
