"""A reader that asks an endpoint about each image."""

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
    from bench.recognizers.openai import OpenAIRecognizer

NO_USAGE = "no usage reported"
"""The remark on an answer without a number of tokens, for which no price is computed."""
_KINDS = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}
"""First bytes of the image formats that all endpoints accept; other images are sent as PNG."""


class EndpointReader(TextReader):
    """Asks about the samples of a batch in several threads, and stores each answer immediately.

    Args:
        recognizer: The model, the prompt, and the number of parallel requests.
        client: The HTTP client.
        cache: The answers of earlier runs.
    """

    def __init__(self, recognizer: OpenAIRecognizer, client: Client, cache: AnswerCache) -> None:
        self._recognizer = recognizer
        self._client = client
        self._cache = cache

    def read(self, samples: Sequence[EncodedSample]) -> Sequence[Reading]:
        """Return the answer about each sample.

        Raises:
            BenchError: The endpoint does not answer about a sample; other answers are stored.
        """
        images = [_encoded_image(sample) for sample in samples]
        keys = [question_key(self._client.url, self._question(), image) for _, image in images]
        answers = {key: answer for key in {*keys} if (answer := self._cache.get(key))}
        # One question for equal images of a batch: the index of the first of them.
        open_questions = {
            key: index for index, key in reversed([*enumerate(keys)]) if key not in answers
        }
        stop = threading.Event()

        def ask(key: str) -> Answer | None:
            if stop.is_set():
                return None
            index = open_questions[key]
            try:
                answer = self._ask(samples[index].id, *images[index])
                self._cache.put(key, answer)
            except BaseException:
                stop.set()
                raise
            return answer

        ordered = sorted(open_questions, key=open_questions.__getitem__)
        with ThreadPoolExecutor(self._recognizer.parallel) as pool:
            futures = [pool.submit(ask, key) for key in ordered]
        for key, future in zip(ordered, futures, strict=True):
            if answer := future.result():
                answers[key] = answer
        return [self._reading(answers[key]) for key in keys]

    def _ask(self, sample: str, kind: str, image: bytes) -> Answer:
        reply = self._client.post(self._question(f"data:image/{kind};base64,{_base64(image)}"))
        return parse_reply(reply, self._client.url, sample, has_key=self._client.has_key)

    def _question(self, url: str = "") -> dict[str, Any]:
        """Return the request about the image at a (data) URL."""
        recognizer = self._recognizer
        image = {"url": url} | ({"detail": recognizer.detail} if recognizer.detail else {})
        content = [
            {"type": "text", "text": recognizer.prompt},
            {"type": "image_url", "image_url": image},
        ]
        question: dict[str, Any] = {
            "model": recognizer.model,
            "messages": [{"role": "user", "content": content}],
        }
        if recognizer.max_tokens:
            question[recognizer.token_limit] = recognizer.max_tokens
        if recognizer.temperature != "default":
            question["temperature"] = recognizer.temperature
        return question

    def _reading(self, answer: Answer) -> Reading:
        price, remark = None, answer.remark
        if answer.input_tokens is not None and answer.output_tokens is not None:
            price = self._recognizer.price(answer.input_tokens, answer.output_tokens)
        elif self._recognizer.price_input is not None:
            remark = remark or NO_USAGE
        return Reading(answer.text, None, answer.seconds, price, remark)


def _encoded_image(sample: EncodedSample) -> tuple[str, bytes]:
    """Return format and bytes of an image: PNG and JPEG as stored, other formats as PNG."""
    from bench.data.inputs import images

    stored = bytes(sample.images[0])
    for beginning, kind in _KINDS.items():
        if stored.startswith(beginning):
            return kind, stored
    return "png", images.encode_png(sample.pixels())


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
