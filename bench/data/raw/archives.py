"""Archives, unpacked where a reader can read them.

An archive may be hostile: a name that leads out of its folder, a link, a device, or more bytes than
the disk has. The filters of `tarfile` are not relied on, for Python's older patch releases have
holes in them, and zip archives have none.
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

_SHARE = 0.9
"""How much of the free disk an archive may fill."""
_BLOCK = 4096
"""What each member takes of a disk beside its bytes."""
_BLOCKS = 2**20
_LONGEST_TARGET = 4096
_UNIX = 3
_ENCRYPTED = 1
_MAX_HEADER = 2**20
"""Bytes of a name, and of what else a header says; the content of a file is behind it."""


class _HeaderTooLongError(Exception):
    """A header of a tar that would take the memory."""


_DAMAGED = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # a way of packing that zipfile does not know
    _HeaderTooLongError,
    # Of headers that are no numbers, no text, or that refer to each other a thousand times.
    struct.error,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
)
_DESCRIBING = {
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
}
"""Kinds of members that are names of the next one, or tell of it."""
_Kind = Literal["file", "folder", "symbolic link", "hard link", "other"]


class _Member(NamedTuple):
    """One thing in an archive; `open` gives a file's content, `target` is what a link names."""

    name: str
    kind: _Kind
    open: Callable[[], IO[bytes] | None]
    target: str = ""


@contextmanager
def unpacked(source: Path, into: Path) -> Iterator[Path]:
    """Give the folder of a data set: `source`, or what is unpacked from it if it is an archive.

    A tar (plain, or packed by gzip, bzip2 or xz) or zip is unpacked into a folder of its own in
    `into`. It is removed when it was used; what fails or is interrupted finds it there again. What
    was unpacked from an earlier archive of that name is removed.

    Raises BenchError where `source` is neither, is damaged, or holds what must not be unpacked.
    """
    if source.is_dir():
        yield source
        return
    if not source.is_file():
        fault = "is no folder and no file" if source.exists() else "does not exist"
        raise BenchError(f"{source} {fault}; name the folder or the archive of the data set")
    if is_lmdb(source):
        raise BenchError(f"{source} is an LMDB and no archive; name the folder that it is in")
    about = source.stat()
    into.mkdir(parents=True, exist_ok=True)
    with _only_user(into / f".{source.name}.unpacking", source):
        folder = into / f"{source.name}-{about.st_size}-{about.st_mtime_ns}"
        # Data sets are beside them: what is removed has a time in nanoseconds in its name.
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
def _only_user(claim: Path, source: Path) -> Iterator[None]:
    """Keep other processes from what is unpacked from an archive, while this one uses it."""
    with claim.open("wb") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BenchError(f"{source}: another process prepares from it; wait for it") from None
        try:
            yield
        finally:
            claim.unlink(missing_ok=True)


class _Unpacking:
    """One archive on its way into a folder that nothing else is in."""

    def __init__(self, source: Path, folder: Path) -> None:
        self._source = source
        self._folder = folder
        self._links: set[PurePosixPath] = set()
        folder.mkdir(parents=True)
        self._room = int(_SHARE * shutil.disk_usage(folder).free)

    def run(self) -> None:
        """Write all members. Raises BenchError with the name of the one that must not be."""
        name = ""
        try:
            for member in _members(self._source):
                name = member.name
                if not _is_of_macos(name):
                    self._write(member)
        except FileExistsError:
            raise self._refused(name, "is there twice") from None
        except _DAMAGED as error:
            if isinstance(error, OSError) and error.errno in disk.FULL:
                raise BenchError(
                    f"{self._source} cannot be unpacked into {self._folder.parent}, for the disk "
                    "is full; free some of it, or unpack the archive elsewhere and name the folder"
                ) from None
            place = f" at or behind {quoted(name)}" if name else ""
            raise BenchError(
                f"{self._source} cannot be unpacked{place} ({error}); if it is a whole tar or zip, "
                "unpack it yourself and name the folder, else download it again"
            ) from None

    def _write(self, member: _Member) -> None:
        path = PurePosixPath(member.name)
        if path == PurePosixPath() and member.kind == "folder":
            return
        if not tree.is_inside(member.name) or self._links.intersection(path.parents):
            raise self._refused(member.name, "leads out of its folder")
        self._take(_BLOCK, member.name)
        place = self._folder / path
        if member.kind == "folder":
            place.mkdir(parents=True, exist_ok=True)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        if member.kind == "file":
            self._copy(member, place)
        elif member.kind == "symbolic link":
            self._link(member, path, place)
        elif member.kind == "hard link":
            self._copy_again(member, place)
        else:
            raise self._refused(member.name, "is no plain file, folder or link")

    def _copy(self, member: _Member, place: Path) -> None:
        stream = member.open()
        if stream is None:
            raise self._refused(member.name, "has no content")
        with stream, place.open("xb") as file:
            while chunk := stream.read(_BLOCKS):
                self._take(len(chunk), member.name)
                file.write(chunk)

    def _take(self, size: int, name: str) -> None:
        self._room -= size
        if self._room < 0:
            raise self._refused(name, f"fills more than {_SHARE:.0%} of the free disk")

    def _link(self, member: _Member, path: PurePosixPath, place: Path) -> None:
        """Make a link whose target stays inside, whatever is put in its way later.

        For that its `..` come first: behind the name of a link, they would lead elsewhere.
        """
        target = posixpath.normpath(member.target)
        if not tree.is_inside(posixpath.normpath(path.parent / target)):
            raise self._refused(member.name, "is a link out of its folder")
        place.symlink_to(target)
        self._links.add(path)

    def _copy_again(self, member: _Member, place: Path) -> None:
        """Write a member that is another's content once more."""
        path = PurePosixPath(member.target)
        first = self._folder / path
        linked = self._links.intersection((path, *path.parents))
        if linked or not tree.is_inside(member.target) or not first.is_file():
            raise self._refused(member.name, "is a link to no file before it")
        self._copy(member._replace(open=lambda: first.open("rb")), place)

    def _refused(self, name: str, why: str) -> BenchError:
        return BenchError(
            f"{self._source}: {quoted(name)} {why}, so nothing of this archive is used; get it "
            "from its authors, or unpack it and name the folder"
        )


def _is_of_macos(name: str) -> bool:
    """Return whether a member is what macOS adds to archives, and none of the data."""
    path = PurePosixPath(name)
    return tree.MAC_FOLDER in path.parts or path.name.startswith((".DS_Store", "._"))


class _Header(tarfile.TarInfo):
    """A header that is refused before it takes much memory."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the header of a block of 512 bytes, unless one that it announces is too long."""
        found = super().frombuf(buf, encoding, errors)
        if found.type in _DESCRIBING and found.size > _MAX_HEADER:
            raise _HeaderTooLongError(f"a name or header of {found.size:,} bytes")
        if found.type == tarfile.GNUTYPE_SPARSE:
            raise _HeaderTooLongError("a sparse file, whose header may have any length")
        return found

    def _proc_gnusparse_10(self, *_: object) -> NoReturn:
        """Refuse the list of parts of a sparse file, which is read to its end."""
        raise _HeaderTooLongError("a sparse file, whose header may have any length")


def _members(source: Path) -> Iterator[_Member]:
    return _tar(source) if _is_tar(source) else _zip(source)


def _is_tar(source: Path) -> bool:
    """Return whether a tar begins there. `tarfile.is_tarfile` reads a name of any length."""
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
            # It keeps what it has read of millions of members, and none is asked for again.
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
            # Windows' own tools write backslashes, against the format.
            name = member.filename.replace("\\", "/")
            kind, target = _zip_kind(member, name), ""
            if kind == "symbolic link":
                with archive.open(member) as stream:
                    target = stream.read(_LONGEST_TARGET).decode(errors="surrogateescape")
            yield _Member(name, kind, partial(archive.open, member), target)


def _zip_kind(member: zipfile.ZipInfo, name: str) -> _Kind:
    if member.flag_bits & _ENCRYPTED:
        return "other"
    # Only what Unix packed says what it is; of all else the name says whether it is a folder.
    mode = member.external_attr >> 16 if member.create_system == _UNIX else 0
    kinds: dict[int, _Kind] = {stat.S_IFREG: "file", stat.S_IFLNK: "symbolic link"}
    if name.endswith("/"):
        return "folder"
    return kinds.get(stat.S_IFMT(mode) or stat.S_IFREG, "other")
