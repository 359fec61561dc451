"""A model that reads images behind an OpenAI-compatible HTTP endpoint."""

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
_MANNERS = ("key_variable", "requests_per_minute", "parallel", "timeout", "retries")
"""How it is asked, which decides no answer."""


@dataclass(frozen=True)
class OpenAI(Recognizer):
    """A model that reads images behind an OpenAI-compatible endpoint for chat completions.

    Each answer is kept in the workplace, so that a second run asks and pays for the rest alone. It
    is the text of the reading, without white space at its ends.

    Args:
        openai: The base URL, such as `https://api.example.com/v1`, without a key in it.
        model: The name of the model at the endpoint.
        prompt: What is asked, before the image.
        detail: How finely the model looks at an image, as the endpoint spells it; "" leaves it out.
        max_tokens: The most tokens of an answer; a longer one is cut off and counts as nothing.
            0 leaves it out.
        token_limit: The name under which `max_tokens` is sent; some endpoints take one of the two.
        temperature: 0 for the most probable answer; "default" leaves it out, since some models take
            no other.
        price_input: US dollars per million tokens of questions; left out, no price is computed.
        price_output: US dollars per million tokens of answers.
        key_variable: The environment variable that holds the API key; "" sends no key.
        requests_per_minute: The most requests per minute; 0 is no limit.
        parallel: How many requests are under way at once.
        timeout: How many seconds an answer may take.
        retries: How often a request is repeated that the endpoint was too busy or unable to answer.
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
        """Raise BenchError where the URL, the model or the prices are not usable."""
        _check_url(self.openai)
        if not self.model.strip():
            raise BenchError("recognizer 'openai': 'model' is empty; set it to the model's name")
        if (self.price_input is None) != (self.price_output is None):
            raise BenchError(
                "recognizer 'openai': price_input and price_output go together, and one of them "
                "is missing; set both, in dollars per million tokens, or neither"
            )

    @property
    def label(self) -> str:
        """The model, and the parameters that decide answers and are not at their defaults."""
        left_out = {"openai", "model", "price_input", "price_output", *_MANNERS}
        others = [f"{key}={value}" for key, value in self.changed().items() if key not in left_out]
        return f"{self.name}({', '.join([self.model, *others])})"

    def spec(self) -> dict[str, Any]:
        """Return what it adds to a key: all but how the endpoint is asked."""
        spec = super().spec()
        parameters = {
            key: value for key, value in spec["parameters"].items() if key not in _MANNERS
        }
        return spec | {"parameters": parameters}

    @contextmanager
    def open(self, workplace: Workplace) -> Iterator[TextReader]:
        """Yield what asks the endpoint; nothing is asked before the first batch.

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
        """Return what so many tokens cost in US dollars; None where the prices are not set."""
        if self.price_input is None or self.price_output is None:
            return None
        return (self.price_input * input_tokens + self.price_output * output_tokens) / 1e6

    def _key(self) -> str:
        """Return the API key. Raises BenchError, without the key, where it cannot be sent."""
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
                f"the environment variable '{self.key_variable}' holds characters that no HTTP "
                "header can carry; set it to the API key alone"
            )
        return key


def _check_url(url: str) -> None:
    """Raise BenchError where a base URL is not a plain http or https one."""
    fault = ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
        if parts.username is not None or parts.password is not None:
            raise BenchError(
                "recognizer 'openai': the URL holds a name or a password; remove it, and name the "
                "environment variable that holds the key as key_variable"
            )
        if parts.scheme not in {"http", "https"} or not host:
            fault = "is not an http or https URL"
        elif parts.query or parts.fragment:
            fault = "has a query or a fragment"
        elif not url.isascii() or not url.isprintable() or " " in url:
            fault = "has characters that a URL cannot have"
    except ValueError as error:
        fault = f"is not a URL ({error})"
    if fault:
        raise BenchError(
            f"recognizer 'openai': {url!r} {fault}; give the base URL alone, such as "
            "'https://api.example.com/v1'"
        )
