"""The magnet: a moment of fixed length in contact with a bath.

Energy E = -m·H ([I] 2.3a); the state lives on the sphere |m| = moment and obeys the sLLS equation
[I] 2.6 (Itô),

    dm = -γ₀ m×(H + m×P) dt - η m×(m×(H + m×P)) dt - 2Tη m dt + √(2ηT) m×dW .

With n = m/|m|, and with m×(m×P) = m (m·P) - m²P, its deterministic part regroups, for fields that
do not depend on m, into

    dn/dt = b - n (n·b) + r×n,    b = ηm H + γ₀m P,    r = γ₀ H - ηm² P ,

which is precession about H_p = r/γ₀ and relaxation towards b. With an anisotropy E_a(n) the energy
is -m·H + E_a and H_eff = H - ∂E_a/∂m takes the place of H; with polarisers P depends on n
(`torques`).

Units: k_B = 1; a field is an energy per moment, γ₀ and η are rates per field and per energy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from spintherm import display, equilibrium, validation
from spintherm.energies import Anisotropy
from spintherm.torques import Polariser, as_polarisers
from spintherm.validation import FloatArray

_NUMBERS = ("moment", "gyromagnetic_ratio", "damping", "temperature")
_PARALLEL = 1e-12


@dataclass(frozen=True)
class Magnet:
    """A single-domain magnet, coupled to a bath.

    Parameters
    ----------
    moment : float
        Length of the moment, |m| > 0.
    gyromagnetic_ratio : float
        γ₀, finite and not zero, in rate per field.
    damping : float
        η >= 0, in rate per energy; η |m|/γ₀ is the dimensionless (Gilbert's) damping.
    temperature : float
        T >= 0 in units of energy.
    anisotropy : Anisotropy, optional
        E_a(n), added to -m·H; none by default, as in [I] and [II].
    polarisers : Polariser or tuple of Polariser
        How the spin torque depends on the angle. Without any, P is the same in every direction
        and may point anywhere, as in [I] and [II]. With them P must be parallel to the first
        polariser's direction p̂, P = P₀ p̂, and acts as P₀ Σ strength g(n·p̂) p̂ over all of them.

    Raises
    ------
    TypeError
        If a parameter is not a real number, or not of its type.
    ValueError
        If a parameter is not finite or is out of its range.
    """

    moment: float
    gyromagnetic_ratio: float
    damping: float
    temperature: float
    anisotropy: Anisotropy | None = None
    polarisers: tuple[Polariser, ...] = ()

    def __post_init__(self) -> None:
        check = validation.finite_scalar
        values = {
            "moment": check("moment", self.moment, positive=True),
            "gyromagnetic_ratio": check(
                "gyromagnetic_ratio", self.gyromagnetic_ratio, nonzero=True
            ),
            "damping": check("damping", self.damping, nonnegative=True),
            "temperature": check("temperature", self.temperature, nonnegative=True),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)
        if self.anisotropy is not None:
            if not isinstance(self.anisotropy, Anisotropy):
                raise TypeError(
                    validation.complaint("anisotropy", self.anisotropy, "an Anisotropy or None")
                )
            if self.anisotropy.is_constant:
                object.__setattr__(self, "anisotropy", None)
        object.__setattr__(self, "polarisers", as_polarisers(self.polarisers))

    def __str__(self) -> str:
        return display.magnet_text(self)

    def _repr_html_(self) -> str:
        return display.magnet_card(self)

    @classmethod
    def from_material(cls, **material: Any) -> Magnet:
        """Return the magnet of a body of a material, in reduced units.

        Parameters
        ----------
        **material
            What `spintherm.Nanomagnet` takes, in SI or with units: saturation_magnetisation,
            gilbert_damping, temperature, volume or shape, anisotropy, gyromagnetic_ratio. The
            Nanomagnet itself knows the scales that lead back to SI.

        Returns
        -------
        Magnet
            With |m| = T = γ₀ = 1 and η = α (T = 0 at 0 K).

        Raises
        ------
        TypeError, ValueError
            If a property is unknown, missing, not in a unit of its kind or impossible.
        """
        from spintherm.materials import Nanomagnet

        return Nanomagnet(**material).magnet

    @property
    def is_uniform(self) -> bool:
        """Whether H_eff and P are the same for every direction of the moment, as in the papers."""
        return self.anisotropy is None and not self.polarisers

    def common_axis(self, *vectors: ArrayLike, parallel: float = _PARALLEL) -> FloatArray | None:
        """Return the axis that the anisotropy, the polarisers and given vectors share.

        About it everything is symmetric, so that the cosine to it has an equation of its own.

        Parameters
        ----------
        *vectors : array_like, shape (..., 3)
            Fields and torques, or any other directions; zero is along every axis.
        parallel : float
            Largest sine of an angle that counts as none.

        Returns
        -------
        ndarray, shape (3,), or None
            That of the anisotropy; without one the first polariser's direction or the first
            vector that is not zero, else z. None if there is no common axis.
        """
        lines = [item.vector for item in self.polarisers]
        if self.anisotropy is not None:
            if self.anisotropy.axis is None:
                return None
            lines.insert(0, self.anisotropy.axis)
        for some in vectors:
            rows = np.asarray(some, dtype=np.float64).reshape(-1, 3)
            lines += [row / np.linalg.norm(row) for row in rows if np.any(row)]
        if not lines:
            return np.array([0.0, 0.0, 1.0])
        aslant = (np.linalg.norm(np.cross(lines[0], line)) > parallel for line in lines[1:])
        return None if any(aslant) else np.asarray(lines[0])

    def require_uniform(self, what: str) -> None:
        """Refuse a magnet with anisotropy or polarisers.

        Parameters
        ----------
        what : str
            What needs uniform fields, for the error.

        Raises
        ------
        ValueError
            If the magnet has either.
        """
        if not self.is_uniform:
            raise ValueError(f"{what}: expected a magnet without anisotropy and polarisers")

    def reversed(self) -> Self:
        """Return the magnet of the backward process: polarisers turn, all else stays.

        Returns
        -------
        Magnet
            This one itself if it has no polarisers.
        """
        if not self.polarisers:
            return self
        return replace(self, polarisers=tuple(item.reversed() for item in self.polarisers))

    def rotated(self, rotation: ArrayLike) -> Self:
        """Return the magnet turned by a rotation, with its anisotropy and its polarisers.

        Parameters
        ----------
        rotation : array_like, shape (3, 3)
            R, orthogonal with determinant one.

        Returns
        -------
        Magnet
            The turned magnet.
        """
        if self.is_uniform:
            return self
        R = validation.vectors("rotation", rotation, count=3)
        return replace(
            self,
            anisotropy=None if self.anisotropy is None else self.anisotropy.rotated(R),
            polarisers=tuple(item.rotated(R) for item in self.polarisers),
        )

    @property
    def beta(self) -> float:
        """Inverse temperature 1/T, infinite at T = 0."""
        return 1.0 / self.temperature if self.temperature > 0.0 else np.inf

    def energy(self, moment: ArrayLike, field: ArrayLike) -> FloatArray:
        """Return the energy -m·H + E_a(m/|m|), [I] 2.3a with anisotropy.

        Parameters
        ----------
        moment : array_like, shape (..., 3)
            Moments m (whole vectors, not directions).
        field : array_like, shape (..., 3)
            Fields H; broadcast against `moment`.

        Returns
        -------
        ndarray, shape (...)
            Energies.
        """
        m = validation.vectors("moment", moment)
        zeeman = -_dot(m, validation.vectors("field", field))
        return zeeman if self.anisotropy is None else zeeman + self.anisotropy(self._normed(m))

    def effective_field(self, moment: ArrayLike, field: ArrayLike) -> FloatArray:
        """Return H_eff = H - ∂E_a/∂m, whose anisotropic part is tangent to the sphere.

        Parameters
        ----------
        moment, field : array_like, shape (..., 3)
            m and H; broadcast against each other.

        Returns
        -------
        ndarray, shape (..., 3)
            Effective fields.
        """
        m, H = validation.vectors("moment", moment), validation.vectors("field", field)
        if self.anisotropy is None:
            return np.asarray(np.broadcast_to(H, np.broadcast_shapes(m.shape, H.shape)).copy())
        return np.asarray(H - self.anisotropy.gradient(self._normed(m)) / self.moment)

    def torque_amplitude(self, spin_torque: ArrayLike) -> FloatArray:
        """Return P₀ = P·p̂ with p̂ the direction of the first polariser.

        Parameters
        ----------
        spin_torque : array_like, shape (..., 3)
            P, parallel or antiparallel to p̂.

        Returns
        -------
        ndarray, shape (...)
            Amplitudes.

        Raises
        ------
        ValueError
            If the magnet has no polariser or P is not parallel to it.
        """
        P = validation.vectors("spin_torque", spin_torque)
        if not self.polarisers:
            raise ValueError("polarisers=(): expected at least one Polariser")
        p = self.polarisers[0].vector
        amplitude = _dot(P, p)
        # measured against the largest of them: a torque that passes through zero is all rounding
        largest = float(_length(P).max(initial=0.0))
        if np.any(_length(P - amplitude[..., None] * p) > _PARALLEL * largest):
            raise ValueError(
                validation.complaint(
                    "spin_torque", P, f"vectors parallel to the polariser {p.tolist()}"
                )
            )
        return amplitude

    def local_spin_torque(self, moment: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
        """Return the spin torque at each moment, P₀ Σ strength g(n·p̂) p̂, or P itself.

        Parameters
        ----------
        moment, spin_torque : array_like, shape (..., 3)
            m and P; broadcast against each other.

        Returns
        -------
        ndarray, shape (..., 3)
            P(n).
        """
        m = validation.vectors("moment", moment)
        P = validation.vectors("spin_torque", spin_torque)
        if not self.polarisers:
            return np.asarray(np.broadcast_to(P, np.broadcast_shapes(m.shape, P.shape)).copy())
        amplitude, n = self.torque_amplitude(P), self._normed(m)
        total = np.zeros(np.broadcast_shapes(m.shape, P.shape))
        for item in self.polarisers:
            share = item.strength * amplitude * item.efficiency(n @ item.vector)
            total += share[..., None] * item.vector
        return total

    def field_of_current(self, spin_torque: ArrayLike) -> FloatArray:
        """Return the field-like torque's field, H_FL = |m| P₀ Σ strength ζ p̂; zero without.

        It is a field like any other: part of the energy, and odd under time reversal.

        Parameters
        ----------
        spin_torque : array_like, shape (..., 3)
            P.

        Returns
        -------
        ndarray, shape (..., 3)
            H_FL.
        """
        P = validation.vectors("spin_torque", spin_torque)
        total = np.zeros_like(P)
        if any(item.field_like for item in self.polarisers):
            amplitude = self.moment * self.torque_amplitude(P)
            for item in self.polarisers:
                total += (item.strength * item.field_like * amplitude)[..., None] * item.vector
        return total

    def pumped_entropy_rate(self, moment: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
        """Return the rate of pumped entropy, [I] 3.9: 2γ₀ m·P where P is uniform.

        With polarisers γ₀|m|P₀ Σ strength [2c g(c) - (1 - c²) g'(c)], derived in `torques`.

        Parameters
        ----------
        moment, spin_torque : array_like, shape (..., 3)
            m and P; broadcast against each other.

        Returns
        -------
        ndarray, shape (...)
            Rates, k_B per time.
        """
        m = validation.vectors("moment", moment)
        P = validation.vectors("spin_torque", spin_torque)
        if not self.polarisers:
            return 2.0 * self.gyromagnetic_ratio * _dot(m, P)
        amplitude, n = self.torque_amplitude(P), self._normed(m)
        total = np.zeros(np.broadcast_shapes(m.shape, P.shape)[:-1])
        for item in self.polarisers:
            c, g = n @ item.vector, item.efficiency
            total += item.strength * (2.0 * c * g(c) - (1.0 - c * c) * g.derivative(c))
        return np.asarray(self.gyromagnetic_ratio * self.moment * amplitude * total)

    def free_energy(self, field: ArrayLike) -> FloatArray:
        """Return the free energy F(H) = -T ln[4π sinh(ν)/ν], ν = βm|H|, and -m|H| at T = 0.

        The partition function is the integral of exp(-βE) over directions. [I] 2.3b integrates over
        the sphere's area instead: a factor m², which cancels in every difference. With anisotropy
        the integral is a quadrature (`equilibrium`).

        Parameters
        ----------
        field : array_like, shape (..., 3)
            Fields H.

        Returns
        -------
        ndarray, shape (...)
            Free energies.
        """
        if self.anisotropy is not None:
            return -self.temperature * self._integrals(field)[0]
        strength, nu = self._strength(field)
        ground = -self.moment * strength
        if self.temperature == 0.0:
            return ground
        finite = np.where(np.isfinite(nu), nu, 1.0)
        value = -self.temperature * (np.log(4.0 * np.pi) + log_sinhc(finite))
        return np.asarray(np.where(np.isfinite(nu), value, ground))

    def mean_equilibrium_moment(self, field: ArrayLike) -> FloatArray:
        """Return the mean of the moment in equilibrium, m L(ν) H/|H| with L = coth ν - 1/ν.

        With anisotropy by quadrature (`equilibrium`).

        Parameters
        ----------
        field : array_like, shape (..., 3)
            Fields H; the mean is zero where the field is.

        Returns
        -------
        ndarray, shape (..., 3)
            Mean moments, -∂F/∂H.
        """
        if self.anisotropy is not None:
            return self.moment * self._integrals(field)[1]
        H = validation.vectors("field", field)
        strength, nu = self._strength(H)
        size = np.where(np.isinf(nu), 1.0, langevin(np.where(np.isinf(nu), 1.0, nu)))
        return self.moment * size[..., None] * _direction(H, strength)

    def equilibrium_density(self, direction: ArrayLike, field: ArrayLike) -> FloatArray:
        """Return the equilibrium density of the direction, ν e^{ν n·h} / (4π sinh ν), [I] 2.4.

        With anisotropy exp(-βE)/Z.

        Parameters
        ----------
        direction : array_like, shape (..., 3)
            Directions n; vectors of any length other than zero are normalised.
        field : array_like, shape (..., 3)
            Fields H; broadcast against `direction`.

        Returns
        -------
        ndarray, shape (...)
            Density per solid angle; its integral over the sphere is one.

        Raises
        ------
        ValueError
            If the temperature is zero, where there is no density, or a direction is zero.
        """
        if self.temperature == 0.0:
            raise ValueError(
                validation.complaint("temperature", 0.0, "T > 0: at T = 0 there is no density")
            )
        n = validation.vectors("direction", direction)
        length = _length(n)
        if np.any(length == 0.0):
            raise ValueError(validation.complaint("direction", direction, "vectors other than 0"))
        H = validation.vectors("field", field)
        if self.anisotropy is not None:
            energy = self.energy(n * (self.moment / length)[..., None], H)
            return np.asarray(np.exp((self.free_energy(H) - energy) * self.beta))
        strength, nu = self._strength(H)
        # 1 - n·h from the chord, which keeps its digits near the field when ν is large
        chord = n / length[..., None] - _direction(H, strength)
        exponent = -0.5 * nu * _dot(chord, chord)
        positive = np.where(nu > 0.0, nu, 1.0)
        weight = np.where(nu > 0.0, positive / (-2.0 * np.pi * np.expm1(-2.0 * positive)), 0.0)
        return np.asarray(np.where(nu > 0.0, weight * np.exp(exponent), 0.25 / np.pi))

    def log_density(self, field: FloatArray) -> equilibrium.Exponent:
        """Return f(n) = -βE(n), the logarithm of the equilibrium density up to a constant.

        Parameters
        ----------
        field : ndarray, shape (3,)
            H.

        Returns
        -------
        spintherm.equilibrium.Exponent
            A function of unit vectors, with bounds of its derivatives.

        Raises
        ------
        ValueError
            If the temperature is zero, or too low for the density to be resolved.
        """
        return equilibrium.exponent(self.moment, self.temperature, self.anisotropy, field)

    def sample_equilibrium(
        self, field: ArrayLike, size: int, rng: np.random.Generator
    ) -> FloatArray:
        """Draw moments from equilibrium, by inversion of the von Mises-Fisher law.

        1 - n·h = -ln[1 - u (1 - e^{-2ν})]/ν with u uniform, and a uniform azimuth. Two uniform
        numbers a moment, drawn together: the first k moments do not depend on `size`.
        At T = 0 all moments lie along the field. With anisotropy by rejection (`equilibrium`).

        Parameters
        ----------
        field : array_like, shape (3,)
            Field H.
        size : int
            Number of moments.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        ndarray, shape (size, 3)
            Moments of length `moment`.
        """
        H = validation.vector("field", field)
        size = validation.positive_integer("size", size)
        if not isinstance(rng, np.random.Generator):
            raise TypeError(validation.complaint("rng", rng, "a numpy.random.Generator"))
        if self.anisotropy is not None:
            draws = equilibrium.envelope(self.log_density(H)).sample(size, rng)
            return np.asarray(self.moment * draws)
        u, v = rng.random((size, 2)).T
        strength, nu = self._strength(H)
        x = _von_mises_fisher(float(nu), u)
        radius = np.sqrt(x * (2.0 - x))
        axis = H / strength if strength > 0.0 else np.array([0.0, 0.0, 1.0])
        across = np.column_stack(
            (radius * np.cos(2.0 * np.pi * v), radius * np.sin(2.0 * np.pi * v))
        )
        n = (1.0 - x)[:, None] * axis + across @ _perpendicular(axis)
        return np.asarray(self.moment * n / np.linalg.norm(n, axis=1, keepdims=True))

    def drift(
        self,
        moment: ArrayLike,
        field: ArrayLike,
        spin_torque: ArrayLike,
        *,
        ito: bool = False,
    ) -> FloatArray:
        """Return the deterministic part of the sLLS equation [I] 2.6.

        -γ₀ m×(H + m×P) - η m×(m×(H + m×P)), and with `ito` also -2Tη m. H stands for H_eff plus
        the field of the current, P for the spin torque at m.

        Parameters
        ----------
        moment, field, spin_torque : array_like, shape (..., 3)
            m, H and P; broadcast against each other.
        ito : bool
            Whether to give the drift of the Itô form rather than of the Stratonovich form.

        Returns
        -------
        ndarray, shape (..., 3)
            dm/dt.
        """
        m = validation.vectors("moment", moment)
        H, P = validation.vectors("field", field), validation.vectors("spin_torque", spin_torque)
        if not self.is_uniform:
            H = self.effective_field(m, H + self.field_of_current(P))
            P = self.local_spin_torque(m, P)
        turn = np.cross(m, H + np.cross(m, P))
        value = -self.gyromagnetic_ratio * turn - self.damping * np.cross(m, turn)
        return value - 2.0 * self.temperature * self.damping * m if ito else value

    def precession_field(self, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
        """Return the field of precession, H_p = H - (ηm²/γ₀) P.

        Parameters
        ----------
        field, spin_torque : array_like, shape (..., 3)
            H and P.

        Returns
        -------
        ndarray, shape (..., 3)
            H_p; [II] 12 for P parallel to H.
        """
        self.require_uniform("precession_field")
        H = validation.vectors("field", field)
        P = validation.vectors("spin_torque", spin_torque)
        return H - (self.damping * self.moment**2 / self.gyromagnetic_ratio) * P

    def rotation_vector(self, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
        """Return r = γ₀H - ηm²P of dn/dt = b - n (n·b) + r×n, derived at the top of this file.

        Parameters
        ----------
        field, spin_torque : array_like, shape (..., 3)
            H and P.

        Returns
        -------
        ndarray, shape (..., 3)
            r, an angular velocity.
        """
        self.require_uniform("rotation_vector")
        H = validation.vectors("field", field)
        P = validation.vectors("spin_torque", spin_torque)
        return self.gyromagnetic_ratio * H - self.damping * self.moment**2 * P

    def relaxation_vector(self, field: ArrayLike, spin_torque: ArrayLike) -> FloatArray:
        """Return b = ηmH + γ₀mP of dn/dt = b - n (n·b) + r×n, derived at the top of this file.

        Parameters
        ----------
        field, spin_torque : array_like, shape (..., 3)
            H and P.

        Returns
        -------
        ndarray, shape (..., 3)
            b, a rate; it is ηm times H_d = H + (γ₀/η) P and finite also without damping.
        """
        self.require_uniform("relaxation_vector")
        H = validation.vectors("field", field)
        P = validation.vectors("spin_torque", spin_torque)
        return self.moment * (self.damping * H + self.gyromagnetic_ratio * P)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters by name.

        Returns
        -------
        dict
            Four floats, and the anisotropy and the polarisers if there are any.
        """
        data: dict[str, Any] = {name: getattr(self, name) for name in _NUMBERS}
        if self.anisotropy is not None:
            data["anisotropy"] = self.anisotropy.to_dict()
        if self.polarisers:
            data["polarisers"] = [item.to_dict() for item in self.polarisers]
        return data

    @classmethod
    def from_dict(cls, data: object) -> Self:
        """Build a magnet from `to_dict`'s dictionary.

        Parameters
        ----------
        data : mapping
            All four numbers by name; "anisotropy" and "polarisers" may be there.

        Returns
        -------
        Magnet
            The magnet.

        Raises
        ------
        TypeError, ValueError
            If a key is unknown or missing, or a parameter is refused.
        """
        values: dict[str, Any] = validation.mapping(
            "magnet", data, _NUMBERS, ("anisotropy", "polarisers")
        )
        if values.get("anisotropy") is not None:
            values["anisotropy"] = Anisotropy.from_dict(values["anisotropy"])
        polarisers = values.get("polarisers", ())
        if not isinstance(polarisers, list | tuple):
            raise TypeError(validation.complaint("polarisers", polarisers, "a list"))
        values["polarisers"] = tuple(Polariser.from_dict(item) for item in polarisers)
        return cls(**values)

    def _normed(self, moment: FloatArray) -> FloatArray:
        length = _length(moment)
        if np.any(length == 0.0):
            raise ValueError(validation.complaint("moment", moment, "vectors other than 0"))
        return np.asarray(moment / length[..., None])

    def _integrals(self, field: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return ln Z (...) and the mean direction (..., 3) with anisotropy."""
        H = validation.vectors("field", field)
        found = [equilibrium.integrals(self.log_density(row)) for row in H.reshape(-1, 3)]
        log_partition = np.array([one.log_partition for one in found]).reshape(H.shape[:-1])
        return log_partition, np.array([one.mean for one in found]).reshape(H.shape)

    def _strength(self, field: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return |H| and ν = m|H|/T; ν is 0 at zero field and inf at T = 0 elsewhere."""
        strength = _length(validation.vectors("field", field))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            nu = self.moment * strength / np.float64(self.temperature)
        return strength, np.asarray(np.where(strength > 0.0, nu, 0.0))


def langevin(nu: ArrayLike) -> FloatArray:
    """Return the Langevin function coth ν - 1/ν.

    Below one from the continued fraction ν/(3 + ν²/(5 + ν²/(7 + ...))), which does not cancel.

    Parameters
    ----------
    nu : array_like, shape (...)
        Field over temperature, any sign.

    Returns
    -------
    ndarray, shape (...)
        Values between -1 and 1.
    """
    x = np.asarray(nu, dtype=np.float64)
    small = np.where(np.abs(x) < 1.0, x, 1.0)
    large = np.where(np.abs(x) < 1.0, 1.0, x)
    denominator = np.full_like(small, 19.0)
    for odd in range(17, 1, -2):
        denominator = odd + small**2 / denominator
    direct = 1.0 / np.tanh(large) - 1.0 / large
    return np.asarray(np.where(np.abs(x) < 1.0, small / denominator, direct))


def log_sinhc(nu: ArrayLike) -> FloatArray:
    """Return ln(sinh ν/ν) without overflow and without loss of digits near zero.

    Parameters
    ----------
    nu : array_like, shape (...)
        Field over temperature, any sign.

    Returns
    -------
    ndarray, shape (...)
        ν²/6 for small ν, |ν| - ln(2|ν|) for large ν.
    """
    x = np.abs(np.asarray(nu, dtype=np.float64))
    small = np.where(x < 1.0, x, 1.0)
    large = np.where(x < 1.0, 1.0, x)
    series = np.zeros_like(small)
    for k in range(9, 0, -1):  # sinh(ν)/ν - 1 = Σ ν^2k/(2k+1)!, nested
        series = (1.0 + series) * small**2 / (2 * k * (2 * k + 1))
    direct = large + np.log1p(-np.exp(-2.0 * large)) - np.log(2.0 * large)
    return np.asarray(np.where(x < 1.0, np.log1p(series), direct))


def _von_mises_fisher(nu: float, u: FloatArray) -> FloatArray:
    """Return 1 - cos of the angle from the field, given uniform `u`."""
    if nu == 0.0:
        return 2.0 * u
    if np.isinf(nu):
        return np.zeros_like(u)
    return np.asarray(np.clip(-np.log1p(u * np.expm1(-2.0 * nu)) / nu, 0.0, 2.0))


def _perpendicular(axis: FloatArray) -> FloatArray:
    """Return two unit vectors, shape (2, 3), that complete `axis` to a right-handed frame."""
    helper = np.zeros(3)
    helper[np.argmin(np.abs(axis))] = 1.0
    first = np.cross(helper, axis)
    first /= np.linalg.norm(first)
    return np.stack((first, np.cross(axis, first)))


def _direction(H: FloatArray, strength: FloatArray) -> FloatArray:
    """Return H/|H|, and zero where the field is zero."""
    return np.asarray(H / np.where(strength > 0.0, strength, 1.0)[..., None])


def _length(vectors: FloatArray) -> FloatArray:
    """Return lengths whose squares may overflow or underflow."""
    largest = np.max(np.abs(vectors), axis=-1)
    scale = np.where(largest > 0.0, largest, 1.0)
    return np.asarray(scale * np.linalg.norm(vectors / scale[..., None], axis=-1))


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.sum(a * b, axis=-1))
