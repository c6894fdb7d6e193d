r"""The backward equation on a cap n·a > c₀ whose rim absorbs: first passages of any magnet.

With z along a, c = n·a and the azimuth φ the drift of the Stratonovich equation is
:math:`\dot c = v_z`, :math:`\dot\varphi = v_\varphi/s`, s = √(1 - c²), and the probability u of not
yet having been at the rim obeys

.. math:: \dot u = \eta T\Delta u + \dot c\,\partial_c u + \dot\varphi\,\partial_\varphi u,
   \qquad u(c_0, \varphi, t) = 0 .

It is written in functions :math:`s^{|m|}(c - c_0)\,q_{mj}(c)\,e^{im\varphi}`, all polynomials of n
up to a degree that vanish on the rim. The :math:`q_{mj}` are orthonormal with the weight
:math:`s^{2|m|}(c - c_0)^2` on the cap, by Stieltjes' recurrence over Gauss nodes, which is stable
where powers are not (Gautschi, Orthogonal Polynomials, Oxford 2004, ch. 2). Galerkin's condition
then gives an ordinary matrix, whose diffusive part is symmetric,

.. math:: A_{ij} = \int_{cap} [-\eta T\,\nabla\psi_i^*\cdot\nabla\psi_j
   + \psi_i^*\,(\dot c\,\partial_c + \dot\varphi\,\partial_\varphi)\psi_j]\,d\Omega ,

and nothing in it can grow: u stays between 0 and 1. The drift is that of `Magnet`, no operator of
`generator` is used.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.harmonics import Basis, Floats, Sparse
from spintherm.fokker_planck.setting import frames
from spintherm.magnet import Magnet

DUST = 1e-15
"""Azimuthal waves of the drift below this, relative to the largest, are rounding."""

DENSE = 400
"""Size up to which a generator is not reduced."""


@dataclass(frozen=True)
class Cap:
    """Generator on a cap with an absorbing rim, in constant fields.

    Attributes
    ----------
    magnet : Magnet
    field, spin_torque : ndarray, shape (3,)
        H and P.
    axis : ndarray, shape (3,)
        a, a unit vector from which the cap is seen.
    rim : float
        c₀; the cap is n·a > c₀.
    basis : Basis
        Largest degree of the polynomials, without the factor c - c₀, and largest order.
    nodes : int
        Gauss nodes in c; half as many as meridians.
    """

    magnet: Magnet
    field: Floats
    spin_torque: Floats
    axis: Floats
    rim: float
    basis: Basis
    nodes: int

    @cached_property
    def frame(self) -> Floats:
        """Rows are x, y and a, shape (3, 3)."""
        return np.asarray(frames(self.axis, self.axis))

    @cached_property
    def _rule(self) -> tuple[Floats, Floats, Floats]:
        """Cosines and weights of the parallels, and the meridians."""
        x, weights = np.polynomial.legendre.leggauss(self.nodes)
        half = 0.5 * (1.0 - self.rim)
        count = 2 * self.nodes
        phi = 2.0 * np.pi * np.arange(count) / count
        return self.rim + half * (1.0 + x), half * weights, phi

    @cached_property
    def directions(self) -> Floats:
        """Nodes in the user's frame, shape (J, K, 3)."""
        c, _, phi = self._rule
        s = np.sqrt((1.0 - c) * (1.0 + c))
        n = np.empty((len(c), len(phi), 3))
        n[..., 0], n[..., 1] = s[:, None] * np.cos(phi), s[:, None] * np.sin(phi)
        n[..., 2] = c[:, None]
        return np.asarray(n @ self.frame)

    @cached_property
    def _flow(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """Waves of dc/dt and of dφ/dt over the azimuth, shape (J, K), order q in place q."""
        magnet, n = self.magnet, self.directions
        velocity = magnet.drift(magnet.moment * n, self.field, self.spin_torque) / magnet.moment
        local = velocity @ self.frame.T
        c, _, phi = self._rule
        s = np.sqrt((1.0 - c) * (1.0 + c))[:, None]
        around = (np.cos(phi) * local[..., 1] - np.sin(phi) * local[..., 0]) / s
        return np.fft.fft(local[..., 2]) / len(phi), np.fft.fft(around) / len(phi)

    @cached_property
    def _functions(self) -> list[tuple[Floats, Floats]]:
        """Functions of c of every order m >= 0 and their derivatives, shape (J, degrees)."""
        c, weights, _ = self._rule
        return [
            _orthonormal(c, weights, self.rim, m, self.basis.l_max - m + 1)
            for m in range(self.basis.m_max + 1)
        ]

    @cached_property
    def _starts(self) -> list[int]:
        """Place of the first unknown of every order; real parts before imaginary ones."""
        widths = [f.shape[1] * (1 if m == 0 else 2) for m, (f, _) in enumerate(self._functions)]
        return [0, *np.cumsum(widths).tolist()]

    @cached_property
    def degrees(self) -> NDArray[np.intp]:
        """Degree of every unknown."""
        parts = []
        for m, (f, _) in enumerate(self._functions):
            parts += [m + np.arange(f.shape[1])] * (1 if m == 0 else 2)
        return np.concatenate(parts)

    @cached_property
    def orders(self) -> NDArray[np.intp]:
        """Order of every unknown."""
        widths = np.diff(self._starts)
        return np.repeat(np.arange(len(widths)), widths)

    @cached_property
    def matrix(self) -> Sparse:
        """A in real unknowns, as a CSC array."""
        from scipy.sparse import bmat

        c, weights, phi = self._rule
        along, around = self._flow
        limits = [DUST * float(np.abs(wave).max()) for wave in (along, around)]
        square = ((1.0 - c) * (1.0 + c))[:, None]
        diffusion = self.magnet.damping * self.magnet.temperature
        rows: list[list[Floats | None]] = []
        for m, (left, slope) in enumerate(self._functions):
            test = weights[:, None] * left
            row: list[Floats | None] = []
            for other, (right, right_slope) in enumerate(self._functions):
                blocks = []
                for sign in (1, -1):
                    q = (m - sign * other) % len(phi)
                    far = min(q, len(phi) - q) > 2 * self.basis.m_max
                    small = all(
                        float(np.abs(wave[:, q]).max()) <= limit
                        for wave, limit in zip((along, around), limits, strict=True)
                    )
                    if far or small or (sign < 0 and other == 0):
                        blocks.append(np.zeros((left.shape[1], right.shape[1]), dtype=complex))
                        continue
                    turned = 1j * sign * other * around[:, [q]] * right
                    blocks.append(test.T @ (along[:, [q]] * right_slope + turned))
                plus, minus = blocks
                if m == other:
                    stiff = slope.T @ (weights[:, None] * square * slope)
                    stiff = stiff + m * m * (left.T @ (test / square))
                    plus = plus - diffusion * stiff
                if not (np.any(plus) or np.any(minus)):
                    row.append(None)
                    continue
                row.append(_real_block(plus, minus, m == 0, other == 0))
            rows.append(row)
        return bmat(rows, format="csc")

    def one(self) -> Floats:
        """Coefficients of u = 1, shape (size,)."""
        _, weights, _ = self._rule
        out = np.zeros(self._starts[-1])
        out[: self._starts[1]] = self._functions[0][0].T @ weights
        return out

    def means(self, density: Floats) -> Floats:
        """Vector that averages u with a density at the nodes (J, K), normalised on the cap."""
        _, weights, phi = self._rule
        share = density * weights[:, None]
        share = share / share.sum()
        waves = np.fft.ifft(share, axis=1) * len(phi)  # sums with e^{+imφ}
        out = np.zeros(self._starts[-1])
        for m, (f, _) in enumerate(self._functions):
            found = f.T @ waves[:, m]
            start, size = self._starts[m], f.shape[1]
            out[start : start + size] = found.real * (1.0 if m == 0 else 2.0)
            if m:
                out[start + size : start + 2 * size] = -2.0 * found.imag
        return out


def _real_block(
    plus: NDArray[np.complex128], minus: NDArray[np.complex128], first: bool, from_first: bool
) -> Floats:
    """Turn u -> B₊ u + B₋ u* into a block in real and imaginary parts; order 0 is real."""
    upper = [plus.real + minus.real, minus.imag - plus.imag]
    lower = [plus.imag + minus.imag, plus.real - minus.real]
    rows = [upper] if first else [upper, lower]
    return np.block([row[:1] if from_first else row for row in rows])


def _orthonormal(
    c: Floats, weights: Floats, rim: float, order: int, count: int
) -> tuple[Floats, Floats]:
    """Orthonormal s^m (c - c₀) q_j(c) at the nodes and their derivatives in c."""
    square = (1.0 - c) * (1.0 + c)
    factor = np.exp(0.5 * order * np.log(square)) * (c - rim)
    slope = factor * (1.0 / (c - rim) - order * c / square)
    values, slopes = np.empty((2, len(c), count))
    size = float(np.sqrt(np.sum(weights * factor**2)))
    here, change = factor / size, slope / size
    before, change_before, beta = np.zeros_like(c), np.zeros_like(c), 0.0
    for j in range(count):
        values[:, j], slopes[:, j] = here, change
        alpha = float(np.sum(weights * c * here * here))
        after = (c - alpha) * here - beta * before
        change_after = here + (c - alpha) * change - beta * change_before
        # once more against all, for the recurrence forgets what is far behind
        overlaps = values[:, : j + 1].T @ (weights * after)
        after -= values[:, : j + 1] @ overlaps
        change_after -= slopes[:, : j + 1] @ overlaps
        beta = float(np.sqrt(np.sum(weights * after * after)))
        before, change_before = here, change
        here, change = after / beta, change_after / beta
    return values, slopes


def reduced_generator(
    matrix: Sparse, start: Floats, slowest: float, fastest: float, size: int
) -> tuple[Floats, Floats]:
    """Project a generator on what it makes of a vector in times between two limits.

    Rational Krylov space with poles at rates from those of the longest to those of the shortest
    time (Güttel, GAMM-Mitteilungen 36, 8 (2013)).

    Parameters
    ----------
    matrix : csc_array, shape (n, n)
    start : ndarray, shape (n,)
    slowest, fastest : float
        Rates, above zero.
    size : int
        Dimension of the space.

    Returns
    -------
    space : ndarray, shape (n, k)
        Orthonormal, start among its span.
    reduced : ndarray, shape (k, k)
    """
    from scipy.sparse import eye_array
    from scipy.sparse.linalg import splu

    n = matrix.shape[0]
    if n <= DENSE or n <= size:
        return np.eye(n), matrix.toarray()
    poles = np.geomspace(slowest, fastest, 3)
    factors = [splu((matrix - pole * eye_array(n)).tocsc()) for pole in poles]
    space = np.empty((n, size))
    space[:, 0] = start / np.linalg.norm(start)
    for k in range(1, size):
        v = factors[k % len(factors)].solve(space[:, k - 1])
        for _ in range(2):
            v -= space[:, :k] @ (space[:, :k].T @ v)
        space[:, k] = v / np.linalg.norm(v)
    return space, space.T @ (matrix @ space)
