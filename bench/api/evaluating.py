"""Evaluations of anything that reads images, without a record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from bench.api.predictions import Predictions
from bench.api.workspace import PathLike, Workspace, open_workspace, readable_errors
from bench.core.errors import BenchError
from bench.core.recognition import TextReader

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from bench.core.components import Dataset
    from bench.core.recognition import Reading
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.diagnostics.finished import FinishedTraining
    from bench.evaluation.protocols import Protocol as ScoringRules

    Images = list[NDArray[np.uint8]]
    Texts = Sequence[str | Reading]


class ImageReader(Protocol):
    """An object that reads images, such as an exported network."""

    def read(self, images: Any) -> Texts:  # noqa: ANN401 (a reader may take files too)
        """Return a text per image; an image is red, green and blue (H, W, 3), 0 to 255."""
        ...


Reader = str | Callable[["Images"], "Texts"] | ImageReader


def evaluate(
    reader: Reader,
    test: str | dict[str, Any],
    *,
    protocol: str | ScoringRules,
    batch_size: int = 32,
    limit: int | None = None,
    config: PathLike | None = None,
    results: PathLike | None = None,
    data: PathLike | None = None,
) -> Predictions:
    """Read a test split with a function, network or recognizer, and score it, without a record.

    A row on a board needs an evaluation of a suite: see `bench docs recognizers`.

    Args:
        reader: A function from a list of images to a list of texts, or an object with such a method
            `read`; images are red, green and blue (H, W, 3), 0 to 255. Or a word as `bench read`
            takes it: the key of a training, the folder of an exported network, the name of a
            recognizer, or SUITE/ROW. A training reads on the CPU, decoded greedily.
        test: The name of a data set of bench or bench.toml, or a table of `name` and parameters, as
            in bench.toml. Its test split is read.
        protocol: The name of a protocol of bench or bench.toml.
        batch_size: How many images the reader is given at once; a training has its own.
        limit: Read the first images only; None reads all. Not for a training.
        config: The bench.toml; by default the nearest one at or above the working folder.
        results: The folder of records; by default `results` beside bench.toml.
        data: The folder of prepared data; by default `data` beside bench.toml.

    Raises:
        BenchError: The data set is not prepared, or the reader does not return a text per image.

    Examples:
        >>> key = bench.load_board("quick").evaluations()["key"][0].as_py()
        >>> test = {"name": "seq-digits", "digits": 2, "rounds": 1}
        >>> scores = bench.evaluate(key, test, protocol="digits").scores
        >>> scores.samples, 0 <= scores["cer"].value
        (179, True)
    """
    workspace = open_workspace(config, results, data)
    rules = workspace.config.protocol(protocol) if isinstance(protocol, str) else protocol
    parameters = {"name": test} if isinstance(test, str) else {**test}
    dataset = workspace.config.dataset(str(parameters.pop("name", "")), parameters)
    with readable_errors():
        if isinstance(reader, str) and (training := _training(reader, workspace)):
            if limit is not None:
                raise BenchError("a training reads the whole split; omit 'limit'")
            return Predictions(
                f"{training.title} on {dataset.label}",
                _read_by_training(training, dataset, rules),
                rules,
            )
        with _opened(reader, workspace) as (title, opened):
            table = _read_by_reader(opened, dataset, rules, batch_size, limit)
            return Predictions(f"{title} on {dataset.label}", table, rules)


def _training(word: str, workspace: Workspace) -> FinishedTraining | None:
    """Return the finished training of a key or folder; None where it is neither."""
    from bench.export.exporting import find_training

    try:
        return find_training(workspace.store, word)
    except BenchError:
        return None


def _read_by_training(
    training: FinishedTraining, test: Dataset, protocol: ScoringRules
) -> pa.Table:
    from bench.data.opening import open_test
    from bench.decoding.greedy import GreedyDecoder
    from bench.tasks.evaluate import NetworkReading, restore_network
    from bench.training import device

    encoder = test.label_encoder(training.alphabet)
    learned = replace(encoder, vocabulary=tuple(training.record.vocabulary))
    pipeline = open_test(test, training.input, learned)
    # Not `training.network`: torch computes an LSTM whose weights are frozen in another way.
    network = restore_network(training.model, training.loss, training.folder, training.record)
    reading = NetworkReading(network, GreedyDecoder(), training.loss.decoder, training.batch_size)
    # In as many threads as the training, so that it reads what an evaluation of it reads.
    with device.configured_torch(training.record.spec["threads"]):
        return reading.predictions(test, pipeline, protocol, "cpu")


@contextmanager
def _opened(reader: Reader, workspace: Workspace) -> Iterator[tuple[str, TextReader]]:
    """Yield what reads, ready to read, and what a person calls it."""
    if isinstance(reader, str):
        from bench.export.named_readers import open_named_reader

        with open_named_reader(reader, lambda: workspace.config) as named:
            yield named
        return
    read = reader if callable(reader) else getattr(reader, "read", None)
    if read is None:
        raise BenchError(
            f"a value of type {type(reader).__name__} reads nothing; give a function from images "
            "to texts, an object with such a method 'read', or a key"
        )
    name = getattr(reader, "__name__", type(reader).__name__)
    yield name, _FunctionReader(read, name)


class _FunctionReader(TextReader):
    """Calls a function with the pixels of a batch, and checks what it returns."""

    def __init__(self, function: Callable[[Images], Texts], name: str) -> None:
        self._function = function
        self._name = name

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return what the function reads of the pixels."""
        from bench.recognizers.outside.reading_check import checked_readings

        read = self._function([sample.pixels(3) for sample in samples])
        return checked_readings(read, [sample.id for sample in samples], self._name)


def _read_by_reader(
    reader: TextReader,
    test: Dataset,
    protocol: ScoringRules,
    batch_size: int,
    limit: int | None,
) -> pa.Table:
    from bench.data.reading.encoded_samples import encoded_samples
    from bench.evaluation.predictions import Predictions as Rows

    samples = encoded_samples(test)
    references = samples.references[:limit]
    reader.begin([reference.id for reference in references])
    rows = Rows(protocol)
    for first in range(0, len(references), batch_size):
        batch = references[first : first + batch_size]
        readings = reader.read(samples[first : first + len(batch)])
        for reference, reading in zip(batch, readings, strict=True):
            rows.add(reference.id, reference.text, reading.text, confidence=reading.confidence)
    return rows.table()
