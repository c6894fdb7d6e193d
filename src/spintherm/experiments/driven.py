"""A driven process, forward and backward: its ensembles, its verdicts and its binned numbers.

What must hold ([I] 4.16-4.25), with Σ = β(W - ΔF) + S_P:

    <exp(-Σ)> = 1,    ln p_F(Σ)/p_B(-Σ) = Σ,    ln p_F(W, S_P)/p_B(-W, -S_P) = β(W - ΔF) + S_P,

and what fails for P other than 0: Crooks' form ln p_F(W)/p_B(-W) = β(W - ΔF), [I] 4.26. On every
path W + Q = ΔE. Errors of slopes do not contain the step bias; that of means is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spintherm.experiments.exact_driven import (
    ExactDriven,
    exact_driven,
    histogram_verdicts,
    theorem_verdicts,
)
from spintherm.experiments.processes import Process
from spintherm.experiments.seeds import derived_seed
from spintherm.experiments.sizes import MorePairs, Size
from spintherm.experiments.watch import Watch, work
from spintherm.fluctuation import (
    CrooksWork,
    DetailedTheorem,
    JointTheorem,
    conditional_theorem_pumped_entropy,
    conditional_theorem_work,
    crooks_work,
    detailed_theorem,
    free_energy_difference,
    integral_theorem,
    joint_theorem,
)
from spintherm.report import Verdict, agrees, at_most
from spintherm.statistics import (
    Estimate,
    ExponentialAverage,
    combine,
    exponential_average,
    histogram,
    mean,
)
from spintherm.trajectories import simulate
from spintherm.trajectories.run import default_steps
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

Pair = tuple["xr.Dataset", "xr.Dataset"]

HISTOGRAM_EDGES = np.linspace(-12.0, 24.0, 181)
"""Edges of the histograms of Σ."""
RATIO_EDGES = np.linspace(-5.5, 5.5, 12)
"""Edges of the bins of Σ and of β(W - ΔF) in which forward and backward are compared.

They may be wide: a bin is compared with its own mean of exp(-Σ), so that no width makes a bias.
"""
_FIRST_LAW = 1e-9
_PAIRS_AT_A_TIME = 4
_DIRECTIONS = ("forward", "backward")


@dataclass(frozen=True)
class Driven:
    """What is kept of a process: verdicts, and a dataset of everything that is drawn."""

    process: Process
    verdicts: tuple[Verdict, ...]
    data: xr.Dataset


def driven(
    process: Process,
    size: Size,
    seed: int,
    threads: int,
    watch: Watch,
    *,
    label: str = "",
    exact: Callable[[], ExactDriven] | None = None,
    edges: FloatArray = HISTOGRAM_EDGES,
) -> Driven:
    """Simulate a process forward and backward and test the theorems on it.

    Parameters
    ----------
    process : Process
        What is simulated.
    size : Size
        How much of it.
    seed : int
        The one seed, from which the seeds of the ensembles are derived.
    threads : int
        Number of threads.
    watch : Watch
        Where progress goes.
    label : str
        What precedes the name in the verdicts, such as "[I]".
    exact : callable, optional
        Returns the exact solution when it is needed; it is computed here if not given.
    edges : ndarray, shape (bins + 1,)
        Of the histograms of Σ.

    Returns
    -------
    Driven
        Verdicts and binned numbers; the ensembles themselves are not kept.
    """
    pair = _simulated(process, size, seed, 0, size.steps(process.protocol), threads, watch)
    more = size.more_pairs.get(process.name)
    joints = [joint_theorem(*pair)]
    if more is not None:
        joints += _more_joints(process, size, seed, more, threads, watch)
    solved = exact_driven(process, size.densities) if exact is None else exact()
    limit = size.largest_slope_error
    return measured(process, pair, joints, limit, solved, label=label, edges=edges)


def histogram_edges(exact: Sequence[ExactDriven]) -> FloatArray:
    """Return edges of histograms of Σ that hold the exact densities of several processes."""
    places = np.stack([one.curves["exact_entropy_production"] for one in exact])
    return np.linspace(float(places.min()), float(places.max()), HISTOGRAM_EDGES.size)


def work_of(process: Process, size: Size) -> int:
    """Return the work that `driven` does, as a `Watch` counts it."""
    steps = size.steps(process.protocol)
    if steps is None:
        steps = default_steps(process.magnet, process.protocol, size.scheme)
    more = size.more_pairs.get(process.name, MorePairs(0, 0))
    ensembles = 2 * size.trajectories
    return work(ensembles, steps) + work(ensembles * more.pairs, more.steps)


def seeds_of(process: Process, seed: int, number: int = 0) -> tuple[int, int]:
    """Return the seeds of the forward and the backward ensemble of a pair."""
    forward, backward = (derived_seed(seed, process.name, way, number) for way in _DIRECTIONS)
    return forward, backward


def measured(
    process: Process,
    pair: Pair,
    joints: list[JointTheorem],
    largest_slope_error: float | None,
    exact: ExactDriven,
    *,
    label: str = "",
    edges: FloatArray = HISTOGRAM_EDGES,
) -> Driven:
    """Test the theorems on a pair of ensembles.

    Parameters
    ----------
    process : Process
        What was simulated.
    pair : pair of xarray.Dataset
        Forward and backward ensemble.
    joints : list of JointTheorem
        Joint theorems of this pair and of further, independent ones; they are combined.
    largest_slope_error : float, optional
        What the errors of all slopes must not exceed.
    exact : ExactDriven
        The exact solution.
    label : str
        What precedes the name in the verdicts.
    edges : ndarray, shape (bins + 1,)
        Of the histograms of Σ.

    Returns
    -------
    Driven
        Verdicts and binned numbers.
    """
    name = f"{label} {process.name}".strip()
    bins = RATIO_EDGES + process.shift
    detailed, crooks = detailed_theorem(*pair, bins=bins), crooks_work(*pair, bins=bins)
    slopes = _slopes(detailed, joints)
    verdicts = [
        *_integrals(name, pair),
        *theorem_verdicts(name, exact),
        *_known_means(name, exact, pair[0]),
        *_histogram_verdicts(name, exact, pair, edges),
        *_slope_verdicts(name, detailed, slopes, len(joints)),
        *_free_energy(name, pair),
        *_conditionals(name, pair),
        *_first_law(name, pair),
    ]
    if largest_slope_error is not None:
        largest = max(slope.error for slope in slopes.values())
        verdicts.append(
            at_most(name, "largest standard error of a slope", largest, largest_slope_error)
        )
    data = _dataset(process, pair, detailed, crooks, slopes, edges).assign(_exact(exact))
    return Driven(process, tuple(verdicts), data)


def _simulated(
    process: Process,
    size: Size,
    seed: int,
    number: int,
    steps: int | None,
    threads: int,
    watch: Watch,
) -> Pair:
    magnet, protocol = process.magnet, process.protocol
    ways = (magnet, protocol), (magnet.reversed(), protocol.reversed())
    count = steps or default_steps(process.magnet, process.protocol, size.scheme)
    forward, backward = (
        simulate(
            one,
            way,
            trajectories=size.trajectories,
            seed=number_of,
            steps=steps,
            scheme=size.scheme,
            threads=threads,
            progress=watch.ensemble(count),
        )
        for (one, way), number_of in zip(ways, seeds_of(process, seed, number), strict=True)
    )
    return forward, backward


def _more_joints(
    process: Process, size: Size, seed: int, more: MorePairs, threads: int, watch: Watch
) -> list[JointTheorem]:
    """Return the joint theorem of further pairs, a few pairs at a time."""
    workers = min(threads, _PAIRS_AT_A_TIME)
    each = threads // workers

    def one(number: int) -> JointTheorem:
        return joint_theorem(*_simulated(process, size, seed, number, more.steps, each, watch))

    with ThreadPoolExecutor(workers) as pool:
        try:
            return list(pool.map(one, range(1, 1 + more.pairs)))
        except BaseException:
            watch.stop()
            pool.shutdown(cancel_futures=True)
            raise


def _integrals(name: str, pair: Pair) -> Iterator[Verdict]:
    for direction, ensemble in zip(_DIRECTIONS, pair, strict=True):
        average = integral_theorem(ensemble).entropy_production
        yield agrees(
            name,
            f"⟨exp(-Σ)⟩ {direction}",
            _towards(average, 1.0),
            1.0,
            bias=_step_bias(ensemble, "exp(-entropy_production)"),
            note=_effective(average),
        )


def _known_means(name: str, exact: ExactDriven, forward: xr.Dataset) -> Iterator[Verdict]:
    ours = mean(forward["entropy_production"].values)
    bias = _step_bias(forward, "entropy_production")
    yield agrees(name, "⟨Σ⟩", ours, exact.means["entropy_production"], bias=bias)
    average = exponential_average(_dissipated_work(forward))
    # a shift of all W by their bias changes the average by that factor
    shift, scale = _step_bias(forward, "work"), average.value / forward.attrs["temperature"]
    expected = exact.means["exp(-beta (W - dF))"]
    yield agrees(
        name,
        "⟨exp(-β(W-ΔF))⟩, not 1",
        _towards(average, expected),
        expected,
        bias=Estimate(scale * shift.value, scale * shift.error),
        note=_effective(average),
    )


def _histogram_verdicts(
    name: str, exact: ExactDriven, pair: Pair, edges: FloatArray
) -> Iterator[Verdict]:
    both = [histogram(one["entropy_production"].values, edges) for one in pair]
    counts = np.stack([one.counts for one in both]).astype(np.float64)
    trajectories = pair[0].sizes["trajectory"]
    yield from histogram_verdicts(name, exact, counts, trajectories, edges)


def _exact(exact: ExactDriven) -> dict[str, object]:
    """Return the exact lines and numbers as variables."""
    lines = {
        name: (("direction", "place") if values.ndim == 2 else "place", values)
        for name, values in exact.curves.items()
    }
    numbers = {f"exact_{name}": value for name, value in exact.means.items()}
    deviations = {"exact_detailed_deviation": exact.detailed, "exact_joint_deviation": exact.joint}
    return {**lines, **{f"{name}_mean": v for name, v in numbers.items()}, **deviations}


def _slopes(detailed: DetailedTheorem, joints: list[JointTheorem]) -> dict[str, Estimate]:
    slopes = {"Σ, line through bins": detailed.line.slope, "Σ, without bins": detailed.slope}
    for axis, key in (("β(W-ΔF)", "work"), ("S_P", "pumped_entropy")):
        there = [getattr(joint, key) for joint in joints if getattr(joint, key) is not None]
        if there:
            slopes[axis] = combine(there)
    return slopes


def _slope_verdicts(
    name: str, detailed: DetailedTheorem, slopes: dict[str, Estimate], pairs: int
) -> Iterator[Verdict]:
    several = f"{pairs} pairs of ensembles" if pairs > 1 else ""
    for axis, slope in slopes.items():
        if axis.startswith("Σ"):
            yield agrees(name, f"detailed theorem, slope in {axis}", slope, 1.0)
        else:
            yield agrees(name, f"joint theorem, slope in {axis}", slope, 1.0, note=several)
    yield agrees(name, "detailed theorem, intercept of line", detailed.line.intercept, 0.0)
    yield agrees(name, "detailed theorem, intercept without bins", detailed.intercept, 0.0)


def _free_energy(name: str, pair: Pair) -> Iterator[Verdict]:
    difference = free_energy_difference(*pair)
    yield agrees(name, "ΔF by Bennett's ratio", difference.estimate, difference.exact)


def _conditionals(name: str, pair: Pair) -> Iterator[Verdict]:
    for number, theorem in (
        ("4.24 for W", conditional_theorem_work(*pair)),
        ("4.25 for S_P", conditional_theorem_pumped_entropy(*pair)),
    ):
        z = theorem.chi_squared.z
        yield at_most(
            name, f"conditional theorem {number}, z", z, 4.0, note=str(theorem.chi_squared)
        )


def _first_law(name: str, pair: Pair) -> Iterator[Verdict]:
    yield at_most(name, "first law, largest |W + Q - ΔE|", max(map(first_law, pair)), _FIRST_LAW)


def first_law(ensemble: xr.Dataset) -> float:
    """Return the largest |W + Q - ΔE| of an ensemble, [I] 3.4."""
    residual = ensemble["work"].values + ensemble["heat"].values
    residual -= ensemble["energy_change"].values
    return float(np.abs(residual, out=residual).max())


def _dissipated_work(ensemble: xr.Dataset) -> FloatArray:
    """Return β(W - ΔF), shape (trajectory,)."""
    excess = ensemble["work"].values - float(ensemble["free_energy_change"])
    return np.asarray(excess / ensemble.attrs["temperature"])


def _towards(average: ExponentialAverage, expected: float) -> Estimate:
    """Return the average with the error of the side on which the expected value lies."""
    below = average.value < expected
    return Estimate(average.value, average.upper_error if below else average.standard_error)


def _effective(average: ExponentialAverage) -> str:
    text = f"effective trajectories {average.effective_samples:.3g} of {average.samples:.3g}"
    return f"{text}, dominated by few" if average.dominated else text


def _step_bias(ensemble: xr.Dataset, name: str) -> Estimate:
    row = ensemble.sel(estimate=name)
    return Estimate(float(row["step_bias"]), float(row["step_bias_error"]))


def _dataset(
    process: Process,
    pair: Pair,
    detailed: DetailedTheorem,
    crooks: CrooksWork,
    slopes: dict[str, Estimate],
    edges: FloatArray,
) -> xr.Dataset:
    import xarray as xr

    centres = 0.5 * (edges[1:] + edges[:-1])
    variables = {
        **_histograms(pair, edges),
        **_ratio("detailed", detailed),
        **_ratio("crooks", crooks),
        **_scalars(pair, slopes),
    }
    coordinates = {
        "entropy_production": ("bin", centres, {"units": "k_B", "long_name": "middle of bin"}),
        "direction": list(_DIRECTIONS),
        "process": process.name,
        "panel": process.panel,
        "colour": process.colour,
    }
    return xr.Dataset(variables, coords=coordinates)


def _histograms(pair: Pair, edges: FloatArray) -> dict[str, object]:
    both = [histogram(one["entropy_production"].values, edges) for one in pair]
    meaning = {"units": "1/k_B", "long_name": "probability density of entropy production"}
    dims = ("direction", "bin")
    return {
        "density": (dims, np.stack([one.density for one in both]), meaning),
        "density_error": (dims, np.stack([one.error for one in both]), {"units": "1/k_B"}),
    }


def _ratio(name: str, theorem: DetailedTheorem | CrooksWork) -> dict[str, object]:
    """Log ratio of forward and backward in bins, NaN where a side has too few trajectories."""
    bins = theorem.balance
    values = {"abscissa": bins.abscissa, "log_ratio": bins.log_ratio, "error": bins.ratio_error}
    numbers = {
        "line_slope": theorem.line.slope,
        "line_intercept": theorem.line.intercept,
        "slope": theorem.slope,
        "intercept": theorem.intercept,
    }
    return {
        **{f"{name}_{key}": ("point", value) for key, value in values.items()},
        **_with_errors({f"{name}_{key}": value for key, value in numbers.items()}),
        f"{name}_z": theorem.chi_squared.z,
    }


def _scalars(pair: Pair, slopes: dict[str, Estimate]) -> dict[str, object]:
    forward = pair[0]
    numbers = {
        "mean_entropy_production": mean(forward["entropy_production"].values),
        "mean_work": mean(forward["work"].values),
        "mean_pumped_entropy": mean(forward["pumped_entropy"].values),
        "step_bias": _step_bias(forward, "entropy_production"),
        "integral": integral_theorem(forward).entropy_production.estimate,
        "joint_work_slope": slopes.get("β(W-ΔF)", Estimate(np.nan, np.nan)),
        "joint_pumped_entropy_slope": slopes.get("S_P", Estimate(np.nan, np.nan)),
    }
    return {
        **_with_errors(numbers),
        "free_energy_change": float(forward["free_energy_change"]),
        "steps": int(forward.attrs["steps"]),
        "trajectories": forward.sizes["trajectory"],
    }


def _with_errors(numbers: dict[str, Estimate]) -> dict[str, float]:
    values = {name: estimate.value for name, estimate in numbers.items()}
    return values | {f"{name}_error": estimate.error for name, estimate in numbers.items()}
