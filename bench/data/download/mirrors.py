"""Requests to the mirrors of a file: what is asked of one, and what of its answer is accepted."""

from __future__ import annotations

import http.client
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from time import monotonic
from typing import IO
from urllib.parse import urlsplit

from bench.core.errors import one_line
from bench.core.printable import first_line, quoted
from bench.core.version import DISTRIBUTION, __version__

_CHUNK = 2**18
_MAX_REDIRECTS = 5
_PARTIAL = 206
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class MirrorError(Exception):
    """Why a mirror did not send a file; the message is a clause."""


@dataclass(frozen=True)
class Patience:
    """How long a mirror may take.

    Attributes:
        timeout: Seconds without a connection or a byte.
        window: Seconds after which `min_rate` is required.
        min_rate: Bytes per second, on average over each `window`.
    """

    timeout: float = 30.0
    window: float = 60.0
    min_rate: float = 1024.0


@dataclass(frozen=True)
class Answer:
    """The body that a mirror sends.

    Attributes:
        offset: The position in the file of its first byte: as requested, or 0.
        chunks: The bytes; reading them raises MirrorError if the mirror fails or is too slow.
    """

    offset: int
    chunks: Iterator[bytes]


def request_file(url: str, offset: int, size: int, patience: Patience) -> Answer:
    """Request a file of a known size from one of its bytes on.

    Args:
        url: An address of HTTPS or HTTP.
        offset: The number of bytes that are there already.
        size: The number of bytes of the whole file.
        patience: How long the mirror may take.

    Raises:
        MirrorError: It cannot be reached, does not have the file, or has one of another size.
    """
    check_url(url)
    headers = {
        "User-Agent": f"{DISTRIBUTION}/{__version__}",
        "Accept-Encoding": "identity",
    }
    if offset:
        headers["Range"] = f"bytes={offset}-"
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 (see check_url)
    try:
        response = _opener().open(request, timeout=patience.timeout)
    except urllib.error.HTTPError as error:
        with error:
            raise MirrorError(f"answered {error.code} ({first_line(str(error.reason))})") from None
    except urllib.error.URLError as error:
        raise MirrorError(f"cannot be reached ({_reason(error.reason)})") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise MirrorError(f"cannot be reached ({_reason(error)})") from None
    try:
        begin = _begin(response, offset, size)
    except BaseException:
        response.close()
        raise
    return Answer(begin, _chunks(response, size - begin, patience))


def check_url(url: str) -> None:
    """Raise MirrorError for an address that is neither HTTPS nor HTTP, or has a password."""
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
    except ValueError as error:
        raise MirrorError(f"has an address that cannot be read ({error})") from None
    if parts.scheme not in {"https", "http"} or not host:
        raise MirrorError(f"leads to {parts.scheme or 'no'}:, which is neither https: nor http:")
    if user is not None:
        raise MirrorError("leads to an address with a name of a user, which is not used")


class _BoundedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows few redirects, and none from HTTPS to anything else."""

    max_redirections = _MAX_REDIRECTS
    max_repeats = 2

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage | Message,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Return the next request. Raises MirrorError if it is not to be followed."""
        check_url(newurl)
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise MirrorError("leads from https: to http:")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _opener() -> urllib.request.OpenerDirector:
    """Return what opens addresses of HTTP and HTTPS alone: no files, no FTP, no cookies."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _BoundedRedirects(),
    ):
        opener.add_handler(handler)
    return opener


def _begin(response: http.client.HTTPResponse, offset: int, size: int) -> int:
    """Return where the body begins. Raises MirrorError if it is not of the requested file."""
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise MirrorError(f"sends the file encoded as {quoted(encoding)}")
    if response.status == _PARTIAL:
        stated = response.headers.get("Content-Range", "")
        match = _RANGE.fullmatch(stated)
        if not match or (int(match[1]), int(match[3])) != (offset, size):
            raise MirrorError(
                f"sends the bytes {quoted(stated)} and not those from {offset} of {size}"
            )
        return offset
    length = response.headers.get("Content-Length")
    if length is not None and length != str(size):
        raise MirrorError(f"has a file of {quoted(length)} bytes and not of {size}")
    # The mirror ignores ranges, and sends the whole file.
    return 0


def _chunks(
    response: http.client.HTTPResponse, remaining: int, patience: Patience
) -> Iterator[bytes]:
    """Yield so many bytes of the body; what a mirror sends beyond them is not read."""
    with response:
        window_start, window_bytes = monotonic(), 0
        while remaining:
            try:
                # `read` would wait for the whole chunk, however slowly bytes arrive.
                chunk = response.read1(min(remaining, _CHUNK))
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise MirrorError(
                    f"ended the file with {remaining} bytes missing ({_reason(error)})"
                ) from None
            if not chunk:
                raise MirrorError(f"ended the file with {remaining} bytes missing")
            remaining -= len(chunk)
            window_bytes += len(chunk)
            yield chunk
            if (seconds := monotonic() - window_start) >= patience.window:
                if remaining and window_bytes < patience.min_rate * seconds:
                    rate = window_bytes / seconds
                    raise MirrorError(f"sends {rate:,.0f} bytes per second, which is too slow")
                window_start, window_bytes = monotonic(), 0


def _reason(error: object) -> str:
    """Return why a connection failed."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return one_line(error) if isinstance(error, BaseException) else str(error)
