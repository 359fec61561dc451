"""Readings of an unfinished evaluation, kept on disk so that another attempt reads only the rest.

The file has a line of JSON per sample, in the order of the split. Only whole batches are kept, so
that a recognizer whose readings depend on the batch is given the same batches.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import msgspec

from bench.core.errors import BenchError
from bench.core.recognition import Reading
from bench.core.regular_files import is_there, read_regular
from bench.recognizers.outside.reading_check import checked_reading

if TYPE_CHECKING:
    from pathlib import Path

READINGS = "readings.jsonl"


@dataclass(frozen=True)
class _Line(Reading):
    id: str = ""


class KeptReadings:
    """The readings of one evaluation so far.

    Args:
        folder: The folder of the evaluation; its name has the key, so that readings of other
            parameters, test sets or batch sizes are elsewhere.
        ids: The samples of the split, in order.
        batch_size: Samples per batch.
    """

    def __init__(self, folder: Path, ids: Sequence[str], batch_size: int) -> None:
        self._file = folder / READINGS
        self._ids = ids
        self.readings = self._read(batch_size)

    def add(self, readings: Sequence[Reading]) -> None:
        """Keep the readings of the next batch."""
        start = len(self.readings)
        ids = self._ids[start : start + len(readings)]
        lines = [
            json.dumps({"id": identity, **asdict(reading)})
            for identity, reading in zip(ids, readings, strict=True)
        ]
        with self._file.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
        self.readings += readings

    def _read(self, batch_size: int) -> list[Reading]:
        """Return the readings of whole batches, and truncate the file after them.

        Raises:
            BenchError: Something else is where the file should be.
        """
        readings: list[Reading] = []
        try:
            content = read_regular(self._file) if is_there(self._file) else b""
        except OSError as error:
            raise BenchError(
                f"{self._file}: readings cannot be kept there ({error.strerror}); remove it"
            ) from None
        # A process that was killed, or a disk that is full, may have left half a line.
        lines = content[: content.rfind(b"\n") + 1].splitlines(keepends=True)
        with suppress(msgspec.DecodeError, ValueError, RecursionError, BenchError):
            for identity, line in zip(self._ids, lines, strict=False):
                kept = msgspec.json.decode(line, type=_Line)
                if kept.id != identity:
                    break
                fields = asdict(kept)
                del fields["id"]
                readings.append(checked_reading(fields.pop("text"), identity, READINGS, **fields))
        whole = len(readings)
        if whole < len(self._ids):
            whole -= whole % batch_size
        if len(content) > (length := sum(map(len, lines[:whole]))):
            os.truncate(self._file, length)  # so that kept lines are never rewritten
        return readings[:whole]
