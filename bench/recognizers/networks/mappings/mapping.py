"""What a mapping of weights is: a table of layers, and what else differs."""

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
"""Alphabets of 36, 62 and 94 characters in the order of most networks for scene text."""


def unchanged(name: str, weight: Tensor) -> Tensor:  # noqa: ARG001 (a conversion's)
    """Return a weight as it is."""
    return weight


@dataclass(frozen=True)
class WeightMapping:
    """How the weights of a network elsewhere become those of a network of bench.

    Attributes:
        name: What bench.toml calls it.
        source: Whose network it is, and where its code is.
        layers: The name of each layer there, and its name here. A layer is one weight, or all whose
            names go on with a dot.
        model: The architecture here, as bench.toml spells it; None: it has to be given.
        loss: The loss whose classifier it has.
        input: The name of the preset that its authors' code prepares images with; None: that of the
            model.
        alphabet: The characters of its classes from 1, an empty one for what is no character;
            empty: they have to be given.
        prefixes: What names begin with where a file has it, such as `module.`, from left to right.
        infix: A part of names that is left out wherever it is, such as `.module`.
        ignored: Layers there of which nothing is read here.
        convert: What a weight is here, by its name here; most are as they are there.
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

    def translated(self, names: list[str]) -> dict[str, str | None]:
        """Return the name here of each name there; None: it is left out. Unknown ones are absent.

        The counts of batches that batch normalizations keep decide nothing, and files lack them:
        they are left out.
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
    """Return the longest of `layers` that is `name` or is followed by a dot in it."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        if (layer := ".".join(parts[:count])) in layers:
            return layer
    return None
