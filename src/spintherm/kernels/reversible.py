"""The scheme whose fluctuation theorems are exact: reversible, irreversible, reversible.

With H and P frozen at mid-step the equation of `schemes` falls into two parts,

    reversible:    b = gamma0 m P,   r = gamma0 H,         no heat, pumped entropy 2 ln(lambda)
    irreversible:  b = eta m H,      r = -eta m^2 P,       heat and noise, nothing pumped

and a step is R(h/2) I(h) R(h/2), I = D(h/2) N(h) D(h/2): R and D are exact flows (Moebius maps)
and N is the von Mises-Fisher law of concentration kappa. From u to v the density of I is known,

    q(v|u) ~ exp(kappa D^-1(v).D(u)) lambda^2,   lambda the factor of D from D^-1(v) to v,

and a sign sigma, which stands for the area between path and chord, has the probability

    (1 + sigma t)/2,   t = a/sqrt(1 + a^2),   a = eta h m^2 P.(u + v)/2 .

Time reversal takes I to itself, and heat is the log-ratio of the two directions,

    -Q/T = ln q(v|u)/q(u|v) + ln (1 + sigma t)/(1 - sigma t)
         = kappa (y - x) + 2 ln[lambda(D^-1(v) -> v) lambda(u -> D^-1(u)) (sqrt(1 + a^2) + sigma a)]

with x = 1 - D^-1(v).D(u) as drawn and y = 1 - D^-1(u).D(v). Work is what the first law leaves; the
shadow work is its excess over the integral of (m x P) o dm - m.dH along the path.
"""

import numpy as np

from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.ensemble import (
    GENERATOR_ROWS,
    LANES,
    jump_lanes,
    load_lanes,
    store_lanes,
)
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors
from spintherm.kernels.noise import advance, polar_draw, symmetric_uniform
from spintherm.kernels.schemes import (
    bookkeeping,
    cross_sum,
    dot,
    lifted_moebius,
    moebius,
    moebius_with_frame,
    renormalised,
    tangent,
)

X, Y, Z, WORK, HEAT, PUMPED, SHADOW = (LANES * row for row in range(7))
S0, S1, S2, S3 = (LANES * row for row in range(4))
VERSINE, COSINE, SINE, TILT = (LANES * row for row in range(4))
STATE_ROWS = 7
NOISE_ROWS = 4


@inline
def load_exact_ft(constants, k):
    """Constants of step k.

    Two maps, R and D, each up to a factor; the von Mises-Fisher law (e^-2k, 1 - e^-2k, 1/k);
    (T kappa, 2 T, 4 T ln(factor of D), 4 ln(factor of R)); eta h m^2 P/2; m^2 P; 1 - s/3; books.
    """
    c = constants[k]
    return (
        (
            *(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]),
            *(c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15]),
        ),
        (
            *(c[16], c[17], c[18], c[19], c[20], c[21], c[22], c[23]),
            *(c[24], c[25], c[26], c[27], c[28], c[29], c[30], c[31]),
        ),
        (c[32], c[33], c[34]),
        (c[35], c[36], c[37], c[38]),
        (c[39], c[40], c[41]),
        (c[42], c[43], c[44]),
        c[45],
        (c[46], c[47], c[48], c[49], c[50], c[51], c[52], c[53], c[54]),
    )


@inline
def scaled_moebius(nx, ny, nz, a):
    """(n', lambda) of a Moebius map, lambda up to the map's factor."""
    scale, px, py, pz = lifted_moebius(nx, ny, nz, a)
    inverse = 1.0 / scale
    return inverse * px, inverse * py, inverse * pz, scale


@inline
def inverse_moebius(nx, ny, nz, a):
    """(n', lambda) of the inverse map: A^-1 = G A^T G with G = diag(1, -1, -1, -1)."""
    scale = a[0] - dot(a[4], a[8], a[12], nx, ny, nz)
    inverse = 1.0 / scale
    px = fma(a[5], nx, fma(a[9], ny, fma(a[13], nz, -a[1])))
    py = fma(a[6], nx, fma(a[10], ny, fma(a[14], nz, -a[2])))
    pz = fma(a[7], nx, fma(a[11], ny, fma(a[15], nz, -a[3])))
    return inverse * px, inverse * py, inverse * pz, scale


@inline
def half_squared_distance(ax, ay, az, bx, by, bz):
    """1 - a.b of two directions, without cancellation where they are close."""
    dx, dy, dz = ax - bx, ay - by, az - bz
    return 0.5 * dot(dx, dy, dz, dx, dy, dz)


@inline
def exact_ft(ox, oy, oz, versine, cosine, sine, tilt, constants):
    """Advance n = o by one step; tilt in [-1, 1) chooses the sign sigma.

    Returns (n', work, heat, pumped entropy, shadow work).
    """
    reversible, drift, _, weights, levy, q, shrink, books = constants
    ux, uy, uz, first = scaled_moebius(ox, oy, oz, reversible)
    bx, by, bz, back = inverse_moebius(ux, uy, uz, drift)
    nx, ny, nz, frame = moebius_with_frame(ux, uy, uz, drift)
    dx, dy, dz = tangent(nx, ny, nz, frame, cosine, sine)
    sin_theta = np.sqrt(versine * (2.0 - versine))
    px = fma(sin_theta, dx, fma(-versine, nx, nx))
    py = fma(sin_theta, dy, fma(-versine, ny, ny))
    pz = fma(sin_theta, dz, fma(-versine, nz, nz))
    vx, vy, vz, forth = scaled_moebius(px, py, pz, drift)
    gx, gy, gz = moebius(vx, vy, vz, drift)
    fx, fy, fz, last = scaled_moebius(vx, vy, vz, reversible)
    fx, fy, fz = renormalised(fx, fy, fz)
    area = dot(levy[0], levy[1], levy[2], ux + vx, uy + vy, uz + vz)
    root = np.sqrt(fma(area, area, 1.0))
    signed = np.copysign(area, area * fma(-tilt, root, area))
    odds = weights[1] * log(forth * back * (root + signed)) + weights[2]
    excess = half_squared_distance(gx, gy, gz, bx, by, bz) - versine
    heat = -fma(weights[0], excess, odds)
    pumped = fma(2.0, log(first * last), weights[3])
    y = 0.5 * half_squared_distance(ux, uy, uz, vx, vy, vz)
    arc = fma(y, fma(y, fma(y, fma(y, 128.0 / 315.0, 16.0 / 35.0), 8.0 / 15.0), 2.0 / 3.0), 1.0)
    arc = arc * shrink
    tx, ty, tz = fma(-arc, ux, fx), fma(-arc, uy, fy), fma(-arc, uz, fz)
    torque_work = weights[1] * signed - dot(
        q[0],
        q[1],
        q[2],
        cross_sum(oy, oz, uy, uz, vy, vz, ty, tz),
        cross_sum(oz, ox, uz, ux, vz, vx, tz, tx),
        cross_sum(ox, oy, ux, uy, vx, vy, tx, ty),
    )
    integral, expected, _ = bookkeeping(ox, oy, oz, fx, fy, fz, torque_work, books)
    shadow = expected - heat
    return fx, fy, fz, integral + shadow, heat, pumped, shadow


@kernel
def advance_exact_ft(state, generators, constants, jumps):
    """Take state (7, n) and generators (4, n) through the steps of constants (steps, 55).

    The last row of the state is the shadow work. jumps (steps, 3) holds m DH at the start of each
    step. Two raw numbers are drawn per step.
    """
    prefer_wide_vectors()
    lanes = np.empty(STATE_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    noise = np.empty(NOISE_ROWS * LANES)
    for start in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - start)
        load_lanes(state, generators, start, count, lanes, bits)
        for k in range(constants.shape[0]):
            jx, jy, jz = jumps[k, 0], jumps[k, 1], jumps[k, 2]
            if jx != 0.0 or jy != 0.0 or jz != 0.0:
                jump_lanes(lanes, jx, jy, jz)
            c = load_exact_ft(constants, k)
            floor, span, inverse_kappa = c[2]
            for i in range(LANES):
                s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
                raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                other, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
                radial, azimuth, _ = polar_draw(raw)
                noise[VERSINE + i] = -log(fma(span, radial, floor)) * inverse_kappa
                noise[COSINE + i], noise[SINE + i] = cos_sin_turn(azimuth)
                noise[TILT + i] = symmetric_uniform(other)
            for i in range(LANES):
                nx, ny, nz, work, heat, pumped, shadow = exact_ft(
                    lanes[X + i],
                    lanes[Y + i],
                    lanes[Z + i],
                    noise[VERSINE + i],
                    noise[COSINE + i],
                    noise[SINE + i],
                    noise[TILT + i],
                    c,
                )
                lanes[X + i], lanes[Y + i], lanes[Z + i] = nx, ny, nz
                lanes[WORK + i] += work
                lanes[HEAT + i] += heat
                lanes[PUMPED + i] += pumped
                lanes[SHADOW + i] += shadow
        store_lanes(state, generators, start, count, lanes, bits)
