"""A time limit on a whole HTTP request.

The timeout of a socket applies to each received part. So an endpoint that sends a byte now and
then, even of its headers, could delay a request forever.
"""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_THREAD = threading.local()


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """After `seconds`, shut down the connections that this thread opens within the context.

    Raises:
        TimeoutError: The connections were shut down.
    """
    sockets: list[socket.socket] = []
    over = threading.Event()

    def end() -> None:
        over.set()
        for each in [*sockets]:
            with suppress(OSError):  # already closed
                socket.socket.shutdown(each, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    _THREAD.sockets = sockets
    try:
        yield
    except (OSError, http.client.HTTPException, ValueError):
        if over.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        _THREAD.sockets = []


class _Connection(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _THREAD.sockets.append(self.sock)


class _SecureConnection(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _THREAD.sockets.append(self.sock)


class BoundedHTTP(urllib.request.HTTPHandler):
    """Opens http URLs with connections that `deadline` shuts down."""

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request and return its response."""
        return self.do_open(_Connection, request)


class BoundedHTTPS(urllib.request.HTTPSHandler):
    """Opens https URLs with connections that `deadline` shuts down."""

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request and return its response."""
        return self.do_open(_SecureConnection, request)
