"""[compute]: the quantity, how accurately, with what random numbers, in what portions."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

import numpy as np
from pydantic import Discriminator, Field, PlainValidator, Tag

from spintherm.configuration import limits
from spintherm.configuration.conversion import Body
from spintherm.configuration.problem import ConfigurationError
from spintherm.configuration.quantities import (
    Amplitude,
    Quantity,
    Seed,
    Table,
    Vector,
    Whole,
    is_number,
    refused,
)

Scheme: TypeAlias = Literal["splitting", "euler-maruyama", "exact-ft"]
Functional: TypeAlias = Literal[
    "entropy_production", "work", "pumped_entropy", "environment_entropy", "heat"
]
Side: TypeAlias = Literal["parallel", "antiparallel"]
Accuracy: TypeAlias = Annotated[float, Field(gt=0, lt=1)]


class Grid(Table):
    """Equally spaced times from 0 to the duration, or from start to stop."""

    count: Annotated[Whole, Field(ge=1, le=limits.MOST_TIMES)]
    """How many."""
    start: Quantity | None = None
    """The first; 0 if not given."""
    stop: Quantity | None = None
    """The last; the duration of the protocol if not given."""


_NOT_FOR_THE_ENGINE = ("quantity", "chunk", "common_random_numbers")


def _form(value: Any) -> str:
    """Return which of several forms a value has, so that complaints speak of that one."""
    if isinstance(value, dict | Table):
        return "table"
    return "list" if isinstance(value, list | tuple) else "number"


def _list_or_table(value: Any) -> str:
    return "table" if _form(value) == "table" else "list"


def _list_or_number(value: Any) -> str:
    return "list" if _form(value) == "list" else "number"


def _table_or_number(value: Any) -> str:
    return "table" if _form(value) == "table" else "number"


Times: TypeAlias = Annotated[
    Annotated[
        tuple[Quantity, ...],
        Field(strict=False, min_length=1, max_length=limits.MOST_TIMES),
        Tag("list"),
    ]
    | Annotated[Grid, Tag("table")],
    Discriminator(_list_or_table),
]
Number: TypeAlias = Annotated[Whole, Field(ge=1, le=limits.MOST_BINS), Tag("number")]
Edges: TypeAlias = Annotated[
    tuple[float, ...],
    Field(strict=False, min_length=2, max_length=limits.MOST_BINS + 1),
    Tag("list"),
]
Binned: TypeAlias = Literal["work", "heat", "pumped_entropy", "entropy_production"]
Bins: TypeAlias = Annotated[
    Number
    | Annotated[
        dict[Binned, Annotated[Number | Edges, Discriminator(_list_or_number)]], Tag("table")
    ],
    Discriminator(_table_or_number),
]


def _initial(value: Any) -> Any:
    if value in ("equilibrium", "steady_state"):
        return value
    if _is_vector(value):
        return tuple(map(float, value))
    many = isinstance(value, list | tuple) and 0 < len(value) <= limits.MOST_TIMES
    if many and all(map(_is_vector, value)):
        return tuple(tuple(map(float, one)) for one in value)
    raise refused("'equilibrium', 'steady_state', a direction, or one for each trajectory")


def _is_vector(value: Any) -> bool:
    three = isinstance(value, list | tuple) and len(value) == 3
    return three and all(map(is_number, value))


Initial: TypeAlias = Annotated[
    str | tuple[Any, ...],
    PlainValidator(
        _initial,
        json_schema_input_type=Literal["equilibrium", "steady_state"] | Vector | list[Vector],
    ),
]


class Compute(Table):
    """A quantity and its options."""

    needs: ClassVar[Literal["protocol", "point"]] = "protocol"
    """The table that says what is done to the magnet."""
    sampled: ClassVar[bool] = False
    """Whether it is an average over trajectories, with a seed and chunks."""
    times: ClassVar[tuple[str, ...]] = ()
    """Options that are times, or lists of them."""
    vectors: ClassVar[tuple[str, ...]] = ()
    """Options that are fields."""

    quantity: str

    def options(self, body: Body, duration: float | None) -> dict[str, Any]:
        """Return the keyword arguments of the function that computes the quantity.

        Parameters
        ----------
        body : Body
            The magnet, which says what times are measured in.
        duration : float, optional
            Of the protocol, in reduced units.

        Returns
        -------
        dict
            Without those that are not set. Times and fields are in reduced units.

        Raises
        ------
        ConfigurationError
            If a time or a field is refused.
        """
        values: dict[str, Any] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if name not in _NOT_FOR_THE_ENGINE and value is not None:
                values[name] = value
        for name in self.times:
            if name in values:
                values[name] = _times(f"compute.{name}", values[name], body, duration)
        for name in self.vectors:
            if name in values:
                values[name] = body.field(f"compute.{name}", values[name])
        if isinstance(values.get("points"), tuple):
            _increasing("compute.points", values["points"])
        if isinstance(values.get("bins"), dict):
            for name, edges in values["bins"].items():
                if isinstance(edges, tuple):
                    _increasing(f"compute.bins.{name}", edges)
        return values


class Sampled(Compute):
    """What is common to averages over trajectories."""

    sampled: ClassVar[bool] = True

    trajectories: Annotated[Whole, Field(ge=1, le=limits.MOST_TRAJECTORIES)] = 100_000
    """How many, at every point."""
    seed: Seed = 0
    """Of the random numbers; points of a sweep have seeds of their own that follow from it."""
    steps: Annotated[Whole, Field(ge=1, le=limits.MOST_STEPS)] | None = None
    """Time steps; chosen from the fastest rate if not given."""
    scheme: Scheme = "splitting"
    """Integrator."""
    initial: Initial = "equilibrium"
    """Equilibrium at the starting field, the steady state of the start, or given directions."""
    fast: bool = False
    """Faster arithmetic for the scheme splitting."""
    chunk: Annotated[Whole, Field(ge=1, le=limits.LARGEST_CHUNK)] = 65536
    """Trajectories of a task."""
    common_random_numbers: bool = False
    """Whether all points of a sweep see the same noise, which sharpens their differences."""

    def check(self) -> None:
        """Refuse initial directions that are not one for each trajectory.

        Raises
        ------
        ConfigurationError
            If there is another number of them.
        """
        many = isinstance(self.initial, tuple) and isinstance(self.initial[0], tuple)
        if many and len(self.initial) != self.trajectories:
            raise ConfigurationError(
                "compute.initial",
                f": expected one direction or {self.trajectories}, there are {len(self.initial)}",
            )


class Trajectories(Sampled):
    """Every trajectory: its functionals, its last moment, its path at saved times."""

    times: ClassVar[tuple[str, ...]] = ("save_at",)

    quantity: Literal["trajectories"]
    tolerance: Annotated[float, Field(gt=0)] | None = None
    """Instead of steps: the step bias as a fraction of the statistical error."""
    save_at: Times | None = None
    """Times at which the moment and the functionals so far are kept."""


class Statistics(Sampled):
    """Moments, averages of exponentials and histograms, without keeping trajectories."""

    quantity: Literal["statistics"]
    bins: Bins = 128
    """Number of bins of each histogram, or by name the number or the edges."""


class Evolution(Compute):
    """The density of the moment along the protocol, with its mean moment and its rates."""

    times: ClassVar[tuple[str, ...]] = ("save_at",)

    quantity: Literal["evolution"]
    initial: Literal["equilibrium", "steady_state"] = "equilibrium"
    """Density at the start."""
    tolerance: Accuracy | None = None
    """Wanted error, see the function's."""
    save_at: Times | None = None
    """101 equally spaced times if not given."""
    l_max: Annotated[Whole, Field(ge=1, le=1000)] | None = None
    """Fixed truncation instead of an automatic one."""


class Moments(Compute):
    """Exact moments of work, pumped entropy and entropy production."""

    quantity: Literal["moments"]
    order: Annotated[Whole, Field(ge=1, le=12)] = 4
    """Largest total order."""
    initial: Literal["equilibrium", "steady_state"] = "equilibrium"
    """Density at the start."""
    tolerance: Accuracy | None = None
    """Wanted error, see the function's."""


class Distribution(Compute):
    """The exact density of a functional of the process."""

    quantity: Literal["distribution"]
    of: Functional = "entropy_production"
    """The functional."""
    points: (
        Annotated[
            tuple[float, ...], Field(strict=False, min_length=1, max_length=limits.MOST_TIMES)
        ]
        | None
    ) = None
    """Where, rising, in reduced units; by default where the density is not negligible."""
    initial: Literal["equilibrium", "steady_state"] = "equilibrium"
    """Density at the start."""
    tolerance: Accuracy | None = None
    """Wanted error, see the function's."""
    floor: Accuracy | None = None
    """Density, relative to the largest, below which nothing is promised."""


class Steady(Compute):
    """The steady state at constant field and torque: rates, noises, mean moment."""

    needs: ClassVar[Literal["protocol", "point"]] = "point"

    quantity: Literal["steady-state"]
    tolerance: Accuracy | None = None
    """Wanted error, see the function's."""


class Dwell(Compute):
    """How long a stochastic bit dwells in each of its wells."""

    needs: ClassVar[Literal["protocol", "point"]] = "point"

    quantity: Literal["dwell-times"]


class WriteError(Compute):
    """How often a rectangular pulse does not turn a bit over."""

    needs: ClassVar[Literal["protocol", "point"]] = "point"
    times: ClassVar[tuple[str, ...]] = ("pulse_lengths",)
    vectors: ClassVar[tuple[str, ...]] = ("resting_field",)

    quantity: Literal["write-error"]
    pulse_lengths: Times
    """Increasing, above zero."""
    initial: Side = "parallel"
    """The well in which the bit starts."""
    resting_field: Amplitude | None = None
    """H before the pulse, three components; none if not given."""
    axis: Vector | None = None
    """Along which the wells lie; that of the magnet if not given."""
    tolerance: Accuracy | None = None
    """Wanted error, see the function's."""


AnyCompute: TypeAlias = Annotated[
    Trajectories | Statistics | Evolution | Moments | Distribution | Steady | Dwell | WriteError,
    Field(discriminator="quantity"),
]


def _increasing(key: str, values: Any) -> None:
    for i, (before, after) in enumerate(pairwise(values)):
        if not before < after:
            raise ConfigurationError(
                f"{key}.{i + 1}", f"={after!r}: expected more than {before!r}, in rising order"
            )


def _times(key: str, value: Any, body: Body, duration: float | None) -> list[float]:
    if not isinstance(value, Grid):
        times = [body.time(f"{key}.{i}", one) for i, one in enumerate(value)]
    else:
        times = _grid(key, value, body, duration)
    _increasing(key, times)
    if times[0] < 0.0 or (duration is not None and times[-1] > duration):
        raise ConfigurationError(key, ": expected times from 0 to the duration of the protocol")
    return times


def _grid(key: str, value: Grid, body: Body, duration: float | None) -> list[float]:
    start = 0.0 if value.start is None else body.time(f"{key}.start", value.start)
    if value.stop is not None:
        stop = body.time(f"{key}.stop", value.stop)
    elif duration is not None:
        stop = duration
    else:
        raise ConfigurationError(f"{key}.stop", ": missing; expected a time")
    if value.count > 1 and not stop > start:
        raise ConfigurationError(f"{key}.stop", f"={value.stop!r}: expected a time after the start")
    return [float(t) for t in np.linspace(start, stop, value.count)]
