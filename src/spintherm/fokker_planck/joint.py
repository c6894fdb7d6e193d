r"""The exact joint probability density of work and pumped entropy.

.. math:: p(w, s)\,e^{c_W w + c_S s} = \frac{1}{(2\pi)^2}\iint
          G(c_W + i\omega_W, c_S + i\omega_S)\,e^{-i\omega_W w - i\omega_S s}\,d\omega_W d\omega_S

with w = beta W, by the trapezoidal rule in both frequencies. G is computed in tiles of the
frequency lattice, starting at the origin and spreading to the neighbours of every tile in which
|G| is not yet negligible; G at the opposite frequency is the complex conjugate. As in `inversion`
the errors are absolute on the tilted density: with another tilt another part of the plane
becomes accurate. The joint fluctuation theorem [I] 4.16 reads

.. math:: p_F(W, S_P)\,e^{-\beta W - S_P + \beta\Delta F} = p_B(-W, -S_P) .

W carries the unit of energy; S_P is a pure number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.fokker_planck.exponents import Exponents, jet
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.initial import Initial
from spintherm.fokker_planck.labels import attributes
from spintherm.fokker_planck.process import Process, process
from spintherm.fokker_planck.tilts import Survey, survey
from spintherm.progress import Progress, Report, reporting

if TYPE_CHECKING:
    import xarray

    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol

TILE, AXIAL_TILE = (5, 7), (12, 15)  # frequencies of a tile: a good batch with few harmonics
MOST_TILES = 2_000
DEFAULT_POINTS = 81
FINEST, COARSEST, SHARPER, SAFETY = 1e-12, 1e-3, 0.3, 3.0
PROBES = 12
AXES = np.eye(4)[:2]


def joint_distribution(
    magnet: Magnet,
    protocol: Protocol,
    *,
    work: ArrayLike | None = None,
    pumped_entropy: ArrayLike | None = None,
    tilt: tuple[float, float] = (0.0, 0.0),
    initial: Initial = "equilibrium",
    tolerance: float = 1e-5,
    progress: Progress = None,
) -> xarray.Dataset:
    """Compute the joint probability density of W and S_P.

    Parameters
    ----------
    magnet : Magnet
        At T > 0.
    protocol : Protocol
    work, pumped_entropy : array_like, shape (n,) and (k,), optional
        Where to evaluate it, rising; by default 81 points each over the range in which the density
        of the one quantity, tilted, exceeds 1e-6 of its maximum.
    tilt : tuple of float
        Dimensionless exponents c_W, c_S: the error is relative to where exp(c_W beta W + c_S S_P)
        times the density is largest.
    initial
        Initial density, see `initial.initial_density`.
    tolerance : float
        Wanted error, relative to the maximum of the tilted density.
    progress : bool or callable, optional
        See `spintherm.progress`; counts tiles of frequencies.

    Returns
    -------
    xarray.Dataset
        `density` and its estimated absolute `error` over `work` and `pumped_entropy`.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused, or W and S_P are tied to each other or do not fluctuate.
    ResolutionError
        If the density is not smooth enough or needs too many harmonics.
    """
    accuracy = validation.finite_scalar("tolerance", tolerance, positive=True)
    here = process(magnet, protocol, initial, 1e-2 * accuracy)
    base = np.array([*map(float, tilt), 0.0, 0.0])
    peak = _peak(here, base)
    seen = [survey(here, base, axis, 1e-2 * accuracy) for axis in AXES]
    given = (work, magnet.temperature), (pumped_entropy, 1.0)
    names = ("work", "pumped_entropy")
    grids = [
        np.linspace(*s.range_above(1e-6), DEFAULT_POINTS)
        if values is None
        else validation.increasing_times(name, values) / unit
        for s, (values, unit), name in zip(seen, given, names, strict=True)
    ]
    periods = [_period(s, x, accuracy) for s, x in zip(seen, grids, strict=True)]
    spacing = 2.0 * np.pi / np.array(periods)
    with reporting(progress, "joint density", "tiles") as report:
        plane = _plane(here, base, spacing, accuracy * peak, report)
    return _dataset(here, base, grids, plane)


def _peak(here: Process, base: Floats) -> float:
    """Gaussian estimate of the largest tilted density, relative to G(c)."""
    exponents, powers = jet(base, AXES, 2)
    g = dict(zip(powers, here.run(exponents, 1e-6).integrals, strict=True))
    a, b = g[1, 0] / g[0, 0], g[0, 1] / g[0, 0]
    spread = np.array(
        [
            [2.0 * g[2, 0] / g[0, 0] - a * a, g[1, 1] / g[0, 0] - a * b],
            [g[1, 1] / g[0, 0] - a * b, 2.0 * g[0, 2] / g[0, 0] - b * b],
        ]
    )
    area = np.linalg.det(spread)
    if not area > 1e-10 * spread[0, 0] * spread[1, 1]:
        raise ValueError("work and pumped entropy do not fluctuate independently in this process")
    return float(1.0 / (2.0 * np.pi * np.sqrt(area)))


def _period(seen: Survey, x: Floats, tolerance: float) -> float:
    """Return how far apart images must be to miss each other and the points x (n,)."""
    low, high = seen.reach(0.0, 2.0 - np.log(tolerance))
    return 1.1 * max(high - low, high - float(x[0]), float(x[-1]) - low)


@dataclass(frozen=True)
class _Plane:
    """G on the lattice, relative to G(c), and the error of the tilted density."""

    spacing: Floats
    places: NDArray[np.intp]
    values: NDArray[Any]
    log_first: float
    error: float
    basis: Basis

    def density(self, w: Floats, s: Floats) -> Floats:
        """Tilted density over G(c), shape (len(w), len(s))."""
        low, high = self.places.min(axis=0), self.places.max(axis=0)
        table = np.zeros(high - low + 1, dtype=complex)
        table[tuple((self.places - low).T)] = self.values
        phases = [
            np.exp(-1j * h * np.outer(x, np.arange(a, b + 1)))
            for h, x, a, b in zip(self.spacing, (w, s), low, high, strict=True)
        ]
        total = np.real(phases[0] @ table @ phases[1].T)
        return np.asarray(total * 2.0 * np.prod(self.spacing) / (2.0 * np.pi) ** 2)


def _plane(here: Process, base: Floats, spacing: Floats, goal: float, report: Report) -> _Plane:
    """Compute G on the half lattice of first frequencies >= 0 until it is accurate enough."""
    allowed = goal * (2.0 * np.pi) ** 2 / (2.0 * float(np.prod(spacing)))
    tail = float(np.clip(0.005 * np.sqrt(allowed), FINEST, COARSEST))
    while True:
        tiles = _Tiles(here, base, spacing, tail)
        values, rest = tiles.spread(0.3 * allowed, report)
        places = np.array(list(values))
        G = np.array(list(values.values()))
        errors = tiles.errors(places, G) + rest
        if errors <= allowed or tail <= FINEST:
            break
        tail = max(0.1 * tail, FINEST)
    on_axis = places[:, 0] == 0
    G = np.where(on_axis, 0.5, 1.0) * G  # there both of a conjugate pair are in the table
    error = errors * goal / allowed + 1e-15
    return _Plane(spacing, places, G, tiles.log_first, error, tiles.basis)


class _Tiles:
    """Tiles of the lattice at one truncation of the columns."""

    def __init__(self, here: Process, base: Floats, spacing: Floats, tail: float):
        self.here, self.base, self.spacing, self.tail = here, base, spacing, tail
        self.log_first, self.basis = 0.0, here.basis
        self.tile = AXIAL_TILE if here.basis.m_max == 0 else TILE

    def spread(
        self, allowed: float, report: Report
    ) -> tuple[dict[tuple[int, int], complex], float]:
        """Return G by place, from all tiles that matter, and a bound of the sum of the rest."""
        level = allowed / 40.0 / np.prod(self.tile)
        waiting, known = [(0, 0)], {(0, 0)}
        out: dict[tuple[int, int], complex] = {}
        rest = 0.0
        for done in range(MOST_TILES):
            if not waiting:
                return out, rest
            tile = waiting.pop(0)
            places = self._places(tile)
            G = self._values(places, self.tail)
            out.update({(int(a), int(b)): g for (a, b), g in zip(places, G, strict=True)})
            edge = float(np.max(np.abs(G)))
            if edge <= level:
                rest += SAFETY * edge * len(G)
                continue
            for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                beside = (tile[0] + step[0], tile[1] + step[1])
                if beside[0] >= 0 and beside not in known:
                    known.add(beside)
                    waiting.append(beside)
            report(done + 1, done + 1 + len(waiting))
        raise ResolutionError(
            f"the joint characteristic function is still {edge:.1e} after {MOST_TILES} tiles of"
            " frequencies: the density has edges, or structure far finer than its width"
        )

    def errors(self, places: NDArray[np.intp], G: NDArray[Any]) -> float:
        """Estimate the sum of the errors of G from some places computed more sharply."""
        size = np.argsort(-np.abs(G), kind="stable")
        probes = size[np.unique(np.linspace(0, len(size) - 1, PROBES).round().astype(int))]
        sharp = self._values(places[probes], SHARPER * self.tail)
        error = np.abs(sharp - G[probes])
        return float(SAFETY * np.mean(error) * len(G))

    def _places(self, tile: tuple[int, int]) -> NDArray[np.intp]:
        rows, columns = self.tile
        a = tile[0] * rows + np.arange(rows)
        b = tile[1] * columns + np.arange(columns) - columns // 2
        return np.stack(np.meshgrid(a, b, indexing="ij"), axis=-1).reshape(-1, 2)

    def _values(self, places: NDArray[np.intp], tail: float) -> NDArray[Any]:
        omega = np.concatenate([np.zeros((1, 2)), places * self.spacing])
        count = len(omega)
        leaders, seeds = np.zeros(count, dtype=np.intp), np.ones(count, dtype=bool)
        steps = (1j * omega[:, 0], 1j * omega[:, 1])
        exponents = Exponents(self.base, AXES, steps, leaders, seeds)
        tolerance = float(np.clip(50.0 * tail**2, FINEST, COARSEST))
        columns = self.here.run(exponents, tolerance, tail=tail)
        self.basis = max(self.basis, columns.basis, key=lambda basis: basis.size)
        first = columns.integrals[0].real
        self.log_first = float(np.log(first))
        return np.asarray(columns.integrals[1:] / first)


def _dataset(here: Process, base: Floats, grids: list[Floats], plane: _Plane) -> xarray.Dataset:
    import xarray

    T = here.magnet.temperature
    exponent = base[0] * grids[0][:, None] + base[1] * grids[1]
    height = np.exp(plane.log_first - exponent) / T
    dims = ("work", "pumped_entropy")

    def variable(values: Floats, meaning: str) -> Any:
        return (dims, values, {"units": "1/energy", "long_name": meaning})

    return xarray.Dataset(
        {
            "density": variable(
                height * plane.density(*grids), "joint probability density of W and S_P"
            ),
            "error": variable(height * plane.error, "estimated error of the density"),
        },
        coords={
            "work": ("work", T * grids[0], {"units": "energy"}),
            "pumped_entropy": ("pumped_entropy", grids[1], {"units": "1"}),
        },
        attrs=attributes(here.magnet, here.protocol)
        | {
            "free_energy_change": here.free_energy_change,
            "tilt": base[:2],
            "evaluations": len(plane.values),
            "l_max": plane.basis.l_max,
            "m_max": plane.basis.m_max,
        },
    )
