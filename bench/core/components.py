"""What a dataset, a model and a loss are to bench: frozen dataclasses of parameters.

torch is imported inside `build` and similar methods alone, so that grids, keys and listings stay
instant. A component is one file in `bench/data/datasets/`, `bench/models/` or `bench/losses/`, or
an entry point of another package; nothing else has to know of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.types import DecoderFamily, InputKind, InputShape, Output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

    from bench.core.types import Batch, FeatureDims, Features, Feedback, InputPipeline, Targets


@dataclass(frozen=True)
class Component:
    """A named, versioned bundle of parameters. Raise `version` when its results change."""

    name: ClassVar[str]
    version: ClassVar[int] = 1

    def changed(self) -> dict[str, Any]:
        """Return every parameter that is not at its default."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.default is MISSING or getattr(self, field.name) != field.default
        }

    @property
    def label(self) -> str:
        """The name and every parameter that is not at its default, as boards print it."""
        listed = ", ".join(f"{name}={_shown(value)}" for name, value in self.changed().items())
        return f"{self.name}({listed})" if listed else self.name

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @classmethod
    def defaults(cls) -> dict[str, str]:
        """Return every parameter with its default, as a person writes it."""
        return {
            field.name: "required" if field.default is MISSING else _shown(field.default)
            for field in fields(cls)
        }

    def spec(self) -> dict[str, Any]:
        """The part of a trial's key that this component decides, as JSON values."""
        return {"name": self.name, "version": self.version, "parameters": asdict(self)}


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Dataset(Component, ABC):
    """Parameters of a dataset; `gives` says what its inputs are."""

    gives: ClassVar[InputKind]
    protocol: ClassVar[str]
    """The evaluation protocol this dataset is meant for."""
    overlaps: ClassVar[tuple[str, ...]] = ()
    """The datasets that have test samples of this one: no suite may count them twice."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a digest that changes when the data do. Cheap: `bench status` asks for it."""

    def trained_on(self) -> dict[str, Any]:
        """Return what of it decides a trial's weights, as JSON values.

        Trials that agree in it and in all else are trained once.
        """
        return self.spec() | {"fingerprint": self.fingerprint()}

    @abstractmethod
    def build(self) -> InputPipeline:
        """Read the data. Raises BenchError with what to do where they are missing or altered."""


class Model(Component, ABC):
    """Parameters of an architecture: a `FrameModel` or a `Seq2SeqModel`.

    Attributes:
        accepts: The kind of input that it reads.
        emits: What it computes features for: frames or output steps.
        visual: Whether its features have a visual stage below the sequence module.
    """

    accepts: ClassVar[InputKind]
    emits: ClassVar[Output]
    visual: ClassVar[bool] = False


class FrameModel(Model):
    """An architecture that computes one feature per frame; its loss aligns them with labels."""

    emits: ClassVar[Output] = "frames"

    @abstractmethod
    def build(self, shape: InputShape) -> nn.Module:
        """Return a new `FrameNetwork`, initialized from torch's global generator."""


class Seq2SeqModel(Model):
    """An architecture that computes one feature per output step, up to the end of sequence."""

    emits: ClassVar[Output] = "seq2seq"

    @abstractmethod
    def build(self, shape: InputShape, classes: int) -> nn.Module:
        """Return a new `Seq2SeqNetwork`, initialized from torch's global generator.

        `classes` counts class 0, which is the EOS and what the first step is fed.
        """


class Loss(Component, ABC):
    """A training objective with the classifier that it owns: a `FrameLoss` or a `Seq2SeqLoss`.

    Attributes:
        accepts: What it needs features of: frames or output steps.
        decoder: How the output of its classifier is decoded.
        visual: Whether it needs the visual features of a network too.
    """

    accepts: ClassVar[Output]
    decoder: ClassVar[DecoderFamily]
    visual: ClassVar[bool] = False

    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return the classifier of sequence features, from (…, D) to logits (…, classes).

        It is linear with a bias, unless a loss has another.
        """
        from torch import nn

        return nn.Linear(feature_dims.sequence, classes)

    @abstractmethod
    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the scalar to minimize. Features and targets are those of the augmented views."""

    @abstractmethod
    def feasible(self, targets: Targets) -> Tensor:
        """Return whether the output of each sample (N,) is long enough for its target.

        Infeasible samples add nothing to the objective.
        """

    def augmented_views(self, batch: Batch) -> Batch:
        """Return the batch to train on instead of `batch`: its augmented views, concatenated.

        The first N rows are a view of the N samples in order, and so are the next N. Random draws
        are taken from torch's global generator.
        """
        return batch

    def on_epoch_end(self, head: nn.Module) -> None:
        """Update what `head` keeps from epoch to epoch, after the last batch of each."""


class FrameLoss(Loss):
    """An objective that aligns frames with the labels of the target."""

    accepts: ClassVar[Output] = "frames"
    decoder: ClassVar[DecoderFamily] = "ctc"

    def feasible(self, targets: Targets) -> Tensor:
        """Return whether each sample (N,) has a CTC path: T ≥ U plus one blank per repeat."""
        from bench.nn.ctc_functions import feasible

        return feasible(*targets)


class Seq2SeqLoss(Loss):
    """An objective that compares the output steps with the labels of the target and their EOS."""

    accepts: ClassVar[Output] = "seq2seq"
    decoder: ClassVar[DecoderFamily] = "seq2seq"

    @abstractmethod
    def feedback(self, head: nn.Module, targets: Targets) -> Feedback:
        """Return what an autoregressive network is fed in training."""

    def feasible(self, targets: Targets) -> Tensor:
        """Return whether the target and its EOS fit in the steps of each sample (N,)."""
        return targets.lengths > targets.label_lengths


def incompatibility(dataset: Dataset, model: Model, loss: Loss) -> str | None:
    """Say in one clause why these three cannot be a trial, or None when they can."""
    if dataset.gives != model.accepts:
        return (
            f"dataset '{dataset.name}' gives {dataset.gives}, "
            f"model '{model.name}' reads {model.accepts}"
        )
    if model.emits != loss.accepts:
        return f"model '{model.name}' emits {model.emits}, loss '{loss.name}' scores {loss.accepts}"
    if loss.visual and not model.visual:
        return (
            f"loss '{loss.name}' needs visual features below a sequence module, "
            f"model '{model.name}' has none"
        )
    return None


def short_labels(labels: Iterable[str]) -> dict[str, str]:
    """Map each label to its bare name where no other label has that name, else to itself."""
    names: dict[str, set[str]] = {}
    for label in labels:
        names.setdefault(label.partition("(")[0], set()).add(label)
    return {
        label: name if len(same) == 1 else label for name, same in names.items() for label in same
    }
