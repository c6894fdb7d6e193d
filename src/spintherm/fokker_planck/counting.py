r"""Full counting statistics of a steady state: the scaled cumulant generating function.

.. math:: \lambda(k_W, k_S) = \lim_{\tau\to\infty}\tfrac1\tau
          \ln\langle e^{k_W\beta W + k_S S_P}\rangle

is the eigenvalue of largest real part of the tilted generator M(k). For real exponents M(k)
generates a positive semigroup, so that this eigenvalue is real, simple and the only one with a
positive eigenfunction (Perron-Frobenius), and it is the one nearest to any real number above it.
The gauge of `gauge` supplies such a number. Inverse iteration from there (Arnoldi) cannot miss the
eigenvalue; one step of it at the value found, for both eigenfunctions, brings rounding accuracy.
With the right and left eigenvectors x and y, the derivatives are
:math:`\partial\lambda = (y, \partial M\,x)/(y, x)`.

The counting symmetry of the local detailed balance [I] 2.18 is
:math:`\lambda_H(k_W, k_S) = \lambda_{-H}(-1-k_W, -1-k_S)`.

Cumulants per time are Taylor coefficients of :math:`\lambda` at zero; they come from the
perturbation series of the eigenvalue, to any order without differences. Rate functions are
Legendre transforms, :math:`I(a) = \max_k [k a - \lambda(k)]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.fokker_planck.band import BandFactors, factorise
from spintherm.fokker_planck.gauge import gauge_of, largest_growth
from spintherm.fokker_planck.generator import (
    LAPLACIAN,
    Coefficients,
    ResolutionError,
    active_operators,
    backward,
    coefficients,
    conjugated,
    counting_derivatives,
    operator_stack,
    rotated,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.resolution import (
    ATTEMPTS,
    LARGEST_DEGREE,
    edge_tails,
    growth,
)
from spintherm.fokker_planck.responses import Responses, respond
from spintherm.fokker_planck.setting import Setting, compact_frame, rung, settings
from spintherm.fokker_planck.steady import check_bath

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

TOLERANCE = 1e-10
KRYLOV = 24
SMALL = 40  # bases so small that all eigenvalues are computed
LAST_STEPS = 4
SERIES_TAIL = 1e-6  # it enters the values squared

FUNCTIONALS = {"work": (1.0, 0.0), "pumped_entropy": (0.0, 1.0), "entropy_production": (1.0, 1.0)}
"""Directions in the plane of exponents (beta W, S_P)."""


@dataclass(frozen=True)
class Leading:
    """Leading eigenvalue of a tilted generator, with its eigenvectors.

    Attributes
    ----------
    value : complex
        lambda(k).
    left, right : ndarray, shape (size,)
        Eigenvectors of M_u = exp(u·n) M exp(-u·n) in the axes `frame`, left M_u = value left and
        M_u right = value right.
    gauge : ndarray, shape (3,)
        u, in the axes of the setting.
    frame : ndarray, shape (3, 3)
        Axes of the harmonics in those of the setting.
    basis : Basis
    error : float
        Estimated error of the value, by truncation (a product of both eigenvectors' tails) and by
        rounding (the condition of the eigenvalue).
    """

    value: Any
    left: NDArray[Any]
    right: NDArray[Any]
    gauge: Floats
    frame: Floats
    basis: Basis
    error: float


def scgf(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: ArrayLike = 0.0,
    pumped_entropy: ArrayLike = 0.0,
    tolerance: float = TOLERANCE,
) -> NDArray[Any]:
    """Return the joint scaled cumulant generating function of work and pumped entropy.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (..., 3)
        Constant H and P.
    work, pumped_entropy : array_like, shape (...), real or complex
        Dimensionless exponents of beta W and S_P. All leading shapes broadcast.
    tolerance : float
        Of the estimated truncation error, relative to the size of the value or of the rotational
        diffusion rate eta T.

    Returns
    -------
    ndarray, shape (...)
        lambda in 1/time; complex if an exponent is. For complex exponents: the eigenvalue of
        largest real part among those nearest to the real bound.

    Raises
    ------
    ValueError
        For bad arguments, zero damping or zero temperature.
    ResolutionError
        If the tolerance cannot be met.
    """
    check_bath(magnet)
    H, P = validation.vectors("field", field), validation.vectors("spin_torque", spin_torque)
    k_W, k_S = _exponents("work", work), _exponents("pumped_entropy", pumped_entropy)
    shape = np.broadcast_shapes(H.shape[:-1], P.shape[:-1], k_W.shape, k_S.shape)
    out = np.empty(shape, dtype=np.result_type(k_W, k_S))
    H, P = np.broadcast_to(H, (*shape, 3)), np.broadcast_to(P, (*shape, 3))
    k_W, k_S = np.broadcast_to(k_W, shape), np.broadcast_to(k_S, shape)
    for place in np.ndindex(shape):
        setting = settings(magnet, H[place][None], P[place][None])[0]
        found = leading(magnet, setting, k_W[place].item(), k_S[place].item(), tolerance=tolerance)
        out[place] = found.value
    return out


def _exponents(name: str, value: ArrayLike) -> NDArray[Any]:
    array = np.asarray(value)
    if array.dtype.kind not in "biufc" or not np.all(np.isfinite(array)):
        raise ValueError(validation.complaint(name, value, "finite real or complex numbers"))
    return array.astype(complex if array.dtype.kind == "c" else float)


def leading(
    magnet: Magnet,
    setting: Setting,
    work: complex,
    pumped_entropy: complex,
    *,
    tolerance: float = TOLERANCE,
) -> Leading:
    """Return the leading eigenvalue at one pair of exponents, resolved to a tolerance."""
    coefs = coefficients(
        magnet, setting.field, setting.spin_torque, work=work, pumped_entropy=pumped_entropy
    )
    gauge = gauge_of(coefs, setting.axial)
    tilted = conjugated(coefs, gauge)
    frame, degree, order = compact_frame(tilted, setting.axial)
    tilted = rotated(tilted, frame)
    bound = largest_growth(tilted)
    for _ in range(ATTEMPTS):
        basis = Basis(degree, order)
        value, left, right, rounding = _eigenpair(basis, tilted, bound)
        tails = [edge_tails(basis, left), edge_tails(basis, right)]
        truncation = _truncation_error(basis, tilted, left, right, tails)
        limit = tolerance * (abs(value) + abs(coefs[LAPLACIAN]))
        if truncation + rounding <= limit and value.real <= bound + limit:
            return Leading(value, left, right, gauge, frame, basis, truncation + rounding)
        if rounding > limit and max(max(t) for t in tails) < 1e-3:
            break
        goal = 0.1 * np.sqrt(tolerance)
        tail_l, tail_m = (max(t) for t in zip(*tails, strict=True))
        if tail_l > goal or tail_m <= goal:
            degree = rung(degree * growth(tail_l, goal, 0.5))
        if not setting.axial and (tail_m > goal or tail_l <= goal):
            order = rung(order * growth(tail_m, goal, 1.0) + 1.0)
        order = min(order, degree)
        if degree > LARGEST_DEGREE:
            break
    raise ResolutionError(
        f"the tilted generator at work = {work}, pumped_entropy = {pumped_entropy} leaves relative"
        f" errors of {truncation / limit * tolerance:.1e} by truncation ({basis}) and"
        f" {rounding / limit * tolerance:.1e} by rounding, above the tolerance {tolerance:.1e}"
    )


def _truncation_error(
    basis: Basis,
    coefs: Coefficients,
    left: NDArray[Any],
    right: NDArray[Any],
    tails: list[tuple[float, float]],
) -> float:
    overlap = abs(left @ right)
    edge = float(np.sum(np.abs(coefs[1:7]))) * basis.l_max + abs(coefs[0]) * basis.l_max**2
    edge += float(np.sum(np.abs(coefs[7:])))
    # the error of a Galerkin eigenvalue is bilinear in the errors of its two eigenvectors
    product = max(tails[0]) * max(tails[1])
    # an eigenvector that is a polynomial has no tail: its derivative in k has one all the same
    product = max(product, 1e-4 * max(max(t) for t in tails) ** 2)
    product *= float(np.max(np.abs(left)) * np.max(np.abs(right))) * (2 * basis.m_max + 1)
    return float(edge * product / overlap)


def _eigenpair(
    basis: Basis, coefs: Coefficients, bound: float
) -> tuple[Any, NDArray[Any], NDArray[Any], float]:
    """Eigenvalue, left and right eigenvectors and rounding error of the eigenvalue.

    Arnoldi from the bound, then a last step of inverse iteration on both sides.
    """
    diffusion = float(coefs[LAPLACIAN].real)
    shift = bound + 1e-3 * (abs(bound) + diffusion)
    matrix = operator_stack(basis, active_operators(coefs)).matrix(coefs)
    value, right = _nearest(matrix, factorise(basis, coefs, shift=shift), shift)
    left = np.zeros(basis.size)
    left[0] = 1.0
    for _ in range(LAST_STEPS):
        factors = factorise(basis, coefs, shift=value)
        right = _normed(factors.solve(right))
        left = _normed(factors.solve(left, transposed=True))
        left = _normed(factors.solve(left, transposed=True))
        overlap = left @ right
        before, value = value, (left @ (matrix @ right)) / overlap
        if abs(value - before) <= 1e-7 * (abs(value) + diffusion):
            break
    rounding = np.finfo(float).eps * (np.abs(left) @ (abs(matrix) @ np.abs(right))) / abs(overlap)
    rests = matrix @ right - value * right, matrix.T @ left - value * left
    # a two-sided Rayleigh quotient is off by the product of both residuals over the gap
    rounding += np.linalg.norm(rests[0]) * np.linalg.norm(rests[1]) / (abs(overlap) * diffusion)
    return value, left, right, 2.0 * float(rounding)


def _nearest(matrix: Any, factors: BandFactors, shift: float) -> tuple[Any, NDArray[Any]]:
    """Eigenvalue nearest to the shift (if complex, of largest real part among the nearest)."""
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    size = matrix.shape[0]
    if size <= SMALL:
        values, vectors = np.linalg.eig(matrix.toarray())
    else:
        kind = factors.factors.dtype
        inverse = LinearOperator(matrix.shape, matvec=factors.solve, dtype=kind)
        start = np.zeros(size, dtype=kind)
        start[0] = 1.0
        count = 4 if kind.kind == "c" else 1
        try:
            values, vectors = eigs(
                matrix, k=count, sigma=shift, OPinv=inverse, v0=start, ncv=KRYLOV, tol=1e-6
            )
        except ArpackNoConvergence as problem:
            raise ResolutionError("the leading eigenvalue of a tilted generator") from problem
    best = int(np.argmax(values.real))
    if matrix.dtype.kind == "c":
        return complex(values[best]), vectors[:, best]
    return float(values[best].real), np.asarray(vectors[:, best].real)


def _normed(vector: NDArray[Any]) -> NDArray[Any]:
    # two steps, since a solve at an eigenvalue may come near to overflow
    vector = vector / np.max(np.abs(vector))
    return np.asarray(vector / np.linalg.norm(vector))


def slope(magnet: Magnet, setting: Setting, found: Leading, work: complex) -> tuple[Any, Any]:
    """Return the derivatives of lambda in k_W and k_S at the exponents of `found`."""
    first_W, first_S, second_W = counting_derivatives(magnet, setting.field, setting.spin_torque)
    overlap = found.left @ found.right
    out = []
    for part in (first_W + work * second_W, first_S):
        here = rotated(conjugated(part, found.gauge), found.frame)
        out.append(found.left @ (backward(found.basis, here) @ found.right) / overlap)
    return out[0], out[1]


def symmetry_residual(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: ArrayLike = 0.0,
    pumped_entropy: ArrayLike = 0.0,
    tolerance: float = TOLERANCE,
) -> NDArray[Any]:
    """Return lambda_H(k_W, k_S) - lambda_{-H}(-1 - k_W, -1 - k_S), zero by [I] 2.18.

    The two sides are computed independently. Arguments and shape as in `scgf`.
    """
    k_W, k_S = _exponents("work", work), _exponents("pumped_entropy", pumped_entropy)
    H = validation.vectors("field", field)
    here = scgf(magnet, H, spin_torque, work=k_W, pumped_entropy=k_S, tolerance=tolerance)
    there = scgf(
        magnet, -H, spin_torque, work=-1.0 - k_W, pumped_entropy=-1.0 - k_S, tolerance=tolerance
    )
    return np.asarray(here - there)


def detailed_balance_residual(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: complex = 0.0,
    pumped_entropy: complex = 0.0,
    l_max: int = 12,
) -> float:
    r"""Return how far the generator is from local detailed balance, [I] 2.17 and 2.18.

    A step weighted with :math:`e^{k_W\beta W + k_S S_P}` is the reversed step (n -> -n, H -> -H,
    ends exchanged) weighted with -1 - k, up to the Boltzmann factors of its ends. For generators,
    with the parity :math:`\Theta` and :math:`u = \beta m H`, this is the operator identity

    .. math:: e^{u\cdot n} M_H(k)\,e^{-u\cdot n} = \Theta\,M_{-H}(-1 - k)^T\,\Theta .

    Both sides are made as matrices of harmonics up to `l_max`.

    Returns
    -------
    float
        Largest difference of elements relative to the largest element: rounding, about 1e-16.
    """
    check_bath(magnet)
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    basis = Basis(l_max, l_max)
    here = coefficients(magnet, H, P, work=work, pumped_entropy=pumped_entropy)
    there = coefficients(magnet, -H, P, work=-1.0 - work, pumped_entropy=-1.0 - pumped_entropy)
    one = backward(basis, conjugated(here, magnet.beta * magnet.moment * H)).toarray()
    sign = (-1.0) ** basis.degrees
    other = sign[:, None] * backward(basis, there).toarray().T * sign
    return float(np.max(np.abs(one - other)) / np.max(np.abs(other)))


def cumulants(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: float = 0.0,
    pumped_entropy: float = 0.0,
    order: int = 4,
    tolerance: float = TOLERANCE,
) -> Floats:
    r"""Return the long-time cumulants per time of a combination of work and pumped entropy.

    Perturbation series of the eigenvalue along k(work, pumped_entropy): with
    :math:`A = \sum_j k^j A_j` the forward generator and a the left null vector of :math:`A_0`,
    :math:`(a, x_0) = 1`, :math:`(a, x_j) = 0`,

    .. math:: \lambda_n = (a, A_1 x_{n-1} + A_2 x_{n-2}), \qquad
       A_0 x_n = \sum_{j=1}^n \lambda_j x_{n-j} - A_1 x_{n-1} - A_2 x_{n-2} .

    Parameters
    ----------
    magnet, field, spin_torque, tolerance
        As in `steady_state`.
    work, pumped_entropy : float
        The combination work·beta W + pumped_entropy·S_P; for Sigma both are 1.
    order : int
        Highest cumulant.

    Returns
    -------
    ndarray, shape (order,)
        Mean, variance, third, ... cumulant per time.
    """
    check_bath(magnet)
    validation.positive_integer("order", order)
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    setting = settings(magnet, H[None], P[None])[0]
    first_W, first_S, second_W = counting_derivatives(magnet, setting.field, setting.spin_torque)
    first = work * first_W + pumped_entropy * first_S
    found = respond(setting, (first,), tolerance=tolerance)
    return _series(found, first, 0.5 * work**2 * second_W, order)


def _series(found: Responses, first: Coefficients, second: Coefficients, order: int) -> Floats:
    one, two = (backward(found.basis, conjugated(c, found.gauge)).T for c in (first, second))
    x, values = [found.root], [0.0]
    for n in range(1, order + 1):
        push = one @ x[n - 1]
        if n > 1:
            push = push + two @ x[n - 2]
        values.append(float(found.ones @ push))
        x.append(found.solve(sum(values[j] * x[n - j] for j in range(1, n + 1)) - push))
    # the last vector found does not enter a value any more
    tail = max(max(edge_tails(found.basis, v, np.finfo(float).tiny)) for v in x[:-1])
    if tail > SERIES_TAIL:
        raise ResolutionError(f"the series of cumulants has a tail of {tail:.1e} ({found.basis})")
    return np.array([factorial(n) * values[n] for n in range(1, order + 1)])


@dataclass(frozen=True)
class RateFunction:
    """Large-deviation rates of a time average.

    Attributes
    ----------
    values : ndarray, shape (...)
        Time averages a.
    rates : ndarray, shape (...)
        I(a) in 1/time: the density of a falls like exp(-tau I(a)). Infinite out of reach.
    exponents : ndarray, shape (...)
        k at which dlambda/dk = a; also I'(a). nan out of reach.
    """

    values: Floats
    rates: Floats
    exponents: Floats


def rate_function(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    functional: str,
    values: ArrayLike,
    *,
    tolerance: float = 1e-10,
) -> RateFunction:
    """Return the rate function of a functional's time average by Legendre transformation.

    Parameters
    ----------
    magnet : Magnet
    field, spin_torque : array_like, shape (3,)
    functional : {"work", "pumped_entropy", "entropy_production"}
    values : array_like, shape (...)
        Rates: W/tau in energy per time, S_P/tau or Sigma/tau in 1/time.
    tolerance : float
        Of the match dlambda/dk = a, relative to the standard deviation per unit time.

    Returns
    -------
    RateFunction

    Raises
    ------
    ValueError
        For an unknown functional or bad arguments, or without spin torque (nothing fluctuates).
    ResolutionError
        For values so far out that the tilted eigenfunctions cannot be resolved.
    """
    check_bath(magnet)
    if functional not in FUNCTIONALS:
        expected = " or ".join(repr(name) for name in FUNCTIONALS)
        raise ValueError(validation.complaint("functional", functional, expected))
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    if not np.any(P):
        raise ValueError(validation.complaint("spin_torque", P, "a vector that is not zero"))
    a = validation.real_array("values", values)
    setting = settings(magnet, H[None], P[None])[0]
    unit = magnet.beta if functional == "work" else 1.0
    top = np.inf
    if functional == "pumped_entropy":
        top = 2.0 * abs(magnet.gyromagnetic_ratio) * magnet.moment * float(np.linalg.norm(P))
    legendre = _Legendre(magnet, setting, FUNCTIONALS[functional], tolerance)
    pairs = np.array(
        [legendre(unit * x) if abs(x) < top else (np.inf, np.nan) for x in a.ravel()]
    ).reshape(*a.shape, 2)
    return RateFunction(a, pairs[..., 0], pairs[..., 1])


class _Legendre:
    """Solver of lambda'(k) = a along one direction of exponents."""

    def __init__(
        self, magnet: Magnet, setting: Setting, way: tuple[float, float], tolerance: float
    ) -> None:
        self.magnet, self.setting, self.way = magnet, setting, way
        self.known: dict[float, tuple[float, float]] = {}
        step = 1e-3
        self.mean = self.at(0.0)[1]
        self.spread = (self.at(step)[1] - self.at(-step)[1]) / (2.0 * step)
        self.tolerance = tolerance * np.sqrt(self.spread * abs(setting.coefs[LAPLACIAN]))

    def at(self, k: float) -> tuple[float, float]:
        """Return lambda and its derivative at exponent k."""
        if k not in self.known:
            work, pumped = k * self.way[0], k * self.way[1]
            found = leading(self.magnet, self.setting, work, pumped)
            in_work, in_pumped = slope(self.magnet, self.setting, found, work)
            gradient = self.way[0] * in_work + self.way[1] * in_pumped
            self.known[k] = float(found.value), float(gradient)
        return self.known[k]

    def __call__(self, a: float) -> tuple[float, float]:
        """Return I(a) and the exponent."""
        from scipy.optimize import brentq

        reach = (a - self.mean) / self.spread
        if abs(a - self.mean) <= self.tolerance:
            return 0.0, 0.0
        near, far = 0.0, reach
        while (self.at(far)[1] - a) * np.sign(reach) < 0.0:
            near, far = far, 2.0 * far
        size = max(abs(far), abs(near))
        k = float(brentq(lambda x: self.at(x)[1] - a, near, far, xtol=1e-10 * size, rtol=1e-12))
        # second order in the error of k, since dI/dk = 0 there
        return max(k * a - self.at(k)[0], 0.0), k
