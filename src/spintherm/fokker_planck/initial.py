r"""Initial densities in harmonics: equilibrium, a steady state, or any given density.

Equilibrium at a field, [I] 2.4, is :math:`p \propto e^{\nu n\cdot h}`, whose coefficients follow
from the plane-wave expansion and the addition theorem,

.. math:: p_{lm} = \frac{i_l(\nu)}{i_0(\nu)}\,S_{lm}(h), \qquad
   \frac{i_l}{i_{l-1}} = \frac{1}{(2l+1)/\nu + i_{l+1}/i_l},

with modified spherical Bessel functions, whose ratios are computed downwards in l. Any other
density, that with anisotropy among them, is projected by Gauss-Legendre and equally spaced nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Basis, Floats, legendre
from spintherm.fokker_planck.nodes import gauss_legendre
from spintherm.fokker_planck.schedule import Schedule
from spintherm.fokker_planck.steady import SteadyState, steady_state

if TYPE_CHECKING:
    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol

Density: TypeAlias = Callable[[Floats], ArrayLike]
Initial: TypeAlias = str | SteadyState | Density | ArrayLike

LARGEST_DEGREE = 400
LEAST_DEGREE, LEAST_ORDER = 6, 4
ROUNDING = 2e-14  # of a coefficient found by quadrature, relative to the largest; measured


def initial_density(
    magnet: Magnet, protocol: Protocol, schedule: Schedule, initial: Initial, tail: float
) -> tuple[Basis, Floats]:
    """Return the coefficients of the initial density in the schedule's frame.

    Parameters
    ----------
    magnet : Magnet
    protocol : Protocol
    schedule : Schedule
        Of the protocol; its axial form is used only if the density is axial too.
    initial : {"equilibrium", "steady_state"}, SteadyState, callable or array_like
        Equilibrium at H(0-), or the steady state at H(0-) and P(0-), or a given one; a callable
        takes unit vectors (n, 3) and returns the density per solid angle; an array, shape
        ((l_max + 1)²,), holds coefficients in the user's frame in the order of `Basis`.
    tail : float
        Size of the coefficients to leave out, relative to the largest.

    Raises
    ------
    ValueError
        If the argument is none of these, or a density is not normalised to 1e-6.
    ResolutionError
        If the density needs more than `LARGEST_DEGREE`.
    """
    if isinstance(initial, str) and initial == "equilibrium":
        here, field = schedule.magnet, schedule.initial_field
        if here.anisotropy is None:
            basis, density = equilibrium(here, field, axial=schedule.axial)
        else:
            basis, density = anisotropic_equilibrium(here, field, axial=schedule.axial)
    else:
        basis, density = _projected(
            _function(magnet, protocol, initial), schedule.frame, tail, _degree(initial)
        )
    size = np.abs(density)
    across = size[basis.orders != 0]
    if schedule.axial and np.max(across, initial=0.0) <= 1e-14 * np.max(size):
        axis = Basis(basis.l_max, 0)
        basis, density = axis, density[basis.index(axis.degrees, axis.orders)]
    return trimmed(basis, density, tail)


def equilibrium(magnet: Magnet, field: Floats, *, axial: bool) -> tuple[Basis, Floats]:
    """Return the coefficients of exp(-beta E) normalised to one, at field H (3,).

    With `axial` the field lies on the third axis and the basis holds m = 0 alone.
    """
    strength = float(np.linalg.norm(field))
    nu = magnet.beta * magnet.moment * strength
    degree = int(12.0 + 9.0 * np.sqrt(nu))
    _check_degree(degree)
    ratios = np.ones(degree + 21)  # i_l / i_(l-1), with i_(-1) so that the first is one
    ratio = 0.0
    for ell in range(degree + 20, 0, -1):
        ratio = nu / (2 * ell + 1 + nu * ratio)
        ratios[ell] = ratio
    size = np.cumprod(ratios[: degree + 1])
    axis = field / strength if strength > 0.0 else np.array([0.0, 0.0, 1.0])
    basis = Basis(degree, 0 if axial else degree)
    return basis, size[basis.degrees] * basis.evaluate(axis)


def anisotropic_equilibrium(magnet: Magnet, field: Floats, *, axial: bool) -> tuple[Basis, Floats]:
    """Return the coefficients of exp(-beta E)/Z at field H (3,) in the frame of the harmonics.

    By quadrature, to rounding relative to the largest coefficient. With `axial` the field and the
    anisotropy's axis lie on the third axis and the basis holds m = 0 alone.
    """
    f = magnet.log_density(field)
    degree, before = int(12.0 + 4.5 * np.sqrt(f.curvature)), np.inf
    while True:
        _check_degree(degree)
        basis = Basis(degree, 0 if axial else degree)
        density = _transformed(f, basis)
        density /= np.sqrt(4.0 * np.pi) * density[0]
        size = np.abs(density)
        edge = float(np.max(size[basis.degrees >= degree - 2]) / np.max(size))
        # what does not fall any more is rounding
        if edge <= ROUNDING or (edge > 0.1 * before and edge < 10.0 * ROUNDING):
            least = 2.0 * max(edge, 1e-16) * np.max(size)
            return basis, np.where(size > least, density, 0.0)
        degree, before = int(1.3 * degree) + 2, edge


def _transformed(f: Callable[[Floats], Floats], basis: Basis) -> Floats:
    """Coefficients of exp f up to a factor: a Fourier sum on each parallel, then Legendre's."""
    count = 1 if basis.m_max == 0 else 4 * basis.m_max + 8
    nodes, weights = sphere(2 * basis.l_max + 8, count)
    n = nodes.reshape(-1, count, 3)
    exponents = f(n)
    values = np.exp(exponents - np.max(exponents)) * weights.reshape(-1, count)
    m = np.arange(basis.m_max + 1)
    phi = 2.0 * np.pi * (np.arange(count) + 0.5) / count
    turns = np.outer(phi, m)
    cosine, sine = values @ np.cos(turns), values @ np.sin(turns)
    c, s = n[:, 0, 2], np.hypot(n[:, 0, 0], n[:, 0, 1])
    theta = legendre(basis, c, s)
    order = np.abs(basis.orders)
    waves = np.where(basis.orders >= 0, cosine[:, order], sine[:, order])
    waves *= np.where(basis.orders == 0, 1.0, np.sqrt(2.0))
    return np.asarray(np.sum(theta * waves, axis=0))


def trimmed(basis: Basis, density: Floats, tail: float) -> tuple[Basis, Floats]:
    """Return the smallest basis that leaves out coefficients below `tail` of the largest."""
    size = np.abs(density)
    large = size > tail * np.max(size)
    degree = max(LEAST_DEGREE, int(np.max(basis.degrees[large])) + 1)
    order = max(LEAST_ORDER, int(np.max(np.abs(basis.orders[large]))) + 1)
    degree = min(degree, basis.l_max)
    small = Basis(degree, min(order, basis.m_max, degree))  # m_max = 0 stays, for axial functions
    return small, density[basis.index(small.degrees, small.orders)]


def _function(magnet: Magnet, protocol: Protocol, initial: Initial) -> Density:
    if isinstance(initial, str):
        if initial != "steady_state":
            expected = "'equilibrium', 'steady_state', a SteadyState, a callable or coefficients"
            raise ValueError(validation.complaint("initial", initial, expected))
        H, P = protocol.initial_field, protocol.initial_spin_torque
        return steady_state(magnet, H, P).density
    if isinstance(initial, SteadyState):
        return initial.density
    if callable(initial):
        return initial
    coefficients = validation.real_array("initial", initial)
    degree = int(np.sqrt(coefficients.size)) - 1
    if coefficients.ndim != 1 or degree < 0 or (degree + 1) ** 2 != coefficients.size:
        expected = "coefficients of all harmonics up to some degree, shape ((l_max + 1)**2,)"
        raise ValueError(validation.complaint("initial", initial, expected))
    return lambda n: Basis(degree, degree).expand(coefficients, n)


def _degree(initial: Any) -> int:
    """Degree at which to begin the projection."""
    if isinstance(initial, SteadyState):
        return initial.l_max + 2
    if isinstance(initial, str) or callable(initial):
        return 16
    return int(np.sqrt(np.size(initial))) + 1


def _projected(function: Density, frame: Floats, tail: float, degree: int) -> tuple[Basis, Floats]:
    """Project a density given in the user's frame, to a tail below the tolerance."""
    while True:
        _check_degree(degree)
        basis = Basis(degree, degree)
        nodes, weights = sphere(degree + 4, 2 * degree + 8)
        values = validation.real_array("initial(directions)", function(nodes @ frame))
        density = (weights * values) @ basis.evaluate(nodes)
        edge = np.max(np.abs(density[basis.degrees >= degree - 1]))
        if edge <= max(tail, 1e-14) * np.max(np.abs(density)):
            break
        degree = int(1.5 * degree)
    total = density[0] * np.sqrt(4.0 * np.pi)
    if not abs(total - 1.0) <= 1e-6:
        expected = "a density per solid angle whose integral is 1"
        raise ValueError(validation.complaint("integral of initial", total, expected))
    return basis, density


def sphere(latitudes: int, meridians: int) -> tuple[Floats, Floats]:
    """Return nodes (n, 3) and weights (n,) of a product quadrature on the sphere."""
    cosine, weight = gauss_legendre(latitudes)
    phi = 2.0 * np.pi * (np.arange(meridians) + 0.5) / meridians
    c, angle = (a.ravel() for a in np.meshgrid(cosine, phi, indexing="ij"))
    s = np.sqrt((1.0 - c) * (1.0 + c))
    nodes = np.stack([s * np.cos(angle), s * np.sin(angle), c], axis=-1)
    return nodes, np.repeat(weight, meridians) * 2.0 * np.pi / meridians


def _check_degree(degree: int) -> None:
    if degree > LARGEST_DEGREE:
        raise ResolutionError(
            f"the initial density needs harmonics of degree {degree}, more than {LARGEST_DEGREE}"
        )
