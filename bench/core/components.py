"""Base classes of components (data sets, models, losses, …): frozen dataclasses of parameters.

torch is imported only inside `build` and similar methods, so that grids, keys and listings are
fast. A component is one file in `bench/data/datasets/`, `bench/data/augmentation/`,
`bench/models/`, `bench/losses/`, `bench/decoding/` or `bench/recognizers/`, a plug-in, or an entry
point of another package; nothing else has to be changed for it.
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
    """A named, versioned set of parameters.

    Attributes:
        name: Its name in bench.toml.
        version: A number that is raised when its results change.
        kind: The kind of component, as errors call it.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    kind: ClassVar[str]

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
        listed = ", ".join(f"{name}={_display_value(value)}" for name, value in values.items())
        return f"{self.name}({listed})" if listed else self.name

    def toml(self) -> str | dict[str, Any]:
        """Return it as bench.toml has it: its name, or a table with parameters not at default."""
        changed = {name: _written(value) for name, value in self.changed().items()}
        return {"name": self.name, **changed} if changed else self.name

    @classmethod
    def summary(cls) -> str:
        """Return the first line of the docstring."""
        return (cls.__doc__ or "").strip().partition("\n")[0]

    @classmethod
    def defaults(cls) -> dict[str, str]:
        """Return every parameter with its default, as bench.toml has it."""
        return {
            field.name: "required" if field.default is MISSING else _display_value(field.default)
            for field in fields(cls)
        }

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with the paths among them found from the folder of bench.toml, `home`.

        Values are not checked yet, so they may be of any type. Files of packages are located when
        they are needed, because a suite can be used in part where a package is missing.

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
        """Return what this component adds to the keys of tasks, as JSON values.

        A component from outside bench adds the SHA-256 of its source file, because an edited loss
        is another loss; components of bench raise `version` instead. A parameter declared as
        `bench.core.files.InputFile` is represented by the SHA-256 of its content, a parameter that
        is a component by its spec.

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


def _display_value(value: object) -> str:
    if isinstance(value, Component):
        return value.label
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(value: object) -> object:
    """Return a value of a parameter as TOML has it."""
    return value.toml() if isinstance(value, Tabular) else value


class Dataset(Component, ABC):
    """Annotated samples in splits.

    A data set depends neither on the size of a network's input nor on models. Its usual protocol,
    counts and overlaps with other data sets are on its card only.

    Attributes:
        gives: Whether its samples are clips ("frames") or images ("image").
    """

    kind: ClassVar[str] = "dataset"
    gives: ClassVar[InputKind]

    @abstractmethod
    def splits(self) -> tuple[Split, ...]:
        """Return its splits. Raises BenchError where it is not prepared."""

    @abstractmethod
    def fingerprint(self, split: Split) -> str:
        """Return a digest of the identities, transcripts and pixels of one split.

        It has to be fast, because `bench status` calls it.

        Raises:
            BenchError: The data set is not prepared or has no such split.
        """

    @abstractmethod
    def label_encoder(self, alphabet: Protocol | None) -> LabelEncoder:
        """Return the encoder from transcripts to the classes of a network.

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
        """Return the pipeline that reads its splits in batches.

        Trainings and evaluations call it through `bench.data.opening`, which concatenates data
        sets.

        Args:
            model_input: The input of the network, of the kind `gives`.
            encoder: Maps transcripts to classes.
            augmentation: Applied to the split train only; None: no augmentation.

        Raises:
            BenchError: The data are missing or altered, or do not fit the input.
        """


class Augmentation(Component, ABC):
    """Random changes of training samples: an `ImageAugmentation` or a `ClipAugmentation`.

    Each sample has a random generator of its own, seeded by the seed, the epoch and the number of
    the sample in the split. So a sample does not depend on the batch size or the process.

    Attributes:
        accepts: The kind of input that it changes.
    """

    kind: ClassVar[str] = "augmentation"
    accepts: ClassVar[InputKind]


class ImageAugmentation(Augmentation):
    """Random changes of images of words and lines.

    Attributes:
        stage: `stored`: it changes an image at its stored size, with the margin of the input around
            it. `scaled`: it changes an image that was scaled to the height of the input, so that
            distances in pixels are comparable between data sets, and large images cost less.
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
            generator: The source of all random choices.
        """


class ClipAugmentation(Augmentation):
    """Random changes of clips. The methods are called once per clip, in this order.

    By default each of them changes nothing.
    """

    accepts: ClassVar[InputKind] = "frames"

    def choose_frames(
        self,
        count: int,
        generator: np.random.Generator,  # noqa: ARG002 (all frames are chosen)
    ) -> NDArray[np.int64]:
        """Return the numbers of the frames to read of a clip of `count` frames, in order."""
        import numpy as np

        return np.arange(count)

    def crop_corner(
        self,
        spare: tuple[int, int],
        generator: np.random.Generator,  # noqa: ARG002 (the crop is the middle one)
    ) -> tuple[int, int]:
        """Return the row and the column at which the crop begins, each at most its `spare`."""
        return spare[0] // 2, spare[1] // 2

    def augment(
        self,
        frames: NDArray[np.uint8],
        generator: np.random.Generator,  # noqa: ARG002 (nothing is changed)
    ) -> NDArray[np.uint8]:
        """Return the cropped frames (T, H, W, 3) of a clip, all changed in the same way."""
        return frames


class Model(Component, ABC):
    """Parameters of an architecture: a `FrameModel` or a `Seq2SeqModel`.

    Attributes:
        accepts: The kind of input that it reads.
        default_input: The input that the architecture was made for; an entry of a suite may
            override parts of it.
        emits: Whether its features are of frames or of output steps.
        visual: Whether it also gives visual features, from before its sequence module.
    """

    kind: ClassVar[str] = "model"
    accepts: ClassVar[InputKind]
    default_input: ClassVar[Input]
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

        `classes` includes class 0, which is EOS and the input of the first step.
        """


class Loss(Component, ABC):
    """A training objective with the classifier that it owns; `bench.losses.base` has the two kinds.

    Attributes:
        accepts: Whether it requires features of frames or of output steps.
        decoder: The family of decoders for the output of its classifier.
        visual: Whether it also requires visual features.
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
        """Return the scalar to minimize, for the features and targets of the augmented views.

        It must not synchronize with the device: labels are on the device of the features, lengths
        on the host. Compute means by `bench.nn.global_batch`, so that a training on several devices
        equals one on a single device.
        """

    @abstractmethod
    def feasible(self, targets: Targets) -> Tensor:
        """Return whether the output of each sample (N,) is long enough for its target.

        Infeasible targets add nothing to the objective. The result is on the device of the labels.
        """

    def augmented_views(self, batch: Batch) -> Batch:
        """Return the batch to train on: augmented views of `batch`, concatenated.

        Each block of N rows is a view of the N samples in order. Draw random numbers from torch's
        global generator, by `bench.nn.global_batch.from_rank_0`.
        """
        return batch

    def on_epoch_end(self, head: nn.Module) -> None:
        """Update the state of `head` after the last batch of each epoch."""


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
            BenchError: A file is missing or malformed, or does not fit the vocabulary.
        """

    def notes(self, vocabulary: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG002
        """Return notes on words or tokens that it cannot use with a vocabulary; usually none."""
        return ()


class Recognizer(Component, ABC):
    """A reader of images that bench did not train: a program, a library, a file.

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
    """Return in one clause why data set, model and loss do not fit together; None if they do."""
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
