"""The contract of data sets."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from bench.core.components import Dataset
from bench.core.errors import BenchError
from bench.core.model_input import FrameInput, ImageInput, Input
from bench.core.types import SPLITS, Annotation, Batch, InputPipeline, Split
from bench.testing.component_kit import ComponentKit, component_of
from bench.testing.contract import (
    Check,
    CheckResult,
    ContractError,
    informs,
    requires,
)
from bench.testing.timing import milliseconds

MAX_SAMPLES = 2000
"""The samples per split that are examined."""
_BATCHES, _SIZE = 3, 4


def dataset_checks(dataset: Dataset | str) -> list[Check]:
    """Return the checks of a data set, or that of a name, for `pytest.mark.parametrize`."""
    return DatasetKit(component_of("dataset", dataset)).tests()


def check_dataset(dataset: Dataset | str) -> list[CheckResult]:
    """Check a data set, or that of a name; return the result of each check."""
    return DatasetKit(component_of("dataset", dataset)).run()


class DatasetKit(ComponentKit[Dataset]):
    """What trainings and evaluations require of a data set, by its first samples."""

    def exercise(self) -> None:
        """Open the data set, and read a batch of each split."""
        pipeline = self._open()
        for split in self._splits:
            next(_batches(pipeline, split))

    @requires("It has splits among train, validation and test, none of which is empty.")
    def splits(self) -> None:
        """Check the splits."""
        splits = self._splits
        if not splits or not set(splits) <= set(SPLITS):
            raise ContractError(
                f"splits() returned {splits}; return a tuple of names among {', '.join(SPLITS)}"
            )
        for split in splits:
            if not self._annotations(split):
                raise ContractError(f"the split {split} is empty; leave it out of splits()")

    @requires("The fingerprint of a split is a text that is always the same, and differs by split.")
    def fingerprints(self) -> None:
        """Compare fingerprints of the same and of different splits."""
        fingerprints = [self.component.fingerprint(split) for split in self._splits]
        again = [self.component.fingerprint(split) for split in self._splits]
        if fingerprints != again or not all(isinstance(each, str) for each in fingerprints):
            raise ContractError(
                f"fingerprint() returned {fingerprints} and then {again}; return the SHA-256 of "
                "ids, transcripts and pixels"
            )
        if len(set(fingerprints)) < len(fingerprints):
            raise ContractError(
                "two splits have the same fingerprint, so that a change of one is not noticed; "
                "hash the samples of the split, not of the data set"
            )
        missing = [split for split in SPLITS if split not in self._splits]
        for split in missing:
            try:
                self.component.fingerprint(split)
            except BenchError:
                continue
            raise ContractError(
                f"fingerprint('{split}') returns a value, and there is no such split; raise "
                "BenchError"
            )

    @requires("Every sample has an id of its own, frames, and a target within the vocabulary.")
    def annotations(self) -> None:
        """Check the annotations of the first samples."""
        tokens = self._pipeline.vocabulary
        if len(set(tokens)) < len(tokens) or "" in tokens:
            raise ContractError("the vocabulary has a token twice, or an empty one; remove it")
        for split in self._splits:
            annotations = self._annotations(split)
            seen = set()
            for each in annotations:
                if each.id in seen and not (split == "train" and self._pipeline.redraws):
                    raise ContractError(
                        f"two samples of {split} have the id '{each.id}'; give each its own, for "
                        "samples of two entries are compared by their ids"
                    )
                seen.add(each.id)
                if each.length < 1:
                    raise ContractError(f"sample '{each.id}' has a length of {each.length}")
                if not all(0 < label <= len(tokens) for label in each.target):
                    raise ContractError(
                        f"sample '{each.id}' has the target {each.target}, and classes are from 1 "
                        f"to {len(tokens)}; encode transcripts by label_encoder()"
                    )

    @requires("Batches have inputs, lengths and targets of the right types and shapes.")
    def batches(self) -> None:
        """Check the first batches of each split."""
        for split in self._splits:
            for batch in _batches(self._pipeline, split):
                self._examine(split, batch)

    def _examine(self, split: Split, batch: Batch) -> None:
        shape, rows = tuple(self._pipeline.input_shape), len(batch.ids)
        inputs = self._pipeline.finish(batch.inputs)
        if inputs.dtype != torch.float32 or not inputs.isfinite().all():
            raise ContractError(f"finish() returned {inputs.dtype} in {split}; return float32")
        # A width of 0 stands for widths that differ.
        expected = [size or inputs.shape[-1] for size in shape]
        if len(inputs) != rows or [*inputs.shape[-3:]] != expected:
            raise ContractError(
                f"inputs of {split} have shape {tuple(inputs.shape)} for {rows} samples of "
                f"{shape}; return (N, T, channels, H, W) for frames, (N, channels, H, W) for images"
            )
        for name in ("lengths", "targets", "target_lengths", "key_frames"):
            values: Tensor = getattr(batch, name)
            if values.dtype != torch.int64 or len(values) != rows or values.device.type != "cpu":
                raise ContractError(
                    f"{name} of {split} are {values.dtype} {tuple(values.shape)} for {rows} "
                    "samples; return int64 on the host, one row per sample"
                )
        time = inputs.shape[1] if self.component.gives == "frames" else inputs.shape[-1]
        if not 0 < batch.lengths.min() <= batch.lengths.max() <= time:
            raise ContractError(
                f"lengths of {split} are {batch.lengths.tolist()}, and inputs have {time} frames "
                "or columns; return the valid ones of each sample"
            )

    @requires("Every sample is read again to the same bytes, in another process too.")
    def reading_again(self) -> None:
        """Read batches twice, in reverse, of another opening, and after pickling."""
        for split in self._splits:
            batches = self._pipeline.batches(split, _SIZE)
            numbers = range(min(_BATCHES, len(batches)))
            first = [batches[number] for number in numbers]
            copies = {
                "a second time": batches,
                "after the data set was opened again": self._open().batches(split, _SIZE),
                "after pickling, as processes that prefetch do": pickle.loads(  # noqa: S301
                    pickle.dumps(batches)
                ),
            }
            for what, copy in copies.items():
                for number in reversed(numbers):
                    if not _equal(first[number], copy[number]):
                        raise ContractError(
                            f"batch {number} of {split} is another one {what}; let it depend on "
                            "split, seed, epoch and its number alone"
                        )

    @requires("Targets in batches are those of the annotations, and every sample is in one batch.")
    def targets(self) -> None:
        """Compare the samples of batches with the annotations."""
        for split in self._splits:
            if split == "train":
                continue
            annotations = {each.id: each.target for each in self._annotations(split)}
            batches = self._pipeline.batches(split, _SIZE)
            total = sum(batches.samples(number) for number in range(len(batches)))
            if len(annotations) < MAX_SAMPLES and total != len(annotations):
                raise ContractError(
                    f"{split} has {len(annotations)} annotations and {total} samples in batches; "
                    "let each sample be in one batch"
                )
            for batch in _batches(self._pipeline, split):
                rows = zip(batch.ids, batch.targets, batch.target_lengths, strict=True)
                for name, labels, length in rows:
                    target = tuple(labels[: int(length)].tolist())
                    if annotations.get(name, target) != target:
                        raise ContractError(
                            f"sample '{name}' of {split} has the target {target} in a batch and "
                            f"{annotations[name]} in its annotation; encode both alike"
                        )

    @requires("The rows of all ranks are the batch.")
    def ranks(self) -> None:
        """Join the rows that two ranks read of a batch."""
        for split in self._splits:
            batches = self._pipeline.batches(split, _SIZE)
            whole, parts = batches[0], [batches.rows(rank, 2)[0] for rank in range(2)]
            if len(whole.ids) < 2:  # noqa: PLR2004 (each rank reads the whole of it)
                continue
            ids = tuple(name for part in parts for name in part.ids)
            if ids != whole.ids or not torch.equal(
                torch.cat([part.inputs for part in parts]), whole.inputs
            ):
                raise ContractError(
                    f"the rows of two ranks are not the batch of {split}; return the block of "
                    "each rank by bench.data.reading.ranks.block, padded as in the batch"
                )

    @requires("Seed and epoch decide the order of train, and nothing else does.")
    def training_order(self) -> None:
        """Compare the order of training samples for equal and different seeds and epochs."""
        if "train" not in self._splits:
            return
        first, again, other = (
            [batch.ids for batch in _batches(self._pipeline, "train", seed, 0)]
            for seed in (0, 0, 1)
        )
        later = [batch.ids for batch in _batches(self._pipeline, "train", 0, 1)]
        if first != again:
            raise ContractError("two passes over train with one seed and epoch differ")
        if len(self._annotations("train")) > _SIZE * _BATCHES and first in (other, later):
            raise ContractError(
                "train has the same order for other seeds or epochs; shuffle it by a generator "
                "that is seeded by seed and epoch"
            )

    @informs("How large the data set is, and how fast it is read.")
    def size(self) -> str:
        """Count samples and classes, and time reading."""
        counts = []
        for split in self._splits:
            batches = self._pipeline.batches(split, 1)
            counts.append(f"{split} {len(batches):,}")
        split = self._splits[-1]
        batches = self._pipeline.batches(split, 16)
        time = milliseconds(lambda: batches[0])
        return (
            f"samples: {', '.join(counts)}; {len(self._pipeline.vocabulary)} classes; a batch of "
            f"{batches.samples(0)} is read in {time:.1f} ms"
        )

    @cached_property
    def _splits(self) -> tuple[Split, ...]:
        return self.component.splits()

    @cached_property
    def _pipeline(self) -> InputPipeline:
        return self._open()

    def _open(self) -> InputPipeline:
        model_input: Input = FrameInput() if self.component.gives == "frames" else ImageInput()
        return self.component.open(model_input, self.component.label_encoder(None))

    def _annotations(self, split: Split) -> list[Annotation]:
        """Return the annotations of the first samples of a split."""
        return [*islice(self._pipeline.annotations(split), MAX_SAMPLES)]


def _batches(
    pipeline: InputPipeline, split: Split, seed: int = 0, epoch: int = 0
) -> Iterator[Batch]:
    """Yield the first batches of a split."""
    batches = pipeline.batches(split, _SIZE, seed=seed, epoch=epoch)
    return (batches[number] for number in range(min(_BATCHES, len(batches))))


def _equal(first: Batch, second: Batch) -> bool:
    """Return whether two batches have the same bytes."""
    pairs: Any = zip(first, second, strict=True)
    return all(
        torch.equal(left, right) if isinstance(left, Tensor) else left == right
        for left, right in pairs
    )
