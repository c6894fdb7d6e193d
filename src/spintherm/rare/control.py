r"""The control: noise shifted so that the rare paths of a tilt become the usual ones.

Paths weighted by :math:`e^{k\cdot(\beta W, S_P)}` are those of a driven process of their own
(Doob's transform; Chetrite and Touchette, Ann. Henri Poincare 16, 2005 (2015)). With

.. math:: h(n, t) = \langle e^{k\cdot(\beta W, S_P)_{t\dots\tau}} | n\rangle, \qquad
          -\partial_t h = M(k, t)\,h, \qquad h(n, \tau) = 1,

and the tilted generator M of `fokker_planck.generator`, its initial density is
:math:`p_0\,h(\cdot, 0)` over its integral G(k), and its noise from n to n' has the law
:math:`p(n'|n)\,e^{k_W\beta w(n, n')}h(n')` over its integral, w being the torque's work, which is
:math:`m^2 n'\cdot(n\times P)` up to higher orders. Were h known exactly, the weight of each path
would be :math:`G\,e^{-k\cdot(\beta W, S_P)}` without any scatter. Any other h gives exact weights
too, with more scatter. So h comes from the density engine, :math:`\ln h` is fitted by harmonics of
low degree where the tilted paths go, and the exponent is made linear in n',

.. math:: w(n) = k_W\beta m^2\,n\times P + \nabla\ln h - \tfrac12 n\,\Delta\ln h,

which on the sphere has the gradient and the Laplacian of :math:`\ln h`, and is exact where
:math:`\ln h` is linear in n. For a torque that depends on the direction P is that at n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.exponents import points
from spintherm.fokker_planck.harmonics import Basis, gradient, multiplication
from spintherm.fokker_planck.initial import sphere
from spintherm.fokker_planck.nodes import gauss_legendre
from spintherm.fokker_planck.process import process
from spintherm.kernels.weighted import polynomial_powers
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.rare.doob import LATITUDES, Doob, doob
from spintherm.tabulate import Tabulation, tabulate

FloatArray = NDArray[np.float64]

MOST_KNOTS = 128  # times at which the control is computed
RIDGE = 1e-6  # of the fit, on squared Laplacians
FLOOR = 1e-3  # share of the fit's weight that is spread over the sphere
SIDE = 64  # cells of the initial density in each direction
SCATTER = 0.05  # of the initial weights, relative variance above which wider laws are tried
NEARLY_EVEN = 0.1  # concentration below which a law is wide enough
PANEL = 12  # nodes of a panel by which the scatter is found


@dataclass(frozen=True)
class Cells:
    """The tilted initial density: cells over a von Mises-Fisher law, see `kernels.weighted`.

    Attributes
    ----------
    frame : ndarray, shape (3, 3)
        Rows are the axes, the last one the centre of the law.
    concentration : float
    cumulative, log_ratio : ndarray, shape (SIDE**2,)
    """

    frame: FloatArray
    concentration: float
    cumulative: FloatArray
    log_ratio: FloatArray


@dataclass(frozen=True)
class Control:
    """What a kernel needs to sample tilted paths.

    Attributes
    ----------
    exponents : ndarray, shape (2,)
        (k_W, k_S) of beta W and S_P.
    log_generating_function : float
        ln G(k) as the density engine has it; used to combine tilts, not for weights.
    coefficients : ndarray, shape (steps, functions, 3)
        Of w in `monomials`; where P depends on the direction, without the torque's part.
    initial : Cells
    """

    exponents: FloatArray
    log_generating_function: float
    coefficients: FloatArray
    initial: Cells


def control(
    magnet: Magnet, protocol: Protocol, tabulation: Tabulation, tilt: FloatArray, degree: int
) -> Control:
    """Compute the control of a tilt for the steps of a tabulation.

    Raises
    ------
    TypeError, ValueError, ResolutionError, OverflowError
        As the density engine does.
    """
    here = process(magnet, protocol, "equilibrium", 1e-12)
    exponents = points(*tilt[:, None])
    knots = tabulate(protocol, min(tabulation.steps, MOST_KNOTS))
    times = 0.5 * (knots.times[1:] + knots.times[:-1])
    solution = doob(here, exponents, times)
    fields = _fields(_fitted(solution, degree), degree, here.schedule.frame)
    middles = tabulation.times[:-1] + 0.5 * tabulation.durations
    coefficients = _between(times, fields, middles, protocol.jumps)
    if magnet.is_uniform:  # the kernel of others takes the local torque
        turning = tilt[0] * magnet.beta * magnet.moment**2 * tabulation.spin_torque_middle
        coefficients += _turning(degree + 1, turning)
    log_g = solution.log_generating_function
    return Control(tilt, log_g, np.ascontiguousarray(coefficients), _cells(solution))


def _fitted(solution: Doob, degree: int) -> FloatArray:
    """Harmonics of ln h, fitted where the tilted paths are: shape (times, (degree + 1)**2)."""
    nodes, area = sphere(LATITUDES, 2 * LATITUDES)
    log_h, resolved = solution.log_functions(nodes)
    share = solution.products(nodes) * area
    share /= share.sum(axis=1, keepdims=True)
    share += np.where(resolved, FLOOR / (4.0 * np.pi) * area, 0.0)
    basis = Basis(degree, degree)
    V = basis.evaluate(nodes)
    products = (V[:, :, None] * V[:, None, :]).reshape(len(V), -1)
    normal = (share @ products).reshape(-1, basis.size, basis.size)
    normal += RIDGE * np.diag((basis.degrees * (basis.degrees + 1.0)) ** 2)
    return np.asarray(np.linalg.solve(normal, ((share * log_h) @ V)[..., None])[..., 0])


def _fields(fitted: FloatArray, degree: int, frame: FloatArray) -> FloatArray:
    """Coefficients (times, functions, 3) of grad f - n Delta f / 2 in `monomials`, user's axes."""
    small, basis = Basis(degree, degree), Basis(degree + 1, degree + 1)
    f = small.embed(fitted, basis)
    half = 0.5 * basis.degrees * (basis.degrees + 1.0) * f
    parts = zip(gradient(basis), multiplication(basis), strict=True)
    fields = np.stack([f @ g.T + half @ n.T for g, n in parts], axis=-1)
    nodes = sphere(degree + 3, 2 * degree + 6)[0]
    conversion = np.linalg.lstsq(monomials(degree + 1, nodes @ frame), basis.evaluate(nodes))[0]
    return np.asarray(conversion @ (fields @ frame))


def _between(
    times: FloatArray, values: FloatArray, at: FloatArray, jumps: tuple[float, ...]
) -> FloatArray:
    """Values (times, ...) interpolated linearly, but held constant towards a jump."""
    place = np.interp(at, times, np.arange(len(times)))
    low = np.minimum(place.astype(int), len(times) - 1)
    high = np.minimum(low + 1, len(times) - 1)
    share = place - low
    for jump in jumps:
        there = low + 1 == np.searchsorted(times, jump)
        share = np.where(there, at > jump, share)
    share = share[:, None, None]
    return np.asarray((1.0 - share) * values[low] + share * values[high])


def monomials(degree: int, directions: FloatArray) -> FloatArray:
    """Functions that the control is made of, at unit vectors (n, 3): shape (n, (degree + 1)**2)."""
    powers = polynomial_powers(degree)
    return np.asarray(np.prod(directions[:, None, :] ** powers, axis=-1))


def _turning(degree: int, vectors: FloatArray) -> FloatArray:
    """Coefficients of n x v, shape (n, (degree + 1)**2, 3), for vectors (n, 3)."""
    powers = polynomial_powers(degree)
    out = np.zeros((len(vectors), len(powers), 3))
    for axis in np.eye(3, dtype=int):
        place = int(np.flatnonzero(np.all(powers == axis, axis=1))[0])
        out[:, place] = np.cross(axis, vectors)
    return out


def _cells(solution: Doob) -> Cells:
    """Cells for p_0 h: centred on its mean, as wide as a law with this mean or wider.

    A cell at the far end of a narrow law is wide. Where a second well lies in it, its few paths
    would carry large weights, which most ensembles miss: then the law is widened.
    """
    nodes, area = sphere(2 * LATITUDES, 4 * LATITUDES)
    density = area * np.exp(solution.log_start(nodes))
    mean = density @ nodes / density.sum()
    length = float(np.linalg.norm(mean))
    axes = _axes(mean / length if length > 0.0 else np.array([0.0, 0.0, 1.0]))
    concentration = length * (3.0 - length**2) / max(1.0 - length**2, 1e-12) + 1e-3
    best = _Law(axes, concentration, _cell_probabilities(solution, axes, concentration))
    scales = _scales(concentration)
    log_start = solution.log_start(scales[0] @ axes)
    least = best.scatter(*scales, log_start)
    while least > SCATTER and concentration > NEARLY_EVEN:
        concentration *= 0.5
        law = _Law(axes, concentration, _cell_probabilities(solution, axes, concentration))
        scatter = law.scatter(*scales, log_start)
        if scatter < least:
            best, least = law, scatter
    frame = axes @ solution.process.schedule.frame
    probability = best.probability
    cumulative = np.cumsum(probability)
    cumulative /= cumulative[-1]
    return Cells(frame, best.concentration, cumulative, np.log(SIDE**2 * probability))


@dataclass(frozen=True)
class _Law:
    """A law of the initial state: the axes, the concentration and the cells' probabilities."""

    axes: FloatArray
    concentration: float
    probability: FloatArray

    def scatter(self, local: FloatArray, area: FloatArray, log_start: FloatArray) -> float:
        """Mean square over squared mean, minus one, of the weights at nodes about the axis."""
        k, versine = self.concentration, 1.0 - local[:, 2]
        u = (np.exp(-k * versine) - np.exp(-2.0 * k)) / -np.expm1(-2.0 * k)
        turn = 0.5 + np.arctan2(local[:, 1], local[:, 0]) / (2.0 * np.pi)
        row, column = (np.clip((SIDE * x).astype(int), 0, SIDE - 1) for x in (u, turn))
        with np.errstate(divide="ignore"):
            log_law = np.log(self.probability[SIDE * row + column]) - k * versine
        # law and start are known up to factors
        law, start = (area * np.exp(x - x.max()) for x in (log_law, log_start))
        law, start = law / law.sum(), start / start.sum()
        seen = start > 0.0
        with np.errstate(divide="ignore"):
            return float(np.sum(start[seen] ** 2 / law[seen])) - 1.0


def _cell_probabilities(solution: Doob, axes: FloatArray, concentration: float) -> FloatArray:
    """Probabilities of the cells, shape (SIDE**2,), from p_0 h over the law at their centres."""
    n, log_law = _centres(axes, concentration)
    log_ratio = solution.log_start(n) - log_law
    probability = np.exp(log_ratio - log_ratio.max())
    return np.asarray(probability / probability.sum())


def _scales(concentration: float) -> tuple[FloatArray, FloatArray]:
    """Nodes about the last axis and their areas: panels from the law's width to the other pole."""
    halvings = int(np.ceil(np.log2(8.0 * max(concentration, 0.5))))
    edges = np.concatenate([[0.0], 2.0 ** (1.0 - np.arange(halvings, -1, -1.0))])
    x, w = gauss_legendre(PANEL)
    width = 0.5 * np.diff(edges)[:, None]
    versine = (edges[:-1, None] + width * (1.0 + x)).ravel()
    phi = 2.0 * np.pi * (np.arange(SIDE) + 0.5) / SIDE
    v, angle = (a.ravel() for a in np.meshgrid(versine, phi, indexing="ij"))
    across = np.sqrt(v * (2.0 - v))
    local = np.stack([across * np.cos(angle), across * np.sin(angle), 1.0 - v], axis=-1)
    return local, np.repeat((width * w).ravel(), SIDE) * 2.0 * np.pi / SIDE


def _centres(axes: FloatArray, concentration: float) -> tuple[FloatArray, FloatArray]:
    """Centres of the cells on the sphere, and the logarithm of the law there up to a constant."""
    u = (np.arange(SIDE) + 0.5) / SIDE
    floor = np.exp(-2.0 * concentration)
    versine = np.repeat(np.clip(-np.log(floor + (1.0 - floor) * u) / concentration, 0, 2), SIDE)
    phi = np.tile(np.pi * (2.0 * u - 1.0), SIDE)
    across = np.sqrt(versine * (2.0 - versine))
    local = np.stack([across * np.cos(phi), across * np.sin(phi), 1.0 - versine], axis=-1)
    return local @ axes, -concentration * versine


def _axes(axis: FloatArray) -> FloatArray:
    """Right-handed axes whose last one is given, as rows."""
    helper = np.eye(3)[np.argmin(np.abs(axis))]
    x = np.cross(helper, axis)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(axis, x), axis])
