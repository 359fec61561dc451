"""What a dataset, a model and a loss are to bench: frozen dataclasses of parameters.

Declaring them costs no torch: it is imported where `build` and its kin do the work, so that grids,
keys and listings stay instant. A component is one file in `bench/data/sources/`, `bench/models/` or
`bench/losses/` (or an entry point of another package); nothing else has to know of it.

Shapes: N batch, T frames, U target length, C classes, D features, H and W pixels. Targets and
lengths follow `torch.nn.functional.ctc_loss`; blank is class 0.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sized
from dataclasses import MISSING, asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Input = Literal["frames", "image"]
"""`frames`: a clip (N, T, channels, H, W); `image`: a text line (N, channels, H, W)."""
Output = Literal["frames", "symbols"]
"""`frames`: a feature a frame, aligned by a CTC loss; `symbols`: a feature an output symbol."""
DecoderFamily = Literal["ctc", "counts", "symbols"]
"""`ctc`: repeats are merged, then blanks dropped; `counts`: blanks are dropped, and that is all;
`symbols`: all up to the first end."""


class InputShape(NamedTuple):
    """One frame or one image: channels, height and width in pixels; 0 where widths differ."""

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
    `texts` are the N transcripts as they were given, where targets cannot say all of them; empty
    where they can.
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor
    key_frames: Tensor
    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def to(self, device: str) -> Batch:
        """Return this batch with its tensors on `device`."""
        return Batch(
            self.inputs.to(device),
            self.lengths.to(device),
            self.targets.to(device),
            self.target_lengths.to(device),
            self.key_frames.to(device),
            self.ids,
            self.texts,
        )


class Supervision(NamedTuple):
    """What a batch of features should read: targets (N, U) and their lengths (N,).

    `lengths` (N,) counts the valid frames, or the steps of a network that emits symbols. Targets
    are padded with blanks; all are int64.
    """

    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor


class Features(NamedTuple):
    """What a network makes of a batch.

    `sequence` is (N, T, D), a feature a frame, or (N, S, D), a feature an output symbol. `visual`
    (N, T, V) is what each frame shows before a sequence module puts it in context, None where the
    network has no such two stages.
    """

    sequence: Tensor
    visual: Tensor | None = None


class Widths(NamedTuple):
    """The sizes D and V of a network's `Features`."""

    sequence: int
    visual: int | None = None


Feed = Callable[["Tensor"], "Tensor | None"]
"""What a network reads back of its own output: given a step's features (N, D), it returns the
classes (N,) to go on from, or None to end."""


class Truth(NamedTuple):
    """One sample without its pixels: its frames or columns, and the classes to be read."""

    id: str
    length: int
    target: tuple[int, ...]


class Batches(Sized, Protocol):
    """A pass over a split: its number of batches, and each of them, read when it is asked for.

    It can be pickled, so that other processes may read ahead: a batch is the same one wherever it
    is read, and takes nothing from a global random generator.
    """

    def __getitem__(self, index: int, /) -> Batch: ...


class Source(Protocol):
    """A dataset made ready to read.

    `vocabulary[c - 1]` is the token of class c; class 0 is blank.
    """

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens of the classes from 1."""
        ...

    @property
    def input_shape(self) -> InputShape:
        """The shape of a frame or an image."""
        ...

    def truths(self, split: Split, *, seed: int = 0) -> Iterable[Truth]:
        """Return what is to be read in every sample of `split`, without touching its pixels.

        Where each epoch of `train` draws its samples anew, those of the first.
        """
        ...

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> Batches:
        """Return one pass over `split`; only `train` depends on seed and epoch."""
        ...


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


class FrameNetwork(Protocol):
    """A built model: (inputs, lengths) to features of frames and their lengths (N,)."""

    widths: Widths

    def __call__(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return features and lengths."""
        ...

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the lengths (N,) that inputs of `lengths` (N,) will have, without reading them."""
        ...


class SymbolNetwork(Protocol):
    """A built model: (inputs, lengths, feed) to features of S symbols, S at most `steps`.

    One that reads its output back starts from class 0, gives `feed` the features of each step and
    stops where that returns None. One that emits all symbols at once does not call it.
    """

    widths: Widths
    steps: int

    def __call__(self, inputs: Tensor, lengths: Tensor, feed: Feed) -> Features:
        """Return the features of every step."""
        ...


class Attentive(SymbolNetwork, Protocol):
    """A `SymbolNetwork` over images that can show where it looked. No network has to.

    With a recognizer's own symbols: `model.attend(inputs, lengths, Greedy(head))`. `cell` is the
    pixels (rows, columns) that a place of a map stands for.
    """

    cell: tuple[int, int]

    def attend(self, inputs: Tensor, lengths: Tensor, feed: Feed) -> tuple[Features, Tensor]:
        """Return what a call returns, and maps (N, S, H', W') of where each step looked.

        A map sums to 1. Its places lie side by side from the image's upper left corner; the last
        ones may reach beyond it.
        """
        ...


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
        from bench.nn.ctc import alignable

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
