"""The label format of LMDBs of clovaai, PARSeq, mmocr and OpenOCR."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.core.errors import BenchError, Exit
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels.data_folder import MAX_PROBED, DataFolder
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row

if TYPE_CHECKING:
    from bench.data.raw.numbered_lmdb import NumberedLmdb
    from bench.data.store.database import Database

_FILE = "data.mdb"
_SUFFIXES = {".lmdb", ".mdb"}
_TOTAL_NUMBER = b"total_number"
"""The number of labels in older LMDBs of mmocr, whose keys are numbers from 0 without a prefix."""
_REMEDY = "write it again with num-samples, label-%09d and image-%09d"
_FOREIGN = {
    b"__len__": "the pickled values of PaddleOCR, which bench does not unpickle",
    b"__keys__": "the pickled values of PaddleOCR, which bench does not unpickle",
    b"image_hr-000000001": "pairs of images in low and high resolution, as in TextZoom",
}


@dataclass(frozen=True)
class LmdbImage:
    """An image in an LMDB."""

    lmdb: NumberedLmdb
    number: int

    def exists(self) -> bool:
        """Return whether the LMDB has the key of the image."""
        try:
            return self.lmdb.has_image(self.number)
        except SampleError:
            return False

    def load(self) -> Sequence[bytes]:
        """Return the image. Raises SampleError if there is none."""
        return self.lmdb.image(self.number)


@dataclass(frozen=True)
class Lmdb(LabelFormat):
    """LMDBs with `num-samples`, `label-%09d` and `image-%09d`, each a folder or a single file.

    Numbers start at 1, or at 0 if there is a label 0. Labels beyond `num-samples` are rejected. If
    there are no images and labels are JSON with `filename`, as written by mmocr with --label-only,
    images are files. Other keys, such as `wh-%09d` of OpenOCR, are ignored.
    """

    name: ClassVar[str] = "lmdb"
    about: ClassVar[str] = "LMDBs with keys such as label-000000001 and image-000000001"
    certainty: ClassVar[int] = CERTAIN

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders with a file `data.mdb`, and files such as `words.lmdb`."""
        from bench.data.store.database import is_lmdb

        databases = [
            file.parent if file.name == _FILE else file
            for file in data.files
            if file.suffix.lower() in _SUFFIXES and is_lmdb(file)
        ]
        return sorted(databases)

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield the samples of an LMDB by number."""
        import lmdb

        try:
            yield from _rows(labels, data)
        except lmdb.Error as error:
            raise BenchError(
                f"{labels}: this LMDB cannot be read ({error}); copy or download it again",
                Exit.UNVERIFIED,
            ) from None

    def database(self, labels: Path) -> Path | None:
        """Return the LMDB, None if its numbers start at 0 or it has no images."""
        from bench.data.raw.numbered_lmdb import NumberedLmdb
        from bench.data.store.database import open_database

        if _listed_count(labels, open_database(labels)) is not None:
            return None
        numbered = NumberedLmdb(labels)
        is_linkable = numbered.numbers.start == 1 and not _has_files(numbered)
        return labels if is_linkable else None


def _rows(labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
    """Yield the samples of an LMDB of either form. Raises lmdb.Error if it is damaged."""
    from bench.data.raw.numbered_lmdb import BEYOND_COUNT, NumberedLmdb
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
        yield Rejected(f"{prefix}{number:09d}", BEYOND_COUNT)


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
    for number in islice(numbers, MAX_PROBED):
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
    """Return the number of labels in the older form of mmocr, None for the numbered form.

    Raises:
        BenchError: The LMDB has neither form.
    """
    from bench.data.store.database import SAMPLES

    if opened.get(SAMPLES) is not None:
        for name, what in _FOREIGN.items():
            if opened.get(name) is not None and opened.get(b"image-000000001") is None:
                raise BenchError(f"{labels}: this LMDB has {what}; {_REMEDY}")
        return None
    value = opened.get(_TOTAL_NUMBER)
    if value is None:
        content = next((what for name, what in _FOREIGN.items() if opened.get(name)), "other keys")
        raise BenchError(f"{labels}: this LMDB has no key num-samples, but {content}; {_REMEDY}")
    if not value.strip().isdigit() or int(value) > opened.keys():
        raise BenchError(
            f"{labels}: this LMDB has {opened.keys()} keys, but its total_number is not the number "
            f"of its labels; {_REMEDY}"
        )
    return int(value)


def _has_files(numbered: NumberedLmdb) -> bool:
    """Return whether the labels have paths of image files, and the LMDB has no images."""
    first = numbered.numbers.start
    try:
        if numbered.has_image(first):
            return False
        return bool(_path_and_text(numbered.label(first), lines=False)[0])
    except SampleError:
        return False


def _path_and_text(label: bytes | None, *, lines: bool = True) -> tuple[str, str]:
    """Return path and text of a label in JSON, or of a line such as `1.jpg two words`."""
    content = _text(label).strip()
    try:
        record = json.loads(content)
        path, text = record["filename"], record["text"]
        if isinstance(path, str) and isinstance(text, str):
            return path, text
    except (ValueError, TypeError, KeyError, RecursionError):
        pass
    path, _, text = content.partition(" ")
    if not lines or not text:
        raise SampleError("a label without the path of an image file and a text")
    return path, text


def _text(label: bytes | None) -> str:
    if label is None:
        raise SampleError("no key of its label")
    try:
        return label.decode()
    except UnicodeDecodeError:
        raise SampleError("a label that is not UTF-8") from None
