"""A reader of encoded images or clips that runs a network with weights from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import torch

from bench.core.model_input import FrameInput
from bench.core.recognition import Reading, TextReader
from bench.core.types import InputShape
from bench.recognizers.inputs.clips import prepare_clips
from bench.recognizers.inputs.preparation import prepare_images
from bench.recognizers.networks import network as networks
from bench.recognizers.networks.mapped_weights import load_mapped_weights
from bench.recognizers.networks.mappings import find_mapping
from bench.recognizers.networks.weight_files import check_digest, read_weights
from bench.recognizers.outputs.texts import TextDecoding

if TYPE_CHECKING:
    from bench.core.recognition import Workplace
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.inputs.reader_input import ReaderInput
    from bench.recognizers.weights import WeightsRecognizer

_GLOSS_SEPARATOR = " "
_PARAMETER = "weights of recognizer 'weights'"


class WeightsReader(TextReader):
    """Reads images or clips with a network in evaluation mode, in channels-last memory format.

    Args:
        recognizer: The file, mapping, architecture and decoder.
        workplace: The device.

    Raises:
        BenchError: The file has another SHA-256, or its weights do not fit the architecture.
    """

    def __init__(self, recognizer: WeightsRecognizer, workplace: Workplace) -> None:
        model, loss, reader_input, characters = recognizer.architecture()
        if recognizer.sha256:
            check_digest(recognizer.weights, _PARAMETER, recognizer.sha256)
        shape = _shape(reader_input)
        network = networks.build_network(model, loss, shape, len(characters) + 1)
        weights = read_weights(recognizer.weights, _PARAMETER)
        file = PurePath(recognizer.weights).name
        load_mapped_weights(network, weights, find_mapping(recognizer.mapping), file)
        self._device = workplace.device
        self._network = network.to(memory_format=torch.channels_last).to(self._device).eval()
        self._input = reader_input
        self._texts = TextDecoding(
            loss.decoder,
            characters,
            recognizer.decoder,
            recognizer.confidence,
            _GLOSS_SEPARATOR if isinstance(reader_input, FrameInput) else "",
        )

    def read(self, samples: Sequence[EncodedSample]) -> Sequence[Reading]:
        """Return the readings of a batch; images of each size are read separately.

        Raises:
            BenchError: An image cannot be decoded.
        """
        if isinstance(self._input, FrameInput):
            clips, frames = prepare_clips(samples, self._input)
            return self._read(clips, frames)
        readings = [Reading("")] * len(samples)
        for indices, images, columns in prepare_images(samples, self._input):
            lengths = torch.full((len(indices),), images.shape[3])
            if not self._input.read_padding:
                lengths = torch.from_numpy(columns)
            inputs = torch.from_numpy(images).to(memory_format=torch.channels_last)
            for index, reading in zip(indices, self._read(inputs, lengths), strict=True):
                readings[index] = reading
        return readings

    def _read(self, inputs: torch.Tensor, lengths: torch.Tensor) -> list[Reading]:
        """Return the readings of inputs of one size."""
        with torch.inference_mode():
            logits, steps = self._network(inputs.to(self._device), lengths)
            return self._texts.readings(logits, steps)

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return networks.count_parameters(self._network)[0]

    @property
    def alphabet(self) -> frozenset[str] | None:
        """The characters of the classes; None if the classes are glosses."""
        return None if isinstance(self._input, FrameInput) else self._texts.alphabet


def _shape(reader_input: ReaderInput | FrameInput) -> InputShape:
    """Return the shape of an image or a frame; 0 for a variable size."""
    if isinstance(reader_input, FrameInput):
        side = reader_input.crop or reader_input.size
        return InputShape(3, side, side)
    return InputShape(reader_input.channels, reader_input.height, reader_input.width)
