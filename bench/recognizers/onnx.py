"""ONNX graphs that read text, in onnxruntime."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from bench.core.components import Decoder, Recognizer
from bench.core.errors import BenchError
from bench.core.files import InputFile
from bench.core.schema import NonNegativeInt, Parsed
from bench.decoding.greedy import GreedyDecoder
from bench.recognizers.inputs.reader_input import InputChanges, ReaderInput, parse_input_changes
from bench.recognizers.networks.parameters import located_decoder, parse_decoder
from bench.recognizers.outputs.alphabets import characters_of_file
from bench.recognizers.outputs.texts import Confidence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.core.recognition import TextReader, Workplace

_GREEDY = GreedyDecoder()


@dataclass(frozen=True)
class Onnx(Recognizer):
    """A graph in the format ONNX, from an image to the scores of classes in each frame or step.

    Requires onnxruntime (`pip install 'recognition-bench[onnx]'`). `bench docs
    recognizers-onnx-weights` has tables for PP-OCR and SVTRv2.

    Args:
        onnx: The file of the graph.
        input: How images are prepared: a preset such as "pp-ocr", or a table.
        alphabet: The characters of the classes, in order, without that of blank or end; empty:
            those of `alphabet_file`, else of the entry `character` of the graph's metadata.
        alphabet_file: A file with one character on each line.
        space: Whether a space is the last character, behind those of the alphabet.
        blank: The class of blank, or of the end of sequence: "first", "last" or a number.
        ignored: Further classes that are no characters, such as a start.
        family: How frames or steps spell a text: "ctc" merges repeated classes and removes blanks,
            "seq2seq" reads up to the end.
        scores: Whether the graph gives probabilities or logits.
        time_first: Whether its output is (frames, samples, classes) and not (samples, frames,
            classes).
        output: The name of the output; empty: the graph has one alone.
        batch: The most images that it is given at once; 0: as many as have one size.
        decoder: A decoder of bench that reads the family.
        confidence: What the confidence of a reading is: the `product` of probabilities that the
            decoder states, or the `mean` of those of the labels.
    """

    name: ClassVar[str] = "onnx"

    onnx: InputFile
    input: Annotated[InputChanges, Parsed(parse_input_changes)]
    alphabet: str = ""
    alphabet_file: InputFile | None = None
    space: bool = False
    blank: NonNegativeInt | Literal["first", "last"] = "first"
    ignored: tuple[NonNegativeInt, ...] = ()
    family: Literal["ctc", "seq2seq"] = "ctc"
    scores: Literal["probabilities", "logits"] = "probabilities"
    time_first: bool = False
    output: str = ""
    batch: NonNegativeInt = 0
    decoder: Annotated[Decoder, Parsed(parse_decoder)] = _GREEDY
    confidence: Confidence = "product"

    @classmethod
    def located(cls, parameters: dict[str, Any], home: Path) -> dict[str, Any]:
        """Return parameters with their paths, and those of the decoder, found from `home`."""
        located = super().located(parameters, home)
        return located | located_decoder(located, home)

    def __post_init__(self) -> None:
        """Raise BenchError where the parameters do not go together."""
        if self.alphabet and self.alphabet_file:
            raise BenchError("recognizer 'onnx': set alphabet or alphabet_file, and not both")
        if not self.decoder.reads(self.family):
            raise BenchError(
                f"recognizer 'onnx': decoder '{self.decoder.name}' does not read the family "
                f"'{self.family}'; set another decoder or family"
            )
        self.reader_input()

    def reader_input(self) -> ReaderInput:
        """Return how images are prepared. Raises BenchError where its keys are wrong."""
        return self.input.applied(ReaderInput())

    def characters(self) -> tuple[str, ...]:
        """Return the characters that are set, empty where the graph has to say.

        Raises:
            BenchError: The file of the alphabet is missing or malformed.
        """
        if self.alphabet_file:
            return characters_of_file(self.alphabet_file, "alphabet_file of recognizer 'onnx'")
        return tuple(self.alphabet)

    def spec(self) -> dict[str, Any]:
        """Return what it adds to a key, with all that the preset of its input decides."""
        spec = super().spec()
        decided = {"input": self.reader_input().spec(), "ignored": [*self.ignored]}
        return spec | {"parameters": spec["parameters"] | decided}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Return a reader with the graph on the device of the workplace.

        Raises:
            BenchError: onnxruntime or its CUDA provider is missing, or the file is not a graph
                that reads such inputs.
        """
        from bench.recognizers.graphs.onnx_reader import OnnxReader

        yield OnnxReader(self, workplace)
