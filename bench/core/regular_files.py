"""Reading of regular files only, because a pipe or a device would block or exhaust memory."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}
_MIN_BUFFER = 2**20
MAX_BYTES = 2**30
"""The limit for a file that is read as a whole. Records, boards and predictions are far smaller."""


def is_there(file: Path) -> bool:
    """Return whether a folder has an entry of this name, even one that cannot be read."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        # Missing permissions are reported when it is read.
        return error.errno != errno.ENAMETOOLONG
    return True


def open_regular(file: Path | str) -> BinaryIO:
    """Open a regular file, or a link to one, for reading in binary.

    Raises:
        OSError: There is no such file, it cannot be read, or it is a folder, a named pipe, a
            device or a socket; `strerror` says which, `filename` is the path.
    """
    # Without O_NONBLOCK, the opening of a pipe waits for a writer.
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    kind = _KINDS.get(stat.S_IFMT(mode), "a special file")
    raise OSError(errno.EINVAL, f"{kind}, not a regular file", str(file))


def read_regular(file: Path | str, longest: int = MAX_BYTES) -> bytes:
    """Return the content of a regular file.

    Args:
        file: The file.
        longest: The number of bytes that it may have at most.

    Raises:
        OSError: As of `open_regular`, or the file is longer.
    """
    with open_regular(file) as stream:
        size = os.fstat(stream.fileno()).st_size
        # Some system files state a size of 0.
        content = stream.read(min(max(size, _MIN_BUFFER), longest) + 1) if size <= longest else b""
    if max(size, len(content)) > longest:
        raise OSError(errno.EFBIG, f"longer than {longest:,} bytes", str(file))
    return content
