"""The splitting with a third fewer operations: the same scheme, summed up in another order.

`ensemble` takes one step after the other: drift, noise, drift. Here the state between two steps is
the one just after the noise, p, and

* the two half drifts between two noises are one Moebius map n = M' M p;
* what is booked at the end f = M p of a step, field work, pumped entropy and the torque's work
  along the drift, is a form in the null vector (1, p), so that f itself is never made. For the
  drift's share of the torque work this is the trapezoidal rule on its rate,

      -m^2 P.(n x v),   v = b - n (n.b) + r x n,

  instead of the chords of `schemes.second_drift`: equal up to the third power of the step, that is
  within the order of the scheme (and on the drives tried its bias is never larger);
* the heat is the change of energy less the work: the sum over steps of -m Hbar.Dn, summed by parts;
* the noise is made in single precision, twice as many lanes at a time (`noise.single_step`): turns
  differ from the strict ones by 1e-7 of their size rms, means of theirs by less than 1.5e-7, and
  means of paths by some 1e-8 (tests). The state is kept, moved and booked in double precision.

After a turn n.n is 1 within 1e-7 times the turn, by the rounding of its sine and cosine: after 31
steps |n| is off by 4e-8 in the mean, 1e-7 rms, 6e-6 at most (eta T h up to 0.2). Every 32 steps n
is put back on the sphere, by one Newton step.

No flag loosens the arithmetic of the compiler: each operation is the one written down, and the same
seed gives the same bits on any number of threads. The state is put back on the sphere, and p is
made f, at the end of every call: how steps are cut into calls is visible in the last bits.
"""

import numpy as np
from numba.np.numpy_support import carray

from spintherm.kernels import constants as tables
from spintherm.kernels import coupled
from spintherm.kernels.ensemble import (
    COSINE,
    GENERATOR_ROWS,
    HEAT,
    LANES,
    NOISE_ROWS,
    PUMPED,
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
    load_lanes,
    store_lanes,
)
from spintherm.kernels.jit import (
    flip,
    fma,
    inline,
    kernel,
    prefer_wide_vectors,
    sign_of,
    stack_address,
)
from spintherm.kernels.noise import advance, single_radial, single_step
from spintherm.kernels.schemes import dot, renormalised

COLUMNS = 39
NODE = 45
_RENORMALISE = 31
# two numbers are drawn while a generator's state is in registers: rows of their halves
_HIGH, _LOW = 0, LANES
_NEXT = 2 * LANES
_32 = np.uint64(32)
_STATE_BYTES = 8 * STATE_ROWS * LANES
_GENERATOR_BYTES = 8 * GENERATOR_ROWS * LANES
_WORD_BYTES = 8 * _NEXT
_NOISE_BYTES = 4 * NOISE_ROWS * LANES
_BYTES = _STATE_BYTES + _GENERATOR_BYTES + _WORD_BYTES + _NOISE_BYTES


def constants(steps):
    """Constants of `constants.splitting`, then h b and h r at mid-step: shape (steps, 39)."""
    h = steps.durations[:, None]
    drift = h * steps.relaxation(1), h * steps.rotation(1)
    return np.hstack((tables.splitting(steps), *drift))


@inline
def _add_books(form, pumped, c):
    """Add half a step's rate of the torque's work, its field work and its pumped entropy.

    form (4, 4) is symmetric and acts on (1, f) twice; pumped (4,) acts on it once.
    """
    form[0, 0] -= 0.5 * dot(c[21], c[22], c[23], c[36], c[37], c[38])
    for j in range(3):
        one, two = (j + 1) % 3, (j + 2) % 3
        b_cross_q = c[33 + one] * c[21 + two] - c[33 + two] * c[21 + one]
        linear = -0.25 * b_cross_q - 0.5 * c[24 + j]
        form[0, j + 1] += linear
        form[j + 1, 0] += linear
        pumped[j + 1] += c[30 + j]
        for i in range(3):
            form[j + 1, i + 1] += 0.25 * (c[21 + j] * c[36 + i] + c[36 + j] * c[21 + i])


@inline
def _product(a, b, out):
    for i in range(4):
        for j in range(4):
            out[i, j] = a[i, 0] * b[0, j]
            for k in range(1, 4):
                out[i, j] += a[i, k] * b[k, j]


@inline
def _pulled_back(form, a, work):
    """Replace the form at f by the form at p, f = A p."""
    _product(form, a, work)
    for i in range(4):
        for j in range(4):
            form[i, j] = a[0, i] * work[0, j]
            for k in range(1, 4):
                form[i, j] += a[k, i] * work[k, j]


@kernel
def tabulate_nodes(rows, jumps, nodes):
    """Fill nodes (steps + 1, 45) from the steps' constants (steps, 39) and jumps (steps, 3).

    Node k lies between the steps k - 1 and k; the last has no step after it. A row holds the noise
    (4 numbers), lambda_f, the map from p to n (16), the form of the work (9), that of the pumped
    entropy (4), the great circle's factor (5), and m^2 P (3).
    """
    steps = rows.shape[0]
    matrices = np.empty((5, 4, 4))
    before, after, total = matrices[0], matrices[1], matrices[2]
    form, work = matrices[3], matrices[4]
    pumped = np.empty(4)
    for k in range(steps + 1):
        form[:], pumped[:], before[:], after[:] = 0.0, 0.0, 0.0, 0.0
        for i in range(4):
            before[i, i] = after[i, i] = 1.0
        if k > 0:
            before[:] = rows[k - 1, :16].reshape(4, 4)
            _add_books(form, pumped, rows[k - 1])
        if k < steps:
            after[:] = rows[k, :16].reshape(4, 4)
            _add_books(form, pumped, rows[k])
            for j in range(3):
                form[0, j + 1] -= 0.5 * jumps[k, j]
                form[j + 1, 0] -= 0.5 * jumps[k, j]
        _product(after, before, total)
        _pulled_back(form, before, work)
        form[0, 0] += form[3, 3]
        form[1, 1] -= form[3, 3]
        form[2, 2] -= form[3, 3]
        row = nodes[k]
        row[4:8] = before[0]
        row[8:24] = total.reshape(16)
        at = 24
        for i in range(3):
            for j in range(i, 4):
                row[at] = form[i, j] if i == j else 2.0 * form[i, j]
                at += 1
        for j in range(4):
            row[33 + j] = dot(
                pumped[1], pumped[2], pumped[3], before[1, j], before[2, j], before[3, j]
            )
        step = rows[min(k, steps - 1)]
        row[0], row[1], row[2], row[3] = step[16], step[17], step[18], step[20]
        shrink = step[19]
        row[37] = shrink
        row[38], row[39] = shrink / 3.0, shrink * (2.0 / 15.0)
        row[40], row[41] = shrink * (2.0 / 35.0), shrink * (8.0 / 315.0)
        row[42:45] = step[21:24]


@inline
def _affine(a0, a1, a2, a3, x, y, z):
    return fma(a1, x, fma(a2, y, fma(a3, z, a0)))


@inline
def _quadratic(q, x, y, z):
    """A form in (1, x, y, z) from its upper triangle without z^2, which is 1 - x^2 - y^2."""
    along_x = fma(q[4], x, fma(q[5], y, fma(q[6], z, q[1])))
    along_y = fma(q[7], y, fma(q[8], z, q[2]))
    return fma(x, along_x, fma(y, along_y, fma(z, q[3], q[0])))


@inline
def _load(row):
    return (
        (row[4], row[5], row[6], row[7]),
        (row[8], row[9], row[10], row[11]),
        (row[12], row[13], row[14], row[15]),
        (row[16], row[17], row[18], row[19]),
        (row[20], row[21], row[22], row[23]),
        (
            *(row[24], row[25], row[26], row[27], row[28]),
            *(row[29], row[30], row[31], row[32]),
        ),
        (row[33], row[34], row[35], row[36]),
        (row[37], row[38], row[39], row[40], row[41]),
        (row[42], row[43], row[44]),
        row[3],
    )


@inline
def _step(px, py, pz, signed_versine, ux, uy, node):
    """From p after one noise to p after the next: (p', work, pumped entropy).

    The noise is that of `noise.single_step`: signed versine and (ux, uy) = sin(theta) d.
    """
    middle, lifted, to_x, to_y, to_z, form, entropy, factor, q, levy = node
    scale = _affine(*lifted, px, py, pz)
    lx, ly, lz = _affine(*to_x, px, py, pz), _affine(*to_y, px, py, pz), _affine(*to_z, px, py, pz)
    pole = scale + abs(lz)
    inverse = 1.0 / (scale * pole)
    unit, shrink = pole * inverse, scale * inverse
    at_end = 1.0 / _affine(*middle, px, py, pz)
    booked = _quadratic(form, px, py, pz)
    pumped = at_end * _affine(*entropy, px, py, pz)
    versine = abs(signed_versine)
    sign = sign_of(lz)
    uy = flip(uy, sign)
    along = fma(lx, ux, ly * uy) * shrink
    ahead = ((1.0 - versine) - along) * unit
    # the torque in the frame of `schemes.reflected`, where the noise turns about the axis z
    lifted_torque = dot(q[0], q[1], q[2], lx, ly, lz)
    mirror = fma(scale, flip(q[2], sign), lifted_torque) * (shrink * unit)
    across = fma(uy, fma(-lx, mirror, q[0]), -(ux * fma(-ly, mirror, q[1])))
    arc = fma(versine, fma(versine, factor[4], factor[3]), factor[2])
    arc = fma(versine, fma(versine, arc, factor[1]), factor[0])
    area = np.copysign(levy, signed_versine) * (unit * lifted_torque)
    work = fma(at_end * at_end, booked, fma(arc, flip(across, sign), area))
    return (
        fma(ahead, lx, ux),
        fma(ahead, ly, uy),
        fma(ahead, lz, -flip(along, sign)),
        work,
        pumped,
    )


@inline
def _last_drift(px, py, pz, node):
    """From p to the end of the call: (f, work, pumped entropy)."""
    middle, _, to_x, to_y, to_z, form, entropy, _, _, _ = node
    at_end = 1.0 / _affine(*middle, px, py, pz)
    fx = at_end * _affine(*to_x, px, py, pz)
    fy = at_end * _affine(*to_y, px, py, pz)
    fz = at_end * _affine(*to_z, px, py, pz)
    work = (at_end * at_end) * _quadratic(form, px, py, pz)
    fx, fy, fz = renormalised(fx, fy, fz)
    return fx, fy, fz, work, at_end * _affine(*entropy, px, py, pz)


@inline
def _renormalise(lanes):
    for i in range(LANES):
        nx, ny, nz = renormalised(lanes[X + i], lanes[Y + i], lanes[Z + i])
        lanes[X + i], lanes[Y + i], lanes[Z + i] = nx, ny, nz


@inline
def _buffers(room):
    """Cut the bytes into lanes, generators' states, numbers drawn and noise."""
    lanes, rest = room[:_STATE_BYTES].view(np.float64), room[_STATE_BYTES:]
    bits, rest = rest[:_GENERATOR_BYTES].view(np.uint64), rest[_GENERATOR_BYTES:]
    return lanes, bits, rest[:_WORD_BYTES].view(np.uint32), rest[_WORD_BYTES:].view(np.float32)


@inline
def _draw(bits, words, twice):
    """Draw the numbers of one step of every lane, or of two: their upper and lower halves."""
    if twice:
        for i in range(LANES):
            s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
            one, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            two, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
            words[_HIGH + i], words[_LOW + i] = np.uint32(one >> _32), np.uint32(one)
            words[_NEXT + _HIGH + i] = np.uint32(two >> _32)
            words[_NEXT + _LOW + i] = np.uint32(two)
    else:
        for i in range(LANES):
            s0, s1, s2, s3 = bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i]
            one, s0, s1, s2, s3 = advance(s0, s1, s2, s3)
            bits[S0 + i], bits[S1 + i], bits[S2 + i], bits[S3 + i] = s0, s1, s2, s3
            words[_HIGH + i], words[_LOW + i] = np.uint32(one >> _32), np.uint32(one)


@kernel
def advance_fast(state, generators, rows, jumps):
    """Take state (6, n) and generators (4, n) through the steps of rows (steps, 39).

    jumps (steps, 3) holds m DH at the start of each step. One raw number is drawn per step.
    """
    prefer_wide_vectors()
    steps = rows.shape[0]
    nodes = np.empty((steps + 1, NODE))
    tabulate_nodes(rows, jumps, nodes)
    lanes, bits, words, noise = _buffers(carray(stack_address(_BYTES), _BYTES, np.uint8))
    for first in range(0, state.shape[1], LANES):
        count = min(LANES, state.shape[1] - first)
        load_lanes(state, generators, first, count, lanes, bits)
        begin, end = rows[0], rows[steps - 1]
        for i in range(LANES):  # -m H.n before the first jump, to be taken from the heat
            hx = begin[27] - begin[24] - jumps[0, 0]
            hy = begin[28] - begin[25] - jumps[0, 1]
            hz = begin[29] - begin[26] - jumps[0, 2]
            lanes[HEAT + i] += dot(hx, hy, hz, lanes[X + i], lanes[Y + i], lanes[Z + i])
            lanes[HEAT + i] += lanes[WORK + i]
        for k in range(steps):
            odd = k & 1
            if not odd:
                _draw(bits, words, k + 1 < steps)
            radial = single_radial(nodes[k, 0], nodes[k, 1], nodes[k, 2])
            high, low = odd * _NEXT + _HIGH, odd * _NEXT + _LOW
            for i in range(LANES):
                noise[VERSINE + i], noise[COSINE + i], noise[SINE + i] = single_step(
                    words[high + i], words[low + i], radial
                )
            node = _load(nodes[k])
            for i in range(LANES):
                px, py, pz, work, pumped = _step(
                    lanes[X + i],
                    lanes[Y + i],
                    lanes[Z + i],
                    np.float64(noise[VERSINE + i]),
                    np.float64(noise[COSINE + i]),
                    np.float64(noise[SINE + i]),
                    node,
                )
                lanes[X + i], lanes[Y + i], lanes[Z + i] = px, py, pz
                lanes[WORK + i] += work
                lanes[PUMPED + i] += pumped
            if k & _RENORMALISE == _RENORMALISE:
                _renormalise(lanes)
        node = _load(nodes[steps])
        for i in range(LANES):
            nx, ny, nz, work, pumped = _last_drift(lanes[X + i], lanes[Y + i], lanes[Z + i], node)
            lanes[X + i], lanes[Y + i], lanes[Z + i] = nx, ny, nz
            lanes[WORK + i] += work
            lanes[PUMPED + i] += pumped
            hx, hy, hz = end[27] + end[24], end[28] + end[25], end[29] + end[26]
            lanes[HEAT + i] -= dot(hx, hy, hz, nx, ny, nz) + lanes[WORK + i]
        store_lanes(state, generators, first, count, lanes, bits)


def couple_fast(
    coarse, fine, generators, coarse_constants, fine_constants, coarse_jumps, fine_jumps
):
    """Advance coarse and fine states (6, n) as `coupled.couple_splitting` does, booked as here.

    What the other way of booking the torque's work changes is taken from paths of their own, which
    hardly adds noise: on each path the two ways differ by the third power of the step.
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
