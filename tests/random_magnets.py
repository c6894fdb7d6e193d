"""Random magnets with anisotropy and polarisers, and tilted protocols for them, for tests."""

import numpy as np

from spintherm import (
    Anisotropy,
    Magnet,
    Polariser,
    Protocol,
    Pulse,
    Ramp,
    TorqueEfficiency,
    Triangle,
)
from spintherm.energies import exponents


def random_magnet(seed: int) -> tuple[Magnet, Protocol]:
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
