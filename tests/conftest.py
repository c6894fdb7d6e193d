"""Magnets and protocols that many tests share: unlike the papers', nothing parallel or equal."""

import pytest

from spintherm import Magnet, Protocol, Pulse, Ramp, Sine, Triangle


@pytest.fixture
def magnet() -> Magnet:
    return Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)


@pytest.fixture
def protocol() -> Protocol:
    """Tilted, unequal directions; smooth parts and jumps of both field and torque."""
    return Protocol(
        0.9,
        Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), 0.9) + Pulse((0.2, 0.5, -0.6), 0.31, 0.7),
        Triangle((0.4, 0.8, -0.7), 0.9)
        + Pulse((-0.3, 0.1, 0.2), 0.5, 1.2)
        + Sine((0.1, 0, 0.2), 2),
    )
