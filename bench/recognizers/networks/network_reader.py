"""A reader of samples that runs a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from bench.core.recognition import TextReader
from bench.data.reading.encoded_images import EncodedImages
from bench.recognizers.networks.network import count_parameters

if TYPE_CHECKING:
    from torch import Tensor

    from bench.core.recognition import Reading
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.data.reading.pipeline import Transform
    from bench.recognizers.networks.network import RecognitionNetwork
    from bench.recognizers.outputs.texts import TextDecoding

_BATCH = 32


class NetworkReader(TextReader):
    """Reads samples with a network, as an evaluation does, but without padding.

    Only inputs of the same size form a batch. So the reading of an image does not depend on the
    other images.

    Args:
        network: The network, in evaluation mode.
        transform: The transform from samples to inputs.
        texts: The decoding of logits to texts.
        device: The device to compute on.
    """

    def __init__(
        self,
        network: RecognitionNetwork,
        transform: Transform,
        texts: TextDecoding,
        device: str = "cpu",
    ) -> None:
        self.network = network.to(device)
        self._transform = transform
        self._texts = texts
        self._device = device

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return count_parameters(self.network)[0]

    @property
    def alphabet(self) -> frozenset[str]:
        """The characters of the vocabulary."""
        return self._texts.alphabet

    def read(self, samples: Sequence[EncodedSample]) -> Sequence[Reading]:
        """Return the reading of each sample.

        Raises:
            BenchError: An image cannot be decoded.
        """
        starts = range(0, len(samples), _BATCH)
        return [each for first in starts for each in self._read(samples[first : first + _BATCH])]

    def _read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        references = EncodedImages(samples).references()
        singles = [self._transform.read([reference], None) for reference in references]
        by_shape: dict[torch.Size, list[int]] = {}
        for index, (inputs, _) in enumerate(singles):
            by_shape.setdefault(inputs.shape, []).append(index)
        readings: dict[int, Reading] = {}
        for indices in by_shape.values():
            batch = [torch.cat(parts) for parts in zip(*(singles[i] for i in indices), strict=True)]
            readings |= dict(zip(indices, self._readings(*batch), strict=True))
        return [readings[index] for index in range(len(samples))]

    @torch.inference_mode()
    def _readings(self, inputs: Tensor, lengths: Tensor) -> list[Reading]:
        finished = self._transform.finish(inputs.to(self._device))
        return self._texts.readings(*self.network(finished, lengths))
