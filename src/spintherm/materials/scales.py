"""Scales: what one reduced unit is worth in SI, and results turned into SI.

Everything follows from an energy E₀, a moment M₀ and a time t₀:

    field: B₀ = E₀/M₀ and H₀ = B₀/μ₀;  power: E₀/t₀;  temperature: E₀/k_B;  spin torque: H₀ per M₀ .

Entropies are in units of k_B in both systems; their rates are in k_B/s.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from spintherm import display, units, validation
from spintherm.units import BOLTZMANN_CONSTANT, VACUUM_PERMEABILITY, Kind
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray

Powers: TypeAlias = tuple[int, int, int]

_ENERGY, _MOMENT, _TIME = (1, 0, 0), (0, 1, 0), (0, 0, 1)
_PLAIN: Powers = (0, 0, 0)
_UNITS: dict[str, tuple[Powers, str]] = {
    **{same: (_PLAIN, same) for same in ("1", "k_B", "1/k_B", "1/sr", "rad", "degrees", "steps")},
    "energy": (_ENERGY, "J"),
    "moment": (_MOMENT, "A m^2"),
    "time": (_TIME, "s"),
    "1/energy": ((-1, 0, 0), "1/J"),
    "1/(energy)": ((-1, 0, 0), "1/J"),
    "1/time": ((0, 0, -1), "1/s"),
    "k_B per time": ((0, 0, -1), "k_B/s"),
    "energy/time": ((1, 0, -1), "W"),
    "energy^2/time": ((2, 0, -1), "J^2/s"),
    "energy per moment": ((1, -1, 0), "A/m"),
    "energy per moment squared": ((1, -2, 0), "A/m per A m^2"),
    "rate per field": ((-1, 1, -1), "m/(A s)"),
    "rate per energy": ((-1, 0, -1), "1/(J s)"),
}
"""Units of the outputs that are one product, with the powers of energy, moment and time."""
_UNNAMED = {
    "time": "time",
    "field": "energy per moment",
    "spin_torque": "energy per moment squared",
}
"""Units of the coordinates that bear none."""
_ENERGIES = frozenset({"work", "heat", "energy_change", "shadow_work", "free_energy_change"})
"""Functionals that are energies; all others are entropies or pure numbers."""
_MIXED = {
    "as the functional": "as the functional, in J or k_B",
    "the functional's squared": "the functional's squared, in J or k_B",
    "product of the functionals'": "product of the functionals', in J or k_B",
    "the functional's to the order": "the functional's to the order, in J or k_B",
    "energy^work_power": "J^work_power",
    "as the estimate": "as the estimate, in J or k_B",
    "square of the estimate's": "square of the estimate's, in J or k_B",
    "mixed": "product of the functionals' per s, in J or k_B",
}
"""Units that differ along a dimension."""


@dataclass(frozen=True)
class Scales:
    """What one reduced unit is worth.

    Parameters
    ----------
    energy : float
        E₀ in J.
    moment : float
        M₀ in A m².
    time : float
        t₀ in s.

    Raises
    ------
    TypeError, ValueError
        If one is not a finite number above zero.
    """

    energy: float
    moment: float
    time: float

    def __post_init__(self) -> None:
        for name in ("energy", "moment", "time"):
            value = validation.finite_scalar(name, getattr(self, name), positive=True)
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        from spintherm.materials.description import with_prefix

        return display.scales_text(self, with_prefix)

    def _repr_html_(self) -> str:
        from spintherm.materials.description import rows_of_scales, with_prefix

        return display.scales_card(self, rows_of_scales(self), with_prefix)

    @property
    def temperature(self) -> float:
        """E₀/k_B in K."""
        return self.energy / BOLTZMANN_CONSTANT

    @property
    def induction(self) -> float:
        """B₀ = E₀/M₀ in T."""
        return self.energy / self.moment

    @property
    def field(self) -> float:
        """H₀ = B₀/μ₀ in A/m."""
        return self.induction / VACUUM_PERMEABILITY

    @property
    def spin_torque(self) -> float:
        """H₀/M₀, the unit of P, in A/m per A m²."""
        return self.field / self.moment

    @property
    def torque(self) -> float:
        """E₀ in N m."""
        return self.energy

    @property
    def rate(self) -> float:
        """1/t₀ in 1/s, and in k_B/s for rates of entropies."""
        return 1.0 / self.time

    @property
    def power(self) -> float:
        """E₀/t₀ in W."""
        return self.energy / self.time

    def reduced_time(self, time: float | str) -> float:
        """Return a time in reduced units.

        Parameters
        ----------
        time : float or str
            In s, or text such as "5 ns".
        """
        return units.quantity("time", time, units.TIME) / self.time

    def reduced_energy(self, energy: float | str) -> float:
        """Return an energy in reduced units.

        Parameters
        ----------
        energy : float or str
            In J, or text such as "1 eV".
        """
        return units.quantity("energy", energy, units.ENERGY) / self.energy

    def reduced_temperature(self, temperature: float | str) -> float:
        """Return a temperature in reduced units.

        Parameters
        ----------
        temperature : float or str
            In K, or text such as "300 K" or "27 degC".
        """
        kelvin = units.quantity("temperature", temperature, units.TEMPERATURE, nonnegative=True)
        return kelvin / self.temperature

    def reduced_field(self, field: object) -> FloatArray:
        """Return a field in reduced units.

        Parameters
        ----------
        field : float, str or sequence of three
            H in A/m, or text: "40 kA/m" and "500 Oe" are H, "50 mT" is μ₀H.

        Returns
        -------
        ndarray, shape () or (3,)
            ν = μ₀M₀H/E₀ of the field.
        """
        kind: Kind = units.FIELD
        scalar = isinstance(field, str) or np.ndim(field) == 0  # type: ignore[arg-type]
        if scalar:
            return np.asarray(units.quantity("field", field, kind) / self.field)
        return np.asarray(units.vector("field", field, kind) / self.field)

    def to_si(self, dataset: xarray.Dataset) -> xarray.Dataset:
        """Return results in SI.

        Powers in W, entropy rates in k_B/s, times in s, energies in J, moments in A m², fields H in
        A/m; entropies stay in k_B. Which is which is read from the attribute `units` of each
        variable and coordinate, which is replaced.

        Parameters
        ----------
        dataset : xarray.Dataset
            As the engines give it.

        Returns
        -------
        xarray.Dataset
            A new one. Attributes of the dataset (parameters of the magnet, protocol) stay as they
            were, in reduced units; `energy_scale`, `moment_scale`, `time_scale` are added, in SI.

        Raises
        ------
        TypeError
            If it is no dataset.
        ValueError
            If it has been converted before, or has a unit that is not known.
        """
        import xarray

        if not isinstance(dataset, xarray.Dataset):
            raise TypeError(validation.complaint("dataset", dataset, "an xarray.Dataset"))
        if "energy_scale" in dataset.attrs:
            raise ValueError("dataset: expected results in reduced units, these are in SI")
        named = {str(name): self._converted(str(name), dataset) for name in dataset.variables}
        changed = {name: value for name, value in named.items() if value is not None}
        scales = {f"{name}_scale": getattr(self, name) for name in ("energy", "moment", "time")}
        return dataset.assign_coords(
            {name: value for name, value in changed.items() if name in dataset.coords}
        ).assign(
            {name: value for name, value in changed.items() if name not in dataset.coords}
        ).assign_attrs(scales)  # fmt: skip

    def worth(self, unit: str) -> tuple[float, str]:
        """Return what a unit of the outputs is worth, and the name of the SI unit.

        Parameters
        ----------
        unit : str
            For example "energy/time".

        Returns
        -------
        factor : float
        unit : str
            For example "W".

        Raises
        ------
        ValueError
            If the unit is not known.
        """
        if unit not in _UNITS:
            raise ValueError(validation.complaint("unit", unit, f"one of {', '.join(_UNITS)}"))
        (e, m, t), si = _UNITS[unit]
        power_of_permeability = {"A/m": -1, "A/m per A m^2": -1, "m/(A s)": 1}.get(si, 0)
        factor = self.energy**e * self.moment**m * self.time**t
        return factor * VACUUM_PERMEABILITY**power_of_permeability, si

    def _converted(self, name: str, dataset: xarray.Dataset) -> Any:
        """Return the converted variable, None if it has no unit."""
        import xarray

        variable = dataset[name].variable
        unit = variable.attrs.get("units", _UNNAMED.get(name))
        if unit is None:
            return None
        if unit in _UNITS:
            factor, si = self.worth(unit)
            if si == "1/s" and "entropy" in name:
                si = "k_B^2/s" if "noise" in name else "k_B/s"
            values = variable.values * factor if factor != 1.0 else variable.values
        elif unit in _MIXED:
            values = (dataset[name] * self._factors(unit, dataset)).transpose(*variable.dims).values
            si = _MIXED[unit]
        else:
            known = ", ".join((*_UNITS, *_MIXED))
            raise ValueError(validation.complaint(f"units of {name}", unit, f"one of {known}"))
        return xarray.Variable(variable.dims, values, attrs={**variable.attrs, "units": si})

    def _factors(self, unit: str, dataset: xarray.Dataset) -> Any:
        """Return what a unit is worth that differs along a dimension."""

        def along(dim: str) -> Any:
            worth = [self.energy if str(of) in _ENERGIES else 1.0 for of in dataset[dim].values]
            return dataset[dim].copy(data=worth)

        if unit == "energy^work_power":
            return self.energy ** dataset["work_power"]
        if unit == "mixed":
            return along("functional") * along("functional_2") / self.time
        if unit == "product of the functionals'":
            return along("functional") * along("other_functional")
        if unit == "the functional's to the order":
            return along("functional") ** dataset["order"]
        base = along("estimate" if "estimate" in unit else "functional")
        return base**2 if "square" in unit else base
