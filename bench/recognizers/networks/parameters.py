"""Parameters of recognizers that are components themselves: a model, a loss, a decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bench.core import registry
from bench.core.components import Component, Decoder, Loss, Model
from bench.core.errors import BenchError

if TYPE_CHECKING:
    from pathlib import Path

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


def located_decoder(parameters: dict[str, Any], home: Path) -> dict[str, Any]:
    """Return the decoder among parameters with its files found from the folder `home`.

    Raises:
        BenchError: There is no such decoder, or a file of it is missing.
    """
    table = parameters.get("decoder")
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        return {}
    return {"decoder": registry.find("decoder", table["name"]).located(table, home)}


def _component(kind: Kind, value: object) -> Component:
    if isinstance(value, Component):
        return value
    table = {"name": value} if isinstance(value, str) else value
    if not isinstance(table, dict) or not isinstance(table.get("name"), str):
        raise BenchError(f"it must be the name of a {kind}, or a table with a 'name'")
    parameters = {key: each for key, each in table.items() if key != "name"}
    return registry.make(kind, table["name"], parameters)
