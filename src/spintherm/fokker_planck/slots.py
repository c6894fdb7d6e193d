r"""Coefficient vectors: which operator each place belongs to, and the algebra of functions in them.

A generator is a combination of fixed operators. For uniform fields there are 17, `OPERATORS`.
A magnet with anisotropy :math:`E_a(n)` or with a torque whose strength depends on the angle adds
those of its `Landscape`: the surface field of the torque is a gradient,

.. math:: P_\perp(n) = \nabla\Phi(n), \qquad \Phi = P_0\,\mathcal G(n), \qquad
   \mathcal G = \sum s\,G(n\cdot\hat p), \quad G' = g ,

so that energy and torque lie in the span of five functions,
:math:`s = (n_x, n_y, n_z, E_a, \mathcal G)`. A function of this span is a vector of five weights.
With the bracket :math:`\{a, b\} = (n\times\nabla a)\cdot\nabla b`, antisymmetric, the operators

.. math:: \nabla a\cdot\nabla, \quad \{a, \cdot\}, \quad \Delta a, \quad
   \nabla a\cdot\nabla b, \quad \{a, b\}

(the last three are multiplications) are closed under transposition,
:math:`(\nabla a\cdot\nabla)^T = -\nabla a\cdot\nabla - \Delta a`, and under conjugation by an
exponential of the span. Every function here adds one of them to a coefficient vector of `LENGTH`
places.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

OPERATORS = (
    "laplacian",
    "gradient_x", "gradient_y", "gradient_z",
    "rotation_x", "rotation_y", "rotation_z",
    "one",
    "n_x", "n_y", "n_z",
    "n_xx", "n_yy", "n_zz", "n_xy", "n_xz", "n_yz",
)  # fmt: skip
"""Names of the operators that a coefficient vector multiplies, in its order."""

LANDSCAPE_OPERATORS = (
    "gradient_energy", "gradient_torque",
    "bracket_energy", "bracket_torque",
    "energy", "laplacian_energy", "laplacian_torque",
    "slope_energy_x", "slope_energy_y", "slope_energy_z",
    "slope_torque_x", "slope_torque_y", "slope_torque_z",
    "turn_energy_x", "turn_energy_y", "turn_energy_z",
    "turn_torque_x", "turn_torque_y", "turn_torque_z",
    "square_energy", "square_torque", "dot_both", "bracket_both",
)  # fmt: skip
"""Names of the operators of a landscape, which follow: ∇E·∇, ∇G·∇, {E,·}, {G,·} and the
multiplications by E, ΔE, ΔG, ∇_iE, ∇_iG, (n×∇E)_i, (n×∇G)_i, |∇E|², |∇G|², ∇E·∇G, {E, G}, with
E for E_a and G for the potential of the torque."""

LAPLACIAN, ONE = 0, 7
GRADIENT, ROTATION, LINEAR, QUADRATIC = slice(1, 4), slice(4, 7), slice(8, 11), slice(11, 17)
UNIFORM = len(OPERATORS)
LENGTH = UNIFORM + len(LANDSCAPE_OPERATORS)
OPERATOR_NAMES = OPERATORS + LANDSCAPE_OPERATORS
PLACES = {name: UNIFORM + i for i, name in enumerate(LANDSCAPE_OPERATORS)}

GRADIENTS = (PLACES["gradient_energy"], PLACES["gradient_torque"])
BRACKETS = (PLACES["bracket_energy"], PLACES["bracket_torque"])
ENERGY = PLACES["energy"]
LAPLACIANS = (PLACES["laplacian_energy"], PLACES["laplacian_torque"])
SLOPES = tuple(
    slice(PLACES[f"slope_{name}_x"], PLACES[f"slope_{name}_x"] + 3) for name in ("energy", "torque")
)
TURNS = tuple(
    slice(PLACES[f"turn_{name}_x"], PLACES[f"turn_{name}_x"] + 3) for name in ("energy", "torque")
)
SQUARES = (PLACES["square_energy"], PLACES["square_torque"])
DOT_BOTH, BRACKET_BOTH = PLACES["dot_both"], PLACES["bracket_both"]
OF_TORQUE = tuple(
    place for name, place in PLACES.items() if "torque" in name or name.endswith("both")
)

Coefficients: TypeAlias = NDArray[Any]  # real, or complex for complex exponents
Weights: TypeAlias = NDArray[Any]  # (..., 5) of n_x, n_y, n_z, E_a and the torque's potential


def products(a: Any, b: Any) -> NDArray[Any]:
    """Coefficients of (n·a)(n·b) in n_xx, n_yy, n_zz, n_xy, n_xz, n_yz."""
    ax, ay, az = np.moveaxis(a, -1, 0)
    bx, by, bz = np.moveaxis(b, -1, 0)
    terms = (ax * bx, ay * by, az * bz, ax * by + ay * bx, ax * bz + az * bx, ay * bz + az * by)
    return np.stack(np.broadcast_arrays(*terms), axis=-1)


def add_gradient(out: Coefficients, a: Weights) -> None:
    """Add ∇a·∇."""
    out[..., GRADIENT] += a[..., :3]
    for k, place in enumerate(GRADIENTS):
        out[..., place] += a[..., 3 + k]


def add_bracket(out: Coefficients, a: Weights) -> None:
    """Add {a,·}; for a = r·n it is -r·(n×∇)."""
    out[..., ROTATION] -= a[..., :3]
    for k, place in enumerate(BRACKETS):
        out[..., place] += a[..., 3 + k]


def add_laplacian(out: Coefficients, a: Weights) -> None:
    """Add the multiplication by Δa."""
    out[..., LINEAR] -= 2.0 * a[..., :3]
    for k, place in enumerate(LAPLACIANS):
        out[..., place] += a[..., 3 + k]


def add_dot(out: Coefficients, a: Weights, b: Weights) -> None:
    """Add the multiplication by ∇a·∇b."""
    out[..., ONE] += np.sum(a[..., :3] * b[..., :3], axis=-1)
    out[..., QUADRATIC] -= products(a[..., :3], b[..., :3])
    for k in range(2):
        out[..., SLOPES[k]] += a[..., :3] * b[..., [3 + k]] + a[..., [3 + k]] * b[..., :3]
        out[..., SQUARES[k]] += a[..., 3 + k] * b[..., 3 + k]
    out[..., DOT_BOTH] += a[..., 3] * b[..., 4] + a[..., 4] * b[..., 3]


def add_bracket_of(out: Coefficients, a: Weights, b: Weights) -> None:
    """Add the multiplication by {a, b}; {r·n, f} is -r·(n×∇f)."""
    out[..., LINEAR] += np.cross(a[..., :3], b[..., :3])
    for k in range(2):
        out[..., TURNS[k]] += a[..., [3 + k]] * b[..., :3] - a[..., :3] * b[..., [3 + k]]
    out[..., BRACKET_BOTH] += a[..., 3] * b[..., 4] - a[..., 4] * b[..., 3]


def gradient_weights(coefs: Coefficients) -> Weights:
    """Return the function u of the span in ∇u·∇, shape (..., 5)."""
    return np.concatenate([coefs[..., GRADIENT], coefs[..., list(GRADIENTS)]], axis=-1)


def bracket_weights(coefs: Coefficients) -> Weights:
    """Return the function v of the span in {v,·}, shape (..., 5)."""
    return np.concatenate([-coefs[..., ROTATION], coefs[..., list(BRACKETS)]], axis=-1)
