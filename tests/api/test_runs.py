"""Runs and boards of the library are those of the command line."""

from __future__ import annotations

import csv
import threading
import time

import pytest

import bench as library
from bench.execution.run_monitor import RunMonitor
from bench.execution.schedule import Schedule
from bench.trials import live_runs
from bench.trials.store import Store

from .conftest import QUICK

pytestmark = pytest.mark.xdist_group("api")
BAD = """
from dataclasses import dataclass
from typing import ClassVar

from bench.losses.ctc import CTC


@dataclass(frozen=True)
class Bad(CTC):
    name: ClassVar[str] = "bad"

    def objective(self, head, features, targets):
        raise ArithmeticError("no gradient today")
"""


def files(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_the_board_is_that_of_the_command_line_to_the_byte(home, bench):
    board = library.run("quick", seeds=[0])
    by_library = files(board.folder)
    assert {"board.json", "board.csv", "README.md", "board.html"} <= by_library.keys()
    assert bench("board", "quick").code == 0
    assert files(board.folder) == by_library
    assert bench("run", "quick", "--seeds", "0", "--executor", "inline", "--no-profile").code == 0
    assert files(board.folder) == by_library
    assert library.load_board("quick").data == board.data


def test_a_run_prints_nothing_unless_progress_is_asked_for(home, capsys):
    library.run("quick", losses=["ctc"], seeds=[0], tests=["seq-digits"])
    assert capsys.readouterr() == ("", "")


def test_progress_is_printed_on_stderr(ran, tmp_path, monkeypatch, capsys):
    folder = tmp_path
    (folder / "bench.toml").write_text(QUICK)
    monkeypatch.chdir(folder)
    results = folder / "results"
    library.run("quick", limit=1, executor="in-process", progress=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "[1/2" in printed.err
    assert results.is_dir()


def test_a_table_of_a_board_has_the_values_of_its_csv(home):
    board = library.load_board("quick")
    rows = [*csv.DictReader((board.folder / "board.csv").read_text().splitlines())]
    table = board.to_arrow().to_pylist()
    assert [*rows[0]] == ["schema", *table[0]]
    for cells, row in zip(rows, table, strict=True):
        for name, value in row.items():
            assert cells[name] == ("" if value is None else str(value))
    assert [*board.to_pandas().columns] == [*table[0]]


def test_evaluations_have_the_keys_and_scores_of_their_records(home, bench):
    assert bench("board", "quick").code == 0
    board = library.load_board("quick")
    rows = board.evaluations().to_pylist()
    assert [row["entry"] for row in rows] == [row.label for row in board.rows]
    for row in rows:
        record = library.load_predictions(row["key"]).record
        assert record.scores["cer"] == row["cer"]
    missing = {each.seed for column in board.missing.values() for each in column}
    assert missing | {row["seed"] for row in rows} == {0, 1}
    assert not missing & {row["seed"] for row in rows}


@pytest.mark.parametrize("name", ["md", "csv", "json", "latex", "html"])
def test_a_board_can_be_taken_in_every_format_of_the_command_line(name, home, bench):
    board = library.load_board("quick")
    assert board.format(name).replace("\r\n", "\n") == bench(
        "board", str(board.folder), "--format", name
    ).out.replace("\r\n", "\n")


def test_an_unknown_format_is_refused(home):
    with pytest.raises(library.BenchError, match="there is no format 'xls'; there is md, csv"):
        library.load_board("quick").format("xls")


def test_a_plan_says_what_is_done(home):
    plan = library.load_suite("quick").plan()
    assert plan.counts == {"done": 4, "to do": 4}
    assert plan.missing == 4
    rows = plan.to_arrow().to_pylist()
    assert {row["state"] for row in rows if row["seed"] == 0} == {"done"}
    assert rows[0]["name"] == "cnn-bilstm · ctc · seed 0"


def test_failures_are_raised_with_the_board_of_what_is_done(home):
    (home / "bad.py").write_text(BAD)
    file = home / "bad.toml"
    file.write_text(f'plugins = ["bad.py"]\n{QUICK}')
    with pytest.raises(library.RunError) as raised:
        library.run("quick", config=file, losses=["bad"], seeds=[0], executor="in-process")
    assert "cnn-bilstm · bad · seed 0: ArithmeticError: no gradient today" in str(raised.value)
    assert "log.txt" in str(raised.value)
    assert len(raised.value.failures) == 1
    assert raised.value.board.rows


def test_mistakes_are_the_sentences_of_the_command_line(home):
    with pytest.raises(library.BenchError, match="there is no suite 'quik'; did you mean 'quick'"):
        library.load_suite("quik")
    with pytest.raises(library.BenchError, match="no loss matches 'ctcc'"):
        library.run("quick", losses=["ctcc"])
    with pytest.raises(library.BenchError, match="there is no executor 'rai'; did you mean 'ray'"):
        library.run("quick", force=True, executor="rai", seeds=[0])
    with pytest.raises(library.BenchError, match="there is no board 'quik'"):
        library.load_board("quik")


def test_warnings_of_a_suite_are_warnings(home):
    file = home / "warns.toml"
    file.write_text(QUICK.replace('"digits"\nseeds', '"str-36"\nseeds'))
    with pytest.warns(library.BenchWarning, match="str-36"):
        library.load_suite("quick", config=file)


def test_a_run_in_a_thread_without_signals_can_be_cancelled(tmp_path):
    ended = []

    def run():
        with RunMonitor(Store(tmp_path), log_format="none", command="bench.run()") as monitor:
            live_runs.request_cancel(tmp_path, monitor.run.id, live_runs.WHOLE_RUN)
            try:
                while True:
                    monitor.watch(Schedule(None, Store(tmp_path), None))
                    time.sleep(0.01)
            except KeyboardInterrupt:
                ended.append(monitor.run.command)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(20)
    assert ended == ["bench.run()"]


@pytest.mark.slow
def test_tasks_run_in_processes_of_their_own_from_a_thread_with_an_event_loop(
    tmp_path, monkeypatch
):
    import asyncio

    (tmp_path / "bench.toml").write_text(QUICK)
    monkeypatch.chdir(tmp_path)
    boards = []

    async def cell():
        boards.append(library.run("quick", limit=1))

    thread = threading.Thread(target=asyncio.run, args=(cell(),))
    thread.start()
    thread.join()
    assert [len(row.seeds) for row in boards[0].rows] == [1, 0]
