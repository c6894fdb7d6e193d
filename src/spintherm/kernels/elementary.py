"""Branch-free elementary functions that a compiler turns into vector code.

log: reduction to [sqrt(1/2), sqrt(2)), then the classic series in s = f/(2 + f) (fdlibm e_log.c).
cos and sin of a full turn: minimax polynomials (Remez' exchange) over half a turn about 1/2.
The short forms have fewer terms for work that need not be exact to the last bit. The errors named
are measured in the tests.
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
_LN2_HI = 6.93147180369123816490e-01
_LN2_LO = 1.90821492927058770002e-10
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
_L1 = 0.9999998527761753
_L2 = -0.4999999535429659
_L3 = 0.3333527057511079
_L4 = -0.25001828030172785
_L5 = 0.19931165708303036
_L6 = -0.16559542591869336
_L7 = 0.15162067663015116
_L8 = -0.14430670113934904
_L9 = 0.08264178679074154
_s1 = 3.14159258004572
_s3 = -5.16770687898301
_s5 = 2.550031378157954
_s7 = -0.5980451791909254
_s9 = 0.07722013873690357
_c0 = 0.9999999997806559
_c2 = -4.934802137229331
_c4 = 4.058709164376899
_c6 = -1.3352120570903196
_c8 = 0.23493756106746266
_c10 = -0.024396720269792047


@inline
def log(x):
    """Natural logarithm of a positive normal double."""
    shifted = as_bits(x) + _OFFSET
    exponent = as_float((shifted >> _SHIFT_52) | _MAGIC_BITS) - _MAGIC
    f = as_float((shifted & _MANTISSA) + _SQRT_HALF_BITS) - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = w * fma(
        w, fma(w, 1.531383769920937332e-01, 2.222219843214978396e-01), 0.3999999999940941908
    )
    even = z * fma(
        w,
        fma(
            w, fma(w, 1.479819860511658591e-01, 1.818357216161805012e-01), 2.857142874366239149e-01
        ),
        0.6666666666666735130,
    )
    half_square = 0.5 * f * f
    tail = fma(s, half_square + (odd + even), exponent * _LN2_LO)
    return fma(exponent, _LN2_HI, f - (half_square - tail))


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
def short_log(x):
    """Natural logarithm of a positive normal double within 6e-9, and never above 0 below 1.

    log(1 + f) = f P(f) on the same range as `log`, but P is a polynomial: no division.
    """
    shifted = as_bits(x) + _OFFSET
    exponent = as_float((shifted >> _SHIFT_52) | _MAGIC_BITS) - _MAGIC
    f = as_float((shifted & _MANTISSA) + _SQRT_HALF_BITS) - 1.0
    p = fma(f, fma(f, fma(f, fma(f, _L9, _L8), _L7), _L6), _L5)
    p = fma(f, fma(f, fma(f, fma(f, p, _L4), _L3), _L2), _L1)
    return fma(f, p, exponent * _LN2)


@inline
def short_cos_sin_turn(w):
    """Cosine and sine of pi*w for w in [-1, 1], within 4e-9; formulas of `cos_sin_turn`."""
    v = abs(w) - 0.5
    z = v * v
    odd = fma(z, fma(z, fma(z, fma(z, _s9, _s7), _s5), _s3), _s1)
    even = fma(z, fma(z, fma(z, fma(z, fma(z, _c10, _c8), _c6), _c4), _c2), _c0)
    return -(v * odd), np.copysign(even, w)
