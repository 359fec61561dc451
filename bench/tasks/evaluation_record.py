"""Write the files of a finished evaluation: predictions and record."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from bench.core.documents import write_bytes
from bench.evaluation import predictions
from bench.training import device
from bench.training.accelerator import describe_device
from bench.trials import provenance
from bench.trials.records import Attempt, EvaluationRecord
from bench.trials.store import EVALUATION, FAILURE, PREDICTIONS, write

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from bench.core.recognition import Reading
    from bench.trials.specs import Evaluation


@dataclass(frozen=True)
class SplitRead:
    """What a recognizer from outside has read of a split.

    Attributes:
        readings: One per sample, in order.
        remarks: How many readings have each remark of the recognizer, such as `missing`.
        alphabet: The characters that it can read; None where they are unknown.
        parameters: Its number of weights; None where it is unknown.
        price: What it cost in US dollars; None if it has no price.
    """

    readings: Sequence[Reading]
    remarks: dict[str, int]
    alphabet: str | None
    parameters: int | None
    price: float | None


def write_evaluation(
    folder: Path,
    evaluation: Evaluation,
    table: pa.Table,
    *,
    chosen: str,
    began: float,
    attempts: Sequence[Attempt],
    read: SplitRead | None = None,
) -> EvaluationRecord:
    """Write predictions and, last, the record, and return that.

    Args:
        folder: The folder of the evaluation.
        evaluation: What was evaluated.
        table: The predictions.
        chosen: The device: "cpu" or "cuda".
        began: The start of the evaluation, by `time.perf_counter`.
        attempts: Attempts of this run that failed before.
        read: What a recognizer from outside bench has read, with its weights, price and remarks.

    Raises:
        BenchError: No sample is scored.
    """
    encoded = predictions.predictions_to_bytes(table)
    excluded = predictions.excluded_counts(table)
    scores = predictions.corpus_scores(table, evaluation.protocol)
    # From here on the predictions no longer match the checksum of an earlier record.
    (folder / EVALUATION).unlink(missing_ok=True)
    record = EvaluationRecord(
        key=evaluation.key,
        spec=evaluation.spec,
        labels=evaluation.labels,
        seed=evaluation.seed,
        scores=scores,
        samples=len(table) - sum(excluded.values()),
        excluded=excluded,
        dropped=predictions.dropped_counts(table, evaluation.protocol),
        seconds=time.perf_counter() - began,
        provenance=provenance.collect(
            evaluation.components,
            device=describe_device(chosen),
            threads=torch.get_num_threads(),
            seed=evaluation.seed,
            workers=device.count_workers(evaluation.resources, chosen),
            gpus=evaluation.resources.gpus,
        ),
        files={PREDICTIONS: write_bytes(folder / PREDICTIONS, encoded)},
        attempts=list(attempts),
        parameters=read.parameters if read else None,
        price=read.price if read else None,
        alphabet=read.alphabet if read else None,
        remarks=dict(sorted(read.remarks.items())) if read else {},
    )
    write(folder / EVALUATION, record)
    (folder / FAILURE).unlink(missing_ok=True)
    return record
