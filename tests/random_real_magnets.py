"""Random magnets with anisotropy and polarisers, and protocols for them, for tests.

Two families: `random_real_process` has a cubic energy and up to two unlike polarisers;
`random_driven_magnet` has a general quartic one and keeps both engines to seconds a magnet.
"""

import numpy as np

from spintherm import Magnet, Protocol, Pulse, Ramp, Triangle
from spintherm.energies import Anisotropy, exponents
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


def random_driven_magnet(seed: int) -> tuple[Magnet, Protocol]:
    """Return a magnet with everything tilted, and a protocol that drives H and P.

    Quadratic and, every other time, quartic anisotropy of a few T; one polariser with
    Slonczewski's efficiency, every third time a second one with a polynomial efficiency and a
    field-like torque; no parameter is 1. Every fourth protocol has jumps.
    """
    random = np.random.default_rng([20261121, seed])
    moment, gamma, T = random.uniform(0.6, 1.7, 3)
    eta = random.uniform(0.2, 0.8)
    matrix = random.normal(size=(3, 3))
    energy = Anisotropy.quadratic_form(0.4 * T * (matrix + matrix.T))
    if seed % 2:
        quartic = {key: 0.3 * T * random.normal() for key in exponents(4)}
        energy = energy + Anisotropy.polynomial(quartic)
    first, second = random.normal(size=(2, 3))
    polarisers = [
        Polariser(first, TorqueEfficiency.slonczewski(random.uniform(1.1, 2.2)), field_like=0.3)
    ]
    if seed % 3 == 0:
        efficiency = TorqueEfficiency.polynomial(random.uniform(-0.6, 0.6, 3))
        polarisers.append(Polariser(second, efficiency, -0.7, field_like=-0.4))
    magnet = Magnet(moment, gamma, eta, T, anisotropy=energy, polarisers=tuple(polarisers))
    duration = random.uniform(0.2, 0.5)
    start, stop = random.uniform(-1.2, 1.2, (2, 3))
    peak = random.uniform(0.4, 1.0) * polarisers[0].vector
    field, torque = Ramp(start, stop, duration), Triangle(peak, duration)
    if seed % 4 == 0:
        begin, end = duration * np.sort(random.uniform(0.1, 0.9, 2))
        field = field + Pulse(random.uniform(-1, 1, 3), begin, end)
        torque = torque + Pulse(-0.6 * peak, begin, end)
    return magnet, Protocol(duration, field, torque)
