"""The splitting summed up in another order: one map between two noises, books as forms.

`schemes` takes one step after the other: drift, noise, drift. Here the state between two steps is
the one just after the noise, p. What lies between two noises is a node:

* its two half drifts are one Moebius map n = M' M p;
* what is booked at the end f = M p of the step before, where the next one begins, is a form in the
  null vectors (1, p), (1, f) = M (1, p)/lambda_f and (1, n) = M' M (1, p)/lambda_n, whose
  coefficients are made once for the ensemble. Neither f nor the areas p x f and f x n are made;
* heat is the change of energy less the work: the sum over steps of -m Hbar.Dn, summed by parts.

The torque's work along the drift is booked in one of two ways, equal up to the third power of the
step, that is within the order of the scheme:

* by chords, as in `schemes.second_drift`: -m^2 P.(p x f) and -m^2 P'.(f x n), P before and P' after
  the node. They stay bounded on steps that do not resolve the motion;
* by the trapezoidal rule on its rate at f, -m^2 P.(f x v), v = b - n (n.b) + r x n: one form less.

Numbers of a node, NODE of them by rates and CHORD_NODE by chords: the noise (4), lambda_f (4), the
map from p to lambda_n (1, n) (16), the form booked at the end (9), that of the pumped entropy (4),
the great circle's factor (5), m^2 P (3); by chords also the form of the way from f to n (9).
"""

import numpy as np

from spintherm.kernels.jit import flip, fma, inline, kernel, sign_of
from spintherm.kernels.schemes import dot, renormalised

NODE, CHORD_NODE = 45, 54


@inline
def _product(a, b, out):
    for i in range(4):
        for j in range(4):
            out[i, j] = a[i, 0] * b[0, j]
            for k in range(1, 4):
                out[i, j] += a[i, k] * b[k, j]


@inline
def _pulled_back(form, left, right, work):
    """Replace the form (4, 4) at (left p, right p) by the one at (p, p)."""
    _product(form, right, work)
    for i in range(4):
        for j in range(4):
            form[i, j] = left[0, i] * work[0, j]
            for k in range(1, 4):
                form[i, j] += left[k, i] * work[k, j]


@inline
def _add_torque(form, q):
    """Add -q.(a x b) to a form in the null vectors of a and b."""
    for j in range(3):
        one, two = (j + 1) % 3, (j + 2) % 3
        form[one + 1, two + 1] -= q[j]
        form[two + 1, one + 1] += q[j]


@inline
def _add_rate(form, c):
    """Add half a step's rate of the torque's work to a form in (1, f)."""
    form[0, 0] -= 0.5 * dot(c[21], c[22], c[23], c[36], c[37], c[38])
    for j in range(3):
        one, two = (j + 1) % 3, (j + 2) % 3
        form[0, j + 1] -= 0.5 * (c[33 + one] * c[21 + two] - c[33 + two] * c[21 + one])
        for i in range(3):
            form[j + 1, i + 1] += 0.5 * c[21 + j] * c[36 + i]


@inline
def _store_form(form, row, at):
    """Store a form by its upper triangle, without z^2, which is 1 - x^2 - y^2."""
    for i in range(3):
        diagonal = form[i, i] + form[3, 3] if i == 0 else form[i, i] - form[3, 3]
        row[at] = diagonal
        at += 1
        for j in range(i + 1, 4):
            row[at] = form[i, j] + form[j, i]
            at += 1


@inline
def _around(rows, k, before, after):
    """Moebius matrices of the half drifts before and after node k, none beyond the ends."""
    before[:], after[:] = 0.0, 0.0
    for i in range(4):
        before[i, i] = after[i, i] = 1.0
    if k > 0:
        before[:] = rows[k - 1, :16].reshape(4, 4)
    if k < rows.shape[0]:
        after[:] = rows[k, :16].reshape(4, 4)


@inline
def _common(rows, jumps, k, before, total, field, pumped, row):
    """Store what both ways of booking share; field (4,) is that of the work of the field at f."""
    steps = rows.shape[0]
    field[:], pumped[:] = 0.0, 0.0
    for j in range(3):
        if k > 0:
            field[j + 1] -= rows[k - 1, 24 + j]
            pumped[j + 1] += rows[k - 1, 30 + j]
        if k < steps:
            field[j + 1] -= rows[k, 24 + j] + jumps[k, j]
            pumped[j + 1] += rows[k, 30 + j]
    row[4:8] = before[0]
    row[8:24] = total.reshape(16)
    for j in range(4):
        row[33 + j] = dot(pumped[1], pumped[2], pumped[3], before[1, j], before[2, j], before[3, j])
    step = rows[min(k, steps - 1)]
    row[0], row[1], row[2], row[3] = step[16], step[17], step[18], step[20]
    shrink = step[19]
    row[37] = shrink
    row[38], row[39] = shrink / 3.0, shrink * (2.0 / 15.0)
    row[40], row[41] = shrink * (2.0 / 35.0), shrink * (8.0 / 315.0)
    row[42:45] = step[21:24]


@kernel
def tabulate_rates(rows, jumps, nodes):
    """Fill nodes (steps + 1, NODE) from the steps' constants (steps, 39) and jumps (steps, 3).

    Node k lies between the steps k - 1 and k; the last has no step after it. The form booked at the
    end is to be multiplied by lambda_f^-2. rows are those of `constants.splitting`, then h b, h r.
    """
    steps = rows.shape[0]
    matrices = np.empty((5, 4, 4))
    before, after, total = matrices[0], matrices[1], matrices[2]
    form, work = matrices[3], matrices[4]
    field, pumped = np.empty(4), np.empty(4)
    for k in range(steps + 1):
        _around(rows, k, before, after)
        _product(after, before, total)
        _common(rows, jumps, k, before, total, field, pumped, nodes[k])
        form[:] = 0.0
        form[0] = field
        if k > 0:
            _add_rate(form, rows[k - 1])
        if k < steps:
            _add_rate(form, rows[k])
        _pulled_back(form, before, before, work)
        _store_form(form, nodes[k], 24)


@kernel
def tabulate_chords(rows, jumps, nodes):
    """Fill nodes (steps + 1, CHORD_NODE) from the steps' constants (steps, 33), jumps (steps, 3).

    The form booked at the end is to be multiplied by 1/lambda_f, that of the way from f to n by
    1/(lambda_f lambda_n).
    """
    steps = rows.shape[0]
    matrices = np.empty((5, 4, 4))
    before, after, total = matrices[0], matrices[1], matrices[2]
    form, work = matrices[3], matrices[4]
    field, pumped = np.empty(4), np.empty(4)
    for k in range(steps + 1):
        _around(rows, k, before, after)
        _product(after, before, total)
        _common(rows, jumps, k, before, total, field, pumped, nodes[k])
        form[:] = 0.0
        form[0] = field
        if k > 0:
            _add_torque(form, rows[k - 1, 21:24])
        _product(form, before, work)
        _store_form(work, nodes[k], 24)
        form[:] = 0.0
        if k < steps:
            _add_torque(form, rows[k, 21:24])
        _pulled_back(form, before, total, work)
        _store_form(form, nodes[k], 45)


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
        _four(row, 20),
        _four(row, 33),
        (*_four(row, 37), row[41]),
        (row[42], row[43], row[44]),
        row[3],
    )


@inline
def thrown(px, py, pz, signed_versine, ux, uy, node):
    """From p after one noise to p' after the next.

    The noise is 1 - cos(theta) with the Levy area's sign as its own, and (ux, uy) = sin(theta) d.
    Returns (p', 1/lambda_f, 1/lambda_n, torque work of the noise, pumped entropy).
    """
    middle, lifted, to_x, to_y, to_z, entropy, factor, q, levy = node
    scale = affine(lifted, px, py, pz)
    lx, ly, lz = affine(to_x, px, py, pz), affine(to_y, px, py, pz), affine(to_z, px, py, pz)
    pole = scale + abs(lz)
    inverse = 1.0 / (scale * pole)
    unit, shrink = pole * inverse, scale * inverse
    at_end = 1.0 / affine(middle, px, py, pz)
    pumped = at_end * affine(entropy, px, py, pz)
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
    work = fma(arc, flip(across, sign), area)
    moved = fma(ahead, lx, ux), fma(ahead, ly, uy), fma(ahead, lz, -flip(along, sign))
    return moved, at_end, unit, work, pumped


@inline
def ended(px, py, pz, node):
    """From p to the end f of the call: (f, 1/lambda_f, pumped entropy)."""
    middle, _, to_x, to_y, to_z, entropy, _, _, _ = node
    at_end = 1.0 / affine(middle, px, py, pz)
    fx = at_end * affine(to_x, px, py, pz)
    fy = at_end * affine(to_y, px, py, pz)
    fz = at_end * affine(to_z, px, py, pz)
    return renormalised(fx, fy, fz), at_end, at_end * affine(entropy, px, py, pz)
