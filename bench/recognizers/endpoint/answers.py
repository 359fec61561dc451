"""Replies of an endpoint for chat completions: an answer, or what is wrong with the reply."""

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
"""Codes of errors by which endpoints say that they filtered a question."""
_KEPT = "run again: what was read is kept"
_SHOWN = 200


@dataclass(frozen=True)
class Answer:
    """What a model answered to one image.

    Attributes:
        text: The text, without white space at its ends; empty where `remark` says why.
        remark: "refused", "filtered", "cut off" or "no answer"; empty for an answer.
        seconds: How long the endpoint took.
        input_tokens: The tokens of the question; None where the endpoint does not count.
        output_tokens: The tokens of the answer, likewise.
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
        url: Where it is from.
        sample: The id of the sample that was asked about.
        has_key: Whether the request had an API key.

    Raises:
        BenchError: There is none in it; one sentence says what to do.
    """
    document = _document(reply.body)
    if reply.status == HTTPStatus.OK:
        try:
            return _answer(document, reply.seconds)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            raise BenchError(
                f"{url}: the reply to sample '{sample}' is not a chat completion "
                f"({_shown(reply.body)}); check that the URL is the base URL of an "
                f"OpenAI-compatible endpoint (most end in /v1), and {_KEPT}",
                Exit.FAILED,
            ) from None
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict) and error.get("code") in _FILTERS:
        return Answer("", FILTERED, reply.seconds)
    raise BenchError(_failure(reply, url, sample, error, has_key=has_key), Exit.FAILED)


def _document(body: bytes) -> Any:  # noqa: ANN401 (whatever an endpoint says)
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _answer(document: Any, seconds: float) -> Answer:  # noqa: ANN401 (whatever an endpoint says)
    """Return the answer of a chat completion. Raises KeyError and the like where it is none."""
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


def _text(content: Any) -> str:  # noqa: ANN401 (whatever an endpoint says)
    """Return the content of a message: a text, parts of text, or nothing."""
    if content is None:
        return ""
    if isinstance(content, str):
        # A lone surrogate, which JSON can spell, is no text and could not be written.
        return content.encode("utf-8", "replace").decode()
    return "".join(_text(part["text"]) for part in content if part["type"] == "text")


def _count(value: object) -> int | None:
    usable = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if usable and isinstance(value, int) else None


def _failure(reply: Reply, url: str, sample: str, error: object, *, has_key: bool) -> str:
    """Say what a reply without an answer means, and what to do."""
    status = reply.status
    message = error.get("message") if isinstance(error, dict) else error
    said = _shown(message.encode() if isinstance(message, str) else reply.body)
    what = f"{status}: {said}" if said else f"{status}"
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return f"{url}: {_key_fault(what, has_key=has_key)}"
    if status == HTTPStatus.NOT_FOUND:
        return (
            f"{url}: there is no such address or model ({what}); check model, and that the base "
            f"URL is complete (most end in /v1), and {_KEPT}"
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return (
            f"{url}: the endpoint redirects to '{_shown(reply.location.encode())}' ({status}), and "
            "redirects are not followed, so that the key goes nowhere else; give the URL of the "
            "endpoint itself"
        )
    if reply.busy:
        return f"{url}: {_busy_fault(reply, what)}"
    return (
        f"{url}: the endpoint does not accept the request for sample '{sample}' ({what}); check "
        f"model, detail, max_tokens, token_limit and temperature, and {_KEPT}"
    )


def _key_fault(what: str, *, has_key: bool) -> str:
    if not has_key:
        return (
            f"the endpoint requires a key ({what}); set key_variable to the name of the "
            "environment variable that holds it"
        )
    return (
        f"the endpoint does not accept the key ({what}); check the environment variable of "
        f"key_variable, and {_KEPT}"
    )


def _busy_fault(reply: Reply, what: str) -> str:
    if reply.status != HTTPStatus.TOO_MANY_REQUESTS:
        fault, remedy = "cannot answer", "wait"
    else:
        fault, remedy = "limits requests", "lower requests_per_minute or parallel, or wait"
    pause = "" if reply.retry_after is None else f", to wait {reply.retry_after:g} s"
    times = f"asked {reply.attempts} times" if reply.attempts > 1 else "asked once"
    return f"the endpoint {fault} ({what}{pause}), {times}; {remedy}, and {_KEPT}"


def _shown(content: bytes) -> str:
    """Return the beginning of a text from outside in one line, without control characters."""
    text = content[: 8 * _SHOWN].decode("utf-8", "replace")
    line = "".join(each if each.isprintable() else " " for each in " ".join(text.split()))
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
