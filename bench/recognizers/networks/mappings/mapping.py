"""The base of mappings of weights: a table of layers, and other differences."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

DIGITS_AND_LOWER = string.digits + string.ascii_lowercase
ALPHANUMERIC = DIGITS_AND_LOWER + string.ascii_uppercase
PRINTABLE = ALPHANUMERIC + string.punctuation
"""Alphabets of 36, 62 and 94 characters, in the order that most networks for scene text use."""


def unchanged(name: str, weight: Tensor) -> Tensor:  # noqa: ARG001 (as `WeightMapping.convert`)
    """Return a weight unchanged."""
    return weight


@dataclass(frozen=True)
class WeightMapping:
    """How the weights of a network of another project ("there") become those of bench ("here").

    Attributes:
        name: The name in bench.toml.
        source: The project and the network.
        layers: The name here of each layer, by its name there. A layer is one weight, or all
            weights whose names continue with a dot.
        model: The architecture here, as in bench.toml; None if bench.toml must set it.
        loss: The loss whose classifier the network has.
        input: The preset of the image preparation there; None for the input of the model.
        alphabet: The characters of the classes from 1, with an empty text for a class that is not
            a character. If empty, bench.toml must set them.
        prefixes: Prefixes of names that are removed if present, such as `module.`, in this order.
        infix: A part of names that is removed wherever it occurs, such as `.module`.
        ignored: Layers there that are not loaded.
        convert: A function of the name here and the weight there that returns the weight here.
    """

    name: str
    source: str
    layers: Mapping[str, str]
    model: str | dict[str, Any] | None
    loss: str | dict[str, Any] = "ctc"
    input: str | None = None
    alphabet: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    infix: str = ""
    ignored: tuple[str, ...] = ()
    convert: Callable[[str, Tensor], Tensor] = unchanged

    def translate(self, names: list[str]) -> dict[str, str | None]:
        """Return the name here of each name there.

        The value is None for a weight that is not loaded; unknown names are not in the result. The
        batch counters of batch normalization are not loaded, because they have no effect and are
        not in all files.
        """
        here: dict[str, str | None] = {}
        for name in names:
            short = name
            for prefix in self.prefixes:
                short = short.removeprefix(prefix)
            if self.infix:
                short = short.replace(self.infix, "")
            if short.endswith(".num_batches_tracked") or _layer_of(short, self.ignored):
                here[name] = None
            elif layer := _layer_of(short, self.layers):
                here[name] = self.layers[layer] + short[len(layer) :]
        return here


def _layer_of(name: str, layers: Mapping[str, str] | tuple[str, ...]) -> str | None:
    """Return the longest of `layers` that is `name` or a prefix of it up to a dot."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        if (layer := ".".join(parts[:count])) in layers:
            return layer
    return None
