"""One step of one trajectory, for each scheme: direction n, and the increments of W, Q and S_P.

The equation is the Stratonovich form of [I] 2.6 for n = m/|m|,

    dn = [b - n (n.b) + r x n] dt + sqrt(2 eta T) n x o dW,
    b = eta m H + gamma0 m P,     r = gamma0 H - eta m^2 P,

and along every step, with bars for averages over it and D for differences,

    work = -m nbar.DH + torque work,    torque work = -m^2 Pbar.(n x n') times the scheme's factor,
    heat = -m Hbar.Dn - torque work,    pumped entropy = 2 gamma0 m h nbar.Pbar,

so that work + heat telescopes to the change of -m n.H: the first law holds on every path.

Euler-Maruyama is [II] SI 62-63: Ito drift with -2 T eta n, three normals, renormalised.
Splitting is drift(h/2), noise(h), drift(h/2). The drift's flow is a Moebius map of the sphere: the
null vector (1, n) evolves linearly, (lambda, lambda n') = exp(h/2 [[0, b], [b, r x]]) (1, n). The
noise moves n by the angle theta towards a fair azimuth, x = 1 - cos(theta) from the von
Mises-Fisher law with <cos theta> = e^(-2s), s = eta T h; the torque works along it as along the
great circle times (1 - s/3), plus the Levy area's 2 m^2 s (P.n) with a fair sign.
"""

import numpy as np

from spintherm.kernels.jit import flip, fma, inline, sign_of


@inline
def dot(ax, ay, az, bx, by, bz):
    """Scalar product."""
    return fma(ax, bx, fma(ay, by, az * bz))


@inline
def bookkeeping(nx, ny, nz, px, py, pz, torque_work, c):
    """Work, heat and pumped entropy from n to p; c = (m DH/2, m Hbar, gamma0 m h Pbar)."""
    sx, sy, sz = nx + px, ny + py, nz + pz
    work = torque_work - dot(c[0], c[1], c[2], sx, sy, sz)
    heat = -torque_work - dot(c[3], c[4], c[5], px - nx, py - ny, pz - nz)
    return work, heat, dot(c[6], c[7], c[8], sx, sy, sz)


@inline
def load_euler_maruyama(constants, k):
    """Constants of step k: (h b, h r, 2 T eta h, sqrt(2 eta T h), m^2 Pbar, bookkeeping)."""
    c = constants[k]
    return (
        (c[0], c[1], c[2]),
        (c[3], c[4], c[5]),
        c[6],
        c[7],
        (c[8], c[9], c[10]),
        (c[11], c[12], c[13], c[14], c[15], c[16], c[17], c[18], c[19]),
    )


@inline
def euler_maruyama(nx, ny, nz, gx, gy, gz, constants):
    """Advance n by one Euler-Maruyama step with the normals g, [II] SI 62-63."""
    b, r, ito, amplitude, q, c = constants
    radial = dot(b[0], b[1], b[2], nx, ny, nz) + ito
    wx, wy, wz = (
        fma(-amplitude, gx, r[0]),
        fma(-amplitude, gy, r[1]),
        fma(-amplitude, gz, r[2]),
    )
    px = fma(-radial, nx, nx) + b[0] + fma(wy, nz, -(wz * ny))
    py = fma(-radial, ny, ny) + b[1] + fma(wz, nx, -(wx * nz))
    pz = fma(-radial, nz, nz) + b[2] + fma(wx, ny, -(wy * nx))
    inverse = 1.0 / np.sqrt(dot(px, py, pz, px, py, pz))
    px, py, pz = px * inverse, py * inverse, pz * inverse
    torque_work = -dot(
        q[0],
        q[1],
        q[2],
        fma(ny, pz, -(nz * py)),
        fma(nz, px, -(nx * pz)),
        fma(nx, py, -(ny * px)),
    )
    work, heat, pumped = bookkeeping(nx, ny, nz, px, py, pz, torque_work, c)
    return px, py, pz, work, heat, pumped


@inline
def load_splitting(constants, k):
    """Constants of step k: Moebius matrix, e^-2k, 1 - e^-2k, 1/k, 1 - s/3, 2s, m^2 P, books."""
    c = constants[k]
    return (
        (
            *(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]),
            *(c[8], c[9], c[10], c[11], c[12], c[13], c[14], c[15]),
        ),
        c[16],
        c[17],
        c[18],
        c[19],
        c[20],
        (c[21], c[22], c[23]),
        (c[24], c[25], c[26], c[27], c[28], c[29], c[30], c[31], c[32]),
    )


@inline
def lifted_moebius(nx, ny, nz, a):
    """(lambda, lambda n') = A (1, n)."""
    return (
        fma(a[1], nx, fma(a[2], ny, fma(a[3], nz, a[0]))),
        fma(a[5], nx, fma(a[6], ny, fma(a[7], nz, a[4]))),
        fma(a[9], nx, fma(a[10], ny, fma(a[11], nz, a[8]))),
        fma(a[13], nx, fma(a[14], ny, fma(a[15], nz, a[12]))),
    )


@inline
def moebius(nx, ny, nz, a):
    """Flow of the drift: n' from (lambda, lambda n') = A (1, n)."""
    scale, px, py, pz = lifted_moebius(nx, ny, nz, a)
    scale = 1.0 / scale
    return scale * px, scale * py, scale * pz


@inline
def renormalised(nx, ny, nz):
    """One Newton step of 1/sqrt(n.n) from 1: keeps rounding from drifting off the sphere."""
    scale = fma(-0.5, dot(nx, ny, nz, nx, ny, nz), 1.5)
    return nx * scale, ny * scale, nz * scale


@inline
def moebius_with_frame(nx, ny, nz, a):
    """Flow of the drift, with the frame's constant at n' (see `tangent`): one division for both."""
    scale, px, py, pz = lifted_moebius(nx, ny, nz, a)
    pole = np.copysign(scale, pz) + pz
    inverse = 1.0 / (scale * pole)
    shrink = pole * inverse
    return shrink * px, shrink * py, shrink * pz, -(scale * scale) * inverse


@inline
def tangent(nx, ny, nz, a, cosine, sine):
    """Unit tangent at n with the given azimuth; a = -1/(sign(nz) + nz).

    The frame is that of Duff et al., Journal of Computer Graphics Techniques 6, 1 (2017).
    """
    sign = np.copysign(1.0, nz)
    b = nx * ny * a
    return (
        fma(cosine, fma(sign * nx * nx, a, 1.0), sine * b),
        fma(cosine, sign * b, sine * fma(ny * ny, a, sign)),
        -fma(cosine * sign, nx, sine * ny),
    )


@inline
def reflected(nx, ny, nz, shrink, ux, uy, versine):
    """Turn n: p at 1 - cos(theta) = versine from n, in the direction of (ux, uy) = sin(theta) d.

    A reflection takes -sign(nz) z to n and (ux, uy, -sign(nz) cos(theta)) to p; shrink =
    1/(1 + |nz|). It leads to the same p as `tangent`, whose frame it implies, in half the work.
    """
    sign = sign_of(nz)
    uy = flip(uy, sign)
    along = fma(nx, ux, ny * uy) * shrink
    back = along + (versine - 1.0)
    return fma(-back, nx, ux), fma(-back, ny, uy), fma(-back, nz, -flip(along, sign))


@inline
def splitting(ox, oy, oz, nx, ny, nz, dx, dy, dz, versine, sign, constants):
    """Finish a splitting step that began at o and whose first drift led to n; noise goes along d.

    Returns (n', work, heat, pumped entropy).
    """
    sin_theta = np.sqrt(versine * (2.0 - versine))
    px = fma(sin_theta, dx, fma(-versine, nx, nx))
    py = fma(sin_theta, dy, fma(-versine, ny, ny))
    pz = fma(sin_theta, dz, fma(-versine, nz, nz))
    area = constants[5] * sign
    return second_drift(ox, oy, oz, nx, ny, nz, px, py, pz, versine, area, constants)


@inline
def second_drift(ox, oy, oz, nx, ny, nz, px, py, pz, versine, area, constants):
    """Finish a splitting step that began at o, drifted to n and was thrown to p by the noise.

    versine is that of the angle between n and p, area = +-2s that of Levy. Returns (n', work, heat,
    pumped entropy). The torque's work, -m^2 P. applied to the areas o x n (drift), arc n x p
    (noise), p x f (drift), is gathered into one scalar product.
    """
    a, _, _, _, shrink, _, q, books = constants
    fx, fy, fz = moebius(px, py, pz, a)
    y = 0.5 * versine
    arc = fma(y, fma(y, fma(y, fma(y, 128.0 / 315.0, 16.0 / 35.0), 8.0 / 15.0), 2.0 / 3.0), 1.0)
    arc = arc * shrink
    tx, ty, tz = fma(-arc, nx, fx), fma(-arc, ny, fy), fma(-arc, nz, fz)
    torque_work = dot(
        q[0],
        q[1],
        q[2],
        fma(area, nx, cross_sum(ny, nz, oy, oz, ty, tz, py, pz)),
        fma(area, ny, cross_sum(nz, nx, oz, ox, tz, tx, pz, px)),
        fma(area, nz, cross_sum(nx, ny, ox, oy, tx, ty, px, py)),
    )
    fx, fy, fz = renormalised(fx, fy, fz)
    work, heat, pumped = bookkeeping(ox, oy, oz, fx, fy, fz, torque_work, books)
    return fx, fy, fz, work, heat, pumped


@inline
def cross_sum(ay, az, by, bz, cy, cz, dy, dz):
    """One component of a x b + c x d."""
    return fma(ay, bz, fma(cy, dz, -fma(az, by, cz * dy)))
