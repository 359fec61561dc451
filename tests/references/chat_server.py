"""An HTTP server on this machine that answers chat completions as a test tells it to."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def completion(text, *, reason="stop", usage=(100, 5), **message):
    """Return the body of a chat completion."""
    document = {
        "choices": [
            {
                "index": 0,
                "finish_reason": reason,
                "message": {"role": "assistant", "content": text, **message},
            }
        ]
    }
    if usage:
        document["usage"] = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return document


@dataclass
class Step:
    """How the server treats one request.

    Attributes:
        body: A JSON value or bytes.
        hang: Seconds before it answers.
        close: Whether it closes the connection instead.
        short: How many of the bytes that it announces are missing.
        drip: Seconds between two bytes of the body.
    """

    body: object = None
    status: int = 200
    headers: dict = field(default_factory=dict)
    hang: float = 0
    close: bool = False
    short: int = 0
    drip: float = 0


@dataclass
class ChatServer:
    """What the server was asked, and how it answers.

    Attributes:
        url: Its base URL.
        steps: How the next requests are treated, in order; afterwards `otherwise` says.
        otherwise: Returns the body for a request.
        requests: The documents that came, with headers and times.
    """

    url: str = ""
    steps: list = field(default_factory=list)
    otherwise: object = staticmethod(lambda _: completion("word"))
    requests: list = field(default_factory=list)
    lock: object = field(default_factory=threading.Lock)
    under_way: int = 0
    most_under_way: int = 0

    def next_step(self, request):
        with self.lock:
            self.requests.append(request)
            return self.steps.pop(0) if self.steps else None

    @contextmanager
    def counted(self):
        with self.lock:
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            yield
        finally:
            with self.lock:
                self.under_way -= 1


@contextmanager
def chat_server():
    """Run a server in a thread; yield what controls it."""
    state = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            with state.counted():
                self.answer()

        def answer(self):
            length = int(self.headers.get("Content-Length", 0))
            document = json.loads(self.rfile.read(length))
            request = {
                "path": self.path,
                "headers": dict(self.headers),
                "document": document,
                "time": time.monotonic(),
            }
            step = state.next_step(request) or Step(state.otherwise(document))
            if step.hang:
                time.sleep(step.hang)
            if step.close:
                return
            body = step.body
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(step.status)
            for name, value in step.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) + step.short))
            self.end_headers()
            if step.drip:
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    time.sleep(step.drip)
            else:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    # A client that gave up is what some tests are about.
    server.handle_error = lambda *_: None
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
