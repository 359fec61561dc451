"""Finished trainings and evaluations, with data and networks restored from their records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bench.core.errors import BenchError, Exit
from bench.core.model_input import Input, input_of_spec
from bench.core.restoring import restored_component
from bench.data.datasets.own import own_dataset_of_record as restored_own
from bench.evaluation import predictions, protocols
from bench.trials.records import EvaluationRecord, Failure, TrainingRecord
from bench.trials.store import PREDICTIONS, predictions_of

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.core.components import Component, Dataset, Loss, Model
    from bench.core.registry import Kind
    from bench.core.types import Batch, InputPipeline
    from bench.data.inputs.images import Pixels
    from bench.evaluation.protocols import Protocol
    from bench.recognizers.networks.network import RecognitionNetwork
    from bench.trials.store import Store


class Sample(NamedTuple):
    """A sample in its batch of the evaluation, because padding changes the output of some networks.

    Attributes:
        batch: The batch.
        row: The index of the sample in the batch.
    """

    batch: Batch
    row: int


@dataclass(frozen=True)
class FinishedTraining:
    """A finished training.

    Properties are restored when they are first used. They raise BenchError if that is not possible:
    a component has changed, or the weights are missing or altered.

    Attributes:
        folder: The folder of its record.
        record: Its record.
    """

    folder: Path
    record: TrainingRecord

    @property
    def title(self) -> str:
        """What it is called in a picture."""
        return f"{' · '.join(self.record.labels.values())} · seed {self.record.seed}"

    @cached_property
    def model(self) -> Model:
        """The model."""
        return cast("Model", _restored("model", self.record.spec["model"], self.folder))

    @cached_property
    def loss(self) -> Loss:
        """The loss."""
        return cast("Loss", _restored("loss", self.record.spec["loss"], self.folder))

    @cached_property
    def input(self) -> Input:
        """The conversion of pixels to tensors."""
        try:
            return input_of_spec(self.record.spec["input"])
        except BenchError as error:
            raise BenchError(
                f"{self.folder}: its input cannot be restored ({error}); run its suite again"
            ) from None

    @property
    def alphabet(self) -> Protocol | None:
        """The protocol whose characters are the classes; None for those of the data set."""
        spec = self.record.spec["alphabet"]
        return protocols.protocol_from_spec(spec, ()) if spec else None

    @property
    def batch_size(self) -> int:
        """The number of samples per batch, also in evaluations."""
        return int(self.record.spec["recipe"]["batch_size"])

    @cached_property
    def network(self) -> RecognitionNetwork:
        """The network with its trained weights, on the CPU."""
        from bench.tasks.evaluate import restore_network

        network = restore_network(self.model, self.loss, self.folder, self.record)
        return network.requires_grad_(requires_grad=False)


@dataclass(frozen=True)
class FinishedEvaluation:
    """A finished evaluation.

    Properties are restored when they are first used. They raise BenchError if that is not possible,
    for instance because the data set has changed.

    Attributes:
        folder: The folder of its record.
        record: Its record.
        training: The training whose weights were evaluated.
    """

    folder: Path
    record: EvaluationRecord
    training: FinishedTraining

    @property
    def title(self) -> str:
        """What it is called in a picture."""
        return f"{' · '.join(self.record.labels.values())} · seed {self.record.seed}"

    @property
    def loss(self) -> Loss:
        """The loss component of its training."""
        return self.training.loss

    @property
    def network(self) -> RecognitionNetwork:
        """The evaluated network, on the CPU."""
        return self.training.network

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The token of each class, starting with class 1."""
        return tuple(self.training.record.vocabulary)

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol of its scores, with the reported metrics."""
        return protocols.protocol_from_spec(
            self.record.spec["protocol"], self.record.spec["metrics"]
        )

    @cached_property
    def pipeline(self) -> InputPipeline:
        """The input pipeline of the test set, which must have the fingerprint of the record."""
        from bench.data.opening import open_test

        spec = self.record.spec["test"]
        test = cast("Dataset", _restored("dataset", spec, self.folder))
        current, recorded = test.fingerprint("test"), spec["fingerprints"]["test"]
        if current != recorded:
            raise BenchError(
                f"{self.folder}: test set '{test.label}' has changed since this evaluation: its "
                f"fingerprint was {recorded} and is {current}; prepare the earlier data, or "
                "evaluate again",
                Exit.UNVERIFIED,
            )
        encoder = test.label_encoder(self.training.alphabet)
        learned = replace(encoder, vocabulary=self.vocabulary)
        return open_test(test, self.training.input, learned)

    def require_greedy(self, picture: str) -> None:
        """Raise BenchError unless the evaluation used greedy decoding, which the picture draws.

        Other decoders cannot always be restored, because a record has only checksums of their
        files.
        """
        spec = self.record.spec["decoder"]
        if spec["name"] != "greedy":
            raise BenchError(
                f"{self.folder}: --{picture} draws greedy decoding, but the decoder of this "
                f"evaluation is '{spec['name']}'; give the key of an evaluation with the greedy "
                "decoder"
            )

    @cached_property
    def predictions(self) -> pa.Table:
        """The table of predictions, in the order of reading (`bench.evaluation.predictions`)."""
        return predictions_of(self.folder, self.record)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The predictions as one mapping per sample."""
        return cast("list[dict[str, Any]]", self.predictions.to_pylist())

    def choose_samples(self, samples: Sequence[str]) -> list[dict[str, Any]]:
        """Return the predictions of some samples.

        Args:
            samples: Ids of the samples; if empty, three scored samples are chosen: those with the
                lowest, the median and the highest error by `error_rates`.

        Raises:
            BenchError: There is no sample with an id.
        """
        if not samples:
            scored = [row for row in self.rows if row["excluded"] is None]
            rates = error_rates(scored, self.protocol)
            ranked = [scored[index] for index in sorted(range(len(scored)), key=rates.__getitem__)]
            chosen = {0, len(ranked) // 2, len(ranked) - 1}
            return [ranked[index] for index in sorted(chosen)]
        by_id = {row["id"]: row for row in self.rows}
        for sample in samples:
            if sample not in by_id:
                raise BenchError(
                    f"{self.folder / PREDICTIONS}: there is no sample '{sample}' in the test set; "
                    f"the id of its first sample is '{self.rows[0]['id']}'"
                )
        return [by_id[sample] for sample in samples]

    def pixels(self, identity: str, frames: int) -> Pixels:
        """Return a sample as an image (H, W, 3) of bytes, with at most `frames` frames."""
        from bench.data.inspection import contact_sheet

        normalization = self.training.input.normalization
        return contact_sheet.batch_pixels(*self.sample(identity), frames, normalization)

    def sample(self, identity: str) -> Sample:
        """Return a sample in its batch.

        Raises:
            BenchError: The sample is in another batch than in the evaluation (unverified).
        """
        from bench.data.reading.loading import read_batch

        index = next(n for n, row in enumerate(self.rows) if row["id"] == identity)
        size = self.training.batch_size
        batches = self.pipeline.batches("test", size)
        sample = Sample(read_batch(self.pipeline, batches, index // size), index % size)
        if sample.batch.ids[sample.row] != identity:
            raise BenchError(
                f"{self.folder}: sample '{identity}' is no longer at its position in the test set; "
                "evaluate again with --force",
                Exit.UNVERIFIED,
            )
        return sample


def find_finished(store: Store, key: str) -> tuple[FinishedTraining | FinishedEvaluation, Path]:
    """Return the finished task whose key begins with `key`, and its folder.

    Raises:
        BenchError: There is no such task or there are several, it failed, or it is the evaluation
            of a recognizer.
    """
    folder, record = store.find(key)
    if isinstance(record, Failure):
        raise BenchError(f"{folder}: this task failed, so there is nothing to draw")
    if isinstance(record, TrainingRecord):
        return FinishedTraining(folder, record), folder
    if record.training is None:
        raise BenchError(
            f"{folder}: this is the evaluation of a recognizer that bench did not train, so there "
            "is no network to draw; give the key of an evaluation of a training"
        )
    training = FinishedTraining(*store.training(record.training))
    return FinishedEvaluation(folder, record, training), folder


def error_rates(rows: Sequence[dict[str, Any]], protocol: Protocol) -> list[float]:
    """Return the error rate of each row, by the metric whose errors `predictions.worst` counts.

    It is the value of the metric if lower is better, otherwise 1 minus the value.
    """
    metric = predictions.error_metric(protocol)
    rates = [row[metric.name] / max(row[f"{metric.name}/of"], 1) for row in rows]
    return [1 - rate for rate in rates] if metric.higher_is_better else rates


def _restored(kind: Kind, spec: dict[str, Any], folder: Path) -> Component:
    return restored_own(spec) or restored_component(kind, spec, folder, "run its suite again")
