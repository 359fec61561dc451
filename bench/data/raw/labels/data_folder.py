"""The folder of a person's own data: its files, and what the paths in its labels mean."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from bench.core.errors import BenchError
from bench.data.raw import image_tree
from bench.data.raw.entries import SampleError

_DEPTH = 4
_MAX_FILES = 500_000
# Names that do not begin with a dot, with one slash between.
_PLAIN = re.compile(r"[^./\\\0][^/\\\0]*(?:/[^./\\\0][^/\\\0]*)*")
PROBED = 200
"""Rows from which it is decided what paths are relative to."""
IMAGE_FOLDERS = ("", "images", "imgs", "image", "img")
"""Folders that images may be in, from the folder of their labels or one above it."""


@dataclass(frozen=True)
class ImageFile:
    """An image that is a file of its own."""

    folder: Path
    name: str

    def exists(self) -> bool:
        """Return whether there is such a file."""
        # Path.is_file raises on a text that is too long for a name.
        return os.path.isfile(self.folder / self.name)  # noqa: PTH113

    def load(self) -> Sequence[bytes]:
        """Return the content of the file."""
        return image_tree.image(self.folder, self.name)


@dataclass(frozen=True)
class FrameFolder:
    """A clip whose frames are the image files of a folder, in the natural order of their names.

    Attributes:
        folder: The folder that `name` is in, without links; no frame is read out of it.
        name: The folder of the frames.
        pattern: What the names of frames match, such as `*.png`.
    """

    folder: Path
    name: str
    pattern: str = "*"

    def exists(self) -> bool:
        """Return whether there is a frame."""
        try:
            return bool(self._names())
        except SampleError:
            return False

    def load(self) -> Sequence[bytes]:
        """Return the content of every frame."""
        names = self._names()
        if not names:
            raise SampleError("a folder without a frame")
        return [image_tree.read(self.folder, f"{self.name}/{name}") for name in names]

    def _names(self) -> list[str]:
        """Return the names of the frames. Raises SampleError where the folder cannot be read."""
        try:
            names = [each.name for each in (self.folder / self.name).iterdir()]
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise SampleError(f"a folder of frames that cannot be read ({cause})") from None
        shown = filter(is_image, fnmatch.filter(names, self.pattern))
        return sorted(shown, key=image_tree.natural_order)


@dataclass(frozen=True)
class DataFolder:
    """A folder of labels and images.

    Attributes:
        root: The folder, without links.
        images: What paths in labels are relative to, without links; None: it is found out from
            which of the usual places most images exist.
        clips: Whether a path in a label names a folder of frames, and not an image.
    """

    root: Path
    images: Path | None = None
    clips: bool = False

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files near the root that are not images, sorted.

        Hidden ones, and folders further down, are left out.
        """
        return tuple(
            folder / name
            for folder, names in self._names.items()
            for name in names
            if not is_image(name)
        )

    def images_in(self, folder: Path) -> Sequence[str]:
        """Return the names of the images in one of `folders`."""
        return [name for name in self._names.get(folder, ()) if is_image(name)]

    @cached_property
    def _names(self) -> dict[Path, list[str]]:
        """The names of the files in each folder near the root, sorted."""
        found: dict[Path, list[str]] = {}
        count = 0
        for folder, names in _walk(self.root, _DEPTH):
            found[folder] = names
            count += len(names)
            if count > _MAX_FILES:
                raise BenchError(
                    f"{self.root} has more than {_MAX_FILES:,} files, too many to look through "
                    "for labels; name the files of labels"
                )
        return dict(sorted(found.items()))

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """The root and the folders near it, sorted."""
        return tuple(self._names)

    def relative(self, path: Path) -> str:
        """Return how messages and ids call a path in this folder."""
        return path.relative_to(self.root).as_posix() if path != self.root else "."

    def prefix(self, path: Path) -> str:
        """Return how ids begin of what is listed in a path: with nothing in the folder itself."""
        return "" if path == self.root else f"{self.relative(path)}/"

    def require_inside(self, file: Path) -> None:
        """Raise BenchError where a file is a link out of the folder."""
        if not file.resolve().is_relative_to(self.root):
            raise BenchError(
                f"{file} is a link out of {self.root}; put the file itself there, or name the "
                "folder that it is in"
            )

    def source(self, base: Path, path: str) -> tuple[str, ImageFile | FrameFolder]:
        """Return the id and the images that `path` of a label names, given what it is relative to.

        Raises:
            SampleError: The path leads out of the folder, or is empty.
        """
        name = normalized(path)
        if name.startswith("/"):
            # Labels that a program wrote on this machine may have absolute paths.
            for folder in (base, self.root):
                name = name.removeprefix(f"{folder.as_posix()}/")
        # Millions of rows: only a path that needs it is taken apart.
        if not _PLAIN.fullmatch(name):
            if not image_tree.is_inside(name):
                raise SampleError(
                    "a path out of the data set's folder" if name else "an empty path"
                )
            name = PurePosixPath(name).as_posix()
        if base not in self._prefixes:
            within = base.is_relative_to(self.root)
            self._prefixes[base] = self.prefix(base) if within else ""
        identity = self._prefixes[base] + name
        return identity, FrameFolder(base, name) if self.clips else ImageFile(base, name)

    @cached_property
    def _prefixes(self) -> dict[Path, str]:
        """How the ids of images begin by what their paths are relative to."""
        return {}

    def base(self, labels: Path, paths: Sequence[str]) -> Path:
        """Return what the paths in a file of labels are relative to.

        Args:
            labels: The file.
            paths: The first of its paths.
        """
        if self.images is not None:
            return self.images
        folders = (labels.parent, *_up_to(labels.parent, self.root))
        candidates = [folder / name for folder in folders for name in IMAGE_FOLDERS]
        counts = {base: self._existing(base, paths[:PROBED]) for base in candidates}
        return max(counts, key=lambda base: counts[base])  # the first of equals

    def _existing(self, base: Path, paths: Sequence[str]) -> int:
        count = 0
        for path in paths:
            try:
                count += self.source(base, path)[1].exists()
            # Of a text that is no path, the system may say that it is too long or has a NUL.
            except (SampleError, OSError, ValueError):
                continue
        return count


def data_folder(root: Path, images: Path | None = None, *, clips: bool = False) -> DataFolder:
    """Return a folder of data. Raises BenchError where it, or that of the images, is no folder."""
    for folder in filter(None, (root, images)):
        if not folder.is_dir():
            raise BenchError(f"{folder} is not a folder; name the one that holds the data")
    return DataFolder(root.resolve(), images and images.resolve(), clips)


def is_image(name: str) -> bool:
    """Return whether a file has the ending of an image."""
    stem, dot, suffix = name.rpartition(".")
    return (
        bool(stem)
        and dot + suffix.lower() in image_tree.IMAGE_SUFFIXES
        and not name.startswith(".")
    )


def normalized(path: str) -> str:
    """Return a path of a label with slashes, without white space around it and a leading `./`."""
    name = path.strip().replace("\\", "/")
    return name[2:].lstrip("/") if name.startswith("./") else name


def _up_to(folder: Path, root: Path) -> Iterator[Path]:
    while folder != root and folder.is_relative_to(root):
        folder = folder.parent
        yield folder


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether it is a file, or a link to one; a link to itself is none."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _walk(folder: Path, depth: int) -> Iterator[tuple[Path, list[str]]]:
    """Yield `folder` and the folders of so many levels below it, with the names of their files.

    Hidden files and folders are left out, and no link to a folder is followed.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise BenchError(
            f"{folder} cannot be read ({error.strerror}); look at its permissions"
        ) from None
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    folders = [entry for entry in shown if entry.is_dir(follow_symlinks=False)]
    yield folder, [entry.name for entry in shown if _is_file(entry)]
    for entry in folders if depth else ():
        yield from _walk(Path(entry.path), depth - 1)
