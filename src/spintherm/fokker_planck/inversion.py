r"""Fourier inversion on a tilted contour, with every source of error accounted for.

On the vertical line Re k = c the generating function G is the characteristic function of the
tilted density, and the trapezoidal rule with step h in :math:`\omega` gives

.. math:: p(x)e^{cx} = \frac{h}{2\pi}\sum_j G(c + i j h)\,e^{-i j h x}
          - \sum_{n\ne0} p\!\left(x + \tfrac{2\pi n}{h}\right)e^{c(x + 2\pi n/h)} .

Three errors are left, all absolute on the tilted density and hence relative where it is large:

* the images of the last sum: h is chosen from the survey of `tilts` such that they are small;
* the part of the sum beyond the last frequency: columns are added, in batches of rising
  frequency, until |G| has fallen far enough;
* errors of G itself: columns of every batch are computed a second time, with a sharper tolerance
  and a larger truncation, and a batch whose error is too large is computed again like that.

Frequencies come in batches because the harmonics and time steps that they need grow with the
frequency. All tilts go through a batch together: they differ in the exponents only. S_P of a magnet
with a landscape takes a way of its own through the process, `turns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintherm.fokker_planck.exponents import line
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.process import Process
from spintherm.fokker_planck.turns import Turns, turns
from spintherm.progress import Report

LEAST_WIDTH, WIDTH, STATES = 16, 96, 10_000  # columns of a batch; numbers in all of them
MOST_COLUMNS = 6_000
COARSEST, FINEST, SHARPER = 1e-3, 1e-12, 0.3
STEPS = 0.2  # error of G due to steps over the square of the tail, where it is seen itself
PROBES = 5  # columns computed twice, to measure the error
SAFETY = 3.0


@dataclass(frozen=True)
class Contour:
    """Values of G on a vertical line.

    Attributes
    ----------
    tilt : float
        c.
    spacing : float
        h.
    values : ndarray, shape (n,)
        G(c + i j h), j = 0, 1, ..., relative to the first.
    log_first : float
        ln G(c).
    error : float
        Bound of the absolute error of the inverted tilted density, relative to G(c).
    l_max, m_max : int
        Largest truncation used.
    """

    tilt: float
    spacing: float
    values: NDArray[Any]
    log_first: float
    error: float
    l_max: int
    m_max: int

    def density(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the density and its error at x (n,)."""
        j = np.arange(len(self.values))
        weights = np.where(j == 0, 0.5, 1.0) * self.values
        total = np.empty(len(x))
        for part in range(0, len(x), 512):
            phase = np.exp(-1j * self.spacing * np.outer(x[part : part + 512], j))
            total[part : part + 512] = np.real(phase @ weights)
        height = np.exp(self.log_first - self.tilt * x)
        return height * total * self.spacing / np.pi, height * self.error


@dataclass(frozen=True)
class Line:
    """A line of exponents, base + k * direction, that a process is counted along.

    Attributes
    ----------
    process : Process
    base, direction : ndarray, shape (4,)
    """

    process: Process
    base: Floats
    direction: Floats

    @cached_property
    def turns(self) -> Turns | None:
        """The faster way through the process, where there is one."""
        return turns(self.process, self.base, self.direction)

    def values(
        self, tilts: Floats, omega: Floats, tail: float, least: Basis
    ) -> tuple[NDArray[Any], Floats, Basis]:
        """Return G at all tilts (t,) and frequencies (n,), relative to zero frequency.

        Returns
        -------
        G : ndarray, shape (t, n)
        log_first : ndarray, shape (t,)
            ln G at zero frequency.
        basis : Basis
            That was needed.
        """
        count = len(omega) + 1
        steps = tilts[:, None] + 1j * np.concatenate([[0.0], omega])
        leaders = np.repeat(count * np.arange(len(tilts)), count)
        # finite steps err in G itself, where the truncation errs at second order
        tolerance = float(np.clip(50.0 * tail**2, FINEST, COARSEST))
        if self.turns is not None:
            columns = self.turns.run(steps, STEPS * tail**2, tail, least)
        else:
            exponents = line(self.base, self.direction, steps.ravel(), leaders)
            columns = self.process.run(exponents, tolerance, tail=tail, least=least)
        G = columns.integrals.reshape(steps.shape)
        first = G[:, 0].real
        return G[:, 1:] / first[:, None], np.log(first), columns.basis


def contours(
    here: Line, tilts: Floats, spacing: float, goals: Floats, report: Report | None = None
) -> list[Contour]:
    """Compute G along vertical lines.

    Parameters
    ----------
    here : Line
    tilts : ndarray, shape (t,)
    spacing : float
        Of the frequencies.
    goals : ndarray, shape (t,)
        Wanted errors of the tilted densities relative to G(c).
    report : callable, optional
        Called with the frequencies done and those expected.

    Raises
    ------
    ResolutionError
        If G falls too slowly: the density has edges or atoms, or is much narrower in places than
        its standard deviation.
    """
    out: list[Contour | None] = [None] * len(tilts)
    allowed = goals * np.pi / spacing
    share = 0.2 if here.turns is None else 0.3
    tail = float(np.clip(share * np.sqrt(np.min(allowed)), FINEST, COARSEST))
    while None in out:
        left = np.flatnonzero([c is None for c in out])
        trial = _Trial(here, tilts[left], spacing, allowed[left], tail)
        trial.run(report)
        errors = trial.errors() + trial.rest
        for place, i in enumerate(left):
            if errors[place] <= allowed[i] or tail <= FINEST:
                out[i] = trial.contour(place, float(errors[place]))
        tail = max(0.1 * tail, FINEST)
    return [c for c in out if c is not None]


class _Trial:
    """G on some vertical lines at one truncation, in batches of rising frequency."""

    def __init__(self, here: Line, tilts: Floats, spacing: float, allowed: Floats, tail: float):
        self.here, self.tilts, self.spacing, self.tail = here, tilts, spacing, tail
        self.allowed, self.basis = allowed, here.process.basis
        self.G = [np.ones(1, dtype=complex)] * len(tilts)
        self.rest, self.log_first = np.full(len(tilts), np.inf), np.zeros(len(tilts))
        self.floor = np.inf

    def run(self, report: Report | None) -> None:
        """Add batches until |G| has fallen far enough on every line, or is nothing but error."""
        open_lines, done, width = np.arange(len(self.tilts)), 1, LEAST_WIDTH
        while open_lines.size:
            omega = self.spacing * np.arange(done, done + width, dtype=np.float64)
            G, log_first, basis = self._values(open_lines, omega, self.tail)
            self.basis, self.log_first[open_lines] = self.basis.joined(basis), log_first
            done += width
            more = np.zeros(len(self.tilts), dtype=int)
            for row, i in enumerate(open_lines.tolist()):
                self.G[i] = np.concatenate([self.G[i], G[row]])
                self.rest[i], more[i] = _rest(np.abs(self.G[i]), 0.3 * self.allowed[i])
                if not np.isfinite(self.rest[i]) and self._is_error(i):
                    more[i] = 0
            open_lines = np.flatnonzero(more)
            states = self.basis.size * max(1, open_lines.size)
            width = min(int(np.max(more)), int(np.clip(STATES // states, LEAST_WIDTH, WIDTH)))
            if self.here.turns is not None:  # whose work hardly depends on the number of columns
                width = int(np.clip(np.max(more), LEAST_WIDTH, WIDTH))
            if report is not None:
                report(done, done + width)
            if done > MOST_COLUMNS:
                raise ResolutionError(
                    f"the characteristic function is still {np.max(np.abs(G[:, -3:])):.1e} after"
                    f" {done} frequencies: the density has edges or atoms, or structure far finer"
                    " than its standard deviation"
                )

    def _is_error(self, i: int) -> bool:
        """Whether G has stopped falling because only errors of the truncation are left."""
        G = self.G[i]
        last = np.abs(G[-1])
        if last > self.tail or last > self.floor or self.tail <= FINEST:
            return False
        omega = np.array([self.spacing * (len(G) - 1)])
        sharp, _, _ = self._values(np.array([i]), omega, SHARPER * self.tail)
        self.floor = 0.1 * last  # not to be asked again soon
        return bool(np.abs(sharp[0, 0] - G[-1]) > 0.1 * last)

    def errors(self) -> Floats:
        """Estimate the sums of the errors of G, from some columns computed more sharply."""
        last = max(map(len, self.G)) - 1
        j = np.unique(np.linspace(1, last, PROBES).round().astype(int))
        sharp, _, _ = self._values(
            np.arange(len(self.tilts)), self.spacing * j, SHARPER * self.tail
        )
        out = np.empty(len(self.tilts))
        for i, G in enumerate(self.G):
            known = j[j < len(G)]
            error = np.abs(sharp[i, : len(known)] - G[known])
            out[i] = SAFETY * np.sum(np.interp(np.arange(1, len(G)), known, error))
        return out

    def _values(self, lines: Any, omega: Floats, tail: float) -> Any:
        return self.here.values(self.tilts[lines], omega, tail, self.basis)

    def contour(self, i: int, error: float) -> Contour:
        """Return the line i."""
        G = self.G[i]
        total = error * self.spacing / np.pi + 1e-15 * np.sqrt(len(G))
        tilt, log_first = float(self.tilts[i]), float(self.log_first[i])
        return Contour(tilt, self.spacing, G, log_first, total, self.basis.l_max, self.basis.m_max)


def _rest(size: Floats, allowed: float) -> tuple[float, int]:
    """Bound of the sum of |G| beyond the last frequency, and how many columns to add."""
    half = LEAST_WIDTH // 2
    last, before = np.max(size[-3:]), np.max(size[-half - 3 : -half])
    if not last < before:
        return float(np.inf), WIDTH
    rate = np.log(before / last) / half
    rest = float(SAFETY * last / -np.expm1(-rate))
    if rest <= allowed:
        return rest, 0
    return rest, int(np.clip(np.ceil(np.log(rest / allowed) / rate), 2, WIDTH))
