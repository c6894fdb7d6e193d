"""Densities of whole paths of `exact-ft`, written out: the detailed theorem path by path."""

from __future__ import annotations

import numba
import numpy as np
from scipy.linalg import expm

from one_step_operators import free_energy_change
from spintherm.kernels import constants as tables
from spintherm.kernels import reversible
from spintherm.kernels.elementary import cos_sin_turn, log
from spintherm.kernels.jit import fma
from spintherm.tabulate import tabulate
from spintherm.trajectories.engine import SCHEMES, table


@numba.njit(error_model="numpy")
def _walk(u, azimuth, tilt, constants, path, functionals):
    """Whole paths with given noise: path (steps + 1, n, 3), functionals (W, Q, S_P, shadow)."""
    for k in range(u.shape[0]):
        c = reversible.load_exact_ft(constants, k)
        floor, span, inverse = c[2]
        for i in range(u.shape[1]):
            x, y, z = path[k, i, 0], path[k, i, 1], path[k, i, 2]
            versine = -log(fma(span, u[k, i], floor)) * inverse
            cosine, sine = cos_sin_turn(azimuth[k, i])
            x, y, z, w, q, s, excess = reversible.exact_ft(
                x, y, z, versine, cosine, sine, tilt[k, i], c
            )
            path[k + 1, i, 0], path[k + 1, i, 1], path[k + 1, i, 2] = x, y, z
            functionals[0, i] += w
            functionals[1, i] += q
            functionals[2, i] += s
            functionals[3, i] += excess


class Densities:
    """The transition density of one step, written out: nothing of the kernels is used."""

    def __init__(self, magnet, H, P, h):
        m, gamma, eta = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping
        self.R = self._map(gamma * m * P, gamma * H, 0.5 * h)
        self.D = self._map(eta * m * H, -eta * m**2 * P, 0.5 * h)
        self.levy = eta * h * m**2 * P
        s = eta * magnet.temperature * h
        _, _, inverse = tables.von_mises_fisher_constants(np.array([[s]]))
        self.concentration = 1.0 / inverse.item()

    @staticmethod
    def _map(b, r, h):
        generator = np.zeros((4, 4))
        generator[0, 1:] = generator[1:, 0] = b
        generator[1:, 1:] = np.cross(r, np.eye(3)).T
        return expm(h * generator)

    @staticmethod
    def move(matrix, n):
        """Directions (k, 3) under a map, and the area that they gain, from the map's derivative."""
        lifted = np.column_stack((np.ones(len(n)), n)) @ matrix.T
        moved = lifted[:, 1:] / lifted[:, :1]
        one = np.cross(n, np.where(np.abs(n[:, :1]) < 0.6, [1.0, 0, 0], [0, 1.0, 0]))
        one /= np.linalg.norm(one, axis=1, keepdims=True)
        sides = []
        for tangent in (one, np.cross(n, one)):
            change = tangent @ matrix[:, 1:].T
            sides.append((change[:, 1:] - moved * change[:, :1]) / lifted[:, :1])
        return moved, np.sum(moved * np.cross(*sides), axis=1)

    def log_irreversible(self, before, after):
        """ln q(after|before) of drift, noise, drift, normalised."""
        centre, _ = self.move(self.D, before)
        place, area = self.move(np.linalg.inv(self.D), after)
        k = self.concentration
        norm = np.log(k / (2.0 * np.pi * -np.expm1(-2.0 * k)))
        return norm + k * (np.sum(centre * place, axis=1) - 1.0) + np.log(area)

    def log_step(self, start, end, sign):
        """ln of the density of (end, sign) given start."""
        before, _ = self.move(self.R, start)
        after, area = self.move(np.linalg.inv(self.R), end)
        a = 0.5 * (before + after) @ self.levy
        odds = np.log(0.5 * (1.0 + sign * a / np.sqrt(1.0 + a * a)))
        return self.log_irreversible(before, after) + np.log(area) + odds

    def sign(self, start, end, tilt):
        before, _ = self.move(self.R, start)
        after, _ = self.move(np.linalg.inv(self.R), end)
        a = 0.5 * (before + after) @ self.levy
        return np.where(tilt < a / np.sqrt(1.0 + a * a), 1.0, -1.0)


def log_path_density(magnet, protocol, tab, path, signs):
    """ln of the density of whole paths (steps + 1, n, 3) and signs (steps, n)."""
    nu = magnet.beta * magnet.moment * protocol.initial_field
    strength = np.linalg.norm(nu)
    total = path[0] @ nu + np.log(strength / (4.0 * np.pi * np.sinh(strength)))
    for k, h in enumerate(tab.durations):
        law = Densities(magnet, tab.field_middle[k], tab.spin_torque_middle[k], h)
        total = total + law.log_step(path[k], path[k + 1], signs[k])
    return total


def walked(magnet, protocol, tab, constants, jumps, count=200):
    """Random paths through the compiled step: path, tilts and (W, Q, S_P, shadow work)."""
    rng = np.random.default_rng(tab.steps)
    path = np.empty((tab.steps + 1, count, 3))
    path[0] = magnet.sample_equilibrium(protocol.initial_field, count, rng) / magnet.moment
    u, azimuth, tilt = rng.uniform(0, 1, (3, tab.steps, count))
    tilt = 2.0 * tilt - 1.0
    functionals = np.zeros((4, count))
    _walk(u, 2.0 * azimuth - 1.0, tilt, constants, path, functionals)
    functionals[0] -= np.einsum("kij,kj->i", path, jumps)
    return path, tilt, functionals


def detailed_mismatch(magnet, protocol, steps, column=0, factor=1.0):
    """Largest |Sigma - ln p_F(path)/p_B(reversed path)|, p_B from the backward protocol's table."""
    tab, back = tabulate(protocol, steps), tabulate(protocol.reversed(), steps)
    cut = table(magnet, tab, SCHEMES["exact-ft"])
    cut.constants[:, column] *= factor
    path, tilt, (W, Q, S, _) = walked(magnet, protocol, tab, cut.constants, cut.jumps)
    gain = path[0] @ protocol.initial_field - path[-1] @ protocol.final_field
    assert np.max(np.abs(W + Q - magnet.moment * gain)) < 1e-12 * steps
    laws = [
        Densities(magnet, tab.field_middle[k], tab.spin_torque_middle[k], h)
        for k, h in enumerate(tab.durations)
    ]
    signs = np.array([law.sign(path[k], path[k + 1], tilt[k]) for k, law in enumerate(laws)])
    assert 0.1 < np.mean(signs > 0.0) < 0.9
    forward = log_path_density(magnet, protocol, tab, path, signs)
    backward = log_path_density(magnet, protocol.reversed(), back, -path[::-1], signs[::-1])
    sigma = magnet.beta * (W - free_energy_change(magnet, protocol)) + S
    return np.max(np.abs(forward - backward - sigma))
