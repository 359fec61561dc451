"""Data sets opened as a training or an evaluation reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.data.datasets.base import StoredDataset
from bench.data.datasets.own import OwnDataset
from bench.data.reading.label_encoder import common_encoder

if TYPE_CHECKING:
    from bench.core.components import Augmentation, Dataset
    from bench.core.model_input import Input
    from bench.core.types import InputPipeline
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.evaluation.protocols import Protocol


def training_encoder(datasets: Sequence[Dataset], alphabet: Protocol | None = None) -> LabelEncoder:
    """Return what a network learns to read of the data sets that it is trained on.

    Args:
        datasets: One data set or more.
        alphabet: The protocol whose characters are learned. None: each data set's own, which have
            to be the same; glosses of several data sets are joined.

    Raises:
        BenchError: The data sets have different alphabets, or cannot be read in `alphabet`, or most
            training samples of one of a person's own have characters outside it.
    """
    encoder = common_encoder((each.label, each.label_encoder(alphabet)) for each in datasets)
    for each in datasets:
        if isinstance(each, OwnDataset):
            each.require_coverage(encoder)
    return encoder


def open_training(
    datasets: Sequence[Dataset],
    model_input: Input,
    encoder: LabelEncoder,
    augmentation: Augmentation | None = None,
) -> InputPipeline:
    """Return the splits train and validation of one data set, or of several together.

    A data set without a validation split gives a tenth of its training samples instead, chosen by
    the checksum of their identities.

    Args:
        datasets: Data sets of one kind. Several have to be prepared ones.
        model_input: What the network is shown; of the kind that the data sets give.
        encoder: What of a transcript is learned.
        augmentation: Applied to the split train alone; None: nothing is.

    Raises:
        BenchError: A data set gives another kind of input, has no training samples, or cannot be
            joined with others; or the augmentation is for another kind of input.
    """
    for dataset in datasets:
        _require_kind(dataset, model_input)
        if "train" not in dataset.splits():
            raise BenchError(
                f"data set '{dataset.label}' has no split 'train', only "
                f"{', '.join(dataset.splits())}; train on another, or prepare it from a source "
                "that has training samples"
            )
    if len(datasets) == 1:
        return datasets[0].open(model_input, encoder, augmentation)
    stored = [dataset for dataset in datasets if isinstance(dataset, StoredDataset)]
    for dataset in datasets:
        if dataset not in stored:
            raise BenchError(
                f"data set '{dataset.label}' composes its samples as they are read, so that it "
                "cannot be joined with others; train on it alone"
            )
    from bench.data.reading.stored import join_splits, open_stored

    return open_stored(join_splits(stored), model_input, encoder, augmentation)


def open_test(dataset: Dataset, model_input: Input, encoder: LabelEncoder) -> InputPipeline:
    """Return the split test of a data set.

    Args:
        dataset: The data set to read.
        model_input: What the network is shown.
        encoder: What the network learned; references are the transcripts, whatever it knows.

    Raises:
        BenchError: The data set gives another kind of input, or has no test samples.
    """
    _require_kind(dataset, model_input)
    if "test" not in dataset.splits():
        raise BenchError(
            f"data set '{dataset.label}' has no split 'test', only {', '.join(dataset.splits())}; "
            "test on another"
        )
    return dataset.open(model_input, encoder)


def _require_kind(dataset: Dataset, model_input: Input) -> None:
    if dataset.gives != model_input.kind:
        raise BenchError(
            f"data set '{dataset.label}' gives {dataset.gives}, and the input {model_input.label} "
            f"is of {model_input.kind}; take a model that reads {dataset.gives}"
        )
