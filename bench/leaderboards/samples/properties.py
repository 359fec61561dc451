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
"""Length of the normalized reference: the denominator of a metric of `_LENGTH_METRICS`."""
_LENGTH_METRICS = ("cer", "wer")
_MAX_LENGTHS = (3, 6, 9, 14, 24, 49, 99)
"""The longest length of each group; longer references form one more group."""
MIN_SAMPLES = 20
"""Smaller groups are left out, because their intervals are too wide to be useful."""
MAX_GROUPS = 12
"""Number of the largest groups of a property; samples of smaller ones are in `OTHERS`."""
OTHERS = "others"
_UNNAMED = ("", OTHERS)
CASES = ("lower case", "upper case", "capitalized", "mixed case", "no letter")
_RATIOS = (1, 2, 4, 6)
RATIOS = ("below 1", "1–2", "2–4", "4–6", "6 and more")
"""Width / height of an image; the lower bound of each group is included."""
_MIN_FRAMES = (50, 100, 150, 200, 250)
FRAMES = ("below 50", "50–99", "100–149", "150–199", "200–249", "250 and more")
_ORDERS = {"case": CASES, "aspect ratio": RATIOS, "frames": FRAMES}
"""Groups in order, of the properties whose groups bench defines."""


def properties_of(table: pa.Table) -> dict[str, NDArray[np.str_]]:
    """Return the groups of samples (N,) in a table of predictions, by property."""
    cases = {text: _case(text) for text in table["reference"].unique().to_pylist()}
    groups = {"case": np.array([cases[text] for text in table["reference"].to_pylist()])}
    columns = {n.removeprefix(PREFIX): n for n in table.column_names if n.startswith(PREFIX)}
    if {"width", "height"} <= columns.keys():
        ratios = table[columns["width"]].to_numpy() / table[columns["height"]].to_numpy()
        groups["aspect ratio"] = np.array(RATIOS)[np.digitize(ratios, _RATIOS)]
    if "frames" in columns:
        bins = np.digitize(table[columns["frames"]].to_numpy(), _MIN_FRAMES)
        groups["frames"] = np.array(FRAMES)[bins]
    for name in NAMES:
        if name in columns:
            groups[name] = np.array(table[columns[name]].to_pylist(), dtype=str)
    return groups


def sample_groups(counts: ColumnCounts) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Return the mask (N,) of each group with enough samples, by property and group.

    A property with a single group is left out.
    """
    chosen = {}
    for name, labels, order in _labels(counts):
        members = {label: labels == label for label in order}
        large = {label: mask for label, mask in members.items() if mask.sum() >= MIN_SAMPLES}
        if len(large) > 1:
            chosen[name] = large
    return chosen


def _labels(counts: ColumnCounts) -> list[tuple[str, NDArray[np.str_], list[str]]]:
    """Return each property with the group of each sample and the order of groups."""
    labels: list[tuple[str, NDArray[np.str_], list[str]]] = []
    for name, values in sorted(counts.properties.items()):
        if name in _ORDERS:
            labels.append((name, values, [*_ORDERS[name]]))
        else:
            labels.append((name, *_largest(values)))
    metric = next((name for name in _LENGTH_METRICS if name in counts.denominators), None)
    if metric:
        bins = np.searchsorted(_MAX_LENGTHS, counts.denominators[metric])
        names = _length_names()
        labels.insert(0, (LENGTH, np.array(names)[bins], names))
    return labels


def _length_names() -> list[str]:
    starts = [0, *(end + 1 for end in _MAX_LENGTHS)]
    ranges = [f"{a}–{b}" for a, b in zip(starts, _MAX_LENGTHS, strict=False)]
    return [*ranges, f"{starts[-1]} and more"]


def _largest(values: NDArray[np.str_]) -> tuple[NDArray[np.str_], list[str]]:
    """Return the groups of samples with small groups merged, and the order of groups.

    Samples with an empty value are in no group.
    """
    names, codes, sizes = np.unique(values, return_inverse=True, return_counts=True)
    large = [n for n, size in enumerate(sizes) if size >= MIN_SAMPLES and names[n] not in _UNNAMED]
    large = sorted(large, key=lambda n: -sizes[n])[:MAX_GROUPS]
    kept = [str(names[n]) for n in sorted(large)]
    merged = [name if name in {"", *kept} else OTHERS for name in names.tolist()]
    return np.array(merged)[codes], [*kept, OTHERS]


def _case(text: str) -> str:
    if not any(character.isalpha() for character in text):
        return "no letter"
    if text == text.lower():
        return "lower case"
    if text == text.upper():
        return "upper case"
    return "capitalized" if text == text[:1].upper() + text[1:].lower() else "mixed case"
