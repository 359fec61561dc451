"""Cards of datasets: whose each is, how to get it, how it lies on disk, what it counts.

A card is `datasets/NAME/card.toml`; a sample of the annotation, and lists of ids, lie beside it.
bench downloads no dataset, and a card says nothing that was neither checked nor sourced.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import bench
from bench.core.errors import BenchError
from bench.core.schema import NonNegativeInt, PositiveInt, SchemaError, fill
from bench.core.toml_lines import line_of, unnumbered
from bench.core.toml_text import read_toml

NAME = "card.toml"
T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Whose a data set is, and how to get it legally."""

    title: str
    authors: str
    page: str
    licence: str
    how_to_get: str
    registration: bool = False


@dataclass(frozen=True)
class RawLayout:
    """One way in which a raw data set lies on disk; `sample` is a file beside the card."""

    name: str
    about: str
    files: tuple[str, ...]
    annotation: str
    sample: str


@dataclass(frozen=True)
class Checksum:
    """The digest of a file as its source has it."""

    file: str
    algorithm: Literal["md5", "sha256"]
    digest: str
    about: str = ""


@dataclass(frozen=True)
class Splits:
    """One division into splits, and how many `unit`s each holds; None where that is not known.

    `name` is empty where there is only one division. `ids` is a file beside the card that
    lists them.
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
        """The counts of train, validation and test as one phrase."""
        counts = (self.train, self.validation, self.test)
        numbers = ("–" if count is None else f"{count:,}" for count in counts)
        return f"{' / '.join(numbers)} {self.unit}"


@dataclass(frozen=True)
class Overlap:
    """Another dataset that has samples of this one."""

    dataset: str
    about: str


@dataclass(frozen=True)
class Statistics:
    """What was counted in one split; `about` says of what, None is what was not counted.

    Triples are the smallest, the (lower) median and the largest; sizes are in pixels. `duplicates`
    counts samples whose images are, byte for byte, those of an earlier one of the split, `shared`
    samples whose images are also in another split. `classes` counts the samples of each class.
    `unknown_types` and `unknown_tokens` are not in the training split.
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
    """Tokens that are the same as the one before."""


@dataclass(frozen=True)
class Card:
    """A dataset's card; `protocol` is the one its scores are meant for."""

    name: str
    about: str
    task: str
    protocol: str
    source: Source
    layouts: tuple[RawLayout, ...]
    splits: tuple[Splits, ...]
    aliases: tuple[str, ...] = ()
    checksums: tuple[Checksum, ...] = ()
    overlaps: tuple[Overlap, ...] = ()
    statistics: tuple[Statistics, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """The folder of this card."""
        return cards_folder() / self.name

    def line(self) -> str:
        """Return what a listing says of the data set."""
        return f"{self.about} {self.splits[0].sizes}."


_LISTS: dict[str, type] = {
    "layouts": RawLayout,
    "checksums": Checksum,
    "splits": Splits,
    "overlaps": Overlap,
    "statistics": Statistics,
}


def cards_folder() -> Path:
    """Return the folder that has a folder for each dataset."""
    package = Path(bench.__file__).parent
    # A wheel carries it inside the package; a checkout has it beside.
    return next(f / "datasets" for f in (package, package.parent) if (f / "datasets").is_dir())


@cache
def all_cards() -> dict[str, Card]:
    """Return every card by the name of its dataset, sorted."""
    return {file.parent.name: read_card(file) for file in sorted(cards_folder().glob(f"*/{NAME}"))}


def find_card(name: str) -> Card | None:
    """Return the card of the data set that is called `name`, in any case, here or elsewhere."""
    wanted = name.lower()
    for card in all_cards().values():
        if wanted in {card.name, *(alias.lower() for alias in card.aliases)}:
            return card
    return None


def read_card(file: Path) -> Card:
    """Read a card. Raises BenchError with file, line and nearest word where it does not fit."""
    text, table = read_toml(file)
    try:
        card = _card(table)
    except _SectionError as error:
        line = line_of(text, error.section, *filter(None, [error.assignment, error.key]))
        where = f"[{unnumbered(error.section)}] " if error.section else ""
        raise BenchError(f"{file}:{line}: {where}{error}") from None
    if card.name != file.parent.name:
        raise BenchError(f"{file}: the card of '{card.name}' lies in '{file.parent.name}'; move it")
    return card


class _SectionError(SchemaError):
    """A SchemaError and the section of the card in which it arose."""

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
            fault = f"'{key}' is no list of tables; each of them begins with [[{key}]]"
            raise _SectionError(SchemaError(key, fault), "")
        parts[key] = tuple(
            _filled(_LISTS[key], entry, f"{key}[{place}]") for place, entry in enumerate(entries)
        )
    return _filled(Card, table | parts, "")


def _filled(kind: type[T], table: dict[str, Any], section: str) -> T:
    try:
        return fill(kind, table)
    except SchemaError as error:
        raise _SectionError(error, section) from None
