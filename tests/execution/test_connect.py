"""What joining a cluster does to this process, without a cluster."""

from __future__ import annotations

import signal

import pytest
import ray

from bench.core.errors import BenchError
from bench.execution.ray import connect


@pytest.mark.parametrize("error", [None, RuntimeError("no")])
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
            with pytest.raises(BenchError, match="no Ray cluster answers"), connect():
                pass
        else:
            with connect():
                assert signal.getsignal(signal.SIGTERM) is before
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, before)
