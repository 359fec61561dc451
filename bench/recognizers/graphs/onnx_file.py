"""The weights of an ONNX file, counted without running the graph.

The needed fields are parsed from the encoding of protocol buffers
(protobuf.dev/programming-guides/encoding) with the field numbers of onnx.proto, so that the package
onnx is not required.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator

_GRAPH = 7
_NODE, _INITIALIZER = 1, 5
_ATTRIBUTE, _TENSOR = 5, 5
_DIMS, _DATA_TYPE, _LOCATION = 1, 2, 14
"""Field numbers. By line: of ModelProto; of GraphProto; of NodeProto and AttributeProto; of
TensorProto."""
_WEIGHTS = frozenset({1, 2, 3, 10, 11, 16})
"""Data types of weights: float32, uint8, int8, float16, float64, bfloat16; tensors of other types
are regarded as shapes."""
_EXTERNAL = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_VARINT = 10
"""Bytes."""
Field = tuple[int, int, "memoryview | int"]


class OnnxFile(NamedTuple):
    """The weights of an ONNX file, or of one of its tensors.

    Attributes:
        parameters: The number of weights.
        external: Whether weights are stored in other files.
    """

    parameters: int
    external: bool


def read_onnx_file(content: bytes, where: str) -> OnnxFile:
    """Return the number of weights of an ONNX file.

    Args:
        content: The content of the file.
        where: The file, for messages.

    Raises:
        BenchError: The content is not an ONNX graph with weights.
    """
    try:
        tensors = [*_tensors(memoryview(content))]
    except (IndexError, ValueError):
        tensors = []
    if not tensors:
        raise BenchError(f"{where} is not an ONNX graph with weights; give another file")
    return OnnxFile(
        sum(tensor.parameters for tensor in tensors), any(tensor.external for tensor in tensors)
    )


def _tensors(content: memoryview) -> Iterator[OnnxFile]:
    """Yield the tensors of a model: initializers, and attributes of nodes such as constants."""
    for graph in _messages(content, _GRAPH):
        for tensor in _messages(graph, _INITIALIZER):
            yield _tensor(tensor)
        for node in _messages(graph, _NODE):
            for attribute in _messages(node, _ATTRIBUTE):
                for tensor in _messages(attribute, _TENSOR):
                    yield _tensor(tensor)


def _tensor(content: memoryview) -> OnnxFile:
    sizes: list[int] = []
    kind = location = 0
    for number, wire, value in _fields(content):
        if number == _DIMS and wire == _VARINT and isinstance(value, int):
            sizes.append(value)
        elif number == _DIMS and isinstance(value, memoryview):
            sizes += _packed(value)
        elif number == _DATA_TYPE and isinstance(value, int):
            kind = value
        elif number == _LOCATION and isinstance(value, int):
            location = value
    return OnnxFile(math.prod(sizes) if kind in _WEIGHTS else 0, location == _EXTERNAL)


def _messages(content: memoryview, field: int) -> Iterator[memoryview]:
    """Yield the embedded messages of the field with this number."""
    for number, wire, value in _fields(content):
        if number == field and wire == _BYTES and isinstance(value, memoryview):
            yield value


def _fields(content: memoryview) -> Iterator[Field]:
    """Yield number, wire type and value of each field. Raises ValueError or IndexError."""
    at = 0
    while at < len(content):
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(content, at)
            yield number, wire, value
            continue
        size = {_FIXED64: 8, _FIXED32: 4}.get(wire)
        if wire == _BYTES:
            size, at = _varint(content, at)
        if size is None or at + size > len(content):
            raise ValueError(wire)
        yield number, wire, content[at : at + size]
        at += size


def _packed(content: memoryview) -> Iterator[int]:
    at = 0
    while at < len(content):
        value, at = _varint(content, at)
        yield value


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Return the integer at an offset, and the offset after it."""
    value = 0
    for index in range(_MAX_VARINT):
        byte = content[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:  # noqa: PLR2004 (the highest bit is set if more bytes follow)
            return value, at + index + 1
    raise ValueError(at)
