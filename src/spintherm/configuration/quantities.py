"""Quantities: numbers, numbers with units, vectors of them, as the tables of a study hold them.

A quantity is a number in the units of the table (reduced, or SI next to a material), or text such
as "5 ns". Its unit is read where its kind is known (`conversion`).
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError


class Table(BaseModel):
    """A table of a study: frozen, no key but those below, nothing converted behind one's back."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @model_validator(mode="before")
    @classmethod
    def _known(cls, data: Any) -> Any:
        """Refuse unknown keys before anything else: a slip in one explains what is missing."""
        if isinstance(data, dict):
            allowed = [field.alias or name for name, field in cls.model_fields.items()]
            for key in data:
                if key not in allowed:
                    context = {"key": key, "allowed": allowed}
                    raise PydanticCustomError("unknown_key", "unknown key", context)
        return data


def refused(expected: str) -> PydanticCustomError:
    """Return the error that says what was expected."""
    return PydanticCustomError("expected", "expected {what}", {"what": expected})


def _whole(value: Any) -> Any:
    """Return 1000000 for 1e6."""
    whole = isinstance(value, float) and value.is_integer()
    return int(value) if whole and abs(value) <= 2.0**53 else value


def is_number(value: Any) -> bool:
    """Return whether a value is a number, which a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _quantity(value: Any) -> float | str:
    if is_number(value):
        return float(value) + 0.0
    if isinstance(value, str) and value.strip():
        return value.strip()
    raise refused("a number, or text with a unit")


def as_amplitude(value: Any) -> Any:
    """Return a quantity, or three of them as a tuple."""
    if isinstance(value, list | tuple):
        if len(value) != 3:
            raise refused("three components")
        return tuple(_quantity(each) for each in value)
    return _quantity(value)


Whole: TypeAlias = Annotated[int, BeforeValidator(_whole)]
Seed: TypeAlias = Annotated[Whole, Field(ge=0, le=2**64 - 1)]
Quantity: TypeAlias = Annotated[
    float | str, PlainValidator(_quantity, json_schema_input_type=float | str)
]
Vector: TypeAlias = Annotated[
    tuple[float, float, float], Field(strict=False, min_length=3, max_length=3)
]
"""Three numbers without units: a direction."""
Amplitude: TypeAlias = Annotated[
    float | str | tuple[float | str, ...],
    PlainValidator(
        as_amplitude,
        json_schema_input_type=float
        | str
        | Annotated[list[float | str], Field(min_length=3, max_length=3)],
    ),
]
"""A quantity or three of them."""


def plain(value: Any) -> Any:
    """Return tables as dictionaries, tuples as lists; keys without a value are left out."""
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        return {name: plain(inner) for name, inner in fields.items() if inner is not None}
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
