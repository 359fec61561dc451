"""Prepared samples as batches: what a training and an evaluation read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import torch

from bench.core.types import Annotation, Batch, EpochBatches, InputShape, Split
from bench.data.reading.held_images import HeldImages, can_be_held
from bench.data.reading.ranks import rank_rows
from bench.data.reading.sample_generators import sample_generators

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.core.components import Augmentation
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.samples import SampleRef, Samples

_POOL = 64
"""Batches whose samples are sorted by length together, so that little is padded."""

Indices: TypeAlias = "NDArray[np.int32]"
"""Of samples in their split; of half the usual size, for each worker is sent all of an epoch's."""

Generators = Sequence[np.random.Generator] | None
"""One per sample, where training samples are augmented."""


class Transform(Protocol):
    """Turns stored pixels into the tensors that a network reads."""

    @property
    def shape(self) -> InputShape:
        """The shape of a frame or an image."""
        ...

    @property
    def varies(self) -> bool:
        """Whether samples differ in length, so that batches are padded."""
        ...

    @property
    def augmentation(self) -> Augmentation | None:
        """What changes samples of the split train at random; None: nothing does."""
        ...

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the columns or frames of every sample, without reading its pixels."""
        ...

    def length(self, reference: SampleRef, generator: np.random.Generator | None) -> int:
        """Return the columns or frames that `read` makes of a sample, without its pixels."""
        ...

    def read(
        self, references: Sequence[SampleRef], generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Return inputs, as bytes, and lengths (N,); augmented where there are generators."""
        ...

    def pad(self, inputs: Tensor, length: int) -> Tensor:
        """Return inputs padded to a length, as they are in a batch whose longest sample has it."""
        ...

    def finish(self, inputs: Tensor) -> Tensor:
        """Return inputs of bytes as float32 values of the range that a network reads."""
        ...


@dataclass(frozen=True)
class PreparedPipeline:
    """The splits of prepared data sets, read through one transform and one label encoder."""

    splits: Mapping[Split, Samples]
    encoder: LabelEncoder
    transform: Transform
    redraws: bool = False
    _held: dict[Split, HeldImages] = field(default_factory=dict, init=False, repr=False)

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens of the classes from 1."""
        return self.encoder.vocabulary

    @property
    def input_shape(self) -> InputShape:
        """The shape of a frame or an image."""
        return self.transform.shape

    def annotations(
        self,
        split: Split,
        *,
        seed: int = 0,  # noqa: ARG002 (nothing is drawn)
    ) -> Iterator[Annotation]:
        """Yield the identity, the length and the target of every sample of `split`."""
        samples = self.splits[split]
        lengths = self.transform.lengths(samples).tolist()
        for reference, length in zip(samples, lengths, strict=True):
            yield Annotation(reference.id, length, self.encoder.encode(reference.text))

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> EpochBatches:
        """Return one epoch of `split`: train shuffled, the others in order.

        Where lengths vary, train is sorted by length within pools of batches, the others as a
        whole.
        """
        samples = self.splits[split]
        generator = np.random.default_rng([seed, epoch]) if split == "train" else None
        groups = _groups(samples, self.transform, size, generator)
        augmented = split == "train" and self.transform.augmentation is not None
        drawn = (seed, epoch) if augmented else None
        return PreparedBatches(self, samples, groups, drawn, held=self._hold(split))

    def finish(self, inputs: Tensor) -> Tensor:
        """Return stored inputs, of bytes, as float32 values of the range of the input."""
        return self.transform.finish(inputs)

    def _hold(self, split: Split) -> HeldImages | None:
        """Return what holds the images of a small split that is read in each epoch alike."""
        augmented = split == "train" and self.transform.augmentation is not None
        if split == "test" or augmented or self.transform.varies:
            return None
        samples, shape = len(self.splits[split]), self.transform.shape
        if split not in self._held and can_be_held(samples, shape):
            self._held[split] = HeldImages(samples, shape)
        return self._held.get(split)


def _groups(
    samples: Samples, transform: Transform, size: int, generator: np.random.Generator | None
) -> list[Indices]:
    """Return the indices of the samples of each batch."""
    count = len(samples)
    shuffled = np.arange(count) if generator is None else generator.permutation(count)
    order = shuffled.astype(np.int32)
    if not transform.varies:
        return [order[start : start + size] for start in range(0, count, size)]
    lengths = transform.lengths(samples)
    pool = count if generator is None else _POOL * size
    batches = []
    for start in range(0, count, pool):
        mine = order[start : start + pool]
        mine = mine[np.argsort(lengths[mine], kind="stable")]
        batches += [mine[first : first + size] for first in range(0, len(mine), size)]
    if generator is not None:
        generator.shuffle(batches)
    return batches


class PreparedBatches:
    """The batches of one epoch; each depends on its index, and on nothing that was read before.

    Args:
        pipeline: How samples are read.
        samples: Those of the split.
        groups: The indices of the samples of each batch.
        drawn: The seed and the epoch of augmentation; None where nothing is augmented.
        held: What holds the images of the split; None reads them again in each pass.
        share: The rank whose rows are read, and the number of ranks.
    """

    def __init__(
        self,
        pipeline: PreparedPipeline,
        samples: Samples,
        groups: Sequence[Indices],
        drawn: tuple[int, int] | None,
        *,
        held: HeldImages | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._samples = samples
        self._transform = pipeline.transform
        self._encoder = pipeline.encoder
        self._groups = groups
        self._drawn = drawn
        self._held = held
        self._share = share

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: int, /) -> Batch:
        group = self._groups[index]  # raises IndexError where the epoch ends
        references = self._samples.references(group.tolist())
        rows = rank_rows(len(group), *self._share)
        inputs, lengths = self._inputs(group, references, rows)
        texts = [reference.text for reference in references]
        targets, target_lengths = _targets([*map(self._encoder.encode, texts)])
        return Batch(
            inputs=inputs,
            lengths=lengths,
            targets=targets[rows],
            target_lengths=target_lengths[rows],
            key_frames=torch.full_like(targets[rows], -1),
            ids=tuple([reference.id for reference in references[rows]]),
            texts=tuple(texts[rows]),
        )

    def samples(self, index: int) -> int:
        """Return how many samples a batch has, those of other ranks included."""
        return len(self._groups[index])

    def rows(self, rank: int, ranks: int) -> EpochBatches:
        """Return the same batches, of each the rows of one rank."""
        same = copy(self)
        same._share = (rank, ranks)  # noqa: SLF001 (one of the same class)
        return same

    def _inputs(
        self, group: Indices, references: Sequence[SampleRef], rows: slice
    ) -> tuple[Tensor, Tensor]:
        """Return the inputs and lengths of some rows, padded as the whole batch is."""
        numbers, read = group[rows], references[rows]
        if self._held:
            inputs, lengths = self._held.read(
                numbers, lambda places: self._transform.read([read[n] for n in places], None)
            )
        else:
            inputs, lengths = self._transform.read(read, self._generators(numbers))
        if len(numbers) < len(group) and self._transform.varies:
            generators = self._generators(group) or itertools.repeat(None)
            inputs = self._transform.pad(
                inputs, max(map(self._transform.length, references, generators))
            )
        return inputs, lengths

    def _generators(self, numbers: Indices) -> Generators:
        """Return a generator per sample, which depends on seed, epoch and sample alone."""
        if self._drawn is None:
            return None
        return sample_generators(*self._drawn, numbers.tolist())


def _targets(classes: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    """Return targets (N, U), padded with class 0, and their lengths (N,)."""
    lengths = np.array([*map(len, classes)], np.int64)
    targets = np.zeros((len(classes), lengths.max()), np.int64)
    flat = np.fromiter(itertools.chain.from_iterable(classes), np.int64, lengths.sum())
    targets[np.arange(targets.shape[1]) < lengths[:, None]] = flat
    return torch.from_numpy(targets), torch.from_numpy(lengths)
