r"""A process made ready to be counted: magnet, schedule and initial density in one.

`Process.run` propagates columns with any exponents from the beginning to the end and integrates
them, which gives the generating function :math:`G = \langle e^{k\cdot(\beta W, S_P, \beta E_0,
\beta E_\tau)}\rangle` or its Taylor coefficients.

Why a modest tolerance of the columns suffices for G: an error committed at time t contributes to G
only through its product with the solution of the adjoint equation, which is as smooth as the
density itself. An error in the high harmonics, where truncation and the limit of stability put
it, is therefore damped twice; measured, the error of G is about the square of that of the columns.
It is not taken for granted but measured, by repeating the run, or a sample of its columns, with a
sharper tolerance and a larger truncation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from spintherm import validation
from spintherm.fokker_planck.exponents import Exponents
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.initial import Initial, initial_density
from spintherm.fokker_planck.landscape import pumping_range
from spintherm.fokker_planck.propagator import Columns, Limits, propagate
from spintherm.fokker_planck.schedule import Drive, Schedule, schedule
from spintherm.tabulate import fields_at_ends

if TYPE_CHECKING:
    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol

FINEST, COARSEST = 1e-13, 1e-4
SHARPER = 1e-2
LANDSCAPE_TAIL = 1e-13
PATH = 1025  # points of a drive at which the paths of H and P are measured
DUST = 1e-15  # coefficients below this, relative to the largest, are rounding


@dataclass(frozen=True)
class Process:
    """A magnet, its protocol in pieces, and the density from which it starts.

    Attributes
    ----------
    magnet : Magnet
    protocol : Protocol
    schedule : Schedule
    basis : Basis
    density : ndarray, shape (size,)
        Initial density in the schedule's frame.
    """

    magnet: Magnet
    protocol: Protocol
    schedule: Schedule
    basis: Basis
    density: Floats

    @property
    def free_energy_change(self) -> float:
        """F(H_tau) - F(H_0), [I] 4.14; H holds the field of the current."""
        F = self.magnet.free_energy(fields_at_ends(self.magnet, self.protocol))
        return float(F[1] - F[0])

    def support(self, direction: Floats) -> tuple[float, float]:
        """Least and largest value that a counted quantity can take on any path; may be infinite.

        The rate of S_P lies between -2 gamma0 m |P| and 2 gamma0 m |P| for |n| = 1, with
        polarisers between the extremes of (P·p) times a function of n, which are unlike if the
        efficiency is asymmetric and change places with the sign of the torque. Staying at the
        extreme is possible at every time, so that these bounds are the least ones.

        The work of the torque has no bound,
        but without a torque W is -int m.dH and bounded by m times the length of the field's path.

        Parameters
        ----------
        direction : ndarray, shape (4,)
            The quantity, as weights of `exponents.CHANNELS`.
        """
        work, _, before, after = np.abs(direction)
        scale = self.magnet.beta * self.magnet.moment
        fields = self.schedule.initial_field, self.schedule.final_field
        path, at = 0.0, fields[0]
        for piece in self.drives:
            H, _, _ = piece.at(np.linspace(piece.start, piece.stop, PATH))
            path += float(np.sum(np.linalg.norm(np.diff(H, axis=0), axis=1)))
            path += float(np.linalg.norm(H[0] - at))
            at = H[-1]
        path += float(np.linalg.norm(fields[1] - at))
        ahead, back = self._impulse()
        if work > 0.0 and ahead + back > 0.0:
            return -np.inf, np.inf
        ends = before * float(np.linalg.norm(fields[0])) + after * float(np.linalg.norm(fields[1]))
        magnet, landscape = self.schedule.magnet, self.schedule.landscape
        if landscape is not None and magnet.anisotropy is not None:
            ends += (before + after) * magnet.anisotropy.bound / self.magnet.moment
        reach = float(scale * (work * path + ends))
        low, high = self._rates()
        pumped = direction[1] * np.array([low * ahead - high * back, high * ahead - low * back])
        return float(np.min(pumped)) - reach, float(np.max(pumped)) + reach

    @property
    def drives(self) -> list[Drive]:
        """Stretches of time of the schedule, without its kicks."""
        return [piece for piece in self.schedule.pieces if isinstance(piece, Drive)]

    def _rates(self) -> tuple[float, float]:
        """Extremes of the rate of S_P for a torque of size one, along the polariser."""
        magnet = self.schedule.magnet
        if self.schedule.landscape is not None and magnet.polarisers:
            return pumping_range(magnet, magnet.polarisers[0].vector)
        top = 2.0 * self.magnet.gyromagnetic_ratio * self.magnet.moment
        return -top, top

    def _impulse(self) -> tuple[float, float]:
        """Integrals of the torque along and against the polariser, or of its size and zero."""
        polarisers = self.schedule.magnet.polarisers
        ahead, back = 0.0, 0.0
        for piece in self.drives:
            length = piece.stop - piece.start
            if not polarisers:
                _, P, _ = piece.at(np.linspace(piece.start, piece.stop, PATH))
                rough = np.linalg.norm(P, axis=1)
                ahead += float(np.mean(np.maximum(rough[1:], rough[:-1]))) * length
                continue
            areas = 0.5 * length * _areas(piece.spin_torque @ polarisers[0].vector)
            ahead, back = ahead + float(areas[0]), back + float(areas[1])
        return ahead, back

    def columns(self, exponents: Exponents, least: Basis | None = None) -> Columns:
        """Return the columns before the process, in a basis not smaller than `least`."""
        small = self.basis
        columns = Columns(small, exponents.start(self.density))
        if least is None:
            return columns
        basis = small.joined(least)
        return Columns(basis, small.embed_columns(columns.values, basis))

    def run(
        self,
        exponents: Exponents,
        tolerance: float,
        *,
        tail: float | None = None,
        l_max: int | None = None,
        least: Basis | None = None,
    ) -> Columns:
        """Propagate columns through the whole process.

        Parameters
        ----------
        exponents : Exponents
        tolerance : float
            Of the columns' accumulated error of finite steps.
        tail : float, optional
            Of the columns' truncation, by default the same.
        l_max : int, optional
            Fixed truncation.
        least : Basis, optional
            A basis known to be needed: starting with it saves growing to it.
        """
        if l_max is not None:
            if l_max < self.basis.l_max:
                raise ResolutionError(
                    f"l_max={l_max} does not resolve the initial density, which needs"
                    f" {self.basis.l_max}"
                )
            least = Basis(l_max, 0)
        start = self.columns(exponents, least)
        pieces, limits = self.schedule.pieces, Limits(tolerance, tail or tolerance, l_max)
        return propagate(start, pieces, exponents, limits, self.protocol.duration)

    def measured(
        self, exponents: Exponents, tolerance: float, l_max: int | None = None
    ) -> tuple[NDArray[Any], Floats, Columns]:
        """Integrals of the columns with a measured error.

        The error is the difference from a run with a hundred times larger tolerance of the
        columns; it is that of the coarser run. The tolerance is lowered until the error is below
        `tolerance` times the norm of the column, or cannot be.

        Returns
        -------
        integrals, errors : ndarray, shape (n,)
        columns : Columns
            Of the finer run.
        """
        level = max(np.sqrt(tolerance) * SHARPER, 10.0 * FINEST)
        coarse = self.run(exponents, level, l_max=l_max)
        while True:
            level = max(level * SHARPER, FINEST)
            fine = self.run(exponents, level, l_max=l_max)
            size = np.sqrt(4.0 * np.pi) * np.linalg.norm(fine.values, axis=0)
            rounding = 1e-15 * np.sqrt(fine.steps + 1.0) * size
            error = np.abs(fine.integrals - coarse.integrals) + rounding
            scale = np.maximum(size, size[exponents.leaders])
            if level <= FINEST or np.all(error <= tolerance * scale):
                return fine.integrals, error, fine
            coarse = fine


def _areas(series: Floats) -> Floats:
    """Integrals of the positive and of the negative part of a Chebyshev series on (-1, 1)."""
    trimmed = np.asarray(chebyshev.chebtrim(series, DUST * float(np.max(np.abs(series)))))
    roots = np.atleast_1d(chebyshev.chebroots(trimmed))
    inside = np.sort(roots.real[(np.abs(roots.imag) < 1e-6) & (np.abs(roots.real) < 1.0)])
    edges = np.concatenate([[-1.0], inside, [1.0]])
    areas = np.diff(chebyshev.chebval(edges, chebyshev.chebint(trimmed)))
    return np.array([np.sum(areas[areas > 0.0]), -np.sum(areas[areas < 0.0])])


def process(magnet: Magnet, protocol: Protocol, initial: Initial, tail: float) -> Process:
    """Prepare a process.

    Parameters
    ----------
    magnet, protocol
    initial
        As `initial.initial_density` takes it.
    tail : float
        Relative size of the initial density's coefficients that may be left out.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused; the temperature must be above zero.
    """
    check(magnet, protocol)
    plan = schedule(magnet, protocol)
    if plan.landscape is not None:  # the work grows fast with the degree
        tail = max(tail, LANDSCAPE_TAIL)
    basis, density = initial_density(magnet, protocol, plan, initial, tail)
    return Process(magnet, protocol, plan, basis, density)


def check(magnet: Magnet, protocol: Protocol) -> None:
    """Raise TypeError or ValueError unless magnet and protocol are such, at T > 0."""
    from spintherm.magnet import Magnet as MagnetClass
    from spintherm.protocol import Protocol as ProtocolClass

    if not isinstance(magnet, MagnetClass):
        raise TypeError(validation.complaint("magnet", magnet, "a Magnet"))
    if not isinstance(protocol, ProtocolClass):
        raise TypeError(validation.complaint("protocol", protocol, "a Protocol"))
    if not magnet.temperature > 0.0:
        expected = "above zero: at T = 0 there is no smooth density, nor beta"
        raise ValueError(validation.complaint("magnet.temperature", magnet.temperature, expected))
