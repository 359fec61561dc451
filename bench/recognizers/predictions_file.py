"""A recognizer that is a file of what others have read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
"""Of a sample that the file does not have: nothing was read."""


@dataclass(frozen=True)
class PredictionsRecognizer(Recognizer):
    """A file of predictions: what others have read of each sample.

    Args:
        predictions: A CSV, TSV, JSON lines or Parquet file with an id and a text per sample, and
            perhaps `confidence` and `seconds`; also `predictions.parquet` of an evaluation.
        id: The column of ids; None: the one that is called so, see `bench docs recognizers`.
        text: The column of texts; None: the one that is called so.
        header: Whether the first line of a CSV or TSV names its columns; else a line is an id and a
            text.
    """

    name: ClassVar[str] = "predictions"
    origin: ClassVar[Literal["pretrained", "predictions"]] = "predictions"
    timed: ClassVar[bool] = False

    predictions: InputFile
    id: str | None = None
    text: str | None = None
    header: bool = True

    def __post_init__(self) -> None:
        """Raise BenchError where columns have names, but no line that has them."""
        if not self.header and (self.id or self.text):
            raise BenchError(
                f"recognizer '{self.name}': without a header, columns have no names; remove "
                f"'{'id' if self.id else 'text'}' or header = false"
            )

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:  # noqa: ARG002
        """Read the file."""
        from bench.recognizers.outside.prediction_tables import Columns, read_prediction_file

        file = existing_file(self.predictions, f"recognizer '{self.name}'")
        columns = Columns(self.id, self.text, self.header)
        yield _PredictionsReader(file, read_prediction_file(file, columns))


class _PredictionsReader(TextReader):
    """Looks up what a file says of each sample."""

    def __init__(self, file: Path, predictions: Iterator[Prediction]) -> None:
        self._file = file
        self._by_id, self._repeated = _by_id(file, predictions)
        self._readings: dict[str, Prediction] | None = None
        self._remarks: dict[str, int] = {}

    def begin(self, ids: Sequence[str]) -> None:
        """Match the ids of the file with those of the split.

        Raises:
            BenchError: None of them matches.
        """
        from bench.recognizers.outside.matching_ids import match_ids

        match = match_ids([*self._by_id], ids)
        if not match.known and ids:
            raise BenchError(
                f"{self._file}: none of its {len(self._by_id):,} ids is one of the {len(ids):,} "
                f"of the split: it has {_examples(self._by_id)}, the split has {_examples(ids)}; "
                "write the ids of the split"
            )
        self._readings = {ours: self._by_id[theirs] for theirs, ours in match.known.items()}
        self._remarks = {
            "unknown ids": len(self._by_id) - len(match.known),
            "repeated ids": self._repeated,
        }
        if match.rule != "ids":
            self._remarks[f"compared by {match.rule}"] = len(match.known)

    def read(self, samples: Sequence[EncodedSample]) -> list[Reading]:
        """Return what the file says of each sample; `MISSING` where it says nothing."""
        if self._readings is None:
            raise RuntimeError("call begin with all ids of the split before read")
        return [self._reading(sample.id) for sample in samples]

    def remarks(self) -> Mapping[str, int]:
        """Return how many ids no sample has, how many repeat, and how ids were compared."""
        return {remark: count for remark, count in self._remarks.items() if count}

    def _reading(self, sample: str) -> Reading:
        from bench.recognizers.outside.reading_check import checked_reading

        prediction = (self._readings or {}).get(sample)
        if prediction is None:
            return MISSING
        where = f"{self._file}: {prediction.place}"
        return checked_reading(prediction.text, sample, where, **prediction.numbers)


def _by_id(file: Path, predictions: Iterator[Prediction]) -> tuple[dict[str, Prediction], int]:
    """Return the predictions by id, and how many ids stand in the file more than once."""
    by_id: dict[str, Prediction] = {}
    times: Counter[str] = Counter()
    for prediction in predictions:
        first = by_id.setdefault(prediction.id, prediction)
        times[prediction.id] += 1
        if first.text != prediction.text:
            raise BenchError(
                f"{file}: {quoted(prediction.id)} has two texts, {quoted(first.text)} in "
                f"{first.place} and {quoted(prediction.text)} in {prediction.place}; remove one"
            )
    if not by_id:
        raise BenchError(f"{file}: it has no prediction; write an id and a text per sample")
    return by_id, sum(count > 1 for count in times.values())


def _examples(ids: Mapping[str, object] | Sequence[str]) -> str:
    shown = [quoted(name, 60) for name, _ in zip(ids, range(3), strict=False)]
    return ", ".join(shown) + (", …" if len(ids) > len(shown) else "")
