"""What a network that emits frames makes of them, and which of them show what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

import torch

from bench.core.errors import BenchError
from bench.decoding.forced_alignment import align

if TYPE_CHECKING:
    from torch import Tensor

    from bench.core.types import Batch, FrameNetwork
    from bench.decoding.decoded import Decoded
    from bench.figures.finished_trial import FinishedTrial


class Frames(NamedTuple):
    """Features (N, T, D) and log-posteriors (N, T, C) of a batch, and its targets aligned."""

    features: Tensor
    log_probs: Tensor
    reference: Decoded


def require_ctc(trial: FinishedTrial, picture: str) -> None:
    """Raise BenchError where no label is aligned with frames, so that there is no such picture."""
    if trial.loss.decoder != "ctc":
        raise BenchError(
            f"--{picture} shows how CTC aligns frames with labels, and loss '{trial.loss.name}' of "
            f"this trial aligns none; leave --{picture} out"
        )


def frames(trial: FinishedTrial, batch: Batch) -> Frames:
    """Read `batch` as in the test, and align its targets with what was read."""
    network = trial.network
    with torch.inference_mode():
        features, lengths = cast("FrameNetwork", network.model)(batch.inputs, batch.lengths)
        log_probs = network.head(features.sequence).float().log_softmax(-1)
        reference = align(log_probs, lengths, batch.targets, batch.target_lengths)
    return Frames(features.sequence, log_probs, reference)
