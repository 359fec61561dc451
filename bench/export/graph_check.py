"""Compare an ONNX graph in onnxruntime with its network in torch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from bench.core.errors import BenchError, Exit
from bench.core.types import Batch
from bench.nn.ctc_functions import valid_frames

if TYPE_CHECKING:
    from torch import Tensor

    from bench.decoding.algorithms.decoded import Decode
    from bench.export.input_sizes import InputSizes
    from bench.recognizers.networks.network import RecognitionNetwork

TOLERANCE = 1e-3
"""Absolute and relative tolerance of logits. Rounding of float32 is far below it."""
_BATCHES = (1, 2, 5)
"""Sizes of batches of noise."""


@dataclass(frozen=True)
class GraphComparison:
    """The result of comparing a graph with its network on the same samples.

    Attributes:
        samples: Number of samples.
        largest_difference: Largest absolute difference of logits.
        different_texts: Number of samples that are decoded to different labels.
    """

    samples: int
    largest_difference: float
    different_texts: int


def compare_with_torch(
    content: bytes, network: RecognitionNetwork, batches: Iterable[Batch], decode: Decode
) -> GraphComparison:
    """Compute the logits of batches with a graph in onnxruntime and with its network in torch.

    Args:
        content: The content of an ONNX file.
        network: The network, in evaluation mode, on the CPU.
        batches: The batches.
        decode: The decoder, from logits to labels.

    Raises:
        BenchError: Shapes of outputs differ, or logits by more than `TOLERANCE`.
    """
    session = _session(content)
    names = [each.name for each in session.get_inputs()]
    samples, largest, different = 0, 0.0, 0
    for batch in batches:
        inputs = (batch.inputs.numpy(), batch.lengths.numpy())
        logits, *counts = session.run(None, dict(zip(names, inputs, strict=False)))
        with torch.inference_mode():
            expected, lengths = network(batch.inputs, batch.lengths)
        computed = torch.from_numpy(logits)
        if computed.shape != expected.shape or (counts and counts[0].tolist() != lengths.tolist()):
            raise _graph_error(
                f"its outputs have shape {tuple(computed.shape)} instead of "
                f"{tuple(expected.shape)}, or other lengths"
            )
        largest = max(largest, _largest_difference(expected, computed, lengths))
        pairs = zip(decode(expected, lengths).labels, decode(computed, lengths).labels, strict=True)
        different += sum(ours.tolist() != theirs.tolist() for ours, theirs in pairs)
        samples += len(lengths)
    return GraphComparison(samples, largest, different)


def noise_batches(sizes: InputSizes) -> Iterator[Batch]:
    """Yield batches of noise of several sizes, for a network whose data are not prepared."""
    for number, size in enumerate(_BATCHES):
        length = sizes.example_length
        if sizes.clips or not sizes.shape.width:
            length += 7 * number
        lengths = torch.full((size,), length)
        if sizes.padded:
            lengths -= 3 * torch.arange(size)
        none = torch.zeros(size, 0, dtype=torch.long)
        ids = tuple(map(str, range(size)))
        inputs = sizes.example(size, length)
        yield Batch(inputs, lengths, none, torch.zeros_like(lengths), none, ids)


def first_samples(batches: Iterable[Batch], count: int) -> Iterator[Batch]:
    """Yield batches until they have `count` samples; the last one is cut."""
    left = count
    for batch in batches:
        yield batch._replace(inputs=batch.inputs[:left], lengths=batch.lengths[:left])
        left -= len(batch.lengths)
        if left <= 0:
            return


def _largest_difference(expected: Tensor, computed: Tensor, lengths: Tensor) -> float:
    """Return the largest difference of valid logits. Raises BenchError above the tolerance."""
    valid = valid_frames(lengths, expected.shape[1])
    expected, computed = expected[valid], computed[valid]
    difference = (expected - computed).abs().max().item() if expected.numel() else 0.0
    if not torch.allclose(expected, computed, rtol=TOLERANCE, atol=TOLERANCE):
        raise _graph_error(f"logits differ by {difference:.2g}, more than {TOLERANCE:g}")
    return difference


def _graph_error(reason: str) -> BenchError:
    return BenchError(
        f"the ONNX graph does not compute the same as the network ({reason}); export without "
        "--onnx, and report this as a bug of bench",
        Exit.FAILED,
    )


def _session(content: bytes) -> Any:  # noqa: ANN401 (onnxruntime has no types)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    return onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
