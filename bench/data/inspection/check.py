"""Checks of a prepared data set: what `bench data check` reports before a training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from bench.core.errors import BenchError
from bench.core.printable import shortened
from bench.data import cards
from bench.data.datasets.base import PreparedDataset, StoredDataset
from bench.data.datasets.own import MAX_LOST, OwnDataset
from bench.data.inspection.native_input import native_input
from bench.data.inspection.near_duplicates import (
    Fingerprints,
    brightness_fingerprint,
    look_alike,
    similar_pairs,
)
from bench.data.reading.samples import SampleRef, Samples
from bench.data.store.prepared import require_prepared

if TYPE_CHECKING:
    from bench.core.components import Dataset
    from bench.core.types import Split
    from bench.data.inputs.images import Pixels
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.evaluation.protocols import Protocol

MAX_NAMED = 5
"""The number of samples or characters that a finding lists; more are only counted."""
_MAX_SHOWN = 120
"""The length of an id, a reason or a token in a finding."""
_KNOWN_DEFECT = "known to be"
"""A part of the reasons for rejecting samples that all users of the data set leave out."""

_MAX_BLANK = 0.01
"""The largest share of images of one color that is a note and not a failure."""
_MIN_SIDE = 4
_MAX_RATIO = 20
"""The largest ratio of a width or a height to the median."""

Verdict = Literal["ok", "note", "failed"]
Advance = Callable[["Split", int], None]


@dataclass(frozen=True)
class Finding:
    """The result of one check of one split.

    Attributes:
        split: The split or partition.
        check: The name of the check.
        found: The result, as a phrase; the key `found` of `--json`.
        verdict: `failed` has to be fixed; `note` is for information.
    """

    split: str
    check: str
    found: str
    verdict: Verdict


def check_dataset(
    dataset: Dataset, encoder: LabelEncoder, protocol: Protocol | None, advance: Advance
) -> Iterator[Finding]:
    """Yield the findings of all checks.

    Args:
        dataset: A prepared data set.
        encoder: The label encoder of a training on it.
        protocol: The protocol of an evaluation on it; None skips the checks of a protocol.
        advance: Called with the split and 1 after each sample that was read.
    """
    splits = dataset.splits()
    if isinstance(dataset, PreparedDataset):
        yield from _rejected(dataset)
    yield from _counts(dataset, encoder, splits)
    if not isinstance(dataset, StoredDataset):
        return
    samples = {split: Samples([dataset.selection(split)]) for split in splits}
    fingerprints: dict[Split, Fingerprints] = {}
    for split in splits:
        fingerprints[split] = np.zeros(len(samples[split]), np.uint64)
        yield from _decode_all(samples[split], split, fingerprints[split], advance)
        yield _sizes(samples[split], split)
        yield from _labels(samples[split], split, encoder, own=isinstance(dataset, OwnDataset))
        if protocol is not None:
            yield from _protocol(samples[split], split, protocol)
    yield from _duplicates(samples)
    if dataset.gives == "image":
        yield from _near_duplicates(samples, fingerprints)


def name_samples(names: Sequence[str], count: int | None = None) -> str:
    """Return a count and the first names, such as `7: a, b, …`; `count` may exceed `names`."""
    if not names:
        return "none"
    count = count or len(names)
    more = ", …" if count > MAX_NAMED else ""
    return (
        f"{count:,}: {', '.join(shortened(name, _MAX_SHOWN) for name in names[:MAX_NAMED])}{more}"
    )


def _rejected(dataset: PreparedDataset) -> Iterator[Finding]:
    """Yield the entries that were rejected when the data set was prepared."""
    for part, document in require_prepared(dataset.prepared_name).parts.items():
        reasons = document.rejected
        listed = "; ".join(
            f"{count:,} {shortened(reason, _MAX_SHOWN)}" for reason, count in reasons.items()
        )
        all_known = all(_KNOWN_DEFECT in reason for reason in reasons)
        verdict: Verdict = "failed" if not all_known else "note" if reasons else "ok"
        yield Finding(part, "left out", listed or "none", verdict)


def _counts(dataset: Dataset, encoder: LabelEncoder, splits: Sequence[Split]) -> Iterator[Finding]:
    """Compare the size of each split with the card; `train` may include held-out validation."""
    card = cards.find_card(dataset.name)
    synthetic = isinstance(dataset, PreparedDataset) and dataset.synthetic
    divisions = card.splits if card and not synthetic else ()
    counts = _sample_counts(dataset, encoder, splits)
    for split, count in counts.items():
        expected = {getattr(division, split) for division in divisions} - {None}
        listed = " or ".join(f"{number:,}" for number in sorted(expected))
        whole = count + counts.get("validation", 0) if split == "train" else count
        fits = count and (not expected or expected.intersection({count, whole}))
        text = f"{count:,}, the card has {listed}" if expected else f"{count:,}"
        yield Finding(split, "samples", text, "ok" if fits else "failed")


def _sample_counts(
    dataset: Dataset, encoder: LabelEncoder, splits: Sequence[Split]
) -> dict[Split, int]:
    if isinstance(dataset, StoredDataset):
        return {split: len(dataset.selection(split)) for split in splits}
    pipeline = dataset.open(native_input(dataset), encoder)
    return {split: sum(1 for _ in pipeline.annotations(split)) for split in splits}


def _decode_all(
    samples: Samples, split: Split, fingerprints: Fingerprints, advance: Advance
) -> Iterator[Finding]:
    """Decode every sample, and write the fingerprints of images into `fingerprints`."""
    broken, reasons, blank = [], [], []
    for index, reference in enumerate(samples):
        partition, row = reference.partition, reference.row
        try:
            frames = range(partition.value("frames", row))
            if frames:
                # A list, so that all frames are decoded, even after one that is not blank.
                plain = [is_blank(frame) for frame in partition.clip(row, frames, 1)]
            else:
                pixels = partition.pixels(row, 1)
                plain = [is_blank(pixels)]
                fingerprints[index] = 0 if plain[0] else brightness_fingerprint(pixels)
        except BenchError as error:
            broken.append(reference.id)
            reasons.append(str(error))
        else:
            if all(plain):
                blank.append(reference.id)
        advance(split, 1)
    text = "; ".join([name_samples(broken), *reasons[:1]])
    yield Finding(split, "undecodable", text, "failed" if broken else "ok")
    too_many = len(blank) > _MAX_BLANK * len(samples)
    verdict: Verdict = "failed" if too_many else "note" if blank else "ok"
    yield Finding(split, "of one color", name_samples(blank), verdict)


def is_blank(pixels: Pixels) -> bool:
    """Return whether all pixels of an image are equal."""
    return bool(pixels.min() == pixels.max())


def _sizes(samples: Samples, split: Split) -> Finding:
    """Find images that are too small for a word, or much larger than the median."""
    sizes = np.stack([samples.column("width"), samples.column("height")], 1)
    extreme = (sizes < _MIN_SIDE) | (sizes > _MAX_RATIO * np.median(sizes, 0))
    rows = np.flatnonzero(extreme.any(1)).tolist()
    names = [
        f"{samples.reference(row).id} ({sizes[row, 0]}×{sizes[row, 1]})" for row in rows[:MAX_NAMED]
    ]
    return Finding(split, "extreme sizes", name_samples(names, len(rows)), "note" if rows else "ok")


def _labels(
    samples: Samples, split: Split, encoder: LabelEncoder, *, own: bool
) -> Iterator[Finding]:
    """Find transcripts that are empty, or have characters without a class.

    For data of a user (`own`), characters that normalization drops count as missing too, and it is
    a failure if more than half of the samples miss characters: the alphabet may not fit the data.
    """
    missing = encoder.lost_tokens if own else encoder.unknown_tokens
    empty, unknown, incomplete = [], Counter[str](), 0
    for reference in samples:
        tokens = {*missing(reference.text)}
        unknown.update(tokens)
        incomplete += bool(tokens)
        if not encoder.encode(reference.text):
            empty.append(reference.id)
    yield Finding(split, "empty labels", name_samples(empty), "failed" if empty else "ok")
    too_many = own and incomplete > MAX_LOST * len(samples)
    verdict: Verdict = "failed" if too_many else "note" if unknown else "ok"
    yield Finding(split, "outside the alphabet", _name_tokens(unknown), verdict)


def _protocol(samples: Samples, split: Split, protocol: Protocol) -> Iterator[Finding]:
    """Count the characters that a protocol drops, and the transcripts that it changes."""
    changed, dropped = 0, Counter[str]()
    for reference in samples:
        changed += protocol.normalize(reference.text) != reference.text
        dropped.update({*protocol.dropped(reference.text)})
    yield Finding(
        split, f"dropped by {protocol.name}", _name_tokens(dropped), "note" if dropped else "ok"
    )
    yield Finding(
        split,
        f"changed by {protocol.name}",
        f"{changed:,} of {len(samples):,} transcripts" if changed else "none",
        "note" if changed else "ok",
    )


def _duplicates(samples: dict[Split, Samples]) -> Iterator[Finding]:
    """Find samples with equal encoded images, within a split and in the splits before it."""
    before: set[bytes] = set()
    for split, samples_of_split in samples.items():
        hashes, twice, shared = set[bytes](), [], []
        for reference in samples_of_split:
            content = reference.partition.value("hash", reference.row)
            if content in before:
                shared.append(reference.id)
            elif content in hashes:
                twice.append(reference.id)
            hashes.add(content)
        before |= hashes
        yield Finding(split, "duplicates", name_samples(twice), "note" if twice else "ok")
        if split != "train":
            verdict: Verdict = "failed" if shared else "ok"
            yield Finding(split, "in a split before", name_samples(shared), verdict)


def _near_duplicates(
    samples: dict[Split, Samples], fingerprints: dict[Split, Fingerprints]
) -> Iterator[Finding]:
    """Find images that resemble one of a split before, but are not equal to it."""
    splits = list(samples)
    for position, split in enumerate(splits[1:], 1):
        names, count = [], 0
        for before in splits[:position]:
            for index, others in similar_pairs(fingerprints[before], fingerprints[split]):
                mine = samples[split].reference(index)
                for other in samples[before].references(others):
                    if _is_near_duplicate(mine, other):
                        count += 1
                        names += [f"{mine.id} like {other.id} of {before}"] * (count <= MAX_NAMED)
                        break
        text = name_samples(names, count)
        yield Finding(split, "like one in a split before", text, "note" if count else "ok")


def _is_near_duplicate(sample: SampleRef, other: SampleRef) -> bool:
    if sample.partition.value("hash", sample.row) == other.partition.value("hash", other.row):
        return False
    try:
        return look_alike(
            sample.partition.pixels(sample.row, 1), other.partition.pixels(other.row, 1)
        )
    except BenchError:
        return False


def _name_tokens(counts: Counter[str]) -> str:
    """Return the most frequent tokens, each with its number of samples."""
    listed = ", ".join(
        f"{shortened(repr(token), _MAX_SHOWN)} in {count:,}"
        for token, count in counts.most_common(MAX_NAMED)
    )
    return listed or "none"
