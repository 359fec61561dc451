"""What reads a person's own images, by the word that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from bench.config.suite import RecognizerEntry
from bench.core import registry
from bench.core.errors import BenchError, Exit, did_you_mean
from bench.core.model_input import ImageInput
from bench.core.recognition import TextReader, Workplace
from bench.core.schema import SchemaError
from bench.trials.grid import row_labels, trials
from bench.trials.store import Store

if TYPE_CHECKING:
    from bench.config.bench_toml import Config
    from bench.config.suite import Entry
    from bench.core.components import Recognizer


class NamedReader(NamedTuple):
    """A reader, and what a person calls it."""

    title: str
    reader: TextReader


@contextmanager
def open_named_reader(word: str, load: Callable[[], Config]) -> Iterator[NamedReader]:
    """Yield what a word names, ready to read images on the CPU.

    It is looked for in this order: the folder of an exported network; a recognizer from outside, by
    its name and with its defaults; `SUITE/ROW`, a row of a suite; the beginning of a key or the
    folder of a training, or of an evaluation of it.

    Args:
        word: The word.
        load: Returns bench.toml, which is read unless the word is an exported network.

    Raises:
        BenchError: Nothing has this name, or it cannot read images.
    """
    if _is_exported(Path(word)):
        yield _exported(Path(word))
        return
    config = load()
    store = Store(config.results)
    recognizer, entry = _by_name(word), _row(word, config)
    if isinstance(entry, RecognizerEntry):
        recognizer = entry.recognizer
    if recognizer:
        if recognizer.accepts != "image" or recognizer.origin == "predictions":
            raise BenchError(f"recognizer '{word}' reads no images; name another, or a training")
        with recognizer.open(Workplace("cpu", _threads(), store.answers)) as reader:
            yield NamedReader(recognizer.label, reader)
    else:
        yield _trained(word if entry is None else _training_of(word, entry, config), store)


def _row(word: str, config: Config) -> Entry | None:
    """Return the row of a suite that `SUITE/ROW` names; None where the word names no suite."""
    name, slash, label = word.partition("/")
    if not slash or name not in config.tables:
        return None
    rows = config.suite(name).rows
    by_label = dict(zip(row_labels(rows), rows, strict=True))
    if label not in by_label:
        raise BenchError(f"suite '{name}' has no row '{label}'{did_you_mean(label, by_label)}")
    return by_label[label]


def _training_of(word: str, entry: Entry, config: Config) -> str:
    """Return the key of the first finished training of a row, in the order of its seeds."""
    name = word.partition("/")[0]
    store = Store(config.results)
    for trial in trials(config.suite(name)):
        for training in trial.trainings if trial.entry == entry else ():
            if store.is_done(training):
                return training.key
    raise BenchError(f"row '{word}' has no finished training; run: bench run {name}", Exit.NOTHING)


def _is_exported(folder: Path) -> bool:
    # Not by `exported.is_exported`, which would import torch for each recognizer's name.
    return (folder / "model.json").is_file()


def _exported(folder: Path) -> NamedReader:
    from bench.recognizers.networks import load

    loaded = load(folder)
    return NamedReader(loaded.about.title, loaded.samples)


def _by_name(name: str) -> Recognizer | None:
    """Return a recognizer with its defaults; None where none has the name."""
    if name not in registry.everything("recognizer"):
        return None
    try:
        return cast("Recognizer", registry.make("recognizer", name, {}))
    except SchemaError as error:
        raise BenchError(
            f"recognizer '{name}' cannot read with its defaults ({error}); declare it in a suite, "
            "and name it as SUITE/ROW"
        ) from None


def _trained(key: str, store: Store) -> NamedReader:
    """Return the reader of a training, by greedy decoding."""
    from bench.data.inputs.image_transform import ImageTransform
    from bench.decoding.greedy import GreedyDecoder
    from bench.export.exporting import find_training, separator
    from bench.recognizers.networks.network_reader import NetworkReader
    from bench.recognizers.outputs.texts import TextDecoding

    try:
        training = find_training(store, key)
    except BenchError as error:
        if error.code != Exit.USAGE:
            raise
        names = ", ".join(registry.everything("recognizer"))
        raise BenchError(
            f"{error}; '{key}' is no exported folder, SUITE/ROW or recognizer either ({names})"
        ) from None
    if not isinstance(training.input, ImageInput):
        raise BenchError(
            f"{training.folder}: this network reads clips of frames, not images; name another"
        )
    vocabulary = tuple(training.record.vocabulary)
    texts = TextDecoding(
        training.loss.decoder, vocabulary, GreedyDecoder(), separator=separator(vocabulary)
    )
    reader = NetworkReader(training.network, ImageTransform(training.input), texts)
    return NamedReader(training.title, reader)


def _threads() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
