"""The features and posteriors of frames, with the targets aligned to them."""

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
        features: (N, T, D).
        log_probs: Log-posteriors (N, T, C).
        reference: The most probable paths of the targets.
    """

    features: Tensor
    log_probs: Tensor
    reference: Decoded


def require_ctc(evaluation: FinishedEvaluation, picture: str) -> None:
    """Raise BenchError where the loss does not align frames with labels."""
    if evaluation.loss.decoder != "ctc":
        raise BenchError(
            f"--{picture} shows how CTC aligns frames with labels, and loss "
            f"'{evaluation.loss.name}' of this evaluation aligns none; leave --{picture} out"
        )


def read_frames(evaluation: FinishedEvaluation, batch: Batch) -> Frames:
    """Read `batch` as in the evaluation, and align its targets with the posteriors."""
    network = evaluation.network
    with torch.inference_mode():
        features, lengths = cast("FrameNetwork", network.model)(batch.inputs, batch.lengths)
        log_probs = network.head(features.sequence).float().log_softmax(-1)
        reference = align(log_probs, lengths, batch.targets, batch.target_lengths)
    return Frames(features.sequence, log_probs, reference)
