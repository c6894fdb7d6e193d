r"""Switching times: the distribution of the first passage over the equator, and dwell times.

For magnets with a common axis the probability that c = n·a has not yet reached a target is
S(t) = ∫ p₀ u dc with u' = 𝓛u, u = 1 at first and u = 0 at the target for ever (`cosine` has the
generator). It is solved by collocation in Chebyshev points between the target and the pole. Without
a common axis the target is the rim of a cap about a, where u = 0 at every azimuth
(`spintherm.fokker_planck.cap`): the same definition, whatever the barrier.

Dwell times of a bit with two wells follow from the slowest relaxation rate λ and the stationary
probabilities π of the wells: a population leaves the well i at the rate λ(1 - π_i), which is right
up to the ratio of λ to the next rate (Kramers, Physica 7, 284 (1940); Brown, Phys. Rev. 130, 1677
(1963)).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck.cap import Cap, reduced_generator
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.wells import BitState
from spintherm.magnet import Magnet
from spintherm.switching import bit
from spintherm.switching.cosine import log_density_slope, propagators
from spintherm.switching.escape import CrowdedModesError, two_wells
from spintherm.switching.sphere import Slowest, first_basis, outermost, pole_of, settled, slowest
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

_LARGEST_SIZE = 800
_FIRST_SIZE = 40
_FIRST_DEGREE, _FIRST_ORDER, _LARGEST_CAP = 16, 4, 12_000
_MODE_TOLERANCE, _LARGEST_MODE, _DEEP = 1e-6, 20_000, 1e-9
_EDGE, _ROUNDING, _CLOSE, _LARGEST_CROWD = 1e-6, 1e-4, 0.1, 3
_FIRST_KRYLOV = 60


def switching_time_distribution(
    magnet: Magnet,
    times: ArrayLike,
    *,
    spin_torque: ArrayLike = (0.0, 0.0, 0.0),
    field: ArrayLike = (0.0, 0.0, 0.0),
    resting_field: ArrayLike = (0.0, 0.0, 0.0),
    initial: str = "parallel",
    axis: ArrayLike | None = None,
    target: float = 0.0,
    tolerance: float = 1e-6,
) -> xr.Dataset:
    """Return when a bit first reaches a target, from equilibrium in its well.

    Parameters
    ----------
    magnet : Magnet
        Any, with damping and temperature above zero.
    times : array_like, shape (n,)
        Increasing, from zero on.
    spin_torque, field : array_like, shape (3,)
        P and H, switched on at time zero.
    resting_field : array_like, shape (3,)
        H before that.
    initial : str
        "parallel" for the well with n·a > target, "antiparallel" for that with n·a < target.
    axis : array_like, shape (3,), optional
        a, see `write_error_rate`.
    target : float
        n·a to be reached, strictly between -1 and 1.
    tolerance : float
        Largest error of the survival probability.

    Returns
    -------
    xarray.Dataset
        ``survival`` (time), the probability of not yet having been at the target, and ``density``
        (time), minus its slope; attributes ``mean`` and ``tolerance``.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If 800 points, or 12 000 polynomials on the cap, do not suffice.
    """
    import xarray as xr

    t = validation.increasing_times("times", times)
    if t[0] < 0.0:
        raise ValueError(validation.complaint("times", t, "times from zero on"))
    sense = bit.sign_of_well("initial", initial)
    goal = validation.finite_scalar("target", target)
    if not -1.0 < goal < 1.0:
        raise ValueError(validation.complaint("target", target, "a cosine between -1 and 1"))
    limit = validation.finite_scalar("tolerance", tolerance, positive=True)
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    before = validation.vector("resting_field", resting_field)
    a = bit.axis_of(magnet, axis, H, P)
    whole = bit.along(magnet, a)
    if bit.has_common_axis(whole, a, H, P, before):
        state, rest = AxialMagnet(whole, H, P), AxialMagnet(whole, before)
        survival, density, mean = _along_axis(state, rest, t, (sense, goal), a, limit)
    else:
        state_on_sphere = BitState(magnet, a, H, P)
        survival, density, mean = _on_cap(state_on_sphere, before, t, (sense, goal), limit)
    return xr.Dataset(
        {
            "survival": ("time", survival, {"long_name": "probability of not having switched"}),
            "density": ("time", density, {"long_name": "density of the switching time"}),
        },
        coords={"time": ("time", t, {"long_name": "time"})},
        attrs={"initial": initial, "mean": mean, "target": goal, "tolerance": limit},
    )


def dwell_times(
    magnet: Magnet,
    *,
    spin_torque: ArrayLike = (0.0, 0.0, 0.0),
    field: ArrayLike = (0.0, 0.0, 0.0),
    axis: ArrayLike | None = None,
) -> xr.Dataset:
    """Return how long a stochastic bit dwells in each of its wells, n·a > 0 and n·a < 0.

    Parameters
    ----------
    magnet : Magnet
        Any, with damping and temperature above zero.
    spin_torque : array_like, shape (3,) or (C, 3)
        P; more than one gives a dimension ``current``.
    field : array_like, shape (3,)
        H.
    axis : array_like, shape (3,), optional
        a, see `write_error_rate`.

    Returns
    -------
    xarray.Dataset
        ``dwell_time_parallel``, ``dwell_time_antiparallel``, ``probability_parallel`` and
        ``relaxation_rate``, exact; the dwell times are what their names say where wells exist.
        Without a common axis the rate is that of the slowest mode in which n·a takes part, to
        1e-6.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        Without a common axis: if the slowest mode turns instead of decaying, or several are slow,
        for there are no two wells; or if 20 000 harmonics do not suffice or rounding leaves
        nothing, for barriers of more than about 55 temperatures, 40 for flat magnets.
    """
    import xarray as xr

    torques = bit.spin_torques(spin_torque)
    H = validation.vector("field", field)
    a = bit.axis_of(magnet, axis, H, *np.atleast_2d(torques))
    rows = []
    for torque in np.atleast_2d(torques):
        if bit.has_common_axis(magnet, a, H, torque):
            state = AxialMagnet(magnet, H, torque)
            side = float(a @ state.axis)
            parallel, antiparallel = (state.probability(*bit.well(s)) for s in (side, -side))
            rate = state.relaxation_rate()
        else:
            slow = _slowest(BitState(magnet, a, H, torque, pole_of(magnet, a)))
            parallel, antiparallel, rate = slow.upper, slow.lower, slow.rate
        rows.append((1.0 / (rate * antiparallel), 1.0 / (rate * parallel), parallel, rate))
    values = np.array(rows).T
    names = (
        ("dwell_time_parallel", "mean time in the well n·a > 0"),
        ("dwell_time_antiparallel", "mean time in the well n·a < 0"),
        ("probability_parallel", "stationary probability of n·a > 0"),
        ("relaxation_rate", "slowest relaxation rate of n·a"),
    )
    many = torques.ndim == 2
    data = {
        name: (("current",) if many else (), row if many else row[0], {"long_name": meaning})
        for (name, meaning), row in zip(names, values, strict=True)
    }
    coordinates = {"current": bit.currents(magnet, torques, a)} if many else {}
    return xr.Dataset(data, coords=coordinates)


def _slowest(state: BitState) -> Slowest:
    """Slowest mode and wells of any magnet, to `_MODE_TOLERANCE`."""

    def compute(basis: Basis) -> tuple[Slowest, float, float]:
        found = slowest(state, basis)
        if found[0].rounding > _DEEP:
            raise _DeepWells
        return found

    try:
        found, _ = settled(
            compute,
            _change,
            first_basis(state),
            _MODE_TOLERANCE,
            "slowest rate",
            largest=_LARGEST_CAP,
        )
    except _DeepWells:
        return _escape(state)
    if found.turning != 0.0:
        raise ResolutionError(
            f"the slowest mode turns, its eigenvalue is {-found.rate:.3g} ± "
            f"{abs(found.turning):.3g}i: expected two wells"
        )
    return found


class _DeepWells(Exception):  # noqa: N818 - a way out of a loop
    """Rounding of a matrix leaves nothing of its smallest eigenvalue."""


def _change(one: Slowest, other: Slowest) -> float:
    """Largest relative difference of the rate and of the wells' probabilities."""
    pairs = ((one.rate, other.rate), (one.upper, other.upper), (one.lower, other.lower))
    return max(abs(new - old) / abs(new) for new, old in pairs)


def _escape(state: BitState) -> Slowest:
    """Rate of escape from deep wells, in bases that grow until it settles.

    What the edges add says which way the basis grows most; a bound that includes it would ask for
    much more than the rate does.
    """
    basis, error, crowded = first_basis(state), np.inf, 0
    before: Slowest | None = None
    found: Slowest | None
    while basis.size <= _LARGEST_MODE:
        try:
            found, high, wide = two_wells(state, basis)
        except CrowdedModesError:
            crowded += 1
            if crowded > _LARGEST_CROWD:
                raise
            found, high, wide = None, 1.0, 1.0
        if found is not None and before is not None:
            error = _change(found, before)
            # rounding differs from basis to basis: the change tells of it, too
            if error <= _MODE_TOLERANCE and found.rounding <= _ROUNDING:
                return found
            if error < _CLOSE and found.rounding > _ROUNDING:
                raise ResolutionError(
                    f"relaxation_rate={found.rate:.1g}: expected a rate of which rounding leaves "
                    "digits, behind a lower barrier"
                )
        before = found
        degree = int((1.25 if high > _EDGE else 1.1) * basis.l_max) + 2
        order = int((1.4 if wide > _EDGE else 1.1) * basis.m_max) + 2
        basis = Basis(degree, min(order, degree))
    raise ResolutionError(
        f"slowest rate: {_LARGEST_MODE} functions on the sphere leave a change of {error:.0e}, "
        f"expected {_MODE_TOLERANCE:g}; a smaller barrier needs fewer"
    )


def _along_axis(
    state: AxialMagnet,
    rest: AxialMagnet,
    times: FloatArray,
    well: tuple[float, float],
    axis: FloatArray,
    tolerance: float,
) -> tuple[FloatArray, FloatArray, float]:
    """Survival, its density and the mean time, refined until they settle; `well`: side, target."""
    turn = float(np.sign(axis @ state.axis))
    sense, goal = turn * well[0], turn * well[1]
    size, before = _FIRST_SIZE + int(4.0 * np.sqrt(state.span)), None
    while size <= _LARGEST_SIZE:
        found = _survival(state, rest, times, sense, goal, size)
        if before is not None and np.max(np.abs(found[0] - before)) <= tolerance:
            return found
        before, size = found[0], int(1.4 * size)
    raise ResolutionError(
        f"survival probabilities are not settled to {tolerance:g} with {_LARGEST_SIZE} points"
    )


def _on_cap(
    state: BitState,
    resting_field: FloatArray,
    times: FloatArray,
    well: tuple[float, float],
    tolerance: float,
) -> tuple[FloatArray, FloatArray, float]:
    """The same for any magnet, in polynomials on a cap."""
    magnet, (sense, target) = state.magnet, well
    rest = BitState(magnet, state.axis, resting_field)
    span = max(state.span, rest.span)
    H, P = np.array(state.field), np.array(state.spin_torque)

    def compute(basis: Basis) -> tuple[_Passage, float, float]:
        nodes = basis.l_max + 24 + int(4.0 * np.sqrt(span))
        cap = Cap(magnet, H, P, sense * np.array(state.axis), sense * target, basis, nodes)
        energy = magnet.energy(magnet.moment * cap.directions, resting_field)
        start = cap.means(np.exp(-magnet.beta * (energy - energy.min())))
        found = _passage(cap, start, times, 0.1 * tolerance)
        share = np.abs(start * found.time) / found.mean
        high = float(np.sum(share[outermost(cap.degrees, basis.l_max)]))
        wide = float(np.sum(share[outermost(cap.orders, basis.m_max)]))
        return found, high, wide

    def change(one: _Passage, other: _Passage) -> float:
        return float(np.max(np.abs(one.survival - other.survival)))

    degree = _FIRST_DEGREE + int(2.5 * np.sqrt(span))
    first = Basis(degree, min(_FIRST_ORDER, degree))
    what = "survival probabilities"
    found, _ = settled(compute, change, first, tolerance, what, largest=_LARGEST_CAP)
    return found.survival, found.density, found.mean


@dataclass(frozen=True)
class _Passage:
    """Survival and density at the times, the mean, and mean times as a function on the cap."""

    survival: FloatArray
    density: FloatArray
    mean: float
    time: FloatArray


def _passage(cap: Cap, start: FloatArray, times: FloatArray, tolerance: float) -> _Passage:
    """Switching times on a cap, in Krylov spaces that grow until the survival settles."""
    from scipy.sparse.linalg import splu

    matrix, one = cap.matrix, cap.one()
    time = -splu(matrix).solve(one)
    slope, longest = matrix.T @ start, max(float(times[-1]), np.finfo(float).tiny)
    shortest = float(np.min(times[times > 0.0], initial=longest))
    size, before = _FIRST_KRYLOV, None
    while True:
        space, small = reduced_generator(matrix, one, 4.0 / longest, 16.0 / shortest, size)
        u, left, falling = space.T @ one, start @ space, slope @ space
        survival, density = [], []
        for t, (step, _) in zip(times.tolist(), propagators(small, times), strict=True):
            u = step @ u
            survival.append(float(left @ u) if t > 0.0 else 1.0)
            density.append(-float(falling @ u))
        found = _Passage(np.array(survival), np.array(density), float(start @ time), time)
        exact = space.shape[1] == matrix.shape[0]
        if exact or (before is not None and np.max(np.abs(found.survival - before)) <= tolerance):
            return found
        before, size = found.survival, 2 * size


def _survival(
    state: AxialMagnet,
    rest: AxialMagnet,
    times: FloatArray,
    sense: float,
    target: float,
    size: int,
) -> tuple[FloatArray, FloatArray, float]:
    """Survival probability and density at the times, and the mean switching time."""
    x, derivative = _chebyshev(size)
    c = target + 0.5 * (1.0 + x) * (sense - target)
    derivative = derivative * (2.0 / (sense - target))
    c[-1] = sense
    pull = np.polynomial.legendre.legval(c, log_density_slope(state))
    across = ((1.0 - c) * (1.0 + c))[:, None]
    generator = (
        across * (derivative @ derivative) + (across[:, 0] * pull - 2.0 * c)[:, None] * derivative
    )
    generator = state.diffusion * generator[1:, 1:]  # the first point is the target, u = 0
    nodes, weights = rest.nodes(*((target, 1.0) if sense > 0.0 else (-1.0, target)))
    share = weights * rest.density(nodes)
    start = (share / share.sum()) @ _interpolation(c, nodes)[:, 1:]
    u = np.ones(size)
    mean = -float(start @ np.linalg.solve(generator, u))
    survival, density = [], []
    for t, (step, _) in zip(times.tolist(), propagators(generator, times), strict=True):
        u = step @ u
        survival.append(float(start @ u) if t > 0.0 else 1.0)
        density.append(-float(start @ (generator @ u)))
    return np.array(survival), np.array(density), mean


def _chebyshev(size: int) -> tuple[FloatArray, FloatArray]:
    """Chebyshev points from -1 to 1 and the matrix of the derivative in them."""
    k = np.arange(size + 1)
    x = -np.cos(np.pi * k / size)
    scale = np.where((k == 0) | (k == size), 2.0, 1.0) * (-1.0) ** k
    gap = x[:, None] - x + np.eye(size + 1)
    matrix = scale[:, None] / scale / gap
    matrix -= np.diag(matrix.sum(axis=1))
    return x, matrix


def _interpolation(points: FloatArray, at: FloatArray) -> FloatArray:
    """Matrix of barycentric interpolation from Chebyshev points."""
    size = points.size - 1
    k = np.arange(size + 1)
    weight = np.where((k == 0) | (k == size), 0.5, 1.0) * (-1.0) ** k
    gap = at[:, None] - points
    hit = gap == 0.0
    parts = np.where(hit.any(axis=1)[:, None], hit, weight / np.where(hit, 1.0, gap))
    return np.asarray(parts / parts.sum(axis=1, keepdims=True))
