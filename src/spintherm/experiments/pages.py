"""The pages of the report: each figure with its data, its table and the lines that reproduce it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from spintherm import plot
from spintherm.experiments.driven import seeds_of
from spintherm.experiments.geometry import PAPER, Geometry
from spintherm.experiments.processes import PAPER_MAGNET, Process
from spintherm.experiments.sizes import SIZES, Size
from spintherm.magnet import Magnet
from spintherm.report import (
    Grid,
    Parameter,
    Picture,
    Provenance,
    Section,
    Verdict,
    page,
    parameters_of,
)
from spintherm.statistics import Estimate

if TYPE_CHECKING:
    import xarray as xr

_NUMBERS = ("moment", "gyromagnetic_ratio", "damping", "temperature")
_UNITS = (Parameter("Boltzmann's constant", "k_B", "1", "k_B"),)
TITLE = "Fluctuation theorems and steady states of a magnet driven by a spin torque"
INTRODUCTION = (
    "Figs. 1 and 2 of [I] (arXiv:2406.02220, Table I with |m| = √3) and Figs. 2 to 4 of [II] "
    "(arXiv:2502.06054), computed anew, with a verdict on every number. k_B = 1. "
    "Σ = β(W - ΔF) + S_P is the entropy production of a process from equilibrium, W the work, "
    "S_P the pumped entropy; F and B are the forward and the backward process."
)
_FIGURE_1 = (
    "As Fig. 1 of [I]. (a)-(c): densities of the entropy production Σ, forward (F) and backward "
    "(B): histograms of trajectories, filled and as steps, and over them as lines, solid and "
    "dashed, the exact densities from the Fokker-Planck equation. (d): ln p_F(Σ)/p_B(-Σ) in bins, "
    "circles, triangles and squares for the processes of (a), (b) and (c); the line is the "
    "fluctuation theorem. Bins lie at "
    "-ln⟨exp(-Σ)⟩ of the trajectories inside, so that their width makes no bias. Insets: slopes "
    "of the lines fitted to each process with one standard error, on the scale of the paper and "
    "magnified."
)
_FIGURE_2 = (
    "As Fig. 2 of [I]: the work alone does not obey Crooks' usual form 4.26, the line, because "
    "entropy is pumped. Left: ln p_F(W)/p_B(-W) in bins of β(W - ΔF), symbols as in Fig. 1, "
    "and the exact curves (a bin is as wide as 1, so that its symbol may lie beside them where "
    "they bend). Right: by how many standard errors slope and intercept are off; the dashed "
    "line is at 10."
)
_BEYOND = (
    "Three processes that are in neither paper, with H at the beginning, H at the end and P tilted "
    "against each other and |m|, γ₀, η, T all different from 1. (a): densities of Σ as in Fig. 1. "
    "(b): the detailed theorem. (c): the failure of Crooks' usual form."
)
_RATES = (
    "As Fig. 2 of [II]. Top: entropy production Σ, entropy received by the bath Ṡ_B and pumped "
    "entropy Ṡ_P per time in the steady state for P parallel to H; closed forms [II] 16 and "
    "simulated points with error bars (mostly smaller than the symbols). Middle: how many "
    "standard errors the points are off. Bottom: precession in each phase and at the points "
    "between them, with the directions of H, P and the effective field H'. γ₀' < 0: "
    "precession about H' is left-handed."
)
_PHASES = (
    "As Fig. 3 of [II], |P| = 1, |m| = √3: phases over α = mP/H and the angle between P and H at "
    "να = 3; for α < 0 read -α and π - angle. The boundaries are zero sets of the exact rates, "
    "followed branch by branch. Points are simulated steady states, with error bars in the cuts."
)
_PHASES_CODE = """\
from spintherm import steady_state
from spintherm.experiments.processes import PAPER_MAGNET

print(steady_state(PAPER_MAGNET, field=(0, 0, 2), spin_torque=(0.6, 0, 0.8)))
"""
_ENGINE = (
    "As Fig. 4 of [II], |P| = 1, |m| = √3: pumped entropy, dissipation and noise against the field "
    "at several angles between P and H. Lines are exact, points are simulated with error bars; the "
    "paper's approximations 18a-c and the laws for strong fields are drawn beside them. The "
    "variance at the paper's τ = 0.5 and the long-time noise Δ_P are different curves."
)
_ENGINE_CODE = """\
from spintherm import steady_state
from spintherm.experiments.processes import PAPER_MAGNET

for field in (1, 5, 20, 100):
    state = steady_state(PAPER_MAGNET, field=(0, 0, field), spin_torque=(0, 0, 1))
    print(field, state.pumped_entropy_rate, state.entropy_production_rate,
          state.pumped_entropy_noise, state.pumped_entropy_variance(0.5) / 0.5)
"""
_UNCERTAINTY = (
    "Δ_P Σ/(2 Ṡ_P²), at least 1 for every overdamped system: here it falls below 1, and without "
    "limit as the field grows."
)
_UNCERTAINTY_CODE = """\
from spintherm import steady_state
from spintherm.experiments.processes import PAPER_MAGNET

print(steady_state(PAPER_MAGNET, field=(0, 0, 20), spin_torque=(0, 0, 1)).uncertainty_ratio)
"""
_OF_ANOTHER = (
    "The figures of [I] (arXiv:2406.02220) and [II] (arXiv:2502.06054) for another magnet, with a "
    "verdict on what must hold for every magnet: the fluctuation theorems, the first and the "
    "second law, and that trajectories agree with the Fokker-Planck equation. What the papers say "
    "of their magnet alone is not judged. With polarisers every process is turned until its "
    "torque lies along the first of them. k_B = 1. Σ = β(W - ΔF) + S_P is the entropy production "
    "of a process from equilibrium, W the work, S_P the pumped entropy; F and B are the forward "
    "and the backward process, in which the polarisers turn with H."
)
_RATES_OF_ANOTHER = (
    "As Fig. 2 of [II], |H| = 1. Top: entropy production Σ, entropy received by the bath Ṡ_B and "
    "pumped entropy Ṡ_P per time in the steady state for P parallel to H; exact lines, and "
    "simulated points with error bars. Bottom: how many standard errors the points are off. The "
    "phases end where an exact rate vanishes."
)
_PHASES_OF_ANOTHER = (
    "As Fig. 3 of [II], |P| = 1: phases over α = mP/H and the angle between P and H. The "
    "boundaries are zero sets of the exact rates, followed branch by branch. Points are simulated "
    "steady states, with error bars in the cuts."
)
_ENGINE_OF_ANOTHER = (
    "As Fig. 4 of [II], |P| = 1: pumped entropy, dissipation and noise against the field at "
    "several angles between P and H. Lines are exact, points are simulated with error bars; for a "
    "magnet that relaxes slowly their long-time noise is that of their own, finite times. The "
    "variance at the paper's τ = 0.5 and the long-time noise Δ_P are different curves."
)
_UNCERTAINTY_OF_ANOTHER = (
    "Δ_P Σ/(2 Ṡ_P²), at least 1 for every overdamped system; here it need not be."
)


def report(
    sections: list[Section],
    verdicts: tuple[Verdict, ...],
    origin: Provenance,
    size: Size,
    seed: int,
    geometry: Geometry = PAPER,
) -> str:
    """Return the report as HTML."""
    return page(
        TITLE,
        INTRODUCTION if geometry.is_paper else _OF_ANOTHER,
        parameters=[*_UNITS, *parameters_of(geometry.magnet)],
        sections=sections,
        verdicts=verdicts,
        provenance=origin,
        code=_everything(size, seed, geometry),
    )


def driven_sections(
    folder: Path,
    nine: xr.Dataset,
    three: xr.Dataset,
    size: Size,
    seed: int,
    processes: tuple[tuple[Process, ...], tuple[Process, ...]],
) -> list[Section]:
    """Draw the figures of driven processes, write them and their data, and return the pages.

    Parameters
    ----------
    folder : Path
        Where the files go.
    nine, three : xarray.Dataset
        Table I, and the processes beyond the papers.
    size : Size
        What was computed.
    seed : int
        The one seed.
    processes : tuple of tuple of Process
        Those of Table I, and those beyond the papers.

    Returns
    -------
    list of Section
        Figure by figure.
    """
    table, beyond = processes
    return [
        Section(
            "Fig. 1 of [I]: the fluctuation theorem",
            pictures=_drawn(
                folder,
                "I-figure-1",
                plot.entropy_production_figure,
                _without(nine, "crooks"),
                _FIGURE_1,
            ),
            grids=(_parameters(table), _results(nine)),
            code=_example(table[len(table) // 3], size, seed)  # (b) blue of nine
            + _redrawn("I-figure-1", "entropy_production_figure"),
        ),
        Section(
            "Fig. 2 of [I]: work alone does not obey it",
            pictures=_drawn(
                folder, "I-figure-2", plot.crooks_figure, _without(nine, "detailed"), _FIGURE_2
            ),
            grids=(_crooks(nine),),
            code=_loop("table_one", "crooks_work", size, seed, _own(table))
            + _redrawn("I-figure-2", "crooks_figure"),
        ),
        Section(
            "Beyond the papers: tilted processes",
            pictures=_drawn(folder, "beyond-the-papers", plot.beyond_figure, three, _BEYOND),
            grids=(_protocols(beyond), _results(three), _crooks(three)),
            code=_loop("beyond_the_papers", "joint_theorem", size, seed, _own(table))
            + _redrawn("beyond-the-papers", "beyond_figure"),
        ),
    ]


def steady_sections(
    folder: Path,
    rates: xr.Dataset,
    diagram: xr.Dataset,
    engine: xr.Dataset,
    size: Size,
    geometry: Geometry = PAPER,
) -> list[Section]:
    """Draw the figures of steady states, write them and their data, and return the pages.

    Parameters
    ----------
    folder : Path
        Where the files go.
    rates, diagram, engine : xarray.Dataset
        Figs. 2, 3 and 4 of [II].
    size : Size
        What was computed.
    geometry : Geometry
        The magnet, and where H and P point.

    Returns
    -------
    list of Section
        Figure by figure.
    """
    captions = _RATES, _PHASES, _ENGINE, _UNCERTAINTY
    codes = _steady_example(size), _PHASES_CODE, _ENGINE_CODE, _UNCERTAINTY_CODE
    ending = ", broken"
    if not geometry.is_paper:
        captions = (
            _RATES_OF_ANOTHER,
            _PHASES_OF_ANOTHER,
            _ENGINE_OF_ANOTHER,
            _UNCERTAINTY_OF_ANOTHER,
        )
        codes, ending = _codes_of_another(size, geometry.magnet), ""
    return [
        Section(
            "Fig. 2 of [II]: rates and phases of the steady state",
            pictures=_drawn(folder, "II-figure-2", plot.steady_state_figure, rates, captions[0]),
            code=codes[0] + _redrawn("II-figure-2", "steady_state_figure"),
        ),
        Section(
            "Fig. 3 of [II]: phases of tilted fields and torques",
            pictures=_drawn(folder, "II-figure-3", plot.tilted_phases_figure, diagram, captions[1]),
            code=codes[1] + _redrawn("II-figure-3", "tilted_phases_figure"),
        ),
        Section(
            "Fig. 4 of [II]: an ideal engine",
            pictures=_drawn(folder, "II-figure-4", plot.ideal_engine_figure, engine, captions[2]),
            code=codes[2] + _redrawn("II-figure-4", "ideal_engine_figure"),
        ),
        Section(
            f"The uncertainty relation{ending}",
            pictures=_drawn(folder, "II-uncertainty", plot.uncertainty_figure, engine, captions[3]),
            code=codes[3] + _redrawn("II-uncertainty", "uncertainty_figure"),
        ),
    ]


def _drawn(
    folder: Path,
    name: str,
    draw: Callable[[xr.Dataset], NDArray[Any]],
    data: xr.Dataset,
    caption: str,
) -> tuple[Picture, ...]:
    data.to_netcdf(folder / f"{name}.nc", engine="h5netcdf")
    svg = plot.saved(draw(data), folder / name)
    files = [f"{name}.{suffix}" for suffix in ("png", "pdf", "svg", "nc")]
    return (Picture(svg, caption, files),)


def _without(data: xr.Dataset, prefix: str) -> xr.Dataset:
    return data.drop_vars([name for name in data.data_vars if str(name).startswith(prefix)])


def _parameters(processes: tuple[Process, ...]) -> Grid:
    rows = [
        [
            process.name,
            f"{process.protocol.duration:g}",
            _vector(process.protocol.final_field),
            _vector(process.protocol.spin_torque(0.5 * process.protocol.duration)),
        ]
        for process in processes
    ]
    if _own(processes) is None:
        title = "Table I: H₀ = (0, 0, 1), |m| = √3, γ₀ = 1, η = 0.5, T = 1"
        return Grid(("process", "τ", "H_τ", "P_τ/2"), rows, title)
    rows = [
        [*row[:2], _vector(process.protocol.initial_field), *row[2:]]
        for row, process in zip(rows, processes, strict=True)
    ]
    return Grid(("process", "τ", "H₀", "H_τ", "P_τ/2"), rows, "Table I for this magnet")


def _own(processes: tuple[Process, ...]) -> Magnet | None:
    """Return the magnet of the processes of Table I, None if it is that of the papers."""
    magnet = processes[0].magnet
    return None if magnet == PAPER_MAGNET else magnet


def _protocols(processes: tuple[Process, ...]) -> Grid:
    rows = [
        [
            process.name,
            *(f"{getattr(process.magnet, name):g}" for name in _NUMBERS),
            f"{process.protocol.duration:g}",
            _vector(process.protocol.initial_field),
            _vector(process.protocol.final_field),
        ]
        for process in processes
    ]
    return Grid(("process", "|m|", "γ₀", "η", "T", "τ", "H₀", "H_τ"), rows, "Parameters")


def _results(data: xr.Dataset) -> Grid:
    columns = {
        "⟨Σ⟩": "mean_entropy_production",
        "its step bias": "step_bias",
        "⟨exp(-Σ)⟩": "integral",
        "slope, bins": "detailed_line_slope",
        "slope, no bins": "detailed_slope",
        "joint slope in W": "joint_work_slope",
        "joint slope in S_P": "joint_pumped_entropy_slope",
    }
    title = "Forward ensembles; all slopes are expected to be 1"
    return _estimates(data, columns, title)


def _crooks(data: xr.Dataset) -> Grid:
    columns = {"slope in W alone": "crooks_slope", "intercept": "crooks_intercept"}
    grid = _estimates(data, columns, "Crooks' usual form; 1 and 0 if it held")
    z = (f"{float(value):.3g}" for value in data["crooks_z"].values)
    rows = [[*row, off] for row, off in zip(grid.rows, z, strict=True)]
    return Grid((*grid.head, "standard errors off"), rows, grid.title)


def _estimates(data: xr.Dataset, columns: dict[str, str], title: str) -> Grid:
    rows = [
        [str(one["process"].item()), *(_estimate(one, name) for name in columns.values())]
        for one in (data.isel(process=place) for place in range(data.sizes["process"]))
    ]
    return Grid(("process", *columns), rows, title)


def _estimate(one: xr.Dataset, name: str) -> str:
    return str(Estimate(float(one[name]), float(one[f"{name}_error"])))


def _vector(value: np.ndarray) -> str:
    return "(" + ", ".join(f"{component:.4g}" for component in value + 0.0) + ")"


def _options(process: Process, size: Size) -> str:
    """Return the options of `simulate` that the size asks for, as they are written."""
    steps = size.steps(process.protocol)
    text = f"trajectories={size.trajectories}"
    if size.scheme != "splitting":
        text += f", scheme={size.scheme!r}"
    return text if steps is None else f"{text}, steps={steps}"


def _example(process: Process, size: Size, seed: int) -> str:
    forward, backward = seeds_of(process, seed)
    options = _options(process, size)
    names = {*_names(process.magnet), "Protocol", "Ramp", "Triangle"}
    back = "magnet.reversed()" if process.magnet.polarisers else "magnet"
    return f"""\
# process {process.name}
from spintherm import {", ".join(sorted(names))}, fluctuation, simulate

magnet = {_written(process.magnet)}
protocol = Protocol(
    duration={process.protocol.duration},
    field={process.protocol.field!r},
    spin_torque={process.protocol.spin_torque!r},
)
forward = simulate(magnet, protocol, {options}, seed={forward})
backward = simulate({back}, protocol.reversed(), {options}, seed={backward})
print(fluctuation.integral_theorem(forward))
print(fluctuation.detailed_theorem(forward, backward))
print(fluctuation.joint_theorem(forward, backward))
"""


def _written(magnet: Magnet) -> str:
    """Return the magnet as a person would write it, without what it does not have."""
    given = {name: getattr(magnet, name) for name in magnet.to_dict()}
    return f"Magnet({', '.join(f'{name}={value!r}' for name, value in given.items())})"


def _names(magnet: Magnet) -> list[str]:
    """Return the names that `_written` uses."""
    names = ["Magnet"]
    names += ["Anisotropy"] if magnet.anisotropy is not None else []
    return names + (["Polariser", "TorqueEfficiency"] if magnet.polarisers else [])


def _defined(magnet: Magnet) -> str:
    """Return the lines that import what a magnet is made of and define it."""
    names = ", ".join(sorted(_names(magnet)))
    return f"from spintherm import {names}\n\nmagnet = {_written(magnet)}\n"


def _redrawn(name: str, function: str) -> str:
    """Return the lines that draw a figure anew from the file beside the report."""
    return f"""
# the figure again, from its data
import xarray
from spintherm import plot

with xarray.open_dataset("{name}.nc") as data:
    plot.saved(plot.{function}(data.load()), "figure")
"""


def _everything(size: Size, seed: int, geometry: Geometry = PAPER) -> str:
    scheme = "" if size.scheme == _usual_scheme(size) else f", scheme={size.scheme!r}"
    before, more = "", ""
    if not geometry.is_paper:
        before, more = _defined(geometry.magnet), ", magnet=magnet"
    return f"""\
from spintherm.experiments import reproduce
{before}
reproduce({size.name!r}, "results", seed={seed}{scheme}{more})
"""


def _usual_scheme(size: Size) -> str:
    return SIZES[size.name].scheme if size.name in SIZES else size.scheme


def _loop(processes: str, theorem: str, size: Size, seed: int, magnet: Magnet | None = None) -> str:
    options = f"trajectories={size.trajectories}, scheme={size.scheme!r}"
    if size.time_step is not None:
        options += f", steps=round(process.protocol.duration / {size.time_step})"
    before, given, back = "", "", "magnet"
    if magnet is not None:
        before, given = _defined(magnet), "magnet"
        back = "magnet.reversed()" if magnet.polarisers else back
    return f"""\
from spintherm import fluctuation, simulate
from spintherm.experiments import {processes}, seeds_of
{before}
for process in {processes}({given}):
    magnet, protocol, seeds = process.magnet, process.protocol, seeds_of(process, {seed})
    forward = simulate(magnet, protocol, seed=seeds[0], {options})
    backward = simulate({back}, protocol.reversed(), seed=seeds[1], {options})
    print(process.name)
    print(fluctuation.{theorem}(forward, backward))
"""


def _steady_example(size: Size) -> str:
    return f"""\
from spintherm import simulate, theory
from spintherm.experiments.steady import DURATION, FIELD, MAGNET, protocol_at

protocol = protocol_at(0.5)
ensemble = simulate(
    MAGNET, protocol, trajectories={size.steady_trajectories}, seed=1, initial="steady_state"
)
print(float(ensemble["pumped_entropy"].mean()) / DURATION)
print(theory.pumped_entropy_rate(MAGNET, FIELD, protocol.final_spin_torque))
"""


def _codes_of_another(size: Size, magnet: Magnet) -> tuple[str, str, str, str]:
    """Return the lines of Figs. 2, 3 and 4 of [II] and of the uncertainty relation."""
    before = f"""\
from spintherm.experiments.geometry import Geometry
{_defined(magnet)}
geometry = Geometry(magnet)
"""
    rates = f"""\
{before}
from spintherm import simulate, steady_state
from spintherm.experiments.steady import DURATION, protocol_at

protocol = protocol_at(0.5, geometry)
ensemble = simulate(
    magnet, protocol, trajectories={size.steady_trajectories}, seed=1, initial="steady_state"
)
print(float(ensemble["pumped_entropy"].mean()) / DURATION)
print(steady_state(magnet, protocol.final_field, protocol.final_spin_torque).pumped_entropy_rate)
"""
    state = f"""\
{before}
from spintherm.experiments.ideal_engine import state_at

for field in (1, 3, 10):
    state = state_at(60, field, geometry)
    print(field, """
    return (
        rates,
        f"{state}state)\n",
        f"{state}state.pumped_entropy_rate, state.pumped_entropy_noise)\n",
        f"{state}state.uncertainty_ratio)\n",
    )
