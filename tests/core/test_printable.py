"""Text of others on a terminal."""

from __future__ import annotations

from bench.core.printable import printable, quoted


def test_what_does_not_print_is_escaped():
    assert printable("é\x1b[2J\n\u202e") == "é\\x1b[2J\\n\\u202e"
    assert quoted("a'b") == "'a'b'"
    assert quoted("x" * 200, 3) == "'xxx…'"
