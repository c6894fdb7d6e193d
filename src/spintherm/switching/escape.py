r"""Escape over high barriers without a common axis: two wells, to relative accuracy.

Where two wells are deep, the backward generator M has two eigenvalues that rounding cannot tell
apart, 0 with the function 1 and -λ with a function u that is flat in either well; all others are
large. Both functions, and the two densities :math:`p = e^{s\phi} r` with which they are paired,
come out of shifted inverse iterations to about 1e-13. The rate does not come from the matrix but
from what flows between the wells,

.. math:: \frac{d}{dt}\int u\,p = \int J[p]\cdot\nabla u, \qquad
   J[p] = e^{s\phi}\big\{\big[w + (1 - s)\,b_\perp\big] r - D\nabla r\big\},

with the drift v = b_⊥ + w, b = ηmH_eff + γ₀mP, w = (γ₀H_eff - ηm²P)×n ([I] 2.6, regrouped), its
part Ds∇φ = s b_⊥ taken out of the density by hand. ∇u is a number of order one only where paths
cross over, and there p is small. Errors of u and of r enter through their product alone, for
:math:`\int J[p]\cdot\nabla u` vanishes if either is exact up to terms of order λ (derived here; the
argument is that of a two-sided Rayleigh quotient, Parlett, Math. Comp. 28, 679 (1974)). With two
functions 1, u and two densities p_a, p_b of integrals one, and F the flow of u,

.. math:: p_0 \propto p_a F_b - p_b F_a, \qquad
   \lambda = -\frac{F_a - F_b}{\int u\,(p_a - p_b)} :

p_0 is the steady state, and p_a - p_b carries no probability. p_a is the combination without
probability in the lower well, p_b that without any in the upper one, so that the rounding of the
deeper well does not hide what the other one holds.

Without torque p_0 = e^φ is known, and the turning part of the drift drops out of

.. math:: \lambda = \frac{D\int p_0\,|\nabla u|^2}{\int p_0\,(u - \bar u)^2} ,

a quotient of positive terms (-λ∫p_0u² = ∫p_0 u Mu, integrated by parts; the current of a steady
state has no divergence).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.band import BandFactors, factorise
from spintherm.fokker_planck.generator import ResolutionError, adjoint, conjugated
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.wells import SHARES, SMOOTH, BitState, Hemisphere, step_function
from spintherm.switching.sphere import Slowest, outermost
from spintherm.validation import FloatArray

Long = NDArray[np.longdouble]

_SHIFT = 1e-9
_ITERATIONS = 5
_GAP = 1e-3
_SHARE, _PART = 1e-4, 1e-3
"""Of bounds on rounding and on truncation, what they really do; measured, with a factor of ten."""


class CrowdedModesError(ResolutionError):
    """More slow modes than those of two wells."""


def two_wells(state: BitState, basis: Basis) -> tuple[Slowest, float, float]:
    """Return the rate of escape and the wells' probabilities, and what the edges add to the rate.

    Parameters
    ----------
    state : BitState
        Magnet and constant fields.
    basis : Basis
        Truncation.

    Raises
    ------
    CrowdedModesError
        If the slow modes are not two in this basis.
    """
    norm = float(abs(state.generator(basis)).sum(axis=1).max())
    u, next_rate = _mode(state, basis, norm)
    across = state.pole is not None
    halves = [Hemisphere.of(basis, side, state.span, across) for side in (1.0, -1.0)]
    top = max(float(state.exponent(half.n).max()) for half in halves)
    if not np.any(state.spin_torque):
        fields = [_Field.of(state, half, 1.0, top) for half in halves]
        found, unit = _at_rest(fields, [_Function.of(half, u) for half in halves])
        return _told(state, basis, found, u[:, None], u[:, None], unit, norm, next_rate)
    share, densities = _densities(state, basis, norm)
    fields = [_Field.of(state, half, share, top) for half in halves]
    parts = [[_Function.of(half, r) for r in densities.T] for half in halves]
    masses = np.array(
        [[field.integral(r) for r in part] for field, part in zip(fields, parts, strict=True)]
    )
    # densities without probability in the other well, with the integral one
    mixed = np.stack([masses[::-1, 1], -masses[::-1, 0]])
    mixed /= np.sum(mixed * masses.T, axis=0)
    densities = densities @ mixed
    moments, flows = np.zeros(2), np.zeros(2)
    for k, (half, field) in enumerate(zip(halves, fields, strict=True)):
        slow, (here, there) = (
            _Function.of(half, u),
            (_Function.of(half, densities[:, place]) for place in (k, 1 - k)),
        )
        level = field.integral(here, slow.values)
        moments[k] += level
        moments[1 - k] += field.integral(there, slow.values - level)
        flows[k] += field.flow(here, slow)
        flows[1 - k] += field.flow(there, slow)
    rate = -float(flows[0] - flows[1]) / float(moments[0] - moments[1])
    upper, lower = (np.array([flows[1], -flows[0]]) / (flows[1] - flows[0])).tolist()
    unit = abs(rate * float(moments[0] - moments[1]))
    found = rate, upper, lower
    return _told(state, basis, found, u[:, None], densities, unit, norm, next_rate)


def _at_rest(
    fields: list[_Field], slow: list[_Function]
) -> tuple[tuple[float, float, float], float]:
    """Rate and wells' probabilities, and the rate times the variance of u, all without torque."""
    masses = np.array([field.weights.sum() for field in fields])
    shares = masses / masses.sum()
    levels = [
        float(np.sum(f.weights * u.values)) / m
        for f, u, m in zip(fields, slow, masses.tolist(), strict=True)
    ]
    mean = float(shares @ levels)
    variance = flow = 0.0
    for field, u in zip(fields, slow, strict=True):
        variance += float(np.sum(field.weights * (u.values - mean) ** 2))
        flow += field.diffusion * float(np.sum(field.weights * np.sum(u.gradient**2, axis=-1)))
    upper, lower = shares.tolist()
    return (flow / variance, upper, lower), flow


def _told(
    state: BitState,
    basis: Basis,
    found: tuple[float, float, float],
    left: FloatArray,
    right: FloatArray,
    unit: float,
    norm: float,
    next_rate: float,
) -> tuple[Slowest, float, float]:
    """Return what was found, with what truncation and rounding of two factors do to it."""
    degrees = outermost(basis.degrees, basis.l_max)
    orders = outermost(np.abs(basis.orders), basis.m_max)
    # together they act where the density is largest, of order one there
    size = np.linalg.norm(left) * np.linalg.norm(right, axis=0).max() / unit
    fastest = _PART * state.diffusion * basis.l_max**2 * size
    high, wide = (
        (_tail(left, edge) * _tail(right, edge) * fastest) ** 2 for edge in (degrees, orders)
    )
    rounding = _SHARE * float(next_rate * size * (np.finfo(float).eps * norm / next_rate) ** 2)
    rate, upper, lower = found
    return Slowest(rate, 0.0, upper, lower, rounding), high, wide


def _mode(state: BitState, basis: Basis, norm: float) -> tuple[FloatArray, float]:
    """Coefficients of the slow function, without its constant, and the next rate."""
    shift = _SHIFT * norm
    factors = factorise(basis, state.coefs, state.landscape, shift=shift, pinned=True)
    start = [step_function(basis, 1.0, state.pole is not None)]
    columns, sizes = _iterated(factors, np.array(start).T)
    if sizes[1] > _GAP * sizes[0]:
        raise CrowdedModesError(_crowded(sizes))
    return columns[:, 0], 1.0 / sizes[1]


def _densities(state: BitState, basis: Basis, norm: float) -> tuple[float, FloatArray]:
    """Share s of φ that is taken out, and two functions r that span the slow densities."""
    one = np.zeros(basis.size)
    one[0] = 1.0
    start = np.stack([one, step_function(basis, 1.0, state.pole is not None)], axis=1)
    edge = outermost(basis.degrees, basis.l_max) | outermost(np.abs(basis.orders), basis.m_max)
    best = (np.inf, 0.0, start)
    for share in SHARES:
        gauged = conjugated(adjoint(state.coefs), -share * state.potential)
        factors = factorise(basis, gauged, state.landscape, shift=_SHIFT * norm)
        columns, sizes = _iterated(factors, start)
        if sizes[2] > _GAP * sizes[1]:
            raise CrowdedModesError(_crowded(sizes))
        tail = _tail(columns[:, :2], edge)
        if tail < best[0]:
            best = tail, share, columns[:, :2]
        if tail < SMOOTH or not np.any(state.spin_torque):
            break
    return best[1], best[2]


def _iterated(factors: BandFactors, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Orthogonal iteration with an inverse, and how much it enlarges each column in the end."""
    others = np.random.default_rng(0).normal(size=(len(start), 2)) / np.sqrt(len(start))
    columns = np.linalg.qr(np.hstack([start, others]))[0]
    if factors.pinned:
        columns[0] = 0.0
    sizes = np.ones(columns.shape[1])
    for _ in range(_ITERATIONS):
        columns, triangle = np.linalg.qr(factors.solve(columns))
        sizes = np.abs(np.diag(triangle))
    return columns, sizes


def _crowded(sizes: FloatArray) -> str:
    rates = ", ".join(f"{1.0 / size:.2g}" for size in sizes)
    return f"slowest rates of about {rates}: expected two wells, one of these far below the others"


def _tail(vectors: FloatArray, edge: NDArray[np.bool_]) -> float:
    """Largest share of an edge in the norm of a vector (size, k)."""
    norms = np.linalg.norm(vectors, axis=0)
    return float(np.max(np.linalg.norm(vectors[edge], axis=0) / norms))


@dataclass(frozen=True)
class _Field:
    """Weights of the density and its drift at the nodes of a hemisphere.

    Attributes
    ----------
    weights : ndarray, shape (J, K)
        Solid angle times e^{sφ}, up to a factor common to both wells.
    drift : ndarray, shape (J, K, 3)
        w + (1 - s) b, of which only the tangential part will matter.
    diffusion : float
        D.
    """

    weights: FloatArray
    drift: FloatArray
    diffusion: float

    @classmethod
    def of(cls, state: BitState, half: Hemisphere, share: float, top: float) -> _Field:
        magnet, H, P = state.turned
        m, n = magnet.moment, half.n
        field = magnet.effective_field(m * n, H)
        torque = magnet.local_spin_torque(m * n, P)
        pull = magnet.damping * m * field + magnet.gyromagnetic_ratio * m * torque
        turn = magnet.gyromagnetic_ratio * field - magnet.damping * m**2 * torque
        weights = half.weights * np.exp(share * (state.exponent(n) - top))
        return cls(weights, np.cross(turn, n) + (1.0 - share) * pull, state.diffusion)

    def integral(self, r: _Function, function: FloatArray | float = 1.0) -> float:
        """Integral of the density e^{sφ} r, times a function at the nodes."""
        return float(np.sum(self.weights * r.values * function))

    def flow(self, r: _Function, u: _Function) -> float:
        """Integral of J·∇u."""
        current = self.drift * r.values[..., None] - self.diffusion * r.gradient
        return float(np.sum(self.weights * np.einsum("jki,jki->jk", current, u.gradient)))


@dataclass(frozen=True)
class _Function:
    """A function at the nodes of a hemisphere, shape (J, K), and its surface gradient.

    Where it is flat its harmonics cancel, and what their rounding leaves is no gradient of
    anything: the sums over degrees are done in the longest floating-point numbers there are. The
    rounding of the coefficients themselves does no harm.
    """

    values: FloatArray
    gradient: FloatArray

    @classmethod
    def of(cls, half: Hemisphere, coefs: FloatArray) -> _Function:
        basis, n = half.basis, half.n
        c = n[:, 0, 2].astype(np.longdouble)
        square = (1.0 - c) * (1.0 + c)
        profiles, slopes = (np.zeros((len(c), 2 * basis.m_max + 1)) for _ in range(2))
        for m, (theta, derivative) in enumerate(_thetas(basis, c.tobytes())):
            for order in {m, -m}:
                part = coefs[basis.index(np.arange(m, basis.l_max + 1), order)]
                part = part.astype(np.longdouble)
                profiles[:, basis.m_max + order] = theta @ part
                slopes[:, basis.m_max + order] = derivative @ part / square
        numbers = np.arange(-basis.m_max, basis.m_max + 1)
        turned = profiles[:, ::-1] * numbers / square.astype(np.float64)[:, None]
        along, around = slopes @ half.waves, turned @ half.waves
        gradient = -(along * n[:, :, 2])[..., None] * n
        gradient[..., 2] += along
        gradient[..., 0] -= around * n[..., 1]
        gradient[..., 1] += around * n[..., 0]
        return cls(profiles @ half.waves, gradient)


@lru_cache(maxsize=2)
def _thetas(basis: Basis, cosines: bytes) -> list[tuple[Long, Long]]:
    """Θ_lm of every order m >= 0 and (1 - c²) dΘ_lm/dc, shape (J, degrees) each.

    The recurrences of `harmonics.legendre`; the derivative is -l c Θ_l + (2l + 1) a_l Θ_(l-1).
    """
    c = np.frombuffer(cosines, dtype=np.longdouble)
    sine, out = np.sqrt((1.0 - c) * (1.0 + c)), []
    top = np.full(c.shape, np.sqrt(0.25 / np.longdouble(np.pi)))
    for m in range(basis.m_max + 1):
        if m:
            top = top * sine * np.sqrt(np.longdouble(2 * m + 1) / (2 * m))
        ell = np.arange(m, basis.l_max + 1).astype(np.longdouble)
        a = np.sqrt((ell**2 - m * m) / ((2.0 * ell - 1.0) * (2.0 * ell + 1.0)))
        theta = np.empty((len(ell), len(c)), dtype=np.longdouble)
        theta[0] = top
        for k in range(1, len(ell)):
            before = a[k - 1] * theta[k - 2] if k > 1 else 0.0
            theta[k] = (c * theta[k - 1] - before) / a[k]
        derivative = -ell[:, None] * c * theta
        derivative[1:] += ((2.0 * ell + 1.0) * a)[1:, None] * theta[:-1]
        out.append((theta.T, derivative.T))
    return out
