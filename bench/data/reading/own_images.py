"""Images of a user: files, folders of images and globs."""

from __future__ import annotations

import glob
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.core.errors import BenchError, Exit
from bench.data.inputs import images
from bench.data.raw.entries import SampleError
from bench.data.raw.image_tree import IMAGE_SUFFIXES
from bench.data.reading.encoded_samples import EncodedSample

MAX_BYTES = 2**28
"""The largest image file that is read; an image that can be decoded is smaller."""


class UnreadableImage(NamedTuple):
    """The path of an image that cannot be read, and the reason as a clause."""

    path: str
    reason: str


def image_paths(arguments: Sequence[str]) -> list[str]:
    """Return the image files for arguments of a command line, without repeats.

    An argument is a file, a folder whose images are taken, or a glob. An argument that matches
    nothing is returned as a file, which does not exist.

    Raises:
        BenchError: A folder has no image, or a glob matches nothing (`Exit.NOTHING`).
    """
    return [*dict.fromkeys(path for argument in arguments for path in _paths(argument))]


def read_images(paths: Sequence[str]) -> Iterator[EncodedSample | UnreadableImage]:
    """Yield a sample per file that can be decoded, and an UnreadableImage per other file."""
    for path in paths:
        try:
            content = _content(Path(path))
            images.image_size(content)
        except OSError as error:
            yield UnreadableImage(path, error.strerror or str(error))
        except SampleError as error:
            yield UnreadableImage(path, str(error))
        else:
            yield EncodedSample(path, (content,))


def _content(file: Path) -> bytes:
    """Return the bytes of a file. Raises SampleError if it is a pipe or device, or too large."""
    status = file.stat()
    if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
        raise SampleError("not a regular file")
    if status.st_size > MAX_BYTES:
        raise SampleError(f"a file of more than {MAX_BYTES >> 20} MiB")
    return file.read_bytes()


def _paths(argument: str) -> list[str]:
    path = Path(argument)
    if path.is_dir():
        # In a folder, files are chosen by suffix; a file that is named explicitly may have any.
        files = sorted(
            str(file) for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES
        )
        if not files:
            suffixes = ", ".join(sorted(IMAGE_SUFFIXES))
            raise BenchError(
                f"{argument}: there is no image in this folder ({suffixes}); name another folder, "
                "or the files themselves",
                Exit.NOTHING,
            )
        return files
    if path.exists() or not glob.has_magic(argument):
        return [argument]
    # Path.glob does not accept an absolute pattern.
    matches = glob.glob(argument, recursive=True)  # noqa: PTH207
    files = sorted(match for match in matches if not Path(match).is_dir())
    if not files:
        raise BenchError(f"no file matches '{argument}'; check the pattern", Exit.NOTHING)
    return files
