"""The training task: data to weights, curve and record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save

from bench.core.documents import write_bytes
from bench.core.errors import BenchError
from bench.data.opening import open_training, training_encoder
from bench.recognizers import network as networks
from bench.training import checkpoint, device
from bench.training.feasibility import infeasible_samples
from bench.training.step import TrainingStep
from bench.training.trainer import Trainer
from bench.training.validation import label_error_rate
from bench.trials import provenance
from bench.trials.events import Event, Finished, Infeasible, Resumed, Started
from bench.trials.records import Attempt, Parameters, TrainingRecord, TrainingTimings
from bench.trials.store import CHECKPOINT, FAILURE, LAST_WEIGHTS, TRAINING, WEIGHTS, write

if TYPE_CHECKING:
    from pathlib import Path

    from bench.core.types import Batches, InputPipeline, Split
    from bench.recognizers.network import Recognizer
    from bench.trials.specs import Training
    from bench.trials.store import Store


def train(training: Training, store: Store, attempts: Sequence[Attempt]) -> Iterator[Event]:
    """Train, validate and write the record, reporting events."""
    began, folder = time.perf_counter(), store.folder(training)
    chosen = device.prepare(training.resources, training.recipe.precision)
    yield Started(chosen)
    pipeline = open_training(
        training.data,
        training.input,
        training_encoder(training.data, training.alphabet),
        training.recipe.augmentation,
    )
    _require_samples(training, pipeline, "train")
    validation = _require_samples(training, pipeline, "validation")
    torch.manual_seed(training.named_seed("weights"))
    network = networks.build(
        training.model, training.loss, pipeline.input_shape, len(pipeline.vocabulary) + 1
    )
    network.to(memory_format=torch.channels_last).to(chosen)
    torch.manual_seed(training.named_seed("training"))
    built = time.perf_counter()
    step = TrainingStep(network, training.loss, training.recipe.precision)
    trainer = Trainer(
        training,
        step,
        pipeline,
        chosen,
        validate=lambda: label_error_rate(
            network, validation, training.loss.decoder, training.resources.workers, chosen
        ),
        save=partial(checkpoint.save, folder / CHECKPOINT),
    )
    yield from _report_infeasible(training, pipeline, network)
    if state := checkpoint.load(folder / CHECKPOINT):
        _restore(trainer, state, folder / CHECKPOINT)
        yield Resumed(len(trainer.curve))
    yield from trainer.run()
    record = _write_record(folder, training, trainer, pipeline, built - began, attempts)
    selected = record.curve[record.selected_epoch - 1]
    summary = f"epoch {selected.epoch} selected, validation LER {selected.validation_ler:.2%}"
    yield Finished(summary, record.seconds)


def _require_samples(training: Training, pipeline: InputPipeline, split: Split) -> Batches:
    """Return the batches of `split`. Raises BenchError where it has no sample."""
    batches = pipeline.batches(split, training.recipe.batch_size)
    if not len(batches):
        raise BenchError(
            f"training data {training.labels['data']} have no sample in split '{split}'; set their "
            "parameters so that each split has some, or prepare more"
        )
    return batches


def _restore(trainer: Trainer, state: dict[str, Any], file: Path) -> None:
    try:
        trainer.restore(state)
    except (RuntimeError, KeyError, ValueError):
        raise BenchError(
            f"{file}: this checkpoint does not fit the network, whose code has changed since; "
            "remove it, and training starts again"
        ) from None


def _report_infeasible(
    training: Training, pipeline: InputPipeline, network: Recognizer
) -> Iterator[Event]:
    """Report the training samples that no loss can learn from."""
    annotations = pipeline.annotations("train", seed=training.named_seed("batches"))
    samples, infeasible = infeasible_samples(annotations, training.loss, network.output_lengths)
    if infeasible and len(infeasible) == samples:
        first = infeasible[0]
        raise BenchError(
            f"none of the {samples} training samples fits: '{training.model.name}' leaves sample "
            f"{first.id} too few outputs for its {len(first.target)} labels; take a model that "
            "leaves more, or data with shorter targets"
        )
    if infeasible:
        yield Infeasible(tuple(each.id for each in infeasible), samples)


def _write_record(
    folder: Path,
    training: Training,
    trainer: Trainer,
    pipeline: InputPipeline,
    data_seconds: float,
    attempts: Sequence[Attempt],
) -> TrainingRecord:
    """Write weights and, last, the record."""
    files = {WEIGHTS: save(trainer.weights)}
    if trainer.last_weights:
        files[LAST_WEIGHTS] = save(trainer.last_weights)
    # From here on an earlier record's neighbors are no longer what it says.
    (folder / TRAINING).unlink(missing_ok=True)
    weights = list(trainer.step.network.parameters())
    record = TrainingRecord(
        key=training.key,
        spec=training.spec,
        labels=training.labels,
        seed=training.seed,
        vocabulary=list(pipeline.vocabulary),
        input_shape=list(pipeline.input_shape),
        curve=trainer.curve,
        selected_epoch=trainer.selected_epoch,
        parameters=Parameters(
            total=sum(weight.numel() for weight in weights),
            trainable=sum(weight.numel() for weight in weights if weight.requires_grad),
        ),
        timings=TrainingTimings(
            data=data_seconds,
            training=trainer.training_seconds,
            validation=trainer.validation_seconds,
        ),
        provenance=provenance.collect(
            training.components,
            device=trainer.device,
            gpu=torch.cuda.get_device_name() if trainer.device == "cuda" else None,
            threads=torch.get_num_threads(),
            seed=training.seed,
            workers=training.resources.workers,
        ),
        files={name: write_bytes(folder / name, held) for name, held in files.items()},
        attempts=list(attempts),
    )
    write(folder / TRAINING, record)
    for name in {FAILURE, CHECKPOINT, LAST_WEIGHTS} - {*files}:
        (folder / name).unlink(missing_ok=True)
    return record
