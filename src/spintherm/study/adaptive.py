"""Adaptive sweeps: points go where the target changes sign, or where it varies.

The package `adaptive` (Nijholt et al.) triangulates the box of the axes and splits the cell with
the largest loss. Near a phase boundary the loss of a cell is its volume where the target has both
signs on its corners, and a small fraction of it elsewhere, so that boundaries are refined evenly
and islands that no point has met yet can still be found. Points are proposed in batches of fixed
size and told in order: they depend on the study alone, not on who was ready first, and a resumed
run proposes the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from spintherm.configuration import Study

BATCH = 8
_ELSEWHERE = 0.02
"""Weight of a cell without a change of sign."""


class Refinement:
    """Chooses the points of an adaptive sweep.

    Parameters
    ----------
    study : Study
        With an adaptive sweep.

    Raises
    ------
    ImportError
        If the package `adaptive` is not installed.
    """

    def __init__(self, study: Study) -> None:
        sweep = study.sweep
        assert sweep is not None
        self.target = str(sweep.target)
        self.wanted = int(sweep.samples or 1)
        self._axes = dict(sweep.axes or {})
        self._boundary = (sweep.refine or "boundary") == "boundary"
        self._learner = self._made()
        self._asked: list[tuple[float, ...]] = []
        self._told = 0

    def ask(self) -> list[dict[str, Any]]:
        """Return the values of the next points by dotted key; none when there are enough."""
        from spintherm.configuration.sweeping import scaled

        number = min(BATCH, self.wanted - self._told)
        if number <= 0:
            return []
        found, _ = self._learner.ask(number)
        self._asked = [(float(x),) if np.ndim(x) == 0 else tuple(map(float, x)) for x in found]
        columns = [
            scaled(axis, np.array([place[i] for place in self._asked]))
            for i, axis in enumerate(self._axes.values())
        ]
        return [dict(zip(self._axes, row, strict=True)) for row in zip(*columns, strict=True)]

    def tell(self, values: Sequence[float]) -> None:
        """Take in the target at the points asked for last, in their order."""
        for place, value in zip(self._asked, values, strict=True):
            self._learner.tell(place if len(place) > 1 else place[0], value)
        self._told += len(values)

    def _made(self) -> Any:
        try:
            import adaptive
        except ImportError as error:
            raise ImportError(
                "an adaptive sweep needs the package adaptive: pip install 'spintherm[adaptive]'",
                name="adaptive",
            ) from error
        number = len(self._axes)
        nothing: Callable[..., float] = _not_called
        if number == 1:
            along = _crossing_1d if self._boundary else None
            return adaptive.Learner1D(nothing, bounds=(0.0, 1.0), loss_per_interval=along)
        inside = _crossing_nd if self._boundary else None
        return adaptive.LearnerND(nothing, bounds=[(0.0, 1.0)] * number, loss_per_simplex=inside)


def _not_called(*_: Any) -> float:
    raise AssertionError("points are computed by tasks")


def _crossing_1d(places: Sequence[float], values: Sequence[float]) -> float:
    width = float(places[1] - places[0])
    return width if min(values) < 0.0 < max(values) or 0.0 in values else _ELSEWHERE * width


def _crossing_nd(simplex: Any, values: Any, _scale: Any) -> float:
    corners = np.asarray(simplex, float)
    size = abs(float(np.linalg.det(corners[1:] - corners[0])))
    crossed = min(values) < 0.0 < max(values)
    return size if crossed else _ELSEWHERE * size
