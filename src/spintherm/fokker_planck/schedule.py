r"""The schedule: a protocol cut into smooth drives and sudden kicks, as polynomials in time.

Between jumps and kinks the field and the torque are interpolated by Chebyshev polynomials, of
first degree where they are straight; intervals are halved until the interpolation is exact to
rounding; the generator needs dH/dt, which the polynomials give. With the generator M of
`generator.coefficients`, a drive propagates the columns of `exponents` by

.. math:: \dot X = M(k, t)^T X .

A jump of H by :math:`\Delta H` at fixed m does the work :math:`-m\cdot\Delta H` ([I] 3.3a) and
leaves the density: each column is multiplied by :math:`e^{-k_W\beta m\cdot\Delta H}`. This is the
limit of an infinitely fast ramp, in which only the term :math:`-k_W\beta\,m\cdot\dot H` of the
generator is left, and is integrated as such: a kick is a drive of unit duration with the generator
:math:`k\,u\cdot n`. The factors :math:`e^{k_0\beta E_0}` and :math:`e^{k_\tau\beta E_\tau}` are
kicks too. A jump of P does nothing, except that the field of a field-like torque jumps with it.

Fields and torques here are those of the reduced magnet (`landscape.reduced`), which with its
landscape is turned to the frame.

Units: those of the protocol; the parameter of a kick has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.polynomial import chebyshev

from spintherm import validation
from spintherm.fokker_planck.exponents import Exponents, points
from spintherm.fokker_planck.generator import (
    LINEAR,
    Coefficients,
    active_operators,
    adjoint,
    coefficients,
    counting_derivatives,
    length_of,
    operator_stack,
)
from spintherm.fokker_planck.harmonics import Basis, Floats
from spintherm.fokker_planck.landscape import (
    Landscape,
    axis_of,
    fields_of,
    landscape_of,
    reduced,
)
from spintherm.fokker_planck.setting import ALIGNED
from spintherm.fokker_planck.slots import ENERGY

if TYPE_CHECKING:
    from spintherm.magnet import Magnet
    from spintherm.protocol import Protocol
    from spintherm.waveforms import Waveform

DEGREE = 16  # of the interpolation inside one interval
EXACT = 1e-13  # largest error of the interpolation, relative to the largest value
INTERVALS = 5_000  # halvings of intervals before a waveform counts as not smooth
DUST = 1e-15  # components below this, relative to the largest, are zero
PARALLEL = 1e-14  # sine of an angle that counts as zero
TINY = 1e-300
SMALL = Basis(6, 6)  # in which elements are counted to choose a frame


@dataclass(frozen=True)
class Drive:
    """A stretch of time in which field and torque are polynomials.

    Attributes
    ----------
    magnet : Magnet
        Reduced, in the frame.
    begin, end : float
        The interval on which the polynomials live.
    field, spin_torque : ndarray, shape (degree + 1, 3)
        Chebyshev coefficients of H and P on it.
    start, stop : float
        The part of the interval to go through.
    """

    magnet: Magnet
    begin: float
    end: float
    field: Floats
    spin_torque: Floats
    start: float
    stop: float

    @property
    def landscape(self) -> Landscape | None:
        """What the coefficients of `terms` refer to."""
        return landscape_of(self.magnet)

    def at(self, time: Any) -> tuple[Floats, Floats, Floats]:
        """Return H, P and dH/dt at times (n,), shape (n, 3) each."""
        x = (2.0 * np.asarray(time) - self.begin - self.end) / (self.end - self.begin)
        slope = chebyshev.chebder(self.field) * (2.0 / (self.end - self.begin))
        H, P, rate = (chebyshev.chebval(x, c).T for c in (self.field, self.spin_torque, slope))
        return H, P, rate

    def terms(self, exponents: Exponents, time: Any) -> Coefficients:
        """Forward generators of all terms of the columns' equation of motion.

        Parameters
        ----------
        exponents : Exponents
        time : ndarray, shape (n,)

        Returns
        -------
        ndarray, shape (n, 1 + len(exponents.multipliers), 17 or `slots.LENGTH`)
            The generator at the base, its derivative along each direction, and half its
            second derivative in the exponent of the work.
        """
        return adjoint(_expanded(self.magnet, *self.at(time), exponents))


@dataclass(frozen=True)
class Kick:
    """A multiplication of the columns by e^(k (u·n + a E_a)), k the exponent of one channel.

    Attributes
    ----------
    channel : int
        Place in `exponents.CHANNELS`.
    vector : ndarray, shape (3,)
        u.
    magnet : Magnet
        Reduced, in the frame.
    anisotropy : float
        a.
    last : bool
        Whether nothing but an integration follows, for which a truncation does no harm.
    start, stop : float
        0 and 1: the range of the parameter.
    """

    channel: int
    vector: Floats
    magnet: Magnet
    anisotropy: float = 0.0
    last: bool = False
    start: float = 0.0
    stop: float = 1.0

    @property
    def landscape(self) -> Landscape | None:
        """What the coefficients of `terms` refer to."""
        return landscape_of(self.magnet)

    def terms(self, exponents: Exponents, time: Any) -> Coefficients:
        """Generators of all terms, see `Drive.terms`; the parameter does not matter."""
        count = 1 + len(exponents.multipliers)
        out = np.zeros((len(time), count, length_of(self.magnet)))
        out[:, 0, LINEAR] = exponents.base[self.channel] * self.vector
        for j, direction in enumerate(exponents.directions):
            out[:, 1 + j, LINEAR] = direction[self.channel] * self.vector
        if self.anisotropy != 0.0:
            out[:, 0, ENERGY] = exponents.base[self.channel] * self.anisotropy
            out[:, 1 : 1 + len(exponents.directions), ENERGY] = (
                exponents.directions[:, self.channel] * self.anisotropy
            )
        return out

    def acts(self, exponents: Exponents) -> bool:
        """Whether the channel is counted at all."""
        used = exponents.base[self.channel], *exponents.directions[:, self.channel]
        here = np.any(self.vector != 0.0) or self.anisotropy != 0.0
        return bool(np.any(np.array(used) != 0.0) and here)


Piece: TypeAlias = Drive | Kick


def _expanded(
    magnet: Magnet, H: Floats, P: Floats, rate: Floats, exponents: Exponents
) -> Coefficients:
    """Backward generators (n, terms, 17): at the base, derivatives, half the second derivative."""
    k_W, k_S = exponents.base[:2]
    first, pumped, second = counting_derivatives(magnet, H, P)
    first[..., LINEAR] -= magnet.beta * magnet.moment * rate
    here = coefficients(magnet, H, P) + k_W * first + (0.5 * k_W**2) * second + k_S * pumped
    work = first + k_W * second
    terms = [here, *(d[0] * work + d[1] * pumped for d in exponents.directions)]
    return np.stack([*terms, 0.5 * second] if exponents.counts_work else terms, axis=-2)


@dataclass(frozen=True)
class Schedule:
    """A protocol in pieces, in the frame in which its generator has the fewest elements.

    Attributes
    ----------
    frame : ndarray, shape (3, 3)
        Rows are the axes of the harmonics in the user's frame.
    pieces : tuple of Piece
        In the order in which they happen.
    initial_field, final_field : ndarray, shape (3,)
        H before and after everything, in the frame.
    axial : bool
        All fields and torques, and the landscape's axes, lie on the frame's third axis.
    magnet : Magnet
        Reduced, in the frame.
    """

    frame: Floats
    pieces: tuple[Piece, ...]
    initial_field: Floats
    final_field: Floats
    axial: bool
    magnet: Magnet

    @property
    def landscape(self) -> Landscape | None:
        """Anisotropy and angular dependence of the torque in the frame; None if uniform."""
        return landscape_of(self.magnet)

    def cut(self, times: Iterable[float]) -> Iterator[Piece | float]:
        """Yield the pieces in order, drives cut at the given times, and the times themselves.

        A time comes before the kick at that time, but the last one after everything.
        """
        waiting = sorted(map(float, times))
        drives = [p for p in self.pieces if isinstance(p, Drive)]
        begin, last = drives[0].start, drives[-1].stop
        while waiting and waiting[0] <= begin:
            yield waiting.pop(0)
        for piece in self.pieces:
            if not isinstance(piece, Drive):
                yield piece
                continue
            start = piece.start
            while waiting and waiting[0] <= piece.stop and waiting[0] < last:
                if waiting[0] > start:
                    yield replace(piece, start=start, stop=waiting[0])
                start = waiting.pop(0)
                yield start
            if start < piece.stop:
                yield replace(piece, start=start)
        yield from waiting


def schedule(magnet: Magnet, protocol: Protocol) -> Schedule:
    """Cut a protocol into drives and kicks, in a frame that suits the harmonics.

    Raises
    ------
    ValueError
        If a waveform is not smooth between the jumps and kinks that it declares.
    """
    drives = list(_drives(magnet, protocol))
    before, after = protocol.initial_field, protocol.final_field
    if not magnet.is_uniform:
        before = fields_of(magnet, before, protocol.initial_spin_torque)[0]
        after = fields_of(magnet, after, protocol.final_spin_torque)[0]
        drives = _reduced(magnet, drives)
        magnet = reduced(magnet)
    fields = np.vstack([before, after, *(d.field for d in drives)])
    torques = np.vstack([d.spin_torque for d in drives])
    frame, axial = best_frame(magnet, fields, torques)
    magnet = magnet.rotated(frame)
    turned = [
        replace(
            d,
            magnet=magnet,
            field=_turned(d.field, frame, axial, fields),
            spin_torque=_turned(d.spin_torque, frame, axial, torques),
        )
        for d in drives
    ]
    before, after = (_turned(v, frame, axial, fields) for v in (before, after))
    pieces = tuple(_kicked(magnet, turned, before, after))
    return Schedule(frame, pieces, before, after, axial, magnet)


def _reduced(magnet: Magnet, drives: list[Drive]) -> list[Drive]:
    """Drives of the reduced magnet.

    Raises
    ------
    ValueError
        If the magnet has polarisers to which the torque is not parallel.
    """
    if not magnet.polarisers:
        return drives
    p = magnet.polarisers[0].vector
    largest = max(float(np.max(np.abs(d.spin_torque))) for d in drives)
    out = []
    for d in drives:
        along = np.outer(d.spin_torque @ p, p)
        if np.max(np.abs(d.spin_torque - along)) > ALIGNED * 100.0 * largest:
            magnet.torque_amplitude(chebyshev.chebval(np.linspace(-1.0, 1.0, 33), d.spin_torque).T)
        # coefficients are a linear image of the waveform, and so are the field and the torque
        field, torque = fields_of(magnet, _padded(d.field, along), _padded(along, d.field))
        out.append(replace(d, magnet=reduced(magnet), field=field, spin_torque=torque))
    return out


def _padded(series: Floats, other: Floats) -> Floats:
    """Chebyshev coefficients with as many rows as the longer of two series."""
    return np.pad(series, ((0, max(0, len(other) - len(series))), (0, 0)))


def _turned(vectors: Floats, frame: Floats, axial: bool, like: Floats) -> Floats:
    """Vectors in the frame, with exact zeros for components of the size of rounding."""
    out = vectors @ frame.T
    out[np.abs(out) <= DUST * np.max(np.abs(like))] = 0.0
    if axial:
        out[..., :2] = 0.0
    return np.asarray(out)


def _kicked(
    magnet: Magnet, drives: Iterable[Drive], before: Floats, after: Floats
) -> Iterator[Piece]:
    """Yield the drives with the kicks of jumps between them, and those of the energies."""
    pull = -magnet.beta * magnet.moment
    barrier = 0.0 if magnet.anisotropy is None else magnet.beta
    yield Kick(2, pull * before, magnet, barrier)
    owed = -before  # what H has changed without work having been done for it
    for drive in drives:
        begin, end = drive.at(np.array([drive.start, drive.stop]))[0]
        owed = owed + begin
        if np.max(np.abs(owed)) > 1e-12 * np.max(np.abs(begin)):  # else it is rounding, and waits
            yield Kick(0, pull * owed, magnet)
            owed = np.zeros(3)
        yield drive
        owed = owed - end
    yield Kick(0, pull * (owed + after), magnet, last=True)
    yield Kick(3, pull * after, magnet, barrier, last=True)


def _drives(magnet: Magnet, protocol: Protocol) -> Iterator[Drive]:
    """Yield intervals on which both waveforms are polynomials, from 0 to the end."""
    waveforms = protocol.field, protocol.spin_torque
    breaks = np.unique([0.0, *protocol.jumps, *protocol.kinks, protocol.duration])
    scales = [_scale(w, breaks) for w in waveforms]
    waiting = list(pairwise(breaks.tolist()))[::-1]
    budget = len(waiting) + INTERVALS
    while waiting:
        begin, end = waiting.pop()
        fits = [interpolated(w, begin, end, s) for w, s in zip(waveforms, scales, strict=True)]
        if fits[0] is not None and fits[1] is not None:
            yield Drive(magnet, begin, end, fits[0], fits[1], begin, end)
            continue
        middle, budget = 0.5 * (begin + end), budget - 1
        if budget < 0 or not begin < middle < end:
            expected = (
                "waveforms that are smooth between the jumps and kinks that they declare, but"
                f" there is a jump or noise near t = {begin:.12g}"
            )
            raise ValueError(validation.complaint("protocol", protocol, expected))
        waiting += [(middle, end), (begin, middle)]


def _scale(waveform: Waveform, breaks: Floats) -> float:
    grid = np.union1d(breaks, np.linspace(breaks[0], breaks[-1], 257))
    return float(max(np.max(np.abs(waveform(grid))), np.max(np.abs(waveform.before(grid)))))


def interpolated(waveform: Waveform, begin: float, end: float, scale: float) -> Floats | None:
    """Return Chebyshev coefficients of the lowest sufficient degree, or None if none suffices.

    The nodes lie inside the interval, so that jumps at its ends do no harm.
    """
    x = chebyshev.chebpts1(DEGREE + 1)
    values = waveform(begin + 0.5 * (end - begin) * (x + 1.0))
    series = chebyshev.chebvander(x, DEGREE).T @ values * (2.0 / len(x))
    series[0] *= 0.5
    ends = np.stack([waveform(begin), waveform.before(end)])
    limit = EXACT * scale
    for degree in (0, 1, 2, 4, DEGREE - 3):
        short = series[: degree + 1]
        missed = np.abs(chebyshev.chebval(np.array([-1.0, 1.0]), short).T - ends)
        if np.all(np.abs(series[degree + 1 :]) <= limit) and np.all(missed <= 8.0 * limit):
            return np.asarray(short)
    return None


def best_frame(magnet: Magnet, fields: Floats, torques: Floats) -> tuple[Floats, bool]:
    """Return the frame in which the generator has the fewest elements, and whether it is axial.

    Candidates for the third axis are the main directions of the fields, of the torques and of
    both; the rest of the vectors is turned into the plane of the first and third axis.
    """
    if not magnet.is_uniform:
        return _landscape_frame(magnet, np.vstack([fields, torques]))
    unit_fields, unit_torques = (v / max(float(np.max(np.abs(v))), TINY) for v in (fields, torques))
    both = np.vstack([unit_fields, unit_torques])
    frames = [_frame(_main(v), both) for v in (unit_torques, unit_fields, both)]
    across = np.abs(both @ frames[2][:2].T)
    if np.max(across) <= PARALLEL:
        return frames[2], True
    counted = points(np.ones(1), 2.0 * np.ones(1))

    def elements(frame: Floats) -> int:
        # any mixture of the vectors has a component wherever one of them has
        H, P = (_mixture(_turned(v, frame, False, v)) for v in (fields, torques))
        terms = adjoint(_expanded(magnet, H, P, H, counted))
        return sum(operator_stack(SMALL, active_operators(t)).indices.size for t in terms)

    return min(frames, key=elements), False


def _landscape_frame(magnet: Magnet, vectors: Floats) -> tuple[Floats, bool]:
    """Return the frame along the common axis, or else along that of the landscape."""
    large = vectors[np.linalg.norm(vectors, axis=1) > 1e2 * DUST * np.max(np.abs(vectors))]
    axis = axis_of(magnet, large, ALIGNED)
    axial = axis is not None
    others = np.vstack([*(p.vector for p in magnet.polarisers), vectors])
    if axis is None and magnet.anisotropy is not None:
        axis = magnet.anisotropy.axis
    if axis is None:
        axis = _main(others)
    scale = np.linalg.norm(others, axis=1, keepdims=True)
    return _frame(axis, others / np.where(scale > 0.0, scale, 1.0)), axial


def _mixture(vectors: Floats) -> Floats:
    weights = 1.0 + np.modf(np.arange(len(vectors)) * 0.6180339887)[0]
    return np.asarray(weights @ np.abs(vectors))


def _main(vectors: Floats) -> Floats:
    """Main direction of vectors (n, 3), a unit vector."""
    return np.asarray(np.linalg.svd(vectors)[2][0])


def _frame(axis: Floats, vectors: Floats) -> Floats:
    """Rotation with the third row `axis` and the rest of the vectors mostly along the first."""
    across = vectors - np.outer(vectors @ axis, axis)
    x = _main(across) if np.max(np.abs(across)) > PARALLEL else np.eye(3)[np.argmin(np.abs(axis))]
    x = x - axis * (axis @ x)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(axis, x), axis])
