"""Builds a suite from its table: columns, and entries with their components, recipe and input."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bench.config.outside_rows import published_figures, recognizer_entries, recognizer_name
from bench.config.recipe import Resources
from bench.config.recipe_layers import Layer, Location, recipe_of
from bench.config.suite import Column, Suite, TrainedEntry, TunedTable, Tuning
from bench.config.sweep_space import SweepTable
from bench.core import registry
from bench.core.components import incompatibility, short_labels
from bench.core.errors import BenchError, did_you_mean
from bench.core.model_input import parse_input
from bench.core.names import text_fault
from bench.core.schema import SchemaError, fill
from bench.data import cards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.config.bench_toml import Config
    from bench.config.recipe import Recipe
    from bench.config.suite import Named, SuiteTable
    from bench.core.components import Component, Dataset, Decoder, Loss, Model

ENTRY_KEYS: dict[registry.Kind, tuple[str, ...]] = {
    "model": ("recipe", "input", "train", "label"),
    "loss": ("recipe", "label"),
    "decoder": ("label",),
    "recognizer": ("label", "trained_on"),
}
"""Keys of an entry that are not parameters of its component, by the kind of component."""
_TYPES: dict[str, tuple[Any, str]] = {
    "recipe": ((str, dict), "the name of a recipe, or a table of its keys"),
    "input": (dict, "a table of what differs from the model's own input"),
    "train": (list, "a list of data sets"),
    "label": (str, "a text in quotes"),
    "trained_on": (list, "a list of names of data sets"),
}
"""The type of each of these keys, and its description in messages."""


class _Listed(NamedTuple):
    """A component as a suite lists it, with the keys that are not parameters."""

    component: Any
    recipe: Named = ""
    input: dict[str, Any] | None = None
    train: tuple[Dataset, ...] = ()
    label: str = ""
    trained_on: list[str] | None = None


class Maker:
    """Builds the components of one suite; a mistake is reported with its line of bench.toml.

    Args:
        config: The bench.toml.
        suite: The name of the suite.
    """

    def __init__(self, config: Config, suite: str) -> None:
        self.config = config
        self.section = f"suite.{suite}"

    def listed(self, kind: registry.Kind, entry: Named, key: str = "") -> _Listed:
        """Return the component that `entry` describes, an item of the list `key`.

        Raises:
            BenchError: The name, a parameter or another key is wrong.
        """
        table = {"name": entry} if isinstance(entry, str) else entry
        table = dict(table) if isinstance(table, dict) else {}
        name = table.pop("name", None if kind != "recognizer" else recognizer_name(table))
        if not isinstance(name, str):
            fault = f"a {kind} must be a name, or a table with a 'name'"
            if kind == "recognizer":
                fault += ", or with the main parameter of one recognizer, such as 'predictions'"
            raise self.config.error(fault, self.section, key or kind)
        own: dict[str, Any] = {k: table.pop(k) for k in ENTRY_KEYS.get(kind, ()) if k in table}
        with self.config.locating(self.section, key or kind, name):
            component = self._component(kind, name, table)
            self._check_types(own)
        train = tuple(self.dataset(each, key) for each in own.pop("train", []))
        return _Listed(component, train=train, **own)

    def dataset(self, entry: Named, key: str) -> Dataset:
        """Return the data set that `entry` describes, an item of the list `key`."""
        return cast("Dataset", self.listed("dataset", entry, key).component)

    def all(self, kind: registry.Kind, entries: Sequence[Named], key: str) -> list[_Listed]:
        """Return the components of the list `key`.

        Raises:
            BenchError: The list is empty, or has a component twice.
        """
        if not entries:
            fault = f"the list '{key}' is empty; name a {kind} in it"
            raise self.config.error(fault, self.section, key)
        components: list[_Listed] = []
        for entry in entries:
            listed = self.listed(kind, entry, key)
            if listed in components:
                fault = f"{kind} '{listed.component.label}' is listed twice; remove one"
                raise self.config.error(fault, self.section, key, listed.component.name)
            components.append(listed)
        return components

    def _component(self, kind: registry.Kind, name: str, table: dict[str, Any]) -> Component:
        """Return the component `name` with the parameters `table`."""
        if kind == "dataset" and name in self.config.datasets:
            return self.config.dataset(name, table)
        self._check_keys(kind, name, table)
        located = registry.find(kind, name).located(table, self.config.path.parent)
        return registry.make(kind, name, located)

    @staticmethod
    def _check_keys(kind: registry.Kind, name: str, table: dict[str, Any]) -> None:
        """Raise SchemaError for a key that is neither a parameter nor another key of an entry."""
        parameters = registry.find(kind, name).defaults()
        for key in table:
            if key not in parameters and key in ENTRY_KEYS["model"]:
                raise SchemaError(key, f"'{key}' is not a key of a {kind}; set it on a model")
            if key not in parameters:
                hint = did_you_mean(key, [*parameters, *ENTRY_KEYS.get(kind, ())])
                raise SchemaError(key, f"there is no key '{key}' here{hint}")

    @staticmethod
    def _check_types(own: dict[str, Any]) -> None:
        for key, value in own.items():
            types, noun = _TYPES[key]
            if not isinstance(value, types) or (value == [] and key != "trained_on"):
                raise SchemaError(key, f"'{key}' must be {noun}")
            for text in {"label": [value], "trained_on": value}.get(key, ()):
                if fault := text_fault(key, text):
                    raise SchemaError(key, fault)


def build_suite(config: Config, name: str, table: SuiteTable, parent: Suite | None) -> Suite:
    """Return the suite that `table` describes.

    Args:
        config: The bench.toml.
        name: The name of the suite.
        table: Its keys.
        parent: The suite that it extends; its rows come first.

    Raises:
        BenchError: A value is wrong, or components are incompatible.
    """
    make = Maker(config, name)
    section = make.section
    if not table.seeds or len(set(table.seeds)) < len(table.seeds):
        fault = "'seeds' must be a non-empty list without duplicates"
        raise config.error(fault, section, "seeds")
    columns = _columns(make, table)
    recognizers = recognizer_entries(make, table, columns, parent.recognizers if parent else ())
    recipe = recipe_of(config, _suite_layer(make, table)) if table.recipe else None
    entries = _entries(make, table, columns) if table.models or not table.recognizers else []
    tuned = filter(None, (_tuned(make, table, columns, n) for n in range(len(table.tuned))))
    protocol = config.protocol(table.protocol)
    inherited = parent.entries if parent else ()
    return Suite(
        name=name,
        about=table.about,
        protocol=protocol,
        columns=columns,
        entries=(*inherited, *(each for each in [*entries, *tuned] if each not in inherited)),
        seeds=tuple(table.seeds),
        recipe=recipe,
        resources=config.fill(Resources, f"{section}.resources", table.resources),
        average=table.average,
        alphabet=config.protocol(table.alphabet) if table.alphabet else None,
        sweep=_sweep(make, table.sweep),
        warnings=tuple(_warnings(name, columns, protocol.name)),
        published=tuple(published_figures(make, table, columns)),
        recognizers=recognizers,
    )


def _columns(make: Maker, table: SuiteTable) -> tuple[Column, ...]:
    """Return the columns: each of `datasets` trained on itself, or `tests` trained on `train`."""
    if table.datasets and (table.train or table.tests):
        fault = "set either 'datasets' (each trained and tested on) or 'train' and 'tests'"
        raise make.config.error(fault, make.section, "datasets")
    if table.datasets:
        own = [each.component for each in make.all("dataset", table.datasets, "datasets")]
        pairs = [(dataset, (dataset,)) for dataset in own]
    else:
        trains = bool(table.train or table.models or not table.recognizers)
        if not table.tests or (trains and not table.train):
            fault = (
                "a suite requires 'datasets', or 'train' and 'tests'"
                if trains
                else "a suite requires 'tests': the data sets that its recognizers read"
            )
            raise make.config.error(fault, make.section)
        listed = make.all("dataset", table.train, "train") if trains else []
        train = tuple(each.component for each in listed)
        tests = [each.component for each in make.all("dataset", table.tests, "tests")]
        pairs = [(test, train) for test in tests]
    _check_overlaps(make, [test for test, _ in pairs])
    names = short_labels(test.label for test, _ in pairs)
    return tuple(Column(_column_name(names, test), test, train) for test, train in pairs)


def _column_name(names: dict[str, str], test: Dataset) -> str:
    """Return the short name of a test set; the name of a synthetic one says that it is."""
    name = names[test.label]
    hidden = getattr(test, "synthetic", False) and "synthetic" not in name
    return f"{name}-synthetic" if hidden else name


def _check_overlaps(make: Maker, tests: Sequence[Dataset]) -> None:
    """Raise BenchError if two test sets share samples, which an average would count twice."""
    names = {test.name for test in tests}
    for test in tests:
        card = cards.find_card(test.name)
        if card and (shared := names.intersection(o.dataset for o in card.overlaps)):
            fault = f"'{test.name}' and '{min(shared)}' share test samples; remove one of them"
            raise make.config.error(fault, make.section, "tests", test.name)


def _entries(make: Maker, table: SuiteTable, columns: Sequence[Column]) -> list[TrainedEntry]:
    """Return the grid of models × losses × decoders. Raises BenchError if some do not fit."""
    grid = itertools.product(
        make.all("model", table.models, "models"),
        make.all("loss", table.losses, "losses"),
        make.all("decoder", table.decoders, "decoders"),
    )
    entries = []
    for model, loss, decoder in grid:
        if not _fits(make, table, columns, (model, loss, decoder)):
            continue
        recipe = recipe_of(
            make.config,
            _suite_layer(make, table),
            _layer(make, "models", model),
            _layer(make, "losses", loss),
        )
        _check_augmentation(make, model.component, recipe)
        entries.append(
            TrainedEntry(
                model=model.component,
                loss=loss.component,
                decoder=decoder.component,
                input=entry_input(make, model),
                recipe=recipe,
                train=model.train,
                label=model.label,
                loss_label=loss.label,
                decoder_label=decoder.label,
            )
        )
    if not entries:
        fault = "no model, loss and decoder of this suite are compatible; see `bench docs suites`"
        raise make.config.error(fault, make.section, "models")
    return entries


def _check_augmentation(make: Maker, model: Model, recipe: Recipe) -> None:
    """Raise BenchError if the augmentation is for another kind of input than the model."""
    augmentation = recipe.augmentation
    if augmentation and augmentation.accepts != model.accepts:
        fault = (
            f"augmentation '{augmentation.name}' is for {augmentation.accepts}, model "
            f"'{model.name}' reads {model.accepts}; set augmentation = 'none' in its recipe"
        )
        raise make.config.error(fault, make.section, model.name)


def entry_input(make: Maker, model: _Listed) -> Any:  # noqa: ANN401 (an Input of either kind)
    """Return the default input of the model with the changes of the entry."""
    with make.config.locating(make.section, "models", model.component.name, "input"):
        return parse_input(model.component.default_input, model.input or {})


def _suite_layer(make: Maker, table: SuiteTable) -> Layer:
    """Return the recipe of the suite, which is a name or a table of its own."""
    if isinstance(table.recipe, str):
        return Layer(table.recipe, Location(make.section, ("recipe", table.recipe)))
    return Layer(table.recipe, Location(f"{make.section}.recipe"))


def _layer(make: Maker, key: str, listed: _Listed) -> Layer:
    """Return the recipe of a model or a loss of the list `key`."""
    return Layer(listed.recipe, Location(make.section, (key, listed.component.name, "recipe")))


def _fits(
    make: Maker, table: SuiteTable, columns: Sequence[Column], parts: tuple[_Listed, ...]
) -> bool:
    """Return whether a model, a loss and a decoder are compatible with each other and the data.

    Raises:
        BenchError: They are not, and the suite does not set `skip_incompatible`.
    """
    model, loss, decoder = (part.component for part in parts)
    train = parts[0].train
    datasets = [each for column in columns for each in (column.test, *(train or column.train))]
    reason = _misfit(datasets, model, loss, decoder)
    if reason and not table.skip_incompatible:
        fault = f"{reason}; remove one of them, or set skip_incompatible = true"
        raise make.config.error(fault, make.section)
    return not reason


def _misfit(datasets: Sequence[Dataset], model: Model, loss: Loss, decoder: Decoder) -> str | None:
    """Return why a model, a loss and a decoder are incompatible, or None."""
    reasons = (incompatibility(dataset, model, loss) for dataset in datasets)
    if reason := next(filter(None, reasons), None):
        return reason
    if not decoder.reads(loss.decoder):
        return f"decoder '{decoder.name}' cannot read the output of loss '{loss.name}'"
    return None


def _tuned(
    make: Maker, table: SuiteTable, columns: Sequence[Column], number: int
) -> TrainedEntry | None:
    """Return a tuned entry; None if it is incompatible and the suite skips such entries."""
    section = f"{make.section}.tuned[{number}]"
    entry = dict(table.tuned[number])
    with make.config.locating(f"{section}.tuning"):
        if isinstance(entry.get("tuning"), dict):
            entry["tuning"] = fill(Tuning, entry["tuning"])
    tuned = make.config.fill(TunedTable, section, entry)
    own = Maker(make.config, section.removeprefix("suite."))
    model, loss = own.listed("model", tuned.model), own.listed("loss", tuned.loss)
    decoder = own.listed("decoder", tuned.decoder)
    if not _fits(own, table, columns, (model, loss, decoder)):
        return None
    recipe = recipe_of(
        make.config,
        _suite_layer(make, table),
        _layer(own, "model", model),
        _layer(own, "loss", loss),
        Layer(tuned.recipe, Location(f"{section}.recipe")),
    )
    _check_augmentation(own, model.component, recipe)
    return TrainedEntry(
        model=model.component,
        loss=loss.component,
        decoder=decoder.component,
        input=entry_input(own, model),
        recipe=recipe,
        train=model.train,
        label=model.label,
        loss_label=loss.label,
        decoder_label=decoder.label,
        tuning=tuned.tuning,
    )


def _sweep(make: Maker, table: dict[str, Any] | None) -> SweepTable | None:
    if table is None:
        return None
    section = f"{make.section}.sweep"
    sweep = make.config.fill(SweepTable, section, table)
    with make.config.locating(f"{section}.space"):
        _ = sweep.domains
    return sweep


def _warnings(name: str, columns: Sequence[Column], protocol: str) -> list[str]:
    """Return a warning per test set whose card names another protocol."""
    sentences = []
    for column in columns:
        card = cards.find_card(column.test.name)
        if card and card.protocol != protocol:
            sentences.append(
                f"suite '{name}' scores {column.name} under {protocol}; its card names "
                f"{card.protocol}, so the scores are not comparable with published ones"
            )
    return sentences


def with_ad_hoc(suite: Suite, models: Sequence[Component], losses: Sequence[Component]) -> Suite:
    """Return `suite` with entries of further models and losses, as far as they are compatible.

    Args:
        suite: The suite.
        models: Models that it does not list; each is combined with all losses.
        losses: Losses that it does not list; each is combined with all models.

    Raises:
        BenchError: There is no recipe for one of them.
    """
    listed_models = [*dict.fromkeys(entry.model for entry in suite.entries)]
    listed_losses = [*dict.fromkeys(entry.loss for entry in suite.entries)]
    decoder = cast("Decoder", registry.make("decoder", "greedy", {}))
    pairs = [
        *itertools.product([*listed_models, *models], losses),
        *itertools.product(models, listed_losses),
    ]
    entries = {entry.model: entry for entry in suite.entries}
    datasets = [each for column in suite.columns for each in (column.test, *column.train)]
    added = []
    for model, loss in cast("list[tuple[Model, Loss]]", pairs):
        if _misfit(datasets, model, loss, decoder):
            continue
        listed = entries.get(model)
        recipe = listed.recipe if listed else suite.recipe
        if recipe is None:
            raise BenchError(
                f"suite '{suite.name}' has no recipe for model '{model.name}', which it does not "
                "list; add it to 'models' with a recipe"
            )
        model_input, train = (listed.input, listed.train) if listed else (model.default_input, ())
        added.append(TrainedEntry(model, loss, decoder, model_input, recipe, train))
    return replace(suite, entries=tuple(dict.fromkeys([*suite.entries, *added])))
