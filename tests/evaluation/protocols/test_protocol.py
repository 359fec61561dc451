from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.core.errors import BenchError, Exit
from bench.core.hashing import digest
from bench.evaluation.protocols import PROTOCOLS, find_protocol


def test_digits_are_the_ten_digits():
    digits = find_protocol("digits")
    assert digits.name == "digits"
    assert digits.charset == "0123456789"
    assert digits.unit == "character"


def test_every_protocol_is_found_by_its_name():
    assert all(find_protocol(name) is protocol for name, protocol in PROTOCOLS.items())
    assert all(name == protocol.name for name, protocol in PROTOCOLS.items())


@given(st.text("0123456789", min_size=1))
def test_digits_are_scored(reference):
    assert find_protocol("digits").excludes(reference) is None


def test_an_empty_reference_is_excluded():
    assert find_protocol("digits").excludes("") == "empty reference"


@pytest.mark.parametrize(
    ("reference", "foreign"), [("1b2ab", "ab"), ("1 2", " "), ("٣", "٣"), ("-", "-")]
)
def test_characters_outside_the_charset_exclude_a_sample_and_are_named_once(reference, foreign):
    assert find_protocol("digits").excludes(reference) == f"outside the charset: {foreign}"


def test_an_unknown_name_gives_an_error_with_the_nearest():
    with pytest.raises(BenchError, match=r"no protocol 'digit'; did you mean 'digits'\?") as caught:
        find_protocol("digit")
    assert caught.value.code == Exit.USAGE


def test_a_name_without_a_near_one_gives_an_error_with_all():
    with pytest.raises(BenchError, match=r"no protocol 'xyz'; there is .*digits"):
        find_protocol("xyz")


def test_the_spec_has_all_rules_that_affect_a_score():
    digits = find_protocol("digits")
    assert digits.spec() == {
        "name": "digits",
        "version": 1,
        "charset": "0123456789",
        "unit": "character",
        "ranked_by": "sequence-accuracy",
    }
    assert replace(digits, about="").spec() == digits.spec()
    assert replace(digits, version=2).spec() != digits.spec()


def test_the_spec_leaves_out_default_rules():
    assert find_protocol("htr-raw").spec() == {
        "name": "htr-raw",
        "version": 1,
        "charset": "",
        "unit": "character",
        "unicode": "NFC",
        "word_rule": "spaces",
        "ranked_by": "cer",
    }
    assert find_protocol("gloss-phoenix14").spec()["costs"] == [3, 3, 4]


def test_every_spec_is_json_and_unique():
    specs = [protocol.spec() for protocol in PROTOCOLS.values()]
    assert [json.loads(json.dumps(spec)) for spec in specs] == specs
    assert len({digest(spec) for spec in specs}) == len(PROTOCOLS) == 8


def test_no_protocol_imports_anything_heavy():
    program = (
        "import sys; from bench.evaluation import protocols\n"
        "heavy = {'torch', 'ray', 'optuna', 'pyarrow', 'numpy', 'rich', 'editdistance'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stderr


@pytest.mark.parametrize("name", ["str-36", "str-62", "str-94", "htr-raw", "htr-iam"])
@given(text=st.text(max_size=30))
def test_normalizing_twice_changes_nothing(name, text):
    protocol = find_protocol(name)
    once = protocol.normalize(text)
    assert protocol.normalize(once) == once
    assert set(once) <= set(protocol.charset) or not protocol.charset


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("str-36", "It's 5 O'Clock!", "its5oclock"),
        ("str-36", "Café", "cafe"),
        ("str-36", "Cafe\u0301", "cafe"),
        ("str-36", "ﬁ Ｘ２", "fix2"),
        ("str-36", "[^a]^", "a"),
        ("str-62", "It's 5", "Its5"),
        ("str-94", "It's 5 €", "It's5"),
        ("htr-raw", " Cafe\u0301  x\t", " Café  x\t"),
        ("htr-iam", " Cafe\u0301  x\t", "Café x"),
        ("htr-thesis", "a  b", "a  b"),
        ("digits", "1 2", "1 2"),
    ],
)
def test_normalized_by_hand(name, text, expected):
    assert find_protocol(name).normalize(text) == expected


@pytest.mark.parametrize(
    ("name", "reference", "reason"),
    [
        ("str-36", "", "empty reference"),
        ("str-36", "  ", "empty reference"),
        ("str-36", "?!", "nothing of the reference in the charset"),
        ("str-36", "東京", "nothing of the reference in the charset"),
        ("str-36", "a?", None),
        ("str-36", "x" * 99, None),
        ("htr-raw", " ", None),
        ("htr-raw", "", "empty reference"),
        ("htr-iam", " \t", "empty reference"),
        ("htr-iam", "東京", None),
        ("htr-thesis", "a_b", "outside the charset: _"),
        ("gloss-phoenix14", "__EMOTION__ __PU__", "empty reference"),
    ],
)
def test_excluded_samples_have_a_reason(name, reference, reason):
    assert find_protocol(name).excludes(reference) == reason


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("don't, no.", ["don", "'", "t", ",", "no", "."]),
        ("don 't , no .", ["don", "'", "t", ",", "no", "."]),
        ("", []),
        ("  two  words ", ["two", "words"]),
        ("a-b (c)", ["a", "-", "b", "(", "c", ")"]),
        # The Vertical Attention Network does not split these marks off.
        ("a\\b /c", ["a\\b", "/", "c"]),
    ],
)
def test_marks_are_words_with_and_without_spaces(text, expected):
    assert find_protocol("htr-iam").words(text) == expected


def test_words_at_spaces_keep_their_marks():
    assert find_protocol("htr-raw").words("don't, no.") == ["don't,", "no."]


def test_the_charset_of_the_thesis_is_that_of_iam():
    assert len(find_protocol("htr-thesis").charset) == 79


@pytest.mark.parametrize(
    ("name", "reference", "dropped"),
    [
        ("str-36", "Straße", "ß"),
        ("str-36", "It's 5!", "' !"),
        ("str-36", "Café", ""),
        ("str-36", "Cafe\u0301", ""),
        ("str-36", "ﬁ Ｘ２", " "),
        ("str-36", "東京a", "東京"),
        ("str-94", "It's 5 €", "  €"),
        ("str-62", "STRASSE", ""),
        ("digits", "1 x", ""),
        ("htr-raw", "Straße !", ""),
        ("htr-iam", " a  b ", ""),
        ("gloss-phoenix14", "loc-NORD __PU__", ""),
    ],
)
def test_dropped_characters_by_hand(name, reference, dropped):
    assert find_protocol(name).dropped(reference) == dropped


@pytest.mark.parametrize("name", ["str-36", "str-62", "str-94"])
@given(text=st.text(max_size=20) | st.text("aß1é'\u0301 ﬁ", max_size=12))
def test_without_the_dropped_characters_the_normalized_text_is_the_same(name, text):
    protocol = find_protocol(name)
    composed = unicodedata.normalize("NFC", text)
    dropped = protocol.dropped(text)
    assert all(protocol.normalize(character) == "" for character in dropped)
    remaining = [character for character in composed if character not in dropped]
    assert all(protocol.normalize(character) for character in remaining)


def test_a_caller_may_pass_the_normalized_reference():
    protocol = find_protocol("str-36")
    assert protocol.excludes("It's", "its") is None
    assert protocol.excludes("?", "") == "nothing of the reference in the charset"
