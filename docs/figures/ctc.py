"""Draw the figure of the page `ctc`: `uv run python docs/figures/ctc.py`."""

from __future__ import annotations

from pathlib import Path

import torch

from bench.core.types import Targets
from bench.nn.lattice import forward_backward, lattice

WORDS = ["orange", "apple", "watermelon"]
FRAMES, CELL, LEFT, TOP, GAP = 15, 15, 34, 40, 26
COLOURS = {"α": "#1f77b4", "β": "#d6601e", "γ": "#2c823c"}
FAINTEST = 0.01
TITLES = {
    "α": "α: where the paths so far end",
    "β": "β: where the paths to come begin",
    "γ": "γ: where the whole paths are",
}


def shares() -> list[tuple[str, dict[str, torch.Tensor]]]:
    """Return α, β and γ (T, 2U+1) of each word on random logits, each frame summing to 1."""
    torch.manual_seed(0)
    logits = torch.randn(len(WORDS), FRAMES, 27)
    width = max(map(len, WORDS))
    targets = [[ord(letter) - 96 for letter in word.ljust(width, "`")] for word in WORDS]
    sizes = torch.tensor([len(word) for word in WORDS])
    truth = Targets(torch.full((len(WORDS),), FRAMES), torch.tensor(targets), sizes)
    found = forward_backward(lattice(logits.log_softmax(-1), truth))
    kinds = {"α": found.forward, "β": found.backward, "γ": found.log_gamma}
    return [
        (
            word,
            {kind: values[n, :, : 2 * len(word) + 1].softmax(1) for kind, values in kinds.items()},
        )
        for n, word in enumerate(WORDS)
    ]


def panel(kind: str, word: str, values: torch.Tensor, x: int, y: int) -> list[str]:
    """Return the marks of one panel: a row a state, a column a frame."""
    states = "-" + "".join(f"{letter}-" for letter in word)
    height = len(states) * CELL
    marks = [
        f'<rect x="{x}" y="{y}" width="{FRAMES * CELL}" height="{height}" fill="#f2f2f2"/>',
        f'<g fill="{COLOURS[kind]}">',
    ]
    for row in range(len(states)):
        for column in range(FRAMES):
            share = float(values[column, row])
            if share >= FAINTEST:
                corner = f"M{x + column * CELL} {y + row * CELL}"
                square = f"h{CELL - 1}v{CELL - 1}h-{CELL - 1}z"
                marks.append(f'<path d="{corner}{square}" fill-opacity="{share:.2f}"/>')
    marks.append("</g>")
    marks += [
        f'<text x="{x - 6}" y="{y + row * CELL + CELL - 4}" text-anchor="end">{letter}</text>'
        for row, letter in enumerate(states)
    ]
    return marks


def main() -> None:
    """Write the figure beside this file."""
    marks, y = [], TOP
    wide = FRAMES * CELL + LEFT + 16
    for column, kind in enumerate(COLOURS):
        x = LEFT + column * wide
        marks.append(f'<text x="{x}" y="22" font-weight="bold">{TITLES[kind]}</text>')
    for word, values in shares():
        for column, kind in enumerate(COLOURS):
            marks += panel(kind, word, values[kind], LEFT + column * wide, y)
        y += (2 * len(word) + 1) * CELL + GAP
    size = f"{3 * wide} {y - GAP + 12}"
    Path(__file__).with_suffix(".svg").write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(marks)
        + "\n</svg>\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
