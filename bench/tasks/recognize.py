"""Evaluate a recognizer from outside bench: it reads a test split; scores and record result."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from bench.core.errors import BenchError
from bench.core.printable import in_one_line
from bench.core.recognition import Reading, TextReader, Workplace
from bench.data.reading.encoded_samples import encoded_samples
from bench.evaluation.metrics import metric
from bench.evaluation.predictions import Predictions
from bench.tasks.evaluation_record import SplitRead, write_evaluation
from bench.tasks.kept_readings import READINGS, KeptReadings
from bench.tasks.property_columns import with_test_properties
from bench.training import device
from bench.trials.events import Event, Finished, SamplesRead, Started
from bench.trials.records import EvaluationRecord
from bench.trials.store import predictions_of

if TYPE_CHECKING:
    import pyarrow as pa

    from bench.data.reading.encoded_samples import EncodedSamples
    from bench.evaluation.protocols import Protocol
    from bench.trials.records import Attempt
    from bench.trials.specs import RecognizerEvaluation
    from bench.trials.store import Store

MAX_UNREADABLE = 0.5
"""The largest share of transcripts that may have characters outside the recognizer's alphabet."""
UNREADABLE = "transcripts with characters outside the alphabet"
MAX_REMARKS = 20
"""Kinds of remarks in a record; rarer ones are counted together as `OTHER_REMARKS`."""
OTHER_REMARKS = "other remarks"
_MAX_REMARK = 100
"""Characters of a remark that boards print."""
_REPORT_SECONDS = 0.5


def recognize(
    evaluation: RecognizerEvaluation, store: Store, attempts: Sequence[Attempt]
) -> Iterator[Event]:
    """Have a recognizer read the test split, score it and write the record, reporting events.

    Readings are kept on disk batch by batch, so that another attempt reads only the rest. Readings
    of an evaluation under another protocol are reused.

    Raises:
        BenchError: The recognizer cannot be used, or cannot read the test split.
    """
    began = time.perf_counter()
    resources = evaluation.resources
    chosen = device.prepare(resources)
    yield Started(chosen)
    samples = encoded_samples(evaluation.test)
    transcripts = [*samples.transcripts()]
    ids = [reference.id for reference in samples.references]
    if not ids:
        raise BenchError(
            f"dataset '{evaluation.test.label}' has no sample in split 'test'; prepare one that "
            "has, or set its parameters so that it has some"
        )
    read = _read_under_another_protocol(evaluation, store, ids)
    if read is None:
        workplace = Workplace(chosen, resources.cpus, store.answers)
        read = yield from _read_split(evaluation, store, workplace, samples, transcripts)
    unreadable = _count_unreadable(evaluation, read.alphabet, transcripts)
    if unreadable:
        read = replace(read, remarks=read.remarks | {UNREADABLE: unreadable})
    record = write_evaluation(
        store.folder(evaluation),
        evaluation,
        with_test_properties(
            _table(evaluation.protocol, ids, transcripts, read.readings), evaluation.test
        ),
        chosen=chosen,
        began=began,
        attempts=attempts,
        read=read,
    )
    (store.folder(evaluation) / READINGS).unlink(missing_ok=True)
    yield Finished(metric.format_scores(record.scores), record.seconds)


def _read_split(
    evaluation: RecognizerEvaluation,
    store: Store,
    workplace: Workplace,
    samples: EncodedSamples,
    transcripts: Sequence[str],
) -> Generator[SamplesRead, None, SplitRead]:
    """Open the recognizer and have it read the samples that no earlier attempt has read."""
    batch_size = evaluation.resources.batch_size
    ids = [reference.id for reference in samples.references]
    kept = KeptReadings(store.folder(evaluation), ids, batch_size)
    with evaluation.recognizer.open(workplace) as reader:
        reader.begin(ids)
        # Before anything is read, because an alphabet that is too small is an error.
        _count_unreadable(evaluation, reader.alphabet, transcripts)
        yield from _read(reader, samples, kept, batch_size)
        remarks = Counter(reader.remarks())
        remarks.update(reading.remark for reading in kept.readings if reading.remark)
        prices = [reading.price for reading in kept.readings if reading.price is not None]
        return SplitRead(
            kept.readings,
            _remarks_for_boards(remarks),
            None if reader.alphabet is None else "".join(sorted(reader.alphabet)),
            reader.parameters,
            sum(prices) if prices else None,
        )


def _remarks_for_boards(remarks: Counter[str]) -> dict[str, int]:
    """Return remarks as boards print them: few, short, in one line, without control characters."""
    counts = Counter[str]()
    for remark, count in remarks.items():
        counts[in_one_line(remark, _MAX_REMARK)] += count
    frequent = dict(counts.most_common(MAX_REMARKS))
    others = counts.total() - sum(frequent.values())
    return frequent | ({OTHER_REMARKS: others} if others else {})


def _read_under_another_protocol(
    evaluation: RecognizerEvaluation, store: Store, ids: Sequence[str]
) -> SplitRead | None:
    """Return the readings of an evaluation that differs only in its protocol, or None.

    Readings do not depend on the protocol. With `--force`, and if the other evaluation was accepted
    from a pack, nothing is reused: the record has to describe the machine that has read the split.
    """
    if store.record(evaluation):
        return None
    for record in store.siblings(evaluation):
        if (
            not isinstance(record, EvaluationRecord)
            or record.accepted
            or any(record.spec[part] != evaluation.spec[part] for part in ("recognizer", "test"))
        ):
            continue
        folder = store.folder(evaluation).parent / f"seed{record.seed}-{record.key}"
        with suppress(BenchError):
            table = predictions_of(folder, record)
            if table["id"].to_pylist() != [*ids]:
                continue
            columns = (table[name].to_pylist() for name in ("hypothesis", "confidence"))
            readings = [
                Reading(text, confidence) for text, confidence in zip(*columns, strict=True)
            ]
            remarks = {**record.remarks}
            remarks.pop(UNREADABLE, None)
            return SplitRead(readings, remarks, record.alphabet, record.parameters, record.price)
    return None


def _read(
    reader: TextReader, samples: EncodedSamples, kept: KeptReadings, batch_size: int
) -> Iterator[SamplesRead]:
    """Read the remaining samples, batch by batch."""
    first, began, reported = len(kept.readings), time.monotonic(), 0.0
    for start in range(first, len(samples), batch_size):
        batch = samples[start : start + batch_size]
        readings = reader.read(batch)
        if len(readings) != len(batch):
            raise BenchError(
                f"the recognizer returned {len(readings)} texts for {len(batch)} images; it has to "
                "return one per image"
            )
        kept.add(readings)
        now = time.monotonic()
        if now - reported >= _REPORT_SECONDS:
            reported, done = now, len(kept.readings)
            speed = (done - first) / max(now - began, 1e-9)
            yield SamplesRead(done, len(samples), speed, (len(samples) - done) / speed)


def _count_unreadable(
    evaluation: RecognizerEvaluation,
    alphabet: Collection[str] | None,
    transcripts: Sequence[str],
) -> int:
    """Return how many transcripts have a character that the recognizer cannot read.

    Raises:
        BenchError: They are more than the share `MAX_UNREADABLE`.
    """
    if alphabet is None:
        return 0
    normalize = evaluation.protocol.normalize
    # A protocol may strip spaces at the ends and keep them within a text.
    readable = {letter for character in alphabet for letter in normalize(character)} | {*alphabet}
    missing = Counter[str]()
    count = 0
    for transcript in transcripts:
        unknown = {*normalize(transcript)} - readable
        missing.update(unknown)
        count += bool(unknown)
    if count > MAX_UNREADABLE * len(transcripts):
        listed = " ".join(repr(character) for character, _ in missing.most_common(10))
        raise BenchError(
            f"the alphabet of recognizer '{evaluation.recognizer.label}' lacks characters of "
            f"{count:,} of {len(transcripts):,} transcripts of '{evaluation.test.label}' (most "
            f"often {listed}); correct its alphabet, or test on other data"
        )
    return count


def _table(
    protocol: Protocol, ids: Sequence[str], transcripts: Sequence[str], readings: Sequence[Reading]
) -> pa.Table:
    rows = Predictions(protocol)
    for identity, transcript, reading in zip(ids, transcripts, readings, strict=True):
        rows.add(identity, transcript, reading.text, confidence=reading.confidence)
    return rows.table()
