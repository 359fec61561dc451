"""Samples with their encoded images, for recognizers that decode and prepare images themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.data.datasets.base import StoredDataset
from bench.data.inputs import images
from bench.data.raw.entries import SampleError

if TYPE_CHECKING:
    from bench.core.components import Dataset
    from bench.core.types import Split
    from bench.data.inputs.images import Pixels
    from bench.data.reading.samples import SampleRef


@dataclass(frozen=True)
class EncodedSample:
    """One sample of a data set.

    Attributes:
        id: The id of the sample in the data set.
        images: One encoded image (JPEG, PNG, …), or the frames of a clip in order.
    """

    id: str
    images: tuple[bytes, ...]

    def pixels(self, channels: int = 3, frame: int = 0) -> Pixels:
        """Return the decoded image: RGB (H, W, 3), or gray (H, W) with one channel.

        Args:
            channels: 3 or 1.
            frame: The index of a frame of a clip; 0 for an image.

        Raises:
            BenchError: The image cannot be decoded; the message names the sample.
        """
        try:
            return images.decode_image(self.images[frame], channels)
        except SampleError as error:
            raise self.unusable(error) from None

    def unusable(self, reason: SampleError) -> BenchError:
        """Return the error for a sample whose image cannot be used."""
        return BenchError(f"sample {quoted(self.id)} is {reason}; remove it from the data")


class EncodedSamples(Sequence[EncodedSample]):
    """The samples of a split; the pixels of each are read from disk when it is indexed."""

    def __init__(self, references: Sequence[SampleRef]) -> None:
        self.references = references

    def __len__(self) -> int:
        return len(self.references)

    @overload
    def __getitem__(self, index: int) -> EncodedSample: ...
    @overload
    def __getitem__(self, index: slice) -> list[EncodedSample]: ...
    def __getitem__(self, index: int | slice) -> EncodedSample | list[EncodedSample]:
        """Return one sample, or the samples of a slice."""
        if isinstance(index, slice):
            return [_encoded(reference) for reference in self.references[index]]
        return _encoded(self.references[index])

    def transcripts(self) -> Iterator[str]:
        """Yield the transcript of each sample."""
        return (reference.text for reference in self.references)


def encoded_samples(dataset: Dataset, split: Split = "test") -> EncodedSamples:
    """Return the samples of a split, in the order in which evaluations read them.

    Raises:
        BenchError: The data set does not store its samples, is not prepared, or has no such split.
    """
    if not isinstance(dataset, StoredDataset):
        raise BenchError(
            f"data set '{dataset.label}' composes its samples while they are read, so an outside "
            "recognizer cannot read it; test on a data set that is prepared from files"
        )
    if split not in dataset.splits():
        raise BenchError(
            f"data set '{dataset.label}' has no split '{split}', only "
            f"{', '.join(dataset.splits())}; test on another"
        )
    selection = dataset.selection(split)
    from bench.data.reading.samples import Samples

    return EncodedSamples([*Samples([selection])])


def _encoded(reference: SampleRef) -> EncodedSample:
    return EncodedSample(reference.id, tuple(reference.partition.encoded(reference.row)))
