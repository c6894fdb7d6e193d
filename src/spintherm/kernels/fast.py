"""The splitting with noise in single precision, booked in the middle of steps.

The scheme is that of `ensemble.advance_splitting`: the same paths, with work and pumped entropy
booked in the second way of `merged`, which needs fewer operations, and

* the noise is made in single precision, twice as many lanes at a time (`noise.single_step`): turns
  differ from the strict ones by 1e-7 of their size rms, means of theirs by less than 1.5e-7, and
  means of paths by some 1e-8 (tests). The state is kept, moved and booked in double precision.

After a turn n.n is 1 within 1e-7 times the turn, by the rounding of its sine and cosine: after 31
steps |n| is off by 4e-8 in the mean, 1e-7 rms, 6e-6 at most (eta T h up to 0.2). Every 32 steps n
is put back on the sphere, by one Newton step.

No flag loosens the arithmetic of the compiler: each operation is the one written down, and the same
seed gives the same bits on any number of threads. The state is put back on the sphere, and p is
made f, at the end of every call: how steps are cut into calls, as by times at which paths are
saved, is visible in the last bits of n and, since the way from p to n is then booked in two parts,
in the work by the third power of the step.
"""

import sys

import numpy as np
from numba.np.numpy_support import carray

from spintherm.kernels import constants as tables
from spintherm.kernels import coupled, merged
from spintherm.kernels.ensemble import (
    COSINE,
    GENERATOR_ROWS,
    LANES,
    NOISE_ROWS,
    PUMPED,
    RENORMALISE,
    S0,
    S1,
    S2,
    S3,
    SINE,
    STATE_ROWS,
    VERSINE,
    WORK,
    X,
    Y,
    Z,
    advance_splitting,
    begin_heat,
    end_heat,
    load_lanes,
    renormalise_lanes,
    store_lanes,
)
from spintherm.kernels.jit import (
    fma,
    inline,
    kernel,
    prefer_wide_vectors,
    stack_address,
)
from spintherm.kernels.noise import advance, single_radial, single_step

COLUMNS = 39
# Two numbers are drawn while a generator's state is in registers. They are read by halves.
DRAWN = 2
LOW, HIGH = (0, 1) if sys.byteorder == "little" else (1, 0)
_STATE_BYTES = 8 * STATE_ROWS * LANES
_GENERATOR_BYTES = 8 * GENERATOR_ROWS * LANES
WORD_BYTES = 8 * DRAWN * LANES
NOISE_BYTES = 4 * NOISE_ROWS * LANES
_BYTES = _STATE_BYTES + _GENERATOR_BYTES + WORD_BYTES + NOISE_BYTES


def constants(steps):
    """Constants of `constants.splitting`, then h b and h r at mid-step: (steps, 39)."""
    h = steps.durations[:, None]
    return np.hstack((tables.splitting(steps), h * steps.relaxation(1), h * steps.rotation(1)))


@inline
def book_jump(lanes, rows, k, jump, frame, along):
    """Book the work -jump.f of a sudden change of the field at the start of step k, jump = m DH."""
    merged.at_end(rows, k, jump, frame, along)
    change, scale = along[0], along[1]
    for i in range(LANES):
        px, py, pz = lanes[X + i], lanes[Y + i], lanes[Z + i]
        lanes[WORK + i] -= merged.affine(change, px, py, pz) / merged.affine(scale, px, py, pz)


@inline
def _buffers(room):
    """Cut the bytes into lanes, generators' states, numbers drawn and noise."""
    lanes, rest = room[:_STATE_BYTES].view(np.float64), room[_STATE_BYTES:]
    bits, rest = rest[:_GENERATOR_BYTES].view(np.uint64), rest[_GENERATOR_BYTES:]
    return lanes, bits, rest[:WORD_BYTES].view(np.uint64), rest[WORD_BYTES:].view(np.float32)


@inline
def draw_words(bits, words, twice):
    """Draw the numbers of one step of every lane, or of two: rows of words."""
    if twice:
        for i in range(LANES):
            s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
            one, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            two, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
            words[i], words[LANES + i] = one, two
    else:
        for i in range(LANES):
            s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
            one, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
            words[i] = one


@kernel
def advance_fast(state, generators, rows, jumps):
    """Take state (6, n) and generators (4, n) through the steps of rows (steps, 39).

    jumps (steps, 3) holds m DH at the start of each step. One raw number is drawn per step.
    """
    prefer_wide_vectors()
    steps = rows.shape[0]
    nodes = np.empty((steps + 1, merged.NODE))
    merged.tabulate_rates(rows, nodes)
    frame, along = np.empty((3, 3)), np.empty((2, 4))
    lanes, bits, words, noise = _buffers(carray(stack_address(_BYTES), _BYTES, np.uint8))
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin_heat(lanes, rows, jumps)
        for k in range(steps):
            odd = k & 1
            if not odd:
                draw_words(bits, words, k + 1 < steps)
            radial = single_radial(nodes[k, 0], nodes[k, 1], nodes[k, 2])
            halves = words[odd * LANES :].view(np.uint32)
            for i in range(LANES):
                noise[VERSINE + i], noise[COSINE + i], noise[SINE + i] = single_step(
                    halves[2 * i + HIGH], halves[2 * i + LOW], radial
                )
            jump = jumps[k]
            if jump[0] != 0.0 or jump[1] != 0.0 or jump[2] != 0.0:
                book_jump(lanes, rows, k, jump, frame, along)
            node, before, after = merged.load(nodes[k]), nodes[k, 34], nodes[k, 35]
            for i in range(LANES):
                px, py, pz = lanes[X + i], lanes[Y + i], lanes[Z + i]
                moved, unit, work, lifted = merged.thrown(
                    *(px, py, pz),
                    np.float64(noise[VERSINE + i]),
                    np.float64(noise[COSINE + i]),
                    np.float64(noise[SINE + i]),
                    node,
                )
                booked = merged.quadratic(node[4], px, py, pz)
                lanes[X + i], lanes[Y + i], lanes[Z + i] = moved
                lanes[WORK + i] = fma(unit, booked + work, lanes[WORK + i])
                lanes[PUMPED + i] += fma(before, pz, after * (unit * lifted))
            if k & RENORMALISE == RENORMALISE:
                renormalise_lanes(lanes)
        node, before = merged.load(nodes[steps]), nodes[steps, 34]
        for i in range(LANES):
            px, py, pz = lanes[X + i], lanes[Y + i], lanes[Z + i]
            moved, unit = merged.ended(px, py, pz, node)
            lanes[X + i], lanes[Y + i], lanes[Z + i] = moved
            lanes[WORK + i] += unit * merged.quadratic(node[4], px, py, pz)
            lanes[PUMPED + i] += before * pz
        end_heat(lanes, rows)
        store_lanes(state, generators, first, count, lanes, bits)


def couple_fast(
    coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
):
    """Advance coarse and fine states (6, n) as `coupled.couple_splitting` does, booked as here.

    What the other way of booking changes is taken from paths of their own, which hardly adds noise:
    on each path the two ways differ by the second power of the step.
    """
    start = coarse.copy()
    coupled.couple_splitting(
        coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
    )
    for end, rows, jumps in (
        (coarse, coarse_constants, coarse_jumps),
        (fine, fine_constants, fine_jumps),
    ):
        ours, theirs, streams = start.copy(), start.copy(), generators.copy()
        advance_fast(ours, streams, rows, jumps[:-1])
        advance_splitting(theirs, generators.copy(), rows, jumps[:-1])
        end[3:] += (ours - theirs)[3:]
