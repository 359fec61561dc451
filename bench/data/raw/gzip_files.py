"""Reading of gzip files with a limit, because they may expand a thousandfold."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.regular_files import open_regular

_CHUNK = 2**20


def read_gzip(file: Path, max_bytes: int) -> bytes:
    """Return the decompressed content of a file.

    Args:
        file: The file.
        max_bytes: The largest accepted size of the content.

    Raises:
        BenchError: The file cannot be read, is damaged, or is larger.
    """
    try:
        with open_regular(file) as packed, gzip.GzipFile(fileobj=packed) as stream:
            # Read in chunks, because one read would allocate `max_bytes` at once.
            content = bytearray()
            while len(content) <= max_bytes and (chunk := stream.read(_CHUNK)):
                content += chunk
    except (OSError, EOFError, zlib.error) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise BenchError(
            f"{file} cannot be decompressed by gzip ({reason}); get the file again"
        ) from None
    if len(content) > max_bytes:
        raise BenchError(
            f"{file} has more than {max_bytes:,} bytes when decompressed, so it is not the "
            "expected file; get it again"
        )
    return bytes(content)
