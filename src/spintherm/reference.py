"""The integrators once more, in plain NumPy: to be read, and to test the compiled ones against.

Everything is written as the papers write it, for moments m rather than directions, one statement a
formula, with no attempt at speed. The random numbers are MT19937's, as in [II] SI III.

Euler-Maruyama, [II] SI 62-63:
    Dm = -gamma0 m x (H + m x P) Dt - eta m x (m x (H + m x P)) Dt - 2 T eta m Dt
         + sqrt(2 eta T) m x sigma,    sigma ~ N(0, Dt),    then m is brought back to its length.

Splitting: the deterministic part over Dt/2, the noise over Dt, the deterministic part over Dt/2,
each exactly (see `spintherm.kernels.schemes`). Azimuths of the noise count in a frame with z along
P, as in the compiled one.

Exact-ft: the reversible part over Dt/2, an irreversible step with explicit transition densities,
the reversible part over Dt/2 (see `spintherm.kernels.reversible`); heat is -T times a log-ratio of
densities, pumped entropy the logarithm of a Jacobian, work what the first law leaves.

For magnets with anisotropy or polarisers `local_euler_maruyama` and `local_splitting` do the same
with local fields; their drift is one step of the mid-point rule, put back on the sphere, and their
tables hold H + H_FL (`tabulate.with_field_of_current`).

In the others work, heat and pumped entropy, [I] 3.3 and 3.9, by the trapezoidal (Stratonovich)
rule. A jump of H does work -m.DH.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.tabulate import Tabulation, tabulate, with_field_of_current

if TYPE_CHECKING:
    import xarray

FloatArray = NDArray[np.float64]
Noise = Callable[[int], tuple[FloatArray, ...]]


@dataclass
class Paths:
    """Ends of an ensemble of paths: moment (n, 3) and the functionals (n,)."""

    moment: FloatArray
    work: FloatArray
    heat: FloatArray
    pumped_entropy: FloatArray


def simulate(
    magnet: Magnet,
    protocol: Protocol,
    *,
    trajectories: int,
    seed: int,
    steps: int,
    scheme: str = "euler-maruyama",
) -> xarray.Dataset:
    """Simulate an ensemble that starts in equilibrium, one NumPy statement at a time.

    Parameters
    ----------
    magnet, protocol : Magnet, Protocol
        What to simulate.
    trajectories, seed, steps : int
        Size of the ensemble, seed of MT19937, number of time steps.
    scheme : {"euler-maruyama", "splitting", "exact-ft"}
        The integrator.

    Returns
    -------
    xarray.Dataset
        `work`, `heat`, `pumped_entropy`, `energy_change`, `entropy_production` along `trajectory`,
        `final_moment (trajectory, component)` and the scalar `free_energy_change`.

    Raises
    ------
    ValueError
        If the scheme is unknown.
    """
    import xarray

    from spintherm.schema import label, magnet_attributes

    if scheme not in _INTEGRATORS:
        raise ValueError(f"scheme={scheme!r}: expected one of {', '.join(map(repr, _INTEGRATORS))}")
    integrate, noise_of = _INTEGRATORS[scheme]
    rng = np.random.Generator(np.random.MT19937(seed))
    table = with_field_of_current(magnet, protocol, tabulate(protocol, steps))
    start = magnet.sample_equilibrium(table.initial_field, trajectories, rng)
    if not magnet.is_uniform:
        if scheme not in _LOCAL:
            magnet.require_uniform(f"scheme={scheme!r}")
        integrate = _LOCAL[scheme]
    paths = integrate(magnet, table, start, noise_of(rng, trajectories))
    initial, final = (magnet.free_energy(H) for H in (table.initial_field, table.final_field))
    change = magnet.energy(paths.moment, table.final_field) - magnet.energy(
        start, table.initial_field
    )
    dissipated = paths.work - (final - initial)
    values = {
        "work": paths.work,
        "heat": paths.heat,
        "pumped_entropy": paths.pumped_entropy,
        "energy_change": change,
        "entropy_production": magnet.beta * dissipated + paths.pumped_entropy,
        "final_moment": paths.moment,
        "free_energy_change": float(final - initial),
    }
    attributes = {
        **magnet_attributes(magnet),
        "scheme": scheme,
        "steps": table.steps,
        "initial": "equilibrium",
    }
    return xarray.Dataset({name: label(name, v) for name, v in values.items()}, attrs=attributes)


def euler_maruyama(magnet: Magnet, table: Tabulation, moment: FloatArray, noise: Noise) -> Paths:
    """Integrate by Euler-Maruyama; noise(k) gives the standard normals (n, 3) of step k."""
    gamma, eta, T = magnet.gyromagnetic_ratio, magnet.damping, magnet.temperature
    paths = _at_rest(moment)
    for k, dt in enumerate(table.durations):
        _jump(paths, table.field_jumps[k])
        m, H, P = paths.moment, table.field_start[k], table.spin_torque_start[k]
        sigma = np.sqrt(dt) * noise(k)[0]
        force = H + np.cross(m, P)
        dm = (
            -gamma * np.cross(m, force) * dt
            - eta * np.cross(m, np.cross(m, force)) * dt
            - 2.0 * T * eta * m * dt
            + np.sqrt(2.0 * eta * T) * np.cross(m, sigma)
        )
        new = (m + dm) / np.linalg.norm(m + dm, axis=1, keepdims=True) * magnet.moment
        mean_torque = 0.5 * (table.spin_torque_start[k] + table.spin_torque_end[k])
        torque_work = _dot(np.cross(0.5 * (m + new), mean_torque), new - m)
        _book(magnet, table, k, paths, new, torque_work, mean_torque)
    _jump(paths, table.field_jumps[-1])
    return paths


def splitting(magnet: Magnet, table: Tabulation, moment: FloatArray, noise: Noise) -> Paths:
    """Integrate by the splitting; noise(k) gives uniforms, azimuths and signs of step k."""
    paths = _at_rest(moment)
    for k, dt in enumerate(table.durations):
        _jump(paths, table.field_jumps[k])
        H, P = table.field_middle[k], table.spin_torque_middle[k]
        u, azimuth, sign = noise(k)
        s = magnet.damping * magnet.temperature * dt
        before = paths.moment
        first = _deterministic(magnet, H, P, 0.5 * dt, before)
        theta = _diffusion_angle(s, u)
        frame = _frame_along(P)
        second = _turn(first @ frame.T, theta, azimuth) @ frame
        new = _deterministic(magnet, H, P, 0.5 * dt, second)
        chord = np.cross(before, first) + np.cross(second, new)
        arc = np.cross(first, second) * (theta / np.sin(theta) * (1.0 - s / 3.0))[:, None]
        area = magnet.moment * 2.0 * s * sign[:, None] * first
        _book(magnet, table, k, paths, new, (area - chord - arc) @ P, P)
    _jump(paths, table.field_jumps[-1])
    return paths


def exact_ft(magnet: Magnet, table: Tabulation, moment: FloatArray, noise: Noise) -> Paths:
    """Integrate by exact-ft; noise(k) gives uniforms, azimuths and tilts in [-1, 1] of step k."""
    paths = _at_rest(moment)
    nothing = np.zeros(3)
    for k, dt in enumerate(table.durations):
        _jump(paths, table.field_jumps[k])
        H, P = table.field_middle[k], table.spin_torque_middle[k]
        turn = magnet.relaxation_vector(nothing, P), magnet.rotation_vector(H, nothing)
        drift = magnet.relaxation_vector(H, nothing), magnet.rotation_vector(nothing, P)
        uniform, azimuth, tilt = noise(k)
        before, first = _flow(*turn, 0.5 * dt, paths.moment)
        centre, _ = _flow(*drift, 0.5 * dt, before)
        theta = _diffusion_angle(magnet.damping * magnet.temperature * dt, uniform)
        after, _ = _flow(*drift, 0.5 * dt, _turn(centre, theta, azimuth))
        new, second = _flow(*turn, 0.5 * dt, after)
        area = 0.5 * magnet.damping * magnet.moment * dt * ((before + after) @ P)
        bias = area / np.sqrt(1.0 + area**2)
        sign = np.where(tilt < bias, 1.0, -1.0)
        odds = _log_density(magnet, *drift, dt, before, after)
        odds -= _log_density(magnet, *drift, dt, after, before)
        odds += np.log1p(sign * bias) - np.log1p(-sign * bias)
        heat = -magnet.temperature * odds
        gain = paths.moment @ table.field_start[k] - new @ table.field_end[k]
        paths.work += gain - heat
        paths.heat += heat
        paths.pumped_entropy += 2.0 * np.log(first * second)
        paths.moment = new
    _jump(paths, table.field_jumps[-1])
    return paths


def local_euler_maruyama(
    magnet: Magnet, table: Tabulation, moment: FloatArray, noise: Noise
) -> Paths:
    """Integrate by Euler-Maruyama with local fields; noise(k) as in `euler_maruyama`."""
    paths = _at_rest(moment)
    for k, dt in enumerate(table.durations):
        _jump(paths, table.field_jumps[k])
        m, H, P = paths.moment, table.field_start[k], table.spin_torque_start[k]
        sigma = np.sqrt(dt) * noise(k)[0]
        spread = np.sqrt(2.0 * magnet.damping * magnet.temperature)
        ito = 2.0 * magnet.damping * magnet.temperature * m
        dm = (_local_drift(magnet, m, H, P) - ito) * dt + spread * np.cross(m, sigma)
        new = _on_sphere(magnet, m + dm)
        mean_torque = 0.5 * (P + table.spin_torque_end[k])
        here, there = (magnet.local_spin_torque(place, mean_torque) for place in (m, new))
        work = 0.5 * _dot(np.cross(m, here) + np.cross(new, there), new - m)
        _book_local(magnet, table, k, paths, new, work, mean_torque)
    _jump(paths, table.field_jumps[-1])
    return paths


def local_splitting(magnet: Magnet, table: Tabulation, moment: FloatArray, noise: Noise) -> Paths:
    """Integrate by the splitting with local fields; noise(k) as in `splitting`.

    The two half steps of drift between noises are taken one by one.
    """
    paths = _at_rest(moment)
    for k, dt in enumerate(table.durations):
        _jump(paths, table.field_jumps[k])
        H, P = table.field_middle[k], table.spin_torque_middle[k]
        u, azimuth, sign = noise(k)
        s = magnet.damping * magnet.temperature * dt
        before = paths.moment
        first, work_in = _midpoint_rule(magnet, H, P, 0.5 * dt, before)
        theta = _diffusion_angle(s, u)
        second = _turn(first, theta, azimuth)
        new, work_out = _midpoint_rule(magnet, H, P, 0.5 * dt, second)
        mean = 0.5 * (magnet.local_spin_torque(first, P) + magnet.local_spin_torque(second, P))
        arc = theta / np.sin(theta) * (1.0 - s / 3.0)
        work = work_in - arc * _dot(np.cross(first, second), mean) + work_out
        density = magnet.pumped_entropy_rate(first, P) / magnet.gyromagnetic_ratio
        work += magnet.moment * s * sign * density
        _book_local(magnet, table, k, paths, new, work, P)
    _jump(paths, table.field_jumps[-1])
    return paths


def _local_drift(magnet: Magnet, m: FloatArray, H: FloatArray, P: FloatArray) -> FloatArray:
    """dm/dt of the Stratonovich form with local fields; H holds the field of the current."""
    force = magnet.effective_field(m, H) + np.cross(m, magnet.local_spin_torque(m, P))
    turn = np.cross(m, force)
    return np.asarray(-magnet.gyromagnetic_ratio * turn - magnet.damping * np.cross(m, turn))


def _midpoint_rule(
    magnet: Magnet, H: FloatArray, P: FloatArray, dt: float, m: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Drift over dt, and the work of the torque along the chord."""
    middle = _on_sphere(magnet, m + 0.5 * dt * _local_drift(magnet, m, H, P))
    new = _on_sphere(magnet, m + dt * _local_drift(magnet, middle, H, P))
    return new, -_dot(np.cross(m, new), magnet.local_spin_torque(middle, P))


def _on_sphere(magnet: Magnet, m: FloatArray) -> FloatArray:
    return np.asarray(magnet.moment * m / np.linalg.norm(m, axis=1, keepdims=True))


def _book_local(
    magnet: Magnet,
    table: Tabulation,
    k: int,
    paths: Paths,
    new: FloatArray,
    torque_work: FloatArray,
    P: FloatArray,
) -> None:
    """Advance the functionals over step k and replace the moment by the new one."""
    start, end = table.field_start[k], table.field_end[k]
    old, nothing = paths.moment, np.zeros(3)
    paths.work += -(0.5 * (old + new)) @ (end - start) + torque_work
    anisotropic = magnet.energy(new, nothing) - magnet.energy(old, nothing)
    paths.heat += anisotropic - (new - old) @ (0.5 * (start + end)) - torque_work
    rates = magnet.pumped_entropy_rate(old, P) + magnet.pumped_entropy_rate(new, P)
    paths.pumped_entropy += 0.5 * table.durations[k] * rates
    paths.moment = new


def _log_density(
    magnet: Magnet, b: FloatArray, r: FloatArray, dt: float, before: FloatArray, after: FloatArray
) -> FloatArray:
    """ln q(after|before) of drift(dt/2), noise(dt), drift(dt/2), up to a constant."""
    concentration = _concentration(magnet.damping * magnet.temperature * dt)
    centre, _ = _flow(b, r, 0.5 * dt, before)
    place, shrinking = _flow(b, r, -0.5 * dt, after)
    return np.asarray(
        concentration * _dot(centre, place) / magnet.moment**2 - 2.0 * np.log(shrinking)
    )


def _at_rest(moment: FloatArray) -> Paths:
    nothing = np.zeros(len(moment))
    return Paths(moment.copy(), nothing.copy(), nothing.copy(), nothing.copy())


def _jump(paths: Paths, change_of_field: FloatArray) -> None:
    paths.work -= paths.moment @ change_of_field


def _book(
    magnet: Magnet,
    table: Tabulation,
    k: int,
    paths: Paths,
    new: FloatArray,
    torque_work: FloatArray,
    mean_torque: FloatArray,
) -> None:
    """Advance the functionals over step k and replace the moment by the new one."""
    start, end = table.field_start[k], table.field_end[k]
    mean = 0.5 * (paths.moment + new)
    paths.work += -mean @ (end - start) + torque_work
    paths.heat += -(new - paths.moment) @ (0.5 * (start + end)) - torque_work
    paths.pumped_entropy += (
        2.0 * magnet.gyromagnetic_ratio * (mean @ mean_torque) * table.durations[k]
    )
    paths.moment = new


def _deterministic(
    magnet: Magnet, H: FloatArray, P: FloatArray, dt: float, moment: FloatArray
) -> FloatArray:
    """Flow of the deterministic part."""
    return _flow(magnet.relaxation_vector(H, P), magnet.rotation_vector(H, P), dt, moment)[0]


def _flow(
    b: FloatArray, r: FloatArray, dt: float, moment: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Flow of dn = b - n (n.b) + r x n on n = m/|m|: (lambda, lambda n) evolves linearly.

    Returns the moments and lambda.
    """
    from scipy.linalg import expm

    length = np.linalg.norm(moment, axis=1, keepdims=True)
    generator = np.zeros((4, 4))
    generator[0, 1:] = generator[1:, 0] = b
    generator[1:, 1:] = np.cross(r, np.eye(3)).T
    lifted = np.column_stack((np.ones(len(moment)), moment / length)) @ expm(dt * generator).T
    return np.asarray(length * lifted[:, 1:] / lifted[:, :1]), np.asarray(lifted[:, 0])


def _diffusion_angle(s: float, u: FloatArray) -> FloatArray:
    """Angle of the von Mises-Fisher law with <cos theta> = e^(-2s), from uniforms u."""
    kappa = _concentration(s)
    versine = -np.log(np.exp(-2.0 * kappa) + (1.0 - np.exp(-2.0 * kappa)) * u) / kappa
    return np.asarray(2.0 * np.arcsin(np.sqrt(0.5 * versine)))


def _concentration(s: float) -> float:
    """Solve coth(k) - 1/k = e^(-2s)."""
    from scipy.optimize import brentq

    mean = np.exp(-2.0 * s)
    root = brentq(lambda k: 1.0 / np.tanh(k) - 1.0 / k - mean, 1e-6, 2.0 / (1.0 - mean), xtol=1e-15)
    return float(root)


def _tangents(n: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two tangents at each direction: the frame of Duff et al."""
    x, y, z = n.T
    sign = np.copysign(1.0, z)
    a = -1.0 / (sign + z)
    first = np.column_stack((1.0 + sign * x * x * a, sign * x * y * a, -sign * x))
    return first, np.column_stack((x * y * a, sign + y * y * a, -y))


def _frame_along(torque: FloatArray) -> FloatArray:
    """Axes x, y, z, a row each, of a frame with z along the torque; the usual one without it."""
    if not np.any(torque):
        return np.eye(3)
    axis = (torque / np.linalg.norm(torque))[None, :]
    return np.concatenate((*_tangents(axis), axis))


def _turn(moment: FloatArray, theta: FloatArray, azimuth: FloatArray) -> FloatArray:
    """Turn each moment by theta towards an azimuth in the frame of Duff et al."""
    n = moment / np.linalg.norm(moment, axis=1, keepdims=True)
    first, second = _tangents(n)
    towards = np.cos(azimuth)[:, None] * first + np.sin(azimuth)[:, None] * second
    length = np.linalg.norm(moment, axis=1, keepdims=True)
    return np.asarray(np.cos(theta)[:, None] * moment + np.sin(theta)[:, None] * length * towards)


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(np.sum(a * b, axis=1))


def _normals(rng: np.random.Generator, count: int) -> Noise:
    return lambda _k: (rng.standard_normal((count, 3)),)


def _polar(rng: np.random.Generator, count: int) -> Noise:
    def noise(_k: int) -> tuple[FloatArray, ...]:
        u = 1.0 - rng.random(count)
        return u, np.pi * rng.uniform(-1.0, 1.0, count), rng.choice((-1.0, 1.0), count)

    return noise


def _tilted(rng: np.random.Generator, count: int) -> Noise:
    def noise(_k: int) -> tuple[FloatArray, ...]:
        u = 1.0 - rng.random(count)
        return u, np.pi * rng.uniform(-1.0, 1.0, count), rng.uniform(-1.0, 1.0, count)

    return noise


_INTEGRATORS = {
    "euler-maruyama": (euler_maruyama, _normals),
    "splitting": (splitting, _polar),
    "exact-ft": (exact_ft, _tilted),
}
_LOCAL = {"euler-maruyama": local_euler_maruyama, "splitting": local_splitting}
