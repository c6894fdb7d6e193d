"""A study: a magnet, what is done to it, what is computed, what varies, what is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, ValidationError, model_validator

from spintherm.configuration import document, limits, output, sweeping
from spintherm.configuration.complaints import first_complaint
from spintherm.configuration.computing import AnyCompute, Sampled
from spintherm.configuration.conversion import Body
from spintherm.configuration.cost import Cost, cost_of
from spintherm.configuration.drives import PointTable, ProtocolTable
from spintherm.configuration.magnets import MagnetTable, MaterialTable
from spintherm.configuration.output import OutputTable
from spintherm.configuration.problem import ConfigurationError, at
from spintherm.configuration.quantities import Table, plain
from spintherm.configuration.sweeping import Axis, Point, SweepTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from spintherm.magnet import Magnet
    from spintherm.materials import Scales
    from spintherm.protocol import Protocol

_CHECKED_POINTS = 16
_TIMES_LOOKED_AT = 17


class Study(Table):
    """A study, as a file describes it; `load` and `loads` read one.

    Equal studies have equal canonical forms (`dumps`) and the same `digest`.
    """

    version: Literal[1]
    """Of this form of the file."""
    title: Annotated[str, Field(max_length=limits.LONGEST_TEXT)] | None = None
    """For people."""
    magnet_table: MagnetTable | None = Field(default=None, alias="magnet")
    """A magnet in reduced units; or [material]."""
    material: MaterialTable | None = None
    """A magnet of a material, with units; or [magnet]."""
    protocol_table: ProtocolTable | None = Field(default=None, alias="protocol")
    """What is done in time."""
    point: PointTable | None = None
    """Constant field and spin torque."""
    compute: AnyCompute
    """What is computed."""
    sweep: SweepTable | None = None
    """What varies."""
    output: OutputTable = OutputTable()
    """What is kept."""

    @model_validator(mode="after")
    def _whole(self) -> Study:
        if (self.magnet_table is None) == (self.material is None):
            raise ConfigurationError("magnet", ": expected either [magnet] or [material]")
        needed, spare = ("protocol", "point")[:: 1 if self.compute.needs == "protocol" else -1]
        given = {"protocol": self.protocol_table, "point": self.point}
        what = self.compute.quantity
        if given[needed] is None:
            raise ConfigurationError(needed, f": missing; quantity = {what!r} needs [{needed}]")
        if given[spare] is not None:
            raise ConfigurationError(spare, f": not with quantity = {what!r}, it needs [{needed}]")
        both = getattr(self.compute, "steps", None), getattr(self.compute, "tolerance", None)
        if self.compute.sampled and None not in both:
            raise ConfigurationError("compute.tolerance", ": expected one of steps and tolerance")
        if isinstance(self.compute, Sampled):
            self.compute.check()
        self._check_physics()
        output.check(self.output, sampled=self.compute.sampled)
        if self.sweep is not None:
            sweeping.check(self.sweep)
            for one in self.some_points(_CHECKED_POINTS):
                self.at(one)
        tasks = self.point_count() * self.tasks_of_a_point()
        if tasks > limits.MOST_TASKS:
            raise ConfigurationError(
                "compute.chunk",
                f": expected at most {limits.MOST_TASKS} tasks in all, these are {tasks}",
            )
        return self

    def body(self) -> Body:
        """Return the magnet with what converts to its units."""
        if self.material is None:
            assert self.magnet_table is not None
            return Body(self.magnet_table.magnet())
        nanomagnet = self.material.nanomagnet()
        torque = self.material.spin_torque(nanomagnet)
        with at("material"):
            magnet = nanomagnet.magnet if torque is None else nanomagnet.magnet_with(torque)
            return Body(magnet, nanomagnet.scales, torque)

    def magnet(self) -> Magnet:
        """Return the magnet, in reduced units."""
        return self.body().magnet

    def scales(self) -> Scales | None:
        """Return what a reduced unit is worth in SI; None without a material."""
        return self.body().scales

    def protocol(self) -> Protocol:
        """Return the protocol, in reduced units.

        Raises
        ------
        ConfigurationError
            If the study has a [point] instead.
        """
        if self.protocol_table is None:
            raise ConfigurationError("protocol", ": missing; this study has a [point]")
        return self.protocol_table.protocol(self.body())

    def fields(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return constant field and spin torque, shape (3,) each, in reduced units.

        Raises
        ------
        ConfigurationError
            If the study has a [protocol] instead.
        """
        if self.point is None:
            raise ConfigurationError("point", ": missing; this study has a [protocol]")
        field, torque = self.point.fields(self.body())
        return np.array(field), np.array(torque)

    def options(self) -> dict[str, Any]:
        """Return the keyword arguments of the function that computes the quantity.

        Without `magnet`, `protocol`, `field` and `spin_torque`; with `seed` where there is one.
        Times are in reduced units.
        """
        body = self.body()
        duration = None if self.protocol_table is None else self._duration(body)
        return self.compute.options(body, duration)

    def _duration(self, body: Body) -> float:
        assert self.protocol_table is not None
        return body.time("protocol.duration", self.protocol_table.duration)

    def _check_physics(self) -> None:
        """Build everything once, and refuse what no engine would take."""
        body = self.body()
        if self.protocol_table is not None:
            torque = self.protocol_table.protocol(body).spin_torque
            torques = torque(np.linspace(0.0, self._duration(body), _TIMES_LOOKED_AT))
        else:
            torques = self.fields()[1][None]
        if body.magnet.polarisers:
            with at("protocol" if self.protocol_table is not None else "point"):
                body.magnet.torque_amplitude(torques)
        if not self.compute.sampled and body.magnet.temperature == 0.0:
            table = "magnet" if self.material is None else "material"
            what = self.compute.quantity
            raise ConfigurationError(
                f"{table}.temperature", f"=0: expected T > 0 for quantity = {what!r}"
            )
        self.options()

    def points(self) -> list[Point]:
        """Return the points of the sweep, each a value by dotted key; [{}] without a sweep.

        Raises
        ------
        ConfigurationError
            If they are chosen while it runs (method = "adaptive").
        """
        return [{}] if self.sweep is None else sweeping.points(self.sweep)

    def point_count(self) -> int:
        """Return the number of points, 1 without a sweep; of an adaptive one the largest."""
        return 1 if self.sweep is None else sweeping.count(self.sweep)

    def some_points(self, number: int) -> list[Point]:
        """Return a sample of the points, for checks: of a grid each axis by itself.

        Parameters
        ----------
        number : int
            How many there are at least of each range, if it has that many; of values that are
            given one by one up to a thousand.
        """
        return [{}] if self.sweep is None else sweeping.some(self.sweep, number)

    def tasks_of_a_point(self) -> int:
        """Return the number of tasks of a point: trajectories over `chunk`, 1 without sampling."""
        if not isinstance(self.compute, Sampled):
            return 1
        return -(-self.compute.trajectories // self.compute.chunk)

    def axes(self) -> tuple[Axis, ...]:
        """Return what labels the dimensions of the results, none without a sweep."""
        return () if self.sweep is None else sweeping.axes(self.sweep)

    def at(self, point: Mapping[str, Any]) -> Study:
        """Return the study of one point, without a sweep.

        Parameters
        ----------
        point : mapping
            Values by dotted key.

        Raises
        ------
        ConfigurationError
            If a value is refused.
        """
        data = self.model_copy(update={"sweep": None}).to_dict()
        try:
            return built(document.replaced(data, point))
        except ConfigurationError as error:
            if not point:
                raise
            words = ", ".join(f"{key} = {value}" for key, value in point.items())
            raise ConfigurationError(
                error.key, f"{error.problem} (at the point {words})", error.source
            ) from None

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as a plain dictionary, defaults included."""
        data = plain(self)
        for name in ("magnet", "protocol"):
            table = data.pop(f"{name}_table", None)
            if table is not None:
                data[name] = table
        order = [field.alias or name for name, field in type(self).model_fields.items()]
        return {name: data[name] for name in order if name in data}

    def dumps(self) -> str:
        """Return the canonical TOML, from which `loads` makes an equal study."""
        return document.write(self.to_dict())

    def digest(self) -> str:
        """Return the SHA-256 of the canonical form, 64 hexadecimal digits."""
        return hashlib.sha256(self.dumps().encode("utf-8")).hexdigest()

    def cost(self, speed: float | None = None) -> Cost:
        """Return what the study will take.

        Parameters
        ----------
        speed : float, optional
            Spin-steps per second and core; a measured constant if not given.

        Raises
        ------
        TypeError, ValueError
            If the speed is not a number > 0.
        """
        return cost_of(self, speed)


def built(data: Mapping[str, Any]) -> Study:
    """Return the study of a document of the present version.

    Raises
    ------
    ConfigurationError
        If a key is unknown or missing, or a value is refused.
    """
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused where it matters
            return Study.model_validate(data)
    except ValidationError as error:
        raise first_complaint(error, data) from None
    except RecursionError:
        raise ConfigurationError("", "expected fewer tables inside each other") from None
