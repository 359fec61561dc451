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
    """A suite as bench.toml spells it, before its names are looked up.

    Attributes:
        about: One sentence for people.
        extends: A suite whose keys this one inherits and whose rows it keeps; what this one lists
            is added to them.
        protocol: The name of the scoring rules.
        datasets: Data sets that are each trained on and tested on, with their own splits.
        train: Data sets whose union every entry is trained on; excludes `datasets`.
        tests: Data sets whose test splits are the columns of the board; excludes `datasets`.
        models: Each a name or a table of `name`, parameters, and optionally `input` (overrides of
            the model's default input), `recipe` (a name, or overrides), `train`, and
            `label` (what boards call it).
        losses: Each a name or a table of `name`, parameters, and optionally `recipe` and `label`.
        decoders: Each a name or a table of `name`, parameters, and optionally `label`.
        recognizers: What is not trained by bench: each a name, or a table of `name`, parameters,
            and optionally `label` and `trained_on` (what is known of its training data). A table
            without `name` is named by its key: `{ predictions = "file.csv" }`.
        recipe: The name of a `[recipe.NAME]`, or a table that may build on one by `extends`.
        alphabet: The protocol whose characters the networks learn; else the data set's own.
        average: What boards rank by where there are several test sets.
        seeds: One training per seed and entry.
        resources: What each training and evaluation reserves.
        skip_incompatible: Leave out combinations that do not fit, instead of an error.
        published: Figures of papers, which boards show beside their rows and never rank.
        tuned: Entries that a sweep wrote, beside the grid.
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
    """How much tuning an entry had.

    Attributes:
        sweep: The key of the sweep.
        sampler: Its sampler.
        trials: The trainings it ran.
        validations: The validations of all of them together; some were stopped early.
    """

    sweep: str
    sampler: str
    trials: PositiveInt
    validations: PositiveInt


@dataclass(frozen=True)
class Published:
    """Figures that a paper or a repository states, by the metric that ranks.

    Attributes:
        label: What boards call it.
        source: Where the figures are stated.
        scores: A figure by test set, in the unit of the metric, as it is printed there.
        note: What makes it differ from the rows of the board, such as other training data.
    """

    label: str
    source: str
    scores: dict[str, float]
    note: str = ""


@dataclass(frozen=True)
class TunedTable:
    """An entry that a sweep found, as bench.toml spells it; `recipe` overrides the suite's."""

    model: Named
    loss: Named
    tuning: Tuning
    decoder: Named = "greedy"
    recipe: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A test set of a suite, and what is trained on for it.

    Attributes:
        name: What boards call it.
        test: The data set whose test split is read.
        train: The data sets whose union is trained on.
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
        input: How pixels become tensors: the model's default with the entry's overrides.
        recipe: How it is trained.
        train: What it is trained on, where that is not the suite's.
        label: What boards call its model; not part of any key, as those of its parts.
        loss_label: What they call its loss.
        decoder_label: What they call its decoder.
        tuning: How a sweep found it; not part of any key.
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
        """Where the row comes from."""
        return "trained"

    @property
    def timed(self) -> bool:
        """Whether its latencies are measured."""
        return True


@dataclass(frozen=True)
class RecognizerEntry:
    """A row of a board that bench does not train.

    Attributes:
        recognizer: What reads.
        label: What boards call it; empty for the label of the recognizer.
        trained_on: What is known of its training data; None where nothing is stated.
    """

    recognizer: Recognizer
    label: str = ""
    trained_on: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """What boards call it where no other recognizer has the same name."""
        return self.label or self.recognizer.label

    @property
    def origin(self) -> Origin:
        """Where the row comes from."""
        return self.recognizer.origin

    @property
    def timed(self) -> bool:
        """Whether its latencies are measured."""
        return self.recognizer.timed


Entry = TrainedEntry | RecognizerEntry
"""A row of a board: what is compared with the others."""


@dataclass(frozen=True)
class Suite:
    """A named comparison with every name looked up."""

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
    """What a person should know before running it, one sentence each."""
    recognizers: tuple[RecognizerEntry, ...] = ()
    published: tuple[Published, ...] = ()

    @property
    def rows(self) -> tuple[Entry, ...]:
        """All that is compared: what bench trains, then what it does not."""
        return (*self.entries, *self.recognizers)
