"""`bench data fetch` against a server on this machine; nothing leaves it."""

from __future__ import annotations

import hashlib
import re

import pytest
from file_server import file_server

from bench.data import cards

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
FILES = {IMAGES: b"images" * 200_000, LABELS: b"labels"}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Serve two files of seq-mnist, as its card states them in the test; return the server."""
    with file_server(FILES) as server:
        file = tmp_path / "seq-mnist" / "card.toml"
        file.parent.mkdir()
        text = (cards.cards_folder() / "seq-mnist" / "card.toml").read_text(encoding="utf-8")
        file.write_text(with_downloads(text, server.url), encoding="utf-8")
        card = cards.read_card(file)
        monkeypatch.setattr(cards, "all_cards", lambda: {card.name: card})
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
        monkeypatch.chdir(tmp_path)
        yield server


def with_downloads(text, url):
    """Return a card whose downloads are those of the server."""
    for name, split in ((IMAGES, "train"), (LABELS, "test")):
        digest = hashlib.sha256(FILES[name]).hexdigest()
        table = f'file = "{name}"\nurls = ["{url}/missing/{name}", "{url}/good/{name}"]\n'
        table += f'size = {len(FILES[name])}\nsha256 = "{digest}"\nsplit = "{split}"\n'
        pattern = rf'file = "{name}"\nurls = .*?split = "{split}"\n'
        text = re.sub(pattern, table, text, flags=re.DOTALL)
    other = r"\[\[downloads\]\]\nfile = \"(train-labels|t10k-images).*?(?=\[\[)"
    return re.sub(other, "", text, flags=re.DOTALL)


def test_a_data_set_is_downloaded_where_its_data_are(server, bench, tmp_path):
    answer = bench("data", "fetch", "seq-mnist", "--yes")
    assert answer.code == 0, answer.err
    folder = tmp_path / "data" / "downloads" / "seq-mnist"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == FILES
    assert "CC BY-SA 3.0" in answer.err
    assert re.search(r"together +1\.2 MB", answer.err)
    assert f"{IMAGES}: 1.2 MB, SHA-256 as on the card" in answer.err
    assert answer.out == f"next: bench data prepare seq-mnist --source {folder}\n"
    asked = len(server.requests)
    assert bench("data", "fetch", "seq-mnist").out == answer.out
    assert len(server.requests) == asked


def test_one_split_is_downloaded_and_the_rest_named(server, bench, tmp_path):
    words = ["data", "fetch", "seq-mnist", "--split", "test", "--out", "here"]
    answer = bench(*words, "--yes")
    assert [file.name for file in (tmp_path / "here").iterdir()] == [LABELS]
    assert f"does not have {IMAGES}; next: bench data fetch seq-mnist" in answer.out
    assert bench("data", "fetch", "seq-mnist", "--split", "validation").code == 3


def test_nothing_is_downloaded_before_somebody_agrees(server, bench, tmp_path):
    answer = bench("data", "fetch", "seq-mnist")
    assert answer.code == 2
    assert "add --yes to accept the license and the size" in answer.err
    assert server.requests == []
    assert not (tmp_path / "data").exists()


def test_a_download_that_fails_says_why_and_that_it_resumes(server, bench, tmp_path):
    server.files = {name: content[::-1] for name, content in FILES.items()}
    answer = bench("data", "fetch", "seq-mnist", "--yes")
    assert answer.code == 1
    assert "127.0.0.1 answered 404 (Not Found); 127.0.0.1 sent a file whose SHA-256" in answer.err
    assert [*(tmp_path / "data" / "downloads" / "seq-mnist").iterdir()] == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("iam", "'iam' is given to registered users only, so bench does not download it. Register"),
        ("phoenix14", "lists no file to download (license: Creative Commons 4.0, non-commercial"),
        ("phoenix14", "RWTH-PHOENIX/: Download phoenix-2014.v3.tar.gz as described on the page"),
        ("synth90k", "https://www.robots.ox.ac.uk/~vgg/data/text/: Download mjsynth.tar.gz"),
        ("seq-digits", "Nothing has to be done: the scans come with"),
    ],
)
def test_what_is_not_downloaded_is_refused_with_how_to_get_it(bench, home, name, reason):
    answer = bench("data", "fetch", name, "--yes")
    assert answer.code == 3
    assert reason in answer.err


def test_a_typo_is_answered_with_the_nearest_card(bench, home):
    answer = bench("data", "fetch", "seq-mnst")
    assert answer.code == 2
    assert "no card describes a data set 'seq-mnst'; did you mean 'seq-mnist'?" in answer.err
