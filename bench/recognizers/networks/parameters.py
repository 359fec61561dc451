"""Parsing of those parameters of recognizers that are components: model, loss and decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bench.core import registry
from bench.core.components import Component, Decoder, Loss, Model
from bench.core.errors import BenchError

if TYPE_CHECKING:
    from pathlib import Path

    from bench.core.registry import Kind


def parse_model(value: object) -> Model:
    """Return the model of a name or of a table with a `name`; a model is returned unchanged."""
    return cast("Model", _component("model", value))


def parse_loss(value: object) -> Loss:
    """Return the loss of a name or of a table with a `name`; a loss is returned unchanged."""
    return cast("Loss", _component("loss", value))


def parse_decoder(value: object) -> Decoder:
    """Return the decoder of a name or of a table with a `name`; a decoder is returned unchanged."""
    return cast("Decoder", _component("decoder", value))


def located_decoder(parameters: dict[str, Any], home: Path) -> dict[str, Any]:
    """Return the parameter `decoder` with absolute paths of its files, relative to `home`.

    The result is empty if the decoder is not set by a table.

    Raises:
        BenchError: There is no such decoder, or one of its files is missing.
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
        raise BenchError(f"write the name of a {kind}, or a table with a 'name'")
    parameters = {key: each for key, each in table.items() if key != "name"}
    return registry.make(kind, table["name"], parameters)
