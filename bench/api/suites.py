"""Suites: what is compared with what, and what of it is still to be run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bench.api.html import html, output
from bench.api.workspace import PathLike, Workspace, open_workspace, warn
from bench.core.text_table import Table

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from bench.config.suite import Suite as SuiteData
    from bench.trials.plan import Plan as PlanData
    from bench.trials.plan import State


@dataclass(frozen=True, eq=False, repr=False)
class Suite:
    """A named comparison of bench.toml. A notebook shows its entries.

    Attributes:
        data: The suite with every name looked up.
        workspace: The bench.toml that it is of, with the folders of results and data.
    """

    data: SuiteData
    workspace: Workspace

    @property
    def name(self) -> str:
        """Its name in bench.toml."""
        return self.data.name

    @property
    def about(self) -> str:
        """One sentence about it."""
        return self.data.about

    @property
    def protocol(self) -> str:
        """The name of its scoring rules."""
        return self.data.protocol.name

    @property
    def tests(self) -> list[str]:
        """The names of its test sets."""
        return [column.name for column in self.data.columns]

    @property
    def entries(self) -> list[str]:
        """What is compared: the label of each row of its board."""
        from bench.trials.grid import row_labels

        return row_labels(self.data.rows)

    @property
    def seeds(self) -> list[int]:
        """The seeds of each entry that is trained."""
        return [*self.data.seeds]

    def plan(self) -> Plan:
        """Return all trainings and evaluations, and which of them are done.

        Raises:
            BenchError: Its data are not prepared.
        """
        from bench.trials import grid, plan

        self.workspace.enter()
        trials = grid.trials(self.data)
        return Plan(self.name, plan.make_plan(trials, self.workspace.store))

    def to_arrow(self) -> pa.Table:
        """Return a row per entry: label, origin, model, loss, decoder, input and recipe.

        Of an entry that is not trained, `model` is the recognizer.
        """
        import pyarrow as pa

        from bench.config.suite import RecognizerEntry

        rows: list[dict[str, Any]] = []
        for entry, label in zip(self.data.rows, self.entries, strict=True):
            row: dict[str, Any] = {"entry": label, "origin": entry.origin}
            if isinstance(entry, RecognizerEntry):
                rows.append(row | {"model": entry.recognizer.label})
                continue
            recipe = ", ".join(f"{key} = {value}" for key, value in entry.recipe.changed().items())
            parts = {"model": entry.model, "loss": entry.loss, "decoder": entry.decoder}
            labels = {name: part.label for name, part in parts.items()}
            rows.append(row | labels | {"input": entry.input.label, "recipe": recipe})
        names = ("entry", "origin", "model", "loss", "decoder", "input", "recipe")
        return pa.Table.from_pylist(rows, pa.schema([(name, pa.string()) for name in names]))

    def to_pandas(self) -> pd.DataFrame:
        """Return what `to_arrow` does, as a pandas DataFrame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        return (
            f"<bench.Suite {self.name}: {len(self.data.rows)} entries on {', '.join(self.tests)}>"
        )

    def _repr_html_(self) -> str:
        seeds = ", ".join(map(str, self.seeds))
        heading = (
            f"{self.name} · protocol {self.protocol} · tested on {', '.join(self.tests)} · seeds "
            f"{seeds}"
        )
        return output(html([heading, self.about, _table(self.to_arrow())]))


@dataclass(frozen=True, eq=False, repr=False)
class Plan:
    """The trainings and evaluations of a suite, and which are done. A notebook shows a table.

    Attributes:
        suite: The name of the suite.
        data: The status of each task, by its key.
    """

    suite: str
    data: PlanData

    @property
    def counts(self) -> dict[State, int]:
        """How many tasks are in each state, such as `done`, `failed` and `to do`."""
        return dict(Counter(status.state for status in self.data.statuses.values()))

    @property
    def missing(self) -> int:
        """How many tasks `run` would run."""
        return len(self.data.missing())

    def to_arrow(self) -> pa.Table:
        """Return a row per task: kind, name, seed, key, state, and why it is in that state."""
        import pyarrow as pa

        from bench.trials import grid

        names = grid.task_names(self.data.trials)
        rows = [
            {
                "kind": status.task.kind,
                "name": names[key],
                "seed": status.task.seed,
                "key": key,
                "state": status.state,
                "why": status.why(),
            }
            for key, status in self.data.statuses.items()
        ]
        return pa.Table.from_pylist(rows)

    def to_pandas(self) -> pd.DataFrame:
        """Return what `to_arrow` does, as a pandas DataFrame."""
        return self.to_arrow().to_pandas()

    def __repr__(self) -> str:
        listed = ", ".join(f"{count} {state}" for state, count in self.counts.items())
        return f"<bench.Plan of {self.suite}: {listed}>"

    def _repr_html_(self) -> str:
        return output(html([_table(self.to_arrow())]))


def load_suite(
    name: str = "quick",
    *,
    config: PathLike | None = None,
    results: PathLike | None = None,
    data: PathLike | None = None,
) -> Suite:
    """Return a suite of bench.toml.

    Args:
        name: Its name.
        config: The bench.toml; by default the nearest one at or above the working folder, else
            that of bench itself.
        results: The folder of records; by default `results` beside bench.toml.
        data: The folder of prepared data; by default `data` beside bench.toml.

    Raises:
        BenchError: There is no such suite, or a mistake in bench.toml.

    Examples:
        >>> suite = bench.load_suite("quick")
        >>> suite.tests, suite.seeds
        (['seq-digits'], [0, 1])
        >>> suite.plan()
        <bench.Plan of quick: 4 done, 4 to do>
    """
    workspace = open_workspace(config, results, data)
    suite = workspace.config.suite(name)
    warn(suite.warnings)
    return Suite(suite, workspace)


def _table(rows: pa.Table) -> Table:
    """Return a table for people, without columns that are empty."""
    columns = {
        name: ["" if value is None else str(value) for value in rows[name].to_pylist()]
        for name in rows.column_names
    }
    filled: Sequence[str] = [name for name, cells in columns.items() if any(cells)]
    return Table(filled, [*zip(*(columns[name] for name in filled), strict=True)], ["seed"])
