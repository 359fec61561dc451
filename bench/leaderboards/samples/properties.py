"""Properties of samples by which scores are broken down, and the groups of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bench.evaluation.sample_properties import NAMES, PREFIX

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
MAX_GROUPS = 12
"""The largest groups of a property that are shown; the samples of smaller ones are `OTHERS`."""
OTHERS = "others"
_UNNAMED = ("", OTHERS)
CASES = ("lower case", "upper case", "capitalized", "mixed case", "no letter")
_RATIOS = (1, 2, 4, 6)
RATIOS = ("below 1", "1–2", "2–4", "4–6", "6 and more")
"""Width / height of a picture; the lower bound of each group belongs to it."""
_MIN_FRAMES = (50, 100, 150, 200, 250)
FRAMES = ("below 50", "50–99", "100–149", "150–199", "200–249", "250 and more")
_ORDERS = {"case": CASES, "aspect ratio": RATIOS, "frames": FRAMES}
"""The groups of the properties whose groups bench defines."""


def properties_of(table: pa.Table) -> dict[str, NDArray[np.str_]]:
    """Return the properties of samples that predictions tell, by name."""
    cases = {text: _case(text) for text in table["reference"].unique().to_pylist()}
    groups = {"case": np.array([cases[text] for text in table["reference"].to_pylist()])}
    columns = {n.removeprefix(PREFIX): n for n in table.column_names if n.startswith(PREFIX)}
    if {"width", "height"} <= columns.keys():
        ratios = table[columns["width"]].to_numpy() / table[columns["height"]].to_numpy()
        groups["aspect ratio"] = np.array(RATIOS)[np.digitize(ratios, _RATIOS)]
    if "frames" in columns:
        places = np.digitize(table[columns["frames"]].to_numpy(), _MIN_FRAMES)
        groups["frames"] = np.array(FRAMES)[places]
    for name in NAMES:
        if name in columns:
            groups[name] = np.array(table[columns[name]].to_pylist(), dtype=str)
    return groups


def groups(counts: ColumnCounts) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return the samples (N,) of each group that has enough of them, by property and group.

    A property of a single group is left out: it breaks nothing down.
    """
    chosen = {}
    for name, labels, order in _labels(counts):
        members = {label: labels == label for label in order}
        kept = {label: where for label, where in members.items() if where.sum() >= MIN_SAMPLES}
        if len(kept) > 1:
            chosen[name] = kept
    return chosen


def _labels(counts: ColumnCounts) -> list[tuple[str, NDArray[np.str_], list[str]]]:
    """Return each property with the label of each sample and the order of labels."""
    labels: list[tuple[str, NDArray[np.str_], list[str]]] = []
    for name, values in sorted(counts.properties.items()):
        if name in _ORDERS:
            labels.append((name, values, [*_ORDERS[name]]))
        else:
            labels.append((name, *_largest(values)))
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


def _largest(values: NDArray[np.str_]) -> tuple[NDArray[np.str_], list[str]]:
    """Return the labels of samples with those of small groups merged, and the order of labels.

    Samples without a label are in no group.
    """
    names, places, sizes = np.unique(values, return_inverse=True, return_counts=True)
    large = [n for n, size in enumerate(sizes) if size >= MIN_SAMPLES and names[n] not in _UNNAMED]
    large = sorted(large, key=lambda n: -sizes[n])[:MAX_GROUPS]
    kept = [str(names[n]) for n in sorted(large)]
    merged = [name if name in {"", *kept} else OTHERS for name in names.tolist()]
    return np.array(merged)[places], [*kept, OTHERS]


def _case(text: str) -> str:
    if not any(character.isalpha() for character in text):
        return "no letter"
    if text == text.lower():
        return "lower case"
    if text == text.upper():
        return "upper case"
    return "capitalized" if text == text[:1].upper() + text[1:].lower() else "mixed case"
