"""A tiny pipeline of clips, and trainers on it: training without data sets, trials or folders."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from bench.config.recipe import Recipe, Resources
from bench.core.types import Annotation, Batch, InputShape
from bench.data.reading.loading import BatchLoader
from bench.data.reading.ranks import rank_rows
from bench.recognizers.networks import network as recognizer
from bench.training.step import TrainingStep
from bench.training.trainer import Trainer
from bench.training.validation import label_error_rate

SIZES = {"train": 72, "validation": 24, "test": 24}
RECIPE = Recipe(epochs=2, batch_size=16, learning_rate=0.01)


@dataclass(frozen=True)
class ToyPipeline:
    """Clips of 4×4 pixels: each label lights up pixels of its own for two frames, then it is dark.

    `repeats` allows a label more than once; `pause` is how many dark frames follow each label.
    """

    repeats: bool = True
    pause: int = 1

    vocabulary = ("a", "b", "c")
    redraws = False
    input_shape = InputShape(1, 4, 4)

    def sample(self, split, number):
        """Return the frames (T, 1, 4, 4) and the labels of a sample."""
        rng = np.random.default_rng([list(SIZES).index(split), number])
        labels = rng.integers(1, 4, rng.integers(1, 4)).tolist()
        if not self.repeats:
            labels = list(dict.fromkeys(labels))
        clip = []
        for label in labels:
            lit = np.zeros((1, 4, 4), np.float32)
            lit[0, label] = 1
            clip += [lit, lit] + [np.zeros_like(lit)] * self.pause
        noise = 0.2 * rng.standard_normal((len(clip), 1, 4, 4))
        return (np.stack(clip) + noise).astype(np.float32), labels

    def annotations(self, split, *, seed=0):  # noqa: ARG002 (nothing is drawn)
        for number in range(SIZES[split]):
            clip, labels = self.sample(split, number)
            yield Annotation(f"{split}-{number}", len(clip), tuple(labels))

    def finish(self, inputs):
        return inputs

    def batches(self, split, size, *, seed=0, epoch=0):
        order = np.arange(SIZES[split])
        if split == "train":
            order = np.random.default_rng([seed, epoch]).permutation(order)
        return ToyBatches(self, split, [order[i : i + size] for i in range(0, len(order), size)])


@dataclass(frozen=True)
class ToyBatches:
    """One pass over a split of a toy pipeline."""

    pipeline: ToyPipeline
    split: str
    groups: list
    share: tuple = (0, 1)

    def __len__(self):
        return len(self.groups)

    def samples(self, index):
        return len(self.groups[index])

    def rows(self, rank, ranks):
        return replace(self, share=(rank, ranks))

    def __getitem__(self, index):
        numbers = self.groups[index].tolist()
        samples = [self.pipeline.sample(self.split, number) for number in numbers]
        labels = torch.zeros(len(samples), max(len(each) for _, each in samples), dtype=torch.int64)
        inputs = torch.zeros(len(samples), max(len(clip) for clip, _ in samples), 1, 4, 4)
        for row, (clip, each) in enumerate(samples):
            labels[row, : len(each)] = torch.tensor(each)
            inputs[row, : len(clip)] = torch.from_numpy(clip)
        rows = rank_rows(len(samples), *self.share)
        return Batch(
            inputs[rows],
            torch.tensor([len(clip) for clip, _ in samples])[rows],
            labels[rows],
            torch.tensor([len(each) for _, each in samples])[rows],
            torch.full_like(labels, -1)[rows],
            tuple(f"{self.split}-{number}" for number in numbers[rows]),
        )


@dataclass(frozen=True)
class ToyTraining:
    """What a trainer reads of a training."""

    recipe: Recipe = RECIPE
    resources: Resources = field(default_factory=Resources)

    def named_seed(self, purpose):
        return len(purpose)


def make_trainer(
    model, loss, recipe=RECIPE, *, resources=None, pipeline=None, device="cpu", **doors
):
    """Return a fresh trainer of a toy training; the doors are `validate` and `save`."""
    resources, pipeline = resources or Resources(), pipeline or ToyPipeline()
    torch.manual_seed(7)
    network = recognizer.build_network(
        model, loss, pipeline.input_shape, len(pipeline.vocabulary) + 1
    ).to(device)
    torch.manual_seed(8)
    validation = pipeline.batches("validation", recipe.batch_size)

    loader = BatchLoader(pipeline, resources.workers, device)

    def validate():
        return label_error_rate(network, loader.read(validation), loss.decoder)

    return Trainer(
        ToyTraining(recipe, resources),
        TrainingStep(network, loss, recipe.precision),
        pipeline,
        loader,
        device,
        **{"validate": validate, "save": bool, **doors},
    )


def finish(trainer):
    """Run a trainer to its end and return it."""
    for _ in trainer.run():
        pass
    return trainer
