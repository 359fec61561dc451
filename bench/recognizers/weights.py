"""Networks of bench with weights from files as recognizers."""

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
    """The architecture of a `weights` recognizer, from its parameters and its mapping.

    Attributes:
        model: The model component.
        loss: The loss whose classifier the network has.
        input: The preparation of images or clips.
        characters: The characters of the classes from 1; empty for a class that is not one.
    """

    model: Model
    loss: Loss
    input: ReaderInput | FrameInput
    characters: tuple[str, ...]


@dataclass(frozen=True)
class WeightsRecognizer(Recognizer):
    """A model of bench with weights from a file, such as those of another project.

    A mapping translates the names of layers. It also has the architecture, the input and the
    alphabet of the project, which parameters can replace. `bench docs recognizers-onnx-weights`
    lists the mappings with their sources.

    Args:
        weights: The file: safetensors, or a torch checkpoint without pickled objects.
        mapping: The name of the mapping; `bench` is for weights that bench has trained.
        sha256: The required SHA-256 of the file; empty requires none.
        model: The model component; None for that of the mapping.
        loss: The loss whose classifier the network has; None for that of the mapping.
        input: The preparation of images: a preset, or a table of keys that change the preset of the
            mapping (without one, the input of the model). None changes nothing. For a model of
            clips: a table of size, crop and normalization.
        alphabet: The characters of the classes from 1, in order. If empty, those of
            `alphabet_file`, else of the mapping.
        alphabet_file: A file with one character, or one gloss, per line.
        space: Whether a space follows the characters of the alphabet as the last one.
        decoder: A decoder of bench.
        confidence: The confidence of a reading: "product" for the probability that the decoder
            computes, "mean" for the mean probability of the labels.
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
        """Return parameters with absolute paths, also of the decoder, relative to `home`."""
        located = super().located(parameters, home)
        return located | located_decoder(located, home)

    def __post_init__(self) -> None:
        """Raise BenchError if mapping, model, loss, input and decoder do not fit together."""
        model, loss, _, _ = self.architecture(with_characters=False)
        # The recognizer accepts the kind of sample that its model accepts: images or clips.
        object.__setattr__(self, "accepts", model.accepts)
        if model.emits != loss.accepts:
            raise BenchError(
                f"recognizer 'weights': model '{model.name}' emits {model.emits}, but loss "
                f"'{loss.name}' accepts {loss.accepts}; set another loss"
            )
        if not self.decoder.reads(loss.decoder):
            raise BenchError(
                f"recognizer 'weights': decoder '{self.decoder.name}' does not support the "
                f"{loss.decoder} output of loss '{loss.name}'; set another decoder"
            )

    def architecture(self, *, with_characters: bool = True) -> Architecture:
        """Return the architecture from the parameters, and from the mapping for those not set.

        Args:
            with_characters: Whether the characters are returned, which may read `alphabet_file`.

        Raises:
            BenchError: The model or the alphabet is not set, or the input is wrong.
        """
        mapping = find_mapping(self.mapping)
        model = self.model or (parse_model(mapping.model) if mapping.model else None)
        if model is None:
            raise BenchError(
                f"recognizer 'weights': mapping '{mapping.name}' has no model; set model"
            )
        return Architecture(
            model,
            self.loss or parse_loss(mapping.loss),
            self._input(model, mapping),
            self._characters(mapping.alphabet) if with_characters else (),
        )

    def _input(self, model: Model, mapping: WeightMapping) -> ReaderInput | FrameInput:
        """Return the preparation of images or clips; raises BenchError if `input` is wrong."""
        changes = self.input or InputChanges()
        if isinstance(model.default_input, FrameInput):
            if changes.preset:
                raise BenchError(
                    f"recognizer 'weights': model '{model.name}' reads clips, but preset "
                    f"'{changes.preset}' is for images; set keys such as size and crop"
                )
            return parse_input(model.default_input, dict(changes.keys))
        default = (
            PRESETS[mapping.input] if mapping.input else input_of_training(model.default_input)
        )
        return changes.apply(default)

    def _characters(self, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return the characters of the classes from 1; those of the mapping if none are set."""
        if self.alphabet and self.alphabet_file:
            raise BenchError(
                "recognizer 'weights': alphabet and alphabet_file are both set; remove one"
            )
        characters = tuple(self.alphabet) or default
        if self.alphabet_file:
            characters = characters_of_file(
                self.alphabet_file, "alphabet_file of recognizer 'weights'"
            )
        if not characters:
            raise BenchError(
                f"recognizer 'weights': mapping '{self.mapping}' has no alphabet; set alphabet or "
                "alphabet_file"
            )
        return (*characters, " ") if self.space else characters

    @property
    def label(self) -> str:
        """The file and parameters that are not defaults, except `sha256`, as boards print them."""
        return replace(self, sha256="").label if self.sha256 else super().label

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, with the values of the mapping."""
        spec = super().spec()
        model, loss, reader_input, characters = self.architecture()
        values = {
            # The content of the file is in the key, with or without the check.
            "sha256": "",
            "model": model.spec(),
            "loss": loss.spec(),
            "input": reader_input.spec(),
            "alphabet": [*characters],
        }
        return spec | {"parameters": spec["parameters"] | values}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Yield a reader with the network on the device of the workplace."""
        from bench.recognizers.networks.weights_reader import WeightsReader

        yield WeightsReader(self, workplace)
