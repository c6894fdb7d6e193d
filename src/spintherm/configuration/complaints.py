"""Complaints: the first thing that a validation found wrong, in one line with its dotted key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from spintherm.configuration import document
from spintherm.configuration.problem import ConfigurationError, suggestion, unknown
from spintherm.validation import complaint

_NOTHING = object()
_EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "finite_number": "a finite number",
    "greater_than": "a number > {gt}",
    "greater_than_equal": "a number >= {ge}",
    "less_than": "a number < {lt}",
    "less_than_equal": "a number <= {le}",
    "too_short": "at least {min_length} items",
    "too_long": "at most {max_length} items",
    "string_too_long": "at most {max_length} letters",
    "string_too_short": "at least {min_length} letters",
    "expected": "{what}",
}


def first_complaint(error: ValidationError, data: Mapping[str, Any]) -> ConfigurationError:
    """Return the most telling complaint.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    data : mapping
        What was validated.

    Returns
    -------
    ConfigurationError
        Unknown keys come first: a slip in a key often explains what is missing.
    """
    found = error.errors(include_url=False)
    order = {"unknown_key": 0, "missing": 2}
    return _complaint(min(found, key=lambda one: order.get(one["type"], 1)), data)


def _complaint(found: Mapping[str, Any], data: Mapping[str, Any]) -> ConfigurationError:
    kind, context = found["type"], found.get("ctx", {})
    inner = context.get("error")
    if isinstance(inner, ConfigurationError):
        return inner
    key, value = _place(found["loc"], data, missing=kind == "missing")
    if kind == "unknown_key":
        name = context["key"]
        whole = f"{key}.{document.quoted(name)}".removeprefix(".")
        return unknown(whole, name, context["allowed"])
    if kind == "missing":
        return ConfigurationError(key, ": missing")
    if kind == "union_tag_not_found":
        tag = str(context["discriminator"]).strip("'")
        return ConfigurationError(f"{key}.{tag}", ": missing")
    if kind == "union_tag_invalid":
        tag = str(context["discriminator"]).strip("'")
        return _not_among(f"{key}.{tag}", str(context["tag"]), str(context["expected_tags"]))
    if kind in ("literal_error", "enum"):
        return _not_among(key, value, str(context["expected"]))
    words = _EXPECTED.get(kind)
    expected = words.format(**context) if words else f"something else: {found['msg']}"
    said = complaint("value", value, expected)
    return ConfigurationError(key, said.removeprefix("value"))


def _not_among(key: str, value: Any, allowed: str) -> ConfigurationError:
    words = [part.strip().strip("'") for part in allowed.replace(" or ", ", ").split(",")]
    hint = suggestion(value, words) if isinstance(value, str) else ""
    said = complaint("value", value, f"one of {allowed}").removeprefix("value")
    return ConfigurationError(key, f"{said}{hint}")


def _place(loc: Sequence[int | str], data: Any, *, missing: bool) -> tuple[str, Any]:
    """Return the dotted key and the value; the tags of unions are in `loc`, but not in `data`."""
    parts: list[str] = []
    entered = False
    for i, part in enumerate(loc):
        if entered and part in _tags(data):  # which may be the name of a key too
            entered = False
            continue
        inner = _inside(data, part)
        if inner is not _NOTHING:
            data = inner
        elif not (missing and i == len(loc) - 1):
            continue
        entered = True
        parts.append(document.quoted(str(part)))
    return ".".join(parts), data


def _tags(data: Any) -> tuple[object, ...]:
    return (data.get("kind"), data.get("quantity")) if isinstance(data, Mapping) else ()


def _inside(data: Any, part: int | str) -> Any:
    if isinstance(data, list | tuple):
        return data[part] if isinstance(part, int) and part < len(data) else _NOTHING
    return data.get(part, _NOTHING) if isinstance(data, Mapping) else _NOTHING
