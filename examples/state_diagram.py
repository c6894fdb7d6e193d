"""State diagram of an in-plane nanopillar: which states a field and a current leave stable.

An elliptic free layer of 130 nm × 70 nm × 3 nm, easy along x, whose plane costs energy; field and
polariser along x, no noise. Currents turn it over at small fields; at larger fields against them
neither direction is stable, and the moment precesses for ever (Kiselev et al., Nature 425, 380
(2003)). Cycles beside stable directions, near the borders, are looked for if asked: minutes.
"""

import argparse

import numpy as np
import xarray as xr

from spintherm import Ellipsoid, Nanomagnet, plot
from spintherm.plot.switching import states
from spintherm.switching import state_diagram

LAYER = Nanomagnet(
    saturation_magnetisation="800 kA/m",
    gilbert_damping=0.03,
    temperature="300 K",
    shape=Ellipsoid(("130 nm", "70 nm", "3 nm")),
)
X = np.array([1.0, 0.0, 0.0])


def diagram(points: int, span: float) -> xr.Dataset:
    torque = LAYER.spin_torque(current_density="1 MA/cm^2", polarisation=0.4, polariser=X)
    critical = abs(LAYER.critical_current_density(torque, parallel=True))
    easy, _ = LAYER.stiffness_fields
    fields = np.linspace(-2.5, 2.5, points) * easy
    currents = np.linspace(-3.0, 3.0, points) * critical
    unit = float(torque.at(1.0).reduced(LAYER.scales)[0])
    data = state_diagram(
        LAYER.magnet_with(torque),
        fields / LAYER.scales.field,
        currents * unit,
        axis=X,
        times_of_damping=span,
    )
    field = {"long_name": "field", "units": "kA/m"}
    current = {"long_name": "current density", "units": "MA/cm$^2$"}
    return data.assign_coords(
        field=("field", fields / 1e3, field), current=("current", currents / 1e10, current)
    ).assign_attrs(critical_current_density=critical / 1e10, easy_field=easy / 1e3)


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="state-diagram.png")
    parser.add_argument("--points", type=int, default=41)
    parser.add_argument("--times-of-damping", type=float, default=0.0, help="search for cycles")
    words = parser.parse_args(arguments)
    data = diagram(words.points, words.times_of_damping)
    with plot.style():
        figure = plot.figure(1, 3.0)
        states(data, axes=figure.subplots())
        figure.savefig(words.out)
    return data


if __name__ == "__main__":
    main()
