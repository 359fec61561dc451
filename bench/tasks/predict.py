"""Read a split with a trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from bench.core.errors import BenchError
from bench.data.reading.loading import read
from bench.decoding.decoders import DECODERS
from bench.evaluation.predictions import Predictions

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.core.types import Batches, InputPipeline, Split
    from bench.recognizers.network import Recognizer
    from bench.trials.grid import Trial


def require_samples(trial: Trial, source: InputPipeline, split: Split) -> Batches:
    """Return a pass over `split`. Raises BenchError where it has no sample."""
    batches = source.batches(split, trial.training.batch_size)
    if not len(batches):
        raise BenchError(
            f"dataset '{trial.dataset.label}' has no sample in its split '{split}'; set its "
            "parameters so that each split has some, or prepare more"
        )
    return batches


def predict(
    trial: Trial, network: Recognizer, source: InputPipeline, split: Split, device: str
) -> pa.Table:
    """Return the predictions of `split` under the trial's protocol.

    See `bench.evaluation.predictions` for the columns.

    Raises BenchError where there are none.
    """
    network.eval()
    tokens = ("", *source.vocabulary)
    predictions = Predictions(trial.protocol)
    join = trial.protocol.separator.join
    decode = DECODERS[trial.protocol.decoder][trial.loss.decoder]
    with torch.inference_mode():
        batches = require_samples(trial, source, split)
        for batch in read(batches, trial.resources.workers):
            inputs, lengths = batch.inputs.to(device), batch.lengths.to(device)
            logits, lengths = network(inputs, lengths)
            decoded = decode(logits, lengths)
            frames = lengths.tolist()
            spans = decoded.spans() if trial.loss.decoder == "ctc" else None
            counts = batch.target_lengths.tolist()
            for row, identity in enumerate(batch.ids):
                placed = spans.of(row) if spans else []
                target = batch.targets[row, : counts[row]].tolist()
                spelled = join(tokens[label] for label in target)
                # Where a network makes fewer frames than it reads, these are not its own.
                known = int(batch.lengths[row]) == frames[row]
                key_frames = batch.key_frames[row, : counts[row]].tolist() if known else []
                predictions.add(
                    identity,
                    reference=batch.texts[row] if batch.texts else spelled,
                    hypothesis=join(tokens[label] for label in decoded.labels[row]),
                    confidence=float(decoded.confidence[row]),
                    path=decoded.path[row, : frames[row]].tolist(),
                    aligned=[span.key for span in placed],
                    scores=[span.confidence for span in placed],
                    key_frames=[frame for frame in key_frames if frame >= 0],
                )
    return predictions.table()
