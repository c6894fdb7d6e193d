"""What depends on the step alone, computed once for the ensemble: one row of constants per step.

Arrays in, arrays out; the layouts are those that `schemes` loads. Fields are H and torques P at the
start, middle and end of each step, shape (steps, 3); h are the durations, shape (steps,).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_TAYLOR_ORDER = 14
_SMALLEST_CONCENTRATION = 1e-6


@dataclass(frozen=True)
class Steps:
    """A magnet's numbers and a table of steps, as bare arrays."""

    moment: float
    gyromagnetic_ratio: float
    damping: float
    temperature: float
    durations: FloatArray
    field: tuple[FloatArray, FloatArray, FloatArray]
    spin_torque: tuple[FloatArray, FloatArray, FloatArray]

    def rotation(self, place: int) -> FloatArray:
        """r = gamma0 H - eta m^2 P at the start (0), middle (1) or end (2), shape (steps, 3)."""
        torque = self.damping * self.moment**2 * self.spin_torque[place]
        return self.gyromagnetic_ratio * self.field[place] - torque

    def relaxation(self, place: int) -> FloatArray:
        """b = eta m H + gamma0 m P at the start (0), middle (1) or end (2), shape (steps, 3)."""
        field = self.damping * self.field[place]
        return self.moment * (field + self.gyromagnetic_ratio * self.spin_torque[place])

    def books(self, mean_torque: FloatArray) -> FloatArray:
        """(m DH/2, m Hbar, gamma0 m h Pbar), shape (steps, 9)."""
        start, _, end = self.field
        half = 0.5 * self.moment
        pumped = (self.gyromagnetic_ratio * self.moment) * self.durations[:, None] * mean_torque
        return np.hstack((half * (end - start), half * (end + start), pumped))


def euler_maruyama(steps: Steps) -> FloatArray:
    """Constants of the Euler-Maruyama scheme, shape (steps, 20)."""
    h = steps.durations[:, None]
    spread = 2.0 * steps.damping * steps.temperature * h
    torque = 0.5 * (steps.spin_torque[0] + steps.spin_torque[2])
    return np.hstack(
        (
            h * steps.relaxation(0),
            h * steps.rotation(0),
            spread,
            np.sqrt(spread),
            steps.moment**2 * torque,
            steps.books(torque),
        )
    )


def splitting(steps: Steps) -> FloatArray:
    """Constants of the splitting scheme, shape (steps, 33)."""
    h = steps.durations[:, None]
    s = steps.damping * steps.temperature * h
    floor, span, inverse = von_mises_fisher_constants(s)
    torque = steps.spin_torque[1]
    return np.hstack(
        (
            moebius_matrices(0.5 * h * steps.relaxation(1), 0.5 * h * steps.rotation(1)),
            floor,
            span,
            inverse,
            1.0 - s / 3.0,
            2.0 * s,
            steps.moment**2 * torque,
            steps.books(torque),
        )
    )


def exact_ft(steps: Steps) -> FloatArray:
    """Constants of the scheme with exact fluctuation theorems, shape (steps, 55)."""
    h, temperature = steps.durations[:, None], steps.temperature
    field, torque = steps.moment * steps.field[1], steps.moment * steps.spin_torque[1]
    turn = 0.5 * h * steps.gyromagnetic_ratio
    relax = 0.5 * h * steps.damping
    reversible, growth = moebius_flow(turn * torque, turn * steps.field[1])
    drift, relaxed_growth = moebius_flow(relax * field, -relax * steps.moment * torque)
    s = steps.damping * temperature * h
    floor, span, inverse = von_mises_fisher_constants(s)
    return np.hstack(
        (
            reversible,
            drift,
            floor,
            span,
            inverse,
            _stiffness(steps, inverse),
            np.full_like(s, 2.0 * temperature),
            4.0 * temperature * relaxed_growth,
            4.0 * growth,
            relax * steps.moment * torque,
            steps.moment * torque,
            1.0 - s / 3.0,
            steps.books(steps.spin_torque[1]),
        )
    )


def _stiffness(steps: Steps, inverse: FloatArray) -> FloatArray:
    """T times the concentration, 1/(2 eta h) at T = 0, and 0 where nothing dissipates."""
    friction = 2.0 * steps.damping * steps.durations[:, None]
    cold = np.divide(1.0, friction, out=np.zeros_like(friction), where=friction > 0.0)
    return np.divide(steps.temperature, inverse, out=cold, where=inverse > 0.0)


def moebius_matrices(b: FloatArray, r: FloatArray) -> FloatArray:
    """exp [[0, b], [b, r x]] up to a positive factor, row by row: shape (steps, 16).

    The factor drops out of n' = (lambda n')/lambda.
    """
    return moebius_flow(b, r)[0]


def moebius_flow(b: FloatArray, r: FloatArray) -> tuple[FloatArray, FloatArray]:
    """exp [[0, b], [b, r x]] over e^c, row by row, and c: shapes (steps, 16) and (steps, 1).

    Scaling, a Taylor series and squaring; the factor keeps strong fields from overflowing.
    """
    generator = np.zeros((b.shape[0], 4, 4))
    generator[:, 0, 1:] = generator[:, 1:, 0] = b
    generator[:, 1, 2], generator[:, 2, 1] = -r[:, 2], r[:, 2]
    generator[:, 1, 3], generator[:, 3, 1] = r[:, 1], -r[:, 1]
    generator[:, 2, 3], generator[:, 3, 2] = -r[:, 0], r[:, 0]
    size = float(np.abs(generator).sum(axis=2).max(initial=0.0))
    squarings = max(0, int(np.ceil(np.log2(size / 0.5)))) if size > 0.0 else 0
    generator *= 0.5**squarings
    term = np.broadcast_to(np.eye(4), generator.shape)
    total = term.copy()
    for order in range(1, _TAYLOR_ORDER + 1):
        term = term @ generator / order
        total += term
    logarithm = np.zeros(b.shape[0])
    for _ in range(squarings):
        total = total @ total
        logarithm = 2.0 * logarithm + np.log(total[:, 0, 0])
        total /= total[:, :1, :1]
    return total.reshape(-1, 16), logarithm[:, None]


def von_mises_fisher_constants(s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(e^-2k, 1 - e^-2k, 1/k) with the concentration k at which <cos theta> = e^(-2 s).

    With u uniform in (0, 1], 1 - cos theta = -ln(e^-2k + (1 - e^-2k) u)/k follows the von
    Mises-Fisher law exactly. s = 0 gives theta = 0; concentrations below 1e-6 (s > 7) are
    indistinguishable from the uniform law and set to 1e-6.
    """
    mean = np.exp(-2.0 * s)
    versine = -np.expm1(-2.0 * s)
    with np.errstate(divide="ignore"):
        k = np.where(s > 0.0, 1.0 / versine, np.inf)
    broad = k < 20.0
    if np.any(broad):
        k[broad] = _concentration(mean[broad])
    k = np.maximum(k, _SMALLEST_CONCENTRATION)
    return np.exp(-2.0 * k), -np.expm1(-2.0 * k), 1.0 / k


def _concentration(mean: FloatArray) -> FloatArray:
    """Solve coth k - 1/k = mean by Newton's method, for mean in (0, 0.95]."""
    k = mean * (3.0 - mean**2) / (1.0 - mean**2)
    for _ in range(12):
        small = k < 1e-2
        safe = np.where(small, 1.0, k)
        langevin = np.where(small, k / 3.0 - k**3 / 45.0, 1.0 / np.tanh(safe) - 1.0 / safe)
        exact_slope = 1.0 / safe**2 - 1.0 / np.sinh(np.minimum(safe, 300.0)) ** 2
        slope = np.where(small, 1.0 / 3.0 - k**2 / 15.0, exact_slope)
        k = np.maximum(k - (langevin - mean) / slope, 0.0)
    return k
