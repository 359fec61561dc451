"""Exported networks: folders with weights and a document that describes the network completely.

<folder>/
    model.json           the description of the network (`ExportedNetwork`)
    model.safetensors    the weights
    model.onnx           the graph from inputs to logits, if it was exported
    README.md            the model card
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from bench.core import documents
from bench.core.errors import BenchError, Exit
from bench.core.model_input import ImageInput, input_of_spec
from bench.core.restoring import restored_component
from bench.core.types import DecoderFamily, InputShape
from bench.data.inputs import images
from bench.data.inputs.image_transform import ImageTransform
from bench.data.reading.encoded_samples import EncodedSample
from bench.decoding.greedy import GreedyDecoder
from bench.recognizers.networks import network as networks
from bench.recognizers.networks.network_reader import NetworkReader
from bench.recognizers.outputs.texts import TextDecoding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bench.core.components import Loss, Model
    from bench.core.recognition import Reading
    from bench.recognizers.networks.network import RecognitionNetwork

SCHEMA = 1
DOCUMENT, WEIGHTS, GRAPH, CARD = "model.json", "model.safetensors", "model.onnx", "README.md"

Image = str | Path | bytes | np.ndarray
"""A path, an encoded image, or pixels: gray (H, W), or red, green and blue (H, W, 3), 0 to 255."""


@dataclass(frozen=True)
class ExportedScore:
    """The result of an evaluation of the network.

    Attributes:
        evaluation: The key of the evaluation.
        test: The test set.
        decoder: The decoder.
        protocol: Name and version of the protocol.
        samples: The number of scored samples.
        scores: The value of each metric, by its name.
    """

    evaluation: str
    test: str
    decoder: str
    protocol: str
    samples: int
    scores: dict[str, float]


@dataclass(frozen=True)
class ExportedGraph:
    """An ONNX graph of the network.

    Attributes:
        sha256: The SHA-256 of the file.
        inputs: The sizes of each input, by its name; a variable size is a word.
        outputs: The description of each output, by its name.
        opset: The version of the ONNX operators.
        least_length: The smallest number of columns or frames of an input.
        compared_on: The samples on which the logits were compared with those of torch: a test
            set, or noise.
        compared_samples: The number of these samples.
        largest_difference: The largest difference between two logits.
        different_texts: The number of samples that were read differently.
    """

    sha256: str
    inputs: dict[str, list[int | str]]
    outputs: dict[str, str]
    opset: int
    least_length: int
    compared_on: str
    compared_samples: int
    largest_difference: float
    different_texts: int


@dataclass(frozen=True)
class ExportedNetwork:
    """The content of `model.json`.

    Attributes:
        title: The name of the network for people.
        model: The architecture with its parameters, as `Component.spec()`.
        loss: The loss that made the classifier, as `Component.spec()`.
        input: How pixels become a tensor, as `Input.spec()`.
        input_shape: Channels, height and width of one image or frame; 0 for a variable width.
        preprocessing: The input as sentences, step by step.
        vocabulary: The token of each class, from class 1.
        separator: The text between two tokens.
        decoder_family: How classes become labels.
        class_0: The meaning of class 0.
        parameters: The number of weights.
        weights: The SHA-256 of `model.safetensors`.
        training: The training: its key, data, alphabet, recipe, seed and hardware.
        scores: The results of evaluations.
        graph: The ONNX graph; None if there is none.
        bench: The version of bench that wrote this document.
        schema: The version of the format of this document.
    """

    title: str
    model: dict[str, Any]
    loss: dict[str, Any]
    input: dict[str, Any]
    input_shape: list[int]
    preprocessing: list[str]
    vocabulary: list[str]
    separator: str
    decoder_family: DecoderFamily
    class_0: Literal["blank", "end of sequence"]
    parameters: int
    weights: str
    training: dict[str, Any]
    scores: list[ExportedScore]
    graph: ExportedGraph | None
    bench: str
    schema: int = SCHEMA


class ImageReader:
    """An exported network that reads images.

    Attributes:
        about: The content of `model.json`.
        samples: The reader of encoded samples that does the reading.
    """

    def __init__(self, about: ExportedNetwork, samples: NetworkReader) -> None:
        self.about = about
        self.samples = samples

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Return the reading of each image, with `text` and `confidence`.

        Raises:
            BenchError: An image cannot be read or decoded.
        """
        return [*self.samples.read([_sample(index, image) for index, image in enumerate(images)])]


def is_exported(folder: Path) -> bool:
    """Return whether a folder has an exported network."""
    return (folder / DOCUMENT).is_file()


def read_document(folder: Path) -> ExportedNetwork:
    """Return the content of `model.json` in a folder.

    Raises:
        BenchError: The document is missing or malformed.
    """
    if not is_exported(folder):
        raise BenchError(
            f"{folder}: there is no {DOCUMENT}; give a folder that `bench export` wrote"
        )
    return documents.read(
        folder / DOCUMENT,
        ExportedNetwork,
        SCHEMA,
        noun="exported network",
        remedy="export it again with `bench export`",
    )


def load_network(folder: Path, about: ExportedNetwork) -> RecognitionNetwork:
    """Return the network of a folder, in evaluation mode, on the CPU.

    Nothing in the folder is executed: the weights are safetensors, and the components are those of
    the installed bench.

    Args:
        folder: The folder with the weights.
        about: The content of its `model.json`.

    Raises:
        BenchError: The weights are missing or changed, or the installed version of a component is
            another one.
    """
    file, remedy = folder / WEIGHTS, "export it again with `bench export`"
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() != about.weights:
        fault = f"differ from their SHA-256 in {DOCUMENT}" if content else "are missing"
        raise BenchError(f"{file}: the weights {fault}; {remedy}", Exit.UNVERIFIED)
    model = cast("Model", restored_component("model", about.model, folder / DOCUMENT, remedy))
    loss = cast("Loss", restored_component("loss", about.loss, folder / DOCUMENT, remedy))
    shape, classes = InputShape(*about.input_shape), len(about.vocabulary) + 1
    try:
        return networks.network_from_weights(model, loss, shape, classes, content)
    except networks.WeightsError:
        raise BenchError(
            f"{file}: the weights do not fit model '{model.name}' of this bench; {remedy}",
            Exit.UNVERIFIED,
        ) from None


def load(folder: str | Path, device: str = "cpu") -> ImageReader:
    """Return an exported network, ready to read images by greedy decoding.

    Args:
        folder: A folder that `bench export` wrote.
        device: The device to compute on, such as "cpu" or "cuda".

    Raises:
        BenchError: The folder has no exported network, or its network reads clips.
    """
    folder = Path(folder)
    about = read_document(folder)
    model_input = input_of_spec(about.input)
    if not isinstance(model_input, ImageInput):
        raise BenchError(
            f"{folder}: this network reads clips, not images; to get the network itself, call "
            "bench.recognizers.networks.exported.load_network"
        )
    texts = TextDecoding(
        about.decoder_family, tuple(about.vocabulary), GreedyDecoder(), separator=about.separator
    )
    network = load_network(folder, about)
    return ImageReader(about, NetworkReader(network, ImageTransform(model_input), texts, device))


def _sample(index: int, image: Image) -> EncodedSample:
    """Return an image as a sample, whose id is its path or its index in the list."""
    if isinstance(image, str | Path):
        try:
            return EncodedSample(str(image), (Path(image).read_bytes(),))
        except OSError as error:
            raise BenchError(f"{image}: the image cannot be read ({error.strerror})") from None
    if isinstance(image, bytes):
        return EncodedSample(str(index), (image,))
    return EncodedSample(str(index), (images.encode_png(_checked_pixels(index, image)),))


def _checked_pixels(index: int, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    gray, color = 2, 3
    shaped = pixels.ndim == gray or (pixels.ndim == color and pixels.shape[2] == color)
    if pixels.dtype != np.uint8 or not shaped or not pixels.size:
        raise BenchError(
            f"image {index} of the list is an array of {pixels.dtype} {pixels.shape}; give uint8 "
            "of shape (H, W), or (H, W, 3) with red first"
        )
    return cast("NDArray[np.uint8]", pixels)
