"""The verb `ls`: suites, components, recipes, protocols and metrics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from bench.cli.render import descriptions
from bench.cli.render.suite_list import suite_list, suites_json
from bench.cli.terminal import Load, as_json_option, report, say
from bench.core import registry
from bench.core.text_table import Table, Text
from bench.trials.readiness import readiness
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.config.bench_toml import Config

_KINDS: dict[str, registry.Kind] = {
    "datasets": "dataset",
    "augmentations": "augmentation",
    "models": "model",
    "losses": "loss",
    "decoders": "decoder",
    "recognizers": "recognizer",
}


@click.command("ls")
@click.argument(
    "what",
    default="suites",
    metavar="[WHAT]",
    type=click.Choice(["suites", *_KINDS, "recipes", "protocols", "metrics"]),
)
@as_json_option
@click.pass_obj
def list_(load: Load, what: str, *, as_json: bool) -> None:
    """List the suites of bench.toml, or the components and recipes that they may name.

    WHAT is `suites`, `datasets`, `augmentations`, `models`, `losses`, `decoders`, `recognizers`,
    `recipes`, `protocols` or `metrics`.

    Of each suite, its state (ready, done, needs data, cannot run), what it lacks with the command
    that provides it, and the cost of the tasks that are left, by the records of earlier ones.
    """
    config = load()
    if what in _KINDS:
        components = registry.everything(_KINDS[what])
        own = config.datasets if what == "datasets" else {}
        _warn(registry.installed_faults(_KINDS[what]))
        data = {
            name: {"about": each.summary(), "version": each.version, "parameters": each.defaults()}
            for name, each in components.items()
        } | {name: {"about": each.summary(), "version": each.version} for name, each in own.items()}
        listing = descriptions.components(_KINDS[what], components.values(), own.values())
        report(listing, data, as_json=as_json)
        return
    text, values = _LISTINGS[what](config)
    report(text, values, as_json=as_json)


def _warn(faults: Iterable[str]) -> None:
    for fault in faults:
        say(f"warning: {fault}", fg="yellow")


def _suites(config: Config) -> tuple[Text, Any]:
    suites = [*readiness(config, Store(config.results))]
    return suite_list(config.tables, suites), suites_json(config.tables, suites)


def _recipes(config: Config) -> tuple[Table, Any]:
    return descriptions.recipes(config.recipes), config.recipes


def _protocols(config: Config) -> tuple[Table, Any]:
    from bench.evaluation.protocols import PROTOCOLS

    protocols = {**PROTOCOLS, **config.protocols}
    values = {name: {"about": p.about, **p.spec()} for name, p in protocols.items()}
    return descriptions.protocols(protocols.values()), values


def _metrics(config: Config) -> tuple[Table, Any]:  # noqa: ARG001 (as the other listings)
    from bench.evaluation.metrics import all_metrics, metric

    metrics = all_metrics()
    _warn(metric.installed_faults())
    values = {
        name: {"title": m.title, "unit": m.unit, "higher_is_better": m.higher_is_better}
        for name, m in metrics.items()
    }
    return descriptions.metrics(metrics.values()), values


_LISTINGS = {
    "suites": _suites,
    "recipes": _recipes,
    "protocols": _protocols,
    "metrics": _metrics,
}
