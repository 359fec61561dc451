"""The labels of a user's data, as declared by `[dataset.NAME]`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.local_paths import local_path
from bench.data.raw.image_tree import is_inside
from bench.data.raw.labels.data_folder import DataFolder, open_data_folder
from bench.data.raw.labels.divisions import Division, Group, ListedSplits
from bench.data.raw.labels.label_format import LabelFormat
from bench.data.raw.labels.own_reader import OwnReader


@dataclass(frozen=True)
class OwnLabels:
    """The location, the format and the division of labels.

    Attributes:
        folder: The folder or archive of the data.
        division: The division into splits.
        format: The label format; None: it is detected.
        labels: The label files or folders, as paths in the folder; empty: those that the format
            finds.
        images: The folder that paths in labels are relative to, as a path in the folder or an
            absolute one; empty: it is detected.
        group: The groups that must not be divided; None for no groups.
        clips: Whether samples are clips.
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
        """A hash of all settings except the location of the folder."""
        return sha256(repr(self).encode()).hexdigest()

    def data(self, source: Path) -> DataFolder:
        """Return the folder `source` of the data. Raises BenchError if it is not a folder."""
        images = source / local_path(self.images) if self.images else None
        return open_data_folder(source, images, clips=self.clips)

    def label_paths(self, data: DataFolder) -> tuple[Path, ...]:
        """Return the paths of `labels` in a folder. Raises BenchError if one does not exist."""
        return tuple(_label_path(data, path) for path in self.labels)

    def reader(self, source: Path) -> OwnReader:
        """Return the reader of the labels in `source`. Raises BenchError if they cannot be read."""
        from bench.data.raw.labels.format_detection import (
            choose_format,
            detect_formats,
            find_labels,
        )

        data = self.data(source)
        labels = self.label_paths(data)
        format_ = self.format
        if format_ is None:
            detected = choose_format(detect_formats(data, labels=labels), data)
            format_, labels = detected.format, labels or detected.labels
        division = self.division
        if isinstance(division, ListedSplits):
            for path in division.files.values():
                _label_path(data, path)
            division = replace(division, root=data.root)
        return OwnReader(data, labels or find_labels(format_, data), format_, division, self.group)


def _label_path(data: DataFolder, path: str) -> Path:
    """Return a path in the folder. Raises BenchError if it leads out or does not exist."""
    file = data.root / path
    if not is_inside(path) and path != ".":
        raise BenchError(f"'{path}' is not a path in {data.root}; name a file in that folder")
    if not (file.is_file() or file.is_dir()):
        fault = "is not a file or a folder" if file.exists() else "does not exist"
        raise BenchError(f"{file} {fault}; name a file in {data.root}")
    return file
