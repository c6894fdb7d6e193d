"""Initial states: equilibrium at the starting field, a direction, an array, or a steady state.

Equilibrium at H is the von Mises-Fisher law p(n) ~ exp(beta m H.n), drawn by exact inversion; with
anisotropy exp(-beta E), drawn by rejection from `equilibrium.envelope`, exactly too. The
steady state of constant H and P is the law with exponent b.n/(eta T), b = eta m H + gamma0 m P,
where b is parallel to r = gamma0 H - eta m^2 P (in particular P parallel to H, [II] 14); elsewhere
that law is taken through a burn-in with the fields held fixed until e^-20 of the slowest transient
is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.equilibrium import envelope
from spintherm.kernels import ensemble, rejection
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import fastest_rate, fields_at_ends, tabulate
from spintherm.trajectories.engine import SCHEMES, Keys, Table, advance, generators, table

FloatArray = NDArray[np.float64]
Prepare = Callable[[Keys, slice, FloatArray], None]

EXPECTED = "'equilibrium', 'steady_state', a direction (3,) or moments (trajectories, 3)"
_BURN_IN_DECAY = 20.0


@dataclass(frozen=True)
class Initial:
    """How the first state is prepared: a name for the record, and a function that fills chunks."""

    name: str
    prepare: Prepare


def initial_state(
    magnet: Magnet, protocol: Protocol, initial: str | ArrayLike, trajectories: int
) -> Initial:
    """Return the preparation that `initial` asks for.

    Raises
    ------
    TypeError, ValueError
        If `initial` is none of the possibilities, or has no meaning for this magnet.
    """
    if isinstance(initial, str):
        if initial == "equilibrium":
            return Initial(initial, _equilibrium(magnet, fields_at_ends(magnet, protocol)[0]))
        if initial == "steady_state":
            return Initial(initial, _steady_state(magnet, protocol))
        raise ValueError(f"initial={initial!r}: expected {EXPECTED}")
    given = validation.real_array("initial", initial, EXPECTED)
    if given.shape not in ((3,), (trajectories, 3)):
        raise ValueError(f"initial with shape {given.shape}: expected {EXPECTED}")
    lengths = np.linalg.norm(given, axis=-1, keepdims=True)
    if not np.all(lengths > 0.0):
        raise ValueError("initial holds a vector of length zero: expected directions or moments")
    directions = given / lengths
    return Initial("direction" if given.ndim == 1 else "array", _given(directions))


def _given(directions: FloatArray) -> Prepare:
    def prepare(_keys: Keys, part: slice, state: FloatArray) -> None:
        state[:3] = directions[:, None] if directions.ndim == 1 else directions[part].T

    return prepare


def _equilibrium(magnet: Magnet, field: FloatArray) -> Prepare:
    if magnet.anisotropy is not None:
        return _by_rejection(magnet, field)
    strength = float(np.linalg.norm(field))
    if magnet.temperature == 0.0 and strength == 0.0:
        raise ValueError(
            "initial='equilibrium': at temperature zero and without a starting field every "
            "direction is a ground state; expected a direction or moments"
        )
    concentration = magnet.beta * magnet.moment * strength if strength > 0.0 else 0.0
    return _von_mises_fisher(_unit(field, strength), concentration)


def _by_rejection(magnet: Magnet, field: FloatArray) -> Prepare:
    if magnet.temperature == 0.0:
        raise ValueError(
            "initial='equilibrium': at temperature zero a magnet with anisotropy may have several "
            "ground states; expected a direction or moments"
        )
    f = magnet.log_density(field)
    bound = envelope(f)
    exponents, coefficients = zip(*f.anisotropy.terms, strict=True)
    polynomial = np.array(exponents, dtype=np.int64), np.array(coefficients)

    def prepare(keys: Keys, part: slice, state: FloatArray) -> None:
        streams = generators(keys.initial, part.start, part.stop - part.start)
        places = np.ascontiguousarray(bound.cells)
        rejection.sample(
            streams, bound.cumulative, places, bound.bounds, f.pull, *polynomial, state
        )

    return prepare


def _von_mises_fisher(axis: FloatArray, concentration: float) -> Prepare:
    def prepare(keys: Keys, part: slice, state: FloatArray) -> None:
        if np.isinf(concentration):
            state[:3] = axis[:, None]
            return
        streams = generators(keys.initial, part.start, part.stop - part.start)
        ensemble.sample_von_mises_fisher(streams, axis, concentration, state)

    return prepare


def _steady_state(magnet: Magnet, protocol: Protocol) -> Prepare:
    if not magnet.is_uniform:
        raise ValueError(
            "initial='steady_state': expected a magnet without anisotropy and polarisers, whose "
            "slowest relaxation is known; start from 'equilibrium' and hold the fields instead"
        )
    spread = magnet.damping * magnet.temperature
    if spread == 0.0:
        raise ValueError(
            f"initial='steady_state' with damping={magnet.damping}, "
            f"temperature={magnet.temperature}: expected both > 0, for there is no unique steady "
            "state otherwise"
        )
    H, P = protocol.initial_field, protocol.initial_spin_torque
    b, r = magnet.relaxation_vector(H, P), magnet.rotation_vector(H, P)
    strength = float(np.linalg.norm(b))
    start = _von_mises_fisher(_unit(b, strength), strength / spread)
    scale = strength * float(np.linalg.norm(r))
    if float(np.linalg.norm(np.cross(b, r))) <= 1e-14 * scale or strength == 0.0:
        return start
    return _after_burn_in(start, _burn_in_table(magnet, H, P, b, r))


def _burn_in_table(
    magnet: Magnet, H: FloatArray, P: FloatArray, b: FloatArray, r: FloatArray
) -> Table:
    flow = np.zeros((4, 4))
    flow[0, 1:] = flow[1:, 0] = b
    flow[1:, 1:] = np.cross(r, np.eye(3)).T
    contraction = float(np.linalg.eigvals(flow).real.max())
    slowest = max(2.0 * magnet.damping * magnet.temperature, contraction)
    held = Protocol(_BURN_IN_DECAY / slowest, H, P)
    scheme = SCHEMES["splitting"]
    steps = int(np.ceil(held.duration * fastest_rate(magnet, held) / scheme.resolution))
    return table(magnet, tabulate(held, steps), scheme)


def _after_burn_in(start: Prepare, burn_in: Table) -> Prepare:
    def prepare(keys: Keys, part: slice, state: FloatArray) -> None:
        start(keys, part, state)
        streams = generators(keys.burn_in, part.start, part.stop - part.start)
        advance(SCHEMES["splitting"], state, streams, burn_in, 0, burn_in.steps)
        state[3:] = 0.0

    return prepare


def _unit(vector: FloatArray, length: float) -> FloatArray:
    return vector / length if length > 0.0 else np.array([0.0, 0.0, 1.0])
