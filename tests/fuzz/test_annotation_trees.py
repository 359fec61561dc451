"""Whatever is in the files of Synth90k's tree, it is samples, rejections or one line."""

from __future__ import annotations

import pytest
from fuzzing import altered, fuzzed, refused_in_one_line
from hypothesis import given
from hypothesis import strategies as st

from bench.data.raw.annotations import Annotations
from bench.data.raw.entries import Entry

ROWS = b"./1/2/3_Slinking_1.jpg 1\n./1/2/3_Slinking_1.png 1\n./test/4.png 0\n1.jpg 2\n"
LEXICON = "zero\nslinking\nÖl\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@fuzzed()
@given(drawn=st.data())
def test_altered_trees_are_samples_rejections_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, encoding: str, drawn: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("tree") / "a" / "b" / "c" / "source"
    root.mkdir(parents=True)
    (root / "1.jpg").write_bytes(b"pixels")
    rows, lexicon = ROWS.decode().encode(encoding), LEXICON.encode(encoding)
    (root / "annotation_test.txt").write_bytes(drawn.draw(altered(rows)))
    (root / "lexicon.txt").write_bytes(drawn.draw(st.just(lexicon) | altered(lexicon)))
    with refused_in_one_line():
        for entry in Annotations(root).entries("test"):
            entry.id.encode()
            assert ".." not in entry.id.split("/")
            if isinstance(entry, Entry):
                entry.text.encode()
                with refused_in_one_line():
                    entry.load()
