"""What a raw data set holds, sample by sample, before it is prepared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class SampleError(Exception):
    """Why one sample cannot be used, in a clause; the others can."""


class Entry(NamedTuple):
    """One sample as its raw data set lists it, with its pixels still where they are.

    `load` returns encoded images (JPEG, PNG, …): one, or every frame of a clip in order. It may run
    in any thread, and raises SampleError where they are missing or unusable. `more` holds further
    columns of text, the same ones for every sample of a raw data set.
    """

    id: str
    text: str
    load: Callable[[], Sequence[bytes]]
    more: Mapping[str, str] = {}


class Rejected(NamedTuple):
    """A sample that its raw data set lists, and that cannot be one: why, in a clause."""

    id: str
    reason: str


class Reader(Protocol):
    """A raw data set on disk. Making a reader raises BenchError where the folder holds another.

    `parts` are its partitions, such as train, validation and test. What they list comes in the same
    order each time, and cheaply: preparing resumes in the middle after an interruption. `columns`
    are those of `Entry.more`.
    """

    parts: Sequence[str]
    columns: Sequence[str]

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield what `part` lists. Raises BenchError where its annotation cannot be read on."""
        ...

    def database(self, part: str) -> Path | None:
        """Return an LMDB, a folder or a file, that has the pixels of `part`, to be left there.

        The keys of what `entries` lists are then numbered by its order, from 1.
        """
        ...
