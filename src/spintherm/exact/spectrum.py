"""The axially symmetric spectrum: relaxation and counting as one self-adjoint band problem.

With c = n·h and the stationary density p ~ e^{ξc}, the backward generator over ηT is

    L f = (1/p) d/dc[(1 - c²) p df/dc] - k²/(1 - c²) f - i (ω/ηT) k f

for functions ~ e^{ikφ}, ω being the frequency of precession about h, which commutes with the rest.
Derivation of what is solved: f = g/√p makes it symmetric,

    -L → l(l + 1) + (ξ²/4)(1 - c²) - ξ c ,

and cos θ couples the normalised harmonic l only to l ± 1. The matrix has two bands; its truncation
is a Rayleigh-Ritz approximation, so that eigenvalues converge from above. Counting fields add
multiples of c and of 1 - c² (`CollinearSteadyState.scgf`). Eigenvalues are in units of ηT.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.validation import FloatArray


def relaxation_rate(xi: float, *, order: int = 0) -> float:
    """Return the slowest relaxation rate over ηT in a uniform field.

    Parameters
    ----------
    xi : float
        βmH, or βmH' with a parallel torque; the sign does not matter.
    order : int
        0 for the component along the field, 1 for the transverse ones, and so on.

    Returns
    -------
    float
        2 at ξ = 0; about 2|ξ| (order 0) and |ξ| (order 1) in strong fields.
    """
    return float(relaxation_rates(xi, order=order, count=1)[0])


def relaxation_rates(xi: float, *, order: int = 0, count: int = 1) -> FloatArray:
    """Return the slowest relaxation rates over ηT in a uniform field.

    Precession adds the imaginary part order·ω/(ηT) to each and changes nothing else.

    Parameters
    ----------
    xi : float
        βmH, or βmH' with a parallel torque.
    order : int
        Azimuthal number k >= 0.
    count : int
        How many.

    Returns
    -------
    ndarray, shape (count,)
        Increasing, without the zero of the stationary state. Relative error about
        1e-15 (1 + |ξ|).
    """
    x = abs(validation.finite_scalar("xi", xi))
    number = validation.positive_integer("count", count)
    if order < 0:
        raise ValueError(validation.complaint("order", order, "an integer >= 0"))
    skip = int(order == 0)
    values = lowest_eigenvalues(x, 0.25 * x**2, order=order, count=number + skip)
    return values[skip:]


def lowest_eigenvalues(
    cosine: float, sine_squared: float, *, order: int = 0, count: int = 1
) -> FloatArray:
    """Return the lowest eigenvalues of l(l + 1) + sine_squared (1 - c²) - cosine c.

    Parameters
    ----------
    cosine, sine_squared : float
        Coefficients.
    order : int
        Azimuthal number.
    count : int
        How many.

    Returns
    -------
    ndarray, shape (count,)
        Increasing.
    """
    from scipy.linalg import eigvals_banded

    bands = _bands(cosine, sine_squared, order, count)
    return np.asarray(eigvals_banded(bands, lower=True, select="i", select_range=(0, count - 1)))


def cosine_modes(xi: float, *, count: int = 40) -> tuple[FloatArray, FloatArray]:
    """Return the spectral resolution of the correlation function of c = n·h.

    ⟨c(t)c(0)⟩ - ⟨c⟩² = Σ weight e^{-rate ηT t} in the stationary state ~ e^{ξc}.

    Parameters
    ----------
    xi : float
        βmH'.
    count : int
        How many modes; the weights fall off faster than exponentially.

    Returns
    -------
    rates, weights : ndarray, shape (count,)
        Rates over ηT and weights, whose sum is the variance of c.
    """
    from scipy.linalg import eig_banded

    x = abs(validation.finite_scalar("xi", xi))
    bands = _bands(x, 0.25 * x**2, 0, count + 1)
    values, vectors = eig_banded(bands, lower=True, select="i", select_range=(0, count))
    coupling = _cosine_couplings(len(vectors), 0)[:-1, None]
    ground = vectors[:, :1]
    overlap = np.sum(coupling * (ground[1:] * vectors[:-1] + ground[:-1] * vectors[1:]), axis=0)
    return np.asarray(values[1:]), np.asarray(overlap[1:] ** 2)


def integrated_correlation(rate: ArrayLike, duration: ArrayLike) -> FloatArray:
    """Return 2∫₀^τ (τ - s) e^{-κs} ds = 2[τ/κ - (1 - e^{-κτ})/κ²].

    It is the variance of ∫₀^τ f dt if f is stationary with the correlation e^{-κ|t|}; [II] SI 41
    before its limit of long times.

    Parameters
    ----------
    rate, duration : array_like, shape (...)
        κ >= 0 and τ >= 0.

    Returns
    -------
    ndarray, shape (...)
        τ² for κτ ≪ 1, 2τ/κ for κτ ≫ 1.
    """
    tau = validation.real_array("duration", duration)
    x = validation.real_array("rate", rate) * tau
    small = np.where(x < 1.0, x, 0.0)
    large = np.where(x < 1.0, 1.0, x)
    series = np.ones_like(small)
    for k in range(20, 2, -1):  # 2(x - 1 + e^{-x})/x² = 1 - x/3 + x²/12 - ..., nested
        series = 1.0 - series * small / k
    direct = 2.0 * (large + np.expm1(-large)) / large**2
    return np.asarray(tau**2 * np.where(x < 1.0, series, direct))


def _bands(cosine: float, sine_squared: float, order: int, count: int) -> FloatArray:
    """Return diagonal and two lower bands, shape (3, n), with as many harmonics as are needed."""
    spread = abs(cosine) + 2.0 * np.sqrt(abs(sine_squared))
    size = 40 + 3 * count + int(8.0 * np.sqrt(spread))
    degree = np.arange(order, order + size, dtype=np.float64)
    a = _cosine_couplings(size, order)
    before = np.concatenate(([0.0], a[:-1]))
    bands = np.zeros((3, size))
    bands[0] = degree * (degree + 1.0) + sine_squared * (1.0 - a**2 - before**2)
    bands[1] = -cosine * a
    bands[2, :-1] = -sine_squared * a[:-1] * a[1:]
    return bands


def _cosine_couplings(size: int, order: int) -> FloatArray:
    """Return the matrix elements of cos θ between the normalised harmonics l and l + 1."""
    degree = np.arange(order, order + size, dtype=np.float64)
    above = (degree + 1.0) ** 2 - order**2
    return np.asarray(np.sqrt(above / ((2.0 * degree + 1.0) * (2.0 * degree + 3.0))))
