"""Random magnets and protocols, tilted, with unequal directions and with jumps, for tests."""

import numpy as np

from spintherm import Magnet, Protocol, Pulse, Ramp, Sine, Triangle


def random_process(seed: int) -> tuple[Magnet, Protocol]:
    """Return a magnet none of whose parameters is 1, and a protocol with a tilted H and P.

    Every other one has jumps of H and P; the torque is never along the field.
    """
    random = np.random.default_rng([20260714, seed])
    moment, rate, temperature = random.uniform(0.6, 1.8, 3)
    magnet = Magnet(moment, rate, random.uniform(0.2, 0.9), temperature)
    duration = random.uniform(0.4, 1.3)
    start, stop, peak, other = random.uniform(-1.2, 1.2, (4, 3))
    field, torque = Ramp(start, stop, duration), Triangle(peak, duration)
    if seed % 2:
        begin, end = duration * np.sort(random.uniform(0.1, 0.9, 2))
        return magnet, Protocol(
            duration, field + Pulse(other, begin, end), torque + Pulse(other[::-1], begin, end)
        )
    turning = Sine(0.5 * other, random.uniform(0.3, 1.0))
    return magnet, Protocol(duration, field + turning, torque)
