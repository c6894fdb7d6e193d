r"""Gilbert's equation in the form that the engines solve, with nothing neglected.

With n = m/|m|, Gilbert damping α, a damping-like torque field a and a field-like one b along p,

.. math::
    \dot n = -\gamma\mu_0\, n\times G + \alpha\, n\times\dot n, \qquad
    G = H + a\, n\times p + b\, p .

Derivation: n×(n×ṅ) = -ṅ because n·ṅ = 0. Insert the equation into its own last term:

.. math::
    (1 + \alpha^2)\,\dot n = -\gamma\mu_0\,[\,n\times G + \alpha\, n\times(n\times G)\,] .

[I] 2.6, ṅ = -γ₀ n×(H + m×P) - η|m| n×(n×(H + m×P)), is the same equation with

    γ₀ = γμ₀/(1 + α²),   η|m| = αγ₀,   |m| P = a p,   H + b p in place of H ,

to all orders in α: [I] takes the torque as a field H + m×P in both terms, and so does Gilbert. A
positive a turns the moment towards p. There is no field-like remainder, and δ = η|m|/γ₀ = α.

Some authors add the torques to the equation after it has been solved for ṅ, i.e. with amplitudes
(a', b') in the Landau-Lifshitz form

.. math::
    \dot n = -\gamma_0\,[\,n\times H + \alpha\, n\times(n\times H)
             + a'\, n\times(n\times p) + b'\, n\times p\,] .

Expanding the Gilbert form with n×(n×(n×p)) = -n×p gives the rotation and its inverse,

    a' = a + αb,              b' = b - αa;
    a = (a' - αb')/(1 + α²),  b = (b' + αa')/(1 + α²) .

For torques whose amplitude depends on the angle both amplitudes have that dependence.

Units: any; the amplitudes are fields, γμ₀ a rate per field.
"""

from __future__ import annotations

from spintherm import validation


def landau_lifshitz_constants(
    gyromagnetic_ratio: float, gilbert_damping: float, moment: float = 1.0
) -> tuple[float, float]:
    """Return γ₀ and η of [I] 2.6 for Gilbert's γ and α.

    Parameters
    ----------
    gyromagnetic_ratio : float
        γ (or γμ₀), in rate per field, of Gilbert's equation.
    gilbert_damping : float
        α >= 0.
    moment : float
        |m|.

    Returns
    -------
    gyromagnetic_ratio, damping : float
        γ/(1 + α²) and αγ/((1 + α²)|m|), the parameters of `Magnet`.
    """
    gamma = validation.finite_scalar("gyromagnetic_ratio", gyromagnetic_ratio, nonzero=True)
    alpha = validation.finite_scalar("gilbert_damping", gilbert_damping, nonnegative=True)
    length = validation.finite_scalar("moment", moment, positive=True)
    reduced = gamma / (1.0 + alpha**2)
    return reduced, alpha * reduced / length


def landau_lifshitz_torque(
    damping_like: float, field_like: float, gilbert_damping: float
) -> tuple[float, float]:
    """Return (a', b') of the Landau-Lifshitz form for torques (a, b) of Gilbert's form.

    Parameters
    ----------
    damping_like, field_like : float
        a and b; `damping_like` is |m| P of the engines.
    gilbert_damping : float
        α >= 0.

    Returns
    -------
    damping_like, field_like : float
        a + αb and b - αa.
    """
    a, b, alpha = _checked(damping_like, field_like, gilbert_damping)
    return a + alpha * b, b - alpha * a


def gilbert_torque(
    damping_like: float, field_like: float, gilbert_damping: float
) -> tuple[float, float]:
    """Return (a, b) of Gilbert's form for torques (a', b') of the Landau-Lifshitz form.

    Parameters
    ----------
    damping_like, field_like : float
        a' and b'.
    gilbert_damping : float
        α >= 0.

    Returns
    -------
    damping_like, field_like : float
        a, which is |m| P of the engines, and b, a field along p.
    """
    a, b, alpha = _checked(damping_like, field_like, gilbert_damping)
    return (a - alpha * b) / (1.0 + alpha**2), (b + alpha * a) / (1.0 + alpha**2)


def _checked(a: float, b: float, alpha: float) -> tuple[float, float, float]:
    return (
        validation.finite_scalar("damping_like", a),
        validation.finite_scalar("field_like", b),
        validation.finite_scalar("gilbert_damping", alpha, nonnegative=True),
    )
