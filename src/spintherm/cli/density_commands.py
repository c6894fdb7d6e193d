"""The commands of the density engine and their flags; importing this module registers them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from spintherm.cli.app import Flag, Vector, Whole, app

__all__ = ["app", "distribution", "phase_diagram", "steady"]

ParameterName = Literal[
    "moment",
    "gyromagnetic-ratio",
    "damping",
    "temperature",
    "field",
    "spin-torque",
    "alpha",
    "angle",
]
Range = Annotated[tuple[ParameterName, float, float], Parameter(negative="")]
Quantity = Literal["entropy-production", "work", "pumped-entropy", "environment-entropy", "heat"]


@app.command
def steady(
    *,
    moment: float,
    gyromagnetic_ratio: float,
    damping: float,
    temperature: float,
    field: Vector,
    spin_torque: Vector,
    figure: Path | None = None,
    json: Flag = False,
) -> int:
    """Solve for the steady state at constant field and spin torque, in any directions.

    Parameters
    ----------
    moment
        Length of the moment.
    gyromagnetic_ratio
        gamma0, in rate per field.
    damping
        eta, in rate per energy.
    temperature
        T, in units of energy.
    field
        H, three components.
    spin_torque
        P, three components.
    figure
        Draw density and currents on the sphere, as PNG and PDF with this name.
    json
        Print JSON.
    """
    from spintherm.cli import densities

    parameters = {
        "moment": moment,
        "gyromagnetic_ratio": gyromagnetic_ratio,
        "damping": damping,
        "temperature": temperature,
    }
    return densities.steady(parameters, field, spin_torque, figure=figure, as_json=json)


@app.command
def phase_diagram(
    *,
    x: Range,
    y: Range,
    moment: float | None = None,
    gyromagnetic_ratio: float | None = None,
    damping: float | None = None,
    temperature: float | None = None,
    field: float | None = None,
    spin_torque: float | None = None,
    alpha: float | None = None,
    angle: float | None = None,
    points: Whole = 101,
    log_x: Flag = False,
    log_y: Flag = False,
    workers: Whole | None = None,
    out: Path | None = None,
    json: Flag = False,
) -> int:
    """Compute a phase diagram over two parameters, with exact boundaries.

    All parameters that are on no axis must be given; of field, spin torque and alpha two.
    Angles are in degrees.

    Parameters
    ----------
    x
        Name and range of the horizontal axis: any of the parameters below.
    y
        Name and range of the vertical axis.
    moment
        Length of the moment m.
    gyromagnetic_ratio
        gamma0, in rate per field.
    damping
        eta, in rate per energy.
    temperature
        T, in units of energy.
    field
        Strength of H.
    spin_torque
        Strength of P.
    alpha
        mP/H; negative for a reversed P.
    angle
        Between H and P in degrees; 0 if not given.
    points
        Number of grid points along each axis.
    log_x
        Space the grid by equal ratios in x.
    log_y
        Space the grid by equal ratios in y.
    workers
        Number of processes; as many as there are processors if not given.
    out
        Write the figure as PNG and PDF and the data as netCDF, with this name.
    json
        Print phases and boundaries as JSON.
    """
    from spintherm.cli import densities

    given = {
        "moment": moment,
        "gyromagnetic_ratio": gyromagnetic_ratio,
        "damping": damping,
        "temperature": temperature,
        "field": field,
        "spin_torque": spin_torque,
        "alpha": alpha,
        "angle": angle,
    }
    axes = (*x, log_x), (*y, log_y)
    return densities.phase_diagram(given, axes, points, workers, out=out, as_json=json)


@app.command
def distribution(
    protocol: Path,
    /,
    *,
    of: Quantity = "entropy-production",
    out: Path | None = None,
    json: Flag = False,
) -> int:
    """Compute exact probability densities of the process that a TOML file describes.

    The file has the tables [magnet] and [protocol]; forward and backward process begin in
    equilibrium. Of the entropy production the detailed fluctuation theorem is checked too.

    Parameters
    ----------
    protocol
        The TOML file.
    of
        What is distributed.
    out
        Write the figure as PNG and PDF and the data as netCDF, with this name.
    json
        Print the densities as JSON.
    """
    from spintherm.cli import densities

    return densities.distribution(protocol, of.replace("-", "_"), out=out, as_json=json)
