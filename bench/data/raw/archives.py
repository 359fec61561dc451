"""Unpacking of tar and zip archives of raw data sets.

An archive may be hostile: names that lead out of its folder, links, devices, or more bytes than the
disk has. The filters of `tarfile` are not used, because they have vulnerabilities in older patch
releases of Python, and zip archives have no filters.
"""

from __future__ import annotations

import fcntl
import lzma
import posixpath
import re
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Literal, NamedTuple, NoReturn, Self

from bench.core import disk
from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.data.raw import image_tree as tree
from bench.data.store.database import is_lmdb

_MAX_DISK_SHARE = 0.9
"""The largest share of the free disk that an archive may fill."""
_MEMBER_BYTES = 4096
"""Disk space that is counted per member, in addition to its content."""
_CHUNK_BYTES = 2**20
MAX_LINK_TARGET = 4096
_UNIX = 3
_ENCRYPTED = 1
MAX_HEADER_BYTES = 2**20
"""The largest name or extended header, which is read into memory."""


class _HeaderTooLongError(Exception):
    """A header of a tar that is too large for memory."""


_DAMAGED = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # a compression that zipfile does not support
    _HeaderTooLongError,
    # Headers that are not numbers or not text, or that refer to each other recursively.
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
)
_METADATA_TYPES = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}
"""Types of members that have the name or other metadata of the next member."""
_Kind = Literal["file", "folder", "symbolic link", "hard link", "other"]


class _Member(NamedTuple):
    """A member of an archive.

    Attributes:
        name: The path in the archive.
        kind: The kind of the member.
        open: Opens the content of a file.
        target: The path that a link points to.
    """

    name: str
    kind: _Kind
    open: Callable[[], IO[bytes] | None]
    target: str = ""


@contextmanager
def unpacked(source: Path, into: Path) -> Iterator[Path]:
    """Yield the folder of a raw data set: `source`, or the folder that it was unpacked to.

    A zip or tar (also compressed by gzip, bzip2 or xz) is unpacked to a new folder in `into`. The
    folder is removed at the end of the `with` block, but kept after an error or an interruption,
    for the next attempt. Folders of an earlier archive of the same name are removed.

    Raises:
        BenchError: `source` is neither a folder nor an archive, or the archive is damaged or has a
            member that must not be unpacked.
    """
    if source.is_dir():
        yield source
        return
    if not source.is_file():
        fault = "is not a folder or a file" if source.exists() else "does not exist"
        raise BenchError(f"{source} {fault}; name the folder or the archive of the data set")
    if is_lmdb(source):
        raise BenchError(f"{source} is an LMDB and not an archive; name the folder that it is in")
    status = source.stat()
    into.mkdir(parents=True, exist_ok=True)
    with _exclusive(into / f".{source.name}.unpacking", source):
        folder = into / f"{source.name}-{status.st_size}-{status.st_mtime_ns}"
        # Only names with a time in nanoseconds are removed, because data sets are in `into` too.
        unpacked_before = re.compile(rf"{re.escape(source.name)}-[0-9]+-[0-9]{{16,}}(\.part)?")
        for stale in into.iterdir():
            if stale != folder and unpacked_before.fullmatch(stale.name):
                shutil.rmtree(stale, ignore_errors=True)
        if not folder.exists():
            part = folder.with_name(f"{folder.name}.part")
            try:
                _Unpacking(source, part).run()
            except BaseException:
                shutil.rmtree(part, ignore_errors=True)
                raise
            part.rename(folder)
        yield folder
        shutil.rmtree(folder)


@contextmanager
def _exclusive(claim: Path, source: Path) -> Iterator[None]:
    """Lock the folder of an unpacked archive against other processes."""
    with claim.open("wb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(
                f"{source}: another process is preparing from it; wait for it to end"
            ) from None
        try:
            yield
        finally:
            claim.unlink(missing_ok=True)


class _Unpacking:
    """Unpacks one archive to a new folder."""

    def __init__(self, source: Path, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._links: set[PurePosixPath] = set()
        folder.mkdir(parents=True)
        self._free_bytes = int(_MAX_DISK_SHARE * shutil.disk_usage(folder).free)

    def run(self) -> None:
        """Write all members. Raises BenchError if one must not be written."""
        name = ""
        try:
            for member in _members(self._source):
                name = member.name
                if not _is_macos_metadata(name):
                    self._write(member)
        except FileExistsError:
            raise self._refused(name, "is there twice") from None
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno in disk.FULL:
                raise BenchError(
                    f"{self._source} cannot be unpacked into {self._folder.parent}, because the "
                    "disk is full; free some space, or unpack the archive elsewhere and name that "
                    "folder"
                ) from None
            where = f" at or after {quoted(name)}" if name else ""
            raise BenchError(
                f"{self._source} cannot be unpacked{where} ({error}); if it is a complete tar or "
                "zip, unpack it yourself and name the folder, else download it again"
            ) from None

    def _write(self, member: _Member) -> None:
        path = PurePosixPath(member.name)
        if path == PurePosixPath() and member.kind == "folder":
            return
        if not tree.is_inside(member.name) or self._links.intersection(path.parents):
            raise self._refused(member.name, "leads out of its folder")
        self._reserve(_MEMBER_BYTES, member.name)
        target = self._folder / path
        if member.kind == "folder":
            target.mkdir(parents=True, exist_ok=True)
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        if member.kind == "file":
            self._copy(member, target)
        elif member.kind == "symbolic link":
            self._link(member, path, target)
        elif member.kind == "hard link":
            self._copy_again(member, target)
        else:
            raise self._refused(member.name, "is not a regular file, folder or link")

    def _copy(self, member: _Member, target: Path) -> None:
        stream = member.open()
        if stream is None:
            raise self._refused(member.name, "has no content")
        with stream, target.open("xb") as file:
            while chunk := stream.read(_CHUNK_BYTES):
                self._reserve(len(chunk), member.name)
                file.write(chunk)

    def _reserve(self, size: int, name: str) -> None:
        self._free_bytes -= size
        if self._free_bytes < 0:
            raise self._refused(name, f"fills more than {_MAX_DISK_SHARE:.0%} of the free disk")

    def _link(self, member: _Member, path: PurePosixPath, link: Path) -> None:
        """Make a symbolic link whose target stays inside the folder.

        The target is normalized so that `..` comes first: after the name of another link, it would
        lead elsewhere.
        """
        target = posixpath.normpath(member.target)
        if not tree.is_inside(posixpath.normpath(path.parent / target)):
            raise self._refused(member.name, "is a link out of its folder")
        link.symlink_to(target)
        self._links.add(path)

    def _copy_again(self, member: _Member, target: Path) -> None:
        """Write a hard link as a copy of the file that it points to."""
        path = PurePosixPath(member.target)
        first = self._folder / path
        linked = self._links.intersection((path, *path.parents))
        if linked or not tree.is_inside(member.target) or not first.is_file():
            raise self._refused(member.name, "is a link to a file that is not before it")
        self._copy(member._replace(open=lambda: first.open("rb")), target)

    def _refused(self, name: str, why: str) -> BenchError:
        return BenchError(
            f"{self._source}: {quoted(name)} {why}, so the archive is not used; get it from "
            "its authors, or unpack it yourself and name the folder"
        )


def _is_macos_metadata(name: str) -> bool:
    """Return whether a member is metadata that macOS adds to archives."""
    path = PurePosixPath(name)
    return tree.MAC_FOLDER in path.parts or path.name.startswith((".DS_Store", "._"))


class _Header(tarfile.TarInfo):
    """A tar header that is refused before it takes much memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Parse a block of 512 bytes. Raises _HeaderTooLongError if it announces a large header."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _METADATA_TYPES and header.size > MAX_HEADER_BYTES:
            raise _HeaderTooLongError(f"a name or header of {header.size:,} bytes")
        if header.type == tarfile.GNUTYPE_SPARSE:
            raise _HeaderTooLongError("a sparse file, whose header may have any length")
        return header

    def _proc_gnusparse_10(self, *_: object) -> NoReturn:
        """Refuse sparse files, whose list of parts has no limit."""
        raise _HeaderTooLongError("a sparse file, whose header may have any length")


def _members(source: Path) -> Iterator[_Member]:
    return _tar(source) if _is_tar(source) else _zip(source)


def _is_tar(source: Path) -> bool:
    """Return whether a file is a tar; `tarfile.is_tarfile` would read a name of any length."""
    try:
        tarfile.open(source, tarinfo=_Header).close()
    except tarfile.TarError:
        return False
    return True


def _tar(source: Path) -> Iterator[_Member]:
    with tarfile.open(source, "r|*", tarinfo=_Header) as archive:
        while member := archive.next():
            content = partial(archive.extractfile, member)
            yield _Member(member.name, _kind(member), content, member.linkname)
            # tarfile keeps every member that it has read, and there may be millions.
            archive.members.clear()  # type: ignore[attr-defined]


def _kind(member: tarfile.TarInfo) -> _Kind:
    if member.isreg():
        return "file"
    if member.isdir():
        return "folder"
    if member.issym():
        return "symbolic link"
    return "hard link" if member.islnk() else "other"


def _zip(source: Path) -> Iterator[_Member]:
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            # Tools of Windows write backslashes, against the specification.
            name = member.filename.replace("\\", "/")
            kind, target = _zip_kind(member, name), ""
            if kind == "symbolic link":
                with archive.open(member) as stream:
                    target = stream.read(MAX_LINK_TARGET).decode(errors="surrogateescape")
            yield _Member(name, kind, partial(archive.open, member), target)


def _zip_kind(member: zipfile.ZipInfo, name: str) -> _Kind:
    if member.flag_bits & _ENCRYPTED:
        return "other"
    # Only archives from Unix have file types; in others, a final slash marks a folder.
    mode = member.external_attr >> 16 if member.create_system == _UNIX else 0
    kinds: dict[int, _Kind] = {stat.S_IFREG: "file", stat.S_IFLNK: "symbolic link"}
    if name.endswith("/"):
        return "folder"
    return kinds.get(stat.S_IFMT(mode) or stat.S_IFREG, "other")
