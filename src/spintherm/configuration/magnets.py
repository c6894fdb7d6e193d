"""[magnet] and [material]: a magnet in reduced units, or of a material in SI."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from spintherm import units
from spintherm.configuration.problem import ConfigurationError, at
from spintherm.configuration.quantities import Quantity, Table, Vector, Whole, is_number
from spintherm.demagnetisation import Cylinder, Ellipsoid, Prism
from spintherm.energies import Anisotropy
from spintherm.magnet import Magnet
from spintherm.materials import Nanomagnet, SpinTorque
from spintherm.torques import Polariser

_MOST_TERMS = 1000


class AnisotropyTable(Table):
    """An anisotropy energy, the sum of what is named here."""

    uniaxial: Quantity | None = None
    """K of K sin²θ about the axis."""
    fourth_order: Quantity | None = None
    """K₂ of K₂ sin⁴θ about the axis."""
    axis: Vector | None = None
    """Of both; z if not given."""
    cubic: Quantity | None = None
    """K₁ of K₁(a²b² + b²c² + c²a²) along x, y, z."""
    terms: (
        Annotated[
            tuple[Annotated[tuple[Whole, Whole, Whole, Quantity], Field(strict=False)], ...],
            Field(strict=False, max_length=_MOST_TERMS),
        ]
        | None
    ) = None
    """Rows [i, j, k, coefficient] of coefficient n_x^i n_y^j n_z^k."""

    def anisotropy(self, kind: units.Kind) -> Anisotropy:
        """Return the energy, with coefficients in the unit of `kind`."""

        def read(name: str, value: float | str | None) -> float:
            return 0.0 if value is None else units.quantity(name, value, kind)

        if self.axis is not None and self.uniaxial is None and self.fourth_order is None:
            raise ValueError(f"axis={list(self.axis)}: expected uniaxial or fourth_order with it")
        axis = (0.0, 0.0, 1.0) if self.axis is None else self.axis
        total = Anisotropy.uniaxial(
            read("uniaxial", self.uniaxial), axis, read("fourth_order", self.fourth_order)
        )
        if self.cubic is not None:
            total = total + Anisotropy.cubic(read("cubic", self.cubic))
        if self.terms:
            rows = [[*row[:3], read("terms", row[3])] for row in self.terms]
            total = total + Anisotropy.from_dict({"terms": rows})
        return total


class PolariserTable(Table):
    """How the spin torque depends on the angle from one direction."""

    direction: Vector
    """p̂; the spin torque P must be parallel to that of the first polariser."""
    numerator: Annotated[
        tuple[float, ...], Field(strict=False, min_length=1, max_length=_MOST_TERMS)
    ] = (1.0,)
    """Coefficients of the powers of c = n·p̂ in the numerator of the efficiency g(c)."""
    asymmetry: float = 0.0
    """λ of the denominator 1 + λc."""
    strength: float = 1.0
    """Share of the current's torque."""
    field_like: float = 0.0
    """ζ, ratio of the field-like to the damping-like torque."""


class MagnetTable(Table):
    """A magnet in reduced units, k_B = 1."""

    moment: Annotated[float, Field(gt=0)]
    """|m|, length of the moment."""
    gyromagnetic_ratio: float
    """γ₀, in rate per field, not 0."""
    damping: Annotated[float, Field(ge=0)]
    """η, in rate per energy."""
    temperature: Annotated[float, Field(ge=0)]
    """T, in units of energy."""
    anisotropy: AnisotropyTable | None = None
    """E_a(n), added to -m·H."""
    polarisers: Annotated[tuple[PolariserTable, ...], Field(strict=False, max_length=16)] | None = (
        None
    )
    """How the spin torque depends on the angle; without any it does not."""

    def magnet(self) -> Magnet:
        """Return the magnet.

        Raises
        ------
        ConfigurationError
            If a value is refused.
        """
        anisotropy = None
        if self.anisotropy is not None:
            with at("magnet.anisotropy"):
                anisotropy = self.anisotropy.anisotropy(units.NUMBER)
        polarisers = []
        for i, one in enumerate(self.polarisers or ()):
            with at(f"magnet.polarisers.{i}"):
                polarisers.append(Polariser.from_dict(one.model_dump(exclude_none=True)))
        with at("magnet"):
            return Magnet(
                self.moment,
                self.gyromagnetic_ratio,
                self.damping,
                self.temperature,
                anisotropy,
                tuple(polarisers),
            )


class CurrentTable(Table):
    """A spin-polarised current through the magnet of a material."""

    polarisation: Quantity
    """Of the current, above 0 and at most 1."""
    thickness: Quantity | None = None
    """Of the layer, "1.3 nm"; the height of the shape if not given."""
    asymmetry: Quantity = 1.0
    """Slonczewski's Λ >= 1."""
    polariser: Vector = (0.0, 0.0, 1.0)
    """Direction p̂."""
    field_like: Quantity = 0.0
    """ζ, ratio of the field-like to the damping-like torque."""


def _expanded(value: Any) -> Any:
    return {"uniaxial": value} if isinstance(value, str) or is_number(value) else value


Lengths2 = Annotated[tuple[Quantity, Quantity], Field(strict=False)]
Lengths3 = Annotated[tuple[Quantity, Quantity, Quantity], Field(strict=False)]


class MaterialTable(Table):
    """A single-domain body of a material, with units; a number alone is in SI."""

    saturation_magnetisation: Quantity
    """M_s, "800 kA/m"."""
    gilbert_damping: Quantity
    """α."""
    temperature: Quantity
    """T, "300 K"."""
    volume: Quantity | None = None
    """V, "500 nm^3"; or one of the shapes, whose magnetostatic energy is added."""
    cylinder: Lengths2 | None = None
    """Diameter and height."""
    ellipsoid: Lengths3 | None = None
    """Three diameters."""
    prism: Lengths3 | None = None
    """Three edges."""
    anisotropy: (
        Annotated[
            AnisotropyTable,
            BeforeValidator(_expanded, json_schema_input_type=AnisotropyTable | float | str),
        ]
        | None
    ) = None
    """e(n), coefficients in energy per volume; "1 MJ/m^3" alone is uniaxial about z."""
    gyromagnetic_ratio: Quantity | None = None
    """γ, "28 GHz/T"; that of the free electron if not given."""
    current: CurrentTable | None = None
    """How a current acts."""

    def nanomagnet(self) -> Nanomagnet:
        """Return the body.

        Raises
        ------
        ConfigurationError
            If a value is refused.
        """
        anisotropy = None
        if self.anisotropy is not None:
            with at("material.anisotropy"):
                anisotropy = self.anisotropy.anisotropy(units.ENERGY_DENSITY)
        shapes = [name for name in ("cylinder", "ellipsoid", "prism") if getattr(self, name)]
        if len(shapes) + (self.volume is not None) != 1:
            raise ConfigurationError(
                "material", ": expected one of volume, cylinder, ellipsoid, prism"
            )
        shape = None
        for name in shapes:
            with at(f"material.{name}"):
                shape = _shape(name, getattr(self, name))
        given = {"gyromagnetic_ratio": self.gyromagnetic_ratio, "volume": self.volume}
        with at("material"):
            return Nanomagnet(
                saturation_magnetisation=self.saturation_magnetisation,
                gilbert_damping=self.gilbert_damping,
                temperature=self.temperature,
                shape=shape,
                anisotropy=anisotropy,
                **{name: value for name, value in given.items() if value is not None},
            )

    def spin_torque(self, body: Nanomagnet) -> SpinTorque | None:
        """Return the spin torque of a current of one A/m², None without a current.

        Raises
        ------
        ConfigurationError
            If a value is refused.
        """
        if self.current is None:
            return None
        with at("material.current"):
            return body.spin_torque(
                current_density=1.0,
                polarisation=self.current.polarisation,
                thickness=self.current.thickness,
                asymmetry=self.current.asymmetry,
                polariser=self.current.polariser,
                field_like=self.current.field_like,
            )


def _shape(name: str, lengths: tuple[Any, ...]) -> Cylinder | Ellipsoid | Prism:
    if name == "cylinder":
        return Cylinder(*lengths)
    return Ellipsoid(lengths) if name == "ellipsoid" else Prism(lengths)
