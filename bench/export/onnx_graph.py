"""Export a network as an ONNX graph from inputs to logits."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch

from bench.core.errors import BenchError, Exit, one_line
from bench.core.optional import import_extra
from bench.export.traceable import Traceable
from bench.nn.feedback import Greedy
from bench.recognizers.networks.network import Seq2SeqRecognitionNetwork

if TYPE_CHECKING:
    from torch import Tensor

    from bench.export.input_sizes import InputSizes
    from bench.recognizers.networks.network import RecognitionNetwork

_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_OUTPUTS = {
    "logits": "(batch, steps, classes), float32, before softmax",
    "output_lengths": "(batch), int64: number of valid steps of each sample",
}
_MAX_REASON = 300


def require_onnx() -> None:
    """Raise BenchError if a package that ONNX graphs require is not installed."""
    for name in _PACKAGES:
        import_extra(name, "onnx", "an ONNX graph")


def export_onnx(network: RecognitionNetwork, sizes: InputSizes, model: str) -> bytes:
    """Return the graph of a network, as the content of an ONNX file.

    The size of the batch is variable, and so are widths and numbers of frames if the network reads
    several. Inputs are `graph_inputs(sizes)`, outputs `graph_outputs(sizes)`.

    Args:
        network: The network, in evaluation mode.
        sizes: The sizes of its inputs.
        model: The name of the model in error messages.

    Raises:
        BenchError: A package is missing, or the network cannot be traced.
    """
    require_onnx()
    _require_parallel(network, sizes, model)
    length = sizes.example_length
    inputs: tuple[Tensor, ...] = (sizes.example(2, length),)
    if sizes.padded:
        inputs += (torch.tensor([length, length - 3]),)
    try:
        with _suppressed_output():
            program = torch.onnx.export(
                Traceable(network, None if sizes.padded else length),
                inputs,
                dynamo=True,
                dynamic_shapes=_dynamic_sizes(sizes),
                input_names=[*graph_inputs(sizes)],
                output_names=[*graph_outputs(sizes)],
                external_data=False,
                verbose=False,
            )
            document = program.model_proto  # type: ignore[union-attr]
            _remove_notes(document.graph)
            return bytes(document.SerializeToString())
    except Exception as error:  # noqa: BLE001 (torch.onnx raises errors of many types)
        raise BenchError(
            f"model '{model}' cannot be exported to ONNX ({one_line(error)[:_MAX_REASON]}); "
            "export it without --onnx",
            Exit.FAILED,
        ) from None


def graph_inputs(sizes: InputSizes) -> dict[str, list[int | str]]:
    """Return the sizes of each input by name; a variable size is a name such as `batch`."""
    channels, height, width = sizes.shape
    frame: list[int | str] = [channels, height, width or "width"]
    inputs = {sizes.name: ["batch", *(["time"] if sizes.clips else []), *frame]}
    return inputs | ({"lengths": ["batch"]} if sizes.padded else {})


def graph_outputs(sizes: InputSizes) -> dict[str, str]:
    """Return the description of each output, by name."""
    names = ["logits", *(["output_lengths"] if sizes.padded else [])]
    return {name: _OUTPUTS[name] for name in names}


def opset_version(content: bytes) -> int:
    """Return the opset of a graph: the version of its ONNX operators."""
    import onnx

    imports = onnx.load_from_string(content).opset_import
    return max(int(each.version) for each in imports if each.domain in {"", "ai.onnx"})


def _dynamic_sizes(sizes: InputSizes) -> tuple[dict[int, Any], ...]:
    """Return the variable sizes of each argument of `Traceable.forward`, for `torch.onnx`."""
    batch = torch.export.Dim("batch")
    inputs: dict[int, Any] = {0: batch}
    min_length = max(sizes.min_length, 2)
    if sizes.clips:
        inputs[1] = torch.export.Dim("time", min=min_length)
    elif not sizes.shape.width:
        inputs[3] = torch.export.Dim("width", min=min_length)
    return (inputs, {0: batch}) if sizes.padded else (inputs,)


def _require_parallel(network: RecognitionNetwork, sizes: InputSizes, model: str) -> None:
    """Raise BenchError if a network is autoregressive: its loop cannot be traced."""
    if not isinstance(network, Seq2SeqRecognitionNetwork):
        return
    feedback = Greedy(network.head, interval=1)
    length = sizes.example_length
    with torch.inference_mode():
        network.model(sizes.example(1, length), torch.tensor([length]), feedback)
    if feedback.steps:
        raise BenchError(
            f"model '{model}' is autoregressive, and only networks that compute all steps at once "
            "can be exported to ONNX; export it without --onnx"
        )


def _remove_notes(graph: Any) -> None:  # noqa: ANN401 (onnx has no types)
    """Remove metadata of torch, such as stack traces with paths of this machine."""
    parts = (graph.node, graph.value_info, graph.input, graph.output, graph.initializer)
    for part in (graph, *chain.from_iterable(parts)):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


@contextmanager
def _suppressed_output() -> Iterator[None]:
    """Suppress outputs, warnings and logs of torch.onnx and onnxscript."""
    loggers = [logging.getLogger(name) for name in ("torch", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
