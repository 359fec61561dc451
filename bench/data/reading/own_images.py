"""A person's own images: files, folders of files and globs."""

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
"""Of an image file; more than any that can be decoded has."""


class UnreadableImage(NamedTuple):
    """An image that cannot be read: its path, and why, in a clause."""

    path: str
    reason: str


def image_paths(words: Sequence[str]) -> list[str]:
    """Return the files that words name, each once: a file, the images in a folder, or a glob.

    A word that names nothing is a file that does not exist.

    Raises:
        BenchError: A folder or a glob has no image (nothing selected).
    """
    return [*dict.fromkeys(path for word in words for path in _paths(word))]


def read_images(paths: Sequence[str]) -> Iterator[EncodedSample | UnreadableImage]:
    """Yield each file as a sample that can be decoded, or why it is none."""
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
    """Return what is in a file. Raises SampleError where that may have no end, or be no image."""
    status = file.stat()
    if not stat.S_ISDIR(status.st_mode) and not stat.S_ISREG(status.st_mode):
        raise SampleError("no plain file")
    if status.st_size > MAX_BYTES:
        raise SampleError(f"a file of more than {MAX_BYTES >> 20} MiB")
    return file.read_bytes()


def _paths(word: str) -> list[str]:
    place = Path(word)
    if place.is_dir():
        # A file that is named itself may have any name.
        found = sorted(
            str(file) for file in place.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES
        )
        if not found:
            endings = ", ".join(sorted(IMAGE_SUFFIXES))
            raise BenchError(
                f"{word}: there is no image in this folder ({endings}); name another folder, or "
                "the files themselves",
                Exit.NOTHING,
            )
        return found
    if place.exists() or not glob.has_magic(word):
        return [word]
    # Path.glob takes no absolute pattern.
    matches = glob.glob(word, recursive=True)  # noqa: PTH207
    found = sorted(path for path in matches if not Path(path).is_dir())
    if not found:
        raise BenchError(f"no file matches '{word}'; check the pattern", Exit.NOTHING)
    return found
