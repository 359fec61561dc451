"""Networks of bench with weights that others trained."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from bench.core.components import Decoder, Loss, Model, Recognizer
from bench.core.errors import BenchError
from bench.core.files import InputFile
from bench.core.model_input import FrameInput, parse_input
from bench.core.schema import Parsed
from bench.decoding.greedy import GreedyDecoder
from bench.recognizers.inputs.reader_input import (
    PRESETS,
    InputChanges,
    ReaderInput,
    input_of_training,
    parse_input_changes,
)
from bench.recognizers.networks.mappings import find_mapping
from bench.recognizers.networks.parameters import (
    located_decoder,
    parse_decoder,
    parse_loss,
    parse_model,
)
from bench.recognizers.outputs.alphabets import characters_of_file
from bench.recognizers.outputs.texts import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.core.recognition import TextReader, Workplace
    from bench.recognizers.networks.mappings.mapping import WeightMapping


_GREEDY = GreedyDecoder()


class Architecture(NamedTuple):
    """What a `Weights` is, once its mapping has said what is not set.

    Attributes:
        model: The architecture.
        loss: The loss whose classifier it has.
        input: How images or clips are prepared.
        characters: What classes from 1 stand for; empty texts are no characters.
    """

    model: Model
    loss: Loss
    input: ReaderInput | FrameInput
    characters: tuple[str, ...]


@dataclass(frozen=True)
class Weights(Recognizer):
    """An architecture of bench with weights from a file, whoever trained them.

    A mapping names the layers of the file in bench's terms, and knows the architecture, the input
    and the alphabet that its authors used; each can be set. `bench docs
    recognizers-onnx-weights` lists the mappings with their sources.

    Args:
        weights: The file: safetensors, or a checkpoint of torch without pickled objects.
        mapping: The name of the mapping; `bench`: weights that bench has trained.
        sha256: The SHA-256 that the file must have; empty: any.
        model: The architecture; None: that of the mapping.
        loss: The loss whose classifier the network has; None: that of the mapping.
        input: How images are prepared: a preset, or a table of what differs from the mapping's
            preset, or from the model's own input where the mapping has none; None: nothing differs.
            Of a model of clips: a table of size, crop and normalization.
        alphabet: The characters of the classes from 1, in order; empty: those of `alphabet_file`,
            else of the mapping.
        alphabet_file: A file with one character, or one gloss, on each line.
        space: Whether a space is the last character, behind those of the alphabet.
        decoder: A decoder of bench.
        confidence: What the confidence of a reading is: the `product` of probabilities that the
            decoder states, or the `mean` of those of the labels.
    """

    name: ClassVar[str] = "weights"

    weights: InputFile
    mapping: str = "bench"
    sha256: str = ""
    model: Annotated[Model | None, Parsed(parse_model)] = None
    loss: Annotated[Loss | None, Parsed(parse_loss)] = None
    input: Annotated[InputChanges | None, Parsed(parse_input_changes)] = None
    alphabet: str = ""
    alphabet_file: InputFile | None = None
    space: bool = False
    decoder: Annotated[Decoder, Parsed(parse_decoder)] = _GREEDY
    confidence: Confidence = "product"

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with their paths, and those of the decoder, found from `home`."""
        located = super().located(parameters, home)
        return located | located_decoder(located, home)

    def __post_init__(self) -> None:
        """Raise BenchError where mapping, model, loss, input and decoder do not go together."""
        model, loss, _, _ = self.architecture(with_characters=False)
        # What it reads is what its model reads.
        object.__setattr__(self, "accepts", model.accepts)
        if model.emits != loss.accepts:
            raise BenchError(
                f"recognizer 'weights': model '{model.name}' emits {model.emits}, loss "
                f"'{loss.name}' has a classifier of {loss.accepts}; set loss"
            )
        if not self.decoder.reads(loss.decoder):
            raise BenchError(
                f"recognizer 'weights': decoder '{self.decoder.name}' does not read the "
                f"{loss.decoder} output of loss '{loss.name}'; set another decoder"
            )

    def architecture(self, *, with_characters: bool = True) -> Architecture:
        """Return what the mapping and the parameters say together.

        Args:
            with_characters: Whether the characters are read, for which a file is opened.

        Raises:
            BenchError: Neither says which model or alphabet it is, or the input is wrong.
        """
        mapping = find_mapping(self.mapping)
        model = self.model or (parse_model(mapping.model) if mapping.model else None)
        if model is None:
            raise BenchError(
                f"recognizer 'weights': mapping '{mapping.name}' is for every model; set model"
            )
        return Architecture(
            model,
            self.loss or parse_loss(mapping.loss),
            self._input(model, mapping),
            self._characters(mapping.alphabet) if with_characters else (),
        )

    def _input(self, model: Model, mapping: WeightMapping) -> ReaderInput | FrameInput:
        """Return how images or clips are prepared. Raises BenchError where its keys are wrong."""
        changes = self.input or InputChanges()
        if isinstance(model.default_input, FrameInput):
            if changes.preset:
                raise BenchError(
                    f"recognizer 'weights': model '{model.name}' reads clips, and preset "
                    f"'{changes.preset}' is one of images; set keys such as size and crop"
                )
            return parse_input(model.default_input, dict(changes.keys))
        default = (
            PRESETS[mapping.input] if mapping.input else input_of_training(model.default_input)
        )
        return changes.applied(default)

    def _characters(self, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the characters of the classes from 1, those of the mapping where none are set."""
        if self.alphabet and self.alphabet_file:
            raise BenchError("recognizer 'weights': set alphabet or alphabet_file, and not both")
        characters = tuple(self.alphabet) or default
        if self.alphabet_file:
            characters = characters_of_file(
                self.alphabet_file, "alphabet_file of recognizer 'weights'"
            )
        if not characters:
            raise BenchError(
                f"recognizer 'weights': mapping '{self.mapping}' does not know what the classes "
                "stand for; set alphabet or alphabet_file"
            )
        return (*characters, " ") if self.space else characters

    @property
    def label(self) -> str:
        """The file, and what is not a default but `sha256`, as boards print them."""
        return replace(self, sha256="").label if self.sha256 else super().label

    def spec(self) -> dict[str, Any]:
        """Return what it adds to a key, with what the mapping decides."""
        spec = super().spec()
        model, loss, how, characters = self.architecture()
        decided = {
            # The content of the file is in the key, whether it is checked or not.
            "sha256": "",
            "model": model.spec(),
            "loss": loss.spec(),
            "input": how.spec(),
            "alphabet": [*characters],
        }
        return spec | {"parameters": spec["parameters"] | decided}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Return a reader with the network on the device of the workplace."""
        from bench.recognizers.networks.weights_reader import WeightsReader

        yield WeightsReader(self, workplace)
