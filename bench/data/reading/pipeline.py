"""Prepared data made ready to train on and to be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from bench.core.types import Annotation, Batch, Batches, InputShape, Split

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from bench.data.reading.label_encoder import Transcriber
    from bench.data.reading.samples import Place, Samples

_POOL = 64
"""Batches whose samples are sorted by length together, so that little is padded."""


class View(Protocol):
    """What a network is shown of encoded pixels."""

    @property
    def shape(self) -> InputShape:
        """The shape of a frame or an image."""
        ...

    @property
    def varies(self) -> bool:
        """Whether samples of other lengths need padding."""
        ...

    def lengths(self, samples: Samples) -> NDArray[np.int64]:
        """Return the columns or frames of every sample, without reading its pixels."""
        ...

    def read(
        self, places: Sequence[Place], draw: np.random.Generator | None
    ) -> tuple[Tensor, Tensor]:
        """Return inputs and lengths, as `Batch` has them; augmented where there is a `draw`."""
        ...


@dataclass(frozen=True)
class PreparedSource:
    """The splits of a prepared dataset, seen through one view."""

    splits: Mapping[Split, Samples]
    transcriber: Transcriber
    view: View

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens of the classes from 1."""
        return self.transcriber.vocabulary

    @property
    def input_shape(self) -> InputShape:
        """The shape of a frame or an image."""
        return self.view.shape

    def annotations(self, split: Split, *, seed: int = 0) -> Iterator[Annotation]:  # noqa: ARG002 (nothing is drawn)
        """Yield what is to be read in every sample of `split`."""
        samples = self.splits[split]
        for place, length in zip(samples, self.view.lengths(samples).tolist(), strict=True):
            target = self.transcriber.classes(samples.text(place))
            yield Annotation(samples.id(place), length, target)

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> Batches:
        """Return one pass over `split`: train shuffled, the others in order.

        Where lengths vary, train is sorted by length within pools of batches, the others as a
        whole.
        """
        samples = self.splits[split]
        draw = np.random.default_rng([seed, epoch]) if split == "train" else None
        groups = _groups(samples, self.view, size, draw)
        return Pass(self, split, groups, None if draw is None else (seed, epoch))


def _groups(
    samples: Samples, view: View, size: int, draw: np.random.Generator | None
) -> list[NDArray[np.int64]]:
    """Return the places in a split that make each batch."""
    order = np.arange(len(samples)) if draw is None else draw.permutation(len(samples))
    if not view.varies:
        return [order[start : start + size] for start in range(0, len(order), size)]
    lengths = view.lengths(samples)
    pool = len(order) if draw is None else _POOL * size
    batches = []
    for start in range(0, len(order), pool):
        mine = order[start : start + pool]
        mine = mine[np.argsort(lengths[mine], kind="stable")]
        batches += [mine[first : first + size] for first in range(0, len(mine), size)]
    if draw is not None:
        draw.shuffle(batches)
    return batches


class Pass:
    """One pass over a split, batch by batch; a batch depends on its place and on nothing before."""

    def __init__(
        self,
        source: PreparedSource,
        split: Split,
        groups: Sequence[NDArray[np.int64]],
        drawn: tuple[int, int] | None,
    ) -> None:
        self._samples = source.splits[split]
        self._view = source.view
        self._transcriber = source.transcriber
        self._groups = groups
        self._drawn = drawn

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: int, /) -> Batch:
        group = self._groups[index]  # raises IndexError where the pass ends
        places = [self._samples.place(place) for place in group.tolist()]
        draw = None if self._drawn is None else np.random.default_rng([*self._drawn, index])
        inputs, lengths = self._view.read(places, draw)
        texts = tuple(self._samples.text(place) for place in places)
        classes = [self._transcriber.classes(text) for text in texts]
        columns = np.array([*zip_longest(*classes, fillvalue=0)], np.int64)
        targets = torch.from_numpy(np.ascontiguousarray(columns.reshape(-1, len(texts)).T))
        return Batch(
            inputs=inputs,
            lengths=lengths,
            targets=targets,
            target_lengths=torch.tensor([len(target) for target in classes]),
            key_frames=torch.full_like(targets, -1),
            ids=tuple(self._samples.id(place) for place in places),
            texts=texts,
        )
