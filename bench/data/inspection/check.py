"""What may be wrong with a data set before anything is trained on it."""

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
"""Samples and characters that a finding names; more are only counted."""
_MAX_SHOWN = 120
"""Characters of a name, a reason or a token in a finding."""
_KNOWN = "known to be"
"""What the reasons say for which everybody leaves a sample out."""

_MAX_BLANK = 0.01
"""The share of images of one color that is only to be known."""
_MIN_SIDE = 4
_MAX_TIMES = 20
"""How many times the median a width or a height may be."""

Verdict = Literal["ok", "note", "failed"]
Advance = Callable[["Split", int], None]


@dataclass(frozen=True)
class Finding:
    """The result of one check of one split.

    Attributes:
        split: The split or partition.
        check: What was looked for.
        found: What was found, as a phrase.
        verdict: `failed` has to be fixed; a `note` is only to be known.
    """

    split: str
    check: str
    found: str
    verdict: Verdict


def check_dataset(
    dataset: Dataset, encoder: LabelEncoder, protocol: Protocol | None, advance: Advance
) -> Iterator[Finding]:
    """Yield what every check finds.

    Args:
        dataset: The data set, which has to be prepared.
        encoder: What a network is to learn of the transcripts.
        protocol: The protocol by which readings are to be scored; None: none is checked.
        advance: Told of each sample that was read.
    """
    splits = dataset.splits()
    if isinstance(dataset, PreparedDataset):
        yield from _rejected(dataset)
    yield from _counts(dataset, encoder, splits)
    if not isinstance(dataset, StoredDataset):
        return
    samples = {split: Samples([dataset.selection(split)]) for split in splits}
    looks: dict[Split, Fingerprints] = {}
    for split in splits:
        looks[split] = np.zeros(len(samples[split]), np.uint64)
        yield from _pictures(samples[split], split, looks[split], advance)
        yield _sizes(samples[split], split)
        yield from _labels(samples[split], split, encoder, own=isinstance(dataset, OwnDataset))
        if protocol is not None:
            yield from _protocol(samples[split], split, protocol)
    yield from _duplicates(samples)
    if dataset.gives == "image":
        yield from _near_duplicates(samples, looks)


def name_samples(names: Sequence[str], count: int | None = None) -> str:
    """Return how many samples there are, which may be more than are named, and the first names."""
    if not names:
        return "none"
    count = count or len(names)
    more = ", …" if count > MAX_NAMED else ""
    return (
        f"{count:,}: {', '.join(shortened(name, _MAX_SHOWN) for name in names[:MAX_NAMED])}{more}"
    )


def _rejected(dataset: PreparedDataset) -> Iterator[Finding]:
    """Yield what was left out when the data set was prepared."""
    for part, document in require_prepared(dataset.prepared_name).parts.items():
        reasons = document.rejected
        listed = "; ".join(
            f"{count:,} {shortened(reason, _MAX_SHOWN)}" for reason, count in reasons.items()
        )
        known = all(_KNOWN in reason for reason in reasons)
        verdict: Verdict = "failed" if not known else "note" if reasons else "ok"
        yield Finding(part, "left out", listed or "none", verdict)


def _counts(dataset: Dataset, encoder: LabelEncoder, splits: Sequence[Split]) -> Iterator[Finding]:
    """Compare the samples of each split with the card; training may hold out its validation."""
    card = cards.find_card(dataset.name)
    synthetic = isinstance(dataset, PreparedDataset) and dataset.synthetic
    divisions = card.splits if card and not synthetic else ()
    counts = _sample_counts(dataset, encoder, splits)
    for split, count in counts.items():
        expected = {getattr(division, split) for division in divisions} - {None}
        listed = " or ".join(f"{number:,}" for number in sorted(expected))
        whole = count + counts.get("validation", 0) if split == "train" else count
        fits = count and (not expected or expected.intersection({count, whole}))
        text = f"{count:,}, the card says {listed}" if expected else f"{count:,}"
        yield Finding(split, "samples", text, "ok" if fits else "failed")


def _sample_counts(
    dataset: Dataset, encoder: LabelEncoder, splits: Sequence[Split]
) -> dict[Split, int]:
    if isinstance(dataset, StoredDataset):
        return {split: len(dataset.selection(split)) for split in splits}
    pipeline = dataset.open(native_input(dataset), encoder)
    return {split: sum(1 for _ in pipeline.annotations(split)) for split in splits}


def _pictures(
    samples: Samples, split: Split, looks: Fingerprints, advance: Advance
) -> Iterator[Finding]:
    """Decode every sample; write the fingerprints of images into `looks`."""
    broken, reasons, blank = [], [], []
    for index, reference in enumerate(samples):
        partition, row = reference.partition, reference.row
        try:
            frames = range(partition.value("frames", row))
            if frames:
                # All frames are decoded, whatever the first ones are.
                plain = [is_blank(frame) for frame in partition.clip(row, frames, 1)]
            else:
                pixels = partition.pixels(row, 1)
                plain = [is_blank(pixels)]
                looks[index] = 0 if plain[0] else brightness_fingerprint(pixels)
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
    """Return whether an image is of one color."""
    return bool(pixels.min() == pixels.max())


def _sizes(samples: Samples, split: Split) -> Finding:
    """Look for images that are too small to show a word, or large as a page among words."""
    sizes = np.stack([samples.column("width"), samples.column("height")], 1)
    extreme = (sizes < _MIN_SIDE) | (sizes > _MAX_TIMES * np.median(sizes, 0))
    rows = np.flatnonzero(extreme.any(1)).tolist()
    names = [
        f"{samples.reference(row).id} ({sizes[row, 0]}×{sizes[row, 1]})" for row in rows[:MAX_NAMED]
    ]
    return Finding(split, "extreme sizes", name_samples(names, len(rows)), "note" if rows else "ok")


def _labels(
    samples: Samples, split: Split, encoder: LabelEncoder, *, own: bool
) -> Iterator[Finding]:
    """Look for transcripts of which a network can learn nothing, or not everything.

    Of a person's `own` data nobody has said that the alphabet suits them: what its rules drop is
    missing from it too, and it may not be missing from most samples.
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
    most = own and incomplete > MAX_LOST * len(samples)
    verdict: Verdict = "failed" if most else "note" if unknown else "ok"
    yield Finding(split, "outside the alphabet", _name_tokens(unknown), verdict)


def _protocol(samples: Samples, split: Split, protocol: Protocol) -> Iterator[Finding]:
    """Count what the protocol drops from transcripts, and the transcripts that it changes."""
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
    """Compare the content of encoded pixels within a split, and with the splits before it."""
    before: set[bytes] = set()
    for split, mine in samples.items():
        hashes, twice, shared = set[bytes](), [], []
        for reference in mine:
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
    samples: dict[Split, Samples], looks: dict[Split, Fingerprints]
) -> Iterator[Finding]:
    """Compare how images look with those of the splits before; copies of bytes are found above."""
    splits = list(samples)
    for place, split in enumerate(splits[1:], 1):
        names, count = [], 0
        for before in splits[:place]:
            for index, others in similar_pairs(looks[before], looks[split]):
                mine = samples[split].reference(index)
                for other in samples[before].references(others):
                    if _is_near(mine, other):
                        count += 1
                        names += [f"{mine.id} like {other.id} of {before}"] * (count <= MAX_NAMED)
                        break
        found = name_samples(names, count)
        yield Finding(split, "like one in a split before", found, "note" if count else "ok")


def _is_near(one: SampleRef, other: SampleRef) -> bool:
    if one.partition.value("hash", one.row) == other.partition.value("hash", other.row):
        return False
    try:
        return look_alike(one.partition.pixels(one.row, 1), other.partition.pixels(other.row, 1))
    except BenchError:
        return False


def _name_tokens(counts: Counter[str]) -> str:
    """Return the most frequent tokens, each with the number of samples that have it."""
    listed = ", ".join(
        f"{shortened(repr(token), _MAX_SHOWN)} in {count:,}"
        for token, count in counts.most_common(MAX_NAMED)
    )
    return listed or "none"
