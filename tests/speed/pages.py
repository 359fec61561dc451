"""The web page of a board of 500 rows: how long it takes to write, to open, to sort and to search.

`nox -s speed -- pages` needs playwright (dependency group `browser`) and Chromium.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.leaderboards.charts import board_figures
from bench.leaderboards.web.board_page import board_page
from tests.references.synthetic_boards import synthetic_board

ROWS = 500
MAX_MILLISECONDS = 500
_TIMED = (
    "() => { const start = performance.now(); %s; document.body.offsetHeight; "
    "return performance.now() - start; }"
)
_SORT = "document.querySelector('#board thead [data-column=\"parameters\"]').click()"
_SEARCH = (
    "const words = document.getElementById('search'); words.value = 'crnn'; "
    "words.dispatchEvent(new Event('input'))"
)


def main() -> None:
    """Print a table; end with 1 where a sort or a search takes longer than it may."""
    board, counts = synthetic_board(rows=ROWS, samples=60)
    start = time.perf_counter()
    page = board_page(board, counts, board_figures(board))
    taken = {"write": 1000 * (time.perf_counter() - start)}
    program = os.environ.get("BENCH_CHROMIUM") or shutil.which("chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "board.html"
        file.write_bytes(page)
        browser = playwright.chromium.launch(
            executable_path=program, args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        opened = browser.new_page()
        start = time.perf_counter()
        opened.goto(file.as_uri())
        taken["open"] = 1000 * (time.perf_counter() - start)
        taken["sort"] = opened.evaluate(_TIMED % _SORT)
        taken["search"] = opened.evaluate(_TIMED % _SEARCH)
        browser.close()
    table = Table(title=f"{ROWS} rows, {len(page) / 1e6:.1f} MB")
    table.add_column("step")
    table.add_column("milliseconds", justify="right")
    for step, milliseconds in taken.items():
        table.add_row(step, f"{milliseconds:,.0f}")
    Console().print(table)
    sys.exit(max(taken["sort"], taken["search"]) > MAX_MILLISECONDS)


if __name__ == "__main__":
    main()
