"""The samples of a split, concatenated from rows of one or more partitions."""

from __future__ import annotations

import itertools
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bench.core.types import Split
from bench.data.reading.sent_once import SentOnce
from bench.data.store.partition import Partition
from bench.evaluation.sample_properties import NAMES

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HELD_OUT = 10
"""Without a validation split, one in ten training samples is held out."""


class SampleRef(NamedTuple):
    """Where one sample is stored.

    Attributes:
        partition: The partition of prepared data.
        row: The row of the sample in its partition.
        transcript: The column with the transcript.
    """

    partition: Partition
    row: int
    transcript: str = "text"

    @property
    def id(self) -> str:
        """The id of the sample."""
        return str(self.partition.value("id", self.row))

    @property
    def text(self) -> str:
        """The transcript of the sample, as in the raw data set."""
        return str(self.partition.value(self.transcript, self.row))


@dataclass(frozen=True)
class Selection:
    """Some rows of a partition.

    Attributes:
        partition: The partition of prepared data.
        rows: The selected rows in order; None selects all rows.
        transcript: The column with the transcripts.
    """

    partition: Partition
    rows: NDArray[np.int64] | None = None
    transcript: str = "text"

    def __len__(self) -> int:
        return len(self.partition if self.rows is None else self.rows)

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a column of integers for the selected rows."""
        whole = self.partition.column(name).to_numpy()
        return np.asarray(whole if self.rows is None else whole[self.rows], np.int64)

    def texts(self) -> Iterator[str]:
        """Yield the transcripts."""
        return self._values(self.transcript)

    def ids(self) -> Iterator[str]:
        """Yield the ids."""
        return self._values("id")

    def _values(self, column: str) -> Iterator[str]:
        rows = range(len(self.partition)) if self.rows is None else self.rows.tolist()
        return (str(self.partition.value(column, row)) for row in rows)

    def properties(self) -> dict[str, list[Any]]:
        """Return the sample properties that the partition has: name to one value per sample."""
        if not len(self):
            return {}
        frames = self.column("frames")
        sizes = ("frames",) if frames.all() else ("width", "height")
        names = [name for name in self.partition.chunks[0].schema.names if name in NAMES]
        measured: dict[str, list[Any]] = {name: self.column(name).tolist() for name in sizes}
        return measured | {name: [*self._values(name)] for name in names}

    def divided(self) -> tuple[Selection, Selection]:
        """Return the training samples and the held-out tenth, chosen by the CRC-32 of the ids.

        So a sample is on the same side in any order of the samples.
        """
        rows = np.arange(len(self.partition)) if self.rows is None else self.rows
        drawn = (zlib.crc32(identity.encode()) % _HELD_OUT == 0 for identity in self.ids())
        held_out = np.fromiter(drawn, bool, len(rows))
        return (
            Selection(self.partition, rows[~held_out], self.transcript),
            Selection(self.partition, rows[held_out], self.transcript),
        )


@dataclass(frozen=True)
class Samples(SentOnce):
    """The samples of a split, by their index from 0."""

    selections: Sequence[Selection]

    def __len__(self) -> int:
        return sum(map(len, self.selections))

    def __iter__(self) -> Iterator[SampleRef]:
        return itertools.chain.from_iterable(map(_references, self.selections))

    def reference(self, index: int) -> SampleRef:
        """Return the reference of one sample. Raises IndexError beyond the last sample."""
        return self.references([index])[0]

    def references(self, indices: Iterable[int]) -> list[SampleRef]:
        """Return the references of samples. Raises IndexError beyond the last sample."""
        ends, references = self._ends, []
        for index in indices:
            number = bisect_right(ends, index)
            selection = self.selections[number]  # raises IndexError
            row = index - ends[number - 1] if number else index
            if selection.rows is not None:
                row = int(selection.rows[row])
            references.append(SampleRef(selection.partition, row, selection.transcript))
        return references

    def column(self, name: str) -> NDArray[np.int64]:
        """Return a column of integers for all samples."""
        return np.concatenate([selection.column(name) for selection in self.selections])

    @cached_property
    def _ends(self) -> list[int]:
        """The number of samples up to the end of each selection."""
        return [*itertools.accumulate(map(len, self.selections))]


def _references(selection: Selection) -> Iterator[SampleRef]:
    rows = range(len(selection)) if selection.rows is None else selection.rows.tolist()
    return (SampleRef(selection.partition, row, selection.transcript) for row in rows)


class LazySplits(Mapping[Split, Samples]):
    """The splits of data sets; each is opened at its first access."""

    def __init__(self, splits: Sequence[Split], select: Callable[[Split], Samples]) -> None:
        self._splits = tuple(splits)
        self._select = cache(select)

    def __getitem__(self, split: Split) -> Samples:
        if split not in self._splits:
            raise KeyError(split)
        return self._select(split)

    def __iter__(self) -> Iterator[Split]:
        return iter(self._splits)

    def __len__(self) -> int:
        return len(self._splits)
