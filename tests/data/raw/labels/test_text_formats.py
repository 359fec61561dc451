"""Lists, tables, JSON and file pairs: rows, and rejected rows with reasons."""

from __future__ import annotations

import json

import pytest

from bench.core.errors import BenchError
from bench.data.raw.entries import Rejected
from bench.data.raw.labels.csv_table import CsvTable
from bench.data.raw.labels.data_folder import open_data_folder
from bench.data.raw.labels.json_lists import JsonLines, JsonMap, MmocrList
from bench.data.raw.labels.line_lists import (
    CommaList,
    EasyOcrList,
    IcdarList,
    SpaceList,
    TabList,
)
from bench.data.raw.labels.pairs import Pairs

PLAIN = [("1.jpg", "Hi"), ("2.jpg", "two words")]


@pytest.fixture
def read(write):
    """Return a function that writes files beside three images, and reads what a format finds."""

    def from_files(format_, files, images=None):
        root = write({"1.jpg": b"1", "2.jpg": b"2", "3.jpg": b"3", **files})
        data = open_data_folder(root, images and root / images)
        return [row for labels in format_.find(data) for row in format_.rows(labels, data)]

    return from_files


def samples(rows):
    """Return the ids and texts of rows, none of which is rejected."""
    assert not [row for row in rows if isinstance(row, Rejected)]
    return [(row.id, row.text) for row in rows]


@pytest.mark.parametrize(
    ("format_", "name", "content"),
    [
        (TabList(), "gt.txt", "1.jpg\tHi\n2.jpg\ttwo words\n"),
        (CommaList(), "gt.txt", "1.jpg,Hi\n2.jpg,two words\n"),
        (SpaceList(), "labels.txt", "1.jpg Hi\n2.jpg   two words\n"),
        (IcdarList(), "gt.txt", '1.jpg, "Hi"\n2.jpg, "two words"\n'),
        (EasyOcrList(), "labels.csv", "filename,words\n1.jpg,Hi\n2.jpg,two words\n"),
        (CsvTable(), "metadata.csv", 'file_name,text\n1.jpg,Hi\n2.jpg,"two words"\n'),
        (CsvTable(), "labels.tsv", "text\tpath\nHi\t1.jpg\ntwo words\t2.jpg\n"),
        (CsvTable(), "labels.csv", "Image;Label\n1.jpg;Hi\n2.jpg;two words\n"),
        (CsvTable("who", "what"), "a.csv", "who,what\n1.jpg,Hi\n2.jpg,two words\n"),
        (
            JsonLines(),
            "metadata.jsonl",
            '{"file_name": "1.jpg", "text": "Hi"}\n{"file_name": "2.jpg", "text": "two words"}\n',
        ),
        (
            JsonLines(),
            "train.txt",
            '{"filename": "1.jpg", "text": "Hi"}\n{"filename": "2.jpg", "text": "two words"}',
        ),
        (JsonMap(), "labels.json", json.dumps(dict(PLAIN), indent=1)),
        (
            MmocrList(),
            "train.json",
            json.dumps(
                {
                    "metainfo": {},
                    "data_list": [
                        {"img_path": name, "instances": [{"text": text}]} for name, text in PLAIN
                    ],
                }
            ),
        ),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_format_reads_the_same_in_each_encoding(read, format_, name, content, ends, encoding):
    content = content.replace("\n", ends).encode(encoding)
    assert samples(read(format_, {name: content})) == PLAIN


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("./1.jpg", "1.jpg"),
        (" 1.jpg ", "1.jpg"),
        ("in\\4.jpg", "in/4.jpg"),
        ("in/4.jpg", "in/4.jpg"),
    ],
)
def test_a_path_is_an_id_however_it_is_written(read, path, identity):
    [row] = read(TabList(), {"gt.txt": f"{path}\tHi", "in/4.jpg": b"4"})
    assert (row.id, row.images.exists()) == (identity, True)
    assert row.images.load() in {(b"1",), (b"4",)}


def test_an_absolute_path_in_the_folder_is_accepted(write):
    root = write({"in/1.jpg": b"1"})
    write({"gt.txt": f"{root}/in/1.jpg\tHi\n/etc/passwd\tHi\n"})
    data = open_data_folder(root)
    row, rejected = TabList().rows(root / "gt.txt", data)
    assert row.id == "in/1.jpg"
    assert rejected == Rejected("gt.txt:2", "a path out of the data set's folder")


@pytest.mark.parametrize(
    ("labels", "image"),
    [
        ("labels.json", "images/4.jpg"),
        ("lists/labels.json", "lists/images/4.jpg"),
        ("lists/labels.json", "4.jpg"),
        ("lists/labels.json", "imgs/4.jpg"),
        ("images/labels.json", "images/4.jpg"),
    ],
)
def test_paths_are_relative_to_the_folder_of_images(read, labels, image):
    [row] = read(JsonMap(), {labels: '{"4.jpg": "Hi"}', image: b"4"})
    assert (row.id, row.images.load()) == (image, (b"4",))


def test_paths_may_be_relative_to_a_named_folder(read):
    [row] = read(TabList(), {"gt.txt": "1.jpg\tHi", "other/1.jpg": b"other"}, images="other")
    assert (row.id, row.images.load()) == ("other/1.jpg", (b"other",))


def test_a_text_is_not_changed(read):
    rows = read(
        TabList(),
        {"gt.txt": '1.jpg\t  "a", b\\ #\u00a0 \n2.jpg\tनमस्ते\n3.jpg\tN/A\n'},
    )
    assert [row.text for row in rows] == ['"a", b\\ #\u00a0', "नमस्ते", "N/A"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"1.jpg Hi", "a row without a tab"),
        (b"1.jpg\tHi\tthere", "a row with more than one tab"),
        (b"../1.jpg\tHi", "a path out of the data set's folder"),
        (b"/1.jpg\tHi", "a path out of the data set's folder"),
        (b"..\\1.jpg\tHi", "a path out of the data set's folder"),
        (b"\tHi", "an empty path"),
        (b"1.jpg\t\xff", "a row that is not UTF-8"),
        (b'["1.jpg", 2]\tHi', "a list of paths that is not JSON"),
        (b"[1.jpg\tHi", "a list of paths that is not JSON"),
    ],
)
def test_a_row_that_is_not_a_sample_is_rejected_with_its_line(read, line, reason):
    rows = read(TabList(), {"gt.txt": b"3.jpg\tok\n\n" + line + b"\n"})
    assert [row.text for row in rows[:1]] == ["ok"]
    assert rows[1:] == [Rejected("gt.txt:3", reason)]


def test_each_image_of_a_list_of_paths_has_the_text(read):
    rows = read(TabList(), {"rec.txt": '["1.jpg", "2.jpg"]\tHi\n3.jpg\tok\n'})
    assert samples(rows) == [("1.jpg", "Hi"), ("2.jpg", "Hi"), ("3.jpg", "ok")]


def test_easyocr_splits_at_the_first_comma_and_keeps_quotes(read):
    rows = read(EasyOcrList(), {"labels.csv": 'filename,words\n1.jpg,Yes, sir\n2.jpg,"a"\n3.jpg\n'})
    assert [(row.id, row.text) for row in rows[:2]] == [("1.jpg", "Yes, sir"), ("2.jpg", '"a"')]
    assert rows[2] == Rejected("labels.csv:4", "a row without a comma")


def test_icdar_escapes_are_undone(read):
    lines = ['1.jpg, "say \\"hi\\""', '2.jpg, "a\\\\b, \\n"', '3.jpg, "in"ner"', "3.jpg, bare"]
    *rows, last = read(IcdarList(), {"gt.txt": "\n".join(lines)})
    assert [row.text for row in rows] == ['say "hi"', "a\\b, \\n", 'in"ner']
    assert last == Rejected("gt.txt:4", 'a row that is not: path, "text"')


def test_a_table_keeps_its_other_columns_and_values(read):
    table = (
        "file_name,text,writer,split\n"
        '1.jpg,"a, ""b""",w1,train\n'
        "2.jpg,null,w2,test\n"
        "3.jpg,007,w2,test,more\n"
        "../1.jpg,x,w1,train\n"
    )
    first, second, *rejected = read(CsvTable(), {"metadata.csv": table})
    assert (first.text, dict(first.columns)) == ('a, "b"', {"writer": "w1", "split": "train"})
    assert second.text == "null"
    assert rejected == [
        Rejected("metadata.csv:4", "a row of 5 columns, the header has 4"),
        Rejected("metadata.csv:5", "a path out of the data set's folder"),
    ]


@pytest.mark.parametrize(
    ("format_", "content", "said"),
    [
        (CsvTable(), "id,gt\n1.jpg,Hi\n", "no field of 'id', 'gt' has a usual name of image"),
        (CsvTable(), "path,x\n1.jpg,Hi\n", "has a usual name of text"),
        (CsvTable("pth"), "path,text\n1.jpg,Hi\n", "no field 'pth'; did you mean 'path'?"),
        (CsvTable(), "", "has a usual name of image"),
        (JsonLines(), '{"path": "1.jpg"}', 'format = { name = "jsonl", text = "…" }'),
        (JsonMap(), '["1.jpg"]', "this is not a map"),
        (MmocrList(), "{}", "this is not MMOCR's"),
    ],
)
def test_a_file_of_another_format_is_an_error(write, format_, content, said):
    root = write({"labels": content})
    with pytest.raises(BenchError) as caught:
        list(format_.rows(root / "labels", open_data_folder(root)))
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"{root}/labels")


def test_a_quote_that_is_never_closed_names_its_line(write, monkeypatch):
    import csv

    root = write({"a.csv": 'path,text\n1.jpg,"' + "x\n" * 100_000})
    assert csv.field_size_limit() == 131_072
    with pytest.raises(BenchError, match="check for a quote that is not closed"):
        list(CsvTable().rows(root / "a.csv", open_data_folder(root)))


def test_json_lines_reject_rows_without_two_strings(read):
    rows = [
        {"file_name": "1.jpg", "text": "Hi", "n": 1, "who": "w"},
        "no object",
        {"file_name": "2.jpg"},
        {"file_name": "2.jpg", "text": 5},
        {"file_name": "2.jpg", "text": "\ud800"},
    ]
    content = "\n".join(map(json.dumps, rows)) + "\n{\n" + "[" * 100_000
    first, *rejected = read(JsonLines(), {"metadata.jsonl": content})
    assert (first.text, dict(first.columns)) == ("Hi", {"n": "1", "who": "w"})
    assert [each.reason for each in rejected] == [
        "a row that is not a JSON object",
        "a row without a path or a text",
        "a path or a text that is not a string",
        "a row that is not UTF-8",
        "a row that is not a JSON object",
        "a row that is not a JSON object",
    ]


def test_a_page_of_mmocr_is_not_a_sample(read):
    listed = [
        {"img_path": "1.jpg", "instances": [{"text": "a"}, {"text": "b"}]},
        {"img_path": "2.jpg", "instances": []},
        {"img_path": "3.jpg", "instances": [{"text": "c", "bbox": [0, 0, 1, 1]}]},
    ]
    first, second, last = read(MmocrList(), {"a.json": json.dumps({"data_list": listed})})
    assert first == Rejected("a.json: entry 1", "an image with several texts, which is a page")
    assert second.reason == "an entry without img_path or the text of its instance"
    assert (last.id, last.text) == ("3.jpg", "c")


def test_pairs_are_found_by_their_names(write):
    root = write(
        {
            "a/1.png": b"1",
            "a/1.gt.txt": "\ufeffHi \n",
            "a/2.bin.png": b"2",
            "a/2.gt.txt": "two words",
            "a/3.x.tif": b"3",
            "a/3.gt.txt": "kraken's",
            "a/4.png": b"4",
            "a/5.gt.txt": "alone",
            "a/6.gt.txt": "which",
            "a/6.png": b"6",
            "a/6.jpg": b"6",
            "b/1.png": b"1",
            "b/1.txt": "plain",
            "c/readme.txt": "no pair",
        }
    )
    data = open_data_folder(root)
    a, b = Pairs().find(data)
    assert (a, b) == (root / "a", root / "b")
    rows = [*Pairs().rows(a, data)]
    assert [(row.id, row.text) for row in rows[:3]] == [
        ("a/1.png", "Hi"),
        ("a/2.bin.png", "two words"),
        ("a/3.x.tif", "kraken's"),
    ]
    assert rows[3:] == [
        Rejected("a/5.gt.txt", "a text without an image"),
        Rejected("a/6.gt.txt", "a text with several images"),
        Rejected("a/4.png", "an image without a text"),
    ]
    assert [(row.id, row.text) for row in Pairs().rows(b, data)] == [("b/1.png", "plain")]


def test_a_clip_is_a_folder_of_frames_in_the_order_of_their_numbers(write):
    frames = {f"clips/a/{n}.jpg": b"%d" % n for n in (10, 9, 1)}
    root = write({**frames, "clips/a/notes.txt": "x", "gt.txt": "clips/a\tHELLO YOU\n"})
    [row] = TabList().rows(root / "gt.txt", open_data_folder(root, clips=True))
    assert row.id == "clips/a"
    assert [*row.images.load()] == [b"1", b"9", b"10"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_list_of_another_system_is_read(read, encoding, end):
    rows = f".\\1.jpg\tHi{end}2.jpg\ttwo wörds{end}".encode(encoding)
    assert samples(read(TabList(), {"gt.txt": rows})) == [("1.jpg", "Hi"), ("2.jpg", "two wörds")]


def test_metadata_of_macos_is_not_a_pair(read):
    added = {"._1.gt.txt": b"\0\5", "._1.jpg": b"\0\5", ".DS_Store": b"\0"}
    texts = {f"{number}.gt.txt": "Hi" for number in (1, 2, 3)}
    found = samples(read(Pairs(), texts | added))
    assert found == [("1.jpg", "Hi"), ("2.jpg", "Hi"), ("3.jpg", "Hi")]


def test_a_path_that_is_too_long_is_a_missing_image(read):
    [row] = read(TabList(), {"gt.txt": "x" * 5000 + ".jpg\tHi\n"})
    assert not row.images.exists()
