"""Matching of the ids of a file of predictions with the ids of a data set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bench.data.raw.image_tree import IMAGE_SUFFIXES


@dataclass(frozen=True)
class IdMatch:
    """The matching ids of a file and a data set.

    Attributes:
        rule: What was compared, for messages.
        sample_ids: The id of the data set, by the id of the file. Ids without a match are left out.
    """

    rule: str
    sample_ids: Mapping[str, str]


def match_ids(theirs: Sequence[str], ours: Sequence[str]) -> IdMatch:
    """Return the match by the rule with the most matching ids, and by the strictest of these.

    A rule under which two ids of one side become equal matches nothing. No rule removes folders on
    both sides, because `train/1` and `test/1` are different samples.

    Args:
        theirs: The ids of a file, without duplicates.
        ours: The ids of a data set.
    """
    without_their_folders = _by_ending(theirs, ours)
    without_our_folders = {name: sample for sample, name in _by_ending(ours, theirs).items()}
    return max(
        IdMatch("ids", _by_key(theirs, ours, str)),
        IdMatch("ids without the suffix of a file", _by_key(theirs, ours, _without_suffix)),
        IdMatch("ids without the first folders of the file", without_their_folders),
        IdMatch("ids without the first folders of the data set", without_our_folders),
        key=lambda match: len(match.sample_ids),
    )


def _by_key(
    theirs: Sequence[str], ours: Sequence[str], key: Callable[[str], str]
) -> dict[str, str]:
    """Return ids with equal keys; nothing if two ids of one side have the same key."""
    ours_by_key = {key(sample): sample for sample in ours}
    theirs_by_key = {key(name): name for name in theirs}
    if len(ours_by_key) < len(ours) or len(theirs_by_key) < len(theirs):
        return {}
    return {theirs_by_key[k]: ours_by_key[k] for k in theirs_by_key if k in ours_by_key}


def _by_ending(longer: Iterable[str], shorter: Sequence[str]) -> dict[str, str]:
    """Return longer ids that end with a shorter one after a slash; nothing if it is ambiguous."""
    ends = {_without_suffix(name): name for name in shorter}
    if len(ends) < len(shorter):
        return {}
    matches: dict[str, str] = {}
    for name in longer:
        rest = _without_suffix(name)
        while rest and rest not in ends:
            rest = rest.partition("/")[2]
        if rest:
            matches[name] = ends[rest]
    return matches if len(set(matches.values())) == len(matches) else {}


def _without_suffix(name: str) -> str:
    """Return a path with forward slashes, without a leading `./` and the suffix of an image."""
    path = name.replace("\\", "/").removeprefix("./")
    stem, dot, suffix = path.rpartition(".")
    return stem if f"{dot}{suffix.lower()}" in IMAGE_SUFFIXES else path
