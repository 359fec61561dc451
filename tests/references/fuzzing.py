"""Bytes of outside files for hypothesis: altered ones of files that are right, and anything."""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.raw.entries import SampleError

PIECES = (
    *(
        b"\0",
        b"\xff",
        b"\xfe\xff",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\x1b[2J",
        b"\r",
    ),
    *(b"\n", b"\r\n", b"\t", b" ", b"|", b",", b'"', b"'", b"\\", b"/", b"../", b"..", b"//", b"~"),
    *(b"<", b">", b"</", b"<!--", b"<![CDATA[", b"&#x110000;", b"&lol;", b"]]>", b"{", b"}", b"["),
    *(b"NaN", b"1e999", b"-1", b"9" * 400, b"[" * 3000, b"\xe2\x80\xae", b"null", b"x" * 5000),
)
"""What readers may stumble over."""
_EDITS = ("replace", "insert", "delete", "repeat", "cut")


def fuzzed(examples: int = 15) -> settings:
    """Return the settings of a fuzz target: few examples, unless BENCH_FUZZ_EXAMPLES says more."""
    return settings(
        max_examples=int(os.environ.get("BENCH_FUZZ_EXAMPLES", examples)),
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.function_scoped_fixture,
        ],
    )


@st.composite
def altered(draw: st.DrawFn, good: bytes, words: tuple[bytes, ...] = ()) -> bytes:
    """Return `good` with some bytes replaced, added, removed, repeated or cut off.

    `words` are pieces that the format of the file is made of.
    """
    content = good
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = min(start + draw(st.integers(0, 40)), len(content))
        piece = draw(st.sampled_from((*PIECES, *words)) | st.binary(max_size=8))
        match draw(st.sampled_from(_EDITS)):
            case "replace":
                content = content[:start] + piece + content[start + len(piece) :]
            case "insert":
                content = content[:start] + piece + content[start:]
            case "delete":
                content = content[:start] + content[end:]
            case "repeat":
                content = content[:end] + content[start:end] * 3 + content[end:]
            case _:
                content = content[:start]
    return content


def contents(*originals: bytes, words: tuple[bytes, ...] = ()) -> st.SearchStrategy[bytes]:
    """Return files to try: the originals, altered, and any bytes."""
    return st.one_of(*(altered(each, words) for each in originals), st.binary(max_size=300))


@contextmanager
def refused_in_one_line() -> Iterator[None]:
    """Let what is inside end with the error of a user or of a sample, whose message is one line."""
    try:
        yield
    except (BenchError, SampleError) as error:
        message = str(error)
        assert len(message.splitlines()) == 1, message


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
    """Return what `read` does; None where it is refused in one line."""
    with bounded(megabytes), refused_in_one_line():
        return read()
    return None
