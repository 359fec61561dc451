from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError, Exit
from bench.metrics.protocols import PROTOCOLS, find


def test_digits_are_the_ten_digits_read_greedily():
    digits = find("digits")
    assert digits.name == "digits"
    assert digits.charset == "0123456789"
    assert digits.unit == "character"
    assert digits.decoder == "greedy"


def test_every_protocol_is_found_by_its_name():
    assert all(find(name) is protocol for name, protocol in PROTOCOLS.items())
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())


@given(st.text("0123456789", min_size=1))
def test_digits_are_scored(reference):
    assert find("digits").excludes(reference) is None


def test_an_empty_reference_is_excluded():
    assert find("digits").excludes("") == "empty reference"


@pytest.mark.parametrize(
    ("reference", "foreign"), [("1b2ab", "ab"), ("1 2", " "), ("٣", "٣"), ("-", "-")]
)
def test_what_is_outside_the_charset_is_excluded_and_named_once(reference, foreign):
    assert find("digits").excludes(reference) == f"outside the charset: {foreign}"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BenchError, match=r"no protocol 'digit'; did you mean 'digits'\?") as caught:
        find("digit")
    assert caught.value.code == Exit.USAGE


def test_a_name_near_nothing_is_answered_with_all():
    with pytest.raises(BenchError, match=r"no protocol 'xyz'; there is .*digits"):
        find("xyz")


def test_the_spec_holds_all_that_decides_a_score():
    digits = find("digits")
    assert digits.spec() == {
        "name": "digits",
        "version": 1,
        "charset": "0123456789",
        "unit": "character",
        "decoder": "greedy",
    }
    assert replace(digits, about="").spec() == digits.spec()
    assert replace(digits, version=2).spec() != digits.spec()
