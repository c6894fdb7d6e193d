"""Néel relaxation of magnetite nanoparticles: how long one keeps its direction, against its size.

The slowest rate of Brown's particle (Phys. Rev. 130, 1677 (1963)) from the exact quadrature, at any
barrier; dots are Brown's asymptote for high barriers. One to two nanometres more turn a particle
that forgets within a microsecond into one that remembers a measurement of 100 s.
"""

import argparse

import numpy as np
import xarray as xr

from spintherm import Ellipsoid, Nanomagnet, plot
from spintherm.exact import AxialMagnet
from spintherm.plot.switching import curves

DIAMETERS = np.linspace(4, 22, 19)  # nm
TEMPERATURES = np.array([250.0, 300.0, 350.0])  # K


def particle(diameter: float, temperature: float) -> Nanomagnet:
    return Nanomagnet(
        saturation_magnetisation="446 kA/m",
        gilbert_damping=0.1,
        temperature=temperature,
        shape=Ellipsoid.sphere(f"{diameter} nm"),
        anisotropy="25 kJ/m^3",
    )


def times() -> xr.Dataset:
    exact, brown = (np.zeros((TEMPERATURES.size, DIAMETERS.size)) for _ in range(2))
    for i, T in enumerate(TEMPERATURES):
        for j, d in enumerate(DIAMETERS):
            body = particle(d, T)
            rate = AxialMagnet(body.magnet, (0, 0, 0)).relaxation_rate()
            exact[i, j] = body.scales.time / rate
            sigma = body.thermal_stability
            rate = 4 * body.gilbert_damping * sigma**1.5 * np.exp(-sigma) / np.pi**0.5
            brown[i, j] = body.scales.time / rate if sigma > 4 else np.nan
    dims = ("temperature", "diameter")
    about = {"long_name": "relaxation time", "units": "s"}
    return xr.Dataset(
        {"relaxation_time": (dims, exact, about), "brown": (dims, brown, about)},
        coords={
            "temperature": ("temperature", TEMPERATURES, {"units": "K"}),
            "diameter": ("diameter", DIAMETERS, {"units": "nm", "long_name": "diameter"}),
        },
    )


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="nanoparticle-relaxation.png")
    out, data = parser.parse_args(arguments).out, times()
    with plot.style():
        figure = plot.figure(1, 2.6)
        axes = curves(data["relaxation_time"], "diameter", axes=figure.subplots())
        axes.plot(data["diameter"], data["brown"].T, "k.", markersize=2)
        axes.axhline(100.0, color="0.5", linewidth=0.7)
        axes.text(4.2, 300.0, "100 s", color="0.35", fontsize=8)
        axes.set_ylim(1e-10, 1e14)
        figure.savefig(out)
    return data


if __name__ == "__main__":
    main()
