"""Samples of several partitions, one behind the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.core.types import SPLITS, Split
from bench.data.store.partition import Partition

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Place(NamedTuple):
    """Where one sample is."""

    partition: Partition
    row: int


@dataclass(frozen=True)
class Selection:
    """Some rows of a partition, in their order; all of them where `rows` is None."""

    partition: Partition
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.partition if self.rows is None else self.rows)

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a column of numbers."""
        whole = self.partition.column(name).to_numpy()
        return np.asarray(whole if self.rows is None else whole[self.rows], np.int64)


@dataclass(frozen=True)
class Samples:
    """The samples of a split, by their place in it from 0."""

    selections: Sequence[Selection]
    transcript: str = "text"
    """The column that has it."""

    def __len__(self) -> int:
        return sum(map(len, self.selections))

    def __iter__(self) -> Iterator[Place]:
        return map(self.place, range(len(self)))

    def place(self, index: int) -> Place:
        """Return where a sample is."""
        for selection in self.selections:
            if index < len(selection):
                row = index if selection.rows is None else int(selection.rows[index])
                return Place(selection.partition, row)
            index -= len(selection)
        raise IndexError(index)

    def id(self, place: Place) -> str:
        """Return the identity of a sample."""
        return str(place.partition.value("id", place.row))

    def text(self, place: Place) -> str:
        """Return the transcript of a sample, as its distribution has it."""
        return str(place.partition.value(self.transcript, place.row))

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a column of numbers for all samples."""
        return np.concatenate([selection.column(name) for selection in self.selections])


class LazySplits(Mapping[Split, Samples]):
    """The splits of a dataset, each opened when it is first asked for."""

    def __init__(self, select: Callable[[Split], Samples]) -> None:
        self._select = cache(select)

    def __getitem__(self, split: Split) -> Samples:
        return self._select(split)

    def __iter__(self) -> Iterator[Split]:
        return iter(SPLITS)

    def __len__(self) -> int:
        return len(SPLITS)
