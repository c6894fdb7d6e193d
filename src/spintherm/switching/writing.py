r"""Write-error rates: how often a pulse leaves a bit as it was.

A bit rests in equilibrium in one of two wells, n·a > 0 or n·a < 0. A pulse of field and current is
to turn it over; the write error is the probability that n·a has kept its sign when the pulse ends,

.. math:: W(t) = \int p_0(c)\, u(c, t)\, dc, \qquad \dot u = \mathcal L u,
   \quad u(c, 0) = \theta(c),

with the backward generator of the pulse (`cosine`) and the density p₀ of the well before it. Paths
that start at the pole, where no torque acts, turn over last: they are what is left of a long pulse
(Butler et al., IEEE Trans. Magn. 48, 4684 (2012)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spintherm import validation
from spintherm.exact import AxialMagnet
from spintherm.fokker_planck.generator import ResolutionError
from spintherm.magnet import Magnet
from spintherm.switching.cosine import CosineEquation
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

_LARGEST_SIZE = 1600
_SAME = 1e-12
_FIRST_SIZE = 48
_DECAY_OF_A_STEP = 4.0


def write_error_rate(
    magnet: Magnet,
    pulse_lengths: ArrayLike,
    *,
    spin_torque: ArrayLike,
    field: ArrayLike = (0.0, 0.0, 0.0),
    resting_field: ArrayLike = (0.0, 0.0, 0.0),
    initial: str = "parallel",
    tolerance: float = 1e-6,
) -> xr.Dataset:
    """Return the probability that a rectangular pulse does not turn a bit over.

    Parameters
    ----------
    magnet : Magnet
        With a common axis of anisotropy, polarisers, field and torque.
    pulse_lengths : array_like, shape (L,)
        Increasing, above zero.
    spin_torque : array_like, shape (3,) or (C, 3)
        P during the pulse; more than one gives a dimension ``current``.
    field : array_like, shape (3,)
        H during the pulse.
    resting_field : array_like, shape (3,)
        H before it, in which the bit is in equilibrium within its well.
    initial : str
        "parallel" if the bit starts with n·a > 0, "antiparallel" if with n·a < 0. The axis a is
        that of the first polariser, or of `AxialMagnet`.
    tolerance : float
        Largest relative error.

    Returns
    -------
    xarray.Dataset
        ``write_error_rate`` (current, pulse_length) and ``write_error_rate_error``, an estimate of
        its error: the change from a smaller number of polynomials, plus rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused or there is no common axis.
    ResolutionError
        If 1600 polynomials do not suffice.
    """
    import xarray as xr

    lengths = validation.increasing_times("pulse_lengths", pulse_lengths)
    if lengths[0] <= 0.0:
        raise ValueError(validation.complaint("pulse_lengths", lengths, "times above zero"))
    torques = validation.vectors("spin_torque", spin_torque)
    if torques.ndim > 2:
        raise ValueError(validation.complaint("spin_torque", torques, "shape (3,) or (C, 3)"))
    if initial not in ("parallel", "antiparallel"):
        raise ValueError(validation.complaint("initial", initial, "'parallel' or 'antiparallel'"))
    limit = validation.finite_scalar("tolerance", tolerance, positive=True)
    sense = 1.0 if initial == "parallel" else -1.0
    rows = [
        _errors(magnet, lengths, torque, field, resting_field, sense, limit)
        for torque in np.atleast_2d(torques)
    ]
    rates, errors = (np.array(part) for part in zip(*rows, strict=True))
    dims: tuple[str, ...] = ("current", "pulse_length")
    if torques.ndim == 1:
        dims, rates, errors = dims[1:], rates[0], errors[0]
    coordinates: dict[str, object] = {
        "pulse_length": ("pulse_length", lengths, {"long_name": "length of the pulse"})
    }
    if torques.ndim == 2:
        axis = _axis(magnet, torques[0], field)
        amplitude = torques @ axis
        coordinates["current"] = ("current", amplitude, {"long_name": "spin torque P·a"})
    return xr.Dataset(
        {
            "write_error_rate": (dims, rates, {"long_name": "write-error rate"}),
            "write_error_rate_error": (dims, errors, {"long_name": "its numerical error"}),
        },
        coords=coordinates,
        attrs={"initial": initial, "tolerance": limit},
    )


def _axis(magnet: Magnet, torque: FloatArray, field: ArrayLike) -> FloatArray:
    if magnet.polarisers:
        return magnet.polarisers[0].vector
    return AxialMagnet(magnet, field, torque).axis


def _errors(
    magnet: Magnet,
    lengths: FloatArray,
    torque: FloatArray,
    field: ArrayLike,
    resting_field: ArrayLike,
    sense: float,
    tolerance: float,
) -> tuple[FloatArray, FloatArray]:
    """Write-error rates at every pulse length, with errors."""
    pulse, rest = AxialMagnet(magnet, field, torque), AxialMagnet(magnet, resting_field)
    # the axis of the problem may point against that of the polariser
    side = sense * float(np.sign(_axis(magnet, torque, field) @ pulse.axis))
    spread = float(np.ptp(pulse.log_density(np.linspace(-1.0, 1.0, 501))))
    size = _FIRST_SIZE + int(6.0 * np.sqrt(spread))
    previous = None
    while size <= _LARGEST_SIZE:
        rates = remaining(pulse, rest, lengths, side, size)
        if previous is not None:
            errors = np.abs(rates - previous) + 1e-12 * rates
            if np.all(errors <= tolerance * rates):
                return rates, errors
        previous, size = rates, int(1.4 * size)
    raise ResolutionError(
        f"write-error rates keep a relative change of {np.max(errors / np.abs(rates)):.0e} "
        f"between numbers of polynomials up to {_LARGEST_SIZE}; expected longer pulses or a "
        "larger tolerance"
    )


def remaining(
    pulse: AxialMagnet,
    rest: AxialMagnet,
    lengths: FloatArray,
    side: float,
    size: int,
    within: tuple[float, float] | None = None,
) -> FloatArray:
    """Return the probability of a well after pulses of several lengths, with small ones' digits.

    Parameters
    ----------
    pulse, rest : AxialMagnet
        During the pulse and before it; of one axis.
    lengths : ndarray, shape (L,)
        Increasing, above zero.
    side : float
        Which well: the sign of c = n·a.
    size : int
        Number of polynomials.
    within : tuple of two floats, optional
        Cosines between which the magnet is in equilibrium before the pulse; those of the same well
        by default.

    Returns
    -------
    ndarray, shape (L,)
    """
    from scipy.linalg import expm

    equation = CosineEquation(pulse, size)
    well = (0.0, 1.0) if side > 0.0 else (-1.0, 0.0)
    start = equation.means(rest, *(within or well))
    kept = equation.step_function()
    if side < 0.0:
        kept = -kept
        kept[0] += 1.0
    c, weights = pulse.nodes(*well)
    final = float(weights @ pulse.density(c))
    u, rates = kept, []
    before, last, step, count = 0.0, 0.0, np.eye(size), 1
    for length in lengths.tolist():
        if abs(length - before - last) > _SAME * length:
            last = length - before
            # a matrix exponential is good to rounding of one, the constant's eigenvalue: its steps
            # must not be so long that all else falls below that
            count = 1 + int(last * pulse.fastest_rate / _DECAY_OF_A_STEP)
            step = expm(last / count * equation.generator)
        for _ in range(count):
            u = step @ u
            # the constant never decays: put right what rounding has added to it
            u[0] += final - float(equation.stationary @ u)
        before = length
        rates.append(float(start @ u))
    return np.array(rates)
