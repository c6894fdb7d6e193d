"""Fluctuation theorems: from a forward and a backward ensemble to numbers with errors.

Sigma = beta (W - dF) + S_P, [I] 4.18. A trajectory of the forward process and its mirror image in
the backward process (-H(tau - t), P(tau - t)) have opposite W, S_P and Sigma, and::

    joint        p_F(W, S_P) exp(-Sigma) = p_B(-W, -S_P)              [I] 4.16
    integral     <exp(-Sigma)>_F = 1                                  [I] 4.17
    detailed     p_F(Sigma) exp(-Sigma) = p_B(-Sigma)                 [I] 4.19
    conditional  p_F(W) <exp(-Sigma)>_W = p_B(-W), and for S_P        [I] 4.24, 4.25
    Crooks       p_F(W) exp(-beta (W - dF)) = p_B(-W), without S_P    [I] 4.26, fails for P != 0

The rule of this folder: datasets of ``simulate`` in, frozen results out, a theorem per file. An
ensemble is a dataset with `work`, `pumped_entropy` and `entropy_production` along `trajectory`, a
scalar `free_energy_change` and the attribute `temperature`. W and dF are energies; S_P and Sigma
are in units of the Boltzmann constant. Errors take trajectories as independent.
"""

from spintherm.fluctuation.balance import Balance
from spintherm.fluctuation.bennett import FreeEnergyDifference, free_energy_difference
from spintherm.fluctuation.conditional import (
    ConditionalTheorem,
    conditional_theorem_pumped_entropy,
    conditional_theorem_work,
)
from spintherm.fluctuation.crooks import CrooksWork, crooks_work
from spintherm.fluctuation.detailed import DetailedTheorem, detailed_theorem
from spintherm.fluctuation.integral import IntegralTheorem, integral_theorem
from spintherm.fluctuation.joint import JointTheorem, joint_theorem

__all__ = [
    "Balance",
    "ConditionalTheorem",
    "CrooksWork",
    "DetailedTheorem",
    "FreeEnergyDifference",
    "IntegralTheorem",
    "JointTheorem",
    "conditional_theorem_pumped_entropy",
    "conditional_theorem_work",
    "crooks_work",
    "detailed_theorem",
    "free_energy_difference",
    "integral_theorem",
    "joint_theorem",
]
