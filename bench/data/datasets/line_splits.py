"""Which line of IAM is in which split, by the lists beside IAM's card."""

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
"""The folder of the raw data set's own lists."""

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
    """A division of IAM by forms, with all lines of each.

    Attributes:
        name: Its name on IAM's card.
        forms: The split of each form.
        lines: The split of lines that are not where their form is; None: in no split.
    """

    name: str
    forms: Mapping[str, Split]
    lines: Mapping[str, Split | None]

    def get(self, line: str) -> Split | None:
        """Return the split of a line such as `a01-000u-00`, or None where it is in none."""
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
    """Return what IAM's card says of the division that is called `name`, or has it as an alias.

    Raises BenchError on a name that no division or more than one has.
    """
    wanted = name.lower()
    if wanted in _AMBIGUOUS:
        raise BenchError(
            f"'{name}' means two splits of IAM: take 'rwth-6482', every line of its forms, or "
            "'rwth-6161', which leaves out 321 training lines and a validation form"
        )
    divisions = cards.all_cards()["iam"].splits
    lists = {known: split for split in divisions for known in (split.name, *split.aliases)}
    if wanted not in lists:
        raise BenchError(f"there is no split '{name}' of IAM{did_you_mean(wanted, lists)}")
    return lists[wanted]


def line_splits(name: str, source: Path | None = None) -> LineSplits:
    """Return the division of IAM that is called `name`.

    `official` reads the lists of the raw data set, in the folder `source` or in its folder TASK.
    Raises BenchError as `find_division` does, and on lists that are missing or contradict one
    another.
    """
    division = find_division(name)
    return _official(source) if division.name == OFFICIAL else _listed(division)


def keep_official(source: Path, folder: Path) -> None:
    """Copy the raw data set's own lists, where `source` has them, to `folder`."""
    for file in sorted(source.rglob(f"{TASK}/*.txt")):
        if file.name in _FILES:
            folder.mkdir(exist_ok=True)
            write_bytes(folder / file.name, read_regular(file))


def _listed(split: cards.Splits) -> LineSplits:
    """Read a list beside the card: a row is a split and a form, or `without` and a line."""
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
    """Read the lists of the raw data set: a row is a line."""
    if source is None:
        raise BenchError(
            f"split 'official' of IAM is in the lists of its raw data set; unpack {TASK}.zip and "
            "name the folder"
        )
    folder = source / TASK if (source / TASK).is_dir() else source
    lines: dict[str, Split | None] = {}
    for name, split in _FILES.items():
        file = folder / name
        if not file.exists():
            raise BenchError(
                f"{file}: there is no such file; unpack {TASK}.zip there, or name another folder"
            )
        for line in _rows(file):
            if lines.setdefault(line, split) != split:
                raise BenchError(
                    f"{file}: line '{line}' is in '{lines[line]}' too; unpack {TASK}.zip again"
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
