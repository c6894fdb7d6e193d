"""One step of the schemes of uniform fields as `one_step_operators` needs it, all outcomes at once.

Two use the compiled kernels; what the fast arithmetic books between two noises is written out in
plain NumPy from the step's constants. The tests and the pages of the documentation measure weak
orders with it.
"""

from __future__ import annotations

import numba
import numpy as np

from one_step_operators import (
    Outcomes,
    Sphere,
    equilibrium,
    free_energy_change,
    jumped,
    noise_nodes,
)
from spintherm.kernels import reversible, schemes
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma
from spintherm.kernels.schemes import dot
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, table

RADIAL, AZIMUTHAL = 4, 10  # nodes of the noise: enough for harmonics to degree 7


# --- `splitting` ----------------------------------------------------------------------------------


@numba.njit(error_model="numpy")
def _splitting_outcomes(
    nodes, u, azimuth, constants, k, with_factor, with_area, direction, work, pumped
):
    """One step of `splitting` from every node with every noise and both signs.

    What with_factor and with_area leave out is (1 - s/3) and the Levy area.
    """
    matrix, floor, span, inverse, factor, area, q, books = schemes.load_splitting(constants, k)
    factor = factor if with_factor else 1.0
    area = area if with_area else 0.0
    c = (matrix, floor, span, inverse, factor, area, q, books)
    for i in range(nodes.shape[0]):
        ox, oy, oz = nodes[i, 0], nodes[i, 1], nodes[i, 2]
        nx, ny, nz, frame = schemes.moebius_with_frame(ox, oy, oz, matrix)
        for j in range(u.size):
            versine = -log(fma(span, u[j], floor)) * inverse
            cosine, sine = cos_sin_turn(azimuth[j])
            dx, dy, dz = schemes.tangent(nx, ny, nz, frame, cosine, sine)
            for v in range(2):
                fx, fy, fz, w, _, s = schemes.splitting(
                    ox, oy, oz, nx, ny, nz, dx, dy, dz, versine, 2.0 * v - 1.0, c
                )
                direction[i, j, 0], direction[i, j, 1], direction[i, j, 2] = fx, fy, fz
                work[i, j, v], pumped[i, j, v] = w, s


def splitting_step(with_factor=True, with_area=True, radial=RADIAL, azimuthal=AZIMUTHAL):
    """Outcomes of a step of `splitting`, whole or without (1 - s/3) or the Levy area."""

    def step(nodes, constants, k):
        _, *law, _, _, _, _ = schemes.load_splitting.py_func(constants, k)
        u, turns, probability = noise_nodes(*law, radial, azimuthal)
        direction = np.empty((len(nodes), u.size, 3))
        work, pumped = np.empty((2, len(nodes), u.size, 2))
        given = nodes, u, turns, constants, k
        _splitting_outcomes(*given, with_factor, with_area, direction, work, pumped)
        return Outcomes(direction, probability, np.full(work.shape, 0.5), work, pumped)

    return step


# --- `splitting` as the fast arithmetic books it, between two noises ------------------------------


def noise_frame(torque):
    """Rows x, y, z of the frame in which azimuths count where z is the torque's direction.

    x and y are those of Duff et al., Journal of Computer Graphics Techniques 6, 1 (2017).
    """
    if not np.any(torque):
        return np.eye(3)
    x, y, z = torque / np.linalg.norm(torque)
    sign = 1.0 if z >= 0.0 else -1.0
    a = -1.0 / (sign + z)
    b = x * y * a
    return np.array(
        [[1.0 + sign * x * x * a, sign * b, -sign * x], [b, sign + y * y * a, -y], [x, y, z]]
    )


def _lifted(n):
    return np.concatenate((np.ones((*n.shape[:-1], 1)), n), axis=-1)


def _torque_rate(row):
    """Half a step's torque work -m^2 P.(n x dn) at its rate, a symmetric form in (1, n)."""
    b, r, q = row[33:36], row[36:39], row[21:24]
    form = np.zeros((4, 4))
    form[0, 0] = -q @ r
    form[0, 1:] = -np.cross(b, q)
    form[1:, 1:] = np.outer(q, r)
    return 0.25 * (form + form.T)


def node(rows, jump, k, p):
    """From p (..., 3), before node k, to n after it: (n, work, pumped entropy)."""
    here, there = rows[max(k - 1, 0)] * (k > 0), rows[min(k, len(rows) - 1)] * (k < len(rows))
    before = here[:16].reshape(4, 4) if k > 0 else np.eye(4)
    after = there[:16].reshape(4, 4) if k < len(rows) else np.eye(4)
    f = _lifted(p) @ before.T
    f = f / f[..., :1]
    n = f @ after.T
    n = n / n[..., :1]
    form = _torque_rate(here) + _torque_rate(there)
    work = np.einsum("...i,ij,...j->...", _lifted(p), form, n) - f[..., 1:] @ jump
    work = work - p @ here[24:27] - n[..., 1:] @ there[24:27]
    return n[..., 1:], work, p @ here[30:33] + n[..., 1:] @ there[30:33]


def noise_work(n, p, versine, sign, row):
    """Work of the torque along the great circle from n to p, and its Levy area."""
    y = 0.5 * versine
    arc = 1.0 + y * (2.0 / 3.0 + y * (8.0 / 15.0 + y * (16.0 / 35.0 + y * 128.0 / 315.0)))
    return -(row[19] * arc) * (np.cross(n, p) @ row[21:24]) - sign * row[20] * (n @ row[21:24])


def _carried(functions, work, pumped, beta):
    """<W>, <S>, <W^2>, <W S>, <e^(-beta W)> as functions of p, carried back over an increment."""
    W, S, WW, WS, J = (functions[..., i] for i in range(5))
    return np.stack(
        [
            work + W,
            pumped + S,
            work * work + 2.0 * work * W + WW,
            work * pumped + work * S + pumped * W + WS,
            np.exp(-beta * work) * J,
        ],
        axis=-1,
    )


def _tangents(n):
    """Two unit vectors (k, 3) normal to n and to each other."""
    axis = np.where(np.abs(n[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(axis, n)
    first /= np.linalg.norm(first, axis=1)[:, None]
    return first, np.cross(n, first)


def between_noises(magnet, protocol, steps, sphere):
    """What `one_step_operators.NAMES` says, booked between two noises; a start in equilibrium."""
    cut = table(magnet, tabulate(protocol, steps), SCHEMES["splitting"].fast)
    functions = np.zeros((len(sphere.nodes), 5))
    functions[:, 4] = 1.0
    functions = jumped(sphere, cut.jumps[-1], functions, magnet.beta)
    end, work, pumped = node(cut.constants, np.zeros(3), cut.steps, sphere.nodes)
    later = sphere.basis.expand(sphere.project(functions), end)
    functions = _carried(later, work, pumped, magnet.beta)
    for k in reversed(range(cut.steps)):
        row = cut.constants[k]
        u, turns, probability = noise_nodes(row[16], row[17], row[18], RADIAL, AZIMUTHAL)
        versine = -np.log(row[17] * u + row[16]) * row[18]
        n, work, pumped = node(cut.constants, cut.jumps[k], k, sphere.nodes)
        first, second = _tangents(n)
        along = np.cos(np.pi * turns)[:, None] * first[:, None]
        along = along + np.sin(np.pi * turns)[:, None] * second[:, None]
        p = (1.0 - versine)[:, None] * n[:, None] + np.sqrt(versine * (2.0 - versine))[
            :, None
        ] * along
        later = sphere.basis.expand(sphere.project(functions), p)
        functions = np.zeros_like(functions)
        for sign in (-1.0, 1.0):
            gain = work[:, None] + noise_work(n[:, None], p, versine, sign, row)
            entropy = np.broadcast_to(pumped[:, None], gain.shape)
            outcome = _carried(later, gain, entropy, magnet.beta)
            functions += 0.5 * np.einsum("kjf,j->kf", outcome, probability)
    W, S, WW, WS, J = equilibrium(magnet, protocol, sphere) @ functions
    change = free_energy_change(magnet, protocol)
    sigma = magnet.beta * (W - change) + S
    return np.array([W, sigma, WW - W * W, WS - W * S, J * np.exp(magnet.beta * change)])


# --- `exact-ft` -----------------------------------------------------------------------------------


@numba.njit(error_model="numpy")
def _exact_ft_outcomes(nodes, u, azimuth, constants, k, direction, chance, work, pumped, shadow):
    """One step from every node with every noise and both signs (a tilt of -1 makes it +)."""
    c = reversible.load_exact_ft(constants, k)
    floor, span, inverse = c[2]
    levy = c[4]
    for i in range(nodes.shape[0]):
        ox, oy, oz = nodes[i, 0], nodes[i, 1], nodes[i, 2]
        ux, uy, uz, _ = reversible.scaled_moebius(ox, oy, oz, c[0])
        for j in range(u.size):
            versine = -log(fma(span, u[j], floor)) * inverse
            cosine, sine = cos_sin_turn(azimuth[j])
            for v in range(2):
                fx, fy, fz, w, _, s, excess = reversible.exact_ft(
                    ox, oy, oz, versine, cosine, sine, 1.0 - 2.0 * v, c
                )
                vx, vy, vz, _ = reversible.inverse_moebius(fx, fy, fz, c[0])
                a = dot(levy[0], levy[1], levy[2], ux + vx, uy + vy, uz + vz)
                direction[i, j, 0], direction[i, j, 1], direction[i, j, 2] = fx, fy, fz
                chance[i, j, v] = 0.5 + (v - 0.5) * a / np.sqrt(1.0 + a * a)
                work[i, j, v], pumped[i, j, v], shadow[i, j, v] = w, s, excess


def exact_ft_step(radial=RADIAL, azimuthal=AZIMUTHAL, *, count_shadow=False):
    """Outcomes of a step of `exact-ft`, with the shadow work in the place of the work if asked."""

    def step(nodes, constants, k):
        u, turns, probability = noise_nodes(
            *reversible.load_exact_ft.py_func(constants, k)[2], radial, azimuthal
        )
        direction = np.empty((len(nodes), u.size, 3))
        chance, work, pumped, shadow = np.empty((4, len(nodes), u.size, 2))
        _exact_ft_outcomes(nodes, u, turns, constants, k, direction, chance, work, pumped, shadow)
        return Outcomes(direction, probability, chance, shadow if count_shadow else work, pumped)

    return step


def log_of_the_integral_theorem(magnet, protocol, cut, step_of=exact_ft_step):
    """ln <e^(-beta (W - dF) - S_P)> of a scheme, without a random number."""
    sphere, step = Sphere.of(10), step_of(radial=7, azimuthal=16)
    after = np.exp(magnet.beta * (sphere.nodes @ cut.jumps[-1]))
    for k in reversed(range(cut.steps)):
        outcomes = step(sphere.nodes, cut.constants, k)
        later = sphere.basis.expand(sphere.project(after[:, None]), outcomes.direction)
        after = outcomes.mean(np.exp(-magnet.beta * outcomes.work - outcomes.pumped) * later)
        after *= np.exp(magnet.beta * (sphere.nodes @ cut.jumps[k]))
    mean = equilibrium(magnet, protocol, sphere) @ after
    return np.log(mean) + magnet.beta * free_energy_change(magnet, protocol)
