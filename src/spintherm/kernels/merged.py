"""The splitting summed up in another order: one map between two noises, books as forms.

`schemes` takes one step after the other: drift, noise, drift. Here the state between two steps is
the one just after the noise, p, in the frame of the step whose noise it was: z along that step's
torque P (`set_frame`), where the torque's work and the pumped entropy need one component and not
three. Azimuths of the noise count from x there; a turn from one frame to the next is part of the
map between. A call begins and ends in the frame of the laboratory. What lies between two noises is
a node:

* its two half drifts are one Moebius map n = M' M p;
* what is booked, a form in the null vectors (1, p), (1, f) = M (1, p)/lambda_f and (1, n) =
  M' M (1, p)/lambda_n, has coefficients that are made once for the ensemble. f = M p, the end of
  the step before, where the next one begins, and the areas p x f and f x n are never made;
* heat is the change of energy less the work: the sum over steps of -m Hbar.Dn, summed by parts.

There are two ways to book, equal up to the third power of the step, that is within the order of the
scheme:

* at the ends of steps, by chords, as `schemes.second_drift` does: work of the field and pumped
  entropy at f, work of the torque along the drift as -m^2 P.(p x f) and -m^2 P'.(f x n), P before
  and P' after the node. They stay bounded on steps that do not resolve the motion;
* in the middle of steps: nbar is the mean of n before and p after the noise, and the torque's rate
  of work along the drift, -m^2 P.(n x v), v = b - n (n.b) + r x n, a form in (1, n), is taken
  between (1, p) and (1, n), which is its mean at both up to the square of their difference. That is
  one form and one division less, and on the drives tried its bias is mostly the smaller.

Numbers of a node, NODE of them in the middle of steps and CHORD_NODE at their ends: the noise (3),
twice s m^2 |P| (1), the map from p to lambda_n (1, n) (16), the form (9), the great circle's factor
times m^2 |P| (5); then the pumped entropy's m h gamma0 |P| before and after (2), or lambda_f (4),
the form of the pumped entropy (4) and that of the way from f to n (9).
"""

import numpy as np

from spintherm.kernels.jit import flip, fma, inline, kernel, sign_of, table
from spintherm.kernels.schemes import dot, renormalised, tangent

NODE, CHORD_NODE = 36, 51


@table
def _product(a, b, out):
    for i in range(4):
        for j in range(4):
            out[i, j] = a[i, 0] * b[0, j]
            for k in range(1, 4):
                out[i, j] += a[i, k] * b[k, j]


@table
def _pulled_back(form, left, right, work):
    """Replace the form (4, 4) at (left p, right p) by the one at (p, p)."""
    _product(form, right, work)
    for i in range(4):
        for j in range(4):
            form[i, j] = left[0, i] * work[0, j]
            for k in range(1, 4):
                form[i, j] += left[k, i] * work[k, j]


@table
def _add_torque(form, q):
    """Add -q.(a x b) to a form in the null vectors of a and b."""
    for j in range(3):
        one, two = (j + 1) % 3, (j + 2) % 3
        form[one + 1, two + 1] -= q[j]
        form[two + 1, one + 1] += q[j]


@table
def _add_rate(form, c):
    """Add half a step's work of the torque, at its rate between two null vectors, to their form."""
    form[0, 0] -= 0.5 * dot(c[21], c[22], c[23], c[36], c[37], c[38])
    for j in range(3):
        one, two = (j + 1) % 3, (j + 2) % 3
        along = 0.25 * (c[33 + one] * c[21 + two] - c[33 + two] * c[21 + one])
        form[0, j + 1] -= along
        form[j + 1, 0] -= along
        for i in range(3):
            form[j + 1, i + 1] += 0.25 * (c[21 + j] * c[36 + i] + c[21 + i] * c[36 + j])


@table
def _store_form(form, row, at):
    """Store a form by its upper triangle, without z^2, which is 1 - x^2 - y^2."""
    for i in range(3):
        diagonal = form[i, i] + form[3, 3] if i == 0 else form[i, i] - form[3, 3]
        row[at] = diagonal
        at += 1
        for j in range(i + 1, 4):
            row[at] = form[i, j] + form[j, i]
            at += 1


@table
def _copy(a, out):
    """Fill out (n, m) from a (n, m)."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = a[i, j]


@table
def _set_identity(out):
    """Fill out (n, n) with the identity."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = 1.0 if i == j else 0.0


@table
def _add(share, vector, out):
    """Add share times a vector (3,) to out (3,)."""
    for j in range(3):
        out[j] += share * vector[j]


@table
def set_frame(q, frame):
    """Fill frame (3, 3) with the components of x, y and z of a frame whose z is along q.

    That of the laboratory if q = 0; x and y are those of `schemes.tangent`. Returns |q|.
    """
    largest = 0.0
    for j in range(3):
        size = q[j] if q[j] > 0.0 else -q[j]
        largest = size if size > largest else largest
    if largest == 0.0:
        _set_identity(frame)
        return 0.0
    x, y, z = q[0] / largest, q[1] / largest, q[2] / largest
    size = np.sqrt(dot(x, y, z, x, y, z))
    x, y, z = x / size, y / size, z / size
    pole = -1.0 / (np.copysign(1.0, z) + z)
    frame[0, 0], frame[0, 1], frame[0, 2] = tangent(x, y, z, pole, 1.0, 0.0)
    frame[1, 0], frame[1, 1], frame[1, 2] = tangent(x, y, z, pole, 0.0, 1.0)
    frame[2, 0], frame[2, 1], frame[2, 2] = x, y, z
    return size * largest


@table
def _set_turn(rows, k, frame, turn):
    """Fill turn (4, 4) with the map from the laboratory to the frame of step k; returns m^2 |P|.

    There is none beyond the ends of a call: the map is the identity.
    """
    _set_identity(turn)
    size = 0.0
    if 0 <= k < rows.shape[0]:
        size = set_frame(rows[k, 21:24], frame)
        _copy(frame, turn[1:, 1:])
    return size


@table
def _set_half_drift(rows, k, drift):
    """Fill drift (4, 4) with half the drift of step k, the identity beyond the ends of a call."""
    _set_identity(drift)
    if 0 <= k < rows.shape[0]:
        for i in range(4):
            for j in range(4):
                drift[i, j] = rows[k, 4 * i + j]


@table
def _set_maps(rows, k, maps, frame, row):
    """Fill maps (5, 4, 4) of node k, and what of its row both ways of booking share.

    From p in the frame of the step before to the laboratory, to (1, f) and to (1, n) there; the
    others are scratch.
    """
    home, middle, total, work, moved = maps[0], maps[1], maps[2], maps[3], maps[4]
    _set_turn(rows, k - 1, frame, work)
    for i in range(4):
        for j in range(4):
            home[i, j] = work[j, i]
    _set_half_drift(rows, k, work)
    _set_half_drift(rows, k - 1, total)
    _product(total, home, middle)
    _product(work, middle, total)
    size = _set_turn(rows, k, frame, work)
    _product(work, total, moved)
    for i in range(4):
        for j in range(4):
            row[4 + 4 * i + j] = moved[i, j]
    step = rows[min(k, rows.shape[0] - 1)]
    row[0], row[1], row[2], row[3] = step[16], step[17], step[18], step[20] * size
    shrink = step[19] * size
    row[29] = shrink
    row[30], row[31] = shrink / 3.0, shrink * (2.0 / 15.0)
    row[32], row[33] = shrink * (2.0 / 35.0), shrink * (8.0 / 315.0)


@table
def _length(v):
    """|v|."""
    return np.sqrt(dot(v[0], v[1], v[2], v[0], v[1], v[2]))


@kernel
def tabulate_rates(rows, nodes):
    """Fill nodes (steps + 1, NODE) from the steps' constants (steps, 39), booked in their middle.

    Node k lies between the steps k - 1 and k; the last has no step after it. The form is to be
    multiplied by 1/lambda_n. rows are those of `constants.splitting`, then h b and h r.
    """
    steps = rows.shape[0]
    maps, form, frame = np.empty((5, 4, 4)), np.empty((4, 4)), np.empty((3, 3))
    home, total, work = maps[0], maps[2], maps[3]
    for k in range(steps + 1):
        _set_maps(rows, k, maps, frame, nodes[k])
        form[:] = 0.0
        nodes[k, 34] = nodes[k, 35] = 0.0
        if k > 0:
            _add_rate(form, rows[k - 1])
            _add(-1.0, rows[k - 1, 24:27], form[1:, 0])
            nodes[k, 34] = _length(rows[k - 1, 30:33])
        if k < steps:
            _add_rate(form, rows[k])
            _add(-1.0, rows[k, 24:27], form[0, 1:])
            nodes[k, 35] = _length(rows[k, 30:33])
        _pulled_back(form, home, total, work)
        _store_form(form, nodes[k], 20)


@kernel
def tabulate_chords(rows, jumps, nodes):
    """Fill nodes (steps + 1, CHORD_NODE) from the steps' constants (steps, 33), jumps (steps, 3).

    The form booked at the end of a step is to be multiplied by 1/lambda_f, that of the way from f
    to n by 1/(lambda_f lambda_n).
    """
    steps = rows.shape[0]
    maps, form, frame = np.empty((5, 4, 4)), np.empty((4, 4)), np.empty((3, 3))
    home, middle, total, work = maps[0], maps[1], maps[2], maps[3]
    pumped = np.empty(3)
    for k in range(steps + 1):
        _set_maps(rows, k, maps, frame, nodes[k])
        form[:], pumped[:] = 0.0, 0.0
        if k > 0:
            _add(-1.0, rows[k - 1, 24:27], form[0, 1:])
            _add(1.0, rows[k - 1, 30:33], pumped)
            _add_torque(form, rows[k - 1, 21:24])
        if k < steps:
            _add(-1.0, rows[k, 24:27], form[0, 1:])
            _add(-1.0, jumps[k], form[0, 1:])
            _add(1.0, rows[k, 30:33], pumped)
        _pulled_back(form, home, middle, work)
        _store_form(form, nodes[k], 20)
        for j in range(4):
            nodes[k, 34 + j] = middle[0, j]
            along = dot(pumped[0], pumped[1], pumped[2], middle[1, j], middle[2, j], middle[3, j])
            nodes[k, 38 + j] = along
        form[:] = 0.0
        if k < steps:
            _add_torque(form, rows[k, 21:24])
        _pulled_back(form, middle, total, work)
        _store_form(form, nodes[k], 42)


@table
def at_end(rows, k, vector, frame, along):
    """Fill along (2, 4): lambda_f vector.f and lambda_f as forms in (1, p) of node k."""
    if k == 0:
        along[:] = 0.0
        _add(1.0, vector, along[0, 1:])
        along[1, 0] = 1.0
        return
    m = rows[k - 1]
    set_frame(m[21:24], frame)
    for j in range(4):
        along[0, j] = dot(vector[0], vector[1], vector[2], m[4 + j], m[8 + j], m[12 + j])
        along[1, j] = m[j]
    for i in range(2):
        x, y, z = along[i, 1], along[i, 2], along[i, 3]
        for j in range(3):
            along[i, 1 + j] = dot(frame[j, 0], frame[j, 1], frame[j, 2], x, y, z)


@inline
def affine(a, x, y, z):
    """a.(1, x, y, z)."""
    return fma(a[1], x, fma(a[2], y, fma(a[3], z, a[0])))


@inline
def quadratic(q, x, y, z):
    """A form in (1, x, y, z) from its upper triangle without z^2, which is 1 - x^2 - y^2."""
    along_x = fma(q[4], x, fma(q[5], y, fma(q[6], z, q[1])))
    along_y = fma(q[7], y, fma(q[8], z, q[2]))
    return fma(x, along_x, fma(y, along_y, fma(z, q[3], q[0])))


@inline
def _four(row, at):
    return row[at], row[at + 1], row[at + 2], row[at + 3]


@inline
def load_form(row, at):
    """Nine numbers of a form."""
    return (*_four(row, at), *_four(row, at + 4), row[at + 8])


@inline
def load(row):
    """Numbers of a node that both ways of booking share, but for the noise."""
    return (
        _four(row, 4),
        _four(row, 8),
        _four(row, 12),
        _four(row, 16),
        load_form(row, 20),
        (*_four(row, 29), row[33]),
        row[3],
    )


@inline
def load_chords(row):
    """What booking at the ends of steps needs besides: lambda_f, entropy, form from f to n."""
    return _four(row, 34), _four(row, 38), load_form(row, 42)


@inline
def thrown(px, py, pz, signed_versine, ux, uy, node):
    """From p after one noise to p' after the next.

    The noise is 1 - cos(theta) with the Levy area's sign as its own, and (ux, uy) = sin(theta) d.
    Returns (p', 1/lambda_n, w, lambda_n n.z): w/lambda_n is the torque work of the noise, n where
    it begins, z along the torque.
    """
    lifted, to_x, to_y, to_z, _, factor, levy = node
    scale = affine(lifted, px, py, pz)
    lx, ly, lz = affine(to_x, px, py, pz), affine(to_y, px, py, pz), affine(to_z, px, py, pz)
    pole = scale + abs(lz)
    inverse = 1.0 / (scale * pole)
    unit, shrink = pole * inverse, scale * inverse
    versine = abs(signed_versine)
    sign = sign_of(lz)
    uy = flip(uy, sign)
    along = fma(lx, ux, ly * uy) * shrink
    ahead = ((1.0 - versine) - along) * unit
    # n x p along z: p is (ux, uy) plus a part along n, see `schemes.reflected`
    across = fma(ly, ux, -(lx * uy))
    arc = fma(versine, fma(versine, factor[4], factor[3]), factor[2])
    arc = fma(versine, fma(versine, arc, factor[1]), factor[0])
    work = fma(arc, across, np.copysign(levy, signed_versine) * lz)
    moved = fma(ahead, lx, ux), fma(ahead, ly, uy), fma(ahead, lz, -flip(along, sign))
    return moved, unit, work, lz


@inline
def ended(px, py, pz, node):
    """From p to the end of the call: (f, 1/lambda_f)."""
    lifted, to_x, to_y, to_z, _, _, _ = node
    unit = 1.0 / affine(lifted, px, py, pz)
    fx = unit * affine(to_x, px, py, pz)
    fy = unit * affine(to_y, px, py, pz)
    fz = unit * affine(to_z, px, py, pz)
    return renormalised(fx, fy, fz), unit
