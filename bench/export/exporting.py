"""Export a finished training to a folder: weights, description, ONNX graph and model card."""

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
"""The fields of a training's provenance in its description."""


def find_training(store: Store, key: str) -> FinishedTraining:
    """Return the finished training with a key.

    Args:
        store: The records.
        key: The beginning of the key of a training or of an evaluation of it, or a folder.

    Raises:
        BenchError: There is no such task or there are several, it failed, or it is the evaluation
            of a recognizer.
    """
    folder, record = store.find(key)
    if isinstance(record, Failure):
        raise BenchError(
            f"{folder}: this task failed ({record.message}), so it has no weights; run its suite "
            "again"
        )
    if isinstance(record, TrainingRecord):
        return FinishedTraining(folder, record)
    if record.training is None:
        raise BenchError(
            f"{folder}: this evaluation is of a recognizer that bench did not train; give the key "
            "of a training"
        )
    return FinishedTraining(*store.training(record.training))


def default_folder(training: FinishedTraining) -> Path:
    """Return the folder to which a training is exported by default."""
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
    """Export a training to a folder, completely or not at all, and return its description.

    Args:
        training: The training.
        store: The records, with those of its evaluations.
        out: The folder, which must be empty or not exist.
        samples: Number of samples on which to compare an ONNX graph with torch; None for no graph.
        faults: A sentence is appended for each record of an evaluation that cannot be read.

    Raises:
        BenchError: The folder is not empty, the weights are missing or altered, or the graph
            cannot be made or differs from torch.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        fault = "is not empty" if out.is_dir() else "is not a folder"
        raise BenchError(f"{out} {fault}; remove it, or name another folder with --out")
    weights = disk.content(training.folder, training.record, disk.WEIGHTS)
    evaluations = evaluations_of(training, store, [] if faults is None else faults)
    graph, described = _graph(training, evaluations, samples) if samples else (b"", None)
    about = describe_network(training, evaluations, weights, described)
    card = model_card(about, out.name, [*standings(store.root, training.record.key)])
    out.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        documents.write_bytes(part / WEIGHTS, weights)
        if graph:
            documents.write_bytes(part / GRAPH, graph)
        documents.write_bytes(part / CARD, card.encode())
        documents.write_bytes(part / DOCUMENT, documents.encode(about))
        part.chmod(0o755)  # a temporary folder is readable by its owner alone
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
        store: The records.
        faults: A sentence is appended for each record that cannot be read.
    """
    return [
        FinishedEvaluation(folder, record, training)
        for folder, record in store.evaluations(faults)
        if record.training == training.record.key
    ]


def describe_network(
    training: FinishedTraining,
    evaluations: Sequence[FinishedEvaluation],
    weights: bytes,
    graph: ExportedGraph | None,
) -> ExportedNetwork:
    """Return the description of a network, which is written to `model.json`.

    Args:
        training: The training.
        evaluations: Its evaluations, whose scores are included.
        weights: The content of the file of weights, for its checksum.
        graph: The description of the ONNX graph; None without one.
    """
    record, family = training.record, training.loss.decoder
    return ExportedNetwork(
        title=training.title,
        model=record.spec["model"],
        loss=record.spec["loss"],
        input=record.spec["input"],
        input_shape=record.input_shape,
        preprocessing=preprocessing_steps(training.input, record.input_shape[0]),
        vocabulary=record.vocabulary,
        separator=token_separator(record.vocabulary),
        decoder_family=family,
        class_0="end of sequence" if family == "seq2seq" else "blank",
        parameters=record.parameters.total,
        weights=hashlib.sha256(weights).hexdigest(),
        training=_training_description(training),
        scores=[_score_description(evaluation.record) for evaluation in evaluations],
        graph=graph,
        bench=bench.__version__,
    )


def token_separator(vocabulary: Sequence[str]) -> str:
    """Return the separator of tokens in texts: a space between glosses, empty for characters."""
    return " " if any(len(token) > 1 for token in vocabulary) else ""


def _training_description(training: FinishedTraining) -> dict[str, Any]:
    """Return the description of a training: its spec, result, and provenance."""
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


def _score_description(record: EvaluationRecord) -> ExportedScore:
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
    """Return the ONNX graph of a training and its description, after comparing it with torch."""
    from bench.export import graph_check, onnx_graph
    from bench.export.input_sizes import input_sizes

    shape, network = InputShape(*training.record.input_shape), training.network
    sizes = input_sizes(training.input, shape, network)
    content = onnx_graph.export_onnx(network, sizes, training.model.name)
    decode = GreedyDecoder().build(training.loss.decoder, tuple(training.record.vocabulary))
    batches, test_label = graph_check.noise_batches(sizes), "noise"
    for evaluation in evaluations:
        # Noise is used if no test set is prepared and unchanged.
        with suppress(BenchError):
            test = _test_batches(evaluation)
            batches = graph_check.first_samples(test, samples)
            test_label = evaluation.record.labels["test"]
            break
    compared = graph_check.compare_with_torch(content, network, batches, decode)
    return content, ExportedGraph(
        sha256=hashlib.sha256(content).hexdigest(),
        inputs=onnx_graph.graph_inputs(sizes),
        outputs=onnx_graph.graph_outputs(sizes),
        opset=onnx_graph.opset_version(content),
        least_length=sizes.min_length,
        compared_on=test_label,
        compared_samples=compared.samples,
        largest_difference=compared.largest_difference,
        different_texts=compared.different_texts,
    )


def _test_batches(evaluation: FinishedEvaluation) -> Iterator[Batch]:
    from bench.data.reading.loading import read_batch

    pipeline = evaluation.pipeline
    batches = pipeline.batches("test", evaluation.training.batch_size)
    return (read_batch(pipeline, batches, index) for index in range(len(batches)))
