"""Where the library reads and writes: bench.toml, results, prepared data."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core import plugin_files
from bench.core.errors import BenchError, BenchWarning, os_error
from bench.core.local_paths import local_path

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.trials.store import Store

PathLike = str | Path
_RESULTS = "BENCH_RESULTS"
_set_by_bench: set[str] = set()
"""Data folders that bench has set in the environment for processes of tasks, not the user."""


@dataclass(frozen=True)
class Workspace:
    """A bench.toml with the folders that go with it.

    Attributes:
        config: The bench.toml.
        data: The folder of prepared data.
    """

    config: Config
    data: Path

    @property
    def store(self) -> Store:
        """The records."""
        from bench.trials.store import Store

        return Store(self.config.results)

    def enter(self) -> None:
        """Let this process, and those that it starts, use the data and plug-ins of this one."""
        from bench.data.store import data_dir

        data_dir.set_data_folder(self.data)
        _set_by_bench.add(os.environ[data_dir.VARIABLE])
        plugin_files.set_plugins(self.config.plugins)


def open_workspace(
    config: PathLike | None = None,
    results: PathLike | None = None,
    data: PathLike | None = None,
) -> Workspace:
    """Return the workspace of a bench.toml, and enter it.

    Args:
        config: The bench.toml; None: the nearest one at or above the working folder, else that of
            bench itself.
        results: The folder of records; None: BENCH_RESULTS, else `results` beside bench.toml.
        data: The folder of prepared data; None: BENCH_DATA, else `data` beside bench.toml.

    Raises:
        BenchError: There is no such file, or a mistake in it.
    """
    from bench.config import bench_toml
    from bench.core import registry
    from bench.data.store import data_dir
    from bench.evaluation.metrics import metric

    results = results or os.environ.get(_RESULTS)
    wished = os.environ.get(data_dir.VARIABLE)
    data = data or (wished if wished not in _set_by_bench else None)
    with readable_errors():
        loaded = bench_toml.load(_path(config), _path(results))
    workspace = Workspace(loaded, _path(data) or loaded.data)
    workspace.enter()
    warn([*registry.plugin_faults(), *metric.plugin_faults()])
    return workspace


def warn(sentences: Iterable[str]) -> None:
    """Warn of what a person should know that stops nothing."""
    for sentence in sentences:
        warnings.warn(sentence, BenchWarning, stacklevel=3)


@contextmanager
def readable_errors() -> Iterator[None]:
    """Raise errors of the system, such as that of a full disk, as a sentence with its remedy.

    Raises:
        BenchError: A file or folder cannot be used.
    """
    try:
        yield
    except OSError as error:
        raise BenchError(os_error(error)) from error


def _path(path: PathLike | None) -> Path | None:
    return None if path is None else local_path(path)
