"""The table: a protocol cut into steps, as arrays. It is the one door into both engines.

Step k runs from times[k] to times[k+1]. Jumps are step boundaries, so that inside a step the
waveforms are continuous: *_start[k] is the limit from the right at times[k], *_end[k] the limit
from the left at times[k+1]. A jump of H at fixed m does work -m·ΔH ([I] 3.3a), a jump of P none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.validation import FloatArray
from spintherm.waveforms import distinct, same_instant

_TIE = 1e-9
"""Remainders closer than this count as equal."""


@dataclass(frozen=True, eq=False)
class Tabulation:
    """A protocol in N steps; all arrays are read-only.

    Parameters
    ----------
    times : ndarray, shape (N + 1,)
        Step boundaries from 0 to τ.
    durations : ndarray, shape (N,)
        Lengths of the steps.
    field_start, field_middle, field_end : ndarray, shape (N, 3)
        H at the beginning, in the middle and at the end of each step.
    spin_torque_start, spin_torque_middle, spin_torque_end : ndarray, shape (N, 3)
        P likewise.
    initial_field, final_field : ndarray, shape (3,)
        H(0⁻) and H(τ⁺).
    """

    times: FloatArray
    durations: FloatArray
    field_start: FloatArray
    field_middle: FloatArray
    field_end: FloatArray
    spin_torque_start: FloatArray
    spin_torque_middle: FloatArray
    spin_torque_end: FloatArray
    initial_field: FloatArray
    final_field: FloatArray

    def __post_init__(self) -> None:
        for item in fields(self):
            getattr(self, item.name).flags.writeable = False

    @property
    def steps(self) -> int:
        """Number of steps N."""
        return self.durations.size

    @property
    def field_jumps(self) -> FloatArray:
        """Jumps of H, shape (N + 1, 3): at the beginning of step k, and the last one at τ."""
        before = np.vstack((self.initial_field, self.field_end))
        return np.asarray(np.vstack((self.field_start, self.final_field)) - before)

    def boundaries(self, at: ArrayLike) -> NDArray[np.intp]:
        """Return the places in `times` of times that were asked to be step boundaries.

        Parameters
        ----------
        at : array_like, shape (...)
            Times from 0 to τ.

        Returns
        -------
        ndarray of int, shape (...)
            Place of the nearest step boundary.
        """
        wanted = _times_inside("at", at, float(self.times[-1]))
        after = np.clip(np.searchsorted(self.times, wanted), 1, self.steps)
        low, high = self.times[after - 1], self.times[after]
        return np.asarray(np.where(wanted - low < high - wanted, after - 1, after))


def tabulate(protocol: Protocol, steps: int, *, at: ArrayLike | None = None) -> Tabulation:
    """Cut a protocol into steps.

    Jumps and the times `at` are step boundaries; kinks too, unless they number more than half
    the steps. The steps are shared among the segments between these in proportion to
    their lengths (largest remainder, at least one each) and are equal inside a segment.

    Parameters
    ----------
    protocol : Protocol
        What to cut.
    steps : int
        Number of steps; there will be more if there are more segments.
    at : array_like, shape (n,), optional
        Times from 0 to τ that must be step boundaries, in any order.

    Returns
    -------
    Tabulation
        The table.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    """
    if not isinstance(protocol, Protocol):
        raise TypeError(validation.complaint("protocol", protocol, "a Protocol"))
    wanted = validation.positive_integer("steps", steps)
    saved = () if at is None else _times_inside("at", at, protocol.duration).ravel().tolist()
    times = _boundaries(_breaks(protocol, wanted, saved), wanted)
    durations = np.diff(times)
    middle = times[:-1] + 0.5 * durations
    H, P = protocol.field, protocol.spin_torque
    return Tabulation(
        times=times,
        durations=durations,
        field_start=H(times[:-1]),
        field_middle=H(middle),
        field_end=H.before(times[1:]),
        spin_torque_start=P(times[:-1]),
        spin_torque_middle=P(middle),
        spin_torque_end=P.before(times[1:]),
        initial_field=protocol.initial_field,
        final_field=protocol.final_field,
    )


def with_field_of_current(magnet: Magnet, protocol: Protocol, tabulation: Tabulation) -> Tabulation:
    """Return a table whose fields hold the field-like torque too, H + H_FL(P).

    H_FL is part of the energy (`Magnet.field_of_current`), and its jumps do work like those of H.

    Parameters
    ----------
    magnet, protocol : Magnet, Protocol
        Whose polarisers and whose torque before the beginning and after the end.
    tabulation : Tabulation
        The protocol in steps.

    Returns
    -------
    Tabulation
        The same object if the magnet has no field-like torque.
    """
    if not any(item.field_like for item in magnet.polarisers):
        return tabulation
    first, last = fields_at_ends(magnet, protocol)
    P = tabulation.spin_torque_start, tabulation.spin_torque_middle, tabulation.spin_torque_end
    start, middle, end = (magnet.field_of_current(place) for place in P)
    return replace(
        tabulation,
        field_start=tabulation.field_start + start,
        field_middle=tabulation.field_middle + middle,
        field_end=tabulation.field_end + end,
        initial_field=first,
        final_field=last,
    )


def fields_at_ends(magnet: Magnet, protocol: Protocol) -> tuple[FloatArray, FloatArray]:
    """Return H + H_FL before the beginning and after the end, shape (3,) each.

    Equilibrium and free energies are those at these fields.

    Parameters
    ----------
    magnet, protocol : Magnet, Protocol
        The magnet and what is done to it.

    Returns
    -------
    tuple of ndarray
        H(0⁻) + H_FL(P(0⁻)) and H(τ⁺) + H_FL(P(τ⁺)).
    """
    first, last = protocol.initial_field, protocol.final_field
    if not any(item.field_like for item in magnet.polarisers):
        return first, last
    # those within are there for the scale: a torque that ends at zero may end in rounding
    within = protocol.spin_torque(np.linspace(0.0, protocol.duration, 17))
    ends = (protocol.initial_spin_torque, protocol.final_spin_torque)
    current = magnet.field_of_current(np.vstack((*ends, within)))
    return first + current[0], last + current[1]


def fastest_rate(magnet: Magnet, protocol: Protocol) -> float:
    """Return the fastest rate that a time step must resolve.

    The largest of: the rate of rotation |r| and of relaxation |b| (`Magnet.rotation_vector`,
    `Magnet.relaxation_vector`) anywhere in the protocol, on a grid of 1025 times and on both sides
    of all jumps and kinks; the thermal rate 2ηT, at which the mean moment decays without field;
    and the rates at which H and P vary between their jumps (`Waveform.rate`: largest slope over
    half the range, 2πf for a sine however small), because a step must follow the driving even
    where the moment does not. Jumps have no rate: they are step boundaries. With anisotropy or
    polarisers |r| and |b| are bounded by sums: |H + H_FL| plus E_a's largest slope or curvature
    over |m|, and |P₀| times the largest |g| + |sin θ g'| of each polariser.

    Parameters
    ----------
    magnet : Magnet
        The magnet.
    protocol : Protocol
        The protocol.

    Returns
    -------
    float
        A rate, zero only if nothing ever happens.
    """
    tau = protocol.duration
    grid = np.union1d(np.linspace(0.0, tau, 1025), (*protocol.jumps, *protocol.kinks))
    H = np.vstack((protocol.field(grid), protocol.field.before(grid)))
    P = np.vstack((protocol.spin_torque(grid), protocol.spin_torque.before(grid)))
    return max(
        _turning(magnet, H, P),
        2.0 * magnet.damping * magnet.temperature,
        protocol.field.rate(tau),
        protocol.spin_torque.rate(tau),
    )


def _turning(magnet: Magnet, H: FloatArray, P: FloatArray) -> float:
    """Return the largest of |r| and |b| over fields and torques (N, 3), or a bound of it."""
    if magnet.is_uniform:
        moving = (magnet.rotation_vector(H, P), magnet.relaxation_vector(H, P))
        return max(float(np.linalg.norm(vectors, axis=-1).max()) for vectors in moving)
    moment, damping = magnet.moment, magnet.damping
    rate = abs(magnet.gyromagnetic_ratio)
    field = np.linalg.norm(H + magnet.field_of_current(P), axis=-1)
    if magnet.anisotropy is not None:
        field = field + magnet.anisotropy.stiffness / moment
    torque = np.linalg.norm(P, axis=-1)
    if magnet.polarisers:
        shares = (abs(item.strength) * item.efficiency.largest for item in magnet.polarisers)
        torque = torque * sum(shares)
    r = rate * field + damping * moment**2 * torque
    b = moment * (damping * field + rate * torque)
    return float(max(r.max(), b.max()))


def _times_inside(name: str, value: ArrayLike, tau: float) -> FloatArray:
    expected = f"times from 0 to {tau}"
    times = validation.real_array(name, value, expected)
    if np.any(times < 0.0) or np.any(times > tau):
        raise ValueError(validation.complaint(name, value, expected))
    return times


def _breaks(protocol: Protocol, steps: int, at: list[float] | tuple[()]) -> FloatArray:
    """Return the ends of the segments, from 0 to τ."""
    tau, kinks = protocol.duration, protocol.kinks
    followed = kinks if len(kinks) <= steps // 2 else ()
    inner = distinct((*protocol.jumps, *at, *followed))
    inside = [t for t in inner if 0.0 < t < tau and not same_instant(t, tau)]
    return np.array([0.0, *inside, tau])


def _boundaries(breaks: FloatArray, steps: int) -> FloatArray:
    """Return the step boundaries, equally spaced inside each segment."""
    pieces = [
        np.linspace(start, stop, count, endpoint=False)
        for start, stop, count in zip(
            breaks[:-1], breaks[1:], _shares(np.diff(breaks), steps), strict=True
        )
    ]
    return np.append(np.concatenate(pieces), breaks[-1])


def _shares(lengths: FloatArray, steps: int) -> NDArray[np.int64]:
    """Return how many steps each segment gets.

    Equal remainders are decided by length, so that the reversed protocol decides alike.
    """
    share = lengths / lengths.sum()
    quota = share * steps
    counts: NDArray[np.int64] = np.maximum(np.floor(quota + _TIE).astype(np.int64), 1)
    while counts.sum() < steps:
        counts[np.argmax(_rank(quota - counts, share))] += 1
    while counts.sum() > max(steps, counts.size):
        counts[np.argmin(np.where(counts > 1, _rank(quota - counts, share), np.inf))] -= 1
    return counts


def _rank(remainder: FloatArray, share: FloatArray) -> FloatArray:
    return np.asarray(np.round(remainder / _TIE) + 0.5 * share)
