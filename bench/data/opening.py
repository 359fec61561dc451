"""Opening of data sets for a training or an evaluation."""

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
    """Return the label encoder of a training.

    Args:
        datasets: The data sets to train on.
        alphabet: The protocol whose characters are learned. None: the alphabet of the data sets,
            which have to be equal; the glosses of several data sets are merged.

    Raises:
        BenchError: The data sets have different alphabets, cannot be read in `alphabet`, or more
            than half of the training samples of a user's data set have characters outside it.
    """
    encoder = common_encoder(
        (dataset.label, dataset.label_encoder(alphabet)) for dataset in datasets
    )
    for dataset in datasets:
        if isinstance(dataset, OwnDataset):
            dataset.require_coverage(encoder)
    return encoder


def open_training(
    datasets: Sequence[Dataset],
    model_input: Input,
    encoder: LabelEncoder,
    augmentation: Augmentation | None = None,
) -> InputPipeline:
    """Return a pipeline with the splits `train` and `validation` of one or more data sets.

    A data set without a validation split gives a tenth of its training samples instead, chosen by
    the checksum of their ids.

    Args:
        datasets: Data sets of one kind; several have to be stored ones.
        model_input: The input of the network, of the kind that the data sets give.
        encoder: The label encoder.
        augmentation: The augmentation of the split `train`; None for none.

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
                f"data set '{dataset.label}' composes its samples while they are read, so it "
                "cannot be combined with others; train on it alone"
            )
    from bench.data.reading.stored import join_splits, open_stored

    return open_stored(join_splits(stored), model_input, encoder, augmentation)


def open_test(dataset: Dataset, model_input: Input, encoder: LabelEncoder) -> InputPipeline:
    """Return a pipeline with the split `test` of a data set.

    Args:
        dataset: The data set.
        model_input: The input of the network.
        encoder: The label encoder of the training. Readings are compared with whole transcripts,
            also where they have characters that it does not have.

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
            f"data set '{dataset.label}' gives {dataset.gives}, but the input {model_input.label} "
            f"is for {model_input.kind}; take a model that reads {dataset.gives}"
        )
