"""A network as an ONNX graph from inputs to logits."""

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
    "output_lengths": "(batch), int64: how many steps of each sample are valid",
}
_SHOWN = 300


def require_onnx() -> None:
    """Raise BenchError where a package is not installed that graphs require."""
    for name in _PACKAGES:
        import_extra(name, "onnx", "an ONNX graph")


def to_onnx(network: RecognitionNetwork, sizes: InputSizes, model: str) -> bytes:
    """Return the graph of a network, as the content of an ONNX file.

    A batch may have any size, and images any width where the network reads several. Its inputs are
    `graph_inputs(sizes)`, its outputs `graph_outputs(sizes)`.

    Args:
        network: The network, in evaluation mode.
        sizes: What varies in its inputs.
        model: What errors call it.

    Raises:
        BenchError: A package is missing, or the network cannot be traced.
    """
    require_onnx()
    _require_parallel(network, sizes, model)
    length = sizes.usual_length
    inputs: tuple[Tensor, ...] = (sizes.example(2, length),)
    if sizes.padded:
        inputs += (torch.tensor([length, length - 3]),)
    try:
        with _quiet():
            program = torch.onnx.export(
                Traceable(network, None if sizes.padded else length),
                inputs,
                dynamo=True,
                dynamic_shapes=_varying(sizes),
                input_names=[*graph_inputs(sizes)],
                output_names=[*graph_outputs(sizes)],
                external_data=False,
                verbose=False,
            )
            document = program.model_proto  # type: ignore[union-attr]
            _remove_notes(document.graph)
            return bytes(document.SerializeToString())
    except Exception as error:  # noqa: BLE001 (whatever torch.onnx raises of a network)
        raise BenchError(
            f"model '{model}' cannot be exported to ONNX ({one_line(error)[:_SHOWN]}); export it "
            "without --onnx",
            Exit.FAILED,
        ) from None


def graph_inputs(sizes: InputSizes) -> dict[str, list[int | str]]:
    """Return the sizes of each input by its name; a size that varies is a word."""
    channels, height, width = sizes.shape
    frame: list[int | str] = [channels, height, width or "width"]
    inputs = {sizes.name: ["batch", *(["time"] if sizes.clips else []), *frame]}
    return inputs | ({"lengths": ["batch"]} if sizes.padded else {})


def graph_outputs(sizes: InputSizes) -> dict[str, str]:
    """Return what each output is, by its name."""
    names = ["logits", *(["output_lengths"] if sizes.padded else [])]
    return {name: _OUTPUTS[name] for name in names}


def opset(content: bytes) -> int:
    """Return the version of ONNX's operators that a graph uses."""
    import onnx

    imports = onnx.load_from_string(content).opset_import
    return max(int(each.version) for each in imports if each.domain in {"", "ai.onnx"})


def _varying(sizes: InputSizes) -> tuple[dict[int, Any], ...]:
    """Return the sizes that vary, of each argument of `Traceable.forward`, for torch."""
    batch = torch.export.Dim("batch")
    inputs: dict[int, Any] = {0: batch}
    least = max(sizes.least, 2)
    if sizes.clips:
        inputs[1] = torch.export.Dim("time", min=least)
    elif not sizes.shape.width:
        inputs[3] = torch.export.Dim("width", min=least)
    return (inputs, {0: batch}) if sizes.padded else (inputs,)


def _require_parallel(network: RecognitionNetwork, sizes: InputSizes, model: str) -> None:
    """Raise BenchError where a network is fed what it reads, step by step."""
    if not isinstance(network, Seq2SeqRecognitionNetwork):
        return
    feedback = Greedy(network.head, interval=1)
    length = sizes.usual_length
    with torch.inference_mode():
        network.model(sizes.example(1, length), torch.tensor([length]), feedback)
    if feedback.steps:
        raise BenchError(
            f"model '{model}' is fed its own predictions, symbol by symbol, and only networks that "
            "compute all steps at once are exported to ONNX; export it without --onnx"
        )


def _remove_notes(graph: Any) -> None:  # noqa: ANN401 (onnx has no types)
    """Remove what torch notes of its own work, such as stack traces with paths of this machine."""
    parts = (graph.node, graph.value_info, graph.input, graph.output, graph.initializer)
    for part in (graph, *chain.from_iterable(parts)):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress what torch.onnx and onnxscript print, warn of and log."""
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
