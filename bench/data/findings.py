"""What may be wrong with a dataset before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench import cards
from bench.data.check import unalignable
from bench.data.prepared import PreparedDataset, require
from bench.data.source import PreparedSource
from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.components import Dataset, Loss, Model, Source, Split
    from bench.data.samples import Samples

_SPLITS: tuple[Split, ...] = ("train", "validation", "test")
_NAMED = 5
KNOWN = "known"
"""How the reasons begin for which a sample is rejected that its source is known to be without."""

Verdict = Literal["ok", "note", "failed"]
Advance = Callable[[Split, int], None]


@dataclass(frozen=True)
class Finding:
    """What one check found in one split: `failed` is to be mended, a `note` to be known."""

    split: str
    check: str
    found: str
    verdict: Verdict


def findings(
    dataset: Dataset, model: Model | None, loss: Loss, advance: Advance
) -> Iterator[Finding]:
    """Yield what every check finds; whether targets fit is checked for a `model` under `loss`."""
    source = dataset.build()
    if isinstance(dataset, PreparedDataset):
        yield from _rejected(dataset)
    yield from _counts(dataset, source)
    if isinstance(source, PreparedSource):
        for split in _SPLITS:
            yield _undecodable(source.splits[split], split, advance)
            yield from _labels(source, split)
        yield from _duplicates(source)
    if model:
        yield from _unalignable(source, model, loss)


def _rejected(dataset: PreparedDataset) -> Iterator[Finding]:
    """Tell what was left out when the dataset was prepared."""
    for name, part in dataset.parts():
        reasons = require(name).parts[part].rejected
        said = "; ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        known = all(reason.startswith(KNOWN) for reason in reasons)
        verdict: Verdict = "failed" if not known else "note" if reasons else "ok"
        yield Finding(f"{name}/{part}", "left out", said or "none", verdict)


def _counts(dataset: Dataset, source: Source) -> Iterator[Finding]:
    card = cards.find(dataset.name)
    made = getattr(dataset, "synthetic", False)
    for split in _SPLITS:
        count = sum(1 for _ in source.truths(split))
        wanted = {getattr(one, split) for one in card.splits} - {None} if card else set()
        if made or not wanted:
            yield Finding(split, "samples", f"{count:,}", "ok" if count else "failed")
            continue
        listed = " or ".join(f"{one:,}" for one in sorted(wanted))
        verdict: Verdict = "ok" if count in wanted else "failed"
        yield Finding(split, "samples", f"{count:,}, the card says {listed}", verdict)


def _undecodable(samples: Samples, split: Split, advance: Advance) -> Finding:
    broken = []
    for index in range(len(samples)):
        place = samples.place(index)
        try:
            frames = range(place.partition.value("frames", place.row))
            if frames:
                place.partition.clip(place.row, frames, 1)
            else:
                place.partition.pixels(place.row, 1)
        except BenchError:
            broken.append(samples.id(place))
        advance(split, 1)
    return Finding(split, "undecodable", _said(broken), "failed" if broken else "ok")


def _labels(source: PreparedSource, split: Split) -> Iterator[Finding]:
    samples, empty, unknown = source.splits[split], [], Counter[str]()
    for index in range(len(samples)):
        place = samples.place(index)
        text = samples.text(place)
        unknown.update(set(source.transcriber.unknown(text)))
        if not source.transcriber.classes(text):
            empty.append(samples.id(place))
    yield Finding(split, "empty labels", _said(empty), "failed" if empty else "ok")
    said = ", ".join(f"{token!r} in {count:,}" for token, count in unknown.most_common(_NAMED))
    yield Finding(split, "outside the charset", said or "none", "note" if unknown else "ok")


def _duplicates(source: PreparedSource) -> Iterator[Finding]:
    """Compare the content of encoded pixels within a split, and with the splits before it."""
    before: set[bytes] = set()
    for split in _SPLITS:
        samples = source.splits[split]
        hashes, twice, shared = set[bytes](), [], []
        for index in range(len(samples)):
            place = samples.place(index)
            content = place.partition.value("hash", place.row)
            if content in before:
                shared.append(samples.id(place))
            elif content in hashes:
                twice.append(samples.id(place))
            hashes.add(content)
        before |= hashes
        yield Finding(split, "duplicates", _said(twice), "note" if twice else "ok")
        if split != "train":
            yield Finding(split, "in a split before", _said(shared), "failed" if shared else "ok")


def _unalignable(source: Source, model: Model, loss: Loss) -> Iterator[Finding]:
    """Build the network without its weights, and ask what room it leaves to targets."""
    import torch

    from bench.training import recognizer

    with torch.device("meta"):
        network = recognizer.build(model, loss, source)
    for split in _SPLITS:
        lost = [truth.id for truth in unalignable(source.truths(split), loss, network.room)]
        said = f"{_said(lost)} (model {model.label}, loss {loss.label})"
        yield Finding(split, "no room for the target", said, "failed" if lost else "ok")


def _said(names: list[str]) -> str:
    if not names:
        return "none"
    more = ", …" if len(names) > _NAMED else ""
    return f"{len(names):,}: {', '.join(names[:_NAMED])}{more}"
