"""Data sets of a suite that are not prepared, and the tasks that wait for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.data.store.prepared import NotPreparedError

if TYPE_CHECKING:
    from bench.core.components import Dataset
    from bench.trials.specs import Task, Trial


@dataclass(frozen=True)
class DataNeed:
    """A data set that is not prepared.

    Attributes:
        dataset: Its name; that of a synthetic one ends with `-synthetic`.
        remedy: The command that prepares it; for a data set from outside bench, its own message.
    """

    dataset: str
    remedy: str

    @property
    def sentence(self) -> str:
        """The name of the data set and how to prepare it, in one sentence."""
        return f"needs data {self.dataset}: {self.remedy}"


@dataclass(frozen=True)
class WaitingTask:
    """A task whose key is unknown, because keys hash data and some of its data are not prepared."""

    task: Task
    needs: tuple[DataNeed, ...]


def data_needs(trials: Iterable[Trial]) -> dict[Dataset, DataNeed]:
    """Return the data sets of trials that are not prepared, in the order in which trials name them.

    Raises:
        BenchError: The metadata of a prepared data set are damaged.
    """
    needs: dict[Dataset, DataNeed] = {}
    for dataset in dict.fromkeys(each for trial in trials for each in datasets_of_trial(trial)):
        if need := data_need(dataset):
            needs[dataset] = need
    return needs


def data_need(dataset: Dataset) -> DataNeed | None:
    """Return a data set with the command that prepares it, or None if it is prepared.

    Raises:
        BenchError: Its metadata are damaged.
    """
    try:
        dataset.splits()
    except NotPreparedError as error:
        return DataNeed(error.dataset, error.command)
    except BenchError as error:
        if error.code == Exit.UNVERIFIED:
            raise
        return DataNeed(dataset.name, str(error))
    return None


def needs_of(task: Task, needs: Mapping[Dataset, DataNeed]) -> tuple[DataNeed, ...]:
    """Return those of `needs` that a task waits for: its data sets that are not prepared."""
    return tuple(dict.fromkeys(needs[each] for each in _datasets(task) if each in needs))


def datasets_of_trial(trial: Trial) -> list[Dataset]:
    """Return the data sets that a trial is trained and tested on; some may appear twice."""
    return [each for task in trial.evaluations.values() for each in _datasets(task)]


def _datasets(task: Task) -> tuple[Dataset, ...]:
    data = task.training.data if task.training else ()
    return data if task.kind == "training" else (*data, task.test)  # type: ignore[union-attr]
