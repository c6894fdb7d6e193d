"""The cost of a write: heat and pumped entropy of erasing a bit by a current, and Landauer's bound.

A bit that may be anything is written by a pulse. Left: what the heat bath and the current receive.
Their sum obeys Landauer's bound; the heat alone does not, it can even be absorbed, for the current
carries the entropy away ([I] 3.11). Right: the error that a given sum buys, for several currents.
"""

import argparse

import numpy as np
import xarray as xr

from spintherm import Cylinder, Nanomagnet, plot
from spintherm.plot.switching import cost_of_write
from spintherm.switching import write_cost

NANOSECOND = 1e-9
LENGTHS = np.linspace(0.25, 20, 80)  # ns
OVERDRIVE = np.array([1.5, 2.5, 4.0])
LAYER = Nanomagnet(
    saturation_magnetisation="1 MA/m",
    gilbert_damping=0.02,
    temperature="300 K",
    shape=Cylinder("30 nm", "1.3 nm"),
    anisotropy="0.72 MJ/m^3",
)


def cost() -> xr.Dataset:
    torque = LAYER.spin_torque(current_density="1 MA/cm^2", polarisation=0.6)
    critical = LAYER.critical_current_density(torque, parallel=False)
    data = write_cost(
        LAYER.magnet_with(torque),
        LENGTHS * NANOSECOND / LAYER.scales.time,
        spin_torque=[torque.at(critical * x).reduced(LAYER.scales) for x in OVERDRIVE],
    )
    lengths = ("pulse_length", LENGTHS, {"long_name": "length of the pulse", "units": "ns"})
    return data.assign_coords(
        pulse_length=lengths, current=("current", critical * OVERDRIVE / 1e10)
    )


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="cost-of-a-write.png")
    out, data = parser.parse_args(arguments).out, cost()
    with plot.style():
        figure = plot.figure(2, 2.7)
        left, right = figure.subplots(1, 2)
        cost_of_write(data.isel(current=0), beta=1.0, axes=left)  # k_B T is the unit of energy
        looks = zip(("blue", "vermillion", "green"), ("-", "--", ":"), strict=True)
        for (colour, line), (J, one) in zip(looks, data.groupby("current"), strict=True):
            one = one.squeeze("current")
            total = one["pumped_entropy"] - one["settled_heat"]
            text = f"{J:.2g} MA/cm$^2$"
            look = {"color": plot.COLOURS[colour], "linestyle": line, "label": text}
            right.plot(total, one["write_error_rate"], **look)
        right.set(xscale="log", yscale="log", ylim=(1e-16, 1))
        right.set(xlabel=r"$-\beta\langle Q\rangle+\langle S_P\rangle$ ($k_B$)")
        right.set_ylabel("write-error rate")
        right.axvline(np.log(2), color="0.4", linewidth=0.8)
        right.text(0.72, 1e-15, r"$\ln 2$", color="0.3")
        right.legend()
        figure.savefig(out)
    return data


if __name__ == "__main__":
    main()
