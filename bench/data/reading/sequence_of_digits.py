"""Clips of digits with interpolated transitions, as in Seq-MNIST.

Single digits are key frames. Between two key frames the first fades into the second; the first
digit of a clip fades in, and the last fades out.

Source: Min et al., "Deep Radial Embedding for Visual Sequence Learning" (ECCV 2022).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from bench.core.errors import BenchError
from bench.core.model_input import FrameInput
from bench.core.types import Annotation, Batch, EpochBatches, InputShape, Split
from bench.data.inputs import images
from bench.data.inputs.pixel_values import DeviceConstant, normalize_unit
from bench.data.reading.ranks import rank_rows
from bench.data.reading.sent_once import SentOnce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from torch import Tensor

    from bench.core.components import Augmentation
    from bench.core.model_input import Input
    from bench.data.reading.label_encoder import LabelEncoder


@dataclass(frozen=True)
class Scans(SentOnce):
    """Images of single digits.

    Attributes:
        images: The images (S, H, W), uint8 from 0 to `full`.
        labels: The digits (S,), 0 to 9.
        numbers: The numbers (S,) of the scans in their source, which form the ids of clips.
        full: The value of a pixel that is fully inked.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    numbers: NDArray[np.int64]
    full: int = 255

    def subset(self, chosen: NDArray[np.int64] | NDArray[np.bool_] | slice) -> Scans:
        """Return the scans at `chosen` indices."""
        return Scans(self.images[chosen], self.labels[chosen], self.numbers[chosen], self.full)


@dataclass(frozen=True)
class Scheme:
    """How U single digits are composed to a clip of T frames.

    Attributes:
        digits: U, the digits per clip.
        ramp: The weights of the incoming digit in the frames between two key frames.
        end_frames: The number of frames before the first and after the last key frame.
        fall: The weights of the outgoing digit in the same frames; empty: 1 − `ramp`.
        ends: The first `end_frames` of these weights fade the clip in, and reversed they fade it
            out; empty: those of `ramp`.
    """

    digits: int
    ramp: tuple[float, ...]
    end_frames: int
    fall: tuple[float, ...] = ()
    ends: tuple[float, ...] = ()

    @property
    def frames(self) -> int:
        """T, the number of frames of a clip."""
        return int(self.key_frames()[-1]) + 1 + self.end_frames

    def key_frames(self) -> NDArray[np.int64]:
        """Return the indices (U,) of the frames that show a single digit."""
        return self.end_frames + np.arange(self.digits) * (len(self.ramp) + 1)

    def weights(self) -> NDArray[np.float32]:
        """Return the weight (T, U) of each digit in each frame."""
        keys, ends = self.key_frames(), self.end_frames
        ramp = np.asarray(self.ramp, np.float32)
        fall = np.asarray(self.fall, np.float32) if self.fall else 1 - ramp
        edge = np.asarray(self.ends or self.ramp, np.float32)[:ends]
        weights = np.zeros((self.frames, self.digits), np.float32)
        weights[keys, np.arange(self.digits)] = 1
        for digit in range(1, self.digits):
            transition = slice(keys[digit - 1] + 1, keys[digit])
            weights[transition, digit] = ramp
            weights[transition, digit - 1] = fall
        weights[:ends, 0] = edge
        weights[keys[-1] + 1 :, -1] = edge[::-1]
        return weights


class SequenceOfDigits:
    """The input pipeline of clips that are composed of scans; no scan is in two splits.

    For an epoch the scans of a split are shuffled `rounds` times, and each round is divided into
    groups of U. So every scan is used equally often, except for fewer than U that are left over.

    Args:
        splits: The scans of each split.
        scheme: How the digits of a group are composed to a clip.
        model_input: Size, crop and normalization of frames; not `imagenet`, because frames have one
            channel.
        encoder: The label encoder, which has a class per digit.
        rounds: How often each scan is used per epoch.
        redraws: Whether each training epoch is shuffled differently; other splits never change.
        shuffled: Whether scans are shuffled, or grouped in their order.

    Raises:
        BenchError: `model_input` cannot be applied to the scans, or `encoder` lacks a digit.
    """

    def __init__(
        self,
        splits: Mapping[Split, Scans],
        scheme: Scheme,
        model_input: Input,
        encoder: LabelEncoder,
        *,
        rounds: int,
        redraws: bool,
        shuffled: bool = True,
    ) -> None:
        self.splits = splits
        self.scheme = scheme
        self.encoder = encoder
        self.rounds = rounds
        self.redraws = redraws
        self.shuffled = shuffled
        rows, columns = splits["train"].images.shape[1:]
        self._frames = _FrameTransform(_checked(model_input, min(rows, columns)))
        self._classes = _digit_classes(encoder)
        self._weights = DeviceConstant(torch.from_numpy(scheme.weights()))
        self._scaled: dict[Split, Scans] = {}

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens of the classes from 1."""
        return self.encoder.vocabulary

    @property
    def input_shape(self) -> InputShape:
        """The shape of a frame."""
        return self._frames.shape(*self.splits["train"].images.shape[1:])

    def annotations(self, split: Split, *, seed: int = 0) -> list[Annotation]:
        """Return the annotations of the clips of `split`; for `train`, those of the first epoch."""
        scans, groups = self.splits[split], self._composed(split, seed, 1)
        frames = self.scheme.frames
        targets = self._classes[scans.labels[groups]].tolist()
        rows = zip(_ids(scans.numbers[groups]), targets, strict=True)
        return [Annotation(name, frames, tuple(target)) for name, target in rows]

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> EpochBatches:
        """Return one epoch of `split` in batches of at most `size` clips."""
        groups = self._composed(split, seed, epoch)
        if split == "train":
            groups = np.random.default_rng([2, seed, epoch]).permutation(groups)
        return SequenceBatches(self._scale(split), self.scheme, self._classes, groups, size)

    def finish(self, inputs: Tensor) -> Tensor:
        """Compose scans (N, U, H, W) to normalized frames (N, T, 1, H, W)."""
        scans = inputs.float() / self.splits["train"].full
        weights = self._weights.on(scans.device)
        if scans.device.type == "cpu":
            frames = torch.einsum("tu,nuhw->nthw", weights, scans)
        else:
            # Not a matrix product, whose factors a recipe's setting may round to TF32.
            frames = (weights[:, :, None, None] * scans.unsqueeze(1)).sum(2)
        return normalize_unit(frames.unsqueeze(2), self._frames.input.normalization)

    def _scale(self, split: Split) -> Scans:
        """Return the scans of a split at the size of the input, the same object in each epoch."""
        if split not in self._scaled:
            scans = self.splits[split]
            self._scaled[split] = replace(scans, images=self._frames.scaled(scans.images))
        return self._scaled[split]

    def _composed(self, split: Split, seed: int, epoch: int) -> NDArray[np.int64]:
        """Return the indices of the scans of each clip (clips, U)."""
        composing = [seed, epoch] if split == "train" and self.redraws else []
        rng = np.random.default_rng([1, *composing])
        count = len(self.splits[split].labels)
        whole = count - count % self.scheme.digits
        if not self.shuffled:
            return np.arange(whole).reshape(-1, self.scheme.digits)
        rounds = [rng.permutation(count)[:whole] for _ in range(self.rounds)]
        return np.concatenate(rounds).reshape(-1, self.scheme.digits)


@dataclass(frozen=True)
class _FrameTransform:
    """The size and the crop of scans, which are applied before they are composed."""

    input: FrameInput

    def shape(self, rows: int, columns: int) -> InputShape:
        """Return the shape of a frame for scans of `rows` × `columns` pixels."""
        if self.input.crop:
            return InputShape(1, self.input.crop, self.input.crop)
        size = (self.input.size, self.input.size) if self.input.size else (rows, columns)
        return InputShape(1, *size)

    def scaled(self, scans: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return scans (S, H, W) at the size of the input."""
        size, crop = self.input.size, self.input.crop
        if size and scans.shape[1:] != (size, size):
            scans = np.array([images.resize_pixels(scan, size, size) for scan in scans])
        if crop:
            top, left = ((side - crop) // 2 for side in scans.shape[1:])
            scans = np.ascontiguousarray(scans[:, top : top + crop, left : left + crop])
        return scans


class SequenceBatches:
    """The batches of one epoch of clips.

    Args:
        scans: The scans of the split, at the size of the input.
        scheme: How they are composed.
        classes: The class (10,) of each digit.
        groups: The indices of the scans of each clip (clips, U).
        size: The number of clips per batch; the last batch may have fewer.
        share: The rank whose rows are read, and the number of ranks.
    """

    def __init__(
        self,
        scans: Scans,
        scheme: Scheme,
        classes: NDArray[np.int64],
        groups: NDArray[np.int64],
        size: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self._scans = scans
        self._scheme = scheme
        self._classes = classes
        self._groups = groups
        self._size = size
        self._share = share

    def __len__(self) -> int:
        return math.ceil(len(self._groups) / self._size)

    def __getitem__(self, index: int) -> Batch:
        if index not in range(len(self)):
            raise IndexError(index)
        whole = self._groups[index * self._size : (index + 1) * self._size]
        groups = whole[rank_rows(len(whole), *self._share)]
        count, digits = groups.shape
        labels = self._scans.labels[groups]
        return Batch(
            inputs=torch.from_numpy(self._scans.images[groups]),
            lengths=torch.full((count,), self._scheme.frames),
            targets=torch.from_numpy(self._classes[labels]),
            target_lengths=torch.full((count,), digits),
            key_frames=torch.from_numpy(self._scheme.key_frames()).expand(count, digits),
            ids=_ids(self._scans.numbers[groups]),
            texts=tuple("".join(map(str, row)) for row in labels.tolist()),
        )

    def samples(self, index: int) -> int:
        """Return the number of samples of a batch, including those of other ranks."""
        return min(self._size, len(self._groups) - index * self._size)

    def rows(self, rank: int, ranks: int) -> EpochBatches:
        """Return the same batches, restricted to the rows of one rank."""
        return SequenceBatches(
            self._scans, self._scheme, self._classes, self._groups, self._size, (rank, ranks)
        )


def require_no_augmentation(label: str, augmentation: Augmentation | None) -> None:
    """Raise BenchError if an augmentation is given for clips of digits."""
    if augmentation is not None:
        raise BenchError(
            f"data set '{label}' cannot be augmented by '{augmentation.name}', because its clips "
            "are composed of single digits; set augmentation = 'none'"
        )


def _checked(model_input: Input, side: int) -> FrameInput:
    """Return the input for scans of `side` pixels. Raises BenchError if it cannot be applied."""
    if not isinstance(model_input, FrameInput):
        raise BenchError(
            "clips of digits are frames, but the input is of images; take a model that reads frames"
        )
    if model_input.normalization == "imagenet":
        raise BenchError(
            "normalization = 'imagenet' is for three channels, and digits have one; set it to "
            "'signed' or 'unit'"
        )
    if model_input.crop > (model_input.size or side):
        raise BenchError(
            f"crop = {model_input.crop} is larger than the frames, which are {side}×{side} pixels; "
            "lower the crop of the input, or set its size"
        )
    return model_input


def _digit_classes(encoder: LabelEncoder) -> NDArray[np.int64]:
    """Return the class (10,) of each digit. Raises BenchError if a digit has no class."""
    classes = [encoder.encode(str(digit)) for digit in range(10)]
    if missing := [str(digit) for digit, target in enumerate(classes) if len(target) != 1]:
        raise BenchError(
            f"the alphabet has no class for {', '.join(missing)}, and sequences of digits are made "
            "of all ten; set alphabet to a protocol that has them, such as 'digits'"
        )
    return np.array(classes, np.int64)[:, 0]


def _ids(numbers: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the id of each clip, given the numbers of its scans (clips, U)."""
    return tuple("-".join(map(str, row)) for row in numbers)
