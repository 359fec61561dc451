"""Protocols of bench.toml: other alphabets and rules, and errors of wrong tables."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from measured import counts, value

from bench.core.errors import BenchError, Exit
from bench.core.hashing import digest
from bench.core.schema import SchemaError
from bench.evaluation import protocols

LATIN = "abcdefghijklmnopqrstuvwxyz"
GERMAN = {"charset": f"{LATIN}äöüß", "unicode": "NFC", "case": "lower", "outside": "drop"}
RUSSIAN = {
    "charset": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
    "unicode": "NFC",
    "case": "lower",
    "outside": "drop",
}


def test_german_words_keep_their_letters():
    german = protocols.declare_protocol("german", GERMAN)
    assert german.pair("Straße!", "STRASSE") == ("straße", "strasse")
    assert german.pair("GRU\u0308ẞE", "grüße") == ("grüße", "grüße")
    assert german.dropped("Straße!") == "!"
    assert counts("cer", german, [("Straße", "Strase")]) == [(1, 6)]
    assert counts("sequence-accuracy", german, [("Straße", "straße")]) == [(1, 1)]
    assert german.metrics == ("sequence-accuracy", "cer", "one-minus-ned", "ccr")
    assert german.ranked_by == "sequence-accuracy"


def test_cyrillic_is_scored():
    russian = protocols.declare_protocol("russian", RUSSIAN)
    # NFKD decomposes й and ё into two code points.
    assert russian.normalize("Чай, Ёлка") == "чайёлка"
    assert russian.dropped("Чай, Ёлка") == ", "
    assert counts("cer", russian, [("Ёлка", "Елка")]) == [(1, 4)]
    assert russian.excludes("tea") == "nothing of the reference in the charset"


def test_chinese_lines_are_scored(tmp_path):
    (tmp_path / "characters.txt").write_text("中\n文\n字\n。\n", encoding="utf-8")
    table = {"charset_file": "characters.txt", "unicode": "NFKC", "whitespace": "collapse"}
    chinese = protocols.declare_protocol("chinese", table, tmp_path)
    assert chinese.charset == "中文字。"
    assert value("cer", chinese, [("中文字。", "中又字")]) == 2 / 4
    assert chinese.excludes("中国") == "outside the charset: 国"


def test_lines_with_words_rank_by_cer():
    lines = protocols.declare_protocol("lines", {"unicode": "NFC", "word_rule": "spaces"})
    assert (lines.metrics, lines.ranked_by) == (("cer", "wer", "sequence-accuracy"), "cer")
    assert value("wer", lines, [("добрый день", "добрый вечер")]) == 1 / 2


def test_glosses_and_bytes_have_their_metrics():
    glosses = protocols.declare_protocol("glosses", {"unit": "gloss", "whitespace": "collapse"})
    assert (glosses.metrics, glosses.ranked_by) == (("wer", "sequence-accuracy"), "wer")
    assert protocols.declare_protocol("bytes", {"unit": "byte"}).metrics == (
        "cer",
        "sequence-accuracy",
    )


def test_metrics_and_rank_are_chosen():
    table = {"metrics": ["ccr", "cer"], "ranked_by": "cer", "about": "Mine."}
    chosen = protocols.declare_protocol("mine", table)
    assert (chosen.metrics, chosen.ranked_by, chosen.about) == (("ccr", "cer"), "cer", "Mine.")


@pytest.mark.parametrize(
    "content", ["ab \u00e9\n", "a\nb\n \né\n", "a\r\nb\r\n \r\né", "\ufeffab é"]
)
def test_a_charset_file_has_a_character_per_line_or_all_on_one(tmp_path, content):
    (tmp_path / "letters.txt").write_bytes(content.encode())
    declared = protocols.declare_protocol("x", {"charset_file": "letters.txt"}, tmp_path)
    assert declared.charset == "ab é"


def test_the_spec_has_the_characters_and_not_their_file(tmp_path):
    for name in ("here.txt", "there.txt"):
        (tmp_path / name).write_text("abc\n")
    specs = [
        protocols.declare_protocol("x", {"charset_file": name}, tmp_path).spec()
        for name in ("here.txt", "there.txt")
    ]
    assert specs[0] == specs[1] == protocols.declare_protocol("x", {"charset": "abc"}).spec()
    assert specs[0]["charset"] == "abc"
    assert json.loads(json.dumps(specs[0])) == specs[0]
    (tmp_path / "here.txt").write_text("abcd\n")
    changed = protocols.declare_protocol("x", {"charset_file": "here.txt"}, tmp_path)
    assert digest(changed.spec()) != digest(specs[0])


@pytest.mark.parametrize("table", [GERMAN, RUSSIAN, {"unit": "gloss", "costs": [3, 3, 4]}])
def test_a_protocol_is_restored_from_its_spec(table):
    declared = protocols.declare_protocol("mine", table)
    spec = json.loads(json.dumps(declared.spec()))
    again = protocols.protocol_from_spec(spec, declared.metrics)
    assert replace(again, about=declared.about) == declared


def test_a_protocol_of_bench_is_restored_with_the_metrics_of_a_record():
    raw = protocols.find_protocol("htr-raw")
    assert protocols.protocol_from_spec(raw.spec(), ["cer"]) == replace(raw, metrics=("cer",))
    with pytest.raises(BenchError, match="the rules of protocol 'htr-raw' have changed") as caught:
        protocols.protocol_from_spec(raw.spec() | {"version": 0}, ["cer"])
    assert caught.value.code == Exit.UNVERIFIED


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        ({"chars": "a"}, "chars", "no key 'chars' here; did you mean 'charset'"),
        ({"unit": "word"}, "unit", "'unit = \"word\"'"),
        ({"costs": [1, 1]}, "costs", "'costs = "),
        ({"costs": [0, 1, 1]}, "costs", "'costs = "),
        ({"charset": "a", "charset_file": "x"}, "charset_file", "are both set; remove one"),
        ({"charset_file": "gone.txt"}, "charset_file", "cannot be read (No such file"),
        ({"charset_file": "latin1.txt"}, "charset_file", "line 1: it is neither UTF-8 nor"),
        ({"charset_file": "empty.txt"}, "charset_file", "is empty; write the characters"),
        ({"charset_file": "two.txt"}, "charset_file", "one character per line, or all on one"),
        ({"charset": "aba"}, "charset", "charset has 'a' twice"),
        (
            {"charset": "aB", "case": "lower"},
            "charset",
            "has 'B', which 'unicode' or 'case' changes to 'b'",
        ),
        ({"charset": "é", "unicode": "NFKD"}, "charset", "has 'é', which"),
        ({"outside": "drop"}, "outside", "outside = 'drop' needs a charset"),
        ({"unit": "gloss", "charset": "a"}, "unit", "compares no characters"),
        ({"unit": "gloss", "word_rule": "marks"}, "word_rule", "remove word_rule"),
        ({"metrics": ["cerr"]}, "metrics", "no metric 'cerr'; did you mean 'cer'?"),
        ({"metrics": ["cer", "cer"]}, "metrics", "metric 'cer' is listed twice"),
        ({"metrics": ["wer"]}, "metrics", "metric 'wer' is not defined for unit = 'character'"),
        ({"unit": "gloss", "metrics": ["cer"]}, "metrics", "'cer' is not defined for unit"),
        ({"ranked_by": "wer"}, "ranked_by", "'wer' is not one of the metrics sequence-accuracy"),
    ],
)
def test_a_wrong_table_is_an_error(tmp_path, table, key, message):
    (tmp_path / "latin1.txt").write_bytes("é".encode("latin-1"))
    (tmp_path / "empty.txt").write_text("\n\n")
    (tmp_path / "two.txt").write_text("a\nbc\n")
    with pytest.raises(SchemaError) as caught:
        protocols.declare_protocol("mine", table, tmp_path)
    assert caught.value.key == key
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_built_in_name_is_an_error():
    with pytest.raises(
        SchemaError, match="protocol 'digits' is one of bench itself; rename this one"
    ):
        protocols.declare_protocol("digits", {})
