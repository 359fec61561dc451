"""Tables of signed sentences, in the form of PHOENIX14 and PHOENIX14 T."""

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
from bench.data.raw.labels.data_folder import DataFolder, FrameFolder, normalized
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row

_PROBED = 50
_FEATURES = "features/fullFrame-210x260px"


class _Corpus(NamedTuple):
    """What the columns of a table are called."""

    id: str
    clip: str
    signer: str
    glosses: str


_CORPORA = (
    _Corpus("id", "folder", "signer", "annotation"),
    _Corpus("name", "video", "speaker", "orth"),
)
"""Of PHOENIX14 and of PHOENIX14 T, which has the columns start, end and translation as well."""


@dataclass(frozen=True)
class SignCorpus(LabelFormat):
    """Tables with | between columns, one row per clip, whose frames are images in a folder.

    The column `signer` is who signs. Frames are read in natural order, as they are.
    """

    name: ClassVar[str] = "sign-corpus"
    about: ClassVar[str] = "tables with the header id|folder|signer|annotation, or PHOENIX14 T's"
    gives: ClassVar[frozenset[InputKind]] = frozenset({"frames"})
    certainty: ClassVar[int] = CERTAIN
    grouped_by: ClassVar[str] = "signer"

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the tables by their headers."""
        files = label_text.named(data, (".csv", ".txt"))
        return [file for file in files if _corpus(file) is not None]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield a row per line below the header."""
        corpus = _corpus(labels)
        if corpus is None:
            raise BenchError(f"{labels}: its first line is not such as {self.about}")
        base, header = _base(labels, data, corpus), list[str]()
        for number, line in label_text.lines(labels):
            place, values = f"{data.relative(labels)}:{number}", _values(line)
            if not header:
                header = values
            elif not image_tree.is_text(line):
                yield Rejected(place, "a row that is not UTF-8")
            elif len(values) != len(header):
                reason = f"a row of {len(values)} columns, the header has {len(header)}"
                yield Rejected(place, reason)
            else:
                yield _row(corpus, dict(zip(header, values, strict=True)), place, base, data)


def _corpus(file: Path) -> _Corpus | None:
    """Return what a table calls its columns, None where it is no such table."""
    header = [_values(line) for _, line in islice(label_text.lines(file), 1)]
    return next((each for each in _CORPORA if header and {*each} <= {*header[0]}), None)


def _values(line: str) -> list[str]:
    return [value.strip() for value in line.split("|")]


def _row(
    corpus: _Corpus, values: Mapping[str, str], place: str, base: Path, data: DataFolder
) -> Row | Rejected:
    identity, glosses = values[corpus.id] or place, values[corpus.glosses]
    try:
        clip = _clip(base, values[corpus.clip], data)
    except SampleError as error:
        return Rejected(identity, str(error))
    return Row(identity, " ".join(glosses.split()), clip, {"signer": values[corpus.signer]})


def _clip(base: Path, path: str, data: DataFolder) -> FrameFolder:
    """Return the clip of a path such as `a/1/*.png` or `a`. Raises SampleError."""
    folder, pattern = normalized(path).rstrip("/"), "*"
    if "*" in folder or "?" in folder:
        folder, _, pattern = folder.rpartition("/")
    if not image_tree.is_inside(folder):
        raise SampleError("a path out of the data set's folder" if path else "an empty path")
    root = data.root if base.is_relative_to(data.root) else base
    # Tables of PHOENIX14 T name a folder `1` in which the frames are not.
    for name in (folder, folder.removesuffix("/1")):
        clip = FrameFolder(root, (base / name).relative_to(root).as_posix(), pattern)
        if clip.exists():
            return clip
    return FrameFolder(root, (base / folder).relative_to(root).as_posix(), pattern)


def _base(labels: Path, data: DataFolder, corpus: _Corpus) -> Path:
    """Return what clips are relative to: where the most of the first ones have frames."""
    if data.images is not None:
        return data.images
    header, *rows = (_values(line) for _, line in islice(label_text.lines(labels), _PROBED + 1))
    place = header.index(corpus.clip)
    paths = [row[place] for row in rows if len(row) == len(header)]
    counts = {base: _existing(base, paths, data) for base in _bases(labels, data)}
    return max(counts, key=lambda base: counts[base])  # the first of equals


def _bases(labels: Path, data: DataFolder) -> Iterator[Path]:
    """Yield the folders up to that of the data, and those in them for frames and for a split."""
    for folder in labels.parents:
        if not folder.is_relative_to(data.root):
            return
        for name in ("", "frames", "features", "images", _FEATURES):
            # The table `NAME.train.corpus.csv` is of the clips in a folder `train`.
            yield from (folder / name / part for part in ("", *labels.name.split(".")))


def _existing(base: Path, paths: Sequence[str], data: DataFolder) -> int:
    count = 0
    if base.is_dir():
        for path in paths:
            try:
                count += _clip(base, path, data).exists()
            except SampleError:
                continue
    return count
