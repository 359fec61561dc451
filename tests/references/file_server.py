"""A server of files that misbehaves as mirrors do."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """A running server; `/BEHAVIOR/NAME` sends a file in a way that a method of `_Handler` has."""

    url: str
    files: dict[str, bytes]
    requests: list[tuple[str, str]] = field(default_factory=list)
    """The path and the header Range of each request."""
    headers: list[set[str]] = field(default_factory=list)
    """The names of the headers of each request."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    about: FileServer

    def do_GET(self):
        self.about.requests.append((self.path, self.headers.get("Range", "")))
        self.about.headers.append({name.lower() for name in self.headers})
        _, behavior, name = self.path.split("/")
        getattr(self, behavior)(self.about.files[name])

    def good(self, content):
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(match[1]) if match else 0
        headers = {}
        if match:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self._send(206 if match else 200, content[begin:], **headers)

    def no_ranges(self, content):
        self._send(200, content)

    def other_range(self, content):
        self._send(206, content, **{"Content-Range": f"bytes 0-{len(content) - 1}/{len(content)}"})

    def missing(self, _content):
        self._send(404, b"no such file")

    def other_content(self, content):
        self._send(200, content[::-1])

    def larger(self, content):
        self._send(200, content + b"more")

    def longer_without_length(self, content):
        self._send_chunks([content, b"more"])

    def without_length(self, content):
        self._send_chunks([content[:100], content[100:]])

    def compressed(self, content):
        self._send(200, content, **{"Content-Encoding": "gzip"})

    def cut(self, content):
        """Send a third of what is missing and close the connection."""
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(match[1]) if match else 0
        rest = content[begin:]
        headers = {"Content-Length": str(len(rest))}
        if match:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        self._send(206 if match else 200, rest[: len(rest) // 3], **headers)
        self.close_connection = True

    def slow(self, content):
        self._send(200, b"", **{"Content-Length": str(len(content))})
        for letter in content:
            try:
                self.wfile.write(bytes([letter]))
            except OSError:
                return
            time.sleep(0.02)

    def silent(self, _content):
        time.sleep(0.6)

    def to_file(self, _content):
        self._send(302, b"", Location="file:///etc/passwd")

    def to_password(self, _content):
        self._send(302, b"", Location=f"http://me:secret@{self.about.url[7:]}/good/digits.gz")

    def to_good(self, _content):
        self._send(302, b"", Location=self.path.replace("to_good", "good"))

    def to_itself(self, _content):
        self._send(302, b"", Location=self.path)

    def garbage(self, _content):
        self.wfile.write(b"\x1b[31m not HTTP\r\n\r\n")
        self.close_connection = True

    def _send(self, status, content, **headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _send_chunks(self, chunks):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for chunk in [*chunks, b""]:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    def log_message(self, *_words):
        pass


@contextmanager
def file_server(files: dict[str, bytes]) -> Iterator[FileServer]:
    """Run a server with these files."""
    handler = type("Handler", (_Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    handler.about = FileServer(f"http://127.0.0.1:{server.server_port}", files)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield handler.about
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
