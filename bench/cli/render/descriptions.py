"""Plans, components and profiles as tables and as JSON values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from bench.cli.render import live_text
from bench.core import text_table
from bench.core.components import Augmentation, Dataset, short_labels
from bench.core.text_table import Style, Styled, Table
from bench.data import cards
from bench.evaluation.metrics import metric
from bench.trials import plan
from bench.trials.data_needs import WaitingTask
from bench.trials.grid import row_labels, training_labels

if TYPE_CHECKING:
    from bench.core.components import Component
    from bench.data.datasets.own import OwnDataset
    from bench.evaluation.metrics import Metric
    from bench.evaluation.protocols import Protocol
    from bench.trials.data_needs import DataNeed
    from bench.trials.plan import Cost, Plan, TaskStatus
    from bench.trials.records import Latency, Profile
    from bench.trials.specs import Task

NOTHING = "–"
NO_ESTIMATE = "no estimate yet"
_STYLES: dict[str, Style] = {
    "done": "done",
    "running": "running",
    "stale": "stale",
    "failed": "failed",
    "damaged": "failed",
}
"""The style of each state of a task."""
_RATE = "samples/s"
_ON_GPU = (
    "samples/s: from inputs on the GPU to logits, at the smallest batch that saturates it. "
    "MiB: peak memory of tensors on the GPU, weights and inputs included."
)


def plan_json(status: Plan, missing: Sequence[Task], *, why: bool = True) -> dict[str, Any]:
    """Return a plan as JSON values: numbers of tasks, their cost, and the state of each."""
    kinds = ("training", "evaluation")
    keys = {task.key for task in missing}
    costs = {
        kind: plan.estimated_cost(status, [task for task in missing if task.kind == kind])
        for kind in kinds
    }
    return {
        "to_run": {f"{kind}s": sum(task.kind == kind for task in missing) for kind in kinds},
        "core_seconds": {f"{kind}s": cost and cost.cores for kind, cost in costs.items()},
        "gpu_seconds": {f"{kind}s": cost and cost.gpus for kind, cost in costs.items()},
        "tasks": [
            *(_task_json(each, keys, why=why) for each in status.statuses.values()),
            *map(_waiting_json, status.waiting),
        ],
        "needs": needs_json(status.needs),
    }


def needs_json(needs: Iterable[DataNeed]) -> list[dict[str, str]]:
    """Return, as JSON values, each data set that is not prepared with the command to do so."""
    return [{"data": need.dataset, "run": need.remedy} for need in needs]


def _waiting_json(waiting: WaitingTask) -> dict[str, Any]:
    task = waiting.task
    return {
        "kind": task.kind,
        "key": None,
        "state": plan.NEEDS_DATA,
        "to_run": False,
        **task.labels,
        "seed": task.seed,
        "why": _needed_names(waiting),
        "live": None,
    }


def _needed_names(waiting: WaitingTask) -> str:
    return ", ".join(need.dataset for need in waiting.needs)


def _task_json(status: TaskStatus, keys: set[str], *, why: bool) -> dict[str, Any]:
    task = status.task
    return {
        "kind": task.kind,
        "key": task.key,
        "state": status.state,
        "to_run": task.key in keys,
        **task.labels,
        "seed": task.seed,
        "why": status.why() if why or not status.record else "",
        "live": msgspec.to_builtins(status.live) if status.live else None,
    }


def status(current: Plan, *, why: bool = False) -> list[str | Table]:
    """List the tasks of a plan; evaluations are below their training."""
    trials = current.trials
    entries = [*dict.fromkeys(trial.entry for trial in trials)]
    labels = dict(zip(entries, row_labels(entries), strict=True))
    trained = training_labels(entries)
    primary = trials[0].evaluations and next(iter(trials[0].evaluations.values())).protocol
    ranked = metric.find_metric(primary.ranked_by) if primary else None
    headers = [
        "state",
        "kind",
        "key",
        "entry",
        "seed",
        f"{ranked.title} {ranked.unit}" if ranked else "",
    ]
    is_live = any(each.live for each in current.statuses.values())
    headers += [*(["progress"] if is_live else []), *(["why"] if why else [])]
    rows: list[list[str]] = []
    unlisted: dict[Task, TaskStatus | WaitingTask] = {
        each.task: each for each in current.statuses.values()
    }
    unlisted |= {each.task: each for each in current.waiting}
    for trial in trials:
        for task in trial.tasks:
            each = unlisted.pop(task, None)
            if each is None:
                continue
            where = (trained if task.kind == "training" else labels)[trial.entry]
            if task.kind == "evaluation" and len(trial.evaluations) > 1:
                where = f"{where} on {task.labels['test']}"
            if isinstance(each, WaitingTask):
                rows.append(_waiting_row(each, where, len(headers), why=why))
                continue
            score = _ranked_score(each, ranked)
            state = Styled(each.state, _STYLES[each.state]) if each.state in _STYLES else each.state
            row = [state, task.kind, task.key, where, str(task.seed), score]
            if is_live:
                row.append(live_text.task_progress(each.live) if each.live else "")
            rows.append([*row, each.why()] if why else row)
    # An empty last column would take width from the others.
    columns = len(headers) - (why and not any(row[-1] for row in rows))
    table = Table(headers[:columns], [row[:columns] for row in rows], headers[4:6])
    needs = [need.sentence for need in current.needs]
    return [table, "\n".join([_counts(current), *needs])]


def _waiting_row(waiting: WaitingTask, where: str, columns: int, *, why: bool) -> list[str]:
    """Return the row of a task that waits for data."""
    task = waiting.task
    row = [Styled(plan.NEEDS_DATA, "stale"), task.kind, NOTHING, where, str(task.seed)]
    row += [""] * (columns - len(row))
    return [*row[:-1], _needed_names(waiting)] if why else row


def _ranked_score(each: TaskStatus, ranked: Metric | None) -> str:
    scores = getattr(each.record, "scores", {})
    return ranked.format(scores[ranked.name]) if ranked and ranked.name in scores else ""


def _counts(current: Plan) -> str:
    parts = []
    for kind, noun in (("training", "trainings"), ("evaluation", "evaluations")):
        counts = current.counts(kind)  # type: ignore[arg-type]
        listed = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
        parts.append(f"{noun}: {listed or 'none'}")
    return "; ".join(parts)


def to_run(suite: str, status: Plan, missing: Sequence[Task]) -> str:
    """Return one line: how many tasks are done, and how many will run."""
    keys = {task.key for task in missing}
    total = Counter(each.task.kind for each in status.statuses.values())
    to_do = Counter(task.kind for task in missing)
    # A task that will not run may be damaged, or its training may be.
    finished = Counter(
        each.task.kind
        for key, each in status.statuses.items()
        if key not in keys and each.record is not None
    )
    done = ", ".join(f"{finished[kind]} of {total[kind]} {kind}s done" for kind in total)
    running = " and ".join(_counted(to_do[kind], kind) for kind in total if to_do[kind])
    return f"{suite}: {done}; {f'running {running}' if running else 'nothing to run'}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def dry_run(current: Plan, missing: Sequence[Task]) -> list[str | Table]:
    """List the selected tasks, how many will run, and their estimated cost."""
    lines = []
    kinds = {each.task.kind for each in current.statuses.values()}
    kinds |= {each.task.kind for each in current.waiting}
    for kind in sorted(kinds, reverse=True):
        tasks = [task for task in missing if task.kind == kind]
        cost = cost_text(plan.estimated_cost(current, tasks))
        waiting = sum(each.task.kind == kind for each in current.waiting)
        later = f", {waiting} more once their data are prepared" if waiting else ""
        lines.append(f"{_counted(len(tasks), kind)} to run{f': {cost}' if tasks else ''}{later}")
    table, counts = status(current, why=True)
    return [table, "\n".join([str(counts), *lines])]


def cost_text(cost: Cost | None) -> str:
    """Return what tasks may cost by earlier records."""
    if cost is None:
        return NO_ESTIMATE
    gpus = f" and {cost.gpus / 60:.1f} GPU-minutes" if cost.gpus else ""
    return f"about {cost.cores / 60:.1f} core-minutes{gpus} by earlier records"


def evaluations(current: Plan) -> Table:
    """List the scores of finished evaluations in all metrics of the protocol."""
    done = [
        each for each in current.statuses.values() if each.task.kind == "evaluation" and each.record
    ]
    names = dict.fromkeys(name for each in done for name in each.record.scores)  # type: ignore[union-attr]
    metrics = [metric.find_metric(name) for name in names]
    headers = ["test", "entry", "seed", *(f"{m.title} {m.unit}" for m in metrics)]
    rows = [
        [
            each.task.labels["test"],
            " · ".join(label for part, label in each.task.labels.items() if part != "test"),
            str(each.task.seed),
            *(m.format(each.record.scores[m.name]) for m in metrics),  # type: ignore[union-attr]
        ]
        for each in done
    ]
    return Table(headers, rows, headers[2:])


def components(
    kind: str, classes: Iterable[type[Component]], own: Iterable[OwnDataset] = ()
) -> Table:
    """List components with their parameters, then the data sets of bench.toml."""
    rows = []
    for component in classes:
        rows.append([component.name, component.summary()])
        if issubclass(component, Augmentation):
            rows.append(["", f"for {component.accepts}"])
        if issubclass(component, Dataset) and (card := cards.find_card(component.name)):
            rows.append(["", f"{card.splits[0].sizes} · {card.source.licence}"])
        default = getattr(component, "default_input", None)
        if default is not None:
            rows.append(["", f"input: {default.label}"])
        listed = ", ".join(f"{name} = {value}" for name, value in component.defaults().items())
        rows += [["", listed]] if listed else []
    rows += [[each.name, f"{each.summary()} ([dataset.{each.name}])"] for each in own]
    return Table([kind, "description and parameters"], rows)


def recipes(tables: Mapping[str, Mapping[str, Any]]) -> Table:
    """List the recipes of bench.toml."""
    rows = [
        [name, ", ".join(f"{key} = {value}" for key, value in table.items())]
        for name, table in tables.items()
    ]
    return Table(["recipe", "keys"], rows)


def protocols(listed: Iterable[Protocol]) -> Table:
    """List protocols with their metrics; the metric that ranks comes first."""
    rows = []
    for protocol in listed:
        names = sorted(protocol.metrics, key=lambda name: name != protocol.ranked_by)
        rows += [[protocol.name, protocol.about], ["", f"metrics: {', '.join(names)}"]]
    return Table(["protocol", "rules"], rows)


def metrics(listed: Iterable[Metric]) -> Table:
    """List metrics."""
    rows = [
        [each.name, f"{each.title} {each.unit}", "higher" if each.higher_is_better else "lower"]
        for each in listed
    ]
    return Table(["metric", "column", "better"], rows)


def profiles(measured: Sequence[Profile]) -> list[str | Table]:
    """List profiles of one machine: the median and 90th percentile of each latency."""
    if not measured:
        return ["No profile yet."]
    latencies = max((profile.latencies for profile in measured), key=len)
    names = [*map(_latency_name, latencies)]
    batches = sorted({latency.batch for latency in latencies})
    on_gpu = any(_peak(profile, batch) for profile in measured for batch in batches)
    figures = [*names, *([_RATE, *(f"MiB b{batch}" for batch in batches)] if on_gpu else [])]
    headers = ["entry", "input", "parameters", "MACs", *figures]
    rows = []
    for profile, entry in zip(measured, _profiled_entries(measured), strict=True):
        by_name = {_latency_name(each): _latency(each) for each in profile.latencies}
        weights = profile.parameters
        rows.append(
            [
                entry,
                "×".join(map(str, profile.spec.get("input", []))) or "stored images",
                f"{weights.total:,}" if weights else NOTHING,
                text_table.magnitude(profile.macs) if profile.macs is not None else NOTHING,
                *(by_name.get(name, NOTHING) for name in names),
                *([_rate(profile), *(_memory(profile, b) for b in batches)] if on_gpu else []),
            ]
        )
    unit = f"Milliseconds per batch of 1 and of 24, p50 / p90, on {measured[0].hardware}."
    if on_gpu:
        unit = f"{unit} {_ON_GPU}"
    table = Table(headers, rows, headers[2:], ["MACs", "parameters", "input", *names[::2]])
    return [table, "\n".join([unit, *_invalid(measured)])]


def _profiled_entries(measured: Sequence[Profile]) -> list[str]:
    """Return the shortest names that distinguish the measured entries."""
    parts = ("model", "loss", "recognizer")
    short = {
        part: short_labels(each.labels[part] for each in measured if part in each.labels)
        for part in parts
    }
    return [
        " · ".join(short[part][each.labels[part]] for part in parts if part in each.labels)
        for each in measured
    ]


def _invalid(measured: Iterable[Profile]) -> list[str]:
    lines = []
    for profile in measured:
        name = " × ".join(profile.labels.values())
        lines += [
            f"No latency of {name}, {_latency_name(latency)}: {latency.reason}."
            for latency in profile.latencies
            if not latency.valid
        ]
        if profile.throughput and not profile.throughput.valid:
            lines.append(f"No throughput of {name}: {profile.throughput.reason}.")
    return lines


def profiles_json(measured: Iterable[Profile]) -> list[dict[str, Any]]:
    """Return profiles as JSON values, with the number of measurements in place of all of them."""
    values = [msgspec.to_builtins(profile) for profile in measured]
    for latency in (latency for profile in values for latency in profile["latencies"]):
        latency["samples"] = len(latency.pop("milliseconds"))
    return values


def _rate(profile: Profile) -> str:
    full = profile.throughput
    return f"{full.samples_per_second:,.0f} at {full.batch}" if full and full.valid else NOTHING


def _memory(profile: Profile, batch: int) -> str:
    peak = _peak(profile, batch)
    return text_table.mebibytes(peak) if peak else NOTHING


def _peak(profile: Profile, batch: int) -> int | None:
    """Return the peak memory of a batch size, with decoding; None if it was not measured."""
    peaks = [each.peak_memory for each in profile.latencies if each.batch == batch]
    return max((peak for peak in peaks if peak), default=None)


def _latency_name(latency: Latency) -> str:
    return f"b{latency.batch} {'labels' if latency.decoded else 'logits'}"


def _latency(latency: Latency) -> str:
    return f"{latency.p50:.2f} / {latency.p90:.2f}" if latency.valid else NOTHING
