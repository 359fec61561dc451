"""What a file of ONNX says of itself, read without running it.

Only the few fields that are needed are read, from the encoding of protocol buffers itself
(protobuf.dev/programming-guides/encoding) with the numbers of onnx.proto, so that no other package
has to be installed.
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
"""Numbers of fields: of ModelProto; of GraphProto; of NodeProto and AttributeProto; of
TensorProto."""
_WEIGHTS = frozenset({1, 2, 3, 10, 11, 16})
"""Data types of weights: float32, uint8, int8, float16, float64, bfloat16; others are shapes."""
_EXTERNAL = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
Field = tuple[int, int, "memoryview | int"]


class OnnxFile(NamedTuple):
    """What is read of a file.

    Attributes:
        parameters: How many numbers its tensors of weights hold.
        external: Whether some of them are in other files.
    """

    parameters: int
    external: bool


def read_onnx_file(content: bytes, where: str) -> OnnxFile:
    """Return what a file of ONNX says. Raises BenchError where it is none."""
    try:
        tensors = [*_tensors(memoryview(content))]
    except (IndexError, ValueError):
        tensors = []
    if not tensors:
        raise BenchError(f"{where} is not a file of ONNX with weights; give another file")
    return OnnxFile(
        sum(tensor.parameters for tensor in tensors), any(tensor.external for tensor in tensors)
    )


def _tensors(content: memoryview) -> Iterator[OnnxFile]:
    """Yield the tensors of a model: initializers, and those of nodes, such as constants."""
    for graph in _within(content, _GRAPH):
        for tensor in _within(graph, _INITIALIZER):
            yield _tensor(tensor)
        for node in _within(graph, _NODE):
            for attribute in _within(node, _ATTRIBUTE):
                for tensor in _within(attribute, _TENSOR):
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


def _within(content: memoryview, wanted: int) -> Iterator[memoryview]:
    """Yield the messages in the fields of a number."""
    for number, wire, value in _fields(content):
        if number == wanted and wire == _BYTES and isinstance(value, memoryview):
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
    """Return the integer at a place, and the place behind it."""
    value = 0
    for place in range(_LONGEST_VARINT):
        byte = content[at + place]
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:  # noqa: PLR2004 (the bit that says that more follow)
            return value, at + place + 1
    raise ValueError(at)
