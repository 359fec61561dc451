"""bench.toml to suites: every mistake is one sentence with file, line, key and the nearest word."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import bench
from bench.config import missing as needs
from bench.config.suite import Recipe, Resources, Suite, SuiteTable, Tuned, TunedTable, Tuning
from bench.config.sweep_space import SweepTable
from bench.core import registry
from bench.core.errors import BenchError, did_you_mean
from bench.core.schema import SchemaError, fill
from bench.core.toml_lines import line_of, unnumbered
from bench.evaluation import protocols

if TYPE_CHECKING:
    from bench.core.components import Component
    from bench.evaluation.protocols import Protocol

NAME = "bench.toml"
T = TypeVar("T")


class Config:
    """A bench.toml whose suites have the right keys; their names are looked up one suite at a time.

    Records, boards and prepared data belong to the folders `results` (unless named), `leaderboards`
    and `data` of `home`.
    """

    def __init__(self, path: Path, home: Path, results: Path | None = None) -> None:
        self.path = path
        # Workers on other machines and in other folders go by it.
        self.results = (results or home / "results").absolute()
        self.leaderboards = home / "leaderboards"
        self.data = home / "data"
        try:
            # With its own line endings, which stay when an entry is written into it.
            self.text = path.read_bytes().decode()
            document = tomllib.loads(self.text)
        # Thousands of digits are a plain ValueError, thousands of brackets a RecursionError.
        except (ValueError, RecursionError) as error:
            raise BenchError(f"{path}: this is not TOML: {error}") from None
        known = ("protocol", "suite")
        for key in (key for key in document if key not in known):
            raise self._error(f"there is no key '{key}' here{did_you_mean(key, known)}", "", key)
        self.protocols = self._protocols(document.get("protocol", {}))
        self.tables: dict[str, SuiteTable] = {}
        suites = document.get("suite", {})
        if not isinstance(suites, dict):
            raise self._error("'suite' is no table; a suite begins with [suite.NAME]", "", "suite")
        for name, table in suites.items():
            if not isinstance(table, dict):
                fault = f"suite '{name}' is no table; it begins with [suite.{name}]"
                raise self._error(fault, "", "suite")
            # Its boards have a folder of that name.
            if name in {"", ".", ".."} or "/" in name:
                fault = f"'{name}' is no name of a suite, for it is none of a folder; take another"
                raise self._error(fault, "", "suite")
            with self._locating(f"suite.{name}"):
                self.tables[name] = fill(SuiteTable, table)

    def protocol(self, name: str) -> Protocol:
        """Return the protocol `name` of bench.toml or of bench.

        Raises BenchError where there is none, with the nearest name.
        """
        known = {**protocols.PROTOCOLS, **self.protocols}
        if name not in known:
            raise BenchError(f"there is no protocol '{name}'{did_you_mean(name, known)}")
        return known[name]

    def _protocols(self, tables: object) -> dict[str, Protocol]:
        """Return the protocols that `[protocol.NAME]` tables declare."""
        if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
            fault = "'protocol' is not a table of tables; begin a protocol with [protocol.NAME]"
            raise self._error(fault, "", "protocol")
        declared = {}
        for name, table in tables.items():
            with self._locating(f"protocol.{name}"):
                declared[name] = protocols.declare(name, table, self.path.absolute().parent)
        return declared

    def suite(self, name: str) -> Suite:
        """Return the suite `name`.

        Raises BenchError where there is none, at the first wrong value in it, else with all that it
        names and bench does not have.
        """
        if name not in self.tables:
            raise BenchError(
                f"{self.path}: there is no suite '{name}'{did_you_mean(name, self.tables)}"
            )
        table, section = self.tables[name], f"suite.{name}"
        if not table.seeds or len(set(table.seeds)) < len(table.seeds):
            raise self._error("'seeds' wants a number or more, each just once", section, "seeds")
        with self._locating(section):
            missing = needs.of(table)
        parts: dict[str, Any] = {
            "datasets": self._components(section, "dataset", "datasets", missing),
            "models": self._components(section, "model", "models", missing),
            "losses": self._components(section, "loss", "losses", missing),
            "training": self._fill(Recipe, f"{section}.training", table.training),
            "resources": self._fill(Resources, f"{section}.resources", table.resources),
        }
        for key, (first, *_) in missing.items():
            raise self._error(needs.said(missing), section, key, first)
        suite = Suite(
            name=name,
            about=table.about,
            protocol=protocols.find(table.protocol),
            seeds=tuple(table.seeds),
            skip_incompatible=table.skip_incompatible,
            sweep=self._sweep(f"{section}.sweep", table.sweep),
            **parts,
        )
        tuned = tuple(
            self._tuned(suite, f"{section}.tuned[{place}]", entry)
            for place, entry in enumerate(table.tuned)
        )
        return replace(suite, tuned=tuned)

    def _sweep(self, section: str, table: dict[str, Any] | None) -> SweepTable | None:
        if table is None:
            return None
        found = self._fill(SweepTable, section, table)
        with self._locating(f"{section}.space"):
            _ = found.domains
        return found

    def _tuned(self, suite: Suite, section: str, entry: dict[str, Any]) -> Tuned:
        entry = dict(entry)
        with self._locating(f"{section}.tuning"):
            if isinstance(entry.get("tuning"), dict):
                entry["tuning"] = fill(Tuning, entry["tuning"])
        table = self._fill(TunedTable, section, entry)
        found = Tuned(
            dataset=self._component(section, "dataset", table.dataset),  # type: ignore[arg-type]
            model=self._component(section, "model", table.model),  # type: ignore[arg-type]
            loss=self._component(section, "loss", table.loss),  # type: ignore[arg-type]
            training=self._fill(
                Recipe, f"{section}.training", asdict(suite.training) | table.training
            ),
            tuning=table.tuning,
        )
        if found.dataset not in suite.datasets:
            fault = f"dataset '{found.dataset.label}' is none of the suite's; add it to 'datasets'"
            raise self._error(fault, section, "dataset")
        return found

    def _fill(self, kind: type[T], section: str, table: dict[str, Any]) -> T:
        with self._locating(section):
            return fill(kind, table)

    def _components(
        self, section: str, kind: registry.Kind, key: needs.Key, missing: needs.Needs
    ) -> tuple[Component, ...]:
        """Return the components under `key`, without those that are `missing`."""
        found: list[Component] = []
        entries = getattr(self.tables[section.partition(".")[2]], key)
        for entry in entries:
            if (entry if isinstance(entry, str) else entry.get("name")) in missing.get(key, ()):
                continue
            component = self._component(section, kind, entry, key)
            if component in found:
                fault = f"{kind} '{component.label}' stands here twice"
                raise self._error(fault, section, key, component.name)
            found.append(component)
        if not entries:
            raise self._error(f"the list '{key}' is empty", section, key)
        return tuple(found)

    def _component(
        self, section: str, kind: registry.Kind, entry: str | dict[str, Any], key: str = ""
    ) -> Component:
        table = {"name": entry} if isinstance(entry, str) else dict(entry)
        name = table.pop("name", None)
        if not isinstance(name, str):
            fault = f"a {kind} is a name, or a table with a 'name'"
            raise self._error(fault, section, key or kind)
        with self._locating(section, key or kind, name):
            return registry.make(kind, name, table)

    @contextmanager
    def _locating(self, section: str, *words: str) -> Iterator[None]:
        """Say of errors raised within at which line of the file they arose."""
        try:
            yield
        except SchemaError as error:
            words = (*words, *filter(None, [error.assignment, error.key]))
            raise self._error(str(error), section, *words) from None
        except BenchError as error:
            raise self._error(str(error), section, *words) from None

    def _error(self, message: str, section: str, *words: str) -> BenchError:
        where = f"[{unnumbered(section)}] " if section else ""
        return BenchError(f"{self.path}:{line_of(self.text, section, *words)}: {where}{message}")


def load(path: Path | None = None, results: Path | None = None) -> Config:
    """Read `path`, else the nearest bench.toml at or above this folder, else bench's own."""
    if path is not None:
        if not path.is_file():
            raise BenchError(f"{path}: there is no such file; name a {NAME} with --config")
        return Config(path, path.absolute().parent, results)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / NAME).is_file():
            return Config(folder / NAME, folder, results)
    package = Path(bench.__file__).parent
    # A wheel carries the file inside the package; a checkout has it beside.
    embedded = next(f / NAME for f in (package, package.parent) if (f / NAME).is_file())
    return Config(embedded, here, results)
