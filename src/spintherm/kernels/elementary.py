"""Branch-free elementary functions that a compiler turns into vector code.

log: reduction to [sqrt(1/2), sqrt(2)), then the classic series in s = f/(2 + f) (fdlibm e_log.c),
summed in the order that waits least: one operation of a lane waits for another, not for a unit.
cos and sin of a full turn: minimax polynomials (Remez' exchange) over half a turn about 1/2.
Single precision, for work that need not be exact to the last bit, has shorter polynomials of the
same kind and twice as many numbers in a register. The errors named are measured in the tests.
"""

import numpy as np

from spintherm.kernels.jit import as_bits, as_float, fma, inline

_SHIFT_52 = np.uint64(52)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_SQRT_HALF_BITS = np.uint64(0x3FE6A09E667F3BCD)
_ONE_BITS = np.uint64(0x3FF0000000000000)
_OFFSET = np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
_MAGIC_BITS = np.uint64(0x4330000000000000)
_MAGIC = 2.0**52 + 1023.0
_LN2 = 6.93147180559945309417e-01
_S1 = 3.141592653589793
_S3 = -5.1677127800499685
_S5 = 2.550164039877241
_S7 = -0.5992645293174581
_S9 = 0.08214588655328563
_S11 = -0.007370430356047712
_S13 = 0.00046629917067904196
_S15 = -2.190202178065833e-05
_S17 = 7.683942970856575e-07
_C2 = -4.934802200544676
_C4 = 4.058712126416498
_C6 = -1.3352627688434648
_C8 = 0.23533063012981334
_C10 = -0.0258068887393988
_C12 = 0.001929556283824689
_C14 = -0.00010456658134001717
_C16 = 4.149592335730234e-06
_SINGLE_ONE = np.float32(1.0)
_SINGLE_ZERO = np.float32(0.0)
_SINGLE_LN2 = np.float32(_LN2)
_SINGLE_SHIFT = np.uint32(23)
_SINGLE_MANTISSA = np.uint32(0x007FFFFF)
_SINGLE_SQRT_HALF_BITS = np.uint32(0x3F3504F3)
_SINGLE_OFFSET = np.uint32(0x3F800000 - 0x3F3504F3)
_SINGLE_MAGIC_BITS = np.uint32(0x4B000000)
_SINGLE_MAGIC = np.float32(2.0**23 + 127.0)
_l2 = np.float32(-0.4999998309913772)
_l3 = np.float32(0.3333393328304929)
_l4 = np.float32(-0.25002583722443267)
_l5 = np.float32(0.1996347730388148)
_l6 = np.float32(-0.16551787381925495)
_l7 = np.float32(0.14883680536470836)
_l8 = np.float32(-0.14426882476392955)
_l9 = np.float32(0.08979539756914119)
_s1 = np.float32(3.141592580044839)
_s3 = np.float32(-5.167706878930278)
_s5 = np.float32(2.5500313773357663)
_s7 = np.float32(-0.5980451744649351)
_s9 = np.float32(0.07722012968487323)
_c0 = np.float32(0.999999953466785)
_c2 = np.float32(-4.9347928586861896)
_c4 = np.float32(4.058411914420259)
_c6 = np.float32(-1.3318801630964086)
_c8 = np.float32(0.21969680276603207)


@inline
def log(x):
    """Natural logarithm of a positive normal double."""
    shifted = as_bits(x) + _OFFSET
    exponent = as_float((shifted >> _SHIFT_52) | _MAGIC_BITS) - _MAGIC
    mantissa = as_float((shifted & _MANTISSA) + _SQRT_HALF_BITS)
    f = mantissa - 1.0
    s = f / (mantissa + 1.0)
    z = s * s
    w = z * z
    odd = fma(w, fma(w, 1.531383769920937332e-01, 2.222219843214978396e-01), 0.3999999999940941908)
    even = fma(
        w,
        fma(
            w, fma(w, 1.479819860511658591e-01, 1.818357216161805012e-01), 2.857142874366239149e-01
        ),
        0.6666666666666735130,
    )
    half_square = 0.5 * f * f
    rest = fma(w, odd, fma(z, even, half_square))
    return fma(s, rest, fma(exponent, _LN2, f - half_square))


@inline
def cos_sin_turn(w):
    """Cosine and sine of pi*w for w in [-1, 1], within 1e-15.

    cos(pi |w|) = -sin(pi v) and sin(pi |w|) = cos(pi v), where v = |w| - 1/2 is exact.
    """
    v = abs(w) - 0.5
    z = v * v
    odd = fma(z, fma(z, fma(z, _S17, _S15), _S13), _S11)
    odd = fma(z, fma(z, fma(z, fma(z, fma(z, odd, _S9), _S7), _S5), _S3), _S1)
    even = fma(z, fma(z, fma(z, _C16, _C14), _C12), _C10)
    even = fma(z, fma(z, fma(z, fma(z, fma(z, even, _C8), _C6), _C4), _C2), 1.0)
    return -(v * odd), np.copysign(even, w)


@inline
def single_log(x, below_one):
    """Natural logarithm of a normal single x in (0, 1], within 1e-7 + 1e-7 |ln x|, never above 0.

    below_one is x - 1, which the caller may know better than x tells: near 1 the error is relative,
    1e-7 of the logarithm. log(1 + f) = f + f^2 P(f) on the range of `log`: no division.
    """
    shifted = np.uint32(as_bits(x) + _SINGLE_OFFSET)
    exponent_bits = np.uint32(np.uint32(shifted >> _SINGLE_SHIFT) | _SINGLE_MAGIC_BITS)
    exponent = as_float(exponent_bits) - _SINGLE_MAGIC
    mantissa_bits = np.uint32(np.uint32(shifted & _SINGLE_MANTISSA) + _SINGLE_SQRT_HALF_BITS)
    f = as_float(mantissa_bits) - _SINGLE_ONE
    f = below_one if exponent == _SINGLE_ZERO else f
    w = f * f
    low = fma(w, fma(f, _l5, _l4), fma(f, _l3, _l2))
    high = fma(w, fma(f, _l9, _l8), fma(f, _l7, _l6))
    p = fma(w * w, high, low)
    return fma(exponent, _SINGLE_LN2, fma(w, p, f))


@inline
def single_sin_cos_half_turn(v):
    """Sine and cosine of pi*v for a single v in [-1/2, 1/2], within 2e-7."""
    z = v * v
    odd = fma(z, fma(z, fma(z, fma(z, _s9, _s7), _s5), _s3), _s1)
    even = fma(z, fma(z, fma(z, fma(z, _c8, _c6), _c4), _c2), _c0)
    return v * odd, even
