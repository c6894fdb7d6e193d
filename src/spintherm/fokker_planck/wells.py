r"""The two wells n·a > 0 and n·a < 0 of a magnet in constant fields, for any axis a.

The third axis of the harmonics is a, or one across a that is given (the hard axis of a flat magnet,
about whose equator densities are thin): then a is the first axis. The mean u(n, t) of a function
over paths that start from n obeys the backward equation :math:`\dot u = M u` of `generator`; the
wells are the hemispheres about a, and what is asked of them are integrals

.. math:: \int_{\pm n\cdot a > 0} p\,S_{lm}\,d\Omega,

by product quadratures on one hemisphere. Densities are written as
:math:`p = e^\phi r` with :math:`\phi = U/\eta T`, U the potential of the drift's gradient part:
equilibrium is r = 1, and the steady state has

.. math:: e^{-\phi} M^T e^{\phi}\,r = 0 ,

an equation of the backward kind, whose solution varies little while torque and precession do not
work against each other. That is how the probability of a well that is hardly ever visited keeps its
digits. Elsewhere half of φ, or none, is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.fokker_planck.band import factorise
from spintherm.fokker_planck.generator import (
    GRADIENT,
    LAPLACIAN,
    LINEAR,
    adjoint,
    applied_to_one,
    backward,
    coefficients,
    conjugated,
    counting_derivatives,
    length_of,
)
from spintherm.fokker_planck.harmonics import Basis, Floats, Sparse, legendre
from spintherm.fokker_planck.landscape import Landscape, fields_of, landscape_of, reduced
from spintherm.fokker_planck.resolution import edge_tails
from spintherm.fokker_planck.setting import frames, sphere_points
from spintherm.fokker_planck.slots import ENERGY, Coefficients, gradient_weights
from spintherm.magnet import Magnet
from spintherm.waveforms.parameters import keep_vectors

DUST = 1e-16
"""Elements of a generator below this, relative to the largest, are rounding."""

SHARES, SMOOTH = (1.0, 0.5, 0.0), 1e-9
"""Parts of φ that are taken out of a steady density, and the tail below which one is enough."""

_CREDIBLE = 10.0

ASLANT = 1e-6
"""Sine of an angle to the axis below which the second axis of the frame does not matter."""


@dataclass(frozen=True)
class BitState:
    """A magnet in constant fields, seen from the axis of a bit.

    Parameters
    ----------
    magnet : Magnet
        Any, with damping and temperature above zero.
    axis : array_like, shape (3,)
        a, a unit vector; the parallel well is n·a > 0.
    field, spin_torque : array_like, shape (3,)
        H and P; kept as tuples of floats.
    pole : array_like, shape (3,), optional
        Unit vector across a to be the third axis of the harmonics.
    seen_from : tuple, shape (3, 3), optional
        Frame of another state of the same axis and pole, to be used for this one, too.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """

    magnet: Magnet
    axis: ArrayLike
    field: ArrayLike
    spin_torque: ArrayLike = (0.0, 0.0, 0.0)
    pole: ArrayLike | None = None
    seen_from: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        keep_vectors(self, "axis", "field", "spin_torque", *([] if self.pole is None else ["pole"]))
        if self.magnet.damping * self.magnet.temperature == 0.0:
            raise ValueError(
                validation.complaint(
                    "magnet", self.magnet, "damping and temperature above zero: nothing relaxes"
                )
            )

    @cached_property
    def frame(self) -> Floats:
        """Rows are the axes of the harmonics, the third one a or the pole; shape (3, 3)."""
        if self.seen_from is not None:
            return np.array(self.seen_from)
        a = np.array(self.axis)
        if self.pole is not None:
            z = np.array(self.pole)
            return np.stack([a, np.cross(z, a), z])
        others = [p.vector for p in self.magnet.polarisers]
        if self.magnet.anisotropy is not None and self.magnet.anisotropy.axis is not None:
            others.append(self.magnet.anisotropy.axis)
        others += [np.array(self.field), np.array(self.spin_torque)]
        lengths = [max(float(np.linalg.norm(v)), 1e-300) for v in others]
        across = [
            float(np.linalg.norm(np.cross(a, v))) / r for v, r in zip(others, lengths, strict=True)
        ]
        best = int(np.argmax(across))
        if across[best] <= ASLANT:
            return np.asarray(frames(a, a))
        x = others[best] / lengths[best]
        for _ in range(2):
            x = x - a * (a @ x)
            x = x / np.linalg.norm(x)
        return np.stack([x, np.cross(a, x), a])

    @cached_property
    def turned(self) -> tuple[Magnet, Floats, Floats]:
        """The reduced magnet, H and P in the frame."""
        H, P = fields_of(self.magnet, np.array(self.field), np.array(self.spin_torque))
        return reduced(self.magnet).rotated(self.frame), self.frame @ H, self.frame @ P

    @cached_property
    def coefs(self) -> Coefficients:
        """Coefficients of the backward generator."""
        magnet, H, P = self.turned
        return coefficients(magnet, H, P)

    @property
    def landscape(self) -> Landscape | None:
        """Anisotropy and angular dependence of the torque in the frame; None if uniform."""
        return landscape_of(self.turned[0])

    @property
    def diffusion(self) -> float:
        """D = ηT."""
        return self.magnet.damping * self.magnet.temperature

    @cached_property
    def potential(self) -> Floats:
        """Weights of φ = U/ηT, in n or in the span of `slots`."""
        if self.landscape is None:
            return np.asarray(self.coefs[GRADIENT] / self.coefs[LAPLACIAN])
        return np.asarray(gradient_weights(self.coefs) / self.coefs[LAPLACIAN])

    def exponent(self, n: Floats) -> Floats:
        """Return φ at unit vectors (..., 3) of the frame."""
        if self.landscape is None:
            return np.asarray(n @ self.potential)
        return self.landscape.function(self.potential, n)

    @cached_property
    def span(self) -> float:
        """Range of φ on the sphere."""
        return float(np.ptp(self.exponent(sphere_points())))

    @property
    def whole_field(self) -> Floats:
        """H + H_FL, with the field of the current, shape (3,)."""
        current = self.magnet.field_of_current(np.array(self.spin_torque))
        return np.asarray(np.array(self.field) + current)

    def energy_row(self, basis: Basis) -> Floats:
        """Row that turns means of harmonics into the mean energy, shape (size,)."""
        magnet, H, _ = self.turned
        function = np.zeros(length_of(magnet))
        function[LINEAR] = -magnet.moment * H
        if magnet.anisotropy is not None:
            function[ENERGY] = 1.0
        return np.asarray(applied_to_one(basis, function, self.landscape))

    def rate_rows(self, basis: Basis) -> tuple[Floats, Floats]:
        """Rows of the power of the torque and of the rate of pumped entropy, shape (size,) each."""
        magnet = self.turned[0]
        work, pumped, _ = counting_derivatives(*self.turned)
        rows = [np.asarray(applied_to_one(basis, f, self.landscape)) for f in (work, pumped)]
        return magnet.temperature * rows[0], rows[1]

    def resting_well(self, side: float) -> tuple[float, float, float]:
        """Return weight e^-βF, mean energy and entropy of equilibrium in one well, without torque.

        The weight is that of the hemisphere, exp φ integrated, as a logarithm.
        """
        half = Hemisphere.of(Basis(8, 8), side, self.span, self.pole is not None)
        phi = self.exponent(half.n)
        top = float(phi.max())
        share = half.weights * np.exp(phi - top)
        total = float(share.sum())
        mean = float(np.sum(share * phi)) / total
        weight = top + float(np.log(total))
        return weight, -self.magnet.temperature * mean, weight - mean

    def entropy(self, basis: Basis, q: Floats) -> float:
        """Return -∫ p ln p of the density whose means of the harmonics are q, shape (size,)."""
        total = 0.0
        for side in (1.0, -1.0):
            half = Hemisphere.of(basis, side, self.span, self.pole is not None)
            p = np.maximum(half.synthesis(q), np.finfo(float).tiny)
            total -= float(np.sum(half.weights * p * np.log(p)))
        return total

    def generator(self, basis: Basis) -> Sparse:
        """Backward generator as a CSR array, shape (size, size)."""
        matrix = backward(basis, self.coefs, self.landscape).tocsr()
        matrix.data[np.abs(matrix.data) <= DUST * np.max(np.abs(matrix.data))] = 0.0
        matrix.eliminate_zeros()
        return matrix

    def steady(self, basis: Basis) -> SteadyWells:
        """Return the steady state's means of all harmonics and the wells' probabilities.

        Of the shares of φ in `SHARES` the first is taken that leaves a function r without tail. An
        r that is largest where the density is small may hide it elsewhere behind its rounding:
        then its means must be those of the density itself, which has a tail but no such rounding.
        """
        if not np.any(self.spin_torque):
            return self.equilibrium(basis)
        tried: list[tuple[float, SteadyWells]] = []
        for share in SHARES:
            gauged = conjugated(adjoint(self.coefs), -share * self.potential)
            column = backward(basis, gauged, self.landscape)[:, [0]].toarray()[:, 0]
            r = -factorise(basis, gauged, self.landscape, pinned=True).solve(column)
            r[0] = 1.0
            found, rounding = self._wells(basis, r, share)
            tried.append((max(edge_tails(basis, r)), found))
            if tried[-1][0] < SMOOTH and rounding < SMOOTH:
                return found
        last, plain = tried[-1]
        credible = [
            (tail, found)
            for tail, found in tried
            if float(np.abs(found.means - plain.means).max()) <= _CREDIBLE * max(last, SMOOTH)
        ]
        smooth = (found for tail, found in credible if tail < SMOOTH)
        return next(smooth, min(credible, key=lambda one: one[0])[1])

    def equilibrium(self, basis: Basis) -> SteadyWells:
        """Return the same of e^φ/Z: the equilibrium, if there is no torque."""
        r = np.zeros(basis.size)
        r[0] = 1.0
        return self._wells(basis, r, 1.0)[0]

    def _wells(self, basis: Basis, r: Floats, share: float) -> tuple[SteadyWells, float]:
        """Wells of the density e^{sφ} r, and what rounding of r makes of its largest value."""
        parts, largest, values_of_r = [], 0.0, 0.0
        across = self.pole is not None
        halves = [Hemisphere.of(basis, side, self.span, across) for side in (1.0, -1.0)]
        exponents = [share * self.exponent(half.n) for half in halves]
        top = max(float(e.max()) for e in exponents)
        for half, exponent in zip(halves, exponents, strict=True):
            function = half.synthesis(r)
            values = np.exp(exponent - top) * function
            largest = max(largest, float(np.abs(values).max()))
            values_of_r = max(values_of_r, float(np.abs(function).max()))
            parts.append((half.analysis(values), float(np.sum(half.weights * values))))
        total = parts[0][1] + parts[1][1]
        (upper_means, upper), (lower_means, lower) = parts
        wells = SteadyWells(upper_means / total, lower_means / total, upper / total, lower / total)
        return wells, float(np.finfo(float).eps) * values_of_r / max(largest, 1e-300)


@dataclass(frozen=True)
class SteadyWells:
    """Means of the harmonics over either well, and the wells' probabilities.

    Attributes
    ----------
    upper_means, lower_means : ndarray, shape (size,)
        Integrals of p S_lm over n·a > 0 and n·a < 0.
    upper, lower : float
        Probabilities.
    """

    upper_means: Floats
    lower_means: Floats
    upper: float
    lower: float

    @property
    def means(self) -> Floats:
        """Means of the harmonics, shape (size,)."""
        return np.asarray(self.upper_means + self.lower_means)

    def of(self, side: float) -> tuple[Floats, float]:
        """Return integrals over one well and its probability."""
        if side > 0.0:
            return self.upper_means, self.upper
        return self.lower_means, self.lower


@dataclass(frozen=True)
class Hemisphere:
    """Quadrature on n·a > 0 or n·a < 0, and the harmonics at its nodes.

    Attributes
    ----------
    basis : Basis
    n : ndarray, shape (J, K, 3)
        Nodes: parallels, meridians.
    weights : ndarray, shape (J, K)
        Solid angle of a node.
    theta : ndarray, shape (J, size)
        Θ_l|m| on the parallels.
    waves : ndarray, shape (2 m_max + 1, K)
        Azimuthal factors of the orders -m_max to m_max.
    """

    basis: Basis
    n: Floats
    weights: Floats
    theta: Floats
    waves: Floats

    @classmethod
    def of(cls, basis: Basis, side: float, span: float, across: bool) -> Hemisphere:
        """Return the hemisphere whose nodes resolve the harmonics times exp φ of a range.

        a is the third axis, or with `across` the first one.
        """
        extra = 32 * (2 + int(np.sqrt(max(span, 0.0)) / 4.0))
        return _hemisphere(basis, side > 0.0, extra, across)

    def synthesis(self, coefs: Floats) -> Floats:
        """Return a function at the nodes, shape (J, K)."""
        m_max = self.basis.m_max
        orders = np.zeros((len(self.theta), 2 * m_max + 1))
        for m in range(-m_max, m_max + 1):
            places = self.basis.index(np.arange(abs(m), self.basis.l_max + 1), m)
            orders[:, m + m_max] = self.theta[:, places] @ coefs[places]
        return np.asarray(orders @ self.waves)

    def analysis(self, values: Floats) -> Floats:
        """Return the integrals of a function (J, K) with all harmonics, shape (size,)."""
        orders = (self.weights * values) @ self.waves.T
        out = np.empty(self.basis.size)
        for m in range(-self.basis.m_max, self.basis.m_max + 1):
            places = self.basis.index(np.arange(abs(m), self.basis.l_max + 1), m)
            out[places] = self.theta[:, places].T @ orders[:, m + self.basis.m_max]
        return out


@lru_cache(maxsize=4)
def _hemisphere(basis: Basis, upper: bool, extra: int, across: bool) -> Hemisphere:
    sign = 1.0 if upper else -1.0
    if across:
        c, share = np.polynomial.legendre.leggauss(basis.l_max + 2 * extra)
        x, turn = np.polynomial.legendre.leggauss(basis.m_max + extra)
        phi, turn = 0.5 * np.pi * (x + 1.0 - sign), 0.5 * np.pi * turn
    else:
        x, share = np.polynomial.legendre.leggauss(basis.l_max // 2 + extra)
        c, share = 0.5 * sign * (1.0 + x), 0.5 * share
        count = 2 * (basis.m_max + extra)
        phi, turn = (
            2.0 * np.pi * (np.arange(count) + 0.5) / count,
            np.full(count, 2 * np.pi / count),
        )
    s = np.sqrt((1.0 - c) * (1.0 + c))
    n = np.empty((len(c), len(phi), 3))
    n[..., 0], n[..., 1] = s[:, None] * np.cos(phi), s[:, None] * np.sin(phi)
    n[..., 2] = c[:, None]
    m = np.arange(-basis.m_max, basis.m_max + 1)[:, None]
    waves = np.sqrt(2.0) * np.where(m > 0, np.cos(m * phi), np.sin(-m * phi))
    waves[basis.m_max] = 1.0
    return Hemisphere(basis, n, np.outer(share, turn), legendre(basis, c, s), waves)


def step_function(basis: Basis, side: float, across: bool) -> Floats:
    r"""Harmonic coefficients of 1 on n·a > 0 (or n·a < 0) and 0 elsewhere, shape (size,).

    The integral of P_l from 0 to 1 is [P_(l-1)(0) - P_(l+1)(0)]/(2l + 1); the addition theorem
    :math:`P_l(n\cdot a) = 4\pi/(2l+1)\sum_m S_{lm}(a) S_{lm}(n)` does the rest. a is the third
    axis, or with `across` the first one.
    """
    ell = np.arange(basis.l_max + 1)
    at_zero = np.polynomial.legendre.legvander(np.zeros(1), basis.l_max + 1)[0]
    half = (np.concatenate(([0.0], at_zero[:-2])) - at_zero[1:]) / (2 * ell + 1)
    half[0] = 1.0
    if side < 0.0:
        half[1::2] *= -1.0
    a = np.array([1.0, 0.0, 0.0] if across else [0.0, 0.0, 1.0])
    return np.asarray(2.0 * np.pi * half[basis.degrees] * basis.evaluate(a))
