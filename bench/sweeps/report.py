"""What a sweep found: the best trial, all trials, and which parameters mattered."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli.render import text_table
from bench.core import documents
from bench.core.errors import BenchError
from bench.sweeps import study
from bench.sweeps.study import Tried

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bench.sweeps.study import Study

SCHEMA = 1
PAGE, DATA = "report.md", "report.json"
_FEWEST = 4
"""With fewer trials, importances are refused."""


@dataclass(frozen=True)
class Importance:
    """The share of each parameter in the variance of the validation CER over `trials` trials.

    The CER is that after `epochs` epochs, the most that all of these trials have had. By fANOVA
    (Hutter et al., ICML 2014).
    """

    epochs: int
    trials: int
    shares: dict[str, float]


@dataclass(frozen=True)
class Report:
    """A sweep and its trials, the best validation CER first; `best` is the key of the winner."""

    suite: str
    sweep: str
    labels: dict[str, str]
    seed: int
    sampler: str
    scheduler: str
    select: str
    epochs: int
    seconds: float
    best: str | None
    importance: Importance | None
    trials: list[Tried]
    schema: int = SCHEMA


def of(found: Study) -> Report:
    """Gather what the study holds."""
    sweep = found.sweep
    select = sweep.base.training.select
    trials = found.tried()
    best = study.best(trials, select)
    return Report(
        suite=sweep.suite.name,
        sweep=sweep.key,
        labels=sweep.base.labels,
        seed=sweep.base.seed,
        sampler=sweep.table.sampler,
        scheduler=sweep.table.scheduler,
        select=select,
        epochs=sum(len(one.scores) for one in trials),
        seconds=found.seconds,
        best=best.key if best else None,
        importance=_importance(found, trials),
        trials=sorted(trials, key=lambda one: _order(one, select)),
    )


def write(report: Report, place: Path) -> None:
    """Write the report into the folder of its study."""
    documents.write_bytes(place / DATA, documents.encode(report))
    documents.write_bytes(place / PAGE, markdown(report).encode())


def read(place: Path) -> Report | None:
    """Return the report in the folder of a study, or None where none can be read."""
    remedy = "run the sweep again"
    with suppress(OSError, BenchError):
        return documents.read(place / DATA, Report, SCHEMA, noun="report", remedy=remedy)
    return None


def text(report: Report) -> str:
    """Draw the report for a terminal."""
    return "\n\n".join([_title(report), _table(report, text_table.plain), *_notes(report)])


def markdown(report: Report) -> str:
    """Write the report's page."""
    title = f"# Sweep of {report.suite}"
    parts = [title, _title(report), _table(report, text_table.markdown), *_notes(report)]
    return "\n\n".join(parts) + "\n"


def line(tried: Tried, select: str) -> str:
    """Say in a line what came of a trial."""
    told = {"done": "done", "stopped": f"stopped after epoch {len(tried.scores)}"}
    if tried.state == "failed":
        said = f"failed: {_message(tried)}"
    else:
        said = f"{told[tried.state]}  validation CER {study.score(tried, select):.2%}"
    return f"{said}  {assignments(tried.params)}"


def assignments(params: dict[str, Any]) -> str:
    """Write parameters as `training.learning_rate = 0.001, …`."""
    return ", ".join(f"{path} = {_shown(value)}" for path, value in params.items())


def _title(report: Report) -> str:
    return (
        f"{' · '.join(report.labels.values())} of suite {report.suite}, seed {report.seed}, "
        f"sampler {report.sampler}, scheduler {report.scheduler}. "
        "Scored by validation CER alone; the test split was not looked at."
    )


def _table(report: Report, draw: Callable[..., str]) -> str:
    paths = [*report.trials[0].params] if report.trials else []
    rows = [
        [
            str(one.number),
            one.state,
            str(len(one.scores)),
            f"{study.score(one, report.select):.2%}"[:-1] if one.scores else "–",
            *(_shown(one.params[path]) for path in paths),
        ]
        for one in report.trials
    ]
    right = ",".join(["trial", "epochs", "validation CER %", *paths])
    return draw(["trial", "state", "epochs", "validation CER %", *paths], rows, right)


def _notes(report: Report) -> list[str]:
    notes = []
    best = next((one for one in report.trials if one.key == report.best), None)
    if best:
        notes.append(f"Best of those trained to their end: trial {best.number}.")
    found = report.importance
    if found:
        shares = ", ".join(f"{path} {share:.0%}" for path, share in found.shares.items())
        epochs = f"{found.epochs} epoch{'s' if found.epochs > 1 else ''}"
        notes.append(
            f"Importance (fANOVA over the CER of {found.trials} trials after {epochs}): {shares}. "
            "With few trials these shares are rough."
        )
    failed = [one for one in report.trials if one.state == "failed"]
    notes += [f"Trial {one.number} failed: {_message(one)}." for one in failed]
    total = (
        f"{len(report.trials)} trials, {report.epochs} epochs, {report.seconds / 60:.1f} minutes"
    )
    return [*notes, f"Sweep {report.sweep}: {total}."]


def _importance(found: Study, trials: Sequence[Tried]) -> Importance | None:
    """Compare trials by the epochs that they all have had, so that early stops do not bias."""
    select = found.sweep.base.training.select
    scored = [one for one in trials if one.scores and one.state != "failed"]
    if len(scored) < _FEWEST:
        return None
    known = read(found.root)
    if known and sorted(known.trials, key=lambda one: one.number) == [*trials]:
        return known.importance
    epochs = min(len(one.scores) for one in scored)
    values = [study.score(one, select, epochs) for one in scored]
    if len(set(values)) == 1:
        return None
    # Seconds to import: not where the report has them already.
    from bench.sweeps.importance import shares

    told = shares(found.sweep.table.domains, [one.params for one in scored], values)
    return Importance(epochs, len(scored), told) if told else None


def _message(tried: Tried) -> str:
    """Return why it failed, in one line: torch writes several."""
    return " ".join(tried.message.split())


def _order(tried: Tried, select: str) -> tuple[bool, bool, float, int]:
    """Order those trained to their end before others, and each by CER."""
    scored = bool(tried.scores)
    value = study.score(tried, select) if scored else 0.0
    return tried.state != "done", not scored, value, tried.number


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
