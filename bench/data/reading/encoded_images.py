"""Encoded images in memory, behind the interface of a partition of prepared data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

from bench.data.reading.samples import SampleRef

if TYPE_CHECKING:
    from bench.core.types import InputShape
    from bench.data.inputs.images import Pixels
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.data.store.partition import Partition


class EncodedImages:
    """Samples in memory with the methods of `Partition` that the input transforms call."""

    def __init__(self, samples: Sequence[EncodedSample]) -> None:
        self._samples = samples

    def references(self) -> list[SampleRef]:
        """Return a sample reference per sample, which a transform reads."""
        partition = cast("Partition", self)
        return [SampleRef(partition, row) for row in range(len(self._samples))]

    def value(self, column: str, row: int) -> Any:  # noqa: ANN401 (a column has its own type)
        """Return the id of a sample, its width and height, or the number of its frames."""
        sample = self._samples[row]
        values = {"id": sample.id, "frames": len(sample.images)}
        if column in values:
            return values[column]
        height, width = self.pixels(row, 1).shape
        return {"width": width, "height": height}[column]

    def pixels(self, row: int, channels: int) -> Pixels:
        """Return the image of a sample. Raises BenchError if it cannot be decoded."""
        return self._samples[row].pixels(channels)

    def clip(self, row: int, frames: Iterable[int], channels: int) -> Iterator[Pixels]:
        """Yield some frames of a clip. Raises BenchError if one cannot be decoded."""
        return (self._samples[row].pixels(channels, frame) for frame in frames)

    def decoded(self, shape: InputShape) -> None:
        """Return None: there is no pre-decoded cache."""
