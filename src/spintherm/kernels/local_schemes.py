"""One step of one trajectory where H_eff and P depend on the direction: `schemes` once more.

With the effective field H(n) = H + H_FL - dE_a/dm and the local torque P(n) the equation is

    dn = w(n) x n dt + sqrt(2 eta T) n x o dW,      w = r + n x b,
    b = eta m H(n) + gamma0 m P(n),     r = gamma0 H(n) - eta m^2 P(n),

for (n x b) x n = b - n (n.b). What is loaded of a step are w's parts in some unit u of time,

    x(n) = u gamma0 H(n) = x0 + factor times the polynomials `energy`,
    y(n) = u gamma0 m P(n) = y0 + amplitude sum g(n.p) p,

    u w = x - delta y + n x (delta x + y),     delta = eta m/gamma0.

Splitting is drift(h/2), noise(h), drift(h/2) with fields at mid-step and u = h/4, and the drift
between two noises is one turn. It begins at p, where a noise ended; half a step about w(p), by
Cayley's rotation, leads to o, the end of the step, where the books are kept; the whole turn from p
about w(o) leads to n, where the next noise begins: the mid-point rule. In step k work is done by
the torque along o -> n -> p -> o', with P at n (extrapolated: y(n) = y_(k-1)(o) + y_k(o) -
y_(k-1)(p)), at p, and their mean along the great circle between them, times (1 - s/3). The Levy
area adds m^2 s sigma(o) with a fair sign, and the pumped entropy is the trapezoid of gamma0 m sigma
between o and o',

    sigma = sum P0 [2 c g - (1 - c^2) g'],     c = n.p .

docs/splitting.md, section 7, derives the order. Euler-Maruyama (u = h, fields at the start) is that
of `schemes` with local fields.
"""

import numpy as np

from spintherm.kernels.jit import fma, inline
from spintherm.kernels.local_fields import (
    cross3,
    dot3,
    plus_cross,
    pull,
    pumping,
    torque,
    uniform_pumping,
    uniform_torque,
)
from spintherm.kernels.schemes import reflected, renormalised


@inline
def drifting(n, fields):
    """(u w, y) at n."""
    offset, (energy, factor), _, _, _, _ = fields
    return _driven(n, pull(offset, n, energy, factor), fields)


@inline
def drifting_with_energy(n, fields):
    """(u w, y, E_a times its degree) at n."""
    offset, (energy, factor), _, _, _, _ = fields
    slope = pull((0.0, 0.0, 0.0), n, energy, 1.0)
    x = (
        fma(factor, slope[0], offset[0]),
        fma(factor, slope[1], offset[1]),
        fma(factor, slope[2], offset[2]),
    )
    u, y = _driven(n, x, fields)
    return u, y, dot3(n, slope)


@inline
def _driven(n, x, fields):
    _, _, uniform, amplitude, polarisers, delta = fields
    y = torque(uniform, n, amplitude, polarisers)
    turn = (fma(-delta, y[0], x[0]), fma(-delta, y[1], x[1]), fma(-delta, y[2], x[2]))
    relax = (fma(delta, x[0], y[0]), fma(delta, x[1], y[1]), fma(delta, x[2], y[2]))
    return plus_cross(turn, n, relax), y


@inline
def pumped(n, fields):
    """u gamma0 m sigma at n."""
    _, _, uniform, amplitude, polarisers, _ = fields
    return pumping(uniform_pumping(n, uniform), n, amplitude, polarisers)


@inline
def lifted_turn(n, u):
    """Cayley's rotation of n about u by 2 arctan|u|, up to a factor: (factor, factor n')."""
    arm = plus_cross(n, u, n)
    scale = fma(u[0], u[0], fma(u[1], u[1], fma(u[2], u[2], 1.0)))
    way = cross3(u, arm)
    return (
        scale,
        fma(scale, n[0], 2.0 * way[0]),
        fma(scale, n[1], 2.0 * way[1]),
        fma(scale, n[2], 2.0 * way[2]),
    )


@inline
def turned(n, u):
    """Cayley's rotation of n about u by 2 arctan|u|."""
    scale, px, py, pz = lifted_turn(n, u)
    unit = 1.0 / scale
    return unit * px, unit * py, unit * pz


@inline
def booked(o, f, torque_work, books):
    """Work and heat but for the change of E_a, from o to f; books = (m DH/2, m Hbar)."""
    sx, sy, sz = o[0] + f[0], o[1] + f[1], o[2] + f[2]
    dx, dy, dz = f[0] - o[0], f[1] - o[1], f[2] - o[2]
    field_work = fma(books[0], sx, fma(books[1], sy, books[2] * sz))
    zeeman = fma(books[3], dx, fma(books[4], dy, books[5] * dz))
    return torque_work - field_work, -torque_work - zeeman


@inline
def load_splitting(constants, k, energy, polarisers):
    """Constants of step k; polarisers, where there are any, hold the uniform torque too.

    Fields of this step and of the drift into it; (e^-2k, 1 - e^-2k, 1/k); (half of 1 - s/3,
    4m/(gamma0 h) of the torque work, half of s times that of the Levy area); (m DH/2, m Hbar).
    """
    c = constants[k]
    own = (
        (c[0], c[1], c[2]),
        (energy, c[3]),
        uniform_torque(c, 4, polarisers),
        c[7],
        polarisers,
        c[8],
    )
    across = (
        (c[9], c[10], c[11]),
        (energy, c[12]),
        uniform_torque(c, 13, polarisers),
        c[16],
        polarisers,
        c[8],
    )
    books = (c[23], c[24], c[25], c[26], c[27], c[28])
    return own, across, (c[17], c[18], c[19]), (c[20], c[21], c[22]), books


@inline
def drift_past(o, torque_before, constants):
    """Drift past o, from where the last noise ended: (u w, y of this step where it leads to)."""
    u, y = drifting(o, constants[1])
    return u, (y[0] - torque_before[0], y[1] - torque_before[1], y[2] - torque_before[2])


@inline
def turned_with_shrink(n, u):
    """(n', 1/(1 + |nz'|)) of a turn: one division for both, see `schemes.reflected`."""
    scale, px, py, pz = lifted_turn(n, u)
    pole = scale + abs(pz)
    inverse = 1.0 / (scale * pole)
    unit = pole * inverse
    return (unit * px, unit * py, unit * pz), scale * (scale * inverse)


@inline
def thrown(n, shrink, versine, cosine, sine):
    """Where the noise takes n."""
    sin_theta = np.sqrt(versine * (2.0 - versine))
    p = thrown_by(n, shrink, versine, sin_theta * cosine, sin_theta * sine)
    return renormalised(p[0], p[1], p[2])


@inline
def thrown_by(n, shrink, versine, ux, uy):
    """Where the noise (ux, uy) = sin(theta) d takes n (`schemes.reflected`)."""
    return reflected(n[0], n[1], n[2], shrink, ux, uy, versine)


@inline
def thrown_along(n, d, versine):
    """Where the noise takes n in the direction d."""
    sin_theta = np.sqrt(versine * (2.0 - versine))
    return renormalised(
        fma(sin_theta, d[0], fma(-versine, n[0], n[0])),
        fma(sin_theta, d[1], fma(-versine, n[1], n[1])),
        fma(sin_theta, d[2], fma(-versine, n[2], n[2])),
    )


@inline
def torque_area(o, n, torque_there, p, y, f, versine, shrink):
    """What the torque's work along o -> n -> p -> f is proportional to."""
    v = 0.5 * versine
    arc = fma(v, fma(v, fma(v, fma(v, 128.0 / 315.0, 16.0 / 35.0), 8.0 / 15.0), 2.0 / 3.0), 1.0)
    arc = arc * shrink
    mean = torque_there[0] + y[0], torque_there[1] + y[1], torque_there[2] + y[2]
    area = fma(arc, dot3(mean, cross3(n, p)), dot3(torque_there, cross3(o, n)))
    return area + dot3(y, cross3(p, f))


@inline
def finish_splitting(o, n, torque_there, p, versine, sign, constants):
    """Finish a step that began at o, drifted to n and was thrown to p by the noise.

    torque_there is y at n. Returns (where it ends, y at p, work, heat but for E_a, pumped entropy).
    """
    own, _, _, weights, books = constants
    u, y = drifting(p, own)
    f = turned(p, u)
    area = torque_area(o, n, torque_there, p, y, f, versine, weights[0])
    there = 2.0 * pumped(o, own)
    torque_work = fma(weights[2] * sign, there, -(weights[1] * area))
    work, heat = booked(o, f, torque_work, books)
    return f, y, work, heat, fma(2.0, pumped(f, own), there)


@inline
def load_euler_maruyama(constants, k, energy, polarisers):
    """Constants of step k: fields at the start, (2 T eta h, sqrt(2 eta T h)), fields of the books.

    The latter hold m^2 Pbar; then gamma0 h/(2m) of the pumped entropy and (m DH/2, m Hbar).
    """
    c = constants[k]
    fields = (
        (c[0], c[1], c[2]),
        (energy, c[3]),
        (c[4], c[5], c[6]),
        c[7],
        polarisers,
        c[8],
    )
    nothing = (0.0, 0.0, 0.0)
    mean = (nothing, ((), 0.0), (c[11], c[12], c[13]), c[14], polarisers, 0.0)
    books = (c[16], c[17], c[18], c[19], c[20], c[21])
    return fields, (c[9], c[10]), mean, c[15], books


@inline
def euler_maruyama(n, g, constants):
    """Advance n by one Euler-Maruyama step with the normals g, [II] SI 62-63 with local fields.

    Returns (n', work, heat but for E_a, pumped entropy, E_a times its degree at n).
    """
    fields, (ito, amplitude), mean, pump, books = constants
    w, _, energy = drifting_with_energy(n, fields)
    w = fma(-amplitude, g[0], w[0]), fma(-amplitude, g[1], w[1]), fma(-amplitude, g[2], w[2])
    shrunk = fma(-ito, n[0], n[0]), fma(-ito, n[1], n[1]), fma(-ito, n[2], n[2])
    p = plus_cross(shrunk, w, n)
    inverse = 1.0 / np.sqrt(dot3(p, p))
    p = p[0] * inverse, p[1] * inverse, p[2] * inverse
    _, _, uniform, strength, polarisers, _ = mean
    there = torque(torque(uniform, n, strength, polarisers), p, strength, polarisers)
    both = there[0] + uniform[0], there[1] + uniform[1], there[2] + uniform[2]
    torque_work = -0.5 * dot3(both, cross3(n, p))
    work, heat = booked(n, p, torque_work, books)
    return p, work, heat, pump * (pumped(n, mean) + pumped(p, mean)), energy
