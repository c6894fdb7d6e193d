"""[protocol] and [point]: what is done to the magnet, in time or for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, WrapValidator

from spintherm.configuration import limits
from spintherm.configuration.conversion import Body
from spintherm.configuration.problem import ConfigurationError, at
from spintherm.configuration.quantities import Amplitude, Quantity, Table, as_amplitude
from spintherm.protocol import Protocol
from spintherm.waveforms import Waveform

Read: TypeAlias = Callable[[str, Any], list[float]]
"""Key and amplitude to three components in reduced units."""
_MOST_PARTS = 1000


class Shape(Table):
    """A waveform given by a few numbers."""

    def build(self, key: str, read: Read, body: Body) -> Waveform:
        """Return the waveform in reduced units.

        Parameters
        ----------
        key : str
            Of this table, for complaints.
        read : callable
            What an amplitude is: a field or a current.
        body : Body
            What times are measured in.

        Raises
        ------
        ConfigurationError
            If a value is refused.
        """
        values: dict[str, Any] = {"kind": self.kind}  # type: ignore[attr-defined]
        for name in type(self).model_fields:
            if name != "kind":
                values[name] = self._converted(f"{key}.{name}", name, read, body)
        with at(key):
            return Waveform.from_dict(values)

    def _converted(self, key: str, name: str, read: Read, body: Body) -> Any:
        value = getattr(self, name)
        if name in AMPLITUDES[self.kind]:  # type: ignore[attr-defined]
            return read(key, value)
        if name == "frequency":
            return body.frequency(key, value)
        return value if name == "phase" else body.time(key, value)


class ConstantTable(Shape):
    """The same vector at all times; a vector alone means the same."""

    kind: Literal["constant"]
    vector: Amplitude
    """The value."""


class RampTable(Shape):
    """A straight line from one vector to another, constant before and after."""

    kind: Literal["ramp"]
    start: Amplitude
    """Value before."""
    stop: Amplitude
    """Value after."""
    duration: Quantity
    """Time that the change takes, > 0."""
    delay: Quantity = 0.0
    """Time at which it begins."""


class TriangleTable(Shape):
    """Up from zero to a peak and down again, in equal times."""

    kind: Literal["triangle"]
    peak: Amplitude
    """Value in the middle."""
    duration: Quantity
    """Time of up and down together, > 0."""
    delay: Quantity = 0.0
    """Time at which it begins."""


class PulseTable(Shape):
    """A constant vector from start to stop, zero before and after."""

    kind: Literal["pulse"]
    amplitude: Amplitude
    """Value during the pulse."""
    start: Quantity
    """Time of the first jump."""
    stop: Quantity
    """Time of the second jump."""


class SineTable(Shape):
    """amplitude · sin(2π · frequency · t + phase)."""

    kind: Literal["sine"]
    amplitude: Amplitude
    """Largest value."""
    frequency: Quantity
    """Periods per time."""
    phase: float = 0.0
    """In radians."""


AMPLITUDES = {
    "constant": ("vector",),
    "ramp": ("start", "stop"),
    "triangle": ("peak",),
    "pulse": ("amplitude",),
    "sine": ("amplitude",),
}
"""Parameters that are amplitudes; the others are times, a frequency and a phase."""


class SamplesTable(Table):
    """Straight lines between given vectors, constant before the first and after the last."""

    kind: Literal["samples"]
    times: Annotated[
        tuple[Quantity, ...], Field(strict=False, min_length=1, max_length=limits.MOST_TIMES)
    ]
    """Strictly increasing."""
    vectors: Annotated[
        tuple[Amplitude, ...], Field(strict=False, min_length=1, max_length=limits.MOST_TIMES)
    ]
    """The values at these times."""

    def build(self, key: str, read: Read, body: Body) -> Waveform:
        """Return the waveform in reduced units; see `Shape.build`."""
        times = [body.time(f"{key}.times.{i}", one) for i, one in enumerate(self.times)]
        vectors = [read(f"{key}.vectors.{i}", one) for i, one in enumerate(self.vectors)]
        with at(key):
            return Waveform.from_dict({"kind": self.kind, "times": times, "vectors": vectors})


class SumTable(Table):
    """The sum of waveforms."""

    kind: Literal["sum"]
    parts: Annotated[
        tuple[AnyWaveform, ...], Field(strict=False, min_length=1, max_length=_MOST_PARTS)
    ]
    """Waveforms, at least one."""

    def build(self, key: str, read: Read, body: Body) -> Waveform:
        """Return the waveform in reduced units; see `Shape.build`."""
        parts = [
            built(f"{key}.parts.{i}", part, read, body).to_dict()
            for i, part in enumerate(self.parts)
        ]
        with at(key):
            return Waveform.from_dict({"kind": self.kind, "parts": parts})


class ScaledTable(Table):
    """A waveform times a number."""

    kind: Literal["scaled"]
    waveform: AnyWaveform
    """What is scaled."""
    factor: float
    """The number."""

    def build(self, key: str, read: Read, body: Body) -> Waveform:
        """Return the waveform in reduced units; see `Shape.build`."""
        inner = built(f"{key}.waveform", self.waveform, read, body)
        with at(key):
            return self.factor * inner


class ReversedTable(Table):
    """A waveform backwards in time, sign · w(duration - t)."""

    kind: Literal["reversed"]
    waveform: AnyWaveform
    """What is reversed."""
    duration: Quantity
    """The time that becomes zero, > 0."""
    sign: float
    """1 or -1."""

    def build(self, key: str, read: Read, body: Body) -> Waveform:
        """Return the waveform in reduced units; see `Shape.build`."""
        inner = built(f"{key}.waveform", self.waveform, read, body).to_dict()
        values = {"duration": body.time(f"{key}.duration", self.duration), "sign": self.sign}
        with at(key):
            return Waveform.from_dict({"kind": self.kind, "waveform": inner, **values})


_Kind: TypeAlias = Annotated[
    ConstantTable
    | RampTable
    | TriangleTable
    | PulseTable
    | SineTable
    | SamplesTable
    | SumTable
    | ScaledTable
    | ReversedTable,
    Field(discriminator="kind"),
]


def _vector_or_table(value: Any, handler: Callable[[Any], Any]) -> Any:
    return handler(value) if isinstance(value, dict | Table) else as_amplitude(value)


AnyWaveform: TypeAlias = Annotated[
    _Kind, WrapValidator(_vector_or_table, json_schema_input_type=_Kind | Amplitude)
]
"""A table with the key `kind`, or an amplitude alone, which is constant."""

for _table in (SumTable, ScaledTable, ReversedTable):
    _table.model_rebuild()


def built(key: str, waveform: Any, read: Read, body: Body) -> Waveform:
    """Return a waveform in reduced units; see `Shape.build`."""
    if isinstance(waveform, Table):
        return waveform.build(key, read, body)  # type: ignore[attr-defined, no-any-return]
    with at(key):
        return Waveform.from_dict({"kind": "constant", "vector": read(key, waveform)})


class ProtocolTable(Table):
    """How field and spin torque are driven from time 0 to the duration."""

    duration: Quantity
    """τ."""
    field: AnyWaveform
    """H(t)."""
    spin_torque: AnyWaveform | None = None
    """P(t) of a [magnet]; none if not given."""
    current_density: AnyWaveform | None = None
    """J(t) of a [material] with a current."""

    def protocol(self, body: Body) -> Protocol:
        """Return the protocol in reduced units.

        Raises
        ------
        ConfigurationError
            If a value is refused.
        """
        field = built("protocol.field", self.field, body.field, body)
        duration = body.time("protocol.duration", self.duration)
        torque = torque_of("protocol", self, body, built)
        with at("protocol"):
            return Protocol(duration, field, torque)


class PointTable(Table):
    """Constant field and spin torque."""

    field: Amplitude
    """H, three components."""
    spin_torque: Amplitude | None = None
    """P of a [magnet], three components; none if not given."""
    current_density: Amplitude | None = None
    """J of a [material] with a current."""

    def fields(self, body: Body) -> tuple[list[float], list[float]]:
        """Return H and P in reduced units, three components each.

        Raises
        ------
        ConfigurationError
            If a value is refused.
        """
        torque = torque_of("point", self, body, lambda key, value, read, _: read(key, value))
        return body.field("point.field", self.field), torque or [0.0, 0.0, 0.0]


def torque_of(table: str, drive: Any, body: Body, build: Callable[..., Any]) -> Any:
    """Return what the torque or the current of a table makes of it, None without either.

    Parameters
    ----------
    table : str
        Its name.
    drive : ProtocolTable or PointTable
    body : Body
        The magnet.
    build : callable
        Takes the key, the value, the function that reads its amplitudes, and the body.

    Raises
    ------
    ConfigurationError
        If both are given, or a value is refused.
    """
    if drive.spin_torque is not None and drive.current_density is not None:
        raise ConfigurationError(
            f"{table}.current_density", ": expected only one of spin_torque and current_density"
        )
    if drive.spin_torque is not None:
        return build(f"{table}.spin_torque", drive.spin_torque, body.spin_torque, body)
    if drive.current_density is not None:
        return build(f"{table}.current_density", drive.current_density, body.current_density, body)
    return None
