"""Why Ray does not start or does not take this process, in a sentence."""

from __future__ import annotations

import os
import shutil
import signal
import threading
from pathlib import Path

import pytest
import ray

from bench.core.errors import BenchError
from bench.execution import ray_cluster
from bench.execution.ray import connect
from bench.execution.ray_address import ClusterAddress


def raising(error):
    def init(**_: object) -> None:
        raise error

    return init


# Ray raises a plain Exception where a busy machine is too slow for it.
@pytest.mark.parametrize("error", [RuntimeError("no"), Exception("  no\n")])
def test_a_ray_that_does_not_start_is_said_with_where_its_logs_are(monkeypatch, error):
    monkeypatch.setattr(ray, "init", raising(error))
    before = signal.getsignal(signal.SIGTERM), dict(os.environ)
    with pytest.raises(BenchError) as raised, connect():
        pass
    start, _, rest = str(raised.value).partition("; its logs are in ")
    folder, _, advice = rest.partition("); ")
    assert start == "Ray does not start on this machine (no"
    assert advice == "try again when it is less busy, or run with --executor inline"
    assert [file.name for file in Path(folder).iterdir()] == ["driver.log"]
    shutil.rmtree(folder)
    assert (signal.getsignal(signal.SIGTERM), dict(os.environ)) == before


def test_a_ray_that_hangs_as_it_starts_is_given_up(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(ray, "init", lambda **_: released.wait())
    monkeypatch.setattr(ray_cluster, "START_SECONDS", 0.1)
    monkeypatch.setattr(ray_cluster, "_LEAVE_SECONDS", 0.1)
    try:
        with (
            pytest.raises(BenchError, match=r"\(it took more than 0 s; its logs") as raised,
            connect(),
        ):
            pass
    finally:
        released.set()
    shutil.rmtree(str(raised.value).partition("logs are in ")[2].partition(")")[0])


def _joining(monkeypatch, error):
    """Return the sentence for an error of Ray's while it joins a cluster that answers."""
    monkeypatch.setattr(ray, "init", raising(error))
    monkeypatch.setattr(ClusterAddress, "require", lambda _: None)
    with pytest.raises(BenchError) as raised, connect("10.0.0.1:6379"):
        pass
    return str(raised.value)


def test_a_cluster_that_requires_a_token_is_not_said_to_be_absent(monkeypatch):
    refused = RuntimeError("Unauthenticated: RPC error: InvalidAuthToken: it is missing")
    error = ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379")
    error.__cause__ = refused
    sentence = _joining(monkeypatch, error)
    assert sentence.startswith("the Ray cluster at '10.0.0.1:6379' takes no process without its")
    assert "export RAY_AUTH_MODE=token" in sentence


def test_another_version_of_ray_is_said_to_be_the_cause(monkeypatch):
    error = RuntimeError("Version mismatch: The cluster was started with:\n  Ray: 1.0\n")
    assert _joining(monkeypatch, error) == (
        "the Ray cluster at '10.0.0.1:6379' cannot be joined (Version mismatch: The cluster was "
        "started with: Ray: 1.0); where this machine is not a node of it, run "
        "`ray start --address 10.0.0.1:6379` first"
    )
