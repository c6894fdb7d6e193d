"""Hysteresis heat of magnetic nanoparticles: what an alternating field leaves in them.

Particles of 14 nm of magnetite in fields along their easy axes, in the periodic state. Heat of a
cycle is the loop's area; times the frequency and over the mass it is the specific absorption rate
of hyperthermia. Particles at an angle to the field absorb less.
"""

import argparse

import numpy as np
import xarray as xr

from spintherm import Ellipsoid, Nanomagnet, plot
from spintherm.plot.switching import curves, loops
from spintherm.switching import hysteresis_loop

MASS_DENSITY = 5180.0  # kg/m^3
AMPLITUDES = np.array([5.0, 10.0, 20.0])  # kA/m
FREQUENCIES = np.geomspace(1e3, 1e9, 19)  # Hz
PARTICLE = Nanomagnet(
    saturation_magnetisation="446 kA/m",
    gilbert_damping=0.1,
    temperature="310 K",
    shape=Ellipsoid.sphere("14 nm"),
    anisotropy="20 kJ/m^3",
)


def heat(frequencies: np.ndarray) -> xr.Dataset:
    scales = PARTICLE.scales
    fields = AMPLITUDES * 1e3 / scales.field
    data = scales.to_si(
        hysteresis_loop(PARTICLE.magnet, fields, frequencies * scales.time, tolerance=1e-6)
    )
    absorption = data["dissipated_power"] / (MASS_DENSITY * PARTICLE.volume) / 1e3
    about = {"long_name": "specific absorption rate", "units": "W/g"}
    data["specific_absorption_rate"] = absorption.assign_attrs(about)
    data["field"] = (data["field"] / 1e3).assign_attrs(long_name="field", units="kA/m")
    moment = {"long_name": "mean moment over $M_sV$", "units": "1"}
    data["mean_moment"] = (data["mean_moment"] / PARTICLE.moment).assign_attrs(moment)
    units = {"units": "kA/m", "long_name": "amplitude"}
    frequency = {"units": "kHz", "long_name": "frequency"}
    return data.assign_coords(
        amplitude=("amplitude", AMPLITUDES, units),
        frequency=("frequency", frequencies / 1e3, frequency),
    )


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="hysteresis-heat.png")
    out, data = parser.parse_args(arguments).out, heat(FREQUENCIES)
    with plot.style():
        figure = plot.figure(2, 2.6)
        left, right = figure.subplots(1, 2)
        chosen = data.isel(amplitude=1, frequency=[3, 6, 9, 12])
        loops(chosen, axes=left).legend(loc="lower right")
        curves(data["specific_absorption_rate"], "frequency", axes=right).set_xscale("log")
        figure.savefig(out)
    return data


if __name__ == "__main__":
    main()
