"""What can be told of a dataset and a recognizer before anything is trained."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING

import torch

from bench.core.types import SPLITS, Targets
from bench.nn.ctc_functions import valid_frames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from torch import Tensor

    from bench.core.components import Dataset, Loss, Model
    from bench.core.types import Annotation, Split
    from bench.data.reading.label_encoder import LabelEncoder

_AT_ONCE = 4096


def infeasible_samples(
    annotations: Iterable[Annotation], loss: Loss, output_lengths: Callable[[Tensor], Tensor]
) -> tuple[int, list[Annotation]]:
    """Return the number of samples, and those whose targets do not fit what is made of them.

    `output_lengths` maps input lengths (N,) to those of the network's output.
    However many samples there are, only some thousands of those that fit are in memory at once.
    """
    count, found, rest = 0, [], iter(annotations)
    while several := list(islice(rest, _AT_ONCE)):
        fits = loss.feasible(_targets(several, output_lengths)).tolist()
        found += [annotation for annotation, fit in zip(several, fits, strict=True) if not fit]
        count += len(several)
    return count, found


def infeasible_targets(
    dataset: Dataset, model: Model, loss: Loss, encoder: LabelEncoder
) -> dict[Split, list[str]]:
    """Return the samples of each split whose targets do not fit the outputs of a network.

    Args:
        dataset: The data set, read as the input that the model was made for.
        model: The architecture. It is built without weights.
        loss: The loss, which says whether a target fits.
        encoder: What the network would learn of the transcripts.

    Returns:
        The identities of the samples that do not fit, by split. A data set without a validation
        split holds out some of its training samples as one.
    """
    from bench.recognizers import network as recognizer

    pipeline = dataset.open(model.default_input, encoder)
    with torch.device("meta"):
        network = recognizer.build(model, loss, pipeline)
    splits = {*dataset.splits()}
    if "train" in splits:
        splits.add("validation")
    infeasible: dict[Split, list[str]] = {}
    for split in SPLITS:
        if split in splits:
            annotations = pipeline.annotations(split)
            _, samples = infeasible_samples(annotations, loss, network.output_lengths)
            infeasible[split] = [sample.id for sample in samples]
    return infeasible


def _targets(
    annotations: Sequence[Annotation], output_lengths: Callable[[Tensor], Tensor]
) -> Targets:
    lengths = torch.tensor([len(annotation.target) for annotation in annotations])
    labels = torch.zeros(len(annotations), int(lengths.max()), dtype=torch.int64)
    inside = valid_frames(lengths, labels.shape[1])
    rows = chain.from_iterable(annotation.target for annotation in annotations)
    labels[inside] = torch.tensor(list(rows), dtype=torch.int64)
    return Targets(
        output_lengths(torch.tensor([annotation.length for annotation in annotations])),
        labels,
        lengths,
    )
