"""A trained network as a reader of samples."""

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
    """Reads samples with a network, as an evaluation does, but for the padding of batches.

    Only samples that become equally wide or long are computed with together. So what is read of an
    image does not depend on what other images are read with it.

    Args:
        network: The network, in evaluation mode.
        transform: How samples become its inputs.
        texts: What makes texts of its logits.
        device: Where it computes.
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
        """The characters of its tokens."""
        return self._texts.alphabet

    def read(self, samples: Sequence[EncodedSample]) -> Sequence[Reading]:
        """Return what the network reads of each sample.

        Raises:
            BenchError: An image cannot be decoded.
        """
        starts = range(0, len(samples), _BATCH)
        return [each for first in starts for each in self._read(samples[first : first + _BATCH])]

    def _read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        references = EncodedImages(samples).references()
        shown = [self._transform.read([reference], None) for reference in references]
        alike: dict[torch.Size, list[int]] = {}
        for place, (inputs, _) in enumerate(shown):
            alike.setdefault(inputs.shape, []).append(place)
        readings: dict[int, Reading] = {}
        for places in alike.values():
            together = [torch.cat(parts) for parts in zip(*(shown[n] for n in places), strict=True)]
            readings |= dict(zip(places, self._readings(*together), strict=True))
        return [readings[place] for place in range(len(samples))]

    @torch.inference_mode()
    def _readings(self, inputs: Tensor, lengths: Tensor) -> list[Reading]:
        finished = self._transform.finish(inputs.to(self._device))
        return self._texts.readings(*self.network(finished, lengths))
