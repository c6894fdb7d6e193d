r"""The exponential gauge in which a tilted generator is well conditioned.

:math:`M_u = e^{u\cdot n} M(k)\,e^{-u\cdot n}` has the spectrum of M(k). Written as
:math:`M_u = \eta T\Delta + (d - 2\eta T u)\cdot\nabla + r\cdot(n\times\nabla) + V_u(n)`, its
potential is

.. math:: V_u(n) = V(n) + \eta T|u_\perp|^2
          - [d_\perp - 2\eta T\,n + r\times n]\cdot u .

For every u the leading eigenvalue is at most :math:`\max_n V_u(n)` (Collatz-Wielandt), with
equality if :math:`e^{-u\cdot n}` is the eigenfunction. The bound is a convex function of u; at its
minimum the eigenfunction of :math:`M_u` is as flat as an exponential can make it, and the drift of
:math:`M_u` is about that of the dynamics conditioned on the tilt, whose attracting fixed point is
the right axis for the harmonics. Without the gauge the eigenvectors of a strongly tilted generator
are exponentially far from each other, and rounding destroys the eigenvalue. With a landscape u is
any function of the span of `slots`, five weights, and in :math:`V_u` stand its gradient and
Laplacian; the drift of M is :math:`\nabla U + n\times\nabla V`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.generator import (
    GRADIENT,
    LAPLACIAN,
    LINEAR,
    ONE,
    QUADRATIC,
    ROTATION,
    Coefficients,
    multiplied_at,
)
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.landscape import Landscape
from spintherm.fokker_planck.slots import bracket_weights, gradient_weights

NEWTON_STEPS = 60
MARGIN = 0.02  # of the range of a function, by which it may exceed its largest value on the grid


@lru_cache(maxsize=1)
def _grid() -> tuple[Floats, Floats, Floats]:
    """Directions (N, 3), their squares and products (N, 6) and 1 - n n (N, 3, 3)."""
    c, _ = np.polynomial.legendre.leggauss(15)
    phi = 2.0 * np.pi * np.arange(24) / 24
    s = np.sqrt(1.0 - c**2)
    parts = [np.outer(s, np.cos(phi)), np.outer(s, np.sin(phi)), np.outer(c, np.ones(24))]
    n = np.stack(parts, axis=-1).reshape(-1, 3)
    n = np.concatenate([n, [[0.0, 0.0, 1.0], [0.0, 0.0, -1.0]]])
    x, y, z = n.T
    squares = np.stack([x * x, y * y, z * z, x * y, x * z, y * z], axis=-1)
    return n, squares, np.eye(3) - n[:, :, None] * n[:, None, :]


def flattest(coefs: Coefficients, landscape: Landscape | None = None) -> Floats:
    """Return the vector u that about minimises the largest growth rate max V_u, shape (3,).

    With a landscape the five weights of a function.

    Newton's method for a soft maximum over a grid of directions, at falling softness.
    """
    c = coefs.real
    if landscape is not None:
        return _newton(*_span_terms(c, landscape), c[LAPLACIAN])
    if not np.any(c[LINEAR]) and not np.any(c[QUADRATIC]):
        return np.zeros(3)
    n, squares, across = _grid()
    diffusion, d = c[LAPLACIAN], c[GRADIENT]
    constant = c[ONE] + n @ c[LINEAR] + squares @ c[QUADRATIC]
    tilt = 2.0 * diffusion * n - across @ d - np.cross(c[ROTATION], n)
    return _newton(constant, tilt, across, diffusion)


def _span_terms(c: Floats, landscape: Landscape) -> tuple[Floats, Floats, Floats]:
    """Return V (N,), the slopes of V_u at u = 0 (N, k) and ∇a·∇b (N, k, k) on the grid.

    For the functions of the span that are there: k is 4 or 5.
    """
    n = _fine_grid(24)
    there = (True, True, True, landscape.anisotropy is not None, bool(landscape.polarisers))
    slopes = [np.eye(3)[i] - n * n[:, [i]] for i in range(3)]
    slopes += [landscape.energy_gradient(n), landscape.torque_gradient(n)]
    changes = [*(-2.0 * n.T), landscape.energy_laplacian(n), landscape.torque_laplacian(n)]
    kept = np.flatnonzero(there)
    slope = np.stack(slopes, axis=1)[:, kept]
    turned = np.cross(n, landscape.slope(bracket_weights(c), n))
    drift = landscape.slope(gradient_weights(c), n) + turned
    tilt = -c[LAPLACIAN] * np.stack(changes, axis=1)[:, kept] - np.einsum(
        "ni,nki->nk", drift, slope
    )
    across = np.einsum("nki,nli->nkl", slope, slope)
    return multiplied_at(c, landscape, n), tilt, across


@lru_cache(maxsize=4)
def _fine_grid(latitudes: int) -> Floats:
    """Directions on a grid of latitudes and twice as many meridians, shape (N, 3)."""
    polar = np.pi * (np.arange(latitudes) + 0.5) / latitudes
    phi = np.pi * (np.arange(2 * latitudes) + 0.5) / latitudes
    s, c = np.sin(polar)[:, None], np.cos(polar)[:, None]
    parts = [s * np.cos(phi), s * np.sin(phi), c * np.ones_like(phi)]
    return np.stack(parts, axis=-1).reshape(-1, 3)


def _newton(constant: Floats, tilt: Floats, across: Floats, diffusion: float) -> Floats:
    """Minimise a soft maximum at falling softness, from zero."""
    softness = 0.5 * float(np.ptp(constant)) + diffusion
    u, steps = np.zeros(tilt.shape[1]), 0
    while steps < NEWTON_STEPS:
        u, used = _descend(u, softness, constant, tilt, across, diffusion)
        steps += used
        if softness <= diffusion:
            break
        softness = max(softness / 4.0, diffusion)
    return u


def _descend(
    u: Floats, softness: float, constant: Any, tilt: Any, across: Any, diffusion: float
) -> tuple[Floats, int]:
    def soft_maximum(at: Floats) -> tuple[float, Any, Any]:
        up = across @ at
        values = constant + diffusion * (up @ at) + tilt @ at
        weights = np.exp((values - np.max(values)) / softness)
        total = float(np.sum(weights))
        return float(np.max(values)) + softness * np.log(total), up, weights / total

    value, up, weights = soft_maximum(u)
    steps = 0
    while steps < 12:
        steps += 1
        slopes = 2.0 * diffusion * up + tilt
        mean = weights @ slopes
        bend = 2.0 * diffusion * np.einsum("j,jab->ab", weights, across)
        bend += (slopes.T * weights) @ slopes / softness - np.outer(mean, mean) / softness
        move = -np.linalg.solve(bend + 1e-12 * np.trace(bend) * np.eye(len(u)), mean)
        promise = -float(mean @ move)
        if promise <= 1e-3 * softness:
            break
        length, trial = 1.0, soft_maximum(u + move)
        while trial[0] > value - 0.1 * length * promise and length > 1e-9:
            length *= 0.5
            trial = soft_maximum(u + length * move)
        if length <= 1e-9:
            break
        u = u + length * move
        value, up, weights = trial
    return u, steps


def largest_growth(coefs: Coefficients, landscape: Landscape | None = None) -> float:
    """Return a strict upper bound of Re (M 1)(n) on the sphere, tight to 1e-6.

    With a landscape it is looser: the maximum on a grid plus what a function that is resolved by
    the grid may rise between its points.

    For n·Q n + l·n the dual bound mu + l·(mu - Q)^-1 l/4 holds for every mu above Q; its least
    value is the maximum itself.
    """
    from scipy.optimize import minimize_scalar

    if landscape is not None:
        values = multiplied_at(coefs, landscape, _fine_grid(96)).real
        return float(np.max(values) + MARGIN * np.ptp(values))
    xx, yy, zz, xy, xz, yz = coefs[QUADRATIC].real
    square = np.array([[xx, xy / 2, xz / 2], [xy / 2, yy, yz / 2], [xz / 2, yz / 2, zz]])
    levels, axes = np.linalg.eigh(square)
    push = (axes.T @ coefs[LINEAR].real) ** 2 / 4.0
    length = float(np.sqrt(np.sum(push)))

    def dual(gap: float) -> float:
        return float(gap + np.sum(push / (levels[-1] + gap - levels)))

    least = 0.0
    if length > 0.0:
        low, high = 1e-9 * length, length  # the stationary gap lies below |l|/2
        best = minimize_scalar(
            lambda s: dual(float(np.exp(s))), bounds=(np.log(low), np.log(high)), method="bounded",
            options={"xatol": 1e-4},
        )  # fmt: skip
        least = min(float(best.fun), dual(high))
    return float(coefs[ONE].real + levels[-1] + least)


def gauge_of(
    coefs: Coefficients, axial: bool, landscape: Landscape | None = None
) -> NDArray[np.float64]:
    """Return the gauge vector; along the axis where the problem is axial about z.

    With a landscape it has five weights, of a function of its span.
    """
    u = flattest(coefs, landscape)
    if landscape is not None:
        there = (True, True, True, landscape.anisotropy is not None, bool(landscape.polarisers))
        weights = np.zeros(5)
        weights[np.flatnonzero(there)] = u
        u = weights
    if axial:
        u[:2] = 0.0
    return u
