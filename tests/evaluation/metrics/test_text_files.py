"""References and hypotheses from files, and the errors of wrong files."""

from __future__ import annotations

import pytest

from bench.core.errors import BenchError, Exit
from bench.evaluation.metrics.text_files import read_samples

STM = """\
;; a comment
u1 1 signer01 0.0 1.79769e+308 HEUTE NORD
u2 1 signer01 0.0 1.79769e+308 <o,f0,male> REGEN
u3 1 signer02 0.0 1.79769e+308
"""
CTM = """\
u2 1 0.00 0.01 REGEN 0.98
u1 1 10.00 0.01 NORD

u1 1 9.00 0.01 HEUTE
u3 1 0.00 0.01
"""
SEGMENTS = """\
f 1 s 4 6 REGEN
f 1 s 0 2 HEUTE
f 1 s 2 4 <o> ignore_time_segment_in_scoring
f 2 s 0 9 WIND
"""
GLOSSES = """\
f 1 1.90 0.10 HEUTE
f 1 1.90 0.30 IGNORED
f 1 3.90 0.10 IGNORED
f 1 4.00 0.00 REGEN
f 1 9.00 0.10 LAST
f 2 1.00 0.10 WIND
"""


@pytest.fixture
def files(tmp_path):
    """Return a function that writes two files and reads their samples."""

    def write(reference, hypothesis, suffixes=(".txt", ".out"), **options):
        paths = [tmp_path / f"ref{suffixes[0]}", tmp_path / f"hyp{suffixes[1]}"]
        for path, content in zip(paths, (reference, hypothesis), strict=True):
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return [
            (reference, hypothesis) for _, reference, hypothesis in read_samples(*paths, **options)
        ]

    return write


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("a\nb\n", ["a", "b"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("\n\n", ["", ""]),
        ("", []),
        ("\ufeffa\n\ufeffb\n", ["a", "\ufeffb"]),
        ("ä\r\nb\r\n".encode("utf-16"), ["ä", "b"]),
        ("a\rb\r", ["a", "b"]),
        ("a\rb\nc", ["a\rb", "c"]),
        ("a\u2028b\x0cc\x85d\n", ["a\u2028b\x0cc\x85d"]),
        (" a \n", [" a "]),
        ("é\n", ["é"]),
    ],
)
def test_lines_end_at_line_feeds_alone(files, content, lines):
    assert files(content, content) == [(line, line) for line in lines]


def test_lines_are_matched_by_their_number(files):
    assert files("a\n\n", "\nb\n") == [("a", ""), ("", "b")]


def test_ids_match_lines(files):
    samples = files("x\ta\ny\tb\tc\n", "y\t\nx\td\n", ids=True)
    assert samples == [("a", "d"), ("b\tc", "")]


def test_stm_and_ctm_are_sorted_by_their_times(files):
    samples = files(STM, CTM, (".stm", ".ctm"))
    assert samples == [("HEUTE NORD", "HEUTE NORD"), ("REGEN", "REGEN"), ("", "")]


def test_a_gloss_belongs_to_the_first_segment_that_ends_after_its_middle(files):
    samples = files(SEGMENTS, GLOSSES, (".stm", ".ctm"))
    assert samples == [("HEUTE", "HEUTE"), ("REGEN", "REGEN LAST"), ("WIND", "WIND")]


def test_a_segment_without_glosses_in_the_ctm_has_an_empty_hypothesis(files):
    assert files(STM, "", (".STM", ".CTM"))[0] == ("HEUTE NORD", "")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "suffixes", "ids", "message"),
    [
        (
            "a\nb\n",
            "a\n",
            ("", ""),
            False,
            "ref has 2 lines, but .*hyp has 1: line n of one belongs",
        ),
        ("a\n", "a\nb\nc", ("", ""), False, "ref has 1 lines, but .*hyp has 3"),
        (b"a\n\xff\n", "a\nb\n", ("", ""), False, "ref:2: it is neither UTF-8"),
        ("a\nb\n", b"a\nab\xc3\n", ("", ""), False, "hyp:2: it is neither UTF-8"),
        ("x\ta\n", "x a\n", ("", ""), True, "hyp:1: the line has no tab"),
        ("x\ta\n", "y\ta\n", ("", ""), True, "hyp: there is no line for 'x', which .*ref has"),
        ("x\ta\n", "x\ta\ny\tb\n", ("", ""), True, "hyp: 'y' is not in .*ref; remove its line"),
        ("x\ta\nx\tb\n", "x\ta\n", ("", ""), True, "ref:2: 'x' occurs twice"),
        ("u1 1 s 0.0\n", CTM, (".stm", ".ctm"), False, "ref.stm:1: an STM line begins with five"),
        (STM, "u1 1 x 0.1 A\n", (".stm", ".ctm"), False, "hyp.ctm:1: 'x' is not a number;"),
        (STM, "u1 1\n", (".stm", ".ctm"), False, "hyp.ctm:1: a CTM line is file"),
        (
            STM,
            "u9 1 0.0 0.1 A\n",
            (".stm", ".ctm"),
            False,
            "hyp.ctm: file 'u9', channel '1' is not in .*ref.stm",
        ),
        (
            STM,
            "u1 2 0.0 0.1 A\n",
            (".stm", ".ctm"),
            False,
            "hyp.ctm: file 'u1', channel '2' is not in .*ref.stm",
        ),
        ("\x1b" * 99 + "\ta\n", "", ("", ""), True, r"no line for '(\\x1b){80}…', which"),
        (STM + STM, CTM, (".stm", ".ctm"), False, "ref.stm:6: the segment overlaps that of line 2"),
        (
            "a\n".encode("utf-16-le"),
            "a\n",
            ("", ""),
            False,
            "ref:1: the file begins as UTF-16 without",
        ),
    ],
)
def test_files_that_do_not_match_are_an_error(files, reference, hypothesis, suffixes, ids, message):
    with pytest.raises(BenchError, match=message) as caught:
        files(reference, hypothesis, suffixes, ids=ids)
    assert caught.value.code == Exit.USAGE
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("0 2 A { B / C / @ } D", r"ref.stm:3: '{' belongs to an alternation"),
        ("0 2 A {B/C}", r"ref.stm:3: '{B/C}' belongs to an alternation"),
        ("0 2 A (B) C", r"ref.stm:3: '\(B\)' is marked as optional"),
        ("0 2 (A B) C", r"ref.stm:3: '\(A' is marked as optional"),
        ("0 2 A @", "ref.stm:3: '@' marks an empty gloss; remove it"),
        ("0 2 A;B", "ref.stm:3: 'A;B' has a semicolon"),
        ("0 2 A\\B", "ref.stm:3: .* has a semicolon or a backslash"),
        (
            "0 2 IGNORE_TIME_SEGMENT_IN_SCORING A",
            "ref.stm:3: the line has both IGNORE_.* and glosses",
        ),
        ("2 1 A", "ref.stm:3: the segment ends at 1, before its begin 2"),
        ("0 nan A", "ref.stm:3: 'nan' is not a number; write seconds"),
        (
            "0 9 A\nf 1 s 8 10 B",
            "ref.stm:4: the segment overlaps that of line 3 of file 'f', channel",
        ),
    ],
)
def test_unsupported_markup_of_an_stm_is_an_error(files, fields, message):
    with pytest.raises(BenchError, match=message):
        files(f";;\ne 1 s 0 1 A(B)\nf 1 s {fields}\n", "", (".stm", ".ctm"))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("* * <ALT_BEGIN>", "hyp.ctm:2: <ALT_BEGIN>: alternations are not supported"),
        ("0 1 (A)", r"hyp.ctm:2: '\(A\)' is marked as optional"),
        ("0 1 @", "hyp.ctm:2: '@' marks an empty gloss"),
        ("0 1 A;", "hyp.ctm:2: 'A;' has a semicolon"),
        ("0 x A", "hyp.ctm:2: 'x' is not a number; write seconds"),
        ("inf 1 A", "hyp.ctm:2: 'inf' is not a number; write seconds"),
    ],
)
def test_unsupported_markup_of_a_ctm_is_an_error(files, fields, message):
    with pytest.raises(BenchError, match=message):
        files(STM, f"u1 1 0 1 {{\nu1 1 {fields}\n", (".stm", ".ctm"))


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(BenchError, match=r"nowhere: the file cannot be read \(No such file"):
        list(read_samples(tmp_path / "nowhere", tmp_path / "nowhere"))
    with pytest.raises(BenchError, match="the file cannot be read"):
        list(read_samples(tmp_path, tmp_path))
