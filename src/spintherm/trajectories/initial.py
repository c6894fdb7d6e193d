"""Initial states: equilibrium at the starting field, a direction, an array, or a steady state.

Equilibrium at H is the von Mises-Fisher law p(n) ~ exp(beta m H.n), drawn by exact inversion; with
anisotropy exp(-beta E), drawn by rejection from `equilibrium.envelope`, exactly too. The
steady state of constant H and P is the law with exponent b.n/(eta T), b = eta m H + gamma0 m P,
where b is parallel to r = gamma0 H - eta m^2 P (in particular P parallel to H, [II] 14), and with
anisotropy or polarisers about the same axis the law of `steady.axial_law`; elsewhere the law of the
drift's potential is taken through a burn-in with the fields held fixed until e^-20 of the slowest
transient is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.equilibrium import envelope
from spintherm.kernels import ensemble, rejection
from spintherm.kernels.axial_law import sample_axial
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import fastest_rate, fields_at_ends, tabulate, with_field_of_current
from spintherm.trajectories.engine import Keys, Scheme, Table, advance, generators, table
from spintherm.trajectories.local import scheme_for
from spintherm.trajectories.steady import AxialLaw, axial_law, slowest_rate, uniform_part

FloatArray = NDArray[np.float64]
Prepare = Callable[[Keys, slice, FloatArray], None]

EXPECTED = "'equilibrium', 'steady_state', a direction (3,) or moments (trajectories, 3)"
_BURN_IN_DECAY = 20.0
_LONGEST_BURN_IN = 1_000_000


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
    spread = magnet.damping * magnet.temperature
    if spread == 0.0:
        raise ValueError(
            f"initial='steady_state' with damping={magnet.damping}, "
            f"temperature={magnet.temperature}: expected both > 0, for there is no unique steady "
            "state otherwise"
        )
    H, P = protocol.initial_field, protocol.initial_spin_torque
    if not magnet.is_uniform:
        law = axial_law(magnet, H, P)
        if law is not None:
            return _by_inversion(law)
        if magnet.anisotropy is not None or not _constant(magnet):
            return _local_steady_state(magnet, H, P)
        magnet, H, P = uniform_part(magnet, H, P)
    b, r = magnet.relaxation_vector(H, P), magnet.rotation_vector(H, P)
    strength = float(np.linalg.norm(b))
    start = _von_mises_fisher(_unit(b, strength), strength / spread)
    scale = strength * float(np.linalg.norm(r))
    if float(np.linalg.norm(np.cross(b, r))) <= 1e-14 * scale or strength == 0.0:
        return start
    return _after_burn_in(start, *_burn_in(magnet, H, P, _slowest(magnet, b, r)))


def _constant(magnet: Magnet) -> bool:
    return all(item.efficiency.is_constant for item in magnet.polarisers)


def _by_inversion(law: AxialLaw) -> Prepare:
    def prepare(keys: Keys, part: slice, state: FloatArray) -> None:
        streams = generators(keys.initial, part.start, part.stop - part.start)
        sample_axial(streams, law.axis, law.edges, law.cumulative, law.growths, state)

    return prepare


def _local_steady_state(magnet: Magnet, H: FloatArray, P: FloatArray) -> Prepare:
    """From the density of the drift's potential, its torque that across the polarisers."""
    plain, field, torque = uniform_part(magnet, H, P)
    rate = slowest_rate(magnet, H, P)
    pull = field + (magnet.gyromagnetic_ratio / magnet.damping) * torque
    start = _equilibrium(plain, pull)
    return _after_burn_in(start, *_burn_in(magnet, H, P, rate))


def _slowest(magnet: Magnet, b: FloatArray, r: FloatArray) -> float:
    flow = np.zeros((4, 4))
    flow[0, 1:] = flow[1:, 0] = b
    flow[1:, 1:] = np.cross(r, np.eye(3)).T
    contraction = float(np.linalg.eigvals(flow).real.max())
    return max(2.0 * magnet.damping * magnet.temperature, contraction)


def _burn_in(magnet: Magnet, H: FloatArray, P: FloatArray, slowest: float) -> tuple[Scheme, Table]:
    held = Protocol(_BURN_IN_DECAY / slowest, H, P)
    scheme = scheme_for(magnet, "splitting")
    steps = int(np.ceil(held.duration * fastest_rate(magnet, held) / scheme.resolution))
    if steps > _LONGEST_BURN_IN:
        raise ValueError(
            f"initial='steady_state': its slowest relaxation, {slowest:.3g} per time, would take "
            f"{steps:.3g} steps to wait for; expected at most {_LONGEST_BURN_IN}. Start from "
            "'equilibrium', or from moments drawn by SteadyState.sample"
        )
    return scheme, table(magnet, with_field_of_current(magnet, held, tabulate(held, steps)), scheme)


def _after_burn_in(start: Prepare, scheme: Scheme, burn_in: Table) -> Prepare:
    def prepare(keys: Keys, part: slice, state: FloatArray) -> None:
        count = part.stop - part.start
        own = np.zeros((scheme.rows, count))
        start(keys, part, own)
        streams = generators(keys.burn_in, part.start, count)
        advance(scheme, own, streams, burn_in, 0, burn_in.steps)
        state[:3], state[3:] = own[:3], 0.0

    return prepare


def _unit(vector: FloatArray, length: float) -> FloatArray:
    return vector / length if length > 0.0 else np.array([0.0, 0.0, 1.0])
