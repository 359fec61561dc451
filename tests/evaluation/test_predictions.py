"""Tables of predictions: columns per metric, scores summed from them, and damaged files."""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from bench.core.errors import BenchError, Exit
from bench.evaluation import predictions, protocols
from bench.evaluation.metrics.localization import measure_localization
from bench.evaluation.predictions import Predictions
from bench.evaluation.sample_properties import with_properties

DIGITS = protocols.find_protocol("digits")
SAMPLES = [
    ("a", "1234", "1234"),
    ("b", "1234", "124"),
    ("c", "12", "9876"),
    ("d", "", "1"),
    ("e", "1x3y", "13"),
    ("f", "7", ""),
    ("g", "x", "x"),
]
LOCATED = {
    "confidence": 0.5,
    "path": [0, 1, 1, 0],
    "aligned": [1],
    "scores": [0.25],
    "key_frames": [2],
}
words = st.text("0123456789", max_size=5) | st.text("01xy", max_size=4)


def make_table(samples=SAMPLES, protocol=DIGITS, **located) -> pa.Table:
    rows = Predictions(protocol)
    for identity, reference, hypothesis in samples:
        rows.add(identity, reference, hypothesis, **located)
    return rows.table()


def distance(a: str, b: str) -> int:
    """Count edits by plain dynamic programming."""
    row = list(range(len(b) + 1))
    for letter in a:
        before, row[0] = row[0], row[0] + 1
        for column, other in enumerate(b, 1):
            step = min(row[column] + 1, row[column - 1] + 1, before + (letter != other))
            before, row[column] = row[column], step
    return row[-1]


def test_each_metric_has_two_columns_which_are_null_where_a_sample_is_excluded():
    table = make_table()
    assert table["cer"].to_pylist() == [0, 1, 4, None, None, 1, None]
    assert table["cer/of"].to_pylist() == [4, 4, 2, None, None, 1, None]
    assert table["sequence-accuracy"].to_pylist() == [1, 0, 0, None, None, 0, None]
    assert table["sequence-accuracy/of"].to_pylist() == [1, 1, 1, None, None, 1, None]
    assert table["excluded"].to_pylist() == [
        *(None, None, None, "empty reference", "outside the charset: xy", None),
        "outside the charset: x",
    ]


def test_a_written_table_is_read_unchanged(tmp_path):
    written = make_table([("b", "1", "1"), ("c", "3", "4")], **LOCATED)
    file = tmp_path / "predictions.parquet"
    file.write_bytes(predictions.predictions_to_bytes(written))
    table = predictions.read_predictions(file)
    assert table.schema.equals(predictions.predictions_schema(DIGITS.metrics))
    assert table.equals(written)
    assert table.to_pylist()[0] | {"map": None} == {
        "id": "b",
        "reference": "1",
        "hypothesis": "1",
        "excluded": None,
        **LOCATED,
        "sequence-accuracy": 1,
        "sequence-accuracy/of": 1,
        "cer": 0,
        "cer/of": 1,
        "map": None,
        "map/of": 10**9,
    }


def test_properties_of_samples_are_written_and_read():
    table = with_properties(
        make_table(SAMPLES[:2]),
        {"writer": ["w\x1b[2J\n1", "w" * 999], "width": [31, 20], "height": [32, 32]},
    )
    assert predictions.parse_predictions(predictions.predictions_to_bytes(table)).equals(table)
    assert table["property/width"].to_pylist() == [31, 20]
    assert table["property/writer"].to_pylist() == ["w\\x1b[2J 1", "w" * 60 + "…"]
    assert predictions.corpus_scores(table, DIGITS) == predictions.corpus_scores(
        make_table(SAMPLES[:2]), DIGITS
    )


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "property/writer",
            pa.array(["a", "\x1b[2J"]),
            "writer of a sample is not a short printable line",
        ),
        (
            "property/writer",
            pa.array(["a", "a" * 1000]),
            "writer of a sample is not a short printable line",
        ),
        ("property/signer", pa.array(["a", None]), "a sample has no signer"),
        ("property/source", pa.array([1, 2]), "the columns are not"),
        ("property/session", pa.array(["a", "b"], pa.large_string()), "the columns are not"),
        ("property/width", pa.array([1, 2], pa.int64()), "the columns are not"),
        ("property/height", pa.array([1, 0], pa.int32()), "height of a sample is below 1"),
        ("property/frames", pa.array([1, None], pa.int32()), "a sample has no frames"),
        ("property/color", pa.array(["a", "b"]), "the columns are not"),
    ],
)
def test_an_impossible_property_is_an_error(name, values, message):
    table = make_table(SAMPLES[:2]).append_column(name, values)
    with pytest.raises(ValueError, match=message):
        predictions.parse_predictions(predictions.predictions_to_bytes(table))


def test_without_key_frames_map_is_unknown():
    for table in (make_table(), make_table(path=[0, 1], aligned=[1], key_frames=[])):
        assert table["map"].null_count == len(table)
        assert [*predictions.corpus_scores(table, DIGITS)] == ["sequence-accuracy", "cer"]


def test_map_is_computed_from_the_whole_table():
    rows = Predictions(DIGITS)
    path = [0, 1, 1, 0, 2, 2]
    rows.add("a", "12", "12", path=path, aligned=[1, 4], scores=[0.9, 0.5], key_frames=[1, 4])
    rows.add("x", "1x", "12", path=path, aligned=[1, 4], scores=[0.9, 0.5], key_frames=[1, 4])
    rows.add("b", "21", "13", path=path, aligned=[1, 4], scores=[0.8, 0.7], key_frames=[1, 4])
    table = rows.table()
    columns = table.to_pydict()
    measured = measure_localization({name: columns[name] for name in columns if "/" not in name})
    assert predictions.label_localization(table, DIGITS) == measured
    expected = measured.mean_average_precision
    assert predictions.corpus_scores(table, DIGITS)["map"] == pytest.approx(expected, abs=1e-9)
    assert [n is None for n in table["map"].to_pylist()] == [False, True, False]


def test_labels_without_runs_have_no_localization():
    assert predictions.label_localization(make_table(), DIGITS) is None
    table = make_table([("a", "1", "1")], key_frames=[1], path=[], aligned=[])
    assert predictions.label_localization(make_table([("a", "1", "12")], **LOCATED), DIGITS) is None
    assert predictions.corpus_scores(table, DIGITS).keys() >= {"cer"}


def test_stored_texts_are_not_normalized():
    table = make_table([("a", "It's", "ITS")], protocols.find_protocol("str-36"))
    (row,) = table.to_pylist()
    assert (row["reference"], row["hypothesis"]) == ("It's", "ITS")
    assert (row["cer"], row["cer/of"]) == (0, 3)


@pytest.mark.parametrize("name", sorted(protocols.PROTOCOLS))
def test_counts_are_recomputed_from_the_texts(name):
    protocol = protocols.find_protocol(name)
    table = make_table([("b", "12 3", "13 2"), ("c", "3", "4"), ("d", "", "")], protocol, **LOCATED)
    again = predictions.recount_metrics(table, protocol)
    assert again.column_names[0] == "excluded"
    assert again.equals(table.select(again.column_names).replace_schema_metadata(None)) or (
        again.to_pydict() == table.select(again.column_names).to_pydict()
    )


def test_a_table_can_be_counted_under_another_protocol():
    table = make_table([("a", "It's", "ITS")], protocols.find_protocol("htr-raw"))
    again = predictions.recount_metrics(table, protocols.find_protocol("str-36"))
    assert again["cer"].to_pylist() == [0]
    assert table["cer"].to_pylist() == [3]


def test_the_same_rows_give_the_same_bytes(tmp_path, monkeypatch):
    content = predictions.predictions_to_bytes(make_table(path=[1]))
    assert predictions.predictions_to_bytes(make_table(path=[1])) == content
    file = tmp_path / "predictions.parquet"
    file.write_bytes(content)
    assert predictions.predictions_to_bytes(predictions.read_predictions(file)) == content
    assert predictions.predictions_to_bytes(make_table(SAMPLES[::-1], path=[1])) != content
    monkeypatch.setattr(predictions, "_ROWS_PER_BATCH", 2)
    assert predictions.predictions_to_bytes(make_table(path=[1])) == content


def test_another_process_gives_the_same_bytes():
    code = (
        "import hashlib; from bench.evaluation import predictions, protocols\n"
        "rows = predictions.Predictions(protocols.find_protocol('digits'))\n"
        f"for sample in {SAMPLES!r}: rows.add(*sample, **{LOCATED!r})\n"
        "content = predictions.predictions_to_bytes(rows.table())\n"
        "print(hashlib.sha256(content).hexdigest())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    expected = hashlib.sha256(predictions.predictions_to_bytes(make_table(**LOCATED))).hexdigest()
    assert answer.stdout.strip() == expected


def test_a_table_without_rows_has_the_columns(tmp_path):
    file = tmp_path / "predictions.parquet"
    file.write_bytes(predictions.predictions_to_bytes(make_table([])))
    assert predictions.read_predictions(file).schema.equals(
        predictions.predictions_schema(DIGITS.metrics)
    )


def test_excluded_samples_are_counted_and_not_scored():
    table = make_table()
    assert predictions.corpus_scores(table, DIGITS) == {"sequence-accuracy": 1 / 4, "cer": 6 / 11}
    assert predictions.excluded_counts(table) == {
        "empty reference": 1,
        "outside the charset: x": 1,
        "outside the charset: xy": 1,
    }


def test_dropped_characters_are_counted():
    protocol = protocols.find_protocol("str-36")
    table = make_table([("a", "Straße", ""), ("b", "Maß!", ""), ("c", "?", "")], protocol)
    assert predictions.dropped_counts(table, protocol) == {"!": 1, "?": 1, "ß": 2}
    assert predictions.dropped_counts(make_table(), DIGITS) == {}


@settings(max_examples=60)
@given(st.lists(st.tuples(words, words), max_size=8))
def test_scores_are_sums_over_scored_samples(pairs):
    samples = [(str(number), *pair) for number, pair in enumerate(pairs)]
    scored = [(r, h) for r, h in pairs if r and set(r) <= set("0123456789")]
    table = make_table(samples)
    assert sum(predictions.excluded_counts(table).values()) == len(pairs) - len(scored)
    if not scored:
        with pytest.raises(BenchError, match="no sample"):
            predictions.corpus_scores(table, DIGITS)
        return
    assert predictions.corpus_scores(table, DIGITS) == {
        "sequence-accuracy": sum(r == h for r, h in scored) / len(scored),
        "cer": sum(distance(r, h) for r, h in scored) / sum(len(r) for r, _ in scored),
    }


def test_a_metric_without_a_denominator_has_no_value():
    raw = protocols.find_protocol("htr-raw")
    assert [*predictions.corpus_scores(make_table([("a", " ", "b")], raw), raw)] == [
        *("cer", "sequence-accuracy")
    ]


@pytest.mark.parametrize("samples", [[], [("a", "", ""), ("b", "xy", "xy")]])
def test_without_a_scored_sample_there_is_no_score(samples):
    with pytest.raises(BenchError, match="left to score under protocol 'digits'") as caught:
        predictions.corpus_scores(make_table(samples), DIGITS)
    assert caught.value.code == Exit.USAGE


def test_the_worst_samples_are_first_and_correct_ones_left_out():
    table = make_table()
    ranked = [("c", "12", "9876", 4), ("b", "1234", "124", 1), ("f", "7", "", 1)]
    for count in range(5):
        assert predictions.worst_samples(table, DIGITS, count) == ranked[:count]
    assert predictions.worst_samples(make_table([("a", "12", "12")]), DIGITS, 5) == []


def test_without_an_error_metric_the_ranking_one_sorts_samples():
    protocol = protocols.declare_protocol("ccr-only", {"metrics": ["sequence-accuracy", "ccr"]})
    table = make_table([("a", "12", "12"), ("b", "12", "13")], protocol)
    assert predictions.worst_samples(table, protocol, 5) == [("b", "12", "13", 1)]


def test_missing_predictions_are_an_error(tmp_path):
    with pytest.raises(
        BenchError, match="the file of predictions is missing; run it again"
    ) as caught:
        predictions.read_predictions(tmp_path / "gone.parquet", "run it again")
    assert caught.value.code == Exit.UNVERIFIED
    assert str(caught.value).startswith(f"{tmp_path / 'gone.parquet'}: ")


def rewritten(table: pa.Table) -> bytes:
    stream = pa.BufferOutputStream()
    parquet.write_table(table, stream)
    return stream.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda table: predictions.predictions_to_bytes(table)[:0],
        lambda table: predictions.predictions_to_bytes(table)[:3],
        lambda table: predictions.predictions_to_bytes(table)[:100],
        lambda table: predictions.predictions_to_bytes(table)[:-20],
        lambda table: b"no parquet " * len(table),
        lambda table: rewritten(table.replace_schema_metadata(None)),
        lambda table: rewritten(table.replace_schema_metadata({"bench.metrics": "{"})),
        lambda table: rewritten(table.replace_schema_metadata({"bench.metrics": '["wer"]'})),
        lambda table: rewritten(table.drop_columns(["cer"])),
        lambda table: rewritten(table.set_column(0, "id", pa.array(range(len(table))))),
    ],
)
def test_damaged_predictions_are_an_error(tmp_path, damage):
    file = tmp_path / "predictions.parquet"
    file.write_bytes(damage(make_table()))
    with pytest.raises(BenchError, match="the predictions cannot be read") as caught:
        predictions.read_predictions(file)
    assert caught.value.code == Exit.UNVERIFIED
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith("evaluate again with --force")


@pytest.mark.slow
def test_a_large_split_needs_little_memory():
    rows = Predictions(protocols.find_protocol("str-36"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(100_000):
        rows.add(f"word-{number:07}", "Straße", "strasse", confidence=0.5, path=[], aligned=[])
    assert len(rows.table()) == 100_000
    # In kilobytes: a row takes about 150 bytes as columns, but 2,000 as a dictionary.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000
