"""The verb `check`: components against the contract of their kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from inspect import isabstract
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from bench.cli.component_text import parse_component
from bench.cli.terminal import Load, as_json_option, report
from bench.core import plugin_files, registry
from bench.core.components import Component
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.local_paths import local_path
from bench.core.plugin_modules import declared, import_faults
from bench.core.schema import SchemaError, fill
from bench.core.text_table import Style, Styled, Table

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.evaluation.metrics import Metric
    from bench.testing import CheckResult

_KINDS = (*get_args(registry.Kind), "metric")
_STYLES: dict[str, Style] = {"passed": "done", "failed": "failed", "note": "note"}


@click.command()
@click.argument("target", metavar="FILE|NAME[:KEY=VALUE,…]")
@click.option("--kind", type=click.Choice(_KINDS), help="Check only components of this kind.")
@as_json_option
@click.pass_obj
def check(load: Load, target: str, kind: str | None, *, as_json: bool) -> Exit:
    """Check whether components do what bench requires of their kind, in seconds on the CPU.

    The target is a FILE of Python with components of your own, or the NAME of any component of
    bench.toml or of `bench ls`, with parameters where it needs some. Each requirement has a line;
    each that is not met is explained, and the exit code is 1 then.

    Examples:
      bench check my_loss.py
      bench check radial-ctc
      bench check lexicon:words=words.txt

    `bench docs testing` lists what is checked.
    """
    config = load()
    is_file = target.endswith(".py")
    components = _in_file(local_path(target)) if is_file else _named(config, target)
    chosen = [each for each in components if kind in {None, _kind(each)}]
    if not chosen:
        raise BenchError(f"{target} has no {kind}; leave out --kind to check all components")
    # Here, because torch is imported, which a mistake above need not wait for.
    from bench.testing import check_component

    results = [(component, check_component(component)) for component in chosen]
    text = [part for each in results for part in _described(*each)]
    report(text, [_json(*each) for each in results], as_json=as_json)
    failed = any(each.outcome == "failed" for _, checks in results for each in checks)
    return Exit.FAILED if failed else Exit.DONE


def _in_file(path: Path) -> list[Component | Metric]:
    """Return the components that a file declares, with their default parameters.

    Raises:
        BenchError: It cannot be imported, declares none, or one of them cannot be constructed.
    """
    from bench.evaluation.metrics import Metric, metric

    own = str(path.absolute())
    configured = [Path(file.path) for file in plugin_files.plugin_files()]
    plugin_files.set_plugins([path, *configured])
    faults = [*import_faults(), *registry.plugin_faults(), *metric.plugin_faults()]
    for fault in faults:
        if own in fault:
            raise BenchError(fault)
    components: list[Component | Metric] = [
        _with_defaults(kind, path)
        for file, kind in declared(Component)
        if file.path == own and not isabstract(kind)
    ]
    components += [
        kind()
        for file, kind in declared(Metric)  # type: ignore[type-abstract]
        if file.path == own and not isabstract(kind)
    ]
    if not components:
        raise BenchError(
            f"{path} declares no component; see `bench docs components`, or begin with "
            "`bench new loss NAME`"
        )
    return components


def _with_defaults(kind: type[Component], path: Path) -> Component:
    """Return a component of a file. Raises BenchError where a parameter has no default."""
    try:
        return fill(kind, {})
    except SchemaError as error:
        raise _faulty(kind.kind, kind.name, error, f" --plugin {path}") from None


def _faulty(kind: str, name: str, error: SchemaError, options: str = "") -> BenchError:
    """Return the error of parameters that are missing or wrong, with how they are given."""
    return BenchError(
        f"{kind} '{name}': {error}; give its parameters: bench check {name}:{error.key}=VALUE"
        f"{options}"
    )


def _named(config: Config, text: str) -> Iterator[Component | Metric]:
    """Yield the components of a name, one per kind that has it.

    Raises:
        BenchError: No component has the name, or the parameters are wrong.
    """
    from bench.evaluation.metrics import all_metrics

    name, parameters = parse_component(text, "check")
    metrics = all_metrics()
    kinds = [kind for kind in get_args(registry.Kind) if name in registry.names(kind)]
    if name in config.datasets:
        yield config.dataset(name, parameters)
    for kind in kinds:
        located = registry.find(kind, name).located(parameters, Path.cwd())
        try:
            yield registry.make(kind, name, located)
        except SchemaError as error:
            raise _faulty(kind, name, error) from None
    if name in metrics:
        yield metrics[name]
    if not kinds and name not in metrics and name not in config.datasets:
        names = {each for kind in get_args(registry.Kind) for each in registry.names(kind)}
        hint = did_you_mean(name, names | metrics.keys() | config.datasets.keys())
        raise BenchError(
            plugin_files.with_how_to_add(f"there is no component '{name}'{hint}", import_faults())
        )


def _kind(component: Component | Metric) -> str:
    return component.kind if isinstance(component, Component) else "metric"


def _label(component: Component | Metric) -> str:
    return component.label if isinstance(component, Component) else component.name


def _described(component: Component | Metric, checks: Sequence[CheckResult]) -> list[str | Table]:
    """Return a table of all checks, and an explanation of each that failed or has a note."""
    rows = [
        [Styled(each.outcome, _STYLES.get(each.outcome, "note")), each.name, each.requirement]
        for each in checks
    ]
    counts = Counter(each.outcome for each in checks)
    failed = counts["failed"]
    title = f"{_kind(component)} {_label(component)}"
    # One mistake may fail many checks in the same way.
    alike: dict[tuple[str, str], list[str]] = {}
    for each in checks:
        if each.explanation:
            alike.setdefault((each.outcome, each.explanation), []).append(each.name)
    explained = [
        f"{', '.join(names)} ({outcome}): {explanation}"
        for (outcome, explanation), names in alike.items()
    ]
    summary = (
        f"{title}: {failed} of {len(checks)} requirements are not met"
        if failed
        else f"{title} meets the contract"
    )
    return [title, Table(["", "check", "requirement"], rows), *explained, summary]


def _json(component: Component | Metric, checks: Sequence[CheckResult]) -> dict[str, Any]:
    return {
        "kind": _kind(component),
        "name": component.name,
        "label": _label(component),
        "checks": [asdict(each) for each in checks],
    }
