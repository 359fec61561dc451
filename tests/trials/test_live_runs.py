"""What other processes read of runs, and what killed runs leave."""

from __future__ import annotations

import pytest

from bench.trials.live_runs import LiveRun, LiveTask, is_unfinished, remove_ended


@pytest.mark.parametrize(
    ("state", "unfinished"), [("running", True), ("queued", True), ("done", False)]
)
def test_a_task_between_two_attempts_is_unfinished(state, unfinished):
    run = LiveRun("id", "suite", "bench run", "inline", tasks=[LiveTask("k", "n", "training", "f")])
    run.tasks[0].state = state
    assert is_unfinished([run], "k") is unfinished


def test_all_files_of_killed_runs_are_removed(tmp_path):
    (tmp_path / "runs/b.cancel").mkdir(parents=True)
    (tmp_path / "runs/a.part").touch()
    (tmp_path / "runs/c.json").touch()
    remove_ended(tmp_path)
    assert not (tmp_path / "runs").exists()
