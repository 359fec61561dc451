"""Files of predictions as recognizers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from bench.core.components import Recognizer
from bench.core.errors import BenchError
from bench.core.files import InputFile, existing_file
from bench.core.printable import quoted
from bench.core.recognition import Reading, TextReader, Workplace

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.outside.prediction_tables import Prediction

MISSING = Reading("", remark="missing")
"""The reading of a sample that is not in the file."""


@dataclass(frozen=True)
class PredictionsRecognizer(Recognizer):
    """A file with texts that were read by others.

    Args:
        predictions: A CSV, TSV, JSON lines or Parquet file with an id and a text per sample, and
            optionally `confidence` and `seconds`. `predictions.parquet` of an evaluation is one.
        id: The column of ids; None for the column with a usual name, see `bench docs recognizers`.
        text: The column of texts; None for the column with a usual name.
        header: Whether the first line of a CSV or TSV has the names of the columns. Without it,
            each line is an id and a text.
    """

    name: ClassVar[str] = "predictions"
    origin: ClassVar[Literal["pretrained", "predictions"]] = "predictions"
    timed: ClassVar[bool] = False

    predictions: InputFile
    id: str | None = None
    text: str | None = None
    header: bool = True

    def __post_init__(self) -> None:
        """Raise BenchError if columns are named, but the file has no header."""
        if not self.header and (self.id or self.text):
            raise BenchError(
                f"recognizer '{self.name}': header = false leaves columns without names; remove it "
                f"or '{'id' if self.id else 'text'}'"
            )

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:  # noqa: ARG002
        """Read the file and yield a reader that looks up samples in it."""
        from bench.recognizers.outside.prediction_tables import FileColumns, read_prediction_file

        file = existing_file(self.predictions, f"recognizer '{self.name}'")
        columns = FileColumns(self.id, self.text, self.header)
        yield _PredictionsReader(file, read_prediction_file(file, columns))


class _PredictionsReader(TextReader):
    """Looks up the predictions of samples in a file."""

    def __init__(self, file: Path, predictions: Iterator[Prediction]) -> None:
        self._file = file
        self._by_id, self._repeated = _by_id(file, predictions)
        self._readings: dict[str, Prediction] | None = None
        self._remarks: dict[str, int] = {}

    def begin(self, ids: Sequence[str]) -> None:
        """Match the ids of the file with those of the split.

        Raises:
            BenchError: No id matches.
        """
        from bench.recognizers.outside.matching_ids import match_ids

        match = match_ids([*self._by_id], ids)
        if not match.sample_ids and ids:
            raise BenchError(
                f"{self._file}: none of its {len(self._by_id):,} ids is one of the {len(ids):,} "
                f"of the split: it has {_examples(self._by_id)}, the split has {_examples(ids)}; "
                "write the ids of the split"
            )
        self._readings = {ours: self._by_id[theirs] for theirs, ours in match.sample_ids.items()}
        self._remarks = {
            "unknown ids": len(self._by_id) - len(match.sample_ids),
            "repeated ids": self._repeated,
        }
        if match.rule != "ids":
            self._remarks[f"compared by {match.rule}"] = len(match.sample_ids)

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return the prediction of each sample; `MISSING` for a sample that is not in the file."""
        if self._readings is None:
            raise RuntimeError("call begin with all ids of the split before read")
        return [self._reading(sample.id) for sample in samples]

    def remarks(self) -> Mapping[str, int]:
        """Return the numbers of unknown and repeated ids, and of ids matched by another rule."""
        return {remark: count for remark, count in self._remarks.items() if count}

    def _reading(self, sample: str) -> Reading:
        from bench.recognizers.outside.reading_check import checked_reading

        prediction = (self._readings or {}).get(sample)
        if prediction is None:
            return MISSING
        where = f"{self._file}: {prediction.position}"
        return checked_reading(prediction.text, sample, where, **prediction.numbers)


def _by_id(file: Path, predictions: Iterator[Prediction]) -> tuple[dict[str, Prediction], int]:
    """Return the predictions by id, and the number of ids that occur more than once."""
    by_id: dict[str, Prediction] = {}
    times: Counter[str] = Counter()
    for prediction in predictions:
        first = by_id.setdefault(prediction.id, prediction)
        times[prediction.id] += 1
        if first.text != prediction.text:
            raise BenchError(
                f"{file}: {quoted(prediction.id)} has two texts, {quoted(first.text)} in "
                f"{first.position} and {quoted(prediction.text)} in {prediction.position}; remove "
                "one"
            )
    if not by_id:
        raise BenchError(f"{file}: the file has no prediction; write an id and a text per sample")
    return by_id, sum(count > 1 for count in times.values())


def _examples(ids: Mapping[str, object] | Sequence[str]) -> str:
    examples = [quoted(name, 60) for name in islice(ids, 3)]
    return ", ".join(examples) + (", …" if len(ids) > len(examples) else "")
