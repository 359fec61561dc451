"""Downloads of files into a folder: resumed where they ended, and named once they are complete."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from bench.core.disk import require_space
from bench.core.errors import BenchError, Exit
from bench.core.names import name_fault
from bench.core.regular_files import is_there, open_regular
from bench.data.cards import Download
from bench.data.download.mirrors import MirrorError, Patience, request_file

_ATTEMPTS = 3
"""How often one mirror is asked, as long as each request brings further bytes."""
_CHUNK = 2**20

Advance = Callable[[str, int], None]
"""Is called with the name of a file and a number of bytes, negative where it begins again."""


def is_complete(download: Download, folder: Path) -> bool:
    """Return whether a folder has a file with the content that the card states.

    Raises:
        BenchError: A file of that name has other content.
    """
    file = folder / download.file
    if not is_there(file):
        return False
    digest = hashlib.sha256()
    with open_regular(file) as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() == download.sha256:
        return True
    raise BenchError(
        f"{file}: this is not the file of the card, whose SHA-256 is {download.sha256}; move it "
        "away"
    )


def download_file(
    download: Download, folder: Path, advance: Advance, patience: Patience | None = None
) -> None:
    """Download a file from the first mirror that has it, unless the folder has it already.

    What an interrupted download left is in FILE.part, which the next one resumes, at any mirror:
    the checksum decides in the end.

    Args:
        download: The file, its mirrors and its checksum.
        folder: An existing folder.
        advance: Reports progress.
        patience: How long a mirror may take.

    Raises:
        BenchError: No mirror sent the file, its content is not that of the card, the disk has too
            little space, or another process downloads it.
    """
    if fault := name_fault("file", download.file):
        raise BenchError(fault)
    if is_complete(download, folder):
        advance(download.file, download.size)
        return
    part = folder / f"{download.file}.part"
    with _only_user(part) as stream:
        missing = download.size - min(stream.seek(0, os.SEEK_END), download.size)
        require_space(
            folder,
            missing,
            f"the rest of {download.file} takes",
            "free some, or name another folder with --out",
        )
        _from_mirrors(download, stream, advance, patience or Patience())
        stream.flush()
        os.fsync(stream.fileno())
        part.replace(folder / download.file)


@contextmanager
def _only_user(part: Path) -> Iterator[BinaryIO]:
    """Open a partial file for reading and writing. Raises BenchError if another process does."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    with os.fdopen(descriptor, "r+b") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(f"{part}: another process downloads this file; wait for it") from None
        try:
            yield stream
        finally:
            if not stream.seek(0, os.SEEK_END):
                part.unlink(missing_ok=True)


def _from_mirrors(download: Download, part: BinaryIO, advance: Advance, patience: Patience) -> None:
    """Complete a partial file. Raises BenchError with the reason of each mirror that failed."""
    transfer = _Transfer(download, part, advance)
    reasons = []
    for url in download.urls:
        try:
            transfer.run(url, patience)
        except MirrorError as error:
            reasons.append(f"{urlsplit(url).hostname} {error}")
        else:
            return
    raise BenchError(
        f"{download.file} could not be downloaded: {'; '.join(reasons)}; run the same again later: "
        "it resumes",
        Exit.FAILED,
    )


class _Transfer:
    """A file on its way into a partial file, which may have its first bytes already."""

    def __init__(self, download: Download, part: BinaryIO, advance: Advance) -> None:
        self._download = download
        self._part = part
        self._advance = advance
        self._digest = hashlib.sha256()
        self._written = self._resumed = 0
        part.seek(0)
        while chunk := part.read(_CHUNK):
            self._digest.update(chunk)
            self._count(len(chunk))
        if self._written > download.size:
            self._begin_again()
        self._resumed = self._written

    def run(self, url: str, patience: Patience) -> None:
        """Write what is missing and compare the whole with the checksum.

        A mirror that fails is asked again as long as it sends further bytes.

        Raises:
            MirrorError: It does not send the file.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            before = self._written
            try:
                self._receive(url, patience)
                break
            except MirrorError:
                if attempt == _ATTEMPTS or self._written <= before:
                    raise
        if self._digest.hexdigest() == self._download.sha256:
            return
        resumed = self._resumed
        self._begin_again()
        if not resumed:
            raise MirrorError("sent a file whose SHA-256 is not that of the card")
        # The first bytes may have been those of another file.
        self.run(url, patience)

    def _receive(self, url: str, patience: Patience) -> None:
        if self._written == self._download.size:
            return
        answer = request_file(url, self._written, self._download.size, patience)
        if not answer.offset:
            self._begin_again()
        for chunk in answer.chunks:
            self._part.write(chunk)
            self._digest.update(chunk)
            self._count(len(chunk))

    def _begin_again(self) -> None:
        """Empty the partial file."""
        self._part.seek(0)
        self._part.truncate()
        self._count(-self._written)
        self._digest = hashlib.sha256()
        self._resumed = 0

    def _count(self, size: int) -> None:
        self._written += size
        if size:
            self._advance(self._download.file, size)
