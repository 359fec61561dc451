import os
import shutil
from dataclasses import replace

import pytest
from synthetic_boards import synthetic_board

from bench.leaderboards.charts import board_figures
from bench.leaderboards.web.board_page import board_page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="session")
def chromium():
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: uv sync --group browser"
    )
    program = os.environ.get("BENCH_CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), "")
    if not program:
        pytest.skip("there is no Chromium: install one, or name it in BENCH_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open a page; at the end, it must have no errors and no requests to other hosts."""
    opened, complaints, requests = [], [], []

    def open_(address, width=1440, theme="light"):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address)
        opened.append(context)
        return page

    yield open_
    for context in opened:
        context.close()
    assert complaints == []
    own = ("file:", "data:", "http://127.0.0.1:")
    assert [request for request in requests if not request.startswith(own)] == []


@pytest.fixture(scope="session")
def board():
    """A board of 45 rows, on which the names of others are markup."""
    made, counts = synthetic_board(rows=45, tests=2, samples=60, seeds=2)
    first = replace(made.rows[0], label=HOSTILE, model=f"{HOSTILE}(width=1)")
    return replace(made, about=HOSTILE, rows=[first, *made.rows[1:]]), counts


@pytest.fixture(scope="session")
def address(board, tmp_path_factory):
    file = tmp_path_factory.mktemp("site") / "board.html"
    file.write_bytes(board_page(*board, board_figures(board[0])))
    return file.as_uri()
