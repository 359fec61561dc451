"""Draw the packages of bench by layers: `uv run python docs/figures/packages.py`."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILE = Path(__file__).with_suffix(".svg")
GROUPS = {
    "cli": "commands",
    "leaderboards": "results",
    "execution": "running",
    "recognizers": "suites and data",
    "losses": "components",
    "plugins": "foundation",
}
"""The heading beside some layers, by a package of the first of them."""
WIDTH, LEFT, TOP = 720, 150, 12
BOX, STEP, GAP, GROUP_GAP = 28, 34, 8, 10
STYLE = """text{font:13px monospace;fill:#1f2328;text-anchor:middle;dominant-baseline:central}
.g{font:13px sans-serif;fill:#59636e;text-anchor:end}
rect{fill:#0969da;fill-opacity:.1;stroke:#0969da;stroke-opacity:.6}
path{stroke:#59636e;fill:none;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.g{fill:#9198a1}
rect{fill:#4493f8;fill-opacity:.16;stroke:#4493f8}path{stroke:#9198a1}}"""


def layers() -> list[list[str]]:
    """Return the packages of each layer, from top to bottom, as import-linter checks them."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = table["tool"]["importlinter"]["contracts"]
    listed = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [layer.split(" | ") for layer in listed]


def figure() -> str:
    """Return the figure: a row of boxes per layer; a package imports those below it only."""
    parts, y = [], TOP
    for packages in layers():
        if group := next((GROUPS[name] for name in packages if name in GROUPS), ""):
            y += GROUP_GAP
            parts.append(
                f'<text class="g" x="{LEFT - 34}" y="{y + BOX / 2}">{escape(group)}</text>'
            )
        width = (WIDTH - LEFT - GAP * (len(packages) - 1)) / len(packages)
        for number, name in enumerate(packages):
            x = LEFT + number * (width + GAP)
            parts.append(f'<rect x="{x:g}" y="{y}" width="{width:g}" height="{BOX}" rx="4"/>')
            parts.append(f'<text x="{x + width / 2:g}" y="{y + BOX / 2}">{escape(name)}</text>')
        y += STEP
    x, end = LEFT - 16, y - GAP
    parts.append(f'<path d="M{x} {TOP + GROUP_GAP}V{end}m-5 -7l5 7l5 -7"/>')
    label = "Packages of bench by layers; a package imports those below it only"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 2} {y + 4}" '
        f'width="{WIDTH + 2}" height="{y + 4}" role="img" aria-label="{label}">\n'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


if __name__ == "__main__":
    FILE.write_text(figure(), encoding="utf-8")
