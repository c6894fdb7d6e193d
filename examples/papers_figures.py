"""The papers' figures for a free layer: easy axis, asymmetric torque and field-like torque.

Densities of the entropy production and the detailed theorem as in Fig. 1 of arXiv:2406.02220, the
failure of Crooks' form as in its Fig. 2, and the phases of arXiv:2502.06054, Fig. 3, against the
strength of the anisotropy. The backward process is that of `magnet.reversed()`.
"""

import argparse

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spintherm import (
    Anisotropy,
    Magnet,
    Polariser,
    Protocol,
    Ramp,
    TorqueEfficiency,
    Triangle,
    plot,
    simulate,
)
from spintherm.fluctuation import CrooksWork, DetailedTheorem, crooks_work, detailed_theorem
from spintherm.fokker_planck import distribution
from spintherm.fokker_planck.diagram import phase_diagram
from spintherm.fokker_planck.plane import Axis as PlaneAxis

AXIS = np.array([0.0, 0.0, 1.0])
LAYER = Magnet(
    *(1.7, 1.0, 0.5, 1.0),  # moment, gyromagnetic ratio, damping, temperature
    anisotropy=Anisotropy.uniaxial(1.2),
    polarisers=Polariser(AXIS, TorqueEfficiency.slonczewski(1.5), field_like=0.2),
)
WRITE = Protocol(1.0, Ramp(AXIS, -AXIS, 1.0), Triangle(AXIS, 1.0))
BINS = np.linspace(-5.5, 5.5, 12)
ALPHA, STRENGTH = PlaneAxis("alpha", -2.0, 3.0, 21), PlaneAxis("anisotropy", 0.0, 2.0, 7)


def points(axes: Axes, theorem: DetailedTheorem | CrooksWork, colour: str, label: str) -> None:
    bins, used = theorem.balance, theorem.balance.used
    x, y, error = bins.abscissa[used], bins.log_ratio[used], bins.ratio_error[used]
    axes.errorbar(x, y, error, fmt="o", ms=3.0, color=plot.COLOURS[colour], label=label)


def main(arguments: list[str] | None = None) -> xr.Dataset:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default="papers-figures.png")
    parser.add_argument("--trajectories", type=int, default=100_000)
    chosen = parser.parse_args(arguments)
    ways = {"forward": (LAYER, WRITE), "backward": (LAYER.reversed(), WRITE.reversed())}
    pair = [
        simulate(*way, trajectories=chosen.trajectories, seed=seed)
        for seed, way in enumerate(ways.values())
    ]
    detailed, crooks = detailed_theorem(*pair, bins=BINS), crooks_work(*pair, bins=BINS)
    exact = {name: distribution(*way, tolerance=1e-4) for name, way in ways.items()}
    diagram = phase_diagram(LAYER, ALPHA, STRENGTH, field=1.0)
    with plot.style():
        figure = Figure(figsize=(plot.TWO_COLUMNS, 2.6), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        plot.densities(exact, "entropy_production", axes=left)
        middle.axline((0.0, 0.0), slope=1.0, color="black", linewidth=0.8)
        points(middle, detailed, "blue", r"of $\Sigma$, [I] 4.19")
        points(middle, crooks, "vermillion", r"of $\beta(W-\Delta F)$, [I] 4.26")
        middle.set(xlabel="argument", ylabel=r"$\ln(p_\mathrm{F}/p_\mathrm{B})$")
        middle.legend()
        plot.phases(diagram, axes=right)
        figure.savefig(chosen.out)
    slopes = {"detailed_slope": detailed.slope, "crooks_slope": crooks.slope}
    return diagram.assign({k: ("of", [s.value, s.error]) for k, s in slopes.items()})


if __name__ == "__main__":
    main()
