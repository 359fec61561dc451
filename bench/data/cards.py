"""Cards of data sets: authors, license, how to get the data, files on disk, and counts.

A card is `datasets/NAME/card.toml`; the folder also has a sample of the annotation and lists of
ids. `bench data fetch` downloads the files that a card lists as downloads. Each statement of a card
was checked or has a source.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from bench.core.errors import BenchError
from bench.core.package_data import package_data
from bench.core.schema import NonNegativeInt, PositiveInt, SchemaError, fill
from bench.core.toml_lines import line_of, unnumbered
from bench.core.toml_text import read_toml

NAME = "card.toml"
T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """The authors and the license of a data set, and how to get it.

    Attributes:
        title: The full name of the data set.
        authors: The authors to cite.
        page: The address of its page.
        licence: The terms of use.
        how_to_get: What to download, or whom to ask.
        registration: Whether the source requires a registration.
    """

    title: str
    authors: str
    page: str
    licence: str
    how_to_get: str
    registration: bool = False


@dataclass(frozen=True)
class RawLayout:
    """One form of the files in which a raw data set is distributed.

    Attributes:
        name: The name of the form.
        about: Who distributes it, in a sentence.
        files: The paths of its files and folders.
        annotation: How labels are written.
        sample: A file beside the card with a sample of the annotation.
    """

    name: str
    about: str
    files: tuple[str, ...]
    annotation: str
    sample: str


@dataclass(frozen=True)
class Checksum:
    """The digest of a file as published by its source."""

    file: str
    algorithm: Literal["md5", "sha256"]
    digest: str
    about: str = ""


@dataclass(frozen=True)
class Download:
    """A file of the raw data set that its license lets anyone download.

    Attributes:
        file: The file name.
        urls: The addresses, in the order in which they are tried.
        size: The size in bytes.
        sha256: The SHA-256 of the content, in hexadecimal digits.
        split: The split of its samples; None if every split needs the file.
    """

    file: str
    urls: tuple[str, ...]
    size: PositiveInt
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    split: Literal["train", "validation", "test"] | None = None


@dataclass(frozen=True)
class Splits:
    """One division of a data set into splits.

    Attributes:
        unit: What is counted, such as `words`.
        name: The name of the division; empty if there is only one.
        aliases: Other names of the division.
        train: The number of training samples; None if it is not known.
        validation: The number of validation samples; None if it is not known.
        test: The number of test samples; None if it is not known.
        ids: A file beside the card that lists the ids of each split.
        about: Who uses the division, in a sentence.
    """

    unit: str
    name: str = ""
    aliases: tuple[str, ...] = ()
    train: NonNegativeInt | None = None
    validation: NonNegativeInt | None = None
    test: NonNegativeInt | None = None
    ids: str = ""
    about: str = ""

    @property
    def sizes(self) -> str:
        """The sizes of train, validation and test, such as `10 / 2 / – words`."""
        counts = (self.train, self.validation, self.test)
        numbers = ("–" if count is None else f"{count:,}" for count in counts)
        return f"{' / '.join(numbers)} {self.unit}"


@dataclass(frozen=True)
class Overlap:
    """Another data set that shares samples with this one."""

    dataset: str
    about: str


@dataclass(frozen=True)
class Statistics:
    """Counts of one split; None where something was not counted.

    Triples are the minimum, the (lower) median and the maximum.

    Attributes:
        split: The split.
        about: In which files it was counted.
        samples: The number of samples.
        label_lengths: Characters or glosses per sample.
        distinct_labels: The number of different transcripts.
        charset: The characters of all transcripts.
        classes: The number of samples of each class.
        widths: Widths in pixels.
        heights: Heights in pixels.
        frames: The number of frames of all clips.
        duplicates: Samples whose image files equal that of an earlier sample of the split.
        shared: Samples whose image files are also in another split.
        tokens: The number of glosses or words.
        types: The number of different glosses or words.
        unknown_types: Types that are not in the training split.
        unknown_tokens: Tokens whose type is not in the training split.
        repetitions: Tokens that equal the token before.
    """

    split: Literal["train", "validation", "test"]
    about: str
    samples: PositiveInt
    label_lengths: tuple[NonNegativeInt, NonNegativeInt, NonNegativeInt] | None = None
    distinct_labels: PositiveInt | None = None
    charset: str | None = None
    classes: tuple[NonNegativeInt, ...] | None = None
    widths: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None
    heights: tuple[PositiveInt, PositiveInt, PositiveInt] | None = None
    frames: PositiveInt | None = None
    duplicates: NonNegativeInt | None = None
    shared: NonNegativeInt | None = None
    tokens: NonNegativeInt | None = None
    types: NonNegativeInt | None = None
    unknown_types: NonNegativeInt | None = None
    unknown_tokens: NonNegativeInt | None = None
    repetitions: NonNegativeInt | None = None


@dataclass(frozen=True)
class Card:
    """The card of a data set; `protocol` is the name of the protocol that its scores use."""

    name: str
    about: str
    task: str
    protocol: str
    source: Source
    layouts: tuple[RawLayout, ...]
    splits: tuple[Splits, ...]
    aliases: tuple[str, ...] = ()
    checksums: tuple[Checksum, ...] = ()
    downloads: tuple[Download, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    statistics: tuple[Statistics, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The folder of this card."""
        return cards_folder() / self.name

    def line(self) -> str:
        """Return one sentence and the sizes of splits, for a list of data sets."""
        return f"{self.about} {self.splits[0].sizes}."


_LISTS: dict[str, type] = {
    "layouts": RawLayout,
    "checksums": Checksum,
    "downloads": Download,
    "splits": Splits,
    "overlaps": Overlap,
    "statistics": Statistics,
}


def cards_folder() -> Path:
    """Return the folder `datasets`, which has one folder per data set."""
    return package_data("datasets")


@cache
def all_cards() -> dict[str, Card]:
    """Return all cards by the name of their data set, sorted."""
    return {file.parent.name: read_card(file) for file in sorted(cards_folder().glob(f"*/{NAME}"))}


def find_card(name: str) -> Card | None:
    """Return the card with this name or alias, ignoring case; None if there is none."""
    name = name.lower()
    for card in all_cards().values():
        if name in {card.name, *(alias.lower() for alias in card.aliases)}:
            return card
    return None


def read_card(file: Path) -> Card:
    """Read a card. Raises BenchError with file, line and a suggestion if it is not valid."""
    text, table = read_toml(file)
    try:
        card = _card(table)
    except _SectionError as error:
        line = line_of(text, error.section, *filter(None, [error.assignment, error.key]))
        where = f"[{unnumbered(error.section)}] " if error.section else ""
        raise BenchError(f"{file}:{line}: {where}{error}") from None
    if card.name != file.parent.name:
        raise BenchError(
            f"{file}: the card of '{card.name}' is in the folder '{file.parent.name}'; move it to "
            f"'{card.name}'"
        )
    return card


class _SectionError(SchemaError):
    """A SchemaError with the section of the card that it is about."""

    def __init__(self, error: SchemaError, section: str) -> None:
        super().__init__(error.key, str(error), error.assignment)
        self.section = section


def _card(table: dict[str, Any]) -> Card:
    parts: dict[str, Any] = {}
    if isinstance(table.get("source"), dict):
        parts["source"] = _filled(Source, table["source"], "source")
    for key in (key for key in _LISTS if key in table):
        entries = table[key]
        if not isinstance(entries, list) or {*map(type, entries)} - {dict}:
            fault = f"'{key}' is not a list of tables; begin each table with [[{key}]]"
            raise _SectionError(SchemaError(key, fault), "")
        parts[key] = tuple(
            _filled(_LISTS[key], entry, f"{key}[{index}]") for index, entry in enumerate(entries)
        )
    return _filled(Card, table | parts, "")


def _filled(kind: type[T], table: dict[str, Any], section: str) -> T:
    try:
        return fill(kind, table)
    except SchemaError as error:
        raise _SectionError(error, section) from None
