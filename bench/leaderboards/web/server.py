"""A web server for browsers on this machine alone."""

from __future__ import annotations

import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from bench.core.errors import BenchError, one_line
from bench.leaderboards.web.site import INDEX, Site

LOOPBACK = "127.0.0.1"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class SiteServer(ThreadingHTTPServer):
    """Serve the files of a site on the loopback address.

    Only paths that the site lists are served, so no path leads to another file. Requests must name
    this server as their host, so a page of another site cannot read it through a name that
    resolves to this machine (DNS rebinding).

    Args:
        site: Returns the site; called for each request, so that boards written since appear.
        port: The port; 0 for a free one.
        polled: Files that pages request repeatedly. They are served without listing all boards and
            records, which `site` does.

    Raises:
        BenchError: The port cannot be used.
    """

    daemon_threads = True

    def __init__(self, site: Callable[[], Site], port: int = 0, polled: Site | None = None) -> None:
        self.site, self.polled = site, polled or {}
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError as error:
            raise BenchError(
                f"port {port} of {LOOPBACK} cannot be used ({error.strerror}); choose another with "
                "--port, or any free one with --port 0"
            ) from None

    @property
    def address(self) -> str:
        """The URL of the index."""
        return f"http://{LOOPBACK}:{self.server_port}/"

    @property
    def hosts(self) -> set[str]:
        """The values of the header `Host` that are accepted."""
        names = {LOOPBACK, "localhost"}
        return {f"{name}:{self.server_port}" for name in names} | (
            names if self.server_port == 80 else set()  # noqa: PLR2004 (browsers omit HTTP's port)
        )

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (as inherited)
        """Ignore closed connections, which are usual when a tab is closed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: SiteServer
    timeout = 30
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with the file of the path."""
        if self.headers.get("Host") not in self.server.hosts:
            self._answer(HTTPStatus.FORBIDDEN, b"this server serves this machine alone\n")
            return
        try:
            path = unquote(urlsplit(self.path).path).removeprefix("/")
        except ValueError:
            self._answer(HTTPStatus.BAD_REQUEST, b"this is not a valid URL\n")
            return
        path = f"{path}{INDEX}" if not path or path.endswith("/") else path
        try:
            content = self.server.polled.get(path) or self.server.site().get(path)
            if content is None:
                self._answer(HTTPStatus.NOT_FOUND, b"there is no such page\n")
                return
            body = content()
        except (BenchError, OSError) as error:
            reason = f"bench: {one_line(error)}\n".encode(errors="backslashreplace")
            self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, reason)
        else:
            kind = _TYPES.get(PurePosixPath(path).suffix, "application/octet-stream")
            self._answer(HTTPStatus.OK, body, kind)

    do_HEAD = do_GET  # noqa: N815 (as inherited)

    def _answer(
        self, status: HTTPStatus, body: bytes, kind: str = "text/plain; charset=utf-8"
    ) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), **_HEADERS}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        """Return the header `Server`, without versions."""
        return "bench"

    def log_message(self, *_arguments: object) -> None:
        """Do not log requests."""
