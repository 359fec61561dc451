"""A rate limit of requests that all threads share."""

from __future__ import annotations

import threading
import time


class RateLimit:
    """Spaces requests evenly, and delays all of them while the endpoint asks for a pause.

    Args:
        per_minute: The most requests per minute; 0 for no limit.
    """

    def __init__(self, per_minute: float) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Reserve the next turn and return the seconds to wait for it."""
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
            return turn - now

    def hold(self, seconds: float) -> None:
        """Delay all requests that have no turn yet by at least so many seconds from now."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)
