"""The data model of a board, and its file `board.json`."""

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

BOARD_SCHEMA = 4
BOARD_FILE = "board.json"
TO_DO = "to do"
"""The reason of a missing evaluation that has not run yet and has not failed."""


@dataclass(frozen=True)
class BoardMetric:
    """A metric of a board, as it was when the board was made.

    Attributes:
        name: Name in the registry of metrics.
        title: Heading of its columns.
        unit: Unit of the displayed values, such as `%`.
        higher_is_better: Whether a higher value is better.
        max_value: The largest possible value; None if there is no bound.
        signed: Whether the count of one sample may be below 0 or above its denominator, as is
            possible with a metric of the whole corpus.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool
    max_value: float | None
    signed: bool

    @property
    def heading(self) -> str:
        """The heading of the metric's columns, with the unit."""
        return f"{self.title} {self.unit}".strip()

    def format(self, value: float) -> str:
        """Return `value` as the metric formats it; in percent if the metric is not installed."""
        from bench.evaluation.metrics import find_metric

        try:
            return find_metric(self.name).format(value)
        except BenchError:
            return f"{100 * value:.2f}"


@dataclass(frozen=True)
class SliceGroup:
    """The samples of a test set with the same value of a property, such as a range of lengths.

    Attributes:
        name: The value, or the range of values, of the property.
        samples: Number of scored samples in the group.
    """

    name: str
    samples: int


@dataclass(frozen=True)
class BoardColumn:
    """A test set of a board.

    Attributes:
        name: Name of the test set on the board.
        label: The data set with its parameters that differ from the defaults.
        samples: Number of scored samples; None before the first evaluation.
        excluded: Number of samples that are not scored, by reason.
        dropped: How often the protocol dropped each character from a transcript.
        slices: Groups of its samples, by property such as `length`.
    """

    name: str
    label: str
    samples: int | None = None
    excluded: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    slices: dict[str, list[SliceGroup]] = field(default_factory=dict)


@dataclass(frozen=True)
class Score:
    """A score of a row over its seeds, as a fraction (1 is 100 %).

    Attributes:
        mean: Mean over seeds.
        std: Sample standard deviation over seeds; None for one seed.
        low: Lower end of the 95 % interval over samples and seeds.
        high: Upper end of the interval.
    """

    mean: float
    std: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Ranks:
    """A rank interval: the best and the worst rank of a row."""

    best: int
    worst: int

    def __str__(self) -> str:
        return f"{self.best}" if self.best == self.worst else f"{self.best}–{self.worst}"


@dataclass(frozen=True)
class LearningPoint:
    """A validation during a training.

    Attributes:
        epoch: Number of epochs before the validation.
        loss: Mean training loss since the previous validation.
        label_error_rate: Label error rate on the validation split, as a fraction.
    """

    epoch: float
    loss: float
    label_error_rate: float


@dataclass(frozen=True)
class SeedResult:
    """The results of one seed of a row.

    Attributes:
        seed: The seed.
        trainings: Keys of the finished trainings.
        evaluations: Key of each finished evaluation, by column.
        scores: Score by metric and column, computed from the counts in the files of samples.
        training_seconds: Wall time of the trainings in seconds; None unless all are done.
        revisions: Revisions of the code that trainings and evaluations ran.
        curves: Learning curve of each training, by its key.
        blank_ratios: Fraction of frames whose best class is blank, by column; only of losses with
            a blank.
        gpu_seconds: Seconds of trainings and validations times the number of reserved GPUs. This
            and the next two are left out unless all trainings are done and ran on a GPU.
        shared_gpu: Whether other tasks could use the same GPU at the same time.
        training_memory: Peak memory of a training's tensors on the GPU, in bytes.
        run_by: Person and machine of results accepted from others; left out if all ran here.
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
    """A missing evaluation of a row.

    Attributes:
        seed: Its seed.
        column: Its test set.
        why: `to do`, `stale`, or the fault of the evaluation or of its training.
    """

    seed: int
    column: str
    why: str


@dataclass(frozen=True)
class Row:
    """A row of a board: the results of one entry of the suite.

    Attributes:
        entry: Hash of the entry in bench.toml: names and parameters of its components, input,
            recipe and training data, without versions and source files. Rows of two boards with
            the same hash are the same row.
        label: Name of the row on the board.
        origin: Whether bench trained it (`trained`), or it comes from others.
        timed: Whether latencies are measured, which is not possible for files of predictions and
            paid services.
        model: The model with its parameters that differ from the defaults; the recognizer, if
            bench does not train the entry.
        loss: The loss, in the same form; empty if bench does not train the entry.
        decoder: The decoder, in the same form.
        input: The conversion of pixels to tensors, in the same form.
        train: The training data, one description per training; they may differ by column. For
            entries of others, the data that their authors state; None if they state none.
        may_have_seen: Test sets that may have been part of the training data of others.
        recipe: The keys of the recipe that differ from the defaults.
        tuning: The sweep that chose the recipe; None if there was none.
        seeds: Results of the seeds that have an evaluation, in ascending order.
        missing: The evaluations that are not done.
        parameters: Number of weights; several values if trainings differ.
        hardware: The hardware of the trainings.
        speed: Cost of reading, by column.
        remarks: Number of unusual readings of the test sets, by kind, such as `missing`.
        price: Price of 1,000 samples in US dollars; None without a price.
        rank: Rank by the board's average, shared by rows with the same average. None, as the
            averages are, unless each seed has an evaluation on every test set.
        rank_interval: Rank interval; all pairs of rows are compared together at 5 %.
        leave_one_out: Best and worst rank when one test set is left out; None on a board with a
            single test set.
        scores: Score by metric and column.
        averages: Average over the test sets by metric: `weighted` by samples, and `mean`.
        slices: Score by the ranking metric of each group of samples, by column and property, in
            the order of `BoardColumn.slices`; None if there is none.
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
        """The wall time of a seed's trainings in seconds, averaged over seeds; None without any."""
        seconds = [r.training_seconds for r in self.seeds if r.training_seconds is not None]
        return sum(seconds) / len(seconds) if seconds else None

    @property
    def gpu_hours(self) -> float | None:
        """The GPU hours of a seed's trainings, averaged over seeds; None if no GPU was used."""
        seconds = [r.gpu_seconds for r in self.seeds if r.gpu_seconds is not UNSET]
        return sum(seconds) / len(seconds) / 3600 if seconds else None

    @property
    def shared_gpu(self) -> bool:
        """Whether other tasks could use the GPU of any training at the same time."""
        return any(result.shared_gpu is True for result in self.seeds)

    @property
    def training_memory(self) -> int | None:
        """The peak memory of tensors on the GPU over all trainings, in bytes."""
        peaks = [r.training_memory for r in self.seeds if r.training_memory is not UNSET]
        return max(peaks, default=None)

    @property
    def revisions(self) -> list[str]:
        """The distinct revisions of the code that the row's tasks ran, in order of seeds."""
        return list(dict.fromkeys(each for result in self.seeds for each in result.revisions))

    def complete_seeds(self, columns: Sequence[str]) -> list[int]:
        """Return the seeds that have an evaluation in each of `columns`."""
        return [r.seed for r in self.seeds if r.evaluations.keys() >= set(columns)]


@dataclass(frozen=True)
class Board:
    """The leaderboard of a suite: a pure function of records, predictions and profiles.

    Attributes:
        suite: Name of the suite.
        version: Version of a published board; None of a working board.
        about: One sentence about the suite.
        protocol: Name and version of the protocol (the scoring rules).
        protocol_about: One sentence about the protocol.
        identity: Specs of protocol and test sets. Scores of two boards can be compared only if
            their identities are equal.
        metrics: Metrics of the protocol, in order of columns.
        ranked_by: Name of the metric that ranks.
        average: The average that ranks.
        columns: The test sets.
        seeds: The seeds that every row trained by bench should have.
        rows: The rows by rank, then those without a rank.
        speed_hardware: The hardware of all displayed latencies.
        other_hardware: Other profiled hardware, whose latencies are not displayed.
        published: Scores stated in papers, which are not ranked.
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
        """The displayed name: `suite/vN`, or `suite (working)`."""
        return f"{self.suite}/v{self.version}" if self.version else f"{self.suite} (working)"

    @property
    def fingerprint(self) -> str:
        """The hash of protocol and test sets (`identity`)."""
        return digest(self.identity)

    @property
    def column_names(self) -> list[str]:
        """The names of the test sets."""
        return [column.name for column in self.columns]

    @property
    def ranking_metric(self) -> BoardMetric:
        """The metric that ranks the rows."""
        return next(metric for metric in self.metrics if metric.name == self.ranked_by)

    @property
    def hardware(self) -> list[str]:
        """The hardware of all trainings, sorted."""
        return sorted({name for row in self.rows for name in row.hardware})

    def expected_seeds(self, row: Row) -> list[int]:
        """Return the seeds that `row` should have: only seed 0 if bench does not train it."""
        return self.seeds if row.origin == "trained" else [0]

    def is_complete(self, row: Row) -> bool:
        """Return whether `row` has an evaluation of every expected seed on every test set."""
        return {*row.complete_seeds(self.column_names)} >= {*self.expected_seeds(row)}


@dataclass(frozen=True)
class BoardDocument:
    """The content of `board.json`.

    Attributes:
        schema: The version of the file format.
        board: The board.
    """

    schema: int
    board: Board


def board_json(board: Board) -> bytes:
    """Return the content of `board.json`, with scores of every seed in full precision."""
    return documents.encode(BoardDocument(BOARD_SCHEMA, board))


def read_board(folder: Path) -> Board:
    """Read the board in `folder`. Raises BenchError if it is missing, damaged or contradictory."""
    remedy = "restore it, or move its folder away and write the board again"
    document = documents.read(
        folder / BOARD_FILE,
        BoardDocument,
        BOARD_SCHEMA,
        noun="board",
        remedy=remedy,
        check=_check_board,
    )
    return document.board


def _check_board(document: BoardDocument) -> None:
    """Raise ValueError if the parts of a board contradict each other."""
    board = document.board
    names, columns = [metric.name for metric in board.metrics], board.column_names
    if board.ranked_by not in names or len({*names}) < len(names):
        raise ValueError("a metric is listed twice, or the one that ranks is not listed")
    if not columns or len({*columns}) < len(columns):
        raise ValueError("it has no test set, or one twice")
    for row in board.rows:
        seeds = [result.seed for result in row.seeds]
        if len({*seeds}) < len(seeds):
            raise ValueError(f"row {quoted(row.label)} has a seed twice")
        if not {column for _, column in row.evaluations} <= {*columns}:
            raise ValueError(f"row {quoted(row.label)} has a test set that the board does not have")
        if not {*row.scores, *row.averages} <= {*names}:
            raise ValueError(f"row {quoted(row.label)} has a metric that the board does not have")
        _check_slices(board, row)


def _check_slices(board: Board, row: Row) -> None:
    """Raise ValueError unless a row has one score per group of samples."""
    parts = {column.name: column.slices for column in board.columns}
    for column, slices in row.slices.items():
        for name, scores in slices.items():
            if len(scores) != len(parts.get(column, {}).get(name, ())):
                raise ValueError(
                    f"row {quoted(row.label)} does not have one score per group of "
                    f"{quoted(column)} by {quoted(name)}"
                )
