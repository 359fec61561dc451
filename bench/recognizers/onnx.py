"""ONNX graphs as recognizers, run by onnxruntime."""

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
class OnnxRecognizer(Recognizer):
    """An ONNX graph that computes class scores per frame or step of an image.

    Requires onnxruntime (`pip install 'recognition-bench[onnx]'`). `bench docs
    recognizers-onnx-weights` has tables for PP-OCR and SVTRv2.

    Args:
        onnx: The file of the graph.
        input: The preparation of images: a preset such as "pp-ocr", or a table of keys.
        alphabet: The characters of the classes in order, without blank or end of sequence. If
            empty, those of `alphabet_file`, else of the entry `character` in the graph's metadata.
        alphabet_file: A file with one character per line.
        space: Whether a space follows the characters of the alphabet as the last one.
        blank: The class of blank or of the end of sequence: "first", "last" or a number.
        ignored: Other classes that are not characters, such as the start of sequence.
        family: The decoder family: "ctc" merges repeated classes and removes blanks, "seq2seq"
            cuts the text at the end of sequence.
        scores: Whether the scores are probabilities or logits.
        time_first: Whether the output is (frames, samples, classes) instead of (samples, frames,
            classes).
        output: The name of the output; empty if the graph has only one.
        batch: The most images per call of the graph; 0 for all images of one size in a batch.
        decoder: A decoder of bench for the family.
        confidence: The confidence of a reading: "product" for the probability that the decoder
            computes, "mean" for the mean probability of the labels.
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
        """Return parameters with absolute paths, also of the decoder, relative to `home`."""
        located = super().located(parameters, home)
        return located | located_decoder(located, home)

    def __post_init__(self) -> None:
        """Raise BenchError if parameters contradict each other."""
        if self.alphabet and self.alphabet_file:
            raise BenchError(
                "recognizer 'onnx': alphabet and alphabet_file are both set; remove one"
            )
        if not self.decoder.reads(self.family):
            raise BenchError(
                f"recognizer 'onnx': decoder '{self.decoder.name}' does not support the family "
                f"'{self.family}'; set another decoder or family"
            )
        self.reader_input()

    def reader_input(self) -> ReaderInput:
        """Return the preparation of images; raises BenchError if a key of `input` is wrong."""
        return self.input.apply(ReaderInput())

    def characters(self) -> tuple[str, ...]:
        """Return the characters that are set; empty if those of the graph's metadata are used.

        Raises:
            BenchError: The file of the alphabet is missing or malformed.
        """
        if self.alphabet_file:
            return characters_of_file(self.alphabet_file, "alphabet_file of recognizer 'onnx'")
        return tuple(self.alphabet)

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, with all values of the input's preset."""
        spec = super().spec()
        values = {"input": self.reader_input().spec(), "ignored": [*self.ignored]}
        return spec | {"parameters": spec["parameters"] | values}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Yield a reader with the graph on the device of the workplace.

        Raises:
            BenchError: onnxruntime or its CUDA provider is missing, or the file is not a graph for
                this input.
        """
        from bench.recognizers.graphs.onnx_reader import OnnxReader

        yield OnnxReader(self, workplace)
