"""Web pages of boards, without a browser."""

import http.client
import json
import re
import shutil
import socket
import struct
import threading
from dataclasses import replace

import pytest
from synthetic_boards import synthetic_board

from bench.leaderboards import board_files
from bench.leaderboards.board import Ranks, Score
from bench.leaderboards.charts import board_figures
from bench.leaderboards.formats.columns import board_columns
from bench.leaderboards.web import board_page, boards_site, document, site
from bench.leaderboards.web.server import SiteServer
from bench.trials.store import Store

HOSTILE = "</script><script>alert('1')</script>\u2028&\x1b[31m"


@pytest.fixture(scope="module")
def board():
    made, counts = synthetic_board(rows=6, tests=2, samples=40, seeds=2)
    first = replace(made.rows[0], label=HOSTILE, model=HOSTILE)
    return replace(made, about=HOSTILE, rows=[first, *made.rows[1:]]), counts


def data_of(page, name="data"):
    found = re.search(f'<script type="application/json" id="{name}">(.*?)</script>', page)
    return json.loads(found[1])


def test_the_page_has_the_values_of_the_columns(board):
    data = data_of(board_page.board_page(*board, board_figures(board[0])).decode())
    expected = board_columns(board[0])
    assert [each["key"] for each in data["columns"]] == [each.key for each in expected]
    for shown, column in zip(data["columns"], expected, strict=True):
        assert shown["cells"][1:] == column.cells[1:]
        for value, held in list(zip(shown["values"], column.values, strict=True))[1:]:
            match held:
                case Score():
                    assert value == [held.mean, held.low, held.high]
                case Ranks():
                    assert held.best <= value <= held.worst
                case _:
                    assert value == held
    assert len(data["pairs"]) == 5 * 4 // 2


def test_texts_of_others_are_not_markup(board):
    page = board_page.board_page(*board, board_figures(board[0])).decode()
    assert page.count("<script") == 3
    assert HOSTILE not in page
    assert not re.search("[\u2028\x1b]", page)
    # A control character is spelled; what is markup is not.
    assert (
        data_of(page)["rows"][0]["label"] == "</script><script>alert('1')</script>\\u2028&\\x1b[31m"
    )


def test_the_policy_allows_the_script_and_no_host(board):
    page = board_page.board_page(*board, board_figures(board[0])).decode()
    policy = re.search('Content-Security-Policy" content="([^"]*)"', page)[1]
    script = re.search("<script>(.*)</script>", page, re.DOTALL)[1]
    assert document.with_script_hash("", script).removeprefix("; script-src ") in policy
    assert "default-src 'none'" in policy
    hosts = set(re.findall(r"https?://([^/\"' ]+)", page))
    assert hosts <= {"www.w3.org"}  # the namespace of SVG


def test_the_page_lists_its_parts(board):
    page = board_page.board_page(*board, board_figures(board[0]))
    assert data_of(page.decode(), "parts") is None
    told = board_page.with_parts(page, {"evaluations": ["<"]}).decode()
    assert data_of(told, "parts") == {"evaluations": ["<"]}


@pytest.fixture(scope="module")
def root(board, tmp_path_factory):
    folder = tmp_path_factory.mktemp("leaderboards")
    board_files.write_board(*board, folder / "synthetic" / "v1")
    return folder


def test_static_site(root, tmp_path):
    places = boards_site.board_folders(root, tmp_path / "results")
    made = boards_site.boards_site(places, Store(tmp_path / "results"), {})
    site.write_site(made, tmp_path / "site")
    index = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert 'href="synthetic/v1/board.html"' in index
    page = (tmp_path / "site" / "synthetic" / "v1" / "board.html").read_text(encoding="utf-8")
    assert data_of(page, "parts") == {"evaluations": []}
    assert (tmp_path / "site" / "synthetic" / "v1" / "board.json").exists()


@pytest.fixture
def server():
    pages = {"index.html": lambda: b"index", "a/b.js": lambda: b"part"}
    with SiteServer(lambda: pages, 0) as made:
        thread = threading.Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def answer(server, path, host=None, method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    host = f"127.0.0.1:{server.server_port}" if host is None else host
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def test_polled_files_are_served_without_listing_the_site(server):
    server.polled = {"running.json": lambda: b"{}"}
    server.site = lambda: pytest.fail("the site was listed")
    assert answer(server, "/running.json") == (200, b"{}")


def test_the_server_serves_known_paths_under_its_own_name(server):
    assert server.server_address[0] == "127.0.0.1"
    assert answer(server, "/") == (200, b"index")
    assert answer(server, "/a/b.js?x=1") == (200, b"part")
    assert answer(server, "/", host=f"localhost:{server.server_port}")[0] == 200
    assert answer(server, "/", host="evil.example")[0] == 403
    for path in ("/nothing", "/../pyproject.toml", "/%2e%2e/pyproject.toml", "//etc/passwd"):
        assert answer(server, path)[0] == 404
    assert answer(server, "/", method="POST")[0] == 501


def raw_answer(server, request):
    """Return the first line of the answer to bytes in which HOST stands for two headers."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as connection:
        host = f"Host: 127.0.0.1:{server.server_port}\r\nConnection: close\r\n"
        connection.sendall(request.replace(b"HOST", host.encode()))
        return b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("odd", "status"),
    [
        (b"GET http://[x HTTP/1.1\r\nHOST\r\n", b"400"),
        (b"GET /%ff%00 HTTP/1.1\r\nHOST\r\n", b"404"),
        (b"GET /a/..%2f..%2fbench.toml HTTP/1.1\r\nHOST\r\n", b"404"),
        ((b"GET /" + b"a" * 65_537)[:65_537], b"414"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"HOST\r\n", b"431"),
        (b"GET / HTTP/1.0\r\n\r\n", b"403"),
    ],
)
def test_invalid_requests_are_refused(server, capsys, odd, status):
    assert status in raw_answer(server, odd)
    assert raw_answer(server, b"GET / HTTP/1.1\r\nHOST\r\n") == b"HTTP/1.1 200 OK"
    assert capsys.readouterr().err == ""


def test_a_closed_connection_is_not_reported(server, capsys):
    connection = socket.create_connection(("127.0.0.1", server.server_port))
    # Close with a reset, as a browser does in the middle of an answer.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    assert answer(server, "/")[0] == 200
    assert capsys.readouterr().err == ""


def test_a_damaged_board_is_reported_and_others_are_listed(root, tmp_path):
    shutil.copytree(root, tmp_path / "boards")
    damaged = tmp_path / "boards" / "<damaged>" / "v1" / "board.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{")
    results = tmp_path / "results"
    places, faults = boards_site.readable_boards(
        boards_site.all_board_folders(tmp_path / "boards", results)
    )
    made = boards_site.boards_site(places, Store(results), {}, faults)
    index = made["index.html"]().decode()
    assert 'href="synthetic/v1/board.html"' in index
    assert "/&lt;damaged&gt;/v1/board.json: this is not a board of bench" in index
