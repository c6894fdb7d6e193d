"""What is wrong with a study: the file, the key, the value, what would be right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_LONGEST = 600


class ConfigurationError(ValueError):
    """A study that cannot be used.

    Parameters
    ----------
    key : str
        The dotted key, "" for the file as a whole.
    problem : str
        What is wrong and what would be right; with a key it goes on where the key ends, such as
        "=-1.0: expected a number > 0" or ": missing".
    source : str
        The file, "" for none.
    """

    def __init__(self, key: str, problem: str, source: str = "") -> None:
        self.key, self.problem, self.source = key, problem, source
        super().__init__(key, problem, source)

    def __str__(self) -> str:
        where = f"{self.source}: " if self.source else ""
        what = self.problem if self.key else self.problem.removeprefix(": ")
        return one_line(f"{where}{self.key}{what}")

    def of(self, source: str) -> ConfigurationError:
        """Return the same complaint about a file of this name."""
        return ConfigurationError(self.key, self.problem, source)


def unknown(key: str, name: str, allowed: Iterable[str]) -> ConfigurationError:
    """Return the complaint about a key that nothing knows.

    Parameters
    ----------
    key : str
        Dotted.
    name : str
        Its last part, the one that is unknown.
    allowed : iterable of str
        What may stand in its place.
    """
    names = sorted(allowed)
    return ConfigurationError(
        key, f": unknown key{suggestion(name, names)}; known: {', '.join(names)}"
    )


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """Return `, did you mean "..."?` if something close is allowed, else nothing."""
    words = list(allowed)
    close = difflib.get_close_matches(word[:100], words, n=1)
    if not close and len(word) > 2:
        close = [one for one in words if one.startswith(word)]
    return f", did you mean {close[0]!r}?" if close else ""


def one_line(text: str) -> str:
    """Return a text on one line of bounded length, without letters that no terminal should see."""
    clean = "".join(c if c.isprintable() else " " for c in text)
    short = " ".join(clean.split())
    return short if len(short) <= _LONGEST else short[: _LONGEST - 4] + " ..."


_NAMED = re.compile(r"(?P<name>[A-Za-z_][\w.\[\]]*)(?P<rest>[=:].*)", re.DOTALL)


@contextmanager
def at(key: str) -> Iterator[None]:
    """Turn what a room below says about an argument into a complaint about a key.

    Parameters
    ----------
    key : str
        The table whose values are the arguments; "" if their names are dotted keys.
    """
    try:
        yield
    except ConfigurationError:
        raise
    except (TypeError, ValueError, OverflowError, ArithmeticError) as error:
        raise complaint_of(key, str(error)) from error


def complaint_of(key: str, text: str) -> ConfigurationError:
    """Return a complaint about a key from text such as "damping=-1.0: expected ..."."""
    named = _NAMED.fullmatch(text)
    if named is None:
        return ConfigurationError(key, f": {text}")
    name = named["name"].replace("[", ".").replace("]", "")
    last = key.rpartition(".")[2]
    inner = key if name == last else f"{key}.{name.removeprefix(last + '.')}".removeprefix(".")
    return ConfigurationError(inner, named["rest"])
