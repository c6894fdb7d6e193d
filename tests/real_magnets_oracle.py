"""Exact moments of work and pumped entropy of magnets with anisotropy and polarisers.

The tilted generator in spherical harmonics, its functions of n by quadrature from `Magnet.drift`,
`Magnet.local_spin_torque` and `Magnet.pumped_entropy_rate`; integrated backwards in time by SciPy.
Neither engine is used.

With D = ηT, A = m² n×P(n) and Ẇ = -m n·dH/dt the generator for ⟨exp(kW + κS_P)⟩ is

    L = f·(∇ + kA) + D(∇ + kA)² + kẆ + κσ = L₀ + kL₁ + k²L₂ + κσ,
    L₁ = f·A + 2D A·∇ + Ẇ,    L₂ = D|A|²,

for A is free of divergence. f·∇ = Σ (n×f)_i (n×∇)_i, and H, P₀ enter linearly.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import sph_harm_y

from sphere_oracle import Harmonics, sphere_nodes
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol

H_STEP = 1e-6


class TiltedGenerator:
    """The generator of one magnet as matrices, for torques along its first polariser."""

    def __init__(self, magnet: Magnet, top: int) -> None:
        self.magnet = magnet
        self.nodes, self.weights = sphere_nodes(top + 12, 2 * top + 24)
        n, w = self.nodes, self.weights
        basis = Harmonics(top)
        theta, phi = np.arccos(np.clip(n[:, 2], -1, 1)), np.arctan2(n[:, 1], n[:, 0])
        self.values = np.array(
            [sph_harm_y(one, two, theta, phi) for one, two in zip(basis.l, basis.m, strict=True)]
        ).T
        turns = [1j * op.toarray() for op in basis.L]
        project = self.values.conj().T * w

        def times(function):
            return project @ (function[:, None] * self.values)

        def along(vector):  # vector·∇, from the values of n×vector
            return sum(
                times(v) @ turn for v, turn in zip(np.cross(n, vector).T, turns, strict=True)
            )

        self.D = magnet.damping * magnet.temperature
        p = magnet.polarisers[0].vector
        m, zero = magnet.moment * n, np.zeros(3)
        drifts = [magnet.drift(m, zero, zero)]
        drifts += [magnet.drift(m, e, zero) - drifts[0] for e in np.eye(3)]
        drifts += [magnet.drift(m, zero, p) - drifts[0]]
        f = [one / magnet.moment for one in drifts]
        A = magnet.moment**2 * np.cross(n, magnet.local_spin_torque(m, p))
        self.laplacian = basis.laplacian.toarray()
        self.flow = [along(one) for one in f]  # anisotropy, H_x, H_y, H_z, P₀
        self.cross = [times(np.sum(one * A, axis=1)) for one in f]
        self.arm = 2.0 * self.D * along(A)
        self.square = self.D * times(np.sum(A * A, axis=1))
        self.moments = [times(magnet.moment * n[:, i]) for i in range(3)]
        self.pumping = times(magnet.pumped_entropy_rate(m, p))
        self.unit = project @ np.ones(len(n))

    def at(self, H, P0, slope):
        """L₀, L₁, L₂ and σ at one time; slope = dH/dt, with H_FL in it."""
        weight = np.array([1.0, *H, P0])
        L0 = np.tensordot(weight, self.flow, 1) + self.D * self.laplacian
        L1 = P0 * np.tensordot(weight, self.cross, 1) + P0 * self.arm
        L1 = L1 - np.tensordot(slope, self.moments, 1)
        return L0, L1, P0**2 * self.square, P0 * self.pumping

    def moments_of(self, protocol: Protocol) -> np.ndarray:
        """⟨W⟩, ⟨S_P⟩, ⟨W²⟩, ⟨WS_P⟩, ⟨e^{-βW}⟩ from equilibrium, for a protocol without jumps."""
        magnet, size = self.magnet, self.unit.size
        beta, p = magnet.beta, magnet.polarisers[0].vector

        def rates(t, flat):
            s = protocol.duration - t
            near = [min(max(s + d, 0.0), protocol.duration) for d in (-H_STEP, H_STEP)]
            total = [
                protocol.field(x) + magnet.field_of_current(protocol.spin_torque(x)) for x in near
            ]
            slope = (total[1] - total[0]) / (near[1] - near[0])
            P0 = protocol.spin_torque(s) @ p
            L0, L1, L2, sigma = self.at(protocol.field(s), P0, slope)
            W, S, WW, WS, J = flat.reshape(5, size)
            return np.concatenate(
                (
                    L0 @ W + L1 @ self.unit,
                    L0 @ S + sigma @ self.unit,
                    L0 @ WW + 2.0 * (L1 @ W) + 2.0 * (L2 @ self.unit),
                    L0 @ WS + L1 @ S + sigma @ W,
                    L0 @ J - beta * (L1 @ J) + beta**2 * (L2 @ J),
                )
            )

        start = np.zeros((5, size), dtype=complex)
        start[4] = self.unit
        end = solve_ivp(
            rates, (0.0, protocol.duration), start.ravel(), method="DOP853", rtol=1e-8, atol=1e-9
        ).y[:, -1]
        functions = (self.values @ end.reshape(5, size).T).real
        first = protocol.initial_field + magnet.field_of_current(protocol.initial_spin_torque)
        return equilibrium_weights(magnet, first, self.nodes, self.weights) @ functions


def equilibrium_weights(magnet: Magnet, field, nodes, weights) -> np.ndarray:
    """Probabilities of nodes in equilibrium."""
    exponent = -magnet.beta * magnet.energy(magnet.moment * nodes, field)
    density = weights * np.exp(exponent - exponent.max())
    return density / density.sum()
