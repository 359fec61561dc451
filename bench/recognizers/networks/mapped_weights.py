"""Loading of weights with foreign names into networks of bench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from bench.recognizers.networks.mappings.mapping import WeightMapping
    from bench.recognizers.networks.network import RecognitionNetwork

_MAX_NAMED = 3
"""Weights named in an error."""
_COUNTER = ".num_batches_tracked"


def load_mapped_weights(
    network: RecognitionNetwork, weights: dict[str, Tensor], mapping: WeightMapping, file: str
) -> None:
    """Load the weights of a file into a network, with names translated by a mapping.

    A 1x1 convolution in the file may be a linear layer of the network. Weights of another precision
    are converted.

    Args:
        network: The network, which is changed.
        weights: The weights of the file, by name.
        mapping: The mapping of names.
        file: The name of the file, for messages.

    Raises:
        BenchError: Weights are missing, unknown, or of another shape; the message has the names
            of the first ones.
    """
    names = mapping.translate([*weights])
    if unknown := [name for name in weights if name not in names]:
        raise BenchError(
            f"{file} has weights that are not in mapping '{mapping.name}' ({mapping.source}): "
            f"{_list(unknown)}; choose another mapping"
        )
    expected = {name: each for name, each in network.state_dict().items() if _COUNTER not in name}
    sources = {here: there for there, here in names.items() if here is not None}
    if missing := [name for name in expected if name not in sources]:
        raise BenchError(
            f"{file} has no weights for {_list(missing)} of the model; choose another mapping or "
            "set the parameters of the model"
        )
    if unexpected := [there for here, there in sources.items() if here not in expected]:
        raise BenchError(
            f"{file} has weights for layers that the model does not have: {_list(unexpected)}; set "
            "the parameters of the model, or its loss"
        )
    state = {}
    for here, there in sources.items():
        weight = mapping.convert(here, weights[there])
        if _without_trailing_ones(weight.shape) != _without_trailing_ones(expected[here].shape):
            raise BenchError(
                f"{file}: weight '{there}' has the shape {tuple(weight.shape)}, but the model "
                f"needs {tuple(expected[here].shape)} for '{here}'; set the parameters of the "
                "model, its input or its alphabet"
            )
        state[here] = weight.reshape(expected[here].shape)
    network.load_state_dict(state, strict=False)


def _without_trailing_ones(shape: Iterable[int]) -> tuple[int, ...]:
    """Return a shape without ones at its end."""
    sizes = [*shape]
    while sizes and sizes[-1] == 1:
        del sizes[-1]
    return tuple(sizes)


def _list(names: list[str]) -> str:
    """Return the first names, and the number of further ones."""
    listed = ", ".join(f"'{name}'" for name in names[:_MAX_NAMED])
    more = len(names) - _MAX_NAMED
    return f"{listed} and {more} more" if more > 0 else listed
