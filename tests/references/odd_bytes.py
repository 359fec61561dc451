"""Bytes that are nearly those of a good file, for hypothesis: not a test module."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.data.raw.entries import SampleError

EXAMPLES = int(os.environ.get("BENCH_FUZZ", "15"))
"""Files that are tried for each format; set the variable to try more."""
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
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


@st.composite
def altered(draw: st.DrawFn, good: bytes, most: int = 4) -> bytes:
    """Return `good` with some bytes replaced, added, removed, repeated or cut off."""
    content = good
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, len(content)))
        end = min(start + draw(st.integers(0, 40)), len(content))
        piece = draw(st.sampled_from(PIECES) | st.binary(max_size=8))
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


@contextmanager
def refused_in_one_line() -> Iterator[None]:
    """Let what is inside end with the error of a user or of a sample, whose message is one line."""
    message = "none"
    try:
        yield
    except (BenchError, SampleError) as error:
        message = str(error)
    assert len(message.splitlines()) == 1, message
