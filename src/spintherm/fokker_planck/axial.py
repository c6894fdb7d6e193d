r"""Magnets with a common axis: the density, its slowest mode and its noises in closed form.

If field, torque and landscape share an axis, the turning leaves axial functions alone. With
c = cos θ and :math:`\psi = U/\eta T`, U the potential of the drift's gradient part (`generator`),
they obey

.. math:: L f = \eta T\,e^{-\psi}\frac{d}{dc}\Bigl[(1 - c^2)\,e^{\psi} f'\Bigr], \qquad
          p \propto e^{\psi},

whatever the barriers. The slowest rate is exponentially small in them and drowns in the rounding
of any matrix of L. In terms of the current :math:`g = (1 - c^2)e^\psi f'` the equation
:math:`Lf = -\lambda f` becomes, differentiated,

.. math:: -(e^{-\psi}g')' = \frac{\lambda}{\eta T}\,\frac{e^{-\psi}}{1 - c^2}\,g, \qquad
   g(\pm1) = 0,

without a zero mode, and is solved by the positive Green's function

.. math:: K(c, c') = \frac1Z\,Q(\min)\,[Z - Q(\max)], \qquad Q(c) = \int_{-1}^c e^{\psi}, \quad
   Z = Q(1) .

Only positive numbers are added, so that the largest eigenvalue of K, which is
:math:`\eta T/\lambda_1`, keeps its relative accuracy. Likewise the long-time (co)variance per time
of axial rates a and b is

.. math:: \frac{2}{\eta T}\int_{-1}^1\frac{A\,B}{(1 - c^2)\,p}\,dc, \qquad
   A(c) = \int_{-1}^c (a - \bar a)\,p\,dc' ,

with p the density of c: Green and Kubo's integral, done twice by parts. Derived here; for the
uniaxial particle it is Brown's problem, Phys. Rev. 130, 1677 (1963).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.fokker_planck.generator import LAPLACIAN, ResolutionError, multiplied_at
from spintherm.fokker_planck.harmonics import Basis, Floats, legendre
from spintherm.fokker_planck.slots import Coefficients, gradient_weights
from spintherm.quadrature import GaussPanels

if TYPE_CHECKING:
    from spintherm.fokker_planck.setting import Setting

LARGEST_SPAN = 600.0
"""Largest difference of ψ on the sphere: exp of it must be a number."""

NODES = 20  # of a panel
SPACE = 60  # vectors from which the slowest mode is made


def axial_density(setting: Setting, basis: Basis) -> Floats:
    """Return the coefficients of the density exp(ψ)/Z in a basis, shape (size,)."""
    cosine, weight = np.polynomial.legendre.leggauss(2 * basis.l_max + 64)
    psi = exponent(setting, cosine)
    values = weight * np.exp(psi - np.max(psi))
    ell = np.arange(basis.l_max + 1)
    harmonics = legendre(Basis(basis.l_max, 0), cosine, np.sqrt(1.0 - cosine**2))
    parts = values @ harmonics
    out = np.zeros(basis.size)
    out[basis.index(ell, 0)] = parts / (np.sqrt(4.0 * np.pi) * parts[0])
    return out


def exponent(setting: Setting, cosine: Floats) -> Floats:
    """Return ψ(c) = U/ηT at cosines (N,)."""
    landscape = setting.landscape
    if landscape is None or not setting.axial:
        raise ValueError("an axial setting with a landscape is needed")
    weights = gradient_weights(setting.coefs) / setting.coefs[LAPLACIAN]
    return landscape.function(weights, _directions(cosine))


def _directions(cosine: Floats) -> Floats:
    n = np.zeros((*cosine.shape, 3))
    n[..., 0], n[..., 2] = np.sqrt((1.0 - cosine) * (1.0 + cosine)), cosine
    return n


@dataclass(frozen=True)
class AxialProblem:
    """The axial functions of a setting, on panels of Gauss nodes in c.

    Attributes
    ----------
    setting : Setting
        Axial, with a landscape.
    panels : int
    """

    setting: Setting
    panels: GaussPanels

    @cached_property
    def across(self) -> Floats:
        """1 - c² at the nodes."""
        c = self.panels.points
        return np.asarray((1.0 - c) * (1.0 + c))

    @cached_property
    def psi(self) -> Floats:
        """ψ at the nodes, its largest value subtracted."""
        psi = exponent(self.setting, self.panels.points)
        psi = psi - np.max(psi)
        if np.min(psi) < -LARGEST_SPAN:
            raise ResolutionError(
                f"the drift's potential varies by {-np.min(psi):.0f} T, more than {LARGEST_SPAN:g}"
            )
        return np.asarray(psi)

    def slowest(self) -> float:
        """Return the smallest relaxation rate λ₁ of axial functions, to relative accuracy."""
        from scipy.sparse.linalg import LinearOperator, eigs

        weight = np.exp(self.psi)
        low, high = self.panels.from_below(weight), self.panels.from_above(weight)
        total = float(weight @ self.panels.weights)
        source = np.exp(-self.psi) / self.across
        # in units of the barrier's shape low·high the eigenfunction is about one
        scale = low * high / total

        def applied(vector: Any) -> Any:
            s = source * scale * vector
            g = high * self.panels.from_below(low * s) + low * self.panels.from_above(high * s)
            return g / total / scale

        size = self.psi.size
        operator = LinearOperator((size, size), matvec=applied, dtype=float)
        value, vector = eigs(operator, k=1, v0=np.ones(size), ncv=min(SPACE, size - 1), tol=1e-14)
        mode = np.abs(vector[:, 0].real)
        largest = value[0].real
        for _ in range(2):  # all numbers are positive: iterations only gain accuracy
            image = applied(mode)
            norm = source * scale**2 * self.panels.weights
            largest = float(np.sum(norm * mode * image) / np.sum(norm * mode * mode))
            mode = image / np.max(image)
        return float(self.setting.coefs[LAPLACIAN] / largest)

    def noise(self, rates: tuple[Coefficients, ...]) -> Floats:
        """Return the long-time (co)variances per time of ∫M_a 1 dt, shape (k, k).

        Parameters
        ----------
        rates : tuple of ndarray
            Coefficients of operators M_a whose M_a 1 are the rates.
        """
        weight, panels = np.exp(self.psi), self.panels
        p = weight / (weight @ panels.weights)
        n = _directions(panels.points)
        from_left = panels.from_below(p) < 0.5
        currents = []
        for coefs in rates:
            values = multiplied_at(coefs, self.setting.landscape, n)
            values = (values - (values * p) @ panels.weights) * p
            left, right = panels.from_below(values), panels.from_above(values)
            currents.append(np.where(from_left, left, -right))
        stacked = np.array(currents)
        share = panels.weights / (self.across * p) * (2.0 / self.setting.coefs[LAPLACIAN])
        return np.asarray((stacked * share) @ stacked.T)


def axial_problem(setting: Setting) -> AxialProblem:
    """Return the axial problem on panels that resolve its density.

    Raises
    ------
    ResolutionError
        If the potential of the drift varies by more than `LARGEST_SPAN` temperatures.
    """
    psi = exponent(setting, np.linspace(-1.0, 1.0, 2001))
    steep = float(np.max(np.abs(np.diff(psi)))) * 1000.0
    edges = np.linspace(-1.0, 1.0, int(25 + steep / 4.0))
    return AxialProblem(setting, GaussPanels(edges, NODES))
