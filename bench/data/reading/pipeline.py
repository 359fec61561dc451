"""Prepared samples as batches, which trainings and evaluations read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import torch

from bench.core.types import Annotation, Batch, EpochBatches, InputShape, Split
from bench.data.reading.ranks import rank_rows
from bench.data.reading.sample_generators import sample_generators
from bench.data.reading.shared_image_cache import SharedImageCache, fits_in_cache

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.core.components import Augmentation
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.samples import SampleRef, Samples

_POOL_BATCHES = 64
"""The number of batches whose samples are sorted by length together, to reduce padding."""

Indices: TypeAlias = "NDArray[np.int32]"
"""Indices of samples in their split; int32, because all indices of an epoch go to each worker."""

Generators = Sequence[np.random.Generator] | None
"""One random generator per sample; None where nothing is augmented."""


class Transform(Protocol):
    """Converts stored images or clips to the input tensors of a network."""

    @property
    def shape(self) -> InputShape:
        """The shape of a frame or an image."""
        ...

    @property
    def varies(self) -> bool:
        """Whether samples differ in length, so batches have to be padded."""
        ...

    @property
    def augmentation(self) -> Augmentation | None:
        """The augmentation of the split `train`; None for no augmentation."""
        ...

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the columns or frames of each sample (N,), without reading pixels."""
        ...

    def length(self, reference: SampleRef, generator: np.random.Generator | None) -> int:
        """Return the length of one sample as `read` returns it, without reading pixels."""
        ...

    def read(
        self, references: Sequence[SampleRef], generators: Generators
    ) -> tuple[Tensor, Tensor]:
        """Return inputs as uint8 and lengths (N,); augmented if generators are given."""
        ...

    def pad(self, inputs: Tensor, length: int) -> Tensor:
        """Return inputs padded to `length`, as in a batch whose longest sample has that length."""
        ...

    def finish(self, inputs: Tensor) -> Tensor:
        """Return uint8 inputs as float32 values in the normalization of the network."""
        ...


@dataclass(frozen=True)
class PreparedPipeline:
    """Reads the splits of prepared data sets as batches of inputs and targets.

    Attributes:
        splits: The samples of each split.
        encoder: Maps transcripts to targets.
        transform: Converts stored images or clips to inputs.
        redraws: Whether each epoch has new training samples; always false for prepared data.
    """

    splits: Mapping[Split, Samples]
    encoder: LabelEncoder
    transform: Transform
    redraws: bool = False
    _caches: dict[Split, SharedImageCache] = field(default_factory=dict, init=False, repr=False)

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
        seed: int = 0,  # noqa: ARG002 (prepared samples are the same for every seed)
    ) -> Iterator[Annotation]:
        """Yield the id, the length and the target of each sample of `split`."""
        samples = self.splits[split]
        lengths = self.transform.lengths(samples).tolist()
        for reference, length in zip(samples, lengths, strict=True):
            yield Annotation(reference.id, length, self.encoder.encode(reference.text))

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> EpochBatches:
        """Return one epoch of `split`: `train` is shuffled, other splits keep their order.

        Where lengths vary, `train` is sorted by length within pools of 64 batches, other splits as
        a whole, to reduce padding.
        """
        samples = self.splits[split]
        generator = np.random.default_rng([seed, epoch]) if split == "train" else None
        groups = _group_by_length(samples, self.transform, size, generator)
        augmented = split == "train" and self.transform.augmentation is not None
        drawn = (seed, epoch) if augmented else None
        return PreparedBatches(self, samples, groups, drawn, cache=self._cache(split))

    def finish(self, inputs: Tensor) -> Tensor:
        """Return stored uint8 inputs as float32 values in the normalization of the input."""
        return self.transform.finish(inputs)

    def _cache(self, split: Split) -> SharedImageCache | None:
        """Return the cache of a small split that is the same in each epoch, else None."""
        augmented = split == "train" and self.transform.augmentation is not None
        if split == "test" or augmented or self.transform.varies:
            return None
        samples, shape = len(self.splits[split]), self.transform.shape
        if split not in self._caches and fits_in_cache(samples, shape):
            self._caches[split] = SharedImageCache(samples, shape)
        return self._caches.get(split)


def _group_by_length(
    samples: Samples, transform: Transform, size: int, generator: np.random.Generator | None
) -> list[Indices]:
    """Return the indices of the samples of each batch."""
    count = len(samples)
    shuffled = np.arange(count) if generator is None else generator.permutation(count)
    order = shuffled.astype(np.int32)
    if not transform.varies:
        return [order[start : start + size] for start in range(0, count, size)]
    lengths = transform.lengths(samples)
    pool = count if generator is None else _POOL_BATCHES * size
    batches = []
    for start in range(0, count, pool):
        pooled = order[start : start + pool]
        pooled = pooled[np.argsort(lengths[pooled], kind="stable")]
        batches += [pooled[first : first + size] for first in range(0, len(pooled), size)]
    if generator is not None:
        generator.shuffle(batches)
    return batches


class PreparedBatches:
    """The batches of one epoch; a batch depends on its index alone, not on what was read before.

    Args:
        pipeline: The pipeline with the transform and the label encoder.
        samples: The samples of the split.
        groups: The indices of the samples of each batch.
        drawn: The seed and the epoch of the augmentation; None where nothing is augmented.
        cache: The images of the split in memory; None decodes them in each epoch.
        share: The rank whose rows are read, and the number of ranks.
    """

    def __init__(
        self,
        pipeline: PreparedPipeline,
        samples: Samples,
        groups: Sequence[Indices],
        drawn: tuple[int, int] | None,
        *,
        cache: SharedImageCache | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._samples = samples
        self._transform = pipeline.transform
        self._encoder = pipeline.encoder
        self._groups = groups
        self._drawn = drawn
        self._cache = cache
        self._share = share

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: int, /) -> Batch:
        group = self._groups[index]  # raises IndexError at the end of the epoch
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
        """Return the number of samples of a batch, including those of other ranks."""
        return len(self._groups[index])

    def rows(self, rank: int, ranks: int) -> EpochBatches:
        """Return the same batches, restricted to the rows of one rank."""
        restricted = copy(self)
        restricted._share = (rank, ranks)  # noqa: SLF001 (same class)
        return restricted

    def _inputs(
        self, group: Indices, references: Sequence[SampleRef], rows: slice
    ) -> tuple[Tensor, Tensor]:
        """Return the inputs and lengths of some rows, padded to the longest of the whole batch."""
        numbers, read = group[rows], references[rows]
        if self._cache:
            inputs, lengths = self._cache.read(
                numbers, lambda missing: self._transform.read([read[n] for n in missing], None)
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
        """Return one generator per sample, which depends only on seed, epoch and sample."""
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
