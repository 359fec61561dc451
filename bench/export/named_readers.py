"""Open a reader of images by name: an exported network, a recognizer, a row or a training."""

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
    """A reader and its displayed name."""

    title: str
    reader: TextReader


@contextmanager
def open_named_reader(word: str, load: Callable[[], Config]) -> Iterator[NamedReader]:
    """Open the reader with a name, on the CPU.

    Names are looked up in this order: the folder of an exported network; the name of a recognizer,
    which gets its default parameters; `SUITE/ROW`, a row of a suite; a training or an evaluation of
    it, by the beginning of its key or its folder.

    Args:
        word: The name.
        load: Reads bench.toml; not called if the name is an exported network.

    Raises:
        BenchError: Nothing has this name, or it cannot read images.
    """
    if _is_exported(Path(word)):
        yield _exported_reader(Path(word))
        return
    config = load()
    store = Store(config.results)
    recognizer, entry = _default_recognizer(word), _named_row(word, config)
    if isinstance(entry, RecognizerEntry):
        recognizer = entry.recognizer
    if recognizer:
        if recognizer.accepts != "image" or recognizer.origin == "predictions":
            raise BenchError(
                f"recognizer '{word}' does not read images; name another, or a training"
            )
        with recognizer.open(Workplace("cpu", _threads(), store.answers)) as reader:
            yield NamedReader(recognizer.label, reader)
    else:
        yield _training_reader(
            word if entry is None else _finished_training(word, entry, config), store
        )


def _named_row(word: str, config: Config) -> Entry | None:
    """Return the row with the name `SUITE/ROW`; None if it does not begin with a suite."""
    name, slash, label = word.partition("/")
    if not slash or name not in config.tables:
        return None
    rows = config.suite(name).rows
    by_label = dict(zip(row_labels(rows), rows, strict=True))
    if label not in by_label:
        raise BenchError(f"suite '{name}' has no row '{label}'{did_you_mean(label, by_label)}")
    return by_label[label]


def _finished_training(word: str, entry: Entry, config: Config) -> str:
    """Return the key of a row's first finished training, in order of seeds."""
    name = word.partition("/")[0]
    store = Store(config.results)
    for trial in trials(config.suite(name)):
        for training in trial.trainings if trial.entry == entry else ():
            if store.is_done(training):
                return training.key
    raise BenchError(f"row '{word}' has no finished training; run: bench run {name}", Exit.NOTHING)


def _is_exported(folder: Path) -> bool:
    # `exported.is_exported` would import torch, also if the name is that of a recognizer.
    return (folder / "model.json").is_file()


def _exported_reader(folder: Path) -> NamedReader:
    from bench.recognizers.networks import load

    loaded = load(folder)
    return NamedReader(loaded.about.title, loaded.samples)


def _default_recognizer(name: str) -> Recognizer | None:
    """Return a recognizer with its default parameters; None if there is none with the name."""
    if name not in registry.everything("recognizer"):
        return None
    try:
        return cast("Recognizer", registry.make("recognizer", name, {}))
    except SchemaError as error:
        raise BenchError(
            f"recognizer '{name}' cannot be used with its default parameters ({error}); declare it "
            "in a suite, and name it as SUITE/ROW"
        ) from None


def _training_reader(key: str, store: Store) -> NamedReader:
    """Return the reader of a training, with greedy decoding."""
    from bench.data.inputs.image_transform import ImageTransform
    from bench.decoding.greedy import GreedyDecoder
    from bench.export.exporting import find_training, token_separator
    from bench.recognizers.networks.network_reader import NetworkReader
    from bench.recognizers.outputs.texts import TextDecoding

    try:
        training = find_training(store, key)
    except BenchError as error:
        if error.code != Exit.USAGE:
            raise
        names = ", ".join(registry.everything("recognizer"))
        raise BenchError(
            f"{error}; '{key}' is not an exported folder, SUITE/ROW or recognizer either ({names})"
        ) from None
    if not isinstance(training.input, ImageInput):
        raise BenchError(
            f"{training.folder}: this network reads clips of frames, not images; name another "
            "training"
        )
    vocabulary = tuple(training.record.vocabulary)
    texts = TextDecoding(
        training.loss.decoder, vocabulary, GreedyDecoder(), separator=token_separator(vocabulary)
    )
    reader = NetworkReader(training.network, ImageTransform(training.input), texts)
    return NamedReader(training.title, reader)


def _threads() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
