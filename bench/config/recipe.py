"""How a network is trained, and what a task reserves."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from bench.config.augmentation import parse_augmentation, spelled_augmentation
from bench.core.components import Augmentation
from bench.core.errors import BenchError
from bench.core.interval import Interval
from bench.core.schema import (
    BelowOne,
    NonNegativeFloat,
    NonNegativeInt,
    Parsed,
    PositiveFloat,
    PositiveInt,
    SchemaError,
)

_MAX_WORKERS = 16
"""More than feed a GPU with words from JPEGs."""
Precision = Literal["float32", "tf32", "bf16", "fp16"]
_READ_UNDER: tuple[tuple[set[str], str, tuple[str, ...]], ...] = (
    ({"milestones", "decay"}, "schedule", ("multi-step",)),
    ({"betas"}, "optimizer", ("adam", "adamw")),
    ({"momentum"}, "optimizer", ("sgd",)),
    ({"betas", "momentum", "warmup"}, "schedule", ("constant", "cosine", "multi-step")),
)
"""Keys of a recipe, the key that decides whether they are read, and its values that read them."""


def _steps_or_epochs(value: object) -> str:
    return str(Interval.parse(value, allow_seconds=False))


def _interval(value: object) -> str:
    return str(Interval.parse(value))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained; part of a training's key.

    A step is one update of the weights. An epoch is one pass over the training data. A recipe says
    how many of one of the two it takes, and counts `milestones` and `warmup` in the same unit.

    Attributes:
        epochs: Length of the training in epochs; `patience` may end it sooner. Set this or `steps`.
        steps: Length of the training in steps.
        batch_size: Samples per batch.
        learning_rate: The peak of the `one-cycle` schedule, else the value it starts from.
        optimizer: The optimizer of torch with this name.
        weight_decay: As torch's optimizer takes it.
        schedule: `multi-step` multiplies the learning rate by `decay` after each of `milestones`;
            `cosine` lowers it along half a cosine to zero at the end (Loshchilov and Hutter,
            "SGDR", ICLR 2017, without restarts); `one-cycle` is torch's `OneCycleLR`, which warms
            up by itself and moves β₁ or the momentum too. All are computed per step.
        milestones: Epochs or steps, rising.
        decay: The factor of `multi-step`.
        gradient_clip: The largest norm of all gradients together; 0 clips nothing.
        validate_every: Interval in steps or epochs, such as `500 steps` or `0.25 epochs`; the
            network is also validated at the end. Not in seconds, because it decides which weights
            are selected, and that must not depend on the machine.
        select: Which weights are kept: `best` are those with the lowest label error rate of all
            validations (the first of several), `last` those of the last step.
        betas: Of `adam` and `adamw`.
        momentum: Of `sgd`.
        warmup: Epochs or steps, or a part of an epoch, over which the learning rate rises linearly
            from zero.
        accumulate: Batches whose gradients make one step, each weighted by its samples. This
            equals one larger batch where a loss is a mean over samples and no layer looks across
            a batch, as batch normalization does.
        precision: What the network computes in during training. `float32` is IEEE single precision
            in every operation, on GPUs too. `tf32` rounds the factors of matrix products and
            convolutions to 10 bits of mantissa; `bf16` and `fp16` are torch's autocast. `tf32` and
            `fp16` need a GPU. Weights, losses and everything that is scored are float32.
        patience: End training once this many validations in a row have not lowered the label error
            rate; 0 never.
        augmentation: Random changes of training samples; `bench ls augmentations` lists them. None,
            which bench.toml spells "none", changes nothing.

    Raises:
        BenchError: Not exactly one of `epochs` and `steps` is set, a key is set that nothing reads,
            `multi-step` lacks its keys, or `validate_every` is not an interval.
    """

    epochs: NonNegativeInt = 0
    steps: NonNegativeInt = 0
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    optimizer: Literal["adam", "adamw", "sgd", "adadelta"] = "adam"
    weight_decay: NonNegativeFloat = 0.0
    schedule: Literal["constant", "one-cycle", "multi-step", "cosine"] = "constant"
    milestones: tuple[PositiveInt, ...] = ()
    decay: PositiveFloat = 1.0
    gradient_clip: NonNegativeFloat = 0.0
    validate_every: Annotated[str, Parsed(_steps_or_epochs)] = "1 epoch"
    select: Literal["best", "last"] = "best"
    betas: tuple[BelowOne, BelowOne] = (0.9, 0.999)
    momentum: BelowOne = 0.0
    warmup: NonNegativeFloat = 0.0
    accumulate: PositiveInt = 1
    precision: Precision = "float32"
    patience: NonNegativeInt = 0
    augmentation: Annotated[Augmentation | None, Parsed(parse_augmentation)] = None

    def __post_init__(self) -> None:
        if bool(self.epochs) == bool(self.steps):
            lengths = f"epochs = {self.epochs} and steps = {self.steps}"
            raise SchemaError("epochs", f"{lengths}: set one of the two to at least 1")
        try:
            interval = Interval.parse(self.validate_every, allow_seconds=False)
        except BenchError as error:
            raise BenchError(f"validate_every: {error}") from None
        # Equal intervals have equal keys, however they are spelled.
        object.__setattr__(self, "validate_every", str(interval))
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

    @property
    def validation_interval(self) -> Interval:
        """How often the network is validated."""
        return Interval.parse(self.validate_every)

    @property
    def validations(self) -> int | None:
        """The number of validations without patience.

        None where it depends on the size of the data: length and `validate_every` differ in unit.
        """
        interval = self.validation_interval
        if self.steps and interval.unit == "steps":
            return math.ceil(self.steps / interval.amount)
        if self.epochs and interval.unit == "epochs":
            return math.ceil(self.epochs / interval.amount)
        return None

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
        cpus: Compute threads per device, which decide the last bits of a training: they are part of
            its key.
        gpus: A share of one GPU per device; not requested where the machine has none.
        devices: How many devices train one network together, each with its rows of every batch
            (data-parallel). Part of the key, because sums over devices round otherwise. Evaluations
            use one device.
        device: `auto` computes on the GPU that the task was given, else on the CPU.
        time_limit: Seconds after which an attempt is ended, hung or not; 0 never ends it.
        checkpoint_every: Interval such as `60 seconds` or `1000 steps`; a training that is killed
            resumes at its last checkpoint.
        log_every: Interval at which progress is reported. A report waits for the device, so a short
            interval slows training on a GPU.
        workers: Processes per device that prefetch batches; 0 reads them in the training process,
            on a GPU in a thread beside it. `auto`: on a GPU the cores of its machine, shared by its
            GPUs, that are no compute threads, at most 16; on a CPU 0. They change no number.
        batch_size: Samples per batch that recognizers from outside bench read; a recipe has the
            batch size of what is trained.

    Raises:
        BenchError: A device is to have more than one GPU, several devices are to share one, or an
            interval cannot be read.
    """

    cpus: PositiveInt = 1
    gpus: NonNegativeFloat = 0.0
    devices: PositiveInt = 1
    device: Literal["auto", "cpu", "cuda"] = "auto"
    time_limit: NonNegativeFloat = 0.0
    checkpoint_every: Annotated[str, Parsed(_interval)] = "60 seconds"
    log_every: Annotated[str, Parsed(_interval)] = "0.5 seconds"
    workers: NonNegativeInt | Literal["auto"] = 0
    batch_size: PositiveInt = 32

    def __post_init__(self) -> None:
        for name in ("checkpoint_every", "log_every"):
            try:
                Interval.parse(getattr(self, name))
            except BenchError as error:
                raise BenchError(f"{name}: {error}") from None
        if self.gpus > 1:
            raise BenchError(
                f"gpus = {self.gpus:g}: a device is one GPU; set gpus = 1 and devices = "
                f"{math.ceil(self.gpus)} to train on several"
            )
        if self.devices > 1 and 0 < self.gpus < 1:
            raise BenchError(
                f"devices = {self.devices} and gpus = {self.gpus:g}: several devices cannot share "
                "a GPU; set gpus = 1, or devices = 1"
            )

    def count_workers(self, cores: float) -> int:
        """Return the number of workers per device.

        Args:
            cores: What `auto` goes by: the cores of a machine that one of its GPUs may use; 0 where
                the device is the CPU, which reads as fast by itself.
        """
        if self.workers != "auto":
            return self.workers
        return max(0, min(int(cores) - self.cpus, _MAX_WORKERS))
