"""Runs in progress and their estimated duration, as text and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from bench.trials.durations import duration

if TYPE_CHECKING:
    from bench.execution.estimate import Estimate
    from bench.trials.live_runs import LiveRun, LiveTask


def estimate_line(estimate: Estimate) -> str:
    """Return how long a run may take."""
    if not estimate.tasks:
        return "time: nothing to run"
    if estimate.one_by_one is None:
        return "time: no estimate yet, because some tasks have no record of a similar one"
    one_by_one = f"about {duration(estimate.one_by_one)} one by one"
    if estimate.seconds is None:
        return f"time: {one_by_one}; less if several run at once, which depends on the cluster"
    if estimate.slots == 1:
        return f"time: {one_by_one}"
    return f"time: about {duration(estimate.seconds)}, {estimate.slots} at once ({one_by_one})"


def task_progress(task: LiveTask) -> str:
    """Return the progress of a task of a run, and where it runs."""
    if task.state != "running":
        return {"starting": "starting", "held elsewhere": task.text}.get(task.state, "queued")
    parts = []
    if task.epoch is not None:
        parts.append(f"epoch {task.epoch:.1f}")
    elif task.steps:
        parts.append(f"{task.step:,} of {task.steps:,}")
    if task.eta is not None:
        parts.append(f"{duration(task.eta)} left")
    parts.append(f"{task.device} of {task.node}" if task.device else task.node)
    return ", ".join(parts)


def run_line(run: LiveRun) -> str:
    """Return which process drives a run, its progress, and the time left."""
    since = run.process.since[:16].replace("T", " ")
    head = f"{run.suite or 'this'} has been running since {since} UTC in {run.process}"
    if run.profiling:
        each = run.profiling
        return f"{head}; profiling {each.number} of {each.total}: {each.name}"
    if not run.slots:
        return f"{head}; {run.phase or 'starting'}"
    left = "time left unknown" if run.left is None else f"about {duration(run.left)} left"
    return (
        f"{head}; {run.ended} of {len(run.tasks)} tasks have ended, "
        f"{len(run.running)} of {run.slots} slots are in use, {left}"
    )


def runs_json(runs: Sequence[LiveRun]) -> list[dict[str, Any]]:
    """Return runs as JSON values, without their tasks."""
    return [
        {
            **{name: value for name, value in msgspec.to_builtins(run).items() if name != "tasks"},
            "running": len(run.running),
            "ended": run.ended,
            "total": len(run.tasks),
        }
        for run in runs
    ]
