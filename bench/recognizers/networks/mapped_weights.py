"""Networks of bench with weights from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from bench.recognizers.networks.mappings.mapping import WeightMapping
    from bench.recognizers.networks.network import RecognitionNetwork

_LISTED = 3
"""At most so many weights are named in an error."""
_COUNTER = ".num_batches_tracked"


def load_mapped_weights(
    network: RecognitionNetwork, weights: dict[str, Tensor], mapping: WeightMapping, file: str
) -> None:
    """Load the weights of a file into a network, as a mapping names them.

    A convolution of single pixels there may be a linear layer here. Weights of another precision
    are converted.

    Raises:
        BenchError: Weights are missing, unknown, or of another shape; it names the first of them.
    """
    names = mapping.translated([*weights])
    if unknown := [name for name in weights if name not in names]:
        raise BenchError(
            f"{file} has weights that mapping '{mapping.name}' ({mapping.source}) does not know: "
            f"{_list(unknown)}; choose another mapping"
        )
    wanted = {name: each for name, each in network.state_dict().items() if _COUNTER not in name}
    sources = {here: there for there, here in names.items() if here is not None}
    if missing := [name for name in wanted if name not in sources]:
        raise BenchError(
            f"{file} has no weights for {_list(missing)} of the model; choose another mapping or "
            "set the parameters of the model"
        )
    if unexpected := [there for here, there in sources.items() if here not in wanted]:
        raise BenchError(
            f"{file} has weights for which the model has no layer: {_list(unexpected)}; set the "
            "parameters of the model, or its loss"
        )
    state = {}
    for here, there in sources.items():
        weight = mapping.convert(here, weights[there])
        if _without_pixels(weight.shape) != _without_pixels(wanted[here].shape):
            raise BenchError(
                f"{file}: weight '{there}' has the shape {tuple(weight.shape)}, and the model "
                f"needs {tuple(wanted[here].shape)} for '{here}'; set the parameters of the model, "
                "its input or its alphabet"
            )
        state[here] = weight.reshape(wanted[here].shape)
    network.load_state_dict(state, strict=False)


def _without_pixels(shape: Iterable[int]) -> tuple[int, ...]:
    """Return a shape without the ones at its end."""
    sizes = [*shape]
    while sizes and sizes[-1] == 1:
        del sizes[-1]
    return tuple(sizes)


def _list(names: list[str]) -> str:
    """Return the first names, and how many more there are."""
    listed = ", ".join(f"'{name}'" for name in names[:_LISTED])
    more = len(names) - _LISTED
    return f"{listed} and {more} more" if more > 0 else listed
