"""Fields that depend on the direction: anisotropy and torque efficiencies, on one lane.

What a magnet's energy and polarisers are made of comes as tuples, whose lengths are types: the
compiler unrolls them, so that every kind of magnet has its own straight vector code.

    energy      (c, ...): the three components of dE_a/dn in canonical order, each a homogeneous
                polynomial of degree D - 1; () without anisotropy; or, where E_a is a sum of even
                functions of the components, ((a0, a1, ...), (b0, ...), (c0, ...)):
                dE_a/dn_x = n_x (a0 + a1 n_x^2 + ...), and so on
    polarisers  (((px, py, pz), (a0, a1, ...), (q,)), ...): direction and efficiency
                (a0 + a1 c + ...)/(1 + q c); () instead of (q,) where the efficiency is a polynomial
    uniform     the part of the torque that does not depend on n, or () if there is none
"""

from typing import Any

from numba.core import types
from numba.extending import overload

from spintherm.kernels.jit import fma, inline

INLINE: Any = {"forceinline": True, "nogil": True, "error_model": "numpy"}


@inline
def dot3(a, b):
    """Scalar product of two triples."""
    return fma(a[0], b[0], fma(a[1], b[1], a[2] * b[2]))


@inline
def cross3(a, b):
    """Vector product of two triples."""
    return (
        fma(a[1], b[2], -(a[2] * b[1])),
        fma(a[2], b[0], -(a[0] * b[2])),
        fma(a[0], b[1], -(a[1] * b[0])),
    )


@inline
def plus_cross(a, b, c):
    """a + b x c of triples."""
    return (
        fma(b[1], c[2], fma(-b[2], c[1], a[0])),
        fma(b[2], c[0], fma(-b[0], c[2], a[1])),
        fma(b[0], c[1], fma(-b[1], c[0], a[2])),
    )


def binary_form(y, powers, c):
    """Return c[0] y^d + c[1] y^(d-1) z + ... + c[d] z^d, with powers = (z, z^2, ...)."""


@overload(binary_form, jit_options=INLINE)
def _binary_form(y, powers, c):
    degree = len(c) - 1
    if degree == 0:
        return lambda y, powers, c: c[0]
    last = degree - 1
    return lambda y, powers, c: fma(binary_form(y, powers, c[:degree]), y, c[degree] * powers[last])


def ternary_form(x, y, powers, c, degree):
    """Return the homogeneous polynomial with coefficients c in canonical order.

    degree is a tuple of d + 1 entries, its length the type that tells the degree.
    """


@overload(ternary_form, jit_options=INLINE)
def _ternary_form(x, y, powers, c, degree):
    d = len(degree) - 1
    if d == 0:
        return lambda x, y, powers, c, degree: c[0]
    first = len(c) - (d + 1)
    return lambda x, y, powers, c, degree: fma(
        ternary_form(x, y, powers, c[:first], degree[:d]), x, binary_form(y, powers, c[first:])
    )


def pull(offset, n, energy, factor):
    """Return offset + factor times the polynomials of `energy` at n."""


def _is_separable(energy):
    return len(energy) > 0 and isinstance(energy[0], types.BaseTuple)


@overload(pull, jit_options=INLINE)
def _pull(offset, n, energy, factor):
    if _is_separable(energy):
        return _separable
    size = len(energy) // 3
    if size == 0:
        return lambda offset, n, energy, factor: offset
    return {3: _quadratic, 10: _quartic, 21: _sextic, 36: _octic}[size]


def _separable(offset, n, energy, factor):
    x, y, z = n
    return (
        fma(even_form(x * x, energy[0], factor), x, offset[0]),
        fma(even_form(y * y, energy[1], factor), y, offset[1]),
        fma(even_form(z * z, energy[2], factor), z, offset[2]),
    )


def even_form(square, c, factor):
    """Return factor (c[0] + c[1] square + ...); the products of constants leave the loop."""


@overload(even_form, jit_options=INLINE)
def _even_form(square, c, factor):
    if len(c) == 1:
        return lambda square, c, factor: factor * c[0]
    return lambda square, c, factor: fma(even_form(square, c[1:], factor), square, factor * c[0])


def even_integral(square, c, factor):
    """Return the integral of `even_form` over x from 0, square = x^2; factor is 1/2 for c[0]."""


@overload(even_integral, jit_options=INLINE)
def _even_integral(square, c, factor):
    if len(c) == 1:
        return lambda square, c, factor: square * (factor * c[0])

    def longer(square, c, factor):
        rest = even_integral(square, c[1:], 1.0 / (1.0 / factor + 2.0))
        return square * fma(factor, c[0], rest)

    return longer


def anisotropy_energy(n, energy, inverse_degree):
    """Return E_a at n but for a constant: by Euler's theorem where it is homogeneous."""


@overload(anisotropy_energy, jit_options=INLINE)
def _anisotropy_energy(n, energy, inverse_degree):
    if _is_separable(energy):
        return lambda n, energy, inverse_degree: (
            even_integral(n[0] * n[0], energy[0], 0.5)
            + even_integral(n[1] * n[1], energy[1], 0.5)
            + even_integral(n[2] * n[2], energy[2], 0.5)
        )
    return lambda n, energy, inverse_degree: (
        inverse_degree * dot3(n, pull((0.0, 0.0, 0.0), n, energy, 1.0))
    )


def _quadratic(offset, n, energy, factor):
    # products of constants are taken out of the loop over lanes
    x, y, z = n
    xy, xz, yz = factor * energy[1], factor * energy[2], factor * energy[5]
    return (
        fma(factor * energy[0], x, fma(xy, y, fma(xz, z, offset[0]))),
        fma(xy, x, fma(factor * energy[4], y, fma(yz, z, offset[1]))),
        fma(xz, x, fma(yz, y, fma(factor * energy[8], z, offset[2]))),
    )


def _quartic(offset, n, energy, factor):
    x, y, z = n
    z2 = z * z
    powers = (z, z2, z2 * z)
    d = (0, 0, 0, 0)
    return (
        fma(factor, ternary_form(x, y, powers, energy[0:10], d), offset[0]),
        fma(factor, ternary_form(x, y, powers, energy[10:20], d), offset[1]),
        fma(factor, ternary_form(x, y, powers, energy[20:30], d), offset[2]),
    )


def _sextic(offset, n, energy, factor):
    x, y, z = n
    z2 = z * z
    z3 = z2 * z
    powers = (z, z2, z3, z2 * z2, z2 * z3)
    d = (0, 0, 0, 0, 0, 0)
    return (
        fma(factor, ternary_form(x, y, powers, energy[0:21], d), offset[0]),
        fma(factor, ternary_form(x, y, powers, energy[21:42], d), offset[1]),
        fma(factor, ternary_form(x, y, powers, energy[42:63], d), offset[2]),
    )


def _octic(offset, n, energy, factor):
    x, y, z = n
    z2 = z * z
    z3 = z2 * z
    z4 = z2 * z2
    powers = (z, z2, z3, z4, z4 * z, z3 * z3, z4 * z3)
    d = (0, 0, 0, 0, 0, 0, 0, 0)
    return (
        fma(factor, ternary_form(x, y, powers, energy[0:36], d), offset[0]),
        fma(factor, ternary_form(x, y, powers, energy[36:72], d), offset[1]),
        fma(factor, ternary_form(x, y, powers, energy[72:108], d), offset[2]),
    )


def horner(c, numerator):
    """Return a polynomial and its derivative."""


@overload(horner, jit_options=INLINE)
def _horner(c, numerator):
    if len(numerator) == 1:
        return lambda c, numerator: (numerator[0], 0.0)
    if len(numerator) == 2:
        return lambda c, numerator: (fma(c, numerator[1], numerator[0]), numerator[1])

    def longer(c, numerator):
        value, slope = horner(c, numerator[1:])
        return fma(c, value, numerator[0]), fma(c, slope, value)

    return longer


def efficiency(c, numerator, asymmetry):
    """Return g(c)."""


@overload(efficiency, jit_options=INLINE)
def _efficiency(c, numerator, asymmetry):
    if len(asymmetry) == 0:
        return lambda c, numerator, asymmetry: horner(c, numerator)[0]
    return lambda c, numerator, asymmetry: (
        horner(c, numerator)[0] * (1.0 / fma(asymmetry[0], c, 1.0))
    )


def divergence(c, numerator, asymmetry):
    """Return 2 c g - (1 - c^2) g', which is -div of the reversible drift of one polariser."""


@overload(divergence, jit_options=INLINE)
def _divergence(c, numerator, asymmetry):
    if len(asymmetry) == 0:

        def polynomial(c, numerator, asymmetry):
            g, slope = horner(c, numerator)
            return fma(fma(c, c, -1.0), slope, 2.0 * c * g)

        return polynomial

    def rational(c, numerator, asymmetry):
        q = asymmetry[0]
        value, slope = horner(c, numerator)
        inverse = 1.0 / fma(q, c, 1.0)
        g = value * inverse
        return fma(fma(c, c, -1.0), fma(-q, g, slope) * inverse, 2.0 * c * g)

    return rational


def uniform_torque(row, at, polarisers):
    """Return the uniform torque at row[at], or () where the polarisers hold all of the torque."""


@overload(uniform_torque, jit_options=INLINE)
def _uniform_torque(row, at, polarisers):
    if len(polarisers) > 0:
        return lambda row, at, polarisers: ()
    return lambda row, at, polarisers: (row[at], row[at + 1], row[at + 2])


def uniform_pumping(n, uniform):
    """Return 2 n.uniform: what the uniform torque adds to `pumping`."""


@overload(uniform_pumping, jit_options=INLINE)
def _uniform_pumping(n, uniform):
    if len(uniform) == 0:
        return lambda n, uniform: 0.0
    return lambda n, uniform: 2.0 * dot3(n, uniform)


def torque(offset, n, amplitude, polarisers):
    """Return offset + amplitude sum g(n.p) p, the local spin torque in some unit.

    Without an offset, (), there is a polariser.
    """


@overload(torque, jit_options=INLINE)
def _torque(offset, n, amplitude, polarisers):
    if len(polarisers) == 0:
        return lambda offset, n, amplitude, polarisers: offset
    if len(offset) == 0:

        def first(offset, n, amplitude, polarisers):
            p, numerator, asymmetry = polarisers[0]
            share = amplitude * efficiency(dot3(n, p), numerator, asymmetry)
            total = share * p[0], share * p[1], share * p[2]
            return torque(total, n, amplitude, polarisers[1:])

        return first

    def more(offset, n, amplitude, polarisers):
        p, numerator, asymmetry = polarisers[0]
        share = amplitude * efficiency(dot3(n, p), numerator, asymmetry)
        total = (
            fma(share, p[0], offset[0]),
            fma(share, p[1], offset[1]),
            fma(share, p[2], offset[2]),
        )
        return torque(total, n, amplitude, polarisers[1:])

    return more


def pumping(offset, n, amplitude, polarisers):
    """Return offset + amplitude sum [2 c g - (1 - c^2) g'], c = n.p."""


@overload(pumping, jit_options=INLINE)
def _pumping(offset, n, amplitude, polarisers):
    if len(polarisers) == 0:
        return lambda offset, n, amplitude, polarisers: offset

    def more(offset, n, amplitude, polarisers):
        p, numerator, asymmetry = polarisers[0]
        total = fma(amplitude, divergence(dot3(n, p), numerator, asymmetry), offset)
        return pumping(total, n, amplitude, polarisers[1:])

    return more
