"""Schemes for magnets with anisotropy or polarisers: words turned into what their kernels read.

Polarisers whose efficiency is constant add up to a uniform torque; the others go to the kernel, and
all of them if there are others and the kernel is that of `splitting`. The field-like torque is a
field, which `tabulate.with_field_of_current` has added to H.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import factorial, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.energies import Anisotropy, exponents
from spintherm.equilibrium import lebedev
from spintherm.kernels import constants as tables
from spintherm.kernels import (
    local_constants,
    local_coupled,
    local_coupled_reversible,
    local_ensemble,
    local_fast,
    local_reversible,
)
from spintherm.magnet import Magnet
from spintherm.torques import Polariser, TorqueEfficiency
from spintherm.trajectories.axial_terms import Term, axial_terms
from spintherm.trajectories.engine import SCHEMES, Scheme

FloatArray = NDArray[np.float64]

_ROUNDING = 1e-13  # of the largest coefficient: what is taken for zero
_LENGTHS = (1, 2, 4, 9)
"""Lengths of numerators that are compiled; shorter ones are filled up with zeros."""

_LARGEST_KAPPA = 0.5
_UNROLLED = 4
"""Number of axes of an energy for which `exact-ft` is compiled; loops do for more."""


@dataclass(frozen=True)
class Local:
    """What a kernel is told of a magnet: see `kernels.local_fields`."""

    energy: tuple[object, ...]
    inverse_degree: float
    polarisers: tuple[object, ...]

    @classmethod
    def of(cls, magnet: Magnet) -> Local:
        """Read a magnet's anisotropy and the polarisers whose efficiency is not constant."""
        energy = centred(magnet.anisotropy or Anisotropy())
        return cls(
            gradient_coefficients(energy),
            1.0 / energy.degree if energy.degree else 0.0,
            tuple(_polariser(item) for item in _angular(magnet)),
        )

    @classmethod
    def for_splitting(cls, magnet: Magnet) -> Local:
        """What `splitting` takes: the uniform torque, if there is another, as polarisers too.

        An energy that is a sum over the components is told as such.
        """
        local = cls.of(magnet)
        if local.polarisers:
            local = replace(local, polarisers=tuple(map(_polariser, magnet.polarisers)))
        parts = separable(magnet.anisotropy or Anisotropy())
        return replace(local, energy=parts) if parts else local

    @property
    def arguments(self) -> tuple[object, ...]:
        """The last arguments of the kernels."""
        return self.energy, self.inverse_degree, self.polarisers


def centred(energy: Anisotropy) -> Anisotropy:
    """Return the energy less a constant, such that ∂E_a/∂n has a small radial part.

    The kernels turn n about vectors that hold this part; it turns nothing at n itself, but costs
    accuracy in the third power of the step. Of a quadratic form the middle eigenvalue is taken off:
    a uniaxial energy is then proportional to (n·u)², and precession about u keeps n·u to rounding.
    Of higher degrees it is the mean of the energy over the sphere.
    """
    if energy.is_constant:
        return energy
    if energy.degree == 2:
        a, b, c, d, e, f = energy.coefficients.tolist()
        matrix = np.array([[a, b / 2, c / 2], [b / 2, d, e / 2], [c / 2, e / 2, f]])
        constant = float(np.linalg.eigvalsh(matrix)[1])
    else:
        nodes, weights = lebedev(17)
        constant = float(weights @ energy(nodes) / (4.0 * np.pi))
    return energy + Anisotropy.polynomial({(0, 0, 0): -constant})


def gradient_coefficients(energy: Anisotropy) -> tuple[float, ...]:
    """Coefficients of ∂E_a/∂n_x, ∂E_a/∂n_y, ∂E_a/∂n_z, each in the canonical order."""
    if energy.is_constant:
        return ()
    known = dict(zip(exponents(energy.degree), energy.coefficients.tolist(), strict=True))
    found = []
    for axis in range(3):
        for lowered in exponents(energy.degree - 1):
            i, j, k = (power + (place == axis) for place, power in enumerate(lowered))
            found.append((lowered[axis] + 1) * known[i, j, k])
    return tuple(found)


def separable(energy: Anisotropy) -> tuple[tuple[float, ...], ...]:
    """Coefficients of an energy that is a sum of even functions of the components on the sphere.

    Such are all quartic and cubic ones in their crystal's frame, and diagonal quadratic forms. For
    other energies the result is empty, otherwise it holds (a_0, a_1, ...) of each component:
    ∂E_a/∂n_i = n_i Σ_j a_j n_i^2j. The radial part is small, see `centred`: of higher degrees its
    mean over the sphere vanishes.
    """
    energy = centred(energy)
    half = energy.degree // 2
    if half == 0:
        return ()
    known = dict(zip(exponents(energy.degree), energy.coefficients.tolist(), strict=True))
    matrix = np.zeros((len(known), 3 * half))
    place = {powers: row for row, powers in enumerate(known)}
    for axis, power in product(range(3), range(1, half + 1)):
        for rest in exponents(half - power):
            i, j, k = (2 * (r + power * (axis == one)) for one, r in enumerate(rest))
            count = factorial(half - power) // prod(factorial(r) for r in rest)
            matrix[place[i, j, k], axis * half + power - 1] += count
    target = energy.coefficients
    found = np.linalg.lstsq(matrix, target, rcond=None)[0] if half > 1 else target[[0, 3, 5]]
    size = np.abs(target).max()
    if np.abs(matrix @ found - target).max() > _ROUNDING * size:
        return ()
    found[np.abs(found) < _ROUNDING * size] = 0.0
    gradient = found.reshape(3, half) * (2.0 * np.arange(1, half + 1))
    if half > 1:
        gradient[:, 0] -= np.sum(gradient / (2.0 * np.arange(1, half + 1) + 1.0))
    return tuple(tuple(row) for row in gradient.tolist())


def local_steps(magnet: Magnet, steps: tables.Steps) -> local_constants.LocalSteps:
    """Split the torques of a table of steps into a uniform part and an amplitude."""
    if not magnet.polarisers:
        nothing = np.zeros(steps.durations.size)
        return local_constants.LocalSteps(steps, steps.spin_torque, (nothing,) * 3)
    start, middle, end = (magnet.torque_amplitude(P) for P in steps.spin_torque)
    uniform = np.zeros(3)
    for item in magnet.polarisers:
        if item.efficiency.is_constant:
            uniform += item.strength * item.efficiency.numerator[0] * item.vector
    return local_constants.LocalSteps(
        steps,
        (np.outer(start, uniform), np.outer(middle, uniform), np.outer(end, uniform)),
        (start, middle, end),
    )


def scheme_for(magnet: Magnet, name: str, fast: bool = False) -> Scheme:
    """Return the scheme of a name with the kernels that a magnet needs.

    Parameters
    ----------
    magnet : Magnet
        The magnet.
    name : str
        One of `engine.SCHEMES`.
    fast : bool
        Whether to take the faster arithmetic.

    Returns
    -------
    Scheme
        The one of `engine.SCHEMES` itself, or its fast one, for a magnet without anisotropy and
        polarisers.

    Raises
    ------
    ValueError
        If the scheme has no kernels for this magnet, or no faster arithmetic.
    """
    uniform = SCHEMES[name]
    if fast and uniform.fast is None:
        names = ", ".join(repr(known) for known, one in SCHEMES.items() if one.fast is not None)
        raise ValueError(f"fast=True with scheme={name!r}: expected scheme {names}")
    if magnet.is_uniform:
        return uniform.fast if fast and uniform.fast is not None else uniform
    constants, advance, couple, memory = _KERNELS[name]
    if fast:
        advance = local_fast.advance_fast
    local = (Local.for_splitting if name == "splitting" else Local.of)(magnet)
    arguments, check = local.arguments, _unchecked
    if name == "exact-ft":
        terms = axial_terms(magnet.anisotropy or Anisotropy())
        axes = terms if len(terms) <= _UNROLLED else as_array(terms)
        arguments = (local.energy, local.inverse_degree, (axes, local.polarisers))
        check = _Squeezes(terms, _angular(magnet)).check

    def local_advance(*arrays: Any) -> None:
        advance(*arrays, *arguments)

    def local_couple(*arrays: Any) -> None:
        couple(*arrays, *arguments)

    return Scheme(
        name,
        lambda steps: check(constants(local_steps(magnet, steps))),
        local_advance,
        local_couple,
        uniform.order,
        uniform.resolution,
        uniform.diagnostics,
        magnet=magnet,
        memory=memory,
    )


_KERNELS: dict[str, tuple[Any, Any, Any, int]] = {
    "splitting": (
        local_constants.splitting,
        local_ensemble.advance_splitting,
        local_coupled.couple_splitting,
        local_ensemble.MEMORY_ROWS,
    ),
    "euler-maruyama": (
        local_constants.euler_maruyama,
        local_ensemble.advance_euler_maruyama,
        local_coupled.couple_euler_maruyama,
        0,
    ),
    "exact-ft": (
        local_constants.exact_ft,
        local_reversible.advance_exact_ft,
        local_coupled_reversible.couple_exact_ft,
        0,
    ),
}


def as_array(terms: tuple[Term, ...]) -> FloatArray:
    """Axes and coefficients as `local_reversible` loops over them, shape (axes, 11)."""
    rows = np.zeros((len(terms), 11))
    for row, (direction, numerator, _) in zip(rows, terms, strict=True):
        row[:3] = direction
        row[3 : 3 + len(numerator)] = numerator
    return rows


def _unchecked(constants: FloatArray) -> FloatArray:
    return constants


@dataclass(frozen=True)
class _Squeezes:
    """The largest slopes (1 - c²)|f'| of the functions of one axis, as `local_reversible` squeezes.

    Its maps have an inverse if half of the slope times the step's share is below one.
    """

    terms: tuple[Term, ...]
    polarisers: list[Polariser]

    def check(self, constants: FloatArray) -> FloatArray:
        """Return the constants of `local_constants.exact_ft` if all of their maps can be inverted.

        Raises
        ------
        ValueError
            If the steps are too long.
        """
        energy = max((_steepest(TorqueEfficiency(f)) for _, f, _ in self.terms), default=0.0)
        torque = max(
            (abs(p.strength) * _steepest(p.efficiency) for p in self.polarisers), default=0
        )
        push, relax = np.abs(constants[:, 56]).max(), np.abs(constants[:, 57]).max()
        kappa = 0.5 * max(energy * float(relax), torque * float(push))
        if kappa > _LARGEST_KAPPA:
            raise ValueError(
                f"steps={len(constants)} with scheme='exact-ft': the steps are too long for its "
                f"maps to be inverted; expected at least {kappa / _LARGEST_KAPPA:.2g} times as many"
            )
        return constants


def _steepest(f: TorqueEfficiency) -> float:
    c = np.linspace(-1.0, 1.0, 401)
    return float(np.abs((1.0 - c * c) * f.derivative(c)).max())


def _angular(magnet: Magnet) -> list[Polariser]:
    return [item for item in magnet.polarisers if not item.efficiency.is_constant]


def _polariser(item: Polariser) -> tuple[object, ...]:
    efficiency = item.efficiency
    length = next(n for n in _LENGTHS if n >= len(efficiency.numerator))
    numerator = [item.strength * a for a in efficiency.numerator]
    numerator += [0.0] * (length - len(numerator))
    asymmetry = () if efficiency.asymmetry == 0.0 else (efficiency.asymmetry,)
    return item.direction, tuple(numerator), asymmetry
