"""A suite: test sets, a protocol, and the entries that are compared, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from bench.core.schema import NonNegativeInt, PositiveInt

if TYPE_CHECKING:
    from bench.config.recipe import Recipe, Resources
    from bench.config.sweep_space import SweepTable
    from bench.core.components import Dataset, Decoder, Loss, Model, Recognizer
    from bench.core.model_input import Input
    from bench.core.recognition import Origin
    from bench.evaluation.protocols import Protocol

Named = str | dict[str, Any]
"""A component in bench.toml: its name, or a table of its name and parameters."""
Average = Literal["weighted", "mean"]
"""How the scores of several test sets are averaged: weighted by samples, or each set equally."""


@dataclass(frozen=True)
class SuiteTable:
    """The keys of `[suite.NAME]`.

    Attributes:
        about: A description in one sentence.
        extends: The name of a suite. Its keys are inherited, and its rows are kept; `datasets`,
            `train`, `tests` and the grid of this suite are added.
        protocol: The name of the scoring rules; `bench ls protocols` lists them.
        datasets: Data sets that are each trained and tested on, with their own splits. Set this, or
            `train` and `tests`.
        train: Data sets on whose union each entry is trained.
        tests: Data sets whose test splits are the columns of the board.
        models: Each a name or a table of `name`, parameters, and optionally `input` (overrides of
            the model's default input), `recipe` (a name, or overrides), `train`, and
            `label` (what boards call it).
        losses: Each a name or a table of `name`, parameters, and optionally `recipe` and `label`.
        decoders: Each a name or a table of `name`, parameters, and optionally `label`.
        recognizers: Readers that bench does not train: each a name, or a table of `name`,
            parameters, and optionally `label` and `trained_on` (its training data as far as they
            are known). Instead of `name`, a table may have the main parameter of a recognizer:
            `{ predictions = "file.csv" }`.
        recipe: How entries are trained: the name of a `[recipe.NAME]`, or a table of keys, which
            may extend one by `extends`.
        alphabet: The protocol whose characters the networks learn; empty for the alphabet of the
            data set.
        average: How the scores of several test sets are averaged for ranking: `weighted` by
            samples, or the `mean` of all sets.
        seeds: Seeds; each entry is trained once per seed.
        resources: What each training and evaluation reserves.
        skip_incompatible: Whether to leave out incompatible combinations instead of reporting an
            error.
        published: Scores of papers, which boards show below their rows and do not rank.
        tuned: Entries that `bench sweep --promote` has added to the grid.
        sweep: What `bench sweep` searches.
    """

    about: str = ""
    extends: str = ""
    protocol: str = ""
    datasets: list[Named] = field(default_factory=list)
    train: list[Named] = field(default_factory=list)
    tests: list[Named] = field(default_factory=list)
    models: list[Named] = field(default_factory=list)
    losses: list[Named] = field(default_factory=list)
    decoders: list[Named] = field(default_factory=lambda: ["greedy"])
    recognizers: list[Named] = field(default_factory=list)
    recipe: Named = ""
    alphabet: str = ""
    average: Average = "weighted"
    seeds: list[NonNegativeInt] = field(default_factory=lambda: [0])
    resources: dict[str, Any] = field(default_factory=dict)
    skip_incompatible: bool = False
    published: list[dict[str, Any]] = field(default_factory=list)
    tuned: list[dict[str, Any]] = field(default_factory=list)
    sweep: dict[str, Any] | None = None


@dataclass(frozen=True)
class Tuning:
    """How much an entry was tuned.

    Attributes:
        sweep: The key of the sweep.
        sampler: The sampler of the sweep.
        trials: The number of trainings of the sweep.
        validations: The number of validations of all its trainings; some were stopped early.
    """

    sweep: str
    sampler: str
    trials: PositiveInt
    validations: PositiveInt


@dataclass(frozen=True)
class Published:
    """Scores that a paper or a repository states, in the metric that ranks.

    Attributes:
        label: The name on boards.
        source: Where the scores are stated.
        scores: The score of each test set, in the unit of the metric, as the source prints it.
        note: What differs from the rows of the board, such as training data.
    """

    label: str
    source: str
    scores: dict[str, float]
    note: str = ""


@dataclass(frozen=True)
class TunedTable:
    """The keys of `[[suite.NAME.tuned]]`: an entry that a sweep has found.

    Attributes:
        model: The model, as in `models`.
        loss: The loss, as in `losses`.
        tuning: How much the entry was tuned.
        decoder: The decoder, as in `decoders`.
        recipe: Changes to the recipe of the suite.
    """

    model: Named
    loss: Named
    tuning: Tuning
    decoder: Named = "greedy"
    recipe: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A test set of a suite and its training data.

    Attributes:
        name: The name on boards.
        test: The data set whose test split is read.
        train: The data sets on whose union entries are trained.
    """

    name: str
    test: Dataset
    train: tuple[Dataset, ...]


@dataclass(frozen=True)
class TrainedEntry:
    """A row of a board that bench trains.

    Attributes:
        model: The architecture.
        loss: The training objective, with its classifier.
        decoder: What turns the classifier's output into labels.
        input: How pixels become tensors: the default of the model with the changes of the entry.
        recipe: How it is trained.
        train: Its training data; empty for those of the suite.
        label: The name of its model on boards. Labels are not part of keys.
        loss_label: The name of its loss on boards.
        decoder_label: The name of its decoder on boards.
        tuning: The sweep that found it; not part of keys.
    """

    model: Model
    loss: Loss
    decoder: Decoder
    input: Input
    recipe: Recipe
    train: tuple[Dataset, ...] = ()
    label: str = ""
    loss_label: str = ""
    decoder_label: str = ""
    tuning: Tuning | None = None

    @property
    def origin(self) -> Origin:
        """Who trained and who ran the row, see `bench.core.recognition.Origin`."""
        return "trained"

    @property
    def timed(self) -> bool:
        """Whether its latencies are measured."""
        return True


@dataclass(frozen=True)
class RecognizerEntry:
    """A row of a board that bench does not train.

    Attributes:
        recognizer: The recognizer from outside.
        label: The name on boards; empty for the label of the recognizer.
        trained_on: The names of its training data; None if they are not stated.
    """

    recognizer: Recognizer
    label: str = ""
    trained_on: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The name on boards, unless another recognizer has the same."""
        return self.label or self.recognizer.label

    @property
    def origin(self) -> Origin:
        """Who trained and who ran the row, see `bench.core.recognition.Origin`."""
        return self.recognizer.origin

    @property
    def timed(self) -> bool:
        """Whether its latencies are measured."""
        return self.recognizer.timed


Entry = TrainedEntry | RecognizerEntry
"""A row of a board."""


@dataclass(frozen=True)
class Suite:
    """A suite with its components, as built from a `SuiteTable`, whose attributes it has.

    Attributes:
        columns: The test sets.
        entries: The rows that bench trains.
        recipe: The recipe of ad-hoc trials; None if only models and losses have one.
        warnings: What a user should know before running it, one sentence each.
        recognizers: The rows that bench does not train.
    """

    name: str
    about: str
    protocol: Protocol
    columns: tuple[Column, ...]
    entries: tuple[TrainedEntry, ...]
    seeds: tuple[int, ...]
    recipe: Recipe | None
    resources: Resources
    average: Average = "weighted"
    alphabet: Protocol | None = None
    sweep: SweepTable | None = None
    warnings: tuple[str, ...] = ()
    recognizers: tuple[RecognizerEntry, ...] = ()
    published: tuple[Published, ...] = ()

    @property
    def rows(self) -> tuple[Entry, ...]:
        """All rows: those that bench trains, then those that it does not."""
        return (*self.entries, *self.recognizers)
