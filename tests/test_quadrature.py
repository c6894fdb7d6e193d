import numpy as np
import pytest

from spintherm.quadrature import GaussPanels


@pytest.mark.parametrize("order", [4, 16, 20])
def test_integrals_up_to_nodes_are_the_primitive(order: int) -> None:
    panels = GaussPanels(np.array([-1.0, -0.3, 0.1, 2.0]), order)
    x = panels.points
    slope = (order - 1) * x ** (order - 2)  # exact for what a panel interpolates
    low, high = (-1.0) ** (order - 1), 2.0 ** (order - 1)
    scale = 2.0**order
    assert np.abs(panels.from_below(slope) - (x ** (order - 1) - low)).max() < 1e-14 * scale
    assert np.abs(panels.from_above(slope) - (high - x ** (order - 1))).max() < 1e-14 * scale
    assert abs(panels.weights @ slope - (high - low)) < 1e-14 * scale


def test_small_integrals_keep_their_digits() -> None:
    panels = GaussPanels(np.linspace(0.0, 50.0, 60))
    tail = panels.from_above(np.exp(-panels.points)) + np.exp(-50.0)
    np.testing.assert_allclose(tail, np.exp(-panels.points), rtol=1e-12)
