"""Splits: disjoint, stable, and no group in two of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.core.types import SPLITS
from bench.data.raw.entries import Entry, Rejected
from bench.data.raw.labels.csv_table import CsvTable
from bench.data.raw.labels.data_folder import ImageFile, open_data_folder
from bench.data.raw.labels.divisions import (
    ColumnSplits,
    Group,
    LabelFileSplits,
    ListedSplits,
    NamedSplits,
    RatioSplits,
    WholeSplit,
    named_split,
)
from bench.data.raw.labels.label_format import LabelFormat, Row
from bench.data.raw.labels.line_lists import TabList
from bench.data.raw.labels.own_reader import OwnReader

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}
RATIO = RatioSplits(SHARES, "v1")
# Numbers are drawn much faster than texts by a pattern.
NAMES = st.integers(0, 999).map(lambda n: f"{n % 7}/{n}.png" if n % 3 else f"{n}.png")
IDS = st.lists(NAMES, min_size=1, max_size=40, unique=True)


class Rows(LabelFormat):
    """A label format with the rows of a test."""

    name = "rows"
    about = "rows of a test"

    def __init__(self, rows):
        self.listed = rows

    def find(self, data):
        return [data.root]

    def rows(self, _labels, _data):
        yield from self.listed


def row(name, text="x", **columns):
    return Row(name, text, ImageFile(Path(), name), columns)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return open_data_folder(tmp_path_factory.mktemp("data"))


def ratio_of(names, seed="v1", group=None):
    division = RatioSplits(SHARES, seed)
    rows = [row(name) for name in names]
    return {
        each.id: division.split_of(each, "gt.txt", group and group.name_of(each)) for each in rows
    }


@given(IDS, IDS)
def test_a_sample_stays_in_its_split_whatever_is_added(names, others):
    alone, together = ratio_of(names), ratio_of([*others, *reversed(names)])
    assert alone == {name: together[name] for name in names}
    assert {*alone.values()} <= {*SPLITS}


@given(IDS)
def test_a_group_is_in_one_split(names):
    group = Group(pattern="^.")
    splits = ratio_of(names, group=group)
    by_group = {}
    for name, split in splits.items():
        by_group.setdefault(group.name_of(row(name)), set()).add(split)
    assert all(len(each) == 1 for each in by_group.values())


@given(IDS, st.sampled_from(["names", "whole", "ratio", "column"]))
def test_every_sample_is_in_one_split_or_rejected_by_name(data, names, kind):
    division = {
        "names": NamedSplits(),
        "whole": WholeSplit("validation"),
        "ratio": RatioSplits({"train": 1.0}, "v1"),
        "column": ColumnSplits("set"),
    }[kind]
    sets = ["train", "dev", "test", "other"]
    rows = [row(f"train/{name}", set=sets[n % 4]) for n, name in enumerate(names)]
    reader = OwnReader(data, [data.root], Rows([*rows, rows[0]]), division)
    listed = [each for part in reader.parts for each in reader.entries(part)]
    assert sorted(each.id for each in listed) == sorted(each.id for each in [*rows, rows[0]])
    kept = [each.id for each in listed if isinstance(each, Entry)]
    assert len(kept) == len({*kept})
    reasons = {each.reason for each in listed if isinstance(each, Rejected)}
    assert reasons <= {
        "listed before with the same text",
        "a set that is not train, validation or test",
    }


def test_splits_have_about_their_shares_and_depend_on_the_seed():
    names = [f"{n}.jpg" for n in range(10_000)]
    splits = ratio_of(names)
    counts = {split: [*splits.values()].count(split) for split in SPLITS}
    assert counts["train"] == pytest.approx(8000, abs=200)
    assert counts["validation"] == pytest.approx(1000, abs=150)
    assert splits != ratio_of(names, seed="v2")
    # Users share such divisions, so they must be the same in every release.
    drawn = {split: [n for n in range(40) if splits[f"{n}.jpg"] == split] for split in SPLITS}
    assert drawn["validation"] == [4, 17]
    assert drawn["test"] == [14, 22]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train.txt", "train"),
        ("gt_val.csv", "validation"),
        ("Validation", "validation"),
        ("dev", "validation"),
        ("my-test-set", "test"),
        ("EVALUATION", "test"),
        ("train_val.txt", None),
        ("contest", None),
        ("restrain.txt", None),
        ("", None),
    ],
)
def test_names_give_the_split(name, split):
    assert named_split(name) == split


def test_the_name_of_labels_precedes_that_of_folders():
    division = NamedSplits()
    assert division.split_of(row("test/1.jpg"), "train/gt.txt", None) == "train"
    assert division.split_of(row("test/a/1.jpg"), "gt.txt", None) == "test"
    assert division.split_of(row("all/train.jpg"), "gt.txt", None) is None
    assert division.split_of(row("train/x/dev/1.jpg"), "all/gt.txt", None) == "validation"


def test_lists_have_ids_paths_names_or_groups(write):
    root = write({"a.lst": "in/1.jpg\r\nin/2\n\n", "b.txt": "3.jpg\nw4\n4b\n"})
    division = ListedSplits({"train": "a.lst", "test": "b.txt"}, root)
    placed = {
        name: division.split_of(row(name), "gt.txt", group)
        for name, group in (
            ("in/1.jpg", None),
            ("in/2.jpg", None),
            ("in/3.jpg", None),
            ("in/4.jpg", "w4"),
            ("in/4b.jpg", None),
            ("in/5.jpg", None),
        )
    }
    assert [*placed.values()] == ["train", "train", "test", "test", "test", None]
    twice = ListedSplits({"train": "a.lst", "test": "a.lst"}, root)
    with pytest.raises(BenchError, match=r"a\.lst:1: 'in/1\.jpg' is also in the list of 'train'"):
        twice.split_of(row("x"), "gt.txt", None)


def test_samples_in_no_list_are_rejected_as_known(data, write):
    root = write({"a.lst": "1.jpg\n9.jpg\n", "b.lst": "w\nw2\n"})
    division = ListedSplits({"test": "a.lst", "train": "b.lst"}, root)
    rows = [row("1.jpg", writer="v"), row("2.jpg", writer="x"), row("3.jpg", writer="w")]
    reader = OwnReader(data, [data.root], Rows(rows), division, Group(column="writer"))
    other, only, unused = reader.entries("train")
    assert other == Rejected("2.jpg", "known to be in no list of a split")
    assert only.id == "3.jpg"
    assert unused == Rejected("w2", "known to be in a list of a split, and not in the labels")
    _, missing = reader.entries("test")
    assert missing == Rejected("9.jpg", "known to be in a list of a split, and not in the labels")


def test_rejected_rows_of_a_split_without_samples_are_listed(write):
    root = write({"train.txt": "1.jpg\tone\n", "val.txt": "bad\n"})
    data = open_data_folder(root)
    reader = OwnReader(data, [root / "train.txt", root / "val.txt"], TabList(), NamedSplits())
    assert reader.parts == ("train",)
    _, rejected = reader.entries("train")
    assert rejected == Rejected("val.txt:1", "a row without a tab")


@pytest.mark.parametrize(
    ("group", "name", "said"),
    [
        (Group(column="writer"), "a/b/1.jpg", "w1"),
        (Group(column="page"), "a/b/1.jpg", None),
        (Group(folder=1), "a/b/1.jpg", "a"),
        (Group(folder=-1), "a/b/1.jpg", "b"),
        (Group(folder=3), "a/b/1.jpg", None),
        (Group(folder=1), "1.jpg", None),
        (Group(pattern=r"([a-z]\d\d)-"), "lines/a01-000.png", "a01"),
        (Group(pattern=r"\d+"), "lines/a01-000.png", "01"),
        (Group(pattern="x"), "lines/a01-000.png", None),
    ],
)
def test_a_group_is_a_column_a_folder_or_a_pattern(group, name, said):
    assert group.name_of(row(name, writer="w1")) == said


def test_a_group_in_two_splits_is_refused(data):
    rows = [row("1", set="train", writer="w"), row("2", set="test", writer="w")]
    with pytest.raises(BenchError) as caught:
        OwnReader(data, [data.root], Rows(rows), ColumnSplits("set"), Group(column="writer"))
    assert str(caught.value).startswith(
        "group 'w' (column 'writer') is in two splits: '1' in train and '2' in test"
    )


def test_a_sample_without_a_group_is_rejected(data):
    rows = [row("1", writer="w"), row("2", writer=""), row("3")]
    reader = OwnReader(data, [data.root], Rows(rows), WholeSplit("test"), Group(column="writer"))
    _, *rejected = reader.entries("test")
    assert rejected == [Rejected(name, "no group by column 'writer'") for name in ("2", "3")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "an empty text"),
        ("a\nb", "a text of several lines"),
        ("a\x1b[31m", "a text with a control character"),
        ("a\tb", "a text with a control character"),
        ("a\x85b", "a text with a control character"),
    ],
)
def test_an_invalid_text_is_rejected(data, text, reason):
    reader = OwnReader(data, [data.root], Rows([row("0"), row("1", text)]), WholeSplit("test"))
    assert [*reader.entries("test")][1] == Rejected("1", reason)


def test_direction_marks_and_joiners_are_kept(data):
    text = "\u200fשלום\u200d"
    reader = OwnReader(data, [data.root], Rows([row("1", text)]), WholeSplit("test"))
    assert [each.text for each in reader.entries("test")] == [text]


def test_the_first_of_two_samples_with_one_id_is_used(data):
    rows = [row("1", "a"), row("1", "b"), row("1", "a")]
    reader = OwnReader(data, [data.root], Rows(rows), WholeSplit("test"))
    first, *others = reader.entries("test")
    assert first.text == "a"
    assert [each.reason for each in others] == [
        "listed before with another text",
        "listed before with the same text",
    ]


def test_samples_in_no_split_are_an_error_with_a_remedy(data):
    with pytest.raises(BenchError) as caught:
        OwnReader(data, [data.root], Rows([row("train/1"), row("2")]), NamedSplits())
    assert "1 of 2 samples are in no split, such as '2'" in str(caught.value)
    assert 'splits = "test"' in str(caught.value)


def test_a_split_without_samples_is_refused(data):
    with pytest.raises(BenchError, match="the split 'test' has none of 1 samples"):
        OwnReader(
            data, [data.root], Rows([row("1")]), RatioSplits({"train": 0.999, "test": 0.001}, "s")
        )


def test_labels_without_a_sample_are_refused_with_the_reasons(data):
    rows = [Rejected("gt.txt:1", "a row without a tab")] * 2
    with pytest.raises(
        BenchError, match=r"\. has no sample in format .*: 2 a row without a tab; set"
    ):
        OwnReader(data, [data.root], Rows(rows), WholeSplit("test"))


def test_each_label_file_may_be_one_split(write):
    root = write({"a.txt": "1.jpg\tone\nbad\n", "b.txt": "2.jpg\ttwo\n"})
    data = open_data_folder(root)
    division = LabelFileSplits({"a.txt": "test", "b.txt": "train"})
    reader = OwnReader(data, [root / "a.txt", root / "b.txt"], TabList(), division)
    assert reader.parts == ("train", "test")
    assert [each.id for each in reader.entries("train")] == ["2.jpg"]
    assert [each.id for each in reader.entries("test")] == ["1.jpg", "a.txt:2"]


def test_a_column_gives_the_split(write):
    root = write({"a.csv": "path,text,set\n1.jpg,a,Training\n2.jpg,b,dev\n3.jpg,c,x\n"})
    reader = OwnReader(open_data_folder(root), [root / "a.csv"], CsvTable(), ColumnSplits("set"))
    assert reader.parts == ("train", "validation")
    _, rejected = reader.entries("train")
    assert rejected == Rejected("3.jpg", "a set that is not train, validation or test")
