"""The label format of tables of signed sentences, as in PHOENIX14 and PHOENIX14 T."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar, NamedTuple

from bench.core.errors import BenchError
from bench.core.types import InputKind
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import label_text
from bench.data.raw.labels.data_folder import DataFolder, FrameFolder, normalize_path
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row

_MAX_PROBED = 50
_FEATURES = "features/fullFrame-210x260px"


class _ColumnNames(NamedTuple):
    """The column names of a table."""

    id: str
    clip: str
    signer: str
    glosses: str


_KNOWN_COLUMNS = (
    _ColumnNames("id", "folder", "signer", "annotation"),
    _ColumnNames("name", "video", "speaker", "orth"),
)
"""Those of PHOENIX14 and of PHOENIX14 T, which also has start, end and translation."""


@dataclass(frozen=True)
class SignCorpus(LabelFormat):
    """Tables with columns separated by |, one row per clip, and one folder of frames per clip.

    The column `signer` has the signer. Frames are read in natural order and not changed.
    """

    name: ClassVar[str] = "sign-corpus"
    about: ClassVar[str] = "tables with the header id|folder|signer|annotation, or PHOENIX14 T's"
    gives: ClassVar[frozenset[InputKind]] = frozenset({"frames"})
    certainty: ClassVar[int] = CERTAIN
    grouped_by: ClassVar[str] = "signer"

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the tables by their headers."""
        files = label_text.list_files(data, (".csv", ".txt"))
        return [file for file in files if _find_columns(file) is not None]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per line below the header."""
        columns = _find_columns(labels)
        if columns is None:
            raise BenchError(f"{labels}: its first line is not one of {self.about}")
        base, header = _base(labels, data, columns), list[str]()
        for number, line in label_text.label_lines(labels):
            row_name, values = f"{data.relative(labels)}:{number}", _values(line)
            if not header:
                header = values
            elif not image_tree.is_text(line):
                yield Rejected(row_name, "a row that is not UTF-8")
            elif len(values) != len(header):
                reason = f"a row of {len(values)} columns, the header has {len(header)}"
                yield Rejected(row_name, reason)
            else:
                yield _row(columns, dict(zip(header, values, strict=True)), row_name, base, data)


def _find_columns(file: Path) -> _ColumnNames | None:
    """Return the column names of a table, None if its header has neither set."""
    header = [_values(line) for _, line in islice(label_text.label_lines(file), 1)]
    return next((each for each in _KNOWN_COLUMNS if header and {*each} <= {*header[0]}), None)


def _values(line: str) -> list[str]:
    return [value.strip() for value in line.split("|")]


def _row(
    columns: _ColumnNames, values: Mapping[str, str], row_name: str, base: Path, data: DataFolder
) -> Row | Rejected:
    identity, glosses = values[columns.id] or row_name, values[columns.glosses]
    try:
        clip = _clip(base, values[columns.clip], data)
    except SampleError as error:
        return Rejected(identity, str(error))
    return Row(identity, " ".join(glosses.split()), clip, {"signer": values[columns.signer]})


def _clip(base: Path, path: str, data: DataFolder) -> FrameFolder:
    """Return the clip of a path such as `a/1/*.png` or `a`. Raises SampleError."""
    folder, pattern = normalize_path(path).rstrip("/"), "*"
    if "*" in folder or "?" in folder:
        folder, _, pattern = folder.rpartition("/")
    if not image_tree.is_inside(folder):
        raise SampleError("a path out of the data set's folder" if path else "an empty path")
    root = data.root if base.is_relative_to(data.root) else base
    # Tables of PHOENIX14 T name a folder `1`, but frames are in the folder above it.
    for name in (folder, folder.removesuffix("/1")):
        clip = FrameFolder(root, (base / name).relative_to(root).as_posix(), pattern)
        if clip.exists():
            return clip
    return FrameFolder(root, (base / folder).relative_to(root).as_posix(), pattern)


def _base(labels: Path, data: DataFolder, columns: _ColumnNames) -> Path:
    """Return the folder that clips are relative to: the one with most of the first clips."""
    if data.images is not None:
        return data.images
    header, *rows = (
        _values(line) for _, line in islice(label_text.label_lines(labels), _MAX_PROBED + 1)
    )
    column = header.index(columns.clip)
    paths = [row[column] for row in rows if len(row) == len(header)]
    counts = {base: _count_existing(base, paths, data) for base in _candidate_folders(labels, data)}
    return max(counts, key=lambda base: counts[base])  # the first maximum


def _candidate_folders(labels: Path, data: DataFolder) -> Iterator[Path]:
    """Yield the folders from that of the labels up to the data, with folders of frames in them."""
    for folder in labels.parents:
        if not folder.is_relative_to(data.root):
            return
        for name in ("", "frames", "features", "images", _FEATURES):
            # The clips of a table `NAME.train.corpus.csv` are in a folder `train`.
            yield from (folder / name / part for part in ("", *labels.name.split(".")))


def _count_existing(base: Path, paths: Sequence[str], data: DataFolder) -> int:
    count = 0
    if base.is_dir():
        for path in paths:
            try:
                count += _clip(base, path, data).exists()
            except SampleError:
                continue
    return count
