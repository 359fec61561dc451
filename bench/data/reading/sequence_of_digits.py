"""Sequences of digits with interpolated transitions: the scheme of Seq-MNIST.

Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022): single digits become
key frames; between two of them the first fades into the second; the first of all fades in, and the
last fades out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.core.types import Annotation, Batch, Batches, InputShape, Split

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Scans:
    """Single digits: images (S, H, W), uint8 from 0 to `full`, labels (S,) in 0…9, numbers (S,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    numbers: NDArray[np.int64]
    full: int = 255

    def of(self, chosen: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Scans:
        """Return the `chosen` ones."""
        return Scans(self.images[chosen], self.labels[chosen], self.numbers[chosen], self.full)


@dataclass(frozen=True)
class Scheme:
    """How U single digits become a clip of T frames.

    `ramp` holds the weights of the incoming digit over the transition frames; the outgoing digit
    has the rest, unless `fall` says otherwise. The first `end_frames` values of the ramp, or of
    `ends`, fade the clip in, and mirrored out.
    """

    digits: int
    ramp: tuple[float, ...]
    end_frames: int
    fall: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()

    def key_frames(self) -> NDArray[np.int64]:
        """Return the frames (U,) that show one digit alone."""
        return self.end_frames + np.arange(self.digits) * (len(self.ramp) + 1)

    def weights(self) -> NDArray[np.float32]:
        """Return the share (T, U) of each digit in each frame."""
        keys, ends = self.key_frames(), self.end_frames
        ramp = np.asarray(self.ramp, np.float32)
        fall = np.asarray(self.fall, np.float32) if self.fall else 1 - ramp
        edge = np.asarray(self.ends or self.ramp, np.float32)[:ends]
        weights = np.zeros((keys[-1] + 1 + ends, self.digits), np.float32)
        weights[keys, np.arange(self.digits)] = 1
        for digit in range(1, self.digits):
            transition = slice(keys[digit - 1] + 1, keys[digit])
            weights[transition, digit] = ramp
            weights[transition, digit - 1] = fall
        weights[:ends, 0] = edge
        weights[keys[-1] + 1 :, -1] = edge[::-1]
        return weights


class SequenceOfDigits:
    """Clips made of scans, never mixing the scans of two splits.

    A pass over a split shuffles its scans `rounds` times and cuts each round into groups, so that
    every scan serves equally often (but for the few left over). With `redraw` each training epoch
    shuffles anew; the other splits never change. Not `shuffled`, scans are grouped in their order.
    """

    vocabulary = tuple("0123456789")

    def __init__(
        self,
        splits: Mapping[Split, Scans],
        scheme: Scheme,
        *,
        rounds: int,
        redraw: bool,
        shuffled: bool = True,
    ) -> None:
        self.splits = splits
        self.scheme = scheme
        self.rounds = rounds
        self.redraw = redraw
        self.shuffled = shuffled
        height, width = splits["train"].images.shape[1:]
        self.input_shape = InputShape(1, height, width)

    def annotations(self, split: Split, *, seed: int = 0) -> list[Annotation]:
        """Return the digits of every sequence of `split`; for `train`, those of the first epoch."""
        scans, groups = self.splits[split], self._composed(split, seed, 1)
        frames = len(self.scheme.weights())
        rows = zip(_ids(scans.numbers[groups]), (scans.labels[groups] + 1).tolist(), strict=True)
        return [Annotation(name, frames, tuple(target)) for name, target in rows]

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> Batches:
        """Return one pass over `split` in batches of at most `size` sequences."""
        groups = self._composed(split, seed, epoch)
        if split == "train":
            groups = np.random.default_rng([2, seed, epoch]).permutation(groups)
        return Pass(self.splits[split], self.scheme, groups, size)

    def _composed(self, split: Split, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return the scans (sequences, U) of each sequence."""
        composing = [seed, epoch] if split == "train" and self.redraw else []
        rng = np.random.default_rng([1, *composing])
        count = len(self.splits[split].labels)
        whole = count - count % self.scheme.digits
        if not self.shuffled:
            return np.arange(whole).reshape(-1, self.scheme.digits)
        rounds = [rng.permutation(count)[:whole] for _ in range(self.rounds)]
        return np.concatenate(rounds).reshape(-1, self.scheme.digits)


class Pass:
    """One pass over the sequences in `groups` (sequences, U), batch by batch."""

    def __init__(self, scans: Scans, scheme: Scheme, groups: NDArray[np.int64], size: int) -> None:
        self._scans = scans
        self._weights = torch.from_numpy(scheme.weights())
        self._key_frames = torch.from_numpy(scheme.key_frames())
        self._groups = groups
        self._size = size

    def __len__(self) -> int:
        return math.ceil(len(self._groups) / self._size)

    def __getitem__(self, index: int) -> Batch:
        if index not in range(len(self)):
            raise IndexError(index)
        groups = self._groups[index * self._size : (index + 1) * self._size]
        count, digits = groups.shape
        scans = torch.from_numpy(self._scans.images[groups]).float() / self._scans.full
        frames = torch.einsum("tu,nuhw->nthw", self._weights, scans).unsqueeze(2)
        return Batch(
            inputs=frames,
            lengths=torch.full((count,), frames.shape[1]),
            targets=torch.from_numpy(self._scans.labels[groups] + 1),
            target_lengths=torch.full((count,), digits),
            key_frames=self._key_frames.expand(count, digits),
            ids=_ids(self._scans.numbers[groups]),
        )


def _ids(numbers: NDArray[np.int64]) -> tuple[str, ...]:
    """Return a name for each row of the scans' numbers (sequences, U)."""
    return tuple("-".join(map(str, row)) for row in numbers)
