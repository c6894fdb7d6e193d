"""Where H and P of the figures of [II] point, for a magnet that may have directions of its own.

Without polarisers H lies along z and P is turned from it, towards x. Polarisers fix the direction
of P: it is then P that lies along the first of them, and H is turned, as in `fokker_planck.plane`.
At the angle θ = 0 they are parallel in either case; α = mP/H and δ = mη/γ₀.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spintherm.experiments.processes import PAPER_MAGNET
from spintherm.fokker_planck.plane import Axis, Plane
from spintherm.magnet import Magnet
from spintherm.validation import FloatArray

EXACT_TOLERANCE = 1e-9
"""Tail of the steady densities of magnets with anisotropy or polarisers."""


@dataclass(frozen=True)
class Geometry:
    """The directions of H and P.

    Attributes
    ----------
    magnet : Magnet
        The magnet.
    """

    magnet: Magnet

    @property
    def is_paper(self) -> bool:
        """Whether the magnet is that of the papers, whose printed numbers are known."""
        return self.magnet == PAPER_MAGNET

    @property
    def has_closed_forms(self) -> bool:
        """Whether H and P are the same for every direction of the moment, as in [II] 10-18."""
        return self.magnet.is_uniform

    @property
    def delta(self) -> float:
        """δ = mη/γ₀."""
        magnet = self.magnet
        return float(magnet.damping * magnet.moment / magnet.gyromagnetic_ratio)

    @cached_property
    def directions(self) -> tuple[FloatArray, FloatArray]:
        """Unit vectors, shape (3,): that of θ = 0, and across it where the angle turns to."""
        axes = Axis("alpha", 0.1, 1.0), Axis("angle", 0.0, np.pi)
        return Plane(self.magnet, *axes, (("spin_torque", 1.0),)).directions

    @property
    def along(self) -> FloatArray:
        """Unit vector, shape (3,), of H and P at θ = 0."""
        return self.directions[0]

    def vectors(
        self, field: float, spin_torque: float, angle: float
    ) -> tuple[FloatArray, FloatArray]:
        """Return H and P.

        Parameters
        ----------
        field, spin_torque : float
            Strengths, in energy per moment and energy per moment squared.
        angle : float
            Between them, in radians; exactly parallel for 0 and π.

        Returns
        -------
        tuple of ndarray, shape (3,)
            H and P.
        """
        start, other = self.directions
        across = 0.0 if angle in (0.0, np.pi) else float(np.sin(angle))
        turned = np.cos(angle) * start + across * other
        if self.magnet.polarisers:
            return field * turned, spin_torque * start
        return field * start, spin_torque * turned


PAPER = Geometry(PAPER_MAGNET)
"""H along z, and P turned from it."""
