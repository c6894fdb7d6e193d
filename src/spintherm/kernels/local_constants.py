"""What depends on the step alone where H_eff and P depend on the direction: `constants` once more.

The layouts are those that `local_schemes` loads.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spintherm.kernels.constants import Steps, von_mises_fisher_constants
from spintherm.kernels.constants import exact_ft as uniform_exact_ft

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class LocalSteps:
    """A table of steps whose fields hold the field-like torque, and how the torque is split.

    P(n) is `uniform` plus `amplitude` times what the kernel's polarisers make of n; both at the
    start, middle and end of each step, shapes (steps, 3) and (steps,).
    """

    steps: Steps
    uniform: tuple[FloatArray, FloatArray, FloatArray]
    amplitude: tuple[FloatArray, FloatArray, FloatArray]

    def fields(self, place: int, unit: FloatArray) -> FloatArray:
        """Fields at one place in the unit of time u, shape (steps, 9).

        u gamma0 H, -u gamma0/m of the energy's polynomials, u gamma0 m P (uniform part, amplitude)
        and delta = eta m/gamma0.
        """
        moment, rate = self.steps.moment, self.steps.gyromagnetic_ratio
        turn = rate * unit[:, None]
        return np.hstack(
            (
                turn * self.steps.field[place],
                -turn / moment,
                moment * turn * self.uniform[place],
                moment * turn * self.amplitude[place][:, None],
                np.full_like(turn, self.steps.damping * moment / rate),
            )
        )

    @property
    def books(self) -> FloatArray:
        """(m DH/2, m Hbar), shape (steps, 6)."""
        start, _, end = self.steps.field
        half = 0.5 * self.steps.moment
        return np.hstack((half * (end - start), half * (end + start)))


def splitting(local: LocalSteps) -> FloatArray:
    """Constants of the splitting scheme, shape (steps, 29)."""
    steps = local.steps
    h = steps.durations
    s = (steps.damping * steps.temperature * h)[:, None]
    floor, span, inverse = von_mises_fisher_constants(s)
    torque_work = (4.0 * steps.moment / (steps.gyromagnetic_ratio * h))[:, None]
    own = local.fields(1, 0.25 * h)
    across = own[:, :8].copy()
    across[1:] += own[:-1, :8]
    return np.hstack(
        (
            own,
            across,
            floor,
            span,
            inverse,
            0.5 - s / 6.0,
            torque_work,
            0.5 * s * torque_work,
            local.books,
        )
    )


def euler_maruyama(local: LocalSteps) -> FloatArray:
    """Constants of the Euler-Maruyama scheme, shape (steps, 22)."""
    steps = local.steps
    h = steps.durations[:, None]
    spread = 2.0 * steps.damping * steps.temperature * h
    square = steps.moment**2
    return np.hstack(
        (
            local.fields(0, steps.durations),
            spread,
            np.sqrt(spread),
            0.5 * square * (local.uniform[0] + local.uniform[2]),
            0.5 * square * (local.amplitude[0] + local.amplitude[2])[:, None],
            0.5 * steps.gyromagnetic_ratio * h / steps.moment,
            local.books,
        )
    )


def exact_ft(local: LocalSteps) -> FloatArray:
    """Constants of the scheme with exact fluctuation theorems, shape (steps, 61).

    Those of uniform fields, then what multiplies the functions of one axis: of R those of the
    energy and of the polarisers, of D likewise, and P0 in the Levy area and in the torque's work.
    """
    steps, amplitude = local.steps, local.amplitude[1][:, None]
    half = 0.5 * steps.durations[:, None]
    moment, rate, damping = steps.moment, steps.gyromagnetic_ratio, steps.damping
    area = damping * moment**2 * half * amplitude
    return np.hstack(
        (
            uniform_exact_ft(replace(steps, spin_torque=local.uniform)),
            -rate / moment * half,
            rate * moment * half * amplitude,
            -damping * half,
            -area,
            area,
            moment**2 * amplitude,
        )
    )
