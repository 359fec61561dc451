from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit
from bench.leaderboards import board_samples as samples
from bench.leaderboards.board_samples import Samples

texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)


@st.composite
def several(draw):
    datasets = draw(st.lists(texts, unique=True, max_size=3))
    keys = draw(st.lists(st.text("0123456789abcdef", min_size=4, max_size=4), unique=True))
    found = {}
    for dataset in datasets:
        ids = draw(st.lists(texts, min_size=1, max_size=4))
        count = st.lists(st.integers(0, 99), min_size=len(ids), max_size=len(ids))
        mine = {keys.pop(): draw(count) for _ in range(min(2, len(keys)))}
        found[dataset] = Samples(ids, draw(count), mine)
    return found


@given(several())
def test_what_is_written_is_read_back(tmp_path_factory, found):
    folder = tmp_path_factory.mktemp("board")
    (folder / samples.FILE).write_bytes(samples.to_csv(found))
    assert samples.read(folder) == found


def test_a_board_without_the_file_has_no_samples(tmp_path):
    assert samples.read(tmp_path) == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"dataset,sample,length,k\nd,a,1\n",
        b"dataset,sample,length,k\nd,a,one,2\n",
        b"dataset,sample,length,k\nd,a,1,x\n",
        b"dataset,sample\nd\n",
        b'dataset,sample,length\n"d,a,1\n',
        b"\xff\xfe",
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, content):
    (tmp_path / samples.FILE).write_bytes(content)
    with pytest.raises(BenchError, match="these are no samples of a board") as caught:
        samples.read(tmp_path)
    assert caught.value.code == Exit.UNVERIFIED
