"""Thermal stability: the lifetime of a bit against its barrier Δ, from none at all to 60 k_BT.

Exact escape rates beside the two limits: Brown's 4αΔ^(3/2) e^-Δ/√π (1 - 1/Δ) for high barriers, and
2(1 - 2Δ/5 + 48Δ²/875) for low ones, in units of the diffusion rate. A free layer of 1600 nm³
keeps a bit for ten years if Δ is about 40.
"""

import argparse

import numpy as np
import xarray as xr

from spintherm import Nanomagnet, plot
from spintherm.exact import AxialMagnet

BARRIERS = np.concatenate((np.linspace(0.1, 4.9, 25), np.linspace(5, 60, 56)))
TEN_YEARS = 10 * 365.25 * 86400
VOLUME, TEMPERATURE = 1.6e-24, 300.0


def layer(barrier: float) -> Nanomagnet:
    return Nanomagnet(
        saturation_magnetisation="1 MA/m",
        gilbert_damping=0.01,
        temperature=TEMPERATURE,
        volume=VOLUME,
        anisotropy=barrier * 1.380649e-23 * TEMPERATURE / VOLUME,
    )


def lifetimes() -> xr.Dataset:
    bodies = [layer(barrier) for barrier in BARRIERS]
    rates = np.array([AxialMagnet(b.magnet, (0, 0, 0)).relaxation_rate() for b in bodies])
    diffusion, unit = bodies[0].gilbert_damping, bodies[0].scales.time
    # a population of two wells decays at twice the rate at which one is left
    high = 4 * BARRIERS**1.5 * np.exp(-BARRIERS) / np.pi**0.5 * (1 - 1 / BARRIERS)
    low = 2 * (1 - 0.4 * BARRIERS + 48 / 875 * BARRIERS**2)
    about = {"long_name": "mean dwell time", "units": "s"}
    values = {
        "lifetime": 2 * unit / rates,
        "high_barrier": np.where(BARRIERS > 2, 2 * unit / diffusion / high, np.nan),
        "low_barrier": np.where(BARRIERS < 2.5, 2 * unit / diffusion / low, np.nan),
    }
    return xr.Dataset(
        {name: ("barrier", row, about) for name, row in values.items()},
        coords={"barrier": ("barrier", BARRIERS)},
    )


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="thermal-stability.png")
    out, data = parser.parse_args(arguments).out, lifetimes()
    with plot.style():
        figure = plot.figure(1, 2.6)
        axes = figure.subplots()
        looks = {"lifetime": "-", "high_barrier": "--", "low_barrier": ":"}
        names = ("exact", "Brown, high barrier", "low barrier")
        colours = ("blue", "vermillion", "black")
        for (key, line), name, colour in zip(looks.items(), names, colours, strict=True):
            axes.plot(data["barrier"], data[key], line, color=plot.COLOURS[colour], label=name)
        axes.axhline(TEN_YEARS, color="0.5", linewidth=0.7)
        axes.text(1.0, 4 * TEN_YEARS, "ten years", color="0.35", fontsize=8)
        axes.set(yscale="log", xlabel=r"thermal stability $\Delta$", ylabel="mean dwell time (s)")
        axes.set_xlim(0, 60)
        axes.legend(loc="lower right")
        figure.savefig(out)
    return data


if __name__ == "__main__":
    main()
