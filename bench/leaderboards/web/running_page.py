"""The page of active runs, which `bench view` serves, and the data that it polls."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bench.leaderboards.web.document import html_document
from bench.trials.live_runs import LiveRun, LiveTask, live_runs
from bench.trials.store import LOG
from bench.trials.task_logs import log_lines

PAGE, DATA = "running.html", "running.json"
_BODY = """\
<div class="top"><a href="index.html">Leaderboards</a>
<button id="theme" type="button">Theme</button></div>
<main>
<h1>Running now</h1>
<p id="state" role="status">Loading …</p>
<div id="runs"></div>
<noscript><p>This page needs JavaScript; <code>bench status</code> prints the same.</p></noscript>
</main>"""
_POLICY = "img-src data:; connect-src 'self'"
_LOG_LINES = 15
_MAX_LOGS = 20


def running_page() -> bytes:
    """Return the page; it reads `running.json` every two seconds."""
    scripts, styles = ("theme.js", "running.js"), ("theme.css", "running.css")
    return html_document("Running now", _BODY, scripts, styles, requests=_POLICY)


def running_data(results: Path) -> bytes:
    """Return the active runs of a folder of results as JSON, with the ends of logs of failures."""
    return msgspec.json.encode({"runs": [_run(results, run) for run in live_runs(results)]})


def _run(results: Path, run: LiveRun) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(run)
    failed = [task for task in run.tasks if task.state == "failed"][-_MAX_LOGS:]
    return values | {"logs": {task.key: _log_end(results, task) for task in failed}}


def _log_end(results: Path, task: LiveTask) -> str:
    with suppress(OSError):
        return "\n".join(log_lines(results / task.folder / LOG, _LOG_LINES))
    return "There is no log."
