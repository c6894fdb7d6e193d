r"""Zero sets of a smooth function on the unit square, followed as curves.

Every sign change between neighbours of a grid of known values is a seed. From a seed the curve
g = 0 is followed by pseudo-arclength continuation: a step along the tangent, then Newton's method
along the gradient,

.. math:: u \leftarrow u - g\,\nabla g/|\nabla g|^2 ,

to rounding. Curves begin and end on the edges of the square, where the other coordinate is solved
for exactly, or they close. Seeds near a curve already followed are spent; when none is left every
branch that the grid has seen is known. A branch that passes between the nodes of the grid without a
sign change, such as an island smaller than a cell, is not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.harmonics import Floats

Function = Callable[[Floats], Floats]  # points (n, 2) -> values (n,)

DIFFERENCE = 1e-5
LARGEST_STEP = 0.02
SMALLEST_STEP = 1e-7
LARGEST_TURN, SMALL_TURN = 0.25, 0.08
NEWTON_STEPS = 12
POLISH = 8
NEAR = 1.5e-3
"""A seed this near a curve belongs to it."""
LONGEST = 20_000


@dataclass(frozen=True)
class Branch:
    """One connected piece of the zero set.

    Attributes
    ----------
    points : ndarray, shape (n, 2)
        In order along the curve; the first and the last are equal where it is closed.
    distance : ndarray, shape (n,)
        |g|/|grad g|, the distance to the zero set to first order.
    closed : bool
    complete : bool
        Whether it is closed or both ends lie on edges of the square.
    """

    points: Floats
    distance: Floats
    closed: bool
    complete: bool


@dataclass(frozen=True)
class _Point:
    place: Floats
    gradient: Floats
    distance: float

    def tangent(self, along: Floats) -> Floats:
        """Unit tangent, on the side of `along`."""
        across: Floats = np.array([-self.gradient[1], self.gradient[0]])
        across /= np.linalg.norm(across) * (1.0 if across @ along >= 0.0 else -1.0)
        return across


def zero_set(function: Function, values: Floats, *, accuracy: float = 1e-11) -> list[Branch]:
    """Follow all branches of g = 0 on the unit square.

    Parameters
    ----------
    function : callable
        g: points (n, 2) to values (n,).
    values : ndarray, shape (n, k)
        g on a regular grid that includes the edges.
    accuracy : float
        Newton's method stops when its steps are smaller, or do not shrink any more.

    Returns
    -------
    list of Branch
        Those that end on edges first.
    """
    seeds = _polished(function, *_seeds(values))
    outer = np.any((seeds <= 0.0) | (seeds >= 1.0), axis=1)
    branches: list[Branch] = []
    for edge, group in ((True, seeds[outer]), (False, seeds[~outer])):
        for seed in group:
            if not _known(seed, branches):
                branches += _followed(function, seed, edge, branches, accuracy)
    return branches


def _known(place: Floats, branches: list[Branch]) -> bool:
    return any(_distance(place, branch.points) < NEAR for branch in branches)


def _followed(
    function: Function, seed: Floats, edge: bool, known: list[Branch], accuracy: float
) -> list[Branch]:
    """Return the branch that a seed belongs to, unless it is known."""
    start = _start_on_edge(function, seed, accuracy) if edge else None
    inside = start is None
    if start is None:
        start = _newton(function, seed, accuracy)
    if start is None or np.linalg.norm(start.place - seed) > 10.0 * NEAR:
        return [Branch(seed[None], np.array([np.inf]), closed=False, complete=False)]
    if _known(start.place, known):
        return []
    follow = _from_inside if inside else _from_edge
    return [follow(function, start, accuracy)]


def _seeds(values: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return ends a, b (n, 2) of grid lines with a sign change, and g there."""
    positive = values >= 0.0
    shape = np.array(values.shape) - 1
    parts = []
    for step in (np.array([1, 0]), np.array([0, 1])):
        a = positive[: -1 if step[0] else None, : -1 if step[1] else None]
        b = positive[step[0] :, step[1] :]
        i = np.argwhere(a != b)
        parts.append((i, i + step))
    a, b = (np.concatenate(p) for p in zip(*parts, strict=True))
    return a / shape, b / shape, values[tuple(a.T)], values[tuple(b.T)]


def _polished(function: Function, a: Floats, b: Floats, ga: Floats, gb: Floats) -> Floats:
    """Improve brackets by regula falsi (Illinois) for all seeds at once."""
    low, high, fa, fb = np.zeros(len(a)), np.ones(len(a)), ga, gb
    x = fa / (fa - fb)
    active = np.ones(len(a), dtype=bool)
    for _ in range(POLISH):
        if not np.any(active):
            break
        g = np.zeros(len(a))
        g[active] = function((a + x[:, None] * (b - a))[active])
        left = (g >= 0.0) == (ga >= 0.0)
        low, fa = np.where(left, x, low), np.where(left, g, fa / 2.0)
        high, fb = np.where(left, high, x), np.where(left, fb / 2.0, g)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = low + (high - low) * fa / (fa - fb)
        new = np.where(active & np.isfinite(new), new, x)
        active &= np.linalg.norm((new - x)[:, None] * (b - a), axis=1) > 0.02 * NEAR
        x = new
    return a + x[:, None] * (b - a)


def _start_on_edge(function: Function, seed: Floats, accuracy: float) -> _Point | None:
    """Return the point of an edge at which a curve begins; None if it cannot be found there."""
    fixed = int(np.argmin(np.minimum(seed, 1.0 - seed)))
    start = _on_edge(function, seed, fixed, accuracy)
    return start if start is not None and np.linalg.norm(start.place - seed) < NEAR else None


def _from_edge(function: Function, start: _Point, accuracy: float) -> Branch:
    """Follow a curve that begins on an edge."""
    inward = np.where(start.place == 0.0, 1.0, np.where(start.place == 1.0, -1.0, 0.0))
    points, end = _walk(function, start, start.tangent(inward), accuracy)
    return _branch(points, end == "closed", end != "lost")


def _from_inside(function: Function, start: _Point, accuracy: float) -> Branch:
    """Follow a curve both ways from a point inside, or once around if it closes."""
    ahead = start.tangent(np.array([1.0, 0.5]))
    points, end = _walk(function, start, ahead, accuracy)
    if end == "closed":
        return _branch(points, closed=True, complete=True)
    back, other = _walk(function, start, -ahead, accuracy)
    return _branch([*back[:0:-1], *points], closed=False, complete="lost" not in (end, other))


def _branch(points: list[_Point], closed: bool, complete: bool) -> Branch:
    places = np.array([p.place for p in points])
    return Branch(places, np.array([p.distance for p in points]), closed, complete)


def _walk(
    function: Function, start: _Point, ahead: Floats, accuracy: float
) -> tuple[list[_Point], str]:
    """Follow the curve; the end is "edge", "closed" or "lost"."""
    points, tangent, step = [start], ahead, 0.25 * LARGEST_STEP
    while len(points) < LONGEST:
        here = points[-1]
        new, reached = _step(function, here, tangent, step, accuracy)
        if new is None or (turn := _turn(tangent, new)) > LARGEST_TURN:
            step *= 0.5
            if step < SMALLEST_STEP:
                return points, "lost"
            continue
        if len(points) > 2 and _passes(here, new, start, ahead):
            return [*points, start], "closed"
        points.append(new)
        if reached:
            return points, "edge"
        tangent = new.tangent(tangent)
        if turn < SMALL_TURN:
            step = min(1.6 * step, LARGEST_STEP)
    return points, "lost"


def _turn(tangent: Floats, new: _Point) -> float:
    return float(np.arccos(np.clip(tangent @ new.tangent(tangent), -1.0, 1.0)))


def _step(
    function: Function, here: _Point, tangent: Floats, step: float, accuracy: float
) -> tuple[_Point | None, bool]:
    """Take one step; None if it fails; whether an edge was reached."""
    edge = _edge_ahead(here.place, tangent)
    if edge is not None and edge[0] <= step:
        reach, axis = edge
        guess = here.place + reach * tangent
        guess[axis] = round(guess[axis])
        new = _on_edge(function, guess, axis, accuracy)
        if new is not None and np.linalg.norm(new.place - guess) <= 0.5 * reach + 1e-9:
            return new, True
        step = 0.5 * reach
    guess = here.place + step * tangent
    new = _newton(function, guess, accuracy)
    if new is None or np.linalg.norm(new.place - guess) > 0.3 * step:
        return None, False
    return (None if np.any((new.place < 0.0) | (new.place > 1.0)) else new), False


def _edge_ahead(place: Floats, tangent: Floats) -> tuple[float, int] | None:
    """Distance along the tangent to the edge of the square and the coordinate that ends there."""
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (np.where(tangent > 0.0, 1.0, 0.0) - place) / tangent
    reach = np.where(tangent == 0.0, np.inf, reach)
    axis = int(np.argmin(reach))
    return (max(float(reach[axis]), 0.0), axis) if np.isfinite(reach[axis]) else None


def _newton(function: Function, guess: Floats, accuracy: float) -> _Point | None:
    """Go to the curve along the gradient at the guess."""
    place = guess
    value, gradient = _with_gradient(function, place)
    direction = gradient / max(float(gradient @ gradient), 1e-300)
    return _iterate(function, place, value, direction, accuracy)


def _on_edge(function: Function, guess: Floats, fixed: int, accuracy: float) -> _Point | None:
    """Go to the curve along an edge, the coordinate `fixed` being kept."""
    guess = guess.copy()
    guess[fixed] = round(float(guess[fixed]))
    value, gradient = _with_gradient(function, guess)
    direction = np.zeros(2)
    if gradient[1 - fixed] == 0.0:
        return None
    direction[1 - fixed] = 1.0 / gradient[1 - fixed]
    found = _iterate(function, guess, value, direction, accuracy)
    if found is None or not -1e-12 <= found.place[1 - fixed] <= 1.0 + 1e-12:
        return None
    return _Point(np.clip(found.place, 0.0, 1.0), found.gradient, found.distance)


def _iterate(
    function: Function, place: Floats, value: float, direction: Floats, accuracy: float
) -> _Point | None:
    """Newton steps along one direction, whose slope is learnt from the values."""
    before = np.inf
    length = float(np.linalg.norm(direction))
    for _ in range(NEWTON_STEPS):
        size = abs(value) * length
        if size <= accuracy or (size < 1e-9 and size >= 0.5 * before):
            _, gradient = _with_gradient(function, place)
            slope = float(np.linalg.norm(gradient))
            return _Point(place, gradient, abs(value) / slope if slope else np.inf)
        if not size < 2.0 * before:
            return None
        move = -value * direction
        place, old, before = place + move, value, size
        value = float(function(place[None])[0])
        if value != old:
            factor = old / (old - value)  # secant: the true slope over the assumed one
            direction = direction * np.clip(factor, 0.2, 5.0)
            length = float(np.linalg.norm(direction))
    return None


def _with_gradient(function: Function, place: Floats) -> tuple[float, Floats]:
    """Value and gradient, from differences towards the middle of the square."""
    h = np.where(place < 0.5, DIFFERENCE, -DIFFERENCE)
    values = function(place + np.array([[0.0, 0.0], [h[0], 0.0], [0.0, h[1]]]))
    return float(values[0]), (values[1:] - values[0]) / h


def _passes(here: _Point, new: _Point, start: _Point, ahead: Floats) -> bool:
    """Whether the step passes the start in the direction in which the walk began."""
    along = new.place - here.place
    near = _distance(start.place, np.array([here.place, new.place])) < NEAR
    reach = (start.place - here.place) @ along
    return bool(near and along @ ahead > 0.0 and 0.0 <= reach <= along @ along)


def _distance(point: Floats, curve: NDArray[np.float64]) -> float:
    """Distance of a point from a polygon."""
    if len(curve) == 1:
        return float(np.linalg.norm(point - curve[0]))
    a, along = curve[:-1], np.diff(curve, axis=0)
    square = np.maximum(np.sum(along**2, axis=1), 1e-300)
    t = np.clip(np.sum((point - a) * along, axis=1) / square, 0.0, 1.0)
    return float(np.min(np.linalg.norm(a + t[:, None] * along - point, axis=1)))
