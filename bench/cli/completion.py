"""What a shell completes: names of suites, data sets, components and pages; imports are light."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.core import registry

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete_suite(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the suites of bench.toml that begin with a text."""
    config = _config(context)
    tables = config.tables if config else {}
    return _items(incomplete, ((name, table.about) for name, table in tables.items()))


def complete_dataset(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the data sets of bench.toml and of bench that begin with a text."""
    from bench.core import registry

    config = _config(context)
    own = config.datasets if config else {}
    listed = {name: each.summary() for name, each in own.items()}
    listed |= {name: each.summary() for name, each in registry.everything("dataset").items()}
    return _items(incomplete, listed.items())


def complete_page(
    _context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the pages of documentation that begin with a text."""
    from bench.core.documentation import pages

    return _items(incomplete, ((page.name, page.section) for page in pages()))


def complete_component(kind: registry.Kind) -> Complete:
    """Return what completes the names of components of a kind."""

    def complete(
        context: click.Context, _parameter: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        from bench.core import registry

        # First, because a plug-in of bench.toml may have components.
        _config(context)
        components = registry.everything(kind)
        return _items(incomplete, ((name, each.summary()) for name, each in components.items()))

    return complete


def _config(context: click.Context) -> Config | None:
    """Return the current bench.toml, or None if it cannot be read."""
    from bench.config import bench_toml

    with suppress(BenchError, OSError):
        return bench_toml.load(context.find_root().params.get("path"))
    return None


def _items(incomplete: str, listed: Iterable[tuple[str, str]]) -> list[CompletionItem]:
    return [CompletionItem(name, help=text) for name, text in listed if name.startswith(incomplete)]
