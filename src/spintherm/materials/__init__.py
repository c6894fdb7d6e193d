"""Materials: magnets and currents in SI, and the scales that take them to reduced units and back.

A `Nanomagnet` is a single-domain body of a material; it holds SI numbers, and gives the `Magnet` of
reduced units that the engines take, with the `Scales` that say what one reduced unit is worth. A
`SpinTorque` is a spin-polarised current through it.

The rule of the folder: everything here is in SI, read once at the boundary by `units`; the only
ways out are `Nanomagnet.magnet`, `SpinTorque.reduced` and `Scales`. Nothing here solves an equation
of motion.
"""

from spintherm.materials.gilbert import (
    gilbert_torque,
    landau_lifshitz_constants,
    landau_lifshitz_torque,
)
from spintherm.materials.landscape import Well, deepest_well
from spintherm.materials.nanomagnet import Nanomagnet
from spintherm.materials.scales import Scales
from spintherm.materials.spin_torque import SpinTorque

__all__ = [
    "Nanomagnet",
    "Scales",
    "SpinTorque",
    "Well",
    "deepest_well",
    "gilbert_torque",
    "landau_lifshitz_constants",
    "landau_lifshitz_torque",
]
