"""Forced alignment: the best path and the probability of given labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from bench.decoding.algorithms.decoded import Decoded
from bench.nn.ctc_functions import BLANK, valid_frames
from bench.nn.lattice import best_alignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor


def align(log_probs: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor) -> Decoded:
    """Align targets (N, U), padded behind `target_lengths` (N,), with log_probs (N, T, C).

    Targets are where `log_probs` is, lengths on the host.

    The path is the most probable one of the target (Viterbi), the confidence p(target) over all
    paths. Where the target is longer than the output allows, the path is blank and confidence 0.
    """
    log_probs = log_probs.detach()
    positions = best_alignment(log_probs, lengths, targets, target_lengths)
    # A blank before the first label, for the blank frames, whose position is -1.
    path = functional.pad(targets, (1, 0), value=BLANK).gather(1, positions + 1)
    scores = log_probs.gather(2, path.unsqueeze(2)).squeeze(2)
    scores = scores.masked_fill(~valid_frames(lengths, path.shape[1], path.device), 0)
    likelihood = log_likelihood(log_probs, lengths, targets, target_lengths)
    rows = zip(targets.cpu().numpy(), target_lengths.tolist(), strict=True)
    return Decoded(
        labels=[target[:length] for target, length in rows],
        path=path.cpu().numpy(),
        confidence=likelihood.exp().float().cpu().numpy(),
        scores=scores.float().cpu().numpy(),
        lengths=lengths.numpy(),
    )


def log_likelihood(
    log_probs: Tensor, lengths: Tensor, targets: Tensor, target_lengths: Tensor
) -> Tensor:
    """Return log p(target) (N,) over all paths by native CTC, -∞ where there is no path."""
    # The kernel requires at least one column, which may be padding.
    columns = targets if targets.shape[1] else functional.pad(targets, (0, 1), value=BLANK)
    return -functional.ctc_loss(
        log_probs.detach().transpose(0, 1), columns, lengths, target_lengths, reduction="none"
    )


def padded(labels: Sequence[NDArray[np.int64]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return arrays of labels as targets (N, U) on `device`, padded with blanks.

    The second tensor is their lengths (N,), on the host.
    """
    lengths = torch.tensor([len(each) for each in labels])
    rows = [torch.from_numpy(each) for each in labels]
    targets = pad_sequence(rows, batch_first=True, padding_value=BLANK)
    return targets.to(device, non_blocking=True), lengths
