"""Weak order of `splitting` with anisotropy and polarisers, jointly in n, W and S_P, by quadrature.

The exact values come from the tilted generator of `real_magnets_oracle`; what advances n is the
compiled kernel. m, gamma0 and T differ from one, fields, polarisers and crystal axes are tilted.
"""

from functools import cache

import numpy as np
import pytest

from one_step_operators import NAMES, Sphere, slopes
from real_magnet_operators import AZIMUTHAL, RADIAL, exact_observables, splitting_observables
from spintherm import Anisotropy, Magnet, Polariser, Protocol, Ramp, TorqueEfficiency

MAGNET = Magnet(
    moment=1.3,
    gyromagnetic_ratio=1.7,
    damping=0.4,
    temperature=0.8,
    anisotropy=Anisotropy.uniaxial(-1.2, (1.0, 2.0, 3.0)),
    polarisers=(
        Polariser((0.3, 0.2, 1.0), TorqueEfficiency.slonczewski(1.3), 1.0, 0.3),
        Polariser((1.0, -0.4, 0.1), TorqueEfficiency.polynomial((0.6, 0.5)), -0.7, 0.1),
    ),
)
AXIS = MAGNET.polarisers[0].vector
TAU = 0.8
PROTOCOL = Protocol(
    TAU, Ramp((0.8, -0.6, 1.8), (-1.3, 1.2, -0.8), TAU), Ramp(0.5 * AXIS, 1.2 * AXIS, TAU)
)
STEPS = (10, 20, 40)
SPHERE = Sphere.of(9)
ORDER, MARGIN = 2.0, 0.15


def in_steps(steps, sphere=SPHERE, **options):
    return splitting_observables(MAGNET, PROTOCOL, steps, sphere, **options)


@cache
def exact():
    return exact_observables(MAGNET, PROTOCOL)


def measured_slopes(steps, **options):
    bias = np.array([in_steps(n, **options) for n in steps]) - exact()
    assert np.all(np.abs(bias) > 2e-5), "the bias must stand far above the quadrature's error"
    return dict(zip(NAMES, slopes(steps, bias), strict=True))


def test_second_order_of_work_and_pumped_entropy_together():
    found = measured_slopes(STEPS)
    assert all(abs(slope - ORDER) < MARGIN for slope in found.values()), found


@pytest.mark.parametrize(
    ("leave", "lost"),
    [
        ((1.0, 0.0), ["Var W", "<exp(-beta (W - dF))>"]),
        ((0.0, 1.0), ["Var W", "<exp(-beta (W - dF))>"]),
    ],
    ids=["no Levy area", "no 1 - s/3"],
)
def test_the_order_is_lost_without(leave, lost):
    """The same measurement on a scheme that lacks a term must not find the second order."""
    found = measured_slopes(STEPS[1:], leave=leave)
    for observable in lost:
        assert abs(found[observable] - ORDER) > 3.0 * MARGIN, found


def test_quadrature_is_converged():
    """More harmonics and more nodes of the noise change nothing that the slopes could see."""
    fine = in_steps(10, sphere=Sphere.of(11), radial=RADIAL + 2, azimuthal=AZIMUTHAL + 4)
    assert np.all(np.abs(fine - in_steps(10)) < 2e-5)
