"""Parameters of recognizers that are components themselves: a model, a loss, a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from bench.core import registry
from bench.core.components import Component, Decoder, Loss, Model
from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.core.registry import Kind


def parse_model(value: object) -> Model:
    """Return the model of a name or of a table with a `name`; a model is returned as it is."""
    return cast("Model", _component("model", value))


def parse_loss(value: object) -> Loss:
    """Return the loss of a name or of a table with a `name`; a loss is returned as it is."""
    return cast("Loss", _component("loss", value))


def parse_decoder(value: object) -> Decoder:
    """Return the decoder of a name or of a table with a `name`; a decoder is returned as it is."""
    return cast("Decoder", _component("decoder", value))


def _component(kind: Kind, value: object) -> Component:
    if isinstance(value, Component):
        return value
    table = {"name": value} if isinstance(value, str) else value
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise BenchError(f"it must be the name of a {kind}, or a table with a 'name'")
    parameters = {key: each for key, each in table.items() if key != "name"}
    return registry.make(kind, table["name"], parameters)
