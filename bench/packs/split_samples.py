"""Compare the samples of predictions with those of a test split."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from bench.core.printable import quoted
from bench.data.datasets.base import StoredDataset
from bench.evaluation.sample_properties import PREFIX
from bench.tasks.property_columns import with_test_properties

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.core.components import Dataset
    from bench.trials.specs import Evaluation


class Sample(NamedTuple):
    """A sample of a test split.

    Attributes:
        id: Its id.
        reference: Its transcript.
        key_frames: The annotated frame of each label; None if the network may subsample frames.
    """

    id: str
    reference: str
    key_frames: tuple[int, ...] | None = None


def test_samples(evaluation: Evaluation) -> list[Sample]:
    """Return the samples of the test split here, in the order of reading.

    Raises:
        BenchError: The data are missing or altered.
    """
    if isinstance(evaluation.test, StoredDataset):
        from bench.data.reading.encoded_samples import encoded_samples

        stored = encoded_samples(evaluation.test).references
        return [Sample(reference.id, reference.text) for reference in stored]
    return [*_composed_samples(evaluation)]


def prediction_faults(table: pa.Table, samples: list[Sample], test: Dataset) -> Iterator[str]:
    """Yield one clause per difference between a table of predictions and the samples of a split.

    Args:
        table: The predictions.
        samples: The samples of the test split.
        test: The data set.
    """
    ids = table["id"].to_pylist()
    split_ids, predicted_ids = {sample.id for sample in samples}, {*ids}
    missing = [sample.id for sample in samples if sample.id not in predicted_ids]
    unexpected = [identity for identity in ids if identity not in split_ids]
    if missing:
        yield (
            f"it lacks {len(missing):,} of the {len(samples):,} samples of the test split, such as "
            f"{quoted(missing[0])}"
        )
    if unexpected:
        yield (
            f"it has {len(unexpected):,} samples that are not in the test split, such as "
            f"{quoted(str(unexpected[0]))}"
        )
    if missing or unexpected:
        return
    if ids != [sample.id for sample in samples]:
        yield "its samples are not in the order of the test split"
        return
    yield from _annotation_faults(table, samples)
    yield from _property_faults(table, test)


def _annotation_faults(table: pa.Table, samples: list[Sample]) -> Iterator[str]:
    """Yield the first annotation that is not that of the test split."""
    for sample, reference in zip(samples, table["reference"].to_pylist(), strict=True):
        if reference != sample.reference:
            yield (
                f"the reference of sample {quoted(sample.id)} is {quoted(str(reference))}, but "
                f"that of the test split is {quoted(sample.reference)}"
            )
            return
    frames = [tuple(each or ()) for each in table["key_frames"].to_pylist()]
    if not any(frames):
        return
    for sample, key_frames in zip(samples, frames, strict=True):
        if sample.key_frames is not None and key_frames != sample.key_frames:
            yield f"the key frames of sample {quoted(sample.id)} are not those of the test split"
            return


def _property_faults(table: pa.Table, test: Dataset) -> Iterator[str]:
    """Yield one clause per property of samples that is not that of the data here."""
    columns = [name for name in table.column_names if name.startswith(PREFIX)]
    expected = with_test_properties(table.drop_columns(columns), test)
    for column in columns:
        name = column.removeprefix(PREFIX)
        if column not in expected.column_names:
            yield (
                f"it has the {name} of each sample, which the data here do not have; prepare "
                f"'{test.label}' again from raw data that have it"
            )
        elif not table[column].equals(expected[column]):
            yield f"the {name} of some samples is not that of the test split"


def _composed_samples(evaluation: Evaluation) -> Iterator[Sample]:
    """Yield the samples of a data set that composes them when it is read."""
    from bench.data.opening import open_test

    training = evaluation.training
    assert training, "recognizers read only stored data sets"  # noqa: S101
    encoder = evaluation.test.label_encoder(training.alphabet)
    pipeline = open_test(evaluation.test, training.input, encoder)
    batches = pipeline.batches("test", training.recipe.batch_size)
    for index in range(len(batches)):
        batch = batches[index]
        counts = batch.target_lengths.tolist()
        for row, (identity, text) in enumerate(zip(batch.ids, batch.texts, strict=True)):
            frames = batch.key_frames[row, : counts[row]].tolist()
            yield Sample(identity, text, tuple(frame for frame in frames if frame >= 0))
