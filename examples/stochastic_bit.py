"""A stochastic bit: how long a low barrier keeps each state, and how a current tunes it.

A disk of 22 nm whose barrier is a few k_BT flips back and forth on its own. The current makes one
state last longer and the other shorter: the probability of the parallel state is a sigmoid of the
current, the activation of a probabilistic computer (Camsari et al., Phys. Rev. X 7, 031014 (2017)).
"""

import argparse

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from spintherm import Cylinder, Nanomagnet, plot
from spintherm.plot.switching import curves, dwell_times
from spintherm.switching import dwell_times as times_of

MICROSECOND = 1e-6
DISK = Nanomagnet(
    saturation_magnetisation="1 MA/m",
    gilbert_damping=0.02,
    temperature="300 K",
    shape=Cylinder("22 nm", "1.5 nm"),
    anisotropy="0.60 MJ/m^3",
)
DENSITIES = np.linspace(-0.5, 0.5, 61)  # MA/cm^2


def times() -> xr.Dataset:
    torque = DISK.spin_torque(current_density="1 MA/cm^2", polarisation=0.6)
    P = np.outer(DENSITIES, torque.reduced(DISK.scales))
    data = times_of(DISK.magnet_with(torque), spin_torque=P)
    for name in ("dwell_time_parallel", "dwell_time_antiparallel"):
        about = {**data[name].attrs, "units": "µs"}
        data[name] = (data[name] * (DISK.scales.time / MICROSECOND)).assign_attrs(about)
    units = {"long_name": "current density", "units": "MA/cm$^2$"}
    return data.assign_coords(current=("current", DENSITIES, units)).assign_attrs(
        thermal_stability=DISK.thermal_stability
    )


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="stochastic-bit.png")
    out, data = parser.parse_args(arguments).out, times()
    with plot.style():
        figure = Figure(figsize=(plot.TWO_COLUMNS, 2.5), layout="constrained")
        left, right = figure.subplots(1, 2)
        dwell_times(left, data)
        curves(right, data["probability_parallel"], "current", scale="linear")
        right.set_ylabel("probability of the parallel state")
        right.set_ylim(0, 1)
        figure.savefig(out)
    return data


if __name__ == "__main__":
    main()
