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
"""Enough to feed a GPU with words decoded from JPEG."""
Precision = Literal["float32", "tf32", "bf16", "fp16"]
_READ_UNDER: tuple[tuple[set[str], str, tuple[str, ...]], ...] = (
    ({"milestones", "decay"}, "schedule", ("multi-step",)),
    ({"betas"}, "optimizer", ("adam", "adamw")),
    ({"momentum"}, "optimizer", ("sgd",)),
    ({"betas", "momentum", "warmup"}, "schedule", ("constant", "cosine", "multi-step")),
)
"""Keys of a recipe, the key that decides whether they have an effect, and its values for which they
have."""


def _steps_or_epochs(value: object) -> str:
    return str(Interval.parse(value, allow_seconds=False))


def _interval(value: object) -> str:
    return str(Interval.parse(value))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained; part of a training's key.

    A step is one update of the weights. An epoch is one pass over the training data. A recipe sets
    either `epochs` or `steps`; `milestones` and `warmup` count in the same unit.

    Attributes:
        epochs: Length of the training in epochs; `patience` may end it sooner. Set this or `steps`.
        steps: Length of the training in steps.
        batch_size: Samples per batch.
        learning_rate: The peak of the `one-cycle` schedule, else the value it starts from.
        optimizer: The optimizer of torch with this name.
        weight_decay: The parameter of torch's optimizer: an L2 penalty, decoupled for `adamw`.
        schedule: `multi-step` multiplies the learning rate by `decay` after each of `milestones`;
            `cosine` lowers it along half a cosine to zero at the end (Loshchilov and Hutter,
            "SGDR", ICLR 2017, without restarts); `one-cycle` is torch's `OneCycleLR`, which warms
            up by itself and changes β₁ or the momentum too. All are computed per step.
        milestones: For `multi-step`: epochs or steps, in increasing order.
        decay: For `multi-step`: the factor.
        gradient_clip: The largest L2 norm of all gradients together; 0 clips nothing.
        validate_every: Interval in steps or epochs, such as `500 steps` or `0.25 epochs`; the
            network is also validated at the end. Not in seconds, because it decides which weights
            are selected, and that must not depend on the machine.
        select: Which weights are kept: `best` are those with the lowest label error rate of all
            validations (the first of several), `last` those of the last step.
        betas: For `adam` and `adamw`: β₁ and β₂.
        momentum: For `sgd`.
        warmup: Epochs or steps, or a part of an epoch, over which the learning rate rises linearly
            from zero.
        accumulate: Batches whose gradients make one step, each weighted by its samples. This
            equals one larger batch where a loss is a mean over samples and no layer looks across
            a batch, as batch normalization does.
        precision: Number format of the network during training. `float32` is IEEE single precision
            in every operation, on GPUs too. `tf32` rounds the factors of matrix products and
            convolutions to 10 bits of mantissa; `bf16` and `fp16` are torch's autocast. `tf32` and
            `fp16` require a GPU. Weights, losses and evaluations are always float32.
        patience: Stop training after this many validations in a row without a lower label error
            rate; 0 never stops.
        augmentation: Random changes of training samples; `bench ls augmentations` lists them. None,
            "none" in bench.toml, changes nothing.

    Raises:
        BenchError: Not exactly one of `epochs` and `steps` is set, a key is set that has no effect,
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
        # Equal intervals have equal keys, however they are written.
        object.__setattr__(self, "validate_every", str(interval))
        for keys, reader, readers in _READ_UNDER:
            unread, value = self._changed() & keys, getattr(self, reader)
            if unread and value not in readers:
                raise BenchError(
                    f"'{min(unread)}' has an effect only with {reader} = "
                    f"{' or '.join(map(repr, readers))}, and here it is '{value}'; remove it"
                )
        if self.schedule == "multi-step" and not {"milestones", "decay"} <= self._changed():
            raise BenchError(
                "schedule = 'multi-step' requires 'milestones' and a 'decay' other than 1"
            )
        if list(self.milestones) != sorted({*self.milestones}):
            raise BenchError(f"milestones = {[*self.milestones]} must be in increasing order")

    @property
    def validation_interval(self) -> Interval:
        """How often the network is validated."""
        return Interval.parse(self.validate_every)

    @property
    def validations(self) -> int | None:
        """The number of validations if `patience` does not end training.

        None if length and `validate_every` differ in unit, so that it depends on the data.
        """
        interval = self.validation_interval
        if self.steps and interval.unit == "steps":
            return math.ceil(self.steps / interval.amount)
        if self.epochs and interval.unit == "epochs":
            return math.ceil(self.epochs / interval.amount)
        return None

    def values(self) -> dict[str, Any]:
        """Return all keys with their values, as bench.toml has them."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values["augmentation"] = spelled_augmentation(self.augmentation)
        return {name: [*v] if isinstance(v, tuple) else v for name, v in values.items()}

    def changed(self) -> dict[str, Any]:
        """Return the keys that are not at their defaults, as bench.toml has them."""
        return {name: value for name, value in self.values().items() if name in self._changed()}

    def spec(self) -> dict[str, Any]:
        """Return what the recipe adds to the key of a training: the values that are not defaults.

        Defaults are left out so that a new setting does not change the keys of earlier trainings.
        The augmentation adds its version and, from outside bench, its source.
        """
        own = {"augmentation": self.augmentation.spec()} if self.augmentation else {}
        return self.changed() | own

    def _changed(self) -> set[str]:
        return {field.name for field in fields(self) if getattr(self, field.name) != field.default}


@dataclass(frozen=True)
class Resources:
    """What a training or an evaluation reserves, and how it uses the machine.

    Attributes:
        cpus: Compute threads per device. They change the last bits of a training, so they are part
            of its key.
        gpus: Fraction of one GPU per device; ignored on a machine without GPUs.
        devices: Number of devices that train one network together, each with a part of every batch
            (data-parallel). Part of the key, because sums over devices round differently.
            Evaluations use one device.
        device: `auto` computes on the GPU that the task was given, else on the CPU.
        time_limit: Seconds after which an attempt is stopped; 0 sets no limit.
        checkpoint_every: Interval such as `60 seconds` or `1000 steps`; a training that is killed
            resumes from its last checkpoint.
        log_every: Interval of progress reports. A report waits for the device, so a short interval
            slows training on a GPU.
        workers: Processes per device that prefetch batches; 0 reads batches in the training
            process, on a GPU in a second thread. `auto`: on a CPU 0; on a GPU the cores of the
            machine per GPU, minus the compute threads, at most 16. Results do not depend on them.
        batch_size: Samples per batch for recognizers from outside bench; trainings use the batch
            size of their recipe.

    Raises:
        BenchError: A device has more than one GPU, several devices share one, or an interval is
            invalid.
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
            cores: For `auto`: the cores of the machine per GPU; 0 on a CPU, where prefetching in
                other processes gains nothing.
        """
        if self.workers != "auto":
            return self.workers
        return max(0, min(int(cores) - self.cpus, _MAX_WORKERS))
