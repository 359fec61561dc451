"""A finished training as a folder of its own: weights, description, graph and model card."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bench
from bench.core import documents
from bench.core.errors import BenchError
from bench.core.types import InputShape
from bench.decoding.greedy import GreedyDecoder
from bench.diagnostics.finished import FinishedEvaluation, FinishedTraining
from bench.export.model_card import model_card
from bench.export.preprocessing import preprocessing_steps
from bench.export.standings import standings
from bench.recognizers.networks.exported import (
    CARD,
    DOCUMENT,
    GRAPH,
    WEIGHTS,
    ExportedGraph,
    ExportedNetwork,
    ExportedScore,
)
from bench.trials import store as disk
from bench.trials.records import EvaluationRecord, Failure, TrainingRecord

if TYPE_CHECKING:
    from bench.core.types import Batch
    from bench.trials.store import Store

_ORIGIN = ("bench", "commit", "dirty", "python", "platform", "cpu", "gpu", "device", "finished")
"""What of a training's provenance is copied."""


def find_training(store: Store, key: str) -> FinishedTraining:
    """Return the finished training that a word names.

    Args:
        store: Where the records are.
        key: The beginning of the key of a training or of an evaluation of it, or a folder.

    Raises:
        BenchError: There is none or are several, or the task failed.
    """
    folder, record = store.find(key)
    if isinstance(record, Failure):
        raise BenchError(
            f"{folder}: this task failed ({record.message}), so it left no weights; run its suite "
            "again"
        )
    if isinstance(record, TrainingRecord):
        return FinishedTraining(folder, record)
    if record.training is None:
        raise BenchError(
            f"{folder}: this evaluation is of a recognizer that was not trained here; give the key "
            "of a training"
        )
    return FinishedTraining(*store.training(record.training))


def default_folder(training: FinishedTraining) -> Path:
    """Return where a training is exported to unless a folder is named."""
    record = training.record
    names = [record.spec[part]["name"] for part in ("model", "loss")]
    return Path("exports", "-".join([*names, record.key]))


def export_training(
    training: FinishedTraining,
    store: Store,
    out: Path,
    *,
    samples: int | None = None,
    faults: list[str] | None = None,
) -> ExportedNetwork:
    """Write a training to a folder, which is whole or not there, and return its description.

    Args:
        training: The training.
        store: Where the records of its evaluations are.
        out: The folder; it must not exist, or be empty.
        samples: Write an ONNX graph too, and compare it with torch on so many samples.
        faults: Is given a sentence on each record of an evaluation that cannot be read.

    Raises:
        BenchError: The folder is not empty, the weights are gone or altered, or the graph cannot
            be made or computes something else.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fault = "is not empty" if out.is_dir() else "is not a folder"
        raise BenchError(f"{out} {fault}; remove it, or name another folder with --out")
    weights = disk.content(training.folder, training.record, disk.WEIGHTS)
    evaluations = evaluations_of(training, store, [] if faults is None else faults)
    graph, described = _graph(training, evaluations, samples) if samples else (b"", None)
    about = describe(training, evaluations, weights, described)
    card = model_card(about, out.name, [*standings(store.root, training.record.key)])
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        documents.write_bytes(part / WEIGHTS, weights)
        if graph:
            documents.write_bytes(part / GRAPH, graph)
        documents.write_bytes(part / CARD, card.encode())
        documents.write_bytes(part / DOCUMENT, documents.encode(about))
        part.chmod(0o755)  # a temporary folder is its owner's alone
        part.replace(out)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    return about


def evaluations_of(
    training: FinishedTraining, store: Store, faults: list[str]
) -> list[FinishedEvaluation]:
    """Return the evaluations of a training, in order of their paths.

    Args:
        training: The training.
        store: Where the records are.
        faults: Is given the sentence on each record that cannot be read.
    """
    return [
        FinishedEvaluation(folder, record, training)
        for folder, record in store.evaluations(faults)
        if record.training == training.record.key
    ]


def describe(
    training: FinishedTraining,
    evaluations: Sequence[FinishedEvaluation],
    weights: bytes,
    graph: ExportedGraph | None,
) -> ExportedNetwork:
    """Return what the `model.json` of a training says."""
    record, family = training.record, training.loss.decoder
    return ExportedNetwork(
        title=training.title,
        model=record.spec["model"],
        loss=record.spec["loss"],
        input=record.spec["input"],
        input_shape=record.input_shape,
        preprocessing=preprocessing_steps(training.input, record.input_shape[0]),
        vocabulary=record.vocabulary,
        separator=separator(record.vocabulary),
        decoder_family=family,
        class_0="end of sequence" if family == "seq2seq" else "blank",
        parameters=record.parameters.total,
        weights=hashlib.sha256(weights).hexdigest(),
        training=_training(training),
        scores=[_score(evaluation.record) for evaluation in evaluations],
        graph=graph,
        bench=bench.__version__,
    )


def separator(vocabulary: Sequence[str]) -> str:
    """Return what is between two tokens of a text: a space between glosses."""
    return " " if any(len(token) > 1 for token in vocabulary) else ""


def _training(training: FinishedTraining) -> dict[str, Any]:
    """Return what a training was: all that its key hashes, and where it ran."""
    record = training.record
    origin = record.provenance
    spec = {key: record.spec[key] for key in ("data", "alphabet", "recipe", "seed", "threads")}
    return {
        "key": record.key,
        "labels": record.labels,
        **spec,
        "selected_step": record.selected_step,
        "validation_ler": record.selected.validation_ler,
        "seconds": round(record.seconds, 1),
        "trained_on": record.trained_on,
        "packages": origin.packages,
        **{name: getattr(origin, name) for name in _ORIGIN},
    }


def _score(record: EvaluationRecord) -> ExportedScore:
    protocol = record.spec["protocol"]
    return ExportedScore(
        evaluation=record.key,
        test=record.labels["test"],
        decoder=record.labels["decoder"],
        protocol=f"{protocol['name']} v{protocol['version']}",
        samples=record.samples,
        scores=record.scores,
    )


def _graph(
    training: FinishedTraining, evaluations: Sequence[FinishedEvaluation], samples: int
) -> tuple[bytes, ExportedGraph]:
    """Return the ONNX graph of a training and its description, compared on samples."""
    from bench.export import graph_check, onnx_graph
    from bench.export.input_sizes import input_sizes

    shape, network = InputShape(*training.record.input_shape), training.network
    sizes = input_sizes(training.input, shape, network)
    content = onnx_graph.to_onnx(network, sizes, training.model.name)
    decode = GreedyDecoder().build(training.loss.decoder, tuple(training.record.vocabulary))
    batches, what = graph_check.noise(sizes), "noise"
    for evaluation in evaluations:
        # Of data that are not at hand, or have changed, noise takes the place.
        with suppress(BenchError):
            test = _test_batches(evaluation)
            batches = graph_check.first_samples(test, samples)
            what = evaluation.record.labels["test"]
            break
    compared = graph_check.compare(content, network, batches, decode)
    return content, ExportedGraph(
        sha256=hashlib.sha256(content).hexdigest(),
        inputs=onnx_graph.graph_inputs(sizes),
        outputs=onnx_graph.graph_outputs(sizes),
        opset=onnx_graph.opset(content),
        least_length=sizes.least,
        compared_on=what,
        compared_samples=compared.samples,
        largest_difference=compared.largest_difference,
        different_texts=compared.different_texts,
    )


def _test_batches(evaluation: FinishedEvaluation) -> Iterator[Batch]:
    from bench.data.reading.loading import read_batch

    pipeline = evaluation.pipeline
    batches = pipeline.batches("test", evaluation.training.batch_size)
    return (read_batch(pipeline, batches, place) for place in range(len(batches)))
