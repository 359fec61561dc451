"""Records of one suite to the rows of its board."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.config.suite import Tuning
from bench.core.hashing import digest
from bench.leaderboards import board_identity as identity
from bench.leaderboards.intervals import Certainty, certainties
from bench.leaderboards.speed import Speed, speeds

if TYPE_CHECKING:
    from bench.config.suite import Suite
    from bench.leaderboards.board_samples import Samples
    from bench.trials.plan import Entry
    from bench.trials.store import Profile, Record


Labels = tuple[str, str, str]


@dataclass(frozen=True)
class Spread:
    """A score over seeds: its mean, and its sample standard deviation (None for one seed)."""

    mean: float
    std: float | None


@dataclass(frozen=True)
class Seed:
    """What one finished trial adds to a row: its scores on the test split, and its origin."""

    seed: int
    key: str
    sequence_accuracy: float
    cer: float
    samples: int
    excluded: dict[str, int]
    training_seconds: float
    commit: str


class Names(NamedTuple):
    """What makes two rows the same one; `recipe` is what of its training is not the suite's."""

    dataset: str
    model: str
    loss: str
    recipe: str = ""

    @property
    def shown(self) -> str:
        """The row's name in a sentence."""
        recipe = f", {self.recipe}" if self.recipe else ""
        return f"{self.model} × {self.loss}{recipe} on {self.dataset}"


@dataclass(frozen=True)
class Row:
    """One dataset × model × loss; without `rank` and scores while no seed of it is done.

    Its recipe is the suite's but for what is in `training`, which a sweep found as `tuning` says.
    """

    rank: int | None
    dataset: str
    model: str
    loss: str
    sequence_accuracy: Spread | None
    cer: Spread | None
    parameters: int | None
    training_seconds: float | None
    seeds: list[Seed]
    missing: dict[str, str]
    """Seed to why it is missing: `to do`, `stale`, or the failure."""
    certainty: Certainty | None = None
    speed: Speed | None = None
    training: dict[str, Any] = field(default_factory=dict)
    """What of the recipe is not the suite's."""
    tuning: Tuning | None = None

    @property
    def names(self) -> Names:
        """What this row is called."""
        recipe = ", ".join(f"{name} = {value}" for name, value in self.training.items())
        return Names(self.dataset, self.model, self.loss, recipe)

    @property
    def commits(self) -> list[str]:
        """The distinct commits behind the row, in order of seeds."""
        return list(dict.fromkeys(seed.commit for seed in self.seeds))


@dataclass(frozen=True)
class Board:
    """A leaderboard; `hardware` lists what the trials ran on, `identity` what it is a board of.

    Every latency is of `speed_hardware`; profiles on `other_hardware` are not shown.
    """

    suite: str
    version: int
    about: str
    protocol: str
    protocol_about: str
    identity: dict[str, Any]
    seeds: list[int]
    hardware: list[str]
    rows: list[Row]
    speed_hardware: str | None = None
    other_hardware: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """The hash of the identity; boards with the same one are comparable."""
        return digest(self.identity)

    @property
    def rules(self) -> dict[str, Any]:
        """The spec of the protocol; what is at its default is not in it."""
        return self.identity.get("protocol", {})  # type: ignore[no-any-return]


def board(
    suite: Suite,
    entries: Sequence[Entry],
    profiles: Sequence[Profile] = (),
    version: int = 1,
    samples: Mapping[str, Samples] | None = None,
) -> Board:
    """Aggregate the entries of all trials of `suite`, ranked within each dataset.

    `samples` are those of all its datasets; without them no row has a certainty.
    """
    groups: dict[tuple[Labels, str], list[Entry]] = {}
    for entry in entries:
        recipe = digest(entry.trial.training.spec())
        groups.setdefault((_labels(entry), recipe), []).append(entry)
    measured = speeds(
        {_labels(group[0]): group[0].trial.spec for group in groups.values()}, profiles
    )
    rows = [_row(suite, group, measured.rows.get(labels)) for (labels, _), group in groups.items()]
    records = [entry.record for entry in entries if entry.record]
    return Board(
        suite=suite.name,
        version=version,
        about=suite.about,
        protocol=f"{suite.protocol.name} v{suite.protocol.version}",
        protocol_about=suite.protocol.about,
        identity=identity.of(suite),
        seeds=list(suite.seeds),
        hardware=sorted({_hardware(record) for record in records}),
        rows=_ranked(rows, samples or {}, by_error=suite.protocol.ranked_by == "error rate"),
        speed_hardware=measured.hardware,
        other_hardware=measured.others,
    )


def recomputed(board: Board, samples: Mapping[str, Samples] | None = None) -> Board:
    """Compute all scores, ranks and their order anew from the seeds and the samples of a board."""
    rows = [_scored(row, samples) for row in board.rows]
    by_error = board.rules.get("ranked_by") == "error rate"
    return replace(board, rows=_ranked(rows, samples or {}, by_error=by_error))


def _labels(entry: Entry) -> Labels:
    return tuple(entry.trial.labels.values())  # type: ignore[return-value]


def _row(suite: Suite, entries: Sequence[Entry], speed: Speed | None) -> Row:
    ordered = sorted(entries, key=lambda entry: entry.trial.seed)
    records = [entry.record for entry in ordered if entry.record]
    trial = ordered[0].trial
    dataset, model, loss = _labels(ordered[0])
    usual = suite.training.values()
    return _scored(
        Row(
            rank=None,
            dataset=dataset,
            model=model,
            loss=loss,
            sequence_accuracy=None,
            cer=None,
            parameters=records[0].parameters.total if records else None,
            training_seconds=None,
            seeds=[_seed(record) for record in records],
            missing={
                str(entry.trial.seed): entry.why() if entry.failure else entry.state
                for entry in ordered
                if not entry.record
            },
            speed=speed,
            training={k: v for k, v in trial.training.values().items() if v != usual[k]},
            tuning=trial.tuning,
        )
    )


def _scored(row: Row, samples: Mapping[str, Samples] | None = None) -> Row:
    """Compute all of a row that its seeds decide, but for the rank, and these by the samples."""
    if samples and row.dataset in samples:
        row = replace(row, seeds=[_counted(seed, samples[row.dataset]) for seed in row.seeds])
    seconds = [seed.training_seconds for seed in row.seeds]
    return replace(
        row,
        rank=None,
        sequence_accuracy=_spread([seed.sequence_accuracy for seed in row.seeds]),
        cer=_spread([seed.cer for seed in row.seeds]),
        training_seconds=statistics.fmean(seconds) if seconds else None,
    )


def _counted(seed: Seed, samples: Samples) -> Seed:
    """Return `seed` with the scores that its column of samples gives."""
    edits = samples.edits.get(seed.key)
    if edits is None:
        return seed
    return replace(
        seed,
        samples=len(edits),
        sequence_accuracy=edits.count(0) / len(edits),
        cer=sum(edits) / sum(samples.lengths),
    )


def _seed(record: Record) -> Seed:
    rates, origin = record.metrics["test"], record.provenance
    return Seed(
        seed=record.seed,
        key=record.key,
        sequence_accuracy=rates.sequence_accuracy,
        cer=rates.cer,
        samples=rates.samples,
        excluded=rates.excluded,
        training_seconds=record.timings.training,
        commit=(origin.commit[:9] if origin.commit else f"v{origin.bench}")
        + ("+" if origin.dirty else ""),
    )


def _spread(values: Sequence[float]) -> Spread | None:
    if not values:
        return None
    return Spread(
        mean=statistics.fmean(values),
        std=statistics.stdev(values) if len(values) > 1 else None,
    )


def _hardware(record: Record) -> str:
    origin = record.provenance
    device = origin.gpu or origin.cpu
    return f"{device}, {origin.threads} thread{'s' if origin.threads > 1 else ''} a trial"


def _ranked(rows: Sequence[Row], samples: Mapping[str, Samples], *, by_error: bool) -> list[Row]:
    """Order rows by dataset, accuracy, error rate (or that first) and names; number the scored.

    Rows of the same accuracy and error rate share a rank.
    """
    found: list[Row] = []
    ordered = sorted(rows, key=lambda row: (row.dataset, *_score(row, by_error), row.names))
    for dataset, several in itertools.groupby(ordered, key=lambda row: row.dataset):
        best: Row | None = None
        group = _certain([*several], samples.get(dataset), by_error=by_error)
        for place, row in enumerate(group, 1):
            rank: int | None = place
            if row.sequence_accuracy is None:
                rank = None
            elif best and _score(best, by_error) == _score(row, by_error):
                rank = best.rank
            best = replace(row, rank=rank)
            found.append(best)
    return found


def _certain(rows: list[Row], samples: Samples | None, *, by_error: bool) -> list[Row]:
    """Return the rows of one dataset with their certainties, where its samples are known."""
    scored = [row for row in rows if row.seeds]
    keys = [[seed.key for seed in row.seeds] for row in scored]
    if samples is None or not all(key in samples.edits for row in keys for key in row):
        return [replace(row, certainty=None) for row in rows]
    known = certainties(keys, samples, by_error=by_error)
    found = dict(zip((row.names for row in scored), known, strict=True))
    return [replace(row, certainty=found.get(row.names)) for row in rows]


def _score(row: Row, by_error: bool) -> tuple[float, float]:  # noqa: FBT001 (private)
    if row.sequence_accuracy is None or row.cer is None:
        return math.inf, math.inf
    score = -row.sequence_accuracy.mean, row.cer.mean
    return score[::-1] if by_error else score
