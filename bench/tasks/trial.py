"""One trial from its spec to its record: the function that every executor runs."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from bench.core.documents import write_bytes
from bench.core.errors import BenchError
from bench.trials import provenance
from bench.trials.events import (
    Adopted,
    Event,
    Failed,
    Finished,
    Infeasible,
    Resumed,
    Started,
    describe,
)
from bench.trials.store import (
    CHECKPOINT,
    FAILURE,
    LAST_WEIGHTS,
    LOG,
    PREDICTIONS,
    RECORD,
    WEIGHTS,
    Attempt,
    Cause,
    Failure,
    Parameters,
    Record,
    Store,
    Timings,
    content,
    write,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from bench.core.types import InputPipeline, Split
    from bench.recognizers.network import Recognizer
    from bench.training.trainer import Trainer
    from bench.trials.grid import Trial

_SCORED: tuple[Split, ...] = ("validation", "test")


def run_trial(
    trial: Trial,
    store: Store,
    attempts: Sequence[Attempt] = (),
    scored: Sequence[Split] = _SCORED,
) -> Iterator[Event]:
    """Train, test and record `trial`, saying how it goes; whatever fails ends in `Failed`.

    `attempts` are those that failed before in this run. Of the splits `scored` the last one's
    predictions are kept. The record is the last file written, so a trial killed at any moment is
    simply not done; it goes on from its checkpoint the next time.
    """
    folder = store.begin(trial)
    with (folder / LOG).open("w", encoding="utf-8", buffering=1) as log:
        log.write(f"{trial.key}  {trial.label}\n")
        try:
            for event in _run(trial, store, attempts, scored):
                log.write(f"{datetime.now(UTC):%H:%M:%S}  {describe(event)}\n")
                yield event
        except Exception as error:  # noqa: BLE001 (any fault of one trial is that trial's failure)
            log.write(traceback.format_exc())
            yield Failed(fail(trial, store, [*attempts, attempt(*_cause(error))]))


def fail(trial: Trial, store: Store, attempts: Sequence[Attempt]) -> Failure:
    """Write the failure of `trial` after all its attempts, and return it."""
    failure = Failure(trial.key, trial.spec, trial.labels, trial.seed, list(attempts))
    folder = store.folder(trial)
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / FAILURE, failure)
    return failure


def attempt(cause: Cause, message: str) -> Attempt:
    """Describe an attempt that failed now."""
    return Attempt(cause, message, datetime.now(UTC).isoformat(timespec="seconds"))


def _cause(error: Exception) -> tuple[Cause, str]:
    import torch

    if isinstance(error, BenchError):
        return "configuration", str(error)
    exhausted = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return "out of memory" if exhausted else "error", f"{type(error).__name__}: {error}"


def _run(
    trial: Trial, store: Store, attempts: Sequence[Attempt], scored: Sequence[Split]
) -> Iterator[Event]:
    import torch
    from safetensors.torch import load

    from bench.recognizers import network as recognizer
    from bench.tasks.predict import predict, require_samples
    from bench.training import checkpoint
    from bench.training import device as machine
    from bench.training.step import TrainingStep
    from bench.training.trainer import Trainer
    from bench.training.validation import label_error_rate

    began, folder = time.perf_counter(), store.folder(trial)
    device = machine.prepare(trial)
    yield Started(device)
    source = trial.dataset.build()
    for split in ("train", "validation"):
        require_samples(trial, source, split)
    torch.manual_seed(trial.named_seed("weights"))
    network = recognizer.build(trial.model, trial.loss, source)
    network.to(memory_format=torch.channels_last).to(device)
    torch.manual_seed(trial.named_seed("training"))
    built = time.perf_counter()

    def read_split(split: Split) -> pa.Table:
        return predict(trial, network, source, split, device)

    def validate() -> float:
        batches = source.batches("validation", trial.training.batch_size)
        workers = trial.resources.workers
        return label_error_rate(network, batches, trial.loss.decoder, workers, device)

    fit = Trainer(
        SimpleNamespace(
            recipe=trial.training, resources=trial.resources, named_seed=trial.named_seed
        ),
        TrainingStep(network, trial.loss, trial.training.precision),
        source,
        device,
        validate=validate,
        save=partial(checkpoint.save, folder / CHECKPOINT),
    )
    adopted = ""
    if taught := None if trial.anew else store.trained(trial):
        adopted, fit.curve = taught[1].key, taught[1].curve
        fit.selected_epoch, fit.weights = (
            taught[1].selected_epoch,
            load(content(*taught, WEIGHTS)),
        )
        fit.training_seconds = taught[1].timings.training
        fit.validation_seconds = taught[1].timings.validation
        yield Adopted(adopted)
    else:
        yield from _check(trial, source, network)
        if state := checkpoint.load(folder / CHECKPOINT):
            _restore(fit, state, folder / CHECKPOINT)
            yield Resumed(len(fit.curve))
        yield from fit.run()

    tested = time.perf_counter()
    network.load_state_dict(fit.weights)
    tables = {split: read_split(split) for split in scored}
    timings = Timings(
        data=built - began,
        training=fit.training_seconds,
        validation=fit.validation_seconds,
        test=time.perf_counter() - tested,
    )
    record = _commit(folder, trial, fit, adopted, tables, timings, attempts)
    rates = record.metrics[scored[-1]]
    yield Finished(rates.sequence_accuracy, rates.cer, timings.total)


def _restore(fit: Trainer, state: dict[str, Any], file: Path) -> None:
    try:
        fit.restore(state)
    except (RuntimeError, KeyError, ValueError):
        raise BenchError(
            f"{file}: this checkpoint does not fit the network, whose code has changed since; "
            "remove it, and the trial begins anew"
        ) from None


def _check(trial: Trial, source: InputPipeline, network: Recognizer) -> Iterator[Event]:
    """Name the training samples that no loss can learn from."""
    from bench.training.feasibility import infeasible_samples

    annotations = source.annotations("train", seed=trial.named_seed("batches"))
    samples, lost = infeasible_samples(annotations, trial.loss, network.output_lengths)
    if lost and len(lost) == samples:
        raise BenchError(
            f"none of the {samples} training samples fits: '{trial.model.name}' leaves sample "
            f"{lost[0].id} too few outputs for its {len(lost[0].target)} labels; take a model that "
            "leaves more, or a dataset with shorter targets"
        )
    if lost:
        yield Infeasible(tuple(annotation.id for annotation in lost), samples)


def _commit(
    folder: Path,
    trial: Trial,
    fit: Trainer,
    adopted: str,
    tables: dict[Split, pa.Table],
    timings: Timings,
    attempts: Sequence[Attempt],
) -> Record:
    """Write predictions, weights and, last, the record."""
    import torch
    from safetensors.torch import save

    from bench.evaluation import predictions
    from bench.recognizers import network as recognizer

    kept = {
        PREDICTIONS: predictions.to_bytes([*tables.values()][-1]),
        WEIGHTS: save(fit.weights),
    }
    if fit.last_weights:
        kept[LAST_WEIGHTS] = save(fit.last_weights)
    # From here on an earlier record's neighbours are no longer what it says.
    (folder / RECORD).unlink(missing_ok=True)
    record = Record(
        key=trial.key,
        spec=trial.spec,
        labels=trial.labels,
        seed=trial.seed,
        metrics={split: predictions.score(table) for split, table in tables.items()},
        curve=fit.curve,
        selected_epoch=fit.selected_epoch,
        training_key=trial.training_key,
        weights_of=adopted,
        parameters=Parameters(*recognizer.count_parameters(fit.step.network)),
        timings=timings,
        attempts=list(attempts),
        provenance=provenance.collect(
            device=fit.device,
            gpu=torch.cuda.get_device_name() if fit.device == "cuda" else None,
            threads=torch.get_num_threads(),
            seed=trial.seed,
            workers=trial.resources.workers,
        ),
        files={name: write_bytes(folder / name, held) for name, held in kept.items()},
    )
    write(folder / RECORD, record)
    for name in {FAILURE, CHECKPOINT, LAST_WEIGHTS} - {*kept}:
        (folder / name).unlink(missing_ok=True)
    return record
