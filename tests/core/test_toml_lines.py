"""Where things stand in a TOML text: sections that say something, and tables of a list."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.core import toml_lines

TEXT = """\
[s.one]
a = 1
# about s.two
[s.two]
[s.one.inner]
b = 2

[[s.one.list]]
a = 3
[s.one.list.table]
c = 4
[[ s.one.list ]]  # the second
a = 5
d = { e = 6, a = 7 }
[s.one.list.table]
c = 8
# the end
"""


@pytest.mark.parametrize(
    ("section", "line"),
    [
        ("s.one", 16),
        ("s.two", 4),
        ("s.one.inner", 6),
        ("s.one.list[0]", 11),
        ("s.one.list[1]", 16),
        ("s", 16),
        ("s.on", 0),
        ("none", 0),
    ],
)
def test_last_line_of(section, line):
    assert toml_lines.last_line_of(TEXT, section) == line


@pytest.mark.parametrize(
    ("section", "words", "line"),
    [
        ("s.one.list[0]", [], 8),
        ("s.one.list[0]", ["a"], 9),
        ("s.one.list[0]", ["d"], 8),
        ("s.one.list[0]", ["table"], 10),
        ("s.one.list[0].table", ["c"], 11),
        ("s.one.list[1]", [], 12),
        ("s.one.list[1]", ["a"], 13),
        ("s.one.list[1]", ["d", "e"], 14),
        ("s.one.list[1].d", ["e"], 14),
        ("s.one.list[1].d", ["nowhere"], 14),
        ("s.one.list[1].table", ["c"], 16),
        ("s.one.list[2]", ["a"], 8),
        ("s.one", ["list"], 8),
        ("s.two", ["c"], 4),
    ],
)
def test_the_tables_of_a_list_are_told_apart(section, words, line):
    assert toml_lines.line_of(TEXT, section, *words) == line


def test_what_is_no_end_of_a_line_in_toml_is_none_here():
    text = "[s]\n# a\u2028b\x85c\na = 1\n[t]\n"
    assert toml_lines.line_of(text, "s", "a") == 3
    assert toml_lines.last_line_of(text, "s") == 3


names = st.from_regex(r"[a-z]{1,3}(-[a-z])?", fullmatch=True)
remarks = st.lists(st.sampled_from(["", "  ", "# [s.x]", "#", "\t# a = 1"]), max_size=3)
tables = st.lists(names, min_size=1, max_size=5, unique=True)


@given(data=st.data(), found=tables, ending=st.sampled_from(["\n", "\r\n"]))
def test_the_last_line_of_a_section_is_the_last_that_says_a_thing(data, found, ending):
    lines, last = [], {}
    for name in found:
        lines += data.draw(remarks)
        said = [f"[s.{name}]", *data.draw(st.lists(st.just("a = [[1, 2], [3]]"), max_size=1))]
        said += [f"[[ s.{name}.list ]]", "b = 1  # [s.none]"] * data.draw(st.integers(0, 2))
        lines += said
        last[name] = len(lines)
    lines += data.draw(remarks)
    text = ending.join(lines)
    assert [*tomllib.loads(text)["s"]] == found
    for name in found:
        assert toml_lines.last_line_of(text, f"s.{name}") == last[name]
        assert toml_lines.line_of(text, f"s.{name}") == 1 + lines.index(f"[s.{name}]")
    assert toml_lines.last_line_of(text, "s") == max(last.values())
    assert toml_lines.last_line_of(text, "none") == 0


KEYS = """\
# a = 0
[one]
a = "d"  # b = 2
x = [{ name = "e", b = 1 },
  { name = "f", b = 2 }]
[one.inner]
a-b = 2
a = [
  "c",
]
about = "d = 1, f and c"
d = 'a'
[ two ]
b = 1
"""


@pytest.mark.parametrize(
    ("section", "words", "line"),
    [
        ("one", [], 2),
        ("one", ["a"], 3),
        ("one", ["b"], 4),
        ("one", ["d"], 3),
        ("one", ["f"], 5),
        ("one", ["x", "f", "b"], 5),
        ("one", ["x", "e", "b"], 4),
        ("one", ["x", "nowhere"], 4),
        ("one", ["nowhere"], 2),
        ("one", ["inner"], 6),
        ("one.inner", ["a"], 8),
        ("one.inner", ["a-b"], 7),
        ("one.inner", ["b"], 6),
        ("one.inner", ["a", "c"], 9),
        ("one.inner", ["d"], 12),
        ("two", ["b"], 14),
        ("two", ["c"], 13),
        ("none", ["a"], 1),
    ],
)
def test_line_of(section, words, line):
    assert toml_lines.line_of(KEYS, section, *words) == line


@settings(max_examples=40)
@given(
    st.lists(st.from_regex(r"[a-z]{1,3}(-[a-z]{1,3})?", fullmatch=True), min_size=1, unique=True),
    st.data(),
)
def test_line_of_finds_each_key_as_a_whole_word(keys, data):
    chosen = data.draw(st.sampled_from(keys))
    text = "[section]\n" + "".join(f"{key} = 1\n" for key in keys)
    assert toml_lines.line_of(text, "section", chosen) == 2 + keys.index(chosen)
