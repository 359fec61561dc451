"""A reader of encoded images that runs an ONNX graph in onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.core.errors import BenchError
from bench.core.files import existing_file
from bench.core.optional import import_extra
from bench.core.recognition import Reading, TextReader
from bench.recognizers.graphs.onnx_file import read_onnx_file
from bench.recognizers.inputs.preparation import prepare_images
from bench.recognizers.outputs.alphabets import characters_of_lines, check_classes
from bench.recognizers.outputs.texts import TextDecoding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.core.recognition import Workplace
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.onnx import OnnxRecognizer

_PARAMETER = "onnx of recognizer 'onnx'"
_METADATA = "character"
"""The entry of the metadata in which graphs of PP-OCR have their characters."""
_SMALLEST = 1e-30
"""Lower probabilities are raised to this one, so that their logarithm is finite."""
_IMAGE_AXES = 4
_SCORE_AXES = 3
_FLOAT = "tensor(float)"


class OnnxReader(TextReader):
    """Reads images with an ONNX graph.

    Args:
        recognizer: The parameters: file, input, alphabet and decoder.
        workplace: The device and the number of threads.

    Raises:
        BenchError: onnxruntime or its CUDA provider is missing, or the file is not a graph for
            this input.
    """

    def __init__(self, recognizer: OnnxRecognizer, workplace: Workplace) -> None:
        file = existing_file(recognizer.onnx, _PARAMETER)
        self._name = PurePath(recognizer.onnx).name
        graph = read_onnx_file(file.read_bytes(), f"the file '{recognizer.onnx}' of {_PARAMETER}")
        if graph.external:
            raise BenchError(
                f"{self._name} has weights in other files, whose content would not be in keys; "
                "save the graph with its weights in one file"
            )
        self._parameters = graph.parameters
        self._recognizer = recognizer
        self._session = _session(str(file), self._name, workplace)
        self._input = recognizer.reader_input()
        self._input_name = self._checked_input()
        self._output = self._chosen_output()
        characters = recognizer.characters() or self._metadata_characters()
        self._characters = (*characters, " ") if recognizer.space else characters
        self._texts: TextDecoding | None = None
        self._order: list[int] = []

    def read(self, samples: Sequence[EncodedSample]) -> Sequence[Reading]:
        """Return the readings of a batch; images of each size are read separately.

        Raises:
            BenchError: An image cannot be decoded, the graph fails, or its number of classes
                differs from that of the alphabet.
        """
        readings = [Reading("")] * len(samples)
        for indices, images, _ in prepare_images(samples, self._input):
            size = self._recognizer.batch or len(indices)
            for start in range(0, len(indices), size):
                part = self._read(images[start : start + size])
                for index, reading in zip(indices[start : start + size], part, strict=True):
                    readings[index] = reading
        return readings

    def _read(self, images: NDArray[np.float32]) -> list[Reading]:
        """Return the readings of images of one size."""
        try:
            [scores] = self._session.run([self._output], {self._input_name: images})
        except Exception as error:  # noqa: BLE001 (onnxruntime has its own exception classes)
            reason = " ".join(str(error).split())
            raise BenchError(
                f"{self._name} cannot read images {tuple(images.shape)}: {reason}; set input to "
                "the input of the graph"
            ) from None
        if scores.ndim != _SCORE_AXES:
            raise BenchError(
                f"{self._name}: output '{self._output}' has the shape {scores.shape}, but needs "
                "three axes for samples, frames and classes; set output to another"
            )
        if self._recognizer.time_first:
            scores = scores.swapaxes(0, 1)
        if len(scores) != len(images):
            raise BenchError(
                f"{self._name} returns scores {scores.shape} for {len(images)} images; set "
                "time_first to its opposite, or batch = 1"
            )
        logits = torch.from_numpy(np.ascontiguousarray(self._logits(scores)))
        texts = self._texts or self._decoding(logits.shape[2])
        self._texts = texts
        lengths = torch.full((len(images),), logits.shape[1])
        return texts.readings(logits[..., self._order], lengths)

    def _logits(self, scores: NDArray[Any]) -> NDArray[np.float32]:
        values = scores.astype(np.float32, copy=False)
        if self._recognizer.scores == "logits":
            return values
        logs: NDArray[np.float32] = np.log(np.maximum(values, np.float32(_SMALLEST)))
        return logs

    def _decoding(self, classes: int) -> TextDecoding:
        """Return the decoding of so many classes.

        Raises:
            BenchError: The number of classes differs from that of the alphabet.
        """
        blank = self._recognizer.blank
        first = {"first": 0, "last": classes - 1}[blank] if isinstance(blank, str) else blank
        ignored = set(self._recognizer.ignored) - {first}
        if outside := [number for number in (first, *ignored) if number >= classes]:
            raise BenchError(
                f"{self._name} has {classes:,} classes, so class {outside[0]} of blank or ignored "
                "does not exist; classes are counted from 0"
            )
        check_classes(self._characters, classes - len(ignored), self._name)
        rest = [number for number in range(classes) if number != first]
        characters = iter(self._characters)
        vocabulary = tuple("" if number in ignored else next(characters) for number in rest)
        self._order = [first, *rest]
        return TextDecoding(
            self._recognizer.family,
            vocabulary,
            self._recognizer.decoder,
            self._recognizer.confidence,
        )

    def _checked_input(self) -> str:
        """Return the name of the graph's input.

        Raises:
            BenchError: The graph has several inputs, or images do not have the shape of its input.
        """
        inputs = self._session.get_inputs()
        how = self._input
        if len(inputs) != 1:
            names = ", ".join(f"'{each.name}'" for each in inputs)
            raise BenchError(
                f"{self._name} has {len(inputs)} inputs ({names}), but only graphs with one input "
                "for images are supported; export such a graph"
            )
        [graph_input] = inputs
        shape = ("N", how.channels, *self._image_size())
        fits = len(graph_input.shape) == _IMAGE_AXES and all(
            not isinstance(expected, int) or not isinstance(size, int) or expected == size
            for expected, size in zip(graph_input.shape, shape, strict=True)
        )
        if not fits or graph_input.type != _FLOAT:
            expected = ", ".join(str(each) for each in graph_input.shape)
            given = ", ".join(str(each) for each in shape)
            kind = "" if graph_input.type == _FLOAT else f" of {graph_input.type}"
            raise BenchError(
                f"the graph of {self._name} expects {graph_input.name} ({expected}){kind}, but "
                f"input gives float32 images ({given}); set height, width and color of input"
            )
        count = graph_input.shape[0]
        if isinstance(count, int) and self._recognizer.batch != count:
            raise BenchError(
                f"the graph of {self._name} has a batch size of {count}; set batch = {count}"
            )
        return str(graph_input.name)

    def _image_size(self) -> tuple[int | str, int | str]:
        """Return height and width of images; a letter stands for a size that varies."""
        if self._input.sizes:
            return "H", "W"
        return self._input.height, self._input.width or "W"

    def _chosen_output(self) -> str:
        """Return the name of the output that is read.

        Raises:
            BenchError: `output` is not an output of the graph, or is not set and the graph has
                several.
        """
        names = [str(each.name) for each in self._session.get_outputs()]
        output = self._recognizer.output
        if (output and output not in names) or (not output and len(names) != 1):
            fault = f"has no output '{output}'" if output else "has several outputs"
            listed = ", ".join(f"'{name}'" for name in names)
            raise BenchError(f"{self._name} {fault}; set output to one of {listed}")
        return output or names[0]

    def _metadata_characters(self) -> tuple[str, ...]:
        metadata = self._session.get_modelmeta().custom_metadata_map
        if _METADATA not in metadata:
            raise BenchError(
                f"{self._name} has no characters of its classes in its metadata; set alphabet or "
                "alphabet_file"
            )
        return characters_of_lines(metadata[_METADATA], f"the metadata of {self._name}")

    @property
    def parameters(self) -> int:
        """The number of weights in the graph."""
        return self._parameters

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters of the classes."""
        return frozenset(character for token in self._characters for character in token)


def _session(file: str, name: str, workplace: Workplace) -> Any:  # noqa: ANN401 (untyped package)
    """Return a session of onnxruntime on the device of a workplace."""
    onnxruntime = import_extra("onnxruntime", "onnx", "recognizer 'onnx'")
    providers = ["CPUExecutionProvider"]
    if workplace.device == "cuda":
        providers.insert(0, "CUDAExecutionProvider")
        if providers[0] not in onnxruntime.get_available_providers():
            raise BenchError(
                "the installed onnxruntime has no CUDA provider; install onnxruntime-gpu instead, "
                "or evaluate on CPUs with gpus = 0 in the resources of the suite"
            )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = workplace.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(file, options, providers=providers)
    except Exception as error:  # noqa: BLE001 (onnxruntime has its own exception classes)
        reason = " ".join(str(error).split())
        raise BenchError(f"onnxruntime cannot load {name}: {reason}; give another file") from None
    if session.get_providers()[0] != providers[0]:
        raise BenchError(
            f"onnxruntime cannot run {name} on the GPU; check its CUDA libraries, or evaluate on "
            "CPUs with gpus = 0 in the resources of the suite"
        )
    return session
