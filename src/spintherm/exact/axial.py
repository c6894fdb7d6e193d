r"""A magnet with everything along one axis: escape over a barrier by quadrature.

If the anisotropy is symmetric about an axis a and H, P and the polarisers lie along it, then
c = n·a obeys an equation of its own. With D = ηT,

.. math:: \dot f = D\,\frac1p \frac{d}{dc}\Big[(1-c^2)\,p\,\frac{df}{dc}\Big], \qquad
   \frac{d\ln p}{dc} = \frac{1}{T}\Big[mH - \frac{dE_a}{dc}\Big] + \frac{\gamma_0 m}{\eta T}
   P_0\sum_k s_k \sigma_k g_k(\sigma_k c),

the backward equation of a self-adjoint diffusion, with σ_k = ±1 the sense of polariser k: the
torque acts like a potential, whatever its dependence on the angle. Uniaxial particles are
Brown's, Phys. Rev. 130, 1677 (1963).

Everything below is a sum of positive terms, so that rates as small as e^-600 keep their digits.
Units: k_B = 1; rates per time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.quadrature import GaussPanels
from spintherm.validation import FloatArray
from spintherm.waveforms.parameters import keep_vectors

LARGEST_RANGE = 600.0
"""Largest range of ln p that double precision holds."""

_LANCZOS = 80
_SMALL = 1e-5


@dataclass(frozen=True)
class AxialMagnet:
    """A magnet whose fields, anisotropy and polarisers share one axis, in constant fields.

    Parameters
    ----------
    magnet : Magnet
        With damping and temperature above zero.
    field, spin_torque : array_like, shape (3,)
        H and P along the axis; kept as tuples of floats.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused or there is no common axis.
    """

    magnet: Magnet
    field: ArrayLike
    spin_torque: ArrayLike = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        keep_vectors(self, "field", "spin_torque")
        if self.magnet.damping * self.magnet.temperature == 0.0:
            raise ValueError(
                validation.complaint(
                    "magnet", self.magnet, "damping and temperature above zero: nothing relaxes"
                )
            )
        _ = self.axis

    def protocol(self, duration: float) -> Protocol:
        """Return the constant protocol.

        Parameters
        ----------
        duration : float
            τ > 0.

        Returns
        -------
        Protocol
        """
        return Protocol(duration, self.field, self.spin_torque)

    @cached_property
    def axis(self) -> FloatArray:
        """The common axis a, a unit vector of shape (3,).

        That of the anisotropy; without one that of the polarisers, of H or of P, and else z.
        """
        magnet = self.magnet
        found = magnet.common_axis(self.field, self.spin_torque)
        if found is not None:
            # a polariser's direction is a unit vector up to rounding
            plain = magnet.polarisers and magnet.anisotropy is None
            return found / np.linalg.norm(found) if plain else found
        if magnet.anisotropy is not None and magnet.anisotropy.axis is None:
            expected = "one with an axis of symmetry"
            raise ValueError(validation.complaint("anisotropy", magnet.anisotropy, expected))
        line = magnet.common_axis()
        if line is None:
            expected = "directions along one axis, that of the anisotropy"
            raise ValueError(validation.complaint("polarisers", magnet.polarisers, expected))
        along_field = magnet.common_axis(self.field)
        name = "field" if along_field is None else "spin_torque"
        expected = f"a vector along {(line if along_field is None else along_field).tolist()}"
        raise ValueError(validation.complaint(name, getattr(self, name), expected))

    @property
    def diffusion(self) -> float:
        """D = ηT, the rate that all others are measured in."""
        return self.magnet.damping * self.magnet.temperature

    @property
    def whole_field(self) -> FloatArray:
        """H + H_FL, with the field of the current, shape (3,)."""
        P = np.array(self.spin_torque)
        return np.asarray(np.array(self.field) + self.magnet.field_of_current(P))

    def directions(self, cosine: ArrayLike) -> FloatArray:
        """Return unit vectors n with n·a = c, all at one azimuth.

        Parameters
        ----------
        cosine : array_like, shape (...)
            c, from -1 to 1.

        Returns
        -------
        ndarray, shape (..., 3)
            Directions.
        """
        c, a = np.asarray(cosine, dtype=np.float64), self.axis
        across = np.cross(a, np.eye(3)[np.argmin(np.abs(a))])
        across = across / np.linalg.norm(across)
        sine = np.sqrt(np.maximum((1.0 - c) * (1.0 + c), 0.0))
        return np.asarray(c[..., None] * a + sine[..., None] * across)

    def log_density(self, cosine: ArrayLike) -> FloatArray:
        """Return the logarithm of the stationary density of c, up to a constant.

        Parameters
        ----------
        cosine : array_like, shape (...)
            c = n·a.

        Returns
        -------
        ndarray, shape (...)
            ln p(c).
        """
        c = np.asarray(cosine, dtype=np.float64)
        magnet, a = self.magnet, self.axis
        total = np.array(self.spin_torque)
        value = magnet.moment * float(self.whole_field @ a) * c
        if magnet.anisotropy is not None:
            value = value - magnet.anisotropy(self.directions(c))
        push = magnet.gyromagnetic_ratio * magnet.moment / magnet.damping
        if not magnet.polarisers:
            return np.asarray((value + push * float(total @ a) * c) / magnet.temperature)
        amplitude = float(magnet.torque_amplitude(total))
        for item in magnet.polarisers:
            sense = float(np.sign(item.vector @ a))
            value = value + push * amplitude * item.strength * item.efficiency.integral(sense * c)
        return np.asarray(value / magnet.temperature)

    @property
    def span(self) -> float:
        """Range of the logarithm of the stationary density, on 501 cosines."""
        return float(np.ptp(self.log_density(np.linspace(-1.0, 1.0, 501))))

    @property
    def fastest_rate(self) -> float:
        """Rate at which small departures from a pole grow or decay, the faster of the two."""
        slope = np.diff(self.log_density(np.array([-1.0, -1.0 + _SMALL, 1.0 - _SMALL, 1.0])))
        return self.diffusion * (2.0 * float(np.abs(slope[::2]).max()) / _SMALL + 2.0)

    def density(self, cosine: ArrayLike) -> FloatArray:
        """Return the stationary density of c; its integral from -1 to 1 is one.

        Parameters
        ----------
        cosine : array_like, shape (...)
            c = n·a.

        Returns
        -------
        ndarray, shape (...)
            Density.
        """
        top, total = self._normalisation
        return np.asarray(np.exp(self.log_density(cosine) - top) / total)

    @cached_property
    def _normalisation(self) -> tuple[float, float]:
        """Largest ln p, and the integral of p over it."""
        whole = self._panels(-1.0, 1.0)
        values = self.log_density(whole.points)
        top = float(values.max())
        return top, float(np.sum(whole.weights * np.exp(values - top)))

    def probability(self, low: float, high: float) -> float:
        """Return the stationary probability of c between two cosines.

        Parameters
        ----------
        low, high : float
            Ends of the range, from -1 to 1.

        Returns
        -------
        float
            With relative accuracy, however small.
        """
        c, weights = self.nodes(low, high)
        return float(weights @ self.density(c))

    def nodes(self, low: float, high: float) -> tuple[FloatArray, FloatArray]:
        """Return points and weights of a quadrature in c that resolves the density.

        Parameters
        ----------
        low, high : float
            Ends of the range, from -1 to 1.

        Returns
        -------
        cosine, weights : ndarray, shape (n,)
        """
        panels = self._panels(low, high)
        return panels.points, panels.weights

    def relaxation_rate(self) -> float:
        """Return the slowest rate of relaxation of c, the escape rate where there is a barrier.

        The current v = (1 - c²) p f' of the slowest mode solves -(v'/p)' = λ v/[(1 - c²) p] with
        v = 0 at both ends and has no node. It is found by Lanczos iteration with the Green's
        function P₋(x) P₊(y)/Z of the left side, P₋ and P₊ the stationary probabilities on either
        side, all of one sign. A population of two wells decays with this rate, the sum of the two
        rates of escape.

        Returns
        -------
        float
            Per time, to about 12 digits for any barrier.

        Raises
        ------
        ValueError
            If the density spans more than e^600.
        """
        grid = self._panels(-1.0, 1.0)
        values = self.log_density(grid.points)
        _require_digits(values)
        p = np.exp(values - values.max())
        below, above = grid.from_below(p), grid.from_above(p)
        total = float(np.sum(grid.weights * p))
        across = (1.0 - grid.points) * (1.0 + grid.points)
        weight = 1.0 / (across * p)
        measure = grid.weights * weight
        vectors: list[FloatArray] = []
        v, largest = np.sqrt(p) * across, 0.0
        diagonal: list[float] = []
        beside: list[float] = []
        for _ in range(_LANCZOS):
            v = v / np.sqrt(np.sum(measure * v * v))
            vectors.append(v)
            source = weight * v
            v = above * grid.from_below(below * source) + below * grid.from_above(above * source)
            diagonal.append(float(np.sum(measure * vectors[-1] * v)) / total)
            previous, largest = largest, _largest_eigenvalue(diagonal, beside)
            if abs(largest - previous) <= 1e-15 * largest:
                break
            v = v / total
            for _ in range(2):
                for other in vectors:
                    v = v - float(np.sum(measure * other * v)) * other
            beside.append(float(np.sqrt(np.sum(measure * v * v))))
            if beside[-1] <= 1e-14 * largest:
                break
        return self.diffusion / largest

    def mean_first_passage_time(self, start: ArrayLike, target: float) -> FloatArray:
        """Return the mean time in which c first reaches a target.

        For a start above the target it is the integral from the target to the start of
        [1/(D (1 - y²) p(y))] times the integral of p from y to 1, and the mirror image below.

        Parameters
        ----------
        start : array_like, shape (...)
            Cosines from which paths start, from -1 to 1.
        target : float
            Cosine to be reached, strictly between -1 and 1.

        Returns
        -------
        ndarray, shape (...)
            Times.

        Raises
        ------
        ValueError
            If a cosine is out of range, or the density spans more than e^600.
        """
        _require_digits(self.log_density(np.linspace(-1.0, 1.0, 2001)))
        starts = validation.real_array("start", start)
        if np.any(np.abs(starts) > 1.0):
            raise ValueError(validation.complaint("start", start, "cosines from -1 to 1"))
        goal = validation.finite_scalar("target", target)
        if not -1.0 < goal < 1.0:
            raise ValueError(validation.complaint("target", target, "a cosine between -1 and 1"))
        times = [self._passage(c, goal) for c in starts.ravel().tolist()]
        return np.array(times).reshape(starts.shape)

    def _passage(self, start: float, target: float) -> float:
        if start == target:
            return 0.0
        sense = 1.0 if start > target else -1.0
        inner = self._panels(sense * target, sense * start, sense)
        outer = self._panels(sense * start, 1.0, sense)
        near, far = (self.log_density(sense * part.points) for part in (inner, outer))
        top = max(float(near.max()), float(far.max()))
        p = np.exp(near - top)
        reached = inner.from_above(p) + float(np.sum(outer.weights * np.exp(far - top)))
        y = inner.points
        return float(np.sum(inner.weights * reached / ((1.0 - y) * (1.0 + y) * p))) / self.diffusion

    def _panels(self, low: float, high: float, sense: float = 1.0) -> GaussPanels:
        """Gauss panels from low to high in sense·c that resolve the density."""
        span = float(np.ptp(self.log_density(sense * np.linspace(low, high, 2001))))
        return GaussPanels(np.linspace(low, high, 13 + int(np.ceil(1.5 * span))))


def _require_digits(log_density: FloatArray) -> None:
    spread = float(np.ptp(log_density))
    if spread > LARGEST_RANGE:
        raise ValueError(
            f"the logarithm of the density varies by {spread:.0f}: expected at most "
            f"{LARGEST_RANGE:g}; raise the temperature or lower the energies"
        )


def _largest_eigenvalue(diagonal: list[float], beside: list[float]) -> float:
    """Return the largest eigenvalue of a symmetric tridiagonal matrix."""
    from scipy.linalg import eigvalsh_tridiagonal

    if len(diagonal) == 1:
        return diagonal[0]
    last = len(diagonal) - 1
    values = eigvalsh_tridiagonal(
        np.array(diagonal), np.array(beside), select="i", select_range=(last, last)
    )
    return float(values[0])
