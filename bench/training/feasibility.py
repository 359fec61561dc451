"""Detection of samples whose target is longer than the output, before training."""

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

_CHUNK = 4096


def infeasible_samples(
    annotations: Iterable[Annotation], loss: Loss, output_lengths: Callable[[Tensor], Tensor]
) -> tuple[int, list[Annotation]]:
    """Return the number of samples, and those whose target is longer than the output.

    Memory holds the infeasible samples and some thousands of others, however many there are.

    Args:
        annotations: The samples.
        loss: The objective, which decides what is feasible.
        output_lengths: Maps input lengths (N,) to those of the network's output.
    """
    count, infeasible, rest = 0, [], iter(annotations)
    while chunk := list(islice(rest, _CHUNK)):
        feasible = loss.feasible(_targets(chunk, output_lengths)).tolist()
        infeasible += [each for each, fits in zip(chunk, feasible, strict=True) if not fits]
        count += len(chunk)
    return count, infeasible


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
    from bench.recognizers.networks import network as networks

    pipeline = dataset.open(model.default_input, encoder)
    with torch.device("meta"):
        network = networks.build_network(
            model, loss, pipeline.input_shape, len(pipeline.vocabulary) + 1
        )
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
    flat = chain.from_iterable(annotation.target for annotation in annotations)
    labels[inside] = torch.tensor(list(flat), dtype=torch.int64)
    return Targets(
        output_lengths(torch.tensor([annotation.length for annotation in annotations])),
        labels,
        lengths,
    )
