"""Steps of the splitting scheme under tilted noise, with the exact weight of every path.

The scheme's noise takes n to n' by the von Mises-Fisher law, density ~ exp(k n.n'). Under tilted
noise it is drawn from ~ exp(v.n'), v = k n + w(n), instead: again such a law, about v/|v| with the
concentration k' = |v|. Their ratio is the weight that turns an average over tilted paths into one
over the scheme's own, without any error of the finite step,

    ln (p/q) = ln(k/k') + ln[(1 - e^-2k')/(1 - e^-2k)] + (k' - k) - w.n' .

The control w is a polynomial in the components of n, other coefficients at every step. The work
along the step depends on n, n' and the Levy sign only, whatever law n' came from.
"""

import numpy as np
from numpy.typing import NDArray

from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.ensemble import GENERATOR_ROWS, LANES, load_lanes, store_lanes
from spintherm.kernels.jit import as_bits, as_float, fma, inline, kernel, prefer_wide_vectors
from spintherm.kernels.noise import advance, polar_draw, symmetric_uniform, uniform
from spintherm.kernels.schemes import (
    dot,
    load_splitting,
    moebius,
    renormalised,
    second_drift,
    tangent,
)

X, Y, Z, WORK, HEAT, PUMPED, LOG_WEIGHT = (LANES * row for row in range(7))
AX, AY, AZ, WX, WY, WZ, RADIAL, COSINE, SINE, SIGN = (LANES * row for row in range(10))
MX, MY, MZ, LX, LY, LZ = (LANES * row for row in range(10, 16))
S0, S1, S2, S3 = (LANES * row for row in range(4))
WEIGHTED_ROWS = 7
SCRATCH_ROWS = 16
_SMALLEST = 1e-12  # concentration below which a law is uniform to rounding

_ROUND = 1.5 * 2.0**52
_SHIFT_EXPONENT = np.uint64(52)
_EXPONENT_MAGIC = 2.0**52 + 1023.0
_LOG2_E = 1.4426950408889634
_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10


@inline
def falling_exp(x):
    """e^x for x <= 0, relative error below 1e-15; e^-100 and below are taken as e^-100."""
    x = max(x, -100.0)
    turns = fma(x, _LOG2_E, _ROUND) - _ROUND
    r = fma(-turns, _LN2_LO, fma(-turns, _LN2_HI, x))
    p = fma(r, 1.0 / 6227020800.0, 1.0 / 479001600.0)
    p = fma(r, fma(r, fma(r, p, 1.0 / 39916800.0), 1.0 / 3628800.0), 1.0 / 362880.0)
    p = fma(r, fma(r, fma(r, p, 1.0 / 40320.0), 1.0 / 5040.0), 1.0 / 720.0)
    p = fma(r, fma(r, fma(r, p, 1.0 / 120.0), 1.0 / 24.0), 1.0 / 6.0)
    p = fma(r, fma(r, fma(r, p, 0.5), 1.0), 1.0)
    return p * as_float(as_bits(turns + _EXPONENT_MAGIC) << _SHIFT_EXPONENT)


@inline
def tilted_direction(nx, ny, nz, wx, wy, wz, radial, cosine, sine, kappa, span):
    """Draw n' about k n + w; return it with the logarithm of its weight."""
    vx, vy, vz = fma(kappa, nx, wx), fma(kappa, ny, wy), fma(kappa, nz, wz)
    size = max(np.sqrt(dot(vx, vy, vz, vx, vy, vz)), _SMALLEST)
    inverse = 1.0 / size
    ux, uy, uz = vx * inverse, vy * inverse, vz * inverse
    floor = falling_exp(-2.0 * size)
    tilted_span = 1.0 - floor
    versine = -log(fma(tilted_span, radial, floor)) * inverse
    sin_theta = np.sqrt(max(versine * (2.0 - versine), 0.0))
    frame = -1.0 / (np.copysign(1.0, uz) + uz)
    dx, dy, dz = tangent(ux, uy, uz, frame, cosine, sine)
    px = fma(sin_theta, dx, fma(-versine, ux, ux))
    py = fma(sin_theta, dy, fma(-versine, uy, uy))
    pz = fma(sin_theta, dz, fma(-versine, uz, uz))
    w_n, w_w = dot(wx, wy, wz, nx, ny, nz), dot(wx, wy, wz, wx, wy, wz)
    gain = fma(2.0 * kappa, w_n, w_w) / (size + kappa)  # k' - k without cancellation
    log_weight = log(kappa * inverse * tilted_span / span) + gain
    return px, py, pz, log_weight - dot(wx, wy, wz, px, py, pz)


@inline
def finish_step(ox, oy, oz, nx, ny, nz, px, py, pz, sign, constants):
    """Finish a step from o whose first drift led to n and whose noise led to p.

    As `schemes.splitting`, for a noise that is known by its end.
    """
    cx, cy, cz = px - nx, py - ny, pz - nz
    versine = 0.5 * dot(cx, cy, cz, cx, cy, cz)
    area = constants[5] * sign
    return second_drift(ox, oy, oz, nx, ny, nz, px, py, pz, versine, area, constants)


@inline
def polynomial_control(work, coefficients, k, degree):
    """w of every lane: sum over c = 1, 0 of z^c times a polynomial in x, y of degree - c.

    By Horner's rule in y of polynomials in x; coefficients[k] has them in the order of use, see
    `polynomial_powers`.
    """
    work[WX : WZ + LANES] = 0.0
    j = 0
    for c in range(2):
        work[MX : MZ + LANES] = 0.0
        for length in range(1, degree + 2 - (1 - c)):
            work[LX : LZ + LANES] = 0.0
            for _ in range(length):
                cx, cy, cz = coefficients[k, j, 0], coefficients[k, j, 1], coefficients[k, j, 2]
                j += 1
                for i in range(LANES):
                    work[LX + i] = fma(work[LX + i], work[AX + i], cx)
                    work[LY + i] = fma(work[LY + i], work[AX + i], cy)
                    work[LZ + i] = fma(work[LZ + i], work[AX + i], cz)
            for i in range(LANES):
                work[MX + i] = fma(work[MX + i], work[AY + i], work[LX + i])
                work[MY + i] = fma(work[MY + i], work[AY + i], work[LY + i])
                work[MZ + i] = fma(work[MZ + i], work[AY + i], work[LZ + i])
        for i in range(LANES):
            factor = work[AZ + i]
            work[WX + i] = fma(work[WX + i], factor, work[MX + i])
            work[WY + i] = fma(work[WY + i], factor, work[MY + i])
            work[WZ + i] = fma(work[WZ + i], factor, work[MZ + i])


def polynomial_powers(degree: int) -> NDArray[np.int64]:
    """Powers (a, b, c) of x^a y^b z^c in the order of the control's coefficients, shape (n, 3).

    On the sphere these (degree + 1)^2 functions span the harmonics up to the degree.
    """
    return np.array(
        [
            (a, b, c)
            for c in (1, 0)
            for b in range(degree - c, -1, -1)
            for a in range(degree - c - b, -1, -1)
        ]
    )


@kernel
def advance_tilted(state, generators, constants, jumps, coefficients, degree):
    """Take state (7, n) and generators (4, n) through the steps of constants (steps, 33).

    The last row of the state is the logarithm of the weight. jumps (steps, 3) holds m DH at the
    start of each step, coefficients (steps, (degree + 1)^2, 3) the control, see
    `polynomial_powers`. One raw number is drawn per step, as in `ensemble.advance_splitting`:
    without a control the paths are the same if P is along z, from where azimuths count there.
    """
    prefer_wide_vectors()
    lanes = np.empty(WEIGHTED_ROWS * LANES)
    bits = np.empty(GENERATOR_ROWS * LANES, np.uint64)
    work = np.empty(SCRATCH_ROWS * LANES)
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        for k in range(constants.shape[0]):
            jx, jy, jz = jumps[k, 0], jumps[k, 1], jumps[k, 2]
            c = load_splitting(constants, k)
            matrix, _, span, inverse_kappa, _, _, _, _ = c
            kappa = 1.0 / inverse_kappa
            for i in range(LANES):
                s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
                raw, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
                bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
                radial, azimuth, sign = polar_draw(raw)
                work[COSINE + i], work[SINE + i] = cos_sin_turn(azimuth)
                work[RADIAL + i], work[SIGN + i] = radial, sign
            for i in range(LANES):
                ox, oy, oz = lanes[X + i], lanes[Y + i], lanes[Z + i]
                lanes[WORK + i] -= dot(jx, jy, jz, ox, oy, oz)
                work[AX + i], work[AY + i], work[AZ + i] = moebius(ox, oy, oz, matrix)
            polynomial_control(work, coefficients, k, degree)
            for i in range(LANES):
                nx, ny, nz = work[AX + i], work[AY + i], work[AZ + i]
                px, py, pz, log_weight = tilted_direction(
                    *(nx, ny, nz, work[WX + i], work[WY + i], work[WZ + i]),
                    *(work[RADIAL + i], work[COSINE + i], work[SINE + i], kappa, span),
                )
                work[AX + i], work[AY + i], work[AZ + i] = px, py, pz
                work[WX + i], work[WY + i], work[WZ + i] = nx, ny, nz
                lanes[LOG_WEIGHT + i] += log_weight
            for i in range(LANES):
                fx, fy, fz, done, heat, pumped = finish_step(
                    *(lanes[X + i], lanes[Y + i], lanes[Z + i]),
                    *(work[WX + i], work[WY + i], work[WZ + i]),
                    *(work[AX + i], work[AY + i], work[AZ + i], work[SIGN + i], c),
                )
                lanes[X + i], lanes[Y + i], lanes[Z + i] = fx, fy, fz
                lanes[WORK + i] += done
                lanes[HEAT + i] += heat
                lanes[PUMPED + i] += pumped
        store_lanes(state, generators, first, count, lanes, bits)


@kernel
def sample_cells(generators, frame, concentration, cumulative, log_ratios, side, state):
    """Fill n in state (7, n), and in its last row minus the logarithm of the density of n.

    The unit square of (angle, azimuth) is cut into side x side cells; cell j has the probability
    cumulative[j] - cumulative[j-1] and log_ratios[j] is the logarithm of side^2 times that. Inside
    a cell a point is uniform; it is mapped to the sphere by the inverse of the von Mises-Fisher law
    about frame[2]. Three raw numbers are drawn per trajectory.
    """
    floor = np.exp(-2.0 * concentration)
    span = -np.expm1(-2.0 * concentration)
    norm = np.log(concentration / (2.0 * np.pi * span))
    for i in range(state.shape[1]):
        s0, s1, s2, s3 = generators[0, i], generators[1, i], generators[2, i], generators[3, i]
        u0, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        u1, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        u2, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        generators[0, i], generators[1, i], generators[2, i], generators[3, i] = s0, s1, s2, s3
        cell = min(np.searchsorted(cumulative, uniform(u0)), cumulative.size - 1)
        u = (cell // side + uniform(u1)) / side
        turn = (cell % side + 0.5 + 0.5 * symmetric_uniform(u2)) / side
        versine = min(max(-log(fma(span, u, floor)) / concentration, 0.0), 2.0)
        cosine, sine = cos_sin_turn(2.0 * turn - 1.0)
        across = np.sqrt(versine * (2.0 - versine))
        a, b, c = across * cosine, across * sine, 1.0 - versine
        nx = fma(a, frame[0, 0], fma(b, frame[1, 0], c * frame[2, 0]))
        ny = fma(a, frame[0, 1], fma(b, frame[1, 1], c * frame[2, 1]))
        nz = fma(a, frame[0, 2], fma(b, frame[1, 2], c * frame[2, 2]))
        state[0, i], state[1, i], state[2, i] = renormalised(nx, ny, nz)
        state[6, i] = concentration * versine - norm - log_ratios[cell]
