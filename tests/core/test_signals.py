"""The handler of signals."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from bench.core import signals

pytestmark = pytest.mark.usefixtures("caught_signals")


def receive(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_an_interrupt(number):
    assert not signals.interrupted()
    with pytest.raises(KeyboardInterrupt):
        receive(number)
    assert signals.interrupted()


def test_further_signals_do_not_disturb_what_the_first_one_led_to():
    ended = []

    def end():
        try:
            receive()
        finally:
            receive()
            try:
                Path("/nowhere").stat()
            except OSError:
                receive(signal.SIGINT)
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        end()
    assert ended


def test_a_second_signal_counts_where_the_exception_of_the_first_was_lost():
    with suppress(KeyboardInterrupt):
        receive()
    with pytest.raises(KeyboardInterrupt):
        receive()


def test_what_must_not_be_left_halfway_is_not():
    ended = []

    def end():
        with signals.held_signals():
            receive()
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        end()
    assert ended


def test_what_is_within_such_a_block_is_not_left_halfway_either():
    ended = []

    def end():
        with signals.held_signals():
            with signals.held_signals():
                receive()
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        end()
    assert ended


def test_holding_signals_keeps_the_error_that_ends_the_block():
    def end():
        with signals.held_signals():
            receive()
            Path("/nowhere").stat()

    with pytest.raises(FileNotFoundError):
        end()
    assert signals.interrupted()


def test_the_line_that_resumes_leaves_out_force_and_control_characters(monkeypatch):
    monkeypatch.setattr("sys.argv", ["bench", "run", "--force", "a b", "\x1b[2J"])
    assert signals.resume_sentence().endswith(r"this resumes: bench run 'a b' '\x1b[2J'")
