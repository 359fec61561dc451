"""Prepared samples as batches: what a training and an evaluation read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from bench.core.types import Annotation, Batch, Batches, InputShape, Split
from bench.data.reading.sample_generators import sample_generators

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.core.components import Augmentation
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.samples import SampleRef, Samples

_POOL = 64
"""Batches whose samples are sorted by length together, so that little is padded."""


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

    def read(
        self,
        references: Sequence[SampleRef],
        generators: Sequence[np.random.Generator] | None,
    ) -> tuple[Tensor, Tensor]:
        """Return inputs and lengths, as `Batch` has them.

        Args:
            references: The samples.
            generators: One for each sample, which its augmentation is drawn from; None: nothing is
                augmented.
        """
        ...


@dataclass(frozen=True)
class PreparedPipeline:
    """The splits of prepared data sets, read through one transform and one label encoder."""

    splits: Mapping[Split, Samples]
    encoder: LabelEncoder
    transform: Transform

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

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> Batches:
        """Return one epoch of `split`: train shuffled, the others in order.

        Where lengths vary, train is sorted by length within pools of batches, the others as a
        whole.
        """
        samples = self.splits[split]
        generator = np.random.default_rng([seed, epoch]) if split == "train" else None
        groups = _groups(samples, self.transform, size, generator)
        augmented = split == "train" and self.transform.augmentation is not None
        drawn = (seed, epoch) if augmented else None
        return PreparedBatches(self, samples, groups, drawn)


def _groups(
    samples: Samples, transform: Transform, size: int, generator: np.random.Generator | None
) -> list[NDArray[np.int64]]:
    """Return the indices of the samples of each batch."""
    count = len(samples)
    order = np.arange(count) if generator is None else generator.permutation(count)
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
    """

    def __init__(
        self,
        pipeline: PreparedPipeline,
        samples: Samples,
        groups: Sequence[NDArray[np.int64]],
        drawn: tuple[int, int] | None,
    ) -> None:
        self._samples = samples
        self._transform = pipeline.transform
        self._encoder = pipeline.encoder
        self._groups = groups
        self._drawn = drawn

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: int, /) -> Batch:
        group = self._groups[index]  # raises IndexError where the epoch ends
        references = [self._samples.reference(number) for number in group.tolist()]
        generators = (
            None if self._drawn is None else sample_generators(*self._drawn, group.tolist())
        )
        inputs, lengths = self._transform.read(references, generators)
        texts = tuple(reference.text for reference in references)
        classes = [self._encoder.encode(text) for text in texts]
        columns = np.array([*zip_longest(*classes, fillvalue=0)], np.int64)
        targets = torch.from_numpy(np.ascontiguousarray(columns.reshape(-1, len(texts)).T))
        return Batch(
            inputs=inputs,
            lengths=lengths,
            targets=targets,
            target_lengths=torch.tensor([len(target) for target in classes]),
            key_frames=torch.full_like(targets, -1),
            ids=tuple(reference.id for reference in references),
            texts=texts,
        )
