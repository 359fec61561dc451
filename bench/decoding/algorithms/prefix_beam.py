"""CTC prefix beam search by the library fast-ctc-decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import BenchError
from bench.decoding.algorithms.forced_alignment import align, padded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from bench.decoding.algorithms.decoded import Decoded

FIRST_CHARACTER = 0x10000
"""The library names classes by characters; from here on, Unicode has a million without a gap."""


def prefix_beam_search(
    logits: Tensor, lengths: Tensor, *, width: int = 10, cut: float = 0
) -> Decoded:
    """Decode logits (N, T, C) to the labels with the largest sum of paths that the beam kept.

    After each frame the `width` prefixes with the largest sums are kept (Graves et al., ICML 2006,
    § 3.2). Classes with less than `cut` < 1/C in a frame are left out of it. The confidence is
    p(labels) over all paths, also those that the beam had dropped; the path is the most probable
    one of these labels.
    """
    refuse_large_cut(cut, logits.shape[2])
    search = _library()
    log_probs = logits.detach().float().log_softmax(-1)
    probabilities = log_probs.exp().cpu().numpy()
    alphabet = [chr(FIRST_CHARACTER + label) for label in range(logits.shape[2])]
    labels = [
        _labels(search(frames[:length], alphabet, width, cut)[0])
        for frames, length in zip(probabilities, lengths.tolist(), strict=True)
    ]
    return align(log_probs, lengths, *padded(labels, logits.device))


def refuse_large_cut(cut: float, classes: int) -> None:
    """Raise BenchError if `cut` could leave out every class of a frame."""
    if cut >= 1 / classes:
        raise BenchError(
            f"decoder 'beam': cut = {cut:g} could leave out all {classes} classes of a frame; "
            f"choose less than 1/{classes} = {1 / classes:.3g}"
        )


def _labels(text: str) -> NDArray[np.int64]:
    return np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.int64) - FIRST_CHARACTER


def _library() -> Callable[[NDArray[np.float32], list[str], int, float], tuple[str, list[int]]]:
    """Return the library's search: float32 probabilities (T, C) with blank first, to characters."""
    try:
        from fast_ctc_decoder import beam_search
    except ImportError as error:
        raise BenchError(
            "beam search needs fast-ctc-decoder, which is not installed: "
            'pip install "fast-ctc-decoder>=0.3.9"'
        ) from error
    search: Callable[[NDArray[np.float32], list[str], int, float], tuple[str, list[int]]]
    search = beam_search
    return search
