"""Details of single samples, in scripts that the page of a board loads on demand.

They are scripts because a page that is opened as a file may load scripts, but may not fetch data.
Each part of a board is a script in the folder `parts` that calls `benchPart` with its name and
content:

`<key>`           the samples with the most errors, the most frequent edits, pictures
`<key>-errors`    one bit per sample: whether it was read with an error
`<key>-<n>`       texts of the samples with errors, among the n-th `CHUNK` samples

`<key>` is the key of an evaluation. Samples are numbered in the order of their ids.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.core.errors import BenchError, one_line
from bench.core.printable import shortened
from bench.leaderboards.web.document import inline_json
from bench.trials.records import EvaluationRecord
from bench.trials.store import EVALUATION, predictions_of, read

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from bench.evaluation.protocols import Protocol
    from bench.leaderboards.board import Board
    from bench.leaderboards.web.site import Site
    from bench.trials.store import Store

CHUNK = 1000
_MAX_WORST = 20
_MAX_EDITS = 40
_MAX_ALIGNED = 20_000
"""Edits are counted in at most this many samples with errors."""
_MAX_TEXT = 200
_MAX_DRAWN, _MAX_DRAWN_BYTES = 4, 150_000
_MAX_CACHED_EVALUATIONS = 4


def evaluation_folders(store: Store) -> dict[str, Path]:
    """Return the folder of each evaluation with a record, by its key."""
    files = store.records("evaluation")
    return {file.parent.name.rpartition("-")[2]: file.parent for file in files}


def parts_manifest(board: Board, available: dict[str, Path]) -> dict[str, Any]:
    """Return the list of a board's parts that its page reads, as a JSON value.

    Args:
        board: The board.
        available: The folders of evaluations with a record, by key.
    """
    keys = [key for row in board.rows for key in row.evaluations.values()]
    return {"evaluations": [key for key in keys if key in available]}


def board_parts(board: Board, available: dict[str, Path]) -> Site:
    """Return the parts of a board, by their paths from its page.

    Args:
        board: The board.
        available: The folders of evaluations with a record, by key.
    """
    sizes = {each.name: (each.samples or 0) + sum(each.excluded.values()) for each in board.columns}
    site: dict[str, Callable[[], bytes]] = {}

    def add(name: str, folder: Path, content: Callable[[Evaluation], dict[str, Any]]) -> None:
        site[f"parts/{name}.js"] = partial(_script, name, folder, content)

    for row in board.rows:
        for (_, column), key in row.evaluations.items():
            if key not in available or column not in sizes:
                continue
            folder = available[key]
            add(key, folder, _details)
            add(f"{key}-errors", folder, _errors)
            for number in range(-(-sizes[column] // CHUNK)):
                add(f"{key}-{number}", folder, partial(_texts, number))
    return site


@dataclass(frozen=True)
class Evaluation:
    """The predictions of an evaluation on the N samples of its test set.

    Attributes:
        folder: The folder of its record.
        record: Its record.
        protocol: The protocol of its scores.
        table: Its predictions, in order of sample ids.
        errors: The number of errors of each sample, (N,).
    """

    folder: Path
    record: EvaluationRecord
    protocol: Protocol
    table: pa.Table
    errors: NDArray[np.int64]

    @cached_property
    def wrong(self) -> NDArray[np.int64]:
        """The indices of the samples with errors."""
        return np.flatnonzero(self.errors > 0)

    def texts(self, numbers: NDArray[np.int64]) -> list[dict[str, str]]:
        """Return id, reference and hypothesis of samples, given by their indices."""
        rows = self.table.select(["id", "reference", "hypothesis"]).take(numbers).to_pylist()
        return [
            {name: shortened(value or "", _MAX_TEXT) for name, value in row.items()} for row in rows
        ]


def _script(name: str, folder: Path, content: Callable[[Evaluation], dict[str, Any]]) -> bytes:
    """Return the script of a part; if the evaluation cannot be read, it has the fault."""
    try:
        file = folder / EVALUATION
        data = content(_evaluation(folder, file.stat().st_mtime_ns))
    except (BenchError, OSError) as error:
        data = {"fault": one_line(error)}
    return f"benchPart({inline_json(name)},{inline_json(data)});\n".encode()


@lru_cache(maxsize=_MAX_CACHED_EVALUATIONS)
def _evaluation(folder: Path, _written: int) -> Evaluation:
    """Read an evaluation; `_written`, the time of its record, makes the cache read later ones."""
    from bench.evaluation import predictions, protocols

    record = read(folder / EVALUATION, EvaluationRecord)
    protocol = protocols.protocol_from_spec(record.spec["protocol"], record.spec["metrics"])
    table = predictions_of(folder, record)
    ids = table["id"].to_pylist()
    table = table.take(sorted(range(len(ids)), key=ids.__getitem__))
    metric = predictions.error_metric(protocol)
    above, below = (
        np.nan_to_num(table[name].to_numpy()).astype(np.int64)
        for name in (metric.name, f"{metric.name}/of")
    )
    errors = below - above if metric.higher_is_better else above
    return Evaluation(folder, record, protocol, table, errors)


def _details(evaluation: Evaluation) -> dict[str, Any]:
    from bench.leaderboards.web.pictures import sample_pictures

    wrong = evaluation.wrong
    worst = wrong[np.argsort(-evaluation.errors[wrong], kind="stable")[:_MAX_WORST]]
    samples = evaluation.texts(worst)
    ids = evaluation.table["id"].take(worst).to_pylist()
    try:
        pictures = sample_pictures(evaluation.record.spec["test"], ids)
        why_none = ""
    except BenchError as error:
        # The data set is not prepared on this machine, or has changed.
        pictures, why_none = {}, one_line(error)
    return {
        "worst": [
            sample | {"errors": int(evaluation.errors[number]), "picture": pictures.get(identity)}
            for sample, number, identity in zip(samples, worst, ids, strict=True)
        ],
        "whyNoPictures": why_none,
        "confusions": _edits(evaluation),
        "drawn": _drawn(evaluation.folder),
    }


def _errors(evaluation: Evaluation) -> dict[str, Any]:
    bits = np.packbits(evaluation.errors > 0, bitorder="little")
    return {
        "samples": len(evaluation.errors),
        "chunk": CHUNK,
        "wrong": base64.b64encode(bits.tobytes()).decode(),
    }


def _texts(chunk: int, evaluation: Evaluation) -> dict[str, Any]:
    start, end = np.searchsorted(evaluation.wrong, [chunk * CHUNK, (chunk + 1) * CHUNK])
    numbers = evaluation.wrong[start:end]
    rows = zip(numbers.tolist(), evaluation.texts(numbers), strict=True)
    return {"wrong": {number: [*row.values()] for number, row in rows}}


def _edits(evaluation: Evaluation) -> list[list[Any]]:
    """Return the most frequent edits: unit of the reference, unit read for it, and count."""
    from bench.evaluation.metrics.readings import normalize_samples

    table = evaluation.table.take(evaluation.wrong[:_MAX_ALIGNED])
    columns = [table[name].to_pylist() for name in ("id", "reference", "hypothesis")]
    _, _, readings = normalize_samples(evaluation.protocol, *columns)
    counted = Counter(edit for edits in readings.alignments for edit in edits)
    return [
        [*(None if unit is None else shortened(unit, _MAX_TEXT) for unit in edit), count]
        for edit, count in counted.most_common(_MAX_EDITS)
    ]


def _drawn(folder: Path) -> list[list[str]]:
    """Return the pictures of an evaluation that `bench show` drew: names and data URLs."""
    files = sorted((folder / "figures").glob("*.png"))
    small = [file for file in files if file.stat().st_size <= _MAX_DRAWN_BYTES]
    return [
        [
            shortened(file.stem, _MAX_TEXT),
            f"data:image/png;base64,{base64.b64encode(file.read_bytes()).decode()}",
        ]
        for file in small[:_MAX_DRAWN]
    ]
