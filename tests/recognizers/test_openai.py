"""The recognizer `openai` with a local server."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress

import cv2
import numpy as np
import pytest
from chat_server import Step, chat_server, completion

from bench.core import registry
from bench.core.errors import BenchError
from bench.core.recognition import Reading, Workplace
from bench.core.schema import SchemaError
from bench.data.reading.encoded_samples import EncodedSample
from bench.recognizers.endpoint import client as clients
from bench.recognizers.endpoint.client import retry_after
from bench.recognizers.openai import OpenAIRecognizer

SECRET = "sk-0123456789abcdef"  # noqa: S105


@pytest.fixture
def server(monkeypatch):
    """Run a server, and disable proxies."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(clients, "FIRST_DELAY", 0.01)
    with chat_server() as state:
        yield state


@pytest.fixture
def opened(server, tmp_path):
    """Return a function that opens a reader of the server, with a shared cache."""

    @contextmanager
    def opened(**parameters):
        recognizer = OpenAIRecognizer(server.url, "tiny-vision", **parameters)
        with recognizer.open(Workplace("cpu", 1, tmp_path / "cache")) as reader:
            yield reader

    return opened


def png(shade, suffix=".png"):
    pixels = np.full((8, 20, 3), shade, np.uint8)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def samples(*shades, suffix=".png"):
    return [EncodedSample(f"s{shade}", (png(shade, suffix),)) for shade in shades]


def image_of(request):
    [text, image] = request["document"]["messages"][0]["content"]
    assert text["type"] == "text"
    kind, _, content = image["image_url"]["url"].partition(";base64,")
    return kind, base64.b64decode(content)


def test_the_text_of_an_image_is_the_stripped_answer(server, opened):
    server.steps = [Step(completion("\n  Two words! \n"))]
    with opened(prompt="Read it.", detail="high", max_tokens=7) as reader:
        [reading] = reader.read(samples(10))
        assert reader.parameters is None
        assert reader.alphabet is None
        assert reader.remarks() == {}
    assert reading == Reading("Two words!", None, reading.seconds, None, "")
    assert 0 < reading.seconds < 10
    [request] = server.requests
    assert request["path"] == "/v1/chat/completions"
    assert "Authorization" not in request["headers"]
    assert image_of(request) == ("data:image/png", png(10))
    document = request["document"]
    assert document["messages"][0]["content"][0]["text"] == "Read it."
    assert document["messages"][0]["content"][1]["image_url"]["detail"] == "high"
    assert {key: document[key] for key in ("model", "max_tokens", "temperature")} == {
        "model": "tiny-vision",
        "max_tokens": 7,
        "temperature": 0,
    }


def test_parameters_that_an_endpoint_does_not_accept_can_be_left_out(server, opened):
    with opened(temperature="default", max_tokens=0) as reader:
        reader.read(samples(10))
    newer = {"temperature": "default", "token_limit": "max_completion_tokens"}
    with opened(**newer) as reader:
        reader.read(samples(10))
    bare, other = (request["document"] for request in server.requests)
    assert {*bare} == {"model", "messages"}
    assert {*other} == {"model", "messages", "max_completion_tokens"}
    assert "detail" not in bare["messages"][0]["content"][1]["image_url"]


def test_jpegs_are_sent_as_stored_and_other_formats_as_png(server, opened):
    with opened(parallel=1) as reader:
        reader.read([*samples(10, suffix=".jpg"), *samples(10, suffix=".bmp")])
    (jpeg, stored), (kind, converted) = map(image_of, server.requests)
    assert (jpeg, stored) == ("data:image/jpeg", png(10, ".jpg"))
    assert kind == "data:image/png"
    assert (cv2.imdecode(np.frombuffer(converted, np.uint8), cv2.IMREAD_COLOR) == 10).all()


def test_an_image_that_cannot_be_decoded_is_named(server, opened):
    with opened() as reader, pytest.raises(BenchError, match="sample 'broken' is an image that"):
        reader.read([EncodedSample("broken", (b"RIFF....WEBP",))])
    assert not server.requests


def test_answers_have_the_order_of_the_samples(server, opened):
    shades = [10, 20, 30, 40, 50, 60]
    texts = {png(shade): f"text {shade}" for shade in shades}

    def answer(document):
        _, image = image_of({"document": document})
        time.sleep(0.05 if image == png(10) else 0)
        return completion(texts[image])

    server.otherwise = answer
    with opened(parallel=3) as reader:
        readings = reader.read(samples(*shades))
    assert [reading.text for reading in readings] == [f"text {shade}" for shade in shades]
    assert 1 < server.most_under_way <= 3


def test_equal_images_are_asked_about_once(server, opened):
    twins = [EncodedSample(name, (png(1),)) for name in "abc"]
    with opened() as reader:
        assert [reading.text for reading in reader.read(twins)] == ["word"] * 3
    assert len(server.requests) == 1


def test_a_second_run_asks_only_about_missing_answers(server, opened, tmp_path):
    prices = {"price_input": 2.0, "price_output": 10.0}
    with opened(**prices) as reader:
        first = reader.read(samples(10, 20))
    with opened(**prices) as reader:
        second = reader.read(samples(10, 20, 30))
    assert len(server.requests) == 3
    assert second[:2] == first, "the same price and seconds, as they were paid"
    assert first[0].price == pytest.approx((2 * 100 + 10 * 5) / 1e6)
    files = [*(tmp_path / "cache").rglob("*")]
    assert all(
        file.suffix == ".json" and json.loads(file.read_text()) for file in files if file.is_file()
    )


@pytest.mark.parametrize(
    "other", [{"prompt": "Read."}, {"temperature": 0.5}, {"max_tokens": 9}, {"detail": "low"}]
)
def test_another_question_is_asked_again(server, opened, other):
    for parameters in ({}, other, {"parallel": 1, "timeout": 9.0, "retries": 0}):
        with opened(**parameters) as reader:
            reader.read(samples(10))
    assert len(server.requests) == 2


def test_a_damaged_answer_is_asked_for_again(server, opened, tmp_path):
    with opened() as reader:
        reader.read(samples(10))
    [file] = (tmp_path / "cache").rglob("*.json")
    file.write_bytes(b"\x80\x04K\x01.")
    with opened() as reader:
        assert reader.read(samples(10))[0].text == "word"
    assert len(server.requests) == 2
    assert json.loads(file.read_text())["answer"]["text"] == "word"


def test_without_usage_there_is_no_price_and_a_remark(server, opened):
    server.steps = [Step(completion("a", usage=None)), Step(completion("b"))]
    with opened(price_input=1.0, price_output=1.0, parallel=1) as reader:
        first, second = reader.read(samples(10, 20))
    assert (first.price, first.remark) == (None, "no usage reported")
    assert second.price == pytest.approx(105e-6)
    assert not second.remark


@pytest.mark.parametrize(
    ("step", "remark"),
    [
        (Step(completion(None)), "no answer"),
        (Step(completion("  ")), "no answer"),
        (Step(completion(None, refusal="I can't help with that.")), "refused"),
        (Step(completion("half a wo", reason="length")), "cut off"),
        (Step(completion("", reason="content_filter")), "filtered"),
        (Step({"error": {"code": "content_filter", "message": "no"}}, 400), "filtered"),
    ],
)
def test_a_missing_answer_is_an_empty_text_with_a_remark(server, opened, step, remark):
    server.steps = [step]
    for _ in range(2):
        with opened() as reader:
            [reading] = reader.read(samples(10))
        assert (reading.text, reading.remark) == ("", remark)
    assert len(server.requests) == 1, "it was paid for, and is not asked again"


def test_parts_of_text_are_joined(server, opened):
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    server.steps = [Step(completion(parts))]
    with opened() as reader:
        assert reader.read(samples(10))[0].text == "one two"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_busy_endpoint_is_asked_again(server, opened, status):
    server.steps = [Step({"error": {"message": "slow down"}}, status)] * 2
    with opened() as reader:
        assert reader.read(samples(10))[0].text == "word"
    assert len(server.requests) == 3


def test_a_pause_that_the_endpoint_asks_for_delays_all_threads(server, opened):
    server.steps = [Step({}, 429, {"Retry-After": "0.4"})]
    with opened(parallel=2) as reader:
        readings = reader.read(samples(10, 20, 30, 40))
    assert [reading.text for reading in readings] == ["word"] * 4
    times = [request["time"] for request in server.requests]
    assert len(times) == 5
    late = [moment - times[0] for moment in times[1:]]
    assert sum(delay >= 0.35 for delay in late) >= 3, "but for one that was under way already"


def test_too_long_a_pause_is_an_error(server, opened):
    server.steps = [Step({}, 429, {"Retry-After": "3600"})]
    with opened() as reader, pytest.raises(BenchError, match="to wait 3600 s") as error:
        reader.read(samples(10))
    assert len(server.requests) == 1
    assert "run again: answers so far are kept" in str(error.value)


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        (Step({"error": {"message": "rate"}}, 429), "limits requests .429: rate.*lower requests"),
        (Step({"error": "overloaded"}, 503), "cannot answer .503: overloaded., asked 2 times"),
        (Step({"error": {"message": "bad key"}}, 401), "requires a key .401: bad key"),
        (Step({"error": {"message": "no model"}}, 404), "no such address or model .404: no model"),
        (Step({"error": {"message": "max_tokens"}}, 400), "sample 's10' .400: max_tokens"),
        (Step(b"<html>Welcome</html>"), "sample 's10' is not a chat completion .<html>Welcome"),
        (Step({"choices": []}), "is not a chat completion"),
        (Step({"choices": [{"message": "text"}]}), "is not a chat completion"),
        (Step(completion({"text": "x"})), "is not a chat completion"),
        (Step([1, 2]), "is not a chat completion"),
        (Step(b"[" * 100_000), "is not a chat completion"),
        (Step(b"\xff\xfe\x1b[31m\x00"), "is not a chat completion"),
        (Step(b"x" * (clients.MAX_REPLY + 1)), "a reply of more than"),
        (Step(close=True), "no reply .*asked 2 times; check the URL"),
        (Step(b"slowly", drip=0.1), "no reply within 0.3 seconds"),
        (Step(completion("x"), short=9), "no reply .IncompleteRead"),
        (
            Step(completion("x"), hang=1),
            "no reply within 0.3 seconds, asked 2 times; raise timeout",
        ),
        (
            Step({}, 302, {"Location": "http://other.example/\x1b[31m"}),
            "redirects to 'http://other",
        ),
    ],
)
def test_a_fault_is_an_error_and_answers_are_kept(server, opened, step, sentence):
    with opened() as reader:
        reader.read(samples(1, 2))
    server.steps = [step] * 9
    with opened(retries=1, timeout=0.3) as reader:
        with pytest.raises(BenchError, match=sentence) as error:
            reader.read(samples(1, 2, 10))
        server.steps = []
        message = str(error.value)
        assert message.startswith(server.url)
        assert message.isprintable()
        assert len(message) < 700
        asked = len(server.requests)
        assert [reading.text for reading in reader.read(samples(1, 2, 10))] == ["word"] * 3
    assert len(server.requests) == asked + 1


def test_of_a_failed_batch_the_answers_so_far_are_kept(server, opened):
    server.steps = [Step(completion("a")), Step(completion("b")), Step(b"garbage")]
    with opened(parallel=1) as reader, pytest.raises(BenchError):
        reader.read(samples(10, 20, 30, 40, 50))
    assert len(server.requests) == 3, "nothing more is asked behind a fault"
    with opened() as reader:
        texts = [reading.text for reading in reader.read(samples(10, 20, 30))]
    assert texts == ["a", "b", "word"]
    assert len(server.requests) == 4


def test_an_unreachable_server_is_named(server, tmp_path):
    recognizer = OpenAIRecognizer("http://127.0.0.1:9/v1/", "m", retries=0)
    with (
        recognizer.open(Workplace("cpu", 1, tmp_path)) as reader,
        pytest.raises(BenchError, match=r"http://127.0.0.1:9/v1/chat/completions: no reply"),
    ):
        reader.read(samples(10))


def test_requests_respect_the_rate_limit(server, opened):
    with opened(requests_per_minute=600.0, parallel=4) as reader:
        reader.read(samples(10, 20, 30, 40))
    times = sorted(request["time"] for request in server.requests)
    assert times[-1] - times[0] >= 0.28


def test_the_key_is_sent_and_appears_nowhere_else(server, opened, monkeypatch, tmp_path):
    monkeypatch.setenv("TEST_KEY", f"{SECRET}\n")
    server.steps = [
        Step(completion(f"it is {SECRET}")),
        Step({"error": {"message": f"Incorrect API key provided: {SECRET}"}}, 401),
    ]
    with opened(key_variable="TEST_KEY", parallel=1) as reader:
        with pytest.raises(BenchError, match=r"rejects the key .*\*\*\*") as error:
            reader.read(samples(10, 20))
        assert reader.read(samples(10))[0].text == "it is ***"
    assert server.requests[0]["headers"]["Authorization"] == f"Bearer {SECRET}"
    assert SECRET not in str(error.value)
    recognizer = OpenAIRecognizer(server.url, "m", key_variable="TEST_KEY")
    assert SECRET not in repr([recognizer, recognizer.spec(), recognizer.label, recognizer.toml()])
    assert all(SECRET.encode() not in f.read_bytes() for f in tmp_path.rglob("*") if f.is_file())


def test_redirects_are_not_followed(server, opened, monkeypatch):
    monkeypatch.setenv("TEST_KEY", SECRET)
    with chat_server() as other:
        server.steps = [Step({}, 307, {"Location": f"{other.url}/chat/completions"})]
        with (
            opened(key_variable="TEST_KEY") as reader,
            pytest.raises(BenchError, match="redirects"),
        ):
            reader.read(samples(10))
        assert not other.requests


@pytest.mark.parametrize(
    ("value", "fault"),
    [(None, "is not set"), ("", "is not set"), ("a\nb", "characters that are not allowed")],
)
def test_a_key_that_cannot_be_sent_is_an_error_without_the_key(opened, monkeypatch, value, fault):
    monkeypatch.delenv("TEST_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("TEST_KEY", value)
    with pytest.raises(BenchError, match=f"'TEST_KEY'.*{fault}"), opened(key_variable="TEST_KEY"):
        pass


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("file:///etc/passwd", "not an http or https URL"),
        ("ftp://host/v1", "not an http or https URL"),
        ("host/v1", "not an http or https URL"),
        ("http://", "not an http or https URL"),
        ("http://host:port/v1", "is not a URL"),
        ("http://[::1", "is not a URL"),
        ("https://host/v1?key=1", "has a query"),
        ("https://host/v 1", "has characters"),
        ("https://user:password@host/v1", "user name or a password"),
    ],
)
def test_only_plain_urls_are_accepted(url, fault):
    with pytest.raises(BenchError, match=fault) as error:
        OpenAIRecognizer(url, "m")
    assert "password@" not in str(error.value)


def test_parameters_are_checked():
    table = {"openai": "http://host/v1", "model": "m"}
    made = registry.make(
        "recognizer", "openai", table | {"temperature": 0, "price_input": 1, "price_output": 2}
    )
    assert isinstance(made, OpenAIRecognizer)
    assert made.temperature == 0
    for wrong in ({"parallel": 0}, {"temperature": "warm"}, {"detail": "finest"}, {"timeout": 0}):
        with pytest.raises(SchemaError):
            registry.make("recognizer", "openai", table | wrong)
    with pytest.raises(BenchError, match="only one of price_input and price_output is set"):
        registry.make("recognizer", "openai", table | {"price_input": 1.0})
    with pytest.raises(BenchError, match="'model' is empty"):
        OpenAIRecognizer("http://host/v1", " ")


def test_the_key_of_an_evaluation_depends_on_all_that_affects_answers_and_prices():
    spec = OpenAIRecognizer("http://host/v1", "m").spec()
    same = OpenAIRecognizer("http://host/v1", "m", parallel=1, retries=0, key_variable="K").spec()
    assert same == spec
    assert OpenAIRecognizer("http://host/v1", "m", prompt="Read.").spec() != spec
    assert OpenAIRecognizer("http://host/v1", "m", price_input=1.0, price_output=1.0).spec() != spec
    assert (
        OpenAIRecognizer("http://host/v1", "m", max_tokens=9, parallel=1).label
        == "openai(m, max_tokens=9)"
    )
    assert not OpenAIRecognizer.timed


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "2"}, 2),
        ({"Retry-After": "-1"}, 0),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after-ms": "1500", "Retry-After": "9"}, 1.5),
    ],
)
def test_pauses_are_read_as_seconds_milliseconds_or_dates(headers, seconds):
    from email.message import Message

    message = Message()
    for name, value in headers.items():
        message[name] = value
    assert retry_after(message) == seconds


def test_headers_that_come_byte_by_byte_are_within_the_timeout(server):
    def serve(listener):
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            for letter in b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200:
                connection.sendall(bytes([letter]))
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        client, began = clients.Client(url, timeout=0.3, retries=0), time.monotonic()
        with pytest.raises(BenchError, match=r"no reply within 0\.3 seconds; raise"):
            client.post({})
        assert time.monotonic() - began < 5
        thread.join()
