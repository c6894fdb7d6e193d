"""Configuration: a study in one TOML file, read without trusting it.

`load` gives a `Study`: frozen tables that are checked in full, with the magnet, the protocol and
the options that the engines take, the points of its sweep, and what it will cost. Whatever is wrong
is one `ConfigurationError`, of one line, that names the key.

The rule of the folder: a table of the file is a file here; nothing runs an engine, and no text of a
file is ever executed or imported.
"""

from spintherm.configuration.cost import Cost
from spintherm.configuration.migration import VERSION, migrate
from spintherm.configuration.problem import ConfigurationError
from spintherm.configuration.reading import load, loads
from spintherm.configuration.study import Study
from spintherm.configuration.sweeping import Axis
from spintherm.configuration.template import schema, template

__all__ = [
    "VERSION",
    "Axis",
    "ConfigurationError",
    "Cost",
    "Study",
    "load",
    "loads",
    "migrate",
    "schema",
    "template",
]
