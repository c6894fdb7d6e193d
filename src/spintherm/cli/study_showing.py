"""`spintherm show`: a run directory as words, a figure, a table, a file."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintherm.cli.densities import save_figure
from spintherm.cli.failure import Failed, UsageError, usage
from spintherm.progress import duration

if TYPE_CHECKING:
    import xarray

    from spintherm.study.running import Opened
    from spintherm.study.summary import State

_SHOWN_ROWS = 20
_SHOWN_COLUMNS = 6


def show(
    path: Path,
    variable: str | None,
    figure: Path | None,
    csv: Path | None,
    netcdf: Path | None,
    *,
    as_json: bool,
) -> int:
    """Print what a run directory holds, and write what is asked for."""
    from spintherm.study.directory import open_run
    from spintherm.study.running import Opened, study_from_directory
    from spintherm.study.summary import state_of

    for name, file in (("figure", figure), ("csv", csv), ("netcdf", netcdf)):
        if file is not None and (file.is_dir() or not file.absolute().parent.is_dir()):
            raise UsageError(f"{name}={file}: expected a file in a folder that exists")
    with usage():
        directory = open_run(path)
        opened = Opened(directory, study_from_directory(directory))
    state = state_of(directory, opened.study)
    wanted = [name for name, file in (("figure", figure), ("csv", csv), ("netcdf", netcdf)) if file]
    if not state.complete:
        if wanted or variable:
            raise Failed(f"{path}: not complete, there is no result yet: {_how_far(state)}")
        _print(opened, state, as_json=as_json)
        return 0
    import xarray

    with xarray.open_dataset(directory.result, engine="h5netcdf") as result:
        _write(opened, result, variable, figure, csv, netcdf)
        _print(opened, state, result, variable, as_json=as_json)
    _report(opened)
    return 0


def _report(opened: Opened) -> None:
    """Write the report anew; a directory that takes no files keeps the one it has."""
    from spintherm.study.page import write_report

    with suppress(OSError):
        write_report(opened.directory, opened.study)


def _write(
    opened: Opened,
    result: xarray.Dataset,
    variable: str | None,
    figure: Path | None,
    csv: Path | None,
    netcdf: Path | None,
) -> None:
    from spintherm.study.summary import sweep_dims, write_csv

    dims = sweep_dims(result, opened.study)
    if figure is not None:
        from spintherm.study.drawing import result_figure

        with usage():
            drawn = result_figure(result, dims, variable)
        save_figure(drawn, figure)
    try:
        if csv is not None:
            write_csv(csv, result, dims, variable)
        if netcdf is not None:
            netcdf.write_bytes(opened.directory.result.read_bytes())
    except OSError as error:
        raise Failed(f"cannot be written ({error})") from error


def _print(
    opened: Opened,
    state: State,
    result: xarray.Dataset | None = None,
    variable: str | None = None,
    *,
    as_json: bool,
) -> None:
    study, provenance = opened.study, opened.directory.provenance
    if as_json:
        _print_json(opened, state, result)
        return
    print(f"{study.title or opened.directory.path}: {study.compute.quantity}, {_how_far(state)}")
    for axis in study.axes():
        unit = f" {axis.unit}" if axis.unit else ""
        print(f"  {axis.key}: {axis.values[0]} ... {axis.values[-1]}{unit}, {len(axis.values)}")
    print(
        f"  {duration(state.task_seconds)} of one core, {state.size / 1e6:.3g} MB; begun "
        f"{provenance['started']} with spintherm {provenance['versions']['spintherm']} on "
        f"{provenance['processor']}"
    )
    if result is not None:
        _print_table(opened, result, variable)


def _print_json(opened: Opened, state: State, result: xarray.Dataset | None) -> None:
    from spintherm.study.summary import numbers, sweep_dims

    said: dict[str, Any] = {
        "title": opened.study.title,
        "quantity": opened.study.compute.quantity,
        **asdict(state),
        "provenance": dict(opened.directory.provenance),
    }
    if result is not None:
        said["result"] = numbers(result, sweep_dims(result, opened.study))
    print(json.dumps(said, indent=1, allow_nan=False))


def _print_table(opened: Opened, result: xarray.Dataset, variable: str | None) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from spintherm.study.summary import rows, sweep_dims

    dims = sweep_dims(result, opened.study)
    found = iter(rows(result, dims, variable))
    header = next(found)
    shown = list(found)
    table = Table(box=box.SIMPLE_HEAD)
    if not dims:
        table.add_column("name")
        table.add_column("value", justify="right")
        for name, value in zip(header, shown[0], strict=True):
            table.add_row(str(name), _number(value))
    else:
        for name in header[:_SHOWN_COLUMNS]:
            table.add_column(str(name), justify="right")
        for row in shown[:_SHOWN_ROWS]:
            table.add_row(*(_number(value) for value in row[:_SHOWN_COLUMNS]))
    console = Console(highlight=False, markup=False)
    console.print(table)
    hidden = max(len(header) - _SHOWN_COLUMNS, 0), max(len(shown) - _SHOWN_ROWS, 0)
    if dims and any(hidden):
        console.print(
            f"{hidden[1]} more rows and {hidden[0]} more columns: see --csv, --variable, or open "
            f"{opened.directory.result}",
            soft_wrap=True,
        )


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _how_far(state: State) -> str:
    done = "complete" if state.complete else f"{state.done} of {state.tasks} tasks done"
    return f"{state.points} points, {done}"
