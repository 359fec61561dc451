"""Replies of an endpoint for chat completions: their answers, and errors for other replies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from bench.core.errors import BenchError, Exit
from bench.core.schema import NonNegativeFloat, NonNegativeInt

if TYPE_CHECKING:
    from bench.recognizers.endpoint.client import Reply

REFUSED, FILTERED, CUT_OFF, EMPTY = "refused", "filtered", "cut off", "no answer"
_FILTERS = {"content_filter", "content_policy_violation"}
"""Codes of errors by which endpoints report that they filtered a question."""
_KEPT = "run again: answers so far are kept"
_MAX_QUOTED = 200
"""Characters of a reply in a message; more are cut."""


@dataclass(frozen=True)
class Answer:
    """The answer of a model about one image.

    Attributes:
        text: The text, without white space at its ends; empty if there is a remark.
        remark: Why there is no text: "refused", "filtered", "cut off" or "no answer"; else empty.
        seconds: The response time of the endpoint.
        input_tokens: The number of tokens of the question; None if the endpoint reports none.
        output_tokens: The number of tokens of the answer; None if the endpoint reports none.
    """

    text: str
    remark: str
    seconds: NonNegativeFloat
    input_tokens: NonNegativeInt | None = None
    output_tokens: NonNegativeInt | None = None


def parse_reply(reply: Reply, url: str, sample: str, *, has_key: bool) -> Answer:
    """Return the answer in a reply.

    Args:
        reply: The reply.
        url: The URL of the endpoint, for messages.
        sample: The id of the sample, for messages.
        has_key: Whether the request had an API key.

    Raises:
        BenchError: The reply has no answer.
    """
    document = _document(reply.body)
    if reply.status == HTTPStatus.OK:
        try:
            return _answer(document, reply.seconds)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            raise BenchError(
                f"{url}: the reply to sample '{sample}' is not a chat completion "
                f"({_quotable(reply.body)}); check that the URL is the base URL of an "
                f"OpenAI-compatible endpoint (most end in /v1), and {_KEPT}",
                Exit.FAILED,
            ) from None
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict) and error.get("code") in _FILTERS:
        return Answer("", FILTERED, reply.seconds)
    raise BenchError(_failure(reply, url, sample, error, has_key=has_key), Exit.FAILED)


def _document(body: bytes) -> Any:  # noqa: ANN401 (any JSON value)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _answer(document: Any, seconds: float) -> Answer:  # noqa: ANN401 (any JSON value)
    """Return the answer of a chat completion; raises KeyError and others if it is malformed."""
    choice = document["choices"][0]
    message, reason = choice["message"], choice.get("finish_reason")
    text, remark = _text(message.get("content")).strip(), ""
    if message.get("refusal"):
        remark = REFUSED
    elif reason == "content_filter":
        remark = FILTERED
    elif reason == "length":
        remark = CUT_OFF
    elif not text:
        remark = EMPTY
    usage = document.get("usage") or {}
    return Answer(
        "" if remark else text,
        remark,
        seconds,
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
    )


def _text(content: Any) -> str:  # noqa: ANN401 (any JSON value)
    """Return the content of a message: a text, parts of text, or nothing."""
    if content is None:
        return ""
    if isinstance(content, str):
        # JSON can contain lone surrogates, which cannot be written as UTF-8.
        return content.encode("utf-8", "replace").decode()
    return "".join(_text(part["text"]) for part in content if part["type"] == "text")


def _count(value: object) -> int | None:
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if usable and isinstance(value, int) else None


def _failure(reply: Reply, url: str, sample: str, error: object, *, has_key: bool) -> str:
    """Return the error message for a reply without an answer."""
    status = reply.status
    message = error.get("message") if isinstance(error, dict) else error
    text = _quotable(message.encode() if isinstance(message, str) else reply.body)
    reported = f"{status}: {text}" if text else f"{status}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"{url}: {_key_fault(reported, has_key=has_key)}"
    if status == HTTPStatus.NOT_FOUND:
        return (
            f"{url}: there is no such address or model ({reported}); check model, and that the "
            f"base URL is complete (most end in /v1), and {_KEPT}"
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return (
            f"{url}: the endpoint redirects to '{_quotable(reply.location.encode())}' ({status}); "
            "redirects are not followed, to keep the API key secret; give the URL of the endpoint"
        )
    if reply.busy:
        return f"{url}: {_busy_fault(reply, reported)}"
    return (
        f"{url}: the endpoint rejects the request for sample '{sample}' ({reported}); check "
        f"model, detail, max_tokens, token_limit and temperature, and {_KEPT}"
    )


def _key_fault(reported: str, *, has_key: bool) -> str:
    if not has_key:
        return (
            f"the endpoint requires a key ({reported}); set key_variable to the name of the "
            "environment variable that holds it"
        )
    return (
        f"the endpoint rejects the key ({reported}); check the environment variable of "
        f"key_variable, and {_KEPT}"
    )


def _busy_fault(reply: Reply, reported: str) -> str:
    if reply.status != HTTPStatus.TOO_MANY_REQUESTS:
        fault, remedy = "cannot answer", "wait"
    else:
        fault, remedy = "limits requests", "lower requests_per_minute or parallel, or wait"
    pause = "" if reply.retry_after is None else f"; it asks to wait {reply.retry_after:g} s"
    times = f"asked {reply.attempts} times" if reply.attempts > 1 else "asked once"
    return f"the endpoint {fault} ({reported}{pause}), {times}; {remedy}, and {_KEPT}"


def _quotable(content: bytes) -> str:
    """Return the beginning of an untrusted text in one line, without control characters."""
    text = content[: 8 * _MAX_QUOTED].decode("utf-8", "replace")
    line = "".join(each if each.isprintable() else " " for each in " ".join(text.split()))
    return line if len(line) <= _MAX_QUOTED else f"{line[:_MAX_QUOTED]}…"
