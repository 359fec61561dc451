"""Short trainings of real architectures on noise, on one device or on several ranks."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from toy_training import ToyTraining

from bench.config.recipe import Recipe
from bench.core.types import Batch, InputShape
from bench.data.reading.loading import BatchLoader
from bench.data.reading.ranks import rank_rows
from bench.losses.conclr import ConCLR
from bench.losses.ctc import CTC
from bench.losses.vac import VAC
from bench.models.abinet_vision import AbinetVision
from bench.models.crnn import CRNN
from bench.models.cslr_resnet18 import CslrResNet18
from bench.nn.global_batch_norm import convert_batch_norms
from bench.recognizers.networks import network as networks
from bench.training.distributed import open_store, process_group, require_same_step
from bench.training.step import TrainingStep
from bench.training.trainer import Trainer
from bench.trials.events import Finished, Listening, Progress
from bench.trials.rank import ALONE

CASES = {
    "crnn × ctc": (CRNN(width=4, hidden=8), CTC(), InputShape(1, 32, 40), 0),
    "cslr-resnet18 × vac(radial)": (
        CslrResNet18(width=2, hidden=8, dropout=0.0),
        VAC(auxiliary="radial-ctc", alignment=0.0),
        InputShape(3, 32, 32),
        14,
    ),
    "abinet-vision × conclr": (
        AbinetVision(width=4, layers=1, dropout=0.0, max_length=6),
        ConCLR(embedding=8),
        InputShape(3, 32, 64),
        0,
    ),
}
"""Model, loss, the shape of an image or a frame, and the frames of the longest clip; 0: images."""
SAMPLES, BATCH = 12, 5
RECIPE = Recipe(
    epochs=1,
    batch_size=BATCH,
    learning_rate=0.02,
    optimizer="sgd",
    gradient_clip=2.0,
    select="last",
)


@dataclass(frozen=True)
class NoisePipeline:
    """Noise with random labels; the last batch of an epoch has two samples."""

    input_shape: InputShape
    frames: int

    vocabulary = ("a", "b", "c")
    redraws = False

    def finish(self, inputs):
        return inputs.clone()

    def batches(self, split, size, *, seed=0, epoch=0):  # noqa: ARG002 (all are alike)
        assert split == "train"
        return NoiseBatches(self, size)


@dataclass(frozen=True)
class NoiseBatches:
    """The batches of an epoch."""

    pipeline: NoisePipeline
    size: int
    share: tuple = (0, 1)

    def __len__(self):
        return math.ceil(SAMPLES / self.size)

    def samples(self, index):
        return min(self.size, SAMPLES - index * self.size)

    def rows(self, rank, ranks):
        return replace(self, share=(rank, ranks))

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        count, frames = self.samples(index), self.pipeline.frames
        shape = (count, *([frames] if frames else []), *self.pipeline.input_shape)
        inputs = torch.from_numpy(rng.standard_normal(shape).astype(np.float32))
        longest = frames or self.pipeline.input_shape.width
        lengths = torch.from_numpy(rng.integers(longest - 2, longest + 1, count))
        lengths[0] = longest
        counts = torch.from_numpy(rng.integers(1, 3, count))
        labels = torch.from_numpy(rng.integers(1, 4, (count, 2)))
        labels[torch.arange(2) >= counts[:, None]] = 0
        rows = rank_rows(count, *self.share)
        ids = tuple(f"{index}-{row}" for row in range(count))
        key_frames = torch.full_like(labels, -1)
        return Batch(inputs, lengths, labels, counts, key_frames, ids)._replace(
            inputs=inputs[rows],
            lengths=lengths[rows],
            targets=labels[rows],
            target_lengths=counts[rows],
            key_frames=key_frames[rows],
            ids=ids[rows],
        )


def initial_network(name):
    """Return the network of a case with its initial weights."""
    model, loss, shape, _ = CASES[name]
    torch.manual_seed(3)
    return networks.build_network(model, loss, shape, len(NoisePipeline.vocabulary) + 1)


def trained(name, accumulate=1, rank=ALONE):
    """Return the curve, the losses reported on the way and the state of a short training."""
    _, loss, shape, frames = CASES[name]
    network = initial_network(name)
    convert_batch_norms(network)
    pipeline = NoisePipeline(shape, frames)
    recipe = replace(RECIPE, accumulate=accumulate)
    training = ToyTraining(recipe, replace(ToyTraining().resources, log_every="1 step"))
    step = TrainingStep(network, loss, recipe.precision)
    with BatchLoader(pipeline, 0, "cpu") as loader:
        trainer = Trainer(
            training, step, pipeline, loader, "cpu", validate=lambda: 0.5, save=bool, rank=rank
        )
        reported = [event.loss for event in trainer.run() if isinstance(event, Progress)]
    return trainer.curve, reported, network.state_dict()


def resume(rank, steps):
    """Join a process group as a rank that has read a checkpoint of `steps[rank.number]`."""
    rank, store = open_store(rank)
    if rank.leads:
        yield Listening(rank)
    with process_group(rank, store, "cpu"):
        require_same_step(steps[rank.number])
    yield Finished("", 0.0)


def meet(rank, devices):
    """Join a process group as a rank that computes on `devices[rank.number]`."""
    rank, store = open_store(rank)
    if rank.leads:
        yield Listening(rank)
    with process_group(rank, store, devices[rank.number]):
        pass
    yield Finished("", 0.0)


def train_cases(rank, accumulate, file):
    """Train all cases on one rank; rank 0 keeps what came of them. Yields events as a task does."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    rank, store = open_store(rank)
    if rank.leads:
        yield Listening(rank)
    with process_group(rank, store, "cpu"):
        results = {name: trained(name, accumulate, rank) for name in CASES}
    if rank.leads:
        values = {name: (reported, state) for name, (_, reported, state) in results.items()}
        torch.save(values, file)
    yield Finished("", 0.0)
