"""How a network is trained, and what a task reserves."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from bench.config.augmentation import parse_augmentation, spelled_augmentation
from bench.core.components import Augmentation
from bench.core.errors import BenchError
from bench.core.schema import BelowOne, Count, Natural, NonNegative, Parsed, Positive

Precision = Literal["float32", "bf16", "fp16"]
_READ_UNDER: tuple[tuple[set[str], str, tuple[str, ...]], ...] = (
    ({"milestones", "decay"}, "schedule", ("multi-step",)),
    ({"betas"}, "optimizer", ("adam", "adamw")),
    ({"momentum"}, "optimizer", ("sgd",)),
    ({"betas", "momentum", "warmup"}, "schedule", ("constant", "cosine", "multi-step")),
)
"""Keys of a recipe, the key that decides whether they are read, and its values that read them."""


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; part of a training's key.

    Attributes:
        epochs: Passes over the training data; `patience` may end training sooner.
        batch_size: Samples per batch.
        learning_rate: The peak of the `one-cycle` schedule, else the value it starts from.
        optimizer: The optimizer of torch with this name.
        weight_decay: As torch's optimizer takes it.
        schedule: `multi-step` multiplies the learning rate by `decay` after each epoch of
            `milestones`; `cosine` lowers it along half a cosine to zero at the end (Loshchilov and
            Hutter, "SGDR", ICLR 2017, without restarts); `one-cycle` is torch's `OneCycleLR`,
            which warms up by itself and moves β₁ or the momentum too.
        milestones: Epochs, rising.
        decay: The factor of `multi-step`.
        gradient_clip: The largest norm of all gradients together; 0 clips nothing.
        select: Which epoch's weights are kept: `best` is the epoch with the lowest label error
            rate on the validation split (the first of several), `last` the last one.
        betas: Of `adam` and `adamw`.
        momentum: Of `sgd`.
        warmup: Epochs, or a part of one, over which the learning rate rises linearly from zero.
        accumulate: Batches whose gradients make one step, each weighted by its samples. This
            equals one larger batch where a loss is a mean over samples and no layer looks across
            a batch, as batch normalization does.
        precision: What the network computes in during training; `fp16` needs a GPU. Weights,
            losses and everything that is scored are float32.
        patience: End training once this many epochs have not lowered the label error rate; 0 never.
        augmentation: Random changes of training samples; `bench ls augmentations` lists them. None,
            which bench.toml spells "none", changes nothing.

    Raises:
        BenchError: A key is set that nothing reads, or `multi-step` lacks its keys.
    """

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    optimizer: Literal["adam", "adamw", "sgd", "adadelta"] = "adam"
    weight_decay: NonNegative = 0.0
    schedule: Literal["constant", "one-cycle", "multi-step", "cosine"] = "constant"
    milestones: tuple[Count, ...] = ()
    decay: Positive = 1.0
    gradient_clip: NonNegative = 0.0
    select: Literal["best", "last"] = "best"
    betas: tuple[BelowOne, BelowOne] = (0.9, 0.999)
    momentum: BelowOne = 0.0
    warmup: NonNegative = 0.0
    accumulate: Count = 1
    precision: Precision = "float32"
    patience: Natural = 0
    augmentation: Annotated[Augmentation | None, Parsed(parse_augmentation)] = None

    def __post_init__(self) -> None:
        for keys, reader, readers in _READ_UNDER:
            unread, value = self._changed() & keys, getattr(self, reader)
            if unread and value not in readers:
                raise BenchError(
                    f"'{min(unread)}' is read only with {reader} = "
                    f"{' or '.join(map(repr, readers))}, and here it is '{value}'; remove it"
                )
        if self.schedule == "multi-step" and not {"milestones", "decay"} <= self._changed():
            raise BenchError(
                "schedule = 'multi-step' requires 'milestones' and a 'decay' other than 1"
            )
        if list(self.milestones) != sorted({*self.milestones}):
            raise BenchError(f"milestones = {[*self.milestones]} must rise from one to the next")

    def values(self) -> dict[str, Any]:
        """Return every key with its value, as bench.toml spells it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["augmentation"] = spelled_augmentation(self.augmentation)
        return {name: [*v] if isinstance(v, tuple) else v for name, v in values.items()}

    def changed(self) -> dict[str, Any]:
        """Return every key that is not at its default, as bench.toml spells it."""
        return {name: value for name, value in self.values().items() if name in self._changed()}

    def spec(self) -> dict[str, Any]:
        """Return what the recipe adds to a training's key: every value that is not a default.

        So a key that recipes gain later leaves the keys of earlier trainings as they are. Of the
        augmentation it has the version and, from outside bench, the source too.
        """
        own = {"augmentation": self.augmentation.spec()} if self.augmentation else {}
        return self.changed() | own

    def _changed(self) -> set[str]:
        return {field.name for field in fields(self) if getattr(self, field.name) != field.default}


@dataclass(frozen=True)
class Resources:
    """What a training or an evaluation reserves.

    Attributes:
        cpus: Compute threads, which decide the last bits of a training: they are part of its key.
        gpus: A share of one GPU; not requested where the machine has none.
        device: `auto` computes on the GPU that the task was given, else on the CPU.
        time_limit: Seconds after which an attempt is ended, hung or not; 0 never ends it.
        checkpoint_every: Seconds; a checkpoint is written after the first epoch that ends this
            long after the last one.
        workers: Processes that prefetch batches; 0 reads them in the training process. They change
            no number.

    Raises:
        BenchError: More than one GPU is requested, which a training cannot use.
    """

    cpus: Count = 1
    gpus: NonNegative = 0.0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    time_limit: NonNegative = 0.0
    checkpoint_every: NonNegative = 60.0
    workers: Natural = 0

    def __post_init__(self) -> None:
        if self.gpus > 1:
            raise BenchError(
                f"gpus = {self.gpus:g}: a training uses one GPU; set 1, or a share such as 0.5"
            )
