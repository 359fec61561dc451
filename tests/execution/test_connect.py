"""What joining a cluster does to this process, without a cluster."""

from __future__ import annotations

import signal

import pytest
import ray

from bench.core.errors import BenchError
from bench.execution.ray import connect


# Ray raises a plain Exception where a busy machine is too slow for it.
@pytest.mark.parametrize("error", [None, RuntimeError("no"), Exception("node timed out\nthere")])
def test_sigterm_stays_what_it_was(monkeypatch, error):
    def init(**_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if error:
            raise error

    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        if error:
            with pytest.raises(BenchError) as raised, connect():
                pass
            assert str(raised.value).startswith("Ray does not start on this machine (no")
            assert str(raised.value).endswith("or run with --executor inline")
            assert "\n" not in str(raised.value)
        else:
            with connect():
                assert signal.getsignal(signal.SIGTERM) is before
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, before)
