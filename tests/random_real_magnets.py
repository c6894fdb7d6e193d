"""Random magnets with anisotropy and polarisers, and protocols for them, for tests."""

import numpy as np

from spintherm import Magnet, Protocol, Pulse, Ramp, Triangle
from spintherm.energies import Anisotropy
from spintherm.torques import Polariser, TorqueEfficiency


def random_rotation(random):
    q, r = np.linalg.qr(random.normal(size=(3, 3)))
    q = q * np.sign(np.diag(r))
    return q if np.linalg.det(q) > 0.0 else -q


def random_magnet(seed: int, *, polarisers: int = 2) -> Magnet:
    """Return a magnet none of whose parameters is 1: a quadratic and a quartic energy, tilted
    against each other, and polarisers of unlike efficiencies, one with a field-like torque."""
    random = np.random.default_rng([20260715, seed])
    moment, rate, temperature = random.uniform(0.6, 1.8, 3)
    energy = Anisotropy.quadratic_form(temperature * random.uniform(-0.9, 0.9, (3, 3)))
    energy = energy + Anisotropy.cubic(
        temperature * random.uniform(-0.8, 0.8), axes=random_rotation(random)
    )
    efficiencies = (
        TorqueEfficiency.slonczewski(random.uniform(1.1, 1.35)),
        TorqueEfficiency.polynomial(random.uniform(-0.8, 0.8, 3)),
    )
    chosen = tuple(
        Polariser(random.normal(size=3), g, random.uniform(0.5, 1.2), random.uniform(-0.6, 0.6))
        for g in efficiencies[2 - polarisers :]
    )
    return Magnet(moment, rate, random.uniform(0.2, 0.9), temperature, energy, chosen)


def random_real_process(seed: int, *, polarisers: int = 2) -> tuple[Magnet, Protocol]:
    """Return such a magnet and a protocol with a turning field, both with jumps if seed is odd."""
    magnet = random_magnet(seed, polarisers=polarisers)
    random = np.random.default_rng([20260716, seed])
    duration = random.uniform(0.3, 0.8)
    start, stop, other = random.uniform(-0.8, 0.8, (3, 3))
    p = magnet.polarisers[0].vector
    field, torque = Ramp(start, stop, duration), Triangle(random.uniform(0.3, 0.9) * p, duration)
    if seed % 2:
        begin, end = duration * np.sort(random.uniform(0.1, 0.9, 2))
        field = field + Pulse(other, begin, end)
        ends = random.uniform(-0.7, 0.7, 2)
        torque = Ramp(ends[0] * p, ends[1] * p, duration)  # on before and after: so is its field
        torque = torque + Pulse(random.uniform(-0.6, 0.6) * p, begin, end)
    return magnet, Protocol(duration, field, torque)
