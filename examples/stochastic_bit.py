"""A stochastic bit: how long a low barrier keeps each state, and how a current tunes it.

A disk of 22 nm whose barrier is a few k_BT flips back and forth on its own. The current makes one
state last longer and the other shorter: the probability of the parallel state is a sigmoid of the
current, the activation of a probabilistic computer (Camsari et al., Phys. Rev. X 7, 031014 (2017)).
"""

import argparse

import numpy as np
import xarray as xr

from spintherm import Cylinder, Nanomagnet, Protocol, plot, simulate
from spintherm.plot.switching import curves, dwell_times
from spintherm.switching import dwell_times as times_of

MICROSECOND = 1e-6
DISK = Nanomagnet(
    saturation_magnetisation="1 MA/m",
    gilbert_damping=0.05,
    temperature="300 K",
    shape=Cylinder("22 nm", "1.5 nm"),
    anisotropy="0.52 MJ/m^3",
)
DENSITIES = np.linspace(-1.5, 1.5, 61)  # MA/cm^2


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


def telegraph() -> xr.DataArray:
    """Paths of n_z without a current for eight mean dwell times, from equilibrium."""
    mean = times_of(DISK.magnet)["dwell_time_parallel"].item()
    when = np.linspace(0.0, 8.0 * mean, 801)
    constant = Protocol(when[-1], (0, 0, 0))
    data = simulate(DISK.magnet, constant, trajectories=64, seed=1, save_at=when)
    about = {"long_name": "time", "units": "µs"}
    return (
        data["moment"]
        .isel(component=2)
        .assign_coords(time=("time", when * DISK.scales.time / MICROSECOND, about))
    )


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="stochastic-bit.png")
    out, data = parser.parse_args(arguments).out, times()
    data["path"] = telegraph()
    with plot.style():
        figure = plot.figure(2, 2.5)
        first, left, right = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
        first.plot(data["time"], data["path"][0], color=plot.COLOURS["blue"], linewidth=0.5)
        first.set(xlabel="time (µs)", ylabel="$n_z$", ylim=(-1.05, 1.05))
        dwell_times(data, axes=left)
        curves(data["probability_parallel"], "current", scale="linear", axes=right)
        right.set(ylabel="probability of the parallel state", ylim=(0, 1))
        figure.savefig(out)
    return data


if __name__ == "__main__":
    main()
