"""The joint fluctuation theorem [I] 4.16 of thirty random magnets, exactly."""

import pytest

from random_real_magnets import random_driven_magnet
from spintherm.fokker_planck import joint_symmetry_residual


@pytest.mark.parametrize("seed", range(30))
def test_the_joint_theorem_is_exact(seed):
    """G_F(k_W, k_S) e^{βΔF} = G_B(-1 - k_W, -1 - k_S), with the polarisers turned: to 1e-9."""
    magnet, protocol = random_driven_magnet(seed)
    residual = joint_symmetry_residual(
        magnet, protocol, work=-0.4, pumped_entropy=0.2, tolerance=1e-10
    )
    assert float(residual) < 1e-9
