r"""Doob's function h of a tilt and the weighted density p, from the density engine, in a gauge.

.. math:: \partial_t p = M(k, t)^T p, \quad p(0) = p_0, \qquad
          -\partial_t h = M(k, t)\,h, \quad h(\tau) = 1, \qquad
          G(k) = \int p\,h\,d\Omega \text{ at any time} .

Harmonics resolve a function to some share of its largest value. Where driving is strong, the
tilted paths are where neither p nor h is large but their product is. So with a vector u(t), linear
in time,

.. math:: \tilde p = e^{-u\cdot n}p, \quad \tilde h = e^{u\cdot n}h, \qquad
          \tilde M = e^{u\cdot n}M\,e^{-u\cdot n} - \dot u\cdot n

obey equations of the same form. The product stays, and u is chosen, in a few rounds, to make
both as similar as possible: then each is like the root of the product, and large where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.equilibrium import integrals
from spintherm.fokker_planck.exponents import Exponents
from spintherm.fokker_planck.generator import LINEAR, Coefficients, adjoint, conjugated
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.initial import (
    anisotropic_equilibrium,
    equilibrium,
    sphere,
    trimmed,
)
from spintherm.fokker_planck.landscape import Landscape
from spintherm.fokker_planck.process import Process
from spintherm.fokker_planck.propagator import Columns, Limits, propagate
from spintherm.fokker_planck.schedule import Drive, Kick, Piece
from spintherm.magnet import log_sinhc

FloatArray = NDArray[np.float64]

TOLERANCE = 1e-9  # of p and h, relative to their norm
RESOLVED = 1e-7  # of its largest value, below which a function is not trusted
LATITUDES = 30
ROUNDS = 4  # to find the gauge
SETTLED = 4.0  # change of u that costs too few digits to matter; no gauge is cheapest
EDGE = 1e-3  # share of the duration that the gauge's two times lie inside


@dataclass(frozen=True)
class Gauge:
    """u(t) from `first` at time 0 to `last` at time `duration`, in the schedule's frame."""

    first: FloatArray
    last: FloatArray
    duration: float

    @property
    def slope(self) -> FloatArray:
        """du/dt, shape (3,)."""
        return (self.last - self.first) / self.duration

    def at(self, time: Any) -> FloatArray:
        """u at times (n,), shape (n, 3)."""
        return self.first + np.asarray(time)[:, None] * self.slope


@dataclass(frozen=True)
class Gauged:
    """A drive in a gauge, forwards for densities or backwards in time for functions."""

    drive: Drive
    gauge: Gauge
    forwards: bool

    @property
    def start(self) -> float:
        """Beginning, as `propagate` reads it."""
        return self.drive.start

    @property
    def stop(self) -> float:
        """End."""
        return self.drive.stop

    @property
    def landscape(self) -> Landscape | None:
        """What the coefficients refer to; None for uniform fields."""
        return self.drive.landscape

    def terms(self, exponents: Exponents, time: Any) -> Coefficients:
        """Generators of all terms: the adjoint of the gauged one, or itself at mirrored times."""
        t = np.asarray(time)
        t = t if self.forwards else self.start + self.stop - t
        backward = adjoint(self.drive.terms(exponents, t))
        tilted = conjugated(backward, self.gauge.at(t)[:, None, :])
        tilted[:, 0, LINEAR] -= self.gauge.slope
        return adjoint(tilted) if self.forwards else tilted


@dataclass(frozen=True)
class Doob:
    """p and h of one tilt at some times, and h before everything, in their gauge.

    Attributes
    ----------
    process : Process
    gauge : Gauge
    times : ndarray, shape (n,)
    densities, functions : list of Columns
        p and h in the gauge, up to a factor at each time.
    start : Columns
        h in the gauge before everything, up to a factor.
    log_generating_function : float
        ln G.
    """

    process: Process
    gauge: Gauge
    times: FloatArray
    densities: list[Columns]
    functions: list[Columns]
    start: Columns
    log_generating_function: float

    def products(self, nodes: FloatArray) -> FloatArray:
        """p h at nodes in the schedule's frame, up to a factor: shape (times, nodes)."""
        p, h = values(self.densities, nodes), values(self.functions, nodes)
        product = np.maximum(p, 0.0) * np.maximum(h, 0.0)
        return np.asarray(product / np.max(h, axis=1, keepdims=True))

    def log_functions(self, nodes: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """ln h at nodes up to a constant, and whether it is resolved: shape (times, nodes)."""
        found = logarithm(values(self.functions, nodes))
        plain = found - self.gauge.at(self.times) @ nodes.T
        return np.asarray(plain), np.asarray(found > np.log(RESOLVED))

    def log_start(self, nodes: FloatArray) -> FloatArray:
        """ln p_0 h before everything at nodes, up to a constant: shape (nodes,)."""
        magnet, plan = self.process.magnet, self.process.schedule
        found = logarithm(self.start.basis.expand(self.start.values[:, 0], nodes))
        pull = magnet.beta * magnet.moment * plan.initial_field - self.gauge.first
        exponent = found + nodes @ pull - np.linalg.norm(pull)
        if plan.magnet.anisotropy is not None:
            exponent = exponent - magnet.beta * plan.magnet.anisotropy(nodes)
        return np.asarray(exponent)


def doob(here: Process, exponents: Exponents, times: FloatArray) -> Doob:
    """Solve for p and h of one pair of exponents, in a gauge that suits them."""
    span = here.protocol.duration
    gauge = Gauge(np.zeros(3), np.zeros(3), span)
    ends = np.array([EDGE, 1.0 - EDGE]) * span
    for _ in range(ROUNDS):
        better = _improved(_solved(here, exponents, ends, gauge))
        moved = np.array([better.first - gauge.first, better.last - gauge.last])
        if np.max(np.linalg.norm(moved, axis=1)) < SETTLED:
            break
        gauge = better
    return _solved(here, exponents, times, gauge)


def _improved(found: Doob) -> Gauge:
    """Gauge under which the linear parts of ln p and ln h agree where the tilted paths are."""
    nodes, area = sphere(LATITUDES, 2 * LATITUDES)
    share = found.products(nodes) * area
    gap = logarithm(values(found.densities, nodes)) - logarithm(values(found.functions, nodes))
    design = np.column_stack([np.ones(len(nodes)), nodes])
    linear = []
    for weight, y in zip(share / share.sum(axis=1, keepdims=True), 0.5 * gap, strict=True):
        normal = design.T @ (weight[:, None] * design) + 1e-9 * np.eye(4)
        linear.append(np.linalg.solve(normal, design.T @ (weight * y))[1:])
    first, last = np.array(linear) + found.gauge.at(found.times)
    if found.process.schedule.axial:
        first, last = first * (0.0, 0.0, 1.0), last * (0.0, 0.0, 1.0)
    return Gauge(first, last, found.gauge.duration)


def _solved(here: Process, exponents: Exponents, times: FloatArray, gauge: Gauge) -> Doob:
    magnet = here.magnet
    pull = magnet.beta * magnet.moment * here.schedule.initial_field
    parts = list(here.schedule.cut(times))
    columns, log_p = _start(here, exponents, pull - gauge.first)
    end, log_h = _exponential(here, exponents, gauge.last)
    columns, densities, grown = _followed(here, exponents, parts, columns, gauge, True)
    start, functions, _ = _followed(here, exponents, parts[::-1], end, gauge, False)
    largest = columns.basis.joined(end.basis)
    overlap = np.prod([c.basis.embed(c.values[:, 0], largest) for c in (columns, end)], axis=0)
    log_norm = log_p + log_h + grown - _log_partition(here, pull)
    log_g = float(np.log(overlap.sum()) + log_norm)
    return Doob(here, gauge, times, densities, functions[::-1], start, log_g)


def _log_partition(here: Process, pull: FloatArray) -> float:
    """Logarithm of the integral of e^(pull·n - beta E_a)."""
    magnet = here.schedule.magnet
    if magnet.anisotropy is None:
        return float(log_sinhc(np.linalg.norm(pull)) + np.log(4.0 * np.pi))
    return integrals(magnet.log_density(pull / (magnet.beta * magnet.moment))).log_partition


def _start(here: Process, exponents: Exponents, pull: FloatArray) -> tuple[Columns, float]:
    """e^(pull·n - beta E_a) over its integral as columns, and the logarithm of the integral."""
    magnet = here.schedule.magnet
    if magnet.anisotropy is None:
        return _exponential(here, exponents, pull)
    field = pull / (magnet.beta * magnet.moment)
    made = anisotropic_equilibrium(magnet, field, axial=here.schedule.axial)
    basis, density = trimmed(*made, 1e-12)
    return Columns(basis, exponents.start(density)), _log_partition(here, pull)


def _exponential(here: Process, exponents: Exponents, u: FloatArray) -> tuple[Columns, float]:
    """e^(u·n) over its integral as columns, and the logarithm of the integral."""
    field = u / (here.magnet.beta * here.magnet.moment)
    made = equilibrium(here.magnet, field, axial=here.schedule.axial)
    basis, density = trimmed(*made, 1e-12)
    integral = np.log(4.0 * np.pi) + float(log_sinhc(np.linalg.norm(u)))
    return Columns(basis, exponents.start(density)), integral


def _followed(
    here: Process,
    exponents: Exponents,
    parts: Sequence[Piece | float],
    columns: Columns,
    gauge: Gauge,
    forwards: bool,
) -> tuple[Columns, list[Columns], float]:
    """Drive columns through pieces; return the last, those at the times, and ln of a factor."""
    limits, span = Limits(TOLERANCE, TOLERANCE), here.protocol.duration
    found, log_scale = [], 0.0
    for part in parts:
        if isinstance(part, float):
            found.append(columns)
            continue
        piece: Any = replace(part, last=False) if isinstance(part, Kick) else None
        piece = piece or Gauged(part, gauge, forwards)  # type: ignore[arg-type]
        columns = propagate(columns, [piece], exponents, limits, span)
        size = float(np.linalg.norm(columns.values))
        columns, log_scale = Columns(columns.basis, columns.values / size), log_scale + np.log(size)
    return columns, found, float(log_scale)


def values(columns: Sequence[Columns], nodes: FloatArray) -> FloatArray:
    """First columns at nodes in the schedule's frame, shape (len(columns), nodes)."""
    largest = reduce(Basis.joined, (c.basis for c in columns))
    stacked = np.stack([c.basis.embed(c.values[:, 0], largest) for c in columns])
    return np.asarray(stacked @ largest.evaluate(nodes).T)


def logarithm(found: FloatArray) -> FloatArray:
    """Logarithms relative to the largest value, bounded below where values are not resolved."""
    largest = np.max(found, axis=-1, keepdims=True)
    return np.asarray(np.log(np.maximum(found / largest, RESOLVED)))
