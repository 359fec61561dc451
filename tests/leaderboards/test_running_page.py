"""The page of active runs, and the data that it polls."""

from __future__ import annotations

import json
import time

from bench.execution.run_monitor import RunMonitor
from bench.leaderboards.web.running_page import running_data, running_page
from bench.tasks.task import failed_attempt
from bench.trials import grid
from bench.trials.events import Failed
from bench.trials.records import Failure
from bench.trials.store import LOG


def test_active_runs_have_the_logs_of_failures(store, trials, monkeypatch):
    monkeypatch.setattr("bench.execution.run_monitor._EVERY_SECONDS", 0.02)
    assert json.loads(running_data(store.root)) == {"runs": []}
    task = trials[0].trainings[0]
    (store.begin(task) / LOG).write_text("<script>\n\x1b[31mlast")
    names = {each.key: "<script>" for each in grid.tasks(trials)}
    with RunMonitor(store, suite="tiny") as monitor:
        monitor.plan(grid.tasks(trials), names)
        monitor.observe(task, Failed(Failure(task.key, {}, {}, 0, [failed_attempt("error", "no")])))
        ends = time.monotonic() + 20
        while not (runs := json.loads(running_data(store.root))["runs"]) or not runs[0]["logs"]:
            assert time.monotonic() < ends
            time.sleep(0.01)
    assert runs[0]["logs"] == {task.key: "<script>\n\\x1b[31mlast"}
    assert runs[0]["tasks"][0]["state"] == "failed"


def test_the_page_may_only_request_its_own_server():
    page = running_page().decode()
    assert "connect-src 'self'" in page
    assert "default-src 'none'" in page
    assert "innerHTML" not in page
