"""What the verbs print for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from bench.cli.render import text_table
from bench.config import missing as needs
from bench.core.components import Dataset, short_labels
from bench.data import cards
from bench.trials import plan

if TYPE_CHECKING:
    from pathlib import Path

    from bench.config.bench_toml import Config
    from bench.core.components import Component
    from bench.evaluation.metrics.localisation import Localisation
    from bench.trials.plan import Entry
    from bench.trials.store import Failure, Figure, Profile, Record

_NOTHING = "–"


def states(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return each trial and its state, as JSON values."""
    return [
        {
            "key": entry.trial.key,
            "state": entry.state,
            **entry.trial.labels,
            "seed": entry.trial.seed,
            "tuned": entry.trial.tuning is not None,
            "why": entry.why(),
        }
        for entry in entries
    ]


def status(entries: Sequence[Entry], *, why: bool = False) -> str:
    """List trials with their states, and the reasons if asked for."""
    models = short_labels(entry.trial.model.label for entry in entries)
    losses = short_labels(entry.trial.loss.label for entry in entries)
    headers = ["state", "key", "dataset", "model", "loss", "seed", "accuracy %"]
    rows = [
        [
            entry.state,
            entry.trial.key,
            entry.trial.dataset.name,
            models[entry.trial.model.label],
            losses[entry.trial.loss.label] + (", tuned" if entry.trial.tuning else ""),
            str(entry.trial.seed),
            f"{entry.record.metrics['test'].sequence_accuracy:.2%}"[:-1] if entry.record else "",
        ]
        for entry in entries
    ]
    if why:
        headers.append("why")
        rows = [[*row, entry.why()] for row, entry in zip(rows, entries, strict=True)]
    counts = Counter(entry.state for entry in entries)
    counted = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return text_table.plain(headers, rows, "seed,accuracy %") + f"\n\n{counted}"


def dry_run(entries: Sequence[Entry], todo: Sequence[Entry]) -> str:
    """List the selection, and what it may cost to run what is to do of it."""
    seconds = plan.price(entries, todo)
    if seconds is None:
        cost = "No record tells yet what they cost."
    else:
        cost = f"By earlier records they cost about {seconds / 60:.1f} core-minutes."
    return f"{status(entries)}\n{len(todo)} to run. {cost}"


def suites(config: Config) -> str:
    """List the suites, and of one that cannot run yet what it needs."""
    numbers = ["datasets", "models", "losses", "seeds"]
    rows = []
    for name, table in config.tables.items():
        rows.append([name, *(str(len(getattr(table, key))) for key in numbers), table.about])
        if missing := needs.of(table):
            words = ", ".join(word for names in missing.values() for word in names)
            rows.append([""] * 5 + [f"cannot run yet: it needs {words}"])
    return text_table.plain(["suite", *numbers, "about"], rows, ",".join(numbers))


def components(kind: str, known: Iterable[type[Component]]) -> str:
    """List components with their parameters."""
    rows = []
    for component in known:
        rows.append([component.name, component.summary()])
        if issubclass(component, Dataset) and (card := cards.find(component.name)):
            rows.append(["", f"{card.splits[0].sizes} · {card.source.licence}"])
        listed = ", ".join(f"{name} = {value}" for name, value in component.defaults().items())
        rows += [["", listed]] if listed else []
    return text_table.plain([kind, "what it is, and its parameters"], rows)


def record(
    found: Record,
    folder: Path,
    worst: Sequence[Sequence[str]],
    measured: Sequence[Profile] = (),
    located: Localisation | None = None,
) -> str:
    """Describe a finished trial: scores, curve, worst samples, where it reads, profiles, origin."""
    return "\n\n".join(
        [
            f"{' · '.join(found.labels.values())} · seed {found.seed}\n{found.key}  {folder}",
            _scores(found),
            _curve(found),
            text_table.plain(["worst samples", "reference", "read as", "edits"], worst, "edits"),
            *([_located(located)] if located else []),
            *(profiles([one]) for one in measured),
            _origin(found),
        ]
    )


def _scores(found: Record) -> str:
    """List the scores of each split; what the protocol does not define has no column."""
    error = "WER" if found.spec["protocol"]["unit"] == "gloss" else "CER"
    columns: dict[str, list[str]] = {}
    for rates in found.metrics.values():
        shares = {
            "accuracy": rates.sequence_accuracy,
            error: rates.cer,
            **({"WER": rates.wer} if rates.wer is not None else {}),
            "1 - NED": rates.one_minus_ned,
            "CCR": rates.ccr,
        }
        for name, share in shares.items():
            columns.setdefault(name, []).append(_NOTHING if share is None else f"{share:.2%}")
        columns.setdefault("samples", []).append(f"{rates.samples:,}")
        columns.setdefault("excluded", []).append(str(sum(rates.excluded.values())))
    known = {name: cells for name, cells in columns.items() if {*cells} != {_NOTHING}}
    rows = [list(row) for row in zip(found.metrics, *known.values(), strict=True)]
    return text_table.plain(["split", *known], rows, ",".join(known))


def _located(found: Localisation) -> str:
    """List where labels are read, of all and of each class: docs/localisation.md defines it."""
    from bench.evaluation.metrics import localisation

    headers = localisation.HEADERS
    return text_table.plain(headers, localisation.rows(found), ",".join(headers[1:]))


def _curve(found: Record) -> str:
    rows = [
        [
            f"{epoch.epoch}{' *' if epoch.epoch == found.selected_epoch else ''}",
            f"{epoch.loss:.4f}",
            f"{epoch.validation_ler:.2%}",
        ]
        for epoch in found.curve
    ]
    numbers = ["loss", "validation LER"]
    table = text_table.plain(["epoch", *numbers], rows, ",".join(numbers))
    lost = max(epoch.infeasible for epoch in found.curve)
    said = f"\n{lost:,} training samples an epoch add nothing: no room for their target"
    return f"{table}\n* the weights that were tested{said if lost else ''}"


def _origin(found: Record) -> str:
    origin, seconds = found.provenance, found.timings
    changed = " with changed files" if origin.dirty else ""
    return (
        f"{found.parameters.total:,} parameters; {seconds.total:.1f} s in all: "
        f"{seconds.training:.1f} training, {seconds.validation:.1f} validation, "
        f"{seconds.test:.1f} test\n"
        f"commit {origin.commit or 'unknown'}{changed}, bench {origin.bench}, "
        f"Python {origin.python}, torch {origin.packages.get('torch')}\n"
        f"{origin.gpu or origin.cpu}, {origin.threads} of {origin.cores} cores, {origin.finished}"
    )


def profiles(found: Sequence[Profile]) -> str:
    """List profiles of one hardware: each latency's median and 90th percentile, or why none."""
    if not found:
        return "There is no profile."
    models = short_labels(profile.labels["model"] for profile in found)
    losses = short_labels(profile.labels["loss"] for profile in found)
    headers = ["model", "loss", "input", "parameters", "MACs", *map(_figure, found[0].figures)]
    rows = [
        [
            models[profile.labels["model"]],
            losses[profile.labels["loss"]],
            "×".join(map(str, profile.spec["input"])),
            f"{profile.parameters.total:,}",
            text_table.magnitude(profile.macs),
            *map(_latency, profile.figures),
        ]
        for profile in found
    ]
    said = f"Milliseconds a batch of 1 and of 24, p50 / p90, on {found[0].hardware}."
    table = text_table.plain(headers, rows, ",".join(headers[2:]))
    return "\n".join([f"{table}\n\n{said}", *_invalid(found)])


def _invalid(found: Iterable[Profile]) -> list[str]:
    return [
        f"No latency of {' × '.join(profile.labels.values())}, {_figure(figure)}: {figure.reason}."
        for profile in found
        for figure in profile.figures
        if not figure.valid
    ]


def measured(found: Iterable[Profile]) -> list[dict[str, Any]]:
    """Return profiles as JSON values, without their raw samples but with the number of them."""
    values = [msgspec.to_builtins(profile) for profile in found]
    for figure in (figure for profile in values for figure in profile["figures"]):
        figure["samples"] = len(figure.pop("milliseconds"))
    return values


def _figure(figure: Figure) -> str:
    return f"b{figure.batch} {'labels' if figure.decoded else 'logits'}"


def _latency(figure: Figure) -> str:
    return f"{figure.p50:.2f} / {figure.p90:.2f}" if figure.valid else _NOTHING


def failure(found: Failure, folder: Path) -> str:
    """Describe a failed trial."""
    return (
        f"{' · '.join(found.labels.values())} · seed {found.seed}\n{found.key}  {folder}\n\n"
        + "\n".join(f"failed at {a.finished} ({a.cause}): {a.message}" for a in found.attempts)
        + f"\nThe whole story of the last attempt: {folder / 'log.txt'}"
    )
