"""The divisions of IAM: which line is in which split, by the lists beside the card of IAM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import cast

from bench.core.documents import write_bytes
from bench.core.errors import BenchError, did_you_mean
from bench.core.regular_files import read_regular
from bench.core.text_encodings import NotTextError, read_lines
from bench.core.types import Split
from bench.data import cards

OFFICIAL = "official"
TASK = "largeWriterIndependentTextLineRecognitionTask"
"""The folder of the official lists in the raw data set."""

_FILES: dict[str, Split] = {
    "trainset.txt": "train",
    "validationset1.txt": "validation",
    "validationset2.txt": "validation",
    "testset.txt": "test",
}
_AMBIGUOUS = ("aachen", "rwth")
_WITHOUT = "without"


@dataclass(frozen=True)
class LineSplits:
    """A division of IAM by forms, with exceptions by line.

    Attributes:
        name: The name of the division on the card of IAM.
        forms: The split of each form, which applies to all lines of the form.
        lines: The split of lines that are not in the split of their form; None for no split.
    """

    name: str
    forms: Mapping[str, Split]
    lines: Mapping[str, Split | None]

    def get(self, line: str) -> Split | None:
        """Return the split of a line such as `a01-000u-00`, None if it is in no split."""
        if line in self.lines:
            return self.lines[line]
        return self.forms.get(_form(line))

    def fingerprint(self, split: Split) -> str:
        """Return a digest that changes when a form or a line moves into or out of a split."""
        forms = sorted(form for form, where in self.forms.items() if where == split)
        added = sorted(line for line, where in self.lines.items() if where == split)
        moved = sorted(
            line
            for line, where in self.lines.items()
            if where != split and self.forms.get(_form(line)) == split
        )
        return f"sha256:{sha256(repr([forms, added, moved]).encode()).hexdigest()}"


def _form(line: str) -> str:
    """Return the form of a line such as `a01-000u-00`."""
    return line.rpartition("-")[0]


def find_division(name: str) -> cards.Splits:
    """Return the division on the card of IAM with a name or an alias equal to `name`.

    Raises:
        BenchError: The name is unknown or ambiguous.
    """
    lowered = name.lower()
    if lowered in _AMBIGUOUS:
        raise BenchError(
            f"'{name}' means two splits of IAM: take 'rwth-6482', every line of its forms, or "
            "'rwth-6161', which leaves out 321 training lines and a validation form"
        )
    divisions = cards.all_cards()["iam"].splits
    by_name = {alias: split for split in divisions for alias in (split.name, *split.aliases)}
    if lowered not in by_name:
        raise BenchError(f"there is no split '{name}' of IAM{did_you_mean(lowered, by_name)}")
    return by_name[lowered]


def line_splits(name: str, source: Path | None = None) -> LineSplits:
    """Return the splits of the lines of IAM.

    Args:
        name: The name or an alias of a division. `official` reads the lists of the raw data set.
        source: The folder with these lists, or with their folder TASK.

    Raises:
        BenchError: The name is unknown or ambiguous, or a list is missing or has a line of another.
    """
    division = find_division(name)
    return _official(source) if division.name == OFFICIAL else _listed(division)


def keep_official(source: Path, folder: Path) -> None:
    """Copy the official lists of the raw data set `source`, if it has them, to `folder`."""
    for file in sorted(source.rglob(f"{TASK}/*.txt")):
        if file.name in _FILES:
            folder.mkdir(exist_ok=True)
            write_bytes(folder / file.name, read_regular(file))


def _listed(split: cards.Splits) -> LineSplits:
    """Read a list beside the card: each row has a split and a form, or `without` and a line."""
    forms: dict[str, Split] = {}
    without: dict[str, Split | None] = {}
    for row in _rows(cards.cards_folder() / "iam" / split.ids):
        word, _, name = row.partition(" ")
        if word == _WITHOUT:
            without[name] = None
        else:
            forms[name] = cast("Split", word)
    return LineSplits(split.name, forms, without)


def _official(source: Path | None) -> LineSplits:
    """Read the lists of the raw data set, which have one line id per row."""
    if source is None:
        raise BenchError(
            f"the split 'official' of IAM is read from lists of the raw data set; unpack "
            f"{TASK}.zip and name the folder"
        )
    folder = source / TASK if (source / TASK).is_dir() else source
    lines: dict[str, Split | None] = {}
    for name, split in _FILES.items():
        file = folder / name
        if not file.exists():
            raise BenchError(
                f"{file} does not exist; unpack {TASK}.zip there, or name another folder"
            )
        for line in _rows(file):
            if lines.setdefault(line, split) != split:
                raise BenchError(
                    f"{file}: line '{line}' is also in the list of '{lines[line]}'; unpack "
                    f"{TASK}.zip again"
                )
    return LineSplits(OFFICIAL, {}, lines)


def _rows(file: Path) -> Iterator[str]:
    """Yield the rows of a list without comments and blank lines. Raises BenchError."""
    try:
        for row in read_lines(file):
            if row.strip() and not row.startswith("#"):
                yield row.strip()
    except NotTextError as error:
        raise BenchError(f"{file}:{error.line}: {error}") from None
    except OSError as error:
        raise BenchError(
            f"{file}: it cannot be read ({error.strerror}); unpack {TASK}.zip again"
        ) from None
