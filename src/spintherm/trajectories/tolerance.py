"""How many steps a run needs, so that its step bias hides behind its statistical error.

A ladder of pilots: paths are walked with n and with 2n steps under the same noise (`ladder`), n
doubling from rung to rung. Each measures the bias of the means at n, C/n^p, and the standard
deviation of each quantity; the number of steps at which the bias is small enough follows from the
power law, and is taken once it is no more than four times n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spintherm import validation
from spintherm.magnet import Magnet
from spintherm.protocol import Protocol
from spintherm.trajectories.bias import ESTIMATES
from spintherm.trajectories.engine import Scheme
from spintherm.trajectories.initial import Initial
from spintherm.trajectories.ladder import DIFFERENCE, FINE, Ladder, Sums

FloatArray = NDArray[np.float64]

MOST_STEPS = 1_000_000
_REACH = 4.0
_PILOT, _MOST_PILOT = 2048, 1 << 19
_SHARE = 8  # a pilot has no more than an eighth of the trajectories (but at least _PILOT)
_SHARP = 0.3  # error of the bias, as a fraction of it, that a larger pilot need not improve
_ROUNDING = 1e-12
_ASYMPTOTIC = 3  # rung from which the power law is trusted to tell that there is no hope


@dataclass(frozen=True)
class Choice:
    """The number of steps, and why: the estimate that asks for most, and its expected ratio.

    `ratio` is (|bias| + its standard error) / standard error of the mean, at `steps`.
    """

    tolerance: float
    steps: int
    estimate: str
    ratio: float


def choose_steps(
    magnet: Magnet,
    protocol: Protocol,
    scheme: Scheme,
    initial: Initial,
    *,
    tolerance: float,
    trajectories: int,
    seed: int,
    threads: int,
) -> Choice:
    """Return the smallest number of steps whose bias is within a tolerance.

    For each of the means in `bias.ESTIMATES`, |bias| + its standard error is at most `tolerance`
    times the standard error of the mean of `trajectories` paths, both estimated by the pilot.

    Parameters
    ----------
    magnet, protocol, scheme, initial
        The run.
    tolerance : float
        Allowed bias in standard errors of the means, positive.
    trajectories : int
        Number of trajectories of the run.
    seed : int
        Seed of the run; the pilots' random numbers are their own.
    threads : int
        Number of threads; the choice does not depend on it.

    Returns
    -------
    Choice
        The number of steps and what decided it.

    Raises
    ------
    TypeError, ValueError
        If the tolerance is refused, the temperature is zero, or more than a million steps would be
        needed.
    """
    allowed = validation.finite_scalar("tolerance", tolerance, positive=True)
    if magnet.temperature == 0.0:
        raise ValueError(
            f"tolerance={tolerance} at temperature zero, where means have no statistical error: "
            "expected a temperature > 0, or steps"
        )
    ladder = Ladder(magnet, protocol, scheme, initial, seed)
    most = _MOST_PILOT if initial.name != "array" else min(_MOST_PILOT, trajectories)
    most = min(most, max(trajectories // _SHARE, _PILOT))
    wish = _Wish(ladder, allowed, trajectories, most, threads)
    rung, before = 1, None
    while True:
        pilot = _pilot(wish, rung)
        choice = _choice(wish, rung, pilot, before)
        if choice.steps <= min(_REACH * ladder.steps(rung - 1), MOST_STEPS):
            return choice
        last = _REACH * ladder.steps(rung - 1) > MOST_STEPS
        if last or (rung >= _ASYMPTOTIC and wish.least_steps(rung, pilot) > _REACH * MOST_STEPS):
            break
        rung, before = rung + 1, pilot
    raise ValueError(
        f"tolerance={tolerance} with trajectories={trajectories}: not reached with {MOST_STEPS} "
        f"steps, for the bias of {choice.estimate} would need {choice.steps}; expected a larger "
        "tolerance, fewer trajectories or a scheme of higher order"
    )


@dataclass(frozen=True)
class _Wish:
    ladder: Ladder
    tolerance: float
    trajectories: int
    most: int
    threads: int

    def limits(self, pilot: Sums) -> FloatArray:
        """Allowed |bias| + error of each mean, shape (6,)."""
        error = np.sqrt(pilot.variance[FINE] / self.trajectories)
        rounding = _ROUNDING * (1.0 + np.abs(pilot.mean[FINE]))
        return np.asarray(self.tolerance * error + rounding)

    def bias(self, pilot: Sums) -> tuple[FloatArray, FloatArray]:
        """|bias| of each mean at the pilot's coarser steps, and its error; shape (6,)."""
        scale = 1.0 / (1.0 - 2.0**-self.ladder.scheme.order)
        return scale * np.abs(pilot.mean[DIFFERENCE]), scale * pilot.error[DIFFERENCE]

    def steps(self, rung: int, ratio: FloatArray) -> FloatArray:
        """Steps at which a bias `ratio` times too large at the pilot's coarser steps is right."""
        order = self.ladder.scheme.order
        return np.asarray(self.ladder.steps(rung - 1) * np.maximum(ratio, 0.0) ** (1.0 / order))

    def least_steps(self, rung: int, pilot: Sums) -> float:
        """Steps needed if the bias were smaller by three of its errors."""
        bias, error = self.bias(pilot)
        return float(np.max(self.steps(rung, (bias - 3.0 * error) / self.limits(pilot))))


def _pilot(wish: _Wish, rung: int) -> Sums:
    """Sample a pair of rungs until its biases are sharp, small enough or hopeless."""
    pilot = _more(wish, rung, None, min(_PILOT, wish.most))
    reach = _REACH * wish.ladder.steps(rung - 1)
    while pilot.count < wish.most:
        limits, (bias, error) = wish.limits(pilot), wish.bias(pilot)
        hopeless = wish.least_steps(rung, pilot) > reach
        blurred = (error > _SHARP * bias) & (bias + error > limits)
        if hopeless or not np.any(blurred):
            break
        pilot = _more(wish, rung, pilot, min(4 * pilot.count, wish.most))
    return pilot


def _more(wish: _Wish, rung: int, pilot: Sums | None, count: int) -> Sums:
    have = 0 if pilot is None else pilot.count
    fresh = wish.ladder.coupled(rung, have, count - have, wish.threads, lambda _done: None)
    return fresh if pilot is None else pilot + fresh


def _choice(wish: _Wish, rung: int, pilot: Sums, before: Sums | None) -> Choice:
    """Return the steps that the power law demands.

    A bias that vanishes by chance, between two powers of the step, is caught by the one before.
    """
    bias, error = wish.bias(pilot)
    if before is not None:
        earlier, doubt = wish.bias(before)
        bias = np.maximum(bias, (earlier - 2.0 * doubt) / 2.0**wish.ladder.scheme.order)
    ratio = (bias + error) / wish.limits(pilot)
    worst = int(np.argmax(ratio))
    steps = max(wish.ladder.steps(rung - 1), int(np.ceil(wish.steps(rung, ratio)[worst])))
    shrink = (wish.ladder.steps(rung - 1) / steps) ** wish.ladder.scheme.order
    return Choice(
        wish.tolerance, steps, ESTIMATES[worst], float(wish.tolerance * ratio[worst] * shrink)
    )
