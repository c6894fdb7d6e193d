"""SI units at the boundary: numbers in SI, or text such as "800 kA/m", become floats in SI.

A bare number is in the SI unit of its kind. Text is a number and one expression of units, read by
pint. H and B are kept apart: a field is H in A/m, and one that is given in tesla (or gauss) is
meant as the induction of the free field, H = B/μ₀. The electromagnetic units of the Gaussian
system are read as the SI quantities that they stand for,

    1 Oe = 1000/(4π) A/m,    1 G = 1e-4 T,    1 emu = 1e-3 A m² ,

so that "1000 Oe" is H and "1000 G" is B. A frequency per field, "28 GHz/T", is turns and not
radians: the gyromagnetic ratio is 2π times it.

Text is never executed: it has to match a grammar of numbers, names, small powers and brackets, of
bounded length, before pint sees the names. Units: all results are in SI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from spintherm import validation
from spintherm.validation import FloatArray

BOLTZMANN_CONSTANT = 1.380649e-23
"""k_B in J/K, exact in the SI of 2019."""
ELEMENTARY_CHARGE = 1.602176634e-19
"""e in C, exact."""
REDUCED_PLANCK_CONSTANT = 6.62607015e-34 / (2.0 * np.pi)
"""ħ in J s, exact."""
VACUUM_PERMEABILITY = 1.25663706127e-6
"""μ₀ in T m/A, CODATA 2022 (relative uncertainty 1.6e-10)."""
ELECTRON_GYROMAGNETIC_RATIO = 1.76085962784e11
"""γ of the electron in rad/(s T), CODATA 2022 (relative uncertainty 3e-10)."""


@dataclass(frozen=True)
class Kind:
    """What a quantity is: words and example for errors, its SI unit, and what else stands for it.

    Attributes
    ----------
    meaning : str
        With its article.
    unit : str
        The SI unit of a bare number.
    example : str
        A value as text.
    also : mapping of str to float
        Units of another dimension that are taken too, with their worth in `unit`.
    credible : tuple of two floats, optional
        What a magnet of a single domain can have; beyond it a unit has been forgotten.
    """

    meaning: str
    unit: str
    example: str
    also: Mapping[str, float] = field(default_factory=dict)
    credible: tuple[float, float] = (0.0, np.inf)


_PER_TESLA = {"tesla": 1.0 / VACUUM_PERMEABILITY}
TEMPERATURE = Kind("a temperature", "K", "300 K' or '27 degC")
LENGTH = Kind("a length", "m", "4 nm", credible=(1e-12, 1e-3))
AREA = Kind("an area", "m^2", "3000 nm^2", credible=(1e-24, 1e-6))
VOLUME = Kind("a volume", "m^3", "5000 nm^3", credible=(1e-36, 1e-9))
TIME = Kind("a time", "s", "5 ns")
MAGNETISATION = Kind("a magnetisation", "A/m", "800 kA/m", _PER_TESLA, (10.0, 1e7))
"""M in A/m; in tesla μ₀M is meant."""
FIELD = Kind("a magnetic field", "A/m", "40 kA/m' or '50 mT", _PER_TESLA)
"""H in A/m; in tesla μ₀H is meant."""
MOMENT = Kind("a magnetic moment", "A*m^2", "4e-18 A m^2")
ENERGY = Kind("an energy", "J", "1 eV")
ENERGY_DENSITY = Kind("an energy density", "J/m^3", "1 MJ/m^3")
CURRENT = Kind("a current", "A", "100 uA")
CURRENT_DENSITY = Kind("a current density", "A/m^2", "1.2 MA/cm^2")
GYROMAGNETIC_RATIO = Kind(
    "a gyromagnetic ratio",
    "rad/s/T",
    "1.76e11 rad/(s T)' or '28 GHz/T",
    {"rad/s/(A/m)": 1.0 / VACUUM_PERMEABILITY},
    (1e9, 1e13),
)
"""γ in rad/(s T); in m/(A s) μ₀γ is meant."""
NUMBER = Kind("a number", "", "0.02")

_DEFINITIONS = f"""
femto- = 1e-15 = f-
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = µ- = μ- = u-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
tera- = 1e12 = T-
meter = [length] = m = metre
second = [time] = s
gram = [mass] = g
ampere = [current] = A
kelvin = [temperature]; offset: 0 = K
radian = [] = rad
percent = 0.01 = %
degree_Celsius = kelvin; offset: 273.15 = degreeC = degC = celsius
degree_Fahrenheit = 5 / 9 * kelvin; offset: 233.15 + 200 / 9 = degreeF = degF = fahrenheit
minute = 60 * second = min
hour = 3600 * second = h
day = 86400 * second = d
year = 31557600 * second
angstrom = 1e-10 * meter = Å
hertz = 1 / second = Hz
newton = 1e3 * gram * meter / second ** 2 = N
joule = newton * meter = J
watt = joule / second = W
volt = watt / ampere = V
ohm = volt / ampere = Ω
coulomb = ampere * second = C
weber = volt * second = Wb
tesla = weber / meter ** 2 = T
henry = weber / ampere = H
erg = 1e-7 * joule
electron_volt = {ELEMENTARY_CHARGE!r} * joule = eV
boltzmann_constant = {BOLTZMANN_CONSTANT!r} * joule / kelvin = k_B
bohr_magneton = 9.2740100657e-24 * ampere * meter ** 2 = mu_B = µ_B
oersted = {1e3 / (4.0 * np.pi)!r} * ampere / meter = Oe
gauss = 1e-4 * tesla = G
emu = 1e-3 * ampere * meter ** 2
"""
"""All the units that are known, in the language of pint: a short list holds no surprises."""
_LONGEST = 64
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_NAME = r"(?:°C|°F|%|[^\W\d]+)(?:(?:\^|\*\*)?[+-]?[1-9]|⁻?[¹²³⁴⁵⁶⁷⁸⁹])?"
_TEXT = re.compile(rf"\s*(?P<number>{_NUMBER})(?P<unit>\s*(?:1\s*/)?(?:{_NAME}|[\s*·/()])*+)")
"""The last repetition gives nothing back, so that no text takes long to be refused."""
_BARE_POWER = re.compile(r"(?<=[^\W\d_])(?=[+-]?[1-9])")
_REFUSED = "{meaning}{demand} such as '{example}'"


def quantity(
    name: str,
    value: object,
    kind: Kind,
    *,
    positive: bool = False,
    nonnegative: bool = False,
) -> float:
    """Return a quantity in SI.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : float, str or pint.Quantity
        A number in the SI unit of its kind, or a number with units.
    kind : Kind
        What it should be.
    positive, nonnegative : bool
        Further demands.

    Returns
    -------
    float
        In `kind.unit`.

    Raises
    ------
    TypeError
        If `value` is neither a real number nor text nor a quantity of pint.
    ValueError
        If the text is no number with units, the units are of another kind, or the value is not
        finite or breaks a demand. The error says what was expected, with an example.
    """
    demand = " > 0" if positive else " >= 0" if nonnegative else ""
    expected = _REFUSED.format(meaning=kind.meaning, demand=demand, example=kind.example)
    text = _as_text(value)
    if text is not None:
        result = _read(text, kind)
        if result is None:
            raise ValueError(validation.complaint(name, value, expected))
    else:
        try:
            result = validation.finite_scalar(name, value)
        except TypeError:
            message = f"{expected}, or a number in {kind.unit or 'units of one'}"
            raise TypeError(validation.complaint(name, value, message)) from None
        except ValueError:
            raise ValueError(validation.complaint(name, value, expected)) from None
    if not np.isfinite(result) or (positive and result <= 0) or (nonnegative and result < 0):
        raise ValueError(validation.complaint(name, value, expected))
    return result


def credible(name: str, value: object, kind: Kind) -> float:
    """Return a quantity above zero that a magnet of a single domain can have, in SI.

    Parameters
    ----------
    name, value, kind
        As in `quantity`.

    Returns
    -------
    float
        In `kind.unit`.

    Raises
    ------
    TypeError, ValueError
        As `quantity` does, and if the value is so small or so large that its unit must be wrong.
    """
    result = quantity(name, value, kind, positive=True)
    low, high = kind.credible
    if not low <= result <= high:
        expected = (
            f"{kind.meaning} from {low:g} to {high:g} {kind.unit} such as '{kind.example}'; "
            f"a number alone is in {kind.unit}"
        )
        raise ValueError(validation.complaint(name, value, expected))
    return result


def vector(name: str, value: object, kind: Kind) -> FloatArray:
    """Return three components in SI.

    Parameters
    ----------
    name : str
        Name of the argument.
    value : sequence of three
        Numbers in SI or text, each as in `quantity`.
    kind : Kind
        What the components are.

    Returns
    -------
    ndarray, shape (3,)
        In `kind.unit`.

    Raises
    ------
    TypeError, ValueError
        If there are not three, or one of them is refused.
    """
    if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str | bytes):
        expected = f"three components, each {kind.meaning} such as '{kind.example}'"
        raise TypeError(validation.complaint(name, value, expected))
    if len(value) != 3:
        expected = f"three components, each {kind.meaning}, but there are {len(value)}"
        raise ValueError(validation.complaint(name, value, expected))
    return np.array([quantity(f"{name}[{i}]", each, kind) for i, each in enumerate(value)])


def _as_text(value: object) -> str | None:
    """Return text, also of a quantity of any registry of pint; None for anything else."""
    if isinstance(value, str):
        return value
    if type(value).__module__.split(".")[0] == "pint" and hasattr(value, "magnitude"):
        magnitude = value.magnitude
        if np.ndim(magnitude) == 0 and isinstance(magnitude, int | float | np.number):
            return f"{float(magnitude)!r} {value.units:D}"  # type: ignore[attr-defined]
    return None


def _read(text: str, kind: Kind) -> float | None:
    """Return the value of a text, None if it is no number with units of this kind."""
    if len(text) > _LONGEST:
        return None
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    number = float(match["number"])
    unit = _BARE_POWER.sub("^", match["unit"].strip().replace("·", "*"))
    for target, worth in {kind.unit: 1.0, **kind.also}.items():
        converted = _converted(number, unit, target)
        if converted is not None:
            return converted * worth
    return None


def _converted(number: float, unit: str, target: str) -> float | None:
    """Return `number unit` in the unit `target`; None if the dimensions differ."""
    if not unit and not target:
        return number
    from pint.errors import PintError

    registry = _registry()
    try:
        given = registry.Quantity(number, registry.parse_units(unit))
        value = float(given.to(target).magnitude)
    except (PintError, ArithmeticError):
        return None
    except Exception:  # whatever else pint's parser says to brackets that do not match
        return None
    turns = "rad" in target and any("hertz" in part for part, _ in given.unit_items())
    return 2.0 * np.pi * value if turns else value


@lru_cache(maxsize=1)
def _registry() -> Any:
    """Return a registry of pint that knows the units below and no others."""
    import pint

    registry: Any = pint.UnitRegistry(None)
    registry.load_definitions(_DEFINITIONS.strip().splitlines())
    return registry
