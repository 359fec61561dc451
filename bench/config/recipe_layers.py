"""The recipe of an entry: that of its suite, overridden by its model and its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bench.config.augmentation import parse_augmentation
from bench.config.recipe import Recipe
from bench.core import registry
from bench.core.errors import BenchError, did_you_mean
from bench.core.schema import SchemaError, fill

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Named
    from bench.core.components import Augmentation


_OTHER_LENGTH = {"epochs": "steps", "steps": "epochs"}


class Location(NamedTuple):
    """A location in bench.toml.

    Attributes:
        section: The name of a table.
        words: Words of the table; the line that has the last of them is meant.
    """

    section: str
    words: tuple[str, ...] = ()


class Layer(NamedTuple):
    """One of several settings of a recipe.

    Attributes:
        value: The name of a recipe, which replaces the layers below; or a table of keys, which
            override them; or "", which changes nothing.
        location: Where it is in bench.toml.
    """

    value: Named
    location: Location


class Merged(NamedTuple):
    """A recipe whose values are not checked yet.

    Attributes:
        values: The keys with their values.
        locations: Where each key is set.
    """

    values: dict[str, Any]
    locations: dict[str, Location]


def recipe_of(config: Config, *layers: Layer) -> Recipe:
    """Return the recipe of several layers, of which later ones override earlier ones.

    Raises:
        BenchError: A recipe or a key does not exist, or a value is wrong; at the line that sets it.
    """
    merged = Merged({}, {})
    for layer in layers:
        if isinstance(layer.value, str):
            merged = _named(config, layer) if layer.value else merged
        else:
            merged = _overridden(config, merged, layer.value, layer.location)
    try:
        return fill(Recipe, merged.values)
    except SchemaError as error:
        location = merged.locations.get(error.key, layers[0].location)
        words = (*location.words, *filter(None, [error.assignment, error.key]))
        where = "" if error.key in merged.locations else " in the recipe"
        raise config.error(f"{error}{where}", location.section, *words) from None
    except BenchError as error:
        # Keys that exclude each other: the last layer has added one of them.
        location = [layer.location for layer in layers if layer.value][-1]
        raise config.error(str(error), location.section, *location.words) from None


def augmentation_of(config: Config, name: str) -> Augmentation:
    """Return the augmentation of the recipe `name`, or the augmentation called `name`.

    Raises:
        BenchError: Neither exists, or the recipe has no augmentation.
    """
    if name not in config.recipes:
        names = {*registry.everything("augmentation"), *config.recipes}
        if name not in names:
            fault = f"there is no recipe or augmentation '{name}'{did_you_mean(name, names)}"
            raise BenchError(fault)
        return cast("Augmentation", registry.make("augmentation", name, {}))
    location = Location(f"recipe.{name}")
    merged = _named(config, Layer(name, location))
    location = merged.locations.get("augmentation", location)
    with config.locating(location.section, *location.words, "augmentation"):
        augmentation = parse_augmentation(merged.values.get("augmentation"))
        if augmentation is None:
            raise BenchError(f"recipe '{name}' has no augmentation; choose another recipe")
    return augmentation


def check_extends(config: Config) -> None:
    """Raise BenchError if a `[recipe.NAME]` extends itself, or one that does not exist."""
    for name in config.recipes:
        _named(config, Layer(name, Location(f"recipe.{name}")))


def _named(config: Config, layer: Layer, seen: tuple[str, ...] = ()) -> Merged:
    """Return the recipe that `layer` names, with the keys of those that it extends."""
    name, location = layer
    if not isinstance(name, str):
        fault = f"extends = {name!r} must be the name of a recipe"
        raise config.error(fault, location.section, *location.words)
    if name not in config.recipes:
        fault = f"there is no [recipe.{name}]{did_you_mean(name, config.recipes)}"
        raise config.error(fault, location.section, *location.words, name)
    if name in seen:
        fault = f"extends = '{name}': this recipe extends itself; remove one 'extends'"
        raise config.error(fault, location.section, *location.words)
    section = Location(f"recipe.{name}")
    return _overridden(config, Merged({}, {}), config.recipes[name], section, (*seen, name))


def _overridden(
    config: Config,
    below: Merged,
    table: dict[str, Any],
    location: Location,
    seen: tuple[str, ...] = (),
) -> Merged:
    """Return the keys of `table` over those of the recipe that it extends, else over `below`."""
    if "extends" in table:
        base = Layer(table["extends"], Location(location.section, (*location.words, "extends")))
        below = _named(config, base, seen)
    own = {key: value for key, value in table.items() if key != "extends"}
    # `epochs` replaces `steps`, and the reverse.
    replaced = {_OTHER_LENGTH[key] for key in own if key in _OTHER_LENGTH}
    kept = {key: value for key, value in below.values.items() if key not in replaced}
    return Merged(kept | own, below.locations | dict.fromkeys(own, location))
