"""The formats of a board have the same values, and texts of others are data in all of them."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import jsonschema
import pytest
from synthetic_boards import synthetic_board

from bench.leaderboards import board as boards
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.formats.board_csv import csv_text
from bench.leaderboards.formats.board_formats import DOCUMENTS
from bench.leaderboards.formats.board_schema import schema_text
from bench.leaderboards.formats.columns import board_columns, may_be_best, score_text
from bench.leaderboards.formats.latex import board_latex, escaped_latex

ROOT = Path(__file__).parents[3]
PUBLISHED = sorted(ROOT.glob("leaderboards/*/v*/board.json"))


@pytest.fixture(scope="module")
def board():
    return synthetic_board(6, 2, 60)[0]


def records(board) -> list[dict[str, str]]:
    return [*csv.DictReader(StringIO(csv_text(board), newline=""), strict=True)]


def test_csv_has_numbers_in_full_precision(board):
    lines = records(board)
    assert [line["entry_hash"] for line in lines] == [row.entry for row in board.rows]
    for column in board_columns(board):
        for line, value in zip(lines, column.values, strict=True):
            if isinstance(value, Score):
                parts = {part: line[f"{column.key}_{part}"] for part in ("mean", "std", "low")}
                assert float(parts["mean"]) == value.mean
                assert float(parts["low"]) == value.low
                assert (parts["std"] == "") == (value.std is None)
            elif isinstance(value, Ranks):
                assert (int(line[f"{column.key}_best"]), int(line[f"{column.key}_worst"])) == (
                    value.best,
                    value.worst,
                )
            elif isinstance(value, int | float):
                assert float(line[column.key]) == value
    assert csv_text(board).count("\r\n") == len(board.rows) + 1


def test_json_markdown_csv_and_latex_have_the_same_numbers(board):
    document = json.loads(DOCUMENTS["json"](board, {}))["board"]
    page, tex = DOCUMENTS["md"](board, {}).decode(), board_latex(board)
    name, place = board.ranked_by, board.columns[0].name
    for row, line in zip(document["rows"], records(board), strict=True):
        stored = row["scores"][name][place]
        score = Score(*(float(line[f"{name}/{place}_{part}"] or "nan") for part in stored))
        if not line[f"{name}/{place}_std"]:
            score = replace(score, std=None)
        assert score == Score(**stored)
        text = score_text(board.ranking_metric, score)
        assert text in page
        mean, low, high = (
            board.ranking_metric.format(each) for each in (score.mean, score.low, score.high)
        )
        assert re.search(rf"{mean}}}?\^{{{high}}}_{{{low}}}", tex)


@pytest.mark.parametrize("label", ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "＝1"])
def test_texts_of_others_are_not_formulas_of_a_spreadsheet(board, label):
    rows = [replace(board.rows[0], label=label)]
    (line,) = records(replace(board, rows=rows, suite="=evil"))
    assert line["entry"] == f"'{label}"
    assert line["board"].startswith("'=evil")


def test_texts_of_others_are_quoted_in_csv(board):
    rows = [replace(board.rows[0], label='a "b", c\nd\x1b')]
    assert records(replace(board, rows=rows))[0]["entry"] == 'a "b", c\\nd\\x1b'


TOKENS = re.compile(r"\\([A-Za-z]+|.)|([{}$&#%_^~])|([^\\{}$&#%_^~]+)", re.DOTALL)


def check_latex(text: str) -> list[int]:
    """Return the number of cells of each row; braces, dollars and environments must match."""
    depth, math, environments, cells = 0, False, [], []
    for line in text.splitlines():
        if line.startswith("%"):
            continue
        count = 1
        for command, special, _ in TOKENS.findall(line):
            depth += (special == "{") - (special == "}")
            assert depth >= 0
            math ^= special == "$"
            assert special not in {"^", "_"} or math
            assert special not in {"#", "~", "%"}
            count += special == "&"
            if command in {"begin", "end"}:
                name = re.search(rf"\\{command}{{(\w+)}}", line)[1]
                assert command == "begin" or environments.pop() == name
                environments += [name] if command == "begin" else []
        assert (depth, math) == (0, False)
        if line.endswith(r"\\"):
            cells.append(count)
    assert environments == []
    return cells


def test_latex_is_well_formed_and_marks_rows_that_may_be_best(board):
    text = board_latex(board)
    assert len({*check_latex(text)}) == 2, "one table has costs, the other has none"
    for row in board.rows:
        shown = escaped_latex(row.label)
        assert (rf"\textbf{{{shown}}}" in text) == may_be_best(row)
    assert text.count(r"\begin{tabular}") == len(board.metrics)


@pytest.mark.parametrize("label", [r"\input{x}", "a_b^c~d", "50 % & {more} $x$ #1", "--- `<>|"])
def test_texts_of_others_are_not_commands_of_latex(board, label):
    rows = [replace(row, label=f"{label} {n}") for n, row in enumerate(board.rows)]
    text = board_latex(replace(board, rows=rows))
    assert len({*check_latex(text)}) == 2
    assert r"\input" not in text


def test_one_test_set_is_one_table_of_all_metrics():
    text = board_latex(synthetic_board(3, 1, 40, seeds=1)[0])
    assert text.count(r"\begin{tabular}") == 1
    assert r"CER \%" in text
    assert r"\pm" not in text.partition(r"\midrule")[2], "a single seed has no deviation"


def test_the_schema_is_that_of_the_classes():
    file = ROOT / "docs/reference/board.schema.json"
    assert file.read_text() == schema_text(), (
        "write it again: python -c 'from bench.leaderboards.formats.board_schema import "
        'schema_text; print(schema_text(), end="")\' > docs/reference/board.schema.json'
    )


def test_boards_are_valid_by_the_schema(board):
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    validator.check_schema(validator.schema)
    documents = [json.loads(file.read_bytes()) for file in PUBLISHED]
    for document in [*documents, json.loads(boards.board_json(board))]:
        validator.validate(document)
    document["board"]["rows"][0]["rank"] = "first"
    assert not validator.is_valid(document)
