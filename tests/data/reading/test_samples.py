"""Samples concatenated from several partitions."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data.reading.samples import Samples, Selection
from bench.data.store import data_dir as home
from bench.data.store import preparing
from bench.data.store.partition import Partition

from ..conftest import listed

SIZES = {"one": 3, "two": 7}
chosen = st.lists(
    st.sampled_from(list(SIZES)).flatmap(
        lambda part: st.tuples(
            st.just(part), st.none() | st.lists(st.integers(0, SIZES[part] - 1), max_size=9)
        )
    ),
    min_size=1,
    max_size=4,
)


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Partition]]:
    root: Path = tmp_path_factory.mktemp("samples")
    layout = listed(7, SIZES, columns=["writer"])
    for part, several in layout.samples.items():
        some = several[: SIZES[part]]
        layout.samples[part] = [one._replace(more={"writer": part}) for one in some]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(home.VARIABLE, str(root))
        preparing.prepare(layout, root, root / "words", lambda *_: None, clips=False)
        yield {part: Partition("words", part) for part in SIZES}


@settings(max_examples=40)
@given(chosen)
def test_samples_are_in_the_order_of_their_selections(
    parts: dict[str, Partition], several: list[tuple[str, list[int] | None]]
) -> None:
    selections = [
        Selection(parts[part], None if rows is None else np.array(rows, np.int64))
        for part, rows in several
    ]
    samples = Samples(selections)
    wanted = [
        (part, row)
        for part, rows in several
        for row in (range(SIZES[part]) if rows is None else rows)
    ]
    assert len(samples) == len(wanted)
    references = [samples.reference(index) for index in range(len(samples))]
    assert [each.id for each in references] == [f"{part}/{row}" for part, row in wanted]
    assert [each.text for each in references] == [f"Word{row}" for _, row in wanted]
    assert samples.column("width").tolist() == [40 + 3 * row for _, row in wanted]
    with pytest.raises(IndexError):
        samples.reference(len(samples))


def test_the_transcript_may_be_another_column(parts: dict[str, Partition]) -> None:
    one, two = parts.values()
    samples = Samples([Selection(one, transcript="writer"), Selection(two)])
    texts = [samples.reference(index).text for index in (0, 2, 3, 9)]
    assert texts == ["one", "one", "Word0", "Word6"]
    assert list(samples.selections[0].texts()) == ["one"] * 3


@settings(max_examples=40)
@given(st.none() | st.lists(st.integers(0, 6), unique=True))
def test_a_division_has_every_row_once_by_its_id(
    parts: dict[str, Partition], rows: list[int] | None
) -> None:
    part = parts["two"]
    chosen = list(range(7)) if rows is None else rows
    whole = Selection(part, None if rows is None else np.array(rows, np.int64))
    trained, held_out = whole.divided()
    assert trained.rows is not None
    assert held_out.rows is not None
    drawn = {row for row in range(7) if zlib.crc32(f"two/{row}".encode()) % 10 == 0}
    assert held_out.rows.tolist() == [row for row in chosen if row in drawn]
    assert trained.rows.tolist() == [row for row in chosen if row not in drawn]
