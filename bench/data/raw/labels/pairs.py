"""Pairs of files: an image `x.png` and its text `x.gt.txt`, as kraken, tesstrain and OCR-D have them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.core.errors import BenchError
from bench.data.raw import image_tree
from bench.data.raw.entries import Rejected, SampleError
from bench.data.raw.labels import text_files
from bench.data.raw.labels.data_folder import DataFolder, is_image
from bench.data.raw.labels.label_format import CERTAIN, LabelFormat, Row

_ENDING = ".gt.txt"
_SHADES = ("", ".bin", ".nrm", ".raw")
"""What tesstrain and kraken put between the name and the ending of a binarized or gray image."""


@dataclass(frozen=True)
class Pairs(LabelFormat):
    """An image and a text of one line with the same name.

    Attributes:
        ending: How the name of a text continues behind that of its image.
    """

    name: ClassVar[str] = "pairs"
    about: ClassVar[str] = "pairs of files such as 1.png and 1.gt.txt"
    certainty: ClassVar[int] = CERTAIN

    ending: str = _ENDING

    def find(self, data: DataFolder) -> Sequence[Path]:
        """Return the folders that have texts of this ending."""
        return sorted({file.parent for file in data.files if file.name.endswith(self.ending)})

    def rows(self, labels: Path, data: DataFolder) -> Iterator[Row | Rejected]:
        """Yield a row per text in a folder, and a rejected one per image without a text."""
        try:
            names = sorted(entry.name for entry in os.scandir(labels) if entry.is_file())
        except OSError as error:
            raise BenchError(
                f"{labels} cannot be read ({error.strerror}); name a folder of pairs"
            ) from None
        images: dict[str, list[str]] = {}
        for name in filter(is_image, names):
            images.setdefault(_plain(name), []).append(name)
        for name in (each for each in names if each.endswith(self.ending)):
            stem = name.removesuffix(self.ending)
            place = data.relative(labels / name)
            match images.pop(stem, []):
                case [image]:
                    yield self._row(labels, name, image, data)
                case []:
                    yield Rejected(place, "a text without an image")
                case _:
                    yield Rejected(place, "a text with several images")
        for image in sorted(image for several in images.values() for image in several):
            yield Rejected(data.relative(labels / image), "an image without a text")

    def _row(self, labels: Path, name: str, image: str, data: DataFolder) -> Row | Rejected:
        place = data.relative(labels / name)
        text = text_files.content(labels / name)
        if not image_tree.is_text(text):
            return Rejected(place, "a text that is not UTF-8")
        try:
            identity, source = data.source(labels, image)
        except SampleError as error:
            return Rejected(place, str(error))
        return Row(identity, text.strip(f"{text_files.BLANKS}\r\n"), source)


def _plain(image: str) -> str:
    """Return the name of an image without its ending and its shade."""
    stem = image.rpartition(".")[0]
    return next((stem.removesuffix(shade) for shade in _SHADES[1:] if stem.endswith(shade)), stem)
