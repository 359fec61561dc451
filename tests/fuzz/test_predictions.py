"""Whatever is in a file of predictions."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest
from fuzzing import contents, fuzzed, result_or_sentence
from hypothesis import given
from pyarrow import parquet

from bench.leaderboards.samples import samples_file
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.recognizers.outside.prediction_tables import FileColumns, read_prediction_file

CSV = b'id,text,confidence\n1,"a, b",0.5\n2,c,\n'
TSV = b"id\ttext\n1\ta\n2\tb\n"
LINES = b'{"id": "1", "text": "a", "seconds": 0.5}\n{"id": 2, "text": null}\n'
PARQUET = io.BytesIO()
parquet.write_table(pa.table({"id": ["1", "2"], "text": ["a", "b"]}), PARQUET)
WORDS = (b'"', b",", b"\t", b"1e999", b"NaN", b"[" * 3000, b'"\\ud800"', b'{"id": {}}')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("predictions")


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("x.csv", CSV),
        ("x.tsv", TSV),
        ("x.jsonl", LINES),
        ("x.parquet", PARQUET.getvalue()),
    ],
)
def test_any_file_is_read_or_refused(folder, name, original):
    @fuzzed()
    @given(contents(original, words=WORDS))
    def tried(content):
        (folder / name).write_bytes(content)
        found = result_or_sentence(lambda: [*read_prediction_file(folder / name, FileColumns())])
        for prediction in found or ():
            assert prediction.id
            assert isinstance(prediction.text, str)

    tried()


COUNTS = samples_file.counts_to_bytes(
    ColumnCounts.build(["a", "b"], {"cer": [1, 2]}, {"cer": {"k": [0, 1]}}, {"case": ["x", "y"]})
)


def test_any_file_of_the_samples_of_a_board_is_read_or_refused(folder):
    @fuzzed()
    @given(contents(COUNTS, words=(b"bench.samples", b"cer/of", b"PAR1")))
    def tried(content):
        (folder / samples_file.samples_file_name("x")).write_bytes(content)
        found = result_or_sentence(lambda: samples_file.read_counts(folder, ["x"]))
        for counts in (found or {}).values():
            assert counts.samples
            assert counts.keys

    tried()
