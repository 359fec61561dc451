"""The folder of a user's data: its files, and the resolution of paths in labels."""

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

_MAX_DEPTH = 4
_MAX_FILES = 500_000
# Names that do not begin with a dot, separated by single slashes.
_PLAIN_PATH = re.compile(r"[^./\\\0][^/\\\0]*(?:/[^./\\\0][^/\\\0]*)*")
MAX_PROBED = 200
"""The number of first rows that decide which folder paths are relative to."""
IMAGE_FOLDERS = ("", "images", "imgs", "image", "img")
"""Usual folders of images, relative to the folder of the labels or one above it."""


@dataclass(frozen=True)
class ImageFile:
    """An image file."""

    folder: Path
    name: str

    def exists(self) -> bool:
        """Return whether the file exists."""
        # Path.is_file raises an error on a name that is too long.
        return os.path.isfile(self.folder / self.name)  # noqa: PTH113

    def load(self) -> Sequence[bytes]:
        """Return the content of the file."""
        return image_tree.read_encoded_image(self.folder, self.name)


@dataclass(frozen=True)
class FrameFolder:
    """A clip whose frames are the image files of a folder, in the natural order of their names.

    Attributes:
        folder: A resolved folder; no frame is read from outside it.
        name: The path of the folder of frames in `folder`.
        pattern: The pattern of the names of frames, such as `*.png`.
    """

    folder: Path
    name: str
    pattern: str = "*"

    def exists(self) -> bool:
        """Return whether there is at least one frame."""
        try:
            return bool(self._names())
        except SampleError:
            return False

    def load(self) -> Sequence[bytes]:
        """Return the content of every frame."""
        names = self._names()
        if not names:
            raise SampleError("a folder without a frame")
        return [image_tree.read_file(self.folder, f"{self.name}/{name}") for name in names]

    def _names(self) -> list[str]:
        """Return the names of the frames. Raises SampleError if the folder cannot be read."""
        try:
            names = [each.name for each in (self.folder / self.name).iterdir()]
        except (OSError, ValueError) as error:
            cause = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise SampleError(f"a folder of frames that cannot be read ({cause})") from None
        frames = filter(is_image, fnmatch.filter(names, self.pattern))
        return sorted(frames, key=image_tree.natural_order)


@dataclass(frozen=True)
class DataFolder:
    """A folder of labels and images.

    Attributes:
        root: The resolved folder.
        images: The resolved folder that paths in labels are relative to; None: of the usual
            folders, the one for which most images exist.
        clips: Whether a path in a label is a folder of frames, and not an image.
    """

    root: Path
    images: Path | None = None
    clips: bool = False

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files that are not images, sorted, from the root and up to 4 levels below it.

        Hidden files and folders are left out.
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
        """The sorted names of the files in the root and in each folder up to 4 levels below it."""
        names_by_folder: dict[Path, list[str]] = {}
        count = 0
        for folder, names in _walk(self.root, _MAX_DEPTH):
            names_by_folder[folder] = names
            count += len(names)
            if count > _MAX_FILES:
                raise BenchError(
                    f"{self.root} has more than {_MAX_FILES:,} files, too many to search for "
                    "labels; name the label files"
                )
        return dict(sorted(names_by_folder.items()))

    @cached_property
    def folders(self) -> tuple[Path, ...]:
        """The root and the folders up to 4 levels below it, sorted."""
        return tuple(self._names)

    def relative(self, path: Path) -> str:
        """Return a path relative to the root, for messages and ids."""
        return path.relative_to(self.root).as_posix() if path != self.root else "."

    def prefix(self, path: Path) -> str:
        """Return the prefix of ids of samples that `path` lists; empty for the root."""
        return "" if path == self.root else f"{self.relative(path)}/"

    def require_inside(self, file: Path) -> None:
        """Raise BenchError if a file is a link out of the folder."""
        if not file.resolve().is_relative_to(self.root):
            raise BenchError(
                f"{file} is a link out of {self.root}; put the file itself there, or name the "
                "folder that it is in"
            )

    def source(self, base: Path, path: str) -> tuple[str, ImageFile | FrameFolder]:
        """Return the id and the image source for a path in a label.

        Args:
            base: The folder that the path is relative to.
            path: The path as written in the label.

        Raises:
            SampleError: The path leads out of the folder, or is empty.
        """
        name = normalize_path(path)
        if name.startswith("/"):
            # Labels that were written on this machine may have absolute paths.
            for folder in (base, self.root):
                name = name.removeprefix(f"{folder.as_posix()}/")
        # There may be millions of rows, so only unusual paths are parsed.
        if not _PLAIN_PATH.fullmatch(name):
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
        """The prefix of ids by the folder that paths are relative to."""
        return {}

    def base(self, labels: Path, paths: Sequence[str]) -> Path:
        """Return the folder that the paths in a label file are relative to.

        Args:
            labels: The label file.
            paths: Its first paths.
        """
        if self.images is not None:
            return self.images
        folders = (labels.parent, *_up_to(labels.parent, self.root))
        candidates = [folder / name for folder in folders for name in IMAGE_FOLDERS]
        counts = {base: self._existing(base, paths[:MAX_PROBED]) for base in candidates}
        return max(counts, key=lambda base: counts[base])  # the first maximum

    def _existing(self, base: Path, paths: Sequence[str]) -> int:
        count = 0
        for path in paths:
            try:
                count += self.source(base, path)[1].exists()
            # A text that is not a path may be too long for the system, or contain NUL.
            except (SampleError, OSError, ValueError):
                continue
        return count


def open_data_folder(root: Path, images: Path | None = None, *, clips: bool = False) -> DataFolder:
    """Return a folder of data. Raises BenchError if it or the folder of images does not exist."""
    for folder in filter(None, (root, images)):
        if not folder.is_dir():
            raise BenchError(f"{folder} is not a folder; name the folder of the data")
    return DataFolder(root.resolve(), images and images.resolve(), clips)


def is_image(name: str) -> bool:
    """Return whether a file name has the suffix of an image and is not hidden."""
    stem, dot, suffix = name.rpartition(".")
    return (
        bool(stem)
        and dot + suffix.lower() in image_tree.IMAGE_SUFFIXES
        and not name.startswith(".")
    )


def normalize_path(path: str) -> str:
    """Return a path with slashes, without surrounding white space and a leading `./`."""
    name = path.strip().replace("\\", "/")
    return name[2:].lstrip("/") if name.startswith("./") else name


def _up_to(folder: Path, root: Path) -> Iterator[Path]:
    while folder != root and folder.is_relative_to(root):
        folder = folder.parent
        yield folder


def _is_file(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a file or a link to one; False for circular links."""
    try:
        return entry.is_file()
    except OSError:
        return False


def _walk(folder: Path, depth: int) -> Iterator[tuple[Path, list[str]]]:
    """Yield `folder` and the folders up to `depth` levels below it, with the names of their files.

    Hidden files and folders are left out, and links to folders are not followed.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise BenchError(
            f"{folder} cannot be read ({error.strerror}); check its permissions"
        ) from None
    visible = [entry for entry in entries if not entry.name.startswith(".")]
    folders = [entry for entry in visible if entry.is_dir(follow_symlinks=False)]
    yield folder, [entry.name for entry in visible if _is_file(entry)]
    for entry in folders if depth else ():
        yield from _walk(Path(entry.path), depth - 1)
