"""The commands for real magnets and their flags; importing this module registers them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from spintherm.cli.app import Flag, Vector, Whole, app

__all__ = ["app", "dwell_times", "material", "state_diagram", "write_error"]

Text = Annotated[str, Parameter(allow_leading_hyphen=True)]
Range = Annotated[tuple[str, str], Parameter(negative="", allow_leading_hyphen=True)]
Many = Annotated[list[str], Parameter(negative="", allow_leading_hyphen=True)]
Three = Annotated[tuple[str, str, str] | None, Parameter(negative="")]
Two = Annotated[tuple[str, str] | None, Parameter(negative="")]
Axis = Annotated[tuple[float, float, float] | None, Parameter(negative="")]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Material:
    """What a magnet is made of.

    Parameters
    ----------
    saturation_magnetisation
        "800 kA/m"; numbers without unit are SI.
    gilbert_damping
        Alpha.
    temperature
        "300 K".
    volume
        "500 nm^3", or one of the shapes, whose magnetostatic energy is added.
    cylinder
        Diameter and height, "40 nm" "1.3 nm".
    ellipsoid
        Three diameters.
    prism
        Three edges.
    anisotropy
        Energy density K of K sin^2 about z, "1 MJ/m^3".
    gyromagnetic_ratio
        "28 GHz/T"; that of the free electron if not given.
    """

    saturation_magnetisation: str
    gilbert_damping: str
    temperature: str
    volume: str | None = None
    cylinder: Two = None
    ellipsoid: Three = None
    prism: Three = None
    anisotropy: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None
    gyromagnetic_ratio: str | None = None


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Spins:
    """How a current acts.

    Parameters
    ----------
    polarisation
        Of the current, above 0 and at most 1.
    thickness
        Of the layer, "1.3 nm"; the height of the shape if there is one.
    asymmetry
        Slonczewski's Lambda, at least 1.
    field_like
        Ratio of the field-like to the damping-like torque.
    polariser
        Direction, three components.
    """

    polarisation: str | None = None
    thickness: str | None = None
    asymmetry: str = "1"
    field_like: Annotated[str, Parameter(allow_leading_hyphen=True)] = "0"
    polariser: Vector = (0.0, 0.0, 1.0)


@app.command
def material(
    *,
    of: Material,
    spins: Spins | None = None,
    field: Text | None = None,
    current_density: Text | None = None,
    json: Flag = False,
) -> int:
    """Describe a nanomagnet: stability, frequencies, critical currents, reduced units.

    Parameters
    ----------
    field
        A field H along the easy axis, "50 mT" or "40 kA/m".
    current_density
        A current, "1.2 MA/cm^2"; needs --polarisation.
    json
        Print JSON, in SI.
    """
    from spintherm.cli import real_magnets

    return real_magnets.material(of, spins or Spins(), field, current_density, as_json=json)


@app.command
def write_error(
    *,
    of: Material,
    spins: Spins | None = None,
    current_density: Many,
    pulse_length: Range,
    points: Whole = 30,
    field: Text = "0 A/m",
    axis: Axis = None,
    initial: Literal["parallel", "antiparallel"] = "parallel",
    figure: Path | None = None,
    json: Flag = False,
    csv: Flag = False,
) -> int:
    """Compute how often a pulse does not turn a bit over, down to 1e-15 and below.

    Parameters
    ----------
    current_density
        "-4 MA/cm^2", drives away from the polariser if negative; repeat the flag for more.
    pulse_length
        Shortest and longest, "1 ns" "20 ns".
    points
        Number of lengths.
    field
        H during the pulse, along --axis, or along z without it.
    axis
        The axis a along which a state is parallel (n.a > 0) or antiparallel; by default along the
        polariser if that is along an easy axis, else the easy axis on its side.
    initial
        The well in which the bit rests.
    figure
        Draw the rates, as PNG and PDF with this name.
    json
        Print JSON, in SI.
    csv
        Print comma-separated values, in SI.
    """
    from spintherm.cli import real_magnets

    return real_magnets.write_error(
        (of, spins or Spins()),
        current_density,
        pulse_length,
        points,
        field=field,
        axis=axis,
        initial=initial,
        output=real_magnets.Output(figure, json, csv),
    )


@app.command
def state_diagram(
    *,
    of: Material,
    spins: Spins | None = None,
    current_density: Range,
    field: Range,
    axis: Vector = (0.0, 0.0, 1.0),
    points: Whole = 31,
    times_of_damping: float = 0.0,
    figure: Path | None = None,
    json: Flag = False,
    csv: Flag = False,
) -> int:
    """Find which states are stable without noise, in field and current.

    Parameters
    ----------
    current_density
        Lowest and highest, "-5 MA/cm^2" "5 MA/cm^2".
    field
        Lowest and highest H along the axis, "-50 mT" "50 mT".
    axis
        The axis along which a state is parallel or antiparallel.
    points
        Along each axis of the diagram.
    times_of_damping
        How long limit cycles beside stable states are looked for; not at all if 0.
    figure
        Draw the diagram, as PNG and PDF with this name.
    json
        Print JSON, in SI.
    csv
        Print comma-separated values, in SI.
    """
    from spintherm.cli import real_magnets

    return real_magnets.state_diagram(
        (of, spins or Spins()),
        current_density,
        field,
        axis,
        points,
        times_of_damping,
        output=real_magnets.Output(figure, json, csv),
    )


@app.command
def dwell_times(
    *,
    of: Material,
    spins: Spins | None = None,
    current_density: Range,
    points: Whole = 21,
    field: Text = "0 A/m",
    axis: Axis = None,
    figure: Path | None = None,
    json: Flag = False,
    csv: Flag = False,
) -> int:
    """Compute how long a stochastic bit stays in each of its states, against the current.

    Parameters
    ----------
    current_density
        Lowest and highest, "-1 MA/cm^2" "1 MA/cm^2".
    points
        Number of currents.
    field
        H along --axis, or along z without it.
    axis
        The axis a between whose wells (n.a > 0, n.a < 0) the bit jumps; by default as for
        write-error.
    figure
        Draw the times, as PNG and PDF with this name.
    json
        Print JSON, in SI.
    csv
        Print comma-separated values, in SI.
    """
    from spintherm.cli import real_magnets

    return real_magnets.dwell_times(
        (of, spins or Spins()),
        current_density,
        points,
        field=field,
        axis=axis,
        output=real_magnets.Output(figure, json, csv),
    )
