"""Record a run in a terminal, and draw it: `uv run python docs/figures/live_run.py [record]`.

`record` runs the embedded suite in a new folder of results and writes live-run.cast (asciicast 2).
Without it, live-run.svg is drawn from that file: an animation of a few screens. Readers who prefer
no motion see the last screen.
"""

from __future__ import annotations

import codecs
import json
import os
import pty
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from html import escape
from itertools import groupby
from pathlib import Path

import pyte

HERE = Path(__file__).parent
RECORDING = HERE / "live-run.cast"
FIGURE = HERE / "live-run.svg"
COMMAND = ("bench", "run")
COLUMNS, ROWS = 80, 28
SCREENS = 9
SECONDS, LAST_SECONDS = 1.2, 6.0
"""How long each screen is shown, and the last one."""
CELL, LINE, MARGIN = 8.0, 18, 14
HEX_DIGITS = 6
"""pyte names a color of the palette of 256 by so many hexadecimal digits."""
COLORS = {
    "default": "#e6edf3",
    "red": "#ff7b72",
    "green": "#7ee787",
    "brown": "#e3b341",
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
    "brightblack": "#8b949e",
    "dim": "#8b949e",
}


def record() -> None:
    """Run the command in a pseudo-terminal and write what it prints, with times in seconds."""
    with tempfile.TemporaryDirectory() as results:
        process, terminal = pty.fork()
        if not process:
            os.environ |= {"BENCH_RESULTS": results, "TERM": "xterm-256color", "COLORTERM": ""}
            os.execvp(COMMAND[0], COMMAND)  # noqa: S606 (no shell needed)
        ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        start = time.monotonic()
        with RECORDING.open("w", encoding="utf-8") as file:
            print(json.dumps({"version": 2, "width": COLUMNS, "height": ROWS}), file=file)
            for text in output(terminal):
                event = [round(time.monotonic() - start, 2), "o", text.replace(results, "results")]
                print(json.dumps(event, ensure_ascii=False), file=file)
        os.waitpid(process, 0)


def output(terminal: int) -> Iterator[str]:
    """Yield what a pseudo-terminal prints, in parts of whole characters, until its process ends."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    while True:
        try:
            yield decoder.decode(os.read(terminal, 65536))
        except OSError:  # Linux reports the end of the process as an error
            return


def screens(lines: list[str]) -> list[list[str]]:
    """Return some screens of the recording as SVG lines of text, evenly spread over its changes."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    stream.feed(f"$ {' '.join(COMMAND)}\r\n")
    shown = [drawn(screen)]
    for line in lines[1:]:
        stream.feed(json.loads(line)[2])
        if (now := drawn(screen)) != shown[-1]:
            shown.append(now)
    steps = [round(index * (len(shown) - 1) / (SCREENS - 1)) for index in range(SCREENS)]
    return [shown[step] for step in steps]


def drawn(screen: pyte.Screen) -> list[str]:
    """Return the text of a screen, one SVG element per run of cells of the same style."""
    texts = []
    for row in range(ROWS):
        cells = [screen.buffer[row][column] for column in range(COLUMNS)]
        column = 0
        for (color, bold), run in groupby(cells, key=lambda cell: (cell.fg, cell.bold)):
            text = "".join(cell.data for cell in run)
            if text.strip():
                left = column + len(text) - len(text.lstrip())
                texts.append(element(left, row, text.strip(), color, bold=bold))
            column += len(text)
    return texts


def element(column: int, row: int, text: str, color: str, *, bold: bool) -> str:
    """Return a text at a cell, exactly as wide as its cells in whatever font a reader has."""
    weight = ' font-weight="bold"' if bold else ""
    hexadecimal = f"#{color}" if len(color) == HEX_DIGITS else COLORS["default"]
    fill = "" if color == "default" else f' fill="{COLORS.get(color, hexadecimal)}"'
    x, y = MARGIN + column * CELL, MARGIN + LINE * (row + 1) - 4
    return (
        f'<text x="{x:.0f}" y="{y}" textLength="{len(text) * CELL:.0f}"{fill}{weight}>'
        f"{escape(text, quote=False)}</text>"
    )


def animation(count: int) -> str:
    """Return the styles by which one screen after the other is visible."""
    total = SECONDS * (count - 1) + LAST_SECONDS
    rules = []
    for index in range(count):
        begin = 100 * SECONDS * index / total
        end = 100 if index == count - 1 else 100 * SECONDS * (index + 1) / total
        rules.append(
            f"@keyframes s{index}{{0%{{opacity:0}}{begin:.2f}%{{opacity:1}}"
            f"{end:.2f}%{{opacity:{int(index == count - 1)}}}100%{{opacity:0}}}}"
            f"#s{index}{{animation:s{index} {total:.1f}s step-end infinite}}"
        )
    still = "".join(f"#s{index}{{opacity:0}}" for index in range(count - 1))
    return f"{still}@media(prefers-reduced-motion:no-preference){{{''.join(rules)}}}"


def figure(recording: str) -> str:
    """Return the recording as an animated SVG."""
    pictures = screens(recording.splitlines())
    width, height = COLUMNS * CELL + 2 * MARGIN, ROWS * LINE + 2 * MARGIN
    font = "13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace"
    style = f"text{{font:{font};white-space:pre}}{animation(len(pictures))}"
    groups = "\n".join(
        f'<g id="s{index}" fill="{COLORS["default"]}">' + "\n".join(texts) + "</g>"
        for index, texts in enumerate(pictures)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" role="img" '
        f'aria-label="bench run in a terminal, from the first training to the board">\n'
        f'<style>{style}</style>\n<rect width="100%" height="100%" rx="8" fill="#0d1117"/>\n'
        f"{groups}\n</svg>\n"
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["record"]:
        record()
    FIGURE.write_text(figure(RECORDING.read_text(encoding="utf-8")), encoding="utf-8")
