"""`spintherm simulate`: a process from a file, a summary, and all trajectories as netCDF."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spintherm.cli.configuration import read
from spintherm.cli.failure import Failed, UsageError, usage
from spintherm.schema import FUNCTIONALS

if TYPE_CHECKING:
    import xarray as xr

DEFAULTS: dict[str, Any] = {"trajectories": 100_000, "seed": 0}
_SYMBOLS = {
    "work": "work W",
    "heat": "heat Q",
    "pumped_entropy": "pumped entropy S_P",
    "energy_change": "energy change ΔE",
    "entropy_production": "entropy production Σ",
}


def run(
    path: Path, flags: dict[str, Any], threads: int | None, out: Path | None, *, as_json: bool
) -> int:
    """Simulate what the file describes, with the flags in place of its options."""
    configuration = read(path)
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise UsageError(f"out={out}: expected a file in a folder that exists")
    from spintherm.trajectories import simulate

    written = dict(configuration.options)
    if "steps" in flags or "tolerance" in flags:  # a flag replaces either of them in the file
        written.pop("steps", None)
        written.pop("tolerance", None)
    options = DEFAULTS | written | flags
    with usage():
        ensemble = simulate(
            configuration.magnet, configuration.protocol, threads=threads, **options
        )
    if out is not None:
        _write(ensemble, out)
    numbers = summarised(ensemble)
    if as_json:
        print(json.dumps(numbers, indent=1, allow_nan=False))
    else:
        _print(numbers)
    return 0


def summarised(ensemble: xr.Dataset) -> dict[str, Any]:
    """Return means with errors and step bias, and the integral theorem, as plain numbers.

    Parameters
    ----------
    ensemble : xarray.Dataset
        As `simulate` returns it.

    Returns
    -------
    dict
        Numbers that are not finite are None.
    """
    attributes = ("moment", "gyromagnetic_ratio", "damping", "temperature", "duration")
    return {
        **{name: float(ensemble.attrs[name]) for name in attributes},
        "trajectories": ensemble.sizes["trajectory"],
        "steps": int(ensemble.attrs["steps"]),
        "scheme": str(ensemble.attrs["scheme"]),
        "initial": str(ensemble.attrs["initial"]),
        "seed": int(ensemble.attrs["seed"]),
        "spintherm_version": str(ensemble.attrs["spintherm_version"]),
        "free_energy_change": float(ensemble["free_energy_change"]),
        **{name: _mean(ensemble, name) for name in FUNCTIONALS},
        "exp(-entropy_production)": _integral(ensemble),
    }


def _mean(ensemble: xr.Dataset, name: str) -> dict[str, float | None]:
    samples = ensemble[name].values
    spread = samples.std(ddof=1) / math.sqrt(samples.size) if samples.size > 1 else math.inf
    bias = ensemble.sel(estimate=name)
    values = {
        "mean": samples.mean(),
        "error": spread,
        "step_bias": bias["step_bias"],
        "step_bias_error": bias["step_bias_error"],
    }
    return {key: _finite(value) for key, value in values.items()}


def _integral(ensemble: xr.Dataset) -> dict[str, Any] | None:
    """Return <exp(-Σ)> of a process from equilibrium; None for others, and without an error."""
    few = ensemble.sizes["trajectory"] < 2
    if ensemble.attrs["initial"] != "equilibrium" or ensemble.attrs["temperature"] == 0.0 or few:
        return None
    from spintherm.fluctuation import integral_theorem

    average = integral_theorem(ensemble).entropy_production
    return {
        "mean": _finite(average.value),
        "error": _finite(average.standard_error),
        "upper_error": _finite(average.upper_error),
        "effective_trajectories": _finite(average.effective_samples),
        "dominated_by_few": average.dominated,
        "text": str(average),
    }


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _write(ensemble: xr.Dataset, out: Path) -> None:
    try:
        ensemble.to_netcdf(out, engine="h5netcdf")
    except OSError as error:
        raise Failed(f"{out}: cannot be written ({error})") from error


def _print(numbers: dict[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("per trajectory")
    for name in ("mean ± error", "step bias"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, symbol in _SYMBOLS.items():
        row = numbers[name]
        bias = _estimate(row["step_bias"], row["step_bias_error"])
        table.add_row(symbol, _estimate(row["mean"], row["error"]), bias)
    console = Console(highlight=False, markup=False)
    console.print(
        f"{numbers['trajectories']} trajectories, {numbers['steps']} steps, {numbers['scheme']}, "
        f"seed {numbers['seed']}"
    )
    console.print(table)
    console.print(f"ΔF = {numbers['free_energy_change']:.6g}")
    integral = numbers["exp(-entropy_production)"]
    if integral is not None:
        console.print(f"⟨exp(-Σ)⟩ = {integral['text']}, expected 1", soft_wrap=True)


def _estimate(value: float | None, error: float | None) -> str:
    from spintherm.statistics import Estimate

    if value is None:
        return "none"
    return str(Estimate(value, math.inf if error is None else error))
