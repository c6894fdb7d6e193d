"""Magnets and protocols that many tests share: unlike the papers', nothing parallel or equal."""

from collections.abc import Iterator
from importlib import import_module
from weakref import WeakSet

import pytest
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from spintherm import Magnet, Protocol, Pulse, Ramp, Sine, Triangle

LONGEST = (
    "test_functional_density.py",
    "test_explorer_page.py",
    "test_real_magnets_engines.py",
    "test_experiments.py",
    "test_experiments_other_magnets.py",
    "test_real_magnets_distributions.py",
    "test_rare_events_real_magnets.py",
    "test_rare_events.py",
    "test_exact_fluctuation_real_magnets.py",
    "test_real_magnets_trajectories.py",
    "test_explorer.py",
    "test_steady_start.py",
    "test_switching_any_axis.py",
    "test_real_magnets_densities.py",
    "test_cli.py",
    "test_real_magnets_theorem.py",
    "test_examples.py",
    "test_published_numbers.py",
)
"""Files of a quarter of a minute and more, the longest first; others are short and end together."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first: processes that are handed files in this order end together."""
    place = {name: position for position, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


@pytest.fixture(scope="module")
def quick_pictures() -> Iterator[None]:
    """Figures of fewer dots, laid out once and not anew for PNG, PDF and SVG; all is drawn."""
    lay_out, done = ConstrainedLayoutEngine.execute, WeakSet[Figure]()

    def once(engine: ConstrainedLayoutEngine, figure: Figure) -> None:
        if figure not in done:
            done.add(figure)
            lay_out(engine, figure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ConstrainedLayoutEngine, "execute", once)
        patch.setitem(import_module("spintherm.plot.style")._SETTINGS, "savefig.dpi", 60.0)
        yield


@pytest.fixture(scope="module")
def few_points_of_boundaries() -> Iterator[None]:
    """Boundaries of phases with a point every tenth of the ranges at most, each still exact.

    They are followed in this process: in others nothing is patched.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("spintherm.fokker_planck.diagram"), "SMALLEST_POOL", 10_000)
        patch.setattr(import_module("spintherm.fokker_planck.zero_set"), "LARGEST_STEP", 0.1)
        yield


@pytest.fixture
def magnet() -> Magnet:
    return Magnet(moment=1.3, gyromagnetic_ratio=1.7, damping=0.4, temperature=0.8)


@pytest.fixture
def protocol() -> Protocol:
    """Tilted, unequal directions; smooth parts and jumps of both field and torque."""
    return Protocol(
        0.9,
        Ramp((0.3, -0.2, 0.9), (-0.5, 0.7, -0.4), 0.9) + Pulse((0.2, 0.5, -0.6), 0.31, 0.7),
        Triangle((0.4, 0.8, -0.7), 0.9)
        + Pulse((-0.3, 0.1, 0.2), 0.5, 1.2)
        + Sine((0.1, 0, 0.2), 2),
    )
