"""Counts of samples and their file."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from bench.core.errors import BenchError, Exit
from bench.leaderboards.samples import column_counts, samples_file
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.trials.store import EVALUATION, PREDICTIONS, read_record

from ..conftest import FIRST, SAMPLES

IDS = st.lists(
    st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5, unique=True
)


@st.composite
def tables(draw) -> ColumnCounts:
    ids = draw(IDS)
    numbers = st.lists(st.integers(-(2**40), 2**40), min_size=len(ids), max_size=len(ids))
    metrics = draw(st.lists(st.sampled_from(["cer", "wer", "map"]), min_size=1, unique=True))
    keys = draw(st.lists(st.sampled_from(["a1", "b2"]), min_size=1, unique=True))
    return ColumnCounts.build(
        ids,
        {metric: [abs(number) for number in draw(numbers)] for metric in metrics},
        # Not every metric is defined for each evaluation.
        {
            metric: {key: draw(numbers) for key in keys[place % 2 :]} or {keys[0]: draw(numbers)}
            for place, metric in enumerate(metrics)
        },
        {"case": draw(st.lists(st.text("ab"), min_size=len(ids), max_size=len(ids)))},
    )


@given(tables())
def test_counts_are_unchanged_after_writing_and_reading(counts):
    again = samples_file.counts_from_bytes(samples_file.counts_to_bytes(counts))
    assert again.same_as(counts)
    assert {name: values.tolist() for name, values in again.properties.items()} == {
        name: values.tolist() for name, values in counts.properties.items()
    }


@given(tables())
def test_the_file_does_not_depend_on_the_order_of_evaluations(counts):
    turned = ColumnCounts(
        counts.ids,
        dict(reversed(counts.denominators.items())),
        {metric: dict(reversed(keys.items())) for metric, keys in counts.numerators.items()},
        properties=counts.properties,
    )
    assert samples_file.counts_to_bytes(turned) == samples_file.counts_to_bytes(counts)


def parquet_of(columns: dict[str, pa.Array], metadata: object) -> bytes:
    table = pa.table(columns).replace_schema_metadata({b"bench.samples": json.dumps(metadata)})
    stream = io.BytesIO()
    parquet.write_table(table, stream)
    return stream.getvalue()


NAMES = pa.array(["a", "b"])
OF_CER = pa.array([1, 2])
COUNTS = pa.array(["0", "1"]).dictionary_encode()
CER = {"metrics": ["cer"], "lacking": [], "names": ""}
ODD_TEXTS = (["0", "x"], ["0", "1 1"], ["0", "-"], ["0", "9" * 30], ["0", None])


def test_a_file_of_another_parquet_writer_is_read():
    counts = samples_file.counts_from_bytes(
        parquet_of({"sample": NAMES, "cer/of": OF_CER, "k": COUNTS}, CER)
    )
    assert counts.value("cer", "k") == 1 / 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PAR1",
        parquet_of({"sample": NAMES, "cer/of": OF_CER, "k": COUNTS}, None),
        parquet_of({"sample": NAMES, "cer/of": OF_CER, "k": COUNTS}, {"metrics": [1], "names": ""}),
        parquet_of({"sample": NAMES, "cer/of": OF_CER}, CER),
        parquet_of({"sample": NAMES, "k": COUNTS}, CER),
        parquet_of({"cer/of": OF_CER, "k": COUNTS}, CER),
        parquet_of({"sample": pa.array(["a", "a"]), "cer/of": OF_CER, "k": COUNTS}, CER),
        parquet_of({"sample": NAMES, "cer/of": pa.array([1, -2]), "k": COUNTS}, CER),
        parquet_of({"sample": NAMES, "cer/of": OF_CER, "k": pa.array([0, 1])}, CER),
        parquet_of({"sample": NAMES, "cer/of": pa.array([1, None]), "k": COUNTS}, CER),
        *(
            parquet_of({"sample": NAMES, "cer/of": OF_CER, "k": texts.dictionary_encode()}, CER)
            for texts in map(pa.array, ODD_TEXTS)
        ),
    ],
)  # fmt: skip
def test_a_file_that_bench_did_not_write_is_reported(tmp_path, content):
    file = tmp_path / samples_file.samples_file_name("x")
    file.write_bytes(content)
    with pytest.raises(BenchError, match="not a file of samples of a board") as raised:
        samples_file.read_counts(tmp_path, ["x", "absent"])
    assert raised.value.code == Exit.UNVERIFIED


def test_a_file_that_would_take_too_much_memory_is_refused(tmp_path):
    rows = 10**7 + 1
    zeros = pa.DictionaryArray.from_arrays(np.zeros(rows, dtype=np.int8), pa.array(["0"]))
    (tmp_path / samples_file.samples_file_name("x")).write_bytes(parquet_of({"k": zeros}, CER))
    with pytest.raises(BenchError, match="more than 10,000,000 rows"):
        samples_file.read_counts(tmp_path, ["x"])


def test_many_samples_are_ordered_by_ids_which_are_left_out(monkeypatch):
    monkeypatch.setattr(column_counts, "MAX_LISTED_IDS", 2)
    given = (["c", "a", "b"], {"cer": [3, 1, 2]}, {"cer": {"k": [1, 0, 300]}})
    counts = ColumnCounts.build(*given)
    assert (counts.ids, counts.samples) == ([], 3)
    assert counts.numerators["cer"]["k"].tolist() == [0, 300, 1]
    assert samples_file.counts_from_bytes(samples_file.counts_to_bytes(counts)).same_as(counts)
    with pytest.raises(ValueError, match="samples differ"):
        counts.add(ColumnCounts.build(["c", "a", "d"], *given[1:]))


@given(st.sets(st.text(min_size=1, max_size=8), max_size=4))
def test_each_column_has_a_file_of_its_own_in_the_folder(columns):
    names = {samples_file.samples_file_name(column) for column in columns}
    assert len(names) == len(columns)
    assert not any("/" in name for name in names)


def test_counts_of_other_samples_are_not_added():
    counts = ColumnCounts.build(["a"], {"cer": [2]}, {"cer": {"k": [1]}})
    with pytest.raises(ValueError, match="samples differ"):
        counts.add(ColumnCounts(["b"]))
    with pytest.raises(ValueError, match="denominators of cer differ"):
        counts.add(ColumnCounts.build(["a"], {"cer": [3]}, {"cer": {"l": [1]}}))


def test_properties_of_samples_must_agree_between_evaluations():
    def counts_of(key, **properties):
        return ColumnCounts.build(["a", "b"], {"cer": [2, 2]}, {"cer": {key: [1, 0]}}, properties)

    counts = counts_of("k")
    counts.add(counts_of("l", writer=["x", "y"]))
    assert counts.properties["writer"].tolist() == ["x", "y"]
    assert counts.only_evaluations(["k"]).same_as(counts_of("k"))
    assert not counts.only_evaluations(["k"]).same_as(counts_of("k", writer=["y", "x"]))
    with pytest.raises(ValueError, match="properties of samples \\(writer\\) differ"):
        counts.add(counts_of("m", writer=["y", "x"]))


@pytest.mark.parametrize("name", ["\x1b[2J", "a" * 1000])
def test_a_group_that_cannot_be_printed_is_refused(name):
    counts = ColumnCounts.build(["a"], {"cer": [2]}, {"cer": {"k": [1]}}, {"writer": [name]})
    with pytest.raises(ValueError, match="has a group with an unprintable or long name"):
        samples_file.counts_from_bytes(samples_file.counts_to_bytes(counts))


def test_a_record_gives_the_counts_of_the_scored_samples(store, finished):
    evaluation = finished[0].evaluations[FIRST]
    folder = store.folder(evaluation)
    record = read_record(folder / EVALUATION)
    counts = column_counts.counts_of_record(record, folder)
    assert len(counts.ids) == SAMPLES
    assert "empty" not in counts.ids
    assert {m: counts.value(m, record.key) for m in counts.numerators} == record.scores
    assert counts.has(record.key)
    assert not counts.only_evaluations([]).has(record.key)


@pytest.mark.parametrize("content", [None, b"PAR1", b""])
def test_missing_or_altered_predictions_are_reported(store, finished, content):
    folder = store.folder(finished[0].evaluations[FIRST])
    (folder / PREDICTIONS).unlink()
    if content is not None:
        (folder / PREDICTIONS).write_bytes(content)
    with pytest.raises(BenchError, match=PREDICTIONS) as raised:
        column_counts.counts_of_record(read_record(folder / EVALUATION), folder)
    assert raised.value.code == Exit.UNVERIFIED
