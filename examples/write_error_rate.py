"""Write-error rate of a magnetic tunnel junction against the length and the current of the pulse.

A perpendicular free layer of 40 nm × 1.3 nm, whose barrier is the surface's anisotropy less that of
the shape; Slonczewski's torque. The density engine goes down to 1e-15 and below, where nobody
samples. Time after time of the pulse each rate falls by the same factor, and the steeper the
larger the current.
"""

import argparse

import numpy as np
import xarray as xr

from spintherm import Cylinder, Nanomagnet, plot
from spintherm.plot.switching import write_errors
from spintherm.switching import write_error_rate

NANOSECOND, MEGA_PER_CM2 = 1e-9, 1e10
OVERDRIVE = np.array([1.5, 2.0, 3.0, 4.0])
LENGTHS = np.linspace(0.5, 30, 60)  # ns

LAYER = Nanomagnet(
    saturation_magnetisation="1 MA/m",
    gilbert_damping=0.01,
    temperature="300 K",
    shape=Cylinder("40 nm", "1.3 nm"),
    anisotropy="0.72 MJ/m^3",
)


def rates() -> xr.Dataset:
    torque = LAYER.spin_torque(current_density="1 MA/cm^2", polarisation=0.6, asymmetry=1.3)
    critical = LAYER.critical_current_density(torque, parallel=True)  # < 0: away from the polariser
    densities = critical * OVERDRIVE
    data = write_error_rate(
        LAYER.magnet_with(torque),
        LENGTHS * NANOSECOND / LAYER.scales.time,
        spin_torque=np.array([torque.at(J).reduced(LAYER.scales) for J in densities]),
        tolerance=1e-4,
    )
    units = {"long_name": "current density", "units": "MA/cm$^2$"}
    return data.assign_coords(
        pulse_length=("pulse_length", LENGTHS, {**data.pulse_length.attrs, "units": "ns"}),
        current=("current", densities / MEGA_PER_CM2, units),
    ).assign_attrs(critical_current_density=critical, thermal_stability=LAYER.thermal_stability)


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="write-error-rate.png")
    out, data = parser.parse_args(arguments).out, rates()
    with plot.style():
        figure = plot.figure(1, 2.9)
        axes = write_errors(data, axes=figure.subplots())
        axes.legend(loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=2)
        axes.set_ylim(1e-16, 2.0)
        axes.set_xlim(0, LENGTHS[-1])
        figure.savefig(out)
    return data


if __name__ == "__main__":
    main()
