"""Predictions compared with the test split that they should be of."""

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
        id: Its identity.
        reference: Its transcript.
        key_frames: The true frame of each label; None where the network's frames may be others.
    """

    id: str
    reference: str
    key_frames: tuple[int, ...] | None = None


def test_samples(evaluation: Evaluation) -> list[Sample]:
    """Return the samples of the test split here, in the order in which evaluations read them.

    Raises:
        BenchError: The data are missing or altered.
    """
    if isinstance(evaluation.test, StoredDataset):
        from bench.data.reading.encoded_samples import encoded_samples

        stored = encoded_samples(evaluation.test).references
        return [Sample(reference.id, reference.text) for reference in stored]
    return [*_composed_samples(evaluation)]


def faults(table: pa.Table, samples: list[Sample], test: Dataset) -> Iterator[str]:
    """Yield how a table of predictions is not one of these samples, in a clause each."""
    ids = table["id"].to_pylist()
    here, there = {sample.id for sample in samples}, {*ids}
    missing = [sample.id for sample in samples if sample.id not in there]
    unknown = [each for each in ids if each not in here]
    if missing:
        yield (
            f"it lacks {len(missing):,} of the {len(samples):,} samples of the test split, such as "
            f"{quoted(missing[0])}"
        )
    if unknown:
        yield (
            f"it has {len(unknown):,} samples that the test split has not, such as "
            f"{quoted(str(unknown[0]))}"
        )
    if missing or unknown:
        return
    if ids != [sample.id for sample in samples]:
        yield "its samples are not in the order of the test split"
        return
    yield from _odd_annotations(table, samples)
    yield from _odd_properties(table, test)


def _odd_annotations(table: pa.Table, samples: list[Sample]) -> Iterator[str]:
    """Yield where the annotations are not those of the test split."""
    for sample, reference in zip(samples, table["reference"].to_pylist(), strict=True):
        if reference != sample.reference:
            yield (
                f"the reference of sample {quoted(sample.id)} is {quoted(str(reference))}, that of "
                f"the test split is {quoted(sample.reference)}"
            )
            return
    frames = [tuple(each or ()) for each in table["key_frames"].to_pylist()]
    if not any(frames):
        return
    for sample, held in zip(samples, frames, strict=True):
        if sample.key_frames is not None and held != sample.key_frames:
            yield f"the key frames of sample {quoted(sample.id)} are not those of the test split"
            return


def _odd_properties(table: pa.Table, test: Dataset) -> Iterator[str]:
    """Yield which properties of samples are not those of the data here."""
    held = [name for name in table.column_names if name.startswith(PREFIX)]
    here = with_test_properties(table.drop_columns(held), test)
    for column in held:
        name = column.removeprefix(PREFIX)
        if column not in here.column_names:
            yield (
                f"it names the {name} of each sample, which the data here do not; prepare "
                f"'{test.label}' again from a source that does"
            )
        elif not table[column].equals(here[column]):
            yield f"the {name} of some samples is not that of the test split"


def _composed_samples(evaluation: Evaluation) -> Iterator[Sample]:
    """Yield the samples of a data set that composes them as they are read."""
    from bench.data.opening import open_test

    training = evaluation.training
    assert training, "recognizers from outside read data sets that are stored"  # noqa: S101
    encoder = evaluation.test.label_encoder(training.alphabet)
    pipeline = open_test(evaluation.test, training.input, encoder)
    batches = pipeline.batches("test", training.recipe.batch_size)
    for index in range(len(batches)):
        batch = batches[index]
        counts = batch.target_lengths.tolist()
        for row, (identity, text) in enumerate(zip(batch.ids, batch.texts, strict=True)):
            frames = batch.key_frames[row, : counts[row]].tolist()
            yield Sample(identity, text, tuple(frame for frame in frames if frame >= 0))
