"""Redirect what Ray prints in this process to a file, so that only bench writes to stderr."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from ray._private import worker

_STDERR = 2


@contextmanager
def quiet(log: Path) -> Iterator[None]:
    """Redirect what Ray prints, by native code and by a thread, to a file in a `with` block.

    Args:
        log: The file.
    """
    stderr, printing = sys.stderr, worker.print_to_stdstream
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def note(data: dict[str, Any], ignore_prefix: bool) -> None:  # noqa: ARG001, FBT001 (Ray's)
        os.write(file, "\n".join([*map(str, data["lines"]), ""]).encode())

    worker.print_to_stdstream = note
    kept = os.dup(_STDERR) if _descriptor(stderr) == _STDERR else None
    if kept is not None:
        os.dup2(file, _STDERR)
        sys.stderr = _stream_like(stderr, kept)
        if sys.stdout is stderr:
            sys.stdout = sys.stderr
    try:
        yield
    finally:
        if kept is not None:
            sys.stderr.flush()
            os.dup2(kept, _STDERR)
            if sys.stdout is sys.stderr:
                sys.stdout = stderr
            sys.stderr = stderr
        worker.print_to_stdstream = printing
        os.close(file)


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _stream_like(stream: TextIO, descriptor: int) -> TextIO:
    # It is left open: whoever has printed to it may do so again.
    raw = io.FileIO(descriptor, "w", closefd=False)
    buffer = io.BufferedWriter(raw)
    return io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=True)
