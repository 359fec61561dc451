"""A person's own data as a raw data set: rows of labels, each in its split."""

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

_SHOWN = 3


class OwnReader:
    """What files of labels list, divided into splits.

    Of samples with the same id the first counts; each other one is rejected by name, and so is one
    whose text is empty, has several lines or control characters.

    Args:
        data: The folder.
        labels: The files or folders of labels.
        format_: How they are written.
        division: How samples are divided.
        group: What must not be divided; None: every sample is by itself.

    Raises:
        BenchError: Nothing is listed; a sample is in no split, or a group in two.
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
        """Return the LMDB that has the pixels of a split, and of that split alone.

        None where there is no such one: pixels are copied.
        """
        labels = [*self._labels]
        if self._group:
            return None
        if len(self.parts) > 1:
            splits = [self._division.of_labels(self._data.relative(each)) for each in labels]
            if None in splits:
                return None
            labels = [each for each, split in zip(labels, splits, strict=True) if split == part]
        return self._format.database(labels[0]) if len(labels) == 1 else None

    def entries(self, part: str) -> Iterator[Entry | Rejected]:
        """Yield what is in the split `part`; with the first, also what is in none of `parts`."""
        for split, outcome in self.divided():
            # All that a file of a split lists may be rejected.
            if (split if split in self.parts else self.parts[0]) == part:
                yield _entry(outcome) if isinstance(outcome, Row) else outcome

    def _splits(self) -> tuple[Split, ...]:
        """Return the splits that samples are in, once every sample was found to be in one."""
        counts, unplaced = Counter[Split](), list[str]()
        groups: dict[str, tuple[Split, str]] = {}
        for split, outcome in self.divided():
            if not isinstance(outcome, Row):
                continue
            if split is None:
                unplaced.append(outcome.id)
                continue
            counts[split] += 1
            if self._group and (name := self._group.of(outcome)):
                first, sample = groups.setdefault(name, (split, outcome.id))
                if first != split:
                    raise BenchError(
                        f"group '{name}' ({self._group.described()}) is in two splits: '{sample}' "
                        f"in {first} and '{outcome.id}' in {split}; move all of it into one split, "
                        "or divide by ratio, which keeps groups together"
                    )
        if unplaced:
            raise BenchError(
                f"{self._data.root}: {len(unplaced):,} of {counts.total() + len(unplaced):,} "
                f"samples are in no split, such as '{unplaced[0]}': no file or folder of theirs is "
                'named train, val or test; set splits = "test" for all of them, or a ratio such as '
                'splits = { train = 0.8, validation = 0.1, test = 0.1, seed = "v1" }'
            )
        if not counts:
            raise BenchError(self._nothing())
        if empty := [split for split in self._division.splits if not counts[split]]:
            raise BenchError(
                f"{self._data.root}: the split '{empty[0]}' gets none of {counts.total():,} "
                "samples; raise its share, or leave it out"
            )
        return tuple(split for split in SPLITS if counts[split])

    def _nothing(self) -> str:
        """Return the error of labels that list no sample."""
        rejected = [outcome for _, outcome in self.divided() if isinstance(outcome, Rejected)]
        reasons = Counter(each.reason for each in rejected)
        listed = "; ".join(f"{count:,} {reason}" for reason, count in reasons.most_common(_SHOWN))
        named = ", ".join(map(self._data.relative, self._labels[:_SHOWN]))
        return (
            f"{self._data.root}: no sample is listed by {named} as format '{self._format.name}' "
            f"({self._format.about}){f': {listed}' if listed else ''}; set another format or labels"
        )

    def divided(self) -> Iterator[tuple[Split | None, Row | Rejected]]:
        """Yield every row of all labels with its split."""
        seen: dict[str, str] = {}
        groups = set[str]()
        for labels in self._labels:
            name = self._data.relative(labels)
            of_labels = self._division.of_labels(name)
            for listed in self._format.rows(labels, self._data):
                row = listed._replace(id=_printable(listed.id))
                if isinstance(row, Rejected):
                    yield of_labels, row
                elif reason := _fault(row, seen.get(row.id)):
                    yield of_labels, Rejected(row.id, reason)
                else:
                    seen[row.id] = row.text
                    if self._group and (group := self._group.of(row)):
                        groups.add(group)
                    yield self._placed(row, name)
        for split, unused in self._division.unused(seen, groups):
            yield split, Rejected(_printable(unused), NOT_LISTED)

    def _placed(self, row: Row, labels: str) -> tuple[Split | None, Row | Rejected]:
        """Return the split of a row; a Rejected where it may be in none."""
        group = None
        if self._group and (group := self._group.of(row)) is None:
            return None, Rejected(row.id, f"no group by {self._group.described()}")
        split = self._division.of(row, labels, group)
        if split is None and (reason := self._division.why_not(row)):
            return None, Rejected(row.id, reason)
        return split, row


def _fault(row: Row, before: str | None) -> str | None:
    """Return why a row cannot be a sample; `before` is the text of an earlier one of its id."""
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
    """Return a text with escape sequences for control characters and halves of characters.

    An id is from a file that anybody may have written: it goes to terminals, and into UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(
        repr(each)[1:-1] if unicodedata.category(each) in {"Cc", "Cs"} else each for each in text
    )


def _entry(row: Row) -> Entry:
    return Entry(row.id, row.text, row.images.load)
