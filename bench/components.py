"""What a dataset, a model and a loss are to bench: frozen dataclasses of parameters.

Declaring them costs no torch: it is imported where `build` and its kin do the work, so that grids,
keys and listings stay instant. A component is one file in `bench/data/sources/`, `bench/models/` or
`bench/losses/` (or an entry point of another package); nothing else has to know of it.

Shapes: N batch, T frames, U target length, C classes, D features, H and W pixels. Targets and
lengths follow `torch.nn.functional.ctc_loss`; blank is class 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sized
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor, nn

Split = Literal["train", "validation", "test"]
Input = Literal["frames", "image"]
"""`frames`: a clip (N, T, channels, H, W); `image`: a text line (N, channels, H, W)."""
Output = Literal["frames", "symbols"]
"""`frames`: a feature a frame, aligned by a CTC loss; `symbols`: a feature an output symbol."""


class InputShape(NamedTuple):
    """One frame or one image: channels, height and width in pixels."""

    channels: int
    height: int
    width: int


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


class Batch(NamedTuple):
    """What a model reads and a loss scores.

    `inputs` is (N, T, channels, H, W) or (N, channels, H, W), float32; `lengths` (N,) counts valid
    frames or columns; `targets` (N, U) is padded with blanks behind `target_lengths` (N,);
    `key_frames` (N, U) is the true frame of each label, -1 where unknown. Integers are int64.
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor
    key_frames: Tensor
    ids: tuple[str, ...]

    def to(self, device: str) -> Batch:
        """Return this batch with its tensors on `device`."""
        return Batch(
            self.inputs.to(device),
            self.lengths.to(device),
            self.targets.to(device),
            self.target_lengths.to(device),
            self.key_frames.to(device),
            self.ids,
        )


class Supervision(NamedTuple):
    """What a batch of features should read: valid frames (N,), targets (N, U), their lengths (N,).

    Targets are padded with blanks; all are int64.
    """

    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor


class Batches(Sized, Protocol):
    """A pass over a split: its number of batches, and the batches."""

    def __iter__(self) -> Iterator[Batch]: ...


class Source(Protocol):
    """A dataset made ready to read.

    `vocabulary[c - 1]` is the token of class c; class 0 is blank.
    """

    vocabulary: tuple[str, ...]
    input_shape: InputShape

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> Batches:
        """Return one pass over `split`; only `train` depends on seed and epoch."""
        ...


class Dataset(Component, ABC):
    """Parameters of a dataset; `gives` says what its inputs are."""

    gives: ClassVar[Input]
    protocol: ClassVar[str]
    """The evaluation protocol this dataset is meant for."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a digest that changes when the data do. Cheap: `bench status` asks for it."""

    @abstractmethod
    def build(self) -> Source:
        """Read the data. Raises BenchError with what to do where they are missing or altered."""


class FrameModel(Protocol):
    """A built model: (inputs, lengths) to features (N, T, D) and their lengths (N,)."""

    features: int

    def __call__(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return features and lengths."""
        ...


class Model(Component, ABC):
    """Parameters of an architecture: which inputs it accepts, and what it emits."""

    accepts: ClassVar[Input]
    emits: ClassVar[Output]

    @abstractmethod
    def build(self, shape: InputShape) -> nn.Module:
        """Return a fresh `FrameModel`, initialised from torch's global generator."""


class Loss(Component, ABC):
    """A training objective together with the classifier that it owns."""

    accepts: ClassVar[Output]

    @abstractmethod
    def head(self, features: int, classes: int) -> nn.Module:
        """Return the classifier from (…, features) to logits (…, classes)."""

    @abstractmethod
    def objective(self, head: nn.Module, features: Tensor, supervision: Supervision) -> Tensor:
        """Return the scalar to minimise, from features (N, T, D) and what they should read."""


def incompatibility(dataset: Dataset, model: Model, loss: Loss) -> str | None:
    """Say in one clause why these three cannot be a trial, or None when they can."""
    if dataset.gives != model.accepts:
        return (
            f"dataset '{dataset.name}' gives {dataset.gives}, "
            f"model '{model.name}' reads {model.accepts}"
        )
    if model.emits != loss.accepts:
        return f"model '{model.name}' emits {model.emits}, loss '{loss.name}' scores {loss.accepts}"
    return None


def short_labels(labels: Iterable[str]) -> dict[str, str]:
    """Map each label to its bare name where no other label has that name, else to itself."""
    names: dict[str, set[str]] = {}
    for label in labels:
        names.setdefault(label.partition("(")[0], set()).add(label)
    return {
        label: name if len(same) == 1 else label for name, same in names.items() for label in same
    }
