"""`reproduce`: all experiments into a folder with figures, data, verdicts and a report."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spintherm import display, validation
from spintherm.experiments import ideal_engine, pages, phases, steady
from spintherm.experiments.driven import (
    HISTOGRAM_EDGES,
    Driven,
    driven,
    histogram_edges,
    work_of,
)
from spintherm.experiments.exact_driven import ExactDriven, exact_driven
from spintherm.experiments.geometry import PAPER, Geometry
from spintherm.experiments.processes import Process, beyond_the_papers, table_one
from spintherm.experiments.sizes import SIZES, Size
from spintherm.experiments.watch import Watch, watching
from spintherm.magnet import Magnet
from spintherm.progress import Progress
from spintherm.report import Verdict, as_records, at_least, provenance, tally
from spintherm.trajectories.engine import SCHEMES
from spintherm.trajectories.run import thread_count
from spintherm.validation import FloatArray
from spintherm.workers import worker_processes

if TYPE_CHECKING:
    import xarray as xr

_REJECTED = 10.0
_MOST_REJECTED = 7 / 9


@dataclass(frozen=True)
class Reproduction:
    """What was found and where it lies.

    Attributes
    ----------
    folder : Path
        With report.html, verdicts.json, and each figure as PNG, PDF, SVG and netCDF.
    verdicts : tuple of Verdict
        All of them.
    wall_time : float
        Seconds.
    """

    folder: Path
    verdicts: tuple[Verdict, ...]
    wall_time: float

    @property
    def passed(self) -> bool:
        """Whether no verdict fails."""
        return tally(self.verdicts)["fail"] == 0

    def _repr_html_(self) -> str:
        return display.reproduction_card(self)


def reproduce(
    size: str | Size = "default",
    out: str | Path = "results",
    *,
    seed: int = 20240603,
    threads: int | None = None,
    scheme: str | None = None,
    magnet: Magnet | None = None,
    progress: Progress = None,
    command: str = "spintherm.experiments.reproduce(...)",
) -> Reproduction:
    """Reproduce Figs. 1 and 2 of [I] and Figs. 2 to 4 of [II], with a verdict on every number.

    Parameters
    ----------
    size : {"quick", "default", "paper"} or Size
        How much to compute; "paper" uses the Euler-Maruyama scheme and the step of [II].
    out : str or Path
        Folder for the results; made if need be, and files of an earlier run replaced.
    seed : int
        Seed, from which the seeds of all ensembles are derived.
    threads : int, optional
        Number of threads; as many as there are processors if not given. Results do not depend
        on it.
    scheme : str, optional
        Scheme of `simulate` in place of that of the size; then no limit is set on the errors of
        slopes, and there are no further pairs of ensembles.
    magnet : Magnet, optional
        A magnet of one's own, with damping and temperature, for all figures in place of the
        papers'. Judged is what must hold for it: the theorems, the first and the second law, and
        that both engines agree. What the papers' closed forms and numbers say is judged only where
        they hold, and there are no limit on the errors of slopes and no further pairs of ensembles,
        which were chosen for the papers' magnet.
    progress : bool, callable or None
        As for `simulate`, over all experiments.
    command : str
        What the report says was called.

    Returns
    -------
    Reproduction
        Verdicts and the folder.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    OSError
        If the folder cannot be written.
    """
    geometry = _geometry(magnet)
    chosen = _size(size, scheme)
    if not geometry.is_paper:
        chosen = replace(chosen, more_pairs={}, largest_slope_error=None)
    one_seed = validation.seed("seed", seed)
    workers = thread_count(threads)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    started, clock = datetime.now(UTC).astimezone(), time.monotonic()
    nine, three = _processes(geometry)
    total = sum(work_of(process, chosen) for process in (*nine, *three))
    total += sum(figure.work_of(chosen, geometry) for figure in (steady, phases, ideal_engine))
    with (
        watching(progress, total, len(nine) + len(three) + 3) as watch,
        worker_processes(workers) as run,
    ):
        exact = run([(exact_driven, process, chosen.densities) for process in (*nine, *three)])
        edges = HISTOGRAM_EDGES
        if not geometry.is_paper:
            solved = list(exact)
            exact, edges = iter(solved), histogram_edges(solved)
        whole = chosen, one_seed, workers, watch
        paper_one = list(_run(nine, *whole, "[I]", exact, edges))
        beyond = list(_run(three, *whole, "beyond the papers:", exact, edges))
        watch.begin("[II] Fig. 2")
        rates = steady.steady(*whole, geometry=geometry)
        watch.begin("[II] Fig. 3")
        diagram = phases.phases(*whole, geometry=geometry)
        watch.begin("[II] Fig. 4")
        engine = ideal_engine.ideal_engine(*whole, geometry=geometry)
        watch.say("figures and report")
        paper_two = (*rates.verdicts, *diagram.verdicts, *engine.verdicts)
        verdicts = (*_verdicts(geometry, paper_one, beyond), *paper_two)
        joined = _joined(paper_one), _joined(beyond)
        results = rates.data, diagram.data, engine.data
        sections = [
            *pages.driven_sections(folder, *joined, chosen, one_seed, (nine, three)),
            *pages.steady_sections(folder, *results, chosen, geometry),
        ]
    settings = {"size": f"{chosen.name} ({chosen.cost})", "seed": one_seed, "threads": workers}
    wall_time = time.monotonic() - clock
    origin = provenance(command, started, wall_time, settings)
    text = pages.report(sections, verdicts, origin, chosen, one_seed, geometry)
    (folder / "report.html").write_text(text, "utf-8")
    _write_verdicts(folder / "verdicts.json", verdicts)
    return Reproduction(folder, verdicts, wall_time)


def _geometry(magnet: Magnet | None) -> Geometry:
    if magnet is None:
        return PAPER
    if not isinstance(magnet, Magnet):
        raise TypeError(validation.complaint("magnet", magnet, "a Magnet, or None"))
    if not magnet.damping * magnet.temperature > 0.0:
        expected = "damping and temperature above zero: the theorems need a bath"
        raise ValueError(validation.complaint("magnet", magnet, expected))
    return Geometry(magnet)


def _processes(geometry: Geometry) -> tuple[tuple[Process, ...], tuple[Process, ...]]:
    """Return the nine processes of Table I and the three beyond the papers."""
    if geometry.is_paper:
        return table_one(), beyond_the_papers()
    return table_one(geometry.magnet), beyond_the_papers(geometry.magnet)


def _size(size: str | Size, scheme: str | None) -> Size:
    if isinstance(size, str):
        if size not in SIZES:
            names = ", ".join(map(repr, SIZES))
            raise ValueError(validation.complaint("size", size, f"one of {names}"))
        size = SIZES[size]
    if not isinstance(size, Size):
        raise TypeError(validation.complaint("size", size, "the name of a size, or a Size"))
    if scheme is None:
        return size
    if scheme not in SCHEMES:
        names = ", ".join(map(repr, SCHEMES))
        raise ValueError(validation.complaint("scheme", scheme, f"one of {names}"))
    if scheme == size.scheme:
        return size
    # further pairs and their steps were chosen for the scheme of the size
    return replace(size, scheme=scheme, more_pairs={}, largest_slope_error=None)


def _run(
    processes: tuple[Process, ...],
    size: Size,
    seed: int,
    threads: int,
    watch: Watch,
    label: str,
    exact: Iterator[ExactDriven],
    edges: FloatArray,
) -> Iterator[Driven]:
    whole = size, seed, threads, watch
    for process in processes:
        watch.begin(f"{label} {process.name}")
        yield driven(process, *whole, label=label, exact=lambda: next(exact), edges=edges)


def _verdicts(
    geometry: Geometry, paper_one: list[Driven], beyond: list[Driven]
) -> tuple[Verdict, ...]:
    driven_ones = tuple(verdict for one in (*paper_one, *beyond) for verdict in one.verdicts)
    if not geometry.is_paper:  # how far off Crooks' form is depends on the magnet
        return driven_ones
    rejected = [float(one.data["crooks_z"]) > _REJECTED for one in paper_one]
    least = round(_MOST_REJECTED * len(rejected))
    name = f"Crooks' usual form off by more than {_REJECTED:g} errors, processes of {len(rejected)}"
    crooks = at_least("[I] Fig. 2, Crooks' usual form 4.26", name, sum(rejected), least)
    return (*driven_ones, crooks)


def _joined(results: list[Driven]) -> xr.Dataset:
    """Return the datasets of several processes as one."""
    import xarray as xr

    parts = [one.data for one in results]
    return xr.concat(
        parts, "process", data_vars="all", coords=["panel", "colour"], compat="equals", join="exact"
    )


def _write_verdicts(path: Path, verdicts: tuple[Verdict, ...]) -> None:
    text = json.dumps(as_records(verdicts), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", "utf-8")
