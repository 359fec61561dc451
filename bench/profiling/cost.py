"""The number of multiply-accumulates of a forward pass, which does not depend on hardware."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import TYPE_CHECKING

import torch
from torch.backends import mha, mkldnn
from torch.utils.flop_counter import FlopCounterMode

if TYPE_CHECKING:
    from torch import Tensor, nn


def count_macs(network: nn.Module, inputs: Tensor, lengths: Tensor) -> int:
    """Count the multiply-accumulates of matrix products, convolutions and attention.

    Element-wise operations, normalization, pooling and activations are not counted.

    Args:
        network: The network, which is copied.
        inputs: The inputs of one batch.
        lengths: The lengths (N,) of its samples.
    """
    copied = deepcopy(network).cpu().eval()
    counter = FlopCounterMode(display=False)
    with _plain_kernels(), torch.inference_mode(), counter:
        copied(inputs.cpu(), lengths)
    return int(counter.get_total_flops()) // 2  # one FLOP each for multiply and add


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Disable fused LSTMs and transformer layers, whose operations the counter does not count."""
    fast, onednn = mha.get_fastpath_enabled(), bool(mkldnn.enabled)
    _allow_fused(fast=False, onednn=False)
    try:
        yield
    finally:
        _allow_fused(fast=fast, onednn=onednn)


def _allow_fused(*, fast: bool, onednn: bool) -> None:
    mha.set_fastpath_enabled(fast)
    # Not flags(), which also sets TF32 and warns about it.
    mkldnn.set_flags(_enabled=onednn, _fp32_precision=None)  # type: ignore[no-untyped-call]
