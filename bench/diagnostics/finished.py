"""Finished trainings and evaluations: data, networks and predictions, restored from records."""

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
    """A sample in its batch of the evaluation, since some networks see its padding."""

    batch: Batch
    row: int


@dataclass(frozen=True)
class FinishedTraining:
    """A training that is done.

    Properties are restored when they are first used. They raise BenchError where they cannot be
    what they were: a component has changed, or the weights are gone or altered.

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
        """The architecture."""
        return cast("Model", _restored("model", self.record.spec["model"], self.folder))

    @cached_property
    def loss(self) -> Loss:
        """The loss, whose decoder family decides what there is to draw."""
        return cast("Loss", _restored("loss", self.record.spec["loss"], self.folder))

    @cached_property
    def input(self) -> Input:
        """How pixels become tensors."""
        try:
            return input_of_spec(self.record.spec["input"])
        except BenchError as error:
            raise BenchError(
                f"{self.folder}: its input is not one of this bench ({error}); run its suite again"
            ) from None

    @property
    def alphabet(self) -> Protocol | None:
        """The protocol whose characters were learned; None for the data's own."""
        spec = self.record.spec["alphabet"]
        return protocols.protocol_from_spec(spec, ()) if spec else None

    @property
    def batch_size(self) -> int:
        """The samples per batch, in evaluations too."""
        return int(self.record.spec["recipe"]["batch_size"])

    @cached_property
    def network(self) -> RecognitionNetwork:
        """The network with its trained weights, on the CPU."""
        from bench.tasks.evaluate import restore_network

        network = restore_network(self.model, self.loss, self.folder, self.record)
        return network.requires_grad_(requires_grad=False)


@dataclass(frozen=True)
class FinishedEvaluation:
    """An evaluation that is done.

    Properties are restored when they are first used. They raise BenchError where they cannot be
    what they were in the evaluation.

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
        """The loss of its training."""
        return self.training.loss

    @property
    def network(self) -> RecognitionNetwork:
        """The network that was evaluated, on the CPU."""
        return self.training.network

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The token of each class from 1."""
        return tuple(self.training.record.vocabulary)

    @cached_property
    def protocol(self) -> Protocol:
        """The protocol that it was scored under, with the metrics that were reported."""
        return protocols.protocol_from_spec(
            self.record.spec["protocol"], self.record.spec["metrics"]
        )

    @cached_property
    def pipeline(self) -> InputPipeline:
        """The test set as it was read, which has to have the fingerprint of the record."""
        from bench.data.opening import open_test

        spec = self.record.spec["test"]
        test = cast("Dataset", _restored("dataset", spec, self.folder))
        today, recorded = test.fingerprint("test"), spec["fingerprints"]["test"]
        if today != recorded:
            raise BenchError(
                f"{self.folder}: test set '{test.label}' has changed since this evaluation: its "
                f"fingerprint was {recorded} and is {today}; prepare the earlier data, or evaluate "
                "again",
                Exit.UNVERIFIED,
            )
        encoder = test.label_encoder(self.training.alphabet)
        learned = replace(encoder, vocabulary=self.vocabulary)
        return open_test(test, self.training.input, learned)

    def require_greedy(self, picture: str) -> None:
        """Raise BenchError where its decoder is not greedy decoding.

        A picture shows the paths that greedy decoding reads. Other decoders cannot always be
        restored: of their files a record has the checksums alone.
        """
        spec = self.record.spec["decoder"]
        if spec["name"] != "greedy":
            raise BenchError(
                f"{self.folder}: --{picture} shows greedy decoding, and this evaluation was "
                f"decoded by '{spec['name']}', whose files a record does not hold; give the key of "
                "an evaluation with the greedy decoder"
            )

    @cached_property
    def predictions(self) -> pa.Table:
        """The predictions per sample, in the order of reading (`bench.evaluation.predictions`)."""
        return predictions_of(self.folder, self.record)

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The predictions, one mapping per sample."""
        return cast("list[dict[str, Any]]", self.predictions.to_pylist())

    def choose(self, samples: Sequence[str]) -> list[dict[str, Any]]:
        """Return the predictions of some samples.

        Args:
            samples: Their ids. Empty: the first, the middle and the last of all scored samples,
                from the lowest to the highest error by `error_rates`.

        Raises:
            BenchError: There is no sample of that id.
        """
        if not samples:
            scored = [row for row in self.rows if row["excluded"] is None]
            rates = error_rates(scored, self.protocol)
            ranked = [scored[place] for place in sorted(range(len(scored)), key=rates.__getitem__)]
            places = {0, len(ranked) // 2, len(ranked) - 1}
            return [ranked[place] for place in sorted(places)]
        by_id = {row["id"]: row for row in self.rows}
        for sample in samples:
            if sample not in by_id:
                raise BenchError(
                    f"{self.folder / PREDICTIONS}: there is no sample '{sample}' in the test set; "
                    f"the id of its first sample is '{self.rows[0]['id']}'"
                )
        return [by_id[sample] for sample in samples]

    def pixels(self, identity: str, frames: int) -> Pixels:
        """Return a sample as an image (H, W, 3) of bytes; of a clip, at most so many frames."""
        from bench.data.inspection import contact_sheet

        normalization = self.training.input.normalization
        return contact_sheet.batch_pixels(*self.sample(identity), frames, normalization)

    def sample(self, identity: str) -> Sample:
        """Return a sample in its batch."""
        from bench.data.reading.loading import read_batch

        place = next(n for n, row in enumerate(self.rows) if row["id"] == identity)
        size = self.training.batch_size
        batches = self.pipeline.batches("test", size)
        sample = Sample(read_batch(self.pipeline, batches, place // size), place % size)
        if sample.batch.ids[sample.row] != identity:
            raise BenchError(
                f"{self.folder}: sample '{identity}' is not where it was in the evaluation; "
                "evaluate again with --force",
                Exit.UNVERIFIED,
            )
        return sample


def find_finished(store: Store, key: str) -> tuple[FinishedTraining | FinishedEvaluation, Path]:
    """Return the finished task whose key begins with `key`, and its folder.

    Raises:
        BenchError: There is none or are several, or the task failed.
    """
    folder, record = store.find(key)
    if isinstance(record, Failure):
        raise BenchError(f"{folder}: this task failed, so there is nothing to draw")
    if isinstance(record, TrainingRecord):
        return FinishedTraining(folder, record), folder
    if record.training is None:
        raise BenchError(
            f"{folder}: this is the evaluation of a recognizer from outside, of which bench has no "
            "network to draw; name one of a training"
        )
    training = FinishedTraining(*store.training(record.training))
    return FinishedEvaluation(folder, record, training), folder


def error_rates(rows: Sequence[dict[str, Any]], protocol: Protocol) -> list[float]:
    """Return the error of each row by the metric that `predictions.worst` counts errors of.

    The rate of a metric is an error where lower is better, else its difference to one.
    """
    metric = predictions.error_metric(protocol)
    rates = [row[metric.name] / max(row[f"{metric.name}/of"], 1) for row in rows]
    return [1 - rate for rate in rates] if metric.higher_is_better else rates


def _restored(kind: Kind, spec: dict[str, Any], folder: Path) -> Component:
    return restored_own(spec) or restored_component(kind, spec, folder, "run its suite again")
