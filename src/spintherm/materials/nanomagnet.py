r"""A nanomagnet: a single-domain body of a material, in SI, and its magnet in reduced units.

Gilbert's equation with γ, α, M_s, the volume V and the energy V e(n) + μ₀M_s²V n·N n/2 - μ₀M_sV n·H
becomes [I] 2.6 by `gilbert`. Reduced units are

    energy E₀ = k_B T,   moment M₀ = M_s V,   field B₀ = E₀/M₀,   time t₀ = (1 + α²)/(γB₀) ,

in which |m| = 1, T = 1, γ₀ = 1, η = α, a field is ν = βμ₀M_sVH and δ = α. At T = 0 the energy
E₀ = μ₀M_s²V stands in, so that fields are in units of M_s.

Units: SI, or text with units (`units`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display, units, validation
from spintherm.demagnetisation import Cylinder, Ellipsoid, Prism, Shape
from spintherm.energies import Anisotropy
from spintherm.magnet import Magnet
from spintherm.materials.landscape import Well, deepest_well
from spintherm.materials.scales import Scales
from spintherm.materials.spin_torque import SpinTorque
from spintherm.units import BOLTZMANN_CONSTANT, VACUUM_PERMEABILITY

_ALONG = 1e-9
_ISOTROPIC = 1e-12
"""Difference of demagnetising factors that is rounding: spheres and cubes have no easy axis."""


@dataclass(frozen=True, init=False)
class Nanomagnet:
    """A single-domain body of a material.

    Parameters
    ----------
    saturation_magnetisation : float or str
        M_s in A/m, or text: "800 kA/m", "800 emu/cm^3"; "1 T" is μ₀M_s.
    gilbert_damping : float or str
        α >= 0.
    temperature : float or str
        T >= 0 in K, or text: "300 K", "27 degC".
    volume : float or str, optional
        V in m³, or text. Then no energy of shape is added: e(n) is the whole anisotropy.
    shape : Ellipsoid, Prism or Cylinder, optional
        Instead of the volume; the magnetostatic energy of its demagnetising factors is added, so
        that e(n) is the anisotropy of the crystal and its surfaces only.
    anisotropy : Anisotropy, float or str, optional
        e(n), with coefficients in J/m³; or a constant K alone, in J/m³ or text such as "1 MJ/m^3",
        for K sin²θ about z (K > 0: easy axis, K < 0: easy plane).
    gyromagnetic_ratio : float or str
        γ > 0 in rad/(s T), or text: "28 GHz/T", "2.21e5 m/(A s)"; that of the free electron by
        default.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or not exactly one of volume and shape is given. Values of
        another order of magnitude than magnets have are refused: a unit has been forgotten.
    """

    saturation_magnetisation: float
    gilbert_damping: float
    temperature: float
    volume: float
    shape: Shape | None
    anisotropy: Anisotropy | None
    gyromagnetic_ratio: float

    def __init__(
        self,
        *,
        saturation_magnetisation: float | str,
        gilbert_damping: float | str,
        temperature: float | str,
        volume: float | str | None = None,
        shape: Shape | None = None,
        anisotropy: Anisotropy | float | str | None = None,
        gyromagnetic_ratio: float | str = units.ELECTRON_GYROMAGNETIC_RATIO,
    ) -> None:
        read, store = units.quantity, partial(object.__setattr__, self)
        Ms = units.credible(
            "saturation_magnetisation", saturation_magnetisation, units.MAGNETISATION
        )
        alpha = read("gilbert_damping", gilbert_damping, units.NUMBER, nonnegative=True)
        T = read("temperature", temperature, units.TEMPERATURE, nonnegative=True)
        gamma = units.credible("gyromagnetic_ratio", gyromagnetic_ratio, units.GYROMAGNETIC_RATIO)
        store("saturation_magnetisation", Ms)
        store("gilbert_damping", alpha)
        store("temperature", T)
        store("volume", _volume(volume, shape))
        store("shape", shape)
        store("anisotropy", _anisotropy(anisotropy))
        store("gyromagnetic_ratio", gamma)

    def __str__(self) -> str:
        from spintherm.materials.description import with_prefix

        return display.nanomagnet_text(self, with_prefix)

    def _repr_html_(self) -> str:
        from spintherm.materials.description import rows_of

        return display.nanomagnet_card(self, rows_of(self))

    @property
    def moment(self) -> float:
        """M_s V in A m²."""
        return self.saturation_magnetisation * self.volume

    @property
    def thermal_energy(self) -> float:
        """k_B T in J."""
        return BOLTZMANN_CONSTANT * self.temperature

    @property
    def magnetostatic_energy(self) -> float:
        """μ₀ M_s² V/2 in J."""
        return 0.5 * VACUUM_PERMEABILITY * self.saturation_magnetisation * self.moment

    @cached_property
    def anisotropy_energy(self) -> Anisotropy:
        """V e(n) and the energy of the shape, with coefficients in J; none of spheres and cubes."""
        total = Anisotropy() if self.anisotropy is None else self.anisotropy * self.volume
        factors = None if self.shape is None else self.shape.demagnetising_factors
        if factors is None or np.ptp(factors) <= _ISOTROPIC:
            return total
        return total + Anisotropy.shape(factors, self.magnetostatic_energy)

    @cached_property
    def scales(self) -> Scales:
        """What one reduced unit is worth."""
        energy = self.thermal_energy or 2.0 * self.magnetostatic_energy
        induction = energy / self.moment
        time = (1.0 + self.gilbert_damping**2) / (self.gyromagnetic_ratio * induction)
        return Scales(energy, self.moment, time)

    @cached_property
    def magnet(self) -> Magnet:
        """The magnet in reduced units, |m| = 1, γ₀ = 1, η = α, T = 1 (or 0)."""
        energy = self.anisotropy_energy * (1.0 / self.scales.energy)
        return Magnet(
            moment=1.0,
            gyromagnetic_ratio=1.0,
            damping=self.gilbert_damping,
            temperature=1.0 if self.temperature > 0.0 else 0.0,
            anisotropy=None if energy.is_constant else energy,
        )

    def magnet_with(self, *torques: SpinTorque) -> Magnet:
        """Return the magnet in reduced units with the polarisers of spin torques.

        Parameters
        ----------
        *torques : SpinTorque
            One torque, usually. The protocol's P(t) is that of the first one; others share its
            current.

        Returns
        -------
        Magnet
        """
        polarisers = []
        for torque in torques:
            self._check_layer(torque)
            share = torque.field_per_current_density / torques[0].field_per_current_density
            polarisers.append(replace(torque.polariser, strength=share))
        return replace(self.magnet, polarisers=tuple(polarisers))

    @cached_property
    def well(self) -> Well | None:
        """The deepest well of `anisotropy_energy` in J; None without anisotropy."""
        energy = self.anisotropy_energy
        scale = energy.half_range if not energy.is_constant else 0.0
        return None if scale <= 1e-12 * self.magnetostatic_energy else deepest_well(energy)

    @property
    def energy_barrier(self) -> float:
        """Height of the lowest way from the deepest minimum to its opposite, in J."""
        return 0.0 if self.well is None else self.well.barrier

    @property
    def thermal_stability(self) -> float:
        """Barrier over k_B T, Δ; infinite at T = 0 with a barrier."""
        if self.temperature == 0.0:
            return np.inf if self.energy_barrier > 0.0 else 0.0
        return self.energy_barrier / self.thermal_energy

    @property
    def stiffness_fields(self) -> tuple[float, float]:
        """Stiffness fields H₁ <= H₂ of the deepest well in A/m; 2K/(μ₀M_s) twice if uniaxial."""
        if self.well is None:
            return 0.0, 0.0
        first, second = self.well.stiffness / (VACUUM_PERMEABILITY * self.moment)
        return float(max(first, 0.0)), float(second)

    @property
    def resonance_frequency(self) -> float:
        """Frequency of ferromagnetic resonance in the well, γμ₀√(H₁H₂)/2π for small α, in Hz."""
        first, second = self.stiffness_fields
        rate = self.gyromagnetic_ratio * VACUUM_PERMEABILITY * np.sqrt(first * second)
        return float(rate / (2.0 * np.pi))

    @property
    def well_precession_time(self) -> float:
        """Inverse angular frequency of the undamped motion in the well, in s."""
        frequency = self.resonance_frequency
        return np.inf if frequency == 0.0 else 1.0 / (2.0 * np.pi * frequency)

    @property
    def well_damping_time(self) -> float:
        """Decay time of small amplitudes in the well, 2(1 + α²)/(αγμ₀(H₁ + H₂)), in s.

        Half the trace of Gilbert's equation about the minimum (derived here).
        """
        rate = self.gilbert_damping * self._gamma * sum(self.stiffness_fields) / 2.0
        return np.inf if rate == 0.0 else 1.0 / rate

    def reduced_field_strength(self, field: float | str) -> float:
        """Return ν = μ₀M_sVH/(k_B T) of a field.

        Parameters
        ----------
        field : float or str
            H in A/m, or text; "50 mT" is μ₀H.
        """
        return units.quantity("field", field, units.FIELD) / self.scales.field

    def spin_torque(
        self,
        *,
        current_density: float | str | None = None,
        current: float | str | None = None,
        polarisation: float | str,
        thickness: float | str | None = None,
        area: float | str | None = None,
        asymmetry: float | str = 1.0,
        polariser: ArrayLike = (0.0, 0.0, 1.0),
        field_like: float | str = 0.0,
    ) -> SpinTorque:
        """Return the spin torque of a current through this magnet.

        Parameters
        ----------
        current_density, current, polarisation, thickness, area, asymmetry, polariser, field_like
            As in `SpinTorque.from_current`. By default the thickness is the height of the shape
            along z, and the area is that of its face: the volume over the height.

        Returns
        -------
        SpinTorque

        Raises
        ------
        TypeError, ValueError
            If an argument is refused, or the thickness is more than the shape has.
        """
        if self.shape is not None:
            thickness = self.shape.extent[2] if thickness is None else thickness
            area = self.volume / self.shape.extent[2] if area is None else area
        torque = SpinTorque.from_current(
            current_density=current_density,
            current=current,
            polarisation=polarisation,
            thickness=thickness,
            saturation_magnetisation=self.saturation_magnetisation,
            area=area if current is not None else None,
            asymmetry=asymmetry,
            polariser=polariser,
            field_like=field_like,
        )
        self._check_layer(torque)
        return torque

    def critical_current_density(self, torque: SpinTorque, *, parallel: bool) -> float:
        r"""Return the current density at which a state along the polariser loses its stability.

        Linearised about the minimum n = s p, s = ±1, with A = s g(s) a and the stiffness fields
        H₁, H₂ (derived here; the slope of g does not enter), Gilbert's equation has

        .. math::
            \mathrm{tr} = -\gamma_0\,[2A + \alpha (H_1 + H_2)], \qquad
            \det = \gamma_0^2 (1 + \alpha^2) (A^2 + H_1 H_2) > 0 ,

        so that the state is lost at A = -α(H₁ + H₂)/2, exactly in α. A field-like torque ζa adds
        sζa to both stiffness fields. Without noise and without applied field; for H₁ = H_k,
        H₂ = H_k + M_s it is Sun's, Phys. Rev. B 62, 570 (2000).

        Parameters
        ----------
        torque : SpinTorque
            Its own current density does not matter.
        parallel : bool
            Which state is lost: the one parallel or the one antiparallel to the polariser.

        Returns
        -------
        float
            In A/m², negative for the parallel state; nan if the minimum is not along the
            polariser.

        Raises
        ------
        ValueError
            If nothing destabilises the state (the efficiency there plus αζ is not positive).
        """
        self._check_layer(torque)
        sign = 1.0 if parallel else -1.0
        if self.well is None or abs(self.well.direction @ torque.polariser.vector) < 1.0 - _ALONG:
            return np.nan
        efficiency = float(torque.polariser.efficiency(sign))
        grip = efficiency + self.gilbert_damping * torque.polariser.field_like
        if grip <= 0.0:
            raise ValueError(
                validation.complaint("field_like", torque.polariser.field_like, "g(±1) + αζ > 0")
            )
        field = -sign * self.gilbert_damping * sum(self.stiffness_fields) / (2.0 * grip)
        return field / torque.field_per_current_density

    def describe(
        self, field: float | str | None = None, spin_torque: SpinTorque | None = None
    ) -> str:
        """Return a table of what the magnet is and of what reduced units are worth.

        Parameters
        ----------
        field : float or str, optional
            A field H along the easy axis, for ν and the times of motion in it.
        spin_torque : SpinTorque, optional
            For P in reduced units and the critical current.

        Returns
        -------
        str
            Lines of text, in SI.
        """
        from spintherm.materials.description import describe

        return describe(self, field, spin_torque)

    def _check_layer(self, torque: SpinTorque) -> None:
        """Raise unless a spin torque is one on this magnet."""
        if not isinstance(torque, SpinTorque):
            raise TypeError(validation.complaint("torque", torque, "a SpinTorque"))
        own, other = self.saturation_magnetisation, torque.saturation_magnetisation
        if abs(own - other) > _ALONG * own:
            expected = f"that of the magnet that takes the torque up, {own:.6g} A/m"
            raise ValueError(validation.complaint("saturation_magnetisation", other, expected))
        if self.shape is not None and torque.thickness > max(self.shape.extent) * (1.0 + _ALONG):
            expected = f"at most the extent of the shape, {max(self.shape.extent):.6g} m"
            raise ValueError(validation.complaint("thickness", torque.thickness, expected))

    @property
    def _gamma(self) -> float:
        """γμ₀/(1 + α²) in m/(A s)."""
        return self.gyromagnetic_ratio * VACUUM_PERMEABILITY / (1.0 + self.gilbert_damping**2)


def _volume(volume: object, shape: object) -> float:
    if shape is not None and not isinstance(shape, Ellipsoid | Prism | Cylinder):
        raise TypeError(validation.complaint("shape", shape, "an Ellipsoid, a Prism or a Cylinder"))
    if shape is not None:
        if volume is not None and volume != shape.volume:
            raise ValueError("volume and shape: expected one of them")
        for length in shape.extent:
            units.credible("shape.extent", length, units.LENGTH)
        return shape.volume
    if volume is None:
        raise ValueError("volume=None, shape=None: expected one of them")
    return units.credible("volume", volume, units.VOLUME)


def _anisotropy(value: object) -> Anisotropy | None:
    if value is None or isinstance(value, Anisotropy):
        return value
    try:
        return Anisotropy.uniaxial(units.quantity("anisotropy", value, units.ENERGY_DENSITY))
    except TypeError:
        expected = "an Anisotropy in J/m^3, or an energy density such as '1 MJ/m^3'"
        raise TypeError(validation.complaint("anisotropy", value, expected)) from None
