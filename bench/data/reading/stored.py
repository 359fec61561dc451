"""One input pipeline for one or more prepared data sets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bench.core.components import ClipAugmentation, ImageAugmentation
from bench.core.errors import BenchError
from bench.core.model_input import ImageInput
from bench.core.types import SPLITS
from bench.data.inputs.clip_transform import ClipTransform
from bench.data.inputs.image_transform import ImageTransform
from bench.data.reading.pipeline import PreparedPipeline
from bench.data.reading.samples import LazySplits, Samples

if TYPE_CHECKING:
    from bench.core.components import Augmentation
    from bench.core.model_input import Input
    from bench.core.types import Split
    from bench.data.reading.label_encoder import LabelEncoder
    from bench.data.reading.pipeline import Transform
    from bench.data.reading.samples import Selection


class HasSelections(Protocol):
    """A data set whose samples are stored in partitions of prepared data."""

    @property
    def label(self) -> str:
        """The name of the data set in errors."""
        ...

    def splits(self) -> tuple[Split, ...]:
        """Return the splits of the data set."""
        ...

    def selection(self, split: Split) -> Selection:
        """Return the samples of a split."""
        ...


def join_splits(datasets: Sequence[HasSelections]) -> LazySplits:
    """Return the splits that all data sets have, each with the samples of all data sets in order.

    A data set without a validation split gives a tenth of its training samples instead, which are
    then not trained on.
    """
    divided = {*SPLITS}.intersection(*(_with_validation(each.splits()) for each in datasets))
    return LazySplits(
        [split for split in SPLITS if split in divided],
        lambda split: Samples([_selection(dataset, split) for dataset in datasets]),
    )


def open_stored(
    splits: LazySplits,
    model_input: Input,
    encoder: LabelEncoder,
    augmentation: Augmentation | None = None,
) -> PreparedPipeline:
    """Return the pipeline that reads `splits` as `model_input`; pixels are read with each batch.

    Raises:
        BenchError: The augmentation is for another kind of input, or the crop is larger than the
            frames.
    """
    transform: Transform
    if isinstance(model_input, ImageInput):
        if not isinstance(augmentation, ImageAugmentation | None):
            raise _not_augmentable(augmentation, model_input)
        transform = ImageTransform(model_input, augmentation)
    else:
        if not isinstance(augmentation, ClipAugmentation | None):
            raise _not_augmentable(augmentation, model_input)
        frame = (model_input.size, model_input.size) if model_input.size else _frame_size(splits)
        if model_input.crop > min(frame):
            raise BenchError(
                f"crop = {model_input.crop} is larger than the frames, which are {frame[0]}×"
                f"{frame[1]} pixels; lower the crop of the input, or set its size"
            )
        transform = ClipTransform(model_input, frame, augmentation)
    return PreparedPipeline(splits, encoder, transform)


def _not_augmentable(augmentation: Augmentation, model_input: Input) -> BenchError:
    return BenchError(
        f"augmentation '{augmentation.name}' is for {augmentation.accepts} and cannot be applied "
        f"to {model_input.kind}; set augmentation = 'none'"
    )


def _with_validation(splits: Sequence[Split]) -> set[Split]:
    return {*splits, "validation"} if "train" in splits else {*splits}


def _selection(dataset: HasSelections, split: Split) -> Selection:
    """Return the samples of a split; `train` excludes samples that are held out."""
    if split == "test" or "validation" in dataset.splits():
        return dataset.selection(split)
    trained, held_out = dataset.selection("train").divided()
    return trained if split == "train" else held_out


def _frame_size(splits: LazySplits) -> tuple[int, int]:
    """Return the rows and columns of all frames. Raises BenchError if they differ."""
    samples = [splits[split] for split in splits]
    rows, columns = (
        np.unique(np.concatenate([each.column(name) for each in samples]))
        for name in ("height", "width")
    )
    if len(rows) != 1 or len(columns) != 1:
        raise BenchError(
            f"the clips have frames of {rows.min()} to {rows.max()} rows and {columns.min()} to "
            f"{columns.max()} columns; set the size of the input, so that all are scaled to it"
        )
    return int(rows[0]), int(columns[0])
