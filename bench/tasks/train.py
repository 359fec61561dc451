"""Train a network and write its weights, learning curve and record."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import save

from bench.core.disk import require_space
from bench.core.documents import remove_parts, write_bytes
from bench.core.errors import BenchError, one_line
from bench.core.hashing import digest
from bench.data.opening import open_training, training_encoder
from bench.data.reading.loading import BatchLoader
from bench.nn.global_batch_norm import convert_batch_norms
from bench.recognizers.networks import network as networks
from bench.training import device, distributed
from bench.training.accelerator import describe_device, peak_memory, reset_peak_memory
from bench.training.checkpoint import Checkpoint
from bench.training.feasibility import infeasible_samples
from bench.training.step import TrainingStep
from bench.training.trainer import Trainer
from bench.training.validation import label_error_rate
from bench.trials import provenance
from bench.trials.events import Event, Finished, Infeasible, Listening, Resumed, Started
from bench.trials.rank import ALONE, Rank
from bench.trials.records import (
    Attempt,
    Feasibility,
    Parameters,
    TrainingRecord,
    TrainingTimings,
)
from bench.trials.store import CHECKPOINT, FAILURE, LAST_WEIGHTS, TRAINING, WEIGHTS, write

if TYPE_CHECKING:
    from pathlib import Path

    from bench.core.types import EpochBatches, InputPipeline, Split
    from bench.recognizers.networks.network import RecognitionNetwork
    from bench.trials.specs import Training
    from bench.trials.store import Store


_MAX_EXAMPLES = 20
_BYTES_PER_PARAMETER = 32
"""The most bytes on disk: two checkpoints, while one replaces the other, each with the weights, the
selected weights and two moments of the optimizer."""


def train(
    training: Training, store: Store, attempts: Sequence[Attempt], rank: Rank = ALONE
) -> Iterator[Event]:
    """Train, validate and write the record, reporting events.

    Args:
        training: What is trained.
        store: Where checkpoint and record are.
        attempts: Attempts of this run that failed before.
        rank: Which process of the training this is; rank 0 alone validates and writes.
    """
    if rank.count != training.resources.devices:
        raise BenchError(
            f"devices = {training.resources.devices}: a data-parallel training requires a process "
            "per device, which only `bench run` starts; set devices = 1 here"
        )
    chosen = device.prepare(training.resources, training.recipe.precision)
    reset_peak_memory(chosen)
    yield Started(chosen)
    if rank.alone:
        yield from _train(training, store, attempts, rank, chosen)
        return
    rank, meeting = distributed.open_store(rank)
    if rank.leads:
        yield Listening(rank)
    with distributed.process_group(rank, meeting, chosen):
        yield from _train(training, store, attempts, rank, chosen)


def _train(
    training: Training, store: Store, attempts: Sequence[Attempt], rank: Rank, chosen: str
) -> Iterator[Event]:
    began, folder = time.perf_counter(), store.folder(training)
    pipeline = open_training(
        training.data,
        training.input,
        training_encoder(training.data, training.alphabet),
        training.recipe.augmentation,
    )
    _require_samples(training, pipeline, "train")
    validation = _require_samples(training, pipeline, "validation")
    network = _build(training, pipeline, chosen)
    if rank.leads:
        _require_space(network, folder)
    built = time.perf_counter()
    step = TrainingStep(network, training.loss, training.recipe.precision)
    sources = provenance.computing_sources(training.components)
    checkpoint = Checkpoint(folder / CHECKPOINT, tuple(sources))
    with BatchLoader(pipeline, device.count_workers(training.resources, chosen), chosen) as loader:
        trainer = Trainer(
            training,
            step,
            pipeline,
            loader,
            chosen,
            validate=lambda: label_error_rate(
                network, loader.read(validation), training.loss.decoder
            ),
            save=checkpoint.save,
            rank=rank,
        )
        if rank.leads:
            yield from _report_infeasible(training, store, pipeline, network)
        if state := checkpoint.load():
            _restore(trainer, state, checkpoint.file)
            yield Resumed(trainer.done, trainer.timetable.steps)
        distributed.require_same_step(trainer.done)
        yield from trainer.run()
    if not rank.leads:
        return
    record = _write_record(folder, training, trainer, pipeline, built - began, attempts)
    point = record.selected
    summary = (
        f"step {point.step} (epoch {point.epoch:g}) selected, validation LER "
        f"{point.validation_ler:.2%}"
    )
    yield Finished(summary, record.seconds)


def _build(training: Training, pipeline: InputPipeline, chosen: str) -> RecognitionNetwork:
    """Return the network with its initial weights, the same on every rank, on its device."""
    torch.manual_seed(training.named_seed("weights"))
    network = networks.build_network(
        training.model, training.loss, pipeline.input_shape, len(pipeline.vocabulary) + 1
    )
    network.to(memory_format=torch.channels_last).to(chosen)
    convert_batch_norms(network)
    return network


def _require_space(network: RecognitionNetwork, folder: Path) -> None:
    """Raise BenchError where the disk is too full for checkpoints and weights."""
    parameters, _ = networks.count_parameters(network)
    size = parameters * _BYTES_PER_PARAMETER
    what = f"a training of {parameters:,} parameters writes"
    require_space(folder, size, what, "free some disk space, or name another folder with --results")


def _require_samples(training: Training, pipeline: InputPipeline, split: Split) -> EpochBatches:
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
    except Exception as error:  # noqa: BLE001 (torch has no list of what it raises)
        raise BenchError(
            f"{file}: this checkpoint does not fit the network, whose code has changed since, or "
            f"it was altered ({one_line(error)}); remove it, and training starts again"
        ) from None


def _report_infeasible(
    training: Training, store: Store, pipeline: InputPipeline, network: RecognitionNetwork
) -> Iterator[Event]:
    """Report the training samples whose target is longer than the output.

    They are counted once for all trainings of the same data, input, model and loss.

    Raises:
        BenchError: All training samples are of this kind.
    """
    spec = {name: training.spec[name] for name in ("data", "alphabet", "input", "model", "loss")}
    count = None if pipeline.redraws else store.feasibility(digest(spec))
    if count is None:
        annotations = pipeline.annotations("train", seed=training.named_seed("batches"))
        samples, infeasible = infeasible_samples(annotations, training.loss, network.output_lengths)
        examples = [each.id for each in infeasible[:_MAX_EXAMPLES]]
        count = Feasibility(digest(spec), spec, samples, len(infeasible), examples)
        if not pipeline.redraws:
            store.keep(count)
    if count.infeasible == count.samples:
        raise BenchError(
            f"the target of each of the {count.samples} training samples, such as "
            f"{count.examples[0]}, is longer than the output of model '{training.model.name}'; "
            "choose a model with a longer output, or data with shorter targets"
        )
    if count.infeasible:
        yield Infeasible(count.infeasible, count.samples, tuple(count.examples))


def _write_record(
    folder: Path,
    training: Training,
    trainer: Trainer,
    pipeline: InputPipeline,
    data_seconds: float,
    attempts: Sequence[Attempt],
) -> TrainingRecord:
    """Write the weights and, last, the record."""
    files = {WEIGHTS: save(trainer.weights)}
    if trainer.last_weights:
        files[LAST_WEIGHTS] = save(trainer.last_weights)
    # From here on the files no longer match the checksums of an earlier record.
    (folder / TRAINING).unlink(missing_ok=True)
    record = TrainingRecord(
        key=training.key,
        spec=training.spec,
        labels=training.labels,
        seed=training.seed,
        vocabulary=list(pipeline.vocabulary),
        input_shape=list(pipeline.input_shape),
        curve=trainer.curve,
        selected_step=trainer.selected_step,
        parameters=Parameters(*networks.count_parameters(trainer.step.network)),
        timings=TrainingTimings(
            data=data_seconds,
            training=trainer.training_seconds,
            validation=trainer.validation_seconds,
        ),
        provenance=provenance.collect(
            training.components,
            device=describe_device(trainer.device),
            threads=torch.get_num_threads(),
            seed=training.seed,
            workers=device.count_workers(training.resources, trainer.device),
            gpus=training.resources.gpus * training.resources.devices,
            precision=training.recipe.precision,
        ),
        peak_memory=peak_memory(trainer.device),
        trained_on=trainer.trained_on,
        files={name: write_bytes(folder / name, content) for name, content in files.items()},
        attempts=list(attempts),
    )
    write(folder / TRAINING, record)
    for name in {FAILURE, CHECKPOINT, LAST_WEIGHTS} - {*files}:
        (folder / name).unlink(missing_ok=True)
    # If an earlier attempt was killed while it wrote a checkpoint, that part file is as large.
    remove_parts(folder, CHECKPOINT, older_than=0)
    return record
