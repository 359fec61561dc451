"""The values that datasets, networks, losses and decoders hand to each other.

Shapes: N batch, T frames, U target length, C classes, D features, H and W pixels. Targets and
lengths follow `torch.nn.functional.ctc_loss`; blank is class 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
InputKind = Literal["frames", "image"]
"""`frames`: a clip (N, T, channels, H, W); `image`: a text line (N, channels, H, W)."""
Output = Literal["frames", "seq2seq"]
"""`frames`: one feature per frame, aligned by the loss; `seq2seq`: one feature per output step."""
DecoderFamily = Literal["ctc", "ace", "seq2seq"]
"""`ctc`: repeats are merged, then blanks are dropped; `ace`: blanks are dropped only; `seq2seq`:
one label per step, up to the first end of sequence (EOS)."""


class InputShape(NamedTuple):
    """One frame or one image: channels, height and width in pixels; 0 where widths differ."""

    channels: int
    height: int
    width: int


class Batch(NamedTuple):
    """The input of a model with the targets of a loss.

    Only `inputs` is moved to a device. Lengths and targets stay on the host, because they decide
    shapes and feasibility, and reading them from a device would synchronize.

    Attributes:
        inputs: (N, T, channels, H, W) or (N, channels, H, W), float32, once
            `InputPipeline.finish` has made it of the stored values that `EpochBatches` give.
        lengths: How many frames or columns of each sample (N,) are valid, int64.
        targets: The classes (N, U), padded with blanks, int64.
        target_lengths: How many of the classes of each sample (N,) are valid, int64.
        key_frames: The true frame of each class (N, U), -1 where it is unknown, int64.
        ids: The ids of the N samples.
        texts: The N transcripts as annotated, where targets cannot express all of them; else empty.
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor
    target_lengths: Tensor
    key_frames: Tensor
    ids: tuple[str, ...]
    texts: tuple[str, ...] = ()

    def to(self, device: str) -> Batch:
        """Return this batch with its inputs on `device`, copied without waiting for it."""
        return self._replace(inputs=self.inputs.to(device, non_blocking=True))


class Targets(NamedTuple):
    """The labels of a batch of features. All are int64.

    Attributes:
        lengths: The output length of each sample (N,): valid frames, or the steps of a
            sequence-to-sequence network. On the host.
        labels: The classes (N, U), padded with class 0; on the device of the features.
        label_lengths: How many of the labels of each sample (N,) are valid. On the host.
    """

    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor


class Features(NamedTuple):
    """The features that a network computes from a batch.

    Attributes:
        sequence: (N, T, D), one feature per frame, or (N, S, D), one feature per output step.
        visual: (N, T, V), the features of frames before the sequence module; None if the network
            has no such module.
    """

    sequence: Tensor
    visual: Tensor | None = None


class FeatureDims(NamedTuple):
    """The dimensions of a network's `Features`.

    Attributes:
        sequence: D, of the sequence features.
        visual: V, of the visual features; None if the network has none.
    """

    sequence: int
    visual: int | None = None


Feedback = Callable[["Tensor"], "Tensor | None"]
"""The feedback of a sequence-to-sequence network: from the features (N, D) of a step it returns the
classes (N,) that are the input of the next step, or None after the last step."""


class Annotation(NamedTuple):
    """One sample without its pixels.

    Attributes:
        id: The id of the sample.
        length: Its number of frames or columns.
        target: Its classes.
    """

    id: str
    length: int
    target: tuple[int, ...]


class EpochBatches(Sized, Protocol):
    """One epoch over a split: a sequence of batches, each of which is read when it is indexed.

    It can be pickled, so that other processes may prefetch: a batch is equal wherever it is read,
    and uses no global random generator. Its inputs are stored values, mostly bytes, which
    `InputPipeline.finish` turns into the input of a network; a `BatchLoader` does both.
    """

    def __getitem__(self, index: int, /) -> Batch: ...

    def samples(self, index: int) -> int:
        """Return the number of samples of a batch, including those of other ranks."""
        ...

    def rows(self, rank: int, ranks: int) -> EpochBatches:
        """Return the same epoch with only the rows of one rank in each batch.

        The rows of all ranks, concatenated, are the batch: they are padded as in the whole batch,
        with the same augmentation. A batch of fewer samples than ranks is read by each rank as a
        whole.
        """
        ...


class InputPipeline(Protocol):
    """A data set with an input and a vocabulary, from which batches are read."""

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens of the classes: `vocabulary[c - 1]` is that of class c; class 0 is blank."""
        ...

    @property
    def input_shape(self) -> InputShape:
        """The shape of a frame or an image."""
        ...

    @property
    def redraws(self) -> bool:
        """Whether the samples of `train` differ between epochs and seeds."""
        ...

    def annotations(self, split: Split, *, seed: int = 0) -> Iterable[Annotation]:
        """Return the annotations of all samples of `split`, without reading pixels.

        Where `redraws` is true, those of `train` are the first epoch's.
        """
        ...

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> EpochBatches:
        """Return one epoch over `split`; only `train` depends on seed and epoch."""
        ...

    def finish(self, inputs: Tensor) -> Tensor:
        """Return the input of a network from stored values: a new tensor on the same device."""
        ...


class FrameNetwork(Protocol):
    """A built frame model: (inputs, lengths) to features of frames and their lengths (N,).

    Inputs are on the device of the network. Lengths, both arguments and results, are on the host,
    so that a network can shape its tensors without synchronizing.
    """

    feature_dims: FeatureDims

    def __call__(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return the features, and the number of valid frames of each sample (N,)."""
        ...

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of frames (N,) for inputs of `lengths` (N,), without computing them."""
        ...


class Seq2SeqNetwork(Protocol):
    """A built sequence-to-sequence model: (inputs, lengths, feedback) to features of S steps.

    Inputs are on the device of the network, lengths on the host, as for a `FrameNetwork`.

    An autoregressive network starts from class 0, calls `feedback` with the features of each step,
    and ends after `steps` steps or where that returns None. A parallel network does not call it.

    Attributes:
        feature_dims: The dimensions of its features.
        steps: The largest S.
    """

    feature_dims: FeatureDims
    steps: int

    def __call__(self, inputs: Tensor, lengths: Tensor, feedback: Feedback) -> Features:
        """Return the features of every step."""
        ...


class Attentive(Seq2SeqNetwork, Protocol):
    """A `Seq2SeqNetwork` over images that can return its attention maps.

    Attributes:
        cell: The pixels (rows, columns) per element of a map.
    """

    cell: tuple[int, int]

    def attend(
        self, inputs: Tensor, lengths: Tensor, feedback: Feedback
    ) -> tuple[Features, Tensor]:
        """Return the features, and the attention maps (N, S, H', W') of all steps.

        A map sums to 1. Its cells tile the image from the upper left corner; the last ones may
        extend beyond it. `Greedy(head)` as feedback gives the network's own predictions.
        """
        ...
