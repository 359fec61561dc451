"""Vision-language models at an OpenAI-compatible HTTP endpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from bench.core.components import Recognizer
from bench.core.errors import BenchError
from bench.core.schema import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

if TYPE_CHECKING:
    from bench.core.recognition import TextReader, Workplace

_PROMPT = "Transcribe the text in the image. Reply with the text alone."
_TRANSPORT = ("key_variable", "requests_per_minute", "parallel", "timeout", "retries")
"""Parameters of the requests, on which answers do not depend."""


@dataclass(frozen=True)
class OpenAIRecognizer(Recognizer):
    """A vision-language model at an OpenAI-compatible endpoint for chat completions.

    The answer about an image, without white space at its ends, is its text. Answers are stored in
    the workplace, so that a second run asks and pays only for missing ones.

    Args:
        openai: The base URL, such as `https://api.example.com/v1`, without a key in it.
        model: The name of the model at the endpoint.
        prompt: The text of the question, before the image.
        detail: The resolution at which the model reads an image, as the endpoint names it; "" does
            not send it.
        max_tokens: The most tokens of an answer; 0 does not send it. A longer answer is cut off
            and counts as an empty text.
        token_limit: The name under which `max_tokens` is sent; some endpoints accept only one.
        temperature: 0 for the most probable answer; "default" does not send it, because some models
            accept only their default.
        price_input: US dollars per million tokens of questions; None computes no price.
        price_output: US dollars per million tokens of answers; None computes no price.
        key_variable: The environment variable with the API key; "" sends no key.
        requests_per_minute: The most requests per minute; 0 for no limit.
        parallel: The number of parallel requests.
        timeout: Seconds that an answer may take.
        retries: How often a request is repeated when the endpoint is busy or unreachable.
    """

    name: ClassVar[str] = "openai"
    timed: ClassVar[bool] = False

    openai: str
    model: str
    prompt: str = _PROMPT
    detail: Literal["", "auto", "low", "high", "original"] = ""
    max_tokens: NonNegativeInt = 256
    token_limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # noqa: S105
    temperature: NonNegativeFloat | Literal["default"] = 0.0
    price_input: NonNegativeFloat | None = None
    price_output: NonNegativeFloat | None = None
    key_variable: str = ""
    requests_per_minute: NonNegativeFloat = 0.0
    parallel: PositiveInt = 4
    timeout: PositiveFloat = 60.0
    retries: NonNegativeInt = 5

    def __post_init__(self) -> None:
        """Raise BenchError if the URL, the model or the prices are not usable."""
        _check_url(self.openai)
        if not self.model.strip():
            raise BenchError(
                "recognizer 'openai': 'model' is empty; set it to the name of the model"
            )
        if (self.price_input is None) != (self.price_output is None):
            raise BenchError(
                "recognizer 'openai': only one of price_input and price_output is set; set both, "
                "in dollars per million tokens, or neither"
            )

    @property
    def label(self) -> str:
        """The model, and the parameters that affect answers and are not defaults."""
        left_out = {"openai", "model", "price_input", "price_output", *_TRANSPORT}
        others = [f"{key}={value}" for key, value in self.changed().items() if key not in left_out]
        return f"{self.name}({', '.join([self.model, *others])})"

    def spec(self) -> dict[str, Any]:
        """Return what the recognizer adds to keys, without the parameters of requests."""
        spec = super().spec()
        parameters = {
            key: value for key, value in spec["parameters"].items() if key not in _TRANSPORT
        }
        return spec | {"parameters": parameters}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Yield a reader that asks the endpoint; no request is sent before the first batch.

        Raises:
            BenchError: The environment variable of the key is not set.
        """
        from bench.recognizers.endpoint.answer_cache import AnswerCache
        from bench.recognizers.endpoint.client import Client
        from bench.recognizers.endpoint.endpoint_reader import EndpointReader

        client = Client(
            f"{self.openai.rstrip('/')}/chat/completions",
            key=self._key(),
            timeout=self.timeout,
            retries=self.retries,
            requests_per_minute=self.requests_per_minute,
        )
        try:
            yield EndpointReader(self, client, AnswerCache(workplace.cache / self.name))
        finally:
            client.close()

    def price(self, input_tokens: int, output_tokens: int) -> float | None:
        """Return the price of so many tokens in US dollars; None if the prices are not set."""
        if self.price_input is None or self.price_output is None:
            return None
        return (self.price_input * input_tokens + self.price_output * output_tokens) / 1e6

    def _key(self) -> str:
        """Return the API key; raises BenchError, without the key in it, if it cannot be sent."""
        if not self.key_variable:
            return ""
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise BenchError(
                f"the environment variable '{self.key_variable}' (key_variable of recognizer "
                "'openai') is not set; set it to the API key"
            )
        if not key.isascii() or not key.isprintable() or " " in key:
            raise BenchError(
                f"the environment variable '{self.key_variable}' has characters that are not "
                "allowed in an HTTP header; set it to the API key alone"
            )
        return key


def _check_url(url: str) -> None:
    """Raise BenchError unless a URL is a plain http or https base URL."""
    fault = ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        if parts.username is not None or parts.password is not None:
            raise BenchError(
                "recognizer 'openai': the URL has a user name or a password; remove it, and set "
                "key_variable to the environment variable with the key"
            )
        if parts.scheme not in {"http", "https"} or not host:
            fault = "is not an http or https URL"
        elif parts.query or parts.fragment:
            fault = "has a query or a fragment"
        elif not url.isascii() or not url.isprintable() or " " in url:
            fault = "has characters that are not allowed in a URL"
    except ValueError as error:
        fault = f"is not a URL ({error})"
    if fault:
        raise BenchError(
            f"recognizer 'openai': {url!r} {fault}; give the base URL alone, such as "
            "'https://api.example.com/v1'"
        )
