"""The label format of file pairs such as x.png and x.gt.txt: kraken, tesstrain, OCR-D."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.core.errors import BenchError
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import label_text
from bench.data.raw.labels.data_folder import DataFolder, is_image
from bench.data.raw.labels.label_format import SPECIFIC, LabelFormat, Row

_ENDINGS = (".gt.txt", ".txt")
_SHADES = (".bin", ".nrm", ".raw")
"""What tesstrain and kraken put between name and suffix of a binarized or gray image."""


@dataclass(frozen=True)
class Pairs(LabelFormat):
    """An image, and a text file of one line with the same name.

    Attributes:
        ending: The ending of the names of text files. Empty: `.gt.txt` in folders with such a file,
            else `.txt`.
    """

    name: ClassVar[str] = "pairs"
    about: ClassVar[str] = "pairs of files such as 1.png and 1.gt.txt"
    certainty: ClassVar[int] = SPECIFIC

    ending: str = ""

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders with at least one pair."""
        texts: dict[Path, set[str]] = {}
        for file in data.files:
            texts.setdefault(file.parent, set()).add(file.name)
        return [
            folder
            for folder in sorted(texts)
            if self._has_pair({*texts[folder], *data.images_in(folder)})
        ]

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield one row per text in a folder, and a Rejected per image without a text."""
        try:
            names = sorted(
                entry.name
                for entry in os.scandir(labels)
                if entry.is_file() and not entry.name.startswith(".")
            )
        except OSError as error:
            raise BenchError(
                f"{labels} cannot be read ({error.strerror}); name a folder of pairs"
            ) from None
        ending, stems = self._texts(names)
        images: dict[str, list[str]] = {}
        for name in filter(is_image, names):
            images.setdefault(_stem(name, stems), []).append(name)
        for stem in sorted(stems):
            text_name = data.relative(labels / (stem + ending))
            match images.pop(stem, []):
                case [image]:
                    yield _row(labels, stem + ending, image, data)
                case []:
                    yield Rejected(text_name, "a text without an image")
                case _:
                    yield Rejected(text_name, "a text with several images")
        for image in sorted(image for several in images.values() for image in several):
            yield Rejected(data.relative(labels / image), "an image without a text")

    def _texts(self, names: Collection[str]) -> tuple[str, set[str]]:
        """Return the ending of text files in a folder, and their names without it."""
        endings = [self.ending] if self.ending else _ENDINGS
        ending = next((e for e in endings if _ending_with(e, names)), endings[0])
        return ending, _ending_with(ending, names)

    def _has_pair(self, names: Collection[str]) -> bool:
        _, stems = self._texts(names)
        return any(_stem(name, stems) in stems for name in names if is_image(name))


def _row(folder: Path, name: str, image: str, data: DataFolder) -> Row | Rejected:
    """Return the row of an image and its text file `name`."""
    text_name = data.relative(folder / name)
    text = label_text.label_content(folder / name)
    if not image_tree.is_text(text):
        return Rejected(text_name, "a text that is not UTF-8")
    try:
        identity, source = data.source(folder, image)
    except SampleError as error:
        return Rejected(text_name, str(error))
    return Row(identity, text.strip(f"{label_text.BLANKS}\r\n"), source)


def _ending_with(ending: str, names: Iterable[str]) -> set[str]:
    return {name.removesuffix(ending) for name in names if name.endswith(ending)}


def _stem(image: str, stems: Collection[str]) -> str:
    """Return the stem among `stems` that an image belongs to, else its name without suffix.

    tesstrain removes the suffix and a shade, kraken everything after the first dot.
    """
    stem = image.rpartition(".")[0]
    shorter = [stem.removesuffix(shade) for shade in _SHADES if stem.endswith(shade)]
    candidates = (stem, *shorter, image.partition(".")[0])
    return next((candidate for candidate in candidates if candidate in stems), stem)
