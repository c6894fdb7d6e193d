"""The splitting with local fields and its noise in single precision.

The steps are those of `local_ensemble.advance_splitting`, books included; the noise is that of
`fast`. p is put back on the sphere after every turn, as there.
"""

import numpy as np
from numba.np.numpy_support import carray

from spintherm.kernels.ensemble import (
    COSINE,
    LANES,
    NOISE_ROWS,
    SINE,
    VERSINE,
    load_lanes,
    store_lanes,
)
from spintherm.kernels.fast import HIGH, LOW, NOISE_BYTES, WORD_BYTES, draw_words
from spintherm.kernels.jit import inline, kernel, prefer_wide_vectors, stack_address
from spintherm.kernels.local_ensemble import (
    GENERATOR_BYTES,
    SCRATCH_BYTES,
    STATE_BYTES,
    begin_lanes,
    end_lanes,
    field_across,
    finish_lane,
    settle,
    throw_lane,
    turn_lane,
)
from spintherm.kernels.local_schemes import load_splitting
from spintherm.kernels.noise import single_radial, single_step

_BYTES = STATE_BYTES + GENERATOR_BYTES + SCRATCH_BYTES + WORD_BYTES + NOISE_BYTES


@inline
def _buffers(room):
    """Cut the bytes into lanes, generators' states, what a step keeps, numbers drawn and noise."""
    lanes, rest = room[:STATE_BYTES].view(np.float64), room[STATE_BYTES:]
    bits, rest = rest[:GENERATOR_BYTES].view(np.uint64), rest[GENERATOR_BYTES:]
    noise, rest = rest[:SCRATCH_BYTES].view(np.float64), rest[SCRATCH_BYTES:]
    return (
        lanes,
        bits,
        noise,
        rest[:WORD_BYTES].view(np.uint64),
        rest[WORD_BYTES:].view(np.float32),
    )


@kernel
def advance_fast(state, generators, constants, jumps, energy, inverse_degree, polarisers):
    """Take state (12, n) and generators (4, n) through the steps of constants (steps, 29).

    jumps (steps, 3) holds m DH at the start of each step. One raw number is drawn per step.
    """
    prefer_wide_vectors()
    steps = constants.shape[0]
    room = carray(stack_address(_BYTES), _BYTES, np.uint8)
    lanes, bits, noise, words, turns = _buffers(room)
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin_lanes(lanes, constants[0], jumps, energy, inverse_degree)
        for k in range(steps):
            odd = k & 1
            if not odd:
                draw_words(bits, words, k + 1 < steps)
            c = load_splitting(constants, k, energy, polarisers)
            radial = single_radial(*c[2])
            halves = words[odd * LANES :].view(np.uint32)
            for i in range(LANES):
                turns[VERSINE + i], turns[COSINE + i], turns[SINE + i] = single_step(
                    halves[2 * i + HIGH], halves[2 * i + LOW], radial
                )
            for i in range(NOISE_ROWS * LANES):
                noise[i] = np.float64(turns[i])
            field, rates = field_across(constants, jumps, k), c[1] if k > 0 else c[0]
            for i in range(LANES):
                turn_lane(lanes, i, noise, rates, field, c, polarisers)
            for i in range(LANES):
                throw_lane(lanes, i, noise)
            settle(noise, k, steps)
            for i in range(LANES):
                finish_lane(lanes, i, noise, c)
        c = load_splitting(constants, steps - 1, energy, polarisers)
        end_lanes(lanes, constants[steps - 1], c, energy, inverse_degree)
        store_lanes(state, generators, first, count, lanes, bits)
