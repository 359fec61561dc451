"""A small graph of ONNX, encoded here: the mean over rows, a linear layer, and a softmax."""

from __future__ import annotations

FLOAT = 1


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def number(field, value):
    return varint(field << 3) + varint(value)


def message(field, *parts):
    content = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(field, name, array, *more):
    """Return a TensorProto of float32 values."""
    sizes = b"".join(number(1, size) for size in array.shape)
    raw = message(9, array.astype("<f4").tobytes())
    return message(field, sizes, number(2, FLOAT), message(8, name), raw, *more)


def node(kind, inputs, output, *attributes):
    names = [message(1, name) for name in inputs]
    return message(1, *names, message(2, output), message(4, kind), *attributes)


def integers(name, values):
    """Return an AttributeProto."""
    listed = b"".join(number(8, value) for value in values)
    return message(5, message(1, name), listed, number(20, 7))


def integer(name, value):
    return message(5, message(1, name), number(3, value), number(20, 2))


def value_info(field, name, sizes, kind=FLOAT):
    """Return a ValueInfoProto; a text among the sizes is an axis of any size."""
    axes = [
        message(1, number(1, size) if isinstance(size, int) else message(2, size)) for size in sizes
    ]
    shape = message(2, *axes)
    return message(field, message(1, name), message(2, message(1, number(1, kind), shape)))


def tiny_graph(weights, *, shape=("N", 3, 8, "W"), metadata=None, softmax=True, time_first=False):
    """Return a model that maps images (N, 3, 8, W) to (N, W, classes).

    Args:
        weights: (3, classes), float32.
        shape: What it says that it takes.
        metadata: Texts by name.
        softmax: Whether it gives probabilities.
        time_first: Whether it gives (W, N, classes).
    """
    order = [2, 0, 1] if time_first else [0, 2, 1]
    nodes = [
        node("ReduceMean", ["x"], "rows", integers("axes", [2]), integer("keepdims", 0)),
        node("Transpose", ["rows"], "columns", integers("perm", order)),
        node("MatMul", ["columns", "w"], "logits" if softmax else "y"),
    ]
    if softmax:
        nodes.append(node("Softmax", ["logits"], "y", integer("axis", 2)))
    graph = message(
        7,
        *nodes,
        message(2, "tiny"),
        tensor(5, "w", weights),
        value_info(11, "x", shape),
        value_info(12, "y", ("A", "B", weights.shape[1])),
    )
    listed = [
        message(14, message(1, key), message(2, text)) for key, text in (metadata or {}).items()
    ]
    opset = message(8, message(1, ""), number(2, 13))
    return number(1, 8) + graph + opset + b"".join(listed)


def external(content):
    """Return a file with one tensor that lies in another file."""
    return content + message(7, message(5, number(1, 3), number(2, FLOAT), number(14, 1)))
