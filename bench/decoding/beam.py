"""CTC prefix beam search, by the library fast-ctc-decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.core.errors import BenchError
from bench.decoding.forced_alignment import align, padded

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor

    from bench.decoding.decoded import Decoded

FIRST = 0x10000
"""The library names classes by characters: from here on, Unicode has a million without a gap."""


def beam(logits: Tensor, lengths: Tensor, *, width: int = 10, cut: float = 0) -> Decoded:
    """Decode logits (N, T, C) to the labels with the largest sum of paths that the beam kept.

    Graves et al. (ICML 2006), § 3.2, in the order of frames: after each, the `width` prefixes with
    the largest sums go on. The search leaves out what a frame gives less than `cut` < 1/C; 0 leaves
    out nothing. The confidence is p(labels) over all paths, also those that the beam had lost, and
    the path the most probable one of these labels.
    """
    search = _library()
    log_probs = logits.detach().float().log_softmax(-1)
    probabilities = log_probs.exp().cpu().numpy()
    alphabet = [chr(FIRST + label) for label in range(logits.shape[2])]
    labels = [
        _labels(search(frames[:length], alphabet, width, cut)[0])
        for frames, length in zip(probabilities, lengths.tolist(), strict=True)
    ]
    return align(log_probs, lengths, *padded(labels, logits.device))


def _labels(text: str) -> NDArray[np.int64]:
    return np.frombuffer(text.encode("utf-32-le"), "<u4").astype(np.int64) - FIRST


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
