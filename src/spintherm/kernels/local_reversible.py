"""`reversible` where H_eff and P depend on the direction: exact fluctuation theorems all the same.

A step is R(h/2) I(h) R*(h/2), I = D(h/2) N(h) D*(h/2), as there; a star has its parts in reverse
order. The parts are those of a magnet cut into a Moebius map, for H and the uniform part of P, and
two maps for each function f(c), c = n.a, of one axis a,

    twist:    the turn about a by 2 arctan(t/2), t = alpha f(c); area is kept
    squeeze:  c -> the rapidity artanh c grows by 2 arsinh(s/2), s = beta f(c_m), with c_m half way;
              the area is divided by  lambda^2 (1 - kappa)/(1 + kappa),

    lambda = cosh + c sinh of the growth,     kappa = beta (1 - c_m^2) f'(c_m)/(2 sqrt(1 + s^2/4)) .

The energy is a sum of functions of c (`axial_terms`), f = dE_a/dc, and a polariser has f = g:

    R:  twist by -(gamma0/m) h/2 of each energy,    squeeze by gamma0 m P0 h/2 of each polariser
    D:  squeeze by -eta h/2 of each energy,         twist by -eta m^2 P0 h/2 of each polariser

Both are of second order in their flows, and with -alpha or -beta they are their own inverses, for
c_m is half way from either end. Axes of an energy come as a tuple, for which there is straight
vector code, or, if they are many, as an array (axes, 11) of their components and the coefficients
of c^0 ... c^7 in f, for which there are loops. Under time reversal (n -> -n, and a -> -a and
P0 -> -P0 for polarisers) R's parts turn into their inverses and D's into themselves. So S_P is the
logarithm of the area that R takes away, heat comes from the densities of I, and no theorem asks how
good the maps are.
"""

import numpy as np
from numba import types
from numba.extending import overload

from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.ensemble import (
    GENERATOR_ROWS,
    LANES,
    X,
    jump_lanes,
    load_lanes,
    store_lanes,
)
from spintherm.kernels.jit import fma, inline, kernel, prefer_wide_vectors
from spintherm.kernels.local_ensemble import vector
from spintherm.kernels.local_fields import (
    INLINE,
    anisotropy_energy,
    cross3,
    dot3,
    horner,
    pumping,
    torque,
)
from spintherm.kernels.local_schemes import turned
from spintherm.kernels.noise import advance, polar_draw, symmetric_uniform
from spintherm.kernels.reversible import (
    COSINE,
    HEAT,
    NOISE_ROWS,
    PUMPED,
    S0,
    S1,
    S2,
    S3,
    SHADOW,
    SINE,
    STATE_ROWS,
    TILT,
    VERSINE,
    WORK,
    half_squared_distance,
    inverse_moebius,
    load_exact_ft,
    scaled_moebius,
)
from spintherm.kernels.schemes import bookkeeping, renormalised, tangent

COLUMNS = 61
NEWTON_STEPS = 6


@inline
def load_local_exact_ft(constants, k):
    """Constants of step k: those of `reversible`, and what multiplies the functions of one axis.

    (twists and squeezes of R, squeezes and twists of D, P0 in units of the Levy area's and of the
    torque work's uniform P).
    """
    c = constants[k]
    return load_exact_ft(constants, k), (c[55], c[56], c[57], c[58], c[59], c[60])


def slope(c, numerator, asymmetry):
    """Return f and f' of a function of one axis."""


@overload(slope, jit_options=INLINE)
def _slope(c, numerator, asymmetry):
    if len(asymmetry) == 0:
        return lambda c, numerator, asymmetry: horner(c, numerator)

    def rational(c, numerator, asymmetry):
        value, change = horner(c, numerator)
        inverse = 1.0 / fma(asymmetry[0], c, 1.0)
        f = value * inverse
        return f, fma(-asymmetry[0], f, change) * inverse

    return rational


@inline
def twist(n, axis, alpha):
    """Turn n about one axis by a function of n's component along it."""
    a, numerator, asymmetry = axis
    f, _ = slope(dot3(n, a), numerator, asymmetry)
    half = 0.5 * alpha * f
    return turned(n, (half * a[0], half * a[1], half * a[2]))


@inline
def squeeze(n, gain, axis, beta):
    """Move n along the meridians of one axis; the gain is divided by the growth of the area."""
    a, numerator, asymmetry = axis
    c = dot3(n, a)
    m = c
    for _ in range(NEWTON_STEPS):
        f, change = slope(m, numerator, asymmetry)
        x, dx = 0.5 * beta * f, 0.5 * beta * change
        q = np.sqrt(fma(x, x, 1.0))
        inverse = 1.0 / fma(c, x, q)
        there = fma(q, c, x) * inverse
        # d there/dx = (1 - there^2)/q
        fall = fma(-(fma(-there, there, 1.0) * dx), 1.0 / q, 1.0)
        m = m - (m - there) / fall
    f, change = slope(m, numerator, asymmetry)
    x = 0.5 * beta * f
    q = np.sqrt(fma(x, x, 1.0))
    kappa = 0.5 * beta * change * fma(-m, m, 1.0) / q
    sinh, more = 2.0 * x * q, 2.0 * x * x
    scale = fma(c, sinh, 1.0 + more)
    inverse = 1.0 / scale
    along = fma(more, c, sinh)
    p = (
        inverse * fma(along, a[0], n[0]),
        inverse * fma(along, a[1], n[1]),
        inverse * fma(along, a[2], n[2]),
    )
    return p, gain * (scale * scale * ((1.0 - kappa) / (1.0 + kappa)))


@inline
def _row(axes, j):
    """One axis of an array as an axis of a tuple."""
    a = axes[j]
    return (a[0], a[1], a[2]), (a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10]), ()


def twists(n, axes, alpha):
    """Return n after twists about all axes, in order."""


@overload(twists, jit_options=INLINE)
def _twists(n, axes, alpha):
    if isinstance(axes, types.Array):

        def looped(n, axes, alpha):
            for j in range(len(axes)):
                n = twist(n, _row(axes, j), alpha)
            return n

        return looped

    if len(axes) == 0:
        return lambda n, axes, alpha: n
    return lambda n, axes, alpha: twists(twist(n, axes[0], alpha), axes[1:], alpha)


def twists_back(n, axes, alpha):
    """Return n after twists about all axes, in reverse order."""


@overload(twists_back, jit_options=INLINE)
def _twists_back(n, axes, alpha):
    if isinstance(axes, types.Array):

        def looped(n, axes, alpha):
            for j in range(len(axes)):
                n = twist(n, _row(axes, len(axes) - 1 - j), alpha)
            return n

        return looped

    if len(axes) == 0:
        return lambda n, axes, alpha: n
    return lambda n, axes, alpha: twist(twists_back(n, axes[1:], alpha), axes[0], alpha)


def squeezes(n, gain, axes, beta):
    """Return n and the gain after squeezes along all axes, in order."""


@overload(squeezes, jit_options=INLINE)
def _squeezes(n, gain, axes, beta):
    if isinstance(axes, types.Array):

        def looped(n, gain, axes, beta):
            for j in range(len(axes)):
                n, gain = squeeze(n, gain, _row(axes, j), beta)
            return n, gain

        return looped

    if len(axes) == 0:
        return lambda n, gain, axes, beta: (n, gain)

    def more(n, gain, axes, beta):
        p, grown = squeeze(n, gain, axes[0], beta)
        return squeezes(p, grown, axes[1:], beta)

    return more


def squeezes_back(n, gain, axes, beta):
    """Return n and the gain after squeezes along all axes, in reverse order."""


@overload(squeezes_back, jit_options=INLINE)
def _squeezes_back(n, gain, axes, beta):
    if isinstance(axes, types.Array):

        def looped(n, gain, axes, beta):
            for j in range(len(axes)):
                n, gain = squeeze(n, gain, _row(axes, len(axes) - 1 - j), beta)
            return n, gain

        return looped

    if len(axes) == 0:
        return lambda n, gain, axes, beta: (n, gain)

    def more(n, gain, axes, beta):
        p, grown = squeezes_back(n, gain, axes[1:], beta)
        return squeeze(p, grown, axes[0], beta)

    return more


@inline
def reversible_in(o, constants, terms, polarisers):
    """R from the start of a step, and what it takes of the area, up to the map's factor."""
    reversible, turn, push = constants[0][0], constants[1][0], constants[1][1]
    x, y, z, scale = scaled_moebius(o[0], o[1], o[2], reversible)
    return squeezes(twists((x, y, z), terms, turn), scale * scale, polarisers, push)


@inline
def reversible_out(v, constants, terms, polarisers):
    """R* to the end of a step, and what it takes of the area, up to the map's factor."""
    reversible, turn, push = constants[0][0], constants[1][0], constants[1][1]
    n, gain = squeezes_back(v, 1.0, polarisers, push)
    n = twists_back(n, terms, turn)
    x, y, z, scale = scaled_moebius(n[0], n[1], n[2], reversible)
    return renormalised(x, y, z), gain * (scale * scale)


@inline
def damped_in(u, constants, terms, polarisers):
    """D."""
    drift, relax, lag = constants[0][1], constants[1][2], constants[1][3]
    x, y, z, _ = scaled_moebius(u[0], u[1], u[2], drift)
    n, _ = squeezes((x, y, z), 1.0, terms, relax)
    return twists(n, polarisers, lag)


@inline
def damped_out(p, constants, terms, polarisers):
    """D*, and what it takes of the area, up to the map's factor."""
    drift, relax, lag = constants[0][1], constants[1][2], constants[1][3]
    n, gain = squeezes_back(twists_back(p, polarisers, lag), 1.0, terms, relax)
    x, y, z, scale = scaled_moebius(n[0], n[1], n[2], drift)
    return (x, y, z), gain * (scale * scale)


@inline
def damped_out_inverse(v, constants, terms, polarisers):
    """The inverse of D*, and what it gives to the area, up to the map's factor."""
    drift, relax, lag = constants[0][1], constants[1][2], constants[1][3]
    x, y, z, scale = inverse_moebius(v[0], v[1], v[2], drift)
    n, gain = squeezes((x, y, z), scale * scale, terms, -relax)
    return twists(n, polarisers, -lag), gain


@inline
def local_exact_ft(o, versine, cosine, sine, tilt, constants, energy, inverse_degree, axes):
    """Advance n = o by one step; tilt in [-1, 1) chooses the sign sigma.

    Returns (n', work, heat, pumped entropy, shadow work).
    """
    terms, polarisers = axes
    (_, _, _, weights, levy, q, shrink, books), (_, _, _, _, levy_share, share) = constants
    u, first = reversible_in(o, constants, terms, polarisers)
    b, back = damped_out_inverse(u, constants, terms, polarisers)
    n = damped_in(u, constants, terms, polarisers)
    frame = -1.0 / (np.copysign(1.0, n[2]) + n[2])
    d = tangent(n[0], n[1], n[2], frame, cosine, sine)
    sin_theta = np.sqrt(versine * (2.0 - versine))
    p = (
        fma(sin_theta, d[0], fma(-versine, n[0], n[0])),
        fma(sin_theta, d[1], fma(-versine, n[1], n[1])),
        fma(sin_theta, d[2], fma(-versine, n[2], n[2])),
    )
    v, forth = damped_out(p, constants, terms, polarisers)
    g = damped_in(v, constants, terms, polarisers)
    f, last = reversible_out(v, constants, terms, polarisers)
    area = 0.5 * pumping(2.0 * dot3(levy, u), u, levy_share, polarisers)
    area = fma(0.5, pumping(2.0 * dot3(levy, v), v, levy_share, polarisers), area)
    root = np.sqrt(fma(area, area, 1.0))
    signed = np.copysign(area, area * fma(-tilt, root, area))
    odd = root + signed
    odds = 0.5 * weights[1] * log(forth * back * (odd * odd)) + weights[2]
    excess = half_squared_distance(g[0], g[1], g[2], b[0], b[1], b[2]) - versine
    heat = -fma(weights[0], excess, odds)
    pumped = log(first * last) + weights[3]
    y = 0.5 * half_squared_distance(u[0], u[1], u[2], v[0], v[1], v[2])
    arc = fma(y, fma(y, fma(y, fma(y, 128.0 / 315.0, 16.0 / 35.0), 8.0 / 15.0), 2.0 / 3.0), 1.0)
    at_o, at_u = torque(q, o, share, polarisers), torque(q, u, share, polarisers)
    at_v, at_f = torque(q, v, share, polarisers), torque(q, f, share, polarisers)
    swept = _mean_along(at_o, at_u, cross3(o, u)) + _mean_along(at_v, at_f, cross3(v, f))
    swept = fma(arc * shrink, _mean_along(at_u, at_v, cross3(u, v)), swept)
    torque_work = weights[1] * signed - swept
    integral, expected, _ = bookkeeping(o[0], o[1], o[2], f[0], f[1], f[2], torque_work, books)
    expected += anisotropy_energy(f, energy, inverse_degree)
    expected -= anisotropy_energy(o, energy, inverse_degree)
    shadow = expected - heat
    return f, integral + shadow, heat, pumped, shadow


@inline
def _mean_along(a, b, way):
    return 0.5 * fma(a[0] + b[0], way[0], fma(a[1] + b[1], way[1], (a[2] + b[2]) * way[2]))


@kernel
def advance_exact_ft(state, generators, constants, jumps, energy, inverse_degree, axes):
    """Take state (7, n) and generators (4, n) through the steps of constants (steps, 61).

    As `reversible.advance_exact_ft`; axes are those of the energy and the polarisers.
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
            c = load_local_exact_ft(constants, k)
            floor, span, inverse_kappa = c[0][2]
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
                n, work, heat, pumped, shadow = local_exact_ft(
                    vector(lanes, X + i),
                    noise[VERSINE + i],
                    noise[COSINE + i],
                    noise[SINE + i],
                    noise[TILT + i],
                    c,
                    energy,
                    inverse_degree,
                    axes,
                )
                lanes[X + i], lanes[X + LANES + i], lanes[X + 2 * LANES + i] = n
                lanes[WORK + i] += work
                lanes[HEAT + i] += heat
                lanes[PUMPED + i] += pumped
                lanes[SHADOW + i] += shadow
        store_lanes(state, generators, start, count, lanes, bits)
