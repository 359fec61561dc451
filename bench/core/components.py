"""What a dataset, a model and a loss are to bench: frozen dataclasses of parameters.

torch is imported inside `build` and similar methods alone, so that grids, keys and listings stay
instant. A component is one file in `bench/data/datasets/`, `bench/models/` or `bench/losses/`, or
an entry point of another package; nothing else has to know of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from bench.core.files import file_digest, file_parameters
from bench.core.types import DecoderFamily, Input, InputShape, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor, nn

    from bench.core.types import Batch, Features, Feed, Source, Supervision, Widths
    from bench.decoding.algorithms.decoded import Decoded


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

    gives: ClassVar[Input]
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
    def build(self) -> Source:
        """Read the data. Raises BenchError with what to do where they are missing or altered."""


class Model(Component, ABC):
    """Parameters of an architecture: a `FrameModel` or a `SymbolModel`."""

    accepts: ClassVar[Input]
    emits: ClassVar[Output]
    visual: ClassVar[bool] = False
    """Whether its features have a visual stage below the sequence module."""


class FrameModel(Model):
    """An architecture that emits a feature a frame, to be aligned by its loss."""

    emits: ClassVar[Output] = "frames"

    @abstractmethod
    def build(self, shape: InputShape) -> nn.Module:
        """Return a fresh `FrameNetwork`, initialised from torch's global generator."""


class SymbolModel(Model):
    """An architecture that emits a feature an output symbol, until the class 0 ends them."""

    emits: ClassVar[Output] = "symbols"

    @abstractmethod
    def build(self, shape: InputShape, classes: int) -> nn.Module:
        """Return a fresh `SymbolNetwork`, initialised from torch's global generator.

        `classes` counts the class 0, which is also what it reads first.
        """


class Loss(Component, ABC):
    """A training objective with the classifier that it owns: a `FrameLoss` or a `SymbolLoss`."""

    accepts: ClassVar[Output]
    decoder: ClassVar[DecoderFamily]
    """What reads the classifier's output."""
    visual: ClassVar[bool] = False
    """Whether it needs the visual features too."""

    def head(self, widths: Widths, classes: int) -> nn.Module:
        """Return the classifier of sequence features, from (…, D) to logits (…, classes).

        Linear with bias, unless a loss has another.
        """
        from torch import nn

        return nn.Linear(widths.sequence, classes)

    @abstractmethod
    def objective(self, head: nn.Module, features: Features, supervision: Supervision) -> Tensor:
        """Return the scalar to minimise, from features and what they should read."""

    @abstractmethod
    def alignable(self, supervision: Supervision) -> Tensor:
        """Return whether each sample (N,) has room for its target; others add nothing."""

    def views(self, batch: Batch) -> Batch:
        """Return what to train on instead of `batch`: of more than one view, one behind the other.

        It draws from torch's global generator.
        """
        return batch


class FrameLoss(Loss):
    """An objective that aligns a feature a frame with the target."""

    accepts: ClassVar[Output] = "frames"
    decoder: ClassVar[DecoderFamily] = "ctc"

    def alignable(self, supervision: Supervision) -> Tensor:
        """Return whether each sample (N,) has a CTC path: T ≥ U and a blank for each repeat."""
        from bench.nn.ctc_functions import alignable

        return alignable(*supervision)


class SymbolLoss(Loss):
    """An objective that compares a feature an output symbol with the target and its end."""

    accepts: ClassVar[Output] = "symbols"
    decoder: ClassVar[DecoderFamily] = "symbols"

    @abstractmethod
    def feed(self, head: nn.Module, supervision: Supervision) -> Feed:
        """Return what a network in training reads back."""

    def alignable(self, supervision: Supervision) -> Tensor:
        """Return whether the target and its end fit in the steps of each sample (N,)."""
        return supervision.lengths > supervision.target_lengths


class Decoder(Component, ABC):
    """A way to turn a classifier's logits into labels.

    A parameter that names a file is declared as `bench.core.files.InputFile`. The key then depends
    on the content of that file and not on its path, and labels show its name without its folder.

    Attributes:
        families: The decoder families that it reads; see `DecoderFamily`.
    """

    families: ClassVar[frozenset[DecoderFamily]]

    def reads(self, family: DecoderFamily) -> bool:
        """Return whether it reads classifiers of this family."""
        return family in self.families

    @abstractmethod
    def build(
        self, family: DecoderFamily, vocabulary: tuple[str, ...]
    ) -> Callable[[Tensor, Tensor], Decoded]:
        """Return the decoding function of logits (N, T, C) and their lengths (N,).

        Args:
            family: A family that it reads.
            vocabulary: The tokens of the classes from 1: `vocabulary[c - 1]` is that of class c.

        Raises:
            BenchError: A file of it is missing or malformed, or does not suit the vocabulary.
        """

    def notes(self, vocabulary: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Return sentences on what it cannot read or use with a vocabulary, empty in most cases."""
        return ()

    @property
    def label(self) -> str:
        """The name and every parameter that is not at its default; files without their folders."""
        values = self.changed()
        for name in file_parameters(type(self)):
            if values.get(name) is not None:
                values[name] = PurePath(values[name]).name
        listed = ", ".join(f"{name}={_shown(value)}" for name, value in values.items())
        return f"{self.name}({listed})" if listed else self.name

    def spec(self) -> dict[str, Any]:
        """Return its part of a key: each file is represented by the SHA-256 of its content.

        Raises:
            BenchError: A file is missing.
        """
        spec = super().spec()
        for name in file_parameters(type(self)):
            path = getattr(self, name)
            if path is not None:
                digest = file_digest(path, f"{name} of decoder '{self.name}'")
                spec["parameters"][name] = {"sha256": digest}
        return spec


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
