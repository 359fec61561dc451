"""Files of predictions: formats, columns, and missing, unknown, repeated or different ids."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pyarrow import parquet

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.recognition import Reading
from bench.data.reading.encoded_samples import EncodedSample
from bench.recognizers.outside.matching_ids import match_ids

IDS = ["test/1", "test/2", "test/3"]


@pytest.fixture
def read(tmp_path, reading):
    """Return a function that writes a file and returns the readings of `ids` and the remarks."""

    def read(name, content, ids=IDS, **parameters):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        kind = registry.find("recognizer", "predictions")
        table = kind.located({"predictions": name, **parameters}, tmp_path)
        with reading(registry.make("recognizer", "predictions", table), ids) as reader:
            # A resumed run does not read all samples.
            readings = reader.read([EncodedSample(i, ()) for i in ids[1:]])
            assert reader.read([EncodedSample(i, ()) for i in ids[2:]]) == readings[1:]
            return readings, dict(reader.remarks())

    return read


ROWS = [
    {"id": "test/1", "text": "a"},
    {"id": "test/2", "text": 'b, "c"\t', "confidence": 0.5},
    {"id": "test/3", "text": "", "seconds": 2},
]
EXPECTED = [Reading('b, "c"\t', 0.5), Reading("", seconds=2)]


def test_csv(read):
    content = (
        '\ufeffid,text,confidence,seconds\r\ntest/1,a,,\r\ntest/2,"b, ""c""\t",0.5,\ntest/3,,,2'
    )
    assert read("p.csv", content) == (EXPECTED, {})


def test_tsv_has_no_quotation_marks(read):
    content = 'id\ttext\r\ntest/1\ta\ntest/2\t"b\r\ntest/3\t\n\n'
    assert read("p.tsv", content)[0] == [Reading('"b'), Reading("")]


def test_json_lines_may_leave_out_columns(read):
    assert read("p.jsonl", "\n".join(map(json.dumps, ROWS))) == (EXPECTED, {})


def test_parquet(read, tmp_path):
    rows = ROWS[::-1] + ROWS[:1]
    columns = {key: [row.get(key) for row in rows] for key in ROWS[1] | ROWS[2]}
    parquet.write_table(pa.table(columns), tmp_path / "p")
    assert read("p.parquet", (tmp_path / "p").read_bytes()) == (EXPECTED, {"repeated ids": 1})


def test_predictions_of_an_evaluation(read):
    from bench.evaluation import predictions
    from bench.evaluation.protocols import PROTOCOLS

    table = predictions.Predictions(PROTOCOLS["str-36"])
    for identity in IDS:
        table.add(identity, "reference", f"read of {identity}", confidence=0.25)
    content = predictions.predictions_to_bytes(table.table())
    expected = [Reading(f"read of {identity}", 0.25) for identity in IDS[1:]]
    assert read("predictions.parquet", content) == (expected, {})


def test_lines_without_a_header(read):
    content = "test/2\tb\ntest/3\tc\n"
    assert read("p.txt", content, header=False)[0] == [Reading("b"), Reading("c")]
    with pytest.raises(BenchError, match="set header = false if the first line is a prediction"):
        read("p.txt", content)
    with pytest.raises(
        BenchError, match="header = false leaves columns without names; remove it or 'id'"
    ):
        read("p.txt", content, header=False, id="id")


@pytest.mark.parametrize("names", [("File_Name", "pred"), ("image", "words"), ("path", "label")])
def test_columns_may_have_other_usual_names(read, names):
    content = f"{','.join(names)},other\ntest/2,b,x\n"
    assert read("p.csv", content)[0][0] == Reading("b")


def test_a_column_may_be_named(read):
    content = "who,label,text\ntest/2,truth,b\ntest/3,truth,\n"
    assert read("p.csv", content, id="who", text="text")[0] == [Reading("b"), Reading("")]
    with pytest.raises(BenchError, match="columns 'label', 'text' may all be texts; choose one"):
        read("p.csv", content, id="who")
    with pytest.raises(
        BenchError, match=r"no column is called id, sample.*columns are 'who', 'label'"
    ):
        read("p.csv", content)
    with pytest.raises(BenchError, match=r"no column 'txt' of texts; did you mean 'text'\?"):
        read("p.csv", content, id="who", text="txt")


def test_missing_unknown_and_repeated_ids_are_counted(read):
    content = "id,text\ntest/2,b\ntest/2,b\nother,x\ntest/9,y\n"
    readings, remarks = read("p.csv", content)
    assert readings == [Reading("b"), Reading("", remark="missing")]
    assert remarks == {"unknown ids": 2, "repeated ids": 1}


def test_control_characters_are_kept(read):
    assert read("p.csv", "id,text\ntest/2,\x1b[2J\x00\n")[0][0] == Reading("\x1b[2J\x00")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("p.csv", "id,text\ntest/1,a\ntest/1,b\n", "'test/1' has two texts, 'a' in line 2 and 'b'"),
        ("p.csv", "id,text\n1.x,a\nno\x1b[2J,b\n", r"none of its 2 ids .*'no\\x1b\[2J', the split"),
        ("p.csv", "id,text\n", "the file has no prediction; write an id"),
        ("p.csv", "", "the file is empty; write an id and a text"),
        ("p.csv", "id,text\ntest/1,a,b\n", "line 2 has 3 columns, not 2"),
        ("p.csv", "id,text\n,a\n", "line 2 has no id in 'id'"),
        ("p.csv", 'id,text\ntest/1,"a\n', "line 3 is not CSV|line 2 is not CSV"),
        ("p.csv", "id,id,text\n", "line 1 has a column name twice"),
        ("p.csv", b"id,text\ntest/1,\xff\n", "line 2: it is neither UTF-8"),
        ("p.csv", "id,text,confidence\ntest/2,a,97\n", "line 2 has confidence = '97' for sample"),
        ("p.csv", "id,text,seconds\ntest/2,a,x\n", "line 2 has seconds = 'x' for sample 'test/2'"),
        ("p.jsonl", '{"id": "test/1", "text": "a"}\n{', "line 2 is not JSON"),
        ("p.jsonl", "[" * 5000, "line 1 is not JSON"),
        (
            "p.jsonl",
            '{"id": "test/2", "text": "a", "confidence": [1]}',
            r"line 1 has confidence = '\[1\]' for sample 'test/2'",
        ),
        ("p.jsonl", "[1]", "line 1 is not a JSON object"),
        ("p.jsonl", '{"id": "test/1", "text": 7}', "line 1: 'text' is '7', not a text"),
        ("p.jsonl", '{"id": null, "text": "a"}', "line 1 has no id in 'id'"),
        ("p.parquet", "PAR1", "the file is not Parquet"),
        ("p.xlsx", "", "the suffix '.xlsx' is not supported; write a CSV"),
    ],
)
def test_a_wrong_file_is_an_error(read, name, content, sentence):
    with pytest.raises(BenchError, match=sentence) as error:
        read(name, content)
    assert str(error.value).isprintable()


def test_a_missing_file_is_an_error(tmp_path):
    kind = registry.find("recognizer", "predictions")
    with pytest.raises(BenchError, match="predictions of recognizer 'predictions' does not exist"):
        kind.located({"predictions": "none.csv"}, tmp_path)


@pytest.mark.parametrize(
    ("theirs", "ours", "rule"),
    [
        (["test/1", "x"], ["test/1", "test/2"], "ids"),
        (["./test/1.JPG", "test\\2.png"], ["test/1", "test/2"], "suffix of a file"),
        (["1", "2"], ["1.jpg", "2.jpg"], "suffix of a file"),
        (["/data/words/test/1.jpg", "/data/words/test/2.jpg"], ["test/1", "test/2"], "of the file"),
        (["/a/1.png", "2"], ["1", "2"], "folders of the file"),
        (["1.png", "2.png"], ["test/1", "test/2"], "folders of the data set"),
    ],
)
def test_ids_are_matched_by_the_strictest_rule_with_most_matches(theirs, ours, rule):
    match = match_ids(theirs, ours)
    assert match.rule.endswith(rule)
    expected = dict(zip(theirs, ours, strict=True))
    assert match.sample_ids == {name: expected[name] for name in theirs if name != "x"}


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (["train/1", "train/2"], ["test/1", "test/2"]),
        (["1"], ["a/1", "b/1"]),
        (["a/1", "b/1"], ["1"]),
        (["1.jpg", "1.png"], ["1"]),
        (["v1.5"], ["v1"]),
        ([], ["1"]),
    ],
)
def test_ambiguous_ids_and_ids_of_other_folders_do_not_match(theirs, ours):
    assert not match_ids(theirs, ours).sample_ids


def test_the_rule_of_matching_ids_is_a_remark(read):
    readings, remarks = read("p.csv", "file_name,text\n2.jpg,b\n7.jpg,x\n")
    assert readings[0] == Reading("b")
    assert remarks == {
        "unknown ids": 1,
        "compared by ids without the first folders of the data set": 1,
    }


def test_the_origin_is_predictions_of_others():
    kind = registry.find("recognizer", "predictions")
    assert (kind.origin, kind.timed) == ("predictions", False)
