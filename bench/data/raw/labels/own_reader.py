"""Reader of a user's data: rows of labels, each assigned to a split."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.core.errors import BenchError
from bench.core.types import SPLITS, Split
from bench.data.raw.entries import Entry, Rejected
from bench.data.raw.labels.data_folder import DataFolder
from bench.data.raw.labels.divisions import NOT_LISTED, Division, Group
from bench.data.raw.labels.label_format import LabelFormat, Row

_MAX_SHOWN = 3


class OwnReader:
    """The rows of label files, divided into splits.

    Of samples with the same id, all but the first are rejected. A sample whose text is empty or has
    several lines or control characters is rejected too.

    Args:
        data: The folder of the data.
        labels: The label files or folders.
        format_: The label format.
        division: The division into splits.
        group: The groups that must not be divided; None for no groups.

    Raises:
        BenchError: There is no sample, a sample is in no split, or a group is in two splits.
    """

    columns: Sequence[str] = ()

    def __init__(
        self,
        data: DataFolder,
        labels: Sequence[Path],
        format_: LabelFormat,
        division: Division,
        group: Group | None = None,
    ) -> None:
        self._data = data
        self._labels = labels
        self._format = format_
        self._division = division
        self._group = group
        self.parts: Sequence[str] = self._splits()

    def database(self, part: str) -> Path | None:
        """Return the LMDB that has the images of a split and no others.

        None if there is no such LMDB: images are copied.
        """
        labels = [*self._labels]
        if self._group:
            return None
        if len(self.parts) > 1:
            splits = [self._division.split_of_labels(self._data.relative(file)) for file in labels]
            if None in splits:
                return None
            labels = [file for file, split in zip(labels, splits, strict=True) if split == part]
        return self._format.database(labels[0]) if len(labels) == 1 else None

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield the entries of a split; the first split includes rejected entries of no split."""
        for split, outcome in self.divided():
            # A split of which all entries are rejected is not in `parts`.
            if (split if split in self.parts else self.parts[0]) == part:
                yield _entry(outcome) if isinstance(outcome, Row) else outcome

    def _splits(self) -> tuple[Split, ...]:
        """Return the splits that have samples, after checking that every sample is in a split."""
        counts, unassigned = Counter[Split](), list[str]()
        groups: dict[str, tuple[Split, str]] = {}
        for split, outcome in self.divided():
            if not isinstance(outcome, Row):
                continue
            if split is None:
                unassigned.append(outcome.id)
                continue
            counts[split] += 1
            if self._group and (name := self._group.name_of(outcome)):
                first, sample = groups.setdefault(name, (split, outcome.id))
                if first != split:
                    raise BenchError(
                        f"group '{name}' ({self._group.description()}) is in two splits: "
                        f"'{sample}' in {first} and '{outcome.id}' in {split}; move the whole "
                        "group into one split, or divide by ratio, which keeps groups together"
                    )
        if unassigned:
            raise BenchError(
                f"{self._data.root}: {len(unassigned):,} of {counts.total() + len(unassigned):,} "
                f"samples are in no split, such as '{unassigned[0]}', because no file or folder "
                'name has train, val or test; set splits = "test" for all, or a ratio such as '
                'splits = { train = 0.8, validation = 0.1, test = 0.1, seed = "v1" }'
            )
        if not counts:
            raise BenchError(self._no_samples_error())
        if empty := [split for split in self._division.splits if not counts[split]]:
            raise BenchError(
                f"{self._data.root}: the split '{empty[0]}' has none of {counts.total():,} "
                "samples; increase its share, or remove it"
            )
        return tuple(split for split in SPLITS if counts[split])

    def _no_samples_error(self) -> str:
        """Return the error text for labels without a sample."""
        rejected = [outcome for _, outcome in self.divided() if isinstance(outcome, Rejected)]
        reasons = Counter(outcome.reason for outcome in rejected)
        listed = "; ".join(
            f"{count:,} {reason}" for reason, count in reasons.most_common(_MAX_SHOWN)
        )
        named = ", ".join(map(self._data.relative, self._labels[:_MAX_SHOWN]))
        return (
            f"{self._data.root}: {named} has no sample in format '{self._format.name}' "
            f"({self._format.about}){f': {listed}' if listed else ''}; set another format or labels"
        )

    def divided(self) -> Iterator[tuple[Split | None, Row | Rejected]]:
        """Yield every row of all label files with its split."""
        texts: dict[str, str] = {}
        groups = set[str]()
        for labels in self._labels:
            name = self._data.relative(labels)
            labels_split = self._division.split_of_labels(name)
            for listed in self._format.rows(labels, self._data):
                row = listed._replace(id=_printable(listed.id))
                if isinstance(row, Rejected):
                    yield labels_split, row
                elif reason := _fault(row, texts.get(row.id)):
                    yield labels_split, Rejected(row.id, reason)
                else:
                    texts[row.id] = row.text
                    if self._group and (group := self._group.name_of(row)):
                        groups.add(group)
                    yield self._assign_split(row, name)
        for split, unused in self._division.unused(texts, groups):
            yield split, Rejected(_printable(unused), NOT_LISTED)

    def _assign_split(self, row: Row, labels: str) -> tuple[Split | None, Row | Rejected]:
        """Return a row with its split, or a Rejected if it may be in no split."""
        group = None
        if self._group and (group := self._group.name_of(row)) is None:
            return None, Rejected(row.id, f"no group by {self._group.description()}")
        split = self._division.split_of(row, labels, group)
        if split is None and (reason := self._division.why_not(row)):
            return None, Rejected(row.id, reason)
        return split, row


def _fault(row: Row, before: str | None) -> str | None:
    """Return why a row cannot be a sample; `before` is the text of an earlier row with its id."""
    if before is not None:
        same = "the same" if before == row.text else "another"
        return f"listed before with {same} text"
    if not row.text:
        return "an empty text"
    if "\n" in row.text or "\r" in row.text:
        return "a text of several lines"
    if _printable(row.text) != row.text:
        return "a text with a control character"
    return None


def _printable(text: str) -> str:
    """Return a text with control characters and surrogates escaped.

    Ids come from untrusted files, and are printed on terminals and encoded as UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(
        repr(letter)[1:-1] if unicodedata.category(letter) in {"Cc", "Cs"} else letter
        for letter in text
    )


def _entry(row: Row) -> Entry:
    return Entry(row.id, row.text, row.images.load)
