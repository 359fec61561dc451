"""A bound on the whole time of an HTTP request.

The timeout of a socket is for each part that is received, so that an endpoint that sends a byte now
and then, of its headers too, would hold a request forever.
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
    """Shut the connections that this thread opens within the context down after `seconds`.

    Raises:
        TimeoutError: They were.
    """
    sockets: list[socket.socket] = []
    over = threading.Event()

    def end() -> None:
        over.set()
        for each in [*sockets]:
            with suppress(OSError):  # it is closed
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
    """Opens http URLs by connections that `deadline` bounds."""

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request and return its response."""
        return self.do_open(_Connection, request)


class BoundedHTTPS(urllib.request.HTTPSHandler):
    """Opens https URLs by connections that `deadline` bounds."""

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Send a request and return its response."""
        return self.do_open(_SecureConnection, request)
