r"""The states of a driven magnet without noise: at rest along or against an axis, or precessing.

The flow is [I] 2.6 at T = 0, v(n) on the sphere. Its points of rest are found by Newton's method
from many starts, and the eigenvalues of the linearised flow say which of them are stable. Where
none is, the moment precesses for ever: a flow on the sphere without a stable point of rest has a
limit cycle (Poincaré and Bendixson). A limit cycle beside stable points is found by following
paths that leave the unstable ones; close to where it is born that takes longer than is waited, and
it may be missed (Bertotti, Mayergoyz and Serpico, Nonlinear Magnetization Dynamics in
Nanosystems, Elsevier 2009, ch. 7).

Units: those of the magnet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.torques import TorqueEfficiency
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

PARALLEL, ANTIPARALLEL, PRECESSING = 1, 2, 4
"""Bits of the states that are stable at a point; bistable is their sum, 3."""

STATE_NAMES = {
    1: "parallel",
    2: "antiparallel",
    3: "bistable",
    4: "precessing",
    5: "parallel or precessing",
    6: "antiparallel or precessing",
    7: "parallel, antiparallel or precessing",
}
"""Names of the sums of bits that occur."""

_TILT = 0.05
_STEP = 0.15
_NEWTON = 60
_DIFFERENCE = 1e-5
_AT_REST = 1e-9
_NEAR = 0.1
_SETTLED = 0.01
_CAUGHT = 0.02
_LOOKS = 12
_PATIENCE = (1.0, 5.0)


def state_diagram(
    magnet: Magnet,
    fields: ArrayLike,
    currents: ArrayLike,
    *,
    axis: ArrayLike = (0.0, 0.0, 1.0),
    field_direction: ArrayLike | None = None,
    torque_direction: ArrayLike | None = None,
    times_of_damping: float = 20.0,
) -> xr.Dataset:
    """Return which states are stable at zero temperature, against field and current.

    Parameters
    ----------
    magnet : Magnet
        Any, with damping above zero; its temperature does not enter.
    fields : array_like, shape (F,)
        Strengths H along `field_direction`, increasing.
    currents : array_like, shape (C,)
        Strengths P of the spin torque along `torque_direction`, increasing.
    axis : array_like, shape (3,)
        a, along which a state at rest is parallel.
    field_direction, torque_direction : array_like, shape (3,), optional
        Along `axis` and along the first polariser (or `axis`) by default.
    times_of_damping : float
        How long paths are followed in search of limit cycles beside stable points; 0 for not at
        all.

    Returns
    -------
    xarray.Dataset
        ``states`` (field, current), sums of the bits 1 (parallel), 2 (antiparallel) and
        4 (precessing).

    Raises
    ------
    TypeError, ValueError
        If an argument is refused or the damping is zero.
    """
    import xarray as xr

    if not isinstance(magnet, Magnet):
        raise TypeError(validation.complaint("magnet", magnet, "a Magnet"))
    if magnet.damping == 0.0:
        raise ValueError("damping=0.0: expected a number > 0, for without it nothing comes to rest")
    a = validation.unit_direction("axis", axis)
    h = (
        a
        if field_direction is None
        else validation.unit_direction("field_direction", field_direction)
    )
    default = magnet.polarisers[0].vector if magnet.polarisers else a
    p = (
        default
        if torque_direction is None
        else validation.unit_direction("torque_direction", torque_direction)
    )
    H = _increasing("fields", fields, "fields")
    P = _increasing("currents", currents, "spin torques")
    span = validation.finite_scalar("times_of_damping", times_of_damping, nonnegative=True)
    cold = replace(magnet, temperature=0.0)
    field = np.repeat(H[:, None] * h, P.size, axis=0)
    torque = np.tile(P[:, None] * p, (H.size, 1))
    flow = _Flow(cold, field, torque)
    states = np.zeros(len(field), dtype=np.int64)
    # of an axial magnet Newton's steps may circle about a pole for ever: begin there, too
    seeds = np.vstack((a, -a, _directions()))
    unstable = np.zeros(len(field), dtype=bool)
    nodes = []
    for seed in seeds:
        point, found = flow.rest(np.broadcast_to(seed, field.shape))
        stable = found & flow.is_stable(point)
        nodes.append(np.where(stable[:, None], point, np.nan))
        bit = np.where(point @ a >= 0.0, PARALLEL, ANTIPARALLEL)
        states |= np.where(stable, bit, 0)
        unstable |= found & ~stable
    states[states == 0] = PRECESSING
    if span > 0.0:
        also = np.flatnonzero(unstable & (states != PRECESSING))
        resting = np.stack(nodes)
        for start in _starts(a):
            places, path = also, np.broadcast_to(start, (also.size, 3))
            for patience in _PATIENCE:
                path, cycling = flow.at(places).seems_to_cycle(
                    path, a, patience * span, resting[:, places]
                )
                places, path = places[cycling], path[cycling]
            states[places] |= PRECESSING
    return xr.Dataset(
        {
            "states": (
                ("field", "current"),
                states.reshape(H.size, P.size).astype(np.int8),
                {
                    "long_name": "stable states at zero temperature",
                    "flag_masks": [PARALLEL, ANTIPARALLEL, PRECESSING],
                    "flag_meanings": "parallel antiparallel precessing",
                },
            )
        },
        coords={
            "field": ("field", H, {"long_name": "field H"}),
            "current": ("current", P, {"long_name": "spin torque P"}),
        },
        attrs={"times_of_damping": span},
    )


@dataclass(frozen=True)
class _Flow:
    """dn/dt at many pairs of field and torque, shape (N, 3) each."""

    magnet: Magnet
    field: FloatArray
    torque: FloatArray

    def at(self, places: NDArray[np.intp]) -> _Flow:
        return _Flow(self.magnet, self.field[places], self.torque[places])

    def __call__(self, n: FloatArray) -> FloatArray:
        """`Magnet.drift` over |m|, written out, for it is called hundreds of thousands of times."""
        magnet = self.magnet
        here = np.ascontiguousarray(n.T)
        field, torque = self._uniform
        if magnet.anisotropy is not None:
            field = field - self._slope(here) / magnet.moment  # its radial part does no harm
        if self._polarisers:
            torque = np.zeros_like(here)
            for share, p, efficiency in self._polarisers:
                torque += (share * efficiency(p @ here)) * p[:, None]
        turn = _cross(here, field + magnet.moment * _cross(here, torque))
        damped = magnet.damping * magnet.moment * _cross(here, turn)
        return np.asarray((-magnet.gyromagnetic_ratio * turn - damped).T)

    @cached_property
    def _uniform(self) -> tuple[FloatArray, FloatArray]:
        """H with the field of the current, and P, shape (3, N)."""
        field = self.field + self.magnet.field_of_current(self.torque)
        return np.ascontiguousarray(field.T), np.ascontiguousarray(self.torque.T)

    @cached_property
    def _polarisers(self) -> list[tuple[FloatArray, FloatArray, TorqueEfficiency]]:
        """Strengths (N,), directions and efficiencies."""
        if not self.magnet.polarisers:
            return []
        amplitude = self.magnet.torque_amplitude(self.torque)
        return [(p.strength * amplitude, p.vector, p.efficiency) for p in self.magnet.polarisers]

    def _slope(self, n: FloatArray) -> FloatArray:
        """∂E_a/∂n of the polynomial, not projected, shape (3, N)."""
        anisotropy = self.magnet.anisotropy
        out = np.zeros_like(n)
        if anisotropy is None:
            return out
        if anisotropy.degree == 2:
            return np.asarray(self._form @ n)
        powers = [np.ones_like(n)]
        for _ in range(anisotropy.degree):
            powers.append(powers[-1] * n)
        for exponents, value in anisotropy.terms:
            factors = [powers[k][axis] for axis, k in enumerate(exponents)]
            for axis, k in enumerate(exponents):
                if k:
                    rest = [f for other, f in enumerate(factors) if other != axis]
                    out[axis] += value * k * powers[k - 1][axis] * rest[0] * rest[1]
        return out

    @cached_property
    def _form(self) -> FloatArray:
        """Matrix 2A of an energy n·A n, shape (3, 3)."""
        out = np.zeros((3, 3))
        for exponents, value in self.magnet.anisotropy.terms if self.magnet.anisotropy else ():
            axes = [axis for axis, k in enumerate(exponents) for _ in range(k)]
            out[axes[0], axes[1]] += value
            out[axes[1], axes[0]] += value
        return out

    @cached_property
    def fastest(self) -> FloatArray:
        """Largest speed among some directions, shape (N,)."""
        speeds = [
            np.linalg.norm(self(np.broadcast_to(n, self.field.shape)), axis=-1)
            for n in _directions()
        ]
        return np.asarray(np.maximum(np.max(speeds, axis=0), np.finfo(float).tiny))

    def jacobian(self, n: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return a tangent frame (N, 2, 3) and the flow's derivative in it (N, 2, 2)."""
        frame = _tangents(n)
        columns = []
        for t in np.moveaxis(frame, 1, 0):
            ahead, behind = _normed(n + _DIFFERENCE * t), _normed(n - _DIFFERENCE * t)
            columns.append((self(ahead) - self(behind)) / (2.0 * _DIFFERENCE))
        return frame, np.einsum("nai,bni->nab", frame, np.array(columns))

    def rest(self, start: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return points of rest by damped Newton steps, and where they were found."""
        n = start.copy()
        for _ in range(_NEWTON):
            if np.all(np.linalg.norm(self(n), axis=-1) <= 0.1 * _AT_REST * self.fastest):
                break
            frame, jacobian = self.jacobian(n)
            residual = np.einsum("nai,ni->na", frame, self(n))
            scale = (1e-12 * self.fastest)[:, None, None] * np.eye(2)
            step = -np.linalg.solve(jacobian + scale, residual[..., None])[..., 0]
            length = np.linalg.norm(step, axis=-1, keepdims=True)
            step = step * np.minimum(1.0, 0.3 / np.maximum(length, 1e-300))
            n = _normed(n + np.einsum("na,nai->ni", step, frame))
        return n, np.linalg.norm(self(n), axis=-1) <= _AT_REST * self.fastest

    def is_stable(self, n: FloatArray) -> NDArray[np.bool_]:
        """Whether both eigenvalues of the linearised flow have negative real parts."""
        values = np.linalg.eigvals(self.jacobian(n)[1])
        return np.asarray(np.all(values.real < -1e-9 * self.fastest[:, None], axis=-1))

    def seems_to_cycle(
        self, start: FloatArray, axis: FloatArray, span: float, resting: FloatArray
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Where paths get to, and whether they move far from points of rest, on their way nowhere.

        They are followed for `span` times of damping; the mean of n·a over a tenth of that time
        must then stay as it is over the next tenth. Those that have come to a stable point of
        rest, `resting` (seeds, N, 3), are followed no further. Means are those over whole turns:
        a part of one left over would make a cycle look unsettled.
        """
        if start.shape[0] == 0:
            return start, np.zeros(0, dtype=bool)
        alpha = self.magnet.damping * self.magnet.moment / abs(self.magnet.gyromagnetic_ratio)
        steps = int(np.ceil(span * np.hypot(1.0, alpha) / alpha / _STEP))
        n, moving = start.copy(), np.arange(len(start))
        for part in np.diff(np.linspace(0, steps, _LOOKS + 1).astype(int)).tolist():
            n[moving] = self.at(moving).followed(n[moving], part)
            away = np.linalg.norm(resting[:, moving] - n[moving], axis=-1)
            moving = moving[~np.any(away < _CAUGHT, axis=0)]
            if moving.size == 0:
                return n, np.zeros(len(start), dtype=bool)
        cycling = np.zeros(len(start), dtype=bool)
        flow, late = self.at(moving), n[moving]
        first = _Turns(late, axis, flow.step)
        late = flow.followed(late, steps // 10 + 1, first)
        second = _Turns(late, axis, flow.step)
        late = flow.followed(late, steps // 10 + 1, second)
        point, found = flow.rest(late)
        at_rest = found & (np.linalg.norm(point - late, axis=-1) < _NEAR)
        n[moving] = late
        cycling[moving] = ~at_rest & (np.abs(second.mean - first.mean) < _SETTLED)
        return n, cycling

    @property
    def step(self) -> FloatArray:
        """Length of a step in time, shape (N,)."""
        return _STEP / self.fastest

    def followed(self, n: FloatArray, steps: int, turns: _Turns | None = None) -> FloatArray:
        """Directions after classical Runge-Kutta steps, which are told to `turns`."""
        h = self.step[:, None]
        slope = self(n)
        for _ in range(steps):
            two = self(_normed(n + 0.5 * h * slope))
            three = self(_normed(n + 0.5 * h * two))
            four = self(_normed(n + h * three))
            start, before = n, slope
            n = _normed(n + (h / 6.0) * (slope + 2.0 * two + 2.0 * three + four))
            slope = self(n)
            if turns is not None:
                turns.add(start, before, n, slope)
        return n


class _Turns:
    """Means of n·a over whole turns of paths, fed step by step.

    A turn ends where the path comes back through the plane across it at its start, on the near side
    of what it has gone around. Between two steps it is a cubic.

    Parameters
    ----------
    start : ndarray, shape (N, 3)
        Directions.
    axis : ndarray, shape (3,)
        a.
    step : ndarray, shape (N,)
        Lengths of the steps in time.
    """

    def __init__(self, start: FloatArray, axis: FloatArray, step: FloatArray) -> None:
        self.start, self.axis, self.step = start, axis, step
        self.across: FloatArray | None = None
        self.furthest = np.zeros(len(start))
        self.time, self.total = np.zeros(len(start)), np.zeros(len(start))
        self.turned, self.whole = np.zeros(len(start)), np.zeros(len(start))

    def add(self, n: FloatArray, slope: FloatArray, end: FloatArray, after: FloatArray) -> None:
        """Take a step from n to `end`, with the velocities there."""
        h = self.step
        if self.across is None:
            self.across = slope
        gap = np.einsum("ij,ij->i", n - self.start, self.across)
        next_gap = np.einsum("ij,ij->i", end - self.start, self.across)
        self.furthest = np.maximum(self.furthest, np.linalg.norm(end - self.start, axis=-1))
        c, c_end = n @ self.axis, end @ self.axis
        rate, rate_end = h * (slope @ self.axis), h * (after @ self.axis)
        near = np.linalg.norm(end - self.start, axis=-1) < 0.5 * self.furthest
        back = np.flatnonzero((gap < 0.0) & (next_gap >= 0.0) & near)
        if back.size:
            speed, speed_end = (
                h[back] * np.einsum("ij,ij->i", v[back], self.across[back]) for v in (slope, after)
            )
            x = _root_of_cubic(gap[back], next_gap[back], speed, speed_end)
            part = _integral_of_cubic(x, c[back], c_end[back], rate[back], rate_end[back])
            self.turned[back] = self.time[back] + h[back] * x
            self.whole[back] = self.total[back] + h[back] * part
        self.total = self.total + h * (0.5 * (c + c_end) + (rate - rate_end) / 12.0)
        self.time = self.time + h

    @property
    def mean(self) -> FloatArray:
        """Means over whole turns, shape (N,); where there is none, over all the way."""
        turned = self.turned > 0.0
        time = np.where(turned, self.turned, np.maximum(self.time, np.finfo(float).tiny))
        return np.asarray(np.where(turned, self.whole, self.total) / time)


def _root_of_cubic(
    low: FloatArray, high: FloatArray, slope: FloatArray, slope_end: FloatArray
) -> FloatArray:
    """Where in (0, 1] Hermite's cubic through low < 0 <= high is zero, by Newton's steps."""
    x = -low / (high - low)
    b, a = 3.0 * (high - low) - 2.0 * slope - slope_end, slope + slope_end - 2.0 * (high - low)
    for _ in range(4):
        value = low + x * (slope + x * (b + x * a))
        steepness = slope + x * (2.0 * b + 3.0 * x * a)
        x = np.clip(x - value / np.where(steepness > 0.0, steepness, high - low), 0.0, 1.0)
    return x


def _integral_of_cubic(
    x: FloatArray, low: FloatArray, high: FloatArray, slope: FloatArray, slope_end: FloatArray
) -> FloatArray:
    """Integral from 0 to x of Hermite's cubic between 0 and 1."""
    b, a = 3.0 * (high - low) - 2.0 * slope - slope_end, slope + slope_end - 2.0 * (high - low)
    return x * (low + x * (slope / 2.0 + x * (b / 3.0 + x * a / 4.0)))


def _increasing(name: str, value: ArrayLike, what: str) -> FloatArray:
    """Return strictly increasing numbers, shape (n,)."""
    expected = f"strictly increasing finite {what}, shape (n,) with n >= 1"
    found = validation.real_array(name, value, expected)
    if found.ndim != 1 or found.size == 0 or np.any(np.diff(found) <= 0.0):
        raise ValueError(validation.complaint(name, value, expected))
    return found


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    """Cross product of vectors (3, N)."""
    out = np.empty_like(a)
    out[0] = a[1] * b[2] - a[2] * b[1]
    out[1] = a[2] * b[0] - a[0] * b[2]
    out[2] = a[0] * b[1] - a[1] * b[0]
    return out


def _directions() -> FloatArray:
    """26 directions, to corners, edges and faces of a cube that is aligned with nothing."""
    grid = np.array([-1.0, 0.0, 1.0])
    cube = np.stack(np.meshgrid(grid, grid, grid, indexing="ij"), -1).reshape(-1, 3)
    turn = np.array([[2.0, -1.0, 2.0], [2.0, 2.0, -1.0], [-1.0, 2.0, 2.0]]) / 3.0
    return _normed(cube[np.any(cube != 0.0, axis=1)]) @ turn.T


def _normed(n: FloatArray) -> FloatArray:
    return np.asarray(n / np.linalg.norm(n, axis=-1, keepdims=True))


def _tangents(n: FloatArray) -> FloatArray:
    """Two unit vectors across each direction, shape (N, 2, 3)."""
    helper = np.eye(3)[np.argmin(np.abs(n), axis=-1)]
    first = _normed(np.cross(helper, n))
    return np.stack((first, np.cross(n, first)), axis=1)


def _starts(a: FloatArray) -> FloatArray:
    """Directions near a, near -a and across, none on a symmetry line."""
    x = _tangents(a[None])[0]
    across = 0.8 * x[0] + 0.6 * x[1]
    return _normed(np.array([a + _TILT * across, -a + _TILT * across, across + 0.3 * _TILT * a]))
