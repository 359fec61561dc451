"""What may be wrong with a dataset before anything is trained on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bench.core.errors import BenchError
from bench.core.types import SPLITS, Split
from bench.data import cards
from bench.data.datasets.base import PreparedDataset
from bench.data.reading.pipeline import PreparedSource
from bench.data.store.prepared import require
from bench.training.feasibility import infeasible_samples

if TYPE_CHECKING:
    from bench.core.components import Dataset, Loss, Model
    from bench.core.types import InputPipeline
    from bench.data.reading.samples import Samples

_NAMED = 5
_KNOWN = "known to be"
"""What the reasons say for which everybody leaves a sample out."""

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
    splits = dataset.own_splits() if isinstance(dataset, PreparedDataset) else SPLITS
    if isinstance(dataset, PreparedDataset):
        yield from _rejected(dataset)
    yield from _counts(dataset, source, splits)
    if isinstance(source, PreparedSource):
        for split in splits:
            yield _undecodable(source.splits[split], split, advance)
            yield from _labels(source, split)
        yield from _duplicates(source, splits)
    if model:
        yield from _infeasible(source, splits, model, loss)


def _rejected(dataset: PreparedDataset) -> Iterator[Finding]:
    """Tell what was left out when the dataset was prepared."""
    for part, document in require(dataset.prepared_name).parts.items():
        reasons = document.rejected
        said = "; ".join(f"{count:,} {reason}" for reason, count in reasons.items())
        known = all(_KNOWN in reason for reason in reasons)
        verdict: Verdict = "failed" if not known else "note" if reasons else "ok"
        yield Finding(part, "left out", said or "none", verdict)


def _counts(dataset: Dataset, source: InputPipeline, splits: Sequence[Split]) -> Iterator[Finding]:
    """Compare the samples of each split with the card; what was held out counts as training."""
    card = cards.find(dataset.name)
    synthetic = isinstance(dataset, PreparedDataset) and dataset.synthetic
    divisions = card.splits if card and not synthetic else ()
    counts = {split: _count(source, split) for split in splits}
    for split, count in counts.items():
        wanted = {getattr(division, split) for division in divisions} - {None}
        listed = " or ".join(f"{one:,}" for one in sorted(wanted))
        whole = count + counts["validation"] if split == "train" else count
        fits = count and (not wanted or wanted.intersection({count, whole}))
        said = f"{count:,}, the card says {listed}" if wanted else f"{count:,}"
        yield Finding(split, "samples", said, "ok" if fits else "failed")


def _count(source: InputPipeline, split: Split) -> int:
    # A prepared source knows without spelling every target.
    if isinstance(source, PreparedSource):
        return len(source.splits[split])
    return sum(1 for _ in source.annotations(split))


def _undecodable(samples: Samples, split: Split, advance: Advance) -> Finding:
    broken, reasons = [], []
    for place in samples:
        try:
            frames = range(place.partition.value("frames", place.row))
            if frames:
                place.partition.clip(place.row, frames, 1)
            else:
                place.partition.pixels(place.row, 1)
        except BenchError as error:
            broken.append(samples.id(place))
            reasons.append(str(error))
        advance(split, 1)
    said = "; ".join([_said(broken), *reasons[:1]])
    return Finding(split, "undecodable", said, "failed" if broken else "ok")


def _labels(source: PreparedSource, split: Split) -> Iterator[Finding]:
    samples, empty, unknown = source.splits[split], [], Counter[str]()
    for place in samples:
        text = samples.text(place)
        unknown.update(set(source.transcriber.unknown(text)))
        if not source.transcriber.classes(text):
            empty.append(samples.id(place))
    yield Finding(split, "empty labels", _said(empty), "failed" if empty else "ok")
    said = ", ".join(f"{token!r} in {count:,}" for token, count in unknown.most_common(_NAMED))
    yield Finding(split, "outside the charset", said or "none", "note" if unknown else "ok")


def _duplicates(source: PreparedSource, splits: Sequence[Split]) -> Iterator[Finding]:
    """Compare the content of encoded pixels within a split, and with the splits before it."""
    before: set[bytes] = set()
    for split in splits:
        samples = source.splits[split]
        hashes, twice, shared = set[bytes](), [], []
        for place in samples:
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


def _infeasible(
    source: InputPipeline, splits: Sequence[Split], model: Model, loss: Loss
) -> Iterator[Finding]:
    """Build the network without its weights, and ask what room it leaves to targets."""
    import torch

    from bench.recognizers import network as recognizer

    with torch.device("meta"):
        network = recognizer.build(model, loss, source)
    for split in splits:
        _, lost = infeasible_samples(source.annotations(split), loss, network.output_lengths)
        said = f"{_said([sample.id for sample in lost])} (model {model.label}, loss {loss.label})"
        yield Finding(split, "no room for the target", said, "failed" if lost else "ok")


def _said(names: list[str]) -> str:
    if not names:
        return "none"
    more = ", …" if len(names) > _NAMED else ""
    return f"{len(names):,}: {', '.join(names[:_NAMED])}{more}"
