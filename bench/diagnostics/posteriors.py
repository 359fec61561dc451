"""Features and posteriors of frames, with the targets aligned to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import torch

from bench.core.errors import BenchError
from bench.decoding.algorithms.forced_alignment import align

if TYPE_CHECKING:
    from torch import Tensor

    from bench.core.types import Batch, FrameNetwork
    from bench.decoding.algorithms.decoded import Decoded
    from bench.diagnostics.finished import FinishedEvaluation


class Frames(NamedTuple):
    """The frames of a batch.

    Attributes:
        features: Features, (N, T, D).
        log_probs: Log-posteriors of classes, (N, T, C).
        reference: The most probable paths of the targets (forced alignment).
    """

    features: Tensor
    log_probs: Tensor
    reference: Decoded


def require_ctc(evaluation: FinishedEvaluation, picture: str) -> None:
    """Raise BenchError unless the loss is of the CTC family."""
    if evaluation.loss.decoder != "ctc":
        raise BenchError(
            f"--{picture} draws CTC alignments, but loss '{evaluation.loss.name}' of this "
            f"evaluation is not a CTC loss; leave --{picture} out"
        )


def read_frames(evaluation: FinishedEvaluation, batch: Batch) -> Frames:
    """Compute the frames of a batch with the network, and align its targets with them."""
    network = evaluation.network
    with torch.inference_mode():
        features, lengths = cast("FrameNetwork", network.model)(batch.inputs, batch.lengths)
        log_probs = network.head(features.sequence).float().log_softmax(-1)
        reference = align(log_probs, lengths, batch.targets, batch.target_lengths)
    return Frames(features.sequence, log_probs, reference)
