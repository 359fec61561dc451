"""The counts of samples survive their file, and name what they are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit
from bench.leaderboards.samples import column_counts
from bench.leaderboards.samples.column_counts import ColumnCounts
from bench.trials.store import EVALUATION, PREDICTIONS, read_record

from ..conftest import FIRST, SAMPLES

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5, unique=True)


@st.composite
def tables(draw) -> ColumnCounts:
    ids = draw(IDS)
    numbers = st.lists(st.integers(-9, 9), min_size=len(ids), max_size=len(ids))
    metrics = draw(st.lists(st.sampled_from(["cer", "wer", "map"]), unique=True))
    keys = draw(st.lists(st.sampled_from(["a1", "b2"]), min_size=1, unique=True))
    return ColumnCounts(
        ids,
        {metric: [abs(number) for number in draw(numbers)] for metric in metrics},
        {metric: {key: draw(numbers) for key in keys} for metric in metrics},
    )


@given(tables())
def test_the_file_gives_the_counts_back(counts):
    assert column_counts.from_csv(column_counts.to_csv(counts)) == counts


@given(tables())
def test_the_file_does_not_depend_on_the_order_of_evaluations(counts):
    turned = ColumnCounts(
        counts.ids,
        dict(reversed(counts.denominators.items())),
        {metric: dict(reversed(keys.items())) for metric, keys in counts.numerators.items()},
    )
    assert column_counts.to_csv(turned) == column_counts.to_csv(counts)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b'"id","cer/of"\n"a",1\n',
        b'"sample","cer/of"\n"a",1\n',
        b'"sample","cer/of","cer/k"\n"a",1\n',
        b'"sample","cer/of","cer/k"\n"a",1,x\n',
        b'"sample","cer/k"\n"a",1\n',
        b"\xff",
    ],
)
def test_another_file_is_named(tmp_path, text):
    file = tmp_path / column_counts.file_name("x")
    file.write_bytes(text)
    with pytest.raises(BenchError, match="not the file of a board's samples") as raised:
        column_counts.read(tmp_path, ["x", "absent"])
    assert raised.value.code == Exit.UNVERIFIED


@given(st.sets(st.text(min_size=1, max_size=8), max_size=4))
def test_each_column_has_a_file_of_its_own_in_the_folder(columns):
    names = {column_counts.file_name(column) for column in columns}
    assert len(names) == len(columns)
    assert not any("/" in name for name in names)


def test_counts_of_other_samples_are_not_added():
    counts = ColumnCounts(["a"], {"cer": [2]}, {"cer": {"k": [1]}})
    with pytest.raises(ValueError, match="samples differ"):
        counts.add(ColumnCounts(["b"]))
    with pytest.raises(ValueError, match="denominators of cer differ"):
        counts.add(ColumnCounts(["a"], {"cer": [3]}, {"cer": {"l": [1]}}))


def test_a_record_gives_the_counts_of_the_scored_samples(store, finished):
    evaluation = finished[0].evaluations[FIRST]
    folder = store.folder(evaluation)
    record = read_record(folder / EVALUATION)
    counts = column_counts.of_record(record, folder)
    assert len(counts.ids) == SAMPLES
    assert "empty" not in counts.ids
    assert {m: counts.value(m, record.key) for m in counts.numerators} == record.scores
    assert counts.has(record.key)
    assert not counts.only([]).has(record.key)


@pytest.mark.parametrize("content", [None, b"PAR1", b""])
def test_predictions_that_are_gone_or_altered_are_named(store, finished, content):
    folder = store.folder(finished[0].evaluations[FIRST])
    (folder / PREDICTIONS).unlink()
    if content is not None:
        (folder / PREDICTIONS).write_bytes(content)
    with pytest.raises(BenchError, match=PREDICTIONS) as raised:
        column_counts.of_record(read_record(folder / EVALUATION), folder)
    assert raised.value.code == Exit.UNVERIFIED
