"""A suite's table to its columns and entries: components are made, recipes and inputs resolved."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from bench.config.recipe import Recipe, Resources
from bench.config.suite import Column, Entry, Suite, TunedTable, Tuning
from bench.config.sweep_space import SweepTable
from bench.core import registry
from bench.core.components import incompatibility, short_labels
from bench.core.errors import BenchError, did_you_mean
from bench.core.files import file_parameters
from bench.core.model_input import parse_input
from bench.core.schema import fill
from bench.data import cards

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.config.bench_toml import Config
    from bench.config.suite import Named, SuiteTable
    from bench.core.components import Component, Dataset, Decoder, Loss, Model

_OF_ENTRY = ("recipe", "input", "train", "label")
"""Keys of a model or a loss in a suite that are not parameters of the component."""


class _Listed(NamedTuple):
    """A component as a suite lists it, with the keys that are not its parameters."""

    component: Any
    recipe: Named = ""
    input: dict[str, Any] | None = None
    train: tuple[Dataset, ...] = ()
    label: str = ""


class Maker:
    """Makes the components of one suite; every mistake names its line of bench.toml."""

    def __init__(self, config: Config, suite: str) -> None:
        self.config = config
        self.section = f"suite.{suite}"

    def listed(self, kind: registry.Kind, entry: Named, key: str = "") -> _Listed:
        """Return the component `entry` of the list `key`."""
        table = {"name": entry} if isinstance(entry, str) else dict(entry)
        name = table.pop("name", None)
        if not isinstance(name, str):
            fault = f"a {kind} is a name, or a table with a 'name'"
            raise self.config.error(fault, self.section, key or kind)
        own: dict[str, Any] = (
            {} if kind == "dataset" else {k: table.pop(k) for k in _OF_ENTRY if k in table}
        )
        if kind != "model" and (stray := own.keys() - {"recipe"} if kind == "loss" else own.keys()):
            fault = f"'{min(stray)}' is not a key of a {kind}; set it on a model"
            raise self.config.error(fault, self.section, key or kind, min(stray))
        with self.config.locating(self.section, key or kind, name):
            component = registry.make(kind, name, self._located_files(kind, name, table))
            self._check_types(own)
        train = tuple(self.dataset(each, key) for each in own.pop("train", []))
        return _Listed(component, train=train, **own)

    def dataset(self, entry: Named, key: str) -> Dataset:
        """Return the data set `entry` of the list `key`."""
        return cast("Dataset", self.listed("dataset", entry, key).component)

    def all(self, kind: registry.Kind, entries: Sequence[Named], key: str) -> list[_Listed]:
        """Return the components under `key`. Raises BenchError on none and on one listed twice."""
        if not entries:
            raise self.config.error(f"the list '{key}' is empty", self.section, key)
        made: list[_Listed] = []
        for entry in entries:
            listed = self.listed(kind, entry, key)
            if listed in made:
                fault = f"{kind} '{listed.component.label}' is listed twice; remove one"
                raise self.config.error(fault, self.section, key, listed.component.name)
            made.append(listed)
        return made

    def recipe(self, *layers: Named) -> Recipe:
        """Return the recipe of several layers: a name replaces those before it, a table overrides."""
        values: dict[str, Any] = {}
        for layer in layers:
            if isinstance(layer, str):
                values = self._named_recipe(layer) if layer else values
            else:
                values = self._overridden(values, layer)
        return self.config.fill(Recipe, f"{self.section}.recipe", values)

    def _named_recipe(self, name: str, seen: tuple[str, ...] = ()) -> dict[str, Any]:
        recipes = self.config.recipes
        if name not in recipes:
            fault = f"there is no [recipe.{name}]{did_you_mean(name, recipes)}"
            raise self.config.error(fault, self.section, "recipe", name)
        if name in seen:
            fault = f"extends = '{name}' leads back to itself"
            raise self.config.error(fault, f"recipe.{name}", "extends")
        table = dict(recipes[name])
        base = table.pop("extends", "")
        return (self._named_recipe(base, (*seen, name)) if base else {}) | table

    def _overridden(self, values: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
        table = dict(table)
        base = table.pop("extends", "")
        return (self._named_recipe(base) if base else values) | table

    def _located_files(
        self, kind: registry.Kind, name: str, table: dict[str, Any]
    ) -> dict[str, Any]:
        """Return `table` with its files found from the folder of bench.toml."""
        home = self.config.path.parent
        files = file_parameters(cast("type", registry.find(kind, name)))
        located = {key: str(home / table[key]) for key in files if isinstance(table.get(key), str)}
        return table | located

    @staticmethod
    def _check_types(own: dict[str, Any]) -> None:
        kinds: dict[str, Any] = {"recipe": (str, dict), "input": dict, "train": list, "label": str}
        for key, value in own.items():
            if not isinstance(value, kinds[key]):
                raise BenchError(f"'{key}' has the wrong type; see docs/suites.md")


def suite(config: Config, name: str, table: SuiteTable, parent: Suite | None) -> Suite:
    """Return the suite of `table`, with the rows of `parent` before its own."""
    make = Maker(config, name)
    section = make.section
    if not table.seeds or len(set(table.seeds)) < len(table.seeds):
        fault = "'seeds' must be a non-empty list without duplicates"
        raise config.error(fault, section, "seeds")
    columns = _columns(make, table)
    recipe = make.recipe(table.recipe) if table.recipe else None
    entries = _entries(make, table, columns)
    tuned = [_tuned(make, table, n, entry) for n, entry in enumerate(table.tuned)]
    protocol = config.protocol(table.protocol)
    return Suite(
        name=name,
        about=table.about,
        protocol=protocol,
        columns=columns,
        entries=tuple(dict.fromkeys([*(parent.entries if parent else ()), *entries, *tuned])),
        seeds=tuple(table.seeds),
        recipe=recipe,
        resources=config.fill(Resources, f"{section}.resources", table.resources),
        average=table.average,
        alphabet=config.protocol(table.alphabet) if table.alphabet else None,
        sweep=_sweep(make, table.sweep),
        warnings=tuple(_warnings(name, columns, protocol.name)),
    )


def _columns(make: Maker, table: SuiteTable) -> tuple[Column, ...]:
    """Return the columns: each of `datasets` with its own training, or `tests` with `train`."""
    if table.datasets and (table.train or table.tests):
        fault = "set either 'datasets' (each trained and tested on) or 'train' and 'tests'"
        raise make.config.error(fault, make.section, "datasets")
    if table.datasets:
        own = [each.component for each in make.all("dataset", table.datasets, "datasets")]
        pairs = [(dataset, (dataset,)) for dataset in own]
    else:
        if not table.tests or not table.train:
            fault = "a suite requires 'datasets', or 'train' and 'tests'"
            raise make.config.error(fault, make.section)
        train = tuple(each.component for each in make.all("dataset", table.train, "train"))
        tests = [each.component for each in make.all("dataset", table.tests, "tests")]
        pairs = [(test, train) for test in tests]
    _check_overlaps(make, [test for test, _ in pairs])
    names = short_labels(test.label for test, _ in pairs)
    return tuple(Column(names[test.label], test, train) for test, train in pairs)


def _check_overlaps(make: Maker, tests: Sequence[Dataset]) -> None:
    """Raise BenchError where two test sets share samples, which would count twice."""
    names = {test.name for test in tests}
    for test in tests:
        card = cards.find(test.name)
        if card and (shared := names.intersection(o.dataset for o in card.overlaps)):
            fault = f"'{test.name}' and '{min(shared)}' share test samples; remove one of them"
            raise make.config.error(fault, make.section, "tests", test.name)


def _entries(make: Maker, table: SuiteTable, columns: Sequence[Column]) -> list[Entry]:
    """Return the grid of models × losses × decoders. Raises BenchError on what does not fit."""
    grid = itertools.product(
        make.all("model", table.models, "models"),
        make.all("loss", table.losses, "losses"),
        make.all("decoder", table.decoders, "decoders"),
    )
    entries = []
    for model, loss, decoder in grid:
        if reason := _misfit(columns, model.component, loss.component, decoder.component):
            if table.skip_incompatible:
                continue
            fault = f"{reason}; remove one of them, or set skip_incompatible = true"
            raise make.config.error(fault, make.section)
        entries.append(
            Entry(
                model=model.component,
                loss=loss.component,
                decoder=decoder.component,
                input=entry_input(make, model),
                recipe=make.recipe(table.recipe, model.recipe, loss.recipe),
                train=model.train,
                label=model.label,
            )
        )
    if not entries:
        fault = "no model, loss and decoder of this suite fit together"
        raise make.config.error(fault, make.section, "models")
    return entries


def entry_input(make: Maker, model: _Listed) -> Any:  # noqa: ANN401 (an Input of either kind)
    """Return the model's default input with the entry's overrides."""
    with make.config.locating(make.section, "models", model.component.name, "input"):
        return parse_input(model.component.default_input, model.input or {})


def _misfit(columns: Sequence[Column], model: Model, loss: Loss, decoder: Decoder) -> str | None:
    """Return why these cannot be an entry, or None when they can."""
    datasets = {dataset for column in columns for dataset in (column.test, *column.train)}
    reasons = (incompatibility(dataset, model, loss) for dataset in sorted(datasets, key=str))
    if reason := next(filter(None, reasons), None):
        return reason
    if not decoder.reads(loss.decoder):
        return f"decoder '{decoder.name}' cannot read the output of loss '{loss.name}'"
    return None


def _tuned(make: Maker, table: SuiteTable, number: int, entry: dict[str, Any]) -> Entry:
    section = f"{make.section}.tuned[{number}]"
    entry = dict(entry)
    with make.config.locating(f"{section}.tuning"):
        if isinstance(entry.get("tuning"), dict):
            entry["tuning"] = fill(Tuning, entry["tuning"])
    tuned = make.config.fill(TunedTable, section, entry)
    own = Maker(make.config, section.removeprefix("suite."))
    model, loss = own.listed("model", tuned.model), own.listed("loss", tuned.loss)
    return Entry(
        model=model.component,
        loss=loss.component,
        decoder=own.listed("decoder", tuned.decoder).component,
        input=entry_input(own, model),
        recipe=own.recipe(table.recipe, model.recipe, loss.recipe, tuned.recipe),
        train=model.train,
        label=model.label,
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
    """Return a sentence per test set whose card names another protocol."""
    sentences = []
    for column in columns:
        card = cards.find(column.test.name)
        if card and card.protocol != protocol:
            sentences.append(
                f"suite '{name}' scores {column.name} under {protocol}; its card names "
                f"{card.protocol}, so the scores do not compare with published ones"
            )
    return sentences


def with_ad_hoc(suite: Suite, models: Sequence[Component], losses: Sequence[Component]) -> Suite:
    """Return `suite` with entries of more models and losses, by their defaults, that fit it."""
    ours = [*dict.fromkeys(entry.model for entry in suite.entries)]
    our_losses = [*dict.fromkeys(entry.loss for entry in suite.entries)]
    decoder = cast("Decoder", registry.make("decoder", "greedy", {}))
    pairs = [
        *itertools.product([*ours, *models], losses),
        *itertools.product(models, our_losses),
    ]
    listed = {entry.model: entry for entry in suite.entries}
    added = []
    for model, loss in cast("list[tuple[Model, Loss]]", pairs):
        if _misfit(suite.columns, model, loss, decoder):
            continue
        like = listed.get(model)
        recipe = like.recipe if like else suite.recipe
        if recipe is None:
            raise BenchError(
                f"suite '{suite.name}' has no recipe for model '{model.name}', which it does not "
                "list; list it in bench.toml with a recipe"
            )
        given, train = (like.input, like.train) if like else (model.default_input, ())
        added.append(Entry(model, loss, decoder, given, recipe, train))
    return replace(suite, entries=tuple(dict.fromkeys([*suite.entries, *added])))
