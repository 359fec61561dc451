"""What a dataset, a model, a loss and so on are to bench: frozen dataclasses of parameters.

torch is imported inside `build` and similar methods alone, so that grids, keys and listings stay
instant. A component is one file in `bench/data/datasets/`, `bench/data/augmentation/`,
`bench/models/`, `bench/losses/`, `bench/decoding/` or `bench/recognizers/`, or an entry point of
another package; nothing else has to know of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bench.core.files import PACKAGE, existing_file, file_digest, file_parameters, located_file
from bench.core.model_input import Input
from bench.core.schema import Tabular
from bench.core.sources import source_spec
from bench.core.types import DecoderFamily, InputKind, InputShape, Output, Split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from bench.core.recognition import TextReader, Workplace
    from bench.core.types import Batch, FeatureDims, Features, InputPipeline, Targets
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.decoding.algorithms.decoded import Decoded
    from bench.evaluation.protocols import Protocol


@dataclass(frozen=True)
class Component:
    """A named, versioned bundle of parameters. Raise `version` when its results change."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    kind: ClassVar[str]
    """What it is, as errors call it."""

    def changed(self) -> dict[str, Any]:
        """Return every parameter that is not at its default."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.default is MISSING or getattr(self, field.name) != field.default
        }

    @property
    def label(self) -> str:
        """The name and every parameter that is not at its default, as boards print it.

        Files are shown without their folders.
        """
        component: type = type(self)
        values = self.changed()
        for name in file_parameters(component):
            if values.get(name) is not None:
                values[name] = PurePath(values[name]).name
        listed = ", ".join(f"{name}={_shown(value)}" for name, value in values.items())
        return f"{self.name}({listed})" if listed else self.name

    def toml(self) -> str | dict[str, Any]:
        """Return it as bench.toml spells it: its name, or a table with what is not a default."""
        changed = {name: _written(value) for name, value in self.changed().items()}
        return {"name": self.name, **changed} if changed else self.name

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

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with the paths among them found from the folder of bench.toml, `home`.

        Values are not checked yet, so they may be of any type. Files of packages are looked for
        when they are needed, because a suite can be used in part where a package is missing.

        Raises:
            BenchError: Another file is missing.
        """
        component: type = cls
        files = {
            name: located_file(parameters[name], home)
            for name in file_parameters(component)
            if isinstance(parameters.get(name), str)
        }
        for name, path in files.items():
            if not path.startswith(PACKAGE):
                existing_file(path, f"{name} of {cls.kind} '{cls.name}'")
        return parameters | files

    def spec(self) -> dict[str, Any]:
        """Return what this component adds to a key, as JSON values.

        Of a component from outside bench also the SHA-256 of its source file: an edited loss is
        another loss. Components of bench raise `version` instead. A parameter that is declared as
        `bench.core.files.InputFile` is represented by the SHA-256 of its content, one that is a
        component by the spec of that.

        Raises:
            BenchError: A file is missing.
        """
        component: type = type(self)
        parameters = asdict(self)
        for name in parameters:
            if isinstance(value := getattr(self, name), Component):
                parameters[name] = value.spec()
        for name in file_parameters(component):
            if (path := getattr(self, name)) is not None:
                digest = file_digest(path, f"{name} of {self.kind} '{self.name}'")
                parameters[name] = {"sha256": digest}
        spec = {"name": self.name, "version": self.version, "parameters": parameters}
        return spec | source_spec(component)


def _shown(value: object) -> str:
    if isinstance(value, Component):
        return value.label
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(value: object) -> object:
    """Return a value of a parameter as TOML has it."""
    return value.toml() if isinstance(value, Tabular) else value


class Dataset(Component, ABC):
    """Annotated samples in splits.

    A data set knows neither the size of a network's input nor who is trained on it. The protocol
    that it is meant for, its counts and its overlaps with other data sets stand on its card alone.

    Attributes:
        gives: Whether its samples are clips ("frames") or images ("image").
    """

    kind: ClassVar[str] = "dataset"
    gives: ClassVar[InputKind]

    @abstractmethod
    def splits(self) -> tuple[Split, ...]:
        """Return the splits that it has. Raises BenchError where it is not prepared."""

    @abstractmethod
    def fingerprint(self, split: Split) -> str:
        """Return a digest of one split: of the identities, transcripts and pixels of its samples.

        It is cheap, for `bench status` asks for it. Raises BenchError where the data set is not
        prepared or has no such split.
        """

    @abstractmethod
    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return what a network learns to read of its transcripts.

        Args:
            alphabet: The protocol whose characters are learned; None: the data set's own.

        Raises:
            BenchError: Its transcripts cannot be read in `alphabet`.
        """

    @abstractmethod
    def open(
        self,
        model_input: Input,
        encoder: LabelEncoder,
        augmentation: Augmentation | None = None,
    ) -> InputPipeline:
        """Return what reads its splits in batches.

        Trainings and evaluations call it through `bench.data.opening`, which joins data sets.

        Args:
            model_input: What a network is shown, of the kind `gives`.
            encoder: Maps transcripts to classes.
            augmentation: Applied to the split train alone; None: nothing is.

        Raises:
            BenchError: The data are missing or altered, or cannot be shown so; it says what to do.
        """


class Augmentation(Component, ABC):
    """Random changes of training samples: an `ImageAugmentation` or a `ClipAugmentation`.

    A sample is changed by the draws of a generator of its own, which is seeded by the seed, the
    epoch and the number of the sample in the split. So a sample is the same in a batch of any size,
    read by any process.

    Attributes:
        accepts: The kind of input that it changes.
    """

    kind: ClassVar[str] = "augmentation"
    accepts: ClassVar[InputKind]


class ImageAugmentation(Augmentation):
    """Random changes of images of words and lines.

    Attributes:
        stage: `stored`: it changes an image at the size at which it is stored, with the margin of
            the input around it. `scaled`: it changes an image that was scaled to the height of the
            input, so that its pixels mean the same for every data set, and it costs less on large
            images.
    """

    accepts: ClassVar[InputKind] = "image"
    stage: ClassVar[Literal["stored", "scaled"]] = "stored"

    @abstractmethod
    def augment(
        self, pixels: NDArray[np.uint8], generator: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Return an image changed at random, of the same size.

        Args:
            pixels: Gray (H, W), or red, green and blue (H, W, 3). They may not be written to.
            generator: What all random choices are drawn from.
        """


class ClipAugmentation(Augmentation):
    """Random changes of clips. The methods are called once per clip, in the order given here.

    Each of them changes nothing unless it is overridden.
    """

    accepts: ClassVar[InputKind] = "frames"

    def choose_frames(
        self,
        count: int,
        generator: np.random.Generator,  # noqa: ARG002 (all frames are chosen)
    ) -> NDArray[np.int64]:
        """Return the numbers of the frames that are read of a clip of `count`, in their order."""
        import numpy as np

        return np.arange(count)

    def crop_corner(
        self,
        spare: tuple[int, int],
        generator: np.random.Generator,  # noqa: ARG002 (the crop is the middle one)
    ) -> tuple[int, int]:
        """Return the row and the column at which the crop begins; `spare` is the last of each."""
        return spare[0] // 2, spare[1] // 2

    def augment(
        self,
        frames: NDArray[np.uint8],
        generator: np.random.Generator,  # noqa: ARG002 (nothing is changed)
    ) -> NDArray[np.uint8]:
        """Return the cropped frames (T, H, W, 3) of a clip, all changed alike, of the same size."""
        return frames


class Model(Component, ABC):
    """Parameters of an architecture: a `FrameModel` or a `Seq2SeqModel`.

    Attributes:
        accepts: The kind of input that it reads.
        emits: What it computes features for: frames or output steps.
        visual: Whether its features have a visual stage below the sequence module.
    """

    kind: ClassVar[str] = "model"
    accepts: ClassVar[InputKind]
    default_input: ClassVar[Input]
    """The input that the architecture was made for; an entry of a suite may override parts."""
    emits: ClassVar[Output]
    visual: ClassVar[bool] = False

    @property
    def reads_padding(self) -> bool:
        """Whether features depend on the padding of a batch, as those of some papers do."""
        return False


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
    """A training objective with the classifier that it owns; `bench.losses.base` has the two kinds.

    Attributes:
        accepts: What it needs features of: frames or output steps.
        decoder: How the output of its classifier is decoded.
        visual: Whether it needs the visual features of a network too.
    """

    kind: ClassVar[str] = "loss"
    accepts: ClassVar[Output]
    decoder: ClassVar[DecoderFamily]
    visual: ClassVar[bool] = False

    @abstractmethod
    def head(self, feature_dims: FeatureDims, classes: int) -> nn.Module:
        """Return the classifier of sequence features, from (…, D) to logits (…, classes)."""

    @abstractmethod
    def objective(self, head: nn.Module, features: Features, targets: Targets) -> Tensor:
        """Return the scalar to minimize. Features and targets are those of the augmented views.

        It runs without waiting for the device: labels are where the features are, lengths on the
        host. Means are those of `bench.nn.global_batch`, so that a training on several devices
        computes what one on a single device does.
        """

    @abstractmethod
    def feasible(self, targets: Targets) -> Tensor:
        """Return whether the output of each sample (N,) is long enough for its target.

        Infeasible samples add nothing to the objective. The result is where the labels are: on the
        device within an objective, on the host for what counts samples.
        """

    def augmented_views(self, batch: Batch) -> Batch:
        """Return the batch to train on instead of `batch`: its augmented views, concatenated.

        The first N rows are a view of the N samples in order, and so are the next N. Random draws
        are taken from torch's global generator, by `bench.nn.global_batch.from_rank_0`.
        """
        return batch

    def on_epoch_end(self, head: nn.Module) -> None:
        """Update what `head` keeps from epoch to epoch, after the last batch of each."""


class Decoder(Component, ABC):
    """A way to turn a classifier's logits into labels.

    Attributes:
        families: The decoder families that it reads; see `DecoderFamily`.
    """

    kind: ClassVar[str] = "decoder"
    families: ClassVar[frozenset[DecoderFamily]]

    def reads(self, family: DecoderFamily) -> bool:
        """Return whether it reads classifiers of this family."""
        return family in self.families

    @abstractmethod
    def build(
        self, family: DecoderFamily, vocabulary: tuple[str, ...]
    ) -> Callable[[Tensor, Tensor], Decoded]:
        """Return the decoding function of logits (N, T, C) and their lengths (N,).

        Logits may be on any device; lengths are on the host.

        Args:
            family: A family that it reads.
            vocabulary: The tokens of the classes from 1: `vocabulary[c - 1]` is that of class c.

        Raises:
            BenchError: A file of it is missing or malformed, or does not suit the vocabulary.
        """

    def notes(self, vocabulary: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Return sentences on what it cannot read or use with a vocabulary, empty in most cases."""
        return ()


class Recognizer(Component, ABC):
    """What reads images and was not trained by bench: a program, a library, a file.

    Its parameters are what decides its readings. Files among them are declared as
    `bench.core.files.InputFile`.

    Attributes:
        accepts: The kind of sample that it reads.
        origin: Whether bench runs it (`pretrained`) or others did (`predictions`).
        timed: Whether its latency is measured; that of a paid service is not.
    """

    kind: ClassVar[str] = "recognizer"
    accepts: ClassVar[InputKind] = "image"
    origin: ClassVar[Literal["pretrained", "predictions"]] = "pretrained"
    timed: ClassVar[bool] = True

    @abstractmethod
    def open(self, workplace: Workplace) -> AbstractContextManager[TextReader]:
        """Return what reads, ready to be called; leaving the context frees all that it holds.

        Raises:
            BenchError: A library, program or file is missing or not what it has to be; it says
                what to do.
        """

    @property
    def training_data(self) -> tuple[str, ...] | None:
        """The data that it was trained on, as its authors state them; None: they are not stated."""
        return None


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
