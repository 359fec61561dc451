"""How a person's own data are read: what `[dataset.NAME]` says of a folder."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.local_paths import local_path
from bench.data.raw.image_tree import is_inside
from bench.data.raw.labels.data_folder import DataFolder, data_folder
from bench.data.raw.labels.divisions import Division, Group, ListedSplits
from bench.data.raw.labels.label_format import LabelFormat
from bench.data.raw.labels.own_reader import OwnReader


@dataclass(frozen=True)
class OwnLabels:
    """Where labels are, how they are written, and how samples are divided.

    Attributes:
        folder: The folder or archive of the data.
        division: How samples are divided into splits.
        format: How labels are written; None: the one format that fits.
        labels: The files or folders of labels, as paths in the folder; empty: those that the format
            finds.
        images: What paths in labels are relative to: a path in the folder, or an absolute one.
            Empty: it is found out.
        group: What must not be divided.
        clips: Whether the samples are clips.
    """

    folder: Path = field(repr=False)
    division: Division
    format: LabelFormat | None = None
    labels: tuple[str, ...] = ()
    images: str = ""
    group: Group | None = None
    clips: bool = False

    @property
    def digest(self) -> str:
        """A hash of all of this but the place of the folder."""
        return sha256(repr(self).encode()).hexdigest()

    def data(self, source: Path) -> DataFolder:
        """Return the folder `source` to read. Raises BenchError where it is none."""
        images = source / local_path(self.images) if self.images else None
        return data_folder(source, images, clips=self.clips)

    def located(self, data: DataFolder) -> tuple[Path, ...]:
        """Return the files of labels in a folder. Raises BenchError where one is not in it."""
        return tuple(_located(data, path) for path in self.labels)

    def reader(self, source: Path) -> OwnReader:
        """Return what lists the samples in `source`. Raises BenchError where it has others."""
        from bench.data.raw.labels.looking import choose, labels_of, look

        data = self.data(source)
        labels = self.located(data)
        format_ = self.format
        if format_ is None:
            found = choose(look(data, labels=labels), data)
            format_, labels = found.format, labels or found.labels
        division = self.division
        if isinstance(division, ListedSplits):
            for path in division.files.values():
                _located(data, path)
            division = replace(division, root=data.root)
        return OwnReader(data, labels or labels_of(format_, data), format_, division, self.group)


def _located(data: DataFolder, path: str) -> Path:
    """Return a path in the folder. Raises BenchError where it leads out of it or is not there."""
    file = data.root / path
    if not is_inside(path) and path != ".":
        raise BenchError(f"'{path}' is not a path in {data.root}; name a file in that folder")
    if not (file.is_file() or file.is_dir()):
        fault = "is no file and no folder" if file.exists() else "does not exist"
        raise BenchError(f"{file} {fault}; name a file in {data.root}")
    return file
