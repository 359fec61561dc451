"""LMDBs of clovaai, PARSeq, mmocr and OpenOCR."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.core.errors import BenchError, Exit
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.data_folder import PROBED, DataFolder
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row

if TYPE_CHECKING:
    from bench.data.raw.numbered_lmdb import NumberedLmdb
    from bench.data.store.database import Database

_FILE = "data.mdb"
_SUFFIXES = {".lmdb", ".mdb"}
_LISTED = b"total_number"
"""The key of mmocr's first LMDBs, whose lines of labels are counted from 0 without a prefix."""
_MAX_LISTED = 10**9
_REMEDY = "write it again with num-samples, label-%09d and image-%09d"
_FOREIGN = {
    b"__len__": "the pickled values of PaddleOCR, and bench unpickles nothing",
    b"__keys__": "the pickled values of PaddleOCR, and bench unpickles nothing",
    b"image_hr-000000001": "pairs of images in low and high resolution, as TextZoom's",
}


@dataclass(frozen=True)
class LmdbImage:
    """An image that is a value of an LMDB."""

    lmdb: NumberedLmdb
    number: int

    def exists(self) -> bool:
        """Return whether the LMDB has the key of the image."""
        try:
            return self.lmdb.has_image(self.number)
        except SampleError:
            return False

    def load(self) -> Sequence[bytes]:
        """Return the value. Raises SampleError where there is none."""
        return self.lmdb.image(self.number)


@dataclass(frozen=True)
class Lmdb(LabelFormat):
    """LMDBs with `num-samples`, `label-%09d` and `image-%09d`, each a folder or a single file.

    Numbers are counted from 1, or from 0 where there is a label 0. Labels behind `num-samples` are
    rejected one by one. Where labels are JSON with a `filename` and there are no images, as mmocr
    writes them with --label-only, images are files. Other keys, such as OpenOCR's `wh-%09d`, are
    not read.
    """

    name: ClassVar[str] = "lmdb"
    about: ClassVar[str] = "LMDBs with keys such as label-000000001 and image-000000001"
    certainty: ClassVar[int] = CERTAIN

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders of files `data.mdb`, and files such as `words.lmdb`."""
        from bench.data.store.database import is_lmdb

        found = [
            file.parent if file.name == _FILE else file
            for file in data.files
            if file.suffix.lower() in _SUFFIXES and is_lmdb(file)
        ]
        return sorted(found)

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the samples of an LMDB by their numbers."""
        import lmdb

        try:
            yield from _rows(labels, data)
        except lmdb.Error as error:
            raise BenchError(
                f"{labels}: this LMDB cannot be read ({error}); copy or download it again",
                Exit.UNVERIFIED,
            ) from None

    def database(self, labels: Path) -> Path | None:
        """Return the LMDB, unless it is counted from 0 or has no images."""
        from bench.data.raw.numbered_lmdb import NumberedLmdb
        from bench.data.store.database import open_database

        if _listed_count(labels, open_database(labels)) is not None:
            return None
        numbered = NumberedLmdb(labels)
        is_linkable = numbered.numbers.start == 1 and not _has_files(numbered)
        return labels if is_linkable else None


def _rows(labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
    """Yield the samples of an LMDB of either form. Raises lmdb.Error where it is damaged."""
    from bench.data.raw.numbered_lmdb import BEHIND, NumberedLmdb
    from bench.data.store.database import data_file, open_database

    data.require_inside(data_file(labels))
    prefix, opened = data.prefix(labels), open_database(labels)
    listed = _listed_count(labels, opened)
    if listed is not None:
        numbers = range(listed)
        yield from _file_rows(labels, data, prefix, numbers, lambda n: opened.get(b"%d" % n))
        return
    numbered = NumberedLmdb(labels)
    if _has_files(numbered):
        yield from _file_rows(labels, data, prefix, numbered.numbers, numbered.label)
    else:
        yield from _image_rows(prefix, numbered)
    for number in numbered.labels_beyond():
        yield Rejected(f"{prefix}{number:09d}", BEHIND)


def _image_rows(prefix: str, numbered: NumberedLmdb) -> Iterator[Row | Rejected]:
    """Yield the samples whose images are in the LMDB."""
    for number in numbered.numbers:
        identity = f"{prefix}{number:09d}"
        label = numbered.label(number)
        try:
            yield Row(identity, _text(label), LmdbImage(numbered, number))
        except SampleError as error:
            yield Rejected(identity, str(error))


def _file_rows(
    labels: Path,
    data: DataFolder,
    prefix: str,
    numbers: range,
    label: Callable[[int], bytes | None],
) -> Iterator[Row | Rejected]:
    """Yield the samples whose images are files."""
    probed = []
    for number in islice(numbers, PROBED):
        try:
            probed.append(_path_and_text(label(number))[0])
        except SampleError:
            continue
    base = data.base(labels, probed)
    for number in numbers:
        try:
            path, text = _path_and_text(label(number))
            identity, images = data.source(base, path)
        except SampleError as error:
            yield Rejected(f"{prefix}{number:09d}", str(error))
        else:
            yield Row(identity, text, images)


def _listed_count(labels: Path, opened: Database) -> int | None:
    """Return how many lines mmocr's first form has, None where the LMDB is of the other.

    Raises:
        BenchError: The LMDB is of neither.
    """
    from bench.data.store.database import SAMPLES

    if opened.get(SAMPLES) is not None:
        for name, what in _FOREIGN.items():
            if opened.get(name) is not None and opened.get(b"image-000000001") is None:
                raise BenchError(f"{labels}: this LMDB holds {what}; {_REMEDY}")
        return None
    said = opened.get(_LISTED)
    if said is None:
        held = next((what for name, what in _FOREIGN.items() if opened.get(name)), "other keys")
        raise BenchError(f"{labels}: this LMDB has no key num-samples, it holds {held}; {_REMEDY}")
    if not said.strip().isdigit() or int(said) > opened.keys():
        raise BenchError(
            f"{labels}: this LMDB has {opened.keys()} keys, and its total_number is not the number "
            f"of its lines; {_REMEDY}"
        )
    return int(said)


def _has_files(numbered: NumberedLmdb) -> bool:
    """Return whether the images are files that the labels name."""
    first = numbered.numbers.start
    try:
        if numbered.has_image(first):
            return False
        return bool(_path_and_text(numbered.label(first), lines=False)[0])
    except SampleError:
        return False


def _path_and_text(label: bytes | None, *, lines: bool = True) -> tuple[str, str]:
    """Return the path and the text of a label that is JSON, or a line such as `1.jpg two words`."""
    content = _text(label).strip()
    try:
        found = json.loads(content)
        path, text = found["filename"], found["text"]
        if isinstance(path, str) and isinstance(text, str):
            return path, text
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    path, _, text = content.partition(" ")
    if not lines or not text:
        raise SampleError("a label that names no image file and its text")
    return path, text


def _text(label: bytes | None) -> str:
    if label is None:
        raise SampleError("no key of its label")
    try:
        return label.decode()
    except UnicodeDecodeError:
        raise SampleError("a label that is no UTF-8") from None
