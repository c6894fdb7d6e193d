r"""Erasure: what it costs to write a bit that may have been anything, and the least it can cost.

A magnet in equilibrium, in both of its wells if nothing is known about the bit, is driven into one
of them by a rectangular pulse of field and spin torque. Mean work and pumped entropy are integrals
along the density of c = n·a, whose Legendre means q obey q' = Gᵀq (`cosine`, `averages`), or of
the direction n, whose means of spherical harmonics obey the same equation on the sphere:

.. math:: \langle W\rangle = -m\,\Delta H\,[\langle c\rangle_0 - \langle c\rangle_\tau]
   + \int_0^\tau \langle v\cdot(m\times P)\rangle dt, \qquad
   \langle S_P\rangle = \int_0^\tau \langle \dot S_P\rangle dt, \qquad
   \langle Q\rangle = \Delta\langle E\rangle - \langle W\rangle .

With S the entropy of the density the second law with pumped entropy, [I] 3.11, is

.. math:: \Sigma = \Delta S - \beta\langle Q\rangle + \langle S_P\rangle \ge 0 .

After the pulse the magnet comes to equilibrium within its wells, without work. Then ΔS is the
change of the bit's Shannon entropy plus that of the entropies within the wells, and
-β⟨Q⟩ + ⟨S_P⟩ >= -ΔS is Landauer's bound (IBM J. Res. Dev. 5, 183 (1961)): ln 2 for a symmetric bit
without error. The heat alone may stay below it, even be absorbed: the spin current can carry
the entropy away.

Units: those of the magnet; entropies in k_B (ln 2 is one bit).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck.faber import Exponential
from spintherm.fokker_planck.generator import ResolutionError, integrals
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.wells import BitState
from spintherm.magnet import Magnet
from spintherm.switching import bit, sphere
from spintherm.switching.averages import CosineAverages
from spintherm.switching.cosine import CosineEquation, propagators
from spintherm.switching.writing import remaining
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

_FIRST_SIZE = 40
_LARGEST_SIZE = 1000
_NEGLIGIBLE = 1e-30
"""Probability below which relative accuracy is not asked for."""

_OUTPUTS = {
    "work": ("energy", "mean work"),
    "heat": ("energy", "mean heat absorbed until the end of the pulse"),
    "pumped_entropy": ("k_B", "mean pumped entropy"),
    "energy_change": ("energy", "change of the mean energy until the end of the pulse"),
    "entropy_change": ("k_B", "change of the magnet's entropy until the end of the pulse"),
    "entropy_production": ("k_B", "entropy production until the end of the pulse"),
    "settled_heat": ("energy", "mean heat absorbed until the wells have settled"),
    "settled_entropy_change": ("k_B", "change of the magnet's entropy until the wells settle"),
    "settled_entropy_production": ("k_B", "entropy production until the wells have settled"),
    "landauer_bound": ("k_B", "least value of -beta Q + S_P until the wells have settled"),
    "write_error_rate": ("1", "probability of the unwanted well at the end of the pulse"),
    "bit_entropy": ("k_B", "Shannon entropy of the bit after the pulse"),
    "initial_bit_entropy": ("k_B", "Shannon entropy of the bit before the pulse"),
}


def write_cost(
    magnet: Magnet,
    pulse_lengths: ArrayLike,
    *,
    spin_torque: ArrayLike = (0.0, 0.0, 0.0),
    field: ArrayLike = (0.0, 0.0, 0.0),
    resting_field: ArrayLike = (0.0, 0.0, 0.0),
    target: str = "parallel",
    initial: str = "equilibrium",
    axis: ArrayLike | None = None,
    tolerance: float = 1e-7,
) -> xr.Dataset:
    """Return work, heat and entropies of writing a bit with a rectangular pulse.

    Parameters
    ----------
    magnet : Magnet
        Any, with damping and temperature above zero. Without a common axis of anisotropy,
        polarisers, fields and torque spherical harmonics take the place of polynomials.
    pulse_lengths : array_like, shape (L,)
        Increasing, above zero.
    spin_torque : array_like, shape (3,) or (C, 3)
        P during the pulse; more than one gives a dimension ``current``.
    field : array_like, shape (3,)
        H during the pulse.
    resting_field : array_like, shape (3,)
        H before and after it.
    target : str
        The wanted well: "parallel" for n·a > 0, "antiparallel" for n·a < 0.
    initial : str
        "equilibrium" in both wells for a bit that may be anything; "parallel" or "antiparallel"
        for equilibrium within one well.
    axis : array_like, shape (3,), optional
        a, see `write_error_rate`.
    tolerance : float
        Largest change of means and entropies with the number of polynomials, relative to one plus
        their size; a thousand times that, relative, of write-error rates above 1e-30.

    Returns
    -------
    xarray.Dataset
        Along (current, pulse_length): ``work``, ``heat`` (absorbed), ``pumped_entropy``,
        ``energy_change``, ``entropy_change``, ``entropy_production`` until the end of the pulse;
        ``settled_heat``, ``settled_entropy_change``, ``settled_entropy_production`` until the
        magnet has come to equilibrium within its wells; ``landauer_bound``, that of
        -β settled_heat + pumped_entropy; ``write_error_rate``, ``bit_entropy``,
        ``initial_bit_entropy``; ``error``, the change with the number of polynomials.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If 1000 polynomials, or 25 000 harmonics, do not suffice.
    """
    import xarray as xr

    lengths, torques = bit.pulse_lengths(pulse_lengths), bit.spin_torques(spin_torque)
    H, rest = validation.vector("field", field), validation.vector("resting_field", resting_field)
    towards = bit.sign_of_well("target", target)
    known = ("equilibrium", "parallel", "antiparallel")
    if initial not in known:
        raise ValueError(validation.complaint("initial", initial, f"one of {', '.join(known)}"))
    limit = validation.finite_scalar("tolerance", tolerance, positive=True)
    a = bit.axis_of(magnet, axis, H, rest, *np.atleast_2d(torques))
    whole = bit.along(magnet, a)
    rows = []
    for torque in np.atleast_2d(torques):
        if not bit.has_common_axis(whole, a, H, rest, torque):
            side = None if initial == "equilibrium" else bit.sign_of_well("initial", initial)
            pulsed = BitState(magnet, a, H, torque, sphere.pole_of(magnet, a))
            resting_bit = BitState(magnet, a, rest)
            rows.append(
                _settled_on_sphere(_SphereWrite(pulsed, resting_bit, lengths, towards, side), limit)
            )
            continue
        pulse, resting = AxialMagnet(whole, H, torque), AxialMagnet(whole, rest)
        turn = float(np.sign(a @ pulse.axis))
        wells: tuple[tuple[float, float], ...] = (bit.UPPER, bit.LOWER)
        if initial != "equilibrium":
            wells = (bit.well(turn * bit.sign_of_well("initial", initial)),)
        rows.append(_settled(_Write(pulse, resting, lengths, turn * towards, wells), limit))
    many = torques.ndim == 2
    dims: tuple[str, ...] = ("current", "pulse_length")[0 if many else 1 :]
    data: dict[str, Any] = {}
    for name, (unit, meaning) in (_OUTPUTS | {"error": ("1", "numerical error")}).items():
        values = np.array([row[name] for row in rows])
        about = {"units": unit, "long_name": meaning}
        data[name] = (dims, values if many else values[0], about)
    coordinates: dict[str, Any] = {
        "pulse_length": (
            "pulse_length",
            lengths,
            {"units": "time", "long_name": "length of the pulse"},
        )
    }
    if many:
        name, values, about = bit.currents(magnet, torques, a)
        about["units"] = "energy per moment squared"
        coordinates[name] = (name, values, about)
    return xr.Dataset(data, coords=coordinates, attrs={"target": target, "initial": initial})


@dataclass(frozen=True)
class _Write:
    """A pulse, what is before and after it, and the wanted well."""

    pulse: AxialMagnet
    rest: AxialMagnet
    lengths: FloatArray
    wanted: float
    wells: tuple[tuple[float, float], ...]

    def outputs(self, size: int) -> dict[str, FloatArray]:
        """All outputs, shape (L,), with a number of polynomials."""
        magnet = self.pulse.magnet
        H0, H = (float(s.whole_field @ s.axis) for s in (self.rest, self.pulse))
        start = CosineEquation(self.rest, size).means(self.rest, *self._within)
        q, torque_work, pumped = self._followed(start, size)
        energy = CosineAverages(self.rest, size).energy
        work = -magnet.moment * (H - H0) * (start[1] - q[:, 1]) + torque_work
        change = (q - start) @ energy
        probability = self._probability(size)
        return self._books.outputs(work, pumped, change, _entropy(q), probability)

    @property
    def _within(self) -> tuple[float, float]:
        return min(w[0] for w in self.wells), max(w[1] for w in self.wells)

    def _followed(self, start: FloatArray, size: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Means of the polynomials after each length, and the torque's work and entropy so far."""
        averages = CosineAverages(self.pulse, size)
        matrix = np.zeros((size + 2, size + 2))
        matrix[:size, :size] = CosineEquation(self.pulse, size).generator.T
        matrix[size, :size] = averages.torque_power
        matrix[size + 1, :size] = averages.pumped_entropy_rate
        here, rows = np.append(start, (0.0, 0.0)), []
        for step, _ in propagators(matrix, self.lengths):
            here = step @ here
            rows.append(here)
        found = np.array(rows)
        return found[:, :size], found[:, size], found[:, size + 1]

    def _probability(self, size: int) -> FloatArray:
        """Probability of the unwanted well."""
        found = remaining(
            self.pulse, self.rest, self.lengths, -self.wanted, size, within=self._within
        )
        return np.clip(found, 0.0, 1.0)

    @cached_property
    def _books(self) -> _Books:
        halves = [_well(self.rest, bit.well(side)) for side in (self.wanted, -self.wanted)]
        found = [_well(self.rest, one) for one in self.wells]
        return _Books(self.lengths, self.pulse.magnet.beta, halves[0], halves[1], tuple(found))


@dataclass(frozen=True)
class _Well:
    """Probability, and energy and entropy of equilibrium within a well."""

    probability: float
    energy: float
    entropy: float


@dataclass(frozen=True)
class _Books:
    """What is booked at the end of a pulse, and when the wells have settled.

    Attributes
    ----------
    lengths : ndarray, shape (L,)
    beta : float
    right, wrong : _Well
        Equilibrium within the wanted and within the unwanted well at rest.
    filled : tuple of _Well
        The wells that are filled at first.
    """

    lengths: FloatArray
    beta: float
    right: _Well
    wrong: _Well
    filled: tuple[_Well, ...]

    def outputs(
        self,
        work: FloatArray,
        pumped: FloatArray,
        change: FloatArray,
        entropy_after: FloatArray,
        probability: FloatArray,
    ) -> dict[str, FloatArray]:
        """All outputs, shape (L,) each, from means, the entropy and the unwanted well's share."""
        entropy = entropy_after - self._start.entropy
        heat = change - work
        settled_energy, settled_entropy = self._after(probability)
        settled_heat = settled_energy - self._start.energy - work
        settled = settled_entropy - self._start.entropy
        before = sum(_mixing(one.probability) for one in self._initial)
        return {
            "work": work,
            "heat": heat,
            "pumped_entropy": pumped,
            "energy_change": change,
            "entropy_change": entropy,
            "entropy_production": entropy - self.beta * heat + pumped,
            "settled_heat": settled_heat,
            "settled_entropy_change": settled,
            "settled_entropy_production": settled - self.beta * settled_heat + pumped,
            "landauer_bound": -settled,
            "write_error_rate": probability,
            "bit_entropy": _mixing(probability) + _mixing(1.0 - probability),
            "initial_bit_entropy": np.full(self.lengths.shape, before),
        }

    @cached_property
    def _initial(self) -> tuple[_Well, ...]:
        """The wells that are filled at first, with their shares."""
        total = sum(one.probability for one in self.filled)
        return tuple(_Well(one.probability / total, one.energy, one.entropy) for one in self.filled)

    @cached_property
    def _start(self) -> _Well:
        """Both together."""
        energy = sum(one.probability * one.energy for one in self._initial)
        entropy = sum(
            one.probability * one.entropy + float(_mixing(one.probability)) for one in self._initial
        )
        return _Well(1.0, energy, entropy)

    def _after(self, unwanted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Energy and entropy when the wells have settled."""
        energy = self.right.energy + unwanted * (self.wrong.energy - self.right.energy)
        entropy = self.right.entropy + unwanted * (self.wrong.entropy - self.right.entropy)
        return energy, entropy + _mixing(unwanted) + _mixing(1.0 - unwanted)


@dataclass(frozen=True)
class _SphereWrite:
    """A pulse and what is before and after it, of a magnet without a common axis.

    `initial` is the sign of the well that is filled at first, None for both.
    """

    pulse: BitState
    rest: BitState
    lengths: FloatArray
    wanted: float
    initial: float | None

    def outputs(self, basis: Basis) -> tuple[dict[str, FloatArray], float, float]:
        """All outputs, shape (L,), and what the edges of the truncation contribute."""
        pulse, magnet = self.pulse, self.pulse.magnet
        kept = sphere.remaining(pulse, self.rest, self.lengths, -self.wanted, self.initial, basis)
        start = sphere.resting_means(pulse, self.rest, basis, self.initial)
        q, torque_work, pumped = self._followed(start, basis)
        jump = magnet.moment * (pulse.whole_field - self.rest.whole_field)
        n = (q - start) @ (integrals(basis)[1:].T @ pulse.frame)
        aligned = sphere.aligned(self.rest, pulse)
        change = (q - start) @ aligned.energy_row(basis)
        entropy = np.array([pulse.entropy(basis, row) for row in q])
        probability = np.clip(kept.values, 0.0, 1.0)
        books = self._books.outputs(n @ jump + torque_work, pumped, change, entropy, probability)
        return books, kept.of_degree, kept.of_order

    def _followed(
        self, start: FloatArray, basis: Basis
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Means of the harmonics after each length, the torque's work and entropy so far."""
        rows = self.pulse.rate_rows(basis)
        follow = Exponential(self.pulse.generator(basis).T.tocsr())
        q, now, found = start, 0.0, []
        sums = np.zeros(2)
        for length in self.lengths.tolist():
            count, step = follow.steps(length - now)
            for _ in range(count):
                q, stay = follow.with_integral(q, step)
                sums = sums + [row @ stay for row in rows]
            now = length
            found.append((q, *sums))
        parts = [np.array(part) for part in zip(*found, strict=True)]
        return parts[0], parts[1], parts[2]

    @cached_property
    def _books(self) -> _Books:
        wells = {side: self.rest.resting_well(side) for side in (1.0, -1.0)}
        top = max(weight for weight, _, _ in wells.values())
        total = sum(np.exp(weight - top) for weight, _, _ in wells.values())
        halves = {
            side: _Well(float(np.exp(weight - top) / total), energy, entropy)
            for side, (weight, energy, entropy) in wells.items()
        }
        filled = tuple(halves.values()) if self.initial is None else (halves[self.initial],)
        right, wrong = halves[self.wanted], halves[-self.wanted]
        return _Books(self.lengths, self.pulse.magnet.beta, right, wrong, filled)


def _well(rest: AxialMagnet, within: tuple[float, float]) -> _Well:
    c, weights = rest.nodes(*within)
    density = rest.density(c)
    probability = float(weights @ density)
    # ln p is -βE up to a constant, for nothing but energies acts at rest
    moments = rest.magnet.moment * rest.directions(c)
    share = weights * density / probability
    energy = float(share @ rest.magnet.energy(moments, np.array(rest.field)))
    solid = density / (2.0 * np.pi * probability)
    entropy = -float(share @ np.log(np.maximum(solid, np.finfo(float).tiny)))
    return _Well(probability, energy, entropy)


def _entropy(q: FloatArray) -> FloatArray:
    """Entropy of densities per solid angle, from the means of the polynomials, shape (L, size)."""
    size = q.shape[1]
    c, weights = legendre.leggauss(4 * size)
    p = (q * (np.arange(size) + 0.5)) @ legendre.legvander(c, size - 1).T
    positive = np.maximum(p, np.finfo(float).tiny)
    return np.asarray(-(positive * np.log(positive / (2.0 * np.pi))) @ weights)


def _mixing(probability: ArrayLike) -> FloatArray:
    """-p ln p, zero at p = 0."""
    p = np.clip(np.asarray(probability, dtype=np.float64), 0.0, 1.0)
    return np.asarray(-p * np.log(np.where(p > 0.0, p, 1.0)))


def _settled(write: _Write, tolerance: float) -> dict[str, FloatArray]:
    """Outputs with so many polynomials that more of them change nothing."""
    span = max(write.pulse.span, write.rest.span)
    size, previous = _FIRST_SIZE + int(4.0 * np.sqrt(span)), None
    while size <= _LARGEST_SIZE:
        found = write.outputs(size)
        if previous is not None:
            error = _difference(found, previous)
            if np.all(error <= tolerance):
                return found | {"error": error}
        previous, size = found, int(1.3 * size)
    raise ResolutionError(
        f"cost of a write: {_LARGEST_SIZE} polynomials do not settle to {tolerance:g}; expected "
        "longer pulses, a smaller barrier or a larger tolerance"
    )


def _difference(found: dict[str, FloatArray], previous: dict[str, FloatArray]) -> FloatArray:
    """Largest change of the outputs, shape (L,); a thousandth of the relative one of errors."""
    changes = [np.abs(found[name] - previous[name]) / (1.0 + np.abs(found[name])) for name in found]
    rate = "write_error_rate"
    change = np.abs(found[rate] - previous[rate])
    changes.append(1e-3 * change / (found[rate] + _NEGLIGIBLE))
    return np.asarray(np.max(changes, axis=0))


def _settled_on_sphere(write: _SphereWrite, tolerance: float) -> dict[str, FloatArray]:
    """Outputs in so many harmonics that more of them change nothing."""
    latest: list[FloatArray] = []

    def change(one: dict[str, FloatArray], other: dict[str, FloatArray]) -> float:
        latest.append(_difference(one, other))
        return float(latest[-1].max())

    first = sphere.first_basis(write.pulse, write.rest)
    found, _ = sphere.settled(write.outputs, change, first, tolerance, "cost of a write")
    return found | {"error": latest[-1]}
