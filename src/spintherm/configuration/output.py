"""[output]: what is kept of the results."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from spintherm.configuration import limits
from spintherm.configuration.problem import ConfigurationError, suggestion
from spintherm.configuration.quantities import Table, Whole
from spintherm.schema import VARIABLES

Stride = Annotated[Whole, Field(ge=1, le=limits.MOST_TRAJECTORIES)]


class OutputTable(Table):
    """What is kept of the results; without this table everything."""

    variables: (
        Annotated[
            tuple[Annotated[str, Field(min_length=1, max_length=100)], ...],
            Field(strict=False, min_length=1, max_length=200),
        ]
        | None
    ) = None
    """Names of the variables to keep, such as "work"; all of them if not given."""
    histograms: bool = True
    """Whether the histograms of statistics are kept."""
    time_stride: Stride = 1
    """Of the saved times each so-manieth is kept, beginning with the first."""
    trajectory_stride: Stride = 1
    """Of the trajectories each so-manieth is kept, beginning with the first."""


def check(output: OutputTable, *, sampled: bool) -> None:
    """Refuse names of variables that no simulation gives.

    Raises
    ------
    ConfigurationError
        With the name and what is close to it.
    """
    for i, name in enumerate(output.variables or ()):
        if sampled and name not in VARIABLES:
            said = f"={name!r}: expected the name of an output{suggestion(name, VARIABLES)}"
            raise ConfigurationError(f"output.variables.{i}", said)
