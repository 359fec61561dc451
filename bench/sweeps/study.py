"""A sweep on disk: which parameters were tried, and their scores; never pickle.

results/sweeps/<key>/
    sweep.json           what is searched, and the seconds spent
    trials/<key>.json    one trial (`StudyTrial`)
    report.md, report.json
    trainings/…          the trials' trainings, as in the store of a run
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from bench.core import documents
from bench.core.errors import BenchError
from bench.core.printable import quoted
from bench.core.schema import NonNegativeFloat, PositiveInt
from bench.trials.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from bench.sweeps.sweep import Params, Sweep
    from bench.trials.specs import Training

SCHEMA = 2
_REMEDY = "move this file away and run the sweep again"
State = Literal["running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class StudyTrial:
    """One trial of a sweep.

    Attributes:
        number: Its number in the sweep, from 1.
        key: The key of its training.
        params: The values that were tried, by path.
        state: `done` was trained to its end, `stopped` was ended early by the scheduler, `failed`
            has a message, `running` is unfinished and resumes next time.
        scores: The label error rate of each validation.
        seconds: Wall time.
        message: Why it failed.
        schema: The version of this document.
    """

    number: PositiveInt
    key: str
    params: dict[str, Any]
    state: State = "running"
    scores: list[NonNegativeFloat] = field(default_factory=list)
    seconds: NonNegativeFloat = 0.0
    message: str = ""
    schema: int = SCHEMA

    @property
    def ended(self) -> bool:
        """Whether it has ended, so that nothing of it remains to run."""
        return self.state != "running"


@dataclass(frozen=True)
class _SweepDocument:
    key: str
    base: dict[str, Any]
    space: dict[str, Any]
    table: dict[str, Any]
    seconds: NonNegativeFloat = 0.0
    schema: int = SCHEMA


class Study:
    """The trials of a sweep under `results/sweeps/<key>`; one process at a time writes it."""

    def __init__(self, sweep: Sweep, results: Path) -> None:
        self.sweep = sweep
        self.root = results / "sweeps" / sweep.key
        self.store = Store(self.root)
        self._trials = self.root / "trials"
        self._document = self.root / "sweep.json"
        self._checked: dict[str, StudyTrial] = {}

    def prepare(self) -> None:
        """Make its folders. Raises BenchError if nothing can be written into them."""
        self.store.prepare()
        self._trials.mkdir(exist_ok=True)

    def trials(self) -> list[StudyTrial]:
        """Return all trials in order of their numbers.

        Raises:
            BenchError: (unverified) One cannot be read, or is not one of this sweep.
        """
        trials = [
            documents.read(
                file,
                StudyTrial,
                SCHEMA,
                noun="trial of a sweep",
                remedy=_REMEDY,
                check=partial(self._check, file),
            )
            for file in self._trials.glob("*.json")
        ]
        return sorted(trials, key=lambda trial: (trial.number, trial.key))

    def _check(self, file: Path, trial: StudyTrial) -> None:
        """Raise ValueError if a trial is not one that this sweep can have."""
        # Once for each: trials are read whenever one begins.
        if self._checked.get(file.stem) == trial:
            return
        if trial.state == "done" and not trial.scores:
            raise ValueError("it is done and has no score")
        self._check_params(trial)
        if trial.key != file.stem:
            raise ValueError(f"its key, {quoted(trial.key)}, is not the name of its file")
        if trial.state == "done" and (record := self.store.record(self._training(trial))):
            rates = [point.validation_ler for point in record.curve]
            if rates != trial.scores:
                raise ValueError("its scores are not those of its training")
        self._checked[file.stem] = trial

    def _check_params(self, trial: StudyTrial) -> None:
        """Raise ValueError if parameters are not of the space, or their key is another one."""
        domains = self.sweep.table.domains
        if trial.params.keys() != domains.keys():
            raise ValueError(f"its parameters are not {', '.join(domains)}")
        for path, value in trial.params.items():
            if not domains[path].has(value):
                raise ValueError(f"{path} = {quoted(str(value))} is not in the space")
        if (key := self._training(trial).key) != trial.key:
            raise ValueError(f"its key is {quoted(trial.key)}, its parameters give {key}")

    def _training(self, trial: StudyTrial) -> Training:
        try:
            return self.sweep.training(trial.params)
        except BenchError as error:
            raise ValueError(str(error)) from None

    def begin(self, params: Params) -> StudyTrial:
        """Return the trial of `params`: the one on disk, or a new one."""
        key = self.sweep.training(params).key
        trials = {trial.key: trial for trial in self.trials()}
        if key not in trials:
            number = 1 + max((trial.number for trial in trials.values()), default=0)
            trials[key] = StudyTrial(number, key, dict(params))
            self.keep(trials[key])
        return trials[key]

    def keep(self, trial: StudyTrial) -> None:
        """Write a trial."""
        documents.write_bytes(self._trials / f"{trial.key}.json", documents.encode(trial))

    def left(self) -> int:
        """Return the number of trials left in the budget; 0 once its minutes are spent."""
        table = self.sweep.table
        if table.minutes and self.seconds >= 60 * table.minutes:
            return 0
        return max(0, self.sweep.max_trials - sum(trial.ended for trial in self.trials()))

    @property
    def seconds(self) -> float:
        """The wall time spent so far."""
        if not self._document.exists():
            return 0.0
        document = documents.read(
            self._document, _SweepDocument, SCHEMA, noun="sweep", remedy=_REMEDY
        )
        return document.seconds

    def spend(self, seconds: float) -> None:
        """Write that `seconds` of wall time have been spent in all."""
        sweep = self.sweep
        space = {path: asdict(domain) for path, domain in sweep.table.domains.items()}
        document = _SweepDocument(sweep.key, sweep.base.spec, space, asdict(sweep.table), seconds)
        documents.write_bytes(self._document, documents.encode(document))


def score(trial: StudyTrial, select: str, validations: int | None = None) -> float:
    """Return the validation label error rate of a trial.

    Args:
        trial: A trial with a score.
        select: Of the recipe: `best` is the lowest rate of all validations, `last` the last.
        validations: Only the first ones count; None: all do.
    """
    scores = trial.scores[:validations]
    return min(scores) if select == "best" else scores[-1]


def best(trials: list[StudyTrial], select: str) -> StudyTrial | None:
    """Return the trial with the lowest label error rate of those trained to their end."""
    done = [trial for trial in trials if trial.state == "done"]
    return min(done, key=lambda trial: (score(trial, select), trial.number), default=None)


def ended(trial: StudyTrial, state: State, *, seconds: float, message: str = "") -> StudyTrial:
    """Return `trial` in its final state."""
    return replace(trial, state=state, seconds=seconds, message=message)
