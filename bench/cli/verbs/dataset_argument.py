"""The argument NAME of the data set verbs, and the data set that it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bench.cli.completion import complete_dataset
from bench.core.errors import BenchError

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.core.components import Dataset
    from bench.data.datasets.base import PreparedDataset

dataset_argument = click.argument("name", shell_complete=complete_dataset)


def find_dataset(config: Config, name: str) -> Dataset:
    """Return the data set of a name, or of the name of its prepared folder, with its defaults."""
    from bench.core import registry
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import SYNTHETIC

    plain = name.removesuffix(SYNTHETIC)
    if (
        plain == name
        or plain in config.datasets
        or not issubclass(registry.find("dataset", plain), PreparedDataset)
    ):
        return config.dataset(name)
    return config.dataset(plain, {"synthetic": True})


def find_prepared(config: Config, name: str, *, synthetic: bool = False) -> PreparedDataset:
    """Return a data set of a kind that is prepared. Raises BenchError for one that is not."""
    from bench.data.datasets.base import PreparedDataset
    from bench.data.store.prepared import SYNTHETIC

    dataset = find_dataset(config, name.removesuffix(SYNTHETIC) + SYNTHETIC if synthetic else name)
    if not isinstance(dataset, PreparedDataset):
        raise BenchError(f"data set '{name}' comes with bench and needs no preparation")
    return dataset
