"""`reproduce`: all experiments into a folder with figures, data, verdicts and a report."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spintherm import validation
from spintherm.experiments import ideal_engine, pages, phases, steady
from spintherm.experiments.driven import Driven, driven, work_of
from spintherm.experiments.exact_driven import ExactDriven, exact_driven
from spintherm.experiments.processes import Process, beyond_the_papers, table_one
from spintherm.experiments.sizes import SIZES, Size
from spintherm.experiments.watch import Watch, watching
from spintherm.progress import Progress
from spintherm.report import Verdict, as_records, at_least, provenance, tally
from spintherm.trajectories.engine import SCHEMES
from spintherm.trajectories.run import thread_count
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


def reproduce(
    size: str | Size = "default",
    out: str | Path = "results",
    *,
    seed: int = 20240603,
    threads: int | None = None,
    scheme: str | None = None,
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
    chosen = _size(size, scheme)
    one_seed = validation.seed("seed", seed)
    workers = thread_count(threads)
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    started, clock = datetime.now(UTC).astimezone(), time.monotonic()
    nine, three = table_one(), beyond_the_papers()
    total = sum(work_of(process, chosen) for process in (*nine, *three))
    total += sum(figure.work_of(chosen) for figure in (steady, phases, ideal_engine))
    with (
        watching(progress, total, len(nine) + len(three) + 3) as watch,
        worker_processes(workers) as run,
    ):
        exact = run([(exact_driven, process, chosen.densities) for process in (*nine, *three)])
        paper_one = list(_run(nine, chosen, one_seed, workers, watch, "[I]", exact))
        beyond = list(_run(three, chosen, one_seed, workers, watch, "beyond the papers:", exact))
        watch.begin("[II] Fig. 2")
        rates = steady.steady(chosen, one_seed, workers, watch)
        watch.begin("[II] Fig. 3")
        diagram = phases.phases(chosen, one_seed, workers, watch)
        watch.begin("[II] Fig. 4")
        engine = ideal_engine.ideal_engine(chosen, one_seed, workers, watch)
        watch.say("figures and report")
        paper_two = (*rates.verdicts, *diagram.verdicts, *engine.verdicts)
        verdicts = (*_verdicts(paper_one, beyond), *paper_two)
        sections = [
            *pages.driven_sections(folder, _joined(paper_one), _joined(beyond), chosen, one_seed),
            *pages.steady_sections(folder, rates.data, diagram.data, engine.data, chosen),
        ]
    settings = {"size": f"{chosen.name} ({chosen.cost})", "seed": one_seed, "threads": workers}
    wall_time = time.monotonic() - clock
    origin = provenance(command, started, wall_time, settings)
    text = pages.report(sections, verdicts, origin, chosen, one_seed)
    (folder / "report.html").write_text(text, "utf-8")
    _write_verdicts(folder / "verdicts.json", verdicts)
    return Reproduction(folder, verdicts, wall_time)


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
) -> Iterator[Driven]:
    for process in processes:
        watch.begin(f"{label} {process.name}")
        yield driven(process, size, seed, threads, watch, label=label, exact=lambda: next(exact))


def _verdicts(paper_one: list[Driven], beyond: list[Driven]) -> tuple[Verdict, ...]:
    rejected = [float(one.data["crooks_z"]) > _REJECTED for one in paper_one]
    least = round(_MOST_REJECTED * len(rejected))
    name = f"Crooks' usual form off by more than {_REJECTED:g} errors, processes of {len(rejected)}"
    crooks = at_least("[I] Fig. 2, Crooks' usual form 4.26", name, sum(rejected), least)
    driven_ones = (verdict for one in (*paper_one, *beyond) for verdict in one.verdicts)
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
