"""RWTH-PHOENIX-Weather 2014: tables of glosses, and a folder of frames a sentence.

Koller, Forster and Ney, "Continuous sign language recognition: Towards large vocabulary statistical
recognition systems handling multiple signers" (2015).
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
"""Height and width of a frame as it is stored, in pixels; those of the release are 260 × 210."""

_FEATURES = "features/fullFrame-210x260px"
_SPLITS = {"train": "train", "validation": "dev", "test": "test"}
_COLUMNS = {"id": "id", "folder": "folder", "signer": "signer", "text": "annotation"}


@dataclass(frozen=True)
class Corpus:
    """One of the corpora: `table` is the path of a partition's table, a `{}` for its name.

    `folders` is where releases have the corpus, `header` the columns of a table, `columns` those
    that are read, `broken` the identities of training samples that nobody can use.
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
    """The partitions of a corpus; `more` has signer and folder of a sample.

    A sample's images are all frames that match the pattern of its folder, in their natural order,
    scaled to 256 × 256 pixels and stored as JPEG. What the table says beyond its columns, and
    samples known to be broken, are rejected; a row without a sample is named by its file and line.
    """

    parts: Sequence[str] = tuple(_SPLITS)
    columns: Sequence[str] = ("signer", "folder")

    def __init__(self, source: Path, corpus: Corpus) -> None:
        wanted = [corpus.table.format(split) for split in _SPLITS.values()]
        wanted += [f"{_FEATURES}/{split}" for split in _SPLITS.values()]

        def missing(folder: Path) -> list[str]:
            return [name for name in wanted if not (folder / name).exists()]

        found = tree.root(source, lambda folder: (folder / wanted[0]).is_file(), corpus.folders)
        if found is None or missing(found):
            raise BenchError(
                f"{found or source}: this is not all of {corpus.title}, for there is no "
                f"{', no '.join(missing(found) if found else wanted[:1])}; unpack all of it, and "
                f"name the folder {corpus.folders[0]}"
            )
        self._folder = found
        self._corpus = corpus

    def database(self, part: str) -> None:
        """Return None: the frames are files."""

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield the rows of a table. Raises BenchError where it has another header, or no row."""
        split, corpus = _SPLITS[part], self._corpus
        file = self._folder / corpus.table.format(split)
        rows = tree.lines(file)
        if tuple(next(rows, "").split("|")) != corpus.header:
            raise BenchError(
                f"{file}: its first line is not {'|'.join(corpus.header)}; take the file from the "
                "release again"
            )
        listed = False
        for number, row in enumerate(rows, 2):
            if row:
                listed = True
                yield self._sample(row, split, f"{file.name}:{number}")
        if not listed:
            raise BenchError(f"{file} lists no sample; take it from the release again")

    def _sample(self, row: str, split: str, place: str) -> Entry | Rejected:
        """Return what a row holds; `place` names one that cannot be read."""
        values = row.split("|")
        if not tree.is_text(row):
            return Rejected(place, "a row that is no UTF-8")
        if len(values) != len(self._corpus.header):
            return Rejected(place, f"a row that has not {len(self._corpus.header)} columns")
        named = dict(zip(self._corpus.header, values, strict=True))
        sample = {ours: named[theirs].strip() for ours, theirs in self._corpus.columns.items()}
        if not (sample["id"] and sample["text"]):
            return Rejected(sample["id"] or place, "a row without a name or without glosses")
        if split == "train" and sample["id"] in self._corpus.broken:
            return Rejected(sample["id"], "a sample that is known to be broken")
        if not tree.is_inside(sample["folder"]):
            return Rejected(sample["id"], "a path out of the data set's folder")
        load = partial(self._frames, f"{_FEATURES}/{split}", sample["folder"])
        more = {"signer": sample["signer"], "folder": sample["folder"]}
        return Entry(sample["id"], sample["text"], load, more)

    def _frames(self, features: str, pattern: str) -> list[bytes]:
        """Return the frames of a clip. Raises SampleError where there are none, or one is unfit."""
        above, _, frame = f"{features}/{pattern}".rpartition("/")
        # The tables of PHOENIX14 T name a folder `1` in which the frames are not.
        for folder in (above, above.removesuffix("/1")):
            try:
                names = [child.name for child in (self._folder / folder).iterdir()]
            except OSError:
                continue
            if shown := sorted(fnmatch.filter(names, frame), key=tree.natural_order):
                return [self._stored(f"{folder}/{name}") for name in shown]
        raise SampleError("no frames")

    def _stored(self, name: str) -> bytes:
        import cv2
        import numpy as np

        from bench.data.inputs import images

        try:
            pixels = images.decode_image(tree.read(self._folder, name), 3)
        except SampleError as error:
            raise SampleError(f"a frame that is {error}") from None
        scaled = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4)
        return images.encode_jpeg(np.asarray(scaled, np.uint8))


class Phoenix14Reader(CorpusReader):
    """PHOENIX14, whose signers are the same in every split or one that only the others know."""

    def __init__(self, source: Path, edition: Literal["multisigner", "si5"]) -> None:
        super().__init__(source, _EDITIONS[edition])
