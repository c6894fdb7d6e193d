r"""Write-error rates: how often a pulse leaves a bit as it was.

A bit rests in equilibrium in one of two wells, n·a > 0 or n·a < 0. A pulse of field and current is
to turn it over; the write error is the probability that n·a has kept its sign when the pulse ends,

.. math:: W(t) = \int p_0(c)\, u(c, t)\, dc, \qquad \dot u = \mathcal L u,
   \quad u(c, 0) = \theta(c),

with the backward generator of the pulse (`cosine`) and the density p₀ of the well before it.
Without a common axis c gives way to the direction n and the ranges of c to hemispheres (`sphere`).
Paths
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
from spintherm.fokker_planck.harmonics import Basis
from spintherm.fokker_planck.wells import BitState
from spintherm.magnet import Magnet
from spintherm.switching import bit, sphere
from spintherm.switching.cosine import CosineEquation, propagators
from spintherm.validation import FloatArray

if TYPE_CHECKING:
    import xarray as xr

_LARGEST_SIZE = 1600
_FIRST_SIZE = 48


def write_error_rate(
    magnet: Magnet,
    pulse_lengths: ArrayLike,
    *,
    spin_torque: ArrayLike,
    field: ArrayLike = (0.0, 0.0, 0.0),
    resting_field: ArrayLike = (0.0, 0.0, 0.0),
    initial: str = "parallel",
    axis: ArrayLike | None = None,
    tolerance: float = 1e-6,
) -> xr.Dataset:
    """Return the probability that a rectangular pulse does not turn a bit over.

    Parameters
    ----------
    magnet : Magnet
        Any, with damping and temperature above zero. If anisotropy, polarisers, field and torque
        share an axis, polynomials of the cosine suffice; else spherical harmonics are taken.
    pulse_lengths : array_like, shape (L,)
        Increasing, above zero.
    spin_torque : array_like, shape (3,) or (C, 3)
        P during the pulse; more than one gives a dimension ``current``.
    field : array_like, shape (3,)
        H during the pulse.
    resting_field : array_like, shape (3,)
        H before it, in which the bit is in equilibrium within its well.
    initial : str
        "parallel" if the bit starts with n·a > 0, "antiparallel" if with n·a < 0: in equilibrium
        at `resting_field` within that hemisphere.
    axis : array_like, shape (3,), optional
        a; by default along the first polariser if the anisotropy has the same axis or none, else
        the easy axis on the polariser's side (give it where there are several), and without
        polarisers the anisotropy's axis or the field's.
    tolerance : float
        Largest relative error.

    Returns
    -------
    xarray.Dataset
        ``write_error_rate`` (current, pulse_length) and ``write_error_rate_error``, an estimate of
        its error: the change from a smaller number of polynomials or harmonics, plus rounding.

    Raises
    ------
    TypeError, ValueError
        If an argument is refused.
    ResolutionError
        If 1600 polynomials, or 25 000 harmonics, do not suffice.

    Notes
    -----
    Rounding is relative to what is left of the pulse, so that there is no smallest rate as long as
    the steady state of the pulse hardly visits the well: 65 digits below one both equations
    agree to 1e-10 for a barrier of 30 T, and along one axis 1e-206 has been followed. Off the axis
    that steady state is known to about 1e-15 of one where torque and precession work against each
    other; answers that differ by it between truncations are refused.
    """
    import xarray as xr

    lengths, torques = bit.pulse_lengths(pulse_lengths), bit.spin_torques(spin_torque)
    sense = bit.sign_of_well("initial", initial)
    limit = validation.finite_scalar("tolerance", tolerance, positive=True)
    H, before = validation.vector("field", field), validation.vector("resting_field", resting_field)
    a = bit.axis_of(magnet, axis, H, *np.atleast_2d(torques))
    whole = bit.along(magnet, a)
    rows = []
    for torque in np.atleast_2d(torques):
        if bit.has_common_axis(whole, a, H, before, torque):
            rest = AxialMagnet(whole, before)
            rows.append(_errors(AxialMagnet(whole, H, torque), rest, lengths, sense * a, limit))
        else:
            state = BitState(magnet, a, H, torque, sphere.pole_of(magnet, a))
            rested = BitState(magnet, a, before)
            rows.append(_errors_on_sphere(state, rested, lengths, sense, limit))
    rates, errors = (np.array(part) for part in zip(*rows, strict=True))
    dims: tuple[str, ...] = ("current", "pulse_length")
    if torques.ndim == 1:
        dims, rates, errors = dims[1:], rates[0], errors[0]
    coordinates: dict[str, object] = {
        "pulse_length": ("pulse_length", lengths, {"long_name": "length of the pulse"})
    }
    if torques.ndim == 2:
        coordinates["current"] = bit.currents(magnet, torques, a)
    return xr.Dataset(
        {
            "write_error_rate": (dims, rates, {"long_name": "write-error rate"}),
            "write_error_rate_error": (dims, errors, {"long_name": "its numerical error"}),
        },
        coords=coordinates,
        attrs={"initial": initial, "tolerance": limit},
    )


def _errors(
    pulse: AxialMagnet,
    rest: AxialMagnet,
    lengths: FloatArray,
    initial: FloatArray,
    tolerance: float,
) -> tuple[FloatArray, FloatArray]:
    """Write-error rates at every pulse length, with errors; `initial` points into the well."""
    # the axis of the problem may point against that of the polariser
    side = float(np.sign(initial @ pulse.axis))
    size = _FIRST_SIZE + int(6.0 * np.sqrt(pulse.span))
    if int(1.4 * size) > _LARGEST_SIZE:
        raise ResolutionError(
            f"the logarithm of the pulse's steady density varies by {pulse.span:.3g}: write-error "
            f"rates would need {size} polynomials and more, above {_LARGEST_SIZE}; expected weaker "
            "fields and torques, in reduced units, or a higher temperature"
        )
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
        f"between numbers of polynomials up to {_LARGEST_SIZE}; the smallest is "
        f"{np.min(np.abs(rates)):.0e}; expected pulses of which all are longer, or that end where "
        "the steady state of the pulse is reached, or a larger tolerance"
    )


def _errors_on_sphere(
    pulse: BitState, rest: BitState, lengths: FloatArray, side: float, tolerance: float
) -> tuple[FloatArray, FloatArray]:
    """Write-error rates at every pulse length, with errors, of any magnet."""

    def compute(basis: Basis) -> tuple[sphere.Remaining, float, float]:
        found = sphere.remaining(pulse, rest, lengths, side, side, basis)
        return found, found.of_degree, found.of_order

    def change(one: sphere.Remaining, other: sphere.Remaining) -> float:
        with np.errstate(divide="ignore", invalid="ignore"):
            worst = float(np.max(np.abs(one.values - other.values) / one.values))
        return worst if np.all(one.values > 0.0) else np.inf

    what = "write-error rates"
    found, error = sphere.settled(compute, change, sphere.first_basis(pulse), tolerance, what)
    return found.values, (error + sphere.ROUNDING) * found.values


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
    equation = CosineEquation(pulse, size)
    well = bit.well(side)
    start = equation.means(rest, *(within or well))
    kept = equation.step_function()
    if side < 0.0:
        kept = -kept
        kept[0] += 1.0
    final = pulse.probability(*well)
    u, rates = kept, []
    # the constant's eigenvalue is zero: all that decays must stay above the rounding of one
    for step, count in propagators(equation.generator, lengths, pulse.fastest_rate):
        for _ in range(count):
            u = step @ u
            # the constant never decays: put right what rounding has added to it
            u[0] += final - float(equation.stationary @ u)
        rates.append(float(start @ u))
    return np.array(rates)
