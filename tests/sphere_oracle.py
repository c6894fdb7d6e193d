"""Independent witnesses for tests: quadrature on the sphere, and the generator in harmonics.

Written out by hand from the sLLS equation; nothing of spintherm is used.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu


def sphere_nodes(polar=80, azimuthal=96):
    """Directions (k, 3) and weights (k,) of solid angle."""
    c, w = np.polynomial.legendre.leggauss(polar)
    phi = 2.0 * np.pi * np.arange(azimuthal) / azimuthal
    s = np.sqrt(1.0 - c**2)
    n = np.stack(
        [np.outer(s, np.cos(phi)), np.outer(s, np.sin(phi)), np.outer(c, np.ones_like(phi))], -1
    )
    weights = np.outer(w, np.full(azimuthal, 2.0 * np.pi / azimuthal))
    return n.reshape(-1, 3), weights.ravel()


def drift(m, magnet, H, P, *, ito=False):
    """dm/dt of [I] 2.6, written out."""
    eta, gamma = magnet.damping, magnet.gyromagnetic_ratio
    force = H + np.cross(m, P)
    v = -gamma * np.cross(m, force) - eta * np.cross(m, np.cross(m, force))
    return v - 2.0 * magnet.temperature * eta * m if ito else v


class Harmonics:
    """Complex harmonics Y_lm up to l = top: n, L = -i n×∇ and Δ as sparse matrices."""

    def __init__(self, top):
        self.l = np.concatenate([np.full(2 * k + 1, k) for k in range(top + 1)])
        self.m = np.concatenate([np.arange(-k, k + 1) for k in range(top + 1)])
        self.size = len(self.l)
        k, m = self.l, self.m
        root = lambda a, b: np.sqrt(np.maximum(a, 0) / np.maximum(b, 1))  # noqa: E731
        up = root((k + 1.0) ** 2 - m**2, (2.0 * k + 1) * (2 * k + 3))
        nz = self._shift(up, 1, 0)
        self.nz = nz + nz.T
        raise_up = -root((k + m + 1.0) * (k + m + 2), (2.0 * k + 1) * (2 * k + 3))
        raise_down = root((k - m) * (k - m - 1.0), (2.0 * k - 1) * (2 * k + 1))
        plus = self._shift(raise_up, 1, 1) + self._shift(raise_down, -1, 1)
        self.nx, self.ny = 0.5 * (plus + plus.T), -0.5j * (plus - plus.T)
        ladder = self._shift(np.sqrt(k * (k + 1.0) - m * (m + 1.0)), 0, 1)
        self.Lx, self.Ly = 0.5 * (ladder + ladder.T), -0.5j * (ladder - ladder.T)
        self.Lz = sparse.diags_array(m.astype(float)).tocsr()
        self.laplacian = sparse.diags_array(-k * (k + 1.0)).tocsr()
        self.n = (self.nx, self.ny, self.nz)
        self.L = (self.Lx, self.Ly, self.Lz)

    def _shift(self, values, dl, dm):
        """Matrix that takes Y_lm to values · Y_{l+dl, m+dm}."""
        k, m = self.l + dl, self.m + dm
        keep = (k >= 0) & (k <= self.l[-1]) & (np.abs(m) <= k) & (values != 0.0)
        rows = (k * (k + 1) + m)[keep]
        columns = np.arange(self.size)[keep]
        return sparse.csr_array((values[keep], (rows, columns)), shape=(self.size, self.size))

    def along(self, vector, operators):
        return sum(v * op for v, op in zip(vector, operators, strict=True))

    def backward_generator(self, magnet, H, P):
        """The backward generator: iγ₀H_p·L + ηm H_d·∇ + ηTΔ, with ∇ = ½[Δ, n] + n."""
        m, eta, gamma = magnet.moment, magnet.damping, magnet.gyromagnetic_ratio
        turn = gamma * np.asarray(H) - eta * m**2 * np.asarray(P)
        relax = m * (eta * np.asarray(H) + gamma * np.asarray(P))
        b = self.along(relax, self.n)
        gradient = 0.5 * (self.laplacian @ b - b @ self.laplacian) + b
        turning = 1j * self.along(turn, self.L)
        return (turning + gradient + eta * magnet.temperature * self.laplacian).tocsc()

    def tilted_generator(self, magnet, H, P, work, pumped):
        """Backward generator tilted with exp(work βW + pumped S_P)."""
        m, eta, gamma = magnet.moment, magnet.damping, magnet.gyromagnetic_ratio
        T, H, P = magnet.temperature, np.asarray(H), np.asarray(P)
        k, eye = work / T, sparse.eye_array(self.size)
        nP, nH = self.along(P, self.n), self.along(H, self.n)
        # v·(m×P) = -γ₀(m×H)·(m×P) - γ₀(m×(m×P))·(m×P) [= 0] + ηm²(H + m×P)·(m×P)
        cross = -gamma * m**2 * (H @ P * eye - nH @ nP)
        cross = cross + eta * m**3 * self.along(np.cross(P, H), self.n)
        square = P @ P * eye - nP @ nP
        cross = cross + eta * m**4 * square
        turning = -1j * m**2 * self.along(P, self.L)
        counting = k * (cross + 2.0 * eta * T * turning) + k**2 * eta * T * m**4 * square
        pumping = 2.0 * pumped * gamma * m * nP
        return (self.backward_generator(magnet, H, P) + counting + pumping).tocsc()

    def steady_noise(self, magnet, H, P):
        """Mean and long-time variance per time of dS_P/dt = 2γ₀m·P, by the Poisson equation."""
        M = self.backward_generator(magnet, H, P)
        inner = splu(M[1:, 1:].tocsc())
        p = np.zeros(self.size, dtype=complex)
        p[0] = 1.0 / np.sqrt(4.0 * np.pi)
        forward = splu(M[1:, 1:].conj().T.tocsc())
        p[1:] = forward.solve(-M.conj().T.tocsc()[1:, [0]].toarray()[:, 0] * p[0])
        F = 2.0 * magnet.gyromagnetic_ratio * magnet.moment * self.along(P, self.n)
        one = np.zeros(self.size, dtype=complex)
        one[0] = np.sqrt(4.0 * np.pi)
        mean = np.vdot(p, F @ one).real
        f = F @ one - mean * one
        g = np.zeros(self.size, dtype=complex)
        g[1:] = inner.solve(-f[1:])
        return mean, 2.0 * np.vdot(p, F @ g - mean * g).real
