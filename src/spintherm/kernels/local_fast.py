"""The splitting with local fields and its noise in single precision.

The steps are those of `local_ensemble.advance_splitting`, books included; the noise is that of
`fast`. p is put back on the sphere after every turn, as there.
"""

import numpy as np
from numba.np.numpy_support import carray

from spintherm.kernels.ensemble import LANES, load_lanes, store_lanes
from spintherm.kernels.fast import NOISE_BYTES, WORD_BYTES, draw_words, single_turns
from spintherm.kernels.jit import inline, kernel, prefer_wide_vectors, stack_address
from spintherm.kernels.local_ensemble import (
    GENERATOR_BYTES,
    SCRATCH_BYTES,
    STATE_BYTES,
    begin_lanes,
    end_lanes,
    field_across,
    finish_lane,
    throw_lane,
    turn_lane,
)
from spintherm.kernels.local_schemes import load_splitting

_BYTES = STATE_BYTES + GENERATOR_BYTES + SCRATCH_BYTES + WORD_BYTES + NOISE_BYTES


@inline
def _buffers(room):
    """Cut the bytes into lanes, generators' states, what a step keeps, numbers drawn and noise."""
    lanes, rest = room[:STATE_BYTES].view(np.float64), room[STATE_BYTES:]
    bits, rest = rest[:GENERATOR_BYTES].view(np.uint64), rest[GENERATOR_BYTES:]
    scratch, rest = rest[:SCRATCH_BYTES].view(np.float64), rest[SCRATCH_BYTES:]
    return (
        lanes,
        bits,
        scratch,
        rest[:WORD_BYTES].view(np.uint32),
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
    lanes, bits, scratch, words, turns = _buffers(room)
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin_lanes(lanes, constants[0], jumps, energy, inverse_degree)
        for k in range(steps):
            odd = k & 1
            if not odd:
                draw_words(bits, words, k + 1 < steps)
            c = load_splitting(constants, k, energy, polarisers)
            floor, span, inverse_kappa = c[2]
            single_turns(words, odd, turns, floor, span, inverse_kappa)
            field, rates = field_across(constants, jumps, k), c[1] if k > 0 else c[0]
            for i in range(LANES):
                turn_lane(lanes, i, scratch, turns, rates, field, c, polarisers)
            for i in range(LANES):
                throw_lane(lanes, i, scratch, turns)
            for i in range(LANES):
                finish_lane(lanes, i, scratch, turns, c)
        c = load_splitting(constants, steps - 1, energy, polarisers)
        end_lanes(lanes, constants[steps - 1], c, energy, inverse_degree)
        store_lanes(state, generators, first, count, lanes, bits)
