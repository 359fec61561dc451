"""Reads samples by asking an endpoint about each image."""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from bench.core.recognition import Reading, TextReader
from bench.recognizers.endpoint.answer_cache import question_key
from bench.recognizers.endpoint.answers import parse_reply

if TYPE_CHECKING:
    from bench.data.reading.encoded_samples import EncodedSample
    from bench.recognizers.endpoint.answer_cache import AnswerCache
    from bench.recognizers.endpoint.answers import Answer
    from bench.recognizers.endpoint.client import Client
    from bench.recognizers.openai import OpenAI

NO_USAGE = "no usage reported"
"""The remark on an answer that came without a count of tokens, and so without a price."""
_KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
"""What endpoints take as it is, by its first bytes."""


class EndpointReader(TextReader):
    """Asks about the samples of a batch in several threads, and keeps each answer at once.

    Args:
        recognizer: What is asked, and how many requests are under way at once.
        client: What sends requests.
        cache: The answers of earlier runs.
    """

    def __init__(self, recognizer: OpenAI, client: Client, cache: AnswerCache) -> None:
        self._recognizer = recognizer
        self._client = client
        self._cache = cache

    def read(self, samples: Sequence[EncodedSample]) -> Sequence[Reading]:
        """Return what the model reads of each sample.

        Raises:
            BenchError: The endpoint gives no answer to one of them; the others are kept.
        """
        images = [_encoded_image(sample) for sample in samples]
        keys = [question_key(self._client.url, self._question(), image) for _, image in images]
        answers = {key: answer for key in {*keys} if (answer := self._cache.get(key))}
        # Equal images of a batch are asked about once.
        open_questions = {
            key: place for place, key in reversed([*enumerate(keys)]) if key not in answers
        }
        stop = threading.Event()

        def ask(key: str) -> Answer | None:
            if stop.is_set():
                return None
            place = open_questions[key]
            try:
                answer = self._ask(samples[place].id, *images[place])
                self._cache.put(key, answer)
            except BaseException:
                stop.set()
                raise
            return answer

        ordered = sorted(open_questions, key=open_questions.__getitem__)
        with ThreadPoolExecutor(self._recognizer.parallel) as pool:
            asked = [pool.submit(ask, key) for key in ordered]
        for key, future in zip(ordered, asked, strict=True):
            if answer := future.result():
                answers[key] = answer
        return [self._reading(answers[key]) for key in keys]

    def _ask(self, sample: str, kind: str, image: bytes) -> Answer:
        reply = self._client.post(self._question(f"data:image/{kind};base64,{_base64(image)}"))
        return parse_reply(reply, self._client.url, sample, has_key=self._client.has_key)

    def _question(self, url: str = "") -> dict[str, Any]:
        """Return the request about the image at a (data) URL."""
        asked = self._recognizer
        image = {"url": url} | ({"detail": asked.detail} if asked.detail else {})
        content = [
            {"type": "text", "text": asked.prompt},
            {"type": "image_url", "image_url": image},
        ]
        question: dict[str, Any] = {
            "model": asked.model,
            "messages": [{"role": "user", "content": content}],
        }
        if asked.max_tokens:
            question[asked.token_limit] = asked.max_tokens
        if asked.temperature != "default":
            question["temperature"] = asked.temperature
        return question

    def _reading(self, answer: Answer) -> Reading:
        price, remark = None, answer.remark
        if answer.input_tokens is not None and answer.output_tokens is not None:
            price = self._recognizer.price(answer.input_tokens, answer.output_tokens)
        elif self._recognizer.price_input is not None:
            remark = remark or NO_USAGE
        return Reading(answer.text, None, answer.seconds, price, remark)


def _encoded_image(sample: EncodedSample) -> tuple[str, bytes]:
    """Return the format and the bytes of an image that every endpoint takes."""
    from bench.data.inputs import images

    stored = bytes(sample.images[0])
    for beginning, kind in _KINDS.items():
        if stored.startswith(beginning):
            return kind, stored
    return "png", images.encode_png(sample.pixels())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
