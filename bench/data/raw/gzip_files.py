"""Files packed by gzip, which may hold a thousand times of what they take on the disk."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.regular_files import open_regular

_CHUNK = 2**20


def read_gzip(file: Path, longest: int) -> bytes:
    """Return what a file holds, unpacked.

    Args:
        file: The file.
        longest: The number of bytes that it may hold at most.

    Raises:
        BenchError: It cannot be read, is damaged, or holds more.
    """
    try:
        with open_regular(file) as packed, gzip.GzipFile(fileobj=packed) as stream:
            # A read of so many bytes at once would reserve memory for all of them.
            content = bytearray()
            while len(content) <= longest and (chunk := stream.read(_CHUNK)):
                content += chunk
    except (OSError, EOFError, zlib.error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise BenchError(
            f"{file} cannot be unpacked by gzip ({reason}); get the file again"
        ) from None
    if len(content) > longest:
        raise BenchError(
            f"{file} holds more than {longest:,} bytes when it is unpacked, so that it is not the "
            "file that it is called; get the file again"
        )
    return bytes(content)
