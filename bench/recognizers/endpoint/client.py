"""HTTP requests with JSON documents: with a rate limit, retries, and bounds on time and size."""

from __future__ import annotations

import email.utils
import http.client
import json
import random
import ssl
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from bench.core.errors import BenchError, Exit
from bench.recognizers.endpoint.deadline import BoundedHTTP, BoundedHTTPS, deadline
from bench.recognizers.endpoint.rate_limit import RateLimit

if TYPE_CHECKING:
    from email.message import Message

MAX_RETRY_AFTER = 120.0
"""Seconds; if an endpoint asks for a longer pause, the request fails."""
FIRST_DELAY, MAX_DELAY = 0.5, 8.0
"""Seconds before the first retry, and the most before a later one; the delay doubles."""
MAX_REPLY = 2**22
"""Bytes; an answer about one image is far smaller."""
MIN_SECRET = 8
"""Characters; a shorter key, such as that of a local server, is not removed from replies."""
_CHUNK = 2**16
_BUSY = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True)
class Reply:
    """The reply of an endpoint.

    Attributes:
        status: The HTTP status.
        body: The content, with the API key replaced by "***".
        seconds: The time from the last request to the end of its reply.
        attempts: The number of requests that were sent.
        location: The target of a redirect. Redirects are not followed, because the API key would
            be sent there too.
        retry_after: The number of seconds that the endpoint asks to wait; None without such a
            header.
    """

    status: int
    body: bytes
    seconds: float
    attempts: int = 1
    location: str = ""
    retry_after: float | None = None

    @property
    def busy(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in _BUSY or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR


class Client:
    """Posts JSON documents to one URL; several threads may use it.

    Args:
        url: The URL.
        key: The API key; "" sends none.
        timeout: Seconds that a reply may take.
        retries: How often a request is repeated.
        requests_per_minute: The most requests per minute; 0 for no limit.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        timeout: float,
        retries: int,
        requests_per_minute: float = 0.0,
    ) -> None:
        self.url = url
        self._key = key
        self._timeout = timeout
        self._retries = retries
        self._rate_limit = RateLimit(requests_per_minute)
        self._closed = threading.Event()
        # The default opener would also open file URLs and follow redirects.
        self._opener = urllib.request.OpenerDirector()
        for handler in (urllib.request.ProxyHandler, BoundedHTTP, BoundedHTTPS):
            self._opener.add_handler(handler())

    @property
    def has_key(self) -> bool:
        """Whether requests carry an API key."""
        return bool(self._key)

    def close(self) -> None:
        """Wake up all waiting threads; each of them raises BenchError."""
        self._closed.set()

    def post(self, document: object) -> Reply:
        """Post a document and return the reply; the request is repeated while the endpoint is busy.

        If the endpoint stays busy, the last reply is returned.

        Raises:
            BenchError: The endpoint does not reply, or the client was closed.
        """
        content = json.dumps(document, ensure_ascii=False).encode()
        for attempt in range(1, self._retries + 2):
            last = attempt > self._retries
            self._wait(self._rate_limit.turn())
            try:
                with deadline(self._timeout):
                    reply = self._send(content, attempt)
            except (OSError, http.client.HTTPException) as error:
                if last or _is_final(error):
                    raise BenchError(self._unreachable(error, attempt), Exit.FAILED) from None
                self._wait(self._delay(attempt))
                continue
            if last or not reply.busy:
                return reply
            delay = self._delay(attempt) if reply.retry_after is None else reply.retry_after
            if delay > MAX_RETRY_AFTER:
                return reply
            if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
                self._rate_limit.hold(delay)  # all threads wait
            else:
                self._wait(delay)
        raise AssertionError  # the last attempt returns or raises

    def _send(self, content: bytes, attempt: int) -> Reply:
        """Send one request. Raises OSError or HTTPException unless the reply is complete."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        headers |= {"Authorization": f"Bearer {self._key}"} if self._key else {}
        request = urllib.request.Request(self.url, content, headers)  # noqa: S310 (http or https)
        began = time.monotonic()
        response = self._opener.open(request, timeout=self._timeout)
        if response is None:
            raise OSError("this URL cannot be opened")
        with response:
            body = self._read(response, began + self._timeout)
            return Reply(
                status=response.status,
                body=self._without_key(body),
                seconds=time.monotonic() - began,
                attempts=attempt,
                location=response.headers.get("Location", ""),
                retry_after=retry_after(response.headers),
            )

    def _read(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        while part := response.read1(_CHUNK):
            body += part
            if len(body) > MAX_REPLY:
                raise http.client.HTTPException(f"a reply of more than {MAX_REPLY:,} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(bytes(body), response.length)
        return bytes(body)

    def _without_key(self, body: bytes) -> bytes:
        return body.replace(self._key.encode(), b"***") if len(self._key) >= MIN_SECRET else body

    def _delay(self, attempt: int) -> float:
        """Return the seconds before a retry; random, so that threads do not retry together."""
        longest = min(FIRST_DELAY * 2.0 ** (attempt - 1), MAX_DELAY)
        return longest * random.uniform(0.5, 1)  # noqa: S311 (no secret)

    def _wait(self, seconds: float) -> None:
        if self._closed.wait(seconds) if seconds > 0 else self._closed.is_set():
            raise BenchError(f"{self.url}: the run was interrupted", Exit.INTERRUPTED)

    def _unreachable(self, error: Exception, attempts: int) -> str:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(cause, TimeoutError):
            fault, remedy = f"no reply within {self._timeout:g} seconds", "raise timeout"
        else:
            text = " ".join(str(cause).split()) or type(cause).__name__
            fault, remedy = f"no reply ({text})", "check the URL, and that the endpoint runs"
        times = f", asked {attempts} times" if attempts > 1 else ""
        return f"{self.url}: {fault}{times}; {remedy}, and run again: answers so far are kept"


def retry_after(headers: Message) -> float | None:
    """Return the seconds that the headers of a reply ask to wait; None without such a header."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return _seconds(float(milliseconds) / 1000)
        if (text := headers.get("Retry-After")) is None:
            return None
        try:
            return _seconds(float(text))
        except ValueError:
            moment = email.utils.parsedate_to_datetime(text)
            return _seconds(moment.timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _seconds(value: float) -> float | None:
    """Return a number of seconds, at least 0; None for NaN."""
    return max(value, 0.0) if value == value else None  # noqa: PLR0124 (NaN)


def _is_final(error: Exception) -> bool:
    """Return whether a retry cannot help."""
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    return isinstance(cause, ssl.SSLCertVerificationError)
