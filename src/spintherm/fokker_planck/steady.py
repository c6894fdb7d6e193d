r"""The steady state at constant field and spin torque, with its exact rates and noises.

The density solves :math:`M^T p = 0` with :math:`\int p\,d\Omega = 1`. Its moments give the rates

.. math:: \dot S_P = 2\gamma_0\,\langle m\rangle\cdot P, \qquad
   \dot S_B = \beta\,\langle v\cdot(m\times P)\rangle = \beta\dot W = -\beta\dot Q, \qquad
   \Sigma = \dot S_B + \dot S_P ,

[I] 3.9-3.11, [II] 6-8. For weak torques the two entropy rates cancel to first order. With
:math:`\langle M (n\cdot P)\rangle = 0` the sum becomes

.. math:: \Sigma = \frac{\beta m}{\eta}(\gamma_0^2 + \eta^2 m^2)
   \left[ m\,\langle |n\times P|^2\rangle + \langle n\rangle\cdot(P\times H)\right] ,

which does not, and is what is used here. With E and :math:`\Phi` of `generator` the same step,
:math:`\langle M\Phi\rangle = 0`, gives for every magnet

.. math:: \Sigma = \frac{\beta}{\eta}(\gamma_0^2 + \eta^2 m^2)
   \left[m^2\langle|\nabla\Phi|^2\rangle + \langle\{E, \Phi\}\rangle\right] .

The long-time (co)variances per time of work and pumped entropy are second derivatives of the
leading eigenvalue of the tilted generator M(k). With :math:`M_a`, :math:`M_{ab}` the derivatives
of M at k = 0, second-order perturbation theory gives

.. math:: \lambda_a = \langle M_a 1\rangle, \qquad
   \lambda_{ab} = \langle M_{ab}1\rangle + (M_a 1, h_b) + (M_b 1, h_a), \qquad
   M^T h_a = -(M_a^T - \lambda_a)\,p, \quad \int h_a\,d\Omega = 0

(`responses` solves this in a better conditioned form).
For pumped entropy :math:`M_S = 2\gamma_0 m\,n\cdot P` is a multiplication and this is the
Green-Kubo integral :math:`2\int_0^\infty C(t)\,dt`. The work has a martingale part as well: its
quadratic variation is :math:`\langle M_{WW}1\rangle` and its covariation with n the derivative
term in :math:`M_W`. Heat is :math:`Q = -W` up to the bounded energy change, so that its noise is
that of work.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display, validation
from spintherm.fokker_planck.axial import axial_problem
from spintherm.fokker_planck.generator import (
    LAPLACIAN,
    LINEAR,
    ROTATION,
    ResolutionError,
    applied_to_one,
    counting_derivatives,
    length_of,
    span_weights,
)
from spintherm.fokker_planck.harmonics import Floats
from spintherm.fokker_planck.resolution import TOLERANCE, Solution, resolve
from spintherm.fokker_planck.responses import Responses, respond
from spintherm.fokker_planck.setting import Setting, settings
from spintherm.fokker_planck.slots import Coefficients, add_bracket_of, add_dot
from spintherm.theory.phases import phase_of_rates

if TYPE_CHECKING:
    from spintherm.fokker_planck.correlation import CorrelationModel
    from spintherm.magnet import Magnet


LARGEST_NOISE_ERROR = 1e-3
AXIAL_ERROR = 1e-11  # of the quadratures of `axial`, measured


@dataclass(frozen=True)
class Rates:
    """Mean rates of a density (..., ), in the frame of its setting."""

    mean_direction: Floats
    pumped_entropy: float
    bath_entropy: float
    entropy_production: float


def rates(magnet: Magnet, setting: Setting, moments: Floats) -> Rates:
    """Return the mean direction and the entropy rates of a steady state.

    Parameters
    ----------
    magnet : Magnet
    setting : Setting
    moments : ndarray, shape (10,)
        Mean values of 1, n_x, n_y, n_z, n_x², n_y², n_z², n_xn_y, n_xn_z, n_yn_z.
    """
    n, P = moments[1:4], setting.spin_torque
    pumped = 2.0 * magnet.gyromagnetic_ratio * magnet.moment * float(n @ P)
    xx, yy, zz, xy, xz, yz = moments[4:]
    spread = np.eye(3) - np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    pull = setting.pull / setting.coefs[LAPLACIAN]
    if setting.axial and pull > 1.0:
        spread[2, 2] = 2.0 * n[2] / pull  # of exp(pull n_z): the same without cancellation
    r = setting.coefs[ROTATION]
    m, beta = magnet.moment, magnet.beta
    eta, g = magnet.damping, magnet.gyromagnetic_ratio
    lean = float(n @ np.cross(P, setting.field))
    bath = -beta * m**2 * (r @ spread @ P) + beta * eta * m**3 * lean
    produced = beta * m * (g**2 + (eta * m) ** 2) / eta * (m * (P @ spread @ P) + lean)
    return Rates(n, pumped, float(bath), float(produced))


def landscape_rates(setting: Setting, solution: Solution) -> Rates:
    """Return the mean direction and the entropy rates of a magnet with a landscape."""

    def mean(function: Coefficients) -> float:
        return float(applied_to_one(solution.basis, function, setting.landscape) @ solution.density)

    magnet = setting.magnet
    m, g, eta = magnet.moment, magnet.gyromagnetic_ratio, magnet.damping
    directions = np.zeros((3, length_of(magnet)))
    directions[:, LINEAR] = np.eye(3)
    work, pumped, _ = counting_derivatives(magnet, setting.field, setting.spin_torque)
    energy, torque = span_weights(magnet, setting.field, setting.spin_torque)
    produced = np.zeros(length_of(magnet))
    add_dot(produced, m**2 * torque, torque)
    add_bracket_of(produced, energy, torque)
    scale = magnet.beta * (g**2 + (eta * m) ** 2) / eta
    n = np.array([mean(direction) for direction in directions])
    return Rates(n, mean(pumped), mean(work), scale * mean(produced))


@dataclass(frozen=True, repr=False)
class SteadyState:
    """Steady state of a magnet at constant field and spin torque.

    Made by `steady_state`. Rates are per unit time; noises are long-time limits of Var/tau.

    Attributes
    ----------
    magnet : Magnet
    field, spin_torque : ndarray, shape (3,)
    mean_moment : ndarray, shape (3,)
        <m>.
    pumped_entropy_rate, bath_entropy_rate, entropy_production_rate : float
        Means of dS_P/dt, dS_B/dt and their sum.
    work_rate, heat_rate : float
        Mean work of the spin torque on the magnet and heat absorbed from the bath: they cancel.
    pumped_entropy_noise, work_noise, heat_noise, entropy_production_noise : float
        lim Var/tau of S_P, W, Q and beta W + S_P.
    covariance : ndarray, shape (3, 3)
        lim Cov/tau of (W, Q, S_P).
    uncertainty_ratio : float
        Delta_P Sigma/(2 dS_P/dt²); an overdamped current has at least 1. nan in equilibrium.
    phase : str
        "refrigerator", "heat pump", "dud" or "equilibrium".
    l_max, m_max : int
        Truncation used.
    tail : float
        Largest relative coefficient at its edge.
    noise_error : float
        Estimated relative rounding error of the noises.
    setting, solution, responses
        The frame, the density and the responses to counting, for the other tools of this folder.
    """

    magnet: Magnet
    field: Floats
    spin_torque: Floats
    mean_moment: Floats
    pumped_entropy_rate: float
    bath_entropy_rate: float
    entropy_production_rate: float
    covariance: Floats
    phase: str
    noise_error: float
    setting: Setting
    solution: Solution
    responses: Responses

    @property
    def work_rate(self) -> float:
        """Mean work of the spin torque on the magnet per time, T dS_B/dt."""
        return self.magnet.temperature * self.bath_entropy_rate

    @property
    def heat_rate(self) -> float:
        """Mean heat absorbed from the bath per time, -T dS_B/dt."""
        return -self.work_rate

    @property
    def pumped_entropy_noise(self) -> float:
        """Delta_P, [II] 9."""
        return float(self.covariance[2, 2])

    @property
    def work_noise(self) -> float:
        """Long-time Var W/tau."""
        return float(self.covariance[0, 0])

    @property
    def heat_noise(self) -> float:
        """Long-time Var Q/tau."""
        return float(self.covariance[1, 1])

    @property
    def entropy_production_noise(self) -> float:
        """Long-time variance per time of beta W + S_P."""
        beta, c = self.magnet.beta, self.covariance
        return float(beta**2 * c[0, 0] + 2.0 * beta * c[0, 2] + c[2, 2])

    @property
    def uncertainty_ratio(self) -> float:
        """Delta_P Sigma/(2 dS_P/dt²), at least 1 where the uncertainty relation holds."""
        if self.pumped_entropy_rate == 0.0:
            return np.nan if self.entropy_production_rate == 0.0 else np.inf
        product = self.pumped_entropy_noise * self.entropy_production_rate
        return product / (2.0 * self.pumped_entropy_rate**2)

    @property
    def l_max(self) -> int:
        """Largest degree of the harmonics used."""
        return self.solution.basis.l_max

    @property
    def m_max(self) -> int:
        """Largest order of the harmonics used; 0 where H and P are parallel."""
        return self.solution.basis.m_max

    @property
    def tail(self) -> float:
        """Largest coefficient at the edge of the truncation, relative to the largest of all."""
        return max(self.solution.tail, self.responses.tail)

    def density(self, directions: ArrayLike) -> Floats:
        """Return the probability density per unit solid angle.

        Parameters
        ----------
        directions : array_like, shape (..., 3)
            Unit vectors m/|m|.

        Returns
        -------
        ndarray, shape (...)
        """
        n = _unit(directions) @ self.setting.frame.T
        values: Floats = self.solution.basis.expand(self.solution.density, n)
        return values

    def currents(self, directions: ArrayLike) -> tuple[Floats, Floats]:
        """Return the reversible and irreversible probability currents, see `currents`."""
        from spintherm.fokker_planck.currents import currents

        return currents(self, _unit(directions))

    def spectrum(self, count: int = 6) -> Any:
        """Return the slowest non-zero eigenvalues, see `spectrum.spectrum`."""
        from spintherm.fokker_planck.spectrum import spectrum

        return spectrum(self.setting, self.solution.basis, count)

    def pumped_entropy_correlation(self, times: ArrayLike) -> Floats:
        """Return C(t) = <dS_P/dt(0) dS_P/dt(t)> - <dS_P/dt>².

        Parameters
        ----------
        times : array_like, shape (...)
            Not negative.
        """
        return self._correlation.correlation(times)

    def pumped_entropy_variance(self, durations: ArrayLike) -> Floats:
        """Return Var S_P over a time tau, exactly 2 int_0^tau (tau - s) C(s) ds.

        Parameters
        ----------
        durations : array_like, shape (...)
            tau, not negative.
        """
        return self._correlation.variance(durations)

    @cached_property
    def _correlation(self) -> CorrelationModel:
        from spintherm.fokker_planck.correlation import correlation_model

        return correlation_model(self.responses)

    def sample(self, size: int, rng: np.random.Generator) -> Floats:
        """Draw moments from the density.

        Parameters
        ----------
        size : int
        rng : numpy.random.Generator

        Returns
        -------
        ndarray, shape (size, 3)
            Vectors of length `magnet.moment`.
        """
        from spintherm.fokker_planck.sampling import sample

        count = validation.positive_integer("size", size)
        n = sample(self.solution.basis, self.solution.density, count, rng)
        moments: Floats = self.magnet.moment * (n @ self.setting.frame)
        return moments

    def to_dataset(self) -> Any:
        """Return an xarray.Dataset of the numbers above, with units and meanings."""
        from spintherm.fokker_planck.batch import dataset_of

        return dataset_of(self)

    def _repr_html_(self) -> str:
        return display.state_card(self)

    def __repr__(self) -> str:
        return (
            f"SteadyState: {self.phase}, <m> = {np.round(self.mean_moment, 6)},"
            f" resolved with l <= {self.l_max}, |m| <= {self.m_max} (tail {self.tail:.0e})\n"
            f"  entropy rates: pumped {self.pumped_entropy_rate:.6g},"
            f" bath {self.bath_entropy_rate:.6g}, produced {self.entropy_production_rate:.6g}\n"
            f"  pumped entropy noise {self.pumped_entropy_noise:.6g},"
            f" uncertainty ratio {self.uncertainty_ratio:.6g}"
        )


def steady_state(
    magnet: Magnet,
    field: ArrayLike,
    spin_torque: ArrayLike,
    *,
    tolerance: float = TOLERANCE,
    l_max: int | None = None,
    m_max: int | None = None,
) -> SteadyState:
    """Solve for the steady state at constant field and spin torque.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (3,)
        H and P.
    tolerance : float
        Largest allowed relative size of the harmonics at the edge of the truncation. Rates and
        noises are more accurate than that, because they need only l <= 2.
    l_max, m_max : int, optional
        Truncation; by default it grows until the tail is below the tolerance.

    Returns
    -------
    SteadyState

    Raises
    ------
    ValueError
        If an argument is not a finite vector, or the magnet has no bath (zero damping or
        temperature): then there is no unique smooth steady state.
    ResolutionError
        If the density cannot be resolved to the tolerance.
    """
    H, P = validation.vector("field", field), validation.vector("spin_torque", spin_torque)
    check_bath(magnet)
    check_truncation(tolerance, l_max, m_max)
    setting = settings(magnet, H[None], P[None])[0]
    return state_of(magnet, H, P, setting, tolerance=tolerance, l_max=l_max, m_max=m_max)


def state_of(
    magnet: Magnet,
    field: Floats,
    spin_torque: Floats,
    setting: Setting,
    *,
    tolerance: float,
    l_max: int | None = None,
    m_max: int | None = None,
) -> SteadyState:
    """Return the steady state of one setting, arguments checked."""
    work, pumped, second = counting_derivatives(setting.magnet, setting.field, setting.spin_torque)
    solution = resolve(setting, tolerance=tolerance, l_max=l_max, m_max=m_max)
    tilts = (work, pumped)
    found = respond(setting, tilts, tolerance=tolerance, l_max=l_max, m_max=m_max)
    error = found.error
    if setting.landscape is None:
        mean, noise = rates(magnet, setting, found.moments()), found.noise()
    else:
        mean, noise = landscape_rates(setting, solution), found.noise()
    if setting.landscape is not None and setting.axial:
        noise, error = axial_problem(setting).noise(tilts), AXIAL_ERROR
    noise[0, 0] += found.mean(second)
    if error > LARGEST_NOISE_ERROR:
        raise ResolutionError(
            f"rounding would leave the noise with a relative error of {error:.0e}: in these"
            f" fields the generator is too far from normal ({found.basis})"
        )
    T = magnet.temperature
    to_three = np.array([[T, 0.0], [-T, 0.0], [0.0, 1.0]])
    return SteadyState(
        magnet=magnet,
        field=field,
        spin_torque=spin_torque,
        mean_moment=magnet.moment * (mean.mean_direction @ setting.frame),
        pumped_entropy_rate=mean.pumped_entropy,
        bath_entropy_rate=mean.bath_entropy,
        entropy_production_rate=mean.entropy_production,
        covariance=to_three @ noise @ to_three.T,
        phase=_phase(mean),
        noise_error=error,
        setting=setting,
        solution=solution,
        responses=found,
    )


def _phase(mean: Rates) -> str:
    """Name of the phase; rates within rounding of the border count as zero."""
    size = abs(mean.pumped_entropy) + abs(mean.bath_entropy)
    least = max(1e-12 * abs(mean.entropy_production), 1e-14 * size)
    return str(phase_of_rates(mean.pumped_entropy, mean.bath_entropy, tolerance=least))


def check_bath(magnet: Magnet) -> None:
    """Raise ValueError unless damping and temperature are above zero."""
    for name in ("damping", "temperature"):
        value = getattr(magnet, name)
        if not value > 0.0:
            expected = "above zero: without a bath there is no unique smooth steady state"
            raise ValueError(validation.complaint(f"magnet.{name}", value, expected))


def check_truncation(tolerance: float, l_max: int | None, m_max: int | None) -> None:
    """Raise ValueError unless the numerical options make sense."""
    validation.finite_scalar("tolerance", tolerance, positive=True)
    if l_max is not None:
        validation.positive_integer("l_max", l_max)
    if m_max is not None and m_max < 0:
        raise ValueError(validation.complaint("m_max", m_max, "an integer >= 0"))


def _unit(directions: ArrayLike) -> Floats:
    n = validation.vectors("directions", directions)
    length = np.linalg.norm(n, axis=-1, keepdims=True)
    if np.any(np.abs(length - 1.0) > 1e-6):
        raise ValueError(validation.complaint("directions", directions, "unit vectors (..., 3)"))
    unit: Floats = n / length
    return unit
