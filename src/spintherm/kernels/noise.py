"""Random numbers that depend on (seed, trajectory, step) alone.

Each trajectory owns a xoshiro256++ generator (Blackman & Vigna, ACM TOMS 47, 36 (2021)), its state
filled by two chains of the splitmix64 finaliser from the seed's key and the trajectory's
index, so that neighbouring trajectories start at unrelated points of a period of 2^256 - 1. Step k
of a trajectory uses fixed positions of its own stream: nothing depends on threads or chunks.
"""

import numpy as np

from spintherm.kernels.elementary import (
    cos_sin_turn,
    log,
    single_log,
    single_sin_cos_half_turn,
)
from spintherm.kernels.jit import as_bits, as_float, fma, inline, kernel

_ONE_BITS = np.uint64(0x3FF0000000000000)
_TWO_BITS = np.uint64(0x4000000000000000)
_SHIFT_MANTISSA = np.uint64(12)
_SHIFT_RADIAL = np.uint64(24)
_HALF_RADIAL = np.uint64(1 << 11)
_SHIFT_AZIMUTH = np.uint64(28)
_AZIMUTH = np.uint64(((1 << 23) - 1) << 29)
_TWO_HALF_BITS = np.uint64(0x4000000000000000 | (1 << 28))
_SIGN = np.uint64(63)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ALL = np.uint32(0xFFFFFFFF)
_SINGLE_SIGN = np.uint32(0x80000000)
_QUARTER = np.uint32(0x007FFFFE)
_SINGLE_ONE_HALF_BITS = np.uint32(0x3F800001)
_SHIFT_FINE, _SHIFT_SIDE, _SHIFT_SIGN = (np.uint32(n) for n in (24, 8, 31))
_SINGLE_THREE_HALVES, _SINGLE_TWO = np.float32(1.5), np.float32(2.0)
_S17, _S19, _S23, _S41, _S45 = (np.uint64(n) for n in (17, 19, 23, 41, 45))
_S27, _S30, _S31 = (np.uint64(n) for n in (27, 30, 31))


@inline
def mix(x):
    """Return the splitmix64 finaliser of 64 bits: a bijection with full avalanche."""
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


@inline
def advance(s0, s1, s2, s3):
    """One step of xoshiro256++: (output, new state)."""
    total = s0 + s3
    output = ((total << _S23) | (total >> _S41)) + s0
    t = s1 << _S17
    s2 = s2 ^ s0
    s3 = s3 ^ s1
    s1 = s1 ^ s2
    s0 = s0 ^ s3
    s2 = s2 ^ t
    s3 = (s3 << _S45) | (s3 >> _S19)
    return output, s0, s1, s2, s3


@inline
def uniform(bits):
    """Uniform double in (0, 1] from the upper 52 bits."""
    return 2.0 - as_float((bits >> _SHIFT_MANTISSA) | _ONE_BITS)


@inline
def symmetric_uniform(bits):
    """Uniform double in [-1, 1) from the upper 52 bits."""
    return as_float((bits >> _SHIFT_MANTISSA) | _TWO_BITS) - 3.0


@inline
def polar_draw(bits):
    """Split a draw: uniform in (0, 1) (40 bits), azimuth/pi in (-1, 1) (23), fair sign (1).

    The 2^23 azimuths are equally spaced, so every harmonic below that order has exactly its mean
    over the circle; the uniform sits at the centres of 2^40 cells: means are off by 1e-12 at most.
    """
    radial = 2.0 - as_float(((bits >> _SHIFT_RADIAL) << _SHIFT_MANTISSA) | _HALF_RADIAL | _ONE_BITS)
    azimuth = as_float(((bits << _SHIFT_AZIMUTH) & _AZIMUTH) | _TWO_HALF_BITS)
    sign = as_float((bits << _SIGN) | _ONE_BITS)
    return radial, azimuth - 3.0, sign


@inline
def normal_pair(bits):
    """Two independent standard normal numbers from one draw (Box-Muller on `polar_draw`)."""
    radial, azimuth, _ = polar_draw(bits)
    radius = np.sqrt(-2.0 * log(radial))
    cosine, sine = cos_sin_turn(azimuth)
    return radius * cosine, radius * sine


@inline
def single_radial(floor, span, inverse):
    """Constants of `single_step` from those of the von Mises-Fisher law, six singles."""
    return (
        np.float32(floor + span * 2.0**-41),
        np.float32(span * 2.0**-32),
        np.float32(span * 2.0**-40),
        np.float32(-span * 2.0**-32),
        np.float32(-span * 2.0**-33),
        np.float32(-inverse),
    )


@inline
def single_step(high, low, radial):
    """Turn the halves of a draw into a step of noise, in single precision.

    Returns x = 1 - cos(theta) with the fair sign as its sign bit, and sin(theta) times cosine and
    sine of the azimuth, to be read as `polar_draw` splits the draw: from the same bits the same
    numbers within a few 1e-7 of their size. The argument of the logarithm, floor + span u, keeps
    all 40 bits of u where it is small; near 1 its distance from 1, span (1 - u), keeps 32.
    """
    least, coarse, fine, slope, offset, inverse = radial
    rest = np.float32(np.uint32(np.uint32(low ^ _ALL) >> _SHIFT_FINE))
    argument = fma(np.float32(np.uint32(high ^ _ALL)), coarse, fma(rest, fine, least))
    versine = single_log(argument, fma(np.float32(high), slope, offset)) * inverse
    # rounding may lead beyond the opposite pole by a last bit
    sin_theta = np.sqrt(versine * abs(_SINGLE_TWO - versine))
    # 22 bits of the azimuth place it on half a turn, the highest tells which half
    v = as_float(np.uint32(np.uint32(low & _QUARTER) | _SINGLE_ONE_HALF_BITS))
    across, along = single_sin_cos_half_turn(v - _SINGLE_THREE_HALVES)
    side = np.uint32(np.uint32(low << _SHIFT_SIDE) & _SINGLE_SIGN)
    sin_theta = as_float(np.uint32(as_bits(sin_theta) ^ side))
    signed = as_float(np.uint32(as_bits(versine) | np.uint32(low << _SHIFT_SIGN)))
    return signed, across * sin_theta, -along * sin_theta


@kernel
def seed_generators(key_0, key_1, first, states):
    """Fill states (4, n) for the trajectories first, first + 1, ...: shape (4, n) of uint64."""
    for i in range(states.shape[1]):
        index = np.uint64(first + i)
        a = mix(index * _GOLDEN + key_0)
        b = mix((index ^ key_1) + _GOLDEN)
        states[0, i] = mix(a + _GOLDEN)
        states[1, i] = mix(b ^ key_0)
        states[2, i] = mix(a ^ key_1)
        states[3, i] = mix(b + _MIX_1) | np.uint64(1)


@kernel
def draw(states, out):
    """Fill out (k, n) with the next k raw outputs of each of n generators."""
    for i in range(states.shape[1]):
        s0, s1, s2, s3 = states[0, i], states[1, i], states[2, i], states[3, i]
        for k in range(out.shape[0]):
            out[k, i], s0, s1, s2, s3 = advance(s0, s1, s2, s3)
        states[0, i], states[1, i], states[2, i], states[3, i] = s0, s1, s2, s3
