r"""The spin torque of a polarised current through a magnetic layer.

A current density J with polarisation 𝒫 brings J𝒫ħ/2e of angular momentum per area and time, which
a layer of thickness t and magnetisation M_s takes up: in Gilbert's equation a damping-like field

.. math:: a = a_J\, g(c), \qquad a_J = \frac{\hbar J \mathcal P}{2 e \mu_0 M_s t}

(Slonczewski, J. Magn. Magn. Mater. 159, L1 (1996); with g of the asymmetry Λ as in Xiao, Zangwill
and Stiles, Phys. Rev. B 70, 172405 (2004)), c = n·p. By `gilbert` it is |m| P of [I] 2.6.

Sign: J > 0 means that electrons flow from the polariser into the magnet (the conventional current
flows from the magnet into the polariser). Then a > 0 turns the moment towards the polariser's
direction p, and stabilises the parallel state; J < 0 drives it to the antiparallel one.

Units: SI, or text with units (`units`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from spintherm import units, validation
from spintherm.materials.scales import Scales
from spintherm.torques import Polariser, TorqueEfficiency
from spintherm.units import (
    ELEMENTARY_CHARGE,
    REDUCED_PLANCK_CONSTANT,
    VACUUM_PERMEABILITY,
)
from spintherm.validation import FloatArray


@dataclass(frozen=True)
class SpinTorque:
    """A spin-polarised current through a layer; build it with `from_current`.

    Parameters
    ----------
    current_density : float
        J in A/m², of either sign.
    polarisation : float
        𝒫 between 0 (excluded) and 1.
    thickness : float
        t in m.
    saturation_magnetisation : float
        M_s in A/m.
    polariser : Polariser
        Direction p, efficiency g(c) and ratio ζ of the field-like to the damping-like torque.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """

    current_density: float
    polarisation: float
    thickness: float
    saturation_magnetisation: float
    polariser: Polariser

    def __post_init__(self) -> None:
        number = validation.finite_scalar
        object.__setattr__(self, "current_density", number("current_density", self.current_density))
        for name in ("polarisation", "thickness", "saturation_magnetisation"):
            object.__setattr__(self, name, number(name, getattr(self, name), positive=True))
        if self.polarisation > 1.0:
            expected = "a number above 0 and at most 1 such as '0.4'"
            raise ValueError(validation.complaint("polarisation", self.polarisation, expected))
        if not isinstance(self.polariser, Polariser):
            raise TypeError(validation.complaint("polariser", self.polariser, "a Polariser"))

    @classmethod
    def from_current(
        cls,
        *,
        current_density: float | str | None = None,
        current: float | str | None = None,
        polarisation: float | str,
        thickness: float | str | None,
        saturation_magnetisation: float | str,
        area: float | str | None = None,
        asymmetry: float | str = 1.0,
        polariser: ArrayLike = (0.0, 0.0, 1.0),
        field_like: float | str = 0.0,
    ) -> SpinTorque:
        """Return the spin torque of a current.

        Parameters
        ----------
        current_density : float or str
            J in A/m², or text such as "1.2 MA/cm^2"; J > 0 turns the moment towards the polariser.
        current, area : float or str
            Instead of the density: I in A ("100 uA") through an area in m² ("3000 nm^2").
        polarisation : float or str
            𝒫, above 0 and at most 1.
        thickness : float or str
            t in m, or text.
        saturation_magnetisation : float or str
            M_s in A/m, or text.
        asymmetry : float or str
            Slonczewski's Λ >= 1; 1 makes the torque the same in every direction.
        polariser : array_like, shape (3,)
            Direction p.
        field_like : float or str
            ζ: a field ζ a_J along p acts besides.

        Returns
        -------
        SpinTorque

        Raises
        ------
        TypeError, ValueError
            If an argument is refused, or not exactly one of density and current is given.
        """
        read = units.quantity
        if (current_density is None) == (current is None):
            raise ValueError(
                f"current_density={current_density!r}, current={current!r}: expected one of them"
            )
        if (current is None) != (area is None):
            raise ValueError(validation.complaint("area", area, "an area if a current is given"))
        if current is None:
            J = read("current_density", current_density, units.CURRENT_DENSITY)
        else:
            J = read("current", current, units.CURRENT) / units.credible("area", area, units.AREA)
        validation.unit_direction("polariser", polariser)
        ratio = read("asymmetry", asymmetry, units.NUMBER)
        if ratio < 1.0:
            raise ValueError(validation.complaint("asymmetry", asymmetry, "Slonczewski's Λ >= 1"))
        return cls(
            J,
            read("polarisation", polarisation, units.NUMBER, positive=True),
            units.credible("thickness", thickness, units.LENGTH),
            units.credible(
                "saturation_magnetisation", saturation_magnetisation, units.MAGNETISATION
            ),
            Polariser(
                polariser,  # type: ignore[arg-type]
                TorqueEfficiency.slonczewski(ratio),
                field_like=read("field_like", field_like, units.NUMBER),
            ),
        )

    @property
    def field_per_current_density(self) -> float:
        """a_J/J = ħ𝒫/(2eμ₀M_st) in m."""
        torque = REDUCED_PLANCK_CONSTANT * self.polarisation / (2.0 * ELEMENTARY_CHARGE)
        return torque / (VACUUM_PERMEABILITY * self.saturation_magnetisation * self.thickness)

    @property
    def damping_like_field(self) -> float:
        """a_J in A/m, with the sign of J."""
        return self.field_per_current_density * self.current_density

    @property
    def damping_like_induction(self) -> float:
        """μ₀a_J in T."""
        return VACUUM_PERMEABILITY * self.damping_like_field

    @property
    def field_like_field(self) -> float:
        """ζ a_J in A/m, a field along the polariser's direction."""
        return self.polariser.field_like * self.damping_like_field

    def at(self, current_density: float | str) -> SpinTorque:
        """Return the torque of another current density.

        Parameters
        ----------
        current_density : float or str
            J in A/m², or text.
        """
        J = units.quantity("current_density", current_density, units.CURRENT_DENSITY)
        return SpinTorque(
            J, self.polarisation, self.thickness, self.saturation_magnetisation, self.polariser
        )

    def reduced(self, scales: Scales) -> FloatArray:
        """Return P = a_J p/|m| in reduced units, for `Protocol` and the engines.

        Parameters
        ----------
        scales : Scales
            Of the nanomagnet, its `scales`.

        Returns
        -------
        ndarray, shape (3,)
            Along the polariser. The efficiency and the field-like torque are in the magnet
            (`Nanomagnet.magnet_with`).

        Raises
        ------
        TypeError
            If `scales` is something else.
        """
        if not isinstance(scales, Scales):
            raise TypeError(
                validation.complaint(
                    "scales", scales, "Scales, which a Nanomagnet has as its `scales`"
                )
            )
        return np.asarray(self.damping_like_field / scales.field * self.polariser.vector)
