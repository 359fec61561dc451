"""The validation score of a training: the label error rate of greedy decoding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import editdistance
import torch

from bench.decoding.greedy import GreedyDecoder
from bench.training.device import strict_float32

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.core.types import Batch, DecoderFamily
    from bench.recognizers.networks.network import RecognitionNetwork


def label_error_rate(
    network: RecognitionNetwork, batches: Iterable[Batch], family: DecoderFamily
) -> float:
    """Return the edit distance between decoded and target labels, per target label.

    It depends on the network only, not on a protocol, transcripts or decoder parameters. It is
    computed in strict float32. The network is left in evaluation mode.

    Args:
        network: The network.
        batches: One epoch over the validation split, finished, on the device of the network.
        family: The family of greedy decoding.

    Returns:
        A rate from 0, above 1 where more labels are decoded than there are. Where no sample has a
        label, the number of decoded labels.

    Source:
        Graves et al., "Connectionist Temporal Classification" (ICML 2006), where the
        rate is averaged over samples. Here edits and labels are summed before they are divided, as
        error rates are reported.
    """
    network.eval()
    decode = GreedyDecoder().build(family, ())
    edits = labels = 0
    with torch.inference_mode(), strict_float32():
        for batch in batches:
            logits, lengths = network(batch.inputs, batch.lengths)
            decoded = decode(logits, lengths).labels
            counts = batch.target_lengths.tolist()
            for row, hypothesis in enumerate(decoded):
                target = batch.targets[row, : counts[row]].tolist()
                edits += editdistance.distance(hypothesis.tolist(), target)
            labels += sum(counts)
    return edits / max(labels, 1)
