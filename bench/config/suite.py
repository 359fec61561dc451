"""What a suite is: a grid, its recipe, its resources and its protocol, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bench.core.errors import BenchError
from bench.core.schema import BelowOne, Count, Natural, NonNegative, Positive

if TYPE_CHECKING:
    from bench.config.sweep_space import SweepTable
    from bench.core.components import Dataset, Loss, Model
    from bench.evaluation.protocols import Protocol


Precision = Literal["float32", "bf16", "fp16"]
_FIRST = {
    "epochs",
    "batch_size",
    "learning_rate",
    "optimizer",
    "weight_decay",
    "schedule",
    "gradient_clip",
    "select",
}
"""The keys of a recipe that every trial's key has, at their defaults too."""
_READERS: tuple[tuple[set[str], str, tuple[str, ...]], ...] = (
    ({"milestones", "decay"}, "schedule", ("multi-step",)),
    ({"betas"}, "optimizer", ("adam", "adamw")),
    ({"momentum"}, "optimizer", ("sgd",)),
    ({"betas", "momentum", "warmup"}, "schedule", ("constant", "cosine", "multi-step")),
)
"""Keys of a recipe, and the words of another key under which alone they are read."""


@dataclass(frozen=True)
class Recipe:
    """How a trial is trained; part of its key.

    `batch_size` samples are read at once; the gradients of `accumulate` batches make one step, each
    weighed by its samples. That is the step of one larger batch where a loss is a mean over samples
    and no layer looks across a batch, as batch normalisation does.

    `learning_rate` is the peak of the `one-cycle` schedule; `multi-step` multiplies it by `decay`
    after each epoch of `milestones`, and `cosine` lowers it along half a cosine, to nothing at the
    end (Loshchilov and Hutter, "SGDR", ICLR 2017, without restarts). Over the first `warmup`
    epochs, or a part of one, it rises linearly from nothing. `betas` are those of `adam` and
    `adamw`, `momentum` is that of `sgd`; `one-cycle` warms up and moves β₁ or the momentum itself.
    `gradient_clip` bounds the norm of all gradients (0: no bound).

    `precision` is what the network computes in while it is trained, `fp16` on a GPU alone; weights,
    losses and all that is read for a score are float32. Training ends before its last epoch once
    `patience` epochs have not lowered the validation CER (0: never). `select` says which epoch's
    weights are tested: the one with the lowest validation CER (the first of several), or the last.
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

    def __post_init__(self) -> None:
        """Raise BenchError on a key that nothing reads, and on `multi-step` without its keys."""
        for keys, reader, words in _READERS:
            idle, found = self._changed() & keys, getattr(self, reader)
            if idle and found not in words:
                raise BenchError(
                    f"'{min(idle)}' is read by {reader} = {' or '.join(map(repr, words))} alone, "
                    f"and here it is '{found}'"
                )
        if self.schedule == "multi-step" and not {"milestones", "decay"} <= self._changed():
            raise BenchError(
                "schedule = 'multi-step' wants 'milestones', and a 'decay' other than 1"
            )
        if list(self.milestones) != sorted({*self.milestones}):
            raise BenchError(f"milestones = {[*self.milestones]} do not rise from one to the next")

    def values(self) -> dict[str, Any]:
        """Return every key with its value, as JSON values."""
        return {
            name: [*value] if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    def spec(self) -> dict[str, Any]:
        """Return the part of a trial's key that the recipe decides, as JSON values.

        What recipes could not say at first is no part of it while at its default.
        """
        told = _FIRST | self._changed()
        return {name: value for name, value in self.values().items() if name in told}

    def _changed(self) -> set[str]:
        return {one.name for one in fields(self) if getattr(self, one.name) != one.default}


@dataclass(frozen=True)
class Resources:
    """What a trial reserves; recorded, but no part of its key.

    `cpus` is also its number of compute threads; `workers` more processes read batches ahead (0: it
    reads its own), which changes no number. `gpus` may be a fraction; where the machine has
    none, it is not asked for. `device = "auto"` computes on the GPU that a trial got, else the CPU.
    `time_limit` ends an attempt, hung or not, after that many seconds (0: never); training is saved
    after the first epoch that ends `checkpoint_every` seconds after the last save.
    """

    cpus: Count = 1
    gpus: NonNegative = 0.0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    time_limit: NonNegative = 0.0
    checkpoint_every: NonNegative = 60.0
    workers: Natural = 0

    def __post_init__(self) -> None:
        """Raise BenchError on a share of several GPUs, which no scheduler can give."""
        if self.gpus > 1 and not self.gpus.is_integer():
            raise BenchError(f"gpus = {self.gpus} is neither a share of one GPU nor whole ones")


@dataclass(frozen=True)
class Tuning:
    """How much tuning an entry had: a sweep's key, its sampler, and what was trained for it."""

    sweep: str
    sampler: str
    trials: Count
    epochs: Count


@dataclass(frozen=True)
class TunedTable:
    """A combination beside the grid, as bench.toml spells it; `training` changes the suite's."""

    dataset: str | dict[str, Any]
    model: str | dict[str, Any]
    loss: str | dict[str, Any]
    tuning: Tuning
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SuiteTable:
    """A suite as bench.toml spells it, before its names are looked up.

    A dataset, model or loss is a name, or a table of a name and parameters.
    """

    protocol: str
    datasets: list[str | dict[str, Any]]
    models: list[str | dict[str, Any]]
    losses: list[str | dict[str, Any]]
    training: dict[str, Any]
    about: str = ""
    seeds: list[Natural] = field(default_factory=lambda: [0])
    resources: dict[str, Any] = field(default_factory=dict)
    skip_incompatible: bool = False
    tuned: list[dict[str, Any]] = field(default_factory=list)
    sweep: dict[str, Any] | None = None


class Tuned(NamedTuple):
    """A combination beside the grid, with a recipe of its own, that a sweep found."""

    dataset: Dataset
    model: Model
    loss: Loss
    training: Recipe
    tuning: Tuning


@dataclass(frozen=True)
class Suite:
    """A named grid and its protocol, every name looked up."""

    name: str
    about: str
    protocol: Protocol
    datasets: tuple[Dataset, ...]
    models: tuple[Model, ...]
    losses: tuple[Loss, ...]
    seeds: tuple[int, ...]
    training: Recipe
    resources: Resources
    skip_incompatible: bool
    tuned: tuple[Tuned, ...] = ()
    sweep: SweepTable | None = None
