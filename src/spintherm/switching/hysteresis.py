r"""Hysteresis: the loop of a magnet in an alternating field, and the heat that it leaves behind.

For magnets with a common axis a, H(t) = H_b + H₀ sin(2πft) h along it. The means q of the Legendre
polynomials of c = n·a obey q' = [A₀ + A₁ sin ωt] q, A the transposed backward generator of
`cosine`; for others those of the spherical harmonics do, with the generator on the sphere. The
periodic state is q = Σ q_k e^{ikωt} with

.. math:: (ik\omega - A_0)\, q_k = \tfrac{1}{2i} A_1 (q_{k-1} - q_{k+1}),

solved from large k down by q_{k+1} = S_{k+1} q_k, a continued fraction of matrices (Risken, The
Fokker-Planck Equation, Springer 1989, ch. 9; for magnets Raikher and Stepanov, Phys. Rev. B 66,
214406 (2002)). No transient is waited for, whatever the ratio of f to the rate of escape.

A cycle's work is that of the field, W_H = -∮ ⟨m⟩·dH, the loop's area, and that of a constant
torque. The heat is Q = ∮ E(H)·q' dt - W_P, with the series E of the energy at the field of the
moment; the first law closes the cycle, W + Q = 0.

Units: those of the magnet; f in cycles per time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintherm import validation
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck.generator import ResolutionError, integrals
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.setting import sphere_points
from spintherm.fokker_planck.wells import BitState
from spintherm.magnet import Magnet
from spintherm.switching import bit
from spintherm.switching.averages import CosineAverages
from spintherm.switching.cosine import CosineEquation
from spintherm.switching.sphere import aligned
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

_FIRST_SIZE = 24
_LARGEST_SIZE = 500
_LARGEST_ON_SPHERE = 2000
_FIRST_HARMONICS = 12
_MOST_HARMONICS = 3000
_ROUNDING = 1e-13
_DUST = 1e-14

Places = NDArray[np.intp]

_OUTPUTS = {
    "work": ("energy", "mean work of a cycle"),
    "heat": ("energy", "mean heat absorbed in a cycle"),
    "pumped_entropy": ("k_B", "mean entropy pumped in a cycle"),
    "entropy_production": ("k_B", "entropy production of a cycle"),
    "loop_area": ("energy", "area of the loop, the field's work"),
    "error": ("energy", "numerical error of the heat, estimated"),
}


def hysteresis_loop(
    magnet: Magnet,
    amplitudes: ArrayLike,
    frequencies: ArrayLike,
    *,
    direction: ArrayLike | None = None,
    bias_field: ArrayLike = (0.0, 0.0, 0.0),
    spin_torque: ArrayLike = (0.0, 0.0, 0.0),
    points: int = 128,
    tolerance: float = 1e-8,
) -> xr.Dataset:
    """Return loops of the mean moment in an alternating field, and what a cycle costs.

    Parameters
    ----------
    magnet : Magnet
        Any, with damping and temperature above zero. Without a common axis of anisotropy,
        polarisers, fields and torque spherical harmonics take the place of polynomials; each
        harmonic in time then costs the cube of their number (seconds from a thousand on).
    amplitudes : array_like, shape () or (A,)
        H₀ > 0.
    frequencies : array_like, shape () or (F,)
        f > 0, in cycles per time.
    direction : array_like, shape (3,), optional
        h; by default along the first polariser if the anisotropy has the same axis or none, else
        the easy axis on its side.
    bias_field, spin_torque : array_like, shape (3,)
        Constant field and torque besides.
    points : int
        Number of phases of the loop.
    tolerance : float
        Largest change of ⟨m·h⟩/|m|, and of the heat as a fraction of the largest possible work,
        4 m H₀ plus that of the torque, when the numbers of polynomials and of harmonics grow.

    Returns
    -------
    xarray.Dataset
        ``mean_moment`` (amplitude, frequency, phase), ⟨m·h⟩ in the periodic state; ``field``
        (amplitude, phase), H·h; ``work``, ``heat`` (absorbed, so negative), ``pumped_entropy``,
        ``entropy_production``, ``loop_area`` of a cycle and ``dissipated_power``, -f times the
        heat, (amplitude, frequency); ``error``, of the heat. Scalars give no dimension.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If 500 polynomials, or 2000 spherical harmonics, or 3000 harmonics in time do not suffice.
    """
    import xarray as xr

    H0, f = _positive("amplitudes", amplitudes), _positive("frequencies", frequencies)
    limit = validation.finite_scalar("tolerance", tolerance, positive=True)
    count = validation.positive_integer("points", points)
    bias = validation.vector("bias_field", bias_field)
    P = validation.vector("spin_torque", spin_torque)
    h = bit.axis_of(magnet, direction, bias, P, name="direction")
    phase = np.arange(count) / count
    grid = [
        [
            _settled(_drive(magnet, bias, P, h, strength), rate, phase, limit)
            for rate in np.atleast_1d(f).tolist()
        ]
        for strength in np.atleast_1d(H0).tolist()
    ]
    dims = tuple(name for name, of in (("amplitude", H0), ("frequency", f)) if np.ndim(of) == 1)
    shape = H0.shape + f.shape
    data: dict[str, Any] = {}
    for name, (unit, meaning) in _OUTPUTS.items():
        values = np.array([[one.cycle[name] for one in row] for row in grid]).reshape(shape)
        data[name] = (dims, values, {"units": unit, "long_name": meaning})
    about = {"units": "energy/time", "long_name": "mean power dissipated as heat"}
    data["dissipated_power"] = (dims, -data["heat"][1] * f, about)
    loops = np.array([[one.loop for one in row] for row in grid]).reshape((*shape, count))
    about = {"units": "moment", "long_name": "mean moment along the field"}
    data["mean_moment"] = ((*dims, "phase"), loops, about)
    field = float(bias @ h) + np.multiply.outer(H0, np.sin(2.0 * np.pi * phase))
    about = {"units": "energy per moment", "long_name": "field"}
    data["field"] = ((*dims[: H0.ndim], "phase"), field, about)
    coordinates = {
        "amplitude": (
            dims[: H0.ndim],
            H0,
            {"units": "energy per moment", "long_name": "amplitude of the field"},
        ),
        "frequency": (
            dims[H0.ndim :],
            f,
            {"units": "1/time", "long_name": "frequency of the field"},
        ),
        "phase": ("phase", phase, {"units": "1", "long_name": "part of the cycle"}),
    }
    return xr.Dataset(data, coords=coordinates, attrs={"direction": h, "tolerance": limit})


@dataclass(frozen=True)
class _Drive:
    """Magnet, constant fields, direction and amplitude of the alternating field."""

    magnet: Magnet
    bias: FloatArray
    spin_torque: FloatArray
    direction: FloatArray
    amplitude: float

    def at(self, sine: float) -> AxialMagnet:
        """Return the magnet in the field of a phase."""
        H = self.bias + sine * self.amplitude * self.direction
        return AxialMagnet(self.magnet, H, self.spin_torque)

    @property
    def sense(self) -> float:
        """Cosine between the direction of the field and the axis."""
        return float(self.direction @ self.at(0.0).axis)

    @property
    def span(self) -> float:
        """Largest range of the logarithm of the stationary density."""
        return max(self.at(s).span for s in (-1.0, 1.0))

    @property
    def largest_power(self) -> float:
        """Largest power of the torque, in size."""
        return max(CosineAverages(self.at(s), 24).largest_torque_power for s in (-1.0, 1.0))

    @property
    def first_size(self) -> int:
        """Number of polynomials to begin with."""
        return _FIRST_SIZE + int(3.0 * np.sqrt(self.span))

    def too_many(self, size: int) -> bool:
        """Whether there are more polynomials than are taken."""
        return size > _LARGEST_SIZE

    def finer(self, size: int, q: FloatArray | None = None, tolerance: float = 0.0) -> int:
        """More polynomials; with coefficients (harmonics, size) only if their tail asks for it."""
        more = q is None or float(q[:, -2:].max()) > tolerance
        return int(1.3 * size) if more else size

    def more(self, harmonics: int) -> int:
        """A larger number of harmonics in time, to compare with."""
        return int(1.4 * harmonics)

    def tail(self, tolerance: float) -> float:
        """Largest coefficient at the edges of expansions that are worth comparing."""
        return tolerance

    def classes(self, constant: FloatArray, alternating: FloatArray) -> tuple[Places, Places]:
        """Polynomials in even and in odd harmonics in time."""
        every = np.arange(len(constant))
        return every, every

    def generator(self, sine: float, size: int) -> FloatArray:
        """Transposed backward generator at a phase, shape (size, size)."""
        return CosineEquation(self.at(sine), size).generator.T

    def averages(self, sine: float, size: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rows of the energy, of the torque's power and of the rate of pumped entropy."""
        found = CosineAverages(self.at(sine), size)
        return found.energy, found.torque_power, found.pumped_entropy_rate

    def along(self, q: FloatArray, size: int, factor: float) -> FloatArray:
        """Mean of n·h times a factor, from means (..., size)."""
        return np.asarray(factor * self.sense * q[..., 1])

    @property
    def whole(self) -> float:
        """The first coefficient of a density."""
        return 1.0


@dataclass(frozen=True)
class _SphereDrive:
    """The same without a common axis; sizes are bases of spherical harmonics."""

    magnet: Magnet
    bias: FloatArray
    spin_torque: FloatArray
    direction: FloatArray
    amplitude: float

    @cached_property
    def _resting(self) -> BitState:
        """In the bias field alone, seen from the anisotropy's axis if there is one."""
        axis = self.direction
        if self.magnet.anisotropy is not None and self.magnet.anisotropy.axis is not None:
            axis = self.magnet.anisotropy.axis
        field = self.bias + self.amplitude * self.direction
        return BitState(self.magnet, axis, field, self.spin_torque)

    def at(self, sine: float) -> BitState:
        """Return the magnet in the field of a phase."""
        field = self.bias + sine * self.amplitude * self.direction
        state = BitState(self.magnet, self._resting.axis, field, self.spin_torque)
        return aligned(state, self._resting)

    @property
    def largest_power(self) -> float:
        """Largest power of the torque, in size."""
        m = self.magnet.moment * sphere_points()
        H = self.bias + np.array([[-1.0], [1.0]]) * self.amplitude * self.direction
        turning = np.cross(m, self.magnet.local_spin_torque(m, self.spin_torque))
        powers = [np.sum(self.magnet.drift(m, h, self.spin_torque) * turning, axis=1) for h in H]
        return float(np.abs(powers).max())

    @property
    def first_size(self) -> Basis:
        """Harmonics to begin with."""
        degree = 8 + int(1.5 * np.sqrt(max(self.at(s).span for s in (-1.0, 1.0))))
        return Basis(degree, min(6, degree))

    def too_many(self, size: Basis) -> bool:
        """Whether there are more harmonics than are taken."""
        return size.size > _LARGEST_ON_SPHERE

    def finer(self, size: Basis, q: FloatArray | None = None, tolerance: float = 0.0) -> Basis:
        """More harmonics; with coefficients (harmonics, size) only if their tails ask for it."""
        high = wide = True
        if q is not None:
            high = float(q[:, size.degrees >= size.l_max - 1].max()) > tolerance
            edge = np.abs(size.orders) >= max(size.m_max - 1, 1)
            wide = size.m_max < size.l_max and float(q[:, edge].max()) > tolerance
        if q is None:  # to compare with: a little more tells
            return Basis(int(1.1 * size.l_max) + 1, min(size.m_max + 1, int(1.1 * size.l_max) + 1))
        degree = int(1.2 * size.l_max) + 1 if high else size.l_max
        return Basis(degree, min(int(1.25 * size.m_max) + 1 if wide else size.m_max, degree))

    def more(self, harmonics: int) -> int:
        """A larger number of harmonics in time, to compare with."""
        return int(1.2 * harmonics)

    def tail(self, tolerance: float) -> float:
        """The same; means are better than the tails, and a larger basis is dear."""
        return 0.1 * float(np.sqrt(tolerance))

    def classes(self, constant: FloatArray, alternating: FloatArray) -> tuple[Places, Places]:
        """Harmonics on the sphere that occur in even and in odd harmonics in time.

        A half turn that turns the field over puts the state half a period later: half of the
        harmonics on the sphere change sign under it, and these are odd in time. What the state
        never reaches is in neither class. Found as paths in the graph of both matrices, each place
        taken twice, with the parity of the number of steps by A₁.
        """
        from scipy.sparse import block_array, csr_array
        from scipy.sparse.csgraph import connected_components

        dust = _DUST * max(float(np.abs(constant).max()), float(np.abs(alternating).max()))
        same, other = (csr_array(np.abs(m) > dust) for m in (constant, alternating))
        twice = block_array([[same, other], [other, same]])
        label = connected_components(twice, directed=False)[1] == 0
        even, odd = np.split(label, 2)
        return np.flatnonzero(even), np.flatnonzero(odd)

    def generator(self, sine: float, size: Basis) -> FloatArray:
        """Forward generator at a phase, shape (size, size)."""
        return np.asarray(self.at(sine).generator(size).toarray().T)

    def averages(self, sine: float, size: Basis) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rows of the energy, of the torque's power and of the rate of pumped entropy."""
        state = self.at(sine)
        return state.energy_row(size), *state.rate_rows(size)

    def along(self, q: FloatArray, size: Basis, factor: float) -> FloatArray:
        """Mean of n·h times a factor, from means (..., size)."""
        h = self._resting.frame @ self.direction
        return np.asarray(factor * (q @ (integrals(size)[1:].T @ h)))

    @property
    def whole(self) -> float:
        """The first coefficient of a density."""
        return float(1.0 / np.sqrt(4.0 * np.pi))


def _drive(
    magnet: Magnet, bias: FloatArray, torque: FloatArray, h: FloatArray, amplitude: float
) -> _Drive | _SphereDrive:
    """Return the problem in the cosine if everything lies along h, else that on the sphere."""
    whole = bit.along(magnet, h)
    if bit.has_common_axis(whole, h, bias, torque):
        return _Drive(whole, bias, torque, h, amplitude)
    return _SphereDrive(magnet, bias, torque, h, amplitude)


@dataclass(frozen=True)
class _Cycle:
    """Periodic state in a given number of polynomials and of harmonics."""

    drive: Any  # _Drive or _SphereDrive
    frequency: float
    size: Any  # a number of polynomials, or a Basis
    harmonics: int

    @property
    def omega(self) -> float:
        return 2.0 * np.pi * self.frequency

    @cached_property
    def matrices(self) -> tuple[FloatArray, FloatArray]:
        """A₀ and A₁, shape (size, size)."""
        up, down = (self.drive.generator(s, self.size) for s in (1.0, -1.0))
        return 0.5 * (up + down), 0.5 * (up - down)

    @cached_property
    def coefficients(self) -> NDArray[np.complex128]:
        """Harmonics q_k, k = 0 to `harmonics`, shape (harmonics + 1, size)."""
        constant, alternating = self.matrices
        size = len(constant)
        classes = self.drive.classes(constant, alternating)  # of even and of odd harmonics in time
        coupling = alternating / 2j
        blocks = [constant[np.ix_(places, places)] for places in classes]
        # to the class of even k from that of odd ones, and the other way round
        crossings = [coupling[np.ix_(classes[p], classes[1 - p])] for p in (0, 1)]
        last = (self.harmonics + 1) % 2
        ratios: list[NDArray[Any]] = [
            np.zeros((len(classes[last]), len(classes[1 - last])), dtype=np.complex128)
        ]
        for k in range(self.harmonics, 0, -1):
            matrix = crossings[k % 2] @ ratios[-1] - blocks[k % 2]
            matrix[np.diag_indices(len(matrix))] += 1j * k * self.omega
            ratios.append(np.linalg.solve(matrix, crossings[k % 2]))
        # the mean of P_0 is one at all times: its own row, all zeros, gives way to that
        matrix = blocks[0] - alternating[np.ix_(*classes)] @ ratios[-1].imag
        first = np.zeros(len(classes[0]))
        first[0] = self.drive.whole
        first[1:] = np.linalg.solve(matrix[1:, 1:], -matrix[1:, 0] * first[0])
        q = np.zeros((self.harmonics + 1, size), dtype=np.complex128)
        q[0, classes[0]] = first
        for k, ratio in enumerate(ratios[:0:-1], 1):
            q[k, classes[k % 2]] = ratio @ q[k - 1, classes[1 - k % 2]]
        return q

    def means(self, phase: FloatArray, order: int = 0) -> FloatArray:
        """Means of the polynomials, or derivatives in time, at phases, shape (phases, size)."""
        k = np.arange(self.harmonics + 1)
        waves = np.exp(2j * np.pi * np.outer(phase, k)) * (1j * self.omega * k) ** order
        waves[:, 1:] *= 2.0
        return np.asarray((waves @ self.coefficients).real)

    def along(self, phase: FloatArray) -> FloatArray:
        """Mean of m·h at phases, shape (phases,)."""
        m = self.drive.magnet.moment
        return np.asarray(self.drive.along(self.means(phase), self.size, m))

    @cached_property
    def cycle(self) -> dict[str, float]:
        """Means over a cycle."""
        drive, period = self.drive, 1.0 / self.frequency
        m, H0 = drive.magnet.moment, drive.amplitude
        first = self.coefficients[1].real
        area = float(drive.along(first, self.size, -2.0 * np.pi * m * H0))
        phase = np.arange(4 * self.harmonics) / (4 * self.harmonics)
        q, sine = self.means(phase), np.sin(2.0 * np.pi * phase)[:, None]
        up, down = (drive.averages(s, self.size) for s in (1.0, -1.0))
        energy = _interpolated(up[0], down[0], sine)
        power = _interpolated(up[1], down[1], sine)
        rate = self.means(phase, order=1)
        torque_work = period * float(np.mean(np.sum(power * q, axis=1)))
        heat = period * float(np.mean(np.sum(energy * rate, axis=1))) - torque_work
        pumped = period * float(up[2] @ self.coefficients[0].real)
        return {
            "work": area + torque_work,
            "heat": heat,
            "pumped_entropy": pumped,
            "entropy_production": pumped - drive.magnet.beta * heat,
            "loop_area": area,
        }


@dataclass(frozen=True)
class _Settled:
    """What is handed on of a periodic state."""

    loop: FloatArray
    cycle: dict[str, float]


def _settled(drive: Any, frequency: float, phase: FloatArray, tolerance: float) -> _Settled:
    """Periodic state at a frequency, refined until nothing changes by more than the tolerance."""
    here = _Cycle(drive, frequency, drive.first_size, _FIRST_HARMONICS)
    largest = 4.0 * drive.magnet.moment * drive.amplitude + drive.largest_power / frequency
    while True:
        if drive.too_many(here.size) or here.harmonics > _MOST_HARMONICS:
            functions = "polynomials" if isinstance(here.size, int) else "spherical harmonics"
            count = here.size if isinstance(here.size, int) else here.size.size
            raise ResolutionError(
                f"hysteresis loop: {count} {functions} and {here.harmonics} harmonics do not "
                f"settle to {tolerance:g}; expected a lower amplitude, a smaller barrier or a "
                "larger tolerance"
            )
        # tails of both expansions; the comparison below counts, and these save it where it is vain
        q, tail = np.abs(here.coefficients), drive.tail(tolerance)
        harmonics = 2 * here.harmonics if float(q[-1].max()) > tail else here.harmonics
        size = drive.finer(here.size, q, tail)
        if size != here.size or harmonics != here.harmonics:
            here = replace(here, size=size, harmonics=harmonics)
        else:
            size = drive.finer(here.size)
            finer = replace(here, size=size, harmonics=drive.more(here.harmonics))
            before, after = (one.along(phase) for one in (here, finer))
            error = abs(finer.cycle["heat"] - here.cycle["heat"])
            error += _ROUNDING * largest
            change = float(np.abs(after - before).max()) / drive.magnet.moment
            if max(change, error / largest) <= tolerance:
                return _Settled(after, finer.cycle | {"error": error})
            here = finer


def _interpolated(up: FloatArray, down: FloatArray, sine: FloatArray) -> FloatArray:
    """Series at the phases, of what is a straight line in the field."""
    return np.asarray(0.5 * (up + down) + 0.5 * sine * (up - down))


def _positive(name: str, value: ArrayLike) -> FloatArray:
    values = validation.real_array(name, value)
    if values.ndim > 1 or values.size == 0 or np.any(values <= 0.0):
        raise ValueError(validation.complaint(name, value, "numbers above zero"))
    return values
