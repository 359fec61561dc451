"""What a board holds, and its file `board.json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import UNSET, UnsetType

from bench.config.suite import Average, Published, Tuning
from bench.core import documents
from bench.core.errors import BenchError
from bench.core.hashing import digest
from bench.core.printable import quoted
from bench.core.recognition import Origin
from bench.leaderboards.speed import Speed

SCHEMA = 4
DATA = "board.json"
TO_DO = "to do"
"""Why an evaluation is missing that nothing is wrong with."""


@dataclass(frozen=True)
class BoardMetric:
    """A metric of a board, as it was when the board was made.

    Attributes:
        name: Its name in the registry of metrics.
        title: The heading of its columns.
        unit: The unit of its values as they are shown.
        higher_is_better: Its direction.
        max_value: The largest value there can be; None without a bound.
        signed: Whether the count of one sample may be below 0 or above its denominator, as that of
            a metric of the whole corpus may.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    max_value: float | None
    signed: bool

    @property
    def heading(self) -> str:
        """The heading of its columns, with the unit."""
        return f"{self.title} {self.unit}".strip()

    def format(self, value: float) -> str:
        """Return `value` as the metric writes it; in percent where its code is not installed."""
        from bench.evaluation.metrics import find_metric

        try:
            return find_metric(self.name).format(value)
        except BenchError:
            return f"{100 * value:.2f}"


@dataclass(frozen=True)
class SliceGroup:
    """A part of a test set: the samples that agree in one of its properties.

    Attributes:
        name: The value, or the range of values, that its samples have.
        samples: How many of the scored samples have it.
    """

    name: str
    samples: int


@dataclass(frozen=True)
class BoardColumn:
    """A test set of a board.

    Attributes:
        name: What the board calls it.
        label: The data set with its parameters off their defaults.
        samples: How many samples are scored; None as long as nothing has read them.
        excluded: How many are not, by reason.
        dropped: How often the protocol dropped each character from a transcript.
        slices: Its parts by each property of its samples, such as `length`.
    """

    name: str
    label: str
    samples: int | None = None
    excluded: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    slices: dict[str, list[SliceGroup]] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """A score of a row over its seeds, as a share (1 is 100 %).

    Attributes:
        mean: The mean over seeds.
        std: The sample standard deviation over seeds; None for one seed.
        low: The lower end of the 95 % interval over samples and seeds.
        high: Its upper end.
    """

    mean: float
    std: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Ranks:
    """The best and the worst rank of a row."""

    best: int
    worst: int

    def __str__(self) -> str:
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"


@dataclass(frozen=True)
class LearningPoint:
    """A validation of a training.

    Attributes:
        epoch: How many epochs came before it.
        loss: The mean training loss since the last one.
        label_error_rate: The label error rate on the validation split, as a share.
    """

    epoch: float
    loss: float
    label_error_rate: float


@dataclass(frozen=True)
class SeedResult:
    """What one seed adds to a row.

    Attributes:
        seed: The seed.
        trainings: The keys of its trainings.
        evaluations: The key of its evaluation on each test set that is done, by column.
        scores: Its score by metric and column; they follow from the samples in its folder.
        training_seconds: Wall time of its trainings; None unless all of them are done.
        revisions: The code that its trainings and evaluations ran.
        curves: The learning curve of each of its trainings, by key.
        blank_ratios: The share of frames whose best class is blank, by column; of losses with a
            blank.
        gpu_seconds: Seconds of its trainings and their validation times the GPUs reserved. This and
            what follows is left out unless all of its trainings are done, on a GPU.
        shared_gpu: Whether other tasks could compute on the same GPU at the same time.
        training_memory: The most bytes that tensors of a training took on the GPU at once.
        run_by: Who ran what was accepted from others, each with the machine; left out where all of
            it was run here.
    """

    seed: int
    trainings: list[str]
    evaluations: dict[str, str]
    scores: dict[str, dict[str, float]]
    training_seconds: float | None
    revisions: list[str]
    curves: dict[str, list[LearningPoint]] = field(default_factory=dict)
    blank_ratios: dict[str, float] = field(default_factory=dict)
    gpu_seconds: float | UnsetType = UNSET
    shared_gpu: bool | UnsetType = UNSET
    training_memory: int | UnsetType = UNSET
    run_by: list[str] | UnsetType = UNSET


@dataclass(frozen=True)
class Missing:
    """An evaluation that a row lacks.

    Attributes:
        seed: Its seed.
        column: Its test set.
        why: `to do`, `stale`, or what went wrong with it or its training.
    """

    seed: int
    column: str
    why: str


@dataclass(frozen=True)
class Row:
    """An entry of the suite.

    Attributes:
        entry: The hash of what bench.toml says of the entry: names and parameters of its parts,
            its input, recipe and training data, but not their versions or sources. Rows of two
            boards with the same hash are the same row.
        label: What the board calls it.
        origin: Where it comes from.
        timed: Whether its latencies are measured: not those of predictions and of paid services.
        model: The model with its parameters off their defaults; of a row that bench does not train,
            the recognizer.
        loss: The loss, likewise; empty where bench does not train.
        decoder: The decoder, likewise.
        input: How pixels become tensors, likewise.
        train: What it is trained on, a description per training; data sets may differ by column.
            What others state of their training data; None where they state nothing.
        may_have_seen: The test sets that may have been part of the training data of others.
        recipe: Every key of its recipe that is not at its default.
        tuning: How a sweep found it.
        seeds: The seeds with an evaluation, in order.
        missing: The evaluations that are not done.
        parameters: The number of weights; several where they differ between trainings.
        hardware: What its trainings ran on.
        speed: What reading costs, by column.
        remarks: How many readings of its test sets there are of each kind that a person should know
            of, such as `missing`.
        price: What 1,000 samples cost in US dollars; None where they have no price.
        rank: Its rank by the board's average, shared with rows of the same average. None, as the
            averages are, unless each of its seeds has an evaluation on every test set.
        rank_interval: The ranks that it may have, all pairs of rows compared together at 5 %.
        leave_one_out: The ranks that it has when one test set is left out; None of a single one.
        scores: Its score by metric and column.
        averages: Its average over the test sets by metric: `weighted` by samples, and `mean`.
        slices: Its score by the ranking metric on each part of a test set, by column and property,
            in the order of `BoardColumn.slices`; None where it has none.
    """

    entry: str
    label: str
    origin: Origin
    timed: bool
    model: str
    loss: str
    decoder: str
    input: str
    train: list[str] | None
    may_have_seen: list[str]
    recipe: dict[str, Any]
    tuning: Tuning | None
    seeds: list[SeedResult]
    missing: list[Missing]
    parameters: list[int]
    hardware: list[str]
    speed: dict[str, Speed]
    remarks: dict[str, int] = field(default_factory=dict)
    price: float | None = None
    rank: int | None = None
    rank_interval: Ranks | None = None
    leave_one_out: Ranks | None = None
    scores: dict[str, dict[str, Score]] = field(default_factory=dict)
    averages: dict[str, dict[Average, Score]] = field(default_factory=dict)
    slices: dict[str, dict[str, list[Score | None]]] = field(default_factory=dict)

    @property
    def evaluations(self) -> dict[tuple[int, str], str]:
        """The key of each evaluation, by seed and column."""
        return {
            (result.seed, column): key
            for result in self.seeds
            for column, key in result.evaluations.items()
        }

    @property
    def training_seconds(self) -> float | None:
        """The mean over seeds of the wall time of their trainings; None without any."""
        seconds = [r.training_seconds for r in self.seeds if r.training_seconds is not None]
        return sum(seconds) / len(seconds) if seconds else None

    @property
    def gpu_hours(self) -> float | None:
        """The mean over seeds of the hours of whole GPUs; None where none was used."""
        seconds = [r.gpu_seconds for r in self.seeds if r.gpu_seconds is not UNSET]
        return sum(seconds) / len(seconds) / 3600 if seconds else None

    @property
    def shared_gpu(self) -> bool:
        """Whether other tasks could compute on the GPU of any of its trainings meanwhile."""
        return any(result.shared_gpu is True for result in self.seeds)

    @property
    def training_memory(self) -> int | None:
        """The most bytes that tensors of any of its trainings took on the GPU at once."""
        peaks = [r.training_memory for r in self.seeds if r.training_memory is not UNSET]
        return max(peaks, default=None)

    @property
    def revisions(self) -> list[str]:
        """The distinct revisions of the code behind the row, in order of seeds."""
        return list(dict.fromkeys(each for result in self.seeds for each in result.revisions))

    def done(self, columns: Sequence[str]) -> list[int]:
        """Return the seeds that have an evaluation in each of `columns`."""
        return [r.seed for r in self.seeds if r.evaluations.keys() >= set(columns)]


@dataclass(frozen=True)
class Board:
    """The leaderboard of a suite: a pure function of records, predictions and profiles.

    Attributes:
        suite: The suite's name.
        version: The version that is published; None of a working board.
        about: One sentence about the suite.
        protocol: Name and version of the scoring rules.
        protocol_about: One sentence about them.
        identity: The specs of protocol and test sets; scores of boards that agree in it compare.
        metrics: The metrics of the protocol, in order of columns.
        ranked_by: The name of the metric that ranks.
        average: The average that ranks.
        columns: The test sets.
        seeds: The seeds that every row which bench trains should have.
        rows: The rows by rank, then those without one.
        speed_hardware: What all latencies are measured on.
        other_hardware: What else was profiled; those latencies are not shown.
        published: Figures of papers, which are not ranked.
    """

    suite: str
    version: int | None
    about: str
    protocol: str
    protocol_about: str
    identity: dict[str, Any]
    metrics: list[BoardMetric]
    ranked_by: str
    average: Average
    columns: list[BoardColumn]
    seeds: list[int]
    rows: list[Row]
    speed_hardware: str | None = None
    other_hardware: list[str] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What a person calls it: `suite/vN`, or the suite of a working board."""
        return f"{self.suite}/v{self.version}" if self.version else f"{self.suite} (working)"

    @property
    def fingerprint(self) -> str:
        """The hash of the identity."""
        return digest(self.identity)

    @property
    def column_names(self) -> list[str]:
        """The names of the test sets."""
        return [column.name for column in self.columns]

    @property
    def primary(self) -> BoardMetric:
        """The metric that ranks."""
        return next(metric for metric in self.metrics if metric.name == self.ranked_by)

    @property
    def hardware(self) -> list[str]:
        """What the trainings of all rows ran on."""
        return sorted({name for row in self.rows for name in row.hardware})

    def seeds_of(self, row: Row) -> list[int]:
        """Return the seeds that `row` should have: a single one where bench does not train."""
        return self.seeds if row.origin == "trained" else [0]

    def is_complete(self, row: Row) -> bool:
        """Return whether `row` has every seed that it should have on every test set."""
        return {*row.done(self.column_names)} >= {*self.seeds_of(row)}


@dataclass(frozen=True)
class BoardDocument:
    """The content of `board.json`.

    Attributes:
        schema: The version of this document.
        board: The board.
    """

    schema: int
    board: Board


def to_json(board: Board) -> bytes:
    """Return the content of `board.json`: every digit and every seed."""
    return documents.encode(BoardDocument(SCHEMA, board))


def read(folder: Path) -> Board:
    """Read the board in `folder`. Raises BenchError where it is missing or of another schema."""
    remedy = "restore it, or move its folder away and write the board again"
    document = documents.read(
        folder / DATA, BoardDocument, SCHEMA, noun="board", remedy=remedy, check=_check
    )
    return document.board


def _check(document: BoardDocument) -> None:
    """Raise ValueError where the parts of a board contradict each other."""
    board = document.board
    names, columns = [metric.name for metric in board.metrics], board.column_names
    if board.ranked_by not in names or len({*names}) < len(names):
        raise ValueError("its metrics are not one of each, among them the one that ranks")
    if not columns or len({*columns}) < len(columns):
        raise ValueError("its test sets are not one or more, each once")
    for row in board.rows:
        seeds = [result.seed for result in row.seeds]
        if len({*seeds}) < len(seeds):
            raise ValueError(f"row {quoted(row.label)} has a seed twice")
        if not {column for _, column in row.evaluations} <= {*columns}:
            raise ValueError(f"row {quoted(row.label)} has another test set than the board")
        if not {*row.scores, *row.averages} <= {*names}:
            raise ValueError(f"row {quoted(row.label)} has a score by another metric")
        _check_slices(board, row)


def _check_slices(board: Board, row: Row) -> None:
    """Raise ValueError unless a row has as many scores by a property as a test set has parts."""
    parts = {column.name: column.slices for column in board.columns}
    for column, slices in row.slices.items():
        for name, scores in slices.items():
            if len(scores) != len(parts.get(column, {}).get(name, ())):
                raise ValueError(
                    f"row {quoted(row.label)} has not one score per part of {quoted(column)} by "
                    f"{quoted(name)}"
                )
