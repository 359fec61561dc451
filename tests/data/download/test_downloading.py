"""Downloads from a server on this machine; nothing leaves it."""

from __future__ import annotations

import fcntl
import hashlib

import pytest
from file_server import file_server

from bench.core.errors import BenchError, Exit
from bench.data.cards import Download
from bench.data.download.downloading import download_file, is_complete
from bench.data.download.mirrors import MirrorError, Patience, check_url

NAME = "digits.gz"
CONTENT = hashlib.shake_256(b"digits").digest(300_000)
IMPATIENT = Patience(timeout=0.3, window=0.2, min_rate=10_000)


@pytest.fixture(scope="module")
def running():
    with file_server({NAME: CONTENT}) as server:
        yield server


@pytest.fixture
def server(running, monkeypatch):
    # A proxy of this machine's is not asked for its own server.
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running.requests.clear()
    running.headers.clear()
    return running


@pytest.fixture
def download(server):
    """Return a function that returns the download of the file at mirrors of these behaviors."""

    def make(*behaviors, name=NAME):
        urls = tuple(each if ":" in each else f"{server.url}/{each}/{NAME}" for each in behaviors)
        return Download(name, urls, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())

    return make


def fetch(download, folder, patience=None):
    """Download, and return how many bytes were reported."""
    counts = []
    download_file(download, folder, lambda _file, size: counts.append(size), patience)
    assert [file.name for file in folder.iterdir()] == [NAME]
    assert (folder / NAME).read_bytes() == CONTENT
    assert is_complete(download, folder)
    return sum(counts)


def refused(download, folder, patience=None):
    with pytest.raises(BenchError) as caught:
        fetch(download, folder, patience)
    assert caught.value.code == Exit.FAILED
    assert not (folder / NAME).exists()
    return str(caught.value)


@pytest.mark.parametrize(
    "behavior", ["good", "no_ranges", "without_length", "longer_without_length", "to_good"]
)
def test_a_file_is_downloaded_once(server, download, tmp_path, behavior):
    assert fetch(download(behavior), tmp_path) == len(CONTENT)
    asked = len(server.requests)
    assert fetch(download(behavior), tmp_path) == len(CONTENT)
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    ("behavior", "requests"),
    [("good", ["bytes=1000-"]), ("no_ranges", ["bytes=1000-"])],
)
def test_a_download_resumes_where_it_ended(server, download, tmp_path, behavior, requests):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    assert fetch(download(behavior), tmp_path) == len(CONTENT)
    assert [header for _, header in server.requests] == requests


def test_a_complete_part_is_not_requested_again(server, download, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT)
    fetch(download("good"), tmp_path)
    assert server.requests == []


@pytest.mark.parametrize("part", [b"of another file", b"x" * len(CONTENT), b"x" * 400_000])
def test_a_part_of_another_file_is_downloaded_again(server, download, tmp_path, part):
    (tmp_path / f"{NAME}.part").write_bytes(part)
    assert fetch(download("good"), tmp_path) == len(CONTENT)
    assert server.requests[-1] == (f"/good/{NAME}", "")


def test_a_connection_that_breaks_is_resumed_and_left_to_the_next_mirror(
    server, download, tmp_path
):
    fetch(download("cut", "good"), tmp_path)
    ranges = [header for _, header in server.requests]
    assert ranges == ["", "bytes=100000-", "bytes=166666-", "bytes=211110-"]
    assert server.requests[-1][0].startswith("/good/")


def test_an_interrupted_download_resumes(server, download, tmp_path):
    def interrupt(_file, _size):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download_file(download("good"), tmp_path, interrupt)
    (part,) = tmp_path.iterdir()
    size = part.stat().st_size
    assert 0 < size <= len(CONTENT)
    server.requests.clear()
    fetch(download("good"), tmp_path)
    expected = [(f"/good/{NAME}", f"bytes={size}-")] if size < len(CONTENT) else []
    assert server.requests == expected


def test_what_a_broken_connection_left_stays_for_the_next_command(server, download, tmp_path):
    assert "ended the file with 88890 bytes missing" in refused(download("cut"), tmp_path)
    server.requests.clear()
    fetch(download("good"), tmp_path)
    assert server.requests == [(f"/good/{NAME}", "bytes=211110-")]


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ("missing", "127.0.0.1 answered 404 (Not Found)"),
        ("other_content", "sent a file whose SHA-256 is not that of the card"),
        ("larger", "has a file of '300004' bytes and not of 300000"),
        ("compressed", "sends the file encoded as 'gzip'"),
        ("to_file", "'file:///etc/passwd' is not allowed"),
        ("to_password", "a name of a user, which is not used"),
        ("to_itself", "answered 302"),
        ("garbage", "cannot be reached (BadStatusLine: "),
        ("http://127.0.0.1:1/x", "cannot be reached (Connection refused)"),
        ("file:///etc/passwd", "leads to file:, which is neither https: nor http:"),
    ],
)
def test_each_mirror_that_fails_is_named_with_its_reason(download, tmp_path, behavior, reason):
    message = refused(download(behavior, "missing"), tmp_path)
    assert reason in message
    assert message.count("answered 404") == 1 + (behavior == "missing")
    assert message.isprintable()
    fetch(download(behavior, "good"), tmp_path)


@pytest.mark.parametrize(
    ("behavior", "reason"),
    [
        ("slow", "bytes per second, which is too slow"),
        ("silent", "cannot be reached (no answer in time)"),
    ],
)
def test_a_mirror_that_is_too_slow_is_left(download, tmp_path, behavior, reason):
    assert reason in refused(download(behavior), tmp_path, IMPATIENT)


def test_another_range_than_the_requested_one_is_refused(download, tmp_path):
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    message = refused(download("other_range"), tmp_path)
    assert "sends the bytes 'bytes 0-299999/300000' and not those from 1000 of 300000" in message
    assert (tmp_path / f"{NAME}.part").read_bytes() == CONTENT[:1000]


def test_redirects_lead_from_https_to_https_only(monkeypatch):
    from urllib.request import Request

    from bench.data.download.mirrors import _BoundedRedirects

    redirects = _BoundedRedirects()
    secure = Request("https://a.org/x")
    with pytest.raises(MirrorError, match="from https: to http:"):
        redirects.redirect_request(secure, None, 302, "", {}, "http://a.org/x")
    assert redirects.redirect_request(secure, None, 302, "", {}, "https://b.org/x")
    for url in ("ftp://a.org/x", "https:///x", "https://me@a.org/x", "https://[::1/x"):
        with pytest.raises(MirrorError):
            check_url(url)


def test_nothing_is_sent_that_names_the_user(server, download, monkeypatch, tmp_path):
    (tmp_path / "out").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("default login me password secret\n")
    fetch(download("to_good"), tmp_path / "out")
    names = {"host", "user-agent", "accept-encoding", "connection"}
    assert [each - names for each in server.headers] == [set(), set()]


def test_another_file_of_the_name_is_not_replaced(server, download, tmp_path):
    (tmp_path / NAME).write_bytes(b"mine")
    with pytest.raises(BenchError, match=r"this is not the file of the card.*move it away"):
        fetch(download("good"), tmp_path)
    assert (tmp_path / NAME).read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["../x", "/etc/x", ".x", "a b", "a\x1b"])
def test_a_file_stays_in_its_folder(download, tmp_path, name):
    with pytest.raises(BenchError, match="is not a valid name of a file"):
        download_file(download("good", name=name), tmp_path, lambda *_: None)
    assert not [*tmp_path.iterdir()]


def test_two_processes_do_not_download_one_file(server, download, tmp_path):
    with (tmp_path / f"{NAME}.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(BenchError, match="another process downloads this file"):
            download_file(download("good"), tmp_path, lambda *_: None)


def test_too_little_space_is_reported_before_anything_is_requested(server, tmp_path):
    huge = Download(NAME, (f"{server.url}/good/{NAME}",), 2**60, "0" * 64)
    with pytest.raises(BenchError, match=r"the rest of digits.gz takes up to .* MB are free; free"):
        download_file(huge, tmp_path, lambda *_: None)
    assert server.requests == []
    assert not [*tmp_path.iterdir()]
