"""Properties of samples by which scores are broken down, and the groups of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.leaderboards.samples.column_counts import ColumnCounts

LENGTH = "length"
"""Units of the normalized reference: the denominators of the first of `_LENGTHS` of a board."""
_LENGTHS = ("cer", "wer")
_MAX_LENGTHS = (3, 6, 9, 14, 24, 49, 99)
"""The longest of each group; what is longer is one more group."""
MIN_SAMPLES = 20
"""A group of fewer samples is not shown: its interval says next to nothing."""
MAX_GROUPS = 50
"""A property with more groups of enough samples is not shown: it names samples one by one."""
CASES = ("lower case", "upper case", "capitalized", "mixed case", "no letter")


def properties_of(table: pa.Table) -> dict[str, NDArray[np.str_]]:
    """Return the properties of samples that predictions tell, by name."""
    cases = {text: _case(text) for text in table["reference"].unique().to_pylist()}
    return {"case": np.array([cases[text] for text in table["reference"].to_pylist()])}


def groups(counts: ColumnCounts) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return the samples (N,) of each group that has enough of them, by property and group.

    A property of a single group is left out: it breaks nothing down.
    """
    found = {}
    for name, labels, order in _labels(counts):
        members = {label: labels == label for label in order}
        kept = {label: where for label, where in members.items() if where.sum() >= MIN_SAMPLES}
        if 1 < len(kept) <= MAX_GROUPS:
            found[name] = kept
    return found


def _labels(counts: ColumnCounts) -> list[tuple[str, NDArray[np.str_], list[str]]]:
    """Return each property with the label of each sample and the order of labels."""
    labels = [
        (name, values, sorted({*values.tolist()} - {""}, key=_place))
        for name, values in sorted(counts.properties.items())
    ]
    metric = next((name for name in _LENGTHS if name in counts.denominators), None)
    if metric:
        places = np.searchsorted(_MAX_LENGTHS, counts.denominators[metric])
        names = _length_names()
        labels.insert(0, (LENGTH, np.array(names)[places], names))
    return labels


def _length_names() -> list[str]:
    starts = [0, *(end + 1 for end in _MAX_LENGTHS)]
    ranges = [f"{a}–{b}" for a, b in zip(starts, _MAX_LENGTHS, strict=False)]
    return [*ranges, f"{starts[-1]} and more"]


def _place(label: str) -> tuple[int, str]:
    return (CASES.index(label) if label in CASES else len(CASES), label)


def _case(text: str) -> str:
    if not any(character.isalpha() for character in text):
        return "no letter"
    if text == text.lower():
        return "lower case"
    if text == text.upper():
        return "upper case"
    return "capitalized" if text == text[:1].upper() + text[1:].lower() else "mixed case"
