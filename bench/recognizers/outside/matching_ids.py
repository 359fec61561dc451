"""Ids of a file of predictions, and ids of a data set: the same samples under other names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.data.raw.image_tree import IMAGE_SUFFIXES


@dataclass(frozen=True)
class Match:
    """How the ids of a file belong to those of a data set.

    Attributes:
        rule: What was compared.
        known: The id of the data set for each id of the file that has one.
    """

    rule: str
    known: Mapping[str, str]


def match_ids(theirs: Sequence[str], ours: Sequence[str]) -> Match:
    """Return how most ids belong together, by the strictest rule among equals.

    A rule is left out where it makes two samples of the data set, or two ids of the file, one. No
    rule leaves out folders of both sides, for `train/1` and `test/1` are different samples.

    Args:
        theirs: The ids of a file, without repetition.
        ours: The ids of a data set.
    """
    behind = _by_ending(theirs, ours)
    before = {name: sample for sample, name in _by_ending(ours, theirs).items()}
    return max(
        Match("ids", _known(theirs, ours, str)),
        Match("ids without the suffix of a file", _known(theirs, ours, _without_suffix)),
        Match("ids without the first folders of the file", behind),
        Match("ids without the first folders of the data set", before),
        key=lambda match: len(match.known),
    )


def _known(theirs: Sequence[str], ours: Sequence[str], key: Callable[[str], str]) -> dict[str, str]:
    """Return the ids that are equal by `key`; none where two of one side are."""
    samples = {key(sample): sample for sample in ours}
    named = {key(name): name for name in theirs}
    if len(samples) < len(ours) or len(named) < len(theirs):
        return {}
    return {named[same]: samples[same] for same in named if same in samples}


def _by_ending(longer: Iterable[str], shorter: Sequence[str]) -> dict[str, str]:
    """Return the ids that are others behind further folders; none where that is ambiguous."""
    ends = {_without_suffix(name): name for name in shorter}
    if len(ends) < len(shorter):
        return {}
    known: dict[str, str] = {}
    for name in longer:
        rest = _without_suffix(name)
        while rest and rest not in ends:
            rest = rest.partition("/")[2]
        if rest:
            known[name] = ends[rest]
    return known if len(set(known.values())) == len(known) else {}


def _without_suffix(name: str) -> str:
    """Return a path with slashes, without `./` before it and the suffix of an image behind it."""
    path = name.replace("\\", "/").removeprefix("./")
    stem, dot, suffix = path.rpartition(".")
    return stem if f"{dot}{suffix.lower()}" in IMAGE_SUFFIXES else path
