from __future__ import annotations

import math
from contextlib import suppress

import pytest
from arpa_models import models
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError
from bench.decoding.algorithms.arpa import read_arpa

GOOD = """\\data\\
ngram 1=3
ngram 2=1

\\1-grams:
-1.0\t<s>\t-0.5
-0.5\ta
-0.25\t\u3000

\\2-grams:
-0.125\ta \u3000

\\end\\
"""


def parse(tmp_path, content):
    file = tmp_path / "model.arpa"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_arpa(str(file), "arpa of a test"))


@given(models(("a", "b", "c")))
def test_every_ngram_of_a_model_is_read_in_natural_logarithms(model):
    ngrams = model.ngrams()
    assert {ngram.tokens for ngram in ngrams} == set(model.probabilities)
    for tokens, score, backoff in ngrams:
        assert score == pytest.approx(model.probabilities[tokens] * math.log(10))
        assert backoff == pytest.approx(model.backoffs.get(tokens, 0) * math.log(10))


def test_text_before_the_header_a_byte_order_mark_and_windows_lines_are_read(tmp_path):
    expected = parse(tmp_path, GOOD)
    assert [ngram.tokens for ngram in expected][-1] == ("a", "\u3000")
    assert parse(tmp_path, "\ufeff" + GOOD) == expected
    assert parse(tmp_path, "made by hand\n\n" + GOOD.replace("\n", "\r\n")) == expected


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\data\\", "data", "ends too early"),
        ("\\end\\", "", "ends too early"),
        ("ngram 1=3", "ngram 1=4", "line 10 .* declares 4 1-grams, but there are 3"),
        ("ngram 1=3", "ngram 1=2", "line 8 .* more than the 2 1-grams"),
        ("ngram 1=3", "ngram 1=9999999", "tokens, at most"),
        ("ngram 2=1", "ngram 2=99999999999", "line 5 .* at most 10,000,000 are read"),
        ("ngram 2=1", "ngram 3=1", "line 3 .* 'ngram 2=COUNT' is expected"),
        ("\\2-grams:", "\\3-grams:", r"line 10 .* '\\2-grams:' is expected"),
        ("-0.5\ta", "nan\ta", "line 7 .* 'nan' is not a finite number"),
        ("-0.5\ta", "1e999\ta", "not a finite number"),
        ("-0.5\ta", "0.5\ta", "line 7 .* above 0"),
        ("-0.5\ta", "-0.5\t<s>", "line 7 .* '<s>' appears twice"),
        ("-0.5\ta", "-0.5", "a 1-gram is a log10 probability, 1 tokens"),
        ("a \u3000", "a b", "line 11 .* 'b' is not among the 1-grams"),
        ("a \u3000", "a \u3000 -1", "line 11 .* a 2-gram is"),
        ("a \u3000", "a" * 9000, "more than 8,192 characters"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(BenchError, match=message) as error:
        parse(tmp_path, GOOD.replace(old, new))
    assert "of arpa of a test" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "too early"),
        (b"\x1f\x8b\x08", "unpack"),
        (b"\\data\\\n\xff\n", "line 2 .*neither UTF-8 nor"),
    ],
)
def test_other_files_are_refused(tmp_path, content, message):
    with pytest.raises(BenchError, match=message):
        parse(tmp_path, content)


@given(st.binary(max_size=300), st.integers(0, len(GOOD)))
def test_any_bytes_are_read_or_refused(tmp_path_factory, noise, cut):
    encoded = GOOD.encode()
    with suppress(BenchError):
        parse(tmp_path_factory.getbasetemp(), encoded[:cut] + noise + encoded[cut:])
