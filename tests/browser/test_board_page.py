"""The page of a board in Chromium."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from synthetic_boards import synthetic_board

from bench.leaderboards import board as boards
from bench.leaderboards.formats.columns import board_columns
from bench.leaderboards.web.board_page import board_page

pytestmark = pytest.mark.browser
HOSTILE = "<script>alert(1)</script>"


def entries(page):
    return page.locator("#board button.entry").all_inner_texts()


def heading(page, key):
    return page.locator(f'#board thead [data-column="{key}"]')


def test_sort(open_page, address, board):
    page = open_page(address)
    ranked = [row.label for row in board[0].rows]
    assert entries(page) == ranked[:40]
    heading(page, "parameters").click()
    least = sorted(board[0].rows, key=lambda row: row.parameters)
    assert entries(page) == [row.label for row in least][:40]
    heading(page, "parameters").click()
    assert page.locator("#board [aria-sort]").get_attribute("aria-sort") == "descending"
    assert entries(page)[0] == least[-1].label
    assert "sorted by parameters, descending" in page.locator("#status").inner_text()
    page.get_by_role("button", name="Page 2").click()
    assert entries(page)[-1] == least[0].label


def test_filter(open_page, address, board):
    page = open_page(address)
    page.get_by_label("Search").fill("crnn focal")
    wanted = [r.label for r in board[0].rows if r.model.startswith("crnn") and "focal" in r.loss]
    assert entries(page) == wanted
    assert f"{len(wanted)} of 45 entries" in page.locator("#status").inner_text()
    page.get_by_role("button", name="Reset").click()
    page.locator("#origin").select_option("pretrained")
    assert entries(page) == [row.label for row in board[0].rows if row.origin == "pretrained"]
    page.locator("#test").select_option("svt")
    assert heading(page, "sequence-accuracy/iiit5k").count() == 0
    page.get_by_label("Search").fill("no such entry")
    assert "No entry matches" in page.locator("#board tbody").inner_text()


def test_the_view_is_in_the_url(open_page, address):
    page = open_page(address)
    page.locator("#columns summary").click()
    page.get_by_label("CER % svt").check()
    page.get_by_label("ms b1", exact=True).uncheck()
    heading(page, "cer/svt").click()
    page.locator("#model").select_option("crnn")
    page.locator("#board button.entry").nth(1).click()
    kept = entries(page)
    again = open_page(page.url)
    assert entries(again) == kept
    assert heading(again, "latency/1").count() == 0
    assert again.locator("#board [aria-sort]").inner_text().startswith("CER % svt")
    assert again.locator(".details").count() == 1


def test_a_name_opens_the_details(open_page, address, board):
    page = open_page(address)
    row = board[0].rows[1]
    button = page.locator("#board button.entry").nth(1)
    button.click()
    details = page.locator(".details")
    assert page.locator("#board button.entry").nth(1).get_attribute("aria-expanded") == "true"
    for words in (row.model, *row.seeds[0].evaluations.values(), "bench view"):
        assert words in details.inner_text()
    assert page.locator(".details svg.curves path").count() == len(row.seeds)


def test_tooltips(open_page, address, board):
    page = open_page(address)
    column = next(each for each in board_columns(board[0]) if each.key == "sequence-accuracy/svt")
    cell = page.locator('#board td[data-column="sequence-accuracy/svt"]').nth(1)
    cell.hover()
    shown = page.locator("#tip").inner_text()
    assert column.about in shown
    assert board[0].rows[1].seeds[0].evaluations["svt"] in shown
    page.keyboard.press("Escape")
    assert page.locator("#tip").is_hidden()


def test_compare(open_page, address, board):
    page = open_page(address)
    first, second = board[0].rows[1].label, board[0].rows[-2].label
    page.get_by_label(f"Compare {first}", exact=True).check()
    page.get_by_role("button", name="Page 2").click()
    page.get_by_label(f"Compare {second}", exact=True).check()
    panel = page.locator("#comparison")
    assert f"{second} is worse than {first}" in panel.inner_text()
    assert "95 % interval [" in panel.inner_text()
    assert "compare=" in page.url
    panel.get_by_role("button", name="Close").click()
    assert panel.is_hidden()


def test_figure_opens_a_row(open_page, address):
    page = open_page(address)
    mark = page.locator("#figures [data-entry]").first
    entry = mark.get_attribute("data-entry")
    mark.dispatch_event("click")
    assert page.locator(f'#board button[data-entry="{entry}"]').get_attribute("aria-expanded") == (
        "true"
    )


def test_names_are_text(open_page, address):
    page = open_page(address)
    assert entries(page)[0] == HOSTILE
    assert page.locator("main > .about").inner_text() == HOSTILE
    page.locator("#board button.entry").first.click()
    assert HOSTILE in page.locator(".details").inner_text()
    assert page.locator("main script").count() == 0


def test_theme(open_page, address):
    page = open_page(address, theme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light theme").click()
    assert page.evaluate(ground) != dark
    page.reload()
    assert page.evaluate(ground) != dark


def test_keyboard_alone(open_page, address, board):
    page = open_page(address)
    page.locator("#board thead button").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator(".details").count() == 1
    page.keyboard.press("ArrowRight")
    described = page.locator(":focus").get_attribute("aria-describedby")
    assert described == "tip"
    assert "accuracy" in page.locator("#tip").inner_text()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.locator("#board [aria-sort]").inner_text().startswith("accuracy % average")


@pytest.mark.parametrize("width", [390, 800, 1440])
def test_width(open_page, address, width):
    page = open_page(address, width)
    page.locator("#board button.entry").nth(1).click()
    page.locator("#board .choice input").nth(1).check()
    page.locator("#board .choice input").nth(2).check()
    page.locator("#columns summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    details = page.locator(".details").bounding_box()
    assert details["x"] + details["width"] <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessibility(open_page, address, theme):
    package = find_spec("axe_playwright_python")
    if package is None:
        pytest.skip("axe-playwright-python is not installed: uv sync --group browser")
    page = open_page(address, theme=theme)
    page.locator("#board button.entry").nth(1).click()
    page.locator("#board .choice input").nth(1).check()
    page.locator("#board .choice input").nth(2).check()
    page.locator("#columns summary").click()
    # Through the debugging protocol, to which the content security policy does not apply.
    page.evaluate((Path(package.origin).parent / "axe.min.js").read_text(encoding="utf-8"))
    violations = page.evaluate("axe.run()")["violations"]
    grave = [
        (each["id"], [node["target"] for node in each["nodes"]][:3])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
    assert grave == []


def test_the_number_of_elements_is_bounded(open_page, address):
    page = open_page(address)
    assert page.evaluate("document.querySelectorAll('*').length") < 1400
    assert re.match(r"45 of 45 entries", page.locator("#status").inner_text())


def test_headings_and_keys_are_not_broken(open_page, address):
    page = open_page(address, 390)
    page.locator("#board button.entry").nth(1).click()
    heads = page.locator(".details th[scope=col], .details .key")
    assert heads.count() > 8
    for words, height in heads.evaluate_all(
        "all => all.map(each => [each.innerText, each.getClientRects()[0].height])"
    ):
        assert height < 30 * len(words.split()), words


def test_a_link_to_values_that_the_board_no_longer_has(open_page, address):
    page = open_page(f"{address}#model=former&test=former&loss=former&columns=rank&sort=former")
    assert len(entries(page)) == 40
    assert heading(page, "rank").count() == 1


def test_a_link_to_columns_with_commas(open_page, tmp_path):
    board, counts = synthetic_board(rows=3, tests=1, samples=30, seeds=1)
    name = "seq-digits(digits=2, rounds=1)"
    text = boards.board_json(board).decode().replace('"iiit5k"', f'"{name}"')
    (tmp_path / boards.BOARD_FILE).write_text(text, encoding="utf-8")
    file = tmp_path / "board.html"
    file.write_bytes(board_page(boards.read_board(tmp_path), {name: counts["iiit5k"]}, {}))
    page = open_page(file.as_uri())
    page.locator("#columns summary").click()
    page.get_by_label("CER %").check()
    assert heading(page, f"cer/{name}").count() == 1
    assert heading(open_page(page.url), f"cer/{name}").count() == 1
