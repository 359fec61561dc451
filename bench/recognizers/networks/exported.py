"""Networks in folders of their own: weights beside a document that says all that reading takes.

<folder>/
    model.json           what the network is (`ExportedNetwork`)
    model.safetensors    its weights
    model.onnx           its graph from inputs to logits, where it was asked for
    README.md            the same for people
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
"""A file, its content, or pixels: gray (H, W), or red, green and blue (H, W, 3), 0 to 255."""


@dataclass(frozen=True)
class Score:
    """What an evaluation of the network gave.

    Attributes:
        evaluation: Its key.
        test: The test set.
        decoder: The decoder.
        protocol: Name and version of the scoring rules.
        samples: How many samples were scored.
        scores: Each metric by name.
    """

    evaluation: str
    test: str
    decoder: str
    protocol: str
    samples: int
    scores: dict[str, float]


@dataclass(frozen=True)
class Graph:
    """An ONNX graph of the network.

    Attributes:
        sha256: The SHA-256 of the file.
        inputs: The sizes of each input by its name; a size that may vary is a word.
        outputs: What each output is.
        opset: The version of ONNX's operators.
        least_length: The least columns or frames of an input.
        compared_on: What its logits were compared with torch's on: a test set, or noise.
        compared_samples: On how many samples.
        largest_difference: Between any two logits.
        different_texts: How many of the samples were read differently.
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
    """What `model.json` says.

    Attributes:
        title: What a person calls it.
        model: The architecture with its parameters, as `Component.spec()`.
        loss: The loss whose classifier it has, likewise.
        input: How pixels become a tensor, as `Input.spec()`.
        input_shape: Channels, height and width of one frame or image; 0 where widths differ.
        preprocessing: The same in sentences, step by step.
        vocabulary: The token of each class from 1.
        separator: What is between two tokens of a text.
        decoder_family: How classes become labels.
        class_0: What class 0 is.
        parameters: The number of weights.
        weights: The SHA-256 of `model.safetensors`.
        training: What it was trained on and how: its key, data, alphabet, recipe, seed, hardware.
        scores: What its evaluations gave.
        graph: Its ONNX graph; None where there is none.
        bench: The version of bench that wrote this.
        schema: The version of this document.
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
    scores: list[Score]
    graph: Graph | None
    bench: str
    schema: int = SCHEMA


class ImageReader:
    """An exported network that reads images.

    Attributes:
        about: What its `model.json` says.
        samples: The reader of samples below it.
    """

    def __init__(self, about: ExportedNetwork, samples: NetworkReader) -> None:
        self.about = about
        self.samples = samples

    def read(self, images: Sequence[Image]) -> list[Reading]:
        """Return what the network reads of each image: `text` and `confidence`.

        Raises:
            BenchError: An image cannot be read or decoded.
        """
        return [*self.samples.read([_sample(place, each) for place, each in enumerate(images)])]


def is_exported(folder: Path) -> bool:
    """Return whether a folder holds an exported network."""
    return (folder / DOCUMENT).is_file()


def read_document(folder: Path) -> ExportedNetwork:
    """Return what the `model.json` of a folder says. Raises BenchError where it is none."""
    if not is_exported(folder):
        raise BenchError(
            f"{folder}: there is no {DOCUMENT}; name a folder that `bench export` wrote"
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

    Nothing in the folder is executed: weights are numbers, and components those of this bench.

    Raises:
        BenchError: The weights are gone or altered, or a component is another one today.
    """
    file, remedy = folder / WEIGHTS, "export it again with `bench export`"
    content = file.read_bytes() if file.is_file() else b""
    if hashlib.sha256(content).hexdigest() != about.weights:
        fault = f"are not what {DOCUMENT} says" if content else "are gone"
        raise BenchError(f"{file}: these weights {fault}; {remedy}", Exit.UNVERIFIED)
    model = cast("Model", restored_component("model", about.model, folder / DOCUMENT, remedy))
    loss = cast("Loss", restored_component("loss", about.loss, folder / DOCUMENT, remedy))
    shape, classes = InputShape(*about.input_shape), len(about.vocabulary) + 1
    try:
        return networks.restore(model, loss, shape, classes, content)
    except networks.WeightsError:
        raise BenchError(
            f"{file}: these weights do not fit model '{model.name}' as its code is today; {remedy}",
            Exit.UNVERIFIED,
        ) from None


def load(folder: str | Path, device: str = "cpu") -> ImageReader:
    """Return an exported network, ready to read images by greedy decoding.

    Args:
        folder: What `bench export` wrote.
        device: Where it computes, such as "cpu" or "cuda".

    Raises:
        BenchError: The folder holds no such network, or it reads clips.
    """
    place = Path(folder)
    about = read_document(place)
    model_input = input_of_spec(about.input)
    if not isinstance(model_input, ImageInput):
        raise BenchError(
            f"{place}: this network reads clips of frames, and images are read here; "
            "bench.recognizers.networks.exported.load_network returns the network itself"
        )
    texts = TextDecoding(
        about.decoder_family, tuple(about.vocabulary), GreedyDecoder(), separator=about.separator
    )
    network = load_network(place, about)
    return ImageReader(about, NetworkReader(network, ImageTransform(model_input), texts, device))


def _sample(place: int, image: Image) -> EncodedSample:
    """Return an image as a sample; its name is its path or its place in the list."""
    if isinstance(image, str | Path):
        try:
            return EncodedSample(str(image), (Path(image).read_bytes(),))
        except OSError as error:
            raise BenchError(f"{image}: this image cannot be read ({error.strerror})") from None
    if isinstance(image, bytes):
        return EncodedSample(str(place), (image,))
    return EncodedSample(str(place), (images.encode_png(_checked(place, image)),))


def _checked(place: int, pixels: NDArray[Any]) -> NDArray[np.uint8]:
    gray, color = 2, 3
    shaped = pixels.ndim == gray or (pixels.ndim == color and pixels.shape[2] == color)
    if pixels.dtype != np.uint8 or not shaped or not pixels.size:
        raise BenchError(
            f"image {place} of the list is an array of {pixels.dtype} {pixels.shape}; give uint8 "
            "of shape (H, W), or (H, W, 3) with red first"
        )
    return cast("NDArray[np.uint8]", pixels)
