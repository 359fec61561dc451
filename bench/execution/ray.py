"""All trials side by side on Ray: one reusable worker a trial, events streamed as they happen."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

# Ray reads these when it is imported. Its uv hook would build a new environment for each worker;
# the workers of bench run in the environment of the driver.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError

from bench.core.errors import BenchError
from bench.data.store import data_dir as home
from bench.execution.retries import again, back_off
from bench.tasks.trial import attempt, fail, run_trial
from bench.trials.events import Event, Failed, Finished, Retried, Started
from bench.trials.store import Attempt

if TYPE_CHECKING:
    from bench.trials.grid import Trial
    from bench.trials.store import Cause, Store

# What trials send is small, and a dashboard would be one more open port.
_OWN_CLUSTER: dict[str, Any] = {
    "include_dashboard": False,
    "object_store_memory": 128 * 2**20,
}
_WAIT_SECONDS = 0.5
_CHECK_SECONDS = 1.0
_KNOCK_SECONDS = 5.0


@contextmanager
def connect(address: str | None = None) -> Iterator[RayExecutor]:
    """Start a Ray cluster on this machine, or join the one at `address`; leave it in the end.

    Raises BenchError where no cluster answers at `address`.
    """
    # Workers that this process does not start have to be told where the data are.
    told = {"runtime_env": {"env_vars": {home.VARIABLE: str(home.folder())}}}
    where, options = (address, told) if address else ("local", _OWN_CLUSTER)
    try:
        _knock(where)
        with _signals_kept():
            ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:
        raise BenchError(
            f"no Ray cluster answers at '{where}' ({error}); start one with `ray start --head`, "
            "or leave --address out"
        ) from None
    try:
        yield RayExecutor()
    finally:
        ray.shutdown()


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Undo what Ray makes of SIGTERM: a native stack trace and an exit code of its own."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if before is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


@dataclass
class _Running:
    """A submitted trial, the attempts before, and when this one started on a worker."""

    trial: Trial
    attempts: list[Attempt]
    started: float | None = None


class RayExecutor:
    """Runs trials on the Ray cluster that this process is connected to.

    A worker or a node that dies, and a trial that exceeds its time limit, fail their own trials
    only. `bench.execution.retries` says which are tried again.
    """

    def run(
        self, trials: Sequence[Trial], store: Store
    ) -> Generator[tuple[Trial, Event], None, None]:
        """Yield the events of all trials as they arrive.

        Raises BenchError on a trial that no node of the cluster is large enough for.
        """
        for trial in trials:
            reservation(trial)
        running: dict[ray.ObjectRefGenerator, _Running] = {}
        due = [(0.0, _Running(trial, [])) for trial in trials]
        checked = time.monotonic()
        try:
            while running or due:
                due = _submit_due(due, running, store)
                events = [(stream, _next(stream, running[stream])) for stream in _ready(running)]
                if time.monotonic() - checked >= _CHECK_SECONDS:
                    checked = time.monotonic()
                    events += _ended(running)
                for stream, event in events:
                    if state := running.get(stream):
                        yield state.trial, _settle(running, due, stream, event, store)
        finally:
            for stream in running:
                ray.cancel(stream, force=True)


def _submit_due(
    due: list[tuple[float, _Running]],
    running: dict[ray.ObjectRefGenerator, _Running],
    store: Store,
) -> list[tuple[float, _Running]]:
    """Submit what is due by now, and return what is not yet."""
    now = time.monotonic()
    for moment, state in due:
        if moment <= now:
            running[_submit(state.trial, store, state.attempts)] = state
    return [(moment, state) for moment, state in due if moment > now]


def _ready(running: dict[ray.ObjectRefGenerator, _Running]) -> list[ray.ObjectRefGenerator]:
    """Wait a moment for trials that have something to say."""
    if not running:
        time.sleep(_WAIT_SECONDS)
        return []
    ready, _ = ray.wait(list(running), timeout=_WAIT_SECONDS, fetch_local=False)
    return list(ready)


def _next(stream: ray.ObjectRefGenerator, state: _Running) -> Event | Attempt:
    """Return the next event of a trial, or how this attempt at it failed."""
    try:
        event: Event = ray.get(next(stream))
    except (RayError, StopIteration) as error:
        if isinstance(error, RayTaskError) and isinstance(error.cause, Exception):
            # The worker lives, but a fault came before or behind the trial: a disk it does not see.
            return attempt("error", f"{type(error.cause).__name__}: {error.cause}")
        said = (str(error).strip() or "it ended without a word").splitlines()[0]
        return attempt(_cause(error), f"{type(error).__name__}: {said}")
    if isinstance(event, Started):
        state.started = time.monotonic()
    return event.failure.attempts[-1] if isinstance(event, Failed) else event


def _ended(
    running: dict[ray.ObjectRefGenerator, _Running],
) -> list[tuple[ray.ObjectRefGenerator, Attempt]]:
    """End what is over its time limit, and what waits for a node that is no more."""
    now, nodes, found = time.monotonic(), _nodes(), []
    for stream, state in running.items():
        limit = state.trial.resources.time_limit
        if state.started is None:
            if unfit := _unfit(state.trial, nodes):
                found.append((stream, attempt("lost node", unfit)))
        elif limit and now - state.started >= limit:
            found.append((stream, attempt("timeout", f"over its time limit of {limit:g} s")))
    for stream, _ in found:
        ray.cancel(stream, force=True)
    return found


def _settle(
    running: dict[ray.ObjectRefGenerator, _Running],
    due: list[tuple[float, _Running]],
    stream: ray.ObjectRefGenerator,
    event: Event | Attempt,
    store: Store,
) -> Event:
    """Forget a trial that ended; submit that of a failed attempt again if its cause deserves it."""
    if isinstance(event, Attempt):
        state = running.pop(stream)
        attempts = [*state.attempts, event]
        trial = again(state.trial, attempts)
        if trial is None:
            return Failed(fail(state.trial, store, attempts))
        due.append((time.monotonic() + back_off(event.cause), _Running(trial, attempts)))
        return Retried(event)
    if isinstance(event, Finished):
        del running[stream]
    return event


def _cause(error: Exception) -> Cause:
    if isinstance(error, NodeDiedError):
        return "lost node"
    return "out of memory" if isinstance(error, OutOfMemoryError) else "lost worker"


def reservation(trial: Trial) -> dict[str, float]:
    """Return what `trial` reserves. Raises BenchError where no node is large enough for it."""
    nodes = _nodes()
    if unfit := _unfit(trial, nodes):
        raise BenchError(f"{unfit}; lower cpus, workers or gpus in the suite's resources")
    return _wanted(trial, nodes)


def _unfit(trial: Trial, nodes: Sequence[dict[str, float]]) -> str | None:
    """Say why none of the nodes can ever take `trial`, or None when one can."""
    wanted = _wanted(trial, nodes)
    if any(all(node.get(kind, 0) >= amount for kind, amount in wanted.items()) for node in nodes):
        return None
    listed = ", ".join(f"{amount:g} {kind}" for kind, amount in wanted.items())
    return f"a trial of this suite reserves {listed}; no node of the Ray cluster has as much"


def _wanted(trial: Trial, nodes: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return what to reserve: no GPU where the cluster has none."""
    wanted = trial.resources
    gpus = wanted.gpus if any(node.get("GPU") for node in nodes) else 0.0
    return {"CPU": float(wanted.cpus + wanted.workers), "GPU": gpus}


def _nodes() -> list[dict[str, float]]:
    nodes = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["Resources"] for node in nodes if node["Alive"]]


def _submit(trial: Trial, store: Store, attempts: list[Attempt]) -> ray.ObjectRefGenerator:
    wanted = _wanted(trial, _nodes())
    task = _trial_task.options(num_cpus=wanted["CPU"], num_gpus=wanted["GPU"])
    return task.remote(trial, store, attempts)


# Retries are bench's own decision: Ray would repeat a trial that takes its node down for ever.
@ray.remote(max_retries=0)
def _trial_task(trial: Trial, store: Store, attempts: list[Attempt]) -> Iterator[Event]:
    """Run a trial in a worker, on the GPU that Ray assigned or on no GPU at all."""
    yield from run_trial(on_this_worker(trial), store, attempts)


def on_this_worker(trial: Trial) -> Trial:
    """Settle this worker; return `trial` as it is to run here: on the CPU where it got no GPU."""
    from bench.training.device import keep_freed_memory

    keep_freed_memory()
    if trial.resources.device != "auto" or ray.get_gpu_ids():
        return trial
    return replace(trial, resources=replace(trial.resources, device="cpu"))


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: Ray itself would wait for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()
