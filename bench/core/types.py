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
    """What a model reads and a loss scores.

    Only `inputs` is moved to a device. All else stays on the host, where it can be read without
    waiting for the device: lengths decide shapes, and targets decide what is feasible.

    Attributes:
        inputs: (N, T, channels, H, W) or (N, channels, H, W), float32, once
            `InputPipeline.finish` has made it of the stored values that `EpochBatches` give.
        lengths: How many frames or columns of each sample (N,) are valid, int64.
        targets: The classes (N, U), padded with blanks, int64.
        target_lengths: How many of the classes of each sample (N,) are valid, int64.
        key_frames: The true frame of each class (N, U), -1 where it is unknown, int64.
        ids: The names of the N samples.
        texts: The N transcripts as they were given, where targets cannot express all of them;
            empty where they can.
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
    """The labels that a batch of features should be read as. All are int64.

    Attributes:
        lengths: How many frames of each sample (N,) are valid; for a sequence-to-sequence network,
            how many steps it has. On the host.
        labels: The classes (N, U), padded with class 0; on the device of the features.
        label_lengths: How many of the labels of each sample (N,) are valid. On the host.
    """

    lengths: Tensor
    labels: Tensor
    label_lengths: Tensor


class Features(NamedTuple):
    """What a network computes from a batch.

    Attributes:
        sequence: (N, T, D), one feature per frame, or (N, S, D), one feature per output step.
        visual: (N, T, V), the features of the frames below the sequence module that puts them into
            context; None where the network has no such two stages.
    """

    sequence: Tensor
    visual: Tensor | None = None


class FeatureDims(NamedTuple):
    """The dimensions of a network's `Features`.

    Attributes:
        sequence: D, of the sequence features.
        visual: V, of the visual features; None where the network has none.
    """

    sequence: int
    visual: int | None = None


Feedback = Callable[["Tensor"], "Tensor | None"]
"""What feeds a sequence-to-sequence network: given the features (N, D) of a step, it returns the
classes (N,) that the next step is fed, or None after the last step."""


class Annotation(NamedTuple):
    """One sample without its pixels.

    Attributes:
        id: The name of the sample.
        length: Its frames or columns.
        target: The classes to be read.
    """

    id: str
    length: int
    target: tuple[int, ...]


class EpochBatches(Sized, Protocol):
    """A pass over a split: its number of batches, and each of them, read when it is asked for.

    It can be pickled, so that other processes may read ahead: a batch is the same one wherever it
    is read, and takes nothing from a global random generator. Its inputs are stored values, mostly
    bytes, which `InputPipeline.finish` makes into what a network reads; a `BatchLoader` does both.
    """

    def __getitem__(self, index: int, /) -> Batch: ...

    def samples(self, index: int) -> int:
        """Return how many samples a batch has, those of other ranks included."""
        ...

    def rows(self, rank: int, ranks: int) -> EpochBatches:
        """Return a pass over the same batches, of each only the rows of one rank.

        The rows of all ranks, one behind the other, are the batch: they are padded as in the batch
        and augmented alike. A batch of fewer samples than ranks is read by each rank as a whole.
        """
        ...


class InputPipeline(Protocol):
    """A dataset made ready to read.

    `vocabulary[c - 1]` is the token of class c; class 0 is blank.
    """

    @property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens of the classes from 1."""
        ...

    @property
    def input_shape(self) -> InputShape:
        """The shape of a frame or an image."""
        ...

    @property
    def redraws(self) -> bool:
        """Whether the samples of `train` are other ones in each epoch and for each seed."""
        ...

    def annotations(self, split: Split, *, seed: int = 0) -> Iterable[Annotation]:
        """Return what is to be read in every sample of `split`, without touching its pixels.

        Where `redraws` holds, those of `train` are the first epoch's.
        """
        ...

    def batches(self, split: Split, size: int, *, seed: int = 0, epoch: int = 0) -> EpochBatches:
        """Return one pass over `split`; only `train` depends on seed and epoch."""
        ...

    def finish(self, inputs: Tensor) -> Tensor:
        """Return what a network reads, from stored inputs: a new tensor on the same device."""
        ...


class FrameNetwork(Protocol):
    """A built frame model: (inputs, lengths) to features of frames and their lengths (N,).

    Inputs are on the device of the network. Lengths are on the host, those that come in and those
    that go out, so that a network can shape its tensors by them without waiting for the device.
    """

    feature_dims: FeatureDims

    def __call__(self, inputs: Tensor, lengths: Tensor) -> tuple[Features, Tensor]:
        """Return the features, and how many frames of each sample (N,) are valid."""
        ...

    def output_lengths(self, lengths: Tensor) -> Tensor:
        """Return the number of frames (N,) for inputs of `lengths` (N,), without computing them."""
        ...


class Seq2SeqNetwork(Protocol):
    """A built sequence-to-sequence model: (inputs, lengths, feedback) to features of S steps.

    Inputs are on the device of the network, lengths on the host, as for a `FrameNetwork`.

    An autoregressive network starts from class 0, calls `feedback` with the features of each step,
    and ends after `steps` steps or where it returns None. A network that computes all steps at once
    does not call it.

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
    """A `Seq2SeqNetwork` over images that can return its attention maps. No network has to.

    Attributes:
        cell: The pixels (rows, columns) that one element of a map stands for.
    """

    cell: tuple[int, int]

    def attend(
        self, inputs: Tensor, lengths: Tensor, feedback: Feedback
    ) -> tuple[Features, Tensor]:
        """Return the features, and the attention maps (N, S, H', W') of all steps.

        A map sums to 1. Its cells lie side by side from the image's upper left corner; the last
        ones may extend beyond it. `Greedy(head)` as feedback gives a recognizer's own reading.
        """
        ...
