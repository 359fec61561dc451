"""Bytes of outside files: mutations of files that are right, and anything at all."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from bench.core.errors import BenchError

fuzzed = settings(max_examples=int(os.environ.get("BENCH_FUZZ_EXAMPLES", "25")), deadline=None)
"""How many files each test tries: few, unless the variable says more."""
_PARTS = (b"\n", b"\r", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"-1", b"9" * 400)


@st.composite
def mutations(draw: Any, *originals: bytes, words: tuple[bytes, ...] = ()) -> bytes:
    """Draw one of the originals after up to four insertions, removals or doublings in it."""
    content = draw(st.sampled_from(originals))
    parts = st.sampled_from((*_PARTS, *words)) | st.binary(max_size=8)
    for _ in range(draw(st.integers(0, 4))):
        begin, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        kept = draw(st.sampled_from([b"", content[begin:end] * 2]))
        content = content[:begin] + kept + draw(parts) + content[end:]
    return content


def contents(*originals: bytes, words: tuple[bytes, ...] = ()) -> st.SearchStrategy[bytes]:
    """Return files to try: mutations of the originals, and any bytes."""
    return mutations(*originals, words=words) | st.binary(max_size=300)


@contextmanager
def bounded(megabytes: int) -> Iterator[None]:
    """Fail where more memory of Python is taken at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < megabytes * 2**20
    finally:
        tracemalloc.stop()


def result_or_sentence(read: Callable[[], object], megabytes: int = 64) -> object:
    """Return what `read` does; None where it raises a BenchError of one line that prints."""
    with bounded(megabytes):
        try:
            return read()
        except BenchError as error:
            sentence = str(error)
    assert len(sentence.splitlines()) == 1, sentence
    return None
