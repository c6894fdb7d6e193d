"""The plan: which points, which tasks, which seeds. It follows from the study alone.

Tasks are numbered point by point. The seed of a study without sweep is the study's own, so that it
gives what `simulate_statistics` gives; the points of a sweep get seeds by hashing the study's with
their index (NumPy's SeedSequence), or the study's own with ``common_random_numbers = true``, which
makes differences between points sharper.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from spintherm import validation

if TYPE_CHECKING:
    from spintherm.configuration import Study


_MANY = 8
"""Points for each shard from which whole points are dealt."""


@dataclass(frozen=True)
class Point:
    """A point of a sweep.

    Attributes
    ----------
    study : Study
        The whole study.
    index : int
        In the order of the sweep.
    values : mapping
        By dotted key.
    first, count : int
        The first of its tasks, and their number.
    """

    study: Study
    index: int
    values: Mapping[str, Any]
    first: int
    count: int

    @cached_property
    def text(self) -> str:
        """The study of this point alone, as TOML."""
        return single(self.study, self.values).dumps()

    @cached_property
    def seed(self) -> int:
        """The seed of this point."""
        return seed_of(self.study, self.index, self.values)

    def tasks(self) -> Iterator[Task]:
        """Yield its tasks in order."""
        for chunk in range(self.count):
            yield Task(self.first + chunk, self, chunk)

    def __str__(self) -> str:
        said = ", ".join(f"{key}={value!r}" for key, value in self.values.items())
        return f"point {self.index}" + (f" ({said})" if said else "")


@dataclass(frozen=True)
class Task:
    """A task: its number, its point, its chunk."""

    index: int
    point: Point
    chunk: int


@dataclass(frozen=True)
class Shard:
    """The i-th of n shares of the tasks, i from 1.

    Where there are many points every n-th point, so that what the tasks of a point have in common
    is prepared once; else every n-th task.

    Raises
    ------
    ValueError
        If there is no such share.
    """

    index: int = 1
    count: int = 1

    def __post_init__(self) -> None:
        validation.positive_integer("shard", self.index)
        validation.positive_integer("shards", self.count)
        if self.index > self.count:
            raise ValueError(f"shard={self}: expected i/n with 1 <= i <= n")

    @classmethod
    def parse(cls, words: str) -> Shard:
        """Read "i/n".

        Raises
        ------
        ValueError
            If it is something else.
        """
        index, slash, count = words.partition("/")
        if not (slash and index.isascii() and index.isdigit() and count.isdigit()):
            raise ValueError(validation.complaint("shard", words, "i/n such as 1/4"))
        return cls(int(index), int(count))

    @property
    def whole(self) -> bool:
        """Whether it is everything."""
        return self.count == 1

    def holds(self, task: Task, points: int) -> bool:
        """Return whether a task is in this share, of so many points in all."""
        dealt = task.point.index if points >= _MANY * self.count else task.index
        return dealt % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def single(study: Study, values: Mapping[str, Any]) -> Study:
    """Return the study of one point, without sweep."""
    return study.at(dict(values)) if values or study.sweep is not None else study


def seed_of(study: Study, index: int, values: Mapping[str, Any]) -> int:
    """Return the seed of a point.

    Parameters
    ----------
    study : Study
        Whole.
    index : int
        Of the point.
    values : mapping
        Of the point, by dotted key.
    """
    here = single(study, values) if "compute.seed" in values else study
    seed = getattr(here.compute, "seed", None)
    if seed is None:
        return 0
    common = bool(getattr(study.compute, "common_random_numbers", False))
    if study.sweep is None or common or here is not study:
        return int(seed)
    return int(np.random.SeedSequence([int(seed), index]).generate_state(1, np.uint64)[0])


class Points:
    """The points so far, each with its tasks.

    Parameters
    ----------
    study : Study
        The whole study.
    """

    def __init__(self, study: Study) -> None:
        from spintherm.study.quantities import QUANTITIES

        self._study = study
        self._quantity = QUANTITIES[study.compute.quantity]
        self._tasks = 0
        self._counted: int | None = None
        self._all: list[Point] = []

    def __iter__(self) -> Iterator[Point]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    @property
    def tasks(self) -> int:
        """Number of tasks of all points so far."""
        return self._tasks

    def add(self, values: Mapping[str, Any]) -> Point:
        """Append a point."""
        point = Point(self._study, len(self._all), values, self._tasks, self._count(values))
        self._all.append(point)
        self._tasks += point.count
        return point

    def _count(self, values: Mapping[str, Any]) -> int:
        """Number of tasks of a point; counted once where all points have as many."""
        if self._counted is not None:
            return self._counted
        here = single(self._study, values)
        count = self._quantity.tasks(here)
        sampled = hasattr(here.compute, "trajectories")
        steps = getattr(here.compute, "steps", None)
        swept = any(key in values for key in ("compute.steps", "compute.chunk"))
        if not sampled or (steps is not None and not swept):
            self._counted = count
        return count
