"""Entries of raw data sets, and the protocol of their readers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class SampleError(Exception):
    """One sample cannot be used, others can; the message is a clause such as "an empty file"."""


class Entry(NamedTuple):
    """One sample as listed by its raw data set, with pixels that are loaded on demand.

    Attributes:
        id: The id, unique in the data set.
        text: The transcript.
        load: Returns encoded images (JPEG, PNG, …): one, or every frame of a clip in order. It may
            run in any thread, and raises SampleError if they are missing or unusable.
        more: Further columns of text, the same for every sample of a raw data set.
    """

    id: str
    text: str
    load: Callable[[], Sequence[bytes]]
    more: Mapping[str, str] = {}


class Rejected(NamedTuple):
    """An entry of a raw data set that cannot be a sample; `reason` is a clause."""

    id: str
    reason: str


class Reader(Protocol):
    """A reader of a raw data set on disk; its constructor raises BenchError for another data set.

    Attributes:
        parts: The partitions, such as train, validation and test.
        columns: The names of `Entry.more`.
    """

    parts: Sequence[str]
    columns: Sequence[str]

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield the entries of a partition, cheaply and in the same order each time.

        A preparation that resumes skips the entries that it has processed.

        Raises:
            BenchError: The annotation cannot be read.
        """
        ...

    def database(self, part: str) -> Path | None:
        """Return the LMDB that has the images of `part`, a folder or a file: they are not copied.

        Its keys have to be numbered in the order of `entries`, from 1. None: images are copied.
        """
        ...
