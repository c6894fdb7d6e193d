"""A document: the TOML of a study as tables, lists and values, read and written with care.

Nothing here knows what a key means. A document has a bounded size and depth and finite numbers; it
is written in one canonical form.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import lru_cache
from typing import Any

from spintherm.configuration import limits
from spintherm.configuration.problem import ConfigurationError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONG_KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')"""
    r"""(?:[ \t]*+\.[ \t]*+(?:[A-Za-z0-9_-]++|"[^"\n]*+"|'[^'\n]*+')){32}"""
)
"""A chain of dotted keys that takes the parser a time quadratic in its length."""


def parse(text: str | bytes) -> dict[str, Any]:
    """Return what a TOML text says.

    Parameters
    ----------
    text : str or bytes
        TOML; bytes are UTF-8.

    Returns
    -------
    dict
        Of tables, lists, texts, numbers and booleans.

    Raises
    ------
    ConfigurationError
        If it is too long or too deep, no UTF-8, no TOML, or holds a number that is not finite, a
        date or a time.
    """
    size = len(text)
    if size > limits.LARGEST_FILE:
        raise ConfigurationError(
            "", f"expected at most {limits.LARGEST_FILE} bytes, these are {size}"
        )
    try:
        letters = text.decode("utf-8") if isinstance(text, bytes) else text
        letters.encode("utf-8")
    except UnicodeError as error:
        raise ConfigurationError("", f"expected text in UTF-8 ({error})") from None
    letters = letters.removeprefix("\ufeff")
    if _LONG_KEY.search(letters):
        raise ConfigurationError("", "expected keys of at most 32 parts")
    try:
        data = tomllib.loads(letters)
    except RecursionError:
        raise _too_deep("") from None
    except ValueError as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise ConfigurationError("", f"expected TOML: {error}") from None
    check(data)
    return data


def check(data: Mapping[str, Any]) -> None:
    """Refuse what no study can hold.

    Raises
    ------
    ConfigurationError
        If something is too deep, too long, not finite, or of a type that no key takes.
    """
    for prefix, name, value in _walk(data):
        problem = _problem(name, value)
        if problem:
            key = f"{prefix}.{quoted(str(name)[:60])}".removeprefix(".")
            raise ConfigurationError(key, problem)


def _problem(name: str | int, value: Any) -> str:
    if isinstance(name, str) and len(name) > limits.LONGEST_KEY:
        return f"...: expected at most {limits.LONGEST_KEY} letters"
    if isinstance(value, float) and not math.isfinite(value):
        return f"={value}: expected a finite number"
    if isinstance(value, int) and abs(value) >= 2**64:
        return ": expected a number of at most 64 bits"
    if isinstance(value, str) and len(value) > limits.LONGEST_TEXT:
        return f": expected at most {limits.LONGEST_TEXT} letters"
    if not isinstance(value, bool | int | float | str | dict | list):
        return f"={value}: expected a number, text, list or table, not a date or time"
    return ""


def _walk(data: Mapping[str, Any]) -> Iterator[tuple[str, str | int, Any]]:
    """Give the dotted key of the table, the name and the value of everything, not recursively."""
    waiting: list[tuple[str, Any, int]] = [("", data, 0)]
    while waiting:
        prefix, value, depth = waiting.pop()
        if depth > limits.DEEPEST:
            raise _too_deep(prefix)
        items: Iterator[tuple[Any, Any]]
        items = iter(value.items()) if isinstance(value, dict) else iter(enumerate(value))
        for name, inner in items:
            yield prefix, name, inner
            if isinstance(inner, dict | list):
                waiting.append((f"{prefix}.{name}".removeprefix("."), inner, depth + 1))


def _too_deep(key: str) -> ConfigurationError:
    return ConfigurationError(
        key[:60], f": expected at most {limits.DEEPEST} tables and lists inside each other"
    )


@lru_cache(maxsize=1024)
def parts(key: str) -> tuple[str, ...]:
    """Return the parts of a dotted key, which may be quoted as in TOML.

    Raises
    ------
    ConfigurationError
        If it is no key, or too long.
    """
    problem = ConfigurationError(key[:60], ": expected a dotted key such as 'magnet.temperature'")
    if len(key) > limits.LONGEST_KEY or "\n" in key or "=" in key:
        raise problem
    try:
        inner: Any = parse(f"{key} = 0")
    except ConfigurationError:
        raise problem from None
    found = []
    while isinstance(inner, dict) and len(inner) == 1:
        ((part, inner),) = inner.items()
        found.append(part)
    if inner != 0 or len(found) > limits.DEEPEST:
        raise problem
    return tuple(found)


def replaced(data: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with values put in place.

    Parameters
    ----------
    data : dict
        Tables.
    values : mapping
        By dotted key. Tables on the way that are not there are made; lists do not grow.

    Raises
    ------
    ConfigurationError
        If a key goes through something that is neither a table nor a list, or past the end of a
        list.
    """
    result = deepcopy(data)
    for key, value in values.items():
        _put(result, key, deepcopy(value))
    return result


def _put(data: Any, key: str, value: Any) -> None:
    path = parts(key)
    for done, part in enumerate(path[:-1]):
        if isinstance(data, dict):
            data = data.setdefault(part, {})
        else:
            data = data[_checked(key, path[:done], part, data)]
    if isinstance(data, dict):
        data[path[-1]] = value
    else:
        data[_checked(key, path[:-1], path[-1], data)] = value


def _checked(key: str, inside: tuple[str, ...], part: str, data: Any) -> int:
    if not isinstance(data, list):
        what = "it is no table"
    elif _place(part, data):
        return int(part)
    else:
        what = f"it is a list of {len(data)}"
    raise ConfigurationError(key, f": expected {'.'.join(inside)} to hold {part!r}, but {what}")


def _place(part: str, data: Sequence[Any]) -> bool:
    return part.isascii() and part.isdigit() and len(part) < 8 and int(part) < len(data)


def overridden(data: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a document with single keys overridden; the one given is not changed.

    Parameters
    ----------
    data : dict
        Tables.
    overrides : sequence of str
        "key.path=value"; the value is TOML, or text if it is no TOML.

    Raises
    ------
    ConfigurationError
        If one is no assignment, or its key leads nowhere.
    """
    if isinstance(overrides, str) or len(overrides) > limits.MOST_OVERRIDES:
        raise ConfigurationError(
            "", f"expected a list of at most {limits.MOST_OVERRIDES} overrides"
        )
    if not overrides:
        return data
    values = {}
    for text in overrides:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise ConfigurationError("", f"override {text!r}: expected KEY=VALUE")
        values[key.strip()] = _value(key.strip(), value.strip())
    result = replaced(data, values)
    check(result)
    return result


def _value(key: str, text: str) -> Any:
    """Return a value in TOML, or the text itself; what is TOML but refused stays refused."""
    try:
        return parse(f"value = {text}")["value"] if "\n" not in text else text
    except ConfigurationError as error:
        if error.key:
            raise ConfigurationError(key, error.problem) from None
        _encodable(text)
        return text


def _encodable(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeError:
        raise ConfigurationError("", "override: expected text in UTF-8") from None


def write(data: Mapping[str, Any]) -> str:
    """Return the canonical TOML of a document.

    Parameters
    ----------
    data : mapping
        Values first, then tables and the tables in them, each under its header; what is deeper
        stands in one line.

    Returns
    -------
    str
        The same text for the same data.
    """
    return "\n".join(_lines(data, ())).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    deep = len(path) == 2
    for name, value in table.items():
        if deep or _plain(value):
            yield f"{quoted(name)} = {_inline(value)}"
    for name, value in table.items():
        if not (deep or _plain(value)):
            inner = (*path, quoted(name))
            yield from ("", f"[{'.'.join(inner)}]")
            yield from _lines(value, inner)


def _plain(value: Any) -> bool:
    return not isinstance(value, Mapping)


def quoted(name: str) -> str:
    """Return a key as TOML has it, in quotes if it needs them."""
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{quoted(name)} = {_inline(inner)}" for name, inner in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    return repr(value + 0.0) if isinstance(value, float) else repr(value)
