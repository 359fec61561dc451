"""References and hypotheses from files, and one sentence for what is wrong with them."""

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


def test_an_utterance_that_the_ctm_lacks_reads_nothing(files):
    assert files(STM, "", (".STM", ".CTM"))[0] == ("HEUTE NORD", "")


@pytest.mark.parametrize(
    ("reference", "hypothesis", "suffixes", "ids", "message"),
    [
        ("a\nb\n", "a\n", ("", ""), False, "ref has 2 lines, .*hyp has 1: line n of one"),
        ("a\n", "a\nb\nc", ("", ""), False, "ref has 1 lines, .*hyp has 3"),
        (b"a\n\xff\n", "a\nb\n", ("", ""), False, "ref:2: byte 1 of the line is not UTF-8"),
        ("a\nb\n", b"a\nab\xc3\n", ("", ""), False, "hyp:2: byte 3 of the line is not UTF-8"),
        ("x\ta\n", "x a\n", ("", ""), True, "hyp:1: there is no tab"),
        ("x\ta\n", "y\ta\n", ("", ""), True, "hyp: there is no 'x', which .*ref has"),
        ("x\ta\n", "x\ta\ny\tb\n", ("", ""), True, "ref: there is no 'y', which .*hyp has"),
        ("x\ta\nx\tb\n", "x\ta\n", ("", ""), True, "ref:2: 'x' occurs twice"),
        ("u1 1 s 0.0\n", CTM, (".stm", ".ctm"), False, "ref.stm:1: an STM line begins with five"),
        (STM, "u1 1 x 0.1 A\n", (".stm", ".ctm"), False, "hyp.ctm:1: a CTM line is file"),
        (STM, "u1 1\n", (".stm", ".ctm"), False, "hyp.ctm:1: a CTM line is file"),
        (STM, "u9 1 0.0 0.1 A\n", (".stm", ".ctm"), False, "ref.stm: there is no 'u9', which"),
        ("\x1b" * 99 + "\ta\n", "", ("", ""), True, r"no '(\\x1b){80}…', which"),
        (STM + STM, CTM, (".stm", ".ctm"), False, "ref.stm:6: 'u1' occurs twice"),
    ],
)
def test_what_does_not_match_is_one_sentence(files, reference, hypothesis, suffixes, ids, message):
    with pytest.raises(BenchError, match=message) as caught:
        files(reference, hypothesis, suffixes, ids=ids)
    assert caught.value.code == Exit.USAGE
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(BenchError, match=r"nowhere: it cannot be read \(No such file"):
        list(read_samples(tmp_path / "nowhere", tmp_path / "nowhere"))
    with pytest.raises(BenchError, match="it cannot be read"):
        list(read_samples(tmp_path, tmp_path))
