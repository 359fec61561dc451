"""Evaluate a training: its network reads a test split; predictions, scores and record result."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.data.opening import open_test
from bench.data.reading.loading import BatchLoader
from bench.evaluation.metrics import metric
from bench.evaluation.predictions import Predictions
from bench.recognizers.networks import network as networks
from bench.tasks.evaluation_record import write_evaluation
from bench.tasks.property_columns import with_test_properties
from bench.training import device
from bench.trials.events import Event, Finished, Started
from bench.trials.store import WEIGHTS, content

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from bench.core.components import Dataset, Decoder, Loss, Model
    from bench.core.types import Batch, DecoderFamily, InputPipeline
    from bench.decoding.algorithms.decoded import Decoded
    from bench.evaluation.protocols import Protocol
    from bench.recognizers.networks.network import RecognitionNetwork
    from bench.trials.records import Attempt, TrainingRecord
    from bench.trials.specs import TrainedEvaluation
    from bench.trials.store import Store


def evaluate(
    evaluation: TrainedEvaluation, store: Store, attempts: Sequence[Attempt]
) -> Iterator[Event]:
    """Read the test split, score it and write the record, reporting events."""
    began = time.perf_counter()
    chosen = device.prepare(evaluation.resources)
    yield Started(chosen)
    folder, trained = store.training(evaluation.training.key)
    training = evaluation.training
    network = restore_network(training.model, training.loss, folder, trained).to(chosen)
    encoder = evaluation.test.label_encoder(evaluation.training.alphabet)
    learned = replace(encoder, vocabulary=tuple(trained.vocabulary))
    pipeline = open_test(evaluation.test, evaluation.training.input, learned)
    table = predict(evaluation, network, pipeline, chosen)
    record = write_evaluation(
        store.folder(evaluation),
        evaluation,
        table,
        chosen=chosen,
        began=began,
        attempts=attempts,
    )
    yield Finished(metric.format_scores(record.scores), record.seconds)


def restore_network(
    model: Model, loss: Loss, folder: Path, record: TrainingRecord
) -> RecognitionNetwork:
    """Return the network of a training with the weights that its record in `folder` names.

    Raises:
        BenchError: The weights are missing or altered, or do not fit the current model code.
    """
    try:
        return networks.network_from_weights(
            model,
            loss,
            InputShape(*record.input_shape),
            len(record.vocabulary) + 1,
            content(folder, record, WEIGHTS),
        )
    except networks.WeightsError:
        raise BenchError(
            f"{folder / WEIGHTS}: these weights do not fit the current code of model "
            f"'{model.name}'; run its suite again with --force"
        ) from None


def predict(
    evaluation: TrainedEvaluation, network: RecognitionNetwork, pipeline: InputPipeline, chosen: str
) -> pa.Table:
    """Return the predictions of the test split (see `bench.evaluation.predictions`).

    Raises BenchError where the split has no sample.
    """
    training = evaluation.training
    reading = NetworkReading(
        network, evaluation.decoder, training.loss.decoder, training.recipe.batch_size
    )
    workers = device.count_workers(evaluation.resources, chosen)
    return reading.predictions(evaluation.test, pipeline, evaluation.protocol, chosen, workers)


@dataclass(frozen=True)
class NetworkReading:
    """How a network reads a test split.

    Attributes:
        network: The network, on the device that computes.
        decoder: What turns its logits into labels.
        family: How classes become labels.
        batch_size: Samples per batch; it affects the padding.
    """

    network: RecognitionNetwork
    decoder: Decoder
    family: DecoderFamily
    batch_size: int

    def predictions(
        self,
        test: Dataset,
        pipeline: InputPipeline,
        protocol: Protocol,
        chosen: str,
        workers: int = 0,
    ) -> pa.Table:
        """Return the predictions of the test split.

        Args:
            test: The data set.
            pipeline: What reads it, with the vocabulary of the network.
            protocol: The scoring rules.
            chosen: The device that computes: "cpu" or "cuda".
            workers: How many processes prefetch batches.

        Raises:
            BenchError: The split has no sample.
        """
        batches = pipeline.batches("test", self.batch_size)
        if not len(batches):
            raise BenchError(
                f"dataset '{test.label}' has no sample in split 'test'; prepare one that has, or "
                "set its parameters so that it has some"
            )
        decode = self.decoder.build(self.family, pipeline.vocabulary)
        rows = Predictions(protocol)
        with torch.inference_mode(), BatchLoader(pipeline, workers, chosen) as loader:
            for batch in loader.read(batches):
                logits, lengths = self.network(batch.inputs, batch.lengths)
                decoded = decode(logits, lengths)
                _add_rows(rows, batch, decoded, self.family, pipeline.vocabulary, protocol)
        return with_test_properties(rows.table(), test)


def _add_rows(
    rows: Predictions,
    batch: Batch,
    decoded: Decoded,
    family: DecoderFamily,
    vocabulary: Sequence[str],
    protocol: Protocol,
) -> None:
    """Add the samples of one batch."""
    spans = decoded.spans() if family == "ctc" else None
    lengths, counts = decoded.lengths.tolist(), batch.target_lengths.tolist()
    for row, identity in enumerate(batch.ids):
        placed = spans.of_sample(row) if spans else []
        # If the output is shorter than the input, key frames of the input do not apply to it.
        same_frames = int(batch.lengths[row]) == lengths[row]
        key_frames = batch.key_frames[row, : counts[row]].tolist() if same_frames else []
        rows.add(
            identity,
            reference=batch.texts[row],
            hypothesis=protocol.separator.join(vocabulary[c - 1] for c in decoded.labels[row]),
            confidence=float(decoded.confidence[row]),
            path=decoded.path[row, : lengths[row]].tolist(),
            aligned=[span.key for span in placed],
            scores=[span.confidence for span in placed],
            key_frames=[frame for frame in key_frames if frame >= 0],
        )
