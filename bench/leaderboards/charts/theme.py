"""Colors of figures in a light and a dark scheme, which a page may choose by `data-theme`.

The colors of series can be distinguished with the common color vision deficiencies (after Okabe and
Ito, 2008) and have a contrast of at least 3:1 to the background; texts have at least 4.5:1. Series
also differ by their markers.
"""

from __future__ import annotations

ROOT = "bench-figure"
"""The CSS class of every figure."""
SERIES = 8
"""The number of colors of series, which are the CSS classes `c0` to `c7`."""
LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "soft": "#59636e",
    "grid": "#e1e5e9",
    "quiet": "#8b949e",
    "c0": "#0072b2",
    "c1": "#c24e00",
    "c2": "#007a5a",
    "c3": "#a6377f",
    "c4": "#8a6100",
    "c5": "#4b5bd7",
    "c6": "#59636e",
    "c7": "#9b1c1c",
}
DARK = {
    "paper": "#0d1117",
    "ink": "#f0f6fc",
    "soft": "#9198a1",
    "grid": "#2a313c",
    "quiet": "#7d8590",
    "c0": "#56b4e9",
    "c1": "#ff9d5c",
    "c2": "#3ccfa3",
    "c3": "#e39cc8",
    "c4": "#e5b93c",
    "c5": "#a5b0ff",
    "c6": "#b1bac4",
    "c7": "#ff8a8a",
}

_FONT = (
    "font-family:system-ui,-apple-system,'Segoe UI',Verdana,'DejaVu Sans',sans-serif;font-size:12px"
)


def style_sheet() -> str:
    """Return the CSS of a figure, which works in an SVG file and inline in a page."""
    root = f"svg.{ROOT}"
    rules = [
        f"{root}{{{_variables(LIGHT)}{_FONT}}}",
        f"@media(prefers-color-scheme:dark){{{root}{{{_variables(DARK)}}}}}",
        f"[data-theme=light] {root}{{{_variables(LIGHT)}}}",
        f"[data-theme=dark] {root}{{{_variables(DARK)}}}",
        f"{root} .paper{{fill:var(--paper)}}",
        f"{root} text{{fill:var(--ink)}}",
        f"{root} .soft{{fill:var(--soft)}}",
        f"{root} .heading{{font-weight:600;font-size:14px}}",
        f"{root} .grid{{stroke:var(--grid);stroke-width:1}}",
        f"{root} .axis{{stroke:var(--quiet);stroke-width:1}}",
        f"{root} .line{{fill:none;stroke-width:2;stroke-linejoin:round}}",
        f"{root} .bar{{stroke-width:1.5}}",
        f"{root} .thick{{stroke-width:4}}",
        f"{root} .quiet{{color:var(--quiet)}}",
        *(f"{root} .c{n}{{color:var(--c{n})}}" for n in range(SERIES)),
        f"{root} .mark{{fill:currentColor;stroke:var(--paper);stroke-width:1}}",
        f"{root} .stroke{{stroke:currentColor}}",
        f"{root} .thin{{stroke-width:1}}",
        f"{root} [data-entry]:hover .mark{{stroke:var(--ink);stroke-width:2}}",
    ]
    return "".join(rules)


def _variables(colors: dict[str, str]) -> str:
    return "".join(f"--{name}:{color};" for name, color in colors.items())
