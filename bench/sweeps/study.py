"""A sweep on disk: which parameters were tried, and what came of each; never pickle.

results/sweeps/<key>/
    sweep.json           what is searched, and the seconds spent
    trials/<key>.json    one trial (see `Tried`)
    report.md, report.json
    <dataset>/…          what the trials left, as in the store of a run; scored on validation only
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from bench.core import documents
from bench.trials.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from bench.sweeps.sweep import Params, Sweep

SCHEMA = 1
_REMEDY = "move this file away and run the sweep again"
State = Literal["running", "done", "stopped", "failed"]


@dataclass(frozen=True)
class Tried:
    """One trial of a sweep.

    `scores` are the validation CERs epoch by epoch. `done` is trained to its end, `stopped` ended
    early by the scheduler, `failed` has a `message`; `running` is unfinished: it goes on next time.
    """

    number: int
    key: str
    params: dict[str, Any]
    state: State = "running"
    scores: list[float] = field(default_factory=list)
    seconds: float = 0.0
    message: str = ""
    schema: int = SCHEMA

    @property
    def ended(self) -> bool:
        """Whether nothing more of it is to run."""
        return self.state != "running"


@dataclass(frozen=True)
class _Head:
    key: str
    base: dict[str, Any]
    space: dict[str, Any]
    table: dict[str, Any]
    seconds: float = 0.0
    schema: int = SCHEMA


class Study:
    """The trials of a sweep under `results/sweeps/<key>`; one process at a time writes it."""

    def __init__(self, sweep: Sweep, results: Path) -> None:
        self.sweep = sweep
        self.root = results / "sweeps" / sweep.key
        self.store = Store(self.root)
        self._trials = self.root / "trials"
        self._head = self.root / "sweep.json"

    def prepare(self) -> None:
        """Make its folders. Raises BenchError where nothing can be written into them."""
        self.store.prepare()
        self._trials.mkdir(exist_ok=True)

    def tried(self) -> list[Tried]:
        """Return all trials in order of their numbers. Raises BenchError on an unreadable one."""
        found = [
            documents.read(file, Tried, SCHEMA, noun="trial of a sweep", remedy=_REMEDY)
            for file in self._trials.glob("*.json")
        ]
        return sorted(found, key=lambda one: one.number)

    def begin(self, params: Params) -> Tried:
        """Return the trial of `params`, new or as it stands."""
        key = self.sweep.trial(params).key
        known = {one.key: one for one in self.tried()}
        if key not in known:
            number = 1 + max((one.number for one in known.values()), default=0)
            known[key] = Tried(number, key, dict(params))
            self.keep(known[key])
        return known[key]

    def keep(self, tried: Tried) -> None:
        """Write a trial."""
        documents.write_bytes(self._trials / f"{tried.key}.json", documents.encode(tried))

    def left(self) -> int:
        """Return how many trials of its budget are not ended; 0 once its minutes are spent."""
        table = self.sweep.table
        if table.minutes and self.seconds >= 60 * table.minutes:
            return 0
        return max(0, self.sweep.trials - sum(one.ended for one in self.tried()))

    @property
    def seconds(self) -> float:
        """The wall time that was spent on it up to now."""
        if not self._head.exists():
            return 0.0
        return documents.read(self._head, _Head, SCHEMA, noun="sweep", remedy=_REMEDY).seconds

    def spend(self, seconds: float) -> None:
        """Write that `seconds` of wall time have been spent in all."""
        sweep = self.sweep
        space = {path: asdict(domain) for path, domain in sweep.table.domains.items()}
        head = _Head(sweep.key, sweep.base.spec, space, asdict(sweep.table), seconds)
        documents.write_bytes(self._head, documents.encode(head))


def score(tried: Tried, select: str, epochs: int | None = None) -> float:
    """Return the validation CER that the recipe's `select` stands for, after `epochs` epochs."""
    scores = tried.scores[:epochs]
    return min(scores) if select == "best" else scores[-1]


def best(trials: list[Tried], select: str) -> Tried | None:
    """Return the trial with the lowest validation CER of those trained to their end."""
    done = [one for one in trials if one.state == "done"]
    return min(done, key=lambda one: (score(one, select), one.number), default=None)


def ended(tried: Tried, state: State, *, seconds: float, message: str = "") -> Tried:
    """Return `tried` with its end."""
    return replace(tried, state=state, seconds=seconds, message=message)
