"""Folders like that of the Bentham lines: a text file per line, and lists of splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.core.errors import BenchError
from bench.core.text_encodings import decode
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import label_text
from bench.data.raw.labels.data_folder import DataFolder
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row

_TEXTS = ("Transcriptions", "Transcription")
_IMAGES = "Images/Lines"
_LISTS = "Partitions"
_SPLITS = {"train": "train", "valid": "validation", "test": "test"}
"""By what the name of a list has in it."""


@dataclass(frozen=True)
class Bentham(LabelFormat):
    """Transcriptions/ID.txt, Images/Lines/ID.png, and lists of ids in Partitions/*.lst.

    The column `split` is train, validation or test where the name of the list that has the id
    says so, as `TrainLines.lst` does; else that name.
    """

    name: ClassVar[str] = "bentham"
    about: ClassVar[str] = "Transcriptions/ID.txt with Images/Lines/ID.png"
    certainty: ClassVar[int] = CERTAIN

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders that have both folders."""
        tops = {folder.parent for folder in data.folders if folder.name in _TEXTS}
        return sorted(top for top in tops if (top / _IMAGES).is_dir())

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield a row per text, in the order of their names."""
        folder = next((labels / name for name in _TEXTS if (labels / name).is_dir()), None)
        if folder is None:
            raise BenchError(f"{labels / _TEXTS[0]} is missing; name the folder that has it")
        splits = _splits(labels / _LISTS)
        for file in sorted(folder.glob("[!.]*.txt")):
            place = data.relative(file)
            try:
                text = decode(image_tree.read(data.root, place))
                identity, source = data.source(labels, _image(labels, file.stem))
            except SampleError as error:
                yield Rejected(place, str(error))
            except UnicodeDecodeError:
                yield Rejected(place, "a text that is not UTF-8")
            else:
                columns = {"split": splits.get(file.stem, "")}
                yield Row(identity, text.strip(f"{label_text.BLANKS}\r\n"), source, columns)


def _image(folder: Path, stem: str) -> str:
    """Return the path of the image of a line, one that is missing where there is none."""
    paths = [f"{_IMAGES}/{stem}{suffix}" for suffix in (".png", *sorted(image_tree.IMAGE_SUFFIXES))]
    return next((path for path in paths if (folder / path).is_file()), paths[0])


def _splits(folder: Path) -> dict[str, str]:
    """Return the split of each id. Raises BenchError where two lists have it."""
    lists: dict[str, Path] = {}
    for file in sorted(folder.glob("[!.]*.lst")):
        for _, line in label_text.lines(file):
            first = lists.setdefault(line.strip(), file)
            if first != file:
                raise BenchError(
                    f"{file}: '{line.strip()}' is in {first.name} too; remove it from one of them"
                )
    return {each: _split(file.stem) for each, file in lists.items()}


def _split(name: str) -> str:
    """Return the split that the name of a list says, else the name."""
    return next((split for word, split in _SPLITS.items() if word in name.lower()), name)
