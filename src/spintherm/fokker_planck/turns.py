r"""The generating function of S_P alone: motion and counting taken in turns.

Where the torque keeps its direction, or flows through polarisers, the pumped entropy is counted by
a fixed function f of the direction, [I] 3.9 and its generalisation,

.. math:: \dot X = A(t)^T X + a(t)\,f\,X K,

and the two parts are easy alone. In the eigenbasis of the truncated f the second is a phase for
each row and column, and the first is one real matrix :math:`\Phi(t + h, t)` for all columns. The
symmetric product S(h) of half a phase, :math:`\Phi` with A taken at the middle, half a phase, has
an error in even powers of h, so that

.. math:: X(t + h) = \sum_n w_n\,S(h/n)^n X(t), \qquad w_n = \prod_{j\ne n}\frac{n^2}{n^2 - j^2},
   \qquad n = 1 \dots 4,

is of order 8 (Chin, Celest. Mech. Dyn. Astron. 106 (2010) 391, derives the weights). All times are
positive, as diffusion demands, and stiffness does not limit h. Errors of the columns are as large
as anybody's in high harmonics; but G sees them through the adjoint solution, which is small there
(see `process`), and is better by many digits. Therefore the number of steps is chosen by what G of
a few columns changes when it is doubled, and by nothing else.

:math:`\Phi(t + l, t)` at fixed length l is a smooth function of t, of which Chebyshev polynomials
are kept. The truncated equation is the one that `propagator` solves, and its result the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from spintherm.fokker_planck.exponents import Exponents, line
from spintherm.fokker_planck.generator import ResolutionError, backward
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.process import Process
from spintherm.fokker_planck.propagator import (
    Columns,
    Limits,
    column_norms,
    edge_sizes,
    larger_basis,
)
from spintherm.fokker_planck.schedule import Drive

LEVELS = 4
FIRST, MOST = 8, 1 << 14  # least and largest number of steps
ROUNDING = 1e-13
KNOTS = (5, 9, 17, 33)  # points in time at which motions of one length are made
EXACT = 1e-10  # last terms of their Chebyshev series, relative to the largest
DUST = 1e-13  # sine of an angle that counts as zero
PUMPED = np.array([0.0, 1.0, 0.0, 0.0])
NODES = 17  # in time for a(t), which is of degree 16 at most
FRAMES = 2  # whose matrices are kept
KEPT_BYTES = 500_000_000  # of motions in one of them


@dataclass(frozen=True, eq=False)
class Motion:
    """The motion over times of one length, as a Chebyshev series in the time when it begins.

    Attributes
    ----------
    first, span : float
        Earliest beginning, and how much later the last one may be.
    series : ndarray, shape (terms, size, size)
    """

    first: float
    span: float
    series: Floats

    def at(self, time: float) -> Floats:
        """Return the matrix that takes columns from `time` on."""
        if len(self.series) == 1:
            return np.asarray(self.series[0])
        x = 2.0 * (time - self.first) / self.span - 1.0
        weights = chebyshev.chebvander(np.array([x]), len(self.series) - 1)[0]
        shape = self.series.shape
        return np.asarray((weights @ self.series.reshape(shape[0], -1)).reshape(shape[1:]))


@dataclass(frozen=True, eq=False)
class Frame:
    """The eigenbasis of f in one truncation, and what has been computed in it.

    Attributes
    ----------
    basis : Basis
    vectors : ndarray, shape (size, size)
        Eigenvectors, columns.
    rate : ndarray, shape (size,)
        Eigenvalues of f.
    generators : ndarray, shape (r, size, size)
        Forward generators of which A is made.
    motions : dict
        By the place of the drive and the number of equal parts into which it is cut.
    """

    basis: Basis
    vectors: Floats
    rate: Floats
    generators: Floats
    motions: dict[tuple[int, int], Motion | None] = field(default_factory=dict)

    def into(self, columns: NDArray[Any]) -> NDArray[Any]:
        """Turn coefficients of harmonics (size, n) to this basis."""
        return _product(np.ascontiguousarray(self.vectors.T), columns)

    def out_of(self, columns: NDArray[Any]) -> NDArray[Any]:
        """Return the coefficients of harmonics (size, n)."""
        return _product(self.vectors, columns)


@dataclass(eq=False)
class Turns:
    """S_P counted along a process with a landscape.

    Attributes
    ----------
    process : Process
    base : ndarray, shape (4,)
        Exponents that all columns share.
    function : ndarray
        Coefficients of f.
    count : int
        Steps with which the next columns are tried first.
    """

    process: Process
    base: Floats
    function: Floats
    frames: dict[Basis, Frame] = field(default_factory=dict)
    count: int = 4 * FIRST

    def run(self, steps: NDArray[Any], tolerance: float, tail: float, least: Basis) -> Columns:
        """Take columns through the process, in as many steps as some of them are seen to need.

        Parameters
        ----------
        steps : ndarray, shape (t, n)
            Complex exponents of S_P beyond the base: a real part for each row, the first of a row
            being real, and the same imaginary parts in all rows.
        tolerance : float
            Of the integrals, relative to the first of each row.
        tail, least
            As in `Process.run`.

        Raises
        ------
        ResolutionError
            If the basis or the number of steps would become too large.
        """
        last = steps.shape[1] - 1
        some = np.unique(np.array([0, min(1, last), last // 8, last // 3, last]))
        basis = self.process.basis.joined(least)
        self._choose(steps[:, some], tolerance, basis)
        return self._through(steps, self.count, Limits(tolerance, tail), basis)

    def _choose(self, steps: NDArray[Any], tolerance: float, basis: Basis) -> None:
        """Find the number of steps that the integrals of some columns need.

        In a given basis: too few steps are no reason to enlarge it.
        """
        limits = Limits(tolerance, np.inf)
        allowed = max(tolerance, ROUNDING)
        while True:
            both = (self._through(steps, n * self.count, limits, basis) for n in (1, 2))
            one, other = (np.reshape(columns.integrals, steps.shape) for columns in both)
            error = float(np.max(np.abs(one - other) / np.abs(other[:, :1])))
            needed = self.count * (error / allowed) ** (0.5 / LEVELS)
            if needed <= self.count:
                break
            self.count = 1 << int(np.ceil(np.log2(min(needed, 8.0 * self.count))))
            if self.count > MOST:
                raise ResolutionError(
                    f"more than {MOST} time steps are needed with l_max = {basis.l_max}:"
                    " torques or exponents are too strong"
                )
        if needed < 0.4 * self.count:
            self.count = max(FIRST, self.count // 2)

    def _through(self, steps: NDArray[Any], count: int, limits: Limits, least: Basis) -> Columns:
        """Take columns through all pieces, in about `count` steps."""
        leaders = np.repeat(steps.shape[1] * np.arange(len(steps)), steps.shape[1])
        exponents = line(self.base, PUMPED, steps.ravel(), leaders)
        columns = self.process.columns(exponents, least)
        for place, piece in enumerate(self.process.schedule.pieces):
            if isinstance(piece, Drive):
                share = (piece.stop - piece.start) / self.process.protocol.duration
                parts = 1 << max(1, int(np.ceil(np.log2(count * share))))
                columns = self._driven(columns, (place, parts), steps, exponents, limits)
        return columns

    def _driven(
        self,
        columns: Columns,
        parts: tuple[int, int],
        steps: NDArray[Any],
        exponents: Exponents,
        limits: Limits,
    ) -> Columns:
        """Take columns through the drive at a place, cut into equal parts."""
        frame, values = self._frame(columns.basis), columns.values
        X, tail, done = frame.into(values), columns.tail, 0
        while done < parts[1]:
            trial = self._step(frame, parts, done, X, steps)
            found = frame.out_of(trial)
            own, edges = column_norms(found), edge_sizes(frame.basis, found)
            scale = np.maximum(own, own[exponents.leaders])
            larger = larger_basis(frame.basis, edges, scale, limits)
            if larger is not None:
                values = frame.basis.embed_columns(values, larger)
                frame = self._frame(larger)
                X = frame.into(values)
                continue
            X, values, done = trial, found, done + 1
            tail = np.maximum(tail, np.max(edges, axis=0))
        return Columns(frame.basis, values, columns.error, tail, columns.steps + done)

    def _step(
        self,
        frame: Frame,
        parts: tuple[int, int],
        done: int,
        X: NDArray[Any],
        steps: NDArray[Any],
    ) -> NDArray[Any]:
        """One of equal steps of a drive, for columns X (size, n)."""
        place, count = parts
        out = np.zeros_like(X)
        for n, weight in enumerate(_weights(), start=1):
            times = (done + np.array([0.0, *(np.arange(n) + 0.5), n]) / n) / count
            impulses = np.diff(chebyshev.chebval(2.0 * times - 1.0, self._primitives[place]))
            Y = self._counted(frame, impulses[0], X.copy(), steps)
            for i in range(n):
                Y = _product(self._motion(frame, place, n * count, n * done + i), Y)
                Y = self._counted(frame, impulses[i + 1], Y, steps)
            out += weight * Y
        return out

    @cached_property
    def _primitives(self) -> dict[int, Floats]:
        """Chebyshev series of the integral of a(t), by the place of the drive."""
        x = chebyshev.chebpts1(NODES)
        fit = np.linalg.inv(chebyshev.chebvander(x, NODES - 1))
        found = {}
        for place, drive in enumerate(self.process.schedule.pieces):
            if isinstance(drive, Drive):
                half = 0.5 * (drive.stop - drive.start)
                rows = self._terms(drive, drive.start + half * (1.0 + x))[:, 1]
                a = rows @ self.function / (self.function @ self.function)
                found[place] = np.asarray(half * chebyshev.chebint(fit @ a), dtype=float)
        return found

    def _counted(
        self, frame: Frame, impulse: float, X: NDArray[Any], steps: NDArray[Any]
    ) -> NDArray[Any]:
        """Multiply columns by the exponential of what is counted, in place."""
        if impulse == 0.0:
            return X
        s = impulse * frame.rate
        turn = np.exp(1j * np.outer(s, steps[0].imag))
        growth = np.exp(np.outer(s, steps[:, 0].real))
        parts = X.reshape(len(s), *steps.shape)
        parts *= turn[:, None, :]
        if np.any(growth != 1.0):
            parts *= growth[:, :, None]
        return X

    def _motion(self, frame: Frame, place: int, count: int, index: int) -> Floats:
        """The motion over one of `count` equal parts of a drive."""
        drive = self.process.schedule.pieces[place]
        assert isinstance(drive, Drive)
        key = place, count
        if key not in frame.motions:
            while sum(m.series.nbytes for m in frame.motions.values() if m) > KEPT_BYTES:
                del frame.motions[next(iter(frame.motions))]
            frame.motions[key] = self._interpolated(frame, drive, count)
        found, length = frame.motions[key], (drive.stop - drive.start) / count
        time = drive.start + index * length
        return self._exponential(frame, drive, time, length) if found is None else found.at(time)

    def _interpolated(self, frame: Frame, drive: Drive, count: int) -> Motion | None:
        """Motions of one length over a drive; none if more than `KNOTS` of them are needed."""
        length = (drive.stop - drive.start) / count
        span = drive.stop - drive.start - length
        parts = self._terms(drive, np.linspace(drive.start, drive.stop, 5))[:, 0]
        if count == 1 or not np.any(np.ptp(parts, axis=0)):
            return Motion(
                drive.start, span, self._exponential(frame, drive, drive.start, length)[None]
            )
        made: dict[float, Floats] = {}
        for knots in KNOTS:
            if knots > count:
                return None
            x = np.cos(np.pi * np.arange(knots) / (knots - 1))
            for place in x.tolist():
                if place not in made:
                    time = drive.start + 0.5 * span * (1.0 + place)
                    made[place] = self._exponential(frame, drive, time, length)
            values = np.stack([made[place] for place in x.tolist()])
            inverse = np.linalg.inv(chebyshev.chebvander(x, knots - 1))
            series = np.tensordot(inverse, values, axes=1)
            size = np.max(np.abs(series), axis=(1, 2))
            if np.max(size[-2:]) <= EXACT * np.max(size):
                kept = int(np.flatnonzero(size > 0.01 * EXACT * np.max(size))[-1]) + 1
                return Motion(drive.start, span, series[:kept].copy())
        return None

    def _exponential(self, frame: Frame, drive: Drive, time: float, length: float) -> Floats:
        from scipy.linalg import expm

        row = self._terms(drive, np.array([time + 0.5 * length]))[0, 0]
        generator = np.tensordot(self._span @ row, frame.generators, axes=1)
        return np.asarray(expm(length * generator))

    def _terms(self, drive: Drive, times: Floats) -> NDArray[Any]:
        """Coefficients of A and of a(t) f at times (n,), shape (n, 2 or 3, places)."""
        return drive.terms(line(self.base, PUMPED, np.zeros(1)), times)

    @cached_property
    def _span(self) -> Floats:
        """Orthonormal coefficient vectors whose combinations make up A at any time, rows."""
        rows = []
        for drive in self.process.drives:
            times = drive.start + (drive.stop - drive.start) * 0.5 * (
                1.0 + np.polynomial.legendre.leggauss(33)[0]
            )
            rows.append(self._terms(drive, times)[:, 0])
        _, size, vectors = np.linalg.svd(np.vstack(rows), full_matrices=False)
        return np.asarray(vectors[size > 1e-15 * size[0]])

    def _frame(self, basis: Basis) -> Frame:
        if basis not in self.frames:
            while len(self.frames) >= FRAMES:
                del self.frames[next(iter(self.frames))]
            landscape = self.process.schedule.landscape
            rate, vectors = np.linalg.eigh(backward(basis, self.function, landscape).toarray())
            parts = [
                vectors.T @ (backward(basis, row, landscape).toarray() @ vectors)
                for row in self._span
            ]
            self.frames[basis] = Frame(basis, vectors, rate, np.stack(parts))
        return self.frames[basis]


def turns(process: Process, base: Floats, direction: Floats) -> Turns | None:
    """Return what counts S_P, or None: no S_P, a uniform or axial magnet, a turning torque."""
    if (
        process.schedule.landscape is None
        or np.any(base[[0, 2, 3]])
        or process.schedule.axial
        or not np.array_equal(direction, PUMPED)
    ):
        return None
    probe = line(base, PUMPED, np.zeros(1))
    rows = []
    for drive in process.drives:
        times = np.linspace(drive.start, drive.stop, 33)
        rows.append(drive.terms(probe, times)[:, 1])
    _, size, vectors = np.linalg.svd(np.vstack(rows), full_matrices=False)
    if size[0] == 0.0 or np.any(size[1:] > DUST * size[0]):
        return None
    return Turns(process, np.asarray(base, dtype=float), vectors[0])


@lru_cache(maxsize=1)
def _weights() -> Floats:
    """Weights w_n of S(h/n)^n, shape (LEVELS,)."""
    n = np.arange(1.0, LEVELS + 1.0) ** 2
    rest = n[:, None] - n + np.diag(n)
    return np.asarray(np.prod(n[:, None] / rest, axis=1))


def _product(matrix: Floats, columns: NDArray[Any]) -> NDArray[Any]:
    """Real matrix times complex columns."""
    return np.asarray((matrix @ columns.view(float)).view(complex))
