r"""The generator of the stochastic Landau-Lifshitz-Slonczewski equation on the unit sphere.

With n = m/|m|, uniform field H and spin torque P, the drift of [I] 2.6 is precession about
:math:`H_p = H - (\eta m^2/\gamma_0)P` and damping towards :math:`H_d = H + (\gamma_0/\eta)P`
(for P parallel to H this is [II] 12-13). Mean values f(n) obey :math:`\dot f = M f` with the
backward generator, and densities per unit solid angle :math:`\dot p = M^T p`:

.. math:: M = \gamma_0 H_p\cdot(n\times\nabla) + \eta m H_d\cdot\nabla + \eta T\Delta .

Counting :math:`k_W \beta W + k_S S_P` along a path tilts it (Feynman-Kac). The work
:math:`dW = -m\cdot dH + (m\times P)\circ dm`, [I] 3.3a, has the drift
:math:`w = v\cdot(m\times P) - m\cdot\dot H`, the quadratic variation
:math:`2\eta T|m\times(m\times P)|^2` and the covariation
:math:`2\eta T\,m^2(n\times P)\cdot\nabla f = -2\eta T m^2 P\cdot(n\times\nabla)f` with f(n), and
:math:`dS_P = 2\gamma_0\,m\cdot P\,dt`, [I] 3.9, so that

.. math:: M(k) = M + k_W\beta\,[w - 2\eta T m^2 P\cdot(n\times\nabla)]
   + k_W^2\beta\,\eta\,m^4[P^2 - (n\cdot P)^2] + 2 k_S\gamma_0\,m\,n\cdot P,

.. math:: v\cdot(m\times P) = -\gamma_0 m^2[H\cdot P - (n\cdot H)(n\cdot P)]
   + \eta m^3\,n\cdot(P\times H) + \eta m^4[P^2 - (n\cdot P)^2].

Every such operator is a combination of the fixed `OPERATORS`. A point in parameter space is the
vector of its coefficients, shape (..., len(OPERATORS)), made by `coefficients`; transposition,
parity and conjugation by an exponential act on that vector (`adjoint`, `reflected`,
`conjugated`); `backward` and `forward` turn it into a sparse matrix in a `Basis`.

With anisotropy, and with a torque whose strength depends on the angle, let
:math:`E = -m H\cdot n + E_a` and :math:`P_\perp = \nabla\Phi` (`slots`). Then [I] 2.6 is, derived
here, the motion of n by gradient and bracket,

.. math:: \dot n = \nabla U + n\times\nabla V, \qquad U = -\eta E + \gamma_0 m\Phi, \qquad
   V = \frac{\gamma_0}{m}E + \eta m^2\Phi ,

so that :math:`M = \eta T\Delta + \nabla U\cdot\nabla + \{V,\cdot\}`. The torque does the work
:math:`m^2(n\times\nabla\Phi)\circ dn`, which is its Itô form as well, for the field
:math:`n\times\nabla\Phi` has no divergence, and the pumped entropy is minus the divergence of the
reversible drift :math:`\gamma_0 m\nabla\Phi`:

.. math:: M(k) = M + k_W\beta[w + 2\eta T m^2\{\Phi,\cdot\}]
   + k_W^2\beta\eta m^4|\nabla\Phi|^2 - k_S\gamma_0 m\,\Delta\Phi, \qquad
   w = m^2\nabla\Phi\cdot\nabla V - \eta m^2\{\Phi, E\} - m\,n\cdot\dot H .

The vectors then have `slots.LENGTH` places, and matrices need the `Landscape` besides.

Coefficients have the unit of a rate, 1/time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm.fokker_planck.harmonics import (
    Basis,
    Floats,
    Ints,
    Sparse,
    gradient,
    kept,
    laplacian,
    multiplication,
    quadratic,
    rotation,
)
from spintherm.fokker_planck.landscape import Landscape, combined
from spintherm.fokker_planck.slots import (
    BRACKETS,
    GRADIENT,
    GRADIENTS,
    LAPLACIAN,
    LAPLACIANS,
    LENGTH,
    LINEAR,
    OF_TORQUE,
    ONE,
    OPERATOR_NAMES,
    OPERATORS,
    QUADRATIC,
    ROTATION,
    UNIFORM,
    Coefficients,
    Weights,
    add_bracket,
    add_bracket_of,
    add_dot,
    add_gradient,
    add_laplacian,
    bracket_weights,
    gradient_weights,
)
from spintherm.fokker_planck.slots import products as _products

if TYPE_CHECKING:
    from spintherm.magnet import Magnet

__all__ = [
    "GRADIENT",
    "LAPLACIAN",
    "LENGTH",
    "LINEAR",
    "ONE",
    "OPERATORS",
    "QUADRATIC",
    "ROTATION",
    "Coefficients",
    "OperatorStack",
    "ResolutionError",
    "active_operators",
    "adjoint",
    "applied_to_one",
    "backward",
    "coefficients",
    "conjugated",
    "counting_derivatives",
    "forward",
    "integrals",
    "length_of",
    "multiplied_at",
    "operator_stack",
    "polynomials",
    "reflected",
    "rotated",
    "span_weights",
    "uniform_density",
]


FULL_DEGREE, SMALL = 6, 100
"""Degree of a torque's potential, and size of a basis, above which its matrices count as full."""


class ResolutionError(RuntimeError):
    """The density cannot be resolved: the harmonics needed exceed what was allowed."""


def coefficients(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    work: ArrayLike = 0.0,
    pumped_entropy: ArrayLike = 0.0,
    field_rate: ArrayLike = (0.0, 0.0, 0.0),
) -> Coefficients:
    """Coefficients of the (tilted) backward generator.

    Parameters
    ----------
    magnet : Magnet
        Temperature above zero where `work` is used.
        With anisotropy or polarisers: `landscape.reduced` and turned to the frame of the operators.
    field, spin_torque : array_like, shape (..., 3)
        H and P, in any orthonormal frame; the operators refer to the same frame.
    work, pumped_entropy : array_like, shape (...), real or complex
        Dimensionless exponents: `work` multiplies beta W, `pumped_entropy` multiplies S_P.
    field_rate : array_like, shape (..., 3)
        dH/dt, needed for the work of a changing field.

    Returns
    -------
    ndarray, shape (..., 17), or (..., `LENGTH`) for a magnet with a landscape
        The leading shapes broadcast. Complex if an exponent is.
    """
    H, P, rate = (np.asarray(a, dtype=float) for a in (field, spin_torque, field_rate))
    k_W, k_S = np.asarray(work), np.asarray(pumped_entropy)
    if not magnet.is_uniform:
        return _with_landscape(magnet, H, P, k_W, k_S, rate)
    m, g, eta, T = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping, magnet.temperature
    shape = np.broadcast_shapes(H.shape[:-1], P.shape[:-1], rate.shape[:-1], k_W.shape, k_S.shape)
    out = np.zeros((*shape, len(OPERATORS)), dtype=np.result_type(k_W, k_S, float))
    out[..., LAPLACIAN] = eta * T
    out[..., GRADIENT] = eta * m * H + g * m * P
    out[..., ROTATION] = g * H - eta * m**2 * P
    out[..., LINEAR] = 2.0 * g * m * k_S[..., None] * P
    if np.any(k_W):
        first, second = _work_derivatives(magnet, H, P)
        k = k_W[..., None]
        out += k * first + (0.5 * k**2) * second
        out[..., LINEAR] -= k * (m / T) * rate
    return out


def counting_derivatives(
    magnet: Magnet, field: ArrayLike, spin_torque: ArrayLike
) -> tuple[Coefficients, Coefficients, Coefficients]:
    """Derivatives of `coefficients` at k = 0 in the exponents of beta W and S_P.

    Parameters
    ----------
    magnet, field, spin_torque
        As in `coefficients`, at constant field.

    Returns
    -------
    tuple of ndarray, shape (..., 17) each
        dM/dk_W, dM/dk_S and d²M/dk_W²; the other second derivatives vanish.
    """
    H, P = np.asarray(field, dtype=float), np.asarray(spin_torque, dtype=float)
    if not magnet.is_uniform:
        return _landscape_derivatives(magnet, H, P)
    first, second = _work_derivatives(magnet, H, P)
    pumped = np.zeros_like(first)
    pumped[..., LINEAR] = 2.0 * magnet.gyromagnetic_ratio * magnet.moment * P
    return first, pumped, second


def _work_derivatives(
    magnet: Magnet, field: Floats, spin_torque: Floats
) -> tuple[Coefficients, Coefficients]:
    """First and second derivative in k_W at k_W = 0 and constant field."""
    H, P, beta = field, spin_torque, 1.0 / magnet.temperature
    m, g, eta = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping
    turned, damped = beta * g * m**2, beta * eta * m**4
    shape = np.broadcast_shapes(H.shape[:-1], P.shape[:-1])
    first, second = np.zeros((2, *shape, len(OPERATORS)))
    first[..., ROTATION] = -2.0 * eta * m**2 * P
    first[..., LINEAR] = beta * eta * m**3 * np.cross(P, H)
    first[..., ONE] = damped * np.sum(P * P, -1) - turned * np.sum(H * P, -1)
    first[..., QUADRATIC] = turned * _products(H, P) - damped * _products(P, P)
    second[..., ONE] = 2.0 * damped * np.sum(P * P, -1)
    second[..., QUADRATIC] = -2.0 * damped * _products(P, P)
    return first, second


def length_of(magnet: Magnet) -> int:
    """Return the length of the coefficient vectors of a reduced magnet."""
    return UNIFORM if magnet.is_uniform else LENGTH


def span_weights(magnet: Magnet, field: Floats, spin_torque: Floats) -> tuple[Weights, Weights]:
    """Return E and Φ in the span of `slots`, shapes (..., 5), for a reduced magnet in its frame."""
    energy = np.zeros((*field.shape[:-1], 5))
    torque = np.zeros((*spin_torque.shape[:-1], 5))
    energy[..., :3] = -magnet.moment * field
    energy[..., 3] = 0.0 if magnet.anisotropy is None else 1.0
    if magnet.polarisers:
        torque[..., 4] = spin_torque @ magnet.polarisers[0].vector
    else:
        torque[..., :3] = spin_torque
    return energy, torque


def _with_landscape(
    magnet: Magnet,
    field: Floats,
    spin_torque: Floats,
    k_W: NDArray[Any],
    k_S: NDArray[Any],
    rate: Floats,
) -> Coefficients:
    m, g, eta, T = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping, magnet.temperature
    energy, torque = span_weights(magnet, field, spin_torque)
    shape = np.broadcast_shapes(
        energy.shape[:-1], torque.shape[:-1], rate.shape[:-1], k_W.shape, k_S.shape
    )
    out = np.zeros((*shape, LENGTH), dtype=np.result_type(k_W, k_S, float))
    out[..., LAPLACIAN] = eta * T
    add_gradient(out, g * m * torque - eta * energy)
    add_bracket(out, (g / m) * energy + eta * m**2 * torque)
    if np.any(k_W) or np.any(k_S):
        first, pumped, second = _landscape_derivatives(magnet, field, spin_torque)
        k = k_W[..., None]
        out += k * first + (0.5 * k**2) * second + k_S[..., None] * pumped
        out[..., LINEAR] -= k * (m / T) * rate
    return out


def _landscape_derivatives(
    magnet: Magnet, field: Floats, spin_torque: Floats
) -> tuple[Coefficients, Coefficients, Coefficients]:
    """First derivatives in k_W and k_S and the second in k_W, at constant field."""
    m, g, eta, T = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping, magnet.temperature
    energy, torque = span_weights(magnet, field, spin_torque)
    shape = np.broadcast_shapes(energy.shape[:-1], torque.shape[:-1])
    first, pumped, second = np.zeros((3, *shape, LENGTH))
    add_bracket(first, 2.0 * eta * m**2 * torque)
    add_dot(first, (g * m / T) * torque, energy)
    add_dot(first, (eta * m**4 / T) * torque, torque)
    add_bracket_of(first, (eta * m**2 / T) * energy, torque)
    add_dot(second, (2.0 * eta * m**4 / T) * torque, torque)
    add_laplacian(pumped, -g * m * torque)
    return first, pumped, second


def adjoint(coefs: Coefficients) -> Coefficients:
    """Coefficients of the transposed operator: grad -> -grad + 2n, R -> -R."""
    out = coefs.copy()
    out[..., GRADIENT] *= -1.0
    out[..., ROTATION] *= -1.0
    out[..., LINEAR] += 2.0 * coefs[..., GRADIENT]
    if out.shape[-1] > UNIFORM:
        for gradient_place, change, bracket_place in zip(
            GRADIENTS, LAPLACIANS, BRACKETS, strict=True
        ):
            out[..., gradient_place] *= -1.0
            out[..., change] -= coefs[..., gradient_place]
            out[..., bracket_place] *= -1.0
    return out


def reflected(coefs: Coefficients) -> Coefficients:
    """Coefficients of the operator seen through n -> -n: grad and n change sign.

    For vectors of 17 places; a landscape is not of one parity.
    """
    out = coefs.copy()
    out[..., GRADIENT] *= -1.0
    out[..., LINEAR] *= -1.0
    return out


def conjugated(coefs: Coefficients, vector: ArrayLike) -> Coefficients:
    r"""Coefficients of :math:`e^{u\cdot n} M e^{-u\cdot n}`, u = `vector` of shape (..., 3).

    From :math:`\nabla\to\nabla - u_\perp`: :math:`\Delta\to\Delta - 2u\cdot\nabla + 2u\cdot n +
    u^2 - (u\cdot n)^2`, :math:`d\cdot\nabla\to d\cdot\nabla - d\cdot u + (d\cdot n)(u\cdot n)`,
    :math:`r\cdot(n\times\nabla)\to r\cdot(n\times\nabla) - n\cdot(u\times r)`.
    With a landscape u may have five weights, of a function of the span of `slots`.
    """
    u = np.asarray(vector, dtype=float)
    if coefs.shape[-1] > UNIFORM:
        return _conjugated_in_span(coefs, u)
    diffusion = coefs[..., LAPLACIAN][..., None]
    d, r = coefs[..., GRADIENT], coefs[..., ROTATION]
    out = np.broadcast_to(coefs, (*np.broadcast_shapes(coefs.shape[:-1], u.shape[:-1]), 17)).copy()
    out[..., GRADIENT] -= 2.0 * diffusion * u
    out[..., ONE] += np.sum((diffusion * u - d) * u, axis=-1)
    out[..., LINEAR] += 2.0 * diffusion * u - np.cross(u, r)
    out[..., QUADRATIC] += _products(d - diffusion * u, u)
    return out


def _conjugated_in_span(coefs: Coefficients, function: Weights) -> Coefficients:
    r"""Coefficients of :math:`e^\phi M e^{-\phi}` for a function of the span, (..., 3) or (..., 5).

    :math:`\Delta\to\Delta - 2\nabla\phi\cdot\nabla - \Delta\phi + |\nabla\phi|^2`,
    :math:`\nabla u\cdot\nabla\to\nabla u\cdot\nabla - \nabla u\cdot\nabla\phi`,
    :math:`\{v,\cdot\}\to\{v,\cdot\} - \{v,\phi\}`.
    """
    phi = np.zeros((*function.shape[:-1], 5))
    phi[..., : function.shape[-1]] = function
    diffusion = coefs[..., LAPLACIAN][..., None]
    u, v = gradient_weights(coefs), bracket_weights(coefs)
    shape = np.broadcast_shapes(coefs.shape[:-1], phi.shape[:-1])
    out = np.broadcast_to(coefs, (*shape, LENGTH)).copy()
    add_gradient(out, -2.0 * diffusion * phi)
    add_laplacian(out, -diffusion * phi)
    add_dot(out, diffusion * phi - u, phi)
    add_bracket_of(out, -v, phi)
    return out


def rotated(coefs: Coefficients, frame: Floats) -> Coefficients:
    """Coefficients in new axes; the rows of `frame` (3, 3) are the new axes in the old ones.

    For vectors of 17 places; a landscape turns with its magnet.
    """
    out = coefs.copy()
    for part in (GRADIENT, ROTATION, LINEAR):
        out[..., part] = coefs[..., part] @ frame.T
    if np.any(coefs[..., QUADRATIC]):
        xx, yy, zz, xy, xz, yz = np.moveaxis(coefs[..., QUADRATIC], -1, 0)
        rows = ((xx, xy / 2, xz / 2), (xy / 2, yy, yz / 2), (xz / 2, yz / 2, zz))
        q = frame @ np.stack([np.stack(row, -1) for row in rows], -2) @ frame.T
        pairs = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))
        out[..., QUADRATIC] = np.stack(
            [q[..., i, j] * (1.0 if i == j else 2.0) for i, j in pairs], axis=-1
        )
    return out


@dataclass(frozen=True)
class OperatorStack:
    """Some of the operators in one basis, on their common sparsity pattern.

    A combination costs one small matrix-vector product and no search.

    Attributes
    ----------
    basis : Basis
    active : tuple of int
        Places in `OPERATORS` of the operators held.
    indices, indptr : ndarray
        Common CSR pattern, columns sorted.
    data : ndarray, shape (len(active), nnz)
        Values of each operator on the pattern.
    """

    basis: Basis
    active: tuple[int, ...]
    indices: NDArray[Any]
    indptr: NDArray[Any]
    data: Floats

    @cached_property
    def rows(self) -> Ints:
        """Row of every stored element."""
        return np.repeat(np.arange(self.basis.size), np.diff(self.indptr))

    @cached_property
    def bandwidth(self) -> int:
        """Largest |row - column|; the patterns are structurally symmetric."""
        return int(np.max(np.abs(self.rows - self.indices), initial=0))

    def values(self, coefs: Coefficients) -> NDArray[Any]:
        """Elements of the combination on the pattern, for one coefficient vector (17,)."""
        return np.asarray(coefs[..., list(self.active)] @ self.data)

    def matrix(self, coefs: Coefficients) -> Sparse:
        """Return the combination as a CSR array of shape (size, size)."""
        from scipy.sparse import csr_array

        size = self.basis.size
        parts = (self.values(coefs), self.indices.copy(), self.indptr.copy())
        return csr_array(parts, shape=(size, size))


def _operator(basis: Basis, place: int) -> Sparse:
    from scipy.sparse import diags_array

    if place == LAPLACIAN:
        return diags_array(laplacian(basis)).tocsr()
    if place == ONE:
        return diags_array(np.ones(basis.size)).tocsr()
    for part, family in (
        (GRADIENT, gradient),
        (ROTATION, rotation),
        (LINEAR, multiplication),
        (QUADRATIC, quadratic),
    ):
        if part.start <= place < part.stop:
            return family(basis)[place - part.start]
    raise ValueError(f"no operator at place {place}")


@kept
def operator_stack(basis: Basis, active: tuple[int, ...]) -> OperatorStack:
    """Return the operators at the places `active` of `OPERATORS`, on their common pattern (cached).

    The diagonal always belongs to the pattern, so that a shift can be added in place.
    """
    size = basis.size
    keys, values = [], []
    for place in active:
        coo = _operator(basis, place).tocoo()
        rows, columns = coo.coords
        keys.append(rows.astype(np.int64) * size + columns)
        values.append(coo.data)
    diagonal = np.arange(size, dtype=np.int64) * (size + 1)
    pattern = np.sort(np.concatenate([diagonal, *keys]))
    pattern = pattern[np.diff(pattern, prepend=-1) > 0]  # np.unique hashes, which is slower
    data = np.zeros((len(active), len(pattern)))
    for row, key, value in zip(data, keys, values, strict=True):
        row[np.searchsorted(pattern, key)] = value
    indptr = np.searchsorted(pattern, np.arange(size + 1, dtype=np.int64) * size)
    indices = (pattern % size).astype(np.int32)
    return OperatorStack(basis, active, indices, indptr.astype(np.int32), data)


def active_operators(coefs: Coefficients) -> tuple[int, ...]:
    """Places of the operators with a coefficient that is not zero, in any of the vectors."""
    used = np.any(coefs.reshape(-1, coefs.shape[-1]) != 0.0, axis=0)
    return tuple(int(i) for i in np.flatnonzero(used))


def backward(basis: Basis, coefs: Coefficients, landscape: Landscape | None = None) -> Sparse:
    """Backward generator M as a CSR array: d<f>/dt = <M f>, for one vector of coefficients.

    A vector longer than 17 needs the landscape.
    """
    if landscape is not None and basis.size > SMALL and _is_full(coefs, landscape):
        from spintherm.fokker_planck.transforms import full_matrix

        if np.iscomplexobj(coefs):
            real, imaginary = (np.ascontiguousarray(part) for part in (coefs.real, coefs.imag))
            return backward(basis, real, landscape) + 1j * backward(basis, imaginary, landscape)
        return full_matrix(basis, landscape, coefs.tobytes())
    uniform = coefs[..., :UNIFORM]
    matrix = operator_stack(basis, active_operators(uniform)).matrix(uniform)
    return matrix if landscape is None else matrix + combined(basis, landscape, coefs)


def _is_full(coefs: Coefficients, landscape: Landscape) -> bool:
    """Whether a torque of high degree makes the matrix of a coefficient vector full."""
    return landscape.degrees[1] > FULL_DEGREE and bool(np.any(coefs[..., list(OF_TORQUE)] != 0.0))


def forward(basis: Basis, coefs: Coefficients, landscape: Landscape | None = None) -> Sparse:
    """Forward (Fokker-Planck) generator, the transpose of `backward`: dp/dt = forward @ p."""
    return backward(basis, coefs, landscape).T.tocsr()


def uniform_density(basis: Basis) -> Floats:
    """Coefficients of the uniform density 1/(4 pi) per unit solid angle, shape (size,)."""
    out = np.zeros(basis.size)
    out[0] = 1.0 / np.sqrt(4.0 * np.pi)
    return out


@kept
def polynomials(basis: Basis) -> Floats:
    """Harmonic coefficients of 1, n_x, n_y, n_z, n_x², n_y², n_z², n_xn_y, n_xn_z, n_yn_z.

    For density coefficients p, ``polynomials(basis) @ p`` are the mean values (1, <n>, <nn>);
    parts of order above ``m_max`` are left out. Shape (10, size).
    """
    small = Basis(min(basis.l_max, 2), min(basis.m_max, 2))
    parts = [matrix[[0]].toarray()[0] for matrix in (*multiplication(small), *quadratic(small))]
    rows = np.sqrt(4.0 * np.pi) * np.stack([np.eye(small.size)[0], *parts])
    return small.embed(rows, basis)


def integrals(basis: Basis) -> Floats:
    """Row vectors that integrate 1, n_x, n_y, n_z against coefficients, shape (4, size).

    For density coefficients c, ``integrals(basis) @ c`` is (1, <n_x>, <n_y>, <n_z>). Orders that
    the basis does not hold integrate to zero.
    """
    return polynomials(basis)[:4]


def multiplied_at(coefs: Coefficients, landscape: Landscape | None, n: Floats) -> NDArray[Any]:
    """Values of M 1 at unit vectors (..., 3), for one vector of coefficients."""
    out = coefs[ONE] + n @ coefs[LINEAR]
    square = coefs[QUADRATIC]
    if np.any(square):
        x, y, z = np.moveaxis(n, -1, 0)
        pairs = (x * x, y * y, z * z, x * y, x * z, y * z)
        out = out + sum(q * pair for q, pair in zip(square, pairs, strict=True))
    if landscape is not None:
        for place in active_operators(coefs):
            if place > BRACKETS[-1]:
                out = out + coefs[place] * landscape.values(OPERATOR_NAMES[place], n)
    return np.asarray(out)


def applied_to_one(
    basis: Basis, coefs: Coefficients, landscape: Landscape | None = None
) -> NDArray[Any]:
    """Harmonic coefficients of M 1, a multiplication, shape (size,)."""
    if landscape is not None:
        from spintherm.fokker_planck.transforms import function_coefficients

        return function_coefficients(basis, landscape, coefs)
    weights = np.concatenate([coefs[ONE : ONE + 1], coefs[LINEAR], coefs[QUADRATIC]])
    return np.asarray(weights @ polynomials(basis))
