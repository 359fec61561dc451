"""Which split a sample of a person's own data is in: by names, lists, a column or a ratio."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from bench.core.errors import BenchError
from bench.core.types import SPLITS, Split
from bench.data.raw.labels import label_text
from bench.data.raw.labels.data_folder import normalized
from bench.data.raw.labels.label_format import Row

_WORDS: dict[str, Split] = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
    "evaluation": "test",
}
"""What file and folder names, and columns, call the splits."""
NO_SPLIT = "known to be in no list of a split"
NOT_LISTED = "known to be in a list of a split, and not in the labels"
"""`bench data check` takes what is known for a note and not for a failure."""


def named_split(name: str) -> Split | None:
    """Return the split that a name such as `gt_train.txt` or `val` says; None on none or two."""
    words = re.findall(r"[a-z]+", name.lower())
    splits = {_WORDS[word] for word in words if word in _WORDS}
    return splits.pop() if len(splits) == 1 else None


@dataclass(frozen=True)
class Group:
    """What samples have in common that must not be divided: a writer, a page, a signer.

    Exactly one of the attributes is set.

    Attributes:
        column: A column of the labels.
        folder: The folder of so many levels in the path of a sample: 1 is the first of the path, -1
            the one that the sample is in.
        pattern: A regular expression; what its first group, else all of it, matches in the id.
    """

    column: str = ""
    folder: int = 0
    pattern: str = ""

    def of(self, row: Row) -> str | None:
        """Return the name of the group of a sample, None where it has none."""
        if self.column:
            return row.columns.get(self.column) or None
        if self.folder:
            folders = PurePosixPath(row.id).parent.parts
            place = self.folder - 1 if self.folder > 0 else self.folder
            return folders[place] if -len(folders) <= place < len(folders) else None
        match = re.search(self.pattern, row.id)
        return match and match[min(match.re.groups, 1)]

    def described(self) -> str:
        """Return how messages call it."""
        if self.column:
            return f"column '{self.column}'"
        return f"folder {self.folder} of the path" if self.folder else f"pattern '{self.pattern}'"


@dataclass(frozen=True)
class Division(ABC):
    """A division into splits."""

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that it has to give; empty: those that samples are found to be in."""
        return ()

    @abstractmethod
    def of(self, row: Row, labels: str, group: str | None) -> Split | None:
        """Return the split of a sample, None where it is in none.

        Args:
            row: The sample.
            labels: The file or folder of labels that lists it, as a path in the folder of the data.
            group: The name of its group, where samples have groups.
        """

    def of_labels(self, labels: str) -> Split | None:  # noqa: ARG002 (most depend on samples)
        """Return the split of all that a file of labels lists, None where it is not known."""
        return None

    def unused(
        self,
        ids: Iterable[str],  # noqa: ARG002 (only lists have names of their own)
        groups: Iterable[str],  # noqa: ARG002
    ) -> Iterator[tuple[Split, str]]:
        """Yield the names that the division has, and that no sample and no group has."""
        return iter(())

    def why_not(self, row: Row) -> str | None:  # noqa: ARG002 (as before)
        """Return why a sample may be in no split, None where each has to be in one."""
        return None


@dataclass(frozen=True)
class WholeSplit(Division):
    """All samples are in one split."""

    split: Split

    def of(self, row: Row, labels: str, group: str | None) -> Split:  # noqa: ARG002
        """Return the split."""
        return self.split


@dataclass(frozen=True)
class NamedSplits(Division):
    """The names of files and folders say it: of the labels first, then the folders of the image."""

    def of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return what the nearest name says. The name of an image file says nothing."""
        return self.of_labels(labels) or _nearest(PurePosixPath(row.id).parent)

    def of_labels(self, labels: str) -> Split | None:
        """Return what the name of the file of labels, or of a folder that it is in, says."""
        return _nearest(PurePosixPath(labels))


@dataclass(frozen=True)
class LabelFileSplits(Division):
    """Each file of labels is of one split: `labels = { train = "a.txt", test = "b.txt" }`."""

    files: Mapping[str, Split]

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have a file."""
        return tuple(split for split in SPLITS if split in self.files.values())

    def of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return the split of the file."""
        return self.files[labels]

    def of_labels(self, labels: str) -> Split | None:
        """Return the split of the file."""
        return self.files[labels]


@dataclass(frozen=True)
class ColumnSplits(Division):
    """A column of the labels says it."""

    column: str

    def of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return the split that the column calls by one of its usual names."""
        return named_split(row.columns.get(self.column, ""))

    def why_not(self, row: Row) -> str:
        """Return what the column says instead."""
        if self.column not in row.columns:
            return f"no column '{self.column}'"
        return f"a {self.column} that is not train, validation or test"


@dataclass(frozen=True)
class ListedSplits(Division):
    """Files list the samples, or the groups, of each split, one per line.

    Attributes:
        files: The list of each split, as a path in the folder of the data.
        root: That folder.
    """

    files: Mapping[Split, str]
    root: Path = field(default=Path(), repr=False)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have a list."""
        return tuple(split for split in SPLITS if split in self.files)

    def of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return the split whose list has the id, the path, the name or the group of a sample."""
        names = [*_names(row.id), *([group] if group else [])]
        return next((self._split_of[name] for name in names if name in self._split_of), None)

    def unused(self, ids: Iterable[str], groups: Iterable[str]) -> Iterator[tuple[Split, str]]:
        """Yield what a list has and no sample is called, with its split."""
        names = {name for each in ids for name in _names(each)}.union(groups)
        return ((split, name) for name, split in self._split_of.items() if name not in names)

    def why_not(self, row: Row) -> str:  # noqa: ARG002
        """Return that no list has it."""
        return NO_SPLIT

    @cached_property
    def _split_of(self) -> dict[str, Split]:
        listed: dict[str, Split] = {}
        for split, path in self.files.items():
            file = self.root / path
            for number, line in label_text.lines(file):
                name = normalized(line)
                if listed.setdefault(name, split) != split:
                    raise BenchError(
                        f"{file}:{number}: '{name}' is in the list of '{listed[name]}' too; remove "
                        "it from one of them"
                    )
        return listed


@dataclass(frozen=True)
class RatioSplits(Division):
    """Samples, or groups, are drawn by the hash of a seed and of what they are called.

    So one stays in its split whatever is added to the data and wherever the folder lies.

    Attributes:
        shares: The share of each split; together they are 1.
        seed: The name of the draw.
    """

    shares: Mapping[Split, float]
    seed: str

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have a share."""
        return tuple(split for split in SPLITS if self.shares.get(split))

    def of(self, row: Row, labels: str, group: str | None) -> Split:  # noqa: ARG002
        """Return the split in whose share the hash is."""
        name = row.id if group is None else group
        hashed = blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
        drawn, end = int.from_bytes(hashed, "big") / 2**64, 0.0
        for split in self.splits:
            end += self.shares[split]
            if drawn < end:
                return split
        return self.splits[-1]


def _nearest(path: PurePosixPath) -> Split | None:
    """Return what the last part of a path says that says anything."""
    return next(filter(None, map(named_split, reversed(path.parts))), None)


def _names(identity: str) -> tuple[str, ...]:
    """Return what a list may call a sample: its id or file name, with or without the ending."""
    path = PurePosixPath(identity)
    return identity, str(path.with_suffix("")), path.name, path.stem
