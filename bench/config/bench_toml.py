"""Reads bench.toml; a mistake is one sentence with file, line, key and the nearest name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from bench.config import assemble, datasets, missing, recipe_layers
from bench.config.suite import Suite, SuiteTable
from bench.core import plugin_files, registry
from bench.core.errors import BenchError, did_you_mean
from bench.core.local_paths import local_path
from bench.core.names import name_fault
from bench.core.package_data import package_data
from bench.core.regular_files import is_there
from bench.core.schema import SchemaError, fill
from bench.core.toml_lines import line_of, unnumbered
from bench.core.toml_text import read_toml
from bench.evaluation import protocols
from bench.evaluation.protocols import Protocol

if TYPE_CHECKING:
    from bench.core.components import Dataset
    from bench.data.datasets.own import OwnDataset

NAME = "bench.toml"
_TABLES = ("suite", "recipe", "protocol", "dataset")
_PLUGINS = "plugins"
_ADDED = ("datasets", "train", "tests")
"""Keys whose lists are added to those of the extended suite; other keys replace its values."""
T = TypeVar("T")


class Config:
    """A bench.toml whose keys have been checked; names are looked up when a suite is built.

    Attributes:
        path: The file.
        results: The folder of records.
        leaderboards: The folder of published boards.
        data: The folder of prepared data.
        plugins: The Python files that it lists, with components of the user.
        text: The content of the file without byte order mark, with its line endings.
        tables: Each suite as it is written, with the keys that it inherits.
        recipes: Each `[recipe.NAME]` as it is written.
        protocols: Each `[protocol.NAME]`.
        datasets: Each `[dataset.NAME]`.
    """

    def __init__(
        self,
        path: Path,
        home: Path,
        results: Path | None = None,
        plugins: Sequence[Path] = (),
    ) -> None:
        self.path = path
        # Absolute, because workers have other working folders.
        self.results = (results or home / "results").absolute()
        self.leaderboards = home / "leaderboards"
        self.data = home / "data"
        self.text, document = read_toml(path)
        for key in document:
            if key not in {*_TABLES, _PLUGINS}:
                fault = f"there is no key '{key}' here{did_you_mean(key, [*_TABLES, _PLUGINS])}"
                raise self.error(fault, "", key)
        self.plugins = self._listed_plugins(document.get(_PLUGINS, []))
        # First, because a protocol may name a metric of a plug-in.
        plugin_files.set_plugins([*self.plugins, *plugins])
        self.recipes: dict[str, dict[str, Any]] = dict(self._named_tables(document, "recipe"))
        recipe_layers.check_extends(self)
        self.protocols: dict[str, Protocol] = {}
        for name, table in self._named_tables(document, "protocol"):
            with self.locating(f"protocol.{name}"):
                self.protocols[name] = protocols.declare_protocol(name, table, path.parent)
        self.datasets: dict[str, OwnDataset] = {}
        for name, table in self._named_tables(document, "dataset"):
            with self.locating(f"dataset.{name}"):
                self.datasets[name] = datasets.declare(name, table, path.parent, self.protocol)
        self._raw = dict(self._named_tables(document, "suite"))
        self.tables: dict[str, SuiteTable] = {}
        for name in self._raw:
            with self.locating(f"suite.{name}"):
                self.tables[name] = fill(SuiteTable, self._inherited(name))

    @property
    def default_suite(self) -> str:
        """The suite that a command without a name means: the only one, else `quick`."""
        return next(iter(self.tables)) if len(self.tables) == 1 else "quick"

    def suite(self, name: str) -> Suite:
        """Return the suite `name` with its components.

        Raises:
            BenchError: There is no such suite, it names what does not exist, or a value is wrong.
        """
        if name not in self.tables:
            raise BenchError(
                f"{self.path}: there is no suite '{name}'{did_you_mean(name, self.tables)}"
            )
        table, section = self.tables[name], f"suite.{name}"
        # First, so that mistakes of the extended suite are located there.
        parent = self.suite(table.extends) if table.extends else None
        if not table.protocol:
            raise self.error("the key 'protocol' is missing", section)
        with self.locating(section):
            names = missing.missing_names(table, self.protocols, self.datasets)
        for key, (first, *_) in names.items():
            raise self.error(
                missing.sentence(names, self.protocols, self.datasets), section, key, first
            )
        return assemble.build_suite(self, name, table, parent)

    def protocol(self, name: str) -> Protocol:
        """Return the protocol `name` of this file or of bench. Raises BenchError on neither."""
        existing = {**protocols.PROTOCOLS, **self.protocols}
        if name not in existing:
            raise BenchError(f"there is no protocol '{name}'{did_you_mean(name, existing)}")
        return existing[name]

    def dataset(self, name: str, parameters: dict[str, Any] | None = None) -> Dataset:
        """Return the data set `name`, of this file or of bench.

        Raises:
            BenchError: There is none.
            SchemaError: A parameter is wrong.
        """
        if name in self.datasets:
            for key in parameters or ():
                fault = f"data set '{name}' has no parameter '{key}'; set it in [dataset.{name}]"
                raise SchemaError(key, fault)
            return self.datasets[name]
        if name not in registry.builtin("dataset") and name not in registry.names("dataset"):
            raise BenchError(registry.not_found("dataset", name, self.datasets))
        return cast("Dataset", registry.make("dataset", name, parameters or {}))

    def fill(self, kind: type[T], section: str, table: dict[str, Any]) -> T:
        """Build the dataclass `kind` from `table`. Raises BenchError with the line of a mistake."""
        with self.locating(section):
            return fill(kind, table)

    def _listed_plugins(self, entries: object) -> tuple[Path, ...]:
        """Return the files of the list `plugins`, relative to the folder of this file."""
        if not isinstance(entries, list) or not all(isinstance(each, str) for each in entries):
            fault = "'plugins' must be a list of files, like [\"my_loss.py\"]"
            raise self.error(fault, "", _PLUGINS)
        paths = []
        for entry in entries:
            with self.locating("", _PLUGINS, entry):
                path = self.path.parent / local_path(entry)
                plugin_files.read_file(path)
            paths.append(path)
        return tuple(paths)

    def _inherited(self, name: str) -> dict[str, Any]:
        """Return the keys of suite `name`, with those of the suites that it extends."""
        chain = [name]
        while parent := self._raw[chain[-1]].get("extends"):
            if parent not in self._raw:
                fault = f"extends = '{parent}' is not a suite{did_you_mean(str(parent), self._raw)}"
                raise SchemaError("extends", fault)
            if parent in chain:
                raise SchemaError(
                    "extends", f"extends = '{parent}': suite '{name}' extends itself; remove one"
                )
            chain.append(parent)
        table: dict[str, Any] = {}
        for each in reversed(chain):
            own = self._raw[each]
            added = {
                key: [*table[key], *own[key]]
                for key in _ADDED
                if isinstance(table.get(key), list) and isinstance(own.get(key), list)
            }
            # Entries of a sweep belong to the suite that was searched.
            for key in ("tuned", "sweep", "extends"):
                table.pop(key, None)
            table = table | own | added
        return table

    def _named_tables(
        self, document: Mapping[str, Any], kind: str
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        tables = document.get(kind, {})
        if not isinstance(tables, dict):
            fault = f"'{kind}' must be a table; a {kind} begins with [{kind}.NAME]"
            raise self.error(fault, "", kind)
        for name, table in tables.items():
            if not isinstance(table, dict):
                fault = f"{kind} '{name}' must be a table; it begins with [{kind}.{name}]"
                raise self.error(fault, "", kind)
            if misnamed := name_fault(kind, name):
                raise self.error(misnamed, "", kind)
            yield name, table

    @contextmanager
    def locating(self, section: str, *words: str) -> Iterator[None]:
        """Add file, line and section to errors that are raised in this context."""
        try:
            yield
        except SchemaError as error:
            words = (*words, *filter(None, [error.assignment, error.key]))
            raise self.error(str(error), section, *words) from None
        except BenchError as error:
            raise self.error(str(error), section, *words) from None

    def error(self, message: str, section: str, *words: str) -> BenchError:
        """Return the error for a mistake in `section`, at the line that has the last of `words`."""
        where = f"[{unnumbered(section)}] " if section else ""
        return BenchError(f"{self.path}:{line_of(self.text, section, *words)}: {where}{message}")


def load(
    path: Path | None = None, results: Path | None = None, plugins: Sequence[Path] = ()
) -> Config:
    """Read a bench.toml.

    Args:
        path: The file. None: the nearest bench.toml in the working folder or above, else that of
            bench itself.
        results: The folder of records. None: `results` beside the file, or in the working folder
            for that of bench itself.
        plugins: Python files with components, in addition to those that bench.toml lists.

    Raises:
        BenchError: The file does not exist or has a mistake.
    """
    if path is not None:
        if not path.exists():
            raise BenchError(f"{path}: there is no such file; name a {NAME} with --config")
        return Config(path, path.absolute().parent, results, plugins)
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise BenchError("the working folder was removed; change to an existing one") from None
    for folder in (here, *here.parents):
        # A pipe, a folder or a broken link of that name is refused where it is read.
        if is_there(folder / NAME):
            return Config(folder / NAME, folder, results, plugins)
    return Config(package_data(NAME), here, results, plugins)
