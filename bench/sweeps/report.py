"""The report of a sweep: the best trial, all trials, and which parameters mattered."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.core import documents
from bench.core.errors import BenchError
from bench.core.printable import escaped_markdown, in_one_line
from bench.core.text_table import Styled, Table
from bench.sweeps import study as studies
from bench.sweeps.study import StudyTrial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.sweeps.study import Study

SCHEMA = 2
PAGE, DATA = "report.md", "report.json"
_MIN_TRIALS = 4
"""With fewer trials no importance is computed."""
_RATE = "validation LER %"
_ABSENT = "–"


@dataclass(frozen=True)
class Importance:
    """Each parameter's share in the variance of the score, by fANOVA (Hutter et al., ICML 2014).

    Attributes:
        validations: Scores are compared after so many validations, which all of these trials had.
        trials: The number of trials compared.
        shares: The share by path, the largest first.
    """

    validations: int
    trials: int
    shares: dict[str, float]


@dataclass(frozen=True)
class Report:
    """A sweep and its trials.

    Attributes:
        suite: The suite that has the sweep.
        sweep: Its key.
        labels: What is searched: the names of data, model and loss.
        seed: The seed of every trial.
        sampler: Where points come from.
        scheduler: What ends trials early.
        select: Which validation's score counts, as the recipe says.
        validations: The validations of all trials together.
        seconds: Wall time.
        best: The key of the best trial that was trained to its end.
        importance: Which parameters mattered; None if that cannot be computed.
        trials: The trials, the lowest label error rate first.
        schema: The version of this document.
    """

    suite: str
    sweep: str
    labels: dict[str, str]
    seed: int
    sampler: str
    scheduler: str
    select: str
    validations: int
    seconds: float
    best: str | None
    importance: Importance | None
    trials: list[StudyTrial]
    schema: int = SCHEMA


def report_of(study: Study) -> Report:
    """Return the report of a study as it is now."""
    sweep = study.sweep
    select = sweep.base.recipe.select
    trials = study.trials()
    best = studies.best(trials, select)
    return Report(
        suite=sweep.suite.name,
        sweep=sweep.key,
        labels=sweep.base.labels,
        seed=sweep.base.seed,
        sampler=sweep.table.sampler,
        scheduler=sweep.table.scheduler,
        select=select,
        validations=sum(len(trial.scores) for trial in trials),
        seconds=study.seconds,
        best=best.key if best else None,
        importance=_importance(study, trials),
        trials=sorted(trials, key=lambda trial: _rank(trial, select)),
    )


def write_report(report: Report, folder: Path) -> None:
    """Write a report into the folder of its study."""
    documents.write_bytes(folder / DATA, documents.encode(report))
    documents.write_bytes(folder / PAGE, as_markdown(report).encode())


def read_report(folder: Path) -> Report | None:
    """Return the report in the folder of a study, or None if none can be read."""
    remedy = "run the sweep again"
    with suppress(OSError, BenchError):
        return documents.read(folder / DATA, Report, SCHEMA, noun="report", remedy=remedy)
    return None


def as_text(report: Report) -> list[str | Table]:
    """Return a report for a terminal."""
    return [_title(report), _table(report), *_notes(report)]


def as_markdown(report: Report) -> str:
    """Return a report as a page."""
    paragraphs = [_title(report), *_notes(report)]
    about, *notes = (escaped_markdown(each) for each in paragraphs)
    title = f"# Sweep of {escaped_markdown(report.suite)}"
    parts = [title, about, _table(report).markdown(), *notes]
    return "\n\n".join(parts) + "\n"


def trial_line(trial: StudyTrial, select: str) -> str:
    """Return in one line how a trial ended."""
    if trial.state == "failed":
        outcome = f"failed: {_message(trial)}"
    else:
        stopped = trial.state == "stopped"
        end = f"stopped after validation {len(trial.scores)}" if stopped else trial.state
        outcome = f"{end}  validation LER {studies.score(trial, select):.2%}"
    return f"{outcome}  {assignments(trial.params)}"


def assignments(params: dict[str, Any]) -> str:
    """Return parameters as `recipe.learning_rate = 0.001, …`."""
    return ", ".join(f"{path} = {_value_text(value)}" for path, value in params.items())


def _title(report: Report) -> str:
    return (
        f"{' · '.join(report.labels.values())} of suite {report.suite}, seed {report.seed}, "
        f"sampler {report.sampler}, scheduler {report.scheduler}. "
        "Scored by the label error rate (LER) on the validation split; no test set was read."
    )


def _table(report: Report) -> Table:
    paths = [*report.trials[0].params] if report.trials else []
    rows = [
        [
            str(trial.number),
            Styled(trial.state, "failed") if trial.state == "failed" else trial.state,
            str(len(trial.scores)),
            f"{100 * studies.score(trial, report.select):.2f}" if trial.scores else _ABSENT,
            *(_value_text(trial.params[path]) for path in paths),
        ]
        for trial in report.trials
    ]
    right = ["trial", "validations", _RATE, *paths]
    return Table(["trial", "state", "validations", _RATE, *paths], rows, right, ["validations"])


def _notes(report: Report) -> list[str]:
    notes = []
    best = next((trial for trial in report.trials if trial.key == report.best), None)
    if best:
        notes.append(f"Best of those trained to their end: trial {best.number}.")
    if importance := report.importance:
        shares = ", ".join(f"{path} {share:.0%}" for path, share in importance.shares.items())
        count = importance.validations
        compared = f"{count} validation{'s' if count > 1 else ''}"
        notes.append(
            f"Importance (fANOVA over the LER of {importance.trials} trials after {compared}): "
            f"{shares}. With few trials these shares are rough."
        )
    failed = [trial for trial in report.trials if trial.state == "failed"]
    notes += [f"Trial {trial.number} failed: {_message(trial)}." for trial in failed]
    total = (
        f"{len(report.trials)} trials, {report.validations} validations, "
        f"{report.seconds / 60:.1f} minutes"
    )
    return [*notes, f"Sweep {report.sweep}: {total}."]


def _importance(study: Study, trials: Sequence[StudyTrial]) -> Importance | None:
    """Compare trials after the validations that all have had, so that early stops do not bias."""
    select = study.sweep.base.recipe.select
    scored = [trial for trial in trials if trial.scores and trial.state != "failed"]
    if len(scored) < _MIN_TRIALS:
        return None
    earlier = read_report(study.root)
    if earlier and sorted(earlier.trials, key=lambda trial: trial.number) == [*trials]:
        return earlier.importance
    validations = min(len(trial.scores) for trial in scored)
    values = [studies.score(trial, select, validations) for trial in scored]
    if len(set(values)) == 1:
        return None
    # It takes seconds to import: not where an earlier report has the result already.
    from bench.sweeps.importance import variance_shares

    points = [trial.params for trial in scored]
    shares = variance_shares(study.sweep.table.domains, points, values)
    return Importance(validations, len(scored), shares) if shares else None


def _message(trial: StudyTrial) -> str:
    """Return why it failed, in one line of bounded length."""
    return in_one_line(trial.message)


def _rank(trial: StudyTrial, select: str) -> tuple[bool, bool, float, int]:
    """Order trials that were trained to their end before others, and each by score."""
    scored = bool(trial.scores)
    value = studies.score(trial, select) if scored else 0.0
    return trial.state != "done", not scored, value, trial.number


def _value_text(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else in_one_line(str(value))
