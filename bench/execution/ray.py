"""All trials side by side on Ray: one reusable worker a trial, events streamed as they happen."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

# Ray reads these when it is imported. Its uv hook would build a new environment for each worker;
# the workers of bench run in the environment of the driver.
os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.exceptions import RayError

from bench.errors import BenchError
from bench.store import FAILURE, write
from bench.training.events import Event, Failed, Finished
from bench.training.trial import failed, run_trial

if TYPE_CHECKING:
    from bench.grid import Trial
    from bench.store import Store

# What trials send is small, and a dashboard would be one more open port.
_OWN_CLUSTER: dict[str, Any] = {
    "include_dashboard": False,
    "object_store_memory": 128 * 2**20,
}
_WAIT_SECONDS = 0.5
_KNOCK_SECONDS = 5.0


@contextmanager
def connect(address: str | None = None) -> Iterator[RayExecutor]:
    """Start a Ray cluster on this machine, or join the one at `address`; leave it in the end.

    Raises BenchError where no cluster answers at `address`.
    """
    where, options = (address, {}) if address else ("local", _OWN_CLUSTER)
    try:
        _knock(where)
        ray.init(address=where, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise BenchError(
            f"no Ray cluster answers at '{where}' ({error}); start one with `ray start --head`, "
            "or leave --address out"
        ) from None
    try:
        yield RayExecutor()
    finally:
        ray.shutdown()


class RayExecutor:
    """Runs trials on the Ray cluster that this process is connected to."""

    def run(
        self, trials: Sequence[Trial], store: Store
    ) -> Generator[tuple[Trial, Event], None, None]:
        """Yield the events of all trials as they arrive.

        A worker that dies fails its own trial only; what it could not write any more, this driver
        does. Raises BenchError on a trial that no node of the cluster is large enough for.
        """
        running = {self._submit(trial, store): trial for trial in trials}
        try:
            while running:
                ready, _ = ray.wait(list(running), timeout=_WAIT_SECONDS, fetch_local=False)
                for stream in ready:
                    trial = running[stream]
                    event = _next(stream, trial, store)
                    if isinstance(event, Finished | Failed):
                        del running[stream]
                    yield trial, event
        finally:
            for stream in running:
                ray.cancel(stream, force=True)

    def _submit(self, trial: Trial, store: Store) -> ray.ObjectRefGenerator:
        nodes = [
            node["Resources"]
            for node in ray.nodes()  # type: ignore[no-untyped-call]
            if node["Alive"]
        ]
        wanted = {"CPU": float(trial.resources.cpus)}
        if any(node.get("GPU") for node in nodes):
            wanted["GPU"] = trial.resources.gpus
        if not any(all(node.get(kind, 0) >= n for kind, n in wanted.items()) for node in nodes):
            raise BenchError(
                f"a trial of this suite reserves {wanted}, and no node of the Ray cluster has as "
                "much; lower cpus or gpus in the suite's resources"
            )
        options = {"num_cpus": wanted["CPU"], "num_gpus": wanted.get("GPU", 0)}
        return _trial_task.options(**options).remote(trial, store)


# Retries are bench's own decision: Ray would repeat a trial that takes its node down for ever.
@ray.remote(max_retries=0)
def _trial_task(trial: Trial, store: Store) -> Iterator[Event]:
    """Run a trial in a worker, on the GPU that Ray assigned or on no GPU at all."""
    if trial.resources.device == "auto" and not ray.get_gpu_ids():
        trial = replace(trial, resources=replace(trial.resources, device="cpu"))
    yield from run_trial(trial, store)


def _knock(address: str) -> None:
    """Raise OSError where nobody listens: Ray itself would wait for minutes."""
    host, colon, port = address.rpartition("://")[2].rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=_KNOCK_SECONDS).close()


def _next(stream: ray.ObjectRefGenerator, trial: Trial, store: Store) -> Event:
    """Return the next event; for a dead worker, the failure it could not write."""
    try:
        event: Event = ray.get(next(stream))
    except (RayError, StopIteration) as error:
        said = (str(error).strip() or "it ended without a word").splitlines()[0]
        failure = failed(trial, "lost worker", f"{type(error).__name__}: {said}")
        write(store.begin(trial) / FAILURE, failure)
        return Failed(failure)
    return event
