"""Predictions, scores, comparisons and figures of the library."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import bench as library
from bench.core.recognition import Reading
from bench.evaluation.statistics.sample_errors import sample_errors
from bench.evaluation.statistics.significance import compare_rows, rate_interval

pytestmark = pytest.mark.xdist_group("api")
TEXTS = ["Hi", "sir", "two", "don't"]
TEST = {"name": "seq-digits", "digits": 2, "rounds": 1}


@pytest.fixture
def words(home, bench):
    """Prepare a data set of images whose widths say which text is on them; return the texts."""
    folder = home / "words"
    folder.mkdir(exist_ok=True)
    for number in range(len(TEXTS)):
        cv2.imwrite(str(folder / f"{number}.png"), np.zeros((12, 30 + number, 3), np.uint8))
    rows = "".join(f"{number}.png\t{text}\n" for number, text in enumerate(TEXTS))
    (folder / "gt.txt").write_text(rows)
    if not (home / "data/words").exists():
        assert bench("data", "prepare", "words").code == 0
    return TEXTS


def read(images):
    return [TEXTS[image.shape[1] - 30] for image in images]


@pytest.fixture
def rows(home):
    """Return the keys of both evaluations: ctc, then radial-ctc."""
    table = library.load_board("quick").evaluations().to_pylist()
    return [row["key"] for row in sorted(table, key=lambda row: row["entry"])]


def test_predictions_are_found_by_key_folder_file_and_training(rows):
    first = library.load_predictions(rows[0])
    assert len(first) == first.record.samples
    training = first.record.training
    for source in (first.folder, first.folder / "predictions.parquet", training, rows[0][:8]):
        again = library.load_predictions(source)
        assert again.table.equals(first.table)
        assert again.name == first.name


def test_a_file_of_predictions_alone_has_scores_and_no_protocol(rows, tmp_path):
    first = library.load_predictions(rows[0])
    file = tmp_path / "mine.parquet"
    file.write_bytes((first.folder / "predictions.parquet").read_bytes())
    alone = library.load_predictions(file)
    assert {**alone.scores} == {**first.scores}
    with pytest.raises(library.BenchError, match="does not say its protocol"):
        alone.worst()


def test_scores_of_predictions_are_those_of_the_record_and_the_board(rows):
    board = library.load_board("quick")
    for row in board.rows:
        predictions = library.load_predictions(row.evaluations[0, "seq-digits"])
        for name, value in predictions.record.scores.items():
            score = predictions.scores[name]
            on_board = row.scores[name]["seq-digits"]
            assert score.value == value
            assert (score.low, score.high) == (on_board.low, on_board.high)


def test_a_training_reads_what_its_evaluation_read(rows):
    recorded = library.load_predictions(rows[0])
    read_again = library.evaluate(recorded.record.training, TEST, protocol="digits")
    assert read_again.table.equals(recorded.table)
    assert "ctc" in read_again.name


def test_a_function_reads_a_test_split(words):
    read_all = library.evaluate(read, "words", protocol="str-36", batch_size=3)
    assert read_all.scores["sequence-accuracy"].value == 1
    assert sorted(read_all.to_arrow()["reference"].to_pylist()) == sorted(TEXTS)
    assert len(library.evaluate(read, "words", protocol="str-36", limit=2)) == 2


def test_an_object_may_return_readings_with_confidences(words):
    class Reader:
        def read(self, images):
            return [Reading(text, 0.5) for text in read(images)]

    table = library.evaluate(Reader(), "words", protocol="str-36").to_arrow()
    assert table["confidence"].to_pylist() == [0.5] * len(TEXTS)


@pytest.mark.parametrize(
    ("reader", "sentence"),
    [
        (lambda _: "text", "<lambda> returned a value of type str; return a list of one text"),
        (lambda images: images[1:], r"<lambda> returned 3 texts for 4 images; return one per"),
        (lambda _: [None] * 4, "<lambda> returned None for sample '.*'; return a text"),
        (7, "a value of type int reads nothing; give a function from images to texts"),
        ("no-such-reader", "no task has a record under a key that begins with 'no-such-reader'"),
    ],
)
def test_a_reader_that_returns_no_texts_is_refused(reader, sentence, words):
    with pytest.raises(library.BenchError, match=sentence):
        library.evaluate(reader, "words", protocol="str-36")


def test_what_a_function_raises_is_raised(words):
    def fails(images):
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        library.evaluate(fails, "words", protocol="str-36")


def test_scores_have_the_intervals_of_the_statistics():
    references, hypotheses = ["abcd", "efg", "hi"] * 20, ["abcd", "efx", ""] * 20
    scores = library.score(references, hypotheses, protocol="str-36")
    lengths, edits = [4, 3, 2] * 20, [0, 1, 2] * 20
    expected = rate_interval(sample_errors(None, lengths, edits))
    assert scores["cer"].value == sum(edits) / sum(lengths)
    assert scores["cer"].low == pytest.approx(expected.low, abs=1e-6)
    assert scores["cer"].high == pytest.approx(expected.high, abs=1e-6)
    assert scores.samples == 60
    assert str(scores).startswith("60 samples scored, 0 excluded")


def test_texts_by_id_are_matched_in_any_order():
    by_id = library.score({"a": "one", "b": "two"}, {"b": "two", "a": "ohne"}, protocol="str-36")
    in_order = library.score(["one", "two"], ["ohne", "two"], protocol="str-36")
    assert {**by_id} == {**in_order}


@pytest.mark.parametrize(
    ("references", "hypotheses", "sentence"),
    [
        (["a"], ["a", "b"], "there are 1 references and 2 hypotheses"),
        ("a", "b", "takes lists of texts"),
        ({"x": "a"}, ["a"], "one by id and one in a sequence"),
        ({"x": "a"}, {"y": "a"}, "the hypotheses have no text for sample 'x'"),
        ({"x": "a"}, {"x": "a", "y": "a"}, "the references have no text for sample 'y'"),
        ([""], ["a"], "no sample with a reference is left to score"),
    ],
)
def test_texts_that_do_not_match_are_refused(references, hypotheses, sentence):
    with pytest.raises(library.BenchError, match=sentence):
        library.score(references, hypotheses, protocol="str-36")


def test_an_unknown_protocol_is_refused(home):
    with pytest.raises(library.BenchError, match="there is no protocol 'str36'; did you mean"):
        library.score(["a"], ["a"], protocol="str36")


def test_rows_keys_and_predictions_compare_alike(rows):
    a, b = (library.load_predictions(key) for key in rows)
    by_key = library.compare(*rows).to_arrow()
    numbers = ["metric", "a", "b", "difference", "low", "high", "p", "outcome"]
    for one, other in ((a, b), (a.scores, b.scores), (a, rows[1])):
        assert library.compare(one, other).to_arrow().select(numbers).equals(by_key.select(numbers))
    assert "CER" in str(library.compare(a, b))


def test_compared_scores_have_the_p_of_the_statistics():
    references = ["abc"] * 30
    a = library.score(references, ["abc"] * 30, protocol="str-36")
    b = library.score(references, ["abc"] * 20 + ["abx"] * 10, protocol="str-36")
    compared = library.compare(a, b)
    cer = next(verdict for verdict in compared.verdicts if verdict.metric == "cer")
    lengths = [3] * 30
    expected = compare_rows(
        sample_errors(None, lengths, [0] * 20 + [1] * 10), sample_errors(None, lengths, [0] * 30)
    )
    assert (cer.p, cer.difference) == (expected.p, expected.difference)
    assert cer.outcome == "worse"
    assert compared.regressed


def test_boards_compare_row_by_row_and_not_with_a_row(home):
    board = library.load_board("quick")
    compared = library.compare(board, "quick")
    assert len(compared.pairs) == len(board.rows)
    assert {verdict.p for verdict in compared.verdicts} == {1.0}
    with pytest.raises(library.BenchError, match="is a board, the other is not"):
        library.compare(board, "quick#1")
    with pytest.raises(library.BenchError, match="a value of type int cannot be compared"):
        library.compare(7, "quick#1")


def test_figures_of_a_board_are_svg(home, tmp_path):
    drawn = library.figures("quick")
    assert {*drawn} == {*library.load_board("quick").figures}
    bundle = drawn["ranks"]._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<svg")
    assert drawn["ranks"].save(tmp_path / "ranks.svg").read_bytes() == drawn["ranks"].content
    assert [*library.figures("quick", ["ranks"])] == ["ranks"]
    with pytest.raises(library.BenchError, match="the board has no figure 'rank'; did you mean"):
        library.figures("quick", ["rank"])
    with pytest.raises(KeyError, match="there is no figure 'rank'"):
        _ = drawn["rank"]


def test_pictures_of_a_training_are_png(rows, tmp_path):
    drawn = library.figures(rows[0], out=tmp_path)
    (figure,) = drawn.values()
    assert figure._repr_mimebundle_()["image/png"].startswith(b"\x89PNG")
    assert (tmp_path / figure.name).read_bytes() == figure.content
    with pytest.raises(
        library.BenchError, match="there is no picture 'curve' of a training or evaluation; did you"
    ):
        library.figures(rows[0], ["curve"])


def test_notebooks_show_tables_without_scripts_or_markup_of_others(rows):
    hostile = "<script>alert(1)</script>\x1b[2J"
    board = library.load_board("quick")
    labeled = [replace(row, label=hostile) for row in board.rows]
    data = replace(board.data, suite=hostile, rows=labeled)
    predictions = replace(library.load_predictions(rows[0]), name=hostile)
    shown = [
        library.Board(data, board.folder),
        predictions,
        predictions.scores,
        library.compare(predictions, predictions),
        library.load_suite("quick"),
        library.load_suite("quick").plan(),
        board.figures,
    ]
    for each in shown:
        html = each._repr_html_()
        assert "\x1b" not in repr(each) + str(each)
        assert "<script" not in html
        assert "\x1b" not in html
        assert "<table>" in html or "<img" in html
    assert "&lt;script&gt;" in shown[0]._repr_html_()
