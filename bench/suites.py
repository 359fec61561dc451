"""What a suite is: a grid, its recipe, its resources and its protocol, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bench.errors import BenchError
from bench.schema import Count, Natural, NonNegative, Positive

if TYPE_CHECKING:
    from bench.components import Dataset, Loss, Model
    from bench.metrics.protocols import Protocol
    from bench.sweeps.sweep import SweepTable


@dataclass(frozen=True)
class Recipe:
    """How a trial is trained; part of its key.

    `learning_rate` is the peak of the `one-cycle` schedule; `multi-step` multiplies it by `decay`
    after each epoch of `milestones`. `gradient_clip` bounds the norm of all gradients (0: no
    bound). `select` says which epoch's weights are tested: the one with the lowest validation CER
    (the first of several), or the last.
    """

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    optimizer: Literal["adam", "adamw", "sgd", "adadelta"] = "adam"
    weight_decay: NonNegative = 0.0
    schedule: Literal["constant", "one-cycle", "multi-step"] = "constant"
    milestones: tuple[Count, ...] = ()
    decay: Positive = 1.0
    gradient_clip: NonNegative = 0.0
    select: Literal["best", "last"] = "best"

    def __post_init__(self) -> None:
        """Raise BenchError where the keys of `multi-step` stand without it, or it without them."""
        given = {bool(self.milestones), self.decay != 1}
        if self.schedule == "multi-step" and given != {True}:
            raise BenchError(
                "schedule = 'multi-step' wants 'milestones', and a 'decay' other than 1"
            )
        if self.schedule != "multi-step" and given != {False}:
            raise BenchError(
                "'milestones' and 'decay' are read by schedule = 'multi-step' alone, "
                f"and here it is '{self.schedule}'"
            )
        if list(self.milestones) != sorted({*self.milestones}):
            raise BenchError(f"milestones = {[*self.milestones]} do not rise from one to the next")

    def spec(self) -> dict[str, Any]:
        """Return the part of a trial's key that the recipe decides, as JSON values.

        What only `multi-step` reads is no part of the key of another schedule.
        """
        spec = asdict(self) | {"milestones": [*self.milestones]}
        if self.schedule != "multi-step":
            del spec["milestones"], spec["decay"]
        return spec


@dataclass(frozen=True)
class Resources:
    """What a trial reserves; recorded, but no part of its key.

    `cpus` is also its number of compute threads. `gpus` may be a fraction; where the machine has
    none, it is not asked for. `device = "auto"` computes on the GPU that a trial got, else the CPU.
    `time_limit` ends an attempt, hung or not, after that many seconds (0: never); training is saved
    after the first epoch that ends `checkpoint_every` seconds after the last save.
    """

    cpus: Count = 1
    gpus: NonNegative = 0.0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    time_limit: NonNegative = 0.0
    checkpoint_every: NonNegative = 60.0

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
