"""What reads a person's own images, by the word that names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from bench.core import registry
from bench.core.errors import BenchError, Exit
from bench.core.model_input import ImageInput
from bench.core.recognition import TextReader, Workplace
from bench.core.schema import SchemaError

if TYPE_CHECKING:
    from bench.core.components import Recognizer
    from bench.trials.store import Store


class NamedReader(NamedTuple):
    """A reader, and what a person calls it."""

    title: str
    reader: TextReader


@contextmanager
def open_named_reader(word: str, find_store: Callable[[], Store]) -> Iterator[NamedReader]:
    """Yield what a word names, ready to read images on the CPU.

    It is looked for in this order: the folder of an exported network; a recognizer from outside, by
    its name and with its defaults; the beginning of a key or the folder of a training, or of an
    evaluation of it.

    Args:
        word: The word.
        find_store: Returns the store, which is asked for only where a key is looked for.

    Raises:
        BenchError: Nothing has this name, or it cannot read images.
    """
    if _is_exported(Path(word)):
        yield _exported(Path(word))
    elif word in registry.everything("recognizer"):
        recognizer = _recognizer(word)
        cache = find_store().root / "cache" / "read"
        with recognizer.open(Workplace("cpu", _threads(), cache)) as reader:
            yield NamedReader(recognizer.label, reader)
    else:
        yield _trained(word, find_store())


def _is_exported(folder: Path) -> bool:
    # Not by `exported.is_exported`, which would import torch for each recognizer's name.
    return (folder / "model.json").is_file()


def _exported(folder: Path) -> NamedReader:
    from bench.recognizers.networks import load

    loaded = load(folder)
    return NamedReader(loaded.about.title, loaded.samples)


def _recognizer(name: str) -> Recognizer:
    try:
        recognizer = cast("Recognizer", registry.make("recognizer", name, {}))
    except SchemaError as error:
        raise BenchError(
            f"recognizer '{name}' cannot read with its defaults ({error}); name one that can, or a "
            "training"
        ) from None
    if recognizer.accepts != "image" or recognizer.origin == "predictions":
        raise BenchError(f"recognizer '{name}' reads no images; name another, or a training")
    return recognizer


def _trained(key: str, store: Store) -> NamedReader:
    """Return the reader of a training, by greedy decoding."""
    from bench.data.inputs.image_transform import ImageTransform
    from bench.decoding.greedy import GreedyDecoder
    from bench.export.exporting import find_training, separator
    from bench.recognizers.networks.network_reader import NetworkReader

    try:
        training = find_training(store, key)
    except BenchError as error:
        if error.code != Exit.USAGE:
            raise
        names = ", ".join(registry.everything("recognizer"))
        raise BenchError(
            f"{error}; '{key}' is neither an exported folder nor a recognizer ({names})"
        ) from None
    if not isinstance(training.input, ImageInput):
        raise BenchError(
            f"{training.folder}: this network reads clips of frames, not images; name another"
        )
    vocabulary = tuple(training.record.vocabulary)
    reader = NetworkReader(
        training.network,
        ImageTransform(training.input),
        GreedyDecoder().build(training.loss.decoder, vocabulary),
        vocabulary,
        separator=separator(vocabulary),
    )
    return NamedReader(training.title, reader)


def _threads() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
