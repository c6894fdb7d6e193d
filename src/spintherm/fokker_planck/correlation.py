r"""Time correlation and finite-time variance of the pumped entropy in a steady state.

With :math:`f = 2\gamma_0 m\,n\cdot P` and :math:`q = (f - \bar f)\,p`,

.. math:: C(t) = (f, e^{tM^T} q), \qquad
   \mathrm{Var}\,S_P(\tau) = 2\int_0^\tau(\tau - s)\,C(s)\,ds
   = 2\tau^2 (f, \varphi_2(\tau M^T)\,q), \qquad \varphi_2(z) = (e^z - 1 - z)/z^2 .

In the gauge of `responses`, f and q stand for :math:`M_{S,u}a` and
:math:`(M_{S,u}^T - \bar f)\psi`. The generator is projected once on an extended Krylov space,
spanned by
:math:`A^{-1}q, A^{-2}q, \dots` (slow modes) and :math:`Aq, A^2q, \dots` (short times) with
:math:`A = M^T`, which the factors of the steady state make cheap. The space grows until the
correlation stands still at all times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Floats

if TYPE_CHECKING:
    from spintherm.fokker_planck.responses import Responses

STEADY_CHANGE = 1e-11
LARGEST_SPACE = 240


@dataclass(frozen=True)
class CorrelationModel:
    """A small linear system with the same correlation: C(t) = left · exp(t matrix) · right.

    Attributes
    ----------
    matrix : ndarray, shape (k, k)
    left, right : ndarray, shape (k,)
    """

    matrix: Floats
    left: Floats
    right: Floats

    def correlation(self, times: ArrayLike) -> Floats:
        """Return C at times (...), not negative."""
        from scipy.linalg import expm

        t = _not_negative("times", times)
        out = [self.left @ expm(self.matrix * x) @ self.right for x in t.ravel()]
        return np.array(out, dtype=float).reshape(t.shape)

    def doubling(self, first: float, count: int) -> Floats:
        """Return C at 0, first, 2 first, 4 first, ...: one exponential, squared again and again."""
        from scipy.linalg import expm

        out = [self.left @ self.right]
        step = expm(self.matrix * first)
        for _ in range(count):
            out.append(self.left @ step @ self.right)
            step = step @ step
        return np.array(out, dtype=float)

    def variance(self, durations: ArrayLike) -> Floats:
        """Return Var S_P over durations (...), not negative."""
        t = _not_negative("durations", durations)
        return np.array([self._variance(x) for x in t.ravel()], dtype=float).reshape(t.shape)

    def _variance(self, tau: float) -> float:
        from scipy.linalg import expm

        size = len(self.right)
        slowest = np.min(np.abs(np.linalg.eigvals(self.matrix).real), initial=np.inf)
        if tau * slowest > 1.0:
            first = -np.linalg.solve(self.matrix, self.right)
            second = -np.linalg.solve(self.matrix, first)
            rest = expm(self.matrix * tau) @ second - second
            return float(2.0 * self.left @ (tau * first + rest))
        # exp of [[A, q, 0], [0, 0, 1], [0, 0, 0]] has tau² phi_2(tau A) q in its last column
        augmented = np.zeros((size + 2, size + 2))
        augmented[:size, :size] = self.matrix
        augmented[:size, size] = self.right
        augmented[size, size + 1] = 1.0
        return float(2.0 * self.left @ expm(augmented * tau)[:size, -1])


def correlation_model(found: Responses) -> CorrelationModel:
    """Return the reduced model of the last counted functional, the pumped entropy.

    Raises
    ------
    ResolutionError
        If the space stops growing in accuracy before it converges.
    """
    rate, source = found.counted[-1], found.pushed[:, -1]
    if not np.any(rate):
        return CorrelationModel(-np.eye(1), np.zeros(1), np.zeros(1))
    space = _Space(source)
    slow = quick = space.vectors[0]
    first, count = _test_times(found)
    before = np.full(count + 1, np.inf)
    while len(space.vectors) < LARGEST_SPACE:
        for step in range(9):
            slow = space.add(found.solve(slow))
            quick = space.add(found.generator @ quick) if step % 3 == 0 else quick
        V = np.array(space.vectors)
        model = CorrelationModel(V @ (found.generator @ V.T), V @ rate, V @ source)
        now = model.doubling(first, count)
        if space.closed or np.max(np.abs(now - before)) <= STEADY_CHANGE * abs(now[0]):
            return model
        before = now
    raise ResolutionError(f"the correlation needs more than {LARGEST_SPACE} Krylov vectors")


def _test_times(found: Responses) -> tuple[float, int]:
    """First and number of doubled times: from the fastest drift to beyond the slowest diffusion."""
    size = abs(found.generator) @ np.ones(found.basis.size)
    slow = float(np.min(np.abs(found.generator.diagonal()[1:4])))
    if found.landscape is not None:
        slow = min(slow, _slowest(found))
    first = 1.0 / float(np.max(size))
    return first, int(np.ceil(np.log2(20.0 / slow / first))) + 1


def _slowest(found: Responses) -> float:
    """Rough size of the smallest decay rate, by inverse iteration: barriers make it tiny."""
    vector = found.pushed[:, -1]
    rate = np.inf
    for _ in range(12):
        image = found.solve(vector / np.linalg.norm(vector))
        rate, vector = 1.0 / float(np.linalg.norm(image)), image
    return rate


class _Space:
    """Orthonormal vectors, grown one at a time; closed once nothing new is left."""

    def __init__(self, first: Floats) -> None:
        self.vectors = [first / np.linalg.norm(first)]
        self.closed = False

    def add(self, vector: Floats) -> Floats:
        """Return the new direction that `vector` brings, or zero if it brings none."""
        length = np.linalg.norm(vector)
        V = np.array(self.vectors)
        for _ in range(2):
            vector = vector - V.T @ (V @ vector)
        rest = np.linalg.norm(vector)
        if rest <= 1e-14 * length:
            self.closed = True
            return np.zeros_like(vector)
        self.vectors.append(vector / rest)
        return self.vectors[-1]


def _not_negative(name: str, value: ArrayLike) -> Floats:
    from spintherm import validation

    out = validation.real_array(name, value)
    if np.any(out < 0.0):
        raise ValueError(validation.complaint(name, value, "times >= 0"))
    return out
