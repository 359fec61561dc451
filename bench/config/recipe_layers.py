"""The recipe of an entry: a named one or a suite's table, with the overrides of model and loss."""

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


class Place(NamedTuple):
    """A place in bench.toml: a section, and words that lead to a line in it."""

    section: str
    words: tuple[str, ...] = ()


class Layer(NamedTuple):
    """A name, which replaces what is before it, or a table, which overrides; "" changes nothing."""

    value: Named
    place: Place


class Merged(NamedTuple):
    """The keys of a recipe, and where each of them is set."""

    values: dict[str, Any]
    places: dict[str, Place]


def recipe_of(config: Config, *layers: Layer) -> Recipe:
    """Return the recipe of several layers, the first one below the others.

    Raises:
        BenchError: A recipe or a key does not exist, or a value is wrong; at the line that sets it.
    """
    merged = Merged({}, {})
    for layer in layers:
        if isinstance(layer.value, str):
            merged = _named(config, layer) if layer.value else merged
        else:
            merged = _overridden(config, merged, layer.value, layer.place)
    try:
        return fill(Recipe, merged.values)
    except SchemaError as error:
        place = merged.places.get(error.key, layers[0].place)
        words = (*place.words, *filter(None, [error.assignment, error.key]))
        where = "" if error.key in merged.places else " in the recipe"
        raise config.error(f"{error}{where}", place.section, *words) from None
    except BenchError as error:
        # Keys that do not go together: the last layer brought them together.
        place = [layer.place for layer in layers if layer.value][-1]
        raise config.error(str(error), place.section, *place.words) from None


def augmentation_of(config: Config, name: str) -> Augmentation:
    """Return the augmentation of the recipe `name`, or the augmentation of that name.

    Raises:
        BenchError: There is neither, or the recipe has no augmentation.
    """
    if name not in config.recipes:
        names = {*registry.everything("augmentation"), *config.recipes}
        if name not in names:
            fault = f"there is no recipe or augmentation '{name}'{did_you_mean(name, names)}"
            raise BenchError(fault)
        return cast("Augmentation", registry.make("augmentation", name, {}))
    place = Place(f"recipe.{name}")
    merged = _named(config, Layer(name, place))
    place = merged.places.get("augmentation", place)
    with config.locating(place.section, *place.words, "augmentation"):
        augmentation = parse_augmentation(merged.values.get("augmentation"))
        if augmentation is None:
            raise BenchError(f"recipe '{name}' has no augmentation; name another one")
    return augmentation


def check_extends(config: Config) -> None:
    """Raise BenchError where a `[recipe.NAME]` extends none, or leads back to itself."""
    for name in config.recipes:
        _named(config, Layer(name, Place(f"recipe.{name}")))


def _named(config: Config, layer: Layer, seen: tuple[str, ...] = ()) -> Merged:
    """Return the recipe that `layer` names, on top of what it extends."""
    name, place = layer
    if not isinstance(name, str):
        fault = f"extends = {name!r} must be the name of a recipe"
        raise config.error(fault, place.section, *place.words)
    if name not in config.recipes:
        fault = f"there is no [recipe.{name}]{did_you_mean(name, config.recipes)}"
        raise config.error(fault, place.section, *place.words, name)
    if name in seen:
        fault = f"extends = '{name}' leads back to itself"
        raise config.error(fault, place.section, *place.words)
    section = Place(f"recipe.{name}")
    return _overridden(config, Merged({}, {}), config.recipes[name], section, (*seen, name))


def _overridden(
    config: Config, below: Merged, table: dict[str, Any], place: Place, seen: tuple[str, ...] = ()
) -> Merged:
    """Return `table` on top of the recipe that it extends, or else of what is below."""
    if "extends" in table:
        base = Layer(table["extends"], Place(place.section, (*place.words, "extends")))
        below = _named(config, base, seen)
    own = {key: value for key, value in table.items() if key != "extends"}
    # A length in one unit replaces the one in the other.
    replaced = {_OTHER_LENGTH[key] for key in own if key in _OTHER_LENGTH}
    kept = {key: value for key, value in below.values.items() if key not in replaced}
    return Merged(kept | own, below.places | dict.fromkeys(own, place))
