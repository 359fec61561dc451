"""Reader of RWTH-PHOENIX-Weather 2014: tables of glosses, and one folder of frames per sentence.

Source: Koller, Forster and Ney, "Continuous sign language recognition: Towards large vocabulary
statistical recognition systems handling multiple signers" (CVIU 2015).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from bench.core.errors import BenchError
from bench.data.raw import image_tree as tree
from bench.data.raw.entries import Entry, Rejected, SampleError

SIDE = 256
"""Height and width in pixels of stored frames; frames of the release have 260 × 210."""

_FEATURES = "features/fullFrame-210x260px"
_SPLITS = {"train": "train", "validation": "dev", "test": "test"}
_COLUMNS = {"id": "id", "folder": "folder", "signer": "signer", "text": "annotation"}


@dataclass(frozen=True)
class Corpus:
    """The files of one corpus.

    Attributes:
        title: The name of the corpus in errors.
        folders: The possible folders of the corpus in releases.
        table: The path of the table of a partition, with `{}` for the name of the partition.
        header: The columns of a table.
        columns: The columns that are read, by their names in bench.
        broken: The ids of training samples that are known to be broken.
    """

    title: str
    folders: tuple[str, ...]
    table: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    broken: Collection[str] = ()


def _edition(title: str, folder: str, suffix: str) -> Corpus:
    return Corpus(
        title,
        (folder, f"phoenix2014-release/{folder}"),
        f"annotations/manual/{{}}{suffix}.corpus.csv",
        tuple(_COLUMNS.values()),
        _COLUMNS,
        ("13April_2011_Wednesday_tagesschau_default-14",),
    )


_EDITIONS = {
    "multisigner": _edition("PHOENIX14", "phoenix-2014-multisigner", ""),
    "si5": _edition("PHOENIX14 SI5", "phoenix-2014-signerindependent-SI5", ".SI5"),
}


class CorpusReader:
    """Reader of the partitions of a corpus; `more` has the signer and the folder of a sample.

    The images of a sample are all frames that match the pattern of its folder, in natural order,
    scaled to 256 × 256 pixels and stored as JPEG. Rows with too many columns and samples known to
    be broken are rejected; the id of a row without a sample is its file and line.
    """

    parts: Sequence[str] = tuple(_SPLITS)
    columns: Sequence[str] = ("signer", "folder")

    def __init__(self, source: Path, corpus: Corpus) -> None:
        required = [corpus.table.format(split) for split in _SPLITS.values()]
        required += [f"{_FEATURES}/{split}" for split in _SPLITS.values()]

        def missing(folder: Path) -> list[str]:
            return [name for name in required if not (folder / name).exists()]

        root = tree.find_root(
            source, lambda folder: (folder / required[0]).is_file(), corpus.folders
        )
        if root is None or missing(root):
            raise BenchError(
                f"{root or source}: this is not all of {corpus.title}, because there is no "
                f"{', no '.join(missing(root) if root else required[:1])}; unpack all of it, and "
                f"name the folder {corpus.folders[0]}"
            )
        self._folder = root
        self._corpus = corpus

    def database(self, part: str) -> None:
        """Return None: the frames are files."""

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield the rows of a table. Raises BenchError if its header is wrong, or it has no row."""
        split, corpus = _SPLITS[part], self._corpus
        file = self._folder / corpus.table.format(split)
        rows = tree.read_lines(file)
        if tuple(next(rows, "").split("|")) != corpus.header:
            raise BenchError(
                f"{file}: its first line is not {'|'.join(corpus.header)}; copy the file from the "
                "release again"
            )
        listed = False
        for number, row in enumerate(rows, 2):
            if row:
                listed = True
                yield self._sample(row, split, f"{file.name}:{number}")
        if not listed:
            raise BenchError(f"{file} lists no sample; copy it from the release again")

    def _sample(self, row: str, split: str, row_name: str) -> Entry | Rejected:
        """Return the entry of a row; `row_name` is the id of a row that cannot be read."""
        values = row.split("|")
        if not tree.is_text(row):
            return Rejected(row_name, "a row that is not UTF-8")
        if len(values) != len(self._corpus.header):
            return Rejected(
                row_name, f"a row that does not have {len(self._corpus.header)} columns"
            )
        named = dict(zip(self._corpus.header, values, strict=True))
        sample = {name: named[column].strip() for name, column in self._corpus.columns.items()}
        if not (sample["id"] and sample["text"]):
            return Rejected(sample["id"] or row_name, "a row without a name or without glosses")
        if split == "train" and sample["id"] in self._corpus.broken:
            return Rejected(sample["id"], "a sample that is known to be broken")
        if not tree.is_inside(sample["folder"]):
            return Rejected(sample["id"], "a path out of the data set's folder")
        load = partial(self._frames, f"{_FEATURES}/{split}", sample["folder"])
        more = {"signer": sample["signer"], "folder": sample["folder"]}
        return Entry(sample["id"], sample["text"], load, more)

    def _frames(self, features: str, pattern: str) -> list[bytes]:
        """Return the frames of a clip. Raises SampleError if there are none, or one is unusable."""
        above, _, frame = f"{features}/{pattern}".rpartition("/")
        # Tables of PHOENIX14 T name a folder `1`, but frames are in the folder above it.
        for folder in (above, above.removesuffix("/1")):
            try:
                names = [child.name for child in (self._folder / folder).iterdir()]
            except OSError:
                continue
            if frames := sorted(fnmatch.filter(names, frame), key=tree.natural_order):
                return [self._stored(f"{folder}/{name}") for name in frames]
        raise SampleError("no frames")

    def _stored(self, name: str) -> bytes:
        import cv2
        import numpy as np

        from bench.data.inputs import images

        try:
            pixels = images.decode_image(tree.read_file(self._folder, name), 3)
        except SampleError as error:
            raise SampleError(f"a frame that is {error}") from None
        scaled = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4)
        return images.encode_jpeg(np.asarray(scaled, np.uint8))


class Phoenix14Reader(CorpusReader):
    """Reader of PHOENIX14: with the same signers in every split, or tested on an unseen signer."""

    def __init__(self, source: Path, edition: Literal["multisigner", "si5"]) -> None:
        super().__init__(source, _EDITIONS[edition])
