"""bench.toml to suites: every mistake is one sentence with file, line, key and the nearest word."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bench import needs, registry
from bench.errors import BenchError, did_you_mean
from bench.metrics import protocols
from bench.schema import Count, Natural, NonNegative, Positive, SchemaError, fill

if TYPE_CHECKING:
    from bench.components import Component, Dataset, Loss, Model
    from bench.metrics.protocols import Protocol

NAME = "bench.toml"
T = TypeVar("T")


@dataclass(frozen=True)
class Recipe:
    """How a trial is trained; part of its key.

    `learning_rate` is the peak of the `one-cycle` schedule; `multi-step` multiplies it by `decay`
    after each epoch of `milestones`. `gradient_clip` bounds the norm of all gradients (0: no
    bound). `select` says which epoch's weights are tested: the one with the lowest validation CER
    (the first of several), or the last.
    """

    epochs: Count
    batch_size: Count
    learning_rate: Positive
    optimizer: Literal["adam", "adamw", "sgd", "adadelta"] = "adam"
    weight_decay: NonNegative = 0.0
    schedule: Literal["constant", "one-cycle", "multi-step"] = "constant"
    milestones: tuple[Count, ...] = ()
    decay: Positive = 1.0
    gradient_clip: NonNegative = 0.0
    select: Literal["best", "last"] = "best"

    def __post_init__(self) -> None:
        """Raise BenchError where the keys of `multi-step` stand without it, or it without them."""
        given = {bool(self.milestones), self.decay != 1}
        if self.schedule == "multi-step" and given != {True}:
            raise BenchError(
                "schedule = 'multi-step' wants 'milestones', and a 'decay' other than 1"
            )
        if self.schedule != "multi-step" and given != {False}:
            raise BenchError(
                "'milestones' and 'decay' are read by schedule = 'multi-step' alone, "
                f"and here it is '{self.schedule}'"
            )
        if list(self.milestones) != sorted({*self.milestones}):
            raise BenchError(f"milestones = {[*self.milestones]} do not rise from one to the next")

    def spec(self) -> dict[str, Any]:
        """Return the part of a trial's key that the recipe decides.

        What only `multi-step` reads is no part of the key of another schedule.
        """
        spec = asdict(self)
        if self.schedule != "multi-step":
            del spec["milestones"], spec["decay"]
        return spec


@dataclass(frozen=True)
class Resources:
    """What a trial reserves; recorded, but no part of its key.

    `cpus` is also its number of compute threads. `gpus` may be a fraction; where the machine has
    none, it is not asked for. `device = "auto"` computes on the GPU that a trial got, else the CPU.
    `time_limit` ends an attempt, hung or not, after that many seconds (0: never); training is saved
    after the first epoch that ends `checkpoint_every` seconds after the last save.
    """

    cpus: Count = 1
    gpus: NonNegative = 0.0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    time_limit: NonNegative = 0.0
    checkpoint_every: NonNegative = 60.0

    def __post_init__(self) -> None:
        """Raise BenchError on a share of several GPUs, which no scheduler can give."""
        if self.gpus > 1 and not self.gpus.is_integer():
            raise BenchError(f"gpus = {self.gpus} is neither a share of one GPU nor whole ones")


@dataclass(frozen=True)
class SuiteTable:
    """A suite as bench.toml spells it, before its names are looked up.

    A dataset, model or loss is a name, or a table of a name and parameters.
    """

    protocol: str
    datasets: list[str | dict[str, Any]]
    models: list[str | dict[str, Any]]
    losses: list[str | dict[str, Any]]
    training: dict[str, Any]
    about: str = ""
    seeds: list[Natural] = field(default_factory=lambda: [0])
    resources: dict[str, Any] = field(default_factory=dict)
    skip_incompatible: bool = False


@dataclass(frozen=True)
class Suite:
    """A named grid and its protocol, every name looked up."""

    name: str
    about: str
    protocol: Protocol
    datasets: tuple[Dataset, ...]
    models: tuple[Model, ...]
    losses: tuple[Loss, ...]
    seeds: tuple[int, ...]
    training: Recipe
    resources: Resources
    skip_incompatible: bool


class Config:
    """A bench.toml whose suites have the right keys; their names are looked up one suite at a time.

    Records and boards belong to the folders `results` (unless named) and `leaderboards` of `home`.
    """

    def __init__(self, path: Path, home: Path, results: Path | None = None) -> None:
        self.path = path
        # Workers on other machines and in other folders go by it.
        self.results = (results or home / "results").absolute()
        self.leaderboards = home / "leaderboards"
        try:
            self._text = path.read_text(encoding="utf-8")
            document = tomllib.loads(self._text)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BenchError(f"{path}: this is not TOML: {error}") from None
        for key in (key for key in document if key != "suite"):
            raise self._error(
                f"there is no key '{key}' here{did_you_mean(key, ['suite'])}", "", key
            )
        self.tables: dict[str, SuiteTable] = {}
        suites = document.get("suite", {})
        if not isinstance(suites, dict):
            raise self._error("'suite' is no table; a suite begins with [suite.NAME]", "", "suite")
        for name, table in suites.items():
            if not isinstance(table, dict):
                fault = f"suite '{name}' is no table; it begins with [suite.{name}]"
                raise self._error(fault, "", "suite")
            with self._locating(f"suite.{name}"):
                self.tables[name] = fill(SuiteTable, table)

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
        return Suite(
            name=name,
            about=table.about,
            protocol=protocols.find(table.protocol),
            seeds=tuple(table.seeds),
            skip_incompatible=table.skip_incompatible,
            **parts,
        )

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
            table = {"name": entry} if isinstance(entry, str) else dict(entry)
            name = table.pop("name", None)
            if not isinstance(name, str):
                fault = f"a {kind} is a name, or a table with a 'name'"
                raise self._error(fault, section, key)
            if name in missing.get(key, ()):
                continue
            with self._locating(section, key, name):
                component = registry.make(kind, name, table)
            if component in found:
                fault = f"{kind} '{component.label}' stands here twice"
                raise self._error(fault, section, key, name)
            found.append(component)
        if not entries:
            raise self._error(f"the list '{key}' is empty", section, key)
        return tuple(found)

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
        where = f"[{section}] " if section else ""
        return BenchError(f"{self.path}:{line_of(self._text, section, *words)}: {where}{message}")


def line_of(text: str, section: str, *words: str) -> int:
    """Return the number of the line in `section` that has the last of `words`.

    Each word, a key, an assignment or a quoted value, is looked for from the line of the word
    before on; one that is not there is passed over. Without any, it is the section's header.
    """
    lines = [*_lines_of(text, section)]
    header = lines[0][0] if lines else 1
    found = header
    for word in words:
        as_key = re.compile(rf"(?<![\w.-]){re.escape(word)}\s*=")
        found = next(
            (
                number
                for number, line in lines
                if number >= found
                and (
                    as_key.search(re.sub(r"\".*?\"|'.*?'", "", line))
                    or re.search(rf"[\"']{re.escape(word)}[\"']", line)
                    or line.strip() == f"[{section}.{word}]"
                    or ("=" in word and word.replace(" ", "") in line.replace(" ", ""))
                )
            ),
            found,
        )
    return found


def _lines_of(text: str, section: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a table without comments: its header, body, and sub-headers."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.partition("#")[0]
        header = re.fullmatch(r"\s*\[([^\[\]]+)\]\s*", bare)
        if header:
            current = header[1].strip()
        if current == section or (header and current.startswith(f"{section}.")):
            yield number, bare


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
    package = Path(__file__).parent
    # A wheel carries the file inside the package; a checkout has it beside.
    embedded = next(f / NAME for f in (package, package.parent) if (f / NAME).is_file())
    return Config(embedded, here, results)
