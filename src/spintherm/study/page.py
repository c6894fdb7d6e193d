"""The report of a study: one page that holds parameters, figure, table, verdicts and provenance.

A verdict is passed on the integral fluctuation theorem, <exp(-Σ)> = 1 ([I] 4.17), at every point
where trajectories begin in equilibrium. The average rests on trajectories with Σ near -var Σ/2, for
normal Σ with the mean var Σ/2 that the theorem asks for. Where fewer than a thousand are expected
there, N erfc((var Σ/2)^½)/2, errors cannot be trusted and the verdict is left open: of 1e4 or 1e5
normal samples 300 lead to false alarms (2.5 % of the averages are four errors off), 1000 to none in
4400.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm.report import Grid, Parameter, Picture, Provenance, Section, Verdict, agrees, page
from spintherm.report.parameters import parameters_of
from spintherm.statistics import Estimate
from spintherm.study.directory import REPORT
from spintherm.study.files import write_whole
from spintherm.study.summary import State, columns, rows, state_of, sweep_dims

if TYPE_CHECKING:
    import xarray

    from spintherm.configuration import Study
    from spintherm.study.directory import RunDirectory

_MOST_ROWS = 200
_MOST_COLUMNS = 8
_FEWEST_IN_TAIL = 1000
_THEOREM = "exp(-entropy_production)"


def write_report(directory: RunDirectory, study: Study) -> Path:
    """Write the report of a run that is complete beside its result.

    Parameters
    ----------
    directory : RunDirectory
    study : Study

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import xarray

    path = directory.path / REPORT
    with xarray.open_dataset(directory.result, engine="h5netcdf") as result:
        text = study_page(directory, study, state_of(directory, study), result)
    write_whole(path, text.encode())
    return path


def study_page(directory: RunDirectory, study: Study, state: State, result: xarray.Dataset) -> str:
    """Return the report of a run that is complete.

    Parameters
    ----------
    directory : RunDirectory
    study : Study
    state : State
    result : xarray.Dataset

    Returns
    -------
    str
        HTML.
    """
    dims = sweep_dims(result, study)
    title = study.title or f"A study: {study.compute.quantity.replace('-', ' ')}"
    tasks = f"{state.points} points in {state.tasks} tasks" if study.sweep else "One point"
    return page(
        title,
        f"{tasks}; quantity: {study.compute.quantity}. The result, with all its variables, is "
        "result.nc beside this page.",
        parameters=_parameters(study),
        sections=[*_sweep(study), _result(result, study, dims)],
        verdicts=list(_verdicts(study, result, dims)),
        provenance=_provenance(directory, state),
        code=_code(study),
    )


def _parameters(study: Study) -> list[Parameter]:
    if study.point is None:
        found = parameters_of(study.magnet(), study.protocol())
    else:
        field, torque = study.fields()
        found = parameters_of(study.magnet(), field=field, spin_torque=torque)
    scales = study.scales()
    if scales is not None:
        found += [
            Parameter("one unit of energy", "", f"{scales.energy:.6g}", "J"),
            Parameter("one unit of moment", "", f"{scales.moment:.6g}", "A m²"),
            Parameter("one unit of field", "", f"{scales.field:.6g}", "A/m"),
            Parameter("one unit of time", "", f"{scales.time:.6g}", "s"),
        ]
    options = study.options().items()
    return found + [Parameter(name.replace("_", " "), "", str(one), "") for name, one in options]


def _sweep(study: Study) -> Iterator[Section]:
    if study.sweep is None:
        return
    lines = [
        (axis.key, str(axis.values[0]), str(axis.values[-1]), str(len(axis.values)), axis.unit)
        for axis in study.axes()
    ]
    head = ("key", "first", "last", "values", "unit")
    words = f"Method: {study.sweep.method}. The parameters above are those of the file; these vary."
    yield Section("The sweep", (words,), grids=[Grid(head, lines)])


def _result(result: xarray.Dataset, study: Study, dims: tuple[str, ...]) -> Section:
    table = rows(result, dims)
    header = [str(name) for name in next(table)]
    if dims:
        head = header[:_MOST_COLUMNS]
        lines = [[_shown(one) for one in row[:_MOST_COLUMNS]] for row in islice(table, _MOST_ROWS)]
    else:
        head = ["name", "value"]
        lines = [[name, _shown(one)] for name, one in zip(header, next(table), strict=True)]
    code = 'import xarray\n\nresult = xarray.open_dataset("result.nc")\nprint(result)\n'
    return Section("Result", pictures=_pictures(result, dims), grids=[Grid(head, lines)], code=code)


def _pictures(result: xarray.Dataset, dims: tuple[str, ...]) -> Sequence[Picture]:
    from spintherm import display, plot
    from spintherm.study.drawing import result_figure

    caption = "What `spintherm show --figure` draws."
    try:
        drawing = plot.svg(result_figure(result, dims))
    except ValueError:  # no histogram and no sweep
        caption = "What `spintherm.summary(result)` draws."
        drawing = "" if dims else display.summary(result).picture
    return (Picture(drawing, caption, ["result.nc"]),) if drawing else ()


def _verdicts(study: Study, result: xarray.Dataset, dims: tuple[str, ...]) -> Iterator[Verdict]:
    """Compare <exp(-Σ)> with 1; what few trajectories carry is left open."""
    known, options = columns(result, dims), study.options()
    parts = ("exponential_average", "exponential_average_error", "step_bias", "step_bias_error")
    names = {part: f"{part}:{_THEOREM}" for part in parts}
    names["variance"] = "variance:entropy_production"
    begun = options.get("initial", "equilibrium")
    if begun != "equilibrium" or not known.keys() >= {*names.values()}:
        return
    arrays = {part: known[name].transpose(*dims).values for part, name in names.items()}
    for place in islice(np.ndindex(*arrays["step_bias"].shape), _MOST_ROWS):
        at = {part: float(values[place]) for part, values in arrays.items()}
        tail = 0.5 * options["trajectories"] * math.erfc(math.sqrt(0.5 * at["variance"]))
        error = math.inf if tail < _FEWEST_IN_TAIL else at["exponential_average_error"]
        where = ", ".join(f"{dim} {i}" for dim, i in zip(dims, place, strict=True)) or "the point"
        yield agrees(
            "Integral fluctuation theorem, [I] 4.17",
            f"⟨exp(-Σ)⟩, {where}",
            Estimate(at["exponential_average"], error),
            1.0,
            bias=Estimate(at["step_bias"], at["step_bias_error"]),
            note=f"about {tail:.2g} trajectories in the tail that counts",
        )


def _provenance(directory: RunDirectory, state: State) -> Provenance:
    given = directory.provenance
    return Provenance(
        str(given["command"]),
        str(given["started"]),
        None,
        {
            **given["settings"],
            "tasks": state.tasks,
            "processor time": f"{state.task_seconds:.3g} s",
            "kernels": given["kernels"],
        },
        given["versions"],
        str(given["processor"]),
        str(given["system"]),
    )


def _code(study: Study) -> str:
    text = study.dumps().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'''\
import spintherm
from spintherm.configuration import loads

study = loads("""\\
{text}""")
result = spintherm.run(study, out="again")
print(result)
'''


def _shown(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
