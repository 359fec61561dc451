"""The label format of the Bentham lines: one text file per line, and lists of splits."""

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
"""The split of a list whose name contains this word."""


@dataclass(frozen=True)
class Bentham(LabelFormat):
    """Transcriptions/ID.txt, Images/Lines/ID.png, and lists of ids in Partitions/*.lst.

    The column `split` is `train`, `validation` or `test` if the name of the list with the id says
    so, as `TrainLines.lst` does; else it is that name.
    """

    name: ClassVar[str] = "bentham"
    about: ClassVar[str] = "Transcriptions/ID.txt with Images/Lines/ID.png"
    certainty: ClassVar[int] = CERTAIN

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders with a folder of texts and one of images."""
        tops = {folder.parent for folder in data.folders if folder.name in _TEXTS}
        return sorted(top for top in tops if (top / _IMAGES).is_dir())

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per text file, in the order of names."""
        folder = next((labels / name for name in _TEXTS if (labels / name).is_dir()), None)
        if folder is None:
            raise BenchError(f"{labels / _TEXTS[0]} is missing; name the folder that has it")
        splits = _splits(labels / _LISTS)
        for file in sorted(folder.glob("[!.]*.txt")):
            name = data.relative(file)
            try:
                text = decode(image_tree.read_file(data.root, name))
                identity, source = data.source(labels, _image(labels, file.stem))
            except SampleError as error:
                yield Rejected(name, str(error))
            except UnicodeDecodeError:
                yield Rejected(name, "a text that is not UTF-8")
            else:
                columns = {"split": splits.get(file.stem, "")}
                yield Row(identity, text.strip(f"{label_text.BLANKS}\r\n"), source, columns)


def _image(folder: Path, stem: str) -> str:
    """Return the path of a line's image, with the suffix .png if there is none."""
    paths = [f"{_IMAGES}/{stem}{suffix}" for suffix in (".png", *sorted(image_tree.IMAGE_SUFFIXES))]
    return next((path for path in paths if (folder / path).is_file()), paths[0])


def _splits(folder: Path) -> dict[str, str]:
    """Return the split of each id. Raises BenchError if an id is in two lists."""
    lists: dict[str, Path] = {}
    for file in sorted(folder.glob("[!.]*.lst")):
        for _, line in label_text.label_lines(file):
            first = lists.setdefault(line.strip(), file)
            if first != file:
                raise BenchError(
                    f"{file}: '{line.strip()}' is also in {first.name}; remove it from one of them"
                )
    return {identity: _split(file.stem) for identity, file in lists.items()}


def _split(name: str) -> str:
    """Return the split that is contained in the name of a list, else the name."""
    return next((split for word, split in _SPLITS.items() if word in name.lower()), name)
