"""One partition of prepared data: what its samples are, and their pixels."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from bench.data import home, prepared, rows
from bench.data.database import Database, database, key
from bench.errors import BenchError, Exit

if TYPE_CHECKING:
    from collections.abc import Sequence


class Partition:
    """The samples of one partition, by their row from 0.

    It opens its files when they are first needed, in each process anew: it may be pickled and
    forked. Its table stays mapped from disk, so that memory does not grow with it.
    """

    def __init__(self, name: str, part: str) -> None:
        there = prepared.require(name).parts
        if part not in there:
            raise prepared.missing_part(name, part, there)
        self.folder = home.folder() / name / part
        self.size = there[part].samples
        self.database: Database | None = None

    def __len__(self) -> int:
        return self.size

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what only this process can use."""
        return {"folder": self.folder, "size": self.size, "database": None}

    @cached_property
    def chunks(self) -> list[pa.RecordBatch]:
        """The table of samples, in record batches of `rows.CHUNK`."""
        file = self.folder / prepared.SAMPLES
        try:
            return list(rows.chunks(file))
        except (OSError, pa.ArrowInvalid) as error:
            fault = f"{file}: this is no table of samples ({error}); prepare it again"
            raise BenchError(fault, Exit.UNVERIFIED) from None

    def value(self, column: str, row: int) -> Any:  # noqa: ANN401 (a column has its own type)
        """Return one value of a row."""
        return self.chunks[row // rows.CHUNK][column][row % rows.CHUNK].as_py()

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a whole column, as it is mapped."""
        return pa.chunked_array([chunk[name] for chunk in self.chunks])

    def image(self, row: int) -> bytes:
        """Return the encoded image of a row."""
        return self._bytes(key("image", self.value("number", row)), row)

    def frames(self, row: int, chosen: Sequence[int]) -> list[bytes]:
        """Return the encoded frames `chosen` of a row's clip."""
        number = self.value("number", row)
        return [self._bytes(key("image", number, frame), row) for frame in chosen]

    def named(self, row: int) -> str:
        """Return how to call a row in an error."""
        return f"{self.folder}: sample '{self.value('id', row)}'"

    def _bytes(self, name: bytes, row: int) -> bytes:
        if self.database is None or self.database.closed:
            self.database = database(self.folder)
        found = self.database.get(name)
        if found is None:
            raise BenchError(
                f"{self.named(row)} has no key {name.decode()}; the LMDB was altered, prepare it "
                "again",
                Exit.UNVERIFIED,
            )
        return found
