"""A driven process solved exactly: the lines over the histograms, and the theorems themselves.

From the Fokker-Planck equation, without sampling: the densities of Σ, forward and backward, the
largest relative deviation from the detailed theorem [I] 4.19 and from the joint theorem 4.16, the
log ratio ln p_F(W)/p_B(-W) that Crooks' form 4.26 puts on β(W - ΔF), and the means that the
ensembles are compared with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from spintherm.experiments.processes import Process
from spintherm.experiments.sizes import ExactDensities
from spintherm.fokker_planck import (
    detailed_symmetry,
    distribution,
    functional_means,
    generating_function,
    joint_symmetry_residual,
)
from spintherm.report import Verdict, at_most
from spintherm.tabulate import fields_at_ends
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

POINTS = 241
"""Points of every line that is drawn."""
MEANS = ("entropy_production", "exp(-beta (W - dF))")
_EXPONENTS = ((-1.0, -1.0), (0.0, 0.0), (-1.7, 0.4), (0.6, -0.9), (0.3, 0.8), (-0.5, -1.9))
_JOINT_LIMIT = 1e-10
_WORK = 6.0  # range of β(W - ΔF) of the log ratio
_LEAST_COUNT = 25.0
_LARGEST_Z = 4.5


@dataclass(frozen=True)
class ExactDriven:
    """What the density engine says of a process.

    Attributes
    ----------
    means : dict
        Exact ⟨Σ⟩ and ⟨exp(-β(W - ΔF))⟩.
    detailed, joint : float
        Largest relative deviation from [I] 4.19 and from 4.16.
    limit : float
        What `detailed` must not exceed.
    curves : dict of ndarray, shape (2, POINTS) or (POINTS,)
        The lines: Σ and its density, forward and backward; β(W - ΔF) and the log ratio.
    """

    means: dict[str, float]
    detailed: float
    joint: float
    limit: float
    curves: dict[str, FloatArray]


def exact_driven(process: Process, accuracy: ExactDensities) -> ExactDriven:
    """Solve a process exactly.

    Parameters
    ----------
    process : Process
        What is solved.
    accuracy : ExactDensities
        How accurately.

    Returns
    -------
    ExactDriven
        Plain numbers and arrays, so that a worker process can send them.
    """
    magnet, protocol = process.magnet, process.protocol
    sides = detailed_symmetry(
        magnet, protocol, tolerance=accuracy.tolerance, floor=accuracy.floor, progress=False
    )
    k_W, k_S = np.array(_EXPONENTS).T
    joint = joint_symmetry_residual(magnet, protocol, work=k_W, pumped_entropy=k_S)
    F = magnet.free_energy(np.stack(fields_at_ends(magnet, protocol)))
    G = generating_function(magnet, protocol, work=-1.0, progress=False)["generating_function"]
    means = (
        functional_means(magnet, protocol)["entropy_production"],
        float(G) * float(np.exp(magnet.beta * (F[1] - F[0]))),
    )
    return ExactDriven(
        dict(zip(MEANS, means, strict=True)),
        float(sides.attrs["largest_deviation"]),
        float(joint.max()),
        accuracy.tolerance,
        {**_densities(process, sides, accuracy), **_work_ratio(process, accuracy)},
    )


def _densities(
    process: Process, sides: xr.Dataset, accuracy: ExactDensities
) -> dict[str, FloatArray]:
    """Densities of Σ forward and backward, each over its own range."""
    backward = distribution(
        process.magnet.reversed(),
        process.protocol.reversed(),
        tolerance=accuracy.tolerance,
        floor=accuracy.floor,
        progress=False,
    )
    x = [one["entropy_production"].values for one in (sides, backward)]
    p = [sides["forward"].values, backward["density"].values]
    return {
        "exact_entropy_production": np.stack([_thinned(a, a) for a in x]),
        "exact_density": np.stack([_thinned(a, b) for a, b in zip(x, p, strict=True)]),
    }


def _thinned(x: FloatArray, values: FloatArray) -> FloatArray:
    """Values (n,) at POINTS equally spaced x, by a cubic spline."""
    from scipy.interpolate import CubicSpline

    return np.asarray(CubicSpline(x, values)(np.linspace(x[0], x[-1], POINTS)))


def _work_ratio(process: Process, accuracy: ExactDensities) -> dict[str, FloatArray]:
    """ln p_F(W)/p_B(-W) where both densities are seen in an experiment."""
    magnet, protocol = process.magnet, process.protocol
    F = magnet.free_energy(np.stack(fields_at_ends(magnet, protocol)))
    change = float(F[1] - F[0])
    tolerance = 10.0 * accuracy.tolerance
    both = [
        distribution(one, way, of="work", tolerance=tolerance, floor=1e-5, progress=False)
        for one, way in ((magnet, protocol), (magnet.reversed(), protocol.reversed()))
    ]
    low = max(float(both[0]["work"][0]), -float(both[1]["work"][-1]), change - _WORK / magnet.beta)
    high = min(float(both[0]["work"][-1]), -float(both[1]["work"][0]), change + _WORK / magnet.beta)
    work = np.linspace(low, high, POINTS)
    logs = [
        np.interp(at, one["work"].values, np.log(np.maximum(one["density"].values, 1e-300)))
        for one, at in zip(both, (work, -work), strict=True)
    ]
    return {
        "exact_dissipated_work": magnet.beta * (work - change),
        "exact_work_log_ratio": logs[0] - logs[1],
    }


def theorem_verdicts(name: str, exact: ExactDriven) -> Iterator[Verdict]:
    """Yield the verdicts on the theorems as exact statements.

    Parameters
    ----------
    name : str
        Of the process in the table.
    exact : ExactDriven
        What is judged.
    """
    yield at_most(
        name,
        "exact: largest relative deviation from p_F(Σ) exp(-Σ) = p_B(-Σ)",
        exact.detailed,
        exact.limit,
        note="Fokker-Planck equation, nothing sampled",
    )
    yield at_most(
        name,
        "exact: largest relative deviation from the joint theorem 4.16",
        exact.joint,
        _JOINT_LIMIT,
        note="generating functions at six pairs of exponents",
    )


def histogram_verdicts(
    name: str, exact: ExactDriven, counts: FloatArray, trajectories: int, edges: FloatArray
) -> Iterator[Verdict]:
    """Yield the verdicts on the histograms of Σ against the exact densities.

    Parameters
    ----------
    name : str
        Of the process in the table.
    exact : ExactDriven
        The densities.
    counts : ndarray, shape (2, bins)
        Trajectories in each bin, forward and backward.
    trajectories : int
        In each ensemble.
    edges : ndarray, shape (bins + 1,)
        Of the bins.
    """
    from scipy.interpolate import CubicSpline

    for place, direction in enumerate(("forward", "backward")):
        x = exact.curves["exact_entropy_production"][place]
        cumulative = CubicSpline(x, exact.curves["exact_density"][place]).antiderivative()
        expected = np.diff(cumulative(np.clip(edges, x[0], x[-1]))) * trajectories
        seen = expected > _LEAST_COUNT
        pulls = (counts[place, seen] - expected[seen]) ** 2 / expected[seen]
        z = float((np.sum(pulls) - np.sum(seen)) / np.sqrt(2.0 * np.sum(seen)))
        yield at_most(
            name,
            f"histogram of Σ {direction} against the exact density, z of chi squared",
            z,
            _LARGEST_Z,
            note=f"{int(np.sum(seen))} bins",
        )
