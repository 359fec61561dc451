"""Divisions of a user's data into splits: by names, lists, a column or a ratio."""

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
from bench.data.raw.labels.data_folder import normalize_path
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
"""The names of splits in file names, folder names and columns."""
NO_SPLIT = "known to be in no list of a split"
NOT_LISTED = "known to be in a list of a split, and not in the labels"
"""Reasons with "known to be" are a note of `bench data check`, and not a failure."""


def named_split(name: str) -> Split | None:
    """Return the split in a name such as `gt_train.txt` or `val`; None for none or several."""
    words = re.findall(r"[a-z]+", name.lower())
    splits = {_WORDS[word] for word in words if word in _WORDS}
    return splits.pop() if len(splits) == 1 else None


@dataclass(frozen=True)
class Group:
    """How samples are grouped that must be in the same split, such as those of a writer.

    Exactly one of the attributes is set.

    Attributes:
        column: The group is the value of this column of the labels.
        folder: The group is this folder in the path of the sample: 1 is the first of the path, -1
            the one that contains the sample.
        pattern: The group is what the first group of this regular expression, or all of it, matches
            in the id.
    """

    column: str = ""
    folder: int = 0
    pattern: str = ""

    def name_of(self, row: Row) -> str | None:
        """Return the name of the group of a sample, None if it has none."""
        if self.column:
            return row.columns.get(self.column) or None
        if self.folder:
            folders = PurePosixPath(row.id).parent.parts
            index = self.folder - 1 if self.folder > 0 else self.folder
            return folders[index] if -len(folders) <= index < len(folders) else None
        match = re.search(self.pattern, row.id)
        return match and match[min(match.re.groups, 1)]

    def description(self) -> str:
        """Return a description for messages."""
        if self.column:
            return f"column '{self.column}'"
        return f"folder {self.folder} of the path" if self.folder else f"pattern '{self.pattern}'"


@dataclass(frozen=True)
class Division(ABC):
    """A division into splits."""

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that must not be empty; empty for any splits."""
        return ()

    @abstractmethod
    def split_of(self, row: Row, labels: str, group: str | None) -> Split | None:
        """Return the split of a sample, None if it is in no split.

        Args:
            row: The sample.
            labels: The label file or folder that lists it, as a path in the folder of the data.
            group: The name of its group; None if samples have no groups.
        """

    def split_of_labels(self, labels: str) -> Split | None:  # noqa: ARG002 (most depend on samples)
        """Return the split of all samples of a label file, None if they may be in several."""
        return None

    def unused(
        self,
        ids: Iterable[str],  # noqa: ARG002 (only lists have names)
        groups: Iterable[str],  # noqa: ARG002
    ) -> Iterator[tuple[Split, str]]:
        """Yield names of the division that match no sample and no group, each with its split."""
        return iter(())

    def why_not(self, row: Row) -> str | None:  # noqa: ARG002 (as before)
        """Return the reason why a sample is in no split, None if that is an error."""
        return None


@dataclass(frozen=True)
class WholeSplit(Division):
    """All samples are in one split."""

    split: Split

    def split_of(self, row: Row, labels: str, group: str | None) -> Split:  # noqa: ARG002
        """Return the split."""
        return self.split


@dataclass(frozen=True)
class NamedSplits(Division):
    """By names of files and folders: first those of the labels, then the folders of the image."""

    def split_of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return the split of the nearest such name; the name of the image file is ignored."""
        return self.split_of_labels(labels) or _nearest(PurePosixPath(row.id).parent)

    def split_of_labels(self, labels: str) -> Split | None:
        """Return the split in the name of the label file, or of a folder that contains it."""
        return _nearest(PurePosixPath(labels))


@dataclass(frozen=True)
class LabelFileSplits(Division):
    """By label files: `labels = { train = "a.txt", test = "b.txt" }`."""

    files: Mapping[str, Split]

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have a file."""
        return tuple(split for split in SPLITS if split in self.files.values())

    def split_of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return the split of the file."""
        return self.files[labels]

    def split_of_labels(self, labels: str) -> Split | None:
        """Return the split of the file."""
        return self.files[labels]


@dataclass(frozen=True)
class ColumnSplits(Division):
    """By a column of the labels."""

    column: str

    def split_of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return the split whose usual name is in the column."""
        return named_split(row.columns.get(self.column, ""))

    def why_not(self, row: Row) -> str:
        """Return that the column is missing, or has another value."""
        if self.column not in row.columns:
            return f"no column '{self.column}'"
        return f"a {self.column} that is not train, validation or test"


@dataclass(frozen=True)
class ListedSplits(Division):
    """By lists of the samples or groups of each split, one per line.

    Attributes:
        files: The list of each split, as a path in the folder of the data.
        root: The folder of the data.
    """

    files: Mapping[Split, str]
    root: Path = field(default=Path(), repr=False)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have a list."""
        return tuple(split for split in SPLITS if split in self.files)

    def split_of(self, row: Row, labels: str, group: str | None) -> Split | None:  # noqa: ARG002
        """Return the split whose list has the id, the file name or the group of a sample."""
        names = [*_names(row.id), *([group] if group else [])]
        return next((self._split_of[name] for name in names if name in self._split_of), None)

    def unused(self, ids: Iterable[str], groups: Iterable[str]) -> Iterator[tuple[Split, str]]:
        """Yield the names in lists that match no sample and no group, each with its split."""
        names = {name for identity in ids for name in _names(identity)}.union(groups)
        return ((split, name) for name, split in self._split_of.items() if name not in names)

    def why_not(self, row: Row) -> str:  # noqa: ARG002
        """Return that the sample is in no list."""
        return NO_SPLIT

    @cached_property
    def _split_of(self) -> dict[str, Split]:
        """The split of each listed name: an id, a file name or a group."""
        listed: dict[str, Split] = {}
        for split, path in self.files.items():
            file = self.root / path
            for number, line in label_text.label_lines(file):
                name = normalize_path(line)
                if listed.setdefault(name, split) != split:
                    raise BenchError(
                        f"{file}:{number}: '{name}' is also in the list of '{listed[name]}'; "
                        "remove it from one of them"
                    )
        return listed


@dataclass(frozen=True)
class RatioSplits(Division):
    """By a hash of a seed and of the id of the sample, or of the name of its group.

    So a sample stays in its split when others are added, and wherever the folder is.

    Attributes:
        shares: The share of each split; their sum is 1.
        seed: A text; another text gives another division.
    """

    shares: Mapping[Split, float]
    seed: str

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have a share."""
        return tuple(split for split in SPLITS if self.shares.get(split))

    def split_of(self, row: Row, labels: str, group: str | None) -> Split:  # noqa: ARG002
        """Return the split whose interval contains the hash."""
        name = row.id if group is None else group
        hashed = blake2b(f"{self.seed}/{name}".encode(), digest_size=8).digest()
        drawn, end = int.from_bytes(hashed, "big") / 2**64, 0.0
        for split in self.splits:
            end += self.shares[split]
            if drawn < end:
                return split
        return self.splits[-1]


def _nearest(path: PurePosixPath) -> Split | None:
    """Return the split in the last part of a path that has one."""
    return next(filter(None, map(named_split, reversed(path.parts))), None)


def _names(identity: str) -> tuple[str, ...]:
    """Return the names of a sample in a list: id or file name, with or without suffix."""
    path = PurePosixPath(identity)
    return identity, str(path.with_suffix("")), path.name, path.stem
