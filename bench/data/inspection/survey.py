"""Counts of the data of a user, before they are prepared."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.data.raw.entries import Rejected, SampleError

if TYPE_CHECKING:
    from bench.data.raw.labels.label_format import ImageSource
    from bench.data.raw.labels.own_reader import OwnReader

_MAX_MEASURED = 200
"""The number of images that are decoded to report sizes."""
_RIGHT_TO_LEFT = frozenset({"R", "AL"})


@dataclass
class Survey:
    """Counts of a whole data set.

    Attributes:
        samples: The number of samples of each split.
        existing: The number of samples whose images exist.
        missing: The id of the first sample whose image is missing.
        rejected: The number of rejected rows by reason.
        characters: The number of occurrences of each character.
        spaced: The number of samples with a space in their text.
    """

    samples: Counter[str] = field(default_factory=Counter)
    existing: int = 0
    missing: str = ""
    rejected: Counter[str] = field(default_factory=Counter)
    characters: Counter[str] = field(default_factory=Counter)
    spaced: int = 0
    _sources: list[ImageSource] = field(default_factory=list)

    @property
    def scripts(self) -> dict[str, int]:
        """The number of letters of each script such as `latin`, the most frequent first."""
        counts = Counter[str]()
        for character, count in self.characters.items():
            if unicodedata.category(character)[0] in "LM":
                counts[unicodedata.name(character, "unknown").split()[0].lower()] += count
        return dict(counts.most_common())

    @property
    def right_to_left(self) -> bool:
        """Whether any letter belongs to a script that is written from right to left."""
        return any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for each in self.characters)

    def sizes(self) -> list[tuple[int, int]]:
        """Return width and height of up to 200 evenly spaced images, or first frames of clips."""
        from bench.data.inputs import images

        step = -(-len(self._sources) // _MAX_MEASURED) or 1
        sizes = []
        for source in self._sources[::step]:
            try:
                width, height = images.image_size(source.load()[0])
            except SampleError:
                continue
            sizes.append((width, height))
        return sizes


def survey_labels(reader: OwnReader) -> Survey:
    """Count the rows of a reader, without reading pixels."""
    counted = Survey()
    for split, row in reader.divided():
        if isinstance(row, Rejected):
            counted.rejected[row.reason] += 1
            continue
        counted.samples[split or ""] += 1
        if row.images.exists():
            counted.existing += 1
            counted._sources.append(row.images)  # noqa: SLF001
        elif not counted.missing:
            counted.missing = row.id
        counted.characters.update(row.text)
        counted.spaced += " " in row.text
    return counted
