"""The explorer: a page on loopback in which the physics can be seen and turned by hand.

Rule of the folder: the page asks in JSON and is answered in JSON. `questions` reads what is asked
and refuses what is wrong or too much; `answers` computes it with the engines, in processes of its
own (`benches`), so that what takes long can be stopped and never holds up what is quick; `lanes`
decides who is served; `guard` lets in nobody but the page itself. Nothing that is sent is
evaluated, and no address outside of the machine is known here.

Names are loaded when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spintherm.explorer.application import application
    from spintherm.explorer.serving import explore

_HOMES = {"explore": "serving", "application": "application"}

__all__ = ["application", "explore"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"spintherm.explorer.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'spintherm.explorer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
